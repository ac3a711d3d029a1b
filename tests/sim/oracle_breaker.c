/* oracle_breaker: see oracle.h. It keeps every outcome, and adds the window up anew whenever it is asked. */
#include "tests/sim/oracle.h"

#include <stdlib.h>

void oracle_breaker_init(struct oracle_breaker *breaker, const struct koine__breaker_config *config)
{
    *breaker = (struct oracle_breaker){.config = *config};
}

void oracle_breaker_release(struct oracle_breaker *breaker)
{
    free(breaker->outcomes);
    free(breaker->passes);
}

static void change(struct oracle_breaker *breaker, enum koine__breaker_state state, int64_t now)
{
    breaker->state = state;
    breaker->generation++;
    breaker->successes = 0;
    if (state == KOINE__BREAKER_OPEN)
        breaker->until = now + breaker->config.open_for;
    if (state == KOINE__BREAKER_CLOSED)
        breaker->outcome_count = 0;
}

/* Open whose time is over is half-open. */
static void look(struct oracle_breaker *breaker, int64_t now)
{
    if (breaker->state == KOINE__BREAKER_OPEN && now >= breaker->until)
        change(breaker, KOINE__BREAKER_HALF_OPEN, now);
}

static bool is_off(const struct oracle_breaker *breaker)
{
    return breaker->config.failures < 0;
}

static int64_t probes_out(const struct oracle_breaker *breaker, int64_t now)
{
    int64_t count = 0;
    for (size_t i = 0; i < breaker->pass_count; i++) {
        const struct oracle_pass *pass = &breaker->passes[i];
        count += pass->probe && pass->generation == breaker->generation && pass->until > now;
    }
    return count;
}

const char *oracle_breaker_peek(struct oracle_breaker *breaker, int64_t now, bool refused)
{
    look(breaker, now);
    if (breaker->state == KOINE__BREAKER_OPEN && !is_off(breaker))
        return refused ? NULL : "an open breaker let somebody go into the line";
    if (breaker->state == KOINE__BREAKER_CLOSED || is_off(breaker))
        return refused ? "a closed breaker refused, before the line" : NULL;
    return !refused || probes_out(breaker, now) >= breaker->config.probes
               ? NULL
               : "a half-open breaker refused a probe, before the line";
}

static void remember(struct oracle_breaker *breaker, const void *id, int64_t now, int64_t lease_until)
{
    breaker->passes =
        oracle_grown(breaker->passes, breaker->pass_count, &breaker->pass_capacity, sizeof(*breaker->passes));
    breaker->passes[breaker->pass_count++] = (struct oracle_pass){
        .id = id,
        .generation = breaker->generation,
        .probe = breaker->state == KOINE__BREAKER_HALF_OPEN,
        .until = lease_until > now + KOINE__BREAKER_LEASE ? lease_until : now + KOINE__BREAKER_LEASE,
    };
}

const char *oracle_breaker_enter(struct oracle_breaker *breaker, const void *id, int64_t now,
                                 int64_t lease_until, bool refused)
{
    look(breaker, now);
    bool allowed =
        is_off(breaker) || breaker->state == KOINE__BREAKER_CLOSED ||
        (breaker->state == KOINE__BREAKER_HALF_OPEN && probes_out(breaker, now) < breaker->config.probes);
    if (!refused)
        remember(breaker, id, now, lease_until);
    if (allowed == !refused)
        return NULL;
    if (refused)
        return "the breaker refused whom it should let through";
    return breaker->state == KOINE__BREAKER_OPEN ? "an open breaker let somebody through"
                                                 : "more probes at once than are allowed";
}

struct counts {
    int64_t failures, least, most; /* successes, counted exactly and with the grain of the real one */
};

static struct counts count_window(const struct oracle_breaker *breaker, int64_t now)
{
    struct counts counts = {0, 0, 0};
    int64_t window = breaker->config.window;
    for (size_t i = 0; i < breaker->outcome_count; i++) {
        int64_t age = now - breaker->outcomes[i].at;
        if (breaker->outcomes[i].failed) {
            counts.failures += age <= window;
        } else {
            counts.least += age < window - window / 60;
            counts.most += age <= window + window / 60;
        }
    }
    return counts;
}

static bool opens_with(const struct oracle_breaker *breaker, int64_t failures, int64_t successes)
{
    const struct koine__breaker_config *config = &breaker->config;
    int64_t calls = failures + successes;
    return failures >= config->failures && calls >= config->min_calls &&
           failures * 1000000 >= config->ratio * calls;
}

static void keep(struct oracle_breaker *breaker, int64_t now, bool failed)
{
    breaker->outcomes = oracle_grown(breaker->outcomes, breaker->outcome_count, &breaker->outcome_capacity,
                                     sizeof(*breaker->outcomes));
    breaker->outcomes[breaker->outcome_count++] = (struct oracle_outcome){now, failed};
}

/* Where the grain of the real one decides, it may do either. */
static const char *judge_closed(struct oracle_breaker *breaker, int64_t now, bool failed,
                                enum koine__breaker_state actual)
{
    keep(breaker, now, failed);
    struct counts counts = count_window(breaker, now);
    bool may_open = false, must_open = failed;
    for (int64_t successes = counts.least; failed && successes <= counts.most; successes++) {
        bool opens = opens_with(breaker, counts.failures, successes);
        may_open |= opens;
        must_open &= opens;
    }
    bool opened = actual != KOINE__BREAKER_CLOSED;
    if (opened)
        change(breaker, KOINE__BREAKER_OPEN, now);
    if (opened && !may_open)
        return "the breaker opened, and should not have";
    return must_open && !opened ? "the breaker should have opened" : NULL;
}

static void judge_half_open(struct oracle_breaker *breaker, int64_t now, bool failed)
{
    if (failed)
        change(breaker, KOINE__BREAKER_OPEN, now);
    else if (++breaker->successes >= breaker->config.successes_to_close)
        change(breaker, KOINE__BREAKER_CLOSED, now);
}

static const char *judge(struct oracle_breaker *breaker, struct oracle_pass *pass, int64_t now, bool failed,
                         enum koine__breaker_state actual)
{
    if (pass->generation != breaker->generation)
        return NULL;
    if (breaker->state == KOINE__BREAKER_CLOSED)
        return judge_closed(breaker, now, failed, actual);
    if (breaker->state == KOINE__BREAKER_OPEN)
        return NULL;
    bool probe = pass->probe;
    pass->probe = false;
    if (probe || failed)
        judge_half_open(breaker, now, failed);
    if (probe && !failed) /* from now on an ordinary one of what holds then */
        pass->generation = breaker->generation;
    return NULL;
}

static size_t index_of(const struct oracle_breaker *breaker, const void *id)
{
    size_t i = 0;
    while (i < breaker->pass_count && breaker->passes[i].id != id)
        i++;
    return i;
}

const char *oracle_breaker_judge(struct oracle_breaker *breaker, const void *id, int64_t now,
                                 enum koine__verdict verdict, bool ends, enum koine__breaker_state actual)
{
    size_t i = index_of(breaker, id);
    const char *wrong = NULL;
    if (i == breaker->pass_count)
        return "judged without having been let through, or twice";
    look(breaker, now);
    if (verdict != KOINE__VERDICT_NONE && !is_off(breaker))
        wrong = judge(breaker, &breaker->passes[i], now, verdict == KOINE__VERDICT_FAILURE, actual);
    if (ends)
        breaker->passes[i] = breaker->passes[--breaker->pass_count];
    if (wrong || is_off(breaker) || breaker->state == actual)
        return wrong;
    enum koine__breaker_state expected = breaker->state;
    change(breaker, actual, now);
    switch (expected) {
    case KOINE__BREAKER_CLOSED:
        return "the breaker should be closed";
    case KOINE__BREAKER_OPEN:
        return "the breaker should be open";
    default:
        return "the breaker should be half-open";
    }
}
