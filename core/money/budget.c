/* budget: see budget.h. */
#include "core/money/budget.h"

#include "core/base/mem.h"
#include "core/money/price.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define USD_SIZE 40

/* ---- one budget ---- */

void koine__budget_init(struct koine__budget *budget, const char *scope, int64_t limit)
{
    *budget = (struct koine__budget){.mutex = PTHREAD_MUTEX_INITIALIZER, .scope = scope, .limit = limit};
}

void koine__budget_release(struct koine__budget *budget)
{
    if (pthread_mutex_trylock(&budget->mutex) != 0) /* by a thread that a child of fork does not have */
        return;
    pthread_mutex_unlock(&budget->mutex);
    pthread_mutex_destroy(&budget->mutex);
}

void koine__budget_set_limit(struct koine__budget *budget, int64_t limit)
{
    pthread_mutex_lock(&budget->mutex);
    budget->limit = limit;
    pthread_mutex_unlock(&budget->mutex);
}

static struct koine__budget_view view_of(const struct koine__budget *budget)
{
    return (struct koine__budget_view){.scope = budget->scope,
                                       .limit = budget->limit,
                                       .spent = budget->spent,
                                       .reserved = budget->reserved,
                                       .overshot = budget->overshot};
}

void koine__budget_look(struct koine__budget *budget, struct koine__budget_view *ret)
{
    pthread_mutex_lock(&budget->mutex);
    *ret = view_of(budget);
    pthread_mutex_unlock(&budget->mutex);
}

static int64_t sum(int64_t a, int64_t b) /* of what is not negative; stops at the largest number */
{
    int64_t result;
    return __builtin_add_overflow(a, b, &result) ? INT64_MAX : result;
}

int64_t koine__budget_left(const struct koine__budget_view *view)
{
    int64_t taken = sum(view->spent, view->reserved);
    return taken < view->limit ? view->limit - taken : 0;
}

static bool bears(const struct koine__budget *budget, int64_t amount)
{
    int64_t taken;
    return !__builtin_add_overflow(budget->spent, budget->reserved, &taken) &&
           !__builtin_add_overflow(taken, amount, &taken) && taken <= budget->limit;
}

/* ---- all of a call's ---- */

struct koine__purse *koine__purse_new(const struct koine__budget_config *config)
{
    struct koine__purse *purse = koine__alloc(sizeof(*purse));
    if (!purse)
        return NULL;
    purse->allow_unpriced = config->allow_unpriced;
    purse->typical = config->typical;
    koine__budget_init(&purse->call, "call", config->call);
    if (config->call >= 0)
        koine__purse_add(purse, &purse->call);
    return purse;
}

void koine__purse_free(struct koine__purse *purse)
{
    if (!purse)
        return;
    koine__budget_release(&purse->call);
    koine__dealloc(purse);
}

void koine__purse_add(struct koine__purse *purse, struct koine__budget *budget)
{
    purse->budgets[purse->count++] = budget;
}

bool koine__purse_look(struct koine__purse *purse, const char *scope, struct koine__budget_view *ret)
{
    for (size_t i = 0; i < purse->count; i++) {
        if (strcmp(purse->budgets[i]->scope, scope) != 0)
            continue;
        koine__budget_look(purse->budgets[i], ret);
        return true;
    }
    return false;
}

int64_t koine__purse_left(struct koine__purse *purse)
{
    int64_t least = KOINE__NO_LIMIT;
    for (size_t i = 0; i < purse->count; i++) {
        struct koine__budget_view view;
        koine__budget_look(purse->budgets[i], &view);
        int64_t left = view.limit == KOINE__NO_LIMIT ? view.limit : koine__budget_left(&view);
        if (left < least)
            least = left;
    }
    return least;
}

bool koine__purse_refuses_unknown(struct koine__purse *purse, bool unpriced)
{
    return koine__purse_left(purse) != KOINE__NO_LIMIT && !(unpriced && purse->allow_unpriced);
}

static void lock_all(struct koine__purse *purse)
{
    for (size_t i = 0; i < purse->count; i++)
        pthread_mutex_lock(&purse->budgets[i]->mutex);
}

static void unlock_all(struct koine__purse *purse)
{
    for (size_t i = purse->count; i-- > 0;)
        pthread_mutex_unlock(&purse->budgets[i]->mutex);
}

bool koine__purse_reserve(struct koine__purse *purse, int64_t amount, struct koine__budget_view *ret_refused)
{
    size_t refused = 0;
    lock_all(purse);
    while (refused < purse->count && bears(purse->budgets[refused], amount))
        refused++;
    bool granted = refused == purse->count;
    for (size_t i = 0; granted && i < purse->count; i++)
        purse->budgets[i]->reserved += amount;
    if (!granted)
        *ret_refused = view_of(purse->budgets[refused]);
    unlock_all(purse);
    return granted;
}

void koine__purse_settle(struct koine__purse *purse, int64_t reserved, int64_t actual)
{
    lock_all(purse);
    for (size_t i = 0; i < purse->count; i++) {
        struct koine__budget *budget = purse->budgets[i];
        budget->reserved -= reserved;
        budget->spent = sum(budget->spent, actual);
        if (actual > reserved)
            budget->overshot = sum(budget->overshot, actual - reserved);
    }
    unlock_all(purse);
}

void koine__purse_cancel(struct koine__purse *purse, int64_t reserved)
{
    koine__purse_settle(purse, reserved, 0);
}

/* ---- the stage ---- */

static enum koine__pass refuse_unknown(const struct koine__ticket *ticket, struct koine__fault *ret_fault)
{
    const struct koine__stake *stake = &ticket->stake;
    koine__fault_set(ret_fault, KOINE_CLASS_BUDGET, "",
                     "there is a budget, and nobody knows what %s/%s could cost: %s", ticket->instance,
                     ticket->model, stake->unknown ? stake->unknown : "its price is not known");
    snprintf(ret_fault->code, sizeof(ret_fault->code), "%s", stake->unpriced ? "unpriced" : "unbounded");
    return KOINE__PASS_REFUSE;
}

/* What would make it fit: fewer tokens of answer, where one at least can be paid. */
static void write_remedy(const struct koine__ticket *ticket, int64_t left, char *ret, size_t size)
{
    const struct koine__stake *stake = &ticket->stake;
    int64_t for_answer = left - stake->prompt;
    ret[0] = '\0';
    if (stake->rate <= 0)
        return;
    if (for_answer >= stake->rate)
        snprintf(ret, size, "; with max_tokens of %" PRId64 " it would fit", for_answer / stake->rate);
    else
        snprintf(ret, size, "; no max_tokens is small enough");
}

static enum koine__pass refuse_dear(const struct koine__ticket *ticket,
                                    const struct koine__budget_view *refused, struct koine__fault *ret_fault)
{
    char limit[USD_SIZE], spent[USD_SIZE], reserved[USD_SIZE], worst[USD_SIZE], left[USD_SIZE], remedy[80];
    koine__write_usd(refused->limit, limit, sizeof(limit));
    koine__write_usd(refused->spent, spent, sizeof(spent));
    koine__write_usd(refused->reserved, reserved, sizeof(reserved));
    koine__write_usd(ticket->worst, worst, sizeof(worst));
    koine__write_usd(koine__budget_left(refused), left, sizeof(left));
    write_remedy(ticket, koine__budget_left(refused), remedy, sizeof(remedy));
    koine__fault_set(ret_fault, KOINE_CLASS_BUDGET, "",
                     "the %s's budget of $%s would be overspent: $%s is spent, $%s reserved, $%s left, and "
                     "%s/%s could cost $%s%s",
                     refused->scope, limit, spent, reserved, left, ticket->instance, ticket->model, worst,
                     remedy);
    snprintf(ret_fault->code, sizeof(ret_fault->code), "%s", refused->scope);
    return KOINE__PASS_REFUSE;
}

static enum koine__pass enter(void *self, struct koine__ticket *ticket, int64_t now,
                              struct koine__fault *ret_fault)
{
    struct koine__stake *stake = &ticket->stake;
    struct koine__budget_view refused;
    (void)self;
    (void)now;
    if (!stake->purse)
        return KOINE__PASS_GO;
    if (ticket->worst < 0 && koine__purse_refuses_unknown(stake->purse, stake->unpriced))
        return refuse_unknown(ticket, ret_fault);
    int64_t amount = ticket->worst < 0 ? 0 : ticket->worst;
    if (!koine__purse_reserve(stake->purse, amount, &refused))
        return refuse_dear(ticket, &refused, ret_fault);
    stake->reserved = amount;
    stake->holds = true;
    return KOINE__PASS_GO;
}

static void leave(void *self, struct koine__ticket *ticket, const struct koine__outcome *outcome, int64_t now)
{
    struct koine__stake *stake = &ticket->stake;
    (void)self;
    (void)now;
    if (!stake->holds)
        return;
    stake->holds = false;
    if (!outcome->sent)
        koine__purse_cancel(stake->purse, stake->reserved);
    else
        koine__purse_settle(stake->purse, stake->reserved,
                            outcome->cost >= 0 ? outcome->cost : stake->reserved);
}

/* What an attempt may cost is reckoned when there is one. */
static enum koine__pass foresee(void *self, struct koine__ticket *ticket, int64_t now,
                                struct koine__fault *ret_fault)
{
    (void)self;
    (void)now;
    (void)ret_fault;
    return ticket->stake.purse ? KOINE__PASS_WAIT : KOINE__PASS_GO;
}

const struct koine__gate_stage koine__budget_stage = {.foresee = foresee, .enter = enter, .leave = leave};
