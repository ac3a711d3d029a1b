/* messages_limits: how much may be written (the API wants to be told), how long is thought, and what shape
 * the answer takes: `max_tokens`, `thinking`, `output_config`.
 */
#include "core/dialect/messages_internal.h"

#include <inttypes.h>
#include <stdio.h>

#define LEAST_BUDGET 1024 /* of thinking; the API takes no less, and it must stay below max_tokens */

/* reasoning_effort as tokens, and as a word of the API's own. */
static const struct effort {
    const char *word;
    int64_t budget;
    const char *effort;
} efforts[] = {
    {"minimal", 1024, "low"}, {"low", 1024, "low"},      {"medium", 4096, "medium"},
    {"high", 16384, "high"},  {"xhigh", 32768, "xhigh"}, {"max", 65536, "max"},
};

static void notice_count(struct koine__dialect_writing *w, int32_t what, const char *member,
                         const char *start, int64_t count)
{
    char why[96];
    snprintf(why, sizeof(why), "%s%" PRId64, start, count);
    koine__dialect_notice(w, what, member, why);
}

/* ---- How much ---- */

static const koine_node *told_limit(const struct koine__dialect_writing *w)
{
    const koine_node *limit = koine__dialect_given(w, "max_tokens");
    return limit ? limit : koine__dialect_given(w, "max_completion_tokens");
}

static int64_t usual_limit(const struct koine__dialect_writing *w)
{
    koine_str text = {NULL, 0};
    int64_t value = 0;
    if (koine__messages_of(w)->traits.max_tokens_option)
        text = w->host->option(w->host, w->ask->self, koine__messages_of(w)->traits.max_tokens_option);
    for (size_t i = 0; i < text.len && text.ptr[i] >= '0' && text.ptr[i] <= '9' && value < INT32_MAX; i++)
        value = value * 10 + (text.ptr[i] - '0');
    return value > 0 ? value : koine__messages_of(w)->traits.max_tokens;
}

static void write_limit(struct koine__dialect_writing *w)
{
    const koine_node *limit = koine__dialect_given(w, "max_tokens"),
                     *other = koine__dialect_given(w, "max_completion_tokens");
    if (limit || other)
        w->out->node(w->out, "max_tokens", limit ? limit : other);
    if (limit && other)
        koine__dialect_notice(w, KOINE_NOTICE_DROPPED, "max_completion_tokens", "max_tokens says it already");
    else if (other)
        koine__dialect_notice(w, KOINE_NOTICE_MAPPED, "max_completion_tokens", "sent as max_tokens");
    if (limit || other)
        return;
    int64_t count = usual_limit(w) + koine__messages_of(w)->budget; /* what is thought counts against it */
    w->out->num(w->out, "max_tokens", count);
    notice_count(w, KOINE_NOTICE_MAPPED, "max_tokens", "none is told, and the API wants one: ", count);
}

/* ---- How long ---- */

static bool thinks_on_budget(const struct koine__dialect_writing *w)
{
    const char *const *prefix = koine__messages_of(w)->traits.budget_models;
    if (!prefix)
        return true;
    for (; *prefix; prefix++) {
        size_t len = strlen(*prefix);
        if (w->ask->model.len >= len && memcmp(w->ask->model.ptr, *prefix, len) == 0)
            return true;
    }
    return false;
}

static bool is_call_forced(const struct koine__dialect_writing *w)
{
    const koine_node *choice = koine__dialect_given(w, "tool_choice");
    koine_str type =
        w->host->str(w->host->kind(choice) == KOINE_NODE_OBJECT ? w->host->get(choice, "type") : choice);
    return choice && !koine__dialect_is(type, "auto") && !koine__dialect_is(type, "none");
}

/* The budget in the limit that is told: at most half of it, where the table's does not fit. */
static int64_t fitting(const struct koine__dialect_writing *w, int64_t budget)
{
    int64_t limit = w->host->num(told_limit(w), INT64_MAX);
    if (limit <= LEAST_BUDGET)
        return 0;
    if (budget < limit)
        return budget;
    return limit / 2 > LEAST_BUDGET ? limit / 2 : LEAST_BUDGET;
}

static void plan_budget(struct koine__dialect_writing *w, const struct effort *effort)
{
    static const char name[] = "reasoning_effort";
    if (is_call_forced(w)) {
        koine__dialect_notice(w, KOINE_NOTICE_DROPPED, name, "a forced call goes without thinking");
        return;
    }
    koine__messages_of(w)->budget = fitting(w, effort->budget);
    if (koine__messages_of(w)->budget == 0) {
        koine__dialect_notice(w, KOINE_NOTICE_DROPPED, name, "max_tokens leaves no room to think");
        return;
    }
    koine__messages_of(w)->think = KOINE__THINK_BUDGET;
    notice_count(w, KOINE_NOTICE_MAPPED, name, "sent as thinking.budget_tokens ",
                 koine__messages_of(w)->budget);
}

static void plan_thinking(struct koine__dialect_writing *w)
{
    static const char name[] = "reasoning_effort";
    const koine_node *node = koine__dialect_given(w, name);
    const struct effort *effort = NULL;
    for (size_t i = 0; i < sizeof(efforts) / sizeof(efforts[0]); i++)
        if (koine__dialect_is(w->host->str(node), efforts[i].word))
            effort = &efforts[i];
    if (!node)
        return;
    if (koine__dialect_given(w, "thinking"))
        koine__dialect_notice(w, KOINE_NOTICE_DROPPED, name, "thinking says it already");
    else if (koine__dialect_is(w->host->str(node), "none"))
        koine__dialect_notice(w, KOINE_NOTICE_MAPPED, name, "no thinking is asked for");
    else if (!effort)
        koine__dialect_notice(w, KOINE_NOTICE_DROPPED, name, "an effort of no known name");
    else if (thinks_on_budget(w))
        plan_budget(w, effort);
    else {
        koine__messages_of(w)->think = KOINE__THINK_EFFORT;
        koine__messages_of(w)->effort = effort->effort;
        koine__dialect_notice(w, KOINE_NOTICE_MAPPED, name,
                              "sent as adaptive thinking and output_config.effort");
    }
}

static void write_thinking(struct koine__dialect_writing *w)
{
    if (koine__messages_of(w)->think == KOINE__THINK_NO)
        return;
    w->out->open(w->out, "thinking", '{');
    w->out->str(
        w->out, "type",
        koine__dialect_str(koine__messages_of(w)->think == KOINE__THINK_BUDGET ? "enabled" : "adaptive"));
    if (koine__messages_of(w)->think == KOINE__THINK_BUDGET)
        w->out->num(w->out, "budget_tokens", koine__messages_of(w)->budget);
    w->out->close(w->out);
}

/* ---- What shape ---- */

/* The schema that response_format asks for; NULL: none. */
static const koine_node *schema_of(struct koine__dialect_writing *w)
{
    static const char name[] = "response_format";
    const koine_node *format = koine__dialect_given(w, name);
    koine_str type = w->host->str(w->host->get(format, "type"));
    if (!format || koine__dialect_is(type, "text"))
        return NULL;
    const koine_node *schema = koine__dialect_schema(w->host, format);
    if (!koine__dialect_is(type, "json_schema") || !schema) {
        koine__dialect_notice(w, KOINE_NOTICE_DROPPED, name, "the Messages API writes JSON by a schema only");
        return NULL;
    }
    if (w->host->get(koine__dialect_member(w, "output_config"), "format")) {
        koine__dialect_notice(w, KOINE_NOTICE_DROPPED, name, "output_config says it already");
        return NULL;
    }
    koine__dialect_notice(w, KOINE_NOTICE_MAPPED, name, "sent as output_config.format");
    return schema;
}

static void write_format(struct koine__dialect_writing *w, const koine_node *schema)
{
    w->out->open(w->out, "format", '{');
    w->out->str(w->out, "type", koine__dialect_str("json_schema"));
    w->out->node(w->out, "schema", schema);
    w->out->close(w->out);
}

/* What the document says itself of it comes first, and is not overruled. */
static void write_output(struct koine__dialect_writing *w)
{
    static const char *const nothing[] = {NULL};
    const koine_node *own = koine__dialect_given(w, "output_config"), *schema = schema_of(w);
    bool effort = koine__messages_of(w)->think == KOINE__THINK_EFFORT && !w->host->get(own, "effort");
    if (!schema && !effort) {
        w->out->node(w->out, "output_config", own);
        return;
    }
    w->out->open(w->out, "output_config", '{');
    koine__dialect_others(w, own, nothing);
    if (effort)
        w->out->str(w->out, "effort", koine__dialect_str(koine__messages_of(w)->effort));
    if (schema)
        write_format(w, schema);
    w->out->close(w->out);
}

void koine__messages_limits(struct koine__dialect_writing *w)
{
    plan_thinking(w);
    write_limit(w);
    write_thinking(w);
    write_output(w);
}
