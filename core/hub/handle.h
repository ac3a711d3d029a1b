/* handle: provider handles, the factory's products. Each is an unchanging copy that lives as long as its hub;
 * an instance that a later snapshot changes gets a new one. */
#ifndef KOINE_CORE_HUB_HANDLE_H
#define KOINE_CORE_HUB_HANDLE_H

#include "core/hub/hub.h"

/* Finds or makes the handle of an instance whose provider was loaded. The hub's mutex is held. NULL: no
 * memory. */
const koine_provider_handle *koine__handle_of(struct koine_hub *hub, const struct koine__instance *instance);
void koine__handles_free(struct koine__handle *handles);

#endif
