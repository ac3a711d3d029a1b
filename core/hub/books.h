/* books: a hub's part in its store. Every attempt that was a request becomes a row there when it has ended,
 * whichever client made it, also one of a call that was freed. [any thread] but where it says otherwise.
 *
 * Nothing waits for the store: a row is handed over at once, and kept here until the store says that it is
 * written, so that what it could not write is written later. Of rows that are kept there are at most so many;
 * what is more is lost, which is told at once and loudly.
 *
 * Completions are taken by whichever client is processed; one of a hub's clients at a time watches for them,
 * so that they are taken while no call moves.
 */
#ifndef KOINE_CORE_HUB_BOOKS_H
#define KOINE_CORE_HUB_BOOKS_H

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/engine/observer.h"
#include "core/hub/snapshot.h"
#include "core/policy/gate.h"
#include "core/policy/happening.h"
#include "core/wire/loop.h"

#include <koine/store.h>

/* Something that was submitted; its address is its tag. `done` is called once, in whatever thread takes the
 * completion, which is borrowed. */
struct koine__errand {
    void (*done)(struct koine__errand *errand, const koine_store_done *done);
};

struct koine__entry; /* a row that is kept until it is written */
struct koine__entries {
    struct koine__entry *first, *last;
    size_t count;
};
struct koine__books {
    struct koine__observer observer;
    koine_store_host host;
    const struct koine__clock *clock;
    struct koine__log *log;
    const struct koine__witness *witness;
    char name[20]; /* goes before the ids of calls, which are unique in one process only */
    pthread_mutex_t opening;
    const koine_store_plugin *plugin;
    koine_store *store;     /* NULL: none, or not yet; set once, read without a mutex */
    bool refuses;           /* store.when_down */
    size_t most;            /* store.queue */
    pthread_mutex_t taking; /* completions; taken before `mutex` */
    pthread_mutex_t mutex;  /* what follows; the store is asked under it, and nobody else */
    size_t kept;            /* of both; also read without the mutex */
    struct koine__entries waiting, under_way;
    bool is_down;
    int64_t again_at, delay; /* when it is asked again; loop time */
    int64_t lost, untold;    /* rows; and those that nobody heard of yet */
    int64_t told_at;
    const void *watcher; /* the client that watches; NULL: none */
};
/* With the system's clock. KOINE_ESYSTEM. */
int koine__books_init(struct koine__books *books, struct koine__log *log,
                      const struct koine__witness *witness);
/* Writes what is kept, waits for that for at most ten seconds, and says how many rows were lost.
 * `is_parents`: in a child after fork, where only its memory is freed. Without clients. */
void koine__books_release(struct koine__books *books, bool is_parents);
/* Opens what the snapshot names, if it names one and nothing is open yet. May wait for a store that others
 * have locked. KOINE_ECONFIG: it cannot be opened, as it stands; KOINE_EMEMORY. */
int koine__books_open(struct koine__books *books, const struct koine__snapshot *snapshot,
                      koine_error **ret_error);
/* Opens that plugin's store, which may be one of a test's own. Before anybody else knows the books. */
int koine__books_use(struct koine__books *books, const koine_store_plugin *plugin,
                     const struct koine__store_config *config, koine_error **ret_error);
static inline koine_store *koine__books_store(const struct koine__books *books) /* NULL: none is open */
{
    return __atomic_load_n(&books->store, __ATOMIC_ACQUIRE);
}
/* Submits something. KOINE_STORE_OK, or below 0: `done` will not be called. */
int32_t koine__books_submit(struct koine__books *books, int32_t kind, const void *body,
                            struct koine__errand *errand);
/* Takes what has completed, and hands over what waits; `waits`: for another thread that is at it, too. */
void koine__books_take(struct koine__books *books, bool waits);
static inline size_t koine__books_kept(const struct koine__books *books) /* rows that are not written yet */
{
    return __atomic_load_n(&books->kept, __ATOMIC_RELAXED);
}
const char *koine__store_status_name(int32_t status); /* "the disk is full" */

/* A client's part. [the client's thread] */
struct koine__bookkeeper {
    struct koine__books *books; /* NULL: it never began */
    struct koine__loop *loop;
    struct koine__watch watch;
    struct koine__timer timer; /* to ask a store again that is down */
    bool watches;
    struct koine__gate_stage stage; /* refuses while the store is down, where that is wanted */
};
void koine__bookkeeper_init(struct koine__bookkeeper *keeper, struct koine__books *books,
                            struct koine__loop *loop);
void koine__bookkeeper_release(struct koine__bookkeeper *keeper);
void koine__bookkeeper_look(struct koine__bookkeeper *keeper); /* cheap where there is nothing to do */

#endif
