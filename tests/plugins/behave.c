/* behave: all that can be seen of a plugin from outside, as one line for each part of it: what it was, and a
 * hash of everything it gave. Two plugins that behave alike give the same lines.
 *
 * behave FILE.so CASES: for mutants.sh, which asks whether a mutant behaves unlike its original at all. It
 * knows no rules and shares none with the checker: it plays more, and compares.
 */
#include "apps/plugin-check/cases.h"
#include "apps/plugin-check/spots.h"
#include "core/money/price.h"
#include "core/plugin/loader.h"

#include <inttypes.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LARGEST ((size_t)8 << 20)

struct seen { /* a part under way */
    const koine_provider *provider;
    uint64_t hash;
    size_t count;
};

/* FNV-1a */
static void see(struct seen *seen, const char *text)
{
    for (; *text; text++)
        seen->hash = (seen->hash ^ (unsigned char)*text) * UINT64_C(1099511628211);
    seen->hash = (seen->hash ^ 0xFF) * UINT64_C(1099511628211);
    seen->count++;
}

static void see_number(struct seen *seen, int64_t number)
{
    char text[32];
    snprintf(text, sizeof(text), "%" PRId64, number);
    see(seen, text);
}

static void show(struct seen *seen, const char *part)
{
    printf("%016" PRIx64 " %6zu %s\n", seen->hash, seen->count, part);
    fflush(stdout); /* what crashes next must not take this with it */
    seen->hash = UINT64_C(14695981039346656037);
    seen->count = 0;
}

/* ---- The table ---- */

static void see_text(struct seen *seen, const char *text)
{
    see(seen, text ? text : "(NULL)");
}

static void see_options(struct seen *seen, const koine_option *const *options)
{
    for (; options && *options; options++) {
        see_text(seen, (*options)->name);
        see_text(seen, (*options)->otherwise);
        see_text(seen, (*options)->help);
        see_number(seen, (*options)->type);
        see_number(seen, (*options)->required);
    }
}

static void see_table(struct seen *seen)
{
    const koine_provider *p = seen->provider;
    see_number(seen, p->size);
    see_text(seen, p->id);
    see_text(seen, p->version);
    see_text(seen, p->base_url);
    see_text(seen, p->key_variable);
    see_options(seen, p->options);
    see_number(seen, p->generate->size);
    see_number(seen, p->list_models->size);
    see_number(seen, p->fault != NULL);
    show(seen, "table");
}

/* ---- Requests and answers ---- */

static long fail_at, allocations, result_of_last;

static void *failing_alloc(const koine_host *host, size_t size)
{
    return ++allocations == fail_at ? NULL : koine__process_host()->alloc(host, size);
}

static void on_host(void *arg, struct koine__host *host)
{
    (void)arg;
    host->pub.alloc = failing_alloc;
}

static void on_leave(void *arg, const char *function, int32_t result)
{
    (void)arg;
    (void)function;
    result_of_last = result;
}

static const struct vendor_watch watch = {.host = on_host, .leave = on_leave};
static const struct vendor_watch later_core = {.host = on_host, .leave = on_leave, .future = true};

static void see_request(struct seen *seen, const struct vendor_case *c, const struct vendor_watch *with)
{
    struct koine__buf request, notices;
    koine__buf_init(&request, LARGEST);
    koine__buf_init(&notices, LARGEST);
    vendor_ask(seen->provider, c, with, &request, &notices);
    see(seen, koine__buf_str(&request));
    see(seen, koine__buf_str(&notices));
    see_number(seen, result_of_last);
    koine__buf_release(&request);
    koine__buf_release(&notices);
}

static void see_answer(struct seen *seen, const struct vendor_case *c, struct vendor_play way)
{
    struct vendor_trace trace;
    struct vendor_reading reading;
    vendor_trace_init(&trace);
    if (!way.watch)
        way.watch = &watch;
    vendor_reading_open(&reading, seen->provider, c, &way, &trace.sink);
    while (vendor_reading_step(&reading))
        see_number(seen, reading.result);
    vendor_trace_flush(&trace);
    see(seen, koine__buf_str(&trace.raw));
    see_number(seen, vendor_reading_in_bounds(&reading));
    vendor_reading_close(&reading);
    vendor_trace_release(&trace);
}

static void see_whole(struct seen *seen, const struct vendor_case *c)
{
    see_answer(seen, c, (struct vendor_play){.len = c->body.len, .clean = true});
}

static void see_play(struct seen *seen, const struct vendor_case *c)
{
    if (c->answered)
        see_whole(seen, c);
    else
        see_request(seen, c, &watch);
}

/* ---- What is played ---- */

static void see_values(struct seen *seen, const struct cases_item *item)
{
    static const char *const values[] = {"null",      "false", "3",         "-7", "1.5",           "\"\"",
                                         "\"other\"", "[]",    "[1,\"a\"]", "{}", "{\"id\":\"b\"}"};
    struct vendor_case c = item->c;
    struct spots spots;
    struct koine__buf text;
    koine_str source = c.answered ? (koine_str){koine__buf_str(&c.body), c.body.len} : koine__str(c.document);
    koine__buf_init(&text, LARGEST);
    if (c.answered)
        spots_in_answer(&spots, source, c.stream);
    else
        spots_in_document(&spots, source);
    for (size_t i = c.answered ? 0 : 1; i < spots.count; i++)
        for (size_t v = 0; v < sizeof(values) / sizeof(values[0]); v++) {
            spots_replace(&text, source, spots.items[i].at, spots.items[i].len, koine__str(values[v]));
            if (c.answered)
                c.body = text;
            else
                c.document = koine__buf_str(&text);
            see_play(seen, &c);
        }
    spots_release(&spots);
    koine__buf_release(&text);
}

static void see_cuts(struct seen *seen, const struct vendor_case *c)
{
    for (size_t at = 0; at < c->body.len; at += c->body.len / 100 + 1) {
        see_answer(seen, c, (struct vendor_play){.len = at, .clean = true});
        see_answer(seen, c, (struct vendor_play){.len = at});
        see_answer(seen, c,
                   (struct vendor_play){.piece = at, .pieces = 1, .len = c->body.len, .clean = true});
    }
}

static void see_failures(struct seen *seen, const struct vendor_case *c)
{
    for (long n = 1; n < 200; n++) {
        allocations = 0;
        fail_at = n;
        see_play(seen, c);
        fail_at = 0;
        if (allocations < n)
            break;
    }
}

static void see_others(struct seen *seen, const struct vendor_case *c)
{
    static const int statuses[] = {400, 401, 404, 429, 500, 503};
    struct vendor_case other = *c;
    other.model = "another/model";
    see_play(seen, &other);
    other.stream = !c->stream;
    see_play(seen, &other);
    for (size_t i = 0; c->answered && i < sizeof(statuses) / sizeof(statuses[0]); i++) {
        other.status = statuses[i];
        see_whole(seen, &other);
    }
    if (c->answered)
        see_answer(seen, c, (struct vendor_play){.len = c->body.len, .clean = true, .watch = &later_core});
    else
        see_request(seen, c, &later_core);
}

static void see_item(struct seen *seen, const struct cases_item *item)
{
    see_play(seen, &item->c);
    see_others(seen, &item->c);
    if (item->c.answered || item->c.document)
        see_values(seen, item);
    if (item->c.answered)
        see_cuts(seen, &item->c);
    see_failures(seen, &item->c);
    show(seen, item->name);
}

static void see_costs(struct seen *seen)
{
    static const int64_t counts[] = {-1, 0, 1, 1000};
    static const struct vendor_case c = {.model = "m"};
    for (size_t in = 0; in < 4; in++)
        for (size_t out = 0; out < 4; out++) {
            koine_provider_usage usage;
            struct koine__buf line;
            koine__provider_usage_init(&usage);
            usage.input = counts[in];
            usage.output = counts[out];
            koine__buf_init(&line, LARGEST);
            vendor_cost(seen->provider, &c, &usage, &watch, &line);
            see(seen, koine__buf_str(&line));
            see_number(seen, result_of_last);
            koine__buf_release(&line);
        }
    show(seen, "costs");
}

/* Every index once, in order, as the core does. */
static int see_plugin(const char *path, const struct cases *cases)
{
    char folder[PATH_MAX], name[PATH_MAX];
    koine__entry entry = NULL;
    koine_error *error = NULL;
    struct seen seen = {.hash = 0};
    snprintf(folder, sizeof(folder), "%s", path);
    snprintf(name, sizeof(name), "%s", path);
    if (koine__plugin_entry(dirname(folder), basename(name), &entry, &error) < 0) {
        puts("it cannot be loaded");
        return 1;
    }
    for (uint32_t index = 0; index < 3; index++) {
        seen.provider = entry(koine__process_host(), index);
        const char *part = NULL;
        if (!seen.provider || koine__provider_check(seen.provider, "", &part, NULL) < 0) {
            printf("provider %d: %s\n", (int)index, part ? part : "none");
            continue;
        }
        see_table(&seen);
        see_costs(&seen);
        for (size_t i = 0; i < cases->count; i++)
            see_item(&seen, &cases->items[i]);
    }
    return 0;
}

int main(int argc, char **argv)
{
    struct cases cases;
    struct findings findings = {NULL, 0};
    if (argc != 3 || !cases_read(&cases, argv[2], &findings))
        return 2;
    int status = see_plugin(argv[1], &cases);
    cases_release(&cases);
    findings_release(&findings);
    return status;
}
