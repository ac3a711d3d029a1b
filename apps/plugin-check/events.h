/* events: what the header has for a single event. */
#ifndef KOINE_APPS_PLUGIN_CHECK_EVENTS_H
#define KOINE_APPS_PLUGIN_CHECK_EVENTS_H

#include "apps/plugin-check/inspection.h"

/* Tells what is wrong with it. False: it cannot even be written down. */
bool event_is_sound(struct inspection *in, const struct vendor_case *c, const koine_provider_event *event);
/* Whether an application would see something of the answer in it. */
bool event_is_content(const koine_provider_event *event);

#endif
