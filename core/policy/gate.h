/* gate: what an attempt passes before it may start, in the one order (DESIGN section 2): store, budget,
 * breaker.peek, limiter, pool, last look, breaker.enter. Every stage may answer: go, wait, refuse, or back to
 * an earlier one, whose line it waits in again; a wait ends when the stage wakes the ticket.
 *
 * The stages themselves come with their own files; an absent one lets everything through.
 */
#ifndef KOINE_CORE_POLICY_GATE_H
#define KOINE_CORE_POLICY_GATE_H

#include "core/base/clock.h"
#include "core/base/fault.h"

enum koine__stage {
    KOINE__STAGE_STORE, /* whether the row can be kept that the attempt will have */
    KOINE__STAGE_BUDGET,
    KOINE__STAGE_BREAKER_PEEK,
    KOINE__STAGE_LIMITER,
    KOINE__STAGE_POOL,      /* a connection of the client's own: nobody else waits for one of those */
    KOINE__STAGE_LAST_LOOK, /* whether what the earlier ones saw still holds */
    KOINE__STAGE_BREAKER_ENTER,
    KOINE__STAGES
};
enum koine__pass {
    KOINE__PASS_GO,
    KOINE__PASS_WAIT,
    KOINE__PASS_REFUSE,
    KOINE__PASS_BACK /* to ticket->back_to, an earlier stage that does not let it through just now */
};

struct koine__policies;
struct koine__witness;
struct koine__inbox;
struct koine__line;
struct koine__purse;

enum koine__turn {
    KOINE__TURN_NONE,
    KOINE__TURN_WAITS,
    KOINE__TURN_GRANTED, /* its place is taken for it, and its owner was told */
    KOINE__TURN_LOST,    /* out of the line, for it can never pass; its owner was told to come and hear why */
    KOINE__TURN_HELD     /* it is through */
};
struct koine__limiter_turn { /* the limiter's own, in its ticket so that waiting allocates nothing */
    enum koine__turn turn;
    struct koine__line *line;
    struct koine__ticket *next, *prev;
    uint64_t order;   /* among all that wait */
    uint64_t entry;   /* of the log */
    int64_t reserved; /* tokens, there */
    int64_t granted_at;
};
struct koine__stake { /* the budget's own: what `worst` is made of, and what is reserved for the attempt */
    struct koine__purse *purse; /* the budgets that must bear it, borrowed from the call; NULL: none */
    const char *unknown;        /* why `worst` is -1: static text */
    bool unpriced;              /* and that is for want of a price */
    int64_t prompt;             /* what it costs before a token was answered */
    int64_t rate;               /* and each token of the answer */
    int64_t reserved;
    bool holds;
};
struct koine__ticket { /* one attempt's way through the gate; zeroed but for what its owner fills in */
    /* What the limiter looks at of one that waits and of its neighbours in line stands together, for
     * thousands may wait, and each leaves from anywhere. */
    const struct koine__policies *policies; /* what holds where it goes; NULL: nothing */
    struct koine__inbox *inbox;             /* of its owner's thread; NULL: it wakes by ticket->wake alone */
    int64_t tokens;                         /* it may take: prompt and answer */
    bool waits;                             /* the stage at `at` has it in line */
    bool in_inbox;
    bool may_not_wait; /* a hedge: it is refused instead */
    bool breaker_judged;
    struct koine__limiter_turn limiter;
    unsigned at;                                   /* the stage that comes next; KOINE__STAGES: through */
    unsigned passed;                               /* bit per stage that said go and must be left */
    struct koine__ticket *inbox_next, *inbox_prev; /* the inbox's */
    int64_t deadline;                              /* of the call */
    int64_t ends_by;  /* when the attempt must have ended, once it started at `now` */
    int64_t patience; /* until when it waits in line, for another target may do; KOINE__NEVER: to the deadline
                       */
    int64_t wake_at;  /* of a wait: ask again no later than then; KOINE__NEVER: only when woken */
    void (*wake)(struct koine__ticket *ticket); /* the owner's; called in the owner's thread */
    const char *instance, *model;               /* for messages */
    const struct koine__witness *witness;       /* NULL: nobody looks */
    int64_t worst;                              /* it may cost, picodollars; -1: nobody knows */
    struct koine__stake stake;
    uint64_t breaker_generation; /* the breaker's */
    uint32_t breaker_probe;
    uint64_t key;         /* fingerprint of the credential; 0: none */
    bool ignores_latches; /* the last resort of a route: it is tried though it is latched */
    bool was_sent_back;   /* at least once */
    unsigned back_to;     /* of KOINE__PASS_BACK, set by who answers it */
    void *stage_data[KOINE__STAGES];
};
struct koine__outcome { /* what became of an attempt that was let through */
    int class_number;   /* KOINE_CLASS_NONE: it answered */
    bool sent;          /* at least one byte may have reached the provider */
    int64_t tokens;     /* taken, told or estimated; -1: nobody knows */
    int64_t cost;       /* picodollars; -1: nobody knows */
    bool is_ours;       /* it was ended for the caller's lack of time: no verdict on the provider */
};
struct koine__gate_stage {
    enum koine__pass (*enter)(void *self, struct koine__ticket *ticket, int64_t now,
                              struct koine__fault *ret_fault);
    void (*sent)(void *self, struct koine__ticket *ticket, int64_t now); /* first byte sent; may be NULL */
    void (*answering)(void *self, struct koine__ticket *ticket, int64_t now); /* first event; may be NULL */
    /* Once for each stage that let it through, in reverse order; may be NULL. */
    void (*leave)(void *self, struct koine__ticket *ticket, const struct koine__outcome *outcome,
                  int64_t now);
    /* Of one that waits: it gives up; may be NULL. */
    void (*forget)(void *self, struct koine__ticket *ticket, int64_t now);
    void *self;
    /* Whether `enter` would refuse now, before there is an attempt: nothing is taken, and the ticket is not
     * kept. Go: not for all that is known; wait: that cannot be told beforehand. May be NULL: likewise. */
    enum koine__pass (*foresee)(void *self, struct koine__ticket *ticket, int64_t now,
                                struct koine__fault *ret_fault);
};
struct koine__gate {
    const struct koine__gate_stage *stages[KOINE__STAGES]; /* NULL: absent, also for those who passed it */
};
/* True: an attempt with such a ticket would be refused now; the first stage that does says why. */
bool koine__gate_foresee(const struct koine__gate *gate, struct koine__ticket *ticket, int64_t now,
                         struct koine__fault *ret_fault);
/* Goes on from ticket->at. On a refusal the stages passed so far have been left again; so have those from
 * back_to on, of one that is sent back, before it enters them anew. */
enum koine__pass koine__gate_enter(const struct koine__gate *gate, struct koine__ticket *ticket, int64_t now,
                                   struct koine__fault *ret_fault);
void koine__gate_sent(const struct koine__gate *gate, struct koine__ticket *ticket, int64_t now);
void koine__gate_answering(const struct koine__gate *gate, struct koine__ticket *ticket, int64_t now);
void koine__gate_leave(const struct koine__gate *gate, struct koine__ticket *ticket,
                       const struct koine__outcome *outcome, int64_t now);

#endif
