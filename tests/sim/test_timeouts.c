/* Every stage of time, by name and to the millisecond: those of an attempt, and the call's deadline. */
#include "tests/sim/world.h"
#include "tests/unit/suite.h"

#include <stdio.h>
#include <string.h>

#define OPENAI_ANSWERS                                                                                       \
    {                                                                                                        \
        ANSWER(OPENAI, 200, STREAM("b"))                                                                     \
    }
#define SILENCE  .match = TOGETHER, .hang = true
#define NO_LIMIT -1

/* Runs one target without retries; what ends it, and when. */
static void ends(struct world *world, const struct world_ask *ask, const char *trace, int64_t ms,
                 const char *message)
{
    world->together.retry.max_retries = 0;
    struct world_call *call = world_ask(world, ask);
    world_run(world);
    ASSERT_STR(call->trace, trace);
    ASSERT_INT(call->ended_ms, ms);
    if (message)
        ASSERT_STR(world_message(call), message);
    CU_ASSERT(world_sent(world, 0)->cancelled);
    world_free(world);
}

/* ---- The stages of an attempt ---- */

static void connect(void)
{
    struct world *world = WORLD({SILENCE, .connect_after = WORLD_MS(5001)});
    ends(world, &(struct world_ask){.targets = 1}, "fault connect/connect together/a", 5000,
         "connect took longer than 5s");
}

static void connect_whole(void)
{
    struct world *world = WORLD({SILENCE, .connect_after = WORLD_MS(5001)});
    ends(world, &(struct world_ask){.targets = 1, .whole = true}, "fault connect/connect together/a", 5000,
         NULL);
}

static void connected_in_time(void)
{
    struct world *world = WORLD({.connect_after = WORLD_MS(4999), ANSWER(TOGETHER, 200, STREAM("a"))});
    struct world_call *call = ASK(world, .targets = 1);
    world_run(world);
    ASSERT_INT(call->ended_ms, 4999);
    ASSERT_STR(call->trace, READ_STREAM("together/a", "a"));
    world_free(world);
}

static void first_byte(void)
{
    struct world *world = WORLD({SILENCE, .connect_after = WORLD_MS(2000)});
    ends(world, &(struct world_ask){.targets = 1}, "fault timeout/first_byte together/a", 62000,
         "first_byte took longer than 1m");
}

static void first_token(void)
{
    struct world *world = WORLD({SILENCE, .status = 200, .connect_after = WORLD_MS(1000),
                                 BODY(PIECE(9000, ROLE("a")), PIECE(5000, ": still here\n\n"))});
    world->together.timeouts.first_token = WORLD_MS(20000);
    ends(world, &(struct world_ask){.targets = 1}, "fault timeout/first_token 200 together/a", 21000,
         "first_token took longer than 20s");
}

static void first_token_came(void)
{
    struct world *world = WORLD({.match = TOGETHER,
                                 .status = 200,
                                 BODY(PIECE(9000, TEXT("a", "Hel")),
                                      PIECE(19000, TEXT("a", "lo") FINISH("a", "stop") USAGE(3, 2) DONE))});
    world->together.timeouts.first_token = WORLD_MS(20000);
    struct world_call *call = ASK(world, .targets = 1);
    world_run(world);
    ASSERT_STR(call->trace, READ_STREAM("together/a", "a"));
    world_free(world);
}

static void idle(void)
{
    struct world *world =
        WORLD({SILENCE, .status = 200, BODY(PIECE(1000, ROLE("a")), PIECE(59000, TEXT("a", "Hel")))});
    ends(world, &(struct world_ask){.targets = 1},
         "start together/a a | text Hel | fault timeout/idle 200 together/a", 120000,
         "idle took longer than 1m");
}

static void comments_keep_it_alive(void)
{
    struct world *world = WORLD(
        {SILENCE, .status = 200, BODY(PIECE(0, ROLE("a")), PIECE(59000, ": x\n"), PIECE(59000, ": x\n"))});
    ends(world, &(struct world_ask){.targets = 1}, "fault timeout/idle 200 together/a", 178000, NULL);
}

/* Comments and events that hold nothing keep a connection open, but they are no progress. */
static void progress(void)
{
    static const char ping[] = ": x\n\nevent: ping\ndata: {}\n\n";
    struct koine__replay_chunk chunks[40];
    chunks[0] = (struct koine__replay_chunk){0, KOINE__STR(TEXT("a", "Hel"))};
    for (size_t i = 1; i < 40; i++)
        chunks[i] = (struct koine__replay_chunk){WORLD_MS(10000), KOINE__STR(ping)};
    const struct koine__replay_answer answer = {SILENCE, .status = 200, .chunks = chunks, .chunk_count = 40};
    static const char *const traces[] = {
        "start together/a a | text Hel | fault timeout/progress 200 together/a",
        "fault timeout/progress 200 together/a"};
    for (size_t i = 0; i < 2; i++) /* held back or not */
        ends(world_new(&answer, 1), &(struct world_ask){.targets = 1, .complete = i == 1}, traces[i], 300000,
             "progress took longer than 5m");
}

static void total(void)
{
    struct koine__replay_chunk chunks[100];
    for (size_t i = 0; i < 100; i++)
        chunks[i] = (struct koine__replay_chunk){WORLD_MS(1000),
                                                 KOINE__STR(CHUNK("a", "{\"content\":\".\"}", "null"))};
    const struct koine__replay_answer answer = {SILENCE, .status = 200, .chunks = chunks, .chunk_count = 100};
    struct world *world = world_new(&answer, 1);
    world->together.timeouts.total = WORLD_MS(2500);
    ends(world, &(struct world_ask){.targets = 1},
         "start together/a a | text . | text . | fault timeout/total 200 together/a", 2500,
         "total took longer than 2.5s");
}

static void stages_that_are_off(void)
{
    struct world *world = WORLD({SILENCE});
    world->together.timeouts =
        (struct koine__timeouts){NO_LIMIT, NO_LIMIT, NO_LIMIT, NO_LIMIT, NO_LIMIT, NO_LIMIT};
    ends(world, &(struct world_ask){.targets = 1, .deadline = WORLD_MS(700000)},
         "fault deadline/total together/a", 700000, "the call's deadline of 700s passed");
}

/* ---- Whole answers: nothing can be heard before they are whole ---- */

static void silent_whole(void)
{
    struct world *world = WORLD({SILENCE});
    world->together.timeouts.total = WORLD_MS(50000);
    ends(world, &(struct world_ask){.targets = 1, .whole = true}, "fault timeout/first_byte together/a",
         50000, "first_byte took longer than 50s");
}

static void whole_that_stops(void)
{
    struct world *world = WORLD({SILENCE, .status = 200, BODY(PIECE(70000, "{\"choices\""))});
    world->together.timeouts.total = WORLD_MS(150000);
    ends(world, &(struct world_ask){.targets = 1, .whole = true}, "fault timeout/total 200 together/a",
         150000, "total took longer than 150s");
}

static void whole_leaves_time_for_the_others(void)
{
    struct world *world = WORLD({SILENCE}, {ANSWER(OPENAI, 200, WHOLE("b"))});
    struct world_call *call = ASK(world, .whole = true, .deadline = WORLD_MS(90000));
    world_run(world);
    ASSERT_STR(call->trace, "switch openai/b | " READ_WHOLE("openai/b", "b"));
    ASSERT_STR(world_sends(world), "0 together | 45000 openai");
    ASSERT_INT(koine_response_attempt_class(world_response(call), 0), KOINE_CLASS_TIMEOUT);
    world_free(world);
}

static void three_shares(void)
{
    struct world *world = WORLD({SILENCE}, {.match = OPENAI, .hang = true}, {.match = OPENAI, .hang = true});
    world->together.timeouts.total = NO_LIMIT;
    struct world_call *call = ASK(world, .whole = true, .targets = 3, .deadline = WORLD_MS(90000));
    world_run(world);
    ASSERT_STR(world_sends(world), "0 together | 30000 openai | 60000 openai");
    ASSERT_STR(call->trace, "switch openai/b | switch openai/c | fault deadline/total openai/c");
    ASSERT_STR(world_message(call),
               "the call's deadline of 90s passed; last: openai/b: timeout: first_byte took "
               "longer than 30s");
    world_free(world);
}

/* A stream that is held until it is whole is as good as a whole answer: it leaves the others their time, too.
 */
static void held_leaves_time_for_the_others(void)
{
    struct world *world = WORLD({SILENCE, .status = 200, BODY(PIECE(0, TEXT("a", "Hel")))}, OPENAI_ANSWERS);
    world->together.retry.max_retries = 0;
    struct world_call *call = ASK(world, .complete = true, .deadline = WORLD_MS(90000));
    world_run(world);
    ASSERT_STR(call->trace, "switch openai/b | " READ_STREAM("openai/b", "b"));
    ASSERT_STR(world_sends(world), "0 together | 45000 openai");
    world_free(world);
}

/* One that is delivered as it comes has all the time there is. */
static void delivered_has_all_the_time(void)
{
    struct world *world = WORLD({SILENCE, .status = 200, BODY(PIECE(0, TEXT("a", "Hel")))}, OPENAI_ANSWERS);
    world->together.timeouts.idle = NO_LIMIT;
    struct world_call *call = ASK(world, .deadline = WORLD_MS(90000));
    world_run(world);
    ASSERT_STR(call->trace, "start together/a a | text Hel | fault deadline/total together/a");
    ASSERT_INT(call->ended_ms, 90000);
    world_free(world);
}

/* Time in a queue is not the target's fault, and its share is of what is left after it. */
static void share_after_a_queue(void)
{
    struct world *world = WORLD({.match = TOGETHER, .status = 200, BODY(PIECE(30000, WHOLE("a")))}, {SILENCE},
                                {ANSWER(OPENAI, 200, WHOLE("b"))});
    koine__pool_set_limit(&world->pool, 1);
    ASK(world, .whole = true, .targets = 1);
    struct world_call *second = ASK(world, .whole = true, .deadline = WORLD_MS(90000));
    world_run(world);
    ASSERT_STR(second->trace, "switch openai/b | " READ_WHOLE("openai/b", "b"));
    ASSERT_STR(world_sends(world), "0 together | 30000 together | 60000 openai");
    ASSERT_INT(koine_response_attempt_start_ms(world_response(second), 0), 30000);
    world_free(world);
}

/* ---- A silent route is not asked twice if there is another ---- */

static void silence_moves_on(void)
{
    struct world *world = WORLD({SILENCE}, OPENAI_ANSWERS);
    struct world_call *call = ASK(world, .targets = 2);
    world_run(world);
    ASSERT_STR(call->trace, "switch openai/b | " READ_STREAM("openai/b", "b"));
    ASSERT_STR(world_sends(world), "0 together | 60000 openai");
    ASSERT_STR(world_rows(call), "together/a 0 timeout ~2800000 | openai/b 200 ok 1650000");
    world_free(world);
}

/* Also where the attempt's own end comes before that of the first byte. */
static void silence_ends_by_total(void)
{
    struct world *world = WORLD({SILENCE}, OPENAI_ANSWERS);
    world->together.timeouts.total = WORLD_MS(30000);
    struct world_call *call = ASK(world, .targets = 2);
    world_run(world);
    ASSERT_STR(call->trace, "switch openai/b | " READ_STREAM("openai/b", "b"));
    ASSERT_STR(world_sends(world), "0 together | 30000 openai");
    world_free(world);
}

static void late_token_moves_on(void)
{
    struct world *world = WORLD({SILENCE, .status = 200, BODY(PIECE(0, ROLE("a")))}, OPENAI_ANSWERS);
    world->together.timeouts.first_token = WORLD_MS(20000);
    struct world_call *call = ASK(world, .targets = 2);
    world_run(world);
    ASSERT_STR(call->trace, "switch openai/b | " READ_STREAM("openai/b", "b"));
    ASSERT_STR(world_sends(world), "0 together | 20000 openai");
    world_free(world);
}

static void silence_is_retried_without_another(void)
{
    struct world *world = WORLD({SILENCE}, {ANSWER(TOGETHER, 200, STREAM("a"))});
    struct world_call *call = ASK(world, .targets = 1);
    world_run(world);
    ASSERT_STR(call->trace, "retry together/a 1000 | " READ_STREAM("together/a", "a"));
    ASSERT_STR(world_sends(world), "0 together | 61000 together");
    world_free(world);
}

static void other_stages_are_retried(void)
{
    struct world *world = WORLD({SILENCE, .status = 200, BODY(PIECE(0, ROLE("a")))},
                                {ANSWER(TOGETHER, 200, STREAM("a"))}, OPENAI_ANSWERS);
    struct world_call *call = ASK(world, .targets = 2);
    world_run(world);
    ASSERT_STR(call->trace, "retry together/a 1000 | " READ_STREAM("together/a", "a"));
    world_free(world);
}

/* ---- The deadline of the call ---- */

static void deadline_in_flight(void)
{
    struct world *world = WORLD({SILENCE, .status = 200, BODY(PIECE(1000, TEXT("a", "Hel")))});
    struct world_call *call = ASK(world, .targets = 1, .deadline = WORLD_MS(3000));
    world_run(world);
    ASSERT_STR(call->trace, "start together/a a | text Hel | fault deadline/total together/a");
    ASSERT_INT(call->ended_ms, 3000);
    ASSERT_STR(world_message(call), "the call's deadline of 3s passed");
    ASSERT_STR(world_text(call), "Hel");
    ASSERT_STR(world_rows(call), "together/a 200 deadline ~3000000");
    world_free(world);
}

static void deadline_in_flight_of_a_retry(void)
{
    struct world *world = WORLD({ANSWER(TOGETHER, 503, ERROR("busy"))}, {SILENCE});
    struct world_call *call = ASK(world, .targets = 1, .deadline = WORLD_MS(30000));
    world_run(world);
    ASSERT_STR(call->trace, "retry together/a 1000 | fault deadline/total 503 together/a");
    ASSERT_STR(world_message(call), "the call's deadline of 30s passed; last: together/a: overloaded: busy");
    ASSERT_INT(call->ended_ms, 30000);
    world_free(world);
}

/* A wait that would end too late is not begun: the last fault stands, and says why it is the last. */
static void no_time_to_wait(void)
{
    struct world *world = WORLD({.repeat = true, ANSWER(TOGETHER, 503, ERROR("busy"))});
    struct world_call *call = ASK(world, .targets = 1, .deadline = WORLD_MS(3500));
    world_run(world);
    ASSERT_STR(call->trace, "retry together/a 1000 | fault overloaded 503 together/a deadline_limited");
    ASSERT_STR(world_message(call), "busy; the deadline left no time to try again");
    ASSERT_INT(call->ended_ms, 1000);
    world_free(world);
}

static void no_time_to_wait_moves_on(void)
{
    struct world *world = WORLD({.repeat = true, ANSWER(TOGETHER, 503, ERROR("busy"))}, OPENAI_ANSWERS);
    struct world_call *call = ASK(world, .targets = 2, .deadline = WORLD_MS(3500));
    world_run(world);
    ASSERT_STR(call->trace, "retry together/a 1000 | switch openai/b | " READ_STREAM("openai/b", "b"));
    world_free(world);
}

static void no_time_to_start(void)
{
    struct world *world =
        WORLD({.head_after = WORLD_MS(2500), ANSWER(TOGETHER, 401, ERROR("key"))}, OPENAI_ANSWERS);
    struct world_call *call = ASK(world, .targets = 2, .deadline = WORLD_MS(3000));
    world_run(world);
    ASSERT_STR(call->trace, "switch openai/b | fault auth 401 together/a deadline_limited");
    ASSERT_STR(world_sends(world), "0 together");
    ASSERT_INT(call->ended_ms, 2500);
    world_free(world);
}

static void deadline_before_the_start(void)
{
    struct world *world = WORLD({SILENCE});
    struct world_call *call = ASK(world, .targets = 1, .deadline = 1);
    world->now = WORLD_MS(5);
    world_run(world);
    ASSERT_STR(call->trace, "fault deadline/total together/a");
    ASSERT_INT(world_send_count(world), 0);
    ASSERT_INT(koine_response_attempt_count(world_response(call)), 0);
    world_free(world);
}

static void deadline_in_the_queue(void)
{
    struct world *world = WORLD({.repeat = true, SILENCE});
    koine__pool_set_limit(&world->pool, 1);
    ASK(world, .targets = 1);
    struct world_call *second = ASK(world, .targets = 1, .deadline = WORLD_MS(10000));
    world_run(world);
    ASSERT_STR(second->trace, "fault deadline/total together/a");
    ASSERT_INT(second->ended_ms, 10000);
    world_free(world);
}

SUITE_MAIN("sim timeouts", {"connect", connect}, {"connect, whole", connect_whole},
           {"connected in time", connected_in_time}, {"first_byte", first_byte}, {"first_token", first_token},
           {"first_token came", first_token_came}, {"idle", idle},
           {"comments keep it alive", comments_keep_it_alive}, {"progress", progress}, {"total", total},
           {"stages that are off", stages_that_are_off}, {"a silent whole answer", silent_whole},
           {"a whole answer that stops", whole_that_stops},
           {"a whole attempt leaves time for the others", whole_leaves_time_for_the_others},
           {"a held stream leaves time for the others", held_leaves_time_for_the_others},
           {"a delivered stream has all the time", delivered_has_all_the_time},
           {"three shares", three_shares}, {"the share after a queue", share_after_a_queue},
           {"silence moves on", silence_moves_on}, {"silence ends by total", silence_ends_by_total},
           {"a late token moves on", late_token_moves_on},
           {"silence is retried without another target", silence_is_retried_without_another},
           {"other stages are retried", other_stages_are_retried}, {"deadline in flight", deadline_in_flight},
           {"deadline in flight of a retry", deadline_in_flight_of_a_retry},
           {"no time to wait", no_time_to_wait}, {"no time to wait moves on", no_time_to_wait_moves_on},
           {"no time to start", no_time_to_start}, {"deadline before the start", deadline_before_the_start},
           {"deadline in the queue", deadline_in_the_queue})
