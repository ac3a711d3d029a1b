#include "core/plugin/out.h"

#include "tests/unit/failalloc.h"
#include "tests/unit/suite.h"
#include <stdio.h>
#include <string.h>

static struct koine__arena arena;
static struct koine__out out;
static koine_out *const pub = &out.pub;

static void begin(void)
{
    koine__arena_init(&arena, 0);
    koine__out_init(&out, &arena, "https://api.test/v1", 1000);
}

static void end(void)
{
    koine__out_release(&out);
    koine__arena_release(&arena);
}

/* The finished request; a plugin that broke a rule fails the test. */
static struct koine__http_request finish(void)
{
    struct koine__http_request request = {0};
    ASSERT_INT(koine__out_request(&out, &request), KOINE_OK);
    ASSERT_STR(out.broken, NULL);
    return request;
}

/* The rule that was broken; ends the request. */
static void broke(const char *rule)
{
    struct koine__http_request request;
    ASSERT_INT(koine__out_request(&out, &request), KOINE_EARGUMENT);
    ASSERT_STR(out.broken, rule);
    end();
}

static const char *header(const struct koine__http_request *request, const char *name)
{
    for (size_t i = 0; i < request->header_count; i++)
        if (koine__str_is_nocase(request->headers[i].name, name))
            return request->headers[i].value.ptr;
    return NULL;
}

/* ---- Requests ------------------------------------------------------------------------------------- */

static void without_a_body(void)
{
    begin();
    pub->path(pub, "/models");
    struct koine__http_request request = finish();
    ASSERT_STR(request.method, "GET");
    ASSERT_STR(request.url, "https://api.test/v1/models");
    ASSERT_INT((long long)request.header_count, 0);
    CU_ASSERT_PTR_NULL(request.body.ptr);
    CU_ASSERT_PTR_NULL(request.secret_name);
    end();
}

static void with_json(void)
{
    struct koine__arena nodes;
    const koine_node *doc;
    koine__arena_init(&nodes, 0);
    CU_ASSERT_EQUAL_FATAL(
        koine__json_read(KOINE__STR("{\"t\": 0.70000000000000001, \"m\": [ {\"a\" :\"\\u00e9\"} ]}"), &nodes,
                         &doc, NULL),
        0);
    begin();
    pub->path(pub, "/chat/completions");
    pub->open(pub, NULL, '{');
    pub->str(pub, "model", KOINE__STR("a\"b\n"));
    pub->num(pub, "max", INT64_MIN);
    pub->raw(pub, "stream", KOINE__STR("true"));
    pub->node(pub, "temperature", koine__node_get(doc, "t"));
    pub->node(pub, "absent", koine__node_get(doc, "absent"));
    pub->open(pub, "list", '[');
    pub->node(pub, NULL, koine__node_get(doc, "m"));
    pub->num(pub, NULL, 7);
    pub->close(pub);
    pub->close(pub);
    struct koine__http_request request = finish();
    ASSERT_STR(request.method, "POST");
    ASSERT_MEM(request.body.ptr, request.body.len,
               "{\"model\":\"a\\\"b\\n\",\"max\":-9223372036854775808,\"stream\":true,"
               "\"temperature\":0.70000000000000001,\"list\":[[ {\"a\" :\"\\u00e9\"} ],7]}");
    ASSERT_STR(header(&request, "Content-Type"), "application/json");
    ASSERT_INT((long long)request.header_count, 1);
    request = finish(); /* asked again it is the same */
    ASSERT_INT((long long)request.header_count, 1);
    end();
    koine__arena_release(&nodes);
}

static void with_members(void)
{
    struct koine__arena nodes;
    const koine_node *doc;
    koine__arena_init(&nodes, 0);
    CU_ASSERT_EQUAL_FATAL(
        koine__json_read(KOINE__STR("{\"\":1.0,\"a\\u0001b\":[ 2],\"\\u00e9\\n\":null}"), &nodes, &doc, NULL),
        0);
    begin();
    pub->path(pub, "/x");
    pub->open(pub, NULL, '{');
    for (size_t i = 0; i < koine__node_count(doc); i++)
        pub->member(pub, koine__node_at(doc, i));
    pub->member(pub, NULL);
    pub->close(pub);
    struct koine__http_request request = finish();
    ASSERT_MEM(request.body.ptr, request.body.len, "{\"\":1.0,\"a\\u0001b\":[ 2],\"\xc3\xa9\\n\":null}");
    end();
    begin();
    pub->path(pub, "/x");
    pub->open(pub, NULL, '{');
    pub->member(pub, koine__node_at(koine__node_at(doc, 1), 0));
    broke("a value as a member that is none");
    koine__arena_release(&nodes);
}

static void with_bytes(void)
{
    begin();
    pub->path(pub, "/audio");
    pub->bytes(pub, "audio/wav", (koine_str){"a\0b", 3});
    struct koine__http_request request = finish();
    ASSERT_STR(request.method, "POST");
    ASSERT_MEM(request.body.ptr, request.body.len, "a\0b");
    ASSERT_STR(header(&request, "content-type"), "audio/wav");
    end();
    begin();
    pub->path(pub, "/audio");
    pub->bytes(pub, "text/plain", (koine_str){NULL, 0});
    request = finish();
    ASSERT_STR(request.method, "POST");
    CU_ASSERT_PTR_NOT_NULL(request.body.ptr);
    ASSERT_INT((long long)request.body.len, 0);
    end();
}

static void urls(void)
{
    begin();
    pub->path(pub, "/models/");
    pub->segment(pub, KOINE__STR("meta/L 3.1-8B_~%\xc3\xa9"));
    pub->path(pub, ":generate");
    pub->query(pub, "alt", KOINE__STR("sse"));
    pub->query(pub, "a b", KOINE__STR("&=?#\0"));
    ASSERT_STR(
        finish().url,
        "https://api.test/v1/models/meta%2FL%203.1-8B_~%25%C3%A9:generate?alt=sse&a%20b=%26%3D%3F%23%00");
    end();
    begin();
    pub->path(pub, "/x?version=1");
    pub->query(pub, "b", (koine_str){NULL, 0});
    ASSERT_STR(finish().url, "https://api.test/v1/x?version=1&b=");
    end();
    begin();
    pub->path(pub, "/x/");
    pub->segment(pub, (koine_str){"\0", 1});
    ASSERT_STR(finish().url, "https://api.test/v1/x/%00");
    end();
}

static void headers(void)
{
    begin();
    pub->method(pub, "PUT");
    pub->path(pub, "/x");
    pub->secret(pub, "Authorization", "Bearer ");
    pub->header(pub, "content-type", KOINE__STR("application/json; charset=utf-8"));
    for (int i = 0; i < 20; i++) {
        char name[32], value[32];
        snprintf(name, sizeof(name), "X-Test-%d", i);
        snprintf(value, sizeof(value), "v\t%d", i);
        pub->header(pub, name, koine__str(value));
    }
    pub->raw(pub, NULL, KOINE__STR("[]"));
    struct koine__http_request request = finish();
    ASSERT_STR(request.method, "PUT");
    ASSERT_STR(request.secret_name, "Authorization");
    ASSERT_STR(request.secret_prefix, "Bearer ");
    ASSERT_INT((long long)request.header_count, 21);
    ASSERT_STR(header(&request, "Content-Type"), "application/json; charset=utf-8");
    ASSERT_STR(header(&request, "x-test-0"), "v\t0");
    ASSERT_STR(header(&request, "x-test-19"), "v\t19");
    end();
    begin();
    pub->path(pub, "/x");
    pub->secret(pub, "x-api-key", NULL);
    ASSERT_STR(finish().secret_prefix, "");
    end();
}

static void words(void)
{
    begin();
    pub->path(pub, "/x");
    for (int i = 0; i < 9; i++)
        pub->notice(pub, KOINE_NOTICE_DROPPED, KOINE__STR("top_k"), KOINE__STR("OpenAI has no top_k"));
    pub->fail(pub, KOINE__STR("n must be 1"));
    pub->fail(pub, KOINE__STR("second"));
    finish();
    ASSERT_INT((long long)out.notice_count, 9);
    ASSERT_INT(out.notices[8].what, KOINE_NOTICE_DROPPED);
    ASSERT_STR(out.notices[8].member, "top_k");
    ASSERT_STR(out.notices[0].why, "OpenAI has no top_k");
    ASSERT_STR(out.why, "n must be 1");
    end();
}

/* ---- Broken rules --------------------------------------------------------------------------------- */

static void broken_urls(void)
{
    static const char *const texts[] = {NULL, "", "/a b", "/a\r\nHost: x", "/a#b", "/\xc3\xa9", "/\x7f"};
    begin();
    broke("a request without a path");
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        begin();
        pub->path(pub, texts[i]);
        broke("the path is empty or holds what no URL can hold");
    }
    begin();
    pub->path(pub, ".evil.test/x"); /* would be another host */
    broke("the path does not begin with a slash");
    begin();
    pub->segment(pub, KOINE__STR("a"));
    broke("a segment before the path or after a query");
    begin();
    pub->path(pub, "/a");
    pub->query(pub, "a", KOINE__STR("b"));
    pub->segment(pub, KOINE__STR("a"));
    broke("a segment before the path or after a query");
    begin();
    pub->path(pub, "/a?b");
    pub->path(pub, "/c");
    broke("a path after a query");
    static const koine_str segments[] = {{NULL, 0}, {".", 1}, {"..", 2}};
    for (size_t i = 0; i < 3; i++) {
        begin();
        pub->path(pub, "/a/");
        pub->segment(pub, segments[i]);
        broke("a path segment is empty, \".\" or \"..\"");
    }
    begin();
    pub->path(pub, "/a");
    pub->query(pub, NULL, KOINE__STR("b"));
    broke("a query without a name");
    static char large[70000];
    memset(large, 'x', sizeof(large) - 1);
    begin();
    pub->path(pub, "/");
    pub->segment(pub, koine__str(large));
    broke("the URL is longer than 64 kB");
}

static void broken_headers(void)
{
    static const char *const methods[] = {NULL, "", "GE T", "GET\r\n", "G\xc3\xa9", "ABCDEFGHIJKLMNOPQ"};
    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
        begin();
        pub->method(pub, methods[i]);
        broke("the method is no HTTP token");
    }
    static const char *const names[] = {NULL, "", "a b", "a:", "a\n", "\xc3\xa9"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        begin();
        pub->header(pub, names[i], KOINE__STR("x"));
        broke("a header's name is no HTTP token");
    }
    static const char *const reserved[] = {"Authorization",  "PROXY-authorization", "host",
                                           "Content-Length", "transfer-encoding",   "Connection",
                                           "Expect"};
    for (size_t i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++) {
        begin();
        pub->header(pub, reserved[i], KOINE__STR("x"));
        broke("a header that is the core's to write (a key goes through secret)");
    }
    static const koine_str values[] = {{"a\rb", 3}, {"a\nb", 3}, {"a\0b", 3}, {"\x7f", 1}};
    for (size_t i = 0; i < 4; i++) {
        begin();
        pub->header(pub, "x", values[i]);
        broke("a header's value holds control characters");
    }
    begin();
    pub->secret(pub, "a b", "");
    broke("the key's header is no HTTP header");
    begin();
    pub->secret(pub, "a", "Bearer\n");
    broke("the key's header is no HTTP header");
    begin();
    pub->secret(pub, "a", "");
    pub->secret(pub, "b", "");
    broke("the key in two headers");
}

static void broken_bodies(void)
{
    static const char whole[] = "the JSON body is not one whole value";
    begin();
    pub->path(pub, "/x");
    pub->open(pub, NULL, '{');
    broke(whole);
    begin();
    pub->path(pub, "/x");
    pub->close(pub);
    broke(whole);
    begin();
    pub->path(pub, "/x");
    pub->open(pub, NULL, '{');
    pub->num(pub, NULL, 1); /* no key */
    pub->close(pub);
    broke(whole);
    begin();
    pub->path(pub, "/x");
    pub->num(pub, NULL, 1);
    pub->num(pub, NULL, 2);
    broke(whole);
    begin();
    pub->open(pub, NULL, '(');
    broke("open with something that is no bracket");
    begin();
    pub->raw(pub, NULL, (koine_str){NULL, 0});
    broke("raw JSON that is empty");
    begin();
    pub->num(pub, NULL, 1);
    pub->bytes(pub, "a/b", KOINE__STR("x"));
    broke("a body of bytes after another body");
    begin();
    pub->bytes(pub, "a/b", KOINE__STR("x"));
    pub->bytes(pub, "a/b", KOINE__STR("x"));
    broke("a body of bytes after another body");
    begin();
    pub->bytes(pub, "a/b", KOINE__STR("x"));
    pub->str(pub, NULL, KOINE__STR("x"));
    broke("JSON after a body of bytes");
    begin();
    pub->bytes(pub, "a\r\nb", KOINE__STR("x"));
    broke("the content type is no header value");
    begin();
    pub->bytes(pub, NULL, KOINE__STR("x"));
    broke("the content type is no header value");
    static char large[2000];
    memset(large, 'x', sizeof(large) - 1);
    begin();
    pub->path(pub, "/x");
    pub->str(pub, NULL, koine__str(large));
    broke("the body is larger than the limit for requests");
}

/* After the first broken rule nothing is written, and the rule stays the first one. */
static void failures_stick(void)
{
    begin();
    pub->header(pub, "a b", KOINE__STR("x"));
    pub->method(pub, "POST");
    pub->path(pub, "no slash");
    pub->segment(pub, KOINE__STR("a"));
    pub->query(pub, "a", KOINE__STR("a"));
    pub->header(pub, "c", KOINE__STR("x"));
    pub->secret(pub, "a", "a");
    pub->open(pub, NULL, '{');
    pub->str(pub, "a", KOINE__STR("a"));
    pub->num(pub, "a", 1);
    pub->raw(pub, "a", KOINE__STR("1"));
    pub->node(pub, "a", NULL);
    pub->close(pub);
    pub->bytes(pub, "a", KOINE__STR("a"));
    pub->notice(pub, 1, KOINE__STR("a"), KOINE__STR("b"));
    ASSERT_INT((long long)out.body.len, 0);
    ASSERT_INT((long long)out.header_count, 0);
    ASSERT_INT((long long)out.notice_count, 0);
    ASSERT_STR(out.url.ptr, "https://api.test/v1");
    broke("a header's name is no HTTP token");
}

static int write_all(struct koine__http_request *request)
{
    koine__arena_init(&arena, 0);
    koine__out_init(&out, &arena, "https://api.test/v1", 1 << 20);
    pub->method(pub, "POST");
    pub->path(pub, "/x/");
    pub->segment(pub, KOINE__STR("some model"));
    pub->query(pub, "a", KOINE__STR("b"));
    pub->secret(pub, "Authorization", "Bearer ");
    for (int i = 0; i < 20; i++) {
        pub->header(pub, "x-many", KOINE__STR("a value of some length, so that the arena grows"));
        pub->notice(pub, KOINE_NOTICE_MAPPED, KOINE__STR("member"),
                    KOINE__STR("for a reason of some length"));
    }
    pub->open(pub, NULL, '{');
    for (int i = 0; i < 100; i++)
        pub->str(pub, "key", KOINE__STR("a value that makes the body grow"));
    pub->close(pub);
    pub->fail(pub, KOINE__STR("why"));
    return koine__out_request(&out, request);
}

static void failing_allocations(void)
{
    for (long n = 1;; n++) {
        struct koine__http_request request;
        failalloc_begin(n);
        int rc = write_all(&request);
        end();
        if (!failalloc_end()) {
            ASSERT_INT(rc, KOINE_OK);
            break;
        }
        ASSERT_INT(rc, KOINE_EMEMORY);
    }
}

SUITE_MAIN("out", {"without a body", without_a_body}, {"with JSON", with_json},
           {"with members", with_members}, {"with bytes", with_bytes}, {"URLs", urls}, {"headers", headers},
           {"words", words}, {"broken URLs", broken_urls}, {"broken headers", broken_headers},
           {"broken bodies", broken_bodies}, {"failures stick", failures_stick},
           {"failing allocations", failing_allocations})
