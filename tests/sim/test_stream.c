/* Streams: what is delivered when, what a cut one comes to, and that how the bytes arrive does not matter. */
#include "tests/sim/world.h"
#include "tests/unit/suite.h"

#include <stdio.h>
#include <string.h>

#define CUT(literal)                                                                                         \
    .match = TOGETHER, .status = 200, .fault_class = KOINE_CLASS_RESET, BODY(PIECE(0, literal))
#define OPENAI_ANSWERS                                                                                       \
    {                                                                                                        \
        ANSWER(OPENAI, 200, STREAM("b"))                                                                     \
    }
#define MOVES_AT_ONCE "switch openai/b | " READ_STREAM("openai/b", "b")

/* ---- The commit point ---- */

static void dies_after_text(void)
{
    struct world *world = WORLD({CUT(ROLE("a") TEXT("a", "Hel"))}, OPENAI_ANSWERS);
    struct world_call *call = ASK(world, .targets = 2);
    world_run(world);
    ASSERT_STR(call->trace, "start together/a a | text Hel | fault reset/body 200 together/a");
    ASSERT_STR(world_sends(world), "0 together");
    ASSERT_STR(world_text(call), "Hel");
    ASSERT_STR(world_rows(call),
               "together/a 200 reset ~3000000"); /* 111 bytes: 28 tokens; 3 bytes: 1 token */
    CU_ASSERT_PTR_EQUAL(koine_error_partial(koine_call_error(call->call)), world_response(call));
    world_free(world);
}

static void dies_after_the_role(void)
{
    struct world *world = WORLD({CUT(ROLE("a"))}, OPENAI_ANSWERS);
    world->together.retry.max_retries = 0;
    struct world_call *call = ASK(world, .targets = 2);
    world_run(world);
    ASSERT_STR(call->trace, MOVES_AT_ONCE);
    ASSERT_STR(world_sends(world), "0 together | 0 openai");
    world_free(world);
}

static void complete_holds_it_back(void)
{
    struct world *world = WORLD({CUT(ROLE("a") TEXT("a", "Hel") TEXT("a", "lo"))}, OPENAI_ANSWERS);
    world->together.retry.max_retries = 0;
    struct world_call *call = ASK(world, .complete = true);
    world_run(world);
    ASSERT_STR(call->trace, MOVES_AT_ONCE);
    ASSERT_STR(world_text(call), "Hello");
    world_free(world);
}

static void complete_delivers_at_the_end(void)
{
    struct world *world =
        WORLD({.match = TOGETHER,
               .status = 200,
               BODY(PIECE(10, ROLE("a") TEXT("a", "Hel")),
                    PIECE(20, TEXT("a", "lo") FINISH("a", "stop") USAGE(3, 2)), PIECE(30, DONE))});
    struct world_call *call = ASK(world, .complete = true);
    world_until(world, 59);
    ASSERT_STR(call->trace, "");
    world_run(world);
    ASSERT_STR(call->trace, READ_STREAM("together/a", "a"));
    ASSERT_INT(call->ended_ms, 60);
    world_free(world);
}

static void first_content_delivers_at_once(void)
{
    struct world *world = WORLD({.match = TOGETHER,
                                 .status = 200,
                                 BODY(PIECE(10, ROLE("a")), PIECE(20, TEXT("a", "Hel")),
                                      PIECE(30, TEXT("a", "lo") FINISH("a", "stop") USAGE(3, 2) DONE))});
    struct world_call *call = ASK(world, .targets = 1);
    world_until(world, 29);
    ASSERT_STR(call->trace, "");
    CU_ASSERT_PTR_NULL(world_response(call));
    world_until(world, 30);
    ASSERT_STR(call->trace, "start together/a a | text Hel");
    world_run(world);
    ASSERT_STR(call->trace, READ_STREAM("together/a", "a"));
    ASSERT_INT(koine_response_first_token_ms(world_response(call)), 30);
    ASSERT_INT(koine_response_ms(world_response(call)), 60);
    ASSERT_INT(koine_response_attempt_ms(world_response(call), 0), 60);
    ASSERT_INT(koine_response_attempt_start_ms(world_response(call), 0), 0);
    world_free(world);
}

static void an_error_after_text(void)
{
    struct world *world =
        WORLD({ANSWER(TOGETHER, 200, TEXT("a", "Hel") "data: " ERROR("gone") "\n\n" DONE)}, OPENAI_ANSWERS);
    struct world_call *call = ASK(world, .targets = 2);
    world_run(world);
    ASSERT_STR(call->trace, "start together/a a | text Hel | fault server 200 together/a");
    ASSERT_STR(world_message(call), "gone");
    world_free(world);
}

static void nonsense_after_text(void)
{
    struct world *world = WORLD(
        {ANSWER(TOGETHER, 200, TEXT("a", "Hel") "data: {\"choices\":\n\n" TEXT("a", "lo"))}, OPENAI_ANSWERS);
    struct world_call *call = ASK(world, .targets = 2);
    world_run(world);
    ASSERT_STR(call->trace, "start together/a a | text Hel | fault protocol 200 together/a");
    ASSERT_STR(world_message(call), "malformed JSON in the answer");
    world_free(world);
}

/* ---- The end of a stream ---- */

static void cut_after_the_finish(void)
{
    struct world *world = WORLD({CUT(TEXT("a", "Hello") FINISH("a", "stop"))});
    struct world_call *call = ASK(world, .targets = 1);
    koine_usage usage = KOINE_USAGE_INIT;
    world_run(world);
    ASSERT_STR(call->trace, "start together/a a | text Hello | stop stop together/a");
    koine_response_usage(world_response(call), &usage);
    ASSERT_INT(usage.estimated, KOINE_BUCKET_INPUT | KOINE_BUCKET_OUTPUT);
    ASSERT_INT(usage.input, 28);
    ASSERT_INT(usage.output, 2);
    ASSERT_STR(world_cost(call), "~3200000");
    world_free(world);
}

static void ends_without_done(void)
{
    struct world *world =
        WORLD({ANSWER(TOGETHER, 200, TEXT("a", "Hello") FINISH("a", "length") USAGE(3, 2))});
    struct world_call *call = ASK(world, .targets = 1);
    world_run(world);
    ASSERT_STR(call->trace, "start together/a a | text Hello | usage 3/2 | stop length together/a");
    ASSERT_STR(koine_response_finish_raw(world_response(call)), "length");
    world_free(world);
}

static void ends_without_anything(void)
{
    struct world *world = WORLD({ANSWER(TOGETHER, 200, TEXT("a", "Hello"))});
    struct world_call *call = ASK(world, .targets = 1);
    world_run(world);
    ASSERT_STR(call->trace, "start together/a a | text Hello | fault protocol 200 together/a");
    ASSERT_STR(world_message(call), "the stream ended early, without the vendor's end of it");
    world_free(world);
}

static void what_follows_the_end_is_dropped(void)
{
    struct world *world = WORLD({.match = TOGETHER,
                                 .status = 200,
                                 .hang = true,
                                 BODY(PIECE(0, STREAM("a")), PIECE(10, STREAM("a")))});
    struct world_call *call = ASK(world, .targets = 1);
    world_run(world);
    ASSERT_STR(call->trace, READ_STREAM("together/a", "a"));
    ASSERT_INT(call->ended_ms, 0);
    CU_ASSERT_FALSE(world_sent(world, 0)->cancelled); /* drained: the connection may serve again */
    world_free(world);
}

/* ---- What it may hold ---- */

static void tools(void)
{
    struct world *world = WORLD(
        {ANSWER(TOGETHER, 200,
                CHUNK("a",
                      "{\"tool_calls\":[{\"index\":0.0,\"id\":\"x\",\"function\":{\"name\":\"f\","
                      "\"arguments\":\"{\\\"n\"}}]}",
                      "null")
                    CHUNK("a", "{\"tool_calls\":[{\"index\":0.0,\"function\":{\"arguments\":\"\\\":1}\"}}]}",
                          "null") FINISH("a", "stop") USAGE(3, 2) DONE)});
    struct world_call *call = ASK(world, .targets = 1);
    world_run(world);
    ASSERT_STR(call->trace, "start together/a a | tool 0 f | arguments 0 {\"n | arguments 0 \":1} | "
                            "tool_end 0 {\"n\":1} | usage 3/2 | stop tool together/a");
    ASSERT_STR(koine_response_message(world_response(call)),
               "{\"role\":\"assistant\",\"content\":null,\"tool_calls\":[{\"id\":\"x\",\"type\":\"function\","
               "\"function\":{\"name\":\"f\",\"arguments\":\"{\\\"n\\\":1}\"}}]}");
    world_free(world);
}

static void reasoning_refusal_and_extras(void)
{
    struct world *world =
        WORLD({ANSWER(TOGETHER, 200,
                      CHUNK("a", "{\"reasoning\":\"hm\"}", "null")
                          CHUNK("a", "{\"refusal\":\"no\"},\"logprobs\":{\"x\":1}", "\"stop\"") DONE)});
    struct world_call *call = ASK(world, .targets = 1);
    world_run(world);
    ASSERT_STR(call->trace, "start together/a a | reasoning hm | refusal no | extra logprobs {\"x\":1} | "
                            "stop stop together/a");
    ASSERT_STR(koine_response_reasoning(world_response(call), NULL), "hm");
    ASSERT_STR(koine_response_refusal(world_response(call), NULL), "no");
    ASSERT_STR(koine_response_extra(world_response(call), "logprobs"), "[{\"x\":1}]");
    ASSERT_STR(
        koine_response_message(world_response(call)),
        "{\"role\":\"assistant\",\"content\":\"\",\"refusal\":\"no\",\"koine\":{\"reasoning\":\"hm\"}}");
    world_free(world);
}

static void another_framing_than_asked_for(void)
{
    struct world *world =
        WORLD({ANSWER(TOGETHER, 200, WHOLE("a")), HEADERS(HEADER("content-type", "application/json"))},
              {ANSWER(TOGETHER, 200, STREAM("a")), HEADERS(HEADER("content-type", "text/event-stream"))});
    struct world_call *call = ASK(world, .targets = 1);
    world_run(world);
    ASSERT_STR(call->trace, READ_WHOLE("together/a", "a"));
    call = ASK(world, .targets = 1, .whole = true);
    world_run(world);
    ASSERT_STR(call->trace, READ_STREAM("together/a", "a"));
    world_free(world);
}

static void too_large(void)
{
    struct world *world = WORLD({.repeat = true, ANSWER(TOGETHER, 200, STREAM("a"))});
    world->together.body_limit = 200;
    world->together.retry.max_retries = 0;
    struct world_call *call = ASK(world, .targets = 1);
    world_run(world);
    ASSERT_STR(call->trace, "fault protocol 200 together/a");
    ASSERT_STR(world_message(call), "the answer is larger than body_limit (200 bytes)");
    CU_ASSERT(world_sent(world, 0)->cancelled);
    world_free(world);
}

static void request_ids_are_kept(void)
{
    struct world *world = WORLD({ANSWER(TOGETHER, 503, ERROR("x")), HEADERS(HEADER("x-request-id", "q1"))},
                                {ANSWER(TOGETHER, 200, STREAM("a")), HEADERS(HEADER("request-id", "q2\t"))});
    struct world_call *call = ASK(world, .targets = 1);
    world_run(world);
    ASSERT_STR(koine_response_attempt_request_id(world_response(call), 0), "q1");
    ASSERT_STR(koine_response_attempt_request_id(world_response(call), 1), "q2");
    ASSERT_STR(koine_response_id(world_response(call)), "r1");
    world_free(world);
}

/* ---- How the bytes arrive ---- */

static void every_split(void)
{
    for (size_t split = 1; split < sizeof(STREAM("a")); split++) {
        const struct koine__replay_answer answer = {.split = split, ANSWER(TOGETHER, 200, STREAM("a"))};
        struct world *world = world_new(&answer, 1);
        struct world_call *call = ASK(world, .targets = 1);
        world_run(world);
        ASSERT_STR(call->trace, READ_STREAM("together/a", "a"));
        world_free(world);
    }
}

/* A stream that breaks anywhere is the whole answer, or one fault after a part of it. */
static void every_cut(void)
{
    static const char full[] = STREAM("a"), trace[] = READ_STREAM("together/a", "a");
    static const char finished[] = ROLE("a") TEXT("a", "Hel") TEXT("a", "lo") FINISH("a", "stop");
    for (size_t len = 0; len < sizeof(full); len++) {
        const struct koine__replay_chunk chunk = {0, {full, len}};
        const struct koine__replay_answer answer = {.match = TOGETHER,
                                                    .status = 200,
                                                    .chunks = &chunk,
                                                    .chunk_count = 1,
                                                    .fault_class = KOINE_CLASS_RESET};
        struct world *world = world_new(&answer, 1);
        world->together.retry.max_retries = 0;
        struct world_call *call = ASK(world, .targets = 1);
        world_run(world);
        char *fault = strstr(call->trace, "fault reset/body 200 together/a");
        CU_ASSERT((fault == NULL) == (len >= sizeof(finished) - 2)); /* its last empty line need not come */
        size_t same =
            fault ? (size_t)(fault - call->trace) : strlen("start together/a a | text Hel | text lo");
        CU_ASSERT(strncmp(call->trace, trace, same) == 0);
        world_free(world);
    }
}

SUITE_MAIN("sim stream", {"dies after text", dies_after_text}, {"dies after the role", dies_after_the_role},
           {"complete holds it back", complete_holds_it_back},
           {"complete delivers at the end", complete_delivers_at_the_end},
           {"first_content delivers at once", first_content_delivers_at_once},
           {"an error after text", an_error_after_text}, {"nonsense after text", nonsense_after_text},
           {"cut after the finish", cut_after_the_finish}, {"ends without [DONE]", ends_without_done},
           {"ends without anything", ends_without_anything},
           {"what follows the end is dropped", what_follows_the_end_is_dropped}, {"tools", tools},
           {"reasoning, refusal and extras", reasoning_refusal_and_extras},
           {"another framing than asked for", another_framing_than_asked_for}, {"too large", too_large},
           {"request ids are kept", request_ids_are_kept}, {"every split", every_split},
           {"every cut", every_cut})
