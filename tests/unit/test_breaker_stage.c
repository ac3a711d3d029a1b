/* The breaker at the gate: who passes, what is told. */
#include "core/policy/breaker.h"

#include "core/policy/happening.h"
#include "core/policy/policies.h"
#include "tests/unit/suite.h"
#include <stdio.h>
#include <string.h>

#define SEC KOINE__SEC

static struct koine__policies policies;
static struct koine__gate gate;
static struct koine__fault fault;
static char heard[1024];

static void saw(const struct koine__witness *witness, const struct koine__happening *it)
{
    static const char *const names[] = {"", "opened", "half open", "closed"};
    size_t used = strlen(heard);
    int64_t until;
    (void)witness;
    /* Nobody's lock is held: a witness may ask. */
    koine__breaker_look(policies.breaker, &policies.breaking, it->now, &until);
    used += (size_t)snprintf(heard + used, sizeof(heard) - used, "%s%s %s at %lld: %s", used ? "; " : "",
                             it->instance, names[it->kind], (long long)(it->now / SEC), it->why);
    if (it->class_number)
        used +=
            (size_t)snprintf(heard + used, sizeof(heard) - used, " (%s)", koine_class_name(it->class_number));
    if (it->until != KOINE__NEVER)
        snprintf(heard + used, sizeof(heard) - used, " until %lld", (long long)(it->until / SEC));
}

static const struct koine__witness witness = {saw};

static void begin(void)
{
    heard[0] = '\0';
    fault = (struct koine__fault){0};
    policies = (struct koine__policies){.breaker = koine__breaker_new(),
                                        .breaking = {.failures = 5,
                                                     .window = 60 * SEC,
                                                     .min_calls = 5,
                                                     .ratio = 500000,
                                                     .open_for = 30 * SEC,
                                                     .probes = 1,
                                                     .successes_to_close = 2}};
    CU_ASSERT_PTR_NOT_NULL_FATAL(policies.breaker);
    gate = (struct koine__gate){{NULL}};
    gate.stages[KOINE__STAGE_BREAKER_PEEK] = &koine__breaker_peek_stage;
    gate.stages[KOINE__STAGE_BREAKER_ENTER] = &koine__breaker_enter_stage;
}

static void end(void)
{
    koine__breaker_free(policies.breaker);
}

static struct koine__ticket ticket_to(const char *instance)
{
    return (struct koine__ticket){.instance = instance,
                                  .model = "m",
                                  .policies = &policies,
                                  .witness = &witness,
                                  .deadline = KOINE__NEVER,
                                  .wake_at = KOINE__NEVER};
}

static bool enter(struct koine__ticket *ticket, int64_t now)
{
    *ticket = ticket_to("together");
    ticket->ends_by = now + 60 * SEC;
    return koine__gate_enter(&gate, ticket, now, &fault) == KOINE__PASS_GO;
}

static void leave(struct koine__ticket *ticket, int class_number, int64_t now)
{
    const struct koine__outcome outcome = {.class_number = class_number, .tokens = -1, .cost = -1};
    koine__gate_leave(&gate, ticket, &outcome, now);
}

static bool call(int64_t now, int class_number)
{
    struct koine__ticket ticket;
    bool passes = enter(&ticket, now);
    leave(&ticket, class_number, now);
    return passes;
}

static void open_at(int64_t now)
{
    for (int i = 0; i < 5; i++)
        CU_ASSERT(call(now, KOINE_CLASS_SERVER));
}

static void opens_and_refuses(void)
{
    begin();
    call(0, KOINE_CLASS_CONNECT);
    call(0, KOINE_CLASS_SERVER);
    call(0, KOINE_CLASS_RATE_LIMIT);
    call(0, KOINE_CLASS_CANCELLED);
    call(0, KOINE_CLASS_TIMEOUT);
    call(0, KOINE_CLASS_RESET);
    CU_ASSERT(call(0, KOINE_CLASS_OVERLOADED));
    ASSERT_STR(heard, "together opened at 0: 5 failures in 1m (overloaded) until 30");
    CU_ASSERT_FALSE(call(18 * SEC - 400 * KOINE__MS, KOINE_CLASS_NONE));
    ASSERT_INT(fault.class_number, KOINE_CLASS_REFUSED);
    ASSERT_STR(fault.code, "breaker_open");
    ASSERT_STR(fault.message, "together: the breaker is open for another 13s after 5 failures in 1m");
    ASSERT_INT(fault.retry_after_ns, 12400 * KOINE__MS);
    CU_ASSERT_FALSE(call(30 * SEC - 1, KOINE_CLASS_NONE));
    ASSERT_STR(fault.message, "together: the breaker is open for another 1ms after 5 failures in 1m");
    ASSERT_INT(fault.retry_after_ns, 1);
    end();
}

static void probes_and_closes(void)
{
    struct koine__ticket probe, other;
    begin();
    open_at(0);
    heard[0] = '\0';
    CU_ASSERT(enter(&probe, 30 * SEC));
    CU_ASSERT_FALSE(enter(&other, 31 * SEC));
    ASSERT_STR(fault.code, "breaker_open");
    ASSERT_STR(fault.message, "together: the breaker is half open, and as many probes are under way as may");
    ASSERT_INT(fault.retry_after_ns, -1);
    leave(&probe, KOINE_CLASS_NONE, 32 * SEC);
    CU_ASSERT(call(33 * SEC, KOINE_CLASS_NONE));
    ASSERT_STR(heard, "together half open at 30: its time is over, and a probe is sent; "
                      "together closed at 33: probes succeeded");
    end();
}

static void a_failed_probe(void)
{
    begin();
    open_at(0);
    heard[0] = '\0';
    CU_ASSERT(call(30 * SEC, KOINE_CLASS_TIMEOUT));
    ASSERT_STR(heard, "together half open at 30: its time is over, and a probe is sent; "
                      "together opened at 30: a probe failed (timeout) until 60");
    CU_ASSERT_FALSE(call(50 * SEC, KOINE_CLASS_NONE));
    ASSERT_STR(fault.message, "together: the breaker is open for another 10s after a probe failed");
    end();
}

/* Part D, scenario 3: cancelled, and refused by ourselves, say nothing of the provider. */
static void no_verdict(void)
{
    struct koine__ticket other;
    begin();
    open_at(0);
    CU_ASSERT(call(30 * SEC, KOINE_CLASS_CANCELLED));
    CU_ASSERT(call(31 * SEC, KOINE_CLASS_REFUSED));
    CU_ASSERT(call(32 * SEC, KOINE_CLASS_AUTH));
    CU_ASSERT(enter(&other, 33 * SEC));
    end();
}

static void a_stream_answers(void)
{
    struct koine__ticket stream, other;
    begin();
    open_at(0);
    CU_ASSERT(enter(&stream, 30 * SEC));
    koine__gate_answering(&gate, &stream, 31 * SEC);
    CU_ASSERT(call(31 * SEC, KOINE_CLASS_NONE)); /* it closes while the first one still reads */
    for (int i = 0; i < 4; i++)
        CU_ASSERT(call(32 * SEC, KOINE_CLASS_SERVER));
    heard[0] = '\0';
    leave(&stream, KOINE_CLASS_NONE, 33 * SEC);
    CU_ASSERT(enter(&other, 33 * SEC));
    koine__gate_answering(&gate, &other, 33 * SEC); /* no probe: its end counts */
    ASSERT_STR(heard, "");
    leave(&other, KOINE_CLASS_RESET, 33 * SEC);
    ASSERT_STR(heard, "together opened at 33: 5 failures in 1m (reset) until 63");
    end();
}

static void a_stream_fails_later(void)
{
    struct koine__ticket stream;
    begin();
    open_at(0);
    heard[0] = '\0';
    CU_ASSERT(enter(&stream, 30 * SEC));
    koine__gate_answering(&gate, &stream, 31 * SEC);
    leave(&stream, KOINE_CLASS_RESET, 32 * SEC);
    ASSERT_STR(heard, "together half open at 30: its time is over, and a probe is sent; "
                      "together opened at 32: a probe failed (reset) until 62");
    end();
}

/* A call is one success or one failure, never both: at a ratio of 1 one success too many would show. */
static void counted_once(void)
{
    struct koine__ticket stream;
    begin();
    policies.breaking.ratio = 1000000;
    policies.breaking.successes_to_close = 1;
    open_at(0);
    CU_ASSERT(enter(&stream, 30 * SEC));
    koine__gate_answering(&gate, &stream, 30 * SEC); /* closes it */
    leave(&stream, KOINE_CLASS_NONE, 31 * SEC);
    for (int i = 0; i < 4; i++)
        CU_ASSERT(call(31 * SEC, KOINE_CLASS_SERVER));
    heard[0] = '\0';
    CU_ASSERT(enter(&stream, 31 * SEC));
    koine__gate_answering(&gate, &stream, 31 * SEC);
    leave(&stream, KOINE_CLASS_RESET, 32 * SEC);
    ASSERT_STR(heard, "together opened at 32: 5 failures in 1m (reset) until 62");
    end();
}

/* It opens while somebody waits in line, between peek and enter; and a probe never waits there. */
static enum koine__pass wait_once(void *self, struct koine__ticket *ticket, int64_t now,
                                  struct koine__fault *ret_fault)
{
    (void)self, (void)now, (void)ret_fault;
    if (ticket->stage_data[KOINE__STAGE_LIMITER])
        return KOINE__PASS_GO;
    ticket->stage_data[KOINE__STAGE_LIMITER] = &heard;
    return KOINE__PASS_WAIT;
}

static int given_back;

static void count_leave(void *self, struct koine__ticket *ticket, const struct koine__outcome *outcome,
                        int64_t now)
{
    (void)self, (void)ticket, (void)now;
    given_back += outcome->class_number == KOINE_CLASS_REFUSED && !outcome->sent;
}

static void opened_meanwhile(void)
{
    static const struct koine__gate_stage line = {.enter = wait_once, .leave = count_leave};
    struct koine__ticket waiting = ticket_to("together");
    begin();
    given_back = 0;
    gate.stages[KOINE__STAGE_LIMITER] = &line;
    ASSERT_INT(koine__gate_enter(&gate, &waiting, 0, &fault), KOINE__PASS_WAIT);
    gate.stages[KOINE__STAGE_LIMITER] = NULL;
    open_at(0);
    gate.stages[KOINE__STAGE_LIMITER] = &line;
    ASSERT_INT(koine__gate_enter(&gate, &waiting, SEC, &fault), KOINE__PASS_REFUSE);
    ASSERT_STR(fault.message, "together: the breaker is open for another 29s after 5 failures in 1m");
    ASSERT_INT(given_back, 1);
    end();
}

static void a_hedge_is_no_probe(void)
{
    struct koine__ticket hedge = ticket_to("openai"), probe;
    begin();
    hedge.may_not_wait = true;
    ASSERT_INT(koine__gate_enter(&gate, &hedge, 0, &fault), KOINE__PASS_GO);
    leave(&hedge, KOINE_CLASS_NONE, 0);
    for (int i = 0; i < 6; i++)
        call(0, KOINE_CLASS_SERVER);
    for (int64_t now = SEC; now <= 31 * SEC; now += 30 * SEC) {
        hedge = ticket_to("openai");
        hedge.may_not_wait = true;
        ASSERT_INT(koine__gate_enter(&gate, &hedge, now, &fault), KOINE__PASS_REFUSE);
    }
    ASSERT_STR(fault.message, "openai: the breaker is half open, and a hedge is no probe");
    CU_ASSERT(enter(&probe, 31 * SEC));
    end();
}

static void without_one(void)
{
    struct koine__ticket ticket = {.instance = "together", .wake_at = KOINE__NEVER};
    begin();
    ASSERT_INT(koine__gate_enter(&gate, &ticket, 0, &fault), KOINE__PASS_GO);
    koine__gate_answering(&gate, &ticket, 0);
    leave(&ticket, KOINE_CLASS_SERVER, 0);
    policies.breaking.failures = -1;
    for (int i = 0; i < 20; i++)
        CU_ASSERT(call(0, KOINE_CLASS_SERVER));
    policies.breaking.failures = 5;
    CU_ASSERT(call(0, KOINE_CLASS_SERVER)); /* those were not counted */
    struct koine__breaker *breaker = policies.breaker;
    policies.breaker = NULL;
    for (int i = 0; i < 20; i++)
        CU_ASSERT(call(0, KOINE_CLASS_SERVER));
    policies.breaker = breaker;
    ASSERT_STR(heard, "");
    end();
}

/* A probe's lease is a second longer than its attempt may last: the timer that ends it comes late, and what
 * it says must still be heard. */
static void a_probe_times_out(void)
{
    struct koine__ticket probe, other;
    begin();
    open_at(0);
    CU_ASSERT(enter(&probe, 30 * SEC));
    CU_ASSERT_FALSE(enter(&other, 90 * SEC + 10 * KOINE__MS));
    leave(&probe, KOINE_CLASS_TIMEOUT, 90 * SEC + 20 * KOINE__MS);
    CU_ASSERT_FALSE(enter(&other, 91 * SEC));
    ASSERT_STR(fault.message, "together: the breaker is open for another 30s after a probe failed");
    end();
}

static void nobody_looks(void)
{
    begin();
    struct koine__ticket ticket;
    for (int i = 0; i < 5; i++) {
        ticket = ticket_to("together");
        ticket.witness = NULL;
        koine__gate_enter(&gate, &ticket, 0, &fault);
        leave(&ticket, KOINE_CLASS_SERVER, 0);
    }
    CU_ASSERT_FALSE(call(1, KOINE_CLASS_NONE));
    ASSERT_STR(heard, "");
    end();
}

SUITE_MAIN("breaker_stage", {"opens and refuses", opens_and_refuses},
           {"probes and closes", probes_and_closes}, {"a failed probe", a_failed_probe},
           {"no verdict", no_verdict}, {"a stream answers", a_stream_answers},
           {"a stream fails later", a_stream_fails_later}, {"counted once", counted_once},
           {"opened meanwhile", opened_meanwhile}, {"a hedge is no probe", a_hedge_is_no_probe},
           {"without one", without_one}, {"a probe times out", a_probe_times_out},
           {"nobody looks", nobody_looks})
