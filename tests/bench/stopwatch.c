/* stopwatch: see stopwatch.h. */
#include "tests/bench/stopwatch.h"

#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static double now(clockid_t clock)
{
    struct timespec time;
    clock_gettime(clock, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

double wall_ns(void)
{
    return now(CLOCK_MONOTONIC);
}

void stopwatch_open(struct stopwatch *watch)
{
    struct perf_event_attr what = {.type = PERF_TYPE_HARDWARE,
                                   .size = sizeof(what),
                                   .config = PERF_COUNT_HW_INSTRUCTIONS,
                                   .disabled = 1,
                                   .exclude_kernel = 1,
                                   .exclude_hv = 1};
    watch->counter = (int)syscall(SYS_perf_event_open, &what, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
}

void stopwatch_start(struct stopwatch *watch)
{
    if (watch->counter >= 0) {
        ioctl(watch->counter, PERF_EVENT_IOC_RESET, 0);
        ioctl(watch->counter, PERF_EVENT_IOC_ENABLE, 0);
    }
    watch->start = now(CLOCK_PROCESS_CPUTIME_ID);
}

void stopwatch_stop(struct stopwatch *watch)
{
    int64_t count = -1;
    watch->ns = now(CLOCK_PROCESS_CPUTIME_ID) - watch->start;
    if (watch->counter >= 0) {
        ioctl(watch->counter, PERF_EVENT_IOC_DISABLE, 0);
        if (read(watch->counter, &count, sizeof(count)) != sizeof(count))
            count = -1;
    }
    watch->instructions = count;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double median(const double *values, int count)
{
    double sorted[128]; /* nobody measures more often */
    memcpy(sorted, values, (size_t)count * sizeof(*values));
    qsort(sorted, (size_t)count, sizeof(*sorted), by_size);
    return count % 2 ? sorted[count / 2] : (sorted[count / 2 - 1] + sorted[count / 2]) / 2;
}
