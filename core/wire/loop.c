/* loop: epoll over what is watched, a timer descriptor, and two event descriptors: one wakes, one keeps
 * readable. */
#include "core/wire/loop.h"

#include "core/base/mem.h"
#include "core/wire/timer.h"
#include <errno.h>
#include <koine/koine.h>
#include <limits.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define MOST_ROUNDS 100
#define MOST_EVENTS 64

/* What an epoll entry names: a slot and its generation, never a watch itself. An entry can outlive its watch:
 * in the events just read, and where a descriptor was closed while a forked child still holds it, which
 * cannot be undone. */
enum {
    NO_SLOT,
    TIMER_SLOT,
    BUSY_SLOT,
    WAKER_SLOT,
    FIRST_SLOT
};

struct slot {
    struct koine__watch *watch; /* NULL: free */
    uint32_t generation;
};

struct koine__waker {
    atomic_uint references;
    int fd;
};

struct koine__loop {
    const struct koine__clock *clock;
    int epoll_fd, timer_fd, busy_fd;
    struct koine__waker *waker;
    void (*woken)(void *arg);
    void *woken_arg;
    struct koine__timer *heap;
    struct koine__timer *fresh; /* set while timers fire: for the next round */
    uint64_t order;
    int64_t now;   /* of this round */
    int64_t armed; /* when timer_fd expires; never later than the nearest timer, perhaps earlier */
    bool inside, firing, busy, held;
    bool overdue;    /* a timer was due when the loop last looked, and process was not called since */
    bool shows_busy; /* busy_fd is readable: for `busy` and `overdue`, and perhaps a while longer */
    bool quiet;      /* nothing was ready in the round before */
    int waiting;     /* of `events`: what wait has read, for process */
    struct slot *slots;
    size_t slot_capacity;
    struct epoll_event events[MOST_EVENTS];
};

/* ---- Wakers --------------------------------------------------------------------------------------- */

static struct koine__waker *waker_new(void)
{
    struct koine__waker *waker = koine__alloc(sizeof(*waker));
    if (!waker)
        return NULL;
    atomic_init(&waker->references, 1);
    waker->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return waker;
}

struct koine__waker *koine__waker_ref(struct koine__waker *waker)
{
    atomic_fetch_add_explicit(&waker->references, 1, memory_order_relaxed);
    return waker;
}

void koine__waker_unref(struct koine__waker *waker)
{
    if (!waker || atomic_fetch_sub_explicit(&waker->references, 1, memory_order_acq_rel) != 1)
        return;
    if (waker->fd >= 0)
        close(waker->fd);
    koine__dealloc(waker);
}

static void raise_event(int fd)
{
    uint64_t one = 1;
    ssize_t written = write(fd, &one, sizeof(one));
    (void)written; /* full: it is readable already */
}

static void clear_event(int fd)
{
    uint64_t count;
    ssize_t got = read(fd, &count, sizeof(count));
    (void)got; /* empty: it is what was wanted */
}

void koine__waker_wake(struct koine__waker *waker)
{
    int saved = errno; /* in a signal handler it belongs to somebody else */
    raise_event(waker->fd);
    errno = saved;
}

/* ---- Life ----------------------------------------------------------------------------------------- */

static void close_fd(int fd)
{
    if (fd >= 0)
        close(fd);
}

static int listen_to(struct koine__loop *loop, int fd, uint32_t slot)
{
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = slot};
    return fd >= 0 && epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0 ? KOINE_OK : KOINE_ESYSTEM;
}

static int open_descriptors(struct koine__loop *loop)
{
    loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    loop->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    loop->busy_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (loop->epoll_fd < 0 || listen_to(loop, loop->timer_fd, TIMER_SLOT) != KOINE_OK ||
        listen_to(loop, loop->busy_fd, BUSY_SLOT) != KOINE_OK)
        return KOINE_ESYSTEM;
    return listen_to(loop, loop->waker->fd, WAKER_SLOT);
}

int koine__loop_new(const struct koine__clock *clock, struct koine__loop **ret)
{
    struct koine__loop *loop = koine__alloc(sizeof(*loop));
    if (!loop)
        return KOINE_EMEMORY;
    loop->clock = clock;
    loop->armed = KOINE__NEVER;
    loop->epoll_fd = loop->timer_fd = loop->busy_fd = -1;
    loop->waker = waker_new();
    int rc = loop->waker ? open_descriptors(loop) : KOINE_EMEMORY;
    if (rc != KOINE_OK) {
        koine__loop_free(loop);
        return rc;
    }
    *ret = loop;
    return KOINE_OK;
}

void koine__loop_detach(struct koine__loop *loop)
{
    close_fd(loop->epoll_fd);
    close_fd(loop->timer_fd);
    close_fd(loop->busy_fd);
    loop->epoll_fd = loop->timer_fd = loop->busy_fd = -1;
}

void koine__loop_free(struct koine__loop *loop)
{
    if (!loop)
        return;
    koine__loop_detach(loop);
    koine__waker_unref(loop->waker);
    koine__dealloc(loop->slots);
    koine__dealloc(loop);
}

void koine__loop_abandon(struct koine__loop *loop)
{
    koine__loop_free(loop); /* which only closes: what is registered stays so for the parent */
}

int koine__loop_fd(const struct koine__loop *loop)
{
    return loop->epoll_fd;
}

const struct koine__clock *koine__loop_clock(const struct koine__loop *loop)
{
    return loop->clock;
}

int64_t koine__loop_now(struct koine__loop *loop)
{
    return loop->inside ? loop->now : koine__now(loop->clock);
}

struct koine__waker *koine__loop_waker(struct koine__loop *loop)
{
    return loop->waker;
}

void koine__loop_on_wake(struct koine__loop *loop, void (*woken)(void *arg), void *arg)
{
    loop->woken = woken;
    loop->woken_arg = arg;
}

static void show_busy(struct koine__loop *loop)
{
    bool has_work = loop->busy || loop->overdue;
    if (has_work == loop->shows_busy || (loop->held && has_work))
        return;
    loop->shows_busy = has_work;
    if (has_work)
        raise_event(loop->busy_fd);
    else
        clear_event(loop->busy_fd);
}

/* The end of it is shown when somebody is about to poll: it may begin again before that. */
void koine__loop_set_busy(struct koine__loop *loop, bool busy)
{
    loop->busy = busy;
    if (busy)
        show_busy(loop);
}

void koine__loop_rest(struct koine__loop *loop)
{
    show_busy(loop);
}

/* ---- Timers --------------------------------------------------------------------------------------- */

/* Sees to it that timer_fd expires no later than the nearest timer. What is due already needs no timer, whose
 * setting is dear, to keep the descriptor readable. A virtual clock's future never comes by itself. */
static void arm(struct koine__loop *loop)
{
    if (loop->held || loop->overdue || !loop->heap || loop->heap->due >= loop->armed)
        return;
    int64_t now = koine__now(loop->clock);
    if (loop->heap->due <= now) {
        loop->overdue = true;
        show_busy(loop);
        return;
    }
    if (loop->clock->advance)
        return;
    int64_t rest = loop->heap->due - now;
    struct itimerspec spec = {.it_value = {.tv_sec = rest / KOINE__SEC, .tv_nsec = rest % KOINE__SEC}};
    if (timerfd_settime(loop->timer_fd, 0, &spec, NULL) == 0)
        loop->armed = loop->heap->due;
}

static void disarm(struct koine__loop *loop)
{
    clear_event(loop->timer_fd);
    loop->armed = KOINE__NEVER;
}

void koine__timer_init(struct koine__timer *timer, void (*fire)(struct koine__timer *))
{
    *timer = (struct koine__timer)KOINE__TIMER_INIT(fire);
}

void koine__timer_set(struct koine__loop *loop, struct koine__timer *timer, int64_t due)
{
    koine__timer_stop(loop, timer);
    if (due == KOINE__NEVER)
        return;
    timer->due = due;
    timer->order = loop->order++;
    struct koine__timer **heap = loop->firing ? &loop->fresh : &loop->heap;
    *heap = koine__heap_join(*heap, timer);
    if (!loop->inside)
        arm(loop);
}

void koine__timer_stop(struct koine__loop *loop, struct koine__timer *timer)
{
    if (timer->due == KOINE__NEVER)
        return;
    koine__heap_remove(timer == loop->fresh ? &loop->fresh : &loop->heap, timer);
    timer->due = KOINE__NEVER;
}

static int fire_due(struct koine__loop *loop)
{
    int fired = 0;
    loop->firing = true;
    while (loop->heap && loop->heap->due <= loop->now) {
        struct koine__timer *timer = loop->heap;
        koine__timer_stop(loop, timer);
        timer->fire(timer);
        fired++;
    }
    loop->firing = false;
    loop->heap = koine__heap_join(loop->heap, loop->fresh);
    loop->fresh = NULL;
    return fired;
}

void koine__loop_hold(struct koine__loop *loop, bool held)
{
    loop->held = held;
    show_busy(loop);
    if (!loop->inside)
        arm(loop);
}

/* ---- Watches -------------------------------------------------------------------------------------- */

static int take_slot(struct koine__loop *loop, struct koine__watch *watch)
{
    uint32_t slot = FIRST_SLOT;
    while (slot < loop->slot_capacity && loop->slots[slot].watch)
        slot++;
    if (koine__array_reserve((void **)&loop->slots, &loop->slot_capacity, (size_t)slot + 1,
                             sizeof(*loop->slots)) != KOINE_OK)
        return KOINE_EMEMORY;
    loop->slots[slot].watch = watch;
    loop->slots[slot].generation++;
    watch->slot = slot;
    return KOINE_OK;
}

static void leave_slot(struct koine__loop *loop, struct koine__watch *watch)
{
    if (watch->slot)
        loop->slots[watch->slot].watch = NULL;
    watch->slot = NO_SLOT;
}

int koine__loop_watch(struct koine__loop *loop, struct koine__watch *watch, bool readable, bool writable)
{
    if (!readable && !writable) {
        koine__loop_unwatch(loop, watch);
        return KOINE_OK;
    }
    int op = watch->slot ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
    if (!watch->slot && take_slot(loop, watch) != KOINE_OK)
        return KOINE_EMEMORY;
    uint64_t generation = loop->slots[watch->slot].generation;
    struct epoll_event event = {.events = (readable ? EPOLLIN : 0u) | (writable ? EPOLLOUT : 0u),
                                .data.u64 = generation << 32 | watch->slot};
    int rc = epoll_ctl(loop->epoll_fd, op, watch->fd, &event);
    /* The number may have been closed and given out again, or never have been taken out, behind our back. */
    if (rc < 0 && errno == ENOENT)
        rc = epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, watch->fd, &event);
    else if (rc < 0 && errno == EEXIST)
        rc = epoll_ctl(loop->epoll_fd, EPOLL_CTL_MOD, watch->fd, &event);
    if (rc == 0)
        return KOINE_OK;
    leave_slot(loop, watch);
    return errno == EBADF ? KOINE_OK : KOINE_ESYSTEM;
}

void koine__loop_unwatch(struct koine__loop *loop, struct koine__watch *watch)
{
    struct epoll_event none = {0};
    if (watch->slot)
        epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, watch->fd, &none); /* EBADF, ENOENT: it was closed before */
    leave_slot(loop, watch);
}

static int deliver_watch(struct koine__loop *loop, const struct epoll_event *event)
{
    const struct slot *slot = &loop->slots[(uint32_t)event->data.u64];
    if (!slot->watch || slot->generation != event->data.u64 >> 32)
        return 0;
    uint32_t broken = event->events & (EPOLLERR | EPOLLHUP);
    slot->watch->ready(slot->watch, broken || (event->events & EPOLLIN),
                       broken || (event->events & EPOLLOUT));
    return 1;
}

static int deliver(struct koine__loop *loop, const struct epoll_event *event)
{
    switch (event->data.u64) {
    case BUSY_SLOT:
        return 0;
    case TIMER_SLOT:
        disarm(loop);
        return 0;
    case WAKER_SLOT:
        clear_event(loop->waker->fd);
        if (loop->woken)
            loop->woken(loop->woken_arg);
        return 1;
    default:
        return deliver_watch(loop, event);
    }
}

static int deliver_ready(struct koine__loop *loop)
{
    int done = 0;
    int count = loop->waiting;
    loop->waiting = 0;
    if (count == 0)
        count = epoll_wait(loop->epoll_fd, loop->events, MOST_EVENTS, 0);
    if (count < 0)
        return errno == EINTR ? 0 : KOINE_ESYSTEM;
    loop->quiet = count <= (loop->shows_busy ? 1 : 0);
    for (int i = 0; i < count; i++)
        done += deliver(loop, &loop->events[i]);
    return done;
}

/* ---- Rounds --------------------------------------------------------------------------------------- */

/* Where nothing was ready a moment ago and a timer is due, the timer goes first; not twice in a row. */
static bool may_skip(struct koine__loop *loop)
{
    bool skips = loop->quiet && loop->heap && loop->heap->due <= loop->now;
    loop->quiet = false;
    return skips;
}

static int run_round(struct koine__loop *loop)
{
    loop->now = koine__now(loop->clock);
    int delivered = may_skip(loop) ? 0 : deliver_ready(loop);
    if (delivered < 0)
        return delivered;
    loop->now = koine__now(loop->clock);
    return delivered + fire_due(loop);
}

int koine__loop_process(struct koine__loop *loop)
{
    if (loop->inside)
        return KOINE_EARGUMENT;
    int done = 0, moved = 1;
    loop->inside = true;
    loop->quiet = loop->overdue && loop->waiting == 0;
    loop->overdue = false;
    for (int round = 0; round < MOST_ROUNDS && moved > 0; round++) {
        moved = run_round(loop);
        done += moved > 0 ? moved : 0;
    }
    loop->inside = false;
    arm(loop);
    show_busy(loop);
    return moved < 0 ? moved : done;
}

/* In milliseconds, rounded up; -1: for ever. */
static int rest_until(const struct koine__loop *loop, int64_t until)
{
    if (until == KOINE__NEVER)
        return -1;
    int64_t now = koine__now(loop->clock);
    if (until <= now)
        return 0;
    int64_t ms = (until - now - 1) / KOINE__MS + 1;
    return ms < INT_MAX ? (int)ms : INT_MAX;
}

/* What is read here is delivered by the next process: one call into the system for both. */
static int wait_real(struct koine__loop *loop, int64_t until)
{
    bool timer_first = loop->held && loop->heap && loop->heap->due < until;
    int rest = rest_until(loop, timer_first ? loop->heap->due : until);
    if (loop->waiting > 0 || (timer_first && rest == 0))
        return 1;
    int count = epoll_wait(loop->epoll_fd, loop->events, MOST_EVENTS, rest);
    loop->waiting = count > 0 ? count : 0;
    return count != 0 || timer_first;
}

static int wait_virtual(struct koine__loop *loop, int64_t until)
{
    int64_t now = koine__now(loop->clock);
    int64_t due = loop->heap ? loop->heap->due : KOINE__NEVER;
    if (due <= now || wait_real(loop, now))
        return 1;
    int64_t next = due < until ? due : until;
    if (next == KOINE__NEVER)
        return wait_real(loop, KOINE__NEVER); /* only another thread can end this */
    if (next > now)
        loop->clock->advance(loop->clock->arg, next);
    return due <= until;
}

int koine__loop_wait(struct koine__loop *loop, int64_t until)
{
    if (loop->busy || loop->overdue)
        return 1;
    show_busy(loop);
    return loop->clock->advance ? wait_virtual(loop, until) : wait_real(loop, until);
}
