/* ways: what each part of a case must give, and whether it does. */
#include "tests/vendor/ways.h"

#include "tests/vendor/engine.h"

#include <stdio.h>
#include <string.h>

#define LARGEST ((size_t)4 << 20)

struct proving { /* one case */
    const koine_provider *provider;
    const struct vendor_case *c;
    const struct vendor_watch *watch;
    void (*report)(void *arg, const struct vendor_verdict *verdict);
    void *arg;
    struct vendor_trace whole; /* what the whole answer gives */
};

const char *vendor_part_name(enum vendor_part part)
{
    static const char *const names[VENDOR_PARTS] = {
        [VENDOR_REQUEST] = "request",
        [VENDOR_NOTICES] = "notices",
        [VENDOR_EVENTS] = "events",
        [VENDOR_ENDS] = "one end and nothing after it",
        [VENDOR_SPLIT] = "cut in two at every byte",
        [VENDOR_BYTES] = "byte by byte",
        [VENDOR_EARLY] = "ended early at every byte",
        [VENDOR_CUT] = "cut off at every byte",
        [VENDOR_NEXT_REQUEST] = "next request",
        [VENDOR_COST] = "cost",
        [VENDOR_RESULT] = "result",
        [VENDOR_RESULT_BYTES] = "result, byte by byte",
        [VENDOR_RESULT_CUT] = "result, cut off at every byte",
    };
    return names[part];
}

const char *vendor_case_lacks(const struct vendor_case *c)
{
    if (c->answered != (c->events != NULL) || !(c->request || c->answered))
        return "an answer and its events come together, and a case has them or a request";
    if (c->result && (!c->answered || c->list_models))
        return "a result is that of an answer";
    return NULL;
}

static bool tell(const struct proving *p, struct vendor_verdict verdict)
{
    if (!verdict.function)
        verdict.function = vendor_read_function(p->c);
    if (!verdict.how)
        verdict.how = "";
    p->report(p->arg, &verdict);
    return verdict.ok;
}

static void tell_text(const struct proving *p, enum vendor_part part, const char *function,
                      const char *expected, const char *got)
{
    size_t len = strlen(expected);
    while (len > 0 && expected[len - 1] == '\n')
        len--;
    bool same = strncmp(expected, got, len) == 0 && (got[len] == '\0' || strcmp(got + len, "\n") == 0);
    tell(p, (struct vendor_verdict){
                .part = part, .ok = same, .function = function, .expected = expected, .got = got});
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

/* True where it is as it must be; what is not is told. */
static bool read_one_way(const struct proving *p, enum vendor_part part, struct vendor_play way)
{
    struct vendor_trace trace;
    char how[128];
    bool early = part == VENDOR_EARLY || part == VENDOR_CUT;
    way.watch = p->watch;
    vendor_trace_init(&trace);
    vendor_play_answer(p->provider, p->c, &way, &trace);
    const char *full = koine__buf_str(&p->whole.raw), *got = koine__buf_str(&trace.raw);
    bool ok =
        trace.late == 0 && trace.ends <= 1 && (early ? is_early_end(full, got) : strcmp(full, got) == 0);
    snprintf(how, sizeof(how), "first piece %zu, then %zu, ends at %zu of %zu%s", way.piece, way.pieces,
             way.len, p->c->body.len, way.clean ? "" : ", cut");
    if (!ok)
        tell(p, (struct vendor_verdict){.part = part, .expected = full, .got = got, .how = how});
    vendor_trace_release(&trace);
    return ok;
}

static void read_split(const struct proving *p)
{
    for (size_t at = 1; at < p->c->body.len; at += vendor_step)
        if (!read_one_way(p, VENDOR_SPLIT,
                          (struct vendor_play){.piece = at, .len = p->c->body.len, .clean = !p->c->lost}))
            return;
    tell(p, (struct vendor_verdict){.part = VENDOR_SPLIT, .ok = true});
}

static void read_bytes(const struct proving *p)
{
    struct vendor_play way = {.piece = 1, .pieces = 1, .len = p->c->body.len, .clean = !p->c->lost};
    if (read_one_way(p, VENDOR_BYTES, way))
        tell(p, (struct vendor_verdict){.part = VENDOR_BYTES, .ok = true});
}

static void read_cut(const struct proving *p, enum vendor_part part)
{
    for (size_t len = 0; len < p->c->body.len; len += vendor_step)
        if (!read_one_way(p, part, (struct vendor_play){.len = len, .clean = part == VENDOR_EARLY}))
            return;
    tell(p, (struct vendor_verdict){.part = part, .ok = true});
}

static void prove_cost(const struct proving *p)
{
    struct koine__buf cost;
    koine__buf_init(&cost, LARGEST);
    vendor_cost(p->provider, p->c, &p->whole.usage, p->watch, &cost);
    tell_text(p, VENDOR_COST, "calculate_cost", p->c->cost, koine__buf_str(&cost));
    koine__buf_release(&cost);
}

static void prove_answer(struct proving *p)
{
    struct vendor_play way = {.len = p->c->body.len, .clean = !p->c->lost, .watch = p->watch};
    vendor_trace_init(&p->whole);
    vendor_play_answer(p->provider, p->c, &way, &p->whole);
    tell_text(p, VENDOR_EVENTS, NULL, p->c->events, koine__buf_str(&p->whole.merged));
    tell(p, (struct vendor_verdict){.part = VENDOR_ENDS,
                                    .ok = p->whole.late == 0 && p->whole.ends <= 1,
                                    .expected = "at most one stop or fault, and nothing after it\n",
                                    .got = koine__buf_str(&p->whole.raw)});
    read_split(p);
    read_bytes(p);
    read_cut(p, VENDOR_EARLY);
    read_cut(p, VENDOR_CUT);
    if (p->c->cost)
        prove_cost(p);
    vendor_trace_release(&p->whole);
}

/* ---- What the engine makes of it ---- */

static bool has_line(const char *text, const char *line, size_t len)
{
    for (; *text; text += strcspn(text, "\n") + 1)
        if (strncmp(text, line, len) == 0)
            return true;
    return false;
}

/* Of an answer that was cut off: texts are the beginnings of those of the whole one, calls are whole ones of
 * it, and the only end is a fault, or the stop that had been seen. */
static bool is_early_result(const char *full, const char *cut)
{
    const char *line = cut;
    for (size_t len; *line; line += len + 1) {
        len = strcspn(line, "\n");
        bool is_end = line[len] == '\0' || line[len + 1] == '\0';
        bool is_piece = strncmp(line, "text ", 5) == 0 || strncmp(line, "reasoning ", 10) == 0;
        bool is_whole = strncmp(line, "call ", 5) == 0 || strncmp(line, "stop ", 5) == 0;
        if (is_end)
            return strncmp(line, "fault ", 6) == 0 || has_line(full, line, len);
        if (is_piece && !has_line(full, line, len - 1)) /* but for the closing quote */
            return false;
        if (is_whole && !has_line(full, line, len))
            return false;
    }
    return false;
}

static void prove_cut_result(const struct proving *p, const char *full)
{
    bool ok = true;
    for (size_t len = 0; ok && len < p->c->body.len; len += vendor_step) {
        struct koine__buf result;
        char how[64];
        koine__buf_init(&result, LARGEST);
        vendor_engine(p->provider, p->c, &(struct vendor_network){.len = len, .lost = true}, &result);
        ok = is_early_result(full, koine__buf_str(&result));
        snprintf(how, sizeof(how), "cut off at %zu of %zu", len, p->c->body.len);
        if (!ok)
            tell(p, (struct vendor_verdict){.part = VENDOR_RESULT_CUT,
                                            .expected = full,
                                            .got = koine__buf_str(&result),
                                            .how = how});
        koine__buf_release(&result);
    }
    if (ok)
        tell(p, (struct vendor_verdict){.part = VENDOR_RESULT_CUT, .ok = true});
}

static void prove_result(const struct proving *p)
{
    struct koine__buf whole, bytewise;
    struct vendor_network network = {.len = p->c->body.len, .lost = p->c->lost};
    koine__buf_init(&whole, LARGEST);
    koine__buf_init(&bytewise, LARGEST);
    vendor_engine(p->provider, p->c, &network, &whole);
    network.split = 1;
    vendor_engine(p->provider, p->c, &network, &bytewise);
    tell_text(p, VENDOR_RESULT, NULL, p->c->result, koine__buf_str(&whole));
    tell_text(p, VENDOR_RESULT_BYTES, NULL, p->c->result, koine__buf_str(&bytewise));
    prove_cut_result(p, koine__buf_str(&whole));
    koine__buf_release(&whole);
    koine__buf_release(&bytewise);
}

static void prove_request(struct proving *p)
{
    struct koine__buf request, notices;
    const char *function = vendor_request_function(p->c);
    koine__buf_init(&request, LARGEST);
    koine__buf_init(&notices, LARGEST);
    vendor_ask(p->provider, p->c, p->watch, &request, &notices);
    tell_text(p, VENDOR_REQUEST, function, p->c->request, koine__buf_str(&request));
    tell_text(p, VENDOR_NOTICES, function, p->c->notices ? p->c->notices : "", koine__buf_str(&notices));
    koine__buf_release(&request);
    koine__buf_release(&notices);
}

static void prove_next_request(struct proving *p)
{
    struct koine__buf request, notices;
    koine__buf_init(&request, LARGEST);
    koine__buf_init(&notices, LARGEST);
    vendor_ask_next(p->provider, p->c, p->watch, &request, &notices);
    tell_text(p, VENDOR_NEXT_REQUEST, vendor_request_function(p->c), p->c->next_request,
              koine__buf_str(&request));
    koine__buf_release(&request);
    koine__buf_release(&notices);
}

void vendor_prove(const koine_provider *provider, const struct vendor_case *c,
                  const struct vendor_watch *watch,
                  void (*report)(void *arg, const struct vendor_verdict *verdict), void *arg)
{
    struct proving p = {.provider = provider, .c = c, .watch = watch, .report = report, .arg = arg};
    if (c->request)
        prove_request(&p);
    if (c->answered)
        prove_answer(&p);
    if (c->result)
        prove_result(&p);
    if (c->next_request)
        prove_next_request(&p);
}
