/* route: see route.h. */
#include "core/policy/route.h"

#include "core/base/clock.h"

void koine__route_start(struct koine__route_state *state, size_t count, unsigned max_attempts)
{
    *state = (struct koine__route_state){.count = count, .max_attempts = max_attempts};
}

static bool is_asked(const struct koine__route_state *state, size_t index)
{
    return state->asked_early == index + 1;
}

unsigned koine__route_untried(const struct koine__route_state *state)
{
    size_t untried = state->current < state->count ? state->count - state->current - 1 : 0;
    return (unsigned)(state->asked_early > state->current + 1 ? untried - 1 : untried);
}

unsigned koine__route_attempts_left(const struct koine__route_state *state)
{
    unsigned taken = state->attempts + koine__route_untried(state);
    return taken < state->max_attempts ? state->max_attempts - taken : 0;
}

static size_t first_larger(const struct koine__route_state *state,
                           int64_t (*window)(const void *arg, size_t index), const void *arg)
{
    int64_t current = window(arg, state->current);
    for (size_t i = state->current + 1; i < state->count; i++) {
        /* Of an unknown window nobody can say that it is larger. */
        if (current >= 0 && window(arg, i) > current && !is_asked(state, i))
            return i;
    }
    return state->count;
}

static bool has(uint32_t classes, int class_number)
{
    return class_number > 0 && class_number < 32 && (classes & (UINT32_C(1) << class_number));
}

bool koine__route_moves(const struct koine__typed_fallback *typed, int class_number)
{
    enum koine__next next = koine__fault_class(class_number)->next;
    if (next == KOINE__NEXT_OPT_IN)
        return has(typed->moves, class_number);
    return next != KOINE__NEXT_NO && !has(typed->stays, class_number);
}

size_t koine__route_next(const struct koine__route_state *state, const struct koine__fault *fault,
                         int64_t (*window)(const void *arg, size_t index), const void *arg)
{
    if (state->current + 1 >= state->count || state->attempts >= state->max_attempts)
        return state->count;
    if (!koine__route_moves(&state->typed, fault->class_number))
        return state->count;
    if (koine__fault_class(fault->class_number)->next == KOINE__NEXT_LARGER)
        return first_larger(state, window, arg);
    size_t next = state->current + 1;
    return is_asked(state, next) ? next + 1 : next;
}

void koine__route_move(struct koine__route_state *state, size_t index)
{
    state->current = index;
}

int64_t koine__route_share(unsigned untried, int64_t now, int64_t deadline)
{
    if (deadline == KOINE__NEVER)
        return KOINE__NEVER;
    int64_t left = deadline > now ? deadline - now : 0;
    return left / ((int64_t)untried + 1);
}
