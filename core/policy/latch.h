/* latch: what a provider will refuse for as long as nobody mends it: a wrong key, an empty account, a model
 * that is gone. It is left alone for a while, and loudly. Of one instance at one server: billing and auth
 * with the key they were said of, so that a new key is free at once; model_gone with the model. Of more than
 * KOINE__LATCHES_MOST the one that was set first gives way. While there is none, looking takes no lock. [any
 * thread]
 */
#ifndef KOINE_CORE_POLICY_LATCH_H
#define KOINE_CORE_POLICY_LATCH_H

#include "core/base/fault.h"

#define KOINE__LATCHES_MOST 256

struct koine__latches;
struct koine__latches *koine__latches_new(void); /* NULL: no memory */
void koine__latches_free(struct koine__latches *latches);

struct koine__latch {
    int class_number; /* KOINE_CLASS_NONE: nothing holds */
    int64_t since, until;
};
/* Sets one, where the class is one of the three and `lasting` (ns) more than nothing; true: it did not hold
 * before. One that holds is never shortened. Without memory nothing is set. A NULL model is "". */
bool koine__latch_set(struct koine__latches *latches, uint64_t key, const char *model, int class_number,
                      int64_t now, int64_t lasting);
/* The one that holds for this key and model; of several the one that holds longest. */
struct koine__latch koine__latch_find(struct koine__latches *latches, uint64_t key, const char *model,
                                      int64_t now);
/* An answer came with this key and model: none of theirs holds any more. True: there was one, though its time
 * may have been over: only now somebody knows that it is mended. */
bool koine__latch_clear(struct koine__latches *latches, uint64_t key, const char *model);
/* What a target is refused with that is left alone: class refused, code latched. */
void koine__latch_fault(const struct koine__latch *latch, int64_t now, struct koine__fault *ret);

#endif
