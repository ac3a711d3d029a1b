/* breaker: see breaker.h. The state and its generation are one word, which is changed under the lock and read
 * without it. */
#include "core/policy/breaker_history.h"

#include "core/base/mem.h"
#include <pthread.h>
#include <stdatomic.h>

struct lease {
    uint32_t number; /* of its pass; 0: free */
    int64_t until;
};
struct koine__breaker {
    _Atomic uint64_t word;
    atomic_bool again; /* it was opened by a probe */
    pthread_mutex_t mutex;
    int64_t latest;     /* the time that was seen last */
    int64_t until;      /* open so long */
    int64_t succeeded;  /* probes of this generation */
    uint32_t last_pass; /* number of the last probe */
    size_t lent;        /* of the leases, those in use and those before them */
    struct lease leases[KOINE__BREAKER_PROBES];
    struct koine__breaker_history history;
};

static enum koine__breaker_state state_of(uint64_t word)
{
    return (enum koine__breaker_state)(word & 3);
}

static uint64_t generation_of(uint64_t word)
{
    return word >> 2;
}

static uint64_t read_word(const struct koine__breaker *breaker)
{
    return atomic_load_explicit(&breaker->word, memory_order_acquire);
}

struct koine__breaker *koine__breaker_new(void)
{
    struct koine__breaker *breaker = koine__alloc(sizeof(*breaker));
    if (breaker && pthread_mutex_init(&breaker->mutex, NULL) != 0) {
        koine__dealloc(breaker);
        return NULL;
    }
    if (breaker)
        atomic_init(&breaker->word, (UINT64_C(1) << 2) | KOINE__BREAKER_CLOSED); /* a pass of 0 is none */
    return breaker;
}

void koine__breaker_free(struct koine__breaker *breaker)
{
    if (!breaker)
        return;
    pthread_mutex_destroy(&breaker->mutex);
    koine__dealloc(breaker);
}

static int64_t within(int64_t value, int64_t most)
{
    return value < 1 ? 1 : value > most ? most : value;
}

static int64_t latest(struct koine__breaker *breaker, int64_t now)
{
    breaker->latest = now > breaker->latest ? now : breaker->latest;
    return breaker->latest;
}

static void change_to(struct koine__breaker *breaker, const struct koine__breaker_config *config, int64_t now,
                      enum koine__breaker_state state, struct koine__breaker_change *ret)
{
    uint64_t word = read_word(breaker);
    *ret = (struct koine__breaker_change){.from = state_of(word), .to = state};
    breaker->succeeded = 0;
    breaker->lent = 0;
    koine__breaker_history_forget(&breaker->history);
    if (state == KOINE__BREAKER_OPEN) {
        ret->until = breaker->until = koine__time_add(now, config->open_for);
        atomic_store_explicit(&breaker->again, ret->from == KOINE__BREAKER_HALF_OPEN, memory_order_relaxed);
    }
    atomic_store_explicit(&breaker->word, (generation_of(word) + 1) << 2 | (uint64_t)state,
                          memory_order_release);
}

/* A place for a probe, or NULL and when the first of those under way must be back. */
static struct lease *free_lease(struct koine__breaker *breaker, int64_t probes, int64_t now,
                                int64_t *ret_until)
{
    struct lease *place = NULL;
    int64_t under_way = 0, until = KOINE__NEVER;
    for (size_t i = 0; i < breaker->lent; i++) {
        struct lease *lease = &breaker->leases[i];
        bool held = lease->number && lease->until > now;
        under_way += held;
        if (held && lease->until < until)
            until = lease->until;
        if (!held && !place)
            place = lease;
    }
    if (under_way < within(probes, KOINE__BREAKER_PROBES))
        return place ? place : &breaker->leases[breaker->lent];
    *ret_until = until;
    return NULL;
}

enum koine__breaker_state koine__breaker_look(struct koine__breaker *breaker,
                                              const struct koine__breaker_config *config, int64_t now,
                                              int64_t *ret_until)
{
    *ret_until = now;
    if (config->failures < 0 || state_of(read_word(breaker)) == KOINE__BREAKER_CLOSED)
        return KOINE__BREAKER_CLOSED;
    pthread_mutex_lock(&breaker->mutex);
    int64_t seen = now > breaker->latest ? now : breaker->latest;
    enum koine__breaker_state state = state_of(read_word(breaker));
    if (state == KOINE__BREAKER_HALF_OPEN)
        free_lease(breaker, config->probes, seen, ret_until);
    else if (state == KOINE__BREAKER_OPEN && seen >= breaker->until)
        state = KOINE__BREAKER_HALF_OPEN;
    else if (state == KOINE__BREAKER_OPEN)
        *ret_until = breaker->until;
    pthread_mutex_unlock(&breaker->mutex);
    return state;
}

/* Leases that are over are taken back, so that who comes too late finds none. */
static bool lend(struct koine__breaker *breaker, int64_t probes, int64_t now, int64_t lease_until,
                 uint32_t *ret_number, int64_t *ret_until)
{
    struct lease *lease = free_lease(breaker, probes, now, ret_until);
    for (size_t i = 0; i < breaker->lent; i++)
        if (breaker->leases[i].until <= now)
            breaker->leases[i].number = 0;
    if (!lease)
        return false;
    int64_t least = koine__time_add(now, KOINE__BREAKER_LEASE);
    breaker->lent += lease == &breaker->leases[breaker->lent];
    breaker->last_pass += breaker->last_pass == UINT32_MAX ? 2 : 1;
    *lease = (struct lease){breaker->last_pass, lease_until > least ? lease_until : least};
    *ret_number = lease->number;
    return true;
}

static bool enter_locked(struct koine__breaker *breaker, const struct koine__breaker_config *config,
                         int64_t now, int64_t lease_until, struct koine__breaker_pass *ret,
                         int64_t *ret_until, struct koine__breaker_change *ret_change)
{
    enum koine__breaker_state state = state_of(read_word(breaker));
    now = latest(breaker, now);
    if (state == KOINE__BREAKER_OPEN && now < breaker->until) {
        *ret_until = breaker->until;
        return false;
    }
    if (state == KOINE__BREAKER_OPEN)
        change_to(breaker, config, now, KOINE__BREAKER_HALF_OPEN, ret_change);
    if (state != KOINE__BREAKER_CLOSED &&
        !lend(breaker, config->probes, now, lease_until, &ret->probe, ret_until))
        return false;
    ret->generation = generation_of(read_word(breaker));
    return true;
}

bool koine__breaker_enter(struct koine__breaker *breaker, const struct koine__breaker_config *config,
                          int64_t now, int64_t lease_until, struct koine__breaker_pass *ret,
                          int64_t *ret_until, struct koine__breaker_change *ret_change)
{
    *ret = (struct koine__breaker_pass){0};
    *ret_change = (struct koine__breaker_change){0};
    *ret_until = now;
    if (config->failures < 0)
        return true;
    uint64_t word = read_word(breaker);
    if (state_of(word) == KOINE__BREAKER_CLOSED) {
        ret->generation = generation_of(word);
        return true;
    }
    pthread_mutex_lock(&breaker->mutex);
    bool passes = enter_locked(breaker, config, now, lease_until, ret, ret_until, ret_change);
    pthread_mutex_unlock(&breaker->mutex);
    return passes;
}

static bool is_too_much(struct koine__breaker *breaker, const struct koine__breaker_config *config,
                        int64_t now)
{
    int64_t nth = within(config->failures, KOINE__BREAKER_MOST);
    int64_t at = koine__breaker_history_failure(&breaker->history, nth);
    if (config->failures < 0 || at < 0 || at < now - config->window)
        return false;
    struct koine__breaker_count count = koine__breaker_history_count(&breaker->history, config->window, now);
    int64_t calls = count.failures + count.successes;
    return calls >= config->min_calls && count.failures * 1000000 >= config->ratio * calls;
}

static bool give_back(struct koine__breaker *breaker, uint32_t number)
{
    for (size_t i = 0; i < breaker->lent; i++) {
        if (breaker->leases[i].number != number)
            continue;
        breaker->leases[i].number = 0;
        return true;
    }
    return false;
}

/* True: the pass may be judged again. */
static bool judge_probe(struct koine__breaker *breaker, const struct koine__breaker_config *config,
                        int64_t now, struct koine__breaker_pass *pass, enum koine__verdict verdict,
                        struct koine__breaker_change *ret_change)
{
    bool probe = pass->probe != 0;
    if (probe && !give_back(breaker, pass->probe))
        return false;
    pass->probe = 0;
    if (verdict == KOINE__VERDICT_FAILURE)
        change_to(breaker, config, now, KOINE__BREAKER_OPEN, ret_change);
    if (verdict != KOINE__VERDICT_SUCCESS)
        return false;
    if (probe && ++breaker->succeeded >= config->successes_to_close)
        change_to(breaker, config, now, KOINE__BREAKER_CLOSED, ret_change);
    pass->generation = generation_of(read_word(breaker));
    return true;
}

static bool judge(struct koine__breaker *breaker, const struct koine__breaker_config *config, int64_t now,
                  struct koine__breaker_pass *pass, enum koine__verdict verdict,
                  struct koine__breaker_change *ret_change)
{
    uint64_t word = read_word(breaker);
    now = latest(breaker, now);
    if (pass->generation != generation_of(word))
        return false;
    if (state_of(word) == KOINE__BREAKER_HALF_OPEN)
        return judge_probe(breaker, config, now, pass, verdict, ret_change);
    bool failed = verdict == KOINE__VERDICT_FAILURE;
    koine__breaker_history_add(&breaker->history, config->window, now, failed);
    if (failed && is_too_much(breaker, config, now))
        change_to(breaker, config, now, KOINE__BREAKER_OPEN, ret_change);
    return !failed;
}

void koine__breaker_record(struct koine__breaker *breaker, const struct koine__breaker_config *config,
                           int64_t now, struct koine__breaker_pass *pass, enum koine__verdict verdict,
                           struct koine__breaker_change *ret_change)
{
    *ret_change = (struct koine__breaker_change){0};
    bool says_nothing = verdict == KOINE__VERDICT_NONE && !pass->probe;
    if (says_nothing || pass->generation != generation_of(read_word(breaker))) {
        *pass = (struct koine__breaker_pass){0};
        return;
    }
    pthread_mutex_lock(&breaker->mutex);
    bool lives = judge(breaker, config, now, pass, verdict, ret_change);
    pthread_mutex_unlock(&breaker->mutex);
    if (!lives)
        *pass = (struct koine__breaker_pass){0};
}

bool koine__breaker_failed_again(struct koine__breaker *breaker)
{
    return atomic_load_explicit(&breaker->again, memory_order_relaxed);
}

enum koine__verdict koine__verdict_of(int class_number)
{
    if (class_number == KOINE_CLASS_NONE)
        return KOINE__VERDICT_SUCCESS;
    return koine__fault_class(class_number)->breaker ? KOINE__VERDICT_FAILURE : KOINE__VERDICT_NONE;
}

const char *koine__breaker_state_name(enum koine__breaker_state state)
{
    static const char *const names[] = {"closed", "open", "half_open"};
    return names[state];
}
