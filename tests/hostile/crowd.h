/* crowd: many calls at once on one client. */
#ifndef KOINE_TESTS_HOSTILE_CROWD_H
#define KOINE_TESTS_HOSTILE_CROWD_H

/* Starts so many streamed calls of an act, and reads them to their ends, each of which must be the one that
 * is said. The server must have seen so many requests. */
void crowd_asks(const char *act, int count, const char *expected);
/* The same, but so many of them end in that class, and never come to be requests. */
void crowd_loses(const char *act, int count, const char *expected, int lost, const char *class_name);

#endif
