/* metrics: counters and histograms of what a hub's calls came to, and their text for Prometheus. [any thread]
 *
 * A series is kept for each operation, instance, model asked and model that answered. Names of models come
 * from outside, so from the KOINE__METRICS_MOST-th on, new ones are counted as the model "other". Recording
 * takes one lock, held for arithmetic only; so does reading, for one series at a time. All sums are whole
 * numbers.
 */
#ifndef KOINE_CORE_HUB_METRICS_H
#define KOINE_CORE_HUB_METRICS_H

#include "core/engine/observer.h"
#include "core/hub/notice.h"

#include <pthread.h>

#define KOINE__METRICS_MOST    1000 /* series; those of "other" come on top */
#define KOINE__METRICS_CLASSES 22   /* KOINE_CLASS_NONE to KOINE_CLASS_MEMORY */
#define KOINE__METRICS_BUCKETS 16   /* of a histogram, with +Inf */
#define KOINE__METRICS_TABLE   256

struct koine__histogram {
    uint64_t buckets[KOINE__METRICS_BUCKETS]; /* not cumulative */
    uint64_t sum, count;                      /* sum: of its unit: ns, or tokens */
};
struct koine__bounds { /* of a kind of histogram: upper ends, inclusive */
    unsigned digits;   /* decimal places of what is written: 9 for ns as seconds */
    size_t count;      /* less than KOINE__METRICS_BUCKETS */
    int64_t upto[KOINE__METRICS_BUCKETS];
};
extern const struct koine__bounds koine__bounds_duration, koine__bounds_token_time, koine__bounds_tokens,
    koine__bounds_wait, koine__bounds_work;
void koine__histogram_add(struct koine__histogram *histogram, const struct koine__bounds *bounds,
                          int64_t value); /* a negative one counts as 0 */

enum koine__told {
    KOINE__TOLD,
    KOINE__ESTIMATED,
    KOINE__TOLD_EITHER
};
enum {
    KOINE__TOKEN_KINDS = 8 /* the buckets of koine_usage, in its order */
};
struct koine__series_key { /* all borrowed; "" where there is none */
    const char *operation, *provider, *instance, *asked, *answered, *base_url;
};
struct koine__series {
    struct koine__series *next, *in_order;
    uint64_t hash;
    struct koine__series_key key; /* in the same block */
    uint64_t attempts[KOINE__METRICS_CLASSES];
    uint64_t retries[KOINE__METRICS_CLASSES], fallbacks[KOINE__METRICS_CLASSES]; /* by what led to them */
    struct koine__histogram *durations[KOINE__METRICS_CLASSES]; /* of calls; NULL: none ended so */
    struct koine__histogram first_chunk, per_token, input, output, wait, work;
    uint64_t tokens[KOINE__TOKEN_KINDS][KOINE__TOLD_EITHER];
    uint64_t picodollars[KOINE__TOLD_EITHER];
    uint64_t unpriced;
};
struct koine__tally { /* of one instance's notices */
    struct koine__tally *next;
    uint64_t kinds[KOINE__NOTICE_KINDS];
    char instance[];
};
struct koine__metrics {
    struct koine__observer observer;
    pthread_mutex_t mutex;
    struct koine__series *table[KOINE__METRICS_TABLE];
    struct koine__series *first, **last; /* in the order they were made; none is ever removed */
    struct koine__series *recent;        /* that was found last: it is often the next one, too */
    size_t count;                        /* without those of "other" */
    uint64_t unrecorded;                 /* for want of memory */
    struct koine__tally *tallies;
    uint64_t delivered, undelivered; /* notices, to the webhook */
};
struct koine__metrics *koine__metrics_new(void); /* NULL: no memory */
void koine__metrics_free(struct koine__metrics *metrics);
void koine__metrics_noticed(struct koine__metrics *metrics, const char *instance, int kind);
void koine__metrics_delivered(struct koine__metrics *metrics, bool delivered);

/* metrics_write.c: everything but what depends on a snapshot. KOINE_EMEMORY. */
struct koine__snapshot;
int koine__metrics_text(struct koine__metrics *metrics, const struct koine__snapshot *snapshot, int64_t now,
                        char **ret);

#endif
