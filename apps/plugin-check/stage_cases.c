/* stage_cases: the cases of the folder, as tests/vendor/run plays those of ours. */
#include "apps/plugin-check/stages.h"

#include <string.h>

#define LARGEST ((size_t)32 << 20)

static const enum rule rules[VENDOR_PARTS] = {
    [VENDOR_REQUEST] = RULE_CASE_REQUEST,   [VENDOR_NOTICES] = RULE_CASE_NOTICES,
    [VENDOR_EVENTS] = RULE_CASE_EVENTS,     [VENDOR_ENDS] = RULE_INVARIANT_ONE_STOP,
    [VENDOR_SPLIT] = RULE_CASE_SPLIT,       [VENDOR_BYTES] = RULE_CASE_SPLIT,
    [VENDOR_EARLY] = RULE_CASE_EARLY,       [VENDOR_CUT] = RULE_CASE_CUT,
    [VENDOR_NEXT_REQUEST] = RULE_CASE_NEXT, [VENDOR_COST] = RULE_CASE_COST,
};

struct telling { /* a case's verdicts */
    struct inspection *in;
    const char *name;
};

/* What came of an answer that ended early is told by its last line. */
static const char *last_line(const char *text)
{
    const char *line = text;
    for (; *text; text++)
        if (text[0] == '\n' && text[1])
            line = text + 1;
    return *line ? line : "(nothing: it was read as if nothing were missing)";
}

static bool is_early(enum vendor_part part)
{
    return part == VENDOR_EARLY || part == VENDOR_CUT || part == VENDOR_RESULT_CUT;
}

static void report(void *arg, const struct vendor_verdict *verdict)
{
    struct telling *telling = arg;
    if (verdict->ok)
        return;
    inspection_at(telling->in, "%s%s%s", telling->name, *verdict->how ? ": " : "", verdict->how);
    if (is_early(verdict->part))
        inspection_found(telling->in, rules[verdict->part], verdict->function, last_line(verdict->got), NULL);
    else
        inspection_differs(telling->in, rules[verdict->part], verdict->function, verdict->expected,
                           verdict->got);
    inspection_at(telling->in, "%s", telling->name);
}

void stage_play(struct watching *watching, struct koine__buf *ret)
{
    if (watching->c->answered)
        watching_read_whole(watching, ret);
    else
        watching_ask(watching, ret);
}

void stage_alone(struct inspection *in, const struct vendor_case *c, struct koine__buf *ret)
{
    struct watching watching;
    koine__buf_init(ret, LARGEST);
    watching_init(&watching, in, c);
    stage_play(&watching, ret);
}

const char *stage_function(const struct vendor_case *c)
{
    return c->answered ? vendor_read_function(c) : vendor_request_function(c);
}

static void prove(struct inspection *in, const struct cases_item *item)
{
    struct watching watching;
    struct koine__buf trace;
    struct telling telling = {in, item->name};
    inspection_at(in, "%s", item->name);
    stage_alone(in, &item->c, &trace);
    koine__buf_release(&trace);
    watching_init(&watching, in, &item->c);
    vendor_prove(in->provider, &item->c, &watching.watch, report, &telling);
}

void stage_cases(struct inspection *in)
{
    for (size_t i = 0; i < in->cases.theirs; i++)
        prove(in, &in->cases.items[i]);
}
