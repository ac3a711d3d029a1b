/* dialect: see dialect.h. */
#include "tests/fuzz/dialect.h"

#include "core/plugin/host.h"
#include "core/wire/json.h"
#include "tests/vendor/play.h"

#include <stdlib.h>
#include <string.h>

#define LIMIT ((size_t)4 << 20)

static bool is_json(const struct koine__buf *text)
{
    return koine__json_check((koine_str){koine__buf_str(text), text->len}, KOINE__JSON_DEPTH, NULL) == 0;
}

/* ---- An answer ---- */

struct watch { /* a trace, and what is kept beside it */
    koine_sink sink;
    struct vendor_trace trace;
    struct koine__buf kept; /* the value that is being told */
    int32_t index;          /* of it; -1: none yet */
    bool foreign;           /* it holds pieces that a stranger joined, so nobody can say that it is JSON */
};

static void end_kept(struct watch *watch)
{
    koine__buf_addc(&watch->kept, ']');
    if (watch->index >= 0 && !watch->foreign && !is_json(&watch->kept))
        fuzz_fail("kept, and no JSON: %s", koine__buf_str(&watch->kept));
    koine__buf_reset(&watch->kept);
    watch->index = -1;
    watch->foreign = false;
}

static void watch_event(koine_sink *sink, const koine_provider_event *event)
{
    struct watch *watch = (struct watch *)sink;
    if (event->kind == KOINE_EMIT_KEEP) {
        if (event->index != watch->index) {
            end_kept(watch);
            koine__buf_addc(&watch->kept, '['); /* it becomes one of a list */
        }
        watch->index = event->index;
        watch->foreign |= koine__str_is(event->text, "\"input\":");
        koine__buf_add(&watch->kept, event->text.ptr, event->text.len);
    }
    if (event->kind == KOINE_EMIT_STOP)
        end_kept(watch);
    watch->trace.sink.emit(&watch->trace.sink, event);
}

static void trace_answer(const koine_provider *provider, const struct vendor_case *c,
                         const struct vendor_play *way, struct vendor_trace *ret)
{
    struct watch watch = {.sink = {.size = sizeof(koine_sink), .emit = watch_event}, .index = -1};
    vendor_trace_init(&watch.trace);
    koine__buf_init(&watch.kept, LIMIT);
    vendor_trace_result(&watch.trace, vendor_play_into(provider, c, way, &watch.sink));
    vendor_trace_flush(&watch.trace);
    koine__buf_release(&watch.kept);
    *ret = watch.trace;
    FUZZ_CHECK(ret->ends <= 1 && ret->late == 0);
}

static void compare_ways(const koine_provider *provider, const struct vendor_case *c,
                         const struct vendor_play *once, const struct vendor_play *pieces)
{
    struct vendor_trace whole, split;
    trace_answer(provider, c, once, &whole);
    trace_answer(provider, c, pieces, &split);
    if (strcmp(koine__buf_str(&whole.merged), koine__buf_str(&split.merged)) != 0)
        fuzz_fail("whole:\n%sin pieces:\n%s", koine__buf_str(&whole.merged), koine__buf_str(&split.merged));
    vendor_trace_release(&whole);
    vendor_trace_release(&split);
}

/* ---- A request ---- */

typedef void (*ask_function)(const koine_provider *provider, const struct vendor_case *c,
                             const struct vendor_watch *watch, struct koine__buf *ret_request,
                             struct koine__buf *ret_notices);

static void check_request(const koine_provider *provider, const struct vendor_case *c, ask_function ask)
{
    struct koine__buf request, notices;
    koine__buf_init(&request, LIMIT);
    koine__buf_init(&notices, LIMIT);
    ask(provider, c, NULL, &request, &notices);
    const char *text = koine__buf_str(&request), *body = strstr(text, "\n\n");
    if (koine__str_starts(koine__str(text), "broken") && !c->options) /* which may not be fit for headers */
        fuzz_fail("%s", text);
    if (koine__str_starts(koine__str(text), "POST "))
        FUZZ_CHECK(body && koine__json_check(koine__str(body), KOINE__JSON_DEPTH, NULL) == 0);
    koine__buf_release(&request);
    koine__buf_release(&notices);
}

/* ---- An input ---- */

static void play_answer(const koine_provider *provider, struct vendor_case *c, koine_str input)
{
    size_t first = fuzz_byte(&input, 0), step = fuzz_byte(&input, 0) & 63;
    bool clean = !(first & 128);
    koine__buf_init(&c->body, (size_t)1 << 20);
    koine__buf_add(&c->body, input.ptr, input.len);
    struct vendor_play once = {.len = c->body.len, .clean = clean};
    struct vendor_play pieces = {.piece = first, .pieces = step, .len = c->body.len, .clean = clean};
    compare_ways(provider, c, &once, &pieces);
    if (c->list_models)
        check_request(provider, c, vendor_ask_next);
    koine__buf_release(&c->body);
}

static void ask(const koine_provider *provider, struct vendor_case *c, koine_str input)
{
    char *document = fuzz_copy(input);
    c->document = document;
    char *options = strncmp(document, "options ", 8) == 0 ? document + 8 : NULL;
    char *end = options ? strchr(options, '\n') : NULL;
    if (end) {
        *end = '\0';
        c->options = options;
        c->document = end + 1;
    }
    check_request(provider, c, vendor_ask);
    free(document);
}

void fuzz_dialect(koine_str input, const fuzz_vendor *vendors)
{
    static const struct vendor_header types[] = {
        {{"content-type", 12}, {"application/json", 16}},
        {{"content-type", 12}, {"text/event-stream", 17}},
    };
    static const int statuses[] = {200, 200, 400, 429};
    unsigned how = fuzz_byte(&input, 0), count = 0;
    while (vendors[count])
        count++;
    const koine_provider *provider = vendors[((how & 1) + (how >> 5 & 6)) % count](koine__process_host(), 0);
    struct vendor_case c = {.model = "m",
                            .stream = how & 2,
                            .list_models = (how & 12) == 12 && !(how & 2),
                            .status = statuses[how >> 4 & 3],
                            .headers = {types[how >> 1 & 1]},
                            .header_count = 1};
    if ((how & 12) == 8)
        ask(provider, &c, input);
    else
        play_answer(provider, &c, input);
}
