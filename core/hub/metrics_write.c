/* metrics_write: the metrics as Prometheus text (exposition format 0.0.4). Each series is copied under the
 * lock and written without it, so nobody waits for the writing. Nothing passes through floating point. */
#include "core/hub/metrics.h"

#include "core/base/buf.h"
#include "core/base/mem.h"
#include "core/base/str.h"
#include "core/hub/hub.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define MOST_BYTES ((size_t)256 << 20)
#define NUMBER     48 /* holds any number as text */

struct writer {
    struct koine__buf *buf;
    struct koine__metrics *metrics;
    const struct koine__snapshot *snapshot;
    int64_t now;
    const char *name; /* of the family under way */
    bool has_labels;  /* of the sample under way */
};
struct family {
    const char *name, *type, *help;
    void (*series)(struct writer *writer, const struct koine__series *series); /* or: */
    void (*all)(struct writer *writer);
};

/* ---- samples ---- */

static void add_escaped(struct koine__buf *buf, const char *text, size_t len)
{
    for (size_t at = 0, step; at < len; at += step) {
        step = koine__utf8_length(text + at, len - at);
        if (step == 1 && (text[at] == '"' || text[at] == '\\'))
            koine__buf_addc(buf, '\\');
        if (text[at] == '\n')
            koine__buf_adds(buf, "\\n");
        else if (step == 0 || (step == 1 && (unsigned char)text[at] < ' '))
            koine__buf_addc(buf, '?');
        else
            koine__buf_add(buf, text + at, step);
        step = step ? step : 1;
    }
}

static void begin(struct writer *writer, const char *suffix)
{
    koine__buf_adds(writer->buf, writer->name);
    koine__buf_adds(writer->buf, suffix);
    writer->has_labels = false;
}

static void label_n(struct writer *writer, const char *name, const char *value, size_t len)
{
    if (len == 0)
        return;
    koine__buf_addc(writer->buf, writer->has_labels ? ',' : '{');
    writer->has_labels = true;
    koine__buf_adds(writer->buf, name);
    koine__buf_adds(writer->buf, "=\"");
    add_escaped(writer->buf, value, len);
    koine__buf_addc(writer->buf, '"');
}

static void label(struct writer *writer, const char *name, const char *value)
{
    label_n(writer, name, value, strlen(value));
}

/* value / 10^digits, without zeros at the end. */
static void write_scaled(char ret[NUMBER], uint64_t value, unsigned digits)
{
    uint64_t unit = 1;
    for (unsigned i = 0; i < digits; i++)
        unit *= 10;
    uint64_t rest = value % unit;
    while (digits > 0 && rest % 10 == 0) {
        rest /= 10;
        digits--;
    }
    if (digits == 0)
        snprintf(ret, NUMBER, "%llu", (unsigned long long)(value / unit));
    else
        snprintf(ret, NUMBER, "%llu.%0*llu", (unsigned long long)(value / unit), (int)digits,
                 (unsigned long long)rest);
}

static void end(struct writer *writer, uint64_t value, unsigned digits)
{
    char number[NUMBER];
    write_scaled(number, value, digits);
    koine__buf_adds(writer->buf, writer->has_labels ? "} " : " ");
    koine__buf_adds(writer->buf, number);
    koine__buf_addc(writer->buf, '\n');
}

/* ---- the labels of a series ---- */

/* Names that the GenAI conventions have for providers whose plugins are called otherwise. */
static const char *provider_name(const char *id)
{
    static const char *const names[][2] = {{"azure", "azure.ai.openai"},  {"bedrock", "aws.bedrock"},
                                           {"gemini", "gcp.gemini"},      {"mistral", "mistral_ai"},
                                           {"moonshot", "moonshot_ai"},   {"vertex", "gcp.vertex_ai"},
                                           {"watsonx", "ibm.watsonx.ai"}, {"xai", "x_ai"}};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(id, names[i][0]) == 0)
            return names[i][1];
    }
    return id;
}

/* Host and port of a base URL, which the settings table has checked. */
static void server_of(const char *url, koine_str *ret_host, koine_str *ret_port)
{
    const char *host = strstr(url, "://");
    *ret_host = *ret_port = (koine_str){"", 0};
    if (!host)
        return;
    host += 3;
    bool is_bracketed = *host == '[';
    size_t len = is_bracketed ? strcspn(++host, "]") : strcspn(host, ":/");
    const char *after = host + len + (is_bracketed && host[len] == ']');
    *ret_host = (koine_str){host, len};
    if (*after == ':')
        *ret_port = (koine_str){after + 1, strcspn(after + 1, "/")};
    else
        *ret_port = strncmp(url, "http:", 5) == 0 ? KOINE__STR("80") : KOINE__STR("443");
}

static void begin_series(struct writer *writer, const char *suffix, const struct koine__series *series)
{
    const struct koine__series_key *key = &series->key;
    koine_str host, port;
    server_of(key->base_url, &host, &port);
    begin(writer, suffix);
    label(writer, "gen_ai_operation_name", key->operation);
    label(writer, "gen_ai_provider_name", provider_name(key->provider));
    label(writer, "koine_instance", key->instance);
    label(writer, "gen_ai_request_model", key->asked);
    label(writer, "gen_ai_response_model", key->answered);
    label_n(writer, "server_address", host.ptr, host.len);
    label_n(writer, "server_port", port.ptr, port.len);
}

static void count(struct writer *writer, const struct koine__series *series, const char *name,
                  const char *value, uint64_t number)
{
    if (number == 0)
        return;
    begin_series(writer, "", series);
    label(writer, name, value);
    end(writer, number, 0);
}

/* "" for none: a label without a value is no label. */
static const char *error_type(size_t class_at)
{
    return class_at == KOINE_CLASS_NONE ? "" : koine_class_name((int)class_at);
}

static void histogram(struct writer *writer, const struct koine__series *series,
                      const struct koine__histogram *histogram, const struct koine__bounds *bounds,
                      const char *name, const char *value)
{
    uint64_t below = 0;
    char le[NUMBER];
    if (histogram->count == 0)
        return;
    for (size_t i = 0; i <= bounds->count; i++) {
        below += histogram->buckets[i];
        begin_series(writer, "_bucket", series);
        label(writer, name, value);
        if (i < bounds->count)
            write_scaled(le, (uint64_t)bounds->upto[i], bounds->digits);
        label(writer, "le", i < bounds->count ? le : "+Inf");
        end(writer, below, 0);
    }
    begin_series(writer, "_sum", series);
    label(writer, name, value);
    end(writer, histogram->sum, bounds->digits);
    begin_series(writer, "_count", series);
    label(writer, name, value);
    end(writer, histogram->count, 0);
}

/* ---- the families of series ---- */

static void durations(struct writer *writer, const struct koine__series *series)
{
    for (size_t i = 0; i < KOINE__METRICS_CLASSES; i++) {
        struct koine__histogram copy = {.count = 0};
        pthread_mutex_lock(&writer->metrics->mutex);
        if (series->durations[i])
            copy = *series->durations[i];
        pthread_mutex_unlock(&writer->metrics->mutex);
        histogram(writer, series, &copy, &koine__bounds_duration, "error_type", error_type(i));
    }
}

static void first_chunk(struct writer *writer, const struct koine__series *series)
{
    histogram(writer, series, &series->first_chunk, &koine__bounds_duration, "", "");
}

static void per_token(struct writer *writer, const struct koine__series *series)
{
    histogram(writer, series, &series->per_token, &koine__bounds_token_time, "", "");
}

static void token_usage(struct writer *writer, const struct koine__series *series)
{
    histogram(writer, series, &series->input, &koine__bounds_tokens, "gen_ai_token_type", "input");
    histogram(writer, series, &series->output, &koine__bounds_tokens, "gen_ai_token_type", "output");
}

static void attempts(struct writer *writer, const struct koine__series *series)
{
    for (size_t i = 0; i < KOINE__METRICS_CLASSES; i++)
        count(writer, series, "error_type", error_type(i), series->attempts[i]);
}

static void retries(struct writer *writer, const struct koine__series *series)
{
    for (size_t i = 0; i < KOINE__METRICS_CLASSES; i++)
        count(writer, series, "error_type", error_type(i), series->retries[i]);
}

static void fallbacks(struct writer *writer, const struct koine__series *series)
{
    for (size_t i = 0; i < KOINE__METRICS_CLASSES; i++)
        count(writer, series, "error_type", error_type(i), series->fallbacks[i]);
}

static void waits(struct writer *writer, const struct koine__series *series)
{
    histogram(writer, series, &series->wait, &koine__bounds_wait, "", "");
}

static void overhead(struct writer *writer, const struct koine__series *series)
{
    histogram(writer, series, &series->work, &koine__bounds_work, "", "");
}

static const char *const told_names[KOINE__TOLD_EITHER] = {"false", "true"};

static void tokens(struct writer *writer, const struct koine__series *series)
{
    static const char *const names[KOINE__TOKEN_KINDS] = {"input",        "cache_read", "cache_write",
                                                          "output",       "reasoning",  "audio_input",
                                                          "audio_output", "image_input"};
    for (size_t i = 0; i < KOINE__TOKEN_KINDS; i++) {
        for (size_t told = 0; told < KOINE__TOLD_EITHER; told++) {
            if (series->tokens[i][told] == 0)
                continue;
            begin_series(writer, "", series);
            label(writer, "koine_token_type", names[i]);
            label(writer, "koine_estimated", told_names[told]);
            end(writer, series->tokens[i][told], 0);
        }
    }
}

static void cost(struct writer *writer, const struct koine__series *series)
{
    for (size_t told = 0; told < KOINE__TOLD_EITHER; told++) {
        if (series->picodollars[told] == 0)
            continue;
        begin_series(writer, "", series);
        label(writer, "koine_estimated", told_names[told]);
        end(writer, series->picodollars[told], 12);
    }
}

static void unpriced(struct writer *writer, const struct koine__series *series)
{
    count(writer, series, "", "", series->unpriced);
}

/* ---- families of instances ---- */

/* Calls `each` for every instance that something was noticed of. */
static void each_tally(struct writer *writer,
                       void (*each)(struct writer *writer, const struct koine__tally *tally,
                                    const uint64_t kinds[KOINE__NOTICE_KINDS]))
{
    uint64_t kinds[KOINE__NOTICE_KINDS];
    pthread_mutex_lock(&writer->metrics->mutex);
    for (const struct koine__tally *at = writer->metrics->tallies; at; at = at->next) {
        memcpy(kinds, at->kinds, sizeof(kinds));
        pthread_mutex_unlock(&writer->metrics->mutex);
        each(writer, at, kinds);
        pthread_mutex_lock(&writer->metrics->mutex);
    }
    pthread_mutex_unlock(&writer->metrics->mutex);
}

static void notices_of(struct writer *writer, const struct koine__tally *tally,
                       const uint64_t kinds[KOINE__NOTICE_KINDS])
{
    for (int i = 0; i < KOINE__NOTICE_KINDS; i++) {
        if (kinds[i] == 0)
            continue;
        begin(writer, "");
        label(writer, "koine_instance", tally->instance);
        label(writer, "koine_kind", koine__notice_kind_name(i));
        end(writer, kinds[i], 0);
    }
}

static void notices(struct writer *writer)
{
    each_tally(writer, notices_of);
}

static void transitions_of(struct writer *writer, const struct koine__tally *tally,
                           const uint64_t kinds[KOINE__NOTICE_KINDS])
{
    static const struct {
        int kind;
        const char *state;
    } states[] = {{KOINE_NOTICE_BREAKER_OPENED, "open"},
                  {KOINE_NOTICE_BREAKER_HALF_OPENED, "half_open"},
                  {KOINE_NOTICE_BREAKER_CLOSED, "closed"}};
    for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
        if (kinds[states[i].kind] == 0)
            continue;
        begin(writer, "");
        label(writer, "koine_instance", tally->instance);
        label(writer, "koine_state", states[i].state);
        end(writer, kinds[states[i].kind], 0);
    }
}

static void transitions(struct writer *writer)
{
    each_tally(writer, transitions_of);
}

static void webhook(struct writer *writer)
{
    pthread_mutex_lock(&writer->metrics->mutex);
    uint64_t delivered = writer->metrics->delivered, undelivered = writer->metrics->undelivered;
    pthread_mutex_unlock(&writer->metrics->mutex);
    begin(writer, "");
    label(writer, "koine_outcome", "delivered");
    end(writer, delivered, 0);
    begin(writer, "");
    label(writer, "koine_outcome", "undeliverable");
    end(writer, undelivered, 0);
}

static void unrecorded(struct writer *writer)
{
    pthread_mutex_lock(&writer->metrics->mutex);
    uint64_t number = writer->metrics->unrecorded;
    pthread_mutex_unlock(&writer->metrics->mutex);
    begin(writer, "");
    end(writer, number, 0);
}

/* ---- what holds now ---- */

static void begin_instance(struct writer *writer, const struct koine__instance *instance)
{
    begin(writer, "");
    label(writer, "koine_instance", instance->name);
}

static void breaker_states(struct writer *writer)
{
    for (size_t i = 0; writer->snapshot && i < writer->snapshot->instance_count; i++) {
        const struct koine__instance *instance = &writer->snapshot->instances[i];
        const struct koine__policies *policies = &instance->policies;
        int64_t until;
        if (!instance->provider || !policies->breaker || policies->breaking.failures < 0)
            continue;
        enum koine__breaker_state state =
            koine__breaker_look(policies->breaker, &policies->breaking, writer->now, &until);
        for (int at = KOINE__BREAKER_CLOSED; at <= (int)KOINE__BREAKER_HALF_OPEN; at++) {
            begin_instance(writer, instance);
            label(writer, "koine_state", koine__breaker_state_name((enum koine__breaker_state)at));
            end(writer, (int)state == at, 0);
        }
    }
}

/* `offset`: of the int64_t that is wanted of the limiter's view. */
static void look_at_limiters(struct writer *writer, size_t offset)
{
    for (size_t i = 0; writer->snapshot && i < writer->snapshot->instance_count; i++) {
        const struct koine__instance *instance = &writer->snapshot->instances[i];
        struct koine__limiter_view view;
        int64_t value;
        if (!instance->provider || !instance->policies.limiter)
            continue;
        koine__limiter_look(instance->policies.limiter, writer->now, 0, &view);
        memcpy(&value, (const char *)&view + offset, sizeof(value));
        begin_instance(writer, instance);
        end(writer, (uint64_t)(value > 0 ? value : 0), 0);
    }
}

static void queue_depths(struct writer *writer)
{
    look_at_limiters(writer, offsetof(struct koine__limiter_view, waiting));
}

static void under_way(struct writer *writer)
{
    look_at_limiters(writer, offsetof(struct koine__limiter_view, under_way));
}

/* ---- the whole ---- */

static const struct family families[] = {
    {"gen_ai_client_operation_duration_seconds", "histogram",
     "Duration of calls, with their waits and retries.", durations, NULL},
    {"gen_ai_client_operation_time_to_first_chunk_seconds", "histogram",
     "From the request of a streamed attempt to its first content.", first_chunk, NULL},
    {"gen_ai_server_time_per_output_token_seconds", "histogram",
     "Time per output token after the first one of streamed answers, as seen from here.", per_token, NULL},
    {"gen_ai_client_token_usage", "histogram", "Tokens of an attempt, as the provider told.", token_usage,
     NULL},
    {"koine_attempts_total", "counter", "HTTP requests to providers.", attempts, NULL},
    {"koine_retries_total", "counter", "How often the same target was to be asked again.", retries, NULL},
    {"koine_fallbacks_total", "counter", "How often a call moved on from this target.", fallbacks, NULL},
    {"koine_queue_wait_seconds", "histogram", "What an attempt waited before it was requested.", waits, NULL},
    {"koine_call_overhead_seconds", "histogram", "What the library itself ran for a call.", overhead, NULL},
    {"koine_tokens_total", "counter", "Tokens in disjoint buckets.", tokens, NULL},
    {"koine_cost_usd_total", "counter", "What attempts cost in US dollars.", cost, NULL},
    {"koine_unpriced_attempts_total", "counter", "Attempts whose cost nobody knows.", unpriced, NULL},
    {"koine_notices_total", "counter", "Notices by kind.", NULL, notices},
    {"koine_breaker_transitions_total", "counter", "Changes of a breaker, by its new state.", NULL,
     transitions},
    {"koine_breaker_state", "gauge", "1 for the state that the breaker is in.", NULL, breaker_states},
    {"koine_queue_depth", "gauge", "Attempts that wait for the limits.", NULL, queue_depths},
    {"koine_attempts_under_way", "gauge", "Attempts that the limits have let through.", NULL, under_way},
    {"koine_webhook_notices_total", "counter", "Notices that went to the webhook, or could not.", NULL,
     webhook},
    {"koine_metrics_unrecorded_total", "counter", "What was not counted for want of memory.", NULL,
     unrecorded},
};

static void write_series(struct writer *writer, const struct family *family)
{
    struct koine__series copy;
    pthread_mutex_lock(&writer->metrics->mutex);
    const struct koine__series *at = writer->metrics->first;
    while (at) {
        copy = *at;
        pthread_mutex_unlock(&writer->metrics->mutex);
        family->series(writer, &copy);
        pthread_mutex_lock(&writer->metrics->mutex);
        at = at->in_order;
    }
    pthread_mutex_unlock(&writer->metrics->mutex);
}

static void write_family(struct writer *writer, const struct family *family)
{
    koine__buf_addf(writer->buf, "# HELP %s %s\n# TYPE %s %s\n", family->name, family->help, family->name,
                    family->type);
    writer->name = family->name;
    if (family->series)
        write_series(writer, family);
    else
        family->all(writer);
}

int koine__metrics_text(struct koine__metrics *metrics, const struct koine__snapshot *snapshot, int64_t now,
                        char **ret)
{
    struct koine__buf buf;
    koine__buf_init(&buf, MOST_BYTES);
    struct writer writer = {.buf = &buf, .metrics = metrics, .snapshot = snapshot, .now = now};
    for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++)
        write_family(&writer, &families[i]);
    char *text = koine__buf_take(&buf);
    if (!text)
        return KOINE_EMEMORY;
    *ret = text;
    return KOINE_OK;
}

int koine_metrics_write(koine_hub *hub, char **ret)
{
    struct koine__snapshot *snapshot;
    int rc = koine__hub_usable(hub);
    if (rc != KOINE_OK || !ret)
        return rc != KOINE_OK ? rc : KOINE_EARGUMENT;
    rc = koine__hub_snapshot(hub, &snapshot, NULL);
    if (rc != KOINE_OK)
        return rc;
    rc = koine__metrics_text(hub->metrics, snapshot, koine__now(hub->notices.clock), ret);
    koine__snapshot_unref(snapshot);
    return rc;
}
