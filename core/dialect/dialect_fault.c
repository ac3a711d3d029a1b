/* dialect_fault: what a vendor says went wrong, as one class of the table of faults.
 *
 * Asked in this order, the first that knows decides: the vendor's own rules, precise codes, the message,
 * coarse types, the status. Errors inside a stream or a 200 have no status but what their body tells.
 */
#include "core/dialect/dialect.h"

#define PLAIN_SIZE  300 /* of a page that is no JSON */
#define QUOTAS_SIZE 200
#define PER_MS      1000000000 /* picoseconds */

enum {
    WORD_CODE,
    WORD_TYPE,
    WORD_STATUS,
    WORD_INNER,
    WORD_QUOTA,
    WORDS
};

struct told {
    koine_str message;
    koine_str words[WORDS];
    int32_t status;
    int64_t retry_ms;
    bool markup;
    char plain[PLAIN_SIZE], quotas[QUOTAS_SIZE];
};

/* ---- Where the error stands ---- */

/* Flat errors, and those of a proxy that speaks JSON. */
static bool is_error_object(const koine_host *host, const koine_node *root)
{
    return koine__dialect_is(host->str(host->get(root, "object")), "error") ||
           koine__dialect_is(host->str(host->get(root, "type")), "error") ||
           host->truth(host->get(root, "cloudflare_error")) == 1 ||
           host->truth(host->get(root, "error")) == 1;
}

static bool says_something(const koine_host *host, const koine_node *error)
{
    int32_t kind = host->kind(error);
    return host->str(error).len > 0 || (kind >= KOINE_NODE_ARRAY && host->count(error) > 0);
}

static const koine_node *unwrap(const koine_host *host, const koine_node *root)
{
    bool wrapped = host->kind(root) == KOINE_NODE_ARRAY && host->count(root) == 1;
    return wrapped ? host->at(root, 0) : root;
}

const koine_node *koine__dialect_error(const koine_host *host, const koine_node *root)
{
    root = unwrap(host, root);
    if (host->kind(root) != KOINE_NODE_OBJECT)
        return NULL;
    const koine_node *places[] = {host->get(root, "error"), host->get(host->get(root, "x_groq"), "error"),
                                  host->get(host->at(host->get(root, "choices"), 0), "error")};
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
        if (says_something(host, places[i]))
            return places[i];
    return is_error_object(host, root) ? root : NULL;
}

/* ---- What it says ---- */

/* Words as they are, anything else as JSON. */
static koine_str words_of(const koine_host *host, const koine_node *node)
{
    int32_t kind = host->kind(node);
    if (kind == KOINE_NODE_STRING)
        return host->str(node);
    return kind == KOINE_NODE_NUMBER || kind >= KOINE_NODE_ARRAY ? host->dump(node) : (koine_str){NULL, 0};
}

static koine_str first_of(const koine_host *host, const koine_node *object, const char *const *names)
{
    koine_str text = {NULL, 0};
    for (; *names && text.len == 0; names++)
        text = words_of(host, host->get(object, *names));
    return text;
}

static int32_t status_of(const koine_host *host, const koine_node *error)
{
    static const char *const names[] = {"code", "status", "status_code"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        int64_t status = host->num(host->get(error, names[i]), 0);
        if (status >= 400 && status <= 599)
            return (int32_t)status;
    }
    return 0;
}

/* "17s", "0.5s"; -1: no duration. */
static int64_t duration_ms(koine_str text)
{
    if (text.len < 2 || text.ptr[text.len - 1] != 's')
        return -1;
    for (size_t i = 0; i + 1 < text.len; i++)
        if ((text.ptr[i] < '0' || text.ptr[i] > '9') && text.ptr[i] != '.')
            return -1;
    int64_t pico = koine__dialect_pico((koine_str){text.ptr, text.len - 1});
    return pico < 0 ? -1 : pico / PER_MS;
}

/* The quotas that were exceeded, one after the other: each may say more than the first. */
static void read_quotas(const koine_host *host, const koine_node *violations, struct told *ret)
{
    size_t used = ret->words[WORD_QUOTA].len;
    for (size_t i = 0; i < host->count(violations); i++) {
        koine_str id = host->str(host->get(host->at(violations, i), "quotaId"));
        if (id.len == 0 || used + id.len + 1 > QUOTAS_SIZE)
            continue;
        memcpy(ret->quotas + used, id.ptr, id.len);
        used += id.len;
        ret->quotas[used++] = ' ';
    }
    ret->words[WORD_QUOTA] = (koine_str){ret->quotas, used};
}

/* Google's details: a list of objects, each of which says another thing (google.rpc.ErrorInfo, RetryInfo,
 * QuotaFailure). */
static void read_details(const koine_host *host, const koine_node *details, struct told *ret)
{
    for (size_t i = 0; host->kind(details) == KOINE_NODE_ARRAY && i < host->count(details); i++) {
        const koine_node *detail = host->at(details, i);
        koine_str reason = host->str(host->get(detail, "reason"));
        int64_t delay = duration_ms(host->str(host->get(detail, "retryDelay")));
        if (reason.len > 0 && ret->words[WORD_INNER].len == 0)
            ret->words[WORD_INNER] = reason;
        if (delay >= 0)
            ret->retry_ms = delay;
        read_quotas(host, host->get(detail, "violations"), ret);
    }
}

static void read_object(const koine_host *host, const koine_node *error, const koine_node *root,
                        struct told *ret)
{
    static const char *const messages[] = {"message", "msg", "detail", "error", NULL};
    static const char *const inner[] = {"error_code", "code", NULL};
    int64_t seconds = host->num(host->get(error, "retry_after"), -1);
    ret->message = first_of(host, error, messages);
    if (ret->message.len == 0)
        ret->message = host->str(host->get(root, "message"));
    if (ret->message.len == 0)
        ret->message = host->dump(error);
    ret->words[WORD_CODE] = words_of(host, host->get(error, "code"));
    ret->words[WORD_TYPE] = host->str(host->get(error, "type"));
    ret->words[WORD_STATUS] = host->str(host->get(error, "status"));
    ret->words[WORD_INNER] = first_of(host, host->get(error, "details"), inner);
    if (ret->words[WORD_INNER].len == 0)
        ret->words[WORD_INNER] = first_of(host, host->get(error, "innererror"), inner);
    ret->status = status_of(host, error);
    ret->retry_ms = seconds >= 0 && seconds <= INT32_MAX ? seconds * 1000 : -1;
    read_details(host, host->get(error, "details"), ret);
}

/* A bare string is the message, or a type when a message stands beside it. */
static void read_string(const koine_host *host, const koine_node *error, const koine_node *root,
                        struct told *ret)
{
    ret->message = host->str(host->get(root, "message"));
    if (ret->message.len == 0)
        ret->message = host->str(error);
    else
        ret->words[WORD_TYPE] = host->str(error);
}

static void read_told(const koine_read *read, const koine_node *error, struct told *ret)
{
    const koine_host *host = read->host;
    const koine_node *root = unwrap(host, read->frame->json);
    if (!error && host->kind(root) == KOINE_NODE_OBJECT)
        error = root;
    if (host->kind(error) == KOINE_NODE_STRING)
        read_string(host, error, root, ret);
    else if (error)
        read_object(host, error, root, ret);
    else
        ret->message =
            (koine_str){ret->plain, koine__dialect_plain(read->frame->text, ret->plain, PLAIN_SIZE)};
    ret->markup = !error && koine__dialect_is_markup(read->frame->text);
}

/* ---- Which class it is ---- */

struct rule {
    const char *word;
    int32_t fault;
};

/* Codes and types that mean one thing whatever the status. */
static const struct rule precise[] = {
    {"insufficient_quota", KOINE_FAULT_BILLING},
    {"enforced_spend_limit_reached", KOINE_FAULT_BILLING},
    {"credit_balance_exhausted", KOINE_FAULT_BILLING},
    {"credit_limit", KOINE_FAULT_BILLING},
    {"budget_exceeded", KOINE_FAULT_BILLING},
    {"billing", KOINE_FAULT_BILLING},
    {"context_length", KOINE_FAULT_CONTEXT_LENGTH},
    {"context_window", KOINE_FAULT_CONTEXT_LENGTH},
    {"exceed_context_size", KOINE_FAULT_CONTEXT_LENGTH},
    {"request_too_large", KOINE_FAULT_CONTEXT_LENGTH},
    {"content_filter", KOINE_FAULT_CONTENT_POLICY},
    {"content_policy", KOINE_FAULT_CONTENT_POLICY},
    {"ResponsibleAIPolicyViolation", KOINE_FAULT_CONTENT_POLICY},
    {"model_not_found", KOINE_FAULT_MODEL_GONE},
    {"model_not_available", KOINE_FAULT_MODEL_GONE},
    {"model_decommissioned", KOINE_FAULT_MODEL_GONE},
    {NULL, 0},
};

/* Words of messages. */
static const struct rule spoken[] = {
    {"insufficient_quota", KOINE_FAULT_BILLING},
    {"enforced_spend_limit_reached", KOINE_FAULT_BILLING},
    {"credit_balance_exhausted", KOINE_FAULT_BILLING},
    {"budget has been exceeded", KOINE_FAULT_BILLING},
    {"credit balance is too low", KOINE_FAULT_BILLING},
    {"content_filter", KOINE_FAULT_CONTENT_POLICY},
    {"content_policy_violation", KOINE_FAULT_CONTENT_POLICY},
    {"model_not_found", KOINE_FAULT_MODEL_GONE},
    {"non-serverless model", KOINE_FAULT_MODEL_GONE},
    {NULL, 0},
};

/* The same, but a limit of tokens for each minute speaks like this too: not when the status says rate limit.
 */
static const struct rule spoken_length[] = {
    {"maximum context length", KOINE_FAULT_CONTEXT_LENGTH},
    {"context_length_exceeded", KOINE_FAULT_CONTEXT_LENGTH},
    {"context length", KOINE_FAULT_CONTEXT_LENGTH},
    {"context window", KOINE_FAULT_CONTEXT_LENGTH},
    {"too many tokens", KOINE_FAULT_CONTEXT_LENGTH},
    {"prompt is too long", KOINE_FAULT_CONTEXT_LENGTH},
    {"exceed context limit", KOINE_FAULT_CONTEXT_LENGTH},
    {"input tokens + max_tokens", KOINE_FAULT_CONTEXT_LENGTH},
    {"tokens + `max_new_tokens`", KOINE_FAULT_CONTEXT_LENGTH},
    {NULL, 0},
};

/* Types that say more than a status. */
static const struct rule coarse[] = {
    {"rate_limit", KOINE_FAULT_RATE_LIMIT},
    {"too_many_requests", KOINE_FAULT_RATE_LIMIT},
    {"resource_exhausted", KOINE_FAULT_RATE_LIMIT},
    {"overloaded", KOINE_FAULT_OVERLOADED},
    {"capacity_exceeded", KOINE_FAULT_OVERLOADED},
    {"unavailable", KOINE_FAULT_OVERLOADED},
    {"insufficient_system_resource", KOINE_FAULT_OVERLOADED},
    {"invalid_api_key", KOINE_FAULT_AUTH},
    {"authentication", KOINE_FAULT_AUTH},
    {"unauthenticated", KOINE_FAULT_AUTH},
    {"permission", KOINE_FAULT_AUTH},
    {NULL, 0},
};

/* Types that say less than a status: asked where there is none. */
static const struct rule vague[] = {
    {"not_found", KOINE_FAULT_MODEL_GONE},
    {"invalid", KOINE_FAULT_INVALID},
    {"bad_request", KOINE_FAULT_INVALID},
    {"", KOINE_FAULT_SERVER},
    {NULL, 0},
};

static const struct status_rule {
    int32_t status, fault;
} statuses[] = {
    {401, KOINE_FAULT_AUTH},       {402, KOINE_FAULT_BILLING},        {403, KOINE_FAULT_AUTH},
    {404, KOINE_FAULT_MODEL_GONE}, {408, KOINE_FAULT_SERVER},         {409, KOINE_FAULT_SERVER},
    {412, KOINE_FAULT_AUTH},       {413, KOINE_FAULT_CONTEXT_LENGTH}, {429, KOINE_FAULT_RATE_LIMIT},
    {498, KOINE_FAULT_OVERLOADED}, {503, KOINE_FAULT_OVERLOADED},     {529, KOINE_FAULT_OVERLOADED},
};

static int32_t by_text(const struct rule *rules, koine_str text)
{
    for (; rules->word; rules++)
        if (koine__dialect_has(text, rules->word))
            return rules->fault;
    return 0;
}

/* The rules' order decides, not the words'. */
static int32_t by_words(const struct rule *rules, const struct told *told)
{
    for (; rules->word; rules++)
        for (size_t i = 0; i < WORDS; i++)
            if (koine__dialect_has(told->words[i], rules->word))
                return rules->fault;
    return 0;
}

static int32_t by_message(const struct told *told, int32_t status)
{
    int32_t fault = by_text(spoken, told->message);
    if (!fault && status != 429)
        fault = by_text(spoken_length, told->message);
    if (!fault && koine__dialect_has(told->message, "model") &&
        koine__dialect_has(told->message, "does not exist"))
        fault = KOINE_FAULT_MODEL_GONE;
    return fault;
}

static int32_t by_status(int32_t status)
{
    for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++)
        if (statuses[i].status == status)
            return statuses[i].fault;
    return status >= 500 ? KOINE_FAULT_SERVER : KOINE_FAULT_INVALID;
}

/* A page of something in between says nothing of the vendor's own meanings: only what names its words holds
 * for it. */
static bool rule_holds(const koine_dialect_fault *rule, const struct told *told, int32_t status)
{
    if (rule->status != 0 && rule->status != status)
        return false;
    if (!rule->match)
        return !told->markup;
    for (size_t i = 0; i < WORDS; i++)
        if (koine__dialect_has(told->words[i], rule->match))
            return true;
    return koine__dialect_has(told->message, rule->match);
}

static int32_t by_vendor(const koine_dialect_fault *const *rules, const struct told *told, int32_t status)
{
    for (; rules && *rules; rules++)
        if (rule_holds(*rules, told, status))
            return (*rules)->fault;
    return 0;
}

/* 402 with advice to wait is a budget for requests under way, not an empty account. */
static bool is_passing(const koine_read *read, int32_t status)
{
    return status == 402 && read->frame->header(read->frame, "retry-after").len > 0;
}

static int32_t classify(const koine_read *read, const koine_dialect_fault *const *rules,
                        const struct told *told)
{
    int32_t status = read->frame->http_status >= 400 ? read->frame->http_status : told->status;
    int32_t fault = by_vendor(rules, told, status);
    if (!fault)
        fault = by_words(precise, told);
    if (!fault && is_passing(read, status))
        fault = KOINE_FAULT_RATE_LIMIT;
    if (!fault)
        fault = by_message(told, status);
    if (!fault)
        fault = by_words(coarse, told);
    if (!fault)
        fault = status >= 400 ? by_status(status) : by_words(vague, told);
    return fault;
}

void koine__dialect_tell(const koine_read *read, const koine_node *told,
                         const koine_dialect_fault *const *rules, koine_sink *sink)
{
    koine_provider_event event = koine__dialect_event(KOINE_EMIT_FAULT);
    struct told said = {.retry_ms = -1};
    read_told(read, told, &said);
    event.code = classify(read, rules, &said);
    event.text = said.message;
    event.name = said.words[said.words[WORD_CODE].len > 0 ? WORD_CODE : WORD_TYPE];
    event.retry_ms = said.retry_ms;
    sink->emit(sink, &event);
}
