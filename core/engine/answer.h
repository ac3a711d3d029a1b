/* answer: what a call has been answered so far: the body behind koine_response. */
#ifndef KOINE_CORE_ENGINE_ANSWER_H
#define KOINE_CORE_ENGINE_ANSWER_H

#include "core/base/buf.h"
#include "core/money/ledger.h"

#include <stdbool.h>

struct koine__tool {
    char *id, *name;
    int32_t index; /* as the provider numbers it; -1: it does not */
    struct koine__buf arguments;
    bool complete; /* the arguments are one whole JSON value */
    /* How far the arguments have been scanned for their end. */
    unsigned depth;
    bool in_string, escaped;
};
struct koine__extra {
    char *name;
    struct koine__buf json; /* a list */
    bool kept;              /* for the vendor: goes into the message's `koine`, and its list stays open */
    int32_t index;          /* of what is kept: the value under way */
};
struct koine__parameter {
    char *name, *reason;
    const char *action; /* static */
};
struct koine__listed { /* one model of list_models */
    char *id, *name, *owner;
    int64_t created, context, max_output;
};
struct koine_response {
    struct koine__buf text, reasoning, refusal, message;
    struct koine__tool *tools;
    size_t tool_count, tool_capacity;
    struct koine__extra *extras;
    size_t extra_count, extra_capacity;
    struct koine__parameter *parameters;
    size_t parameter_count, parameter_capacity;
    struct koine__listed *models;
    size_t model_count, model_capacity;
    int finish;
    char finish_raw[48];
    char *model, *id, *target; /* NULL: not told */
    size_t names;              /* bytes of these and of the names and ids of tools and extras */
    koine_usage usage;
    koine_cost cost;
    struct koine__ledger ledger;
    int64_t ns, first_token_ns; /* since the call's start; -1: none */
};
struct koine_response *koine__answer_new(size_t limit); /* NULL: no memory; `limit`: ceiling of each text */
int koine__answer_parameter(struct koine_response *answer, const char *name, const char *action,
                            const char *reason);
/* Writes `message`, the assistant message to append. KOINE_EMEMORY. */
int koine__answer_message(struct koine_response *answer);
/* Bytes that it takes, lists aside. */
size_t koine__answer_weight(const struct koine_response *answer);
size_t koine__answer_arguments(const struct koine_response *answer); /* bytes of them, of all tool calls */
/* Moves the models listed in `from` behind (or before) those of `to`. KOINE_EMEMORY: both stay as they are.
 */
int koine__answer_append_models(struct koine_response *to, struct koine_response *from);
int koine__answer_prepend_models(struct koine_response *to, struct koine_response *from);

#endif
