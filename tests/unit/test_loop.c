/* Timers, watches, wake-ups and the one descriptor, on the system's clock and on a virtual one. */
#include "tests/unit/failalloc.h"
#include "tests/unit/suite.h"

#include "core/base/mem.h"
#include "core/wire/loop.h"
#include <errno.h>
#include <koine/koine.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- A clock that only moves when the loop moves it ------------------------------------------------ */

static int64_t virtual_time;

static int64_t virtual_now(void *arg)
{
    (void)arg;
    return virtual_time;
}

static void virtual_advance(void *arg, int64_t until)
{
    (void)arg;
    virtual_time = until;
}

static const struct koine__clock virtual_clock = {
    .now = virtual_now, .wall = virtual_now, .advance = virtual_advance};

static struct koine__loop *new_loop(const struct koine__clock *clock)
{
    struct koine__loop *loop = NULL;
    virtual_time = 1000;
    CU_ASSERT_FATAL(koine__loop_new(clock, &loop) == KOINE_OK);
    return loop;
}

static bool is_readable(const struct koine__loop *loop)
{
    struct pollfd waited = {.fd = koine__loop_fd(loop), .events = POLLIN};
    return poll(&waited, 1, 0) == 1;
}

/* ---- Timers that write down when they fired -------------------------------------------------------- */

static struct koine__loop *current;
static char journal[4096];

struct noted {
    struct koine__timer timer;
    const char *name;
    int again;          /* so often it sets itself for now */
    struct noted *stop; /* a timer it stops */
};

static void note(struct koine__timer *timer)
{
    struct noted *self = (struct noted *)timer;
    size_t used = strlen(journal);
    snprintf(journal + used, sizeof(journal) - used, "%s@%lld ", self->name,
             (long long)koine__loop_now(current));
    if (self->stop)
        koine__timer_stop(current, &self->stop->timer);
    if (self->again-- > 0)
        koine__timer_set(current, timer, koine__loop_now(current));
}

static struct noted noted(const char *name)
{
    struct noted self = {.name = name};
    koine__timer_init(&self.timer, note);
    return self;
}

static void begin(const struct koine__clock *clock)
{
    current = new_loop(clock);
    journal[0] = '\0';
}

static void end(void)
{
    koine__loop_free(current);
    current = NULL;
}

static void fires_in_order(void)
{
    begin(&virtual_clock);
    struct noted a = noted("a"), b = noted("b"), c = noted("c"), d = noted("d");
    koine__timer_set(current, &c.timer, 3000);
    koine__timer_set(current, &a.timer, 2000);
    koine__timer_set(current, &d.timer, 4000);
    koine__timer_set(current, &b.timer, 2000); /* the same time as a, but set later */
    ASSERT_INT(koine__loop_process(current), 0);
    ASSERT_INT(koine__loop_wait(current, KOINE__NEVER), 1);
    ASSERT_INT(virtual_time, 2000);
    ASSERT_INT(koine__loop_process(current), 2);
    ASSERT_INT(koine__loop_wait(current, 2500), 0);
    ASSERT_INT(virtual_time, 2500);
    ASSERT_INT(koine__loop_wait(current, 9000), 1);
    virtual_time = 5000; /* two are late: they fire together, in order */
    ASSERT_INT(koine__loop_process(current), 2);
    ASSERT_STR(journal, "a@2000 b@2000 c@5000 d@5000 ");
    CU_ASSERT(a.timer.due == KOINE__NEVER);
    end();
}

static void stops_and_moves(void)
{
    begin(&virtual_clock);
    struct noted a = noted("a"), b = noted("b"), c = noted("c");
    koine__timer_stop(current, &a.timer); /* not set: fine */
    koine__timer_set(current, &a.timer, 2000);
    koine__timer_set(current, &b.timer, 3000);
    koine__timer_set(current, &c.timer, 4000);
    koine__timer_set(current, &a.timer, 3500);
    koine__timer_stop(current, &b.timer);
    koine__timer_set(current, &c.timer, KOINE__NEVER); /* the same as stop */
    virtual_time = 9000;
    ASSERT_INT(koine__loop_process(current), 1);
    ASSERT_STR(journal, "a@9000 ");
    end();
}

/* A timer may stop one that is due in the same round, and one that was set in it. */
static void stops_a_due_one(void)
{
    begin(&virtual_clock);
    struct noted a = noted("a"), b = noted("b"), c = noted("c"), d = noted("d");
    a.stop = &b;
    c.again = 1;
    d.stop = &c;
    koine__timer_set(current, &a.timer, 1000);
    koine__timer_set(current, &b.timer, 1000);
    koine__timer_set(current, &c.timer, 1000);
    koine__timer_set(current, &d.timer, 1000);
    ASSERT_INT(koine__loop_process(current), 3);
    ASSERT_STR(journal, "a@1000 c@1000 d@1000 ");
    end();
}

static int64_t last_due;
static int fired_count;

static void check_order(struct koine__timer *timer)
{
    struct noted *self = (struct noted *)timer;
    CU_ASSERT(self->again >= last_due); /* `again` holds its due time here */
    last_due = self->again;
    fired_count++;
}

/* A heap of many under sets, moves and stops in no order gives all that stayed set, sorted. */
static void sorts_many(void)
{
    static struct noted many[1000];
    struct koine__random random;
    int set = 0;
    begin(&virtual_clock);
    koine__random_seed(&random, 42);
    last_due = fired_count = 0;
    for (size_t i = 0; i < 1000; i++)
        koine__timer_init(&many[i].timer, check_order);
    for (int round = 0; round < 5000; round++) {
        struct noted *one = &many[koine__random_below(&random, 1000)];
        one->again = (int)koine__random_below(&random, 100000);
        if (koine__random_below(&random, 4) == 0)
            koine__timer_stop(current, &one->timer);
        else
            koine__timer_set(current, &one->timer, 2000 + one->again);
    }
    for (size_t i = 0; i < 1000; i++)
        set += many[i].timer.due != KOINE__NEVER;
    while (fired_count < set && koine__loop_wait(current, KOINE__NEVER) == 1)
        koine__loop_process(current);
    ASSERT_INT(fired_count, set);
    CU_ASSERT(set > 500);
    end();
}

/* One that always sets itself for now cannot hold process for ever, and stays to be seen from outside. */
static void bounds_a_round(void)
{
    const struct koine__clock *const clocks[] = {&virtual_clock, &koine__system_clock};
    for (size_t i = 0; i < 2; i++) {
        begin(clocks[i]);
        struct noted a = noted("a");
        a.again = 250;
        koine__timer_set(current, &a.timer, koine__loop_now(current));
        ASSERT_INT(koine__loop_process(current), 100);
        struct pollfd waited = {.fd = koine__loop_fd(current), .events = POLLIN};
        ASSERT_INT(poll(&waited, 1, 5000), 1);
        ASSERT_INT(koine__loop_wait(current, KOINE__NEVER), 1);
        ASSERT_INT(koine__loop_process(current), 100);
        ASSERT_INT(koine__loop_process(current), 51);
        ASSERT_INT(koine__loop_process(current), 0);
        end();
    }
}

static void process_inside(struct koine__timer *timer)
{
    (void)timer;
    fired_count = koine__loop_process(current);
}

static void is_not_entered_twice(void)
{
    struct koine__timer timer;
    begin(&virtual_clock);
    koine__timer_init(&timer, process_inside);
    koine__timer_set(current, &timer, 1000);
    ASSERT_INT(koine__loop_process(current), 1);
    ASSERT_INT(fired_count, KOINE_EARGUMENT);
    end();
}

static void fires_in_real_time(void)
{
    begin(&koine__system_clock);
    struct noted a = noted("a"), b = noted("b");
    int64_t start = koine__loop_now(current);
    koine__timer_set(current, &b.timer, start + 3600 * KOINE__SEC);
    koine__timer_set(current, &a.timer, start + 5 * KOINE__MS);
    CU_ASSERT(!is_readable(current));
    ASSERT_INT(koine__loop_wait(current, start + 1), 0);
    while (journal[0] == '\0' && koine__loop_wait(current, KOINE__NEVER) == 1)
        koine__loop_process(current);
    CU_ASSERT(koine__loop_now(current) - start >= 5 * KOINE__MS);
    CU_ASSERT(journal[0] == 'a');
    CU_ASSERT(!is_readable(current));
    koine__timer_set(current, &a.timer, 1); /* long past */
    ASSERT_INT(koine__loop_wait(current, KOINE__NEVER), 1);
    ASSERT_INT(koine__loop_process(current), 1);
    ASSERT_INT(koine__loop_wait(current, 0), 0);
    end();
}

/* A timer that was stopped may wake the loop once, for nothing, and then no more. */
static void forgets_a_stopped_timer(void)
{
    begin(&koine__system_clock);
    struct noted a = noted("a");
    koine__timer_set(current, &a.timer, koine__loop_now(current) + KOINE__MS);
    koine__timer_stop(current, &a.timer);
    ASSERT_INT(koine__loop_wait(current, KOINE__NEVER), 1);
    ASSERT_INT(koine__loop_process(current), 0);
    CU_ASSERT(!is_readable(current));
    end();
}

/* ---- Watches ---------------------------------------------------------------------------------------- */

struct ear {
    struct koine__watch watch;
    int reads, writes;
    struct ear *deafen;
};

static void on_ready(struct koine__watch *watch, bool readable, bool writable)
{
    struct ear *self = (struct ear *)watch;
    char byte;
    self->reads += readable;
    self->writes += writable;
    if (readable && read(watch->fd, &byte, 1) <= 0)
        koine__loop_unwatch(current, watch);
    if (self->deafen)
        koine__loop_unwatch(current, &self->deafen->watch);
}

static struct ear ear_of(int fd)
{
    return (struct ear){.watch = {.fd = fd, .ready = on_ready}};
}

static void open_pair(int ends[2])
{
    CU_ASSERT_FATAL(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) == 0);
}

static void watches(void)
{
    int ends[2];
    begin(&koine__system_clock);
    open_pair(ends);
    struct ear ear = ear_of(ends[0]);
    ASSERT_INT(koine__loop_watch(current, &ear.watch, true, false), KOINE_OK);
    ASSERT_INT(koine__loop_process(current), 0);
    ASSERT_INT(write(ends[1], "xyz", 3), 3);
    ASSERT_INT(koine__loop_wait(current, KOINE__NEVER), 1);
    ASSERT_INT(koine__loop_process(current), 3);
    ASSERT_INT(ear.reads, 3);
    ASSERT_INT(ear.writes, 0);
    ASSERT_INT(koine__loop_watch(current, &ear.watch, false, true), KOINE_OK);
    ASSERT_INT(koine__loop_process(current), 100); /* it stays writable: bounded */
    ASSERT_INT(ear.writes, 100);
    CU_ASSERT(is_readable(current));
    ASSERT_INT(koine__loop_watch(current, &ear.watch, false, false), KOINE_OK);
    CU_ASSERT(!is_readable(current));
    ASSERT_INT(koine__loop_watch(current, &ear.watch, true, true), KOINE_OK);
    close(ends[1]); /* hung up: both */
    CU_ASSERT(koine__loop_process(current) >= 1);
    ASSERT_INT(ear.reads, 4);
    ASSERT_INT(ear.writes, 101);
    koine__loop_unwatch(current, &ear.watch); /* not set: fine */
    close(ends[0]);
    end();
}

/* One that was taken out by another is not called, though it was ready in the same round. */
static void does_not_call_the_removed(void)
{
    int a[2], b[2];
    begin(&koine__system_clock);
    open_pair(a);
    open_pair(b);
    struct ear first = ear_of(a[0]), second = ear_of(b[0]);
    first.deafen = &second;
    second.deafen = &first;
    koine__loop_watch(current, &first.watch, true, false);
    koine__loop_watch(current, &second.watch, true, false);
    ASSERT_INT(write(a[1], "x", 1), 1);
    ASSERT_INT(write(b[1], "x", 1), 1);
    ASSERT_INT(koine__loop_process(current), 1);
    ASSERT_INT(first.reads + second.reads, 1);
    end();
    for (int i = 0; i < 2; i++) {
        close(a[i]);
        close(b[i]);
    }
}

/* Descriptors that were closed, and numbers that were given out again, behind the loop's back. */
static void bears_closed_descriptors(void)
{
    int ends[2], others[2];
    begin(&koine__system_clock);
    open_pair(ends);
    struct ear ear = ear_of(ends[0]);
    koine__loop_watch(current, &ear.watch, true, false);
    close(ends[0]);
    ASSERT_INT(koine__loop_watch(current, &ear.watch, true, true), KOINE_OK); /* EBADF */
    koine__loop_unwatch(current, &ear.watch);
    open_pair(others);
    ear = ear_of(others[0]);
    koine__loop_watch(current, &ear.watch, true, false);
    close(others[0]);
    ASSERT_INT(dup2(others[1], others[0]), others[0]);
    ASSERT_INT(koine__loop_watch(current, &ear.watch, true, false), KOINE_OK); /* ENOENT: added anew */
    struct ear twin = ear_of(others[0]);
    ASSERT_INT(koine__loop_watch(current, &twin.watch, true, false),
               KOINE_OK); /* EEXIST: the newer one has it */
    ASSERT_INT(shutdown(others[1], SHUT_RDWR), 0);
    CU_ASSERT(koine__loop_process(current) >= 1);
    ASSERT_INT(ear.reads, 0);
    ASSERT_INT(twin.reads, 1);
    end();
    close(others[0]);
    close(others[1]);
    close(ends[1]);
}

/* A forked child (here: a duplicate) keeps a closed descriptor in the set, where nobody can take it out any
 * more. Its events must not reach whoever has the memory, or the number, now. */
static void ignores_what_it_cannot_remove(void)
{
    int ends[2], others[2];
    begin(&koine__system_clock);
    open_pair(ends);
    struct ear first = ear_of(ends[0]);
    koine__loop_watch(current, &first.watch, true, false);
    int copy = dup(ends[0]);
    close(ends[0]);
    koine__loop_unwatch(current, &first.watch);
    ASSERT_INT(write(ends[1], "x", 1), 1);
    ASSERT_INT(koine__loop_process(current), 0);
    open_pair(others); /* the same number, and the same slot */
    struct ear second = ear_of(others[0]);
    koine__loop_watch(current, &second.watch, true, false);
    ASSERT_INT(koine__loop_process(current), 0);
    ASSERT_INT(first.reads + second.reads, 0);
    close(copy);
    ASSERT_INT(write(others[1], "x", 1), 1);
    ASSERT_INT(koine__loop_process(current), 1);
    ASSERT_INT(second.reads, 1);
    end();
    close(ends[1]);
    close(others[0]);
    close(others[1]);
}

static void refuses_what_cannot_be_watched(void)
{
    begin(&koine__system_clock);
    FILE *file = tmpfile();
    CU_ASSERT_FATAL(file != NULL);
    struct ear ear = ear_of(fileno(file));
    ASSERT_INT(koine__loop_watch(current, &ear.watch, true, false), KOINE_ESYSTEM);
    fclose(file);
    end();
}

/* ---- Wake-ups --------------------------------------------------------------------------------------- */

static void count_wake(void *arg)
{
    ++*(int *)arg;
}

static void *wake_from_thread(void *arg)
{
    koine__waker_wake(arg);
    koine__waker_unref(arg);
    return NULL;
}

static void wakes_from_a_thread(void)
{
    const struct koine__clock *const clocks[] = {&virtual_clock, &koine__system_clock};
    for (size_t i = 0; i < 2; i++) {
        pthread_t thread;
        int woken = 0;
        begin(clocks[i]);
        koine__loop_on_wake(current, count_wake, &woken);
        struct koine__waker *waker = koine__waker_ref(koine__loop_waker(current));
        CU_ASSERT_FATAL(pthread_create(&thread, NULL, wake_from_thread, waker) == 0);
        ASSERT_INT(koine__loop_wait(current, KOINE__NEVER), 1);
        pthread_join(thread, NULL);
        ASSERT_INT(koine__loop_process(current), 1);
        ASSERT_INT(woken, 1);
        CU_ASSERT(!is_readable(current));
        end();
    }
}

static void merges_wakes(void)
{
    int woken = 0;
    begin(&virtual_clock);
    koine__waker_wake(koine__loop_waker(current)); /* nobody listens yet: it is taken all the same */
    ASSERT_INT(koine__loop_process(current), 1);
    koine__loop_on_wake(current, count_wake, &woken);
    errno = ERANGE;
    for (int i = 0; i < 5; i++)
        koine__waker_wake(koine__loop_waker(current));
    ASSERT_INT(errno, ERANGE);
    CU_ASSERT(is_readable(current));
    ASSERT_INT(koine__loop_process(current), 1);
    ASSERT_INT(woken, 1);
    end();
}

static struct koine__waker *signalled;

static void on_signal(int number)
{
    (void)number;
    koine__waker_wake(signalled);
}

static void wakes_from_a_signal_handler(void)
{
    struct sigaction action = {.sa_handler = on_signal}, before;
    begin(&koine__system_clock);
    signalled = koine__loop_waker(current);
    sigaction(SIGUSR1, &action, &before);
    raise(SIGUSR1);
    ASSERT_INT(koine__loop_wait(current, KOINE__NEVER), 1);
    ASSERT_INT(koine__loop_process(current), 1);
    sigaction(SIGUSR1, &before, NULL);
    end();
}

static void waker_outlives_the_loop(void)
{
    begin(&koine__system_clock);
    struct koine__waker *waker = koine__waker_ref(koine__loop_waker(current));
    end();
    koine__waker_wake(waker);
    koine__waker_unref(waker);
    koine__waker_unref(NULL);
    koine__loop_free(NULL);
}

/* ---- Busy, fork, failures --------------------------------------------------------------------------- */

static void busy_keeps_it_readable(void)
{
    const struct koine__clock *const clocks[] = {&virtual_clock, &koine__system_clock};
    for (size_t i = 0; i < 2; i++) {
        begin(clocks[i]);
        koine__loop_set_busy(current, true);
        koine__loop_set_busy(current, true);
        for (int round = 0; round < 3; round++) {
            CU_ASSERT(is_readable(current));
            ASSERT_INT(koine__loop_wait(current, KOINE__NEVER), 1);
            ASSERT_INT(koine__loop_process(current), 0);
        }
        koine__loop_set_busy(current, false);
        koine__loop_rest(current);
        CU_ASSERT(!is_readable(current));
        ASSERT_INT(koine__loop_wait(current, koine__loop_now(current)), 0);
        end();
    }
}

/* Until somebody is about to poll, nobody need know that it is over. */
static void busy_ends_by_itself(void)
{
    begin(&koine__system_clock);
    koine__loop_set_busy(current, true);
    koine__loop_set_busy(current, false);
    ASSERT_INT(koine__loop_process(current), 0);
    CU_ASSERT(!is_readable(current));
    koine__loop_set_busy(current, true);
    koine__loop_set_busy(current, false);
    ASSERT_INT(koine__loop_wait(current, koine__loop_now(current)), 0);
    CU_ASSERT(!is_readable(current));
    end();
}

/* What is due keeps it readable until it has fired, also where it was stopped again. */
static void what_is_due_keeps_it_readable(void)
{
    const struct koine__clock *const clocks[] = {&virtual_clock, &koine__system_clock};
    for (size_t i = 0; i < 2; i++) {
        struct noted a = noted("a");
        begin(clocks[i]);
        koine__timer_set(current, &a.timer, koine__loop_now(current));
        CU_ASSERT(is_readable(current));
        ASSERT_INT(koine__loop_wait(current, KOINE__NEVER), 1);
        CU_ASSERT(is_readable(current));
        ASSERT_INT(koine__loop_process(current), 1);
        CU_ASSERT(!is_readable(current));
        koine__timer_set(current, &a.timer, koine__loop_now(current));
        koine__timer_stop(current, &a.timer);
        ASSERT_INT(koine__loop_process(current), 0);
        CU_ASSERT(!is_readable(current));
        end();
    }
}

/* A child gives its copies up without touching what the parent has registered. */
/* While it is held only its own wait needs to know what is due. */
static void held_shows_nothing(void)
{
    struct noted a = noted("a");
    begin(&koine__system_clock);
    koine__loop_hold(current, true);
    koine__timer_set(current, &a.timer, koine__loop_now(current));
    koine__loop_set_busy(current, true);
    CU_ASSERT(!is_readable(current));
    ASSERT_INT(koine__loop_wait(current, KOINE__NEVER), 1);
    koine__loop_hold(current, false);
    CU_ASSERT(is_readable(current));
    koine__loop_hold(current, true);
    koine__loop_set_busy(current, false);
    ASSERT_INT(koine__loop_wait(current, KOINE__NEVER), 1);
    ASSERT_INT(koine__loop_process(current), 1);
    koine__loop_hold(current, false);
    CU_ASSERT(!is_readable(current));
    end();
}

static void held_waits_for_its_timer(void)
{
    struct noted a = noted("a");
    begin(&koine__system_clock);
    koine__loop_hold(current, true);
    int64_t due = koine__loop_now(current) + 3 * KOINE__MS;
    koine__timer_set(current, &a.timer, due);
    ASSERT_INT(koine__loop_wait(current, KOINE__NEVER), 1);
    CU_ASSERT(koine__loop_now(current) >= due);
    ASSERT_INT(koine__loop_process(current), 1);
    ASSERT_INT(koine__loop_wait(current, koine__loop_now(current) + KOINE__MS), 0);
    end();
}

/* What wait has read is delivered by process, unless its watch is gone by then. */
static void keeps_what_wait_has_read(void)
{
    int ends[2];
    begin(&koine__system_clock);
    open_pair(ends);
    struct ear ear = ear_of(ends[0]);
    ASSERT_INT(koine__loop_watch(current, &ear.watch, true, false), KOINE_OK);
    ASSERT_INT(write(ends[1], "x", 1), 1);
    ASSERT_INT(koine__loop_wait(current, KOINE__NEVER), 1);
    ASSERT_INT(koine__loop_wait(current, KOINE__NEVER), 1);
    CU_ASSERT(is_readable(current));
    koine__loop_unwatch(current, &ear.watch);
    ASSERT_INT(koine__loop_process(current), 0);
    close(ends[0]);
    close(ends[1]);
    end();
}

static void child_abandons(void)
{
    int ends[2], status = -1;
    begin(&koine__system_clock);
    open_pair(ends);
    struct ear ear = ear_of(ends[0]);
    koine__loop_watch(current, &ear.watch, true, false);
    pid_t child = fork();
    if (child == 0) {
        koine__loop_abandon(current);
        _exit(0);
    }
    waitpid(child, &status, 0);
    ASSERT_INT(status, 0);
    ASSERT_INT(write(ends[1], "x", 1), 1);
    ASSERT_INT(koine__loop_process(current), 1);
    ASSERT_INT(ear.reads, 1);
    koine__loop_unwatch(current, &ear.watch);
    end();
    close(ends[0]);
    close(ends[1]);
}

static int watch_many(void)
{
    static struct ear ears[20];
    int ends[2], rc = KOINE_OK;
    struct koine__loop *loop = NULL;
    open_pair(ends);
    rc = koine__loop_new(&virtual_clock, &loop);
    for (int i = 0; i < 20 && rc == KOINE_OK; i++) {
        ears[i] = ear_of(dup(ends[0]));
        rc = koine__loop_watch(loop, &ears[i].watch, true, false);
        if (rc != KOINE_OK)
            close(ears[i].watch.fd);
    }
    for (int i = 0; i < 20; i++)
        if (ears[i].watch.slot) {
            koine__loop_unwatch(loop, &ears[i].watch);
            close(ears[i].watch.fd);
        }
    koine__loop_free(loop);
    close(ends[0]);
    close(ends[1]);
    return rc;
}

static void survives_failing_allocations(void)
{
    for (long n = 1;; n++) {
        failalloc_begin(n);
        int rc = watch_many();
        if (!failalloc_end())
            break;
        ASSERT_INT(rc, KOINE_EMEMORY);
    }
}

/* Without descriptors there is no loop, and none is left open. */
static void survives_missing_descriptors(void)
{
    struct rlimit before, low;
    int lowest = dup(0);
    close(lowest);
    CU_ASSERT_FATAL(getrlimit(RLIMIT_NOFILE, &before) == 0);
    for (int allowed = 0; allowed <= 4; allowed++) { /* epoll, timer, busy, waker */
        struct koine__loop *loop = NULL;
        low = before;
        low.rlim_cur = (rlim_t)(lowest + allowed);
        CU_ASSERT_FATAL(setrlimit(RLIMIT_NOFILE, &low) == 0);
        int rc = koine__loop_new(&virtual_clock, &loop);
        setrlimit(RLIMIT_NOFILE, &before);
        ASSERT_INT(rc, allowed < 4 ? KOINE_ESYSTEM : KOINE_OK);
        koine__loop_free(loop);
        int next = dup(0);
        ASSERT_INT(next, lowest);
        close(next);
    }
}

SUITE_MAIN("loop", {"fires_in_order", fires_in_order}, {"stops_and_moves", stops_and_moves},
           {"stops_a_due_one", stops_a_due_one}, {"sorts_many", sorts_many},
           {"bounds_a_round", bounds_a_round}, {"is_not_entered_twice", is_not_entered_twice},
           {"fires_in_real_time", fires_in_real_time}, {"forgets_a_stopped_timer", forgets_a_stopped_timer},
           {"watches", watches}, {"does_not_call_the_removed", does_not_call_the_removed},
           {"bears_closed_descriptors", bears_closed_descriptors},
           {"ignores_what_it_cannot_remove", ignores_what_it_cannot_remove},
           {"refuses_what_cannot_be_watched", refuses_what_cannot_be_watched},
           {"wakes_from_a_thread", wakes_from_a_thread}, {"merges_wakes", merges_wakes},
           {"wakes_from_a_signal_handler", wakes_from_a_signal_handler},
           {"waker_outlives_the_loop", waker_outlives_the_loop},
           {"busy_keeps_it_readable", busy_keeps_it_readable}, {"busy_ends_by_itself", busy_ends_by_itself},
           {"what_is_due_keeps_it_readable", what_is_due_keeps_it_readable},
           {"held_shows_nothing", held_shows_nothing}, {"held_waits_for_its_timer", held_waits_for_its_timer},
           {"keeps_what_wait_has_read", keeps_what_wait_has_read}, {"child_abandons", child_abandons},
           {"survives_failing_allocations", survives_failing_allocations},
           {"survives_missing_descriptors", survives_missing_descriptors})
