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
    breaker->opened += state == KOINE__BREAKER_OPEN;
    breaker->closed += state == KOINE__BREAKER_CLOSED;
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

static bool is_refused_hedge(const struct oracle_breaker *breaker, bool hedge)
{
    return hedge && breaker->state != KOINE__BREAKER_CLOSED && !is_off(breaker);
}

const char *oracle_breaker_peek(struct oracle_breaker *breaker, int64_t now, bool hedge, bool refused)
{
    look(breaker, now);
    if (is_refused_hedge(breaker, hedge))
        return refused ? NULL : "a hedge was let through where the breaker is not closed";
    if (breaker->state == KOINE__BREAKER_OPEN && !is_off(breaker))
        return refused ? NULL : "an open breaker let somebody go into the line";
    if (breaker->state == KOINE__BREAKER_CLOSED || is_off(breaker))
        return refused ? "a closed breaker refused, before the line" : NULL;
    return !refused || probes_out(breaker, now) >= breaker->config.probes
               ? NULL
               : "a half-open breaker refused a probe, before the line";
}

/* Whose lease is over has lost it once somebody comes. */
static void reclaim(struct oracle_breaker *breaker, int64_t now)
{
    for (size_t i = 0; i < breaker->pass_count; i++) {
        struct oracle_pass *pass = &breaker->passes[i];
        pass->lost |= pass->probe && pass->until <= now;
    }
}

static void remember(struct oracle_breaker *breaker, const void *id, int64_t now, int64_t ends_by)
{
    int64_t lease = koine__time_add(ends_by, KOINE__BREAKER_GRACE);
    breaker->passes =
        oracle_grown(breaker->passes, breaker->pass_count, &breaker->pass_capacity, sizeof(*breaker->passes));
    breaker->passes[breaker->pass_count++] = (struct oracle_pass){
        .id = id,
        .generation = breaker->generation,
        .probe = breaker->state == KOINE__BREAKER_HALF_OPEN,
        .until = lease > now + KOINE__BREAKER_LEASE ? lease : now + KOINE__BREAKER_LEASE,
    };
}

const char *oracle_breaker_enter(struct oracle_breaker *breaker, const void *id, int64_t now, int64_t ends_by,
                                 bool hedge, bool refused)
{
    look(breaker, now);
    bool allowed =
        is_off(breaker) || breaker->state == KOINE__BREAKER_CLOSED ||
        (breaker->state == KOINE__BREAKER_HALF_OPEN && probes_out(breaker, now) < breaker->config.probes);
    allowed = allowed && !is_refused_hedge(breaker, hedge);
    if (breaker->state == KOINE__BREAKER_HALF_OPEN)
        reclaim(breaker, now);
    if (!refused)
        remember(breaker, id, now, ends_by);
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
    if (pass->generation != breaker->generation || pass->lost)
        return NULL;
    if (breaker->state == KOINE__BREAKER_CLOSED)
        return judge_closed(breaker, now, failed, actual);
    bool probe = pass->probe;
    pass->probe = false;
    if (probe || failed)
        judge_half_open(breaker, now, failed);
    if (!failed) /* from now on an ordinary one of what holds then */
        pass->generation = breaker->generation;
    return NULL;
}

/* Agrees with the real one from now on, so that one difference is told once. */
static const char *compare(struct oracle_breaker *breaker, int64_t now, enum koine__breaker_state actual)
{
    static const char *const should_be[] = {"the breaker should be closed", "the breaker should be open",
                                            "the breaker should be half-open"};
    enum koine__breaker_state expected = breaker->state;
    if (is_off(breaker) || expected == actual)
        return NULL;
    change(breaker, actual, now);
    return should_be[expected];
}

static struct oracle_pass *pass_of(struct oracle_breaker *breaker, const void *id)
{
    for (size_t i = 0; i < breaker->pass_count; i++) {
        if (breaker->passes[i].id == id)
            return &breaker->passes[i];
    }
    return NULL;
}

static const char *judge_and_compare(struct oracle_breaker *breaker, struct oracle_pass *pass, int64_t now,
                                     enum koine__verdict verdict, enum koine__breaker_state actual)
{
    const char *wrong = NULL;
    look(breaker, now);
    if (verdict != KOINE__VERDICT_NONE && !is_off(breaker))
        wrong = judge(breaker, pass, now, verdict == KOINE__VERDICT_FAILURE, actual);
    return wrong ? wrong : compare(breaker, now, actual);
}

const char *oracle_breaker_answers(struct oracle_breaker *breaker, const void *id, int64_t now,
                                   enum koine__breaker_state actual)
{
    struct oracle_pass *pass = pass_of(breaker, id);
    if (!pass)
        return "an answer to who was not let through";
    if (!pass->probe)
        return NULL;
    pass->answered = true;
    return judge_and_compare(breaker, pass, now, KOINE__VERDICT_SUCCESS, actual);
}

/* By the table of faults, once more. */
static enum koine__verdict verdict_of(int class_number)
{
    switch (class_number) {
    case KOINE_CLASS_NONE:
        return KOINE__VERDICT_SUCCESS;
    case KOINE_CLASS_CONNECT:
    case KOINE_CLASS_RESET:
    case KOINE_CLASS_TIMEOUT:
    case KOINE_CLASS_OVERLOADED:
    case KOINE_CLASS_SERVER:
    case KOINE_CLASS_PROTOCOL:
        return KOINE__VERDICT_FAILURE;
    default:
        return KOINE__VERDICT_NONE;
    }
}

const char *oracle_breaker_leaves(struct oracle_breaker *breaker, const void *id, int64_t now,
                                  int class_number, enum koine__breaker_state actual)
{
    struct oracle_pass *pass = pass_of(breaker, id);
    enum koine__verdict verdict = verdict_of(class_number);
    if (!pass)
        return "it left without having been let through, or twice";
    if (pass->answered && verdict == KOINE__VERDICT_SUCCESS)
        verdict = KOINE__VERDICT_NONE;
    const char *wrong = judge_and_compare(breaker, pass, now, verdict, actual);
    *pass = breaker->passes[--breaker->pass_count];
    return wrong;
}
