/* call_approval: a call that could cost more than may be spent unasked waits here for its answer, before its
 * first attempt. All that it has then is its document and its place in the client's list: what an attempt
 * takes on its way through the gate it has not taken yet, and its deadline does not run. */
#include "core/engine/call_internal.h"
#include "core/engine/worst.h"

#include <stdio.h>
#include <string.h>

#define USD_SIZE  40
#define TEXT_SIZE 300
#define DOLLAR    INT64_C(1000000000000)

struct question {
    struct koine__worst worst; /* of the call */
    int64_t taken;             /* of the run: spent and reserved */
    int64_t total;             /* of the run, with this call */
    bool of_run;               /* it is the run's threshold that is passed */
};

/* ---- what it comes to ---- */

static int64_t sum(int64_t a, int64_t b)
{
    int64_t result;
    return __builtin_add_overflow(a, b, &result) ? INT64_MAX : result;
}

static int weigh(const struct koine_call *call, struct question *ret)
{
    const struct koine__clock *clock = koine__loop_clock(call->calls->engine->loop);
    struct koine__budget_view run;
    struct koine__worst_ask ask = {
        .route = &call->route,
        .document = call->document,
        .at = clock->wall(clock->arg) / KOINE__SEC,
        .typical = call->approval.typical,
        .purse = call->purse,
    };
    *ret = (struct question){0};
    int rc = koine__call_worst(&ask, &ret->worst);
    if (rc == KOINE_OK && call->purse && koine__purse_look(call->purse, "run", &run))
        ret->taken = sum(run.spent, run.reserved);
    if (rc == KOINE_OK)
        ret->total = sum(ret->taken, ret->worst.cost < 0 ? 0 : ret->worst.cost);
    return rc;
}

static bool must_ask(const struct koine__approval *approval, struct question *question)
{
    int64_t worst = question->worst.cost;
    if (worst < 0)
        return approval->call >= 0 || approval->run >= 0;
    if (worst == 0 || (approval->approved >= 0 && worst <= approval->approved))
        return false;
    question->of_run = approval->run >= 0 && question->total > approval->run;
    return question->of_run || (approval->call >= 0 && worst > approval->call);
}

/* ---- words ---- */

/* For people: rounded up to a cent, below a dollar to a hundredth of one. */
static const char *write_amount(int64_t picodollars, char ret[USD_SIZE])
{
    int64_t unit = picodollars >= DOLLAR ? DOLLAR / 100 : DOLLAR / 10000;
    int64_t over = picodollars % unit;
    if (over > 0)
        picodollars = sum(picodollars, unit - over);
    koine__write_usd(picodollars, ret, USD_SIZE);
    return ret;
}

static void write_question(const struct question *question, char ret[TEXT_SIZE])
{
    char amount[USD_SIZE], taken[USD_SIZE];
    const struct koine__worst *worst = &question->worst;
    if (worst->cost < 0)
        /* What would help stands behind the semicolon, and is no matter of this question. */
        snprintf(ret, TEXT_SIZE, "Nobody knows what %.100s could cost: %.*s", worst->target->text,
                 (int)strcspn(worst->unknown, ";"), worst->unknown);
    else if (!question->of_run)
        snprintf(ret, TEXT_SIZE, "This call may cost up to $%s", write_amount(worst->cost, amount));
    else if (question->taken == 0)
        snprintf(ret, TEXT_SIZE, "This run may cost up to $%s", write_amount(question->total, amount));
    else
        snprintf(ret, TEXT_SIZE, "This run may cost up to $%s, of which $%s is spent or reserved",
                 write_amount(question->total, amount), write_amount(question->taken, taken));
}

/* ---- question and answer ---- */

static struct koine__field log_usd(const char *name, const struct koine_call *call)
{
    struct koine__field field = koine__log_decimal(name, call->worst, 12);
    if (call->worst < 0)
        field.kind = KOINE__FIELD_NONE;
    return field;
}

static const struct koine__target *first_target(const struct koine_call *call)
{
    return &call->route.targets[0];
}

static void fail(struct koine_call *call, int class_number, const char *why, const char *what,
                 const char *amount)
{
    struct koine__fault fault;
    koine__fault_set(&fault, class_number, "", "%s%s%s", why, what, amount);
    if (class_number == KOINE_CLASS_DECLINED)
        snprintf(fault.code, sizeof(fault.code), "approval");
    call->approval_state = KOINE__APPROVAL_DONE;
    koine__call_fail(call, &fault, first_target(call), NULL);
    if (class_number == KOINE_CLASS_DECLINED && call->error && !call->error->is_static) {
        call->error->has_worst = true;
        call->error->worst = call->worst;
    }
}

static void ask(struct koine_call *call, const struct question *question, const char *text)
{
    struct koine_event *event =
        koine__event_new(&(struct koine__event_parts){.kind = KOINE_EVENT_APPROVAL,
                                                      .tool = -1,
                                                      .target = koine__str(first_target(call)->text),
                                                      .text = koine__str(text)});
    if (!event) {
        fail(call, KOINE_CLASS_MEMORY, "no memory for a question", "", "");
        return;
    }
    event->worst = call->worst;
    call->approval_state = KOINE__APPROVAL_AWAITED;
    koine__timer_stop(call->calls->engine->loop, &call->deadline_timer);
    KOINE__LOG(call->calls->engine->log, KOINE__LOG_INFO, "approval", koine__log_text("call", call->id),
               koine__log_text("target", first_target(call)->text),
               koine__log_text("of", question->of_run ? "run" : "call"), log_usd("usd", call));
    koine__call_deliver(call, event);
}

bool koine__call_must_wait(struct koine_call *call)
{
    struct question question;
    char text[TEXT_SIZE];
    if (call->approval_state != KOINE__APPROVAL_OPEN)
        return call->approval_state == KOINE__APPROVAL_AWAITED;
    call->approval_state = KOINE__APPROVAL_DONE;
    if (call->approval.call < 0 && call->approval.run < 0)
        return false;
    if (weigh(call, &question) != KOINE_OK) {
        fail(call, KOINE_CLASS_MEMORY, "no memory to estimate what the call could cost", "", "");
        return true;
    }
    if (!must_ask(&call->approval, &question))
        return false;
    call->worst = question.worst.cost;
    write_question(&question, text);
    if (call->approval.answered_never)
        fail(call, KOINE_CLASS_DECLINED, "the call needs an approval, and nobody was asked: ", text, "");
    else
        ask(call, &question, text);
    return true;
}

static void decline(struct koine_call *call)
{
    char amount[USD_SIZE] = "";
    if (call->worst >= 0)
        koine__write_usd(call->worst, amount, sizeof(amount));
    fail(call, KOINE_CLASS_DECLINED, "the answer was no: ",
         call->worst < 0 ? "nobody knows what the call could cost" : "the call could cost up to $", amount);
}

int koine__call_approve(struct koine_call *call, bool yes)
{
    struct koine__loop *loop = call->calls->engine->loop;
    if (!koine_call_awaits_approval(call))
        return KOINE_EARGUMENT;
    KOINE__LOG(call->calls->engine->log, KOINE__LOG_INFO, "approval", koine__log_text("call", call->id),
               koine__log_text("answer", yes ? "yes" : "no"));
    if (!yes) {
        decline(call);
        return KOINE_OK;
    }
    int64_t now = koine__loop_now(loop);
    call->approval_state = KOINE__APPROVAL_DONE;
    call->deadline = koine__time_add(now, call->spec.deadline);
    koine__timer_set(loop, &call->wait_timer, now);
    koine__timer_set(loop, &call->deadline_timer, call->deadline);
    return KOINE_OK;
}

/* ---- getters ---- */

int koine_call_awaits_approval(const koine_call *call)
{
    return call && !call->finished && call->approval_state == KOINE__APPROVAL_AWAITED;
}

int koine_error_estimate(const koine_error *error, koine_cost *ret)
{
    if (!error || !ret || !error->has_worst)
        return 0;
    koine__cost_estimate(error->worst, ret);
    return 1;
}
