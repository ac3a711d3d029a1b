/* stall: how long this machine held us up. A thread sleeps a little, over and over, and notes when it wakes
 * late: where that is longer than a scaled timer, what a test of timers says is about the machine. */
#ifndef KOINE_TESTS_FAULTS_STALL_H
#define KOINE_TESTS_FAULTS_STALL_H

#include <stdbool.h>
#include <stdint.h>

bool stall_watch(void); /* false: there is no thread */
void stall_stop(void);
/* The longest since that moment (ns of the monotonic clock), in ns. [any thread] */
int64_t stall_since(int64_t then);

#endif
