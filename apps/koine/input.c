/* input: texts from files and standard input. */
#include "apps/koine/input.h"

#include "apps/koine/clean.h"
#include "apps/koine/out.h"
#include "apps/koine/term.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    CEILING = 64 * 1024 * 1024
}; /* no document is as large; what goes on for ever ends here */

static int read_all(struct args *args, int descriptor, const char *what, char **ret, size_t *ret_length)
{
    size_t length = 0, capacity = 0;
    char *text = NULL;
    for (;;) {
        if (length + 1 >= capacity) {
            capacity = capacity * 2 + 4096;
            char *larger = realloc(text, capacity);
            if (larger == NULL)
                out_no_memory();
            text = larger;
        }
        ssize_t got = read(descriptor, text + length, capacity - length - 1);
        if (got == 0)
            break;
        if (got < 0 && errno == EINTR)
            continue;
        if (got > 0)
            length += (size_t)got;
        if (got < 0 || length > CEILING) {
            free(text);
            return args_problem(args, "%s: %s", what, got < 0 ? strerror(errno) : "larger than 64 MiB");
        }
    }
    text[length] = '\0';
    *ret = text;
    *ret_length = length;
    return STATUS_DONE;
}

int input_read(struct args *args, const char *file, char **ret, size_t *ret_length)
{
    if (strcmp(file, "-") == 0)
        return read_all(args, STDIN_FILENO, "standard input", ret, ret_length);
    int descriptor = open(file, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0)
        return args_problem(args, "%s: %s", file, strerror(errno));
    int status = read_all(args, descriptor, file, ret, ret_length);
    close(descriptor);
    return status;
}

int input_check(struct args *args, const char *what, const char *text, size_t length)
{
    if (memchr(text, '\0', length) != NULL)
        return args_problem(args, "%s: holds a NUL byte; a prompt is text in UTF-8", what);
    if (!utf8_is_valid(text, length))
        return args_problem(args, "%s: is not UTF-8", what);
    return STATUS_DONE;
}

/* Words joined by blanks, then the input below them. */
static char *join(char *const *words, const char *input)
{
    char *text = NULL;
    size_t length = 0;
    FILE *to = open_memstream(&text, &length);
    if (to == NULL)
        out_no_memory();
    for (size_t i = 0; words[i] != NULL; i++)
        fprintf(to, "%s%s", i > 0 ? " " : "", words[i]);
    if (words[0] != NULL && *input != '\0')
        fputs("\n\n", to);
    fputs(input, to);
    bool bad = ferror(to) != 0;
    if (fclose(to) != 0 || bad)
        out_no_memory();
    return text;
}

static char *copy(const char *text)
{
    char *copied = strdup(text);
    if (copied == NULL)
        out_no_memory();
    return copied;
}

static int prompt_input(struct args *args, char **ret)
{
    size_t length = 0;
    if (term_is_input()) {
        *ret = copy("");
        return STATUS_DONE;
    }
    int status = input_read(args, "-", ret, &length);
    if (status != STATUS_DONE)
        return status;
    status = input_check(args, "standard input", *ret, length);
    if (status != STATUS_DONE) {
        free(*ret);
        return status;
    }
    while (length > 0 && (*ret)[length - 1] == '\n') /* the end of a file, not of a thought */
        (*ret)[--length] = '\0';
    return STATUS_DONE;
}

int input_prompt(struct args *args, const char *otherwise, char **ret)
{
    char *input = NULL;
    if (otherwise != NULL)
        input = copy(args->word_count > 0 ? "" : otherwise);
    int status = otherwise != NULL ? STATUS_DONE : prompt_input(args, &input);
    if (status != STATUS_DONE)
        return status;
    char *text = join(args->words, input);
    free(input);
    status = input_check(args, "the prompt", text, strlen(text));
    if (status == STATUS_DONE && *text == '\0')
        status = args_problem(args, "there is no prompt; give it as words or on standard input");
    if (status != STATUS_DONE) {
        free(text);
        return status;
    }
    *ret = text;
    return STATUS_DONE;
}
