/* budget: money that may be spent. What an attempt may cost at most is reserved before it, what it really
 * cost is settled after it, exactly once (part C8 of the specification). [any thread]
 *
 * A budget is a limit and what of it is spent and reserved; a reservation that would lead beyond the limit is
 * refused. So spent is at most the limit and what attempts cost beyond what was reserved for them, and that
 * sum is kept: `overshot`.
 *
 * A purse is the budgets that must bear the attempts of a call together, one for each scope, the narrower
 * first; reserved in all or in none. Which scopes there are is no matter of this code: it adds whatever
 * budget it is given. Their locks are taken in the purse's order, so those of wider scopes, which many calls
 * share, must stand in one order everywhere. No lock is held over anything but arithmetic.
 *
 * A reservation lives in its ticket and ends with it, whatever becomes of the attempt; in one process nothing
 * else can be left of a caller that crashed. So it carries no lease: that belongs to a store which outlives
 * us. A scope whose truth is such a store makes the stage answer `wait` until its reservation is confirmed.
 */
#ifndef KOINE_CORE_MONEY_BUDGET_H
#define KOINE_CORE_MONEY_BUDGET_H

#include "core/policy/gate.h"

#include <pthread.h>

#define KOINE__PURSE_MOST 5         /* call, run, tenant, day, month */
#define KOINE__NO_LIMIT   INT64_MAX /* of a budget: what is spent is counted, and nothing refused */

struct koine__budget {
    pthread_mutex_t mutex;
    const char *scope;              /* "call", "run": static, for messages and as the fault's code */
    int64_t limit, spent, reserved; /* picodollars */
    int64_t overshot;               /* Σ of what attempts cost beyond what was reserved for them */
};
void koine__budget_init(struct koine__budget *budget, const char *scope, int64_t limit);
void koine__budget_release(struct koine__budget *budget);
void koine__budget_set_limit(struct koine__budget *budget, int64_t limit);

struct koine__budget_view {
    const char *scope;
    int64_t limit, spent, reserved, overshot;
};
void koine__budget_look(struct koine__budget *budget, struct koine__budget_view *ret);
int64_t koine__budget_left(const struct koine__budget_view *view); /* at least 0 */

struct koine__budget_config { /* picodollars; -1: no limit */
    int64_t call, run;
    bool allow_unpriced;
    bool typical; /* the prompt is estimated, not bounded */
};
struct koine__purse {
    struct koine__budget *budgets[KOINE__PURSE_MOST]; /* the narrower first */
    size_t count;
    bool allow_unpriced, typical;
    struct koine__budget call; /* its own; in `budgets` where the call has a limit */
};
/* With the call's own budget where config->call is one. NULL: no memory. */
struct koine__purse *koine__purse_new(const struct koine__budget_config *config);
void koine__purse_free(struct koine__purse *purse); /* NULL is fine; nothing is reserved any more */
/* A budget of a wider scope than those that are in; borrowed. */
void koine__purse_add(struct koine__purse *purse, struct koine__budget *budget);

/* What the one that has least left still bears; KOINE__NO_LIMIT: no budget in it has a limit. */
int64_t koine__purse_left(struct koine__purse *purse);
/* The budget of that scope as it stands. False: there is none. */
bool koine__purse_look(struct koine__purse *purse, const char *scope, struct koine__budget_view *ret);
/* Whether the purse refuses what nobody knows the cost of, `unpriced`: for want of a price. */
bool koine__purse_refuses_unknown(struct koine__purse *purse, bool unpriced);

/* False: one of them refuses, and nothing is reserved; the first that does, as it stood. */
bool koine__purse_reserve(struct koine__purse *purse, int64_t amount, struct koine__budget_view *ret_refused);
/* What was reserved is free again, and `actual` is spent. */
void koine__purse_settle(struct koine__purse *purse, int64_t reserved, int64_t actual);
void koine__purse_cancel(struct koine__purse *purse, int64_t reserved); /* nothing was sent */

/* Uses ticket->stake and ticket->worst; a ticket without a purse passes. Refuses (class budget) what could
 * overspend, code the budget's scope, and what nobody knows the price or the size of, code "unpriced" or
 * "unbounded". An attempt of which nobody knows what it cost has spent what was reserved. */
extern const struct koine__gate_stage koine__budget_stage;

#endif
