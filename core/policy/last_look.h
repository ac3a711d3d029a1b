/* last_look: after the last line and before anything is sent, whether what let the attempt through still
 * holds, for one that waited for a connection was let through long ago. A pause sends it back to the
 * limiter's line, where it keeps neither place nor connection from others; a latch refuses it (class refused,
 * code latched), but for a last resort. The breaker looks again for itself. A stage of the gate.
 */
#ifndef KOINE_CORE_POLICY_LAST_LOOK_H
#define KOINE_CORE_POLICY_LAST_LOOK_H

#include "core/policy/gate.h"

extern const struct koine__gate_stage koine__last_look_stage;

#endif
