/* gemini_thinking: reasoning_effort as `thinkingConfig`: a budget of tokens or a level, as the model has it.
 *
 * Budgets are those of Google's own table for chat completions (low 1024, medium 8192, high 24576).
 */
#include "core/dialect/gemini_internal.h"

#include <inttypes.h>
#include <stdio.h>

#define LEAST_BUDGET 128 /* of models that always think */

static const struct effort {
    const char *word;
    int64_t budget;
    const char *level;
} efforts[] = {
    {"none", 0, "minimal"},  {"minimal", 1024, "minimal"}, {"low", 1024, "low"},   {"medium", 8192, "medium"},
    {"high", 24576, "high"}, {"xhigh", 24576, "high"},     {"max", 24576, "high"},
};

static const char name[] = "reasoning_effort";

static void write_config(struct koine__dialect_writing *w, const char *level, int64_t budget, bool thoughts)
{
    w->out->open(w->out, "thinkingConfig", '{');
    if (level)
        w->out->str(w->out, "thinkingLevel", koine__dialect_str(level));
    else
        w->out->num(w->out, "thinkingBudget", budget);
    if (thoughts)
        w->out->raw(w->out, "includeThoughts", koine__dialect_str("true"));
    w->out->close(w->out);
}

static void write_budget(struct koine__dialect_writing *w, const struct effort *effort, bool always)
{
    int64_t budget = always && effort->budget < LEAST_BUDGET ? LEAST_BUDGET : effort->budget;
    char why[64];
    write_config(w, NULL, budget, effort->budget > 0);
    snprintf(why, sizeof(why), "sent as thinkingBudget %" PRId64, budget);
    koine__dialect_notice(w, budget == effort->budget ? KOINE_NOTICE_MAPPED : KOINE_NOTICE_CLAMPED, name,
                          why);
}

static void write_level(struct koine__dialect_writing *w, const struct effort *effort, bool always)
{
    bool none = effort->budget == 0, least = strcmp(effort->level, "minimal") == 0;
    const char *level = always && least ? "low" : effort->level;
    bool clamped = none || level != effort->level;
    write_config(w, level, 0, !none);
    koine__dialect_notice_of(w, clamped ? KOINE_NOTICE_CLAMPED : KOINE_NOTICE_MAPPED, name,
                             koine__dialect_str("sent as thinkingLevel "), level);
}

void koine__gemini_thinking(struct koine__dialect_writing *w, const koine_node *node)
{
    const koine_gemini_traits *traits = &koine__gemini_of(w)->traits;
    const struct effort *effort = NULL;
    bool always = koine__gemini_is_among(w->ask, traits->always_models);
    for (size_t i = 0; i < sizeof(efforts) / sizeof(efforts[0]); i++)
        if (koine__dialect_is(w->host->str(node), efforts[i].word))
            effort = &efforts[i];
    if (!effort)
        koine__dialect_notice(w, KOINE_NOTICE_DROPPED, name, "an effort of no known name");
    else if (koine__gemini_is_among(w->ask, traits->plain_models))
        koine__dialect_notice(w, effort->budget == 0 ? KOINE_NOTICE_MAPPED : KOINE_NOTICE_DROPPED, name,
                              "this model does not think");
    else if (koine__gemini_is_among(w->ask, traits->budget_models))
        write_budget(w, effort, always);
    else
        write_level(w, effort, always);
}

bool koine__gemini_wants_signatures(const struct koine__dialect_writing *w)
{
    const koine_gemini_traits *traits = &koine__gemini_of(w)->traits;
    return !koine__gemini_is_among(w->ask, traits->plain_models) &&
           !koine__gemini_is_among(w->ask, traits->budget_models);
}
