/* clients: threads that share a limiter, without threads: each has an inbox and tickets, time is virtual, and
 * a client may sleep, as one does whose application is busy. What a ticket does when it is woken, or its time
 * has come, is what an attempt does: it enters the gate again.
 */
#ifndef KOINE_TESTS_UNIT_CLIENTS_H
#define KOINE_TESTS_UNIT_CLIENTS_H

#include "core/policy/inbox.h"
#include "core/policy/policies.h"

enum {
    CLIENTS = 8, /* the last one has no inbox */
    CUSTOMERS = 512
};
enum stand {
    STAND_AWAY,
    STAND_WAITS,
    STAND_THROUGH,
    STAND_REFUSED
};
struct customer {
    struct koine__ticket ticket; /* first */
    enum stand stand;
    int client;
    bool woken;
    int64_t came_at, passed_at, sent_at; /* came, passed or was refused, sent */
    unsigned looks;                      /* times that it asked */
    unsigned place;                      /* among all that passed, from 1 */
    unsigned number;                     /* among all that came, from 1 */
    struct koine__fault fault;
};
struct clients {
    struct koine__limiter *limiter;
    int64_t now;
    bool asleep[CLIENTS];
    bool sends_at_once; /* whoever is through */
    unsigned passed;
    int used;             /* customers that there ever were */
    unsigned came;        /* numbers given */
    void (*looked)(void); /* after each single call of the limiter; NULL: nobody looks */
    struct customer customers[CUSTOMERS];
};
extern struct clients clients;

/* A limiter with this configuration, time 1000 s, nobody there. False: no memory. */
bool clients_begin(const struct koine__limiter_config *config);
/* Ends whoever is still there. */
void clients_end(void);
/* One that does not enter yet; NULL: there are too many. */
struct customer *clients_prepare(int client, int64_t deadline, int64_t tokens);
struct customer *clients_come(int client, int64_t deadline, int64_t tokens); /* and enters */
void clients_enter(struct customer *customer);
void clients_send(struct customer *customer);
void clients_leave(struct customer *customer, bool sent, int64_t tokens); /* or gives up, where it waits */
void clients_deliver(void); /* what is in the inboxes of those awake, until nothing moves */
/* Moves time, from one wake_at to the next. */
void clients_run(int64_t until);
unsigned clients_count(enum stand stand);

#endif
