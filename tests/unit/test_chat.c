/* The chat completions dialect, where tests/vendor cannot reach: traits of strangers, costs, failing
 * allocations. */
#include "core/dialect/chat.h"

#include "core/dialect/chat_internal.h"
#include "core/plugin/host.h"
#include "core/plugin/out.h"
#include "tests/unit/failalloc.h"
#include "tests/unit/suite.h"

#include <stdio.h>

#define DOCUMENT                                                                                             \
    "{\"messages\":[{\"role\":\"developer\",\"content\":[{\"type\":\"text\",\"text\":\"a\",\"koine\":1}]}]," \
    "\"max_tokens\":5,\"top_k\":1,\"x\":2}"

/* Notices: ids, content, the schema. */
#define TOOLS                                                                                                \
    "{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"image_url\",\"image_url\":{\"url\":"         \
    "\"data:image/png;base64,AA==\"}}]},{\"role\":\"assistant\",\"content\":\"a\",\"koine\":{\"chat\":["     \
    "{\"id\":\"call_1\",\"extra_content\":1}]},\"tool_calls\":[{\"id\":\"call_1\",\"function\":{\"name\":"   \
    "\"f\",\"arguments\":\"{}\"}}]},{\"role\":\"tool\",\"tool_call_id\":\"call_1\",\"content\":\"1\"}],"     \
    "\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"schema\":{}}}}"

static koine_chat_traits strange;

static const void *strange_extension(const char *id)
{
    return koine_chat_extension(id, &strange);
}

static const char *const strange_foreign[] = {"top_k", NULL};
static const char *const strange_images[] = {"image/png", NULL};
static const koine_provider plain = {.size = sizeof(plain), .id = "plain", .base_url = "http://h"};
static const koine_provider with_traits = {
    .size = sizeof(with_traits), .id = "strange", .base_url = "http://h", .extension = strange_extension};

/* ---- A request ---- */

struct asking {
    struct koine__arena arena;
    struct koine__host host;
    struct koine__out out;
    struct koine__http_request request;
};

static int ask(struct asking *a, const koine_provider *self, const koine_exchange *exchange,
               const char *document)
{
    koine__arena_init(&a->arena, 0);
    koine__host_init(&a->host, &(struct koine__host_env){.arena = &a->arena});
    koine__out_init(&a->out, &a->arena, self->base_url, 1 << 16);
    koine_ask asked = {.size = sizeof(asked), .self = self, .host = &a->host.pub, .model = koine__str("m")};
    if (koine__json_read(koine__str(document), &a->arena, &asked.doc, NULL) != 0)
        return KOINE_NO_MEMORY;
    int32_t result = exchange->request(&asked, &a->out.pub);
    if (koine__node_failed(asked.doc)) /* it saw less than there is, whatever it made of that */
        return KOINE_NO_MEMORY;
    return result == KOINE_DONE && koine__out_request(&a->out, &a->request) != 0 ? KOINE_NO_MEMORY : result;
}

static void ask_end(struct asking *a)
{
    koine__out_release(&a->out);
    koine__arena_release(&a->arena);
}

static void asks_without_traits(void)
{
    struct asking a;
    ASSERT_INT(ask(&a, &plain, koine__dialect_chat.generate, DOCUMENT), KOINE_DONE);
    ASSERT_STR(a.request.url, "http://h/chat/completions");
    ASSERT_MEM(a.request.body.ptr, a.request.body.len,
               "{\"model\":\"m\",\"messages\":[{\"role\":\"developer\",\"content\":[{\"type\":\"text\","
               "\"text\":\"a\"}]}],"
               "\"max_tokens\":5,\"top_k\":1,\"x\":2}");
    ASSERT_INT(a.out.notice_count, 0);
    ask_end(&a);
    ASSERT_INT(ask(&a, &plain, koine__dialect_chat.list_models, "{}"), KOINE_DONE);
    ASSERT_STR(a.request.url, "http://h/models");
    ASSERT_STR(a.request.method, "GET");
    ask_end(&a);
}

/* A plugin of a day when traits ended after `path`: what follows does not exist. */
static void asks_with_older_traits(void)
{
    struct asking a;
    strange = (koine_chat_traits){.size = offsetof(koine_chat_traits, models_path),
                                  .flags = KOINE_CHAT_NO_DEVELOPER,
                                  .path = "/v9/chat",
                                  .models_path = "/never",
                                  .max_tokens = "never",
                                  .foreign = strange_foreign};
    ASSERT_INT(ask(&a, &with_traits, koine__dialect_chat.generate, DOCUMENT), KOINE_DONE);
    ASSERT_STR(a.request.url, "http://h/v9/chat");
    ASSERT_MEM(a.request.body.ptr, a.request.body.len,
               "{\"model\":\"m\",\"messages\":[{\"role\":\"system\",\"content\":[{\"type\":\"text\",\"text\":"
               "\"a\"}]}],"
               "\"max_tokens\":5,\"top_k\":1,\"x\":2}");
    ask_end(&a);
}

static void asks_with_empty_traits(void)
{
    struct asking a;
    strange = (koine_chat_traits){.size = sizeof(strange)};
    ASSERT_INT(ask(&a, &with_traits, koine__dialect_chat.generate, DOCUMENT), KOINE_DONE);
    ASSERT_STR(a.request.url, "http://h/chat/completions");
    ask_end(&a);
}

/* Each allocation fails once: no memory, or the same request as ever. */
static void fails_each(const char *document, size_t notices)
{
    long n = 0;
    bool hit = true;
    while (hit) {
        struct asking a;
        failalloc_begin(++n);
        int result = ask(&a, &with_traits, koine__dialect_chat.generate, document);
        bool same = result == KOINE_DONE && a.out.notice_count == notices && a.request.body.len > 0;
        ask_end(&a);
        hit = failalloc_end();
        CU_ASSERT(same || (hit && result == KOINE_NO_MEMORY));
    }
    CU_ASSERT(n > 3);
}

static void survives_failing_allocations(void)
{
    strange = (koine_chat_traits){.size = sizeof(strange),
                                  .flags = KOINE_CHAT_NO_DEVELOPER,
                                  .max_tokens = "limit",
                                  .foreign = strange_foreign};
    fails_each(DOCUMENT, 3);
    strange = (koine_chat_traits){.size = sizeof(strange),
                                  .flags = KOINE_CHAT_TOOLS_ALONE | KOINE_CHAT_RESULT_NAME |
                                           KOINE_CHAT_SCHEMA_FLAT | KOINE_CHAT_EXTRA_BACK,
                                  .images = strange_images,
                                  .tool_id_length = 4};
    fails_each(TOOLS, 3);
}

static void *no_memory(const koine_host *host, size_t size)
{
    (void)host, (void)size;
    return NULL;
}

static int32_t ask_without_memory(const koine_provider *self, const char *document)
{
    struct asking a;
    koine_ask asked = {.size = sizeof(asked), .self = self, .host = &a.host.pub, .model = koine__str("m")};
    koine__arena_init(&a.arena, 0);
    koine__host_init(&a.host, &(struct koine__host_env){.arena = &a.arena});
    a.host.pub.alloc = no_memory;
    koine__out_init(&a.out, &a.arena, "http://h", 1 << 16);
    koine__json_read(koine__str(document), &a.arena, &asked.doc, NULL);
    int32_t result = koine__dialect_chat.generate->request(&asked, &a.out.pub);
    ask_end(&a);
    return result;
}

static void tells_of_no_memory(void)
{
    strange = (koine_chat_traits){.size = sizeof(strange),
                                  .flags = KOINE_CHAT_NO_DEVELOPER,
                                  .max_tokens = "limit",
                                  .foreign = strange_foreign};
    ASSERT_INT(ask_without_memory(&with_traits, "{\"messages\":[],\"top_k\":1}"), KOINE_NO_MEMORY);
    ASSERT_INT(ask_without_memory(&with_traits, "{\"messages\":[],\"max_tokens\":1}"), KOINE_NO_MEMORY);
    ASSERT_INT(ask_without_memory(&with_traits,
                                  "{\"messages\":[{\"role\":\"developer\",\"content\":[{\"koine\":1}]}]}"),
               KOINE_NO_MEMORY);
    ASSERT_INT(ask_without_memory(&with_traits, "{\"messages\":[{\"role\":\"developer\"}]}"), KOINE_DONE);
    strange = (koine_chat_traits){.size = sizeof(strange), .images = strange_images};
    ASSERT_INT(ask_without_memory(&with_traits, "{\"messages\":[{\"content\":[{\"type\":\"image_url\"}]}]}"),
               KOINE_NO_MEMORY);
    strange = (koine_chat_traits){.size = sizeof(strange), .tool_id_length = 3};
    ASSERT_INT(ask_without_memory(&with_traits, "{\"messages\":[{}]}"), KOINE_NO_MEMORY);
}

/* ---- An answer ---- */

struct hearing {     /* a sink that remembers the last of each kind */
    koine_sink sink; /* first */
    int count;
    int32_t kind, code;
    char text[400], name[64];
};

static void hear(koine_sink *sink, const koine_provider_event *event)
{
    struct hearing *h = (struct hearing *)sink;
    h->count++;
    h->kind = event->kind;
    h->code = event->code;
    snprintf(h->text, sizeof(h->text), "%.*s", (int)event->text.len, event->text.len ? event->text.ptr : "");
    snprintf(h->name, sizeof(h->name), "%.*s", (int)event->name.len, event->name.len ? event->name.ptr : "");
}

static koine_str no_header(const koine_frame *frame, const char *name)
{
    (void)frame, (void)name;
    return (koine_str){NULL, 0};
}

static int32_t read_frame(int32_t (*reader)(const koine_read *, koine_sink *), const koine_provider *self,
                          koine_frame frame, void *state, struct hearing *h)
{
    struct koine__arena arena;
    struct koine__host host;
    koine__arena_init(&arena, 0);
    koine__host_init(&host, &(struct koine__host_env){.arena = &arena});
    frame.size = sizeof(frame);
    frame.header = no_header;
    if (frame.text.len > 0)
        koine__json_read(frame.text, &arena, &frame.json, NULL);
    koine_read read = {
        .size = sizeof(read), .self = self, .host = &host.pub, .frame = &frame, .state = state};
    *h = (struct hearing){.sink = {.size = sizeof(koine_sink), .emit = hear}};
    int32_t result = reader(&read, &h->sink);
    koine__arena_release(&arena);
    return result;
}

static int32_t generate(int32_t kind, const char *text, void *state, struct hearing *h)
{
    koine_frame frame = {.kind = kind, .http_status = 200, .text = koine__str(text)};
    return read_frame(koine__dialect_chat.generate->frame, &plain, frame, state, h);
}

/* The core keeps the state as bytes and puts it back: nothing in it may point anywhere. */
static void keeps_its_state_as_bytes(void)
{
    struct hearing h;
    char state[128] = {0}, copy[128];
    CU_ASSERT_FATAL(koine__dialect_chat.generate->state_size <= sizeof(state));
    generate(KOINE_FRAME_SSE,
             "{\"id\":\"i\",\"choices\":[{\"delta\":{\"content\":\"a\"},\"finish_reason\":\"length\"}]}",
             state, &h);
    ASSERT_STR(h.text, "a");
    memcpy(copy, state, sizeof(copy));
    memset(state, 0x5A, sizeof(state));
    ASSERT_INT(generate(KOINE_FRAME_END, "", copy, &h), KOINE_DONE);
    ASSERT_INT(h.kind, KOINE_EMIT_STOP);
    ASSERT_INT(h.code, KOINE_STOP_LENGTH);
    ASSERT_STR(h.text, "length");
}

static void says_nothing_after_a_failure(void)
{
    struct hearing h;
    char state[128] = {0};
    ASSERT_INT(generate(KOINE_FRAME_SSE, "{broken", state, &h), KOINE_PROTOCOL);
    ASSERT_INT(generate(KOINE_FRAME_SSE, "{\"choices\":[{\"delta\":{\"content\":\"a\"}}]}", state, &h),
               KOINE_DONE);
    ASSERT_INT(generate(KOINE_FRAME_END, "", state, &h), KOINE_DONE);
    ASSERT_INT(h.count, 0);
}

static void ignores_unknown_frames(void)
{
    struct hearing h;
    char state[128] = {0};
    koine_frame frame = {.kind = 9, .http_status = 200, .text = koine__str("{\"data\":[]}")};
    ASSERT_INT(generate(9, "{}", state, &h), KOINE_DONE);
    ASSERT_INT(read_frame(koine__dialect_chat.list_models->frame, &plain, frame, state, &h), KOINE_DONE);
    frame.kind = KOINE_FRAME_END;
    ASSERT_INT(read_frame(koine__dialect_chat.list_models->frame, &plain, frame, state, &h), KOINE_PROTOCOL);
    ASSERT_INT(h.count, 0);
}

/* ---- Faults ---- */

static int32_t fault(const koine_provider *self, int32_t status, const char *text)
{
    struct hearing h;
    koine_frame frame = {.kind = KOINE_FRAME_WHOLE, .http_status = status, .text = koine__str(text)};
    ASSERT_INT(read_frame(koine__dialect_chat.fault, self, frame, NULL, &h), KOINE_DONE);
    ASSERT_INT(h.count, 1);
    ASSERT_INT(h.kind, KOINE_EMIT_FAULT);
    return h.code;
}

static void classifies_by_status(void)
{
    static const int32_t expected[][2] = {
        {400, KOINE_FAULT_INVALID},        {401, KOINE_FAULT_AUTH},       {402, KOINE_FAULT_BILLING},
        {403, KOINE_FAULT_AUTH},           {404, KOINE_FAULT_MODEL_GONE}, {405, KOINE_FAULT_INVALID},
        {408, KOINE_FAULT_SERVER},         {409, KOINE_FAULT_SERVER},     {412, KOINE_FAULT_AUTH},
        {413, KOINE_FAULT_CONTEXT_LENGTH}, {418, KOINE_FAULT_INVALID},    {422, KOINE_FAULT_INVALID},
        {429, KOINE_FAULT_RATE_LIMIT},     {498, KOINE_FAULT_OVERLOADED}, {499, KOINE_FAULT_INVALID},
        {500, KOINE_FAULT_SERVER},         {502, KOINE_FAULT_SERVER},     {503, KOINE_FAULT_OVERLOADED},
        {504, KOINE_FAULT_SERVER},         {520, KOINE_FAULT_SERVER},     {529, KOINE_FAULT_OVERLOADED},
    };
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
        ASSERT_INT(fault(&plain, expected[i][0], ""), expected[i][1]);
        ASSERT_INT(fault(&plain, expected[i][0],
                         "{\"error\":{\"message\":\"m\",\"type\":\"invalid_request_error\"}}"),
                   expected[i][1]);
    }
}

static void classifies_by_words(void)
{
    static const struct {
        int32_t status;
        const char *body;
        int32_t fault;
    } expected[] = {
        {400, "{\"error\":{\"message\":\"m\",\"code\":\"MODEL_NOT_FOUND\"}}", KOINE_FAULT_MODEL_GONE},
        {400, "{\"error\":{\"message\":\"the model `a` does not exist\"}}", KOINE_FAULT_MODEL_GONE},
        {400, "{\"error\":{\"message\":\"the file does not exist\"}}", KOINE_FAULT_INVALID},
        {400, "{\"error\":{\"message\":\"`inputs` tokens + `max_new_tokens` must be <= 4096\"}}",
         KOINE_FAULT_CONTEXT_LENGTH},
        {400, "{\"error\":{\"message\":\"too many tokens\"}}", KOINE_FAULT_CONTEXT_LENGTH},
        {400, "{\"error\":{\"message\":\"m\",\"type\":\"exceed_context_size_error\"}}",
         KOINE_FAULT_CONTEXT_LENGTH},
        {400, "{\"error\":{\"message\":\"m\",\"code\":\"content_policy_violation\"}}",
         KOINE_FAULT_CONTENT_POLICY},
        {400, "{\"error\":{\"message\":\"m\",\"innererror\":{\"code\":\"ResponsibleAIPolicyViolation\"}}}",
         KOINE_FAULT_CONTENT_POLICY},
        {400, "{\"error\":{\"message\":\"m\",\"code\":\"credit_balance_exhausted\"}}", KOINE_FAULT_BILLING},
        {429, "{\"error\":{\"message\":\"m\",\"type\":\"engine_overloaded_error\"}}", KOINE_FAULT_OVERLOADED},
        {500, "{\"error\":{\"message\":\"m\",\"type\":\"authentication_error\"}}", KOINE_FAULT_AUTH},
        {404, "{\"detail\":\"Not Found\"}", KOINE_FAULT_MODEL_GONE},
        {500, "[]", KOINE_FAULT_SERVER},
        {200, "{\"error\":{\"message\":\"m\"}}", KOINE_FAULT_SERVER},
        {200, "{\"error\":{\"message\":\"m\",\"type\":\"not_found_error\"}}", KOINE_FAULT_MODEL_GONE},
        {200, "{\"error\":{\"message\":\"m\",\"code\":\"422\"}}", KOINE_FAULT_SERVER},
        {200, "{\"error\":{\"message\":\"m\",\"status_code\":422}}", KOINE_FAULT_INVALID},
        {200, "{\"error\":true,\"message\":\"m\",\"code\":700}", KOINE_FAULT_SERVER},
    };
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
        ASSERT_INT(fault(&plain, expected[i].status, expected[i].body), expected[i].fault);
}

static void asks_the_traits_first(void)
{
    static const koine_chat_fault by_word = {sizeof(by_word), 0, KOINE_FAULT_OVERLOADED, "Quota"};
    static const koine_chat_fault by_type = {sizeof(by_type), 429, KOINE_FAULT_SERVER, "slow_type"};
    static const koine_chat_fault by_number = {sizeof(by_number), 418, KOINE_FAULT_CONTENT_POLICY, NULL};
    static const koine_chat_fault *const faults[] = {&by_word, &by_type, &by_number, NULL};
    strange = (koine_chat_traits){.size = sizeof(strange), .faults = faults};
    ASSERT_INT(fault(&with_traits, 429, "{\"error\":{\"message\":\"no quota\"}}"), KOINE_FAULT_OVERLOADED);
    ASSERT_INT(fault(&with_traits, 429, "{\"error\":{\"message\":\"m\",\"type\":\"SLOW_TYPE_1\"}}"),
               KOINE_FAULT_SERVER);
    ASSERT_INT(fault(&with_traits, 500, "{\"error\":{\"message\":\"m\",\"type\":\"SLOW_TYPE_1\"}}"),
               KOINE_FAULT_SERVER);
    ASSERT_INT(fault(&with_traits, 418, ""), KOINE_FAULT_CONTENT_POLICY);
    ASSERT_INT(fault(&with_traits, 418, "<html>tea</html>"), KOINE_FAULT_INVALID);
}

/* ---- Costs ---- */

static int32_t catalogue_price(const koine_cost_query *query, koine_provider_cost *ret)
{
    ret->state = KOINE_PRICE_KNOWN;
    ret->picodollars = 7;
    ret->price_id = query->asked;
    return 3;
}

static const void *own_names(const char *id)
{
    static const koine_chat_traits traits = {.size = sizeof(traits), .flags = KOINE_CHAT_OWN_NAMES};
    return koine_chat_extension(id, &traits);
}

/* A deployment may bear any model's name. */
static void own_names_have_no_price(void)
{
    static const koine_provider azure = {.size = sizeof(azure), .extension = own_names};
    static const koine_provider other = {.size = sizeof(other)};
    koine_host host = {.size = sizeof(host), .price = catalogue_price};
    koine_provider_cost cost = {.size = sizeof(cost)};
    koine_cost_query query = {.size = sizeof(query),
                              .self = &other,
                              .host = &host,
                              .model = {"gpt-4o-mini-2024-07-18", 22},
                              .asked = {"gpt-4o", 6}};
    ASSERT_INT(koine__dialect_chat.calculate_cost(&query, &cost), 3);
    ASSERT_MEM(cost.price_id.ptr, cost.price_id.len, "gpt-4o");
    query.self = &azure;
    ASSERT_INT(koine__dialect_chat.calculate_cost(&query, &cost), 3);
    ASSERT_MEM(cost.price_id.ptr, cost.price_id.len, "gpt-4o-mini-2024-07-18");
}

static void prefers_the_vendors_figure(void)
{
    koine_host host = {.size = sizeof(host), .price = catalogue_price};
    koine_provider_usage usage = {.size = sizeof(usage), .picodollars = 120, .charged = 1};
    static const koine_provider vendor = {.size = sizeof(vendor)};
    koine_cost_query query = {.size = sizeof(query), .self = &vendor, .host = &host, .usage = &usage};
    koine_provider_cost cost = {.size = sizeof(cost), .estimated = 1};
    ASSERT_INT(koine__dialect_chat.calculate_cost(&query, &cost), KOINE_DONE);
    ASSERT_INT(cost.picodollars, 120);
    ASSERT_INT(cost.state, KOINE_PRICE_KNOWN);
    ASSERT_INT(cost.estimated, 0);
    ASSERT_MEM(cost.price_id.ptr, cost.price_id.len, "vendor");
    usage.charged = 0;
    ASSERT_INT(koine__dialect_chat.calculate_cost(&query, &cost), 3);
    ASSERT_INT(cost.picodollars, 7);
    usage = (koine_provider_usage){
        .size = offsetof(koine_provider_usage, picodollars), .picodollars = 120, .charged = 1};
    ASSERT_INT(koine__dialect_chat.calculate_cost(&query, &cost), 3);
    query.usage = NULL;
    ASSERT_INT(koine__dialect_chat.calculate_cost(&query, &cost), 3);
}

static void reads_dollars_exactly(void)
{
    static const struct {
        const char *text;
        long long picodollars;
    } expected[] = {
        {"0", 0},
        {"0.000000000001", 1},
        {"0.0000000000004", 0},
        {"0.0000000000005", 1},
        {"0.00000000000049999999999999999999999", 0},
        {"1", 1000000000000},
        {"12.345678901234", 12345678901234},
        {"4e-05", 40000000},
        {"4E+2", 400000000000000},
        {"0.00000000000000000000000000001e29", 1000000000000},
        {"9223372.036854775807", 9223372036854775800}, /* 18 digits are exact, and enough */
        {"9223373", -1},
        {"1e400", -1},
        {"1e-400", 0},
        {"123456789012345678901234567890e-28", 12345678901235},
        {"-0.5", -1},
        {"", -1},
    };
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
        ASSERT_INT(koine__dialect_pico(koine__dialect_str(expected[i].text)), expected[i].picodollars);
}

/* ---- Plain text ---- */

static void tells_pages_in_plain_words(void)
{
    static const struct {
        const char *page, *words;
    } expected[] = {
        {"", ""},
        {"  a \n\t b  ", "a b"},
        {"1 < 2 > 0", "1 < 2 > 0"},
        {"<p>a<b>b</b>c</p>", "a b c"},
        {" <style>x > y</style>z", "z"},
        {"<SCRIPT>if (a</b) </Script >no</SCRIPT>z<script", "z"},
        {"<!-- <p>a</p> -->b<!--", "b"},
        {"\xC3\xA9\xC3 \xE2\x82\xAC\xE2\x82 \xF0\x9F\x98\x80\xF0\x9F",
         "\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80"},
        {"\xC0\xAF\xE0\x80\x80\xED\xA0\x80\xF0\x80\x80\x80\xF4\x90\x80\x80\xF5\x80\x80\x80z", "z"},
        {"abcdefgh ijklmnop qrstuvwx", "abcdefgh ijklmnop qrstuv"},
        {"abcdefghijklmnopqrstuvw\xC3\xA9", "abcdefghijklmnopqrstuvw"},
    };
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
        char words[25];
        words[koine__dialect_plain(koine__dialect_str(expected[i].page), words, sizeof(words) - 1)] = '\0';
        ASSERT_STR(words, expected[i].words);
    }
}

/* ---- Entry functions ---- */

static const void *no_extension(const koine_host *host, const char *id)
{
    (void)host, (void)id;
    return NULL;
}

static void enters_a_vendor_without_code(void)
{
    koine_provider provider = {.size = sizeof(provider)};
    koine_host older = {.size = sizeof(older), .extension = no_extension};
    CU_ASSERT_PTR_NULL(koine_chat_entry(&provider, &older, 0));
    CU_ASSERT_PTR_NULL(koine_chat_entry(&provider, koine__process_host(), 1));
    CU_ASSERT_PTR_EQUAL(koine_chat_entry(&provider, koine__process_host(), 0), &provider);
    CU_ASSERT_PTR_EQUAL(provider.generate, koine__dialect_chat.generate);
    CU_ASSERT_PTR_EQUAL(provider.fault, koine__dialect_chat.fault);
    CU_ASSERT_PTR_EQUAL(koine_chat_extension(KOINE_CHAT_TRAITS, &strange), &strange);
    CU_ASSERT_PTR_NULL(koine_chat_extension("koine.dialect.chat.traits/2", &strange));
    CU_ASSERT_PTR_NULL(koine_chat_extension("koine.dialect.chat.traits/11", &strange));
    CU_ASSERT_PTR_NULL(koine_chat_extension("", &strange));
}

SUITE_MAIN("chat", {"asks without traits", asks_without_traits},
           {"asks with older traits", asks_with_older_traits},
           {"asks with empty traits", asks_with_empty_traits},
           {"survives failing allocations", survives_failing_allocations},
           {"tells of no memory", tells_of_no_memory}, {"keeps its state as bytes", keeps_its_state_as_bytes},
           {"says nothing after a failure", says_nothing_after_a_failure},
           {"ignores unknown frames", ignores_unknown_frames}, {"classifies by status", classifies_by_status},
           {"classifies by words", classifies_by_words}, {"asks the traits first", asks_the_traits_first},
           {"prefers the vendor's figure", prefers_the_vendors_figure},
           {"own names have no price", own_names_have_no_price},
           {"reads dollars exactly", reads_dollars_exactly},
           {"tells pages in plain words", tells_pages_in_plain_words},
           {"enters a vendor without code", enters_a_vendor_without_code})
