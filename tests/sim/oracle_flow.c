/* oracle_flow: see oracle.h. The log, the limiter, waits and the retry budget. */
#include "tests/sim/oracle.h"

#include <stdlib.h>
#include <string.h>

void *oracle_grown(void *items, size_t count, size_t *capacity, size_t size)
{
    if (count < *capacity)
        return items;
    *capacity = *capacity ? *capacity * 2 : 16;
    items = realloc(items, *capacity * size);
    if (!items)
        abort();
    return items;
}

/* ---- The log ---- */

void oracle_log_init(struct oracle_log *log, int64_t limit, int64_t window)
{
    *log = (struct oracle_log){.limit = limit, .window = window};
}

void oracle_log_release(struct oracle_log *log)
{
    free(log->entries);
}

/* The window that begins with entry i. */
static int64_t sum_from(const struct oracle_log *log, size_t i)
{
    int64_t sum = 0;
    for (size_t j = i; j < log->count && log->entries[j].at - log->entries[i].at < log->window; j++)
        sum += log->entries[j].weight;
    return sum;
}

const char *oracle_log_add(struct oracle_log *log, int64_t at, int64_t weight)
{
    size_t i = log->count;
    log->entries = oracle_grown(log->entries, log->count, &log->capacity, sizeof(*log->entries));
    for (; i > 0 && log->entries[i - 1].at > at; i--)
        log->entries[i] = log->entries[i - 1];
    log->entries[i] = (struct oracle_entry){at, weight};
    log->count++;
    if (log->limit < 0)
        return NULL;
    for (;; i--) { /* every window that holds it */
        if (at - log->entries[i].at >= log->window)
            return NULL;
        if (sum_from(log, i) > log->limit)
            return "more than the limit in one window";
        if (i == 0)
            return NULL;
    }
}

/* ---- The limiter ---- */

void oracle_limiter_init(struct oracle_limiter *limiter, const struct koine__limiter_config *config)
{
    *limiter = (struct oracle_limiter){.config = *config, .free_since = KOINE__NEVER};
    oracle_log_init(&limiter->taken, config->tokens, config->window);
}

void oracle_limiter_release(struct oracle_limiter *limiter)
{
    free(limiter->places);
    oracle_log_release(&limiter->taken);
}

static struct oracle_place *place_of(struct oracle_limiter *limiter, const void *id)
{
    for (size_t i = limiter->count; i-- > 0;) {
        struct oracle_place *place = &limiter->places[i];
        if (place->id == id && (place->waits || place->in))
            return place;
    }
    return NULL;
}

static struct oracle_place *new_place(struct oracle_limiter *limiter, const void *id, unsigned owner,
                                      int64_t tokens)
{
    limiter->places =
        oracle_grown(limiter->places, limiter->count, &limiter->capacity, sizeof(*limiter->places));
    struct oracle_place *place = &limiter->places[limiter->count++];
    *place = (struct oracle_place){.id = id,
                                   .owner = owner,
                                   .sent = -1,
                                   .tokens = tokens,
                                   .reserved = tokens,
                                   .order = limiter->orders++};
    return place;
}

/* Drops what no window can count any more. */
static void tidy(struct oracle_limiter *limiter, int64_t now)
{
    size_t kept = 0;
    for (size_t i = 0; i < limiter->count; i++) {
        const struct oracle_place *place = &limiter->places[i];
        bool recent = place->counts && now - place->sent < limiter->config.window + limiter->config.slack;
        if (place->waits || place->in || recent)
            limiter->places[kept++] = *place;
    }
    limiter->count = kept;
}

bool oracle_limiter_waits(struct oracle_limiter *limiter, const void *id, unsigned owner, int64_t tokens)
{
    struct oracle_place *place = place_of(limiter, id);
    if (!place)
        place = new_place(limiter, id, owner, tokens);
    bool waited = place->waits;
    place->waits = true;
    return !waited;
}

void oracle_limiter_forgets(struct oracle_limiter *limiter, const void *id)
{
    struct oracle_place *place = place_of(limiter, id);
    if (place)
        place->waits = false;
}

struct used {
    int64_t requests, tokens;
};

/* What counts at `now`: sent within `window`, or let through and not sent yet. */
static struct used used_at(const struct oracle_limiter *limiter, int64_t now, int64_t window)
{
    struct used used = {0, 0};
    for (size_t i = 0; i < limiter->count; i++) {
        const struct oracle_place *place = &limiter->places[i];
        if (!place->counts || (place->sent >= 0 && now - place->sent >= window))
            continue;
        used.requests++;
        used.tokens += place->tokens;
    }
    return used;
}

static bool is_awake(const struct oracle_place *place, uint64_t awake)
{
    return awake >> place->owner & 1;
}

static void overtake(struct oracle_limiter *limiter, uint64_t order, uint64_t awake)
{
    for (size_t i = 0; i < limiter->count; i++) {
        struct oracle_place *place = &limiter->places[i];
        place->overtaken |= place->waits && place->order < order && is_awake(place, awake);
    }
}

/* Who sleeps is passed over, and has no right to complain. */
static bool is_passed_over(struct oracle_limiter *limiter, uint64_t awake)
{
    bool found = false;
    for (size_t i = 0; i < limiter->count; i++) {
        struct oracle_place *place = &limiter->places[i];
        place->overtaken &= place->waits && is_awake(place, awake);
        found |= place->overtaken;
    }
    return found;
}

const char *oracle_limiter_passes(struct oracle_limiter *limiter, const void *id, unsigned owner,
                                  int64_t tokens, int64_t now, uint64_t awake)
{
    const struct koine__limiter_config *config = &limiter->config;
    struct oracle_place *place = place_of(limiter, id);
    tidy(limiter, now);
    place = place_of(limiter, id);
    if (!place)
        place = new_place(limiter, id, owner, tokens);
    uint64_t order = place->order;
    place->waits = false;
    place->in = place->counts = true;
    limiter->held++;
    if (limiter->held > limiter->most_held)
        limiter->most_held = limiter->held;
    if (config->concurrent >= 0 && limiter->held > config->concurrent)
        return "more under way than may be at once";
    struct used used = used_at(limiter, now, config->window);
    if (config->requests >= 0 && used.requests > config->requests)
        return "more requests than a window may hold";
    overtake(limiter, order, awake);
    return NULL;
}

const char *oracle_limiter_sent(struct oracle_limiter *limiter, const void *id, int64_t now)
{
    struct oracle_place *place = place_of(limiter, id);
    if (!place || !place->in)
        return "sent without having been let through";
    if (place->sent < 0)
        place->sent = now;
    return NULL;
}

const char *oracle_limiter_left(struct oracle_limiter *limiter, const void *id, bool sent, int64_t tokens,
                                int64_t now)
{
    struct oracle_place *place = place_of(limiter, id);
    if (!place || !place->in)
        return "left without having been let through, or twice";
    place->in = false;
    place->counts = sent;
    if (place->sent < 0)
        place->sent = now;
    int64_t span = limiter->config.window + limiter->config.slack;
    if (tokens > place->reserved && now - place->sent >= span)
        limiter->unsure_until = now + span + span / 60;
    if (tokens >= 0)
        place->tokens = tokens;
    limiter->held--;
    int64_t weight = place->tokens < place->reserved ? place->tokens : place->reserved;
    return sent && oracle_log_add(&limiter->taken, place->sent, weight) ? "more tokens than a window may hold"
                                                                        : NULL;
}

static const struct oracle_place *first_awake(const struct oracle_limiter *limiter, uint64_t awake)
{
    const struct oracle_place *first = NULL;
    for (size_t i = 0; i < limiter->count; i++) {
        const struct oracle_place *place = &limiter->places[i];
        if (place->waits && is_awake(place, awake) && (!first || place->order < first->order))
            first = place;
    }
    return first;
}

static bool is_free(const struct oracle_limiter *limiter, int64_t now, int64_t tokens)
{
    const struct koine__limiter_config *config = &limiter->config;
    struct used used = used_at(limiter, now, config->window + config->slack);
    return now >= limiter->unsure_until && (config->concurrent < 0 || limiter->held < config->concurrent) &&
           (config->requests < 0 || used.requests < config->requests) &&
           (config->tokens < 0 || used.tokens + tokens <= config->tokens);
}

const char *oracle_limiter_quiet(struct oracle_limiter *limiter, int64_t now, int64_t paused_until,
                                 uint64_t awake, int64_t patience)
{
    const struct oracle_place *first = first_awake(limiter, awake);
    if (is_passed_over(limiter, awake))
        return "somebody who came before still waits";
    if (!first || paused_until > now || !is_free(limiter, now, first->tokens)) {
        limiter->free_since = KOINE__NEVER;
        return NULL;
    }
    if (limiter->free_since == KOINE__NEVER)
        limiter->free_since = now;
    return now - limiter->free_since < patience ? NULL : "somebody waits for what is free";
}

const char *oracle_limiter_over(const struct oracle_limiter *limiter)
{
    if (limiter->held != 0)
        return "a place was not given back";
    for (size_t i = 0; i < limiter->count; i++) {
        if (limiter->places[i].waits)
            return "somebody still waits in line";
    }
    return NULL;
}

/* ---- Waits ---- */

static double least_of(double a, double b)
{
    return a < b ? a : b;
}

static double most_of(double a, double b)
{
    return a > b ? a : b;
}

static double grow(double value, double factor, unsigned times)
{
    while (times-- > 0)
        value *= factor;
    return value;
}

struct bounds {
    double low, high;
};

static struct bounds bounds_of(const struct koine__retry_config *config, unsigned i)
{
    double base = (double)config->base_delay, most = (double)config->max_delay;
    double delay = least_of(grow(base, (double)config->multiplier / 1e6, i), most);
    switch (config->jitter) {
    case KOINE__JITTER_EQUAL:
        return (struct bounds){delay / 2, delay};
    case KOINE__JITTER_FULL:
        return (struct bounds){0, delay};
    case KOINE__JITTER_PROPORTIONAL:
        return (struct bounds){delay * 3 / 4, delay};
    case KOINE__JITTER_DECORRELATED:
        return (struct bounds){least_of(base, most), least_of(grow(base, 3, i + 1), most)};
    default:
        return (struct bounds){delay, delay};
    }
}

/* Events tell whole milliseconds, rounded down. */
const char *oracle_delay(const struct koine__retry_config *config, unsigned i, int64_t advice, int64_t wait)
{
    struct bounds bounds = bounds_of(config, i);
    if (advice > 0) {
        bounds.low = most_of(bounds.low, (double)advice);
        bounds.high = most_of(bounds.high, (double)advice) + least_of((double)advice / 10, 1e9);
    }
    return (double)wait >= bounds.low - (double)KOINE__MS && (double)wait <= bounds.high + 1
               ? NULL
               : "a wait outside its bounds";
}

const char *oracle_bucket_pays(struct oracle_bucket *bucket, int64_t least)
{
    bucket->paid += least;
    return bucket->capacity < 0 || bucket->paid <= bucket->capacity + bucket->back
               ? NULL
               : "more retries than the budget can have paid for";
}

void oracle_bucket_earns(struct oracle_bucket *bucket, int64_t most)
{
    bucket->back += most;
}
