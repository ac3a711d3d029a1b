/* run: proves that a vendor's requests and answers are what its cases say; speaks TAP.
 *
 * run [FILTER]: every case of every vendor in $KOINE_TEST_SOURCE/tests/vendor, or those whose name contains
 * FILTER. An answer is read whole, cut in two at every byte, byte by byte, and ended early at every byte,
 * cleanly and not.
 *
 * The program `isolated` is this one with the same cases for the same plugins, built and in helper processes.
 */
#include "tests/vendor/elsewhere.h"
#include "tests/vendor/play.h"

#include "core/plugin/host.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LARGEST ((size_t)4 << 20)

/* Each vendor's entry function; its file beside this one gives it that name. */
#define VENDORS(X) X(vendor_together) X(vendor_openai) X(vendor_anthropic)

#define DECLARE(entry) const koine_provider *entry(const koine_host *host, uint32_t index);
VENDORS(DECLARE)
#define LIST(entry) entry,
static const koine_provider *(*const vendors[])(const koine_host *host, uint32_t index) = {VENDORS(LIST)};

struct running { /* one case */
    const koine_provider *provider;
    const struct vendor_case *c;
    const char *name;
    struct vendor_trace whole; /* what the whole answer gives */
};

static int tests, failures;

/* ---- TAP ---- */

static void print_lines(const char *title, const char *text)
{
    printf("#   %s:\n", title);
    while (*text) {
        size_t len = strcspn(text, "\n");
        printf("#     %.*s\n", (int)len, text);
        text += len + (text[len] == '\n');
    }
}

static bool report(const struct running *r, const char *what, bool ok)
{
    tests++;
    failures += !ok;
    printf("%sok %d - %s: %s\n", ok ? "" : "not ", tests, r->name, what);
    return ok;
}

static void report_text(const struct running *r, const char *what, const char *expected, const char *got)
{
    size_t len = strlen(expected);
    while (len > 0 && expected[len - 1] == '\n')
        len--;
    bool same = strncmp(expected, got, len) == 0 && (got[len] == '\0' || strcmp(got + len, "\n") == 0);
    if (report(r, what, same))
        return;
    print_lines("expected", expected);
    print_lines("got", got);
}

/* ---- Ways to read an answer ---- */

/* Line by line the same, except that the shorter one may end in one of its own. */
static bool is_early_end(const char *full, const char *cut)
{
    for (;;) {
        size_t len = strcspn(cut, "\n") + 1;
        if (*cut == '\0')
            return *full == '\0';
        if (strncmp(full, cut, len) == 0) {
            full += len;
            cut += len;
            continue;
        }
        if (cut[len] != '\0')
            return false;
        if (strncmp(cut, "stop ", 5) == 0) { /* only the one that would have come */
            const char *stop = strstr(full, "\nstop ");
            return stop && strcmp(stop + 1, cut) == 0;
        }
        return strncmp(cut, "protocol", 8) == 0 || strncmp(cut, "fault ", 6) == 0;
    }
}

static bool read_one_way(const struct running *r, struct vendor_play way, bool early)
{
    struct vendor_trace trace;
    vendor_trace_init(&trace);
    vendor_play_answer(r->provider, r->c, &way, &trace);
    const char *full = koine__buf_str(&r->whole.raw), *got = koine__buf_str(&trace.raw);
    bool ok =
        trace.late == 0 && trace.ends <= 1 && (early ? is_early_end(full, got) : strcmp(full, got) == 0);
    if (!ok) {
        printf("# %s: first piece %zu, then %zu, ends at %zu of %zu%s\n", r->name, way.piece, way.pieces,
               way.len, r->c->body.len, way.clean ? "" : ", cut");
        print_lines("the whole answer gave", full);
        print_lines("this way gave", got);
    }
    vendor_trace_release(&trace);
    return ok;
}

static bool read_split(const struct running *r)
{
    for (size_t at = 1; at < r->c->body.len; at += VENDOR_STEP)
        if (!read_one_way(r, (struct vendor_play){.piece = at, .len = r->c->body.len, .clean = true}, false))
            return false;
    return true;
}

static bool read_cut(const struct running *r, bool clean)
{
    for (size_t len = 0; len < r->c->body.len; len += VENDOR_STEP)
        if (!read_one_way(r, (struct vendor_play){.len = len, .clean = clean}, true))
            return false;
    return true;
}

static void run_answer(struct running *r)
{
    size_t len = r->c->body.len;
    vendor_trace_init(&r->whole);
    vendor_play_answer(r->provider, r->c, &(struct vendor_play){.len = len, .clean = true}, &r->whole);
    report_text(r, "events", r->c->events, koine__buf_str(&r->whole.merged));
    report(r, "one end and nothing after it", r->whole.late == 0 && r->whole.ends <= 1);
    report(r, "cut in two at every byte", read_split(r));
    report(r, "byte by byte",
           read_one_way(r, (struct vendor_play){.piece = 1, .pieces = 1, .len = len, .clean = true}, false));
    report(r, "ended early at every byte", read_cut(r, true));
    report(r, "cut off at every byte", read_cut(r, false));
    vendor_trace_release(&r->whole);
}

static void run_request(struct running *r)
{
    struct koine__buf request, notices;
    koine__buf_init(&request, LARGEST);
    koine__buf_init(&notices, LARGEST);
    vendor_ask(r->provider, r->c, &request, &notices);
    report_text(r, "request", r->c->request, koine__buf_str(&request));
    report_text(r, "notices", r->c->notices ? r->c->notices : "", koine__buf_str(&notices));
    koine__buf_release(&request);
    koine__buf_release(&notices);
}

static void run_next_request(struct running *r)
{
    struct koine__buf request, notices;
    koine__buf_init(&request, LARGEST);
    koine__buf_init(&notices, LARGEST);
    vendor_ask_next(r->provider, r->c, &request, &notices);
    report_text(r, "next request", r->c->next_request, koine__buf_str(&request));
    koine__buf_release(&request);
    koine__buf_release(&notices);
}

/* ---- Which cases ---- */

static void run_file(const koine_provider *provider, const char *folder, const char *file, const char *filter)
{
    char path[1024], name[512];
    struct vendor_case c;
    snprintf(path, sizeof(path), "%s/%s", folder, file);
    snprintf(name, sizeof(name), "%s/%.*s", provider->id, (int)(strlen(file) - 4), file);
    if (filter && !strstr(name, filter))
        return;
    const char *wrong = vendor_case_read(path, &c);
    struct running r = {.provider = provider, .c = &c, .name = name};
    if (!wrong && (c.answered != (c.events != NULL) || !(c.request || c.answered)))
        wrong = "an answer and its events come together, and a case has them or a request";
    if (wrong && !report(&r, "the file", false))
        printf("#   %s: %s\n", path, wrong);
    if (!wrong && c.request)
        run_request(&r);
    if (!wrong && c.answered)
        run_answer(&r);
    if (!wrong && c.next_request)
        run_next_request(&r);
    vendor_case_release(&c);
}

static int is_case(const struct dirent *entry)
{
    size_t len = strlen(entry->d_name);
    return len > 4 && strcmp(entry->d_name + len - 4, ".txt") == 0;
}

static void run_vendor(const koine_provider *provider, const char *filter)
{
    const char *source = getenv("KOINE_TEST_SOURCE");
    struct dirent **entries = NULL;
    char folder[512];
    snprintf(folder, sizeof(folder), "%s/tests/vendor/%s", source ? source : ".", provider->id);
    int count = scandir(folder, &entries, is_case, alphasort);
    if (count <= 0) {
        printf("not ok %d - %s holds no cases\n", ++tests, folder);
        failures++;
    }
    for (int i = 0; i < count; i++) {
        run_file(provider, folder, entries[i]->d_name, filter);
        free(entries[i]);
    }
    free(entries);
}

int main(int argc, char **argv)
{
    const koine_host *host = koine__process_host();
    const char *filter = argc > 1 ? argv[1] : NULL;
    for (size_t i = 0; i < sizeof(vendors) / sizeof(vendors[0]); i++)
        run_vendor(VENDOR_ELSEWHERE(vendors[i](host, 0)), filter);
    VENDOR_LEAVE();
    printf("1..%d\n", tests);
    return failures != 0;
}
