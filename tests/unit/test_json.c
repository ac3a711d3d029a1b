/* Nodes: what a plugin reads of a document or a frame. */
#include "core/wire/json.h"
#include "tests/unit/failalloc.h"
#include "tests/unit/suite.h"

#include <koine/koine.h>
#include <stdio.h>
#include <string.h>

static struct koine__arena arena;

/* The root of a text, or NULL; the arena is to be released by the test. */
static const koine_node *read_text(const char *text)
{
    const koine_node *root = NULL;
    koine__arena_init(&arena, 0);
    int rc = koine__json_read((koine_str){text, strlen(text)}, &arena, &root, NULL);
    ASSERT_INT(rc, 0);
    return root;
}

static void assert_str(koine_str actual, const char *expected, unsigned line)
{
    suite_assert_mem(actual.ptr ? actual.ptr : "(null)", actual.ptr ? actual.len : 6, expected,
                     strlen(expected), expected, __FILE__, line);
}
#define IS(actual, expected) assert_str((actual), (expected), __LINE__)
#define HAS_NULL(actual)     CU_ASSERT_PTR_NULL((actual).ptr)

static void reads_a_document(void)
{
    const koine_node *root =
        read_text(" {\"model\" : \"m\\u00e9\", \"n\": [1, -2.0,{\"a\":{\"b\":[]}}],\"t\":true,"
                  "\"f\":false,\"z\":null,\"\":\"\"} ");
    ASSERT_INT(koine__node_kind(root), KOINE_NODE_OBJECT);
    ASSERT_INT((long long)koine__node_count(root), 6);
    IS(koine__node_str(koine__node_get(root, "model")), "m\xc3\xa9");
    IS(koine__node_str(koine__node_get(root, "model")), "m\xc3\xa9");
    IS(koine__node_source(koine__node_get(root, "model")), "\"m\\u00e9\"");
    const koine_node *n = koine__node_get(root, "n");
    ASSERT_INT(koine__node_kind(n), KOINE_NODE_ARRAY);
    ASSERT_INT((long long)koine__node_count(n), 3);
    ASSERT_INT(koine__node_num(koine__node_at(n, 0), -1), 1);
    ASSERT_INT(koine__node_num(koine__node_at(n, 1), -1), -2);
    CU_ASSERT_PTR_NULL(koine__node_at(n, 3));
    IS(koine__node_source(koine__node_get(koine__node_at(n, 2), "a")), "{\"b\":[]}");
    const koine_node *b = koine__node_get(koine__node_get(koine__node_at(n, 2), "a"), "b");
    ASSERT_INT((long long)koine__node_count(b), 0);
    CU_ASSERT_PTR_NULL(koine__node_at(b, 0));
    ASSERT_INT(koine__node_truth(koine__node_get(root, "t")), 1);
    ASSERT_INT(koine__node_truth(koine__node_get(root, "f")), 0);
    ASSERT_INT(koine__node_truth(koine__node_get(root, "z")), -1);
    ASSERT_INT(koine__node_kind(koine__node_get(root, "t")), KOINE_NODE_BOOL);
    ASSERT_INT(koine__node_kind(koine__node_get(root, "z")), KOINE_NODE_NULL);
    IS(koine__node_str(koine__node_get(root, "")), "");
    IS(koine__node_key(root, 0), "model");
    IS(koine__node_key(root, 5), "");
    HAS_NULL(koine__node_key(root, 6));
    IS(koine__node_name(koine__node_at(root, 0)), "model");
    HAS_NULL(koine__node_name(root));
    HAS_NULL(koine__node_pair(root));
    HAS_NULL(koine__node_pair(NULL));
    IS(koine__node_source(koine__node_at(root, 2)), "true");
    CU_ASSERT_PTR_NULL(koine__node_get(root, "mode"));
    CU_ASSERT_PTR_NULL(koine__node_get(root, "models"));
    CU_ASSERT_FALSE(koine__node_failed(root));
    koine__arena_release(&arena);
}

static void null_reads_as_absent(void)
{
    ASSERT_INT(koine__node_kind(NULL), KOINE_NODE_NONE);
    CU_ASSERT_PTR_NULL(koine__node_get(NULL, "a"));
    ASSERT_INT((long long)koine__node_count(NULL), 0);
    CU_ASSERT_PTR_NULL(koine__node_at(NULL, 0));
    HAS_NULL(koine__node_key(NULL, 0));
    HAS_NULL(koine__node_str(NULL));
    ASSERT_INT(koine__node_num(NULL, 7), 7);
    ASSERT_INT(koine__node_truth(NULL), -1);
    HAS_NULL(koine__node_source(NULL));
    ASSERT_INT((long long)koine__node_offset(NULL), 0);
    CU_ASSERT_FALSE(koine__node_failed(NULL));
}

static void answers_only_for_its_kind(void)
{
    const koine_node *root = read_text("[\"1\", 2, {\"a\": 1}, true]");
    CU_ASSERT_PTR_NULL(koine__node_get(root, "a"));
    CU_ASSERT_PTR_NULL(koine__node_get(koine__node_at(root, 2), NULL));
    HAS_NULL(koine__node_key(root, 0));
    ASSERT_INT((long long)koine__node_count(koine__node_at(root, 0)), 0);
    CU_ASSERT_PTR_NULL(koine__node_at(koine__node_at(root, 0), 0));
    ASSERT_INT(koine__node_num(koine__node_at(root, 0), -1), -1);
    HAS_NULL(koine__node_str(koine__node_at(root, 1)));
    ASSERT_INT(koine__node_truth(koine__node_at(root, 1)), -1);
    ASSERT_INT(koine__node_num(koine__node_at(root, 3), -1), -1);
    koine__arena_release(&arena);
}

static void reads_scalars_at_the_root(void)
{
    IS(koine__node_str(read_text(" \"x\" ")), "x");
    koine__arena_release(&arena);
    ASSERT_INT(koine__node_num(read_text("\n-12\n"), 0), -12);
    koine__arena_release(&arena);
    IS(koine__node_source(read_text("\tnull ")), "null");
    koine__arena_release(&arena);
}

static void compares_decoded_names(void)
{
    const koine_node *root =
        read_text("{\"x\":{\"a\":1,\"b\":2,\"a\":3,\"\\u0062\":4,\"\\n\":5,\"c\\u0000d\":6,\"c\":7}}");
    const koine_node *x = koine__node_get(root, "x");
    ASSERT_INT((long long)koine__node_count(x), 7);
    ASSERT_INT(koine__node_num(koine__node_get(x, "a"), 0), 3); /* the last one wins */
    ASSERT_INT(koine__node_num(koine__node_get(x, "b"), 0), 4);
    ASSERT_INT(koine__node_num(koine__node_get(x, "\n"), 0), 5);
    ASSERT_INT(koine__node_num(koine__node_get(x, "c"), 0), 7);
    CU_ASSERT_PTR_NULL(koine__node_get(x, "\\u0062"));
    IS(koine__node_key(x, 3), "b");
    CU_ASSERT_EQUAL(koine__node_key(x, 5).len, 3);
    CU_ASSERT(memcmp(koine__node_key(x, 5).ptr, "c\0d", 3) == 0);
    koine__arena_release(&arena);
}

static void decodes_strings(void)
{
    static const struct {
        const char *json, *text;
    } cases[] = {
        {"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t"},
        {"\"\\u0041\\u00e9\\u20ac\\ud83d\\ude00\\uD83D\\uDE00\"",
         "A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\xf0\x9f\x98\x80"},
        {"\"\\u007f\\u0080\\u07ff\\u0800\\uffff\\udbff\\udfff\"",
         "\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf\xf4\x8f\xbf\xbf"},
        {"\"a\\ud83d\"", "a\xef\xbf\xbd"},
        {"\"\\ud83dx\"", "\xef\xbf\xbdx"},
        {"\"\\ude00\\ud83d\"", "\xef\xbf\xbd\xef\xbf\xbd"},
        {"\"\\ud83d\\ud83d\\ude00\"", "\xef\xbf\xbd\xf0\x9f\x98\x80"},
        {"\"\\ud83d\\u0041\"", "\xef\xbf\xbd\x41"},
        {"\"\\ud83d\\n\\n\\n\"", "\xef\xbf\xbd\n\n\n"},
        {"\"plain, longer than a word\\u0021 and \xc3\xa9 on\"",
         "plain, longer than a word! and \xc3\xa9 on"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        IS(koine__node_str(read_text(cases[i].json)), cases[i].text);
        koine__arena_release(&arena);
    }
    koine_str nul = koine__node_str(read_text("\"a\\u0000b\""));
    ASSERT_MEM(nul.ptr, nul.len, "a\0b");
    koine__arena_release(&arena);
}

static int64_t number(const char *text)
{
    int64_t value = koine__node_num(read_text(text), 4711);
    koine__arena_release(&arena);
    return value;
}

static void reads_whole_numbers(void)
{
    static const struct {
        const char *text;
        int64_t value;
    } cases[] = {
        {"0", 0},
        {"-0", 0},
        {"0.000", 0},
        {"0e99999999999999999999", 0},
        {"-0.0e-5", 0},
        {"3.0", 3},
        {"-3.00", -3},
        {"1e2", 100},
        {"1E+2", 100},
        {"1.5e1", 15},
        {"12300e-2", 123},
        {"100.0e-2", 1},
        {"0.001e3", 1},
        {"1.05e2", 105},
        {"20.50e1", 205},
        {"1000000000000000000000e-3", 1000000000000000000},
        {"9223372036854775807", INT64_MAX},
        {"-9223372036854775808", INT64_MIN},
        {"9223372036854775807.0", INT64_MAX},
        {"922337203685477580.7e1", INT64_MAX},
        {"9007199254740993", 9007199254740993},
        {"1e18", 1000000000000000000},
        {"1.0000000000000000000000000", 1},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        suite_assert_int(number(cases[i].text), cases[i].value, cases[i].text, __FILE__, __LINE__);
}

static void refuses_other_numbers(void)
{
    static const char *const others[] = {
        "0.5",
        "3.01",
        "1e-1",
        "9223372036854775808",
        "-9223372036854775809",
        "1e19",
        "9e18000",
        "1e99999999999999999999",
        "1e-99999999999999999999",
        "12345678901234567890",
        "99999999999999999999",
        "1.5e0",
        "10000000000000000000000",
        "18446744073709551617",
        "9999999999999999999",
    };
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        suite_assert_int(number(others[i]), 4711, others[i], __FILE__, __LINE__);
    char digits[401];
    memset(digits, '7', 400);
    digits[400] = '\0';
    ASSERT_INT(number(digits), 4711);
    memset(digits + 1, '0', 395);
    memcpy(digits + 396, "e-39", 5);
    ASSERT_INT(number(digits), 4711);
    memcpy(digits + 395, "e-394", 6);
    ASSERT_INT(number(digits), 7);
}

static void indexes_many(void)
{
    struct koine__buf buf;
    koine__buf_init(&buf, 1 << 20);
    koine__buf_addc(&buf, '[');
    for (int i = 0; i < 1000; i++)
        koine__buf_addf(&buf, "%s{\"i\" : %d , \"s\\u0021\":\"\\\"]}\"}", i ? " , " : "", i);
    koine__buf_addc(&buf, ']');
    const koine_node *root = read_text(koine__buf_str(&buf));
    ASSERT_INT((long long)koine__node_count(root), 1000);
    for (int i = 999; i >= 0; i--) {
        const koine_node *item = koine__node_at(root, (size_t)i);
        ASSERT_INT(koine__node_num(koine__node_get(item, "i"), -1), i);
        IS(koine__node_str(koine__node_get(item, "s!")), "\"]}");
    }
    koine__arena_release(&arena);
    koine__buf_release(&buf);
}

static void says_where(void)
{
    const koine_node *root = read_text("  {\"a\": [1,\n2]}");
    ASSERT_INT((long long)koine__node_offset(root), 2);
    ASSERT_INT((long long)koine__node_offset(koine__node_at(koine__node_get(root, "a"), 1)), 12);
    koine__arena_release(&arena);
}

static void refuses_what_is_not_json(void)
{
    const koine_node *root = (const koine_node *)&arena;
    struct koine__json_fault fault = {0};
    koine__arena_init(&arena, 0);
    ASSERT_INT(koine__json_read((koine_str){"{\"a\":}", 6}, &arena, &root, &fault), KOINE_EARGUMENT);
    ASSERT_INT((long long)fault.offset, 5);
    CU_ASSERT_PTR_EQUAL(root, &arena);
    koine__arena_release(&arena);
}

/* Beyond the containers whose ends are noted, they are looked for: the same is read. */
static void reads_more_containers_than_are_noted(void)
{
    enum {
        COUNT = 1500
    };
    char text[16 * COUNT];
    size_t len = (size_t)sprintf(text, "[");
    const koine_node *root = NULL;
    for (int i = 0; i < COUNT; i++)
        len += (size_t)sprintf(text + len, "%s{\"n\":[%d]}", i ? "," : "", i);
    text[len++] = ']';
    koine__arena_init(&arena, 0);
    ASSERT_INT(koine__json_read((koine_str){text, len}, &arena, &root, NULL), KOINE_OK);
    ASSERT_INT((long long)koine__node_count(root), COUNT);
    for (size_t i = 0; i < COUNT; i++) {
        const koine_node *list = koine__node_get(koine__node_at(root, i), "n");
        ASSERT_INT((long long)koine__node_count(list), 1);
        ASSERT_INT(koine__node_num(koine__node_at(list, 0), -1), (long long)i);
    }
    koine__arena_release(&arena);
}

/* A document that needs the arena for more than one of its blocks. */
static int navigate(bool *ret_failed)
{
    static char text[9000];
    const koine_node *root = NULL;
    strcpy(text, "{\"a\":{\"k\\n\":[1,2,3]},\"s\":\"\\n");
    memset(text + strlen(text), 'x', 8000);
    strcpy(text + 8000, "\"}");
    koine__arena_init(&arena, 0);
    int rc = koine__json_read((koine_str){text, strlen(text)}, &arena, &root, NULL);
    if (!rc) {
        bool all = koine__node_count(koine__node_get(koine__node_get(root, "a"), "k\n")) == 3;
        all = koine__node_str(koine__node_get(root, "s")).ptr && all;
        *ret_failed = koine__node_failed(root);
        CU_ASSERT_EQUAL(all, !*ret_failed);
    }
    koine__arena_release(&arena);
    return rc;
}

static void tells_of_failed_allocations(void)
{
    for (long n = 1;; n++) {
        bool failed = false;
        failalloc_begin(n);
        int rc = navigate(&failed);
        if (!failalloc_end()) {
            CU_ASSERT(rc == 0 && !failed && n > 2);
            break;
        }
        CU_ASSERT(rc == KOINE_EMEMORY || failed);
    }
}

/* The same with an arena that ends at every byte. */
static void tells_of_a_full_arena(void)
{
    static const char text[] = "{\"\\u0061\":[1,2,3,4,5,6,7,8,9],\"s\":\"\\n\"}";
    bool done = false;
    for (size_t limit = 1; !done; limit++) {
        const koine_node *root = NULL;
        koine__arena_init(&arena, limit);
        int rc = koine__json_read((koine_str){text, strlen(text)}, &arena, &root, NULL);
        bool all = koine__node_num(koine__node_at(koine__node_get(root, "a"), 8), 0) == 9;
        all = koine__node_str(koine__node_get(root, "s")).ptr && koine__node_key(root, 0).ptr && all;
        done = rc == 0 && !koine__node_failed(root);
        CU_ASSERT_EQUAL(all, done);
        CU_ASSERT(rc == 0 || rc == KOINE_EMEMORY);
        koine__arena_release(&arena);
    }
}

/* A member's own bytes, with its name as it is written. */
static void pairs(void)
{
    static const char *const expected[] = {"\"a\" :  [1 ]", "\"\\u00e9\":{\"b\":2}", "\"\":\"\""};
    struct koine__arena nodes;
    const koine_node *doc = NULL;
    koine__arena_init(&nodes, 0);
    ASSERT_INT(koine__json_read(KOINE__STR("{ \"a\" :  [1 ] , \"\\u00e9\":{\"b\":2},\"\":\"\"}"), &nodes,
                                &doc, NULL),
               0);
    for (size_t i = 0; i < 3; i++) {
        koine__node_key(doc, i); /* which decodes names */
        IS(koine__node_pair(koine__node_at(doc, i)), expected[i]);
    }
    HAS_NULL(koine__node_pair(koine__node_at(koine__node_at(doc, 0), 0)));
    IS(koine__node_pair(koine__node_at(koine__node_at(doc, 1), 0)), "\"b\":2");
    koine__arena_release(&nodes);
}

SUITE_MAIN("json", {"pairs", pairs}, {"reads a document", reads_a_document},
           {"null reads as absent", null_reads_as_absent},
           {"answers only for its kind", answers_only_for_its_kind},
           {"reads scalars at the root", reads_scalars_at_the_root},
           {"compares decoded names", compares_decoded_names}, {"decodes strings", decodes_strings},
           {"reads whole numbers", reads_whole_numbers}, {"refuses other numbers", refuses_other_numbers},
           {"indexes many", indexes_many}, {"says where", says_where},
           {"refuses what is not JSON", refuses_what_is_not_json},
           {"reads more containers than are noted", reads_more_containers_than_are_noted},
           {"tells of failed allocations", tells_of_failed_allocations},
           {"tells of a full arena", tells_of_a_full_arena})
