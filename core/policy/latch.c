/* latch: see latch.h. Few at a time, so a plain array. */
#include "core/policy/latch.h"

#include "core/base/clock.h"
#include "core/base/mem.h"
#include "core/base/str.h"
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

struct entry {
    struct koine__latch latch;
    uint64_t key; /* of model_gone: 0 */
    char *model;  /* of the others: NULL */
};
struct koine__latches {
    pthread_mutex_t mutex;
    atomic_size_t count; /* changed under the lock */
    size_t capacity;
    struct entry *entries;
};

struct koine__latches *koine__latches_new(void)
{
    struct koine__latches *latches = koine__alloc(sizeof(*latches));
    if (latches && pthread_mutex_init(&latches->mutex, NULL) != 0) {
        koine__dealloc(latches);
        return NULL;
    }
    return latches;
}

void koine__latches_free(struct koine__latches *latches)
{
    if (!latches)
        return;
    for (size_t i = 0; i < latches->count; i++)
        koine__dealloc(latches->entries[i].model);
    koine__dealloc(latches->entries);
    pthread_mutex_destroy(&latches->mutex);
    koine__dealloc(latches);
}

static bool is_of(const struct entry *entry, uint64_t key, const char *model)
{
    return entry->model ? strcmp(entry->model, model) == 0 : entry->key == key;
}

static void remove_at(struct koine__latches *latches, size_t i)
{
    size_t last = latches->count - 1;
    koine__dealloc(latches->entries[i].model);
    latches->entries[i] = latches->entries[last];
    latches->count = last;
}

static void make_room(struct koine__latches *latches)
{
    size_t oldest = 0;
    if (latches->count < KOINE__LATCHES_MOST)
        return;
    for (size_t i = 1; i < latches->count; i++)
        if (latches->entries[i].latch.since < latches->entries[oldest].latch.since)
            oldest = i;
    remove_at(latches, oldest);
}

static bool add(struct koine__latches *latches, uint64_t key, const char *model, struct koine__latch latch)
{
    bool of_model = latch.class_number == KOINE_CLASS_MODEL_GONE;
    struct entry entry = {.latch = latch, .key = of_model ? 0 : key};
    if (of_model && !(entry.model = koine__strdup(model)))
        return false;
    make_room(latches);
    void *entries = latches->entries;
    if (koine__array_reserve(&entries, &latches->capacity, latches->count + 1, sizeof(entry)) != KOINE_OK) {
        koine__dealloc(entry.model);
        return false;
    }
    latches->entries = entries;
    latches->entries[latches->count] = entry;
    latches->count++;
    return true;
}

static bool set_locked(struct koine__latches *latches, uint64_t key, const char *model,
                       struct koine__latch latch)
{
    for (size_t i = 0; i < latches->count; i++) {
        struct entry *entry = &latches->entries[i];
        if (entry->latch.class_number != latch.class_number || !is_of(entry, key, model))
            continue;
        bool held = entry->latch.until > latch.since;
        if (!held)
            entry->latch.since = latch.since;
        if (latch.until > entry->latch.until)
            entry->latch.until = latch.until;
        return !held;
    }
    return add(latches, key, model, latch);
}

bool koine__latch_set(struct koine__latches *latches, uint64_t key, const char *model, int class_number,
                      int64_t now, int64_t lasting)
{
    bool latched = class_number == KOINE_CLASS_BILLING || class_number == KOINE_CLASS_AUTH ||
                   class_number == KOINE_CLASS_MODEL_GONE;
    if (!latched || lasting <= 0)
        return false;
    struct koine__latch latch = {class_number, now, koine__time_add(now, lasting)};
    pthread_mutex_lock(&latches->mutex);
    bool is_new = set_locked(latches, key, model ? model : "", latch);
    pthread_mutex_unlock(&latches->mutex);
    return is_new;
}

struct koine__latch koine__latch_find(struct koine__latches *latches, uint64_t key, const char *model,
                                      int64_t now)
{
    struct koine__latch found = {.class_number = KOINE_CLASS_NONE};
    if (latches->count == 0)
        return found;
    pthread_mutex_lock(&latches->mutex);
    for (size_t i = 0; i < latches->count; i++) {
        const struct entry *entry = &latches->entries[i];
        if (is_of(entry, key, model ? model : "") && entry->latch.until > now &&
            entry->latch.until > found.until)
            found = entry->latch;
    }
    pthread_mutex_unlock(&latches->mutex);
    return found;
}

bool koine__latch_clear(struct koine__latches *latches, uint64_t key, const char *model)
{
    bool found = false;
    if (latches->count == 0)
        return false;
    pthread_mutex_lock(&latches->mutex);
    for (size_t i = latches->count; i-- > 0;) {
        if (!is_of(&latches->entries[i], key, model ? model : ""))
            continue;
        remove_at(latches, i);
        found = true;
    }
    pthread_mutex_unlock(&latches->mutex);
    return found;
}

void koine__latch_fault(const struct koine__latch *latch, int64_t now, struct koine__fault *ret)
{
    char left[32];
    koine__write_duration((latch->until - now + KOINE__SEC - 1) / KOINE__SEC * KOINE__SEC, left,
                          sizeof(left));
    koine__fault_set(ret, KOINE_CLASS_REFUSED, "", "left alone for another %s after %s", left,
                     koine_class_name(latch->class_number));
    memcpy(ret->code, "latched", sizeof("latched"));
    ret->retry_after_ns = latch->until - now;
}
