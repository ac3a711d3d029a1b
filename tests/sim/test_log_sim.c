/* What the log hears of calls: a line for each attempt and each call, and of their texts nothing, or what the
 * configuration allows. */
#include "core/wire/json.h"
#include "tests/sim/world.h"
#include "tests/unit/suite.h"

#include <stdio.h>
#include <string.h>

#define PROMPT      "prompt-of-a-patient"
#define ANSWER_TEXT "answer-for-a-patient"
#define KEY         "sk-a-key-in-a-prompt"

static char lines[1 << 16];
static bool as_json;

/* Without the call's id, which counts on from test to test. */
static void keep(void *user, int level, const char *line)
{
    size_t used = strlen(lines);
    (void)user;
    (void)level;
    if (as_json)
        ASSERT_INT(koine__json_check(koine__str(line), 1, NULL), KOINE_OK);
    snprintf(lines + used, sizeof(lines) - used, "%s\n", line);
}

static void listen(struct world *world, int level)
{
    lines[0] = '\0';
    koine__log_set_clock(&world->log, &world->clock);
    koine__log_set_json(&world->log, as_json);
    koine__log_set(&world->log, level, keep, NULL);
}

static bool has(const char *text)
{
    return strstr(lines, text) != NULL;
}

/* The line expected, whose %s is the call's id, is one of those. */
static void expect_line(const struct world_call *asked, const char *format, const char *rest)
{
    char line[1024];
    snprintf(line, sizeof(line), "%s call=%s %s\n", format, koine_call_id(asked->call), rest);
    if (!has(line))
        printf("# missing: %s# in:\n%s", line, lines);
    CU_ASSERT_TRUE(has(line));
}

/* Class and target of a call that failed are those of the fault that is told, whoever was asked last. */
static void whose_fault(void)
{
    as_json = false;
    struct world *world = WORLD({ANSWER(TOGETHER, 402, ERROR("pay"))}, {ANSWER(OPENAI, 401, ERROR("no"))});
    listen(world, KOINE__LOG_INFO);
    struct world_call *asked = ASK(world, .targets = 2);
    world_run(world);
    ASSERT_STR(koine_error_target(koine_call_error(asked->call)), "together/a");
    ASSERT_STR(koine_error_class_name(koine_call_error(asked->call)), "billing");
    CU_ASSERT_TRUE(has("target=together/a class=billing attempts=2 "));
    world_free(world);
}

static void each_attempt_and_each_call(void)
{
    as_json = false;
    struct world *world = WORLD({ANSWER(TOGETHER, 503, ERROR("busy")), .head_after = WORLD_MS(20),
                                 HEADERS(HEADER("x-request-id", "a b"))},
                                {ANSWER(TOGETHER, 401, ERROR("no"))},
                                {.match = OPENAI,
                                 .status = 200,
                                 .head_after = WORLD_MS(30),
                                 BODY(PIECE(0, ROLE("b-2024")), PIECE(10, TEXT("b-2024", "Hello")),
                                      PIECE(5, FINISH("b-2024", "stop") USAGE(3, 2) DONE))});
    listen(world, KOINE__LOG_INFO);
    struct world_call *asked = ASK(world, .targets = 2);
    world_run(world);
    expect_line(asked, "at=2025-01-01T12:00:00.020Z level=info event=attempt",
                "attempt=1 target=together/a status=503 class=overloaded ms=20 queue_ms=0 "
                "request_id=\"a b\" usd=0 billing=none");
    expect_line(asked, "at=2025-01-01T12:00:01.020Z level=info event=attempt",
                "attempt=2 target=together/a status=401 class=auth ms=0 queue_ms=0 usd=0 billing=none");
    expect_line(asked, "at=2025-01-01T12:00:01.020Z level=warning event=switch",
                "from=together/a to=openai/b class=auth");
    expect_line(asked, "at=2025-01-01T12:00:01.065Z level=info event=attempt",
                "attempt=3 target=openai/b model=b-2024 status=200 class=ok ms=45 first_token_ms=40 "
                "queue_ms=0 input_tokens=3 output_tokens=2 usd=0.00000165 billing=billed");
    expect_line(asked, "at=2025-01-01T12:00:01.065Z level=info event=call",
                "route=default target=openai/b class=ok attempts=3 retries=1 fallbacks=1 ms=1065 "
                "first_token_ms=1060 input_tokens=3 output_tokens=2 usd=0.00000165 billing=billed");
    world_free(world);
}

/* A place in the pool has to be waited for; who waits is no time of the server's. */
static void time_in_the_queue(void)
{
    as_json = false;
    struct world *world = WORLD({ANSWER(TOGETHER, 200, STREAM("a")), .head_after = WORLD_MS(70)},
                                {ANSWER(TOGETHER, 200, STREAM("a")), .head_after = WORLD_MS(5)});
    world->pool.limit = 1;
    listen(world, KOINE__LOG_INFO);
    ASK(world, .targets = 2);
    ASK(world, .targets = 2);
    world_run(world);
    CU_ASSERT_TRUE(has("class=ok ms=70 first_token_ms=70 queue_ms=0"));
    CU_ASSERT_TRUE(has("class=ok ms=5 first_token_ms=5 queue_ms=70"));
    world_free(world);
}

static void a_stage_and_an_estimate(void)
{
    as_json = false;
    struct world *world =
        WORLD({.match = TOGETHER, .status = 200, BODY(PIECE(0, TEXT("a", "Hel"))), .hang = true});
    listen(world, KOINE__LOG_INFO);
    struct world_call *asked = ASK(world, .deadline = WORLD_MS(500));
    world_run(world);
    CU_ASSERT_STRING_EQUAL(koine_error_class_name(koine_call_error(asked->call)), "deadline");
    CU_ASSERT_TRUE(has(" target=together/a model=a status=200 class=deadline stage=total ms=500 "));
    CU_ASSERT_TRUE(has(" billing=estimated\n"));
    world_free(world);
}

/* ---- Prompts and answers ---- */

static const char document[] =
    "{\"messages\":[{\"role\":\"system\",\"content\":\"" PROMPT " 1\"},"
    "{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"" PROMPT " \\\"2\\\" " KEY "\"},"
    "{\"type\":\"image_url\",\"image_url\":{\"url\":\"data:image/png;base64,AAAA\"}}]}],"
    "\"user\":\"" PROMPT " 3\",\"top_k\":5}";

static const char error_body[] = ERROR("cannot answer " PROMPT);
#define THINKS CHUNK("a", "{\"reasoning\":\"" ANSWER_TEXT " 0\"}", "null")
#define TOOL                                                                                                 \
    CHUNK("b",                                                                                               \
          "{\"tool_calls\":[{\"index\":0,\"id\":\"t\",\"function\":{\"name\":\"f\","                         \
          "\"arguments\":\"{\\\"a\\\":\\\"" ANSWER_TEXT " 2\\\"}\"}}]}",                                     \
          "null")

/* Whatever can happen to a call that has such a prompt: errors that repeat it, retries, moves, answers whole
 * and streamed, and one that breaks off. */
static void run_all(int level, bool content)
{
    struct koine__secret *key = koine__secret_new(KEY, strlen(KEY));
    struct world *world = WORLD(
        {.match = TOGETHER, .status = 503, BODY({.bytes = {error_body, sizeof(error_body) - 1}})},
        {.match = TOGETHER, .status = 401, BODY({.bytes = {error_body, sizeof(error_body) - 1}})},
        {ANSWER(OPENAI, 200, TEXT("b", ANSWER_TEXT " 1") TOOL FINISH("b", "stop") USAGE(3, 2) DONE)},
        {ANSWER(TOGETHER, 200, THINKS TEXT("a", ANSWER_TEXT " 1"))},
        {.match = TOGETHER, .status = 400, BODY({.bytes = {error_body, sizeof(error_body) - 1}})},
        {ANSWER(TOGETHER, 200,
                "{\"id\":\"r1\",\"model\":\"a\",\"choices\":[{\"index\":0,\"message\":"
                "{\"role\":\"assistant\",\"content\":\"" ANSWER_TEXT " 1\"},\"finish_reason\":\"stop\"}]}")});
    CU_ASSERT_PTR_NOT_NULL_FATAL(key);
    ASSERT_INT(koine__log_hide(&world->log, &key, 1), KOINE_OK);
    koine__log_set_content(&world->log, content);
    listen(world, level);
    for (int i = 0; i < 4; i++) {
        ASK(world, .document = document, .whole = i == 3);
        world_run(world);
    }
    world_free(world);
    koine__secret_unref(key);
}

static void never_a_text_without_leave(void)
{
    for (int round = 0; round < 2; round++) {
        as_json = round == 1;
        run_all(KOINE__LOG_DEBUG, false);
        CU_ASSERT_TRUE(has(as_json ? "\"event\":\"request\"" : "event=request"));
        CU_ASSERT_TRUE(has(as_json ? "\"event\":\"switch\"" : "event=switch"));
        CU_ASSERT_TRUE(has(as_json ? "\"class\":\"invalid\"" : "class=invalid"));
        CU_ASSERT_FALSE(has("patient"));
        CU_ASSERT_FALSE(has("AAAA"));
        CU_ASSERT_FALSE(has(KEY));
    }
    run_all(KOINE__LOG_WARNING, true); /* allowed, but not at this level */
    CU_ASSERT_TRUE(has("\"event\":\"switch\""));
    CU_ASSERT_FALSE(has("patient"));
}

static void texts_with_leave(void)
{
    as_json = false;
    run_all(KOINE__LOG_INFO, true);
    CU_ASSERT_TRUE(has(" what=prompt role=system text=\"" PROMPT " 1\"\n"));
    CU_ASSERT_TRUE(has(" what=prompt role=user text=\"" PROMPT " \\\"2\\\" ***\"\n"));
    CU_ASSERT_TRUE(has(" what=reasoning text=\"" ANSWER_TEXT " 0\"\n"));
    CU_ASSERT_TRUE(has(" what=answer text=\"" ANSWER_TEXT " 1\"\n"));
    CU_ASSERT_TRUE(has(" what=tool name=f text=\"{\\\"a\\\":\\\"" ANSWER_TEXT " 2\\\"}\"\n"));
    CU_ASSERT_FALSE(has("AAAA"));
    CU_ASSERT_FALSE(has(KEY));
    CU_ASSERT_FALSE(has("cannot answer"));
    as_json = true;
    run_all(KOINE__LOG_INFO, true);
    CU_ASSERT_TRUE(has(",\"what\":\"prompt\",\"role\":\"user\",\"text\":\"" PROMPT " \\\"2\\\" ***\"}\n"));
    CU_ASSERT_FALSE(has(KEY));
}

SUITE_MAIN("sim log", {"whose fault", whose_fault},
           {"each attempt and each call", each_attempt_and_each_call},
           {"time in the queue", time_in_the_queue}, {"a stage and an estimate", a_stage_and_an_estimate},
           {"never a text without leave", never_a_text_without_leave}, {"texts with leave", texts_with_leave})
