/* attempt: see attempt.h. This file is its way: gate, request, transfer, end. */
#include "core/engine/asking.h"
#include "core/engine/attempt_internal.h"

#include "core/policy/route.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void on_soon(struct koine__timer *timer);
static void on_wake(struct koine__ticket *ticket);

bool koine__attempt_answered(const struct koine__attempt *attempt)
{
    return attempt->fault->class_number == KOINE_CLASS_NONE;
}

/* ---- birth and death ---- */

static void init_ticket(struct koine__attempt *attempt)
{
    const struct koine__engine *engine = attempt->engine;
    koine__attempt_ticket(&attempt->spec, koine__loop_clock(engine->loop), &attempt->ticket);
    attempt->ticket.witness = engine->witness;
    attempt->ticket.inbox = engine->inbox;
    attempt->ticket.wake = on_wake;
}

static int init_state(struct koine__attempt *attempt)
{
    size_t size = attempt->spec.exchange->state_size;
    attempt->state.step = attempt->spec.state ? attempt->spec.state->step : 0;
    attempt->state.bytes = koine__alloc(size);
    if (!attempt->state.bytes)
        return KOINE_EMEMORY;
    if (size > 0 && attempt->spec.state && attempt->spec.state->bytes)
        memcpy(attempt->state.bytes, attempt->spec.state->bytes, size);
    return KOINE_OK;
}

int koine__attempt_new(struct koine__engine *engine, const struct koine__attempt_spec *spec,
                       struct koine__attempt **ret)
{
    struct koine__attempt *attempt = koine__alloc(sizeof(*attempt));
    if (!attempt)
        return KOINE_EMEMORY;
    size_t limit = (size_t)spec->target->instance->body_limit;
    attempt->engine = engine;
    attempt->spec = *spec;
    attempt->first_token_at = -1;
    attempt->retry_after_ns = -1;
    attempt->fault = attempt->cut = &koine__no_fault;
    attempt->request_id = "";
    koine__buf_init(&attempt->backlog, limit);
    attempt->born = attempt->started = attempt->ended_at = koine__loop_now(engine->loop);
    koine__arena_init(&attempt->arena, 0);
    koine__timer_init(&attempt->timer, koine__attempt_on_timer);
    koine__timer_init(&attempt->soon, on_soon);
    koine__framer_init(&attempt->framer, spec->stream ? KOINE_FRAME_SSE : KOINE_FRAME_WHOLE, limit);
    init_ticket(attempt);
    if (init_state(attempt) != KOINE_OK ||
        koine__assembly_init(&attempt->assembly, spec->target->text, &engine->random, limit) != KOINE_OK) {
        koine__attempt_free(attempt);
        return KOINE_EMEMORY;
    }
    attempt->assembly.untold = spec->untold;
    koine__timer_set(engine->loop, &attempt->soon, attempt->started);
    *ret = attempt;
    return KOINE_OK;
}

struct koine__transport *koine__attempt_transport(const struct koine__attempt *attempt)
{
    bool is_local = strcmp(attempt->spec.target->instance->base_url, KOINE_LOCAL) == 0;
    return is_local ? attempt->engine->local : attempt->engine->transport;
}

static void drop_work(struct koine__attempt *attempt)
{
    struct koine__engine *engine = attempt->engine;
    if (attempt->job_running)
        engine->bridge->drop(engine->bridge, &attempt->desk->job);
    attempt->job_running = false;
    if (attempt->transfer)
        koine__attempt_transport(attempt)->ops->cancel(attempt->transfer);
    attempt->transfer = NULL;
    koine__timer_stop(engine->loop, &attempt->timer);
}

void koine__attempt_free(struct koine__attempt *attempt)
{
    if (!attempt)
        return;
    struct koine__outcome outcome = {KOINE_CLASS_CANCELLED, attempt->sent, -1, -1, true};
    drop_work(attempt);
    koine__timer_stop(attempt->engine->loop, &attempt->soon);
    koine__gate_leave(&attempt->engine->gate, &attempt->ticket, &outcome,
                      koine__loop_now(attempt->engine->loop));
    koine__desk_put_back(&attempt->engine->desks, attempt->desk);
    koine__buf_release(&attempt->body);
    koine__fault_drop(&attempt->fault);
    koine__fault_drop(&attempt->cut);
    koine__framer_release(&attempt->framer);
    koine__buf_release(&attempt->backlog);
    koine__assembly_release(&attempt->assembly);
    koine__arena_release(&attempt->arena);
    koine__dealloc(attempt->state.bytes);
    koine__dealloc(attempt);
}

/* ---- failing ---- */

void koine__attempt_fail(struct koine__attempt *attempt, const struct koine__fault *fault)
{
    if (attempt->phase >= KOINE__PHASE_SETTLE)
        return;
    struct koine__fault own = *fault;
    drop_work(attempt);
    own.never_retry |= attempt->never_retry;
    if (own.status == 0)
        own.status = attempt->head.status;
    if (own.retry_after_ns < 0 && attempt->head.status >= 300)
        own.retry_after_ns = attempt->retry_after_ns;
    koine__fault_keep(&attempt->fault, &own);
    koine__attempt_settle(attempt);
}

void koine__attempt_failf(struct koine__attempt *attempt, int class_number, const char *stage,
                          const char *format, ...)
{
    struct koine__fault fault;
    char words[sizeof(fault.message)];
    va_list args;
    va_start(args, format);
    vsnprintf(words, sizeof(words), format, args);
    va_end(args);
    koine__fault_set(&fault, class_number, stage, "%s", words);
    koine__attempt_fail(attempt, &fault);
}

void koine__attempt_end(struct koine__attempt *attempt, const struct koine__fault *fault)
{
    koine__attempt_fail(attempt, fault);
    if (attempt->phase == KOINE__PHASE_SETTLE)
        koine__attempt_settle_now(attempt);
}

/* ---- the bridge ---- */

struct koine__desk *koine__attempt_desk(struct koine__attempt *attempt)
{
    const struct koine__host_env env = koine__asking_env(&attempt->spec, attempt->engine->log);
    if (!attempt->desk)
        attempt->desk = koine__desk_take(&attempt->engine->desks, &env, attempt);
    return attempt->desk;
}

void koine__attempt_leave_desk(struct koine__attempt *attempt)
{
    if (attempt->job_running)
        return;
    koine__desk_put_back(&attempt->engine->desks, attempt->desk);
    attempt->desk = NULL;
}

void koine__attempt_run_job(struct koine__attempt *attempt, enum koine__job_kind kind,
                            void (*done)(struct koine__job *))
{
    struct koine__bridge *bridge = attempt->engine->bridge;
    struct koine__job *job = &attempt->desk->job;
    koine__asking_job(attempt->desk, &attempt->spec, kind);
    job->done = done;
    job->owner = attempt;
    attempt->job_running = true;
    if (bridge->call(bridge, job) == KOINE__LATER)
        return;
    attempt->job_running = false;
    done(job);
}

bool koine__attempt_job_failed(struct koine__attempt *attempt)
{
    struct koine__fault fault;
    bool broke = koine__asking_broke(attempt->desk, &fault);
    if (broke)
        koine__attempt_fail(attempt, &fault);
    return broke;
}

/* ---- gate → request → transfer ---- */

static void on_wake(struct koine__ticket *ticket)
{
    struct koine__attempt *attempt = KOINE__CONTAINER(ticket, struct koine__attempt, ticket);
    koine__timer_set(attempt->engine->loop, &attempt->soon, koine__loop_now(attempt->engine->loop));
}

/* Of all that the provider wrote only the body is needed when the transfer has started. */
static int start_transfer(struct koine__attempt *attempt)
{
    const struct koine__instance *instance = attempt->spec.target->instance;
    struct koine__transport *transport = koine__attempt_transport(attempt);
    struct koine__out *out = &attempt->desk->out;
    struct koine__http_request http;
    int rc = koine__out_request(out, &http);
    if (rc != KOINE_OK)
        return rc;
    http.secret = http.secret_name ? instance->secret : NULL;
    if (!http.secret) /* a server of one's own may need none */
        http.secret_name = NULL;
    http.stream = attempt->spec.stream;
    http.ca_file = attempt->spec.ca_file;
    http.proxy = attempt->spec.proxy;
    http.way = attempt->spec.way;
    attempt->secret = http.secret;
    attempt->body = koine__out_take_body(out);
    attempt->body_len = http.body.len;
    attempt->phase = KOINE__PHASE_CONNECT;
    attempt->started = koine__loop_now(attempt->engine->loop);
    attempt->share = koine__route_share(attempt->spec.untried, attempt->started, attempt->spec.deadline);
    attempt->requested = true;
    KOINE__LOG(attempt->engine->log, KOINE__LOG_DEBUG, "request", koine__log_text("call", attempt->spec.call),
               koine__log_text("target", attempt->spec.target->text), koine__log_text("method", http.method),
               koine__log_text("url", http.url), koine__log_int("bytes", (int64_t)http.body.len),
               koine__log_bool("stream", attempt->spec.stream));
    rc = transport
             ? transport->ops->start(transport, &http, &koine__attempt_handler, attempt, &attempt->transfer)
             : KOINE_ESYSTEM;
    if (rc == KOINE_OK)
        koine__attempt_arm(attempt);
    else
        attempt->requested = false;
    return rc;
}

/* What did not travel as written. False: the attempt was ended for it. */
static bool take_notices(struct koine__attempt *attempt)
{
    int64_t mode = attempt->spec.target->instance->parameters;
    const struct koine__out *out = &attempt->desk->out;
    for (size_t i = 0; i < out->notice_count; i++) {
        const struct koine__notice *notice = &out->notices[i];
        bool loses = koine__notice_loses(notice);
        struct koine_event *event = NULL;
        if (mode == KOINE__PARAMETERS_WARN && loses)
            event = koine__event_new(&(struct koine__event_parts){.kind = KOINE_EVENT_PARAMETER,
                                                                  .tool = -1,
                                                                  .name = koine__str(notice->member),
                                                                  .text = koine__str(notice->why)});
        if (event)
            koine__events_push(&attempt->assembly.events, event);
        bool told = event || mode != KOINE__PARAMETERS_WARN || !loses;
        if (!told || koine__answer_parameter(attempt->assembly.answer, notice->member,
                                             koine__notice_action(notice), notice->why) != KOINE_OK) {
            koine__attempt_failf(attempt, KOINE_CLASS_MEMORY, "", "no memory for a notice");
            return false;
        }
    }
    return true;
}

static void send_request(struct koine__attempt *attempt)
{
    const struct koine__desk *desk = attempt->desk;
    const struct koine__attempt_spec *spec = &attempt->spec;
    struct koine__fault fault;
    if (koine__asking_broke(desk, &fault) || koine__asking_refused(desk, spec, &fault) ||
        koine__asking_loses(desk, spec, &fault)) {
        koine__attempt_fail(attempt, &fault);
        return;
    }
    if (!take_notices(attempt))
        return;
    int rc = KOINE_OK;
    bool failed = koine__asking_lacks_key(desk, spec, &fault);
    if (!failed && (rc = start_transfer(attempt)) != KOINE_OK) {
        koine__asking_fault(desk, spec, rc, &fault);
        failed = true;
    }
    if (failed)
        koine__attempt_fail(attempt, &fault);
}

static void on_request(struct koine__job *job)
{
    struct koine__attempt *attempt = job->owner;
    attempt->job_running = false;
    send_request(attempt);
    koine__attempt_leave_desk(attempt);
}

static void write_request(struct koine__attempt *attempt)
{
    struct koine__desk *desk = koine__attempt_desk(attempt);
    attempt->phase = KOINE__PHASE_REQUEST;
    if (!desk) {
        koine__attempt_failf(attempt, KOINE_CLASS_MEMORY, "", "no memory for the request");
        return;
    }
    koine__asking_prepare(desk, &attempt->spec, &attempt->state);
    koine__attempt_run_job(attempt, KOINE__JOB_REQUEST, on_request);
}

/* Its turn came, but too little is left for an answer that would have to be paid for. */
static void refuse_late(struct koine__attempt *attempt)
{
    koine__attempt_failf(attempt, KOINE_CLASS_REFUSED, "", "%s: its turn came too late for an attempt",
                         attempt->spec.target->instance->name);
}

/* When it must have ended, should it start now. */
static int64_t ends_by(const struct koine__attempt *attempt, int64_t now)
{
    int64_t total = attempt->spec.target->instance->timeouts.total;
    int64_t due = total < 0 ? KOINE__NEVER : koine__time_add(now, total);
    return due < attempt->spec.deadline ? due : attempt->spec.deadline;
}

static void pass_gate(struct koine__attempt *attempt)
{
    struct koine__fault fault = {.retry_after_ns = -1, .stage = ""};
    int64_t now = koine__loop_now(attempt->engine->loop);
    attempt->ticket.ends_by = ends_by(attempt, now);
    switch (koine__gate_enter(&attempt->engine->gate, &attempt->ticket, now, &fault)) {
    case KOINE__PASS_GO:
        if (now > attempt->spec.starts_by)
            refuse_late(attempt);
        else
            write_request(attempt);
        break;
    case KOINE__PASS_WAIT:
        koine__attempt_arm(attempt);
        break;
    case KOINE__PASS_REFUSE:
        koine__attempt_fail(attempt, &fault);
        break;
    case KOINE__PASS_BACK: /* between stages only */
        break;
    }
}

static void on_soon(struct koine__timer *timer)
{
    struct koine__attempt *attempt = KOINE__CONTAINER(timer, struct koine__attempt, soon);
    if (attempt->phase == KOINE__PHASE_GATE)
        pass_gate(attempt);
    else if (attempt->phase == KOINE__PHASE_ENDED)
        attempt->ended(attempt); /* the last thing: it may be freed now */
}

/* ---- backpressure ---- */

void koine__attempt_pause(struct koine__attempt *attempt)
{
    if (attempt->paused || !attempt->transfer)
        return;
    attempt->paused = true;
    koine__attempt_transport(attempt)->ops->pause(attempt->transfer);
}

void koine__attempt_resume(struct koine__attempt *attempt)
{
    if (!attempt->paused)
        return;
    attempt->paused = false;
    attempt->last_byte = attempt->last_event = koine__loop_now(attempt->engine->loop);
    if (attempt->transfer)
        koine__attempt_transport(attempt)->ops->resume(attempt->transfer);
    koine__attempt_arm(attempt);
}
