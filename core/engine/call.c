/* call: see call.h. This file is its way through the route. */
#include "core/engine/call_internal.h"
#include "core/engine/standing.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

/* How many bytes of unread events stop the reading of the answer. */
#define UNREAD_HIGH  ((size_t)256 << 10)
#define UNREAD_SPARE ((size_t)1 << 20) /* what they may take beyond the body's ceiling */
#define MOST_STEPS   1000              /* of one exchange */

static void try_target(struct koine_call *call);
static void on_progress(struct koine__attempt *attempt);
static void on_ended(struct koine__attempt *attempt);

static int64_t now_of(const struct koine_call *call)
{
    return koine__loop_now(call->calls->engine->loop);
}

static const struct koine__target *current_target(const struct koine_call *call)
{
    return &call->route.targets[call->route_state.current];
}

/* ---- starting attempts ---- */

static const koine_exchange *exchange_of(const struct koine_call *call, const koine_provider *provider)
{
    return call->spec.operation == KOINE__OP_GENERATE ? provider->generate : provider->list_models;
}

static int prepare_step(struct koine_call *call, const koine_exchange *exchange)
{
    if (call->step.bytes)
        return KOINE_OK;
    call->step.step = 0;
    call->step.bytes = koine__alloc(exchange->state_size);
    return call->step.bytes ? KOINE_OK : KOINE_EMEMORY;
}

/* Dates of the catalogue compare as text; one that is still to come is no news yet. */
static void warn_retired(const struct koine_call *call, const struct koine__target *target)
{
    const struct koine__clock *clock = koine__loop_clock(call->calls->engine->loop);
    char today[11];
    if (!target->known || target->known->retired[0] == '\0')
        return;
    koine__write_date(clock->wall(clock->arg) / KOINE__SEC, today);
    if (strcmp(target->known->retired, today) <= 0)
        KOINE__LOG(call->calls->engine->log, KOINE__LOG_WARNING, "retired", koine__log_text("call", call->id),
                   koine__log_text("target", target->text), koine__log_text("since", target->known->retired));
}

static void watch_for_hedge(struct koine_call *call, const struct koine__target *target, int64_t from)
{
    if (call->route.hedge_after > 0 && !call->has_hedged)
        koine__timer_set(call->calls->engine->loop, &call->hedge_timer,
                         koine__time_add(from, koine__call_hedge_delay(call, target->instance)));
}

static int start_attempt(struct koine_call *call, size_t index, bool is_hedge)
{
    const struct koine__target *target = &call->route.targets[index];
    unsigned untried = koine__route_untried(&call->route_state);
    struct koine__attempt_spec spec = {
        .target = target,
        .exchange = exchange_of(call, target->instance->provider),
        .catalogue = call->spec.catalogue,
        .stream = call->spec.stream && call->spec.operation == KOINE__OP_GENERATE,
        .held = call->route.commit == KOINE_COMMIT_COMPLETE,
        .untold = call->spec.untold,
        .needs_stop = call->spec.operation == KOINE__OP_GENERATE,
        .state = index == call->route_state.current ? &call->step : NULL,
        .untried = untried,
        .deadline = call->deadline,
        .starts_by = koine__latest_start(call->deadline, call->spec.min_attempt, now_of(call), is_hedge),
        .patience = koine__route_patience(&call->route, &call->route_state, now_of(call), call->deadline),
        .pause = koine__retry_delay(&target->instance->retry, call->retry.retries),
        .retry_cost = call->retry_cost,
        .may_not_wait = is_hedge,
        .ignores_latches = koine__call_is_last_resort(call, index),
        .ca_file = call->spec.ca_file,
        .proxy = call->spec.proxy,
        .call = call->id,
        .way = call->spec.way,
        .purse = call->purse,
    };
    void *items = call->attempts;
    struct koine__version *version;
    struct koine__attempt *attempt;
    if (koine__array_reserve(&items, &call->attempt_capacity, call->attempt_count + 1,
                             sizeof(*call->attempts)) != KOINE_OK)
        return KOINE_EMEMORY;
    call->attempts = items;
    if (prepare_step(call, spec.exchange) != KOINE_OK ||
        koine__document_for(call->document, target, index, &version) != KOINE_OK)
        return KOINE_EMEMORY;
    spec.doc = version ? version->root : NULL;
    spec.count = version ? &version->count : NULL;
    int rc = koine__attempt_new(call->calls->engine, &spec, &attempt);
    if (rc != KOINE_OK)
        return rc;
    attempt->owner = call;
    attempt->progress = on_progress;
    attempt->ended = on_ended;
    call->attempts[call->attempt_count++] = attempt;
    call->route_state.attempts++;
    call->retry_cost = 0;
    warn_retired(call, target);
    watch_for_hedge(call, target, now_of(call));
    return KOINE_OK;
}

/* ---- what follows from a fault ---- */

/* Our own layers say no because of what the provider said before: that is worth more. */
static bool is_afterthought(const struct koine_call *call, const struct koine__fault *fault,
                            const struct koine__target *target)
{
    return fault->class_number == KOINE_CLASS_REFUSED && target == call->first_fault_target &&
           call->first_fault->class_number != KOINE_CLASS_REFUSED;
}

/* What follows is decided by the current target's fault, and told by that of the first target. */
static void remember_fault(struct koine_call *call, const struct koine__fault *fault,
                           const struct koine__target *target)
{
    if (!call->first_fault_known || target == current_target(call)) {
        koine__fault_keep(&call->fault, fault);
        call->fault_target = target;
    }
    if (call->first_fault_known &&
        (target > call->first_fault_target || is_afterthought(call, fault, target)))
        return;
    koine__fault_keep(&call->first_fault, fault);
    call->first_fault_target = target;
    call->first_fault_known = true;
}

/* Tells the application that the call goes on at `to`, and why; without memory it goes on untold. */
static struct koine_event *announce(struct koine_call *call, int kind, const struct koine__target *to)
{
    char why[700];
    const struct koine__fault *fault = call->fault;
    for (size_t i = 0; i < KOINE__OBSERVERS; i++) {
        const struct koine__observer *observer = call->calls->engine->observers[i];
        if (observer && observer->went_on)
            observer->went_on(observer, call, call->fault_target, to, fault->class_number);
    }
    snprintf(why, sizeof(why), "%s: %s: %s", call->fault_target->text, koine_class_name(fault->class_number),
             fault->message);
    struct koine_event *event = koine__event_new(&(struct koine__event_parts){
        .kind = kind, .tool = -1, .target = koine__str(to->text), .text = koine__str(why)});
    if (event)
        koine__call_deliver(call, event);
    return event;
}

static void announce_switch(struct koine_call *call, const struct koine__target *to)
{
    call->fallbacks++;
    KOINE__LOG(call->calls->engine->log, KOINE__LOG_WARNING, "switch", koine__log_text("call", call->id),
               koine__log_text("from", call->fault_target->text), koine__log_text("to", to->text),
               koine__log_text("class", koine_class_name(call->fault->class_number)));
    announce(call, KOINE_EVENT_SWITCH, to);
}

static void wait_to_retry(struct koine_call *call, int64_t at)
{
    struct koine_event *event = announce(call, KOINE_EVENT_RETRY, current_target(call));
    call->retries++;
    if (event)
        event->wait_ms = (at - now_of(call)) / KOINE__MS;
    koine__timer_set(call->calls->engine->loop, &call->wait_timer, at);
}

/* From now on that target is the current one. A step is in the state of the exchange that it was made for. */
static void turn_to(struct koine_call *call, size_t index)
{
    if (index != call->route_state.current) {
        koine__dealloc(call->step.bytes);
        call->step = (struct koine__exchange_state){0};
    }
    koine__route_move(&call->route_state, index);
}

static void move_to(struct koine_call *call, size_t index)
{
    koine__call_return_retry(call);
    turn_to(call, index);
    announce_switch(call, current_target(call));
    call->retry = (struct koine__retry_state){0};
    koine_response_free(call->steps);
    call->steps = NULL;
    try_target(call);
}

/* The route has been walked to its end: the first target's fault is the one that counts (part C7), unless the
 * last one says that no other target would do either. */
static void give_up(struct koine_call *call, struct koine__attempt *attempt, bool deadline_limited,
                    bool budget_limited)
{
    bool last_decides = !koine__route_moves(&call->route.typed, call->fault->class_number);
    const struct koine__fault *chosen = last_decides ? call->fault : call->first_fault;
    struct koine__fault fault = *chosen;
    fault.deadline_limited |= deadline_limited;
    fault.budget_limited = budget_limited;
    koine__call_return_retry(call);
    koine__call_fail(call, &fault, last_decides ? call->fault_target : call->first_fault_target, attempt);
}

static void decide(struct koine_call *call, struct koine__attempt *attempt)
{
    const struct koine__target *target = current_target(call);
    struct koine__retry_config config = koine__target_retry(target);
    size_t next = koine__route_next(&call->route_state, call->fault, koine__route_window, &call->route);
    struct koine__retry_ask ask = {
        .fault = call->fault,
        .now = now_of(call),
        .deadline = call->deadline,
        .min_attempt = call->spec.min_attempt,
        .another_target = koine__route_has_other(&call->route, next, now_of(call)),
        .attempts_left = koine__route_attempts_left(&call->route_state),
    };
    struct koine__retry_verdict verdict =
        koine__retry_decide(&config, &call->retry, &ask, &call->calls->engine->random);
    if (verdict.again && koine__call_take_retry(call, target, call->fault))
        wait_to_retry(call, verdict.at);
    else if (next < call->route.count)
        move_to(call, next);
    else
        give_up(call, attempt, verdict.deadline_limited, verdict.again);
}

static void fail_current(struct koine_call *call, const struct koine__fault *fault)
{
    remember_fault(call, fault, current_target(call));
    decide(call, NULL);
}

static void fail_target(struct koine_call *call, int class_number, const char *why)
{
    struct koine__fault fault;
    koine__fault_set(&fault, class_number, "", "%s", why);
    fail_current(call, &fault);
}

/* What needs no attempt is said at once, also from koine_start; attempts are made in the loop's time, since
 * their timers run from then on. */
static void try_target(struct koine_call *call)
{
    const struct koine__target *target = current_target(call);
    struct koine__fault fault;
    if (call->finished)
        return;
    if (!target->instance->provider) {
        fail_target(call, KOINE_CLASS_PLUGIN,
                    target->instance->reason ? target->instance->reason : "its plugin was refused");
        return;
    }
    if (call->first_fault_known && koine__time_add(now_of(call), call->spec.min_attempt) > call->deadline) {
        give_up(call, NULL, true, false);
        return;
    }
    if (koine__call_is_latched(call, call->route_state.current, &fault) ||
        koine__call_is_refused(call, target, &fault)) {
        fail_current(call, &fault);
        return;
    }
    if (call->starting)
        koine__timer_set(call->calls->engine->loop, &call->wait_timer, call->began);
    else if (start_attempt(call, call->route_state.current, false) != KOINE_OK)
        fail_target(call, KOINE_CLASS_MEMORY, "no memory for an attempt");
}

static void on_wait_over(struct koine__timer *timer)
{
    struct koine_call *call = KOINE__CONTAINER(timer, struct koine_call, wait_timer);
    if (!koine__call_must_wait(call))
        try_target(call);
}

/* ---- what attempts tell ---- */

static void end_others(struct koine_call *call, const struct koine__attempt *winner)
{
    struct koine__fault fault;
    koine__fault_set(&fault, KOINE_CLASS_CANCELLED, "", "another attempt answered first");
    for (size_t i = 0; i < call->attempt_count; i++) {
        if (call->attempts[i] != winner)
            koine__attempt_end(call->attempts[i], &fault);
    }
}

static size_t most_of(const struct koine__attempt *attempt)
{
    return (size_t)attempt->spec.target->instance->body_limit + UNREAD_SPARE;
}

/* Of events that the application may read, and does not. */
static bool is_too_much_unread(const struct koine__attempt *attempt, const struct koine__events *events)
{
    return events->bytes > UNREAD_HIGH &&
           events->bytes + koine__answer_weight(attempt->assembly.answer) > most_of(attempt);
}

/* Of events that wait for the commit. The application cannot help it, so what fits into the body's ceiling
 * must pass: a text is in one event, and the arguments of a tool call once more in that of its end. Small
 * events, though, take more memory than the bytes they came in. */
static bool is_too_much_held(const struct koine__attempt *attempt)
{
    size_t bytes = attempt->assembly.events.bytes;
    return bytes > UNREAD_HIGH && bytes > most_of(attempt) &&
           bytes - most_of(attempt) > koine__answer_arguments(attempt->assembly.answer);
}

static void end_unread(struct koine__attempt *attempt)
{
    struct koine__fault fault;
    koine__fault_set(&fault, KOINE_CLASS_PROTOCOL, "", "%s",
                     "more of the answer waits to be read than body_limit allows");
    koine__attempt_end(attempt, &fault);
}

static void take_events(struct koine_call *call, struct koine__attempt *attempt)
{
    koine__events_append(&call->events, &attempt->assembly.events);
    bool was_paused = attempt->paused; /* else it came at once, and nobody could have read it before */
    koine__call_ready(call);
    if (call->events.bytes > UNREAD_HIGH)
        koine__attempt_pause(attempt);
    if (was_paused && is_too_much_unread(attempt, &call->events)) /* a multiplexed stream is read on */
        end_unread(attempt);
}

static void commit(struct koine_call *call, struct koine__attempt *attempt)
{
    if (call->committed)
        return;
    call->committed = attempt;
    end_others(call, attempt);
}

static void on_progress(struct koine__attempt *attempt)
{
    struct koine_call *call = attempt->owner;
    if (call->finished || call->cancelling)
        return;
    if (call->route.commit == KOINE_COMMIT_FIRST_CONTENT && attempt->assembly.content)
        commit(call, attempt);
    if (call->committed == attempt)
        take_events(call, attempt);
    else if (is_too_much_held(attempt))
        end_unread(attempt);
}

static void observe_attempt(const struct koine_call *call, const struct koine__attempt *attempt)
{
    for (size_t i = 0; i < KOINE__OBSERVERS; i++) {
        const struct koine__observer *observer = call->calls->engine->observers[i];
        if (observer && observer->attempt_ended)
            observer->attempt_ended(observer, call, attempt);
    }
}

/* Nothing that may cost money goes unrecorded: without memory the call fails. */
void koine__call_record(struct koine_call *call, const struct koine__attempt *attempt)
{
    if (attempt->requested)
        call->recorded++;
    observe_attempt(call, attempt);
    if (!attempt->requested) {
        call->route_state.attempts--;
        return;
    }
    koine__call_log_attempt(call, attempt);
    long index = koine__ledger_add(&call->ledger, attempt->spec.target->text, attempt->started - call->began);
    struct koine__row *row = index >= 0 ? &call->ledger.rows[index] : NULL;
    if (row) {
        row->end = attempt->ended_at - call->began;
        row->status = attempt->head.status;
        row->class_number = attempt->fault->class_number;
        row->billing = attempt->billing;
        row->usage = attempt->usage;
        row->cost = attempt->cost;
        row->request_id = koine__strdup(attempt->request_id);
    }
    call->out_of_memory |= !row || !row->request_id;
}

static void unlink_attempt(struct koine_call *call, const struct koine__attempt *attempt)
{
    for (size_t i = 0; i < call->attempt_count; i++) {
        if (call->attempts[i] != attempt)
            continue;
        call->attempts[i] = call->attempts[--call->attempt_count];
        return;
    }
}

static size_t index_of(const struct koine_call *call, const struct koine__attempt *attempt)
{
    return (size_t)(attempt->spec.target - call->route.targets);
}

/* A step is read (KOINE_MORE): the next one starts from its state, and keeps its answer. */
static void next_step(struct koine_call *call, struct koine__attempt *attempt)
{
    struct koine__exchange_state old = call->step;
    /* Meanwhile a hedge may have moved on; the state is this target's. */
    koine__route_move(&call->route_state, index_of(call, attempt));
    call->step = attempt->state;
    call->step.step++;
    attempt->state = old;
    if (call->step.step > MOST_STEPS) {
        fail_target(call, KOINE_CLASS_PLUGIN, "the plugin asks for one step after another without an end");
        return;
    }
    if (!call->steps) {
        call->steps = attempt->assembly.answer;
        attempt->assembly.answer = NULL;
    } else if (koine__answer_append_models(call->steps, attempt->assembly.answer) != KOINE_OK) {
        fail_target(call, KOINE_CLASS_MEMORY, "no memory for the answer");
        return;
    }
    call->retry = (struct koine__retry_state){0};
    call->route_state.max_attempts++; /* a page is no retry */
    try_target(call);
}

static void succeed(struct koine_call *call, struct koine__attempt *attempt)
{
    take_events(call, attempt);
    if (call->steps && koine__answer_prepend_models(attempt->assembly.answer, call->steps) != KOINE_OK) {
        fail_target(call, KOINE_CLASS_MEMORY, "no memory for the answer");
        return;
    }
    koine__call_succeed(call, attempt);
}

/* Of those that have ended, the one that decides: the committed one, else one that answered, else the last.
 */
static bool is_decisive(const struct koine_call *call, const struct koine__attempt *attempt)
{
    const struct koine__attempt *before = call->decisive;
    if (call->committed)
        return call->committed == attempt;
    return !before ||
           (!koine__attempt_answered(before) && attempt->fault->class_number != KOINE_CLASS_CANCELLED);
}

/* An answer that was whole when the deadline passed, and waited for nothing but its price, is one. */
static bool is_in_time(const struct koine_call *call, const struct koine__attempt *attempt)
{
    return call->fault->class_number == KOINE_CLASS_DEADLINE && koine__attempt_answered(attempt) &&
           !attempt->more;
}

/* All attempts have ended, and their rows are written. */
static void conclude(struct koine_call *call, struct koine__attempt *attempt)
{
    const struct koine__target *target = attempt->spec.target;
    struct koine__fault no_memory;
    if (call->out_of_memory) {
        koine__fault_set(&no_memory, KOINE_CLASS_MEMORY, "", "no memory for the ledger");
        koine__call_fail(call, &no_memory, target, attempt);
    } else if (call->cancelling && !is_in_time(call, attempt)) {
        koine__call_fail(call, call->fault, target, attempt);
    } else if (koine__attempt_answered(attempt) && attempt->more) {
        next_step(call, attempt);
    } else if (koine__attempt_answered(attempt)) {
        succeed(call, attempt);
    } else if (call->committed) {
        koine__call_fail(call, attempt->fault, target, attempt);
    } else {
        decide(call, attempt);
    }
}

/* What the caller must mend, or the machine, whoever is asked. */
static bool is_fatal(const struct koine__fault *fault)
{
    const struct koine__fault_class *row = koine__fault_class(fault->class_number);
    bool is_ours = row->origin == KOINE_ORIGIN_CALLER || row->origin == KOINE_ORIGIN_LOCAL;
    return is_ours && row->next == KOINE__NEXT_NO;
}

static void judge_fault(struct koine_call *call, struct koine__attempt *attempt)
{
    if (is_fatal(attempt->fault)) { /* nor would one that is under way do better */
        turn_to(call, index_of(call, attempt));
        end_others(call, attempt);
    }
    remember_fault(call, attempt->fault, attempt->spec.target);
}

/* An answer, or a step of one, makes the others superfluous. */
static void judge(struct koine_call *call, struct koine__attempt *attempt)
{
    if (koine__attempt_answered(attempt) && !attempt->more)
        commit(call, attempt);
    else if (koine__attempt_answered(attempt))
        end_others(call, attempt);
    else if (attempt->fault->class_number != KOINE_CLASS_CANCELLED)
        judge_fault(call, attempt);
}

/* A hedge that came to nothing while the other goes on. */
static bool is_lost_hedge(const struct koine_call *call, const struct koine__attempt *attempt)
{
    if (!attempt->spec.may_not_wait || call->cancelling || call->committed ||
        koine__attempt_answered(attempt))
        return false;
    return !attempt->requested || (call->attempt_count > 0 && !is_fatal(attempt->fault));
}

/* The call goes on as if it had not hedged. */
static void turn_back(struct koine_call *call)
{
    turn_to(call, call->hedged_from);
    call->retry = call->hedged_retry;
    if (call->decisive && !koine__attempt_answered(call->decisive))
        remember_fault(call, call->decisive->fault, call->decisive->spec.target);
}

/* But a target that would say the same again is not asked again. */
static void lose_hedge(struct koine_call *call, const struct koine__attempt *attempt)
{
    if (attempt->requested && koine__fault_class(attempt->fault->class_number)->again == KOINE__AGAIN_NO)
        call->route_state.asked_early = index_of(call, attempt) + 1;
    turn_back(call);
}

static void on_ended(struct koine__attempt *attempt)
{
    struct koine_call *call = attempt->owner;
    struct koine__attempt *superfluous = attempt;
    unlink_attempt(call, attempt);
    koine__call_record(call, attempt);
    koine__call_note(call, attempt);
    if (is_lost_hedge(call, attempt)) {
        lose_hedge(call, attempt);
    } else {
        if (!call->cancelling && !call->committed)
            judge(call, attempt);
        if (is_decisive(call, attempt)) {
            superfluous = call->decisive;
            call->decisive = attempt;
        }
    }
    koine__attempt_free(superfluous);
    if (call->attempt_count > 0)
        return;
    attempt = call->decisive;
    call->decisive = NULL;
    conclude(call, attempt);
    koine__attempt_free(attempt);
}

/* ---- deadline, cancel, hedge ---- */

/* Ends everything under way with one fault, which is the call's. */
static void stop_all(struct koine_call *call, const struct koine__fault *fault)
{
    struct koine__loop *loop = call->calls->engine->loop;
    if (call->finished || call->cancelling)
        return;
    call->cancelling = true;
    koine__fault_keep(&call->fault, fault);
    koine__timer_stop(loop, &call->wait_timer);
    koine__timer_stop(loop, &call->deadline_timer);
    koine__timer_stop(loop, &call->hedge_timer);
    koine__call_return_retry(call);
    if (call->attempt_count == 0)
        koine__call_fail(call, fault, current_target(call), NULL);
    for (size_t i = 0; i < call->attempt_count; i++)
        koine__attempt_end(call->attempts[i], fault);
}

static void on_deadline(struct koine__timer *timer)
{
    struct koine_call *call = KOINE__CONTAINER(timer, struct koine_call, deadline_timer);
    const struct koine__fault *last = call->fault;
    struct koine__fault fault;
    char limit[32];
    koine__write_duration(call->spec.deadline, limit, sizeof(limit));
    if (!call->first_fault_known) {
        koine__fault_set(&fault, KOINE_CLASS_DEADLINE, "total", "the call's deadline of %s passed", limit);
    } else {
        koine__fault_set(&fault, KOINE_CLASS_DEADLINE, "total",
                         "the call's deadline of %s passed; last: %.100s: %s: %.250s", limit,
                         call->fault_target->text, koine_class_name(last->class_number), last->message);
        fault.status = last->status;
        memcpy(fault.code, last->code, sizeof(fault.code));
    }
    stop_all(call, &fault);
}

void koine__call_cancel(struct koine_call *call)
{
    struct koine__fault fault;
    koine__fault_set(&fault, KOINE_CLASS_CANCELLED, "", "the call was cancelled");
    stop_all(call, &fault);
}

static void on_cancelled(struct koine__watch *watch, bool readable, bool writable)
{
    struct koine_call *call = KOINE__CONTAINER(watch, struct koine_call, cancel_watch);
    (void)readable;
    (void)writable;
    koine__loop_unwatch(call->calls->engine->loop, watch); /* it stays readable for ever */
    koine__call_cancel(call);
}

static int hedge_at(struct koine_call *call, size_t next)
{
    call->has_hedged = true;
    call->hedged_from = call->route_state.current;
    call->hedged_retry = call->retry;
    turn_to(call, next); /* the one under way has a copy of its step */
    call->retry = (struct koine__retry_state){0};
    int rc = start_attempt(call, next, true);
    if (rc != KOINE_OK) { /* without memory for two the one under way is enough */
        koine__call_return_retry(call);
        turn_back(call);
    }
    return rc;
}

int koine__call_hedge(struct koine_call *call)
{
    size_t next = koine__call_hedge_target(call);
    return next < call->route.count ? hedge_at(call, next) : KOINE_ENOTFOUND;
}

static void on_hedge(struct koine__timer *timer)
{
    struct koine_call *call = KOINE__CONTAINER(timer, struct koine_call, hedge_timer);
    const struct koine__attempt *attempt = call->attempt_count == 1 ? call->attempts[0] : NULL;
    size_t next = koine__call_hedge_target(call);
    if (!attempt || attempt->first_token_at >= 0 || next >= call->route.count)
        return;
    int64_t since = attempt->phase > KOINE__PHASE_GATE ? attempt->started : now_of(call);
    int64_t due = koine__time_add(since, koine__call_hedge_delay(call, attempt->spec.target->instance));
    if (due > now_of(call)) { /* it stood in line, or answers have become slower meanwhile */
        koine__timer_set(call->calls->engine->loop, timer, due);
        return;
    }
    if (koine__call_take_retry(call, &call->route.targets[next], &koine__no_fault))
        hedge_at(call, next);
}

/* ---- birth ---- */

/* The descriptor is duplicated: an epoll set takes each one once, and many calls may carry one canceller. */
static int watch_canceller(struct koine_call *call)
{
    koine_canceller *canceller = call->spec.canceller;
    call->cancel_watch.ready = on_cancelled;
    if (!canceller)
        return KOINE_OK;
    call->cancel_watch.fd = fcntl(koine__canceller_fd(canceller), F_DUPFD_CLOEXEC, 3);
    if (call->cancel_watch.fd < 0)
        return KOINE_ESYSTEM;
    return koine__loop_watch(call->calls->engine->loop, &call->cancel_watch, true, false);
}

static void enter_list(struct koine_call *call)
{
    static atomic_ullong numbers;
    struct koine__calls *calls = call->calls;
    call->id[0] = 'c';
    koine__write_digits(atomic_fetch_add(&numbers, 1) + 1, call->id + 1);
    call->next = calls->first;
    if (calls->first)
        calls->first->prev = call;
    calls->first = call;
}

int koine__call_new(struct koine__calls *calls, const struct koine__call_spec *spec, struct koine_call **ret,
                    koine_error **ret_error)
{
    struct koine_call *call = koine__alloc(sizeof(*call));
    if (!call)
        return koine__error_memory(ret_error);
    call->calls = calls;
    call->fault = call->first_fault = &koine__no_fault;
    call->spec = *spec;
    call->route = *spec->route;
    call->approval_state =
        spec->approval && spec->operation == KOINE__OP_GENERATE ? KOINE__APPROVAL_OPEN : KOINE__APPROVAL_DONE;
    if (spec->approval)
        call->approval = *spec->approval;
    call->spec.plan = NULL; /* neither is ours before we succeed */
    call->spec.canceller = koine__canceller_ref(spec->canceller);
    call->began = now_of(call);
    call->work = koine__work_begin(&calls->engine->work, koine__now(koine__loop_clock(calls->engine->loop)));
    call->deadline = koine__time_add(call->began, spec->deadline);
    koine__timer_init(&call->wait_timer, on_wait_over);
    koine__timer_init(&call->deadline_timer, on_deadline);
    koine__timer_init(&call->hedge_timer, on_hedge);
    koine__route_start(&call->route_state, call->route.count, (unsigned)call->route.max_attempts);
    call->route_state.typed = call->route.typed;
    enter_list(call);
    call->cancel_watch.fd = -1;
    call->terminal = koine__event_new(&(struct koine__event_parts){.tool = -1});
    call->run = koine__strdup(spec->run ? spec->run : "");
    int rc = call->terminal && call->run ? watch_canceller(call) : KOINE_EMEMORY;
    if (rc != KOINE_OK) {
        koine__call_destroy(call);
        return koine__error(ret_error, rc, "the call cannot be started: %s", koine_strerror(rc));
    }
    call->spec.plan = spec->plan;
    call->document = spec->document;
    koine__call_log_prompt(call);
    call->purse = spec->purse;
    call->starting = true;
    try_target(call);
    call->starting = false;
    if (!call->finished) /* after what is nearer, so that the descriptor is set once */
        koine__timer_set(calls->engine->loop, &call->deadline_timer, call->deadline);
    *ret = call;
    return KOINE_OK;
}
