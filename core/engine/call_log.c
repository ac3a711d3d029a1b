/* call_log: what the log hears of a call: a line for each attempt and one at its end, and, where the
 * configuration says so, the texts. docs/log.md lists the events. */
#include "core/engine/call_internal.h"

#define USD_DECIMALS 12

static struct koine__log *log_of(const struct koine_call *call)
{
    return call->calls->engine->log;
}

/* What is unpriced has no figure. */
static struct koine__field log_usd(const char *name, const koine_cost *cost)
{
    struct koine__field field = koine__log_decimal(name, cost->picodollars, USD_DECIMALS);
    if (cost->state == KOINE_UNPRICED)
        field.kind = KOINE__FIELD_NONE;
    return field;
}

/* ---- an attempt ---- */

static const char *billing_of_attempt(enum koine__billing billing)
{
    switch (billing) {
    case KOINE__BILLING_TOLD:
        return "billed";
    case KOINE__BILLING_ESTIMATED:
        return "estimated";
    case KOINE__BILLING_UNKNOWN:
        return "unknown";
    case KOINE__BILLING_FREE:
        return "free";
    default:
        return "none";
    }
}

static int64_t first_token_of(const struct koine__attempt *attempt)
{
    return attempt->first_token_at < 0 ? -1 : attempt->first_token_at - attempt->started;
}

void koine__call_log_attempt(const struct koine_call *call, const struct koine__attempt *attempt)
{
    const struct koine__fault *fault = attempt->fault;
    const koine_usage *usage = &attempt->usage;
    KOINE__LOG(
        log_of(call), KOINE__LOG_INFO, "attempt", koine__log_text("call", call->id),
        koine__log_int("attempt", call->recorded), koine__log_text("target", attempt->spec.target->text),
        koine__log_text("model", attempt->assembly.answer ? attempt->assembly.answer->model : NULL),
        koine__log_count("status", attempt->head.status > 0 ? attempt->head.status : -1),
        koine__log_text("class", fault->class_number ? koine_class_name(fault->class_number) : "ok"),
        koine__log_text("stage", fault->stage), koine__log_ms("ms", attempt->ended_at - attempt->started),
        koine__log_ms("first_token_ms", first_token_of(attempt)),
        koine__log_ms("queue_ms", attempt->started - attempt->born),
        koine__log_text("request_id", attempt->request_id), koine__log_count("input_tokens", usage->input),
        koine__log_count("cache_read_tokens", usage->cache_read),
        koine__log_count("cache_write_tokens", usage->cache_write),
        koine__log_count("output_tokens", usage->output),
        koine__log_count("reasoning_tokens", usage->reasoning), log_usd("usd", &attempt->cost),
        koine__log_text("billing", billing_of_attempt(attempt->billing)));
}

/* ---- texts ---- */

static void log_text_of_prompt(const struct koine_call *call, const koine_node *message,
                               const koine_node *text)
{
    KOINE__LOG(log_of(call), KOINE__LOG_INFO, "content", koine__log_text("call", call->id),
               koine__log_text("what", "prompt"),
               koine__log_str("role", koine__node_str(koine__node_get(message, "role"))),
               koine__log_content("text", koine__node_str(text)));
}

/* A message's content is a text or a list of parts, of which some are texts. */
static void log_message(const struct koine_call *call, const koine_node *message)
{
    const koine_node *content = koine__node_get(message, "content");
    if (koine__node_kind(content) == KOINE_NODE_STRING)
        log_text_of_prompt(call, message, content);
    for (size_t i = 0; koine__node_kind(content) == KOINE_NODE_ARRAY && i < koine__node_count(content); i++) {
        const koine_node *text = koine__node_get(koine__node_at(content, i), "text");
        if (koine__node_kind(text) == KOINE_NODE_STRING)
            log_text_of_prompt(call, message, text);
    }
}

void koine__call_log_prompt(const struct koine_call *call)
{
    if (!koine__log_wants_content(log_of(call)) || !call->document)
        return;
    const koine_node *messages = koine__node_get(call->document->root, "messages");
    for (size_t i = 0; i < koine__node_count(messages); i++)
        log_message(call, koine__node_at(messages, i));
}

static void log_text_of_answer(const struct koine_call *call, const char *what, const char *name,
                               const struct koine__buf *text)
{
    if (text->len > 0)
        KOINE__LOG(log_of(call), KOINE__LOG_INFO, "content", koine__log_text("call", call->id),
                   koine__log_text("what", what), koine__log_text("name", name),
                   koine__log_content("text", (koine_str){koine__buf_str(text), text->len}));
}

static void log_answer(const struct koine_call *call, const struct koine_response *answer)
{
    if (!koine__log_wants_content(log_of(call)))
        return;
    log_text_of_answer(call, "reasoning", NULL, &answer->reasoning);
    log_text_of_answer(call, "answer", NULL, &answer->text);
    log_text_of_answer(call, "refusal", NULL, &answer->refusal);
    for (size_t i = 0; i < answer->tool_count; i++)
        log_text_of_answer(call, "tool", answer->tools[i].name, &answer->tools[i].arguments);
}

/* ---- the end ---- */

static const char *billing_of_call(const koine_cost *cost)
{
    if (cost->state == KOINE_UNPRICED)
        return "unknown";
    if (cost->state == KOINE_FREE_OF_CHARGE)
        return "free";
    if (cost->estimated)
        return "estimated";
    return cost->picodollars > 0 ? "billed" : "none";
}

static void log_end(const struct koine_call *call, const char *class_name,
                    const struct koine_response *answer)
{
    const koine_usage *usage = &answer->usage;
    /* A fault that is told need not be that of the target that was asked last. */
    const char *target = call->error ? koine_error_target(call->error) : answer->target;
    KOINE__LOG(log_of(call), KOINE__LOG_INFO, "call", koine__log_text("call", call->id),
               koine__log_text("run", call->run), koine__log_text("route", call->route.name),
               koine__log_text("target", target), koine__log_text("class", class_name),
               koine__log_int("attempts", (int64_t)answer->ledger.count),
               koine__log_int("retries", call->retries), koine__log_int("fallbacks", call->fallbacks),
               koine__log_ms("ms", answer->ns), koine__log_ms("first_token_ms", answer->first_token_ns),
               koine__log_count("input_tokens", usage->input),
               koine__log_count("cache_read_tokens", usage->cache_read),
               koine__log_count("cache_write_tokens", usage->cache_write),
               koine__log_count("output_tokens", usage->output),
               koine__log_count("reasoning_tokens", usage->reasoning), log_usd("usd", &answer->cost),
               koine__log_text("billing", billing_of_call(&answer->cost)));
}

/* Without memory there is no answer to tell of. */
void koine__call_log_end(const struct koine_call *call, const char *class_name)
{
    const struct koine_response *answer = call->answer ? call->answer : koine_error_partial(call->error);
    if (answer) {
        log_answer(call, answer);
        log_end(call, class_name, answer);
    } else {
        KOINE__LOG(log_of(call), KOINE__LOG_INFO, "call", koine__log_text("call", call->id),
                   koine__log_text("run", call->run), koine__log_text("route", call->route.name),
                   koine__log_text("class", class_name));
    }
}
