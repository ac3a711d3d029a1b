/* The head of an answer, line by line, and what transports share: finding a field, refusing a bad request. */
#include "tests/unit/failalloc.h"
#include "tests/unit/suite.h"

#include "core/wire/head.h"
#include <koine/koine.h>
#include <string.h>

#define MOST SIZE_MAX

/* Feeds a text as lines; gives the last line's result. */
static int feed(struct koine__head_reader *reader, const char *text)
{
    int rc = 0;
    while (*text && rc >= 0) {
        const char *end = strchr(text, '\n');
        size_t len = end ? (size_t)(end - text) + 1 : strlen(text);
        rc = koine__head_reader_line(reader, text, len);
        text += len;
    }
    return rc;
}

static void assert_field(const struct koine__head *head, const char *name, const char *expected)
{
    koine_str value = koine__head_find(head, name);
    suite_assert_mem(value.ptr, value.len, expected, strlen(expected), name, __FILE__, __LINE__);
}

static void reads_a_head(void)
{
    struct koine__head_reader reader;
    koine__head_reader_init(&reader);
    koine__head_reader_reset(&reader, MOST);
    ASSERT_INT(feed(&reader, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-Empty:\r\nx-two:1\r\n"
                             "X-Two: 2 3 \r\nno colon here\r\nX-Colon: a:b\r\n\r\n"),
               1);
    struct koine__head head = koine__head_reader_head(&reader);
    ASSERT_INT(head.status, 200);
    ASSERT_INT(reader.version, 11);
    ASSERT_INT(head.count, 5);
    assert_field(&head, "content-TYPE", "application/json");
    assert_field(&head, "x-two", "2 3"); /* the last one */
    assert_field(&head, "x-empty", "");
    assert_field(&head, "x-colon", "a:b");
    CU_ASSERT(koine__head_find(&head, "absent").ptr == NULL);
    koine__head_reader_release(&reader);
}

/* Its memory can go; what still comes counts. */
static void rests(void)
{
    struct koine__head_reader reader;
    koine__head_reader_init(&reader);
    koine__head_reader_reset(&reader, 64);
    ASSERT_INT(feed(&reader, "HTTP/1.1 200 OK\r\nA: b\r\n\r\n"), 1);
    koine__head_reader_rest(&reader);
    CU_ASSERT(reader.text.ptr == NULL && reader.spans == NULL && reader.headers == NULL);
    ASSERT_INT(reader.version, 11);
    CU_ASSERT(reader.complete);
    ASSERT_INT(feed(&reader, "X-Trailer: 1\r\n"), 0);
    ASSERT_INT(feed(&reader, "X-Trailer: 12345678901234567890\r\n"), KOINE_EARGUMENT);
    koine__head_reader_reset(&reader, MOST);
    ASSERT_INT(feed(&reader, "HTTP/1.1 200 OK\r\nA: c\r\n\r\n"), 1);
    struct koine__head head = koine__head_reader_head(&reader);
    assert_field(&head, "a", "c");
    koine__head_reader_release(&reader);
}

static void reads_versions(void)
{
    static const struct {
        const char *line;
        int version, status;
    } cases[] = {{"HTTP/2 204 \r\n\r\n", 20, 204},
                 {"HTTP/1.0 404\r\n\r\n", 10, 404},
                 {"HTTP/3 200\r\n\r\n", 30, 200},
                 {"HTTP/1.1 20000 OK\r\n\r\n", 11, 200},
                 {"HTTP/1.1 503 No\n\n", 11, 503}};
    struct koine__head_reader reader;
    koine__head_reader_init(&reader);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        koine__head_reader_reset(&reader, MOST);
        ASSERT_INT(feed(&reader, cases[i].line), 1);
        ASSERT_INT(reader.version, cases[i].version);
        ASSERT_INT(reader.status, cases[i].status);
    }
    koine__head_reader_reset(&reader, MOST);
    ASSERT_INT(feed(&reader, "HTTP/1.1\r\n\r\n"), 0); /* no status: no final head */
    koine__head_reader_release(&reader);
}

static void skips_interim_heads_and_trailers(void)
{
    struct koine__head_reader reader;
    koine__head_reader_init(&reader);
    koine__head_reader_reset(&reader, MOST);
    ASSERT_INT(feed(&reader, "HTTP/1.1 100 Continue\r\nX-A: interim\r\n\r\n"), 0);
    ASSERT_INT(feed(&reader, "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"), 0);
    ASSERT_INT(feed(&reader, "HTTP/1.1 200 OK\r\nX-B: final\r\n\r\n"), 1);
    ASSERT_INT(feed(&reader, "X-Trailer: late\r\n\r\n"), 0);
    struct koine__head head = koine__head_reader_head(&reader);
    ASSERT_INT(head.count, 1);
    assert_field(&head, "x-b", "final");
    koine__head_reader_release(&reader);
}

static void unfolds(void)
{
    struct koine__head_reader reader;
    koine__head_reader_init(&reader);
    koine__head_reader_reset(&reader, MOST);
    ASSERT_INT(
        feed(&reader, "HTTP/1.1 200 OK\r\n stray fold\r\nX-A: one\r\n\ttwo \r\n  three\r\nX-B: b\r\n\r\n"),
        1);
    struct koine__head head = koine__head_reader_head(&reader);
    assert_field(&head, "x-a", "one two three");
    assert_field(&head, "x-b", "b");
    koine__head_reader_release(&reader);
}

static void holds_the_ceiling(void)
{
    struct koine__head_reader reader;
    koine__head_reader_init(&reader);
    koine__head_reader_reset(&reader, 32);
    ASSERT_INT(feed(&reader, "HTTP/1.1 200 OK\r\n"), 0); /* 17 */
    ASSERT_INT(feed(&reader, "X-Fifteen: 15\r\n"), 0);   /* 15: all of it */
    ASSERT_INT(feed(&reader, "\r\n"), KOINE_EARGUMENT);
    koine__head_reader_reset(&reader, 60); /* interim heads and trailers count too */
    ASSERT_INT(feed(&reader, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n"), 1);
    ASSERT_INT(feed(&reader, "X-Trailer: much too long\r\n"), KOINE_EARGUMENT);
    koine__head_reader_reset(&reader, 1 << 20); /* so many short lines cost far more than their bytes */
    ASSERT_INT(feed(&reader, "HTTP/1.1 200 OK\r\n"), 0);
    for (size_t i = 1; i < KOINE__HEAD_LINES; i++)
        ASSERT_INT(feed(&reader, "A: b\r\n"), 0);
    ASSERT_INT(feed(&reader, "A: b\r\n"), KOINE_EARGUMENT);
    koine__head_reader_release(&reader);
}

static void survives_failing_allocations(void)
{
    for (long n = 1;; n++) {
        struct koine__head_reader reader;
        failalloc_begin(n);
        koine__head_reader_init(&reader);
        koine__head_reader_reset(&reader, MOST);
        int rc =
            feed(&reader,
                 "HTTP/1.1 200 OK\r\nA: 1\r\nB: 2\r\nC: 3\r\nD: 4\r\nE: 5\r\n"
                 "Long: 0123456789012345678901234567890123456789012345678901234567890123456789\r\n"
                 " folded 0123456789012345678901234567890123456789012345678901234567890123456789\r\n\r\n");
        koine__head_reader_release(&reader);
        if (!failalloc_end())
            break;
        ASSERT_INT(rc, KOINE_EMEMORY);
    }
}

/* ---- Requests --------------------------------------------------------------------------------------- */

static void judges_requests(void)
{
    struct koine__header header = {KOINE__STR("x-a"), KOINE__STR("b")};
    struct koine__http_request request = {
        .method = "POST", .url = "http://h/", .headers = &header, .header_count = 1};
    CU_ASSERT(koine__http_request_valid(&request));
    static const koine_str bad_names[] = {{NULL, 0},     {"a b", 3}, {"a:", 2},
                                          {"a\r\nb", 4}, {"a\0", 2}, {"\xC3\xA4", 2}};
    for (size_t i = 0; i < sizeof(bad_names) / sizeof(bad_names[0]); i++) {
        header.name = bad_names[i];
        CU_ASSERT(!koine__http_request_valid(&request));
    }
    header.name = KOINE__STR("x-a");
    static const koine_str bad_values[] = {{"a\nb", 3}, {"a\rb", 3}, {"a\0b", 3}};
    for (size_t i = 0; i < sizeof(bad_values) / sizeof(bad_values[0]); i++) {
        header.value = bad_values[i];
        CU_ASSERT(!koine__http_request_valid(&request));
    }
    header.value = KOINE__STR("caf\xC3\xA9 \t ok");
    CU_ASSERT(koine__http_request_valid(&request));
    request.method = "GET IT";
    CU_ASSERT(!koine__http_request_valid(&request));
    request.method = NULL;
    CU_ASSERT(!koine__http_request_valid(&request));
    request.method = "GET";
    request.url = "http://h/\r\nX: y";
    CU_ASSERT(!koine__http_request_valid(&request));
    request.url = NULL;
    CU_ASSERT(!koine__http_request_valid(&request));
}

static void judges_secrets(void)
{
    struct koine__http_request request = {
        .method = "GET", .url = "http://h/", .secret_name = "Authorization"};
    CU_ASSERT(koine__http_request_valid(&request)); /* no secret: an empty value */
    struct koine__secret *good = koine__secret_new("sk-1", 4), *bad = koine__secret_new("sk\n1", 4);
    CU_ASSERT_FATAL(good && bad);
    request.secret = good;
    request.secret_prefix = "Bearer ";
    CU_ASSERT(koine__http_request_valid(&request));
    request.secret = bad;
    CU_ASSERT(!koine__http_request_valid(&request));
    request.secret = good;
    request.secret_prefix = "Bearer\n";
    CU_ASSERT(!koine__http_request_valid(&request));
    request.secret_prefix = NULL;
    request.secret_name = "Autho rization";
    CU_ASSERT(!koine__http_request_valid(&request));
    koine__secret_unref(good);
    koine__secret_unref(bad);
}

SUITE_MAIN("head", {"reads_a_head", reads_a_head}, {"rests", rests}, {"reads_versions", reads_versions},
           {"skips_interim_heads_and_trailers", skips_interim_heads_and_trailers}, {"unfolds", unfolds},
           {"holds_the_ceiling", holds_the_ceiling},
           {"survives_failing_allocations", survives_failing_allocations},
           {"judges_requests", judges_requests}, {"judges_secrets", judges_secrets})
