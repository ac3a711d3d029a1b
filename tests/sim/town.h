/* town: several clients of one hub on one virtual clock, in one thread: the real library, with providers that
 * are stochastic models, and an oracle beside every promise.
 *
 * From a seed it draws what happens and when: calls that come and are cancelled, clients that are late or sit
 * in application code, answers, failures, outages; and, of all that is due at a moment, what goes first. The
 * same seed gives the same trace. After every step the oracles are asked; the first of them that says
 * something is wrong is kept with the end of the trace, and the run is over.
 *
 *     struct town town;
 *     if (!town_open(&town, seed, 3, settings)) return;
 *     town.servers[0].per_mille[SERVER_FAILS] = 50;
 *     town_visit(&town, 200, 60 * KOINE__SEC);
 *     town_run(&town);
 *     town_close(&town);
 */
#ifndef KOINE_TESTS_SIM_TOWN_H
#define KOINE_TESTS_SIM_TOWN_H

#include "core/hub/client.h"
#include "core/policy/policies.h"
#include "tests/sim/oracle.h"
#include "tests/sim/servers.h"
#include "tests/unit/rig.h"

#define TOWN_CLIENTS 8
#define TOWN_SERVERS 2 /* together, openai */
#define TOWN_LINES   400
#define TOWN_LINE    160

struct town;
struct town_client {
    struct town *town;
    unsigned number;
    koine_client *client;
    int64_t asleep_from, asleep_until; /* its thread is busy elsewhere */
    int64_t missed_until;              /* it slept so long that it may have missed its turn */
};
struct town_call {
    struct town *town;
    unsigned number;
    struct town_client *of;
    koine_call *call; /* NULL: not started, or freed */
    koine_canceller *canceller;
    bool whole, single; /* single: the first server alone */
    bool drops;         /* it is not cancelled, but freed while it runs */
    int64_t timeout;
    struct oracle_call oracle;
    struct oracle_money money; /* its own budget */
    unsigned retries;          /* at the target it is at */
    int64_t owes;              /* of a retry budget, for a retry that is announced and not sent yet */
    int64_t not_before;        /* the next request */
    int64_t advice;            /* of the request that ended last */
    int at;                    /* index of the server that was asked last; -1: none */
    enum server_way way;       /* of its answer */
    bool hedged;               /* two requests were under way at once */
    char text[512], expected[TOWN_SERVERS][512];
    int end; /* KOINE_CLASS_… it ended with; -1: it runs */
};
enum town_kind {
    TOWN_CALL,
    TOWN_CANCEL,
    TOWN_SLEEP,
    TOWN_RAISE /* the limits, by a new configuration */
};
struct town_event { /* of the agenda */
    int64_t at;
    enum town_kind kind;
    unsigned which; /* number of the call, or of the client */
    int64_t lasts;
};
struct town_spy { /* stands before a stage of the gate and tells the oracles what it says */
    struct koine__gate_stage stage;
    const struct koine__gate_stage *real; /* NULL: there is none, and all may pass */
    struct town *town;
    enum koine__stage where;
};
struct town_server {         /* what the oracles know of one */
    struct oracle_log sends; /* as they arrive */
    struct oracle_limiter limiter;
    struct oracle_breaker breaker;
    struct oracle_bucket bucket;
    const struct koine__instance *instance;
    int64_t paused_until; /* as it told us with a 429 */
    size_t under_way, requests;
    size_t told_opened, told_closed; /* notices of its breaker */
    struct served **served;          /* of those under way */
    size_t served_count, served_capacity;
};

struct town_tally { /* how much of what there was */
    size_t requests, answered, retries, moves, hedged, waited, refused, opened, unpaid;
};

struct town {
    struct rig rig; /* the hub and the time */
    uint64_t seed;
    struct koine__clock clock;
    struct koine__random random;
    struct koine__snapshot *snapshot; /* in force: for its settings */
    struct town_client clients[TOWN_CLIENTS];
    size_t client_count;
    struct town_client *opening, *running;
    struct server servers[TOWN_SERVERS];
    struct town_server seen[TOWN_SERVERS];
    struct oracle_money money; /* the run's budget */
    struct town_spy spies[KOINE__STAGES];
    struct town_call **calls;
    size_t call_count, call_capacity, ended;
    struct town_event *agenda; /* sorted from `next` on */
    size_t agenda_count, agenda_capacity, next;
    int64_t peeked; /* what a loop waits for */
    unsigned late;  /* of 1000 times that a client is due it comes later */
    struct town_tally tally;
    char lines[TOWN_LINES][TOWN_LINE]; /* the end of the trace */
    size_t line_count;
    uint64_t trace;  /* a digest of all of it */
    char wrong[256]; /* what an oracle said; "": nothing */
};

/* A hub with these settings (path and value in turn up to NULL; may be NULL) and its clients. The oracles
 * hold it to the settings in force. False: skipped. */
bool town_open(struct town *town, uint64_t seed, size_t clients, const char *const *settings);
void town_close(struct town *town);

/* Puts on the agenda: so many calls of random kinds at random moments within that time, some to be cancelled;
 * so many sleeps of at most so long. */
void town_visit(struct town *town, unsigned calls, int64_t within);
void town_raise_at(struct town *town, int64_t at); /* the limits of the first server that it has */
void town_sleeps(struct town *town, unsigned sleeps, int64_t within, int64_t most);
/* One call at that moment; change what it asks for before the town runs. */
struct town_call *town_call_at(struct town *town, int64_t at);
/* An attempt of it is sent: what is wrong with that, or NULL. */
const char *town_retry_is_sent(struct town_call *call, struct oracle_bucket *bucket, bool is_hedge);

/* Until nothing is left to do, or something is wrong. */
void town_run(struct town *town);
/* All providers are well from now on, and calls come to the first one until its breaker would have to be
 * closed: it must be. */
void town_recover(struct town *town);
/* What must hold when all is over. */
void town_judge(struct town *town);
void town_tally_add(struct town_tally *sum, const struct town *town);
size_t town_count(const struct town *town, int class_number); /* calls that ended so */

void town_note(struct town *town, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* What an oracle answered; NULL: fine. */
void town_hear(struct town *town, const char *wrong);
/* Fails the running test if something was wrong, and prints what, how to see it again, and how it came. */
void town_report(const struct town *town, const char *program);

#endif
