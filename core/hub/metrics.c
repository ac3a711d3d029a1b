/* metrics: recording; see metrics.h. */
#include "core/hub/metrics.h"

#include "core/base/mem.h"
#include "core/engine/call.h"

#include <stddef.h>
#include <string.h>

#define OTHER "other"
#define US    INT64_C(1000)

/* The boundaries that the GenAI conventions recommend: of durations, of times to a first chunk, of tokens. */
const struct koine__bounds koine__bounds_duration = {
    9,
    14,
    {10 * KOINE__MS, 20 * KOINE__MS, 40 * KOINE__MS, 80 * KOINE__MS, 160 * KOINE__MS, 320 * KOINE__MS,
     640 * KOINE__MS, 1280 * KOINE__MS, 2560 * KOINE__MS, 5120 * KOINE__MS, 10240 * KOINE__MS,
     20480 * KOINE__MS, 40960 * KOINE__MS, 81920 * KOINE__MS}};
const struct koine__bounds koine__bounds_token_time = {
    9,
    13,
    {10 * KOINE__MS, 25 * KOINE__MS, 50 * KOINE__MS, 75 * KOINE__MS, 100 * KOINE__MS, 150 * KOINE__MS,
     200 * KOINE__MS, 300 * KOINE__MS, 400 * KOINE__MS, 500 * KOINE__MS, 750 * KOINE__MS, 1000 * KOINE__MS,
     2500 * KOINE__MS}};
const struct koine__bounds koine__bounds_tokens = {
    0, 14, {1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864}};
/* Ours. */
const struct koine__bounds koine__bounds_wait = {
    9,
    12,
    {1 * KOINE__MS, 10 * KOINE__MS, 50 * KOINE__MS, 100 * KOINE__MS, 250 * KOINE__MS, 500 * KOINE__MS,
     1 * KOINE__SEC, 2500 * KOINE__MS, 5 * KOINE__SEC, 10 * KOINE__SEC, 30 * KOINE__SEC, 60 * KOINE__SEC}};
const struct koine__bounds koine__bounds_work = {9,
                                                 13,
                                                 {10 * US, 25 * US, 50 * US, 100 * US, 250 * US, 500 * US,
                                                  1 * KOINE__MS, 2500 * US, 5 * KOINE__MS, 10 * KOINE__MS,
                                                  25 * KOINE__MS, 100 * KOINE__MS, 1 * KOINE__SEC}};

void koine__histogram_add(struct koine__histogram *histogram, const struct koine__bounds *bounds,
                          int64_t value)
{
    size_t at = 0;
    value = value > 0 ? value : 0;
    while (at < bounds->count && value > bounds->upto[at])
        at++;
    histogram->buckets[at]++;
    histogram->sum += (uint64_t)value;
    histogram->count++;
}

/* ---- series ---- */

#define KEY_TEXTS 5 /* that tell series apart; the base URL is its instance's */

static void key_texts(const struct koine__series_key *key, const char *ret[KEY_TEXTS + 1])
{
    ret[0] = key->asked;
    ret[1] = key->answered;
    ret[2] = key->instance;
    ret[3] = key->operation;
    ret[4] = key->provider;
    ret[5] = key->base_url;
}

/* Eight bytes at a time; for a table of our own, so a sender of chosen names gains at most a long chain of
 * KOINE__METRICS_MOST. */
static uint64_t mix(uint64_t hash, const char *text)
{
    size_t len = strlen(text);
    uint64_t word;
    for (; len >= sizeof(word); len -= sizeof(word), text += sizeof(word)) {
        memcpy(&word, text, sizeof(word));
        hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
        hash ^= hash >> 32;
    }
    word = len;
    memcpy((char *)&word + 1, text, len);
    hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ hash >> 29;
}

static uint64_t hash_of(const struct koine__series_key *key)
{
    uint64_t hash = mix(1, key->operation); /* the provider follows from the instance */
    hash = mix(hash, key->instance);
    hash = mix(hash, key->asked);
    return mix(hash, key->answered);
}

static bool is_same(const struct koine__series_key *a, const struct koine__series_key *b)
{
    const char *texts[2][KEY_TEXTS + 1];
    key_texts(a, texts[0]);
    key_texts(b, texts[1]);
    for (size_t i = 0; i < KEY_TEXTS; i++) {
        if (texts[0][i] != texts[1][i] && strcmp(texts[0][i], texts[1][i]) != 0)
            return false;
    }
    return true;
}

static const char *put_text(char **at, const char *text)
{
    char *put = *at;
    *at = stpcpy(put, text) + 1;
    return put;
}

static struct koine__series *new_series(const struct koine__series_key *key, uint64_t hash)
{
    const char *texts[KEY_TEXTS + 1];
    size_t size = 0;
    key_texts(key, texts);
    for (size_t i = 0; i <= KEY_TEXTS; i++)
        size += strlen(texts[i]) + 1;
    struct koine__series *series = koine__alloc(sizeof(*series) + size);
    if (!series)
        return NULL;
    char *at = (char *)(series + 1);
    series->hash = hash;
    series->key = (struct koine__series_key){
        .asked = put_text(&at, texts[0]),
        .answered = put_text(&at, texts[1]),
        .instance = put_text(&at, texts[2]),
        .operation = put_text(&at, texts[3]),
        .provider = put_text(&at, texts[4]),
        .base_url = put_text(&at, texts[5]),
    };
    return series;
}

static struct koine__series *find(const struct koine__metrics *metrics, const struct koine__series_key *key,
                                  uint64_t hash)
{
    struct koine__series *at = metrics->table[hash % KOINE__METRICS_TABLE];
    while (at && (at->hash != hash || !is_same(&at->key, key)))
        at = at->next;
    return at;
}

static struct koine__series *make(struct koine__metrics *metrics, const struct koine__series_key *key,
                                  uint64_t hash)
{
    struct koine__series *series = new_series(key, hash);
    if (!series)
        return NULL;
    struct koine__series **chain = &metrics->table[hash % KOINE__METRICS_TABLE];
    series->next = *chain;
    *chain = series;
    *metrics->last = series;
    metrics->last = &series->in_order;
    return series;
}

/* The mutex is held. NULL: no memory, and it is counted that something is missing. */
static struct koine__series *series_of(struct koine__metrics *metrics, const struct koine__series_key *key)
{
    if (metrics->recent && is_same(&metrics->recent->key, key))
        return metrics->recent;
    uint64_t hash = hash_of(key);
    struct koine__series *series = find(metrics, key, hash);
    if (series) {
        metrics->recent = series;
        return series;
    }
    struct koine__series_key other = *key;
    bool is_one_more = metrics->count < KOINE__METRICS_MOST;
    if (!is_one_more) {
        other.asked = OTHER;
        other.answered = "";
        hash = hash_of(&other);
        series = find(metrics, &other, hash);
    }
    if (!series)
        series = make(metrics, &other, hash);
    if (series && is_one_more)
        metrics->count++;
    if (!series)
        metrics->unrecorded++;
    return series;
}

static struct koine__series_key key_of(const struct koine_call *call, const struct koine__target *target,
                                       const struct koine_response *answer)
{
    const koine_provider *provider = target->instance->provider;
    return (struct koine__series_key){
        .operation = call->spec.operation == KOINE__OP_GENERATE ? "chat" : "list_models",
        .provider = provider ? provider->id : "",
        .instance = target->instance->name,
        .asked = target->model ? target->model : "",
        .answered = answer && answer->model ? answer->model : "",
        .base_url = target->instance->base_url ? target->instance->base_url : "",
    };
}

/* ---- what is told ---- */

static size_t class_index(int class_number)
{
    bool known = class_number >= 0 && class_number < KOINE__METRICS_CLASSES;
    return (size_t)(known ? class_number : KOINE_CLASS_SERVER);
}

static void add_tokens(struct koine__series *series, const struct koine__attempt *attempt)
{
    const koine_usage *usage = &attempt->usage;
    const int64_t counts[KOINE__TOKEN_KINDS] = {usage->input,        usage->cache_read, usage->cache_write,
                                                usage->output,       usage->reasoning,  usage->audio_input,
                                                usage->audio_output, usage->image_input};
    for (size_t i = 0; i < KOINE__TOKEN_KINDS; i++) {
        bool estimated = usage->estimated & (1u << i);
        if (counts[i] > 0)
            series->tokens[i][estimated ? KOINE__ESTIMATED : KOINE__TOLD] += (uint64_t)counts[i];
    }
    int64_t in = koine_usage_input_total(usage), out = koine_usage_output_total(usage);
    if (usage->estimated) /* the conventions want what was told, or nothing */
        return;
    if (in >= 0)
        koine__histogram_add(&series->input, &koine__bounds_tokens, in);
    if (out >= 0)
        koine__histogram_add(&series->output, &koine__bounds_tokens, out);
}

static void add_cost(struct koine__series *series, const struct koine__attempt *attempt)
{
    if (attempt->billing == KOINE__BILLING_UNKNOWN || attempt->cost.state == KOINE_UNPRICED)
        series->unpriced++;
    else if (attempt->cost.picodollars > 0)
        series->picodollars[attempt->cost.estimated ? KOINE__ESTIMATED : KOINE__TOLD] +=
            (uint64_t)attempt->cost.picodollars;
}

static void add_stream_times(struct koine__series *series, const struct koine__attempt *attempt)
{
    int64_t tokens = koine_usage_output_total(&attempt->usage);
    if (!attempt->spec.stream || attempt->first_token_at < 0)
        return;
    koine__histogram_add(&series->first_chunk, &koine__bounds_duration,
                         attempt->first_token_at - attempt->started);
    if (tokens > 1 && koine__attempt_answered(attempt))
        koine__histogram_add(&series->per_token, &koine__bounds_token_time,
                             (attempt->ended_at - attempt->first_token_at) / (tokens - 1));
}

static struct koine__metrics *metrics_of(const struct koine__observer *observer)
{
    return (struct koine__metrics *)((char *)(uintptr_t)observer - offsetof(struct koine__metrics, observer));
}

static void attempt_ended(const struct koine__observer *observer, const struct koine_call *call,
                          const struct koine__attempt *attempt)
{
    struct koine__metrics *metrics = metrics_of(observer);
    struct koine__series_key key = key_of(call, attempt->spec.target, attempt->assembly.answer);
    if (!attempt->requested)
        return;
    pthread_mutex_lock(&metrics->mutex);
    struct koine__series *series = series_of(metrics, &key);
    if (series) {
        series->attempts[class_index(attempt->fault->class_number)]++;
        koine__histogram_add(&series->wait, &koine__bounds_wait, attempt->started - attempt->born);
        add_stream_times(series, attempt);
        if (attempt->billing != KOINE__BILLING_NONE) {
            add_tokens(series, attempt);
            add_cost(series, attempt);
        }
    }
    pthread_mutex_unlock(&metrics->mutex);
}

static void went_on(const struct koine__observer *observer, const struct koine_call *call,
                    const struct koine__target *from, const struct koine__target *to, int class_number)
{
    struct koine__metrics *metrics = metrics_of(observer);
    struct koine__series_key key = key_of(call, from, NULL);
    pthread_mutex_lock(&metrics->mutex);
    struct koine__series *series = series_of(metrics, &key);
    if (series)
        (from == to ? series->retries : series->fallbacks)[class_index(class_number)]++;
    pthread_mutex_unlock(&metrics->mutex);
}

static void add_duration(struct koine__metrics *metrics, struct koine__series *series, size_t class_at,
                         int64_t ns)
{
    struct koine__histogram **at = &series->durations[class_at];
    if (!*at)
        *at = koine__alloc(sizeof(**at));
    if (*at)
        koine__histogram_add(*at, &koine__bounds_duration, ns);
    else
        metrics->unrecorded++;
}

static void call_ended(const struct koine__observer *observer, const struct koine_call *call,
                       const struct koine__target *target, int class_number, int64_t own)
{
    struct koine__metrics *metrics = metrics_of(observer);
    const struct koine_response *answer = call->answer ? call->answer : koine_error_partial(call->error);
    struct koine__series_key key = key_of(call, target, answer);
    int64_t ns = answer ? answer->ns : koine__loop_now(call->calls->engine->loop) - call->began;
    pthread_mutex_lock(&metrics->mutex);
    struct koine__series *series = series_of(metrics, &key);
    if (series) {
        add_duration(metrics, series, class_index(class_number), ns);
        koine__histogram_add(&series->work, &koine__bounds_work, own);
    }
    pthread_mutex_unlock(&metrics->mutex);
}

/* ---- notices ---- */

static struct koine__tally *tally_of(struct koine__metrics *metrics, const char *instance)
{
    struct koine__tally *at = metrics->tallies;
    while (at && strcmp(at->instance, instance) != 0)
        at = at->next;
    if (at)
        return at;
    at = koine__alloc(sizeof(*at) + strlen(instance) + 1);
    if (!at) {
        metrics->unrecorded++;
        return NULL;
    }
    memcpy(at->instance, instance, strlen(instance) + 1);
    at->next = metrics->tallies;
    metrics->tallies = at;
    return at;
}

void koine__metrics_noticed(struct koine__metrics *metrics, const char *instance, int kind)
{
    if (!metrics || kind < 0 || kind >= KOINE__NOTICE_KINDS)
        return;
    pthread_mutex_lock(&metrics->mutex);
    struct koine__tally *tally = tally_of(metrics, instance);
    if (tally)
        tally->kinds[kind]++;
    pthread_mutex_unlock(&metrics->mutex);
}

void koine__metrics_delivered(struct koine__metrics *metrics, bool delivered)
{
    if (!metrics)
        return;
    pthread_mutex_lock(&metrics->mutex);
    *(delivered ? &metrics->delivered : &metrics->undelivered) += 1;
    pthread_mutex_unlock(&metrics->mutex);
}

/* ---- birth and death ---- */

struct koine__metrics *koine__metrics_new(void)
{
    struct koine__metrics *metrics = koine__alloc(sizeof(*metrics));
    if (!metrics)
        return NULL;
    metrics->observer = (struct koine__observer){attempt_ended, went_on, call_ended};
    metrics->last = &metrics->first;
    if (pthread_mutex_init(&metrics->mutex, NULL) == 0)
        return metrics;
    koine__dealloc(metrics);
    return NULL;
}

static void free_series(struct koine__series *series)
{
    for (size_t i = 0; i < KOINE__METRICS_CLASSES; i++)
        koine__dealloc(series->durations[i]);
    koine__dealloc(series);
}

void koine__metrics_free(struct koine__metrics *metrics)
{
    if (!metrics)
        return;
    for (struct koine__series *at = metrics->first, *next; at; at = next) {
        next = at->in_order;
        free_series(at);
    }
    for (struct koine__tally *at = metrics->tallies, *next; at; at = next) {
        next = at->next;
        koine__dealloc(at);
    }
    pthread_mutex_destroy(&metrics->mutex);
    koine__dealloc(metrics);
}
