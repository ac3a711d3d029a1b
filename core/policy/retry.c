/* retry: see retry.h. */
#include "core/policy/retry.h"

#include <string.h>

#define MICRO INT64_C(1000000)

/* value × multiplier ÷ 10^6, exact but for the last digit, saturating at max. */
static int64_t scale(int64_t value, int64_t multiplier, int64_t max)
{
    int64_t whole, part, sum;
    if (__builtin_mul_overflow(value / MICRO, multiplier, &whole) ||
        __builtin_mul_overflow(value % MICRO, multiplier, &part) ||
        __builtin_add_overflow(whole, part / MICRO, &sum))
        return max;
    return sum < max ? sum : max;
}

/* Uniform in [0, most]. */
static int64_t up_to(struct koine__random *random, int64_t most)
{
    return koine__random_below(random, most < INT64_MAX ? most + 1 : most);
}

int64_t koine__retry_delay(const struct koine__retry_config *config, unsigned i)
{
    int64_t delay = config->base_delay < config->max_delay ? config->base_delay : config->max_delay;
    while (i-- > 0 && delay > 0 && delay < config->max_delay && config->multiplier > MICRO)
        delay = scale(delay, config->multiplier, config->max_delay);
    return delay;
}

static int64_t decorrelated(const struct koine__retry_config *config, int64_t previous,
                            struct koine__random *random)
{
    int64_t base = config->base_delay;
    int64_t top = scale(previous > base ? previous : base, 3 * MICRO, config->max_delay);
    if (top <= base)
        return top;
    return base + up_to(random, top - base);
}

static int64_t with_jitter(const struct koine__retry_config *config, const struct koine__retry_state *state,
                           struct koine__random *random)
{
    int64_t delay = koine__retry_delay(config, state->retries);
    switch (config->jitter) {
    case KOINE__JITTER_EQUAL:
        return delay / 2 + up_to(random, delay - delay / 2);
    case KOINE__JITTER_FULL:
        return up_to(random, delay);
    case KOINE__JITTER_DECORRELATED:
        return decorrelated(config, state->delay, random);
    case KOINE__JITTER_PROPORTIONAL:
        return delay - up_to(random, delay / 4);
    default:
        return delay;
    }
}

/* The advised wait is a floor; the jitter on top keeps callers from coming back together. */
static int64_t with_advice(int64_t delay, int64_t advice, struct koine__random *random)
{
    if (advice <= 0)
        return delay;
    int64_t most = advice / 10 < KOINE__SEC ? advice / 10 : KOINE__SEC;
    return koine__time_add(delay > advice ? delay : advice, up_to(random, most));
}

/* Who said nothing at all, or nothing in time, is likely to do so again. */
static bool is_silent(const struct koine__fault *fault)
{
    return fault->class_number == KOINE_CLASS_TIMEOUT &&
           (strcmp(fault->stage, "first_byte") == 0 || strcmp(fault->stage, "first_token") == 0);
}

static bool is_worth_it(const struct koine__retry_config *config, const struct koine__retry_state *state,
                        const struct koine__retry_ask *ask)
{
    const struct koine__fault *fault = ask->fault;
    if (koine__fault_class(fault->class_number)->again != KOINE__AGAIN_YES || fault->never_retry)
        return false;
    if ((int64_t)state->retries >= config->max_retries || ask->attempts_left == 0)
        return false;
    if (is_silent(fault) && ask->another_target)
        return false;
    if (fault->retry_after_ns > config->retry_after_cap)
        return false;
    return !(ask->another_target && fault->retry_after_ns > config->move_on_after);
}

struct koine__retry_verdict koine__retry_decide(const struct koine__retry_config *config,
                                                struct koine__retry_state *state,
                                                const struct koine__retry_ask *ask,
                                                struct koine__random *random)
{
    struct koine__retry_verdict no = {.again = false};
    if (!is_worth_it(config, state, ask))
        return no;
    int64_t delay = with_jitter(config, state, random);
    int64_t at = koine__time_add(ask->now, with_advice(delay, ask->fault->retry_after_ns, random));
    if (koine__time_add(at, ask->min_attempt) > ask->deadline) {
        no.deadline_limited = true;
        return no;
    }
    state->retries++;
    state->delay = delay;
    return (struct koine__retry_verdict){.again = true, .at = at};
}

/* A header in thousandths or whole seconds as ns; 0: absent or senseless. */
static int64_t advised(koine_str text, unsigned scale_digits)
{
    int64_t ns;
    if (text.len == 0 || koine__read_decimal(koine__str_trim(text), scale_digits, &ns) != KOINE_OK || ns <= 0)
        return 0;
    return ns;
}

static int64_t advised_date(koine_str text, koine_str date, int64_t wall)
{
    int64_t then, now;
    if (text.len == 0 || koine__read_http_date(koine__str_trim(text), &then) != KOINE_OK)
        return 0;
    if (date.len == 0 || koine__read_http_date(koine__str_trim(date), &now) != KOINE_OK)
        now = wall / KOINE__SEC;
    int64_t ns;
    if (then <= now || __builtin_mul_overflow(then - now, KOINE__SEC, &ns))
        return 0;
    return ns;
}

int64_t koine__retry_after(koine_str (*find)(const void *arg, const char *name), const void *arg,
                           int64_t wall)
{
    int64_t ns = advised(find(arg, "retry-after-ms"), 6);
    if (ns == 0)
        ns = advised(find(arg, "x-ms-retry-after-ms"), 6);
    if (ns == 0)
        ns = advised(find(arg, "retry-after"), 9);
    if (ns == 0)
        ns = advised_date(find(arg, "retry-after"), find(arg, "date"), wall);
    return ns > 0 ? ns : -1;
}
