/* What a key does: it never comes back out of us, and without one nothing is asked of the vendor itself. */
#include "tests/sim/world.h"
#include "tests/unit/suite.h"

#include <string.h>

#define MARKED "SECRET-KEY-1234"

static void mark_key(struct world *world)
{
    koine__secret_unref(world->keys[0]);
    world->keys[0] = koine__secret_new(MARKED, strlen(MARKED));
    world->together.secret = world->keys[0];
}

static void assert_hidden(struct world *world, struct world_call *call)
{
    CU_ASSERT_PTR_NULL(strstr(call->trace, MARKED));
    CU_ASSERT_PTR_NULL(strstr(world_message(call), MARKED));
    CU_ASSERT_PTR_NULL(strstr(world->logged, MARKED));
    const koine_response *response = world_response(call);
    for (size_t i = 0; i < koine_response_attempt_count(response); i++)
        CU_ASSERT_PTR_NULL(strstr(koine_response_attempt_request_id(response, i), MARKED));
}

static void an_echoed_key_is_masked(void)
{
    static const struct koine__header id = {{"x-request-id", 12}, {"req " MARKED, 4 + sizeof(MARKED) - 1}};
    const struct koine__replay_answer wrong = {
        .match = TOGETHER,
        .status = 401,
        .headers = &id,
        .header_count = 1,
        BODY(PIECE(0, "{\"error\":{\"message\":\"no such key: " MARKED ".\",\"code\":\"" MARKED "\"}}"))};
    struct world *world = WORLD(wrong);
    mark_key(world);
    struct world_call *call = ASK(world, .targets = 1);
    world_run(world);
    ASSERT_STR(world_message(call), "no such key: ***************.");
    ASSERT_STR(koine_response_attempt_request_id(world_response(call), 0), "req ***************");
    assert_hidden(world, call);
    world_free(world);
}

static void also_in_a_stream(void)
{
    struct world *world =
        WORLD({ANSWER(TOGETHER, 200,
                      "data: {\"error\":{\"message\":\"bad " MARKED "\",\"type\":\"server_error\"}}\n\n")},
              {ANSWER(OPENAI, 200, STREAM("b"))});
    mark_key(world);
    world->together.retry.max_retries = 0;
    struct world_call *call = ASK(world, .targets = 2);
    world_run(world);
    ASSERT_STR(call->trace, "switch openai/b | " READ_STREAM("openai/b", "b"));
    assert_hidden(world, call);
    world_free(world);
}

static void no_key_no_request(void)
{
    struct world *world = WORLD({ANSWER(OPENAI, 200, STREAM("b"))}, {ANSWER(OPENAI, 200, STREAM("b"))});
    world->together.secret = NULL;
    world->together.base_url = world->together.provider->base_url;
    world->together.reads_variable = true;
    struct world_call *call = ASK(world, .targets = 1);
    world_run(world);
    ASSERT_STR(world_message(call), "there is no key: set TOGETHER_API_KEY, or providers.together.api_key");
    ASSERT_INT(koine_error_class(koine_call_error(call->call)), KOINE_CLASS_AUTH);
    ASSERT_INT(world_send_count(world), 0);
    call = ASK(world, .targets = 2);
    world_run(world);
    ASSERT_STR(call->trace, "switch openai/b | " READ_STREAM("openai/b", "b"));
    ASSERT_STR(world_rows(call), "openai/b 200 ok 1650000");
    world_free(world);
}

/* A server of one's own may need none. */
static void but_of_another_server(void)
{
    struct world *world = WORLD({ANSWER("//lab", 200, STREAM("a"))});
    world->together.secret = NULL;
    world->together.base_url = "http://lab/v1";
    struct world_call *call = ASK(world, .targets = 1);
    world_run(world);
    ASSERT_STR(call->trace, READ_STREAM("together/a", "a"));
    world_free(world);
}

/* The variable would not help: its key goes to no server that only a configuration names. */
static void no_key_for_a_server_of_ones_own(void)
{
    struct world *world = WORLD({ANSWER(OPENAI, 200, STREAM("b"))});
    koine_provider homeless = *world->together.provider;
    homeless.base_url = NULL;
    world->together.provider = &homeless;
    world->together.secret = NULL;
    struct world_call *call = ASK(world, .targets = 1);
    world_run(world);
    ASSERT_STR(world_message(call),
               "there is no key: set providers.together.api_key, for example to ${TOGETHER_API_KEY}");
    ASSERT_STR(world_sends(world), "");
    world_free(world);
}

static void a_redirect_is_not_asked_again(void)
{
    struct world *world = WORLD({ANSWER(TOGETHER, 301, "moved")}, {ANSWER(OPENAI, 200, STREAM("b"))});
    struct world_call *call = ASK(world, .targets = 2);
    world_run(world);
    ASSERT_STR(call->trace, "switch openai/b | " READ_STREAM("openai/b", "b"));
    ASSERT_STR(world_sends(world), "0 together | 0 openai");
    world_free(world);
}

SUITE_MAIN("sim keys", {"an echoed key is masked", an_echoed_key_is_masked},
           {"also in a stream", also_in_a_stream}, {"no key, no request", no_key_no_request},
           {"nor for a server of one's own", no_key_for_a_server_of_ones_own},
           {"but of another server", but_of_another_server},
           {"a redirect is not asked again", a_redirect_is_not_asked_again})
