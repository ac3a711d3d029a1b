/* pace: see pace.h. */
#include "core/policy/pace.h"

#include <stdlib.h>
#include <string.h>

void koine__pace_init(struct koine__pace *pace)
{
    pace->count = 0;
    pthread_mutex_init(&pace->mutex, NULL);
}

void koine__pace_release(struct koine__pace *pace)
{
    pthread_mutex_destroy(&pace->mutex);
}

void koine__pace_add(struct koine__pace *pace, int64_t ns)
{
    pthread_mutex_lock(&pace->mutex);
    pace->took[pace->count++ % KOINE__PACE_KEPT] = ns;
    pthread_mutex_unlock(&pace->mutex);
}

static int compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

int64_t koine__pace_p95(struct koine__pace *pace)
{
    int64_t took[KOINE__PACE_KEPT];
    pthread_mutex_lock(&pace->mutex);
    size_t count = pace->count < KOINE__PACE_KEPT ? pace->count : KOINE__PACE_KEPT;
    memcpy(took, pace->took, count * sizeof(took[0]));
    pthread_mutex_unlock(&pace->mutex);
    if (count < KOINE__PACE_LEAST)
        return -1;
    qsort(took, count, sizeof(took[0]), compare);
    return took[(count * 95 + 99) / 100 - 1];
}
