/* The gemini dialect, where tests/vendor cannot reach: traits of strangers, failing allocations, and what a
 * vendor wants back on its whole way: answer, message, next request. */
#include "core/dialect/gemini.h"

#include "core/dialect/gemini_internal.h"
#include "tests/unit/dialect.h"
#include "tests/unit/suite.h"

#include <stdio.h>

static koine_gemini_traits strange;

static const void *strange_extension(const char *id)
{
    return koine_gemini_extension(id, &strange);
}

static const koine_provider plain = {.size = sizeof(plain), .id = "plain", .base_url = "http://h"};
static const koine_provider with_traits = {
    .size = sizeof(with_traits), .id = "strange", .base_url = "http://h", .extension = strange_extension};

/* ---- A request ---- */

#define HELLO "{\"messages\":[{\"role\":\"user\",\"content\":\"a\"}],\"reasoning_effort\":\"low\",\"tool\":1}"
#define TURN  "\"contents\":[{\"role\":\"user\",\"parts\":[{\"text\":\"a\"}]}]"

static void asks_without_traits(void)
{
    struct dialect_asking a;
    ASSERT_INT(dialect_ask(&a, &koine__dialect_gemini, &plain, NULL, NULL, HELLO), KOINE_DONE);
    ASSERT_STR(a.request.url, "http://h/models/m:generateContent");
    ASSERT_STR(a.request.secret_name, "x-goog-api-key");
    ASSERT_STR(a.request.secret_prefix, "");
    ASSERT_MEM(a.request.body.ptr, a.request.body.len,
               "{" TURN ",\"tool\":1,\"generationConfig\":{\"thinkingConfig\":{\"thinkingLevel\":\"low\","
               "\"includeThoughts\":true}}}");
    dialect_ask_end(&a);
}

static void asks_with_traits(void)
{
    static const char *const foreign[] = {"tool", NULL}, *const budget[] = {"mm", NULL};
    static const char *const plain_models[] = {"m", NULL};
    struct dialect_asking a;
    strange = (koine_gemini_traits){.size = sizeof(strange),
                                    .path = "/publishers/google/models/",
                                    .key_header = "Authorization",
                                    .key_prefix = "Bearer ",
                                    .budget_models = budget,
                                    .foreign = foreign};
    ASSERT_INT(dialect_ask(&a, &koine__dialect_gemini, &with_traits, "mm", NULL, HELLO), KOINE_DONE);
    ASSERT_STR(a.request.url, "http://h/publishers/google/models/mm:generateContent");
    ASSERT_STR(a.request.secret_prefix, "Bearer ");
    ASSERT_MEM(a.request.body.ptr, a.request.body.len,
               "{" TURN ",\"generationConfig\":{\"thinkingConfig\":{\"thinkingBudget\":1024,"
               "\"includeThoughts\":true}}}");
    dialect_ask_end(&a);
    strange.plain_models = plain_models;
    ASSERT_INT(dialect_ask(&a, &koine__dialect_gemini, &with_traits, "mm", NULL, HELLO), KOINE_DONE);
    ASSERT_MEM(a.request.body.ptr, a.request.body.len, "{" TURN ",\"generationConfig\":{}}");
    dialect_ask_end(&a);
}

/* A plugin of a day when traits ended after `path`: what follows does not exist. */
static void asks_with_older_traits(void)
{
    struct dialect_asking a;
    strange = (koine_gemini_traits){
        .size = offsetof(koine_gemini_traits, models_path), .path = "/v9/", .key_header = "never"};
    ASSERT_INT(dialect_ask(&a, &koine__dialect_gemini, &with_traits, NULL, NULL, HELLO), KOINE_DONE);
    ASSERT_STR(a.request.url, "http://h/v9/m:generateContent");
    ASSERT_STR(a.request.secret_name, "x-goog-api-key");
    dialect_ask_end(&a);
}

/* Everything that allocates: escapes, arguments, results in parts, names of members, a koine to leave out. */
#define LONG_DOCUMENT                                                                                        \
    "{\"messages\":[{\"role\":\"system\",\"content\":\"s\\n1\"},{\"role\":\"user\",\"name\":\"ann\","        \
    "\"content\":[{\"type\":\"image_url\",\"image_url\":{\"url\":\"data:image\\/png;base64,AA==\","          \
    "\"detail\":\"low\"}},{\"inlineData\":{},\"koine\":1},{\"type\":\"input_audio\",\"input_audio\":{"       \
    "\"data\":\"AA\",\"format\":\"wav\"}}]},{\"role\":\"assistant\",\"content\":\"\\u00c5b\","               \
    "\"tool_calls\":[{\"id\":\"c\",\"type\":\"function\",\"function\":{\"name\":\"n\",\"arguments\":"        \
    "\"{\\\"a\\\":[1]}\"}}],\"koine\":{\"gemini\":[{\"type\":\"text\",\"bytes\":2},{\"executableCode\":{"    \
    "\"code\":\"x\"}}]}},{\"role\":\"tool\",\"tool_call_id\":\"c\",\"content\":[\"{\\\"b\\\":\","            \
    "{\"type\":\"text\",\"text\":\"2}\"}]}],\"max_completion_tokens\":9,\"reasoning_effort\":\"high\","      \
    "\"user\":\"u\",\"generationConfig\":{\"y\":1},\"tools\":[{\"type\":\"function\",\"function\":{"         \
    "\"name\":\"n\",\"z\":1}}],\"\\u0061\":1}"
#define LONG_BODY                                                                                            \
    "{\"systemInstruction\":{\"parts\":[{\"text\":\"s\\n1\"}]},\"contents\":[{\"role\":\"user\",\"parts\":[" \
    "{\"inlineData\":{\"mimeType\":\"image/png\",\"data\":\"AA==\"}},{\"inlineData\":{}},{\"inlineData\":{"  \
    "\"mimeType\":\"audio/wav\",\"data\":\"AA\"}}]},{\"role\":\"model\",\"parts\":[{\"text\":\"\xc3\x85\"}," \
    "{\"executableCode\":{\"code\":\"x\"}},{\"text\":\"b\"},{\"functionCall\":{\"id\":\"c\",\"name\":"       \
    "\"n\",\"args\":{\"a\":[1]}},\"thoughtSignature\":\"skip_thought_signature_validator\"}]},{\"role\":"    \
    "\"user\",\"parts\":[{\"functionResponse\":{\"id\":\"c\",\"name\":\"n\",\"response\":{\"b\":2}}}]}],"    \
    "\"tools\":[{\"functionDeclarations\":[{\"name\":\"n\",\"z\":1}]}],\"a\":1,\"generationConfig\":{"       \
    "\"y\":1,\"maxOutputTokens\":9,\"thinkingConfig\":{\"thinkingLevel\":\"high\",\"includeThoughts\":"      \
    "true}}}"

static void asks_whole_or_not_at_all(void)
{
    dialect_ask_whole_or_not(&koine__dialect_gemini, &plain, LONG_DOCUMENT, LONG_BODY, 5);
}

static void tells_of_no_memory(void)
{
    static const char *const documents[] = {
        "{\"messages\":[],\"user\":\"u\"}",
        "{\"messages\":[],\"reasoning_effort\":\"low\"}",
        "{\"messages\":[{\"role\":\"user\",\"name\":\"a\",\"content\":\"b\"}]}",
        "{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"input_audio\"}]}]}",
        "{\"messages\":[{\"role\":\"tool\",\"name\":\"n\",\"content\":\"a\"}]}",
        "{\"messages\":[{\"role\":\"tool\",\"name\":\"n\",\"content\":[]}]}",
        "{\"messages\":[{\"role\":\"assistant\",\"tool_calls\":[{\"function\":{\"arguments\":\"{}\"}}]}]}",
    };
    for (size_t i = 0; i < sizeof(documents) / sizeof(documents[0]); i++)
        ASSERT_INT(dialect_ask_without_memory(&koine__dialect_gemini, &plain, documents[i]), KOINE_NO_MEMORY);
}

/* ---- An answer, and what becomes of it ---- */

#define THOUGHT "{\"text\":\"Hm.\\n\",\"thought\":true,\"thoughtSignature\":\"E0/+==\"}"
#define SEARCH  "{\"toolCall\":{\"toolType\":\"GOOGLE\",\"args\":{\"q\":1.50}},\"thoughtSignature\":\"E1\"}"
#define FOUND   "{\"toolResponse\":{\"id\":\"s1\"}}"
#define CALL                                                                                                 \
    "{\"functionCall\":{\"id\":\"t1\",\"name\":\"now\",\"args\":{\"a\": 1}},\"thoughtSignature\":\"E2\"}"
#define CALL2   "{\"functionCall\":{\"id\":\"t2\",\"name\":\"then\",\"args\":{}}}"
#define LAST    "{\"text\":\"\",\"thoughtSignature\":\"E3\"}"
#define TEXT(t) "{\"text\":\"" t "\"}"
#define SIGNED  "{\"text\":\"Ann.\",\"thoughtSignature\":\"E4\"}"
#define PARTS   THOUGHT "," TEXT("Ich – ") "," SEARCH "," FOUND "," SIGNED "," CALL "," CALL2 "," LAST
#define CHUNK(parts, more)                                                                                   \
    "{\"candidates\":[{\"content\":{\"parts\":[" parts "],\"role\":\"model\"}" more "}],\"usageMetadata\":{" \
    "\"promptTokenCount\":3},\"modelVersion\":\"m\",\"responseId\":\"i\"}"

static const char *const stream[] = {
    CHUNK(THOUGHT, ""),
    CHUNK(TEXT("Ich "), ""),
    CHUNK(TEXT("– "), ""),
    CHUNK(SEARCH "," FOUND, ""),
    CHUNK(SIGNED, ""),
    CHUNK(CALL "," CALL2, ""),
    CHUNK(LAST, ",\"finishReason\":\"STOP\",\"groundingMetadata\":{\"a\":1}"),
};
#define STREAM (sizeof(stream) / sizeof(stream[0]))

/* The message goes back as the answer's own parts. */
static void goes_back(const struct dialect_reading *r)
{
    static const char before[] = "{\"contents\":[{\"role\":\"model\",\"parts\":[" PARTS "]}]}";
    struct dialect_asking a;
    char document[4096];
    snprintf(document, sizeof(document), "{\"messages\":[%s]}", koine_response_message(r->assembly.answer));
    ASSERT_INT(dialect_ask(&a, &koine__dialect_gemini, &plain, NULL, NULL, document), KOINE_DONE);
    ASSERT_MEM(a.request.body.ptr, a.request.body.len, before);
    ASSERT_INT(a.out.notice_count, 0);
    dialect_ask_end(&a);
}

static void returns_what_a_stream_gave(void)
{
    struct dialect_reading r;
    dialect_read_begin(&r, &koine__dialect_gemini, &plain);
    for (size_t i = 0; i < STREAM; i++)
        dialect_read_frame(&r, KOINE_FRAME_SSE, stream[i]);
    dialect_read_frame(&r, KOINE_FRAME_END, "");
    dialect_read_end(&r);
    ASSERT_INT(r.result, KOINE_DONE);
    ASSERT_STR(
        koine_response_message(r.assembly.answer),
        "{\"role\":\"assistant\",\"content\":\"Ich – Ann.\",\"tool_calls\":[{\"id\":\"t1\",\"type\":"
        "\"function\",\"function\":{\"name\":\"now\",\"arguments\":\"{\\\"a\\\": 1}\"}},{\"id\":\"t2\","
        "\"type\":\"function\",\"function\":{\"name\":\"then\",\"arguments\":\"{}\"}}],\"koine\":{"
        "\"reasoning\":\"Hm.\\n\",\"gemini\":[" THOUGHT ",{\"type\":\"text\",\"bytes\":8}," SEARCH "," FOUND
        ",{\"type\":\"text\",\"bytes\":4,\"thoughtSignature\":\"E4\"},{\"type\":\"functionCall\",\"count\":1,"
        "\"thoughtSignature\":\"E2\"},{\"type\":\"functionCall\",\"count\":1},{\"type\":\"text\",\"bytes\":0,"
        "\"thoughtSignature\":\"E3\"}]}}");
    ASSERT_INT(koine_response_finish(r.assembly.answer), KOINE_FINISH_TOOL);
    ASSERT_STR(koine_response_extra(r.assembly.answer, "groundingMetadata"), "[{\"a\":1}]");
    ASSERT_STR(koine_response_extra(r.assembly.answer, "toolResponse"), "[{\"id\":\"s1\"}]");
    goes_back(&r);
    dialect_read_release(&r);
}

static void returns_what_a_whole_answer_gave(void)
{
    struct dialect_reading r;
    dialect_read_begin(&r, &koine__dialect_gemini, &plain);
    dialect_read_frame(&r, KOINE_FRAME_WHOLE, CHUNK(PARTS, ",\"finishReason\":\"STOP\""));
    dialect_read_end(&r);
    ASSERT_INT(r.result, KOINE_DONE);
    goes_back(&r);
    dialect_read_release(&r);
}

/* Calls of one name without ids: the assembly makes them, and results find their names by them. */
static void makes_ids(void)
{
    struct dialect_reading r;
    const char *id = NULL, *other = NULL;
    dialect_read_begin(&r, &koine__dialect_gemini, &plain);
    dialect_read_frame(&r, KOINE_FRAME_SSE,
                       CHUNK("{\"functionCall\":{\"name\":\"f\",\"args\":{\"a\":1}}}", ""));
    dialect_read_frame(&r, KOINE_FRAME_SSE, CHUNK("{\"functionCall\":{\"name\":\"f\"}}", ""));
    CU_ASSERT_FATAL(r.assembly.answer->tool_count == 2);
    id = r.assembly.answer->tools[0].id;
    other = r.assembly.answer->tools[1].id;
    CU_ASSERT(strncmp(id, "call_", 5) == 0 && strncmp(other, "call_", 5) == 0 && strcmp(id, other) != 0);
    ASSERT_STR(koine__buf_str(&r.assembly.answer->tools[0].arguments), "{\"a\":1}");
    ASSERT_STR(koine__buf_str(&r.assembly.answer->tools[1].arguments), "{}");
    dialect_read_release(&r);
}

static void reads_whole_or_not_at_all(void)
{
    dialect_read_whole_or_not(&koine__dialect_gemini, &plain, stream, STREAM, SEARCH);
}

static void keeps_its_state_as_bytes(void)
{
    struct dialect_reading r;
    dialect_read_begin(&r, &koine__dialect_gemini, &plain);
    dialect_read_as_bytes(&r, stream, STREAM);
    ASSERT_STR(koine_response_finish_raw(r.assembly.answer), "STOP");
    dialect_read_release(&r);
}

static void ignores_unknown_frames(void)
{
    struct dialect_reading r;
    dialect_read_begin(&r, &koine__dialect_gemini, &plain);
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

/* ---- The entry ---- */

static void fills_a_vendor(void)
{
    koine_provider provider = {.size = sizeof(provider), .id = "x"};
    CU_ASSERT_PTR_NULL(koine_gemini_entry(&provider, koine__process_host(), 1));
    CU_ASSERT_PTR_EQUAL(koine_gemini_entry(&provider, koine__process_host(), 0), &provider);
    CU_ASSERT_PTR_EQUAL(provider.generate, koine__dialect_gemini.generate);
    CU_ASSERT_PTR_NULL(koine_gemini_extension("koine.dialect.chat.traits/1", &strange));
}

SUITE_MAIN("gemini", {"asks without traits", asks_without_traits}, {"asks with traits", asks_with_traits},
           {"asks with older traits", asks_with_older_traits},
           {"asks whole or not at all", asks_whole_or_not_at_all}, {"tells of no memory", tells_of_no_memory},
           {"returns what a stream gave", returns_what_a_stream_gave},
           {"returns what a whole answer gave", returns_what_a_whole_answer_gave}, {"makes ids", makes_ids},
           {"reads whole or not at all", reads_whole_or_not_at_all},
           {"keeps its state as bytes", keeps_its_state_as_bytes},
           {"ignores unknown frames", ignores_unknown_frames}, {"fills a vendor", fills_a_vendor})
