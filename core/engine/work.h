/* work: how long the library itself ran for each call of a client, for its own overhead to be seen.
 *
 * It runs from enter to leave, on the client's thread. Each moment of that is shared equally among the calls
 * under way then; before any is, it belongs to the one that begins next.
 */
#ifndef KOINE_CORE_ENGINE_WORK_H
#define KOINE_CORE_ENGINE_WORK_H

#include "core/base/clock.h"

#include <stdbool.h>

struct koine__work { /* zeroed: nothing ran yet */
    bool inside;
    int64_t since; /* up to when it is shared out; inside only */
    int64_t share; /* what a call would have got that was under way for ever */
    unsigned calls;
};
void koine__work_enter(struct koine__work *work, int64_t now);
void koine__work_leave(struct koine__work *work, int64_t now);
/* A call begins: what koine__work_end is to be told. */
int64_t koine__work_begin(struct koine__work *work, int64_t now);
/* It ends: ns that the library ran for it. */
int64_t koine__work_end(struct koine__work *work, int64_t now, int64_t begun);

#endif
