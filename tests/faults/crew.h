/* crew: many calls at once, a few of them at a provider that misbehaves. Some threads have a client with many
 * calls in flight each, whole and streamed; some ask and wait; all stand in one line for a place. What call
 * number N is, follows from the seed and N alone; which thread makes it does not.
 */
#ifndef KOINE_TESTS_FAULTS_CREW_H
#define KOINE_TESTS_FAULTS_CREW_H

#include <koine/koine.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    CREW_FLYERS = 2,  /* threads with calls in flight */
    CREW_FLIGHT = 24, /* of each */
    CREW_WAITERS = 2, /* threads that wait for each answer */
    CREW_CLASSES = 32,
    CREW_PER_MILLE = 50 /* calls of a thousand that meet a fault */
};

struct tally { /* of calls */
    _Atomic int64_t ended, answered, streamed, faulty;
    _Atomic int64_t attempts;
    _Atomic int64_t unsure;                /* attempts that may have ended before their request was sent */
    _Atomic int64_t classes[CREW_CLASSES]; /* of those that ended in a fault */
    _Atomic int64_t wrong; /* ended twice, an event after the end, or another text than there was */
};

struct crew;

/* Makes its settings on a hub that is not applied yet; `port`: of the stand-in, with eight tokens an answer.
 */
int crew_set_up(koine_hub *hub, const char *plugins, int port);
struct crew *crew_new(koine_hub *hub, uint64_t seed); /* NULL: no memory, or no thread */
void crew_free(struct crew *crew);                    /* clients and threads */
/* Lets it make calls up to number `until`, from where it stands. Returns at once. */
void crew_go(struct crew *crew, int64_t until);
/* Waits until none is in flight; call it after each crew_go when as many have ended. */
void crew_rest(struct crew *crew);
const struct tally *crew_tally(const struct crew *crew);

#endif
