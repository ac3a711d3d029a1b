/* webhook: a client's part in sending notices to where `webhook.url` says. Of a hub's clients one at a time
 * sends one notice at a time, on its own loop while it is processed, with connections that no call uses;
 * nothing waits for it. What failed is sent again by the rules of core/policy/retry, under the same id. One
 * that is not processed loses its claim when its attempt must have ended, and one that is freed gives it
 * back: another goes on. [the client's thread]
 */
#ifndef KOINE_CORE_HUB_WEBHOOK_H
#define KOINE_CORE_HUB_WEBHOOK_H

#include "core/hub/snapshot.h"
#include "core/wire/loop.h"
#include "core/wire/transport.h"

struct koine_hub;
struct koine_notice;

enum koine__sending {
    KOINE__SENDING_NOTHING,
    KOINE__SENDING,
    KOINE__SENDING_LATER /* waits to send it again */
};
struct koine__sender {
    struct koine_hub *hub; /* NULL: it never began */
    struct koine__loop *loop;
    struct koine__transport *lent, *own; /* own: made when it is first needed, and nothing is lent */
    struct koine__random random;
    struct koine__timer timer;
    enum koine__sending state;
    struct koine__snapshot *plan; /* that the notice under way is sent by */
    struct koine_notice *notice;
    uint64_t claim;
    char *body;
    size_t body_len;
    struct koine__retry_state retry;
    struct koine__transfer *transfer;
    const struct koine__fault *fault; /* that ended the transfer */
    int status;                       /* 0: no answer yet */
    int64_t retry_after;
};
/* `lent`: a transport to use; NULL: libcurl's, made when it is needed. */
void koine__sender_init(struct koine__sender *sender, struct koine_hub *hub, struct koine__loop *loop,
                        struct koine__transport *lent);
void koine__sender_release(struct koine__sender *sender);
void koine__sender_abandon(struct koine__sender *sender); /* in a child after fork */
/* Begins if there is something to send; cheap where there is not. Not from inside the loop. */
void koine__sender_look(struct koine__sender *sender);

#endif
