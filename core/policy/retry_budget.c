/* retry_budget: see retry_budget.h. Nothing else depends on the count, so no order of memory is asked for. */
#include "core/policy/retry_budget.h"

#define COST         10
#define COST_ADVISED 5

int64_t koine__retry_cost(const struct koine__fault *fault)
{
    return fault->retry_after_ns >= 0 ? COST_ADVISED : COST;
}

bool koine__retry_budget_take(struct koine__retry_budget *budget, int64_t capacity, int64_t cost)
{
    if (capacity < 0)
        return true;
    int64_t taken = atomic_load_explicit(&budget->taken, memory_order_relaxed);
    do {
        if (taken > capacity - cost) /* more may be taken than there is, where settings changed */
            return false;
    } while (!atomic_compare_exchange_weak_explicit(&budget->taken, &taken, taken + cost,
                                                    memory_order_relaxed, memory_order_relaxed));
    return true;
}

void koine__retry_budget_give(struct koine__retry_budget *budget, int64_t cost)
{
    int64_t taken = atomic_load_explicit(&budget->taken, memory_order_relaxed);
    while (taken > 0 &&
           !atomic_compare_exchange_weak_explicit(&budget->taken, &taken, taken > cost ? taken - cost : 0,
                                                  memory_order_relaxed, memory_order_relaxed))
        ;
}

int64_t koine__retry_budget_left(const struct koine__retry_budget *budget, int64_t capacity)
{
    int64_t taken = atomic_load_explicit(&budget->taken, memory_order_relaxed);
    return capacity < 0 ? -1 : taken < capacity ? capacity - taken : 0;
}
