/* reader: an application that stops reading in the middle of an answer, and what that costs meanwhile. Both
 * protocols have an act `long`: that many events, each with its number. */
#ifndef KOINE_TESTS_HOSTILE_READER_H
#define KOINE_TESTS_HOSTILE_READER_H

#include <stdbool.h>
#include <stddef.h>

#define LONG_HTTP1 16384 /* events; 17 MB, more than the system's buffers of a connection hold */
#define LONG_HTTP2 4096  /* far below the ceiling */

/* One event of such an answer; its length. */
size_t long_event(int number, char *ret, size_t size);

/* The timers of idle and progress are shorter than the pause. Where it is `blocked`, the server must have
 * been kept from sending on. The answer is whole afterwards. */
void reader_pauses(int events, bool blocked);
/* The server sends on for ever, and cannot be kept from that: over the ceiling, the call ends. */
void reader_pauses_for_ever(const char *act, size_t ceiling);
/* The process forks in the middle of the act `two`, and the child frees all that it has. */
void reader_forks(void);

#endif
