/* transport_local: no server. The answer to a request is its own body, under its own content type, with
 * status 200: what a provider whose base URL is KOINE_LOCAL asks, it is answered. No socket, no file, no
 * clock but the loop's, and everything behind the transport is as with any other.
 */
#ifndef KOINE_CORE_WIRE_TRANSPORT_LOCAL_H
#define KOINE_CORE_WIRE_TRANSPORT_LOCAL_H

#include "core/wire/loop.h"
#include "core/wire/transport.h"

int koine__transport_local_new(struct koine__loop *loop, struct koine__transport **ret); /* KOINE_EMEMORY */

#endif
