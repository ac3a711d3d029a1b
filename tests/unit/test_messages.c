/* The messages dialect, where tests/vendor cannot reach: traits of strangers, failing allocations, and what a
 * vendor wants back on its whole way: answer, message, next request. */
#include "core/dialect/messages.h"

#include "core/dialect/messages_internal.h"
#include "tests/unit/dialect.h"
#include "tests/unit/suite.h"

#include <stdio.h>

static koine_messages_traits strange;

static const void *strange_extension(const char *id)
{
    return koine_messages_extension(id, &strange);
}

static const koine_provider plain = {.size = sizeof(plain), .id = "plain", .base_url = "http://h"};
static const koine_provider with_traits = {
    .size = sizeof(with_traits), .id = "strange", .base_url = "http://h", .extension = strange_extension};

/* ---- A request ---- */

#define HELLO "{\"messages\":[{\"role\":\"user\",\"content\":\"a\"}],\"reasoning_effort\":\"low\",\"tool\":1}"

static void asks_without_traits(void)
{
    struct dialect_asking a;
    ASSERT_INT(dialect_ask(&a, &koine__dialect_messages, &plain, NULL, NULL, HELLO), KOINE_DONE);
    ASSERT_STR(a.request.url, "http://h/messages");
    ASSERT_STR(a.request.secret_name, "x-api-key");
    ASSERT_STR(a.request.secret_prefix, "");
    ASSERT_MEM(
        a.request.body.ptr, a.request.body.len,
        "{\"model\":\"m\",\"max_tokens\":5120,\"thinking\":{\"type\":\"enabled\",\"budget_tokens\":1024},"
        "\"messages\":[{\"role\":\"user\",\"content\":\"a\"}],\"tool\":1}");
    dialect_ask_end(&a);
}

static void asks_with_traits(void)
{
    static const char *const foreign[] = {"tool", NULL}, *const budget[] = {"mm", NULL};
    struct dialect_asking a;
    strange = (koine_messages_traits){.size = sizeof(strange),
                                      .path = "/v9",
                                      .key_header = "Authorization",
                                      .key_prefix = "Bearer ",
                                      .max_tokens_option = "limit",
                                      .max_tokens = 7,
                                      .budget_models = budget,
                                      .foreign = foreign};
    ASSERT_INT(dialect_ask(&a, &koine__dialect_messages, &with_traits, NULL, NULL, HELLO), KOINE_DONE);
    ASSERT_STR(a.request.url, "http://h/v9");
    ASSERT_STR(a.request.secret_prefix, "Bearer ");
    ASSERT_MEM(a.request.body.ptr, a.request.body.len,
               "{\"model\":\"m\",\"max_tokens\":7,\"thinking\":{\"type\":\"adaptive\"},\"output_config\":{"
               "\"effort\":\"low\"},\"messages\":[{\"role\":\"user\",\"content\":\"a\"}]}");
    dialect_ask_end(&a);
    ASSERT_INT(dialect_ask(&a, &koine__dialect_messages, &with_traits, NULL, "99999999999999", HELLO),
               KOINE_DONE);
    CU_ASSERT_PTR_NOT_NULL(strstr(a.request.body.ptr, "\"max_tokens\":9999999999,"));
    dialect_ask_end(&a);
}

/* A plugin of a day when traits ended after `path`: what follows does not exist. */
static void asks_with_older_traits(void)
{
    struct dialect_asking a;
    strange = (koine_messages_traits){.size = offsetof(koine_messages_traits, models_path),
                                      .path = "/v9",
                                      .key_header = "never",
                                      .max_tokens = 7};
    ASSERT_INT(dialect_ask(&a, &koine__dialect_messages, &with_traits, NULL, NULL, HELLO), KOINE_DONE);
    ASSERT_STR(a.request.url, "http://h/v9");
    ASSERT_STR(a.request.secret_name, "x-api-key");
    CU_ASSERT_PTR_NOT_NULL(strstr(a.request.body.ptr, "\"max_tokens\":5120,"));
    dialect_ask_end(&a);
}

/* Everything that allocates: escapes, ids of others, arguments, names of members, a koine to leave out. */
#define LONG_DOCUMENT                                                                                        \
    "{\"messages\":[{\"role\":\"system\",\"content\":\"s\\n1\"},{\"role\":\"system\",\"content\":[{"         \
    "\"type\":"                                                                                              \
    "\"text\",\"text\":\"a\",\"koine\":1,\"x\":2}]},{\"role\":\"user\",\"name\":\"ann\",\"content\":[{"      \
    "\"type\":\"image_url\",\"image_url\":{\"url\":\"data:image\\/png;base64,AA==\",\"detail\":\"low\"},"    \
    "\"cache_control\":{}}]},{\"role\":\"assistant\",\"content\":\"\\u00c5b\",\"tool_calls\":[{\"id\":"      \
    "\"a.b\",\"type\":\"function\",\"function\":{\"name\":\"n\",\"arguments\":\"{\\\"a\\\":[1]}\"}}],"       \
    "\"koine\":{\"messages\":[{\"type\":\"text\",\"bytes\":2},{\"type\":\"redacted_thinking\"}]}},{"         \
    "\"role\":\"tool\",\"tool_call_id\":\"a.b\",\"content\":\"c\"}],\"max_completion_tokens\":9000,"         \
    "\"reasoning_effort\":\"high\",\"seed\":1,\"stop\":\"x\",\"user\":\"u\",\"output_config\":{\"y\":1},"    \
    "\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"schema\":{}}},\"tools\":[{\"type\":"   \
    "\"function\",\"function\":{\"name\":\"n\",\"z\":1}}],\"\\u0061\":1}"
#define LONG_BODY                                                                                            \
    "{\"model\":\"m\",\"max_tokens\":9000,\"thinking\":{\"type\":\"enabled\",\"budget_tokens\":4500},"       \
    "\"output_config\":{\"y\":1,\"format\":{\"type\":\"json_schema\",\"schema\":{}}},\"system\":[{\"type\":" \
    "\"text\",\"text\":\"s\\n1\"},{\"type\":\"text\",\"text\":\"a\",\"x\":2}],\"messages\":[{\"role\":"      \
    "\"user\",\"content\":[{\"type\":\"image\",\"source\":{\"type\":\"base64\",\"media_type\":\"image/"      \
    "png\","                                                                                                 \
    "\"data\":\"AA==\"},\"cache_control\":{}}]},{\"role\":\"assistant\",\"content\":[{\"type\":\"text\","    \
    "\"text\":\"\xc3\x85\"},{\"type\":\"redacted_thinking\"},{\"type\":\"text\",\"text\":\"b\"},{\"type\":"  \
    "\"tool_use\",\"id\":\"a_b\",\"name\":\"n\",\"input\":{\"a\":[1]}}]},{\"role\":\"user\",\"content\":[{"  \
    "\"type\":\"tool_result\",\"tool_use_id\":\"a_b\",\"content\":\"c\"}]}],\"stop_sequences\":[\"x\"],"     \
    "\"metadata\":{\"user_id\":\"u\"},\"tools\":[{\"name\":\"n\",\"z\":1,\"input_schema\":{\"type\":"        \
    "\"object\",\"properties\":{}}}],\"a\":1}"

static void asks_whole_or_not_at_all(void)
{
    dialect_ask_whole_or_not(&koine__dialect_messages, &plain, LONG_DOCUMENT, LONG_BODY, 8);
}

static void tells_of_no_memory(void)
{
    static const char *const documents[] = {
        "{\"messages\":[],\"seed\":1}",
        "{\"messages\":[{\"role\":\"user\",\"name\":\"a\",\"content\":\"b\"}]}",
        "{\"messages\":[{\"role\":\"tool\",\"tool_call_id\":\"a.b\"}]}",
        "{\"messages\":[{\"role\":\"assistant\",\"tool_calls\":[{\"function\":{\"arguments\":\"{}\"}}]}]}",
    };
    for (size_t i = 0; i < sizeof(documents) / sizeof(documents[0]); i++)
        ASSERT_INT(dialect_ask_without_memory(&koine__dialect_messages, &plain, documents[i]),
                   KOINE_NO_MEMORY);
}

/* ---- An answer, and what becomes of it ---- */

#define THINKING "{\"type\":\"thinking\",\"thinking\":\"Hm.\\n\\u00c5\",\"signature\":\"Eq/==\"}"
#define SEARCH   "{\"type\":\"server_tool_use\",\"id\":\"s1\",\"name\":\"search\",\"input\":{\"q\":1.50}}"
#define FOUND    "{\"type\":\"web_search_tool_result\",\"tool_use_id\":\"s1\",\"content\":[{\"e\":\"x\"}]}"
#define CALL     "{\"type\":\"tool_use\",\"id\":\"t1\",\"name\":\"now\",\"input\":{\"a\": 1}}"
#define TEXT(t)  "{\"type\":\"text\",\"text\":\"" t "\"}"
#define BLOCKS   THINKING "," TEXT("Ich – ") "," SEARCH "," FOUND "," TEXT("Ann.") "," CALL

static const char *const stream[] = {
    "{\"type\":\"message_start\",\"message\":{\"id\":\"i\",\"model\":\"m\",\"usage\":{\"input_tokens\":3}}}",
    "{\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"thinking\",\"thinking\":"
    "\"\",\"signature\":\"\"}}",
    "{\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"thinking_delta\",\"thinking\":"
    "\"Hm.\\n\"}}",
    "{\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"thinking_delta\",\"thinking\":"
    "\"\\u00c5\"}}",
    "{\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"signature_delta\",\"signature\":"
    "\"Eq/==\"}}",
    "{\"type\":\"content_block_stop\",\"index\":0}",
    "{\"type\":\"content_block_start\",\"index\":1,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}",
    "{\"type\":\"content_block_delta\",\"index\":1,\"delta\":{\"type\":\"text_delta\",\"text\":\"Ich – \"}}",
    "{\"type\":\"content_block_stop\",\"index\":1}",
    "{\"type\":\"content_block_start\",\"index\":2,\"content_block\":{\"type\":\"server_tool_use\",\"id\":"
    "\"s1\",\"name\":\"search\",\"input\":{}}}",
    "{\"type\":\"content_block_delta\",\"index\":2,\"delta\":{\"type\":\"input_json_delta\","
    "\"partial_json\":\"{\\\"q\\\":1.\"}}",
    "{\"type\":\"content_block_delta\",\"index\":2,\"delta\":{\"type\":\"input_json_delta\","
    "\"partial_json\":\"50}\"}}",
    "{\"type\":\"content_block_stop\",\"index\":2}",
    "{\"type\":\"content_block_start\",\"index\":3,\"content_block\":" FOUND "}",
    "{\"type\":\"content_block_stop\",\"index\":3}",
    "{\"type\":\"content_block_start\",\"index\":4,\"content_block\":" TEXT("Ann.") "}",
    "{\"type\":\"content_block_start\",\"index\":5,\"content_block\":{\"type\":\"tool_use\",\"id\":\"t1\","
    "\"name\":\"now\",\"input\":{}}}",
    "{\"type\":\"content_block_delta\",\"index\":5,\"delta\":{\"type\":\"input_json_delta\","
    "\"partial_json\":\"{\\\"a\\\": 1}\"}}",
    "{\"type\":\"content_block_stop\",\"index\":5}",
    "{\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"tool_use\"},\"usage\":{\"output_tokens\":9}}",
    "{\"type\":\"message_stop\"}",
};
#define STREAM (sizeof(stream) / sizeof(stream[0]))
#define WHOLE                                                                                                \
    "{\"type\":\"message\",\"id\":\"i\",\"model\":\"m\",\"content\":[" BLOCKS                                \
    "],\"stop_reason\":\"tool_use\",\"usage\":{\"input_tokens\":3,\"output_tokens\":9}}"

/* The message goes back as the answer's own blocks. */
static void goes_back(const struct dialect_reading *r)
{
    static const char before[] = "{\"model\":\"m\",\"max_tokens\":9,\"messages\":[{\"role\":\"assistant\","
                                 "\"content\":[" BLOCKS "]}]}";
    struct dialect_asking a;
    char document[4096];
    snprintf(document, sizeof(document), "{\"messages\":[%s],\"max_tokens\":9}",
             koine_response_message(r->assembly.answer));
    ASSERT_INT(dialect_ask(&a, &koine__dialect_messages, &plain, NULL, NULL, document), KOINE_DONE);
    ASSERT_MEM(a.request.body.ptr, a.request.body.len, before);
    ASSERT_INT(a.out.notice_count, 0);
    dialect_ask_end(&a);
}

static void returns_what_a_stream_gave(void)
{
    struct dialect_reading r;
    dialect_read_begin(&r, &koine__dialect_messages, &plain);
    for (size_t i = 0; i < STREAM; i++)
        dialect_read_frame(&r, KOINE_FRAME_SSE, stream[i]);
    dialect_read_end(&r);
    ASSERT_INT(r.result, KOINE_DONE);
    ASSERT_STR(koine_response_message(r.assembly.answer),
               "{\"role\":\"assistant\",\"content\":\"Ich – Ann.\",\"tool_calls\":[{\"id\":\"t1\",\"type\":"
               "\"function\",\"function\":{\"name\":\"now\",\"arguments\":\"{\\\"a\\\": 1}\"}}],\"koine\":{"
               "\"reasoning\":\"Hm.\\n\xc3\x85\",\"messages\":[" THINKING
               ",{\"type\":\"text\",\"bytes\":8}," SEARCH "," FOUND "]}}");
    CU_ASSERT_PTR_NULL(koine_response_extra(r.assembly.answer, "messages"));
    goes_back(&r);
    dialect_read_release(&r);
}

static void returns_what_a_whole_answer_gave(void)
{
    struct dialect_reading r;
    dialect_read_begin(&r, &koine__dialect_messages, &plain);
    dialect_read_frame(&r, KOINE_FRAME_WHOLE, WHOLE);
    dialect_read_end(&r);
    ASSERT_INT(r.result, KOINE_DONE);
    goes_back(&r);
    dialect_read_release(&r);
}

/* What was cut cannot go back; the rest of the message can. */
static void leaves_out_what_was_cut(void)
{
    struct dialect_reading r;
    dialect_read_begin(&r, &koine__dialect_messages, &plain);
    for (size_t i = 0; i < 11; i++)
        dialect_read_frame(&r, KOINE_FRAME_SSE, stream[i]);
    dialect_read_end(&r);
    ASSERT_STR(
        koine_response_message(r.assembly.answer),
        "{\"role\":\"assistant\",\"content\":\"Ich – \",\"koine\":{\"reasoning\":\"Hm.\\n\xc3\x85\"}}");
    dialect_read_release(&r);
}

static void reads_whole_or_not_at_all(void)
{
    dialect_read_whole_or_not(&koine__dialect_messages, &plain, stream, STREAM, SEARCH);
}

static void keeps_its_state_as_bytes(void)
{
    struct dialect_reading r;
    dialect_read_begin(&r, &koine__dialect_messages, &plain);
    dialect_read_as_bytes(&r, stream, STREAM - 1);
    ASSERT_STR(koine_response_finish_raw(r.assembly.answer), "tool_use");
    dialect_read_release(&r);
}

static void ignores_unknown_frames(void)
{
    struct dialect_reading r;
    dialect_read_begin(&r, &koine__dialect_messages, &plain);
    dialect_read_frame(&r, 9, "{}");
    ASSERT_INT(r.result, KOINE_DONE);
    dialect_read_frame(&r, KOINE_FRAME_SSE, "{broken");
    ASSERT_INT(r.result, KOINE_PROTOCOL);
    r.result = KOINE_DONE;
    dialect_read_frame(&r, KOINE_FRAME_SSE, stream[0]);
    dialect_read_frame(&r, KOINE_FRAME_END, "");
    ASSERT_INT(r.result, KOINE_DONE);
    CU_ASSERT_FALSE(r.assembly.started);
    dialect_read_release(&r);
}

/* ---- The list of models ---- */

static void ends_pages_that_do_not_end(void)
{
    char state[512] = {0};
    struct dialect_reading r;
    struct koine__arena arena;
    struct koine__host host;
    koine_frame frame = {.kind = KOINE_FRAME_WHOLE, .http_status = 200};
    koine_read read = {
        .size = sizeof(read), .self = &plain, .host = &host.pub, .frame = &frame, .state = state};
    CU_ASSERT_FATAL(koine__dialect_messages.list_models->state_size <= sizeof(state));
    dialect_read_begin(&r, &koine__dialect_messages, &plain);
    koine__arena_init(&arena, 0);
    koine__host_init(&host, &(struct koine__host_env){.arena = &arena});
    frame.text = koine__str("{\"data\":[{\"id\":\"a\"}],\"has_more\":true,\"last_id\":\"a\"}");
    koine__json_read(frame.text, &arena, &frame.json, NULL);
    ASSERT_INT(koine__dialect_messages.list_models->frame(&read, &r.assembly.sink), KOINE_MORE);
    ASSERT_INT(koine__dialect_messages.list_models->frame(&read, &r.assembly.sink), KOINE_PROTOCOL);
    ASSERT_INT(koine__dialect_messages.list_models->frame(&read, &r.assembly.sink), KOINE_DONE);
    ASSERT_INT(r.assembly.answer->model_count, 2);
    memset(state, 0, sizeof(state));
    frame.kind = KOINE_FRAME_LINE;
    ASSERT_INT(koine__dialect_messages.list_models->frame(&read, &r.assembly.sink), KOINE_DONE);
    frame.kind = KOINE_FRAME_END;
    ASSERT_INT(koine__dialect_messages.list_models->frame(&read, &r.assembly.sink), KOINE_PROTOCOL);
    koine__arena_release(&arena);
    dialect_read_release(&r);
}

/* ---- Costs, and the entry ---- */

static int32_t price(const void *arg, const koine_cost_query *query, koine_provider_cost *ret)
{
    (void)arg, (void)query;
    ret->picodollars = 7;
    return 3;
}

static void asks_the_catalogue_what_it_cost(void)
{
    struct koine__host host;
    koine_provider_cost cost = {.size = sizeof(cost)};
    koine_cost_query query = {.size = sizeof(query), .self = &plain, .host = &host.pub};
    koine__host_init(&host, &(struct koine__host_env){.price = price});
    ASSERT_INT(koine__dialect_messages.calculate_cost(&query, &cost), 3);
    ASSERT_INT(cost.picodollars, 7);
}

static void fills_a_vendor(void)
{
    koine_provider provider = {.size = sizeof(provider), .id = "x"};
    CU_ASSERT_PTR_NULL(koine_messages_entry(&provider, koine__process_host(), 1));
    CU_ASSERT_PTR_EQUAL(koine_messages_entry(&provider, koine__process_host(), 0), &provider);
    CU_ASSERT_PTR_EQUAL(provider.generate, koine__dialect_messages.generate);
    CU_ASSERT_PTR_NULL(koine_messages_extension("koine.dialect.chat.traits/1", &strange));
}

SUITE_MAIN("messages", {"asks without traits", asks_without_traits}, {"asks with traits", asks_with_traits},
           {"asks with older traits", asks_with_older_traits},
           {"asks whole or not at all", asks_whole_or_not_at_all}, {"tells of no memory", tells_of_no_memory},
           {"returns what a stream gave", returns_what_a_stream_gave},
           {"returns what a whole answer gave", returns_what_a_whole_answer_gave},
           {"leaves out what was cut", leaves_out_what_was_cut},
           {"reads whole or not at all", reads_whole_or_not_at_all},
           {"keeps its state as bytes", keeps_its_state_as_bytes},
           {"ignores unknown frames", ignores_unknown_frames},
           {"ends pages that do not end", ends_pages_that_do_not_end},
           {"asks the catalogue what it cost", asks_the_catalogue_what_it_cost},
           {"fills a vendor", fills_a_vendor})
