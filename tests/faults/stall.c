/* stall: see stall.h. */
#include "tests/faults/stall.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <time.h>

#define STEP_NS INT64_C(3000000)
#define SEC_NS  INT64_C(1000000000)

enum {
    NOTED = 1024
};

static struct {
    pthread_t thread;
    pthread_mutex_t lock;
    atomic_bool stops;
    size_t count; /* ever noted; the newest NOTED are kept */
    struct {
        int64_t at, lasted;
    } noted[NOTED];
} stall = {.lock = PTHREAD_MUTEX_INITIALIZER};

static int64_t now_ns(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * SEC_NS + time.tv_nsec;
}

static void note(int64_t at, int64_t lasted)
{
    pthread_mutex_lock(&stall.lock);
    stall.noted[stall.count % NOTED].at = at;
    stall.noted[stall.count % NOTED].lasted = lasted;
    stall.count++;
    pthread_mutex_unlock(&stall.lock);
}

static void *watch(void *unused)
{
    (void)unused;
    for (int64_t due = now_ns() + STEP_NS; !atomic_load(&stall.stops);) {
        struct timespec until = {.tv_sec = due / SEC_NS, .tv_nsec = due % SEC_NS};
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
        int64_t now = now_ns();
        if (now - due > STEP_NS)
            note(now, now - due);
        due = now + STEP_NS;
    }
    return NULL;
}

bool stall_watch(void)
{
    return pthread_create(&stall.thread, NULL, watch, NULL) == 0;
}

void stall_stop(void)
{
    atomic_store(&stall.stops, true);
    pthread_join(stall.thread, NULL);
}

int64_t stall_since(int64_t then)
{
    int64_t longest = 0;
    pthread_mutex_lock(&stall.lock);
    for (size_t i = 0; i < NOTED && i < stall.count; i++)
        if (stall.noted[i].at > then && stall.noted[i].lasted > longest)
            longest = stall.noted[i].lasted;
    pthread_mutex_unlock(&stall.lock);
    return longest;
}
