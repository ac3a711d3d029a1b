/* cost: what the two halves of `koine cost` share. */
#ifndef KOINE_APPS_COST_H
#define KOINE_APPS_COST_H

#include "apps/koine/args.h"

/* Midnight UTC of a day given as YYYY-MM-DD; -1: none was given. */
int cost_take_day(struct args *args, const char *name, int64_t *ret);
/* koine cost report: what the store has of attempts. */
int cost_report(struct args *args);

#endif
