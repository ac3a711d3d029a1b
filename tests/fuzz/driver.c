/* driver: a fuzz target as a plain program; speaks TAP.
 *
 *     frame               runs the committed corpus, $KOINE_TEST_SOURCE/tests/fuzz/corpus/frame.txt, and a
 * few mutations of each input, always the same ones frame FILE…         runs each file as one input frame
 * --unpack DIR  writes each input of the corpus as a file, for a fuzzer to begin with frame --pack DIR prints
 * the files of a folder as a corpus
 *
 * A corpus is a text of many inputs: each begins behind a line `==` and ends before the line end of the next
 * such line. In an input ^^ is a caret, ^xHH a byte, and a caret at the end of a line joins it to the next.
 */
#include "core/base/buf.h"
#include "tests/fuzz/fuzz.h"

#include <dirent.h>
#include <libgen.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LARGEST   ((size_t)16 << 20)
#define MUTATIONS 16

/* ---- Reading ---- */

static bool read_file(const char *path, struct koine__buf *ret)
{
    char block[65536];
    FILE *file = fopen(path, "rbe");
    if (!file)
        return false;
    for (size_t got; (got = fread(block, 1, sizeof(block), file)) > 0;)
        koine__buf_add(ret, block, got);
    fclose(file);
    return ret->error == 0;
}

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static void unescape(koine_str text, struct koine__buf *ret)
{
    for (size_t i = 0; i < text.len; i++) {
        const char *at = text.ptr + i;
        size_t left = text.len - i;
        if (*at != '^' || left < 2) {
            koine__buf_addc(ret, *at);
        } else if (at[1] == 'x' && left >= 4 && hex(at[2]) >= 0 && hex(at[3]) >= 0) {
            koine__buf_addc(ret, (char)(hex(at[2]) * 16 + hex(at[3])));
            i += 3;
        } else {
            if (at[1] != '\n')
                koine__buf_addc(ret, at[1]);
            i++;
        }
    }
}

typedef void (*take_input)(koine_str input, size_t number, void *arg);

/* Each input of a corpus; how many. */
static size_t each(const char *corpus, take_input take, void *arg)
{
    struct koine__buf input;
    size_t count = 0;
    const char *at = strncmp(corpus, "==\n", 3) == 0 ? corpus : strstr(corpus, "\n==\n") + 1;
    koine__buf_init(&input, LARGEST);
    while (at) {
        at += 3;
        const char *end = strncmp(at, "==\n", 3) == 0 ? at : strstr(at, "\n==\n");
        size_t len = end ? (size_t)(end - at) : strlen(at);
        if (!end && len && at[len - 1] == '\n')
            len--;
        koine__buf_reset(&input);
        unescape((koine_str){at, len}, &input);
        take((koine_str){koine__buf_str(&input), input.len}, count++, arg);
        at = end ? end + (*end == '\n') : NULL;
    }
    koine__buf_release(&input);
    return count;
}

/* ---- Running ---- */

static void run(koine_str input)
{
    char *copy = malloc(input.len ? input.len : 1); /* without a NUL behind it */
    if (!copy)
        fuzz_fail("no memory");
    memcpy(copy, input.ptr, input.len);
    LLVMFuzzerTestOneInput((const uint8_t *)copy, input.len);
    free(copy);
}

static uint32_t pick(uint64_t *state, uint32_t bound)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*state >> 33) % bound;
}

/* Cuts, doubles or changes a little, the same way each time. */
static void mutate(koine_str input, uint64_t *state, struct koine__buf *ret)
{
    static const char bytes[] = "\"\\{}[]:,\r\n\t $0-eu.^\0\x80\xc3\xff#'";
    uint32_t at = pick(state, (uint32_t)input.len + 1), how = pick(state, 4);
    koine__buf_reset(ret);
    koine__buf_add(ret, input.ptr, at);
    if (how > 0 && at < input.len)
        koine__buf_addc(ret, how == 1 ? bytes[pick(state, sizeof(bytes))] : input.ptr[at]);
    if (how == 3)
        koine__buf_add(ret, input.ptr + at, input.len - at);
    if (how > 0 && at < input.len)
        koine__buf_add(ret, input.ptr + at + 1, input.len - at - 1);
}

static void run_with_mutations(koine_str input, size_t number, void *arg)
{
    struct koine__buf *mutation = arg;
    uint64_t state = number + 1;
    run(input);
    for (int i = 0; i < MUTATIONS; i++) {
        mutate(input, &state, mutation);
        run((koine_str){koine__buf_str(mutation), mutation->len});
    }
}

static int run_corpus(const char *name, const char *corpus)
{
    struct koine__buf mutation;
    koine__buf_init(&mutation, LARGEST);
    printf("TAP version 13\n1..1\n");
    fflush(stdout);
    size_t count = each(corpus, run_with_mutations, &mutation);
    printf("%sok 1 - fuzz: %s: %zu inputs and %zu changed ones\n", count ? "" : "not ", name, count,
           count * MUTATIONS);
    koine__buf_release(&mutation);
    return count ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int run_files(char **paths)
{
    int status = EXIT_SUCCESS;
    for (; *paths; paths++) {
        struct koine__buf input;
        koine__buf_init(&input, LARGEST);
        bool found = read_file(*paths, &input);
        if (found)
            run((koine_str){koine__buf_str(&input), input.len});
        printf("# %s: %s\n", *paths, found ? "fine" : "cannot be read");
        status = found ? status : EXIT_FAILURE;
        koine__buf_release(&input);
    }
    return status;
}

/* ---- A corpus and a folder ---- */

static void write_input(koine_str input, size_t number, void *arg)
{
    char path[PATH_MAX];
    snprintf(path, sizeof(path), "%s/%06zu", (const char *)arg, number);
    FILE *file = fopen(path, "wbe");
    if (!file)
        fuzz_fail("%s cannot be written", path);
    fwrite(input.ptr, 1, input.len, file);
    fclose(file);
}

static void print_escaped(koine_str input)
{
    bool at_line_start = true;
    for (size_t i = 0; i < input.len; i++) {
        char c = input.ptr[i];
        bool is_odd = (c < ' ' || c > '~') && c != '\n';
        bool looks_like_end = at_line_start && c == '='; /* of the input */
        if (c == '^')
            printf("^^");
        else if (is_odd || looks_like_end)
            printf("^x%02x", (unsigned)(unsigned char)c);
        else
            putchar(c);
        at_line_start = c == '\n';
    }
}

static int pack(const char *folder)
{
    struct dirent **entries = NULL;
    char path[PATH_MAX];
    int count = scandir(folder, &entries, NULL, alphasort);
    for (int i = 0; i < count; i++) {
        struct koine__buf input;
        koine__buf_init(&input, LARGEST);
        snprintf(path, sizeof(path), "%s/%s", folder, entries[i]->d_name);
        if (entries[i]->d_name[0] != '.' && read_file(path, &input)) {
            printf("==\n");
            print_escaped((koine_str){koine__buf_str(&input), input.len});
            putchar('\n');
        }
        koine__buf_release(&input);
        free(entries[i]);
    }
    free(entries);
    return count < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    char path[PATH_MAX];
    struct koine__buf corpus;
    int status = EXIT_SUCCESS;
    const char *root = getenv("KOINE_TEST_SOURCE"), *name = basename(argv[0]);
    if (strncmp(name, "lt-", 3) == 0) /* what libtool may call it */
        name += 3;
    if (argc == 3 && strcmp(argv[1], "--pack") == 0)
        return pack(argv[2]);
    if (argc > 1 && strcmp(argv[1], "--unpack") != 0)
        return run_files(argv + 1);
    snprintf(path, sizeof(path), "%s/tests/fuzz/corpus/%s.txt", root ? root : ".", name);
    koine__buf_init(&corpus, LARGEST);
    if (!read_file(path, &corpus) || !strstr(corpus.ptr, "==\n")) {
        printf("Bail out! %s is no corpus\n", path);
        status = EXIT_FAILURE;
    } else if (argc == 3) {
        each(corpus.ptr, write_input, argv[2]);
    } else {
        status = run_corpus(name, corpus.ptr);
    }
    koine__buf_release(&corpus);
    return status;
}
