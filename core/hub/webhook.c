/* webhook: see webhook.h. Everything goes through one timer, so that no handler of a transfer ends it. */
#include "core/hub/webhook.h"

#include "core/hub/hub.h"
#include <koine/json.h>

#include <stdio.h>
#include <string.h>

#define BODY_VERSION 1
#define SLACK        KOINE__SEC /* a claim lasts longer than its attempt */
#define MOST_TRIES   1000       /* its own bound, max_retries, comes first */

static struct koine__notices *notices_of(const struct koine__sender *sender)
{
    return &sender->hub->notices;
}

static void soon(struct koine__sender *sender)
{
    koine__timer_set(sender->loop, &sender->timer, koine__loop_now(sender->loop));
}

/* ---- what is sent ---- */

static void add_if(koine_json_writer *writer, const char *name, const char *text)
{
    if (*text)
        koine_json_add_string(writer, name, text);
}

static char *new_body(const struct koine_notice *notice, size_t *ret_len)
{
    koine_json_writer *writer = koine_json_writer_new();
    koine_json_open(writer, NULL, '{');
    koine_json_add_integer(writer, "version", BODY_VERSION);
    koine_json_add_string(writer, "id", notice->id);
    koine_json_add_string(writer, "type", koine__notice_kind_name(notice->kind));
    koine_json_add_integer(writer, "at_ms", koine_notice_at_ms(notice));
    if (koine_notice_until_ms(notice) >= 0)
        koine_json_add_integer(writer, "until_ms", koine_notice_until_ms(notice));
    add_if(writer, "instance", notice->instance);
    add_if(writer, "model", notice->model);
    if (notice->class_number != KOINE_CLASS_NONE)
        koine_json_add_string(writer, "class", koine_class_name(notice->class_number));
    koine_json_add_string(writer, "message", notice->message);
    koine_json_add_integer(writer, "count", notice->count);
    koine_json_close(writer);
    char *body = koine_json_writer_take(writer, ret_len);
    if (!body)
        koine_json_writer_free(writer);
    return body;
}

/* "v1,…": HMAC-SHA256 over id.timestamp.body, as the Standard Webhooks have it. */
static void sign(const struct koine__sender *sender, const char *timestamp, char *ret, size_t size)
{
    char digest[KOINE__HMAC_BASE64];
    koine_str pieces[] = {koine__str(sender->notice->id),
                          KOINE__STR("."),
                          koine__str(timestamp),
                          KOINE__STR("."),
                          {sender->body, sender->body_len}};
    koine__hmac_base64(sender->plan->webhook.secret, pieces, sizeof(pieces) / sizeof(pieces[0]), digest);
    snprintf(ret, size, "v1,%s", digest);
}

/* ---- a transfer ---- */

static koine_str find_header(const void *arg, const char *name)
{
    return koine__head_find(arg, name);
}

static void on_head(void *arg, const struct koine__head *head)
{
    struct koine__sender *sender = arg;
    const struct koine__clock *clock = koine__loop_clock(sender->loop);
    sender->status = head->status;
    sender->retry_after = koine__retry_after(find_header, head, clock->wall(clock->arg));
    soon(sender);
}

static void on_done(void *arg, const struct koine__fault *fault)
{
    struct koine__sender *sender = arg;
    sender->transfer = NULL;
    if (fault)
        koine__fault_keep(&sender->fault, fault);
    soon(sender);
}

static struct koine__transport *transport_of(struct koine__sender *sender)
{
    struct koine__curl_options options = {.idle = 1};
    if (sender->lent || sender->own)
        return sender->lent ? sender->lent : sender->own;
    if (koine__hub_share(sender->hub, &options.share) != KOINE_OK ||
        koine__transport_curl_new(sender->loop, &options, &sender->own) != KOINE_OK)
        sender->own = NULL;
    return sender->own;
}

static int start_transfer(struct koine__sender *sender)
{
    static const struct koine__handler handler = {.head = on_head, .done = on_done};
    const struct koine__clock *clock = koine__loop_clock(sender->loop);
    struct koine__transport *transport = transport_of(sender);
    char timestamp[24], signature[KOINE__HMAC_BASE64 + 8];
    if (!transport)
        return KOINE_EMEMORY;
    snprintf(timestamp, sizeof(timestamp), "%lld", (long long)(clock->wall(clock->arg) / KOINE__SEC));
    sign(sender, timestamp, signature, sizeof(signature));
    const struct koine__header headers[] = {
        {KOINE__STR("Content-Type"), KOINE__STR("application/json")},
        {KOINE__STR("webhook-id"), koine__str(sender->notice->id)},
        {KOINE__STR("webhook-timestamp"), koine__str(timestamp)},
        {KOINE__STR("webhook-signature"), koine__str(signature)},
    };
    struct koine__http_request request = {
        .method = "POST",
        .url = sender->plan->webhook.url,
        .headers = headers,
        .header_count = sizeof(headers) / sizeof(headers[0]),
        .body = {sender->body, sender->body_len},
        .ca_file = sender->plan->ca_file,
        .proxy = sender->plan->proxy,
    };
    return transport->ops->start(transport, &request, &handler, sender, &sender->transfer);
}

static void stop_transfer(struct koine__sender *sender)
{
    struct koine__transport *transport = sender->lent ? sender->lent : sender->own;
    if (!sender->transfer)
        return;
    if (sender->status > 0)
        transport->ops->drain(sender->transfer);
    else
        transport->ops->cancel(sender->transfer);
    sender->transfer = NULL;
}

/* ---- one notice ---- */

static void forget(struct koine__sender *sender)
{
    koine_notice_free(sender->notice);
    koine__dealloc(sender->body);
    koine__snapshot_unref(sender->plan);
    koine__fault_drop(&sender->fault);
    sender->notice = NULL;
    sender->body = NULL;
    sender->plan = NULL;
    sender->state = KOINE__SENDING_NOTHING;
}

static void try_to_send(struct koine__sender *sender)
{
    int64_t until = koine__time_add(koine__loop_now(sender->loop), sender->plan->webhook.timeout);
    sender->state = KOINE__SENDING;
    sender->status = 0;
    sender->retry_after = -1;
    koine__fault_drop(&sender->fault);
    koine__timer_set(sender->loop, &sender->timer, until);
    if (!koine__notices_extend(notices_of(sender), sender->claim, koine__time_add(until, SLACK))) {
        forget(sender); /* another client has it */
        soon(sender);
        return;
    }
    if (start_transfer(sender) == KOINE_OK)
        return;
    struct koine__fault fault;
    koine__fault_set(&fault, KOINE_CLASS_CONNECT, "", "no request could be made");
    koine__fault_keep(&sender->fault, &fault);
    soon(sender);
}

/* What an answer that is no success is; KOINE_CLASS_NONE: it is one. */
static void judge(const struct koine__sender *sender, struct koine__fault *ret)
{
    int status = sender->status;
    int class_number = status >= 500 || status == 408 ? KOINE_CLASS_SERVER
                       : status == 429                ? KOINE_CLASS_RATE_LIMIT
                                                      : KOINE_CLASS_INVALID;
    if (status >= 200 && status < 300)
        *ret = koine__no_fault;
    else if (status > 0)
        koine__fault_set(ret, class_number, "", "it answered %d", status);
    else if (sender->fault->class_number != KOINE_CLASS_NONE)
        *ret = *sender->fault;
    else
        koine__fault_set(ret, KOINE_CLASS_TIMEOUT, "total", "no answer within webhook.timeout");
    ret->status = status;
    ret->retry_after_ns = sender->retry_after;
}

static void give_up(struct koine__sender *sender, const struct koine__fault *fault)
{
    if (!koine__notices_settle(notices_of(sender), sender->claim, KOINE__UNDELIVERABLE))
        return;
    KOINE__LOG(notices_of(sender)->log, KOINE__LOG_WARNING, "webhook_failed",
               koine__log_text("kind", koine__notice_kind_name(sender->notice->kind)),
               koine__log_text("id", sender->notice->id),
               koine__log_text("class", koine_class_name(fault->class_number)),
               koine__log_int("status", fault->status), koine__log_int("retries", sender->retry.retries),
               koine__log_text("message", fault->message));
}

/* True: it waits to be sent again. */
static bool will_try_again(struct koine__sender *sender, const struct koine__fault *fault)
{
    struct koine__retry_ask ask = {.fault = fault,
                                   .now = koine__loop_now(sender->loop),
                                   .deadline = KOINE__NEVER,
                                   .attempts_left = MOST_TRIES};
    struct koine__retry_verdict verdict =
        koine__retry_decide(&sender->plan->webhook.retry, &sender->retry, &ask, &sender->random);
    if (!verdict.again)
        return false;
    /* Somebody else may have it by now; then what comes next finds out. */
    koine__notices_extend(notices_of(sender), sender->claim, koine__time_add(verdict.at, SLACK));
    sender->state = KOINE__SENDING_LATER;
    koine__timer_set(sender->loop, &sender->timer, verdict.at);
    return true;
}

/* A transfer is over, or its time. */
static void conclude(struct koine__sender *sender)
{
    struct koine__fault fault;
    stop_transfer(sender);
    judge(sender, &fault);
    if (fault.class_number == KOINE_CLASS_NONE)
        koine__notices_settle(notices_of(sender), sender->claim, KOINE__DELIVERED);
    else if (will_try_again(sender, &fault))
        return;
    else
        give_up(sender, &fault);
    forget(sender);
    soon(sender);
}

/* Takes the oldest notice, if no other client has one. */
static void begin(struct koine__sender *sender)
{
    int64_t now = koine__loop_now(sender->loop);
    if (koine__hub_snapshot(sender->hub, &sender->plan, NULL) != KOINE_OK)
        return;
    int64_t lease = koine__time_add(koine__time_add(now, sender->plan->webhook.timeout), SLACK);
    if (sender->plan->webhook.url)
        sender->notice = koine__notices_claim(notices_of(sender), now, lease, &sender->claim);
    if (sender->notice)
        sender->body = new_body(sender->notice, &sender->body_len);
    if (!sender->body) {
        if (sender->notice)
            koine__notices_extend(notices_of(sender), sender->claim, koine__time_add(now, SLACK));
        forget(sender);
        return;
    }
    sender->retry = (struct koine__retry_state){.retries = sender->notice->claims - 1};
    try_to_send(sender);
}

static void on_timer(struct koine__timer *timer)
{
    struct koine__sender *sender =
        (struct koine__sender *)((char *)timer - offsetof(struct koine__sender, timer));
    if (sender->state == KOINE__SENDING)
        conclude(sender);
    else if (sender->state == KOINE__SENDING_LATER)
        try_to_send(sender);
    else
        begin(sender);
}

/* ---- birth and death ---- */

void koine__sender_init(struct koine__sender *sender, struct koine_hub *hub, struct koine__loop *loop,
                        struct koine__transport *lent)
{
    *sender = (struct koine__sender){.hub = hub, .loop = loop, .lent = lent};
    koine__random_seed(&sender->random, hub->world.seed ? hub->world.seed : koine__crypto_seed());
    koine__timer_init(&sender->timer, on_timer);
}

void koine__sender_release(struct koine__sender *sender)
{
    if (!sender->hub)
        return;
    koine__timer_stop(sender->loop, &sender->timer);
    stop_transfer(sender);
    if (sender->state != KOINE__SENDING_NOTHING)
        koine__notices_settle(notices_of(sender), sender->claim, KOINE__GIVEN_BACK);
    forget(sender);
    if (sender->own)
        sender->own->ops->free(sender->own);
}

void koine__sender_abandon(struct koine__sender *sender)
{
    koine__timer_stop(sender->loop, &sender->timer);
    if (sender->own)
        sender->own->ops->abandon(sender->own);
    forget(sender);
}

void koine__sender_look(struct koine__sender *sender)
{
    const struct koine__notices *notices = notices_of(sender);
    int64_t at = koine__notices_look_at(notices);
    if (sender->state == KOINE__SENDING_NOTHING && at != KOINE__NEVER && at <= koine__loop_now(sender->loop))
        soon(sender);
}
