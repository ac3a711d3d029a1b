/* Tests of the stand-in's two pure parts, the JSON scan and the HTTP request parser: what a test server
 * misreads would be blamed on the client. */
#include "tests/standin/http.h"
#include "tests/standin/scan.h"
#include "tests/unit/suite.h"
#include <stdlib.h>
#include <string.h>

/* ---- scan ---- */

static bool is_json(const char *text)
{
    struct span value;
    return scan_value(text, strlen(text), &value);
}

static void test_scan_takes_json(void)
{
    static const char *const good[] = {
        "0",
        "-0.5e+10",
        "1E9",
        "true",
        " null ",
        "\"\"",
        "[]",
        "[ ]",
        "{ }",
        "[1, [2,{}]]",
        "{\"a\":{\"a\":[]}}",
        "\"\\ud83d\\ude00\"",
        "\"\\ud800\"",
        "\"\xC3\xA9\xF0\x9F\x98\x80\"",
        "\t[\r\n0 ] ",
    };
    for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
        CU_ASSERT_TRUE(is_json(good[i]));
}

static void test_scan_refuses_others(void)
{
    static const char *const bad[] = {
        "",
        " ",
        "{",
        "}",
        "[1,]",
        "{\"a\":1,}",
        "{a:1}",
        "'a'",
        "01",
        "1.",
        ".5",
        "+1",
        "1e",
        "-",
        "NaN",
        "tru",
        "truex",
        "[1 2]",
        "1 2",
        "{\"a\" 1}",
        "\"\\x\"",
        "\"\\u12g4\"",
        "\"\\u12\"",
        "\"\n\"",
        "\"\x7F",
        "\"a",
        "\"\\\"",
        "\"\xC0\x80\"",
        "\"\xED\xA0\x80\"",
        "\"\xFF\"",
        "\"\xE2\x82\"",
        "//\n1",
        "[}",
        "{\"a\":}",
        "{:1}",
        "{1:1}",
        "\xEF\xBB\xBF{}",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        CU_ASSERT_FALSE(is_json(bad[i]));
}

static void test_scan_depth(void)
{
    char text[2 * SCAN_DEPTH + 8];
    for (size_t depth = SCAN_DEPTH - 1; depth <= SCAN_DEPTH + 1; depth++) {
        memset(text, '[', depth);
        memset(text + depth, ']', depth);
        text[2 * depth] = '\0';
        CU_ASSERT_EQUAL(is_json(text), depth <= SCAN_DEPTH);
    }
}

static struct span whole(const char *text)
{
    struct span value = {NULL, 0};
    CU_ASSERT_TRUE_FATAL(scan_value(text, strlen(text), &value));
    return value;
}

static bool member_is(const char *object, const char *name, const char *source)
{
    struct span value;
    return scan_member(whole(object), name, &value) && value.length == strlen(source) &&
           memcmp(value.text, source, value.length) == 0;
}

static void test_scan_members(void)
{
    struct span value;
    CU_ASSERT_TRUE(member_is("{\"a\":1}", "a", "1"));
    CU_ASSERT_TRUE(member_is(" { \"x\" : {\"a\":2} , \"a\" : [ 3 ] } ", "a", "[ 3 ]"));
    CU_ASSERT_TRUE(member_is("{\"x\":\"\\\",\\\"a\\\":7}{\",\"a\":1}", "a", "1"));
    CU_ASSERT_TRUE(member_is("{\"\\u0061b\":1}", "ab", "1"));
    CU_ASSERT_TRUE(member_is("{\"a\":1,\"a\":2}", "a", "2"));
    CU_ASSERT_TRUE(member_is("{\"\\u00e9\":0}", "\xC3\xA9", "0"));
    CU_ASSERT_FALSE(scan_member(whole("{\"ab\":1}"), "a", &value));
    CU_ASSERT_FALSE(scan_member(whole("{\"a\":1}"), "ab", &value));
    CU_ASSERT_FALSE(scan_member(whole("{}"), "a", &value));
    CU_ASSERT_FALSE(scan_member(whole("[\"a\",1]"), "a", &value));
    CU_ASSERT_FALSE(scan_member(whole("\"a\""), "a", &value));
}

static size_t count_items(const char *text)
{
    struct span item;
    size_t count = 0;
    for (size_t at = 0; scan_item(whole(text), &at, &item);) {
        CU_ASSERT_TRUE(item.length > 0);
        count++;
    }
    return count;
}

static void test_scan_items(void)
{
    CU_ASSERT_EQUAL(count_items("[]"), 0);
    CU_ASSERT_EQUAL(count_items("[ ]"), 0);
    CU_ASSERT_EQUAL(count_items("[1]"), 1);
    CU_ASSERT_EQUAL(count_items("[ 1 , \"],[\" , [2,3] , {\"a\":[4]} ]"), 4);
    CU_ASSERT_EQUAL(count_items("{\"a\":1}"), 0);
    CU_ASSERT_EQUAL(count_items("\"[1]\""), 0);
}

static bool text_is(const char *json, const char *text)
{
    struct bytes out = {0};
    scan_text(whole(json), &out);
    bool same = out.length == strlen(text) && (out.length == 0 || memcmp(out.data, text, out.length) == 0);
    bytes_free(&out);
    return same;
}

static void test_scan_text(void)
{
    CU_ASSERT_TRUE(text_is("\"\"", ""));
    CU_ASSERT_TRUE(text_is("\"a\\\"\\\\\\/\\b\\f\\n\\r\\tz\"", "a\"\\/\b\f\n\r\tz"));
    CU_ASSERT_TRUE(text_is("\"\\u0041\\u00e9\\u20AC\"", "A\xC3\xA9\xE2\x82\xAC"));
    CU_ASSERT_TRUE(text_is("\"\\ud83d\\ude00\"", "\xF0\x9F\x98\x80"));
    CU_ASSERT_TRUE(text_is("\"\\ud83dx\"", "\xEF\xBF\xBDx"));
    CU_ASSERT_TRUE(text_is("\"\\ude00\\ud83d\"", "\xEF\xBF\xBD\xEF\xBF\xBD"));
    CU_ASSERT_TRUE(text_is("\"\\ud83d\\u0041\"", "\xEF\xBF\xBD"
                                                 "A"));
    CU_ASSERT_TRUE(text_is("[1]", ""));
}

static const char request_text[] =
    "{\"metadata\":{\"model\":\"no\",\"stream\":true},\"messages\":[{\"role\":\"user\",\"content\":\"one\"},"
    "{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"t\\u0077\"},{\"type\":\"image_url\"},"
    "{\"type\":\"text\",\"text\":\"o\"}]},{\"content\":\"}\\\"]\",\"role\":\"assistant\"}],"
    "\"stream\":true,\"stream_options\":{\"include_usage\":true},\"model\":\"a/b!503\"}";

static void test_scan_request(void)
{
    struct scan_request request;
    CU_ASSERT_PTR_NULL(scan_request(request_text, sizeof(request_text) - 1, &request));
    CU_ASSERT_STRING_EQUAL(request.model.data, "a/b!503");
    CU_ASSERT_STRING_EQUAL(request.user.data, "two");
    CU_ASSERT_TRUE(request.stream);
    CU_ASSERT_TRUE(request.include_usage);
    CU_ASSERT_TRUE(request.ends_with_assistant);
    scan_request_free(&request);
}

static void test_scan_request_defaults(void)
{
    static const char text[] = "{\"model\":\"m\",\"messages\":[{\"role\":\"assistant\"},{\"role\":\"tool\"}],"
                               "\"stream\":\"true\",\"stream_options\":null}";
    struct scan_request request;
    CU_ASSERT_PTR_NULL(scan_request(text, sizeof(text) - 1, &request));
    CU_ASSERT_FALSE(request.stream);
    CU_ASSERT_FALSE(request.include_usage);
    CU_ASSERT_FALSE(request.ends_with_assistant);
    CU_ASSERT_EQUAL(request.user.length, 0);
    scan_request_free(&request);
}

static bool is_refused(const char *text, size_t length)
{
    char *copy = malloc(length + 1); /* exact size: the sanitizer sees a read past the end */
    CU_ASSERT_PTR_NOT_NULL_FATAL(copy);
    char *exact = length ? realloc(copy, length) : copy;
    memcpy(exact, text, length);
    struct scan_request request;
    bool refused = scan_request(exact, length, &request) != NULL;
    scan_request_free(&request);
    free(exact);
    return refused;
}

static void test_scan_request_refuses(void)
{
    static const char *const bad[] = {
        "[]",
        "{}",
        "{\"model\":1,\"messages\":[{}]}",
        "{\"model\":\"m\"}",
        "{\"model\":\"m\",\"messages\":[]}",
        "{\"model\":\"m\",\"messages\":{}}",
        "{\"messages\":[{}]}",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        CU_ASSERT_TRUE(is_refused(bad[i], strlen(bad[i])));
    for (size_t length = 0; length < sizeof(request_text) - 1; length++)
        CU_ASSERT_TRUE(is_refused(request_text, length));
    CU_ASSERT_FALSE(is_refused(request_text, sizeof(request_text) - 1));
}

/* ---- http ---- */

/* What came out of one request: 0 while it is incomplete, 200 when complete, else the refusal's status. */
struct outcome {
    int status, heads;
    size_t used;
};

static struct outcome feed(struct http_request *request, const char *data, size_t length, size_t step)
{
    struct outcome outcome = {0, 0, 0};
    for (;;) {
        size_t left = length - outcome.used, used;
        enum http_event event = http_feed(request, data + outcome.used, left < step ? left : step, &used);
        outcome.used += used;
        outcome.heads += event == HTTP_HEAD;
        if (event == HTTP_DONE || event == HTTP_BAD) {
            outcome.status = event == HTTP_DONE ? 200 : request->status;
            return outcome;
        }
        if (event == HTTP_MORE && outcome.used == length)
            return outcome;
    }
}

/* The status, which must be the same however the bytes arrive. */
static int status_of(const char *text)
{
    int status = -1;
    for (size_t step = 1; step <= strlen(text) + 1; step += step < 4 ? 1 : strlen(text) - 3) {
        struct http_request request = {0};
        struct outcome outcome = feed(&request, text, strlen(text), step);
        CU_ASSERT_TRUE(status == -1 || status == outcome.status);
        status = outcome.status;
        http_free(&request);
    }
    return status;
}

#define HEAD "POST /p/v1/x HTTP/1.1\r\nHost: h\r\n"

static void test_http_takes(void)
{
    CU_ASSERT_EQUAL(status_of("GET / HTTP/1.1\r\nHost: h\r\n\r\n"), 200);
    CU_ASSERT_EQUAL(status_of("\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n"), 200);
    CU_ASSERT_EQUAL(status_of("GET http://h/x HTTP/1.1\r\nhost:h\r\n\r\n"), 200);
    CU_ASSERT_EQUAL(status_of(HEAD "Content-Length: 3\r\n\r\nabc"), 200);
    CU_ASSERT_EQUAL(status_of(HEAD "content-length:\t0 \r\n\r\n"), 200);
    CU_ASSERT_EQUAL(status_of(HEAD "Transfer-Encoding: Chunked\r\n\r\n1\r\na\r\n0\r\n\r\n"), 200);
    CU_ASSERT_EQUAL(
        status_of(HEAD "Transfer-Encoding: chunked\r\n\r\n0a ;x=\"y\"\r\n0123456789\r\n000\r\nT: x\r\n\r\n"),
        200);
}

static void test_http_waits(void)
{
    CU_ASSERT_EQUAL(status_of(""), 0);
    CU_ASSERT_EQUAL(status_of("GET / HT"), 0);
    CU_ASSERT_EQUAL(status_of(HEAD), 0);
    CU_ASSERT_EQUAL(status_of(HEAD "Content-Length: 3\r\n\r\nab"), 0);
    CU_ASSERT_EQUAL(status_of(HEAD "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n"), 0);
}

static void test_http_refuses(void)
{
    CU_ASSERT_EQUAL(status_of("GET / HTTP/1.1\r\n\r\n"), 400); /* no Host */
    CU_ASSERT_EQUAL(status_of("GET /\r\n\r\n"), 400);
    CU_ASSERT_EQUAL(status_of("GET  / HTTP/1.1\r\nHost: h\r\n\r\n"), 400);
    CU_ASSERT_EQUAL(status_of("GET / HTTP/1.1\nHost: h\n\n"), 400);
    CU_ASSERT_EQUAL(status_of("GET / HTTP/1.0\r\nHost: h\r\n\r\n"), 505);
    CU_ASSERT_EQUAL(status_of(HEAD "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"), 400);
    CU_ASSERT_EQUAL(status_of(HEAD "Content-Length: 1\r\nContent-Length: 1\r\n\r\na"), 400);
    CU_ASSERT_EQUAL(status_of(HEAD "Content-Length: +1\r\n\r\na"), 400);
    CU_ASSERT_EQUAL(status_of(HEAD "Content-Length:\r\n\r\n"), 400);
    CU_ASSERT_EQUAL(status_of(HEAD "Content-Length: 99999999999999999999999999\r\n\r\n"), 413);
    CU_ASSERT_EQUAL(status_of(HEAD "Content-Length: 16777217\r\n\r\n"), 413);
    CU_ASSERT_EQUAL(status_of(HEAD "A b: c\r\n\r\n"), 400);
    CU_ASSERT_EQUAL(status_of(HEAD " folded\r\n\r\n"), 400);
    CU_ASSERT_EQUAL(status_of(HEAD "A: \x01\r\n\r\n"), 400);
    CU_ASSERT_EQUAL(status_of(HEAD "Transfer-Encoding: gzip, chunked\r\n\r\n"), 501);
    CU_ASSERT_EQUAL(status_of(HEAD "Expect: tea\r\n\r\n"), 417);
}

#define CHUNKED HEAD "Transfer-Encoding: chunked\r\n\r\n"

static void test_http_refuses_chunks(void)
{
    CU_ASSERT_EQUAL(status_of(CHUNKED "\r\n"), 400);
    CU_ASSERT_EQUAL(status_of(CHUNKED "g\r\n"), 400);
    CU_ASSERT_EQUAL(status_of(CHUNKED "-1\r\n"), 400);
    CU_ASSERT_EQUAL(status_of(CHUNKED "1\na\n"), 400);
    CU_ASSERT_EQUAL(status_of(CHUNKED "1\r\nab\r\n"), 400);
    CU_ASSERT_EQUAL(status_of(CHUNKED "1000001\r\n"), 413);
    CU_ASSERT_EQUAL(status_of(CHUNKED "ffffffffffffffffffffff\r\n"), 413);
}

static void test_http_fields(void)
{
    static const char text[] =
        "POST /p/v1/x?a=1&clear=1 HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer k\r\n"
        "Connection: keep-alive, Close\r\nExpect: 100-Continue\r\nContent-Length: 2\r\n\r\nhiGET";
    for (size_t step = 1; step < sizeof(text); step++) {
        struct http_request request = {0};
        struct outcome outcome = feed(&request, text, sizeof(text) - 1, step);
        CU_ASSERT_EQUAL(outcome.status, 200);
        CU_ASSERT_EQUAL(outcome.heads, 1);
        CU_ASSERT_EQUAL(outcome.used, sizeof(text) - 1 - 3); /* the next request is left alone */
        CU_ASSERT_STRING_EQUAL(request.method, "POST");
        CU_ASSERT_STRING_EQUAL(request.path.data, "/p/v1/x");
        CU_ASSERT_STRING_EQUAL(request.body.data, "hi");
        CU_ASSERT_TRUE(request.has_key && request.closes && request.expects_continue);
        CU_ASSERT_TRUE(http_query_has(&request, "clear", "1"));
        CU_ASSERT_FALSE(http_query_has(&request, "clear", "11"));
        CU_ASSERT_FALSE(http_query_has(&request, "lear", "1"));
        http_free(&request);
    }
}

static void test_http_again(void)
{
    static const char first[] =
        HEAD "X-Api-Key: k\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n";
    static const char second[] = "GET /y HTTP/1.1\r\nHost: h\r\nAuthorization:\r\n\r\n";
    struct http_request request = {0};
    CU_ASSERT_EQUAL(feed(&request, first, sizeof(first) - 1, 5).status, 200);
    CU_ASSERT_STRING_EQUAL(request.body.data, "abc");
    CU_ASSERT_TRUE(request.has_key);
    http_clear(&request);
    CU_ASSERT_EQUAL(feed(&request, second, sizeof(second) - 1, 7).status, 200);
    CU_ASSERT_EQUAL(request.body.length, 0);
    CU_ASSERT_STRING_EQUAL(request.path.data, "/y");
    CU_ASSERT_FALSE(request.has_key || request.closes);
    http_free(&request);
}

static int status_of_size(const char *start, size_t filler, size_t step)
{
    size_t length = strlen(start) + filler;
    char *text = malloc(length);
    CU_ASSERT_PTR_NOT_NULL_FATAL(text);
    memcpy(text, start, strlen(start));
    memset(text + strlen(start), 'a', filler);
    struct http_request request = {0};
    int status = feed(&request, text, length, step).status;
    http_free(&request);
    free(text);
    return status;
}

static void test_http_limits(void)
{
    CU_ASSERT_EQUAL(status_of_size(HEAD "A: ", HTTP_HEAD_LIMIT, 1000), 431);
    CU_ASSERT_EQUAL(status_of_size(HEAD "A: ", HTTP_HEAD_LIMIT - 100, 1000), 0);
    CU_ASSERT_EQUAL(status_of_size(HEAD "Content-Length: 16777216\r\n\r\n", HTTP_BODY_LIMIT, 65536), 200);
    CU_ASSERT_EQUAL(status_of_size(CHUNKED "1;", 5000, 100), 400);
}

SUITE_MAIN("standin", {"JSON is taken", test_scan_takes_json},
           {"other text is refused", test_scan_refuses_others}, {"depth", test_scan_depth},
           {"members", test_scan_members}, {"items", test_scan_items}, {"text", test_scan_text},
           {"request", test_scan_request}, {"request with defaults", test_scan_request_defaults},
           {"request refused, and every truncation", test_scan_request_refuses},
           {"HTTP is taken", test_http_takes}, {"HTTP waits for the rest", test_http_waits},
           {"HTTP is refused", test_http_refuses}, {"chunks are refused", test_http_refuses_chunks},
           {"HTTP fields, at every step", test_http_fields}, {"one request after another", test_http_again},
           {"HTTP limits", test_http_limits})
