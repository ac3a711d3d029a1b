/* Calls: cancelling, waiting for a connection, unread events, several at once, and what is dropped of a
 * document. */
#include "tests/sim/world.h"
#include "tests/unit/suite.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define SILENCE .match = TOGETHER, .hang = true
#define BUSY    .repeat = true, ANSWER(TOGETHER, 503, ERROR("busy"))

/* ---- Cancelling ---- */

static void cancel_in_backoff(void)
{
    struct world *world = WORLD({BUSY});
    struct world_call *call = ASK(world, .targets = 2);
    world_until(world, 500);
    koine__call_cancel(call->call);
    world_run(world);
    ASSERT_STR(call->trace, "retry together/a 1000 | fault cancelled together/a");
    ASSERT_INT(call->ended_ms, 500);
    ASSERT_STR(world_rows(call), "together/a 503 overloaded 0");
    ASSERT_STR(world_message(call), "the call was cancelled");
    world_free(world);
}

static void cancel_in_flight(void)
{
    struct world *world = WORLD({SILENCE});
    struct world_call *call = ASK(world, .targets = 2);
    world_until(world, 500);
    koine__call_cancel(call->call);
    CU_ASSERT(world_sent(world, 0)->cancelled);
    world_run(world);
    ASSERT_STR(call->trace, "fault cancelled together/a");
    ASSERT_INT(call->ended_ms, 500);
    ASSERT_STR(world_rows(call), "together/a 0 cancelled ~2800000"); /* it was sent, so it may be billed */
    world_free(world);
}

static void cancel_after_text(void)
{
    struct world *world = WORLD({SILENCE, .status = 200, BODY(PIECE(100, TEXT("a", "Hel")))});
    struct world_call *call = ASK(world, .targets = 2);
    world_until(world, 500);
    koine__call_cancel(call->call);
    koine__call_cancel(call->call);
    world_run(world);
    ASSERT_STR(call->trace, "start together/a a | text Hel | fault cancelled together/a");
    ASSERT_STR(world_text(call), "Hel");
    world_free(world);
}

static void cancel_before_the_loop_ran(void)
{
    struct world *world = WORLD({SILENCE});
    struct world_call *call = ASK(world, .targets = 2);
    koine__call_cancel(call->call);
    world_run(world);
    ASSERT_STR(call->trace, "fault cancelled together/a");
    ASSERT_INT(world_send_count(world), 0);
    ASSERT_INT(koine_response_attempt_count(world_response(call)), 0);
    world_free(world);
}

static void cancel_after_the_end(void)
{
    struct world *world = WORLD({ANSWER(TOGETHER, 200, STREAM("a"))});
    struct world_call *call = ASK(world, .targets = 2);
    world_run(world);
    koine__call_cancel(call->call);
    world_run(world);
    ASSERT_STR(call->trace, READ_STREAM("together/a", "a"));
    world_free(world);
}

static void *raise_it(void *canceller)
{
    koine_cancel(canceller);
    koine_cancel(canceller);
    return NULL;
}

static void canceller_in_another_thread(void)
{
    pthread_t thread;
    koine_canceller *canceller = NULL;
    struct world *world = WORLD({SILENCE}, {SILENCE}, {ANSWER(TOGETHER, 200, STREAM("a"))});
    ASSERT_INT(koine_canceller_new(&canceller), KOINE_OK);
    struct world_call *first = ASK(world, .targets = 1, .canceller = canceller);
    struct world_call *second = ASK(world, .targets = 1, .canceller = canceller);
    world_until(world, 500);
    struct world_call *other = ASK(world, .targets = 1);
    CU_ASSERT_FATAL(pthread_create(&thread, NULL, raise_it, canceller) == 0);
    pthread_join(thread, NULL);
    world_run(world);
    ASSERT_STR(first->trace, "fault cancelled together/a");
    ASSERT_STR(second->trace, "fault cancelled together/a");
    ASSERT_INT(second->ended_ms, 500);
    ASSERT_STR(other->trace, READ_STREAM("together/a", "a"));
    koine_canceller_free(canceller);
    world_free(world);
}

static void canceller_raised_before(void)
{
    koine_canceller *canceller = NULL;
    struct world *world = WORLD({SILENCE});
    ASSERT_INT(koine_canceller_new(&canceller), KOINE_OK);
    koine_cancel(canceller);
    struct world_call *call = ASK(world, .targets = 1, .canceller = canceller);
    koine_canceller_free(canceller); /* the call has a reference of its own */
    world_run(world);
    ASSERT_STR(call->trace, "fault cancelled together/a");
    ASSERT_INT(world_send_count(world), 0);
    world_free(world);
}

static void free_while_it_runs(void)
{
    struct world *world = WORLD({SILENCE, .status = 200, BODY(PIECE(100, TEXT("a", "Hel")))}, {BUSY});
    struct world_call *in_flight = ASK(world, .targets = 1), *waits = ASK(world, .targets = 1);
    struct world_call *fresh = ASK(world, .targets = 1);
    world_drop(fresh);
    world_until(world, 500);
    ASSERT_STR(in_flight->trace, "start together/a a | text Hel");
    world_drop(in_flight);
    world_drop(waits);
    CU_ASSERT(world_sent(world, 0)->cancelled);
    world_run(world);
    ASSERT_INT(world_send_count(world), 2);
    world_free(world);
}

/* ---- A pool of one connection ---- */

static void second_call_waits(void)
{
    struct world *world = WORLD({.match = TOGETHER, .status = 200, BODY(PIECE(3000, STREAM("a")))},
                                {.match = TOGETHER, .status = 200, BODY(PIECE(2000, STREAM("a")))},
                                {ANSWER(TOGETHER, 200, STREAM("a"))});
    struct world_call *calls[3];
    koine__pool_set_limit(&world->pool, 1);
    for (size_t i = 0; i < 3; i++)
        calls[i] = ASK(world, .targets = 1);
    world_run(world);
    for (size_t i = 0; i < 3; i++)
        ASSERT_STR(calls[i]->trace, READ_STREAM("together/a", "a"));
    ASSERT_STR(world_sends(world), "0 together | 3000 together | 5000 together");
    ASSERT_INT(calls[1]->ended_ms, 5000);
    ASSERT_INT(koine_response_attempt_ms(world_response(calls[1]), 0),
               2000); /* the wait is not the attempt's */
    world_free(world);
}

static void cancelled_waiter(void)
{
    struct world *world = WORLD({.match = TOGETHER, .status = 200, BODY(PIECE(3000, STREAM("a")))},
                                {ANSWER(TOGETHER, 200, STREAM("a"))});
    koine__pool_set_limit(&world->pool, 1);
    ASK(world, .targets = 1);
    struct world_call *second = ASK(world, .targets = 1), *third = ASK(world, .targets = 1);
    world_until(world, 1000);
    koine__call_cancel(second->call);
    world_run(world);
    ASSERT_STR(second->trace, "fault cancelled together/a");
    ASSERT_INT(second->ended_ms, 1000);
    ASSERT_INT(koine_response_attempt_count(world_response(second)), 0);
    ASSERT_STR(third->trace, READ_STREAM("together/a", "a"));
    ASSERT_STR(world_sends(world), "0 together | 3000 together");
    world_free(world); /* says if a place is missing */
}

static void backoff_holds_no_connection(void)
{
    struct world *world =
        WORLD({ANSWER(TOGETHER, 503, ERROR("busy"))}, {.repeat = true, ANSWER(TOGETHER, 200, STREAM("a"))});
    koine__pool_set_limit(&world->pool, 1);
    struct world_call *first = ASK(world, .targets = 1), *second = ASK(world, .targets = 1);
    world_run(world);
    ASSERT_STR(first->trace, "retry together/a 1000 | " READ_STREAM("together/a", "a"));
    ASSERT_INT(second->ended_ms, 0);
    world_free(world);
}

/* ---- An application that does not read ---- */

#define PIECES 1000

/* A megabyte of text in pieces, one each 100 ms. */
static struct koine__replay_answer long_answer(struct koine__replay_chunk *chunks, char *piece)
{
    char words[1001];
    memset(words, 'x', 1000);
    words[1000] = '\0';
    sprintf(piece, CHUNK("a", "{\"content\":\"%s\"}", "null"), words);
    for (size_t i = 0; i < PIECES; i++)
        chunks[i] = (struct koine__replay_chunk){WORLD_MS(100), {piece, strlen(piece)}};
    chunks[PIECES] = (struct koine__replay_chunk){0, KOINE__STR(FINISH("a", "stop") USAGE(3, 2) DONE)};
    return (struct koine__replay_answer){
        .match = TOGETHER, .status = 200, .chunks = chunks, .chunk_count = PIECES + 1};
}

static void unread_events_pause_it(void)
{
    static struct koine__replay_chunk chunks[PIECES + 1];
    static char piece[1200];
    const struct koine__replay_answer answer = long_answer(chunks, piece);
    struct world *world = world_new(&answer, 1);
    struct world_call *call = ASK(world, .targets = 1);
    world->deaf = true;
    world_until(world, 500000); /* longer than idle and progress allow */
    CU_ASSERT(world_sent(world, 0)->paused);
    CU_ASSERT(call->call->events.bytes > (size_t)256 << 10 && call->call->events.bytes < (size_t)260 << 10);
    CU_ASSERT_PTR_NULL(world_response(call));
    world->deaf = false;
    world_run(world);
    ASSERT_INT(call->ended_ms, 500000);
    ASSERT_INT(call->events, PIECES + 3); /* start, usage, stop */
    CU_ASSERT(strlen(world_text(call)) == PIECES * 1000);
    world_free(world);
}

static void idle_counts_again_after_a_pause(void)
{
    static struct koine__replay_chunk chunks[PIECES + 1];
    static char piece[1200];
    struct koine__replay_answer answer = long_answer(chunks, piece);
    answer.chunk_count = 300;
    answer.hang = true;
    struct world *world = world_new(&answer, 1);
    struct world_call *call = ASK(world, .targets = 1);
    world->deaf = true;
    world_until(world, 100000);
    world->deaf = false;
    world_run(world);
    ASSERT_INT(call->ended_ms, 160000);
    ASSERT_INT(koine_error_class(koine_call_error(call->call)), KOINE_CLASS_TIMEOUT);
    ASSERT_STR(koine_error_stage(koine_call_error(call->call)), "idle");
    world_free(world);
}

static void total_ends_a_pause(void)
{
    static struct koine__replay_chunk chunks[PIECES + 1];
    static char piece[1200];
    const struct koine__replay_answer answer = long_answer(chunks, piece);
    struct world *world = world_new(&answer, 1);
    struct world_call *call = ASK(world, .targets = 1, .deadline = WORLD_MS(900000));
    world->deaf = true;
    world_until(world, 700000);
    CU_ASSERT_PTR_NOT_NULL(world_response(call));
    world->deaf = false;
    world_run(world);
    ASSERT_STR(koine_error_stage(koine_call_error(call->call)), "total");
    world_free(world);
}

/* What is held back for the end is not for anybody to read yet. */
static void complete_is_never_paused(void)
{
    static struct koine__replay_chunk chunks[PIECES + 1];
    static char piece[1200];
    const struct koine__replay_answer answer = long_answer(chunks, piece);
    struct world *world = world_new(&answer, 1);
    struct world_call *call = ASK(world, .targets = 1, .complete = true);
    world->deaf = true;
    world_until(world, 100000);
    CU_ASSERT_FALSE(world_sent(world, 0)->paused);
    CU_ASSERT_PTR_NOT_NULL(world_response(call));
    world_free(world);
}

/* ---- Several at once ---- */

static void calls_take_turns(void)
{
    struct world *world = WORLD({.repeat = true, ANSWER(TOGETHER, 200, STREAM("a"))});
    struct world_call *calls[3];
    char order[64] = "";
    struct koine_call *call;
    for (size_t i = 0; i < 3; i++)
        calls[i] = ASK(world, .targets = 1);
    for (int i = 0; i < 10; i++)
        koine__loop_process(world->loop);
    for (struct koine_event *event; (event = koine__calls_next(&world->calls, &call));) {
        struct world_call *asked = koine_call_user(call);
        order[strlen(order)] = (char)('0' + (asked - calls[0]));
        asked->terminals += koine__event_is_terminal(event);
        koine__event_free(event);
    }
    ASSERT_STR(order, "012012012012012"); /* start, text, text, usage, stop of each */
    world_free(world);
}

static void no_descriptor_for_the_canceller(void)
{
    struct world *world = WORLD({SILENCE});
    struct rlimit before, none;
    koine_canceller *canceller = NULL;
    ASSERT_INT(koine_canceller_new(&canceller), KOINE_OK);
    getrlimit(RLIMIT_NOFILE, &before);
    none = before;
    none.rlim_cur = 3;
    setrlimit(RLIMIT_NOFILE, &none);
    struct world_call *call = ASK(world, .targets = 1, .canceller = canceller);
    setrlimit(RLIMIT_NOFILE, &before);
    CU_ASSERT_PTR_NULL(call);
    CU_ASSERT_PTR_NULL(world->calls.first);
    koine_canceller_free(canceller);
    world_free(world);
}

static void call_ids_differ(void)
{
    struct world *world = WORLD({SILENCE}, {SILENCE});
    struct world_call *first = ASK(world, .targets = 1), *second = ASK(world, .targets = 1);
    ASSERT_STR(koine_call_id(NULL), "");
    CU_ASSERT_PTR_NULL(koine_call_user(NULL));
    CU_ASSERT_PTR_NULL(koine_call_error(first->call));
    CU_ASSERT_PTR_NULL(koine_call_response(NULL));
    CU_ASSERT(strcmp(koine_call_id(first->call), koine_call_id(second->call)) != 0);
    world_free(world);
}

/* ---- What is dropped of a document ---- */

static const char FOREIGN[] = "{\"messages\":[],\"user\":\"u\",\"stop\":\"###\"}";

static const char *parameters(const struct world_call *call)
{
    const koine_response *response = world_response(call);
    static char text[512];
    text[0] = '\0';
    for (size_t i = 0; i < koine_response_parameter_count(response); i++) {
        size_t used = strlen(text);
        snprintf(text + used, sizeof(text) - used, "%s%s %s: %s", used ? " | " : "",
                 koine_response_parameter_name(response, i), koine_response_parameter_action(response, i),
                 koine_response_parameter_reason(response, i));
    }
    return text;
}

static void parameters_warn(void)
{
    struct world *world = WORLD({ANSWER(TOGETHER, 200, STREAM("a"))});
    struct world_call *call = ASK(world, .targets = 1, .document = FOREIGN);
    world_run(world);
    ASSERT_STR(call->trace, "parameter user | " READ_STREAM("together/a", "a"));
    ASSERT_STR(parameters(call),
               "user dropped: together has no such parameter | stop mapped: sent as a list");
    ASSERT_STR(koine_response_parameter_name(world_response(call), 9), "");
    ASSERT_STR(koine_response_parameter_action(world_response(call), 9), "");
    ASSERT_STR(koine_response_parameter_reason(world_response(call), 9), "");
    world_free(world);
}

static void parameters_drop(void)
{
    struct world *world = WORLD({ANSWER(TOGETHER, 200, STREAM("a"))});
    world->together.parameters = KOINE__PARAMETERS_DROP;
    struct world_call *call = ASK(world, .targets = 1, .document = FOREIGN);
    world_run(world);
    ASSERT_STR(call->trace, READ_STREAM("together/a", "a"));
    ASSERT_STR(parameters(call),
               "user dropped: together has no such parameter | stop mapped: sent as a list");
    world_free(world);
}

static void parameters_strict(void)
{
    struct world *world = WORLD({ANSWER(TOGETHER, 200, STREAM("a"))}, {ANSWER(OPENAI, 200, STREAM("b"))});
    world->together.parameters = KOINE__PARAMETERS_STRICT;
    struct world_call *call = ASK(world, .targets = 2, .document = FOREIGN);
    world_run(world);
    ASSERT_STR(call->trace, "switch openai/b | " READ_STREAM("openai/b", "b"));
    ASSERT_STR(world_sends(world), "0 openai");
    ASSERT_STR(world_rows(call), "openai/b 200 ok 1650000");
    call = ASK(world, .targets = 1, .document = FOREIGN);
    world_run(world);
    ASSERT_STR(call->trace, "fault unsupported together/a");
    ASSERT_STR(world_message(call),
               "parameters: strict, and user would be dropped: together has no such parameter");
    world_free(world);
}

static void an_invalid_document(void)
{
    struct world *world = WORLD({ANSWER(TOGETHER, 200, STREAM("a"))});
    struct world_call *call = ASK(world, .targets = 2, .document = "{\"messages\":7}");
    world_run(world);
    ASSERT_STR(call->trace, "fault invalid together/a");
    ASSERT_INT(world_send_count(world), 0);
    world_free(world);
}

static void options_of_the_instance(void)
{
    static const char *const options[] = {"organization", "org-1", NULL};
    struct world *world = WORLD({.match = TOGETHER, .status = 401}, {ANSWER(OPENAI, 200, STREAM("b"))});
    world->openai.options = options;
    ASK(world, .targets = 2);
    world_run(world);
    CU_ASSERT_PTR_NOT_NULL(strstr(world_sent(world, 1)->headers, "OpenAI-Organization: org-1\n"));
    CU_ASSERT_PTR_NULL(strstr(world_sent(world, 1)->headers, "OpenAI-Project"));
    world_free(world);
}

static void set_and_unset(void)
{
    static const struct koine__member members[] = {{"temperature", "0.10"}, {"top_p", NULL}, {"seed", "7"}};
    struct world *world = WORLD({ANSWER(TOGETHER, 503, ERROR("busy"))}, {ANSWER(TOGETHER, 401, ERROR("key"))},
                                {ANSWER(OPENAI, 200, STREAM("b"))});
    world->targets[1].members = members;
    world->targets[1].member_count = 3;
    ASK(world, .document = "{\"messages\":[],\"temperature\":0.70,\"top_p\":1}", .whole = true);
    world_run(world);
    ASSERT_STR(world_sent(world, 0)->body,
               "{\"model\":\"a\",\"messages\":[],\"temperature\":0.70,\"top_p\":1}");
    ASSERT_STR(world_sent(world, 1)->body,
               "{\"model\":\"a\",\"messages\":[],\"temperature\":0.70,\"top_p\":1}");
    ASSERT_STR(world_sent(world, 2)->body,
               "{\"model\":\"b\",\"messages\":[],\"temperature\":0.10,\"seed\":7}");
    world_free(world);
}

SUITE_MAIN("sim calls", {"cancel in backoff", cancel_in_backoff}, {"cancel in flight", cancel_in_flight},
           {"cancel after text, twice", cancel_after_text},
           {"cancel before the loop ran", cancel_before_the_loop_ran},
           {"cancel after the end", cancel_after_the_end},
           {"canceller in another thread, twice", canceller_in_another_thread},
           {"canceller raised before", canceller_raised_before}, {"free while it runs", free_while_it_runs},
           {"the second call waits", second_call_waits}, {"a cancelled waiter", cancelled_waiter},
           {"backoff holds no connection", backoff_holds_no_connection},
           {"unread events pause it", unread_events_pause_it},
           {"idle counts again after a pause", idle_counts_again_after_a_pause},
           {"total ends a pause", total_ends_a_pause}, {"complete is never paused", complete_is_never_paused},
           {"calls take turns", calls_take_turns}, {"call ids differ", call_ids_differ},
           {"no descriptor for the canceller", no_descriptor_for_the_canceller},
           {"parameters: warn", parameters_warn}, {"parameters: drop", parameters_drop},
           {"parameters: strict", parameters_strict}, {"an invalid document", an_invalid_document},
           {"set and unset", set_and_unset}, {"options of the instance", options_of_the_instance})
