/* helper: the process of an isolated plugin, as its parent has it: started, limited, killed, reaped. Only
 * this child is ever waited for, by its own descriptor; the application's other children and its handlers of
 * signals are not touched. */
#ifndef KOINE_CORE_PLUGIN_HELPER_H
#define KOINE_CORE_PLUGIN_HELPER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct koine__helper {
    pid_t pid;                   /* 0: there is none */
    int pidfd;                   /* readable when it has ended */
    int fd;                      /* the socket, never waits */
    int64_t allowed_at, allowed; /* when it was last granted processor time, and how much */
};

/* Starts the program with an empty environment, no descriptor but the socket and `object_fd`, every signal as
 * by default, and a session of its own. 0, or an errno. */
int koine__helper_start(const char *program, int object_fd, struct koine__helper *ret);
/* It may use so much more processor time (ns) than until now; asks the system at most once a second of `now`.
 */
void koine__helper_allow(struct koine__helper *helper, int64_t now, int64_t time);
bool koine__helper_has_ended(const struct koine__helper *helper);
void koine__helper_kill(const struct koine__helper *helper); /* fine if it has ended */
/* After pidfd is readable, or to wait until it is: closes, reaps, and says how it ended: "was killed by
 * SIGSEGV", "ended with status 3". */
void koine__helper_reap(struct koine__helper *helper, char *ret, size_t size);
/* Closes and forgets it without a sign to it: in a child after fork it is the parent's. */
void koine__helper_abandon(struct koine__helper *helper);

#endif
