/* runs: see runs.h. A table of chains that doubles with its content. */
#include "core/money/runs.h"

#include "core/base/mem.h"

#include <string.h>

#define FIRST_SIZE ((size_t)16) /* a power of two */

struct run {
    struct run *next;
    uint64_t hash;
    struct koine__budget budget;
    char id[];
};
struct koine__runs {
    pthread_mutex_t mutex;
    struct run **chains;
    size_t size, count;
};

struct koine__runs *koine__runs_new(void)
{
    struct koine__runs *runs = koine__alloc(sizeof(*runs));
    if (runs)
        runs->mutex = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
    return runs;
}

void koine__runs_free(struct koine__runs *runs)
{
    if (!runs)
        return;
    for (size_t i = 0; i < runs->size; i++) {
        for (struct run *run = runs->chains[i], *next; run; run = next) {
            next = run->next;
            koine__budget_release(&run->budget);
            koine__dealloc(run);
        }
    }
    koine__dealloc(runs->chains);
    pthread_mutex_destroy(&runs->mutex);
    koine__dealloc(runs);
}

static uint64_t hash_of(const char *id) /* FNV-1a */
{
    uint64_t hash = UINT64_C(14695981039346656037);
    for (; *id; id++)
        hash = (hash ^ (unsigned char)*id) * UINT64_C(1099511628211);
    return hash;
}

static struct run **chain_of(const struct koine__runs *runs, uint64_t hash)
{
    return &runs->chains[hash & (runs->size - 1)];
}

static struct run *find(const struct koine__runs *runs, const char *id, uint64_t hash)
{
    struct run *run = runs->size > 0 ? *chain_of(runs, hash) : NULL;
    while (run && (run->hash != hash || strcmp(run->id, id) != 0))
        run = run->next;
    return run;
}

static bool grow(struct koine__runs *runs)
{
    struct koine__runs larger = {.size = runs->size > 0 ? 2 * runs->size : FIRST_SIZE};
    larger.chains = koine__alloc_array(larger.size, sizeof(struct run *));
    if (!larger.chains)
        return false;
    for (size_t i = 0; i < runs->size; i++) {
        for (struct run *run = runs->chains[i], *next; run; run = next) {
            struct run **chain = chain_of(&larger, run->hash);
            next = run->next;
            run->next = *chain;
            *chain = run;
        }
    }
    koine__dealloc(runs->chains);
    runs->chains = larger.chains;
    runs->size = larger.size;
    return true;
}

static struct run *add(struct koine__runs *runs, const char *id, uint64_t hash, int64_t limit)
{
    size_t length = strlen(id);
    if (runs->count >= runs->size && !grow(runs))
        return NULL;
    struct run *run = koine__alloc(sizeof(*run) + length + 1);
    if (!run)
        return NULL;
    memcpy(run->id, id, length);
    run->hash = hash;
    koine__budget_init(&run->budget, "run", limit);
    run->next = *chain_of(runs, hash);
    *chain_of(runs, hash) = run;
    runs->count++;
    return run;
}

struct koine__budget *koine__runs_budget(struct koine__runs *runs, const char *id, int64_t limit)
{
    uint64_t hash = hash_of(id);
    pthread_mutex_lock(&runs->mutex);
    struct run *run = find(runs, id, hash);
    if (run)
        koine__budget_set_limit(&run->budget, limit);
    else
        run = add(runs, id, hash, limit);
    pthread_mutex_unlock(&runs->mutex);
    return run ? &run->budget : NULL;
}

void koine__runs_look(struct koine__runs *runs, const char *id, int64_t limit, struct koine__budget_view *ret)
{
    *ret = (struct koine__budget_view){.scope = "run"};
    pthread_mutex_lock(&runs->mutex);
    struct run *run = find(runs, id, hash_of(id));
    if (run)
        koine__budget_look(&run->budget, ret);
    pthread_mutex_unlock(&runs->mutex);
    ret->limit = limit;
}

size_t koine__runs_count(struct koine__runs *runs)
{
    pthread_mutex_lock(&runs->mutex);
    size_t count = runs->count;
    pthread_mutex_unlock(&runs->mutex);
    return count;
}
