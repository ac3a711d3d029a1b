/* The three seams: a bridge to providers that answers later, several attempts of one call under way, and
 * stages of the gate that let a call wait. */
#include "tests/sim/world.h"
#include "tests/unit/suite.h"

#include <stdio.h>
#include <string.h>

#define SILENCE .match = TOGETHER, .hang = true
#define CUT(literal)                                                                                         \
    .match = TOGETHER, .status = 200, .fault_class = KOINE_CLASS_RESET, BODY(PIECE(0, literal))
#define OPENAI_ANSWERS                                                                                       \
    {                                                                                                        \
        ANSWER(OPENAI, 200, STREAM("b"))                                                                     \
    }

/* ---- The bridge ---- */

/* The same script with providers that answer at once, and with ones that take their time. */
static void same_traces(const struct koine__replay_answer *answers, size_t count, const struct world_ask *ask)
{
    struct world *direct = world_new(answers, count), *slow = world_new(answers, count);
    world_slow(slow, WORLD_MS(10));
    struct world_call *expected = world_ask(direct, ask), *call = world_ask(slow, ask);
    world_run(direct);
    world_run(slow);
    ASSERT_STR(call->trace, expected->trace);
    ASSERT_STR(world_rows(call), world_rows(expected));
    ASSERT_STR(world_text(call), world_text(expected));
    CU_ASSERT(slow->jobs > 0);
    ASSERT_INT(slow->jobs_under_way, 0);
    world_free(slow);
    world_free(direct);
}

static void slow_providers(void)
{
    const struct koine__replay_answer scripts[][2] = {
        {{ANSWER(TOGETHER, 200, STREAM("a"))}},
        {{.split = 1, ANSWER(TOGETHER, 200, STREAM("a"))}},
        {{ANSWER(TOGETHER, 200, WHOLE("a"))}},
        /* Pieces that arrive while the provider still reads the one before. */
        {{.match = TOGETHER,
          .status = 200,
          .split = 40,
          BODY(PIECE(1, ROLE("a")), PIECE(2, TEXT("a", "Hel")), PIECE(1, TEXT("a", "lo")),
               PIECE(3, FINISH("a", "stop")), PIECE(0, USAGE(3, 2)), PIECE(25, DONE))}},
        {{ANSWER(TOGETHER, 503, ERROR("busy"))}, {ANSWER(TOGETHER, 200, STREAM("a"))}},
        {{ANSWER(TOGETHER, 401, ERROR("key"))}, OPENAI_ANSWERS},
        {{ANSWER(TOGETHER, 400, ERROR("bad"))}},
        {{CUT(ROLE("a") TEXT("a", "Hel"))}},
        {{CUT(TEXT("a", "Hello") FINISH("a", "stop"))}},
        {{ANSWER(TOGETHER, 200, TEXT("a", "Hel") "data: {\n\n" TEXT("a", "lo"))}},
        {{ANSWER(TOGETHER, 200, "")}, {ANSWER(TOGETHER, 200, STREAM("a"))}},
        {{SILENCE, .status = 200, BODY(PIECE(0, TEXT("a", "Hel")))}},
        {{.match = TOGETHER, .fault_class = KOINE_CLASS_RESET}, {ANSWER(TOGETHER, 200, STREAM("a"))}},
    };
    for (size_t i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++) {
        for (int bits = 0; bits < 4; bits++) {
            same_traces(scripts[i], 2,
                        &(struct world_ask){.whole = bits & 1, .complete = bits & 2, .targets = 2});
        }
    }
}

/* Whatever moment it is cancelled in, it ends once, and nothing is left with the provider. */
static void cancelled_at_every_moment(void)
{
    for (int64_t ms = 0; ms < 130; ms++) {
        struct world *world =
            WORLD({ANSWER(TOGETHER, 401, ERROR("key"))},
                  {.match = OPENAI,
                   .status = 200,
                   BODY(PIECE(5, ROLE("b") TEXT("b", "Hello")), PIECE(30, FINISH("b", "stop") DONE))});
        world_slow(world, WORLD_MS(10));
        struct world_call *call = ASK(world, .targets = 2);
        world_until(world, ms);
        bool ended = call->terminals > 0;
        koine__call_cancel(call->call);
        world_run(world);
        if (!ended)
            ASSERT_INT(koine_error_class(koine_call_error(call->call)), KOINE_CLASS_CANCELLED);
        CU_ASSERT(koine_response_attempt_count(world_response(call)) == world_send_count(world));
        world_free(world);
    }
}

static void freed_at_every_moment(void)
{
    for (int64_t ms = 0; ms < 80; ms++) {
        struct world *world = WORLD({ANSWER(TOGETHER, 401, ERROR("key"))}, OPENAI_ANSWERS);
        world_slow(world, WORLD_MS(10));
        struct world_call *call = ASK(world, .targets = 2);
        world_until(world, ms);
        world_drop(call);
        world_free(world);
    }
}

static int never(struct koine__bridge *bridge, struct koine__job *job)
{
    if (job->kind != KOINE__JOB_COST)
        return koine__direct_bridge.call(bridge, job);
    return KOINE__LATER;
}

static int dropped;

static void drop(struct koine__bridge *bridge, struct koine__job *job)
{
    (void)bridge;
    (void)job;
    dropped++;
}

/* A provider that never says what it costs: the deadline ends the wait for it. The answer is there, and the
 * catalogue's price stands; but what was cancelled stays so. */
static void cost_that_never_comes(void)
{
    struct koine__bridge bridge = {.call = never, .drop = drop};
    struct world *world = WORLD({ANSWER(TOGETHER, 200, STREAM("a"))});
    dropped = 0;
    world->engine.bridge = &bridge;
    struct world_call *call = ASK(world, .targets = 1, .deadline = WORLD_MS(3000));
    world_run(world);
    ASSERT_STR(call->trace, READ_STREAM("together/a", "a"));
    ASSERT_INT(call->ended_ms, 3000);
    ASSERT_STR(world_rows(call), "together/a 200 ok 700000");
    ASSERT_STR(world_text(call), "Hello");
    ASSERT_INT(dropped, 1);
    world_free(world);
    world = WORLD({ANSWER(TOGETHER, 200, STREAM("a"))});
    world->engine.bridge = &bridge;
    call = ASK(world, .complete = true);
    world_until(world, 1000);
    koine__call_cancel(call->call);
    world_run(world);
    ASSERT_STR(call->trace, "fault cancelled together/a");
    ASSERT_STR(world_rows(call), "together/a 200 ok 700000");
    world_free(world);
}

/* Nor is it asked in vain for the price of what we hang up on. */
static void cost_that_never_comes_in_flight(void)
{
    struct koine__bridge bridge = {.call = never, .drop = drop};
    struct world *world = WORLD({SILENCE, .status = 200, BODY(PIECE(0, TEXT("a", "Hel")))});
    world->engine.bridge = &bridge;
    struct world_call *call = ASK(world, .targets = 1, .deadline = WORLD_MS(3000));
    world_run(world);
    ASSERT_STR(call->trace, "start together/a a | text Hel | fault deadline/total together/a");
    ASSERT_INT(call->ended_ms, 3000);
    ASSERT_STR(world_rows(call), "together/a 200 deadline ~3000000");
    world_free(world);
}

static void raised_while_settling(void)
{
    koine_canceller *canceller = NULL;
    struct world *world = WORLD({ANSWER(TOGETHER, 200, STREAM("a"))});
    ASSERT_INT(koine_canceller_new(&canceller), KOINE_OK);
    world_slow(world, WORLD_MS(10));
    struct world_call *call = ASK(world, .targets = 1, .canceller = canceller);
    while (world->jobs < 8 && world->now < WORLD_MS(1000)) /* request, six frames, cost */
        world_until(world, world->now / KOINE__MS + 1);
    koine_cancel(canceller);
    koine_canceller_free(canceller);
    world_run(world);
    ASSERT_INT(call->terminals, 1);
    ASSERT_STR(world_rows(call), "together/a 200 ok 700000");
    world_free(world);
}

/* A body that ended before its provider had read it: no stage of the network may end it any more. */
static void body_that_ended_is_not_late(void)
{
    struct world *world = WORLD({ANSWER(TOGETHER, 200, STREAM("a"))});
    world->together.timeouts.idle = world->together.timeouts.progress = WORLD_MS(5);
    world_slow(world, WORLD_MS(10));
    struct world_call *call = ASK(world, .targets = 1);
    world_run(world);
    ASSERT_STR(call->trace, READ_STREAM("together/a", "a"));
    world_free(world);
}

/* ---- A transport that does what the real one may ---- */

struct broken { /* a transport that refuses, or ends its transfers without an answer */
    struct koine__transport pub;
    struct koine__loop *loop;
    struct koine__timer timer;
    struct koine__handler handler;
    void *arg;
    int rc;
};

static void end_transfer(struct koine__timer *timer)
{
    struct broken *broken = (struct broken *)((char *)timer - offsetof(struct broken, timer));
    broken->handler.sent(broken->arg);
    broken->handler.done(broken->arg, NULL);
}

static int broken_start(struct koine__transport *self, const struct koine__http_request *request,
                        const struct koine__handler *handler, void *arg, struct koine__transfer **ret)
{
    struct broken *broken = (struct broken *)self;
    (void)request;
    if (broken->rc != KOINE_OK)
        return broken->rc;
    broken->handler = *handler;
    broken->arg = arg;
    *ret = (struct koine__transfer *)broken;
    koine__timer_set(broken->loop, &broken->timer, koine__loop_now(broken->loop));
    return KOINE_OK;
}

static void broken_transport(int rc, const char *trace, const char *message, size_t rows)
{
    static const struct koine__transport_ops ops = {.start = broken_start};
    struct world *world = WORLD({SILENCE});
    struct broken broken = {.pub = {&ops}, .loop = world->loop, .rc = rc};
    koine__timer_init(&broken.timer, end_transfer);
    world->engine.transport = &broken.pub;
    world->together.retry.max_retries = 1;
    struct world_call *call = ASK(world, .targets = 1);
    world_run(world);
    ASSERT_STR(call->trace, trace);
    ASSERT_STR(world_message(call), message);
    ASSERT_INT(koine_response_attempt_count(world_response(call)), rows);
    world_free(world);
}

static void broken_transports(void)
{
    broken_transport(KOINE_ESYSTEM, "retry together/a 1000 | fault connect/connect together/a",
                     "the system refused a connection", 0);
    broken_transport(KOINE_EMEMORY, "fault memory together/a", "no memory for the request", 0);
    broken_transport(KOINE_EARGUMENT, "fault auth together/a",
                     "the key cannot travel in a header: it holds a line end", 0);
    broken_transport(KOINE_OK, "retry together/a 1000 | fault reset/first_byte together/a",
                     "the connection ended without an answer", 2);
}

/* ---- Several attempts ---- */

static void hedge_wins(void)
{
    struct world *world = WORLD({SILENCE}, {.match = OPENAI, .status = 200, BODY(PIECE(500, STREAM("b")))});
    struct world_call *call = ASK(world, .targets = 2);
    world_until(world, 2000);
    ASSERT_INT(koine__call_hedge(call->call), KOINE_OK);
    world_run(world);
    ASSERT_STR(call->trace, READ_STREAM("openai/b", "b"));
    ASSERT_STR(world_sends(world), "0 together | 2000 openai");
    CU_ASSERT(world_sent(world, 0)->cancelled);
    ASSERT_STR(world_rows(call), "together/a 0 cancelled ~2800000 | openai/b 200 ok 1650000");
    ASSERT_STR(world_cost(call), "~4450000");
    ASSERT_INT(call->ended_ms, 2500);
    world_free(world);
}

static void first_wins(void)
{
    struct world *world =
        WORLD({.match = TOGETHER, .status = 200, BODY(PIECE(2500, STREAM("a")))},
              {.match = OPENAI, .status = 200, BODY(PIECE(100, ROLE("b")), PIECE(900, STREAM("b")))});
    struct world_call *call = ASK(world, .targets = 2);
    world_until(world, 2000);
    ASSERT_INT(koine__call_hedge(call->call), KOINE_OK);
    world_run(world);
    ASSERT_STR(call->trace, READ_STREAM("together/a", "a"));
    CU_ASSERT(world_sent(world, 1)->cancelled);
    ASSERT_INT(koine_response_attempt_count(world_response(call)), 2);
    ASSERT_INT(koine_response_attempt_class(world_response(call), 0) +
                   koine_response_attempt_class(world_response(call), 1),
               KOINE_CLASS_CANCELLED);
    world_free(world);
}

static void hedge_of_whole_answers(void)
{
    struct world *world = WORLD({SILENCE}, {.match = OPENAI, .status = 200, BODY(PIECE(500, WHOLE("b")))});
    struct world_call *call = ASK(world, .whole = true, .complete = true, .deadline = WORLD_MS(90000));
    world_until(world, 2000);
    ASSERT_INT(koine__call_hedge(call->call), KOINE_OK);
    world_run(world);
    ASSERT_STR(call->trace, READ_WHOLE("openai/b", "b"));
    ASSERT_INT(koine_response_attempt_count(world_response(call)), 2);
    world_free(world);
}

static void one_of_two_fails(void)
{
    struct world *world = WORLD({.head_after = WORLD_MS(2200), ANSWER(TOGETHER, 503, ERROR("busy"))},
                                {.match = OPENAI, .status = 200, BODY(PIECE(500, STREAM("b")))});
    struct world_call *call = ASK(world, .targets = 2);
    world_until(world, 2000);
    ASSERT_INT(koine__call_hedge(call->call), KOINE_OK);
    world_run(world);
    ASSERT_STR(call->trace, READ_STREAM("openai/b", "b"));
    ASSERT_STR(world_rows(call), "together/a 503 overloaded 0 | openai/b 200 ok 1650000");
    world_free(world);
}

/* Both in either order: the first target's fault is the one to tell of. */
static void both_fail(void)
{
    for (int64_t ms = 100; ms < 1000; ms += 800) {
        struct world *world = WORLD(
            {.head_after = WORLD_MS(2500), ANSWER(TOGETHER, 401, ERROR("wrong key"))},
            {.match = OPENAI, .head_after = WORLD_MS(ms), .status = 404, BODY(PIECE(0, ERROR("gone")))});
        struct world_call *call = ASK(world, .targets = 2);
        world_until(world, 2000);
        ASSERT_INT(koine__call_hedge(call->call), KOINE_OK);
        world_run(world);
        ASSERT_STR(call->trace, "fault auth 401 together/a");
        ASSERT_INT(koine_response_attempt_count(world_response(call)), 2);
        world_free(world);
    }
}

/* The hedge failed first, in a way that may pass: after the first one has failed, too, its turn comes as any
 * other's. */
static void both_fail_and_it_goes_on(void)
{
    struct world *world =
        WORLD({.head_after = WORLD_MS(2500), ANSWER(TOGETHER, 401, ERROR("wrong key"))},
              {.match = OPENAI, .head_after = WORLD_MS(100), .status = 503, BODY(PIECE(0, ERROR("busy")))},
              OPENAI_ANSWERS);
    struct world_call *call = ASK(world, .targets = 2);
    world_until(world, 2000);
    ASSERT_INT(koine__call_hedge(call->call), KOINE_OK);
    world_run(world);
    ASSERT_STR(call->trace, "switch openai/b | " READ_STREAM("openai/b", "b"));
    ASSERT_STR(world_sends(world), "0 together | 2000 openai | 2500 openai");
    world_free(world);
}

static void hedge_and_cancel(void)
{
    struct world *world = WORLD({SILENCE}, {.match = OPENAI, .hang = true});
    struct world_call *call = ASK(world, .targets = 2);
    world_until(world, 2000);
    ASSERT_INT(koine__call_hedge(call->call), KOINE_OK);
    world_until(world, 3000);
    koine__call_cancel(call->call);
    world_run(world);
    ASSERT_INT(koine_error_class(koine_call_error(call->call)), KOINE_CLASS_CANCELLED);
    ASSERT_INT(koine_response_attempt_count(world_response(call)), 2);
    world_free(world);
}

static void hedge_and_free(void)
{
    struct world *world = WORLD({SILENCE}, {.match = OPENAI, .status = 200, BODY(PIECE(10, STREAM("b")))});
    world_slow(world, WORLD_MS(10));
    struct world_call *call = ASK(world, .whole = true, .complete = true);
    world_until(world, 100);
    ASSERT_INT(koine__call_hedge(call->call), KOINE_OK);
    for (int64_t ms = 101; !call->call->decisive && ms < 200; ms++)
        world_until(world, ms);
    world_free(world);
}

/* The first one is still being told its price when the other has all it needs. */
static void hedge_with_slow_providers(void)
{
    struct world *world = WORLD({.match = TOGETHER, .status = 200, BODY(PIECE(125, STREAM("a")))},
                                {.match = OPENAI, .status = 200, BODY(PIECE(10, STREAM("b")))});
    world_slow(world, WORLD_MS(10));
    struct world_call *call = ASK(world, .complete = true);
    world_until(world, 100);
    ASSERT_INT(koine__call_hedge(call->call), KOINE_OK);
    world_run(world);
    ASSERT_STR(call->trace, READ_STREAM("openai/b", "b"));
    ASSERT_INT(koine_response_attempt_count(world_response(call)), 2);
    world_free(world);
}

static void hedges_that_cannot_be(void)
{
    struct world *world =
        WORLD({ANSWER(TOGETHER, 503, ERROR("busy"))},
              {SILENCE, .status = 200, BODY(PIECE(100, ROLE("a")), PIECE(100, TEXT("a", "Hel")))});
    struct world_call *call = ASK(world, .targets = 2, .max_attempts = 3);
    ASSERT_INT(koine__call_hedge(call->call), KOINE_ENOTFOUND); /* nothing is under way */
    world_until(world, 500);
    ASSERT_INT(koine__call_hedge(call->call), KOINE_ENOTFOUND); /* between attempts */
    world_until(world, 1150);
    call->call->route_state.max_attempts = 2;
    ASSERT_INT(koine__call_hedge(call->call), KOINE_ENOTFOUND); /* all attempts are used */
    call->call->route_state.max_attempts = 3;
    world->openai.provider = NULL;
    ASSERT_INT(koine__call_hedge(call->call), KOINE_ENOTFOUND); /* its plugin was refused */
    world_until(world, 1500);
    ASSERT_INT(koine__call_hedge(call->call), KOINE_ENOTFOUND); /* committed */
    koine__call_cancel(call->call);
    ASSERT_INT(koine__call_hedge(call->call), KOINE_ENOTFOUND);
    world_run(world);
    ASSERT_INT(koine__call_hedge(call->call), KOINE_ENOTFOUND);
    world_free(world);
}

/* ---- The gate ---- */

struct stage { /* a stage that does as it is told, and writes down what it is told */
    struct koine__gate_stage pub;
    enum koine__pass answer;
    int64_t wake_at;
    struct koine__ticket *waiting;
    int entered, went, left, sent, forgotten, last_class;
    bool last_sent;
};

static enum koine__pass enter(void *self, struct koine__ticket *ticket, int64_t now,
                              struct koine__fault *ret_fault)
{
    struct stage *stage = self;
    (void)now;
    stage->entered++;
    stage->waiting = stage->answer == KOINE__PASS_WAIT ? ticket : NULL;
    if (stage->answer == KOINE__PASS_WAIT)
        ticket->wake_at = stage->wake_at;
    if (stage->answer == KOINE__PASS_REFUSE)
        koine__fault_set(ret_fault, KOINE_CLASS_REFUSED, "", "the breaker is open");
    stage->went += stage->answer == KOINE__PASS_GO;
    return stage->answer;
}

static void leave(void *self, struct koine__ticket *ticket, const struct koine__outcome *outcome, int64_t now)
{
    struct stage *stage = self;
    (void)ticket;
    (void)now;
    stage->left++;
    stage->last_class = outcome->class_number;
    stage->last_sent = outcome->sent;
}

static void on_sent(void *self, struct koine__ticket *ticket, int64_t now)
{
    (void)ticket;
    (void)now;
    ((struct stage *)self)->sent++;
}

static void forget(void *self, struct koine__ticket *ticket, int64_t now)
{
    (void)now;
    struct stage *stage = self;
    (void)now;
    CU_ASSERT_PTR_EQUAL(stage->waiting, ticket);
    stage->waiting = NULL;
    stage->forgotten++;
}

static struct stage *put_stage(struct world *world, enum koine__stage at, enum koine__pass answer)
{
    static struct stage stages[KOINE__STAGES];
    struct stage *stage = &stages[at];
    *stage = (struct stage){.pub = {.enter = enter, .leave = leave, .sent = on_sent, .forget = forget},
                            .answer = answer,
                            .wake_at = KOINE__NEVER};
    stage->pub.self = stage;
    world->engine.gate.stages[at] = &stage->pub;
    return stage;
}

static void woken_later(void)
{
    struct world *world = WORLD({ANSWER(TOGETHER, 200, STREAM("a"))});
    struct stage *first = put_stage(world, KOINE__STAGE_BUDGET, KOINE__PASS_GO);
    struct stage *stage = put_stage(world, KOINE__STAGE_BREAKER_ENTER, KOINE__PASS_WAIT);
    struct world_call *call = ASK(world, .targets = 1);
    world_until(world, 7000);
    ASSERT_INT(world_send_count(world), 0);
    ASSERT_INT(world->pool.used, 1); /* the stages before it are passed, and kept */
    stage->answer = KOINE__PASS_GO;
    stage->waiting->wake(stage->waiting);
    world_run(world);
    ASSERT_STR(call->trace, READ_STREAM("together/a", "a"));
    ASSERT_STR(world_sends(world), "7000 together");
    ASSERT_INT(first->entered, 1);
    ASSERT_INT(stage->entered, 2);
    ASSERT_INT(first->left, 1);
    ASSERT_INT(stage->left, 1);
    ASSERT_INT(stage->sent, 1);
    ASSERT_INT(stage->forgotten, 0);
    ASSERT_INT(stage->last_class, KOINE_CLASS_NONE);
    CU_ASSERT(stage->last_sent);
    world_free(world);
}

static void woken_in_vain(void)
{
    struct world *world = WORLD({ANSWER(TOGETHER, 200, STREAM("a"))});
    struct stage *stage = put_stage(world, KOINE__STAGE_BUDGET, KOINE__PASS_WAIT);
    ASK(world, .targets = 1);
    world_until(world, 1000);
    stage->waiting->wake(stage->waiting);
    world_until(world, 2000);
    ASSERT_INT(stage->entered, 2);
    stage->answer = KOINE__PASS_GO;
    stage->waiting->wake(stage->waiting);
    world_run(world);
    ASSERT_STR(world_sends(world), "2000 together");
    world_free(world);
}

static void asks_again_by_itself(void)
{
    struct world *world = WORLD({ANSWER(TOGETHER, 200, STREAM("a"))});
    struct stage *stage = put_stage(world, KOINE__STAGE_BUDGET, KOINE__PASS_WAIT);
    stage->wake_at = WORLD_MS(4000);
    ASK(world, .targets = 1);
    world_until(world, 3999);
    ASSERT_INT(stage->entered, 1);
    stage->answer = KOINE__PASS_GO;
    world_run(world);
    ASSERT_STR(world_sends(world), "4000 together");
    ASSERT_INT(stage->entered, 2);
    world_free(world);
}

static void refused(void)
{
    struct world *world = WORLD({ANSWER(TOGETHER, 200, STREAM("a"))}, OPENAI_ANSWERS);
    struct stage *before = put_stage(world, KOINE__STAGE_BUDGET, KOINE__PASS_GO);
    struct stage *stage = put_stage(world, KOINE__STAGE_BREAKER_PEEK, KOINE__PASS_REFUSE);
    struct world_call *call = ASK(world, .targets = 2);
    world_run(world);
    ASSERT_STR(call->trace, "switch openai/b | fault refused together/a");
    ASSERT_STR(world_message(call), "the breaker is open");
    ASSERT_INT(world_send_count(world), 0);
    ASSERT_INT(koine_response_attempt_count(world_response(call)), 0);
    ASSERT_INT(stage->entered, 2);
    ASSERT_INT(stage->left + stage->forgotten, 0);
    ASSERT_INT(before->went, 2);
    ASSERT_INT(before->left, 2);
    CU_ASSERT_FALSE(before->last_sent);
    world_free(world);
}

static void waits_past_the_deadline(void)
{
    struct world *world = WORLD({ANSWER(TOGETHER, 200, STREAM("a"))});
    struct stage *stage = put_stage(world, KOINE__STAGE_BREAKER_ENTER, KOINE__PASS_WAIT);
    struct world_call *call = ASK(world, .targets = 2, .deadline = WORLD_MS(5000));
    world_run(world);
    ASSERT_STR(call->trace, "fault deadline/total together/a");
    ASSERT_INT(call->ended_ms, 5000);
    ASSERT_INT(stage->forgotten, 1);
    ASSERT_INT(stage->left, 0);
    world_free(world);
}

/* Whatever becomes of a call, each stage is left as often as it was passed. */
static void left_once_for_each_go(void)
{
    for (int64_t ms = 0; ms < 3000; ms += 250) {
        for (int how = 0; how < 3; how++) {
            struct world *world = WORLD(
                {ANSWER(TOGETHER, 503, ERROR("busy"))},
                {.match = TOGETHER, .status = 200, BODY(PIECE(600, ROLE("a")), PIECE(600, STREAM("a")))});
            struct stage *stage = put_stage(world, KOINE__STAGE_BREAKER_PEEK, KOINE__PASS_GO);
            struct world_call *call = ASK(world, .targets = 1);
            world_until(world, ms);
            if (how == 1)
                koine__call_cancel(call->call);
            if (how == 2)
                world_drop(call);
            world_run(world);
            CU_ASSERT(stage->went > 0);
            ASSERT_INT(stage->left, stage->went);
            ASSERT_INT(stage->forgotten, 0);
            world_free(world);
        }
    }
}

SUITE_MAIN("sim seams", {"bridge: slow providers", slow_providers},
           {"bridge: cancelled at every moment", cancelled_at_every_moment},
           {"bridge: freed at every moment", freed_at_every_moment},
           {"bridge: a cost that never comes", cost_that_never_comes},
           {"bridge: a cost that never comes, in flight", cost_that_never_comes_in_flight},
           {"bridge: raised while settling", raised_while_settling},
           {"bridge: a body that ended is not late", body_that_ended_is_not_late},
           {"transport: broken ones", broken_transports}, {"hedge: it wins", hedge_wins},
           {"hedge: the first wins", first_wins}, {"hedge: whole answers", hedge_of_whole_answers},
           {"hedge: one of two fails", one_of_two_fails}, {"hedge: both fail", both_fail},
           {"hedge: both fail and it goes on", both_fail_and_it_goes_on},
           {"hedge: and cancel", hedge_and_cancel}, {"hedge: and free", hedge_and_free},
           {"hedge: slow providers", hedge_with_slow_providers},
           {"hedge: those that cannot be", hedges_that_cannot_be}, {"gate: woken later", woken_later},
           {"gate: woken in vain", woken_in_vain}, {"gate: asks again by itself", asks_again_by_itself},
           {"gate: refused", refused}, {"gate: waits past the deadline", waits_past_the_deadline},
           {"gate: left once for each go", left_once_for_each_go})
