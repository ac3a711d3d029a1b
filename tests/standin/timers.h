/* timers: a heap of due times. A timer is embedded in what it wakes; all zero is "not set". */
#ifndef STANDIN_TIMERS_H
#define STANDIN_TIMERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct timer {
    int64_t due;  /* ns, CLOCK_MONOTONIC */
    size_t place; /* in the heap, from 1; 0: not set */
};

struct timers {
    struct timer **heap; /* heap[1] is due first */
    size_t count, capacity;
};

void timers_free(struct timers *timers);
/* Makes sure that `count` timers can be set; without that, timers_set would have to fail. */
bool timers_reserve(struct timers *timers, size_t count);
void timers_set(struct timers *timers, struct timer *timer, int64_t due);
void timers_drop(struct timers *timers, struct timer *timer); /* fine when not set */
struct timer *timers_first(const struct timers *timers);      /* NULL: none is set */

#endif
