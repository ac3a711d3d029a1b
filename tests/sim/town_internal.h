/* town_internal: what the files of a town share: town.c (its life and its time), town_spy.c (the gate),
 * town_net.c (the servers), town_calls.c (the applications). */
#ifndef KOINE_TESTS_SIM_TOWN_INTERNAL_H
#define KOINE_TESTS_SIM_TOWN_INTERNAL_H

#include "tests/sim/town.h"

int town_server_of(const char *name);         /* index, or -1 */
uint64_t town_awake(const struct town *town); /* clients, a bit each */
/* Those that were awake, or no more than late, for as long as a grant may be out. */
uint64_t town_attentive(const struct town *town);
void town_spy_init(struct town_spy *spy, struct town *town, enum koine__stage where,
                   const struct koine__gate_stage *real);

/* The world's way to a transport; `arg` is the town, and `opening` who it is for. */
int town_open_transport(void *arg, struct koine__loop *loop, struct koine__transport **ret);

void town_start(struct town_call *call);
void town_cancel(struct town_call *call);
void town_read(struct town_client *client); /* all events that wait */
void town_drop(struct town_call *call);
void town_add(struct town *town, int64_t at, enum town_kind kind, unsigned which, int64_t lasts);

#endif
