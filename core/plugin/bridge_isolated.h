/* bridge_isolated: the bridge of one client. A provider of this process is called at once; one that is
 * isolated has a helper, which is started with its first job and does one job after the other.
 *
 * What a helper's end costs: the job it had, which fails with the reason; another helper is started for the
 * next one. After several ends in a row without an answer in between, jobs fail at once for a while instead,
 * so that nothing is started in a storm.
 */
#ifndef KOINE_CORE_PLUGIN_BRIDGE_ISOLATED_H
#define KOINE_CORE_PLUGIN_BRIDGE_ISOLATED_H

#include "core/base/log.h"
#include "core/plugin/bridge.h"
#include "core/plugin/isolated.h"
#include "core/wire/loop.h"

struct koine__isolating {
    struct koine__bridge pub; /* first */
    struct koine__loop *loop;
    struct koine__log *log; /* may be NULL */
    struct koine__housing *housings;
};
void koine__isolating_init(struct koine__isolating *isolating, struct koine__loop *loop,
                           struct koine__log *log);
/* Kills and reaps; no job may be under way. */
void koine__isolating_release(struct koine__isolating *isolating);
/* In a child after fork: closes; the helpers are the parent's. The loop was detached before. */
void koine__isolating_abandon(struct koine__isolating *isolating);

#endif
