/* policies: what holds where an attempt goes: the state that is kept there, and the settings it is judged by.
 *
 * State is found in a hub's table by what it is kept by (DESIGN section 6): limiter and pauses by instance
 * and key, latches by instance, plugin and base URL (and in it by key and model), breaker, retry budget and
 * pace by plugin and base URL. It is counted: a configuration that names it keeps it, and a new one that
 * names the same finds it as it was. What nobody names any more is gone.
 */
#ifndef KOINE_CORE_POLICY_POLICIES_H
#define KOINE_CORE_POLICY_POLICIES_H

#include "core/policy/breaker.h"
#include "core/policy/latch.h"
#include "core/policy/limiter.h"
#include "core/policy/pace.h"
#include "core/policy/retry_budget.h"

struct koine__state; /* the table's own: what is kept by one key, and by how many it is held */
enum koine__state_kind {
    KOINE__STATE_OF_KEY,      /* of an instance: limiter */
    KOINE__STATE_OF_INSTANCE, /* latches */
    KOINE__STATE_OF_SERVER,   /* breaker, retry budget, pace */
    KOINE__STATE_KINDS
};
struct koine__policies {
    struct koine__limiter *limiter; /* NULL: nothing is limited; likewise the others */
    struct koine__breaker *breaker;
    struct koine__retry_budget *retry_budget;
    struct koine__latches *latches;
    struct koine__pace *pace; /* two: of whole answers, and of streams */
    struct koine__breaker_config breaking;
    int64_t retry_capacity;                        /* of the retry budget; -1: none */
    int64_t latch;                                 /* how long one holds, ns; 0 or -1: none is set */
    struct koine__state *held[KOINE__STATE_KINDS]; /* NULL: not of a table */
};

struct koine__states;                          /* a hub's table */
struct koine__states *koine__states_new(void); /* NULL: no memory */
struct koine__states *koine__states_ref(struct koine__states *states);
void koine__states_unref(
    struct koine__states *states); /* the last one when nobody holds any of it; NULL is fine */
/* In a child after fork, where no other thread runs and any lock may be held for ever: none is taken any
 * more.
 */
void koine__states_orphan(struct koine__states *states);
struct koine__states_key {
    const char *instance, *plugin, *base_url; /* copied; NULL is "" */
    uint64_t key;                             /* fingerprint of the credential; 0: none */
};
/* Fills the state's five pointers and `held`, making what is not there yet, a limiter with these limits; one
 * that is there keeps its own until koine__limiter_configure. Nothing else of *ret is touched. [any thread]
 * KOINE_EMEMORY: nothing is held. */
int koine__states_hold(struct koine__states *states, const struct koine__states_key *key,
                       const struct koine__limiter_config *limits, struct koine__policies *ret);
/* Gives them up, and sets them NULL; fine if they are. [any thread] */
void koine__states_drop(struct koine__states *states, struct koine__policies *policies);

#endif
