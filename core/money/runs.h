/* runs: what each run of a hub has spent. Only runs that have a limit are in the table, from the first call
 * on that has one; they stay as long as the hub, since to forget one would be to forget what it spent: some
 * 150 bytes each. [any thread] */
#ifndef KOINE_CORE_MONEY_RUNS_H
#define KOINE_CORE_MONEY_RUNS_H

#include "core/money/budget.h"

struct koine__runs;
struct koine__runs *koine__runs_new(void);       /* NULL: no memory */
void koine__runs_free(struct koine__runs *runs); /* NULL is fine; no purse holds one of them any more */
/* The run's budget, made if it is not there, with this limit from now on; lent as long as the table lives.
 * NULL: no memory. */
struct koine__budget *koine__runs_budget(struct koine__runs *runs, const char *id, int64_t limit);
/* What the run has spent and reserved, with that limit; nothing where it has no budget yet. Makes nothing. */
void koine__runs_look(struct koine__runs *runs, const char *id, int64_t limit,
                      struct koine__budget_view *ret);
size_t koine__runs_count(struct koine__runs *runs);

#endif
