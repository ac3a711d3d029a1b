/* call: one generate (or list_models) from its start to its single terminal event.
 *
 * It owns an array of attempts, of which any number may be under way at once; the first that commits is the
 * one whose events are delivered, and the others are ended. Before the commit point retries and moves are
 * invisible; after it nothing is retried or moved. [the client's thread]
 */
#ifndef KOINE_CORE_ENGINE_CALL_H
#define KOINE_CORE_ENGINE_CALL_H

#include "core/engine/attempt.h"
#include "core/engine/cancel.h"
#include "core/engine/document.h"
#include "core/policy/route.h"

enum koine__operation {
    KOINE__OP_GENERATE,
    KOINE__OP_LIST_MODELS
};

struct koine__calls { /* the calls of one client */
    struct koine__engine *engine;
    struct koine_client *client;            /* whose they are, for getters; may be NULL */
    struct koine_call *first;               /* all that are not freed */
    struct koine_call *ready, **ready_last; /* those with an event to read, first come first served */
};
void koine__calls_init(struct koine__calls *calls, struct koine__engine *engine, struct koine_client *client);
/* The next event, or NULL. The caller owns it. */
struct koine_event *koine__calls_next(struct koine__calls *calls, struct koine_call **ret_call);

struct koine__call_spec {
    enum koine__operation operation;
    const struct koine__route *route; /* copied; its targets are borrowed from `plan` */
    const struct koine__catalogue *catalogue;
    struct koine__document *document; /* the call's own once it is started; NULL: the operation has none */
    struct koine__purse *purse;       /* likewise; NULL: no budget */
    const struct koine__approval *approval; /* copied; NULL: nothing is asked */
    bool stream;
    bool untold;      /* only the answer is wanted: nobody reads its events */
    int64_t deadline; /* ns from now */
    int64_t min_attempt;
    koine_canceller *canceller; /* may be NULL */
    void *user;
    const char *run; /* copied; NULL: none */
    const char *ca_file, *proxy;
    struct koine__way *way; /* borrowed: of the first attempt; NULL: nobody asks */
    /* Keeps what is borrowed alive; released when the call is freed. */
    void *plan;
    void (*release_plan)(void *plan);
};

enum koine__approval_state {
    KOINE__APPROVAL_OPEN,
    KOINE__APPROVAL_AWAITED,
    KOINE__APPROVAL_DONE /* or there was nothing to ask */
};

struct koine_call {
    struct koine__calls *calls;
    struct koine__call_spec spec;
    struct koine__route route;
    struct koine_call *next, *prev, *ready_next;
    bool is_ready, finished, cancelling;
    bool starting; /* koine__call_new is under way */
    char id[24];
    char *run;

    struct koine__approval approval;
    enum koine__approval_state approval_state;
    int64_t worst; /* what it could cost, once that was asked; -1: nobody knows */

    struct koine__document *document;
    struct koine__purse *purse;
    struct koine__route_state route_state;
    struct koine__retry_state retry;
    int64_t retry_cost; /* what the next attempt has taken from the retry budget of retry_target's server */
    const struct koine__target *retry_target;
    bool has_hedged;
    size_t hedged_from;                     /* the target that was current then */
    struct koine__retry_state hedged_retry; /* of that target */
    struct koine__exchange_state step;      /* of the current target */

    struct koine__attempt **attempts; /* under way */
    size_t attempt_count, attempt_capacity;
    struct koine__attempt *committed;
    struct koine__attempt *decisive; /* ended: what becomes of the call when the others have ended too */
    bool out_of_memory;              /* a row of the ledger was lost */
    unsigned retries, fallbacks;     /* for the log */
    int recorded;                    /* attempts that have a row: the last one's number */
    struct koine__ledger ledger;
    struct koine_response *steps; /* what the steps before this one answered */

    struct koine__timer deadline_timer, wait_timer, hedge_timer;
    struct koine__watch cancel_watch;
    int64_t began, deadline;
    int64_t work; /* koine__work_begin's */
    bool first_fault_known;
    const struct koine__fault *fault, *first_fault; /* the newest; the first target's last one */
    const struct koine__target *fault_target, *first_fault_target;

    struct koine__events events;  /* delivered, not yet read */
    struct koine_event *terminal; /* kept for the end */
    struct koine_response *answer;
    koine_error *error;
};

/* KOINE_EMEMORY, KOINE_ESYSTEM. On failure document, purse and plan stay the caller's. */
int koine__call_new(struct koine__calls *calls, const struct koine__call_spec *spec, struct koine_call **ret,
                    koine_error **ret_error);
void koine__call_cancel(struct koine_call *call);
/* The answer to a call that waits for one; KOINE_EARGUMENT: it does not. */
int koine__call_approve(struct koine_call *call, bool yes);
void koine__call_destroy(struct koine_call *call);
/* Starts another attempt at the next target while one is under way (hedging), though that waits in no line;
 * 0, or KOINE_ENOTFOUND: there is none. */
int koine__call_hedge(struct koine_call *call);

#endif
