/* bookkeeper: a client's part in the books: see books.h. */
#include "core/hub/books.h"

#include <string.h>

/* ---- the gate ---- */

/* Whoever is let through here will have a row. A budget that the store keeps would be asked for here, too:
 * `wait` until its completion was taken, then go or refuse. */
static enum koine__pass enter(void *self, struct koine__ticket *ticket, int64_t now,
                              struct koine__fault *ret_fault)
{
    struct koine__books *books = self;
    (void)ticket;
    (void)now;
    if (!koine__books_store(books) || !books->refuses)
        return KOINE__PASS_GO;
    pthread_mutex_lock(&books->mutex);
    bool is_full = books->kept >= books->most, is_down = books->is_down;
    pthread_mutex_unlock(&books->mutex);
    if (!is_down && !is_full)
        return KOINE__PASS_GO;
    koine__fault_set(ret_fault, KOINE_CLASS_REFUSED, "", "%s",
                     is_down ? "the store cannot be written, and store.when_down is refuse"
                             : "the store does not keep up (store.queue), and store.when_down is refuse");
    memcpy(ret_fault->code, "store", sizeof("store"));
    return KOINE__PASS_REFUSE;
}

/* ---- completions ---- */

/* When a store that is down is to be asked again; KOINE__NEVER: it is not down. */
static int64_t again_at(struct koine__books *books)
{
    pthread_mutex_lock(&books->mutex);
    int64_t at = books->is_down && books->under_way.count == 0 ? books->again_at : KOINE__NEVER;
    pthread_mutex_unlock(&books->mutex);
    return at;
}

static void take(struct koine__bookkeeper *keeper)
{
    koine__books_take(keeper->books, false);
    int64_t at = again_at(keeper->books);
    if (at == KOINE__NEVER)
        koine__timer_stop(keeper->loop, &keeper->timer);
    else if (keeper->watches)
        koine__timer_set(keeper->loop, &keeper->timer, at);
}

static void on_ready(struct koine__watch *watch, bool readable, bool writable)
{
    (void)readable;
    (void)writable;
    take((struct koine__bookkeeper *)((char *)watch - offsetof(struct koine__bookkeeper, watch)));
}

static void on_timer(struct koine__timer *timer)
{
    take((struct koine__bookkeeper *)((char *)timer - offsetof(struct koine__bookkeeper, timer)));
}

/* Only if nobody else of this hub watches. */
static void begin_to_watch(struct koine__bookkeeper *keeper)
{
    const void *nobody = NULL;
    if (!__atomic_compare_exchange_n(&keeper->books->watcher, &nobody, keeper, false, __ATOMIC_ACQ_REL,
                                     __ATOMIC_RELAXED))
        return;
    keeper->watch.fd = keeper->books->plugin->descriptor(koine__books_store(keeper->books));
    keeper->watches =
        keeper->watch.fd >= 0 && koine__loop_watch(keeper->loop, &keeper->watch, true, false) == KOINE_OK;
    if (!keeper->watches)
        __atomic_store_n(&keeper->books->watcher, NULL, __ATOMIC_RELEASE);
}

void koine__bookkeeper_look(struct koine__bookkeeper *keeper)
{
    if (!koine__books_store(keeper->books))
        return;
    if (!keeper->watches && !__atomic_load_n(&keeper->books->watcher, __ATOMIC_RELAXED))
        begin_to_watch(keeper);
    if (koine__books_kept(keeper->books) > 0)
        take(keeper);
}

/* ---- birth and death ---- */

void koine__bookkeeper_init(struct koine__bookkeeper *keeper, struct koine__books *books,
                            struct koine__loop *loop)
{
    *keeper = (struct koine__bookkeeper){.books = books,
                                         .loop = loop,
                                         .watch = {.fd = -1, .ready = on_ready},
                                         .stage = {.foresee = enter, .enter = enter, .self = books}};
    koine__timer_init(&keeper->timer, on_timer);
}

void koine__bookkeeper_release(struct koine__bookkeeper *keeper)
{
    if (!keeper->books)
        return;
    koine__timer_stop(keeper->loop, &keeper->timer);
    if (!keeper->watches)
        return;
    koine__loop_unwatch(keeper->loop, &keeper->watch);
    __atomic_store_n(&keeper->books->watcher, NULL, __ATOMIC_RELEASE);
}
