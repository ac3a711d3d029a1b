/* pace: how long the answers of late took to begin, for whoever wants to know what is slow (hedging, part C9
 * of the specification). One for each plugin and base URL. [any thread] */
#ifndef KOINE_CORE_POLICY_PACE_H
#define KOINE_CORE_POLICY_PACE_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

#define KOINE__PACE_KEPT  128 /* of the newest */
#define KOINE__PACE_LEAST 20  /* fewer say nothing */

struct koine__pace {
    pthread_mutex_t mutex;
    size_t count; /* ever */
    int64_t took[KOINE__PACE_KEPT];
};
void koine__pace_init(struct koine__pace *pace);
void koine__pace_release(struct koine__pace *pace);
void koine__pace_add(struct koine__pace *pace, int64_t ns);
/* Of a hundred answers 95 began sooner (nearest rank); -1: too few are known. Sorts: not for the hot path. */
int64_t koine__pace_p95(struct koine__pace *pace);

#endif
