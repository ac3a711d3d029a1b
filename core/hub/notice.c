/* notice: see notice.h. */
#include "core/hub/notice.h"

#include "core/base/crypto.h"
#include "core/base/mem.h"
#include "core/hub/hub.h"
#include "core/hub/metrics.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define COLLAPSE KOINE__SEC
#define AGAIN    KOINE__SEC /* when there was no memory to send one */

static const struct kind {
    const char *name;
    int level;
    bool storms; /* may come by the thousand */
} kinds[KOINE__NOTICE_KINDS] = {
    [KOINE_NOTICE_BREAKER_OPENED] = {"breaker_opened", KOINE__LOG_WARNING, false},
    [KOINE_NOTICE_BREAKER_HALF_OPENED] = {"breaker_half_opened", KOINE__LOG_INFO, false},
    [KOINE_NOTICE_BREAKER_CLOSED] = {"breaker_closed", KOINE__LOG_INFO, false},
    [KOINE_NOTICE_PAUSED] = {"paused", KOINE__LOG_WARNING, false},
    [KOINE_NOTICE_LATCHED] = {"latched", KOINE__LOG_WARNING, false},
    [KOINE_NOTICE_UNLATCHED] = {"unlatched", KOINE__LOG_INFO, false},
    [KOINE_NOTICE_REFUSED] = {"refused", KOINE__LOG_INFO, true},
    [KOINE_NOTICE_NOT_RETRIED] = {"not_retried", KOINE__LOG_INFO, true},
    [KOINE_NOTICE_LOST] = {"lost", KOINE__LOG_WARNING, false},
};
_Static_assert(KOINE_NOTICE_BREAKER_OPENED == (int)KOINE__HAPPENED_BREAKER_OPENED &&
                   KOINE_NOTICE_BREAKER_HALF_OPENED == (int)KOINE__HAPPENED_BREAKER_HALF_OPENED &&
                   KOINE_NOTICE_BREAKER_CLOSED == (int)KOINE__HAPPENED_BREAKER_CLOSED &&
                   KOINE_NOTICE_PAUSED == (int)KOINE__HAPPENED_PAUSED &&
                   KOINE_NOTICE_LATCHED == (int)KOINE__HAPPENED_LATCHED &&
                   KOINE_NOTICE_UNLATCHED == (int)KOINE__HAPPENED_UNLATCHED &&
                   KOINE_NOTICE_REFUSED == (int)KOINE__HAPPENED_REFUSED &&
                   KOINE_NOTICE_NOT_RETRIED == (int)KOINE__HAPPENED_NOT_RETRIED,
               "a happening's number is its notice's");

static const struct kind *kind_of(int kind)
{
    bool known = kind > 0 && kind < KOINE__NOTICE_KINDS && kinds[kind].name;
    return known ? &kinds[kind] : NULL;
}

const char *koine__notice_kind_name(int kind)
{
    const struct kind *known = kind_of(kind);
    return known ? known->name : "unknown";
}

/* ---- one notice ---- */

static const char *text_of(const char *text)
{
    return text ? text : "";
}

static char *put_text(char **at, const char *text)
{
    size_t size = strlen(text_of(text)) + 1;
    char *put = memcpy(*at, text_of(text), size);
    *at += size;
    return put;
}

/* A block with copies of the model's texts. NULL: no memory. */
static struct koine_notice *copy_of(const struct koine_notice *model)
{
    size_t size = strlen(text_of(model->instance)) + strlen(text_of(model->model)) +
                  strlen(text_of(model->message)) + 3;
    struct koine_notice *notice = koine__alloc(sizeof(*notice) + size);
    if (!notice)
        return NULL;
    char *at = (char *)(notice + 1);
    *notice = *model;
    notice->next = notice->prev = NULL;
    notice->instance = put_text(&at, model->instance);
    notice->model = put_text(&at, model->model);
    notice->message = put_text(&at, model->message);
    return notice;
}

void koine_notice_free(koine_notice *notice)
{
    koine__dealloc(notice);
}

/* ---- a ring ---- */

static void unlink_notice(struct koine__notice_ring *ring, struct koine_notice *notice)
{
    *(notice->prev ? &notice->prev->next : &ring->first) = notice->next;
    *(notice->next ? &notice->next->prev : &ring->last) = notice->prev;
    notice->next = notice->prev = NULL;
    ring->count--;
}

static void append(struct koine__notice_ring *ring, struct koine_notice *notice)
{
    notice->prev = ring->last;
    *(ring->last ? &ring->last->next : &ring->first) = notice;
    ring->last = notice;
    ring->count++;
}

static void drop_one(struct koine__notice_ring *ring)
{
    struct koine_notice *at = ring->first;
    while (at && !kinds[at->kind].storms)
        at = at->next;
    if (!at)
        at = ring->first;
    unlink_notice(ring, at);
    ring->lost += at->count;
    koine_notice_free(at);
}

/* The notice that this one is a repetition of. */
static struct koine_notice *find_same(const struct koine__notice_ring *ring, const struct koine_notice *model)
{
    struct koine_notice *at = ring->last;
    while (at && (at->reason != model->reason || at->kind != model->kind) &&
           model->seen - at->seen < COLLAPSE)
        at = at->prev;
    return at && model->seen - at->seen < COLLAPSE ? at : NULL;
}

static void add(struct koine__notice_ring *ring, const struct koine_notice *model)
{
    struct koine_notice *same = kinds[model->kind].storms ? find_same(ring, model) : NULL;
    if (same) {
        same->count++;
        return;
    }
    struct koine_notice *notice = copy_of(model);
    if (!notice) {
        ring->lost++;
        return;
    }
    if (ring->count >= KOINE__NOTICES_MOST)
        drop_one(ring);
    append(ring, notice);
}

static struct koine_notice *lost_notice(const struct koine__notices *notices, int64_t count)
{
    int64_t wall = notices->clock->wall(notices->clock->arg);
    return copy_of(&(struct koine_notice){.kind = KOINE_NOTICE_LOST,
                                          .at = wall,
                                          .until = -1,
                                          .count = count,
                                          .message = "so many notices were dropped, for nobody took them"});
}

/* The oldest, or that some were lost: *ret NULL where there is none. KOINE_EMEMORY. */
static int take(const struct koine__notices *notices, struct koine__notice_ring *ring,
                struct koine_notice **ret)
{
    *ret = ring->first;
    if (ring->lost > 0) {
        *ret = lost_notice(notices, ring->lost);
        if (!*ret)
            return KOINE_EMEMORY;
        ring->lost = 0;
    } else if (*ret) {
        unlink_notice(ring, *ret);
    }
    return KOINE_OK;
}

static void clear(struct koine__notice_ring *ring)
{
    while (ring->first) {
        struct koine_notice *first = ring->first;
        unlink_notice(ring, first);
        koine_notice_free(first);
    }
    ring->lost = 0;
}

/* ---- the witness ---- */

static uint64_t mix(uint64_t hash, const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        hash = (hash ^ (unsigned char)text[i]) * UINT64_C(0x100000001b3);
    return (hash ^ 0xff) * UINT64_C(0x100000001b3);
}

/* Refusals differ in their numbers and in what they add in brackets ("… in the time that is left (3s at
 * least)"), which is no other reason. */
static uint64_t reason_of(const struct koine_notice *notice)
{
    uint64_t hash = mix(UINT64_C(0xcbf29ce484222325), notice->instance, strlen(notice->instance));
    const char *at = notice->message;
    hash ^= (uint64_t)notice->class_number;
    for (; *at && *at != '('; at += strspn(at, "0123456789")) {
        size_t len = strcspn(at, "0123456789(");
        hash = mix(hash, at, len);
        at += len;
    }
    return hash;
}

/* Whether to log it; how often it was not since it was last. The mutex is held. */
static bool is_for_log(struct koine__notices *notices, const struct koine_notice *notice, int64_t *ret)
{
    size_t slot = (notice->reason ^ (uint64_t)notice->kind) % KOINE__NOTICE_RECENTS;
    *ret = 0;
    if (!kinds[notice->kind].storms)
        return true;
    if (notices->recent[slot].reason == notice->reason) {
        if (notice->seen - notices->recent[slot].since < COLLAPSE) {
            notices->recent[slot].repeated++;
            return false;
        }
        *ret = notices->recent[slot].repeated;
    }
    notices->recent[slot].reason = notice->reason;
    notices->recent[slot].since = notice->seen;
    notices->recent[slot].repeated = 0;
    return true;
}

static void log_notice(const struct koine__notices *notices, const struct koine_notice *notice,
                       int64_t repeated)
{
    const char *class_name =
        notice->class_number == KOINE_CLASS_NONE ? "" : koine_class_name(notice->class_number);
    KOINE__LOG(notices->log, kinds[notice->kind].level, "notice",
               koine__log_text("kind", kinds[notice->kind].name),
               koine__log_text("instance", notice->instance), koine__log_text("model", notice->model),
               koine__log_text("class", class_name), koine__log_int("repeated", repeated),
               koine__log_text("message", notice->message));
}

/* When a client may find something to send. The mutex is held. */
static void plan_look(struct koine__notices *notices)
{
    int64_t at = KOINE__NEVER;
    if (notices->delivery.notice)
        at = notices->delivery.lease;
    else if (notices->outgoing.first || notices->outgoing.lost > 0)
        at = INT64_MIN;
    __atomic_store_n(&notices->look_at, at, __ATOMIC_RELAXED);
}

static void keep(struct koine__notices *notices, const struct koine_notice *notice)
{
    add(&notices->kept, notice);
    if (!(notices->outgoing_kinds & (1u << notice->kind)))
        return;
    add(&notices->outgoing, notice);
    plan_look(notices);
}

static int64_t wall_of(const struct koine__happening *happening, int64_t wall)
{
    if (happening->until == KOINE__NEVER || happening->until <= happening->now)
        return -1;
    return koine__time_add(wall, happening->until - happening->now);
}

static void saw(const struct koine__witness *witness, const struct koine__happening *happening)
{
    struct koine__notices *notices =
        (struct koine__notices *)((char *)(uintptr_t)witness - offsetof(struct koine__notices, witness));
    if (!kind_of((int)happening->kind))
        return;
    int64_t wall = notices->clock->wall(notices->clock->arg), repeated;
    struct koine_notice notice = {
        .kind = (int)happening->kind,
        .class_number = happening->class_number,
        .at = wall,
        .until = wall_of(happening, wall),
        .seen = happening->now,
        .count = 1,
        .instance = text_of(happening->instance),
        .model = text_of(happening->model),
        .message = text_of(happening->why),
    };
    notice.reason = reason_of(&notice);
    koine__metrics_noticed(notices->metrics, notice.instance, notice.kind);
    pthread_mutex_lock(&notices->mutex);
    keep(notices, &notice);
    bool is_logged = is_for_log(notices, &notice, &repeated);
    pthread_mutex_unlock(&notices->mutex);
    if (is_logged)
        log_notice(notices, &notice, repeated);
}

int koine__notices_init(struct koine__notices *notices, const struct koine__clock *clock,
                        struct koine__log *log, struct koine__metrics *metrics)
{
    *notices = (struct koine__notices){
        .witness = {saw}, .clock = clock, .log = log, .metrics = metrics, .look_at = KOINE__NEVER};
    return pthread_mutex_init(&notices->mutex, NULL) == 0 ? KOINE_OK : KOINE_ESYSTEM;
}

void koine__notices_release(struct koine__notices *notices, bool tells)
{
    size_t left = notices->outgoing.count + (notices->delivery.notice ? 1 : 0);
    if (left > 0 && tells)
        KOINE__LOG(notices->log, KOINE__LOG_WARNING, "webhook_unsent",
                   koine__log_int("notices", (int64_t)left),
                   koine__log_text("message", "the hub was freed first"));
    koine_notice_free(notices->delivery.notice);
    clear(&notices->kept);
    clear(&notices->outgoing);
    pthread_mutex_destroy(&notices->mutex);
}

/* ---- the way to the webhook ---- */

void koine__notices_send(struct koine__notices *notices, uint32_t mask)
{
    struct koine_notice *next;
    pthread_mutex_lock(&notices->mutex);
    notices->outgoing_kinds = mask;
    for (struct koine_notice *at = notices->outgoing.first; at; at = next) {
        next = at->next;
        if (mask & (1u << at->kind))
            continue;
        unlink_notice(&notices->outgoing, at);
        koine_notice_free(at);
    }
    if (mask == 0)
        notices->outgoing.lost = 0;
    plan_look(notices);
    pthread_mutex_unlock(&notices->mutex);
}

static void give_id(struct koine_notice *notice)
{
    unsigned char bytes[16];
    if (notice->id[0] != '\0')
        return;
    koine__crypto_random(bytes, sizeof(bytes));
    char *at = stpcpy(notice->id, "koine_");
    for (size_t i = 0; i < sizeof(bytes); i++, at += 2)
        snprintf(at, 3, "%02x", bytes[i]);
}

/* The mutex is held. */
static struct koine_notice *claim(struct koine__notices *notices, int64_t now, int64_t lease)
{
    struct koine__delivery *delivery = &notices->delivery;
    if (delivery->notice && now < delivery->lease)
        return NULL;
    if (!delivery->notice && take(notices, &notices->outgoing, &delivery->notice) != KOINE_OK)
        return NULL;
    if (!delivery->notice)
        return NULL;
    give_id(delivery->notice);
    delivery->notice->claims++;
    struct koine_notice *copy = copy_of(delivery->notice);
    delivery->claim++;
    delivery->lease = copy ? lease : koine__time_add(now, AGAIN);
    return copy;
}

struct koine_notice *koine__notices_claim(struct koine__notices *notices, int64_t now, int64_t lease,
                                          uint64_t *ret_claim)
{
    pthread_mutex_lock(&notices->mutex);
    struct koine_notice *copy = claim(notices, now, lease);
    *ret_claim = notices->delivery.claim;
    plan_look(notices);
    pthread_mutex_unlock(&notices->mutex);
    return copy;
}

bool koine__notices_extend(struct koine__notices *notices, uint64_t number, int64_t lease)
{
    pthread_mutex_lock(&notices->mutex);
    bool is_ours = notices->delivery.notice && notices->delivery.claim == number;
    if (is_ours)
        notices->delivery.lease = lease;
    plan_look(notices);
    pthread_mutex_unlock(&notices->mutex);
    return is_ours;
}

bool koine__notices_settle(struct koine__notices *notices, uint64_t number, enum koine__delivered how)
{
    struct koine_notice *settled = NULL;
    pthread_mutex_lock(&notices->mutex);
    bool is_ours = notices->delivery.notice && notices->delivery.claim == number;
    if (is_ours && how == KOINE__GIVEN_BACK) {
        notices->delivery.lease = INT64_MIN;
    } else if (is_ours) {
        settled = notices->delivery.notice;
        notices->delivery.notice = NULL;
    }
    plan_look(notices);
    pthread_mutex_unlock(&notices->mutex);
    if (settled)
        koine__metrics_delivered(notices->metrics, how == KOINE__DELIVERED);
    koine_notice_free(settled);
    return is_ours;
}

bool koine__notices_wait(struct koine__notices *notices)
{
    pthread_mutex_lock(&notices->mutex);
    bool waits = notices->delivery.notice || notices->outgoing.first || notices->outgoing.lost > 0;
    pthread_mutex_unlock(&notices->mutex);
    return waits;
}

/* ---- what the application asks ---- */

int koine_hub_next_notice(koine_hub *hub, koine_notice **ret)
{
    int rc = koine__hub_usable(hub);
    struct koine_notice *notice;
    if (rc != KOINE_OK || !ret)
        return rc != KOINE_OK ? rc : KOINE_EARGUMENT;
    pthread_mutex_lock(&hub->notices.mutex);
    rc = take(&hub->notices, &hub->notices.kept, &notice);
    pthread_mutex_unlock(&hub->notices.mutex);
    if (rc != KOINE_OK || !notice)
        return rc;
    *ret = notice;
    return 1;
}

int koine_notice_kind(const koine_notice *notice)
{
    return notice ? notice->kind : 0;
}

const char *koine_notice_kind_name(const koine_notice *notice)
{
    return koine__notice_kind_name(koine_notice_kind(notice));
}

const char *koine_notice_instance(const koine_notice *notice)
{
    return notice ? notice->instance : "";
}

const char *koine_notice_model(const koine_notice *notice)
{
    return notice ? notice->model : "";
}

int koine_notice_class(const koine_notice *notice)
{
    return notice ? notice->class_number : KOINE_CLASS_NONE;
}

const char *koine_notice_message(const koine_notice *notice)
{
    return notice ? notice->message : "";
}

int64_t koine_notice_count(const koine_notice *notice)
{
    return notice ? notice->count : 0;
}

int64_t koine_notice_at_ms(const koine_notice *notice)
{
    return notice ? notice->at / KOINE__MS : -1;
}

int64_t koine_notice_until_ms(const koine_notice *notice)
{
    return notice && notice->until >= 0 ? notice->until / KOINE__MS : -1;
}
