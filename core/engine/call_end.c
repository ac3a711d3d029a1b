/* call_end: a call's end, its events' way out, and its getters. */
#include "core/engine/call_internal.h"

#include "core/money/budget.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LARGE_PART  ((size_t)1 << 20)
#define UNREAD_LOW  ((size_t)64 << 10)
#define EMPTY_LIMIT ((size_t)1 << 10) /* of an answer that holds nothing but its ledger */

/* ---- events out ---- */

void koine__calls_init(struct koine__calls *calls, struct koine__engine *engine, struct koine_client *client)
{
    *calls = (struct koine__calls){.engine = engine, .client = client};
    calls->ready_last = &calls->ready;
}

void koine__call_ready(struct koine_call *call)
{
    struct koine__calls *calls = call->calls;
    if (call->is_ready || !call->events.first)
        return;
    call->is_ready = true;
    call->ready_next = NULL;
    *calls->ready_last = call;
    calls->ready_last = &call->ready_next;
    koine__loop_set_busy(calls->engine->loop, true);
}

void koine__call_deliver(struct koine_call *call, struct koine_event *event)
{
    koine__events_push(&call->events, event);
    koine__call_ready(call);
}

static void leave_ready(struct koine_call *call)
{
    struct koine__calls *calls = call->calls;
    for (struct koine_call **at = &calls->ready; *at; at = &(*at)->ready_next) {
        if (*at != call)
            continue;
        *at = call->ready_next;
        if (calls->ready_last == &call->ready_next)
            calls->ready_last = at;
        break;
    }
    call->is_ready = false;
}

struct koine_event *koine__calls_next(struct koine__calls *calls, struct koine_call **ret_call)
{
    struct koine_call *call = calls->ready;
    if (!call) {
        koine__loop_rest(calls->engine->loop);
        return NULL;
    }
    leave_ready(call);
    struct koine_event *event = koine__events_pop(&call->events);
    koine__call_ready(call); /* to the end of the line, so that no call starves another */
    koine__loop_set_busy(calls->engine->loop, calls->ready != NULL);
    if (call->committed && !call->finished && call->events.bytes < UNREAD_LOW)
        koine__attempt_resume(call->committed);
    *ret_call = call;
    return event;
}

/* ---- the end ---- */

static void stop_timers(struct koine_call *call)
{
    struct koine__loop *loop = call->calls->engine->loop;
    koine__timer_stop(loop, &call->wait_timer);
    koine__timer_stop(loop, &call->deadline_timer);
    koine__timer_stop(loop, &call->hedge_timer);
    if (call->cancel_watch.fd >= 0) {
        koine__loop_unwatch(loop, &call->cancel_watch);
        close(call->cancel_watch.fd);
    }
    call->cancel_watch.fd = -1;
}

/* The message to append holds the text once more: of what failed, for instance because it had no end, that is
 * not worth the memory. */
static bool is_large_part(const struct koine__attempt *attempt, const struct koine_response *answer)
{
    return attempt && attempt->fault->class_number != KOINE_CLASS_NONE &&
           koine__answer_weight(answer) > LARGE_PART;
}

/* Takes the attempt's answer, or makes an empty one, and writes into it what belongs to the call. NULL: no
 * memory. */
static struct koine_response *take_answer(struct koine_call *call, struct koine__attempt *attempt,
                                          const struct koine__target *target)
{
    struct koine_response *answer = attempt ? attempt->assembly.answer : NULL;
    if (attempt)
        attempt->assembly.answer = NULL;
    if (!answer)
        answer = koine__answer_new(EMPTY_LIMIT);
    if (!answer)
        return NULL;
    answer->ledger = call->ledger;
    call->ledger = (struct koine__ledger){0};
    answer->ns = koine__loop_now(call->calls->engine->loop) - call->began;
    if (attempt && attempt->first_token_at >= 0)
        answer->first_token_ns = attempt->first_token_at - call->began;
    if (attempt && attempt->phase == KOINE__PHASE_ENDED)
        answer->usage = attempt->usage;
    koine__dealloc(answer->target);
    answer->target = koine__strdup(target->text);
    /* A row that was lost for want of memory may have cost something: unknown, then, and never nothing. */
    if (call->out_of_memory || koine__ledger_cost(&answer->ledger, &answer->cost) != KOINE_OK)
        answer->cost = (koine_cost)KOINE_COST_INIT;
    bool whole =
        answer->target && (is_large_part(attempt, answer) || koine__answer_message(answer) == KOINE_OK);
    if (whole)
        return answer;
    call->ledger = answer->ledger; /* for the empty answer that comes in its place */
    answer->ledger = (struct koine__ledger){0};
    koine_response_free(answer);
    return NULL;
}

/* Tells the observer, and that nothing runs for the call any more. */
static void observe_end(struct koine_call *call, const struct koine__target *target, int class_number)
{
    struct koine__engine *engine = call->calls->engine;
    int64_t now = koine__now(koine__loop_clock(engine->loop));
    int64_t own = koine__work_end(&engine->work, now, call->work);
    for (size_t i = 0; i < KOINE__OBSERVERS && target; i++) {
        const struct koine__observer *observer = engine->observers[i];
        if (observer && observer->call_ended)
            observer->call_ended(observer, call, target, class_number, own);
    }
}

static void push_terminal(struct koine_call *call, int kind)
{
    /* The last event must come even without memory, so room for it is kept since the call's start. */
    struct koine_event *event = call->terminal;
    call->terminal = NULL;
    event->kind = kind;
    event->finish = call->answer ? call->answer->finish : KOINE_FINISH_NONE;
    event->error = call->error;
    if (call->answer) {
        event->usage = call->answer->usage;
        event->has_usage = true;
    }
    call->finished = true;
    koine__call_deliver(call, event);
}

void koine__call_fail(struct koine_call *call, const struct koine__fault *fault,
                      const struct koine__target *target, struct koine__attempt *attempt)
{
    struct koine__fault last = *fault;
    struct koine_response *answer;
    stop_timers(call);
    answer = take_answer(call, attempt, attempt ? attempt->spec.target : target);
    if (!answer)
        koine__fault_set(&last, KOINE_CLASS_MEMORY, "", "no memory for the answer");
    if (last.deadline_limited && last.class_number != KOINE_CLASS_DEADLINE) {
        size_t used = strlen(last.message);
        snprintf(last.message + used, sizeof(last.message) - used,
                 "; the deadline left no time to try again");
    }
    if (last.budget_limited) {
        size_t used = strlen(last.message);
        snprintf(last.message + used, sizeof(last.message) - used, "; the retry budget is empty");
    }
    koine__error_fault(&call->error, &last, target->text);
    if (call->error && !call->error->is_static) {
        call->error->partial = answer;
        call->error->free_partial = koine_response_free;
    } else {
        koine_response_free(answer);
    }
    koine__call_log_end(call, koine_class_name(last.class_number));
    observe_end(call, target, last.class_number);
    push_terminal(call, KOINE_EVENT_FAULT);
}

void koine__call_succeed(struct koine_call *call, struct koine__attempt *attempt)
{
    stop_timers(call);
    call->answer = take_answer(call, attempt, attempt->spec.target);
    if (!call->answer) {
        struct koine__fault fault;
        koine__fault_set(&fault, KOINE_CLASS_MEMORY, "", "no memory for the answer");
        koine__call_fail(call, &fault, attempt->spec.target, NULL);
        return;
    }
    koine__call_log_end(call, "ok");
    observe_end(call, attempt->spec.target, KOINE_CLASS_NONE);
    push_terminal(call, KOINE_EVENT_STOP);
}

/* ---- getters ---- */

const koine_response *koine_call_response(const koine_call *call)
{
    if (!call || !call->finished)
        return NULL;
    return call->answer ? call->answer : koine_error_partial(call->error);
}

const koine_error *koine_call_error(const koine_call *call)
{
    return call && call->finished ? call->error : NULL;
}

void *koine_call_user(const koine_call *call)
{
    return call ? call->spec.user : NULL;
}

const char *koine_call_id(const koine_call *call)
{
    return call ? call->id : "";
}

static void leave_list(struct koine_call *call)
{
    if (call->prev)
        call->prev->next = call->next;
    else
        call->calls->first = call->next;
    if (call->next)
        call->next->prev = call->prev;
}

/* What was asked may have to be paid for, whether anybody waits for the answer or not. */
static void end_attempts(struct koine_call *call)
{
    struct koine__fault fault;
    koine__fault_set(&fault, KOINE_CLASS_CANCELLED, "", "the call was freed");
    call->cancelling = true;
    while (call->attempt_count > 0) {
        struct koine__attempt *attempt = call->attempts[--call->attempt_count];
        if (!call->calls->engine->is_abandoned) {
            koine__attempt_end(attempt, &fault);
            koine__call_record(call, attempt);
            koine__call_note(call, attempt);
        }
        koine__attempt_free(attempt);
    }
}

void koine__call_destroy(struct koine_call *call)
{
    stop_timers(call);
    end_attempts(call);
    if (!call->calls->engine->is_abandoned)
        koine__call_return_retry(call);
    if (!call->finished)
        observe_end(call, NULL, KOINE_CLASS_NONE);
    koine__attempt_free(call->decisive);
    if (call->is_ready)
        leave_ready(call);
    koine__loop_set_busy(call->calls->engine->loop, call->calls->ready != NULL);
    leave_list(call);
    koine__events_clear(&call->events);
    koine__event_free(call->terminal);
    koine__ledger_release(&call->ledger);
    koine_response_free(call->steps);
    koine_response_free(call->answer);
    koine_error_free(call->error);
    koine__fault_drop(&call->fault);
    koine__fault_drop(&call->first_fault);
    koine_canceller_free(call->spec.canceller);
    koine__dealloc(call->attempts);
    koine__dealloc(call->run);
    koine__dealloc(call->step.bytes);
    koine__document_free(call->document);
    koine__purse_free(call->purse);
    if (call->spec.plan)
        call->spec.release_plan(call->spec.plan);
    koine__dealloc(call);
}
