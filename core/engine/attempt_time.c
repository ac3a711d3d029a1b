/* attempt_time: the stages of an attempt and how long each may take. One timer, set lazily: bytes only push
 * the nearest deadline further away, so they need not touch it; when it fires early, it is set again. */
#include "core/engine/attempt_internal.h"

static const char STAGE_CONNECT[] = "connect";
static const char STAGE_FIRST_BYTE[] = "first_byte";
static const char STAGE_FIRST_TOKEN[] = "first_token";
static const char STAGE_IDLE[] = "idle";
static const char STAGE_PROGRESS[] = "progress";
static const char STAGE_TOTAL[] = "total";

struct nearest {
    int64_t due, limit;
    const char *stage;
    bool is_hasty; /* the caller's deadline leaves less than the provider may take to begin */
};

static void consider(struct nearest *nearest, int64_t from, int64_t limit, const char *stage)
{
    if (limit < 0)
        return;
    int64_t due = koine__time_add(from, limit);
    if (due < nearest->due)
        *nearest = (struct nearest){due, limit, stage, false};
}

static void consider_stream(const struct koine__attempt *attempt, struct nearest *nearest)
{
    const struct koine__timeouts *timeouts = &attempt->spec.target->instance->timeouts;
    if (attempt->phase == KOINE__PHASE_SENT)
        consider(nearest, attempt->sent_at, timeouts->first_byte, STAGE_FIRST_BYTE);
    if (attempt->first_token_at < 0)
        consider(nearest, attempt->sent_at, timeouts->first_token, STAGE_FIRST_TOKEN);
    if (attempt->phase != KOINE__PHASE_BODY || attempt->paused || attempt->body_end != 0)
        return;
    consider(nearest, attempt->last_byte, timeouts->idle, STAGE_IDLE);
    consider(nearest, attempt->last_event, timeouts->progress, STAGE_PROGRESS);
}

static bool is_hasty(const struct koine__attempt *attempt)
{
    const struct koine__timeouts *timeouts = &attempt->spec.target->instance->timeouts;
    int64_t usual = timeouts->first_byte >= 0 ? timeouts->first_byte : timeouts->total;
    return usual < 0 || attempt->share < usual;
}

static struct nearest find_nearest(const struct koine__attempt *attempt)
{
    const struct koine__timeouts *timeouts = &attempt->spec.target->instance->timeouts;
    struct nearest nearest = {KOINE__NEVER, 0, "", false};
    if (attempt->phase == KOINE__PHASE_GATE) {
        nearest.due = attempt->ticket.wake_at;
        return nearest;
    }
    if (attempt->phase < KOINE__PHASE_CONNECT || attempt->phase > KOINE__PHASE_BODY)
        return nearest;
    if (attempt->phase == KOINE__PHASE_CONNECT)
        consider(&nearest, attempt->started, timeouts->connect, STAGE_CONNECT);
    else if (attempt->spec.stream)
        consider_stream(attempt, &nearest);
    int64_t total = timeouts->total;
    /* Of an answer that is delivered as it comes nobody waits for the end. */
    bool shares = !attempt->spec.stream || attempt->spec.held;
    if (shares && (total < 0 || attempt->share < total))
        total = attempt->share;
    /* An answer that never began is a route that is silent, and is moved away from like one. */
    bool silent = attempt->phase == KOINE__PHASE_SENT;
    consider(&nearest, attempt->started, total, silent ? STAGE_FIRST_BYTE : STAGE_TOTAL);
    nearest.is_hasty = shares && nearest.limit == attempt->share && is_hasty(attempt);
    return nearest;
}

void koine__attempt_arm(struct koine__attempt *attempt)
{
    struct nearest nearest = find_nearest(attempt);
    if (nearest.due < attempt->timer.due)
        koine__timer_set(attempt->engine->loop, &attempt->timer, nearest.due);
}

static void fail_late(struct koine__attempt *attempt, const struct nearest *nearest)
{
    struct koine__fault fault;
    char limit[32];
    bool connecting = nearest->stage == STAGE_CONNECT;
    attempt->cut_short = nearest->is_hasty;
    koine__write_duration(nearest->limit, limit, sizeof(limit));
    koine__fault_set(&fault, connecting ? KOINE_CLASS_CONNECT : KOINE_CLASS_TIMEOUT, nearest->stage,
                     "%s took longer than %s", nearest->stage, limit);
    if (attempt->phase == KOINE__PHASE_BODY && attempt->body_end == 0)
        koine__attempt_cut(attempt, &fault);
    else
        koine__attempt_fail(attempt, &fault);
}

void koine__attempt_on_timer(struct koine__timer *timer)
{
    struct koine__attempt *attempt = KOINE__CONTAINER(timer, struct koine__attempt, timer);
    struct nearest nearest = find_nearest(attempt);
    int64_t now = koine__loop_now(attempt->engine->loop);
    if (nearest.due > now) {
        koine__attempt_arm(attempt);
        return;
    }
    if (attempt->phase == KOINE__PHASE_GATE)
        koine__timer_set(attempt->engine->loop, &attempt->soon, now);
    else
        fail_late(attempt, &nearest);
}
