/* store: SQLite as a store of koine (docs/store.md). The plugin's one symbol, its queue and its thread.
 *
 * A store has one connection, and one thread that uses it, `koine-store`: it takes what waits, does as much
 * as fits one transaction, and hands the completions over when that is committed. Without the thread, submit
 * does the op itself. Either way an op is either committed or undone before its completion can be seen.
 */
#include "plugins/sqlite/act.h"
#include "plugins/sqlite/place.h"
#include "plugins/sqlite/schema.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#define QUEUE_OPS       4096U
#define QUEUE_BYTES     ((size_t)64 << 20)
#define BUSY_THREAD     5000
#define BUSY_THREADLESS 50

struct line { /* jobs, first in first out */
    struct job *first, *last;
};

struct koine_store {
    const koine_store_host *host;
    pid_t pid; /* who opened it */
    struct act act;
    bool has_thread;
    pthread_t thread;
    int event;
    uint32_t most; /* jobs that wait or are not reaped */

    pthread_mutex_t mutex; /* of what follows */
    pthread_cond_t wake;
    struct line waiting, done;
    uint32_t count;
    size_t bytes;
    bool is_ending;

    struct job *reaped; /* the reaper's alone: what its last completion is of */
};

static void push(struct line *line, struct job *first, struct job *last)
{
    if (line->last)
        line->last->next = first;
    else
        line->first = first;
    line->last = last;
}

/* Under the mutex. The descriptor is readable while something is in `done`. */
static void finished(struct koine_store *store, struct job *first, struct job *last)
{
    uint64_t one = 1;
    bool was_empty = !store->done.first;
    last->next = NULL;
    push(&store->done, first, last);
    if (was_empty)
        while (write(store->event, &one, sizeof(one)) < 0) /* it counts to 2^64; only a signal can be meant */
            ;
}

/* ---- The thread -------------------------------------------------------------------------------------- */

/* What waits, all of it; NULL: the end. */
static struct job *next_jobs(struct koine_store *store)
{
    pthread_mutex_lock(&store->mutex);
    while (!store->waiting.first && !store->is_ending)
        pthread_cond_wait(&store->wake, &store->mutex);
    struct job *first = store->waiting.first;
    store->waiting = (struct line){NULL, NULL};
    pthread_mutex_unlock(&store->mutex);
    return first;
}

static void hand_over(struct koine_store *store, struct job *first, struct job *rest)
{
    struct job *last = first;
    while (last->next != rest)
        last = last->next;
    pthread_mutex_lock(&store->mutex);
    finished(store, first, last);
    pthread_mutex_unlock(&store->mutex);
}

/* Where others write, too, they get the lock between two transactions of ours. */
static void let_others(const struct koine_store *store)
{
    static const struct timespec nap = {0, 300000};
    if (store->act.is_contended)
        nanosleep(&nap, NULL);
}

static void *work(void *arg)
{
    struct koine_store *store = arg;
    struct job *first, *rest;
    while ((first = next_jobs(store)) != NULL)
        for (; first; first = rest) {
            act_run(&store->act, first, &rest);
            hand_over(store, first, rest);
            let_others(store);
        }
    return NULL;
}

/* Signals are for the application's threads. */
static bool start_thread(struct koine_store *store)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    store->has_thread = pthread_create(&store->thread, NULL, work, store) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (store->has_thread)
        pthread_setname_np(store->thread, "koine-store");
    return store->has_thread;
}

/* ---- Opening and closing ----------------------------------------------------------------------------- */

static int32_t open_database(struct koine_store *store, koine_str where, int32_t busy_ms, char *why,
                             size_t why_size)
{
    struct place place;
    int32_t status = place_prepare(&place, where, busy_ms, why, why_size);
    if (status < 0)
        return status;
    struct db *db = db_open(store->host, place.path, busy_ms);
    if (db && db_status(db) == KOINE_STORE_OK)
        schema_prepare(db);
    place_unlock(&place);
    status = db ? db_status(db) : KOINE_STORE_NO_MEMORY;
    if (status == KOINE_STORE_OK) {
        act_init(&store->act, store->host, db);
        return status;
    }
    snprintf(why, why_size, "%s", db ? db_why(db) : "no memory");
    db_close(db);
    return status;
}

static int32_t start(struct koine_store *store, bool threadless, char *why, size_t why_size)
{
    store->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (store->event >= 0 && (threadless || start_thread(store)))
        return KOINE_STORE_OK;
    snprintf(why, why_size, "%s", store->event < 0 ? "no more descriptors" : "no thread can be started");
    if (store->event >= 0)
        close(store->event);
    db_close(store->act.db);
    return KOINE_STORE_DOWN;
}

static int32_t store_open(const koine_store_host *host, const koine_store_options *options, koine_store **ret,
                          char *why, size_t why_size)
{
    koine_store_options own = {0};
    memcpy(&own, options, options->size < sizeof(own) ? options->size : sizeof(own));
    bool threadless = own.threadless != 0;
    int32_t busy_ms = own.busy_ms > 0 ? own.busy_ms : threadless ? BUSY_THREADLESS : BUSY_THREAD;
    koine_store *store = host->alloc(host, sizeof(*store));
    if (!store) {
        snprintf(why, why_size, "no memory");
        return KOINE_STORE_NO_MEMORY;
    }
    store->host = host;
    store->pid = getpid();
    store->most = own.queue ? own.queue : QUEUE_OPS;
    pthread_mutex_init(&store->mutex, NULL);
    pthread_cond_init(&store->wake, NULL);
    int32_t status = open_database(store, own.where, busy_ms, why, why_size);
    if (status == KOINE_STORE_OK)
        status = start(store, threadless, why, why_size);
    if (status == KOINE_STORE_OK)
        *ret = store;
    else
        host->free(host, store);
    return status;
}

static void free_jobs(struct job *job)
{
    while (job) {
        struct job *next = job->next;
        job_free(job);
        job = next;
    }
}

static void end_thread(struct koine_store *store)
{
    pthread_mutex_lock(&store->mutex);
    store->is_ending = true;
    pthread_cond_signal(&store->wake);
    pthread_mutex_unlock(&store->mutex);
    pthread_join(store->thread, NULL);
}

static void store_close(koine_store *store)
{
    if (!store)
        return;
    if (store->pid != getpid()) {
        /* The thread did not come along and may have held anything; SQLite, asked to close, would end what
         * the parent has open. So all stays as it is, but for the copy of the descriptor. */
        close(store->event);
        return;
    }
    if (store->has_thread)
        end_thread(store);
    act_release(&store->act);
    db_close(store->act.db);
    free_jobs(store->waiting.first);
    free_jobs(store->done.first);
    free_jobs(store->reaped);
    close(store->event);
    pthread_cond_destroy(&store->wake);
    pthread_mutex_destroy(&store->mutex);
    store->host->free(store->host, store);
}

/* ---- Ops --------------------------------------------------------------------------------------------- */

static int32_t store_descriptor(koine_store *store)
{
    return store->pid == getpid() ? store->event : -1;
}

static int32_t store_submit(koine_store *store, const koine_store_op *op)
{
    struct job *job, *rest;
    if (store->pid != getpid())
        return KOINE_STORE_FORKED;
    int32_t status = job_new(store->host, op, &job);
    if (status < 0)
        return status;
    size_t bytes = job->arena.held;
    pthread_mutex_lock(&store->mutex);
    if (store->count >= store->most || store->bytes + bytes > QUEUE_BYTES) {
        status = KOINE_STORE_FULL;
    } else {
        store->count++;
        store->bytes += bytes;
        job->charged = bytes;
        if (store->has_thread) {
            push(&store->waiting, job, job);
            pthread_cond_signal(&store->wake);
        } else {
            act_run(&store->act, job, &rest);
            finished(store, job, job);
        }
    }
    pthread_mutex_unlock(&store->mutex);
    if (status < 0)
        job_free(job);
    return status;
}

static int32_t store_reap(koine_store *store, const koine_store_done **ret)
{
    uint64_t count;
    if (store->pid != getpid())
        return KOINE_STORE_FORKED;
    free_jobs(store->reaped);
    pthread_mutex_lock(&store->mutex);
    struct job *job = store->reaped = store->done.first;
    if (job) {
        store->done.first = job->next;
        store->count--;
        store->bytes -= job->charged;
        job->next = NULL;
        if (!store->done.first) {
            store->done.last = NULL;
            while (read(store->event, &count, sizeof(count)) < 0) /* something is in it */
                ;
        }
    }
    pthread_mutex_unlock(&store->mutex);
    if (!job)
        return 0;
    *ret = &job->done;
    return 1;
}

KOINE_EXPORT const koine_store_plugin *KOINE_STORE_ENTRY(void)
{
    static const koine_store_plugin plugin = {
        .size = (uint32_t)sizeof(plugin),
        .id = "sqlite",
        .version = KOINE_VERSION,
        .open = store_open,
        .descriptor = store_descriptor,
        .submit = store_submit,
        .reap = store_reap,
        .close = store_close,
    };
    return &plugin;
}
