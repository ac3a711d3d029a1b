/* explain_internal: what explain.c (the whole), explain_target.c (one target), explain_cost.c (how much it
 * could be), explain_words.c (the sentences) and explain_json.c (how it is told) share. */
#ifndef KOINE_CORE_HUB_EXPLAIN_INTERNAL_H
#define KOINE_CORE_HUB_EXPLAIN_INTERNAL_H

#include "core/engine/asking.h"
#include "core/engine/standing.h"
#include "core/hub/prepare.h"
#include "core/money/budget.h"
#include "core/plugin/bridge_isolated.h"

enum koine__layer { /* in the order in which an attempt meets them */
    KOINE__LAYER_PLUGIN,
    KOINE__LAYER_LATCH,
    KOINE__LAYER_BUDGET,
    KOINE__LAYER_BREAKER,
    KOINE__LAYER_LIMITER,
    KOINE__LAYER_REQUEST, /* the provider writes it, and is allowed to lose what it loses */
    KOINE__LAYER_KEY,
    KOINE__LAYERS
};
extern const char *const koine__layer_names[KOINE__LAYERS];

struct koine__saying { /* of one layer, now */
    bool asked;        /* false: a layer before it leaves nothing to ask */
    enum koine__pass pass;
    int64_t wait;              /* ns; of one that waits: at least */
    char text[200];            /* of one that does not refuse */
    struct koine__fault fault; /* of one that refuses */
};
struct koine__loss { /* what the provider would not send as written */
    const char *name, *action, *reason;
};
struct koine__reaction { /* what follows from a fault of one class at a target */
    int class_number;
    bool again;  /* the same target, as long as it has retries */
    size_t next; /* after that; the route's count: the call ends */
};
#define KOINE__REACTIONS 15

struct koine__outlook { /* of one target */
    size_t index;
    const struct koine__target *target;
    struct koine__saying sayings[KOINE__LAYERS];
    const struct koine__loss *losses;
    size_t loss_count;
    bool reached; /* a call that started now would come to it before it asks anybody */
    bool never;   /* as it is configured no attempt at it could be sent */
    struct koine__retry_config retry;
    unsigned attempts;                    /* at most, if the targets before it made none */
    struct koine__estimate estimate;      /* a bound */
    int64_t most;                         /* what so many attempts cost at most; -1: nobody knows */
    const struct koine__price_row *price; /* of today; NULL: unknown */
    int64_t share;       /* ns that a first attempt may take of the time left; -1: all of it */
    int64_t hedge_after; /* ns; -1: it is not hedged */
    const char *hedge_obstacle;
    int64_t retry_left; /* of the retry budget; -1: there is none */
    struct koine__reaction reactions[KOINE__REACTIONS];
};
struct koine__looking { /* while it is looked at */
    struct koine_hub *hub;
    const struct koine__clock *clock;
    struct koine__prepared prepared;
    int64_t now, deadline;
    struct koine__loop *loop; /* for providers that answer later */
    struct koine__isolating isolating;
    struct koine__bridge *bridge;
    struct koine__desks desks;
    struct koine__purse
        *purse;               /* the call's budgets as they stand: copies, so nothing is reserved; or NULL */
    struct koine__budget run; /* of that */
    struct koine__outlook *outlooks;
    /* What comes of it. */
    size_t first;                     /* the target that would be asked; the count: none */
    const struct koine__fault *fault; /* then: what the call would end with */
    const struct koine__target *fault_target;
    int64_t most;   /* of all attempts together, picodollars, INT64_MAX where it is more */
    size_t unknown; /* targets of which nobody knows what they could cost */
    struct koine__budget_view tightest; /* the budget with the least left; scope NULL: there is none */
};

/* explain_target.c: KOINE_EMEMORY. */
int koine__explain_target(struct koine__looking *looking, size_t index);
/* The first layer that refuses; NULL: none does. */
const struct koine__saying *koine__explain_refusal(const struct koine__outlook *outlook);
/* The first that makes it wait; NULL: none does. */
const struct koine__saying *koine__explain_wait(const struct koine__outlook *outlook);

/* explain_cost.c: how often each target may be asked, and what that costs. KOINE_EMEMORY. */
int koine__explain_cost(struct koine__looking *looking);

/* explain_words.c: each adds one sentence. */
void koine__explain_why(const struct koine__looking *looking, const struct koine__outlook *outlook,
                        struct koine__buf *ret);
void koine__explain_moves(const struct koine__looking *looking, const struct koine__outlook *outlook,
                          struct koine__buf *ret);
void koine__explain_now(const struct koine__looking *looking, struct koine__buf *ret);
void koine__explain_most(const struct koine__looking *looking, struct koine__buf *ret);

/* explain_json.c: the whole, the caller's; NULL: no memory. */
char *koine__explain_json(const struct koine__looking *looking);

#endif
