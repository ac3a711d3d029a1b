/* doctor: the groups of checks that koine doctor is made of. */
#ifndef KOINE_APPS_DOCTOR_H
#define KOINE_APPS_DOCTOR_H

#include "apps/koine/checks.h"

#include <koine/koine.h>
#include <stdbool.h>

struct args;

/* Reads the configuration into `hub`. False: it does not hold, and nothing else can be looked at. */
bool doctor_configuration(struct checks *checks, const struct args *args, koine_hub *hub);
void doctor_plugins(struct checks *checks, const koine_providers *list);

/* One instance that can be used. `probe` NULL: the network was left out. */
void doctor_instance(struct checks *checks, koine_hub *hub, const koine_provider_handle *handle,
                     const koine_probe *probe);
/* By how much this machine's clock differs from the server's. */
void doctor_clock(struct checks *checks, const char *instance, const koine_probe *probe);

/* Whether a target of a route is of this instance. */
bool doctor_is_routed(koine_hub *hub, const char *instance);

#endif
