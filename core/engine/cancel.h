/* cancel: a flag and a descriptor that any thread or signal handler may raise, and any number of loops watch.
 */
#ifndef KOINE_CORE_ENGINE_CANCEL_H
#define KOINE_CORE_ENGINE_CANCEL_H

#include <koine/koine.h>
#include <stdbool.h>

koine_canceller *koine__canceller_ref(koine_canceller *canceller);
int koine__canceller_fd(const koine_canceller *canceller); /* readable for ever once cancelled */

#endif
