/* corpus: replays recorded traffic through framer, dialect and assembly, and compares what comes out with
 * what the vendors' own SDKs read out of the same bytes; speaks TAP.
 *
 * The traffic lies in $KOINE_CORPUS, else in ../shared/corpus beside the source; where it is absent, nothing
 * is tested and the one line says how much. classes.txt beside this file: the classes of those that are
 * errors ("id class"); known.txt: what may differ, and why ("id what: why").
 */
#include "tests/corpus/compare.h"
#include "tests/corpus/exchange.h"

#include "core/plugin/host.h"
#include "tests/vendor/play.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXCHANGES   501 /* of the three dialects */
#define TEXT_LIMIT  ((size_t)1 << 24)
#define SMALL_PIECE 7

const koine_provider *vendor_together(const koine_host *host, uint32_t index);
const koine_provider *vendor_openai(const koine_host *host, uint32_t index);
const koine_provider *vendor_anthropic(const koine_host *host, uint32_t index);
const koine_provider *vendor_gemini(const koine_host *host, uint32_t index);

/* The first whose ending the file's name has. */
static const struct vendor {
    const char *ending;
    const koine_provider *(*entry)(const koine_host *host, uint32_t index);
} vendors[] = {
    {"together.chat.jsonl", vendor_together},
    {".chat.jsonl", vendor_openai},
    {"anthropic.messages.jsonl", vendor_anthropic},
    {"gemini.gemini.jsonl", vendor_gemini},
};

struct running {
    struct corpus_expected expected;
    char *classes, *known; /* the committed tables */
    int tests, differing, justified;
};

/* ---- The committed tables ---- */

static char *read_table(const char *name)
{
    const char *source = getenv("KOINE_TEST_SOURCE");
    char folder[512];
    struct corpus_file file;
    snprintf(folder, sizeof(folder), "%s/tests/corpus", source ? source : ".");
    if (!corpus_open(&file, folder, name)) {
        printf("Bail out! %s/%s cannot be read\n", folder, name);
        exit(99);
    }
    file.text[file.rest.len] = '\0';
    return file.text;
}

/* What stands behind the id in its line, up to the end or a colon; false: no such line. */
static bool look_up(const char *table, koine_str id, char *ret, size_t size)
{
    koine_str rest = koine__str(table);
    while (rest.ptr) {
        koine_str line = koine__str_cut(&rest, '\n');
        koine_str name = koine__str_cut(&line, ' ');
        if (!koine__str_eq(name, id) || !line.ptr)
            continue;
        koine_str word = koine__str_cut(&line, ':');
        snprintf(ret, size, "%.*s", (int)word.len, word.ptr);
        return true;
    }
    return false;
}

/* ---- One exchange ---- */

/* NULL: as expected. */
static const char *replay(struct running *r, const koine_provider *provider, const koine_node *exchange,
                          const koine_node *expected, size_t piece)
{
    struct vendor_case c;
    struct koine__random random;
    struct corpus_outcome outcome;
    char class_name[32];
    bool has_class =
        look_up(r->classes, koine__node_str(koine__node_get(exchange, "id")), class_name, sizeof(class_name));
    koine__random_seed(&random, 1);
    corpus_case(exchange, &c);
    if (koine__assembly_init(&outcome.assembly, "corpus/model", &random, TEXT_LIMIT) != KOINE_OK)
        abort();
    struct vendor_play way = {.piece = piece, .pieces = piece, .len = c.body.len, .clean = true};
    outcome.status = c.status;
    outcome.result = vendor_play_into(provider, &c, &way, &outcome.assembly.sink);
    koine__assembly_finish(&outcome.assembly);
    const char *differs = corpus_compare(&outcome, expected, has_class ? class_name : NULL);
    koine__assembly_release(&outcome.assembly);
    koine__buf_release(&c.body);
    return differs;
}

static void run_exchange(struct running *r, const koine_provider *provider, const koine_node *exchange)
{
    koine_str id = koine__node_str(koine__node_get(exchange, "id"));
    const koine_node *expected = corpus_expected_find(&r->expected, id);
    char known[64] = "";
    bool may = look_up(r->known, id, known, sizeof(known));
    const char *differs = expected ? replay(r, provider, exchange, expected, 0) : "no expectation";
    const char *slowly = expected ? replay(r, provider, exchange, expected, SMALL_PIECE) : differs;
    bool same = differs == slowly || (differs && slowly && strcmp(differs, slowly) == 0);
    bool ok = same && (may ? differs && strcmp(differs, known) == 0 : !differs);
    r->tests++;
    r->differing += !ok;
    r->justified += ok && may;
    printf("%sok %d - %.*s%s%s\n", ok ? "" : "not ", r->tests, (int)id.len, id.ptr, differs ? ": " : "",
           differs ? differs : "");
}

/* ---- All of them ---- */

static const struct vendor *vendor_of(const char *name)
{
    size_t len = strlen(name);
    for (size_t i = 0; i < sizeof(vendors) / sizeof(vendors[0]); i++) {
        size_t ending = strlen(vendors[i].ending);
        if (len >= ending && strcmp(name + len - ending, vendors[i].ending) == 0)
            return &vendors[i];
    }
    return NULL;
}

static int is_ours(const struct dirent *entry)
{
    return vendor_of(entry->d_name) != NULL;
}

static void run_file(struct running *r, const char *folder, const char *name)
{
    const koine_provider *provider = vendor_of(name)->entry(koine__process_host(), 0);
    struct corpus_file file;
    struct koine__arena arena;
    koine__arena_init(&arena, 0);
    if (corpus_open(&file, folder, name)) {
        for (const koine_node *exchange; (exchange = corpus_next(&file, &arena));) {
            run_exchange(r, provider, exchange);
            koine__arena_reset(&arena);
        }
    }
    corpus_close(&file);
    koine__arena_release(&arena);
}

static void run_folder(struct running *r, const char *folder)
{
    struct dirent **entries = NULL;
    int count = scandir(folder, &entries, is_ours, alphasort);
    for (int i = 0; i < count; i++) {
        run_file(r, folder, entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
}

static void find_folder(char *ret, size_t size)
{
    const char *told = getenv("KOINE_CORPUS"), *source = getenv("KOINE_TEST_SOURCE");
    if (told)
        snprintf(ret, size, "%s", told);
    else
        snprintf(ret, size, "%s/../shared/corpus", source ? source : ".");
}

int main(void)
{
    struct running r = {.tests = 0};
    char folder[512];
    find_folder(folder, sizeof(folder));
    if (!corpus_expected_open(&r.expected, folder)) {
        corpus_expected_close(&r.expected);
        printf("1..1\nok 1 - recorded traffic # SKIP %d exchanges: no folder %s\n", EXCHANGES, folder);
        return 0;
    }
    r.classes = read_table("classes.txt");
    r.known = read_table("known.txt");
    run_folder(&r, folder);
    bool all = r.tests >= EXCHANGES;
    printf("%sok %d - there are at least %d exchanges\n", all ? "" : "not ", r.tests + 1, EXCHANGES);
    printf("1..%d\n# %d exchanges replayed, %d differ, %d of them justified, 0 skipped\n", r.tests + 1,
           r.tests, r.differing + r.justified, r.justified);
    free(r.classes);
    free(r.known);
    corpus_expected_close(&r.expected);
    return r.differing != 0 || !all;
}
