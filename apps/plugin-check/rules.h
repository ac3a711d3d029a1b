/* rules: everything that a plugin is held to, in one table, from which findings, --help, TAP and
 * docs/plugin-check.md take their words. */
#ifndef KOINE_APPS_PLUGIN_CHECK_RULES_H
#define KOINE_APPS_PLUGIN_CHECK_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum stage { /* in this order; each but the first in a process of its own */
    STAGE_FILE,
    STAGE_LOAD,
    STAGE_CASES,
    STAGE_HOSTILE,
    STAGE_UNKNOWN,
    STAGE_ALLOC,
    STAGE_INTERLEAVE,
    STAGE_THREADS,
    STAGE_COST,
    STAGE_BUDGET,
    STAGE_ALL, /* what is watched in every stage that calls the plugin */
    STAGES
};

enum rule {
    RULE_FILE,
    RULE_SYMBOLS_ENTRY,
    RULE_SYMBOLS_EXPORTED,
    RULE_SYMBOLS_IO,
    RULE_SYMBOLS_NETWORK,
    RULE_SYMBOLS_THREADS,
    RULE_SYMBOLS_CLOCK,
    RULE_SYMBOLS_ENVIRONMENT,
    RULE_SYMBOLS_RANDOM,
    RULE_SYMBOLS_PROCESS,
    RULE_SYMBOLS_LOAD,
    RULE_SYMBOLS_LOCALE,
    RULE_SYMBOLS_LIBRARIES,
    RULE_LOAD,
    RULE_ENTRY_END,
    RULE_ENTRY_IDS,
    RULE_TABLE_SIZE,
    RULE_TABLE_ID,
    RULE_TABLE_VERSION,
    RULE_TABLE_BASE_URL,
    RULE_TABLE_KEY_VARIABLE,
    RULE_TABLE_OPTIONS,
    RULE_TABLE_GENERATE,
    RULE_TABLE_LIST_MODELS,
    RULE_TABLE_CALCULATE_COST,
    RULE_TABLE_EXTENSION,
    RULE_CASE_FILE,
    RULE_CASE_REQUEST,
    RULE_CASE_NOTICES,
    RULE_CASE_EVENTS,
    RULE_CASE_SPLIT,
    RULE_CASE_EARLY,
    RULE_CASE_CUT,
    RULE_CASE_NEXT,
    RULE_CASE_COST,
    RULE_CASE_RESULT,
    RULE_HOSTILE_MALFORMED,
    RULE_HOSTILE_NOTHING,
    RULE_UNKNOWN_MEMBER,
    RULE_UNKNOWN_KOINE,
    RULE_UNKNOWN_ANSWER,
    RULE_UNKNOWN_NUMBER,
    RULE_UNKNOWN_SIZE,
    RULE_ALLOC_FAIL,
    RULE_INTERLEAVE,
    RULE_INTERLEAVE_WITHIN,
    RULE_THREADS,
    RULE_COST_STATE,
    RULE_COST_UNKNOWN,
    RULE_COST_SIZE,
    RULE_COST_PURE,
    RULE_TIME_BUDGET,
    RULE_MEMORY_BUDGET,
    RULE_MEMORY_KEPT,
    RULE_CRASH,
    RULE_TIME_LOOP,
    RULE_RESULT,
    RULE_RESULT_MEMORY,
    RULE_REQUEST_BROKEN,
    RULE_REQUEST_WORDS,
    RULE_EVENT_SIZE,
    RULE_EVENT_KIND,
    RULE_EVENT_TEXT,
    RULE_EVENT_UTF8,
    RULE_EVENT_CODE,
    RULE_EVENT_USAGE,
    RULE_EVENT_MODEL,
    RULE_EVENT_JSON,
    RULE_EVENT_PLACE,
    RULE_INVARIANT_ONE_STOP,
    RULE_INVARIANT_MORE,
    RULE_INVARIANT_STATE,
    RULE_INVARIANT_TABLE,
    RULES
};

struct rule_row {
    const char *id;
    enum stage stage;
    const char *right; /* what is right: one sentence without its full stop */
    bool needs_cases;
};

const struct rule_row *rule_row(enum rule rule);
/* RULES: there is none of that name. */
enum rule rule_find(const char *id);
/* "cases": how a stage is called; and what is done in it, for the page. */
const char *stage_name(enum stage stage);
/* The page docs/plugin-check.md. */
void rules_page(FILE *to);

#endif
