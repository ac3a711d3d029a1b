/* policies: see policies.h. The table is an array in order of kind and key. */
#include "core/policy/policies.h"

#include "core/base/mem.h"
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

struct koine__state {
    enum koine__state_kind kind;
    char *instance, *plugin, *base_url; /* "" where it is kept by something else */
    uint64_t key;
    size_t holders;
    struct koine__limiter *limiter; /* those of its kind */
    struct koine__latches *latches;
    struct koine__breaker *breaker;
    struct koine__retry_budget retry_budget;
    struct koine__pace pace[2];
};
struct koine__states {
    pthread_mutex_t mutex;
    atomic_int references;
    bool orphaned;
    size_t count, capacity;
    struct koine__state **items;
};
struct name { /* what a state is found by */
    enum koine__state_kind kind;
    const char *instance, *plugin, *base_url;
    uint64_t key;
};

struct koine__states *koine__states_new(void)
{
    struct koine__states *states = koine__alloc(sizeof(*states));
    if (states && pthread_mutex_init(&states->mutex, NULL) != 0) {
        koine__dealloc(states);
        return NULL;
    }
    if (states)
        atomic_init(&states->references, 1);
    return states;
}

struct koine__states *koine__states_ref(struct koine__states *states)
{
    atomic_fetch_add(&states->references, 1);
    return states;
}

void koine__states_unref(struct koine__states *states)
{
    if (!states || atomic_fetch_sub(&states->references, 1) > 1)
        return;
    koine__dealloc(states->items);
    pthread_mutex_destroy(&states->mutex);
    koine__dealloc(states);
}

void koine__states_orphan(struct koine__states *states)
{
    states->orphaned = true;
}

static void lock(struct koine__states *states)
{
    if (!states->orphaned)
        pthread_mutex_lock(&states->mutex);
}

static void unlock(struct koine__states *states)
{
    if (!states->orphaned)
        pthread_mutex_unlock(&states->mutex);
}

/* A 401 says something of a key at a server, a 404 of a model there: another server is asked anew. */
static struct name name_of(const struct koine__states_key *key, enum koine__state_kind kind)
{
    const char *instance = kind == KOINE__STATE_OF_SERVER ? NULL : key->instance;
    const char *plugin = kind == KOINE__STATE_OF_KEY ? NULL : key->plugin;
    const char *base_url = kind == KOINE__STATE_OF_KEY ? NULL : key->base_url;
    return (struct name){kind, instance ? instance : "", plugin ? plugin : "", base_url ? base_url : "",
                         kind == KOINE__STATE_OF_KEY ? key->key : 0};
}

static int compare(const struct koine__state *state, const struct name *name)
{
    if (state->kind != name->kind)
        return state->kind < name->kind ? -1 : 1;
    if (state->key != name->key)
        return state->key < name->key ? -1 : 1;
    int order = strcmp(state->instance, name->instance);
    if (order == 0)
        order = strcmp(state->plugin, name->plugin);
    return order ? order : strcmp(state->base_url, name->base_url);
}

/* Where it is, or where it belongs. */
static size_t place_of(const struct koine__states *states, const struct name *name)
{
    size_t low = 0, high = states->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare(states->items[middle], name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void free_state(struct koine__state *state)
{
    koine__limiter_free(state->limiter);
    koine__latches_free(state->latches);
    koine__breaker_free(state->breaker);
    for (size_t i = 0; i < 2; i++)
        koine__pace_release(&state->pace[i]);
    koine__dealloc(state->instance);
    koine__dealloc(state->plugin);
    koine__dealloc(state->base_url);
    koine__dealloc(state);
}

static bool fill_state(struct koine__state *state, const struct koine__limiter_config *limits)
{
    switch (state->kind) {
    case KOINE__STATE_OF_KEY:
        return koine__limiter_new(limits, &state->limiter) == KOINE_OK;
    case KOINE__STATE_OF_INSTANCE:
        return (state->latches = koine__latches_new()) != NULL;
    default:
        return (state->breaker = koine__breaker_new()) != NULL;
    }
}

static struct koine__state *make_state(const struct name *name, const struct koine__limiter_config *limits)
{
    struct koine__state *state = koine__alloc(sizeof(*state));
    if (!state)
        return NULL;
    for (size_t i = 0; i < 2; i++)
        koine__pace_init(&state->pace[i]);
    state->kind = name->kind;
    state->key = name->key;
    state->instance = koine__strdup(name->instance);
    state->plugin = koine__strdup(name->plugin);
    state->base_url = koine__strdup(name->base_url);
    if (state->instance && state->plugin && state->base_url && fill_state(state, limits))
        return state;
    free_state(state);
    return NULL;
}

static struct koine__state *hold_state(struct koine__states *states, const struct name *name,
                                       const struct koine__limiter_config *limits)
{
    size_t at = place_of(states, name);
    void *items = states->items;
    if (at < states->count && compare(states->items[at], name) == 0) {
        states->items[at]->holders++;
        return states->items[at];
    }
    if (koine__array_reserve(&items, &states->capacity, states->count + 1, sizeof(*states->items)) !=
        KOINE_OK)
        return NULL;
    states->items = items;
    struct koine__state *state = make_state(name, limits);
    if (!state)
        return NULL;
    memmove(states->items + at + 1, states->items + at, (states->count - at) * sizeof(*states->items));
    states->items[at] = state;
    states->count++;
    state->holders = 1;
    return state;
}

static void drop_state(struct koine__states *states, struct koine__state *state)
{
    struct name name = {state->kind, state->instance, state->plugin, state->base_url, state->key};
    if (--state->holders > 0)
        return;
    size_t at = place_of(states, &name);
    states->count--;
    memmove(states->items + at, states->items + at + 1, (states->count - at) * sizeof(*states->items));
    free_state(state);
}

static void set_pointers(struct koine__policies *policies)
{
    struct koine__state *const *held = policies->held;
    policies->limiter = held[KOINE__STATE_OF_KEY] ? held[KOINE__STATE_OF_KEY]->limiter : NULL;
    policies->latches = held[KOINE__STATE_OF_INSTANCE] ? held[KOINE__STATE_OF_INSTANCE]->latches : NULL;
    policies->breaker = held[KOINE__STATE_OF_SERVER] ? held[KOINE__STATE_OF_SERVER]->breaker : NULL;
    policies->pace = held[KOINE__STATE_OF_SERVER] ? held[KOINE__STATE_OF_SERVER]->pace : NULL;
    policies->retry_budget =
        held[KOINE__STATE_OF_SERVER] ? &held[KOINE__STATE_OF_SERVER]->retry_budget : NULL;
}

int koine__states_hold(struct koine__states *states, const struct koine__states_key *key,
                       const struct koine__limiter_config *limits, struct koine__policies *ret)
{
    struct koine__state *held[KOINE__STATE_KINDS] = {NULL};
    bool all = true;
    lock(states);
    for (enum koine__state_kind kind = 0; kind < KOINE__STATE_KINDS && all; kind++) {
        struct name name = name_of(key, kind);
        held[kind] = hold_state(states, &name, limits);
        all = held[kind] != NULL;
    }
    for (size_t i = 0; i < KOINE__STATE_KINDS && !all; i++)
        if (held[i])
            drop_state(states, held[i]);
    unlock(states);
    if (!all)
        return KOINE_EMEMORY;
    memcpy(ret->held, held, sizeof(held));
    set_pointers(ret);
    return KOINE_OK;
}

void koine__states_drop(struct koine__states *states, struct koine__policies *policies)
{
    lock(states);
    for (size_t i = 0; i < KOINE__STATE_KINDS; i++) {
        if (policies->held[i])
            drop_state(states, policies->held[i]);
        policies->held[i] = NULL;
    }
    unlock(states);
    set_pointers(policies);
}
