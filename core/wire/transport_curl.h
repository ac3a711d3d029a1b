/* transport_curl: HTTP by libcurl's multi interface on our loop. Its .c file is the one that knows curl.
 *
 * Traps it is built around (DESIGN section 4): a POST that curl would silently resend on a reset reused
 * connection is aborted before the second send; no redirects; no thread is waited for on cancel; sockets are
 * close-on-exec; a loopback name that is not loopback is refused; the environment's proxies never apply to
 * loopback.
 */
#ifndef KOINE_CORE_WIRE_TRANSPORT_CURL_H
#define KOINE_CORE_WIRE_TRANSPORT_CURL_H

#include "core/wire/loop.h"
#include "core/wire/transport.h"

/* What the clients of a hub share: DNS answers and TLS sessions. [any thread] */
struct koine__curl_share;
int koine__curl_share_new(struct koine__curl_share **ret); /* initialises curl for the process on first use */
void koine__curl_share_free(
    struct koine__curl_share *share); /* after the last transport that uses it; also in a forked child */

struct koine__curl_options {
    size_t idle;          /* connections kept for reuse */
    const int64_t *limit; /* connections at once, for as many transfers; borrowed; NULL: no bound */
    const size_t
        *waiting; /* how many are about to start; those keep connections, too. Borrowed; NULL: none */
    struct koine__curl_share *share;
};
int koine__transport_curl_new(struct koine__loop *loop, const struct koine__curl_options *options,
                              struct koine__transport **ret);

#endif
