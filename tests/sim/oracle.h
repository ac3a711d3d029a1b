/* oracle: the promises of the policies, each told a second time and as plainly as can be: every outcome is
 * kept, every window is added up anew. What happens is told to them; each function returns NULL, or what is
 * wrong as a static text. They know nothing of the code they judge but what its headers promise.
 *
 * An id names an attempt; times are nanoseconds.
 */
#ifndef KOINE_TESTS_SIM_ORACLE_H
#define KOINE_TESTS_SIM_ORACLE_H

#include "core/policy/breaker.h"
#include "core/policy/limiter.h"
#include "core/policy/retry.h"

/* Room for one more item; its own memory is libc's. */
void *oracle_grown(void *items, size_t count, size_t *capacity, size_t size);

/* ---- What a server sees: never more than so much in any window ---- */

struct oracle_entry {
    int64_t at, weight;
};
struct oracle_log {
    int64_t limit, window;        /* limit -1: none */
    struct oracle_entry *entries; /* sorted by time */
    size_t count, capacity;
};
void oracle_log_init(struct oracle_log *log, int64_t limit, int64_t window);
void oracle_log_release(struct oracle_log *log);
/* May be told late, and in any order. */
const char *oracle_log_add(struct oracle_log *log, int64_t at, int64_t weight);

/* ---- The limiter ---- */

struct oracle_place { /* of one attempt */
    const void *id;
    unsigned owner; /* the client it belongs to */
    bool waits, in; /* in line; let through and not ended */
    bool overtaken; /* by somebody who came later, although its owner was awake */
    bool counts;    /* its request is in the window's log */
    int64_t sent;   /* -1: not yet */
    int64_t tokens; /* as far as known */
    int64_t reserved;
    uint64_t order; /* in line */
};
struct oracle_limiter {
    struct koine__limiter_config config;
    struct oracle_place *places; /* all that ever waited or passed, but for what no window counts any more */
    size_t count, capacity;
    struct oracle_log taken; /* tokens, as far as they were reserved */
    uint64_t orders;
    int64_t held, most_held;
    int64_t free_since;   /* KOINE__NEVER: nobody waits although he could go */
    int64_t unsure_until; /* what took too many tokens had left the window before it was known */
};
void oracle_limiter_init(struct oracle_limiter *limiter, const struct koine__limiter_config *config);
void oracle_limiter_release(struct oracle_limiter *limiter);
/* It came and must wait; came to its turn; gave up. `awake`: owners that are not in application code, a bit
 * each. True: it did not wait before. Of those whose turn comes at one moment, any may take it first. */
bool oracle_limiter_waits(struct oracle_limiter *limiter, const void *id, unsigned owner, int64_t tokens);
const char *oracle_limiter_passes(struct oracle_limiter *limiter, const void *id, unsigned owner,
                                  int64_t tokens, int64_t now, uint64_t awake);
void oracle_limiter_forgets(struct oracle_limiter *limiter, const void *id);
const char *oracle_limiter_sent(struct oracle_limiter *limiter, const void *id, int64_t now);
const char *oracle_limiter_left(struct oracle_limiter *limiter, const void *id, bool sent, int64_t tokens,
                                int64_t now);
/* Time is about to go on from `now`: nobody who is awake may wait for what is free, or not for longer than
 * `patience`, where somebody who sleeps may hold a grant. */
const char *oracle_limiter_quiet(struct oracle_limiter *limiter, int64_t now, int64_t paused_until,
                                 uint64_t awake, int64_t patience);
/* At the end: nobody waits, nobody holds. */
const char *oracle_limiter_over(const struct oracle_limiter *limiter);

/* ---- The breaker ---- */

struct oracle_outcome {
    int64_t at;
    bool failed;
};
struct oracle_pass { /* of one that was let through */
    const void *id;
    uint64_t generation;
    bool probe, answered; /* answered: and was judged for it */
    bool lost;            /* its lease was given to another */
    int64_t until;        /* of its lease */
};
struct oracle_breaker {
    struct koine__breaker_config config;
    struct oracle_outcome *outcomes; /* all since it closed last */
    size_t outcome_count, outcome_capacity;
    struct oracle_pass *passes; /* under way */
    size_t pass_count, pass_capacity;
    enum koine__breaker_state state;
    int64_t until; /* when open */
    uint64_t generation;
    int64_t successes;     /* in a row, half-open */
    size_t opened, closed; /* how often */
};
void oracle_breaker_init(struct oracle_breaker *breaker, const struct koine__breaker_config *config);
void oracle_breaker_release(struct oracle_breaker *breaker);
/* What the peek before the line said. `hedge`: it passes a closed one only. */
const char *oracle_breaker_peek(struct oracle_breaker *breaker, int64_t now, bool hedge, bool refused);
/* Somebody came, and was let through or refused. ends_by: when its attempt must have ended. */
const char *oracle_breaker_enter(struct oracle_breaker *breaker, const void *id, int64_t now, int64_t ends_by,
                                 bool hedge, bool refused);
/* The first event of its answer came; it is over, with that class. `actual`: the state that the real one says
 * it is in now. */
const char *oracle_breaker_answers(struct oracle_breaker *breaker, const void *id, int64_t now,
                                   enum koine__breaker_state actual);
const char *oracle_breaker_leaves(struct oracle_breaker *breaker, const void *id, int64_t now,
                                  int class_number, enum koine__breaker_state actual);

/* ---- A call ---- */

struct oracle_call {
    /* What was asked for. */
    int64_t deadline, min_attempt; /* deadline: a moment */
    unsigned max_attempts, most_at_once;
    bool complete;
    /* What happened so far. */
    unsigned starts, under_way, answers, terminals;
    bool content, cancelled;
    char target[128]; /* that answers */
};
const char *oracle_call_starts(struct oracle_call *call, int64_t now); /* an HTTP request */
const char *oracle_call_ends(struct oracle_call *call);
void oracle_call_cancels(struct oracle_call *call); /* the application */
/* An event was read. `target` is the event's own, or "". */
const char *oracle_call_event(struct oracle_call *call, int kind, const char *target);
/* The terminal event was read at `now`; `rows` of the ledger; `late`: for how long the client slept. */
const char *oracle_call_over(const struct oracle_call *call, int64_t now, size_t rows, int64_t late);

/* ---- Waits, and what they cost ---- */

/* The wait before retry i (from 0) after advice (ns, -1: none). */
const char *oracle_delay(const struct koine__retry_config *config, unsigned i, int64_t advice, int64_t wait);

struct oracle_bucket { /* the retry budget of one server */
    int64_t capacity;
    int64_t paid, back; /* at least so much was paid, at most so much came back */
};
const char *oracle_bucket_pays(struct oracle_bucket *bucket, int64_t least);
void oracle_bucket_earns(struct oracle_bucket *bucket, int64_t most);

/* ---- Money: of one budget, in picodollars ---- */

struct oracle_stake {
    const void *id;
    int64_t amount;
};
struct oracle_money {
    int64_t limit; /* -1: none */
    int64_t spent, reserved, overshot;
    struct oracle_stake *stakes; /* under way */
    size_t stake_count, stake_capacity;
};
void oracle_money_init(struct oracle_money *money, int64_t limit);
void oracle_money_release(struct oracle_money *money);
/* So much was asked for, and was granted or refused; what of it was settled. cost -1: nobody knows. */
const char *oracle_money_reserves(struct oracle_money *money, const void *id, int64_t amount, bool refused);
const char *oracle_money_settles(struct oracle_money *money, const void *id, bool sent, int64_t cost);
const char *oracle_money_agrees(const struct oracle_money *money, int64_t spent, int64_t reserved);
const char *oracle_money_over(const struct oracle_money *money);

#endif
