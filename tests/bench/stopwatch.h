/* stopwatch: CPU time of this process (user and system), instructions in user space where perf_event_open is
 * allowed and the machine counts them, and the median of what was measured.
 */
#ifndef KOINE_TESTS_BENCH_STOPWATCH_H
#define KOINE_TESTS_BENCH_STOPWATCH_H

#include <stdbool.h>
#include <stdint.h>

struct stopwatch {
    int counter; /* -1: instructions cannot be counted here */
    double start, ns;
    int64_t instructions; /* -1: not counted */
};

void stopwatch_open(struct stopwatch *watch);
void stopwatch_start(struct stopwatch *watch);
void stopwatch_stop(struct stopwatch *watch); /* sets ns and instructions: of what was done since the start */

double wall_ns(void);
double median(const double *values, int count);

#endif
