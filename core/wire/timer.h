/* timer: the pairing heap of a loop's timers (Fredman et al., 1986). Nothing here allocates or calls back. */
#ifndef KOINE_CORE_WIRE_TIMER_H
#define KOINE_CORE_WIRE_TIMER_H

#include "core/wire/loop.h"

/* Two heaps as one; either may be NULL. The earliest is the root. */
struct koine__timer *koine__heap_join(struct koine__timer *a, struct koine__timer *b);
/* Takes out a timer, wherever it stands. `*root` matters only if the timer is that root. */
void koine__heap_remove(struct koine__timer **root, struct koine__timer *timer);

#endif
