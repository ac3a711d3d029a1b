/* attempt: one HTTP request of a call, from the gate to its settled ledger row.
 *
 *   gate → request (bridge) → transfer → frames (bridge) → assembly → settle (bridge: cost) → ended
 *
 * Every operation (generate, list_models, and what follows) runs here and nowhere else, whole or streamed, so
 * no second path can forget a timer or a rule. Each step may wait: the gate, the bridge, the network. [the
 * client's thread]
 */
#ifndef KOINE_CORE_ENGINE_ATTEMPT_H
#define KOINE_CORE_ENGINE_ATTEMPT_H

#include "core/engine/assemble.h"
#include "core/engine/desk.h"
#include "core/engine/observer.h"
#include "core/engine/plan.h"
#include "core/money/estimate.h"
#include "core/engine/work.h"
#include "core/money/estimate.h"
#include "core/policy/gate.h"
#include "core/policy/happening.h"
#include "core/wire/frame.h"
#include "core/wire/loop.h"
#include "core/wire/transport.h"

struct koine__engine { /* what attempts and calls need of the world; one for each client */
    struct koine__loop *loop;
    struct koine__transport *transport; /* to servers */
    struct koine__transport *local;     /* for instances without one; NULL: they find none */
    struct koine__bridge *bridge;
    struct koine__gate gate;
    struct koine__inbox *inbox;           /* of the client's thread; NULL: policies wake tickets directly */
    const struct koine__witness *witness; /* of what policies do; may be NULL */
    struct koine__random random;
    struct koine__log *log;                                    /* may be NULL */
    const struct koine__observer *observers[KOINE__OBSERVERS]; /* of what becomes of calls; NULL: nobody */
    bool is_abandoned; /* in a child after fork: what is freed is neither settled nor told */
    struct koine__work work;
    struct koine__desks desks; /* koine__desks_release it when no attempt is left */
};

struct koine__exchange_state { /* what a provider keeps between the frames and steps of one exchange */
    void *bytes;               /* exchange->state_size of them */
    uint32_t step;
};

struct koine__attempt_spec { /* all borrowed until the attempt is freed */
    const struct koine__target *target;
    const koine_exchange *exchange;
    const koine_node *doc;      /* NULL: the operation has none */
    struct koine__count *count; /* of doc, shared by the attempts with it; NULL: likewise */
    const struct koine__catalogue *catalogue;
    bool stream;     /* how the provider is asked */
    bool held;       /* nothing is delivered before the answer is whole */
    bool untold;     /* what the provider emits goes into the answer alone, and makes no events */
    bool needs_stop; /* only a stop makes it an answer (generate); else the body's clean end does */
    const struct koine__exchange_state *state; /* of the step's start: copied */
    unsigned untried;  /* targets of the route after this one: whole and held attempts leave them their share
                          of time */
    int64_t deadline;  /* of the call */
    int64_t starts_by; /* what is still in line then, is not worth starting */
    int64_t
        patience;  /* until when it waits in line, since another target would do; KOINE__NEVER: to the end */
    int64_t pause; /* ns that a 429 without advice stops the instance for */
    int64_t retry_cost;   /* what it took from the retry budget; 0: it is a first attempt */
    bool may_not_wait;    /* a hedge: rather none than one in line */
    bool ignores_latches; /* no other target is left to try */
    const char *ca_file, *proxy;
    const char *call;           /* its id, for the log; NULL: it has none */
    struct koine__way *way;     /* NULL: nobody asks */
    struct koine__purse *purse; /* budgets that must bear it; NULL: none */
};

enum koine__phase {
    KOINE__PHASE_GATE,    /* waits for a policy */
    KOINE__PHASE_REQUEST, /* the provider writes the request */
    KOINE__PHASE_CONNECT, /* until the request is about to be sent */
    KOINE__PHASE_SENT,    /* until the first byte of the answer */
    KOINE__PHASE_BODY,
    KOINE__PHASE_SETTLE, /* over; its cost is being calculated */
    KOINE__PHASE_ENDED
};

struct koine__attempt {
    struct koine__engine *engine;
    struct koine__attempt_spec spec;
    enum koine__phase phase;
    /* To the owner. `progress`: assembly.events has something. `ended`: last thing it does; the owner frees
     * it then or later, not inside a handler of its transfer's making other than this one. */
    void (*progress)(struct koine__attempt *attempt);
    void (*ended)(struct koine__attempt *attempt);
    void *owner;

    struct koine__ticket ticket;
    struct koine__timer timer; /* the nearest of its stages, set lazily */
    struct koine__timer soon;  /* goes on from a place where the owner must not be called */
    struct koine__arena arena; /* of what is kept of the answer's head */
    struct koine__desk *desk;  /* while there is something for the provider, or its answer to be read */
    bool job_running, pumping, paused;

    struct koine__buf body;       /* of the request, until it is sent */
    size_t body_len;              /* of that */
    struct koine__secret *secret; /* that went with the request; NULL: none */
    struct koine__transfer *transfer;
    struct koine__framer framer;
    struct koine__assembly assembly;
    struct koine__exchange_state state;
    struct koine__head head; /* copied into the arena */
    /* What the head advises should there be a fault. */
    int64_t retry_after_ns; /* -1: nothing */
    bool never_retry;

    bool cut_short; /* by its share of the call's deadline, which says nothing about the provider */
    bool requested; /* there is an HTTP request: it gets a row */
    bool sent, more;
    int body_end;                   /* 0: open; 1: ended clean; 2: cut */
    bool body_finished;             /* and the framer knows */
    struct koine__buf backlog;      /* of the body, while the provider is busy with the frame before */
    const struct koine__fault *cut; /* what cut the body; KOINE_CLASS_NONE: nothing did */
    int64_t born, started, sent_at, last_byte, last_event, ended_at; /* loop time; born: before it waited */
    int64_t share;                    /* ns that a whole or held one may take of the time that is left */
    int64_t first_token_at;           /* -1: none yet */
    uint64_t noted;                   /* events of the assembly that counted as progress */
    const struct koine__fault *fault; /* KOINE_CLASS_NONE with stopped: it answered */
    enum koine__billing billing;
    koine_usage usage;
    koine_cost cost;
    const char *request_id; /* in the arena, or "" */
};

/* What it may take and cost at most, before it (attempt_stake.c). */
void koine__attempt_estimate(const struct koine__attempt_spec *spec, const struct koine__clock *clock,
                             bool typical, struct koine__estimate *ret);
/* Its ticket for the gate, with what counts there: `worst` and the stake where the call has budgets, tokens
 * where they are limited. Nobody's witness, inbox or wake. */
void koine__attempt_ticket(const struct koine__attempt_spec *spec, const struct koine__clock *clock,
                           struct koine__ticket *ret);
/* Starts it. Nothing of the owner is called before the loop runs again. KOINE_EMEMORY: there is no attempt.
 */
int koine__attempt_new(struct koine__engine *engine, const struct koine__attempt_spec *spec,
                       struct koine__attempt **ret);
/* Ends it with a class of ours (cancelled, deadline, …): it settles by estimate, without waiting for its
 * provider, and calls `ended` from the loop. */
void koine__attempt_end(struct koine__attempt *attempt, const struct koine__fault *fault);
/* Stops reading while the application does not, and goes on; the idle timers stand still meanwhile. */
void koine__attempt_pause(struct koine__attempt *attempt);
void koine__attempt_resume(struct koine__attempt *attempt);
bool koine__attempt_answered(const struct koine__attempt *attempt);
void koine__attempt_free(struct koine__attempt *attempt); /* NULL is fine; cancels whatever is under way */

#endif
