/* probes: asks several instances at once, each in a thread with a client of its own. */
#include "apps/koine/probes.h"

#include "apps/koine/out.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    MOST_THREADS = 16,
    MOST_SHOWN = 60 /* columns of names */
};

struct probes {
    koine_hub *hub;
    int64_t timeout_ms;
    struct probed *items;
    size_t count;
    pthread_mutex_t mutex; /* of what follows, and of the items' `done` */
    pthread_cond_t changed;
    size_t next; /* to be asked */
    pthread_t threads[MOST_THREADS];
    size_t thread_count;
};

static void ask(const struct probes *probes, struct probed *item)
{
    koine_client *client = NULL;
    if (koine_client_new(probes->hub, &client, &item->error) == KOINE_OK)
        koine_probe_run(client, item->instance, probes->timeout_ms, &item->probe, &item->error);
    koine_client_free(client);
}

static void *work(void *arg)
{
    struct probes *probes = arg;
    pthread_mutex_lock(&probes->mutex);
    while (probes->next < probes->count) {
        struct probed *item = &probes->items[probes->next++];
        pthread_mutex_unlock(&probes->mutex);
        ask(probes, item);
        pthread_mutex_lock(&probes->mutex);
        item->done = true;
        pthread_cond_broadcast(&probes->changed);
    }
    pthread_mutex_unlock(&probes->mutex);
    return NULL;
}

struct probes *probes_start(koine_hub *hub, const char *const *instances, size_t count, int64_t timeout_ms)
{
    struct probes *probes = calloc(1, sizeof(*probes));
    struct probed *items = calloc(count + 1, sizeof(*items));
    if (probes == NULL || items == NULL)
        out_no_memory();
    probes->hub = hub;
    probes->timeout_ms = timeout_ms;
    probes->items = items;
    probes->count = count;
    for (size_t i = 0; i < count; i++)
        items[i].instance = instances[i];
    pthread_mutex_init(&probes->mutex, NULL);
    pthread_cond_init(&probes->changed, NULL);
    size_t wanted = count < MOST_THREADS ? count : MOST_THREADS;
    while (probes->thread_count < wanted &&
           pthread_create(&probes->threads[probes->thread_count], NULL, work, probes) == 0)
        probes->thread_count++;
    if (probes->thread_count == 0) /* then one after another */
        work(probes);
    return probes;
}

static void show_waiting(const struct probes *probes)
{
    char names[MOST_SHOWN + 8] = "";
    size_t used = 0;
    for (size_t i = 0; i < probes->count; i++) {
        const char *name = probes->items[i].instance;
        if (probes->items[i].done)
            continue;
        if (used + strlen(name) + 2 > MOST_SHOWN) {
            snprintf(names + used, sizeof(names) - used, ", ...");
            break;
        }
        used += (size_t)snprintf(names + used, sizeof(names) - used, "%s%s", used > 0 ? ", " : "", name);
    }
    fprintf(stderr, "\r\033[Kwaiting for %s ", names);
    fflush(stderr);
}

const struct probed *probes_wait(struct probes *probes, size_t index, bool show)
{
    const struct probed *item = &probes->items[index];
    bool shown = false;
    pthread_mutex_lock(&probes->mutex);
    while (!item->done) {
        if (show)
            show_waiting(probes);
        shown = show;
        pthread_cond_wait(&probes->changed, &probes->mutex);
    }
    pthread_mutex_unlock(&probes->mutex);
    if (shown)
        fputs("\r\033[K", stderr);
    return item;
}

void probes_free(struct probes *probes)
{
    if (probes == NULL)
        return;
    for (size_t i = 0; i < probes->thread_count; i++)
        pthread_join(probes->threads[i], NULL);
    for (size_t i = 0; i < probes->count; i++) {
        koine_probe_free(probes->items[i].probe);
        koine_error_free(probes->items[i].error);
    }
    pthread_mutex_destroy(&probes->mutex);
    pthread_cond_destroy(&probes->changed);
    free(probes->items);
    free(probes);
}
