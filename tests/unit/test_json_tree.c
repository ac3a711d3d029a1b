/* The reader of koine/json.h. */
#include "tests/unit/failalloc.h"
#include "tests/unit/suite.h"

#include <koine/json.h>
#include <locale.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static koine_json *parse(const char *text)
{
    koine_json *root = NULL;
    ASSERT_INT(koine_json_parse(text, strlen(text), &root, NULL), 0);
    return root;
}

static void reads_a_tree(void)
{
    koine_json *root =
        parse(" {\"s\":\"caf\\u00e9\",\"n\":[1,2.5,null,[],{}],\"t\":true,\"f\":false,\"z\":null} ");
    ASSERT_INT(koine_json_kind(root), KOINE_JSON_OBJECT);
    ASSERT_INT((long long)koine_json_count(root), 5);
    size_t length = 0;
    ASSERT_STR(koine_json_string(koine_json_get(root, "s"), &length), "caf\xc3\xa9");
    ASSERT_INT((long long)length, 5);
    const koine_json *n = koine_json_get(root, "n");
    ASSERT_INT(koine_json_kind(n), KOINE_JSON_ARRAY);
    ASSERT_INT((long long)koine_json_count(n), 5);
    ASSERT_INT(koine_json_integer(koine_json_at(n, 0), -1), 1);
    ASSERT_INT(koine_json_integer(koine_json_at(n, 1), -1), -1);
    CU_ASSERT_EQUAL(koine_json_real(koine_json_at(n, 1), -1), 2.5);
    ASSERT_INT(koine_json_kind(koine_json_at(n, 1)), KOINE_JSON_NUMBER);
    ASSERT_INT(koine_json_kind(koine_json_at(n, 2)), KOINE_JSON_NULL);
    ASSERT_INT((long long)koine_json_count(koine_json_at(n, 3)), 0);
    CU_ASSERT_PTR_NULL(koine_json_at(koine_json_at(n, 3), 0));
    CU_ASSERT_PTR_NULL(koine_json_at(koine_json_at(n, 4), 0));
    CU_ASSERT_PTR_NULL(koine_json_at(n, 5));
    ASSERT_INT(koine_json_true(koine_json_get(root, "t")), 1);
    ASSERT_INT(koine_json_true(koine_json_get(root, "f")), 0);
    ASSERT_INT(koine_json_kind(koine_json_get(root, "f")), KOINE_JSON_BOOL);
    ASSERT_INT(koine_json_kind(koine_json_get(root, "z")), KOINE_JSON_NULL);
    ASSERT_INT(koine_json_kind(koine_json_get(root, "absent")), KOINE_JSON_NONE);
    koine_json_free(root);
}

static void keeps_the_order_of_members(void)
{
    koine_json *root = parse("{\"z\":1,\"a\":null,\"m\":{\"x\":1,\"y\":2,\"x\":3}}");
    ASSERT_STR(koine_json_name_at(root, 0), "z");
    ASSERT_STR(koine_json_name_at(root, 1), "a");
    ASSERT_STR(koine_json_name_at(root, 2), "m");
    CU_ASSERT_PTR_NULL(koine_json_name_at(root, 3));
    ASSERT_INT(koine_json_integer(koine_json_at(root, 0), 0), 1);
    ASSERT_INT(koine_json_kind(koine_json_at(root, 1)), KOINE_JSON_NULL);
    const koine_json *m = koine_json_at(root, 2);
    ASSERT_INT((long long)koine_json_count(m), 2);
    ASSERT_INT(koine_json_integer(koine_json_get(m, "x"), 0), 3); /* the last one wins */
    ASSERT_INT(koine_json_integer(koine_json_at(m, 0), 0), 3);
    ASSERT_STR(koine_json_name_at(m, 1), "y");
    koine_json_free(root);
}

static void answers_only_for_its_kind(void)
{
    koine_json *root = parse("[\"1\",2,{\"a\":1}]");
    const koine_json *text = koine_json_at(root, 0), *number = koine_json_at(root, 1);
    CU_ASSERT_PTR_NULL(koine_json_get(root, "a"));
    CU_ASSERT_PTR_NULL(koine_json_get(koine_json_at(root, 2), NULL));
    CU_ASSERT_PTR_NULL(koine_json_name_at(root, 0));
    CU_ASSERT_PTR_NULL(koine_json_at(text, 0));
    ASSERT_INT((long long)koine_json_count(number), 0);
    ASSERT_INT(koine_json_integer(text, 9), 9);
    CU_ASSERT_EQUAL(koine_json_real(text, 9.5), 9.5);
    CU_ASSERT_PTR_NULL(koine_json_string(number, NULL));
    ASSERT_INT(koine_json_true(number), 0);
    koine_json_free(root);
}

static void takes_null(void)
{
    ASSERT_INT(koine_json_kind(NULL), KOINE_JSON_NONE);
    CU_ASSERT_PTR_NULL(koine_json_get(NULL, "a"));
    ASSERT_INT((long long)koine_json_count(NULL), 0);
    CU_ASSERT_PTR_NULL(koine_json_at(NULL, 0));
    CU_ASSERT_PTR_NULL(koine_json_name_at(NULL, 0));
    CU_ASSERT_PTR_NULL(koine_json_string(NULL, NULL));
    ASSERT_INT(koine_json_integer(NULL, 3), 3);
    CU_ASSERT_EQUAL(koine_json_real(NULL, 3), 3);
    ASSERT_INT(koine_json_true(NULL), 0);
    CU_ASSERT_PTR_NULL(koine_json_text(NULL));
    koine_json_free(NULL);
}

static void reads_scalars_at_the_root(void)
{
    koine_json *root = parse(" null ");
    ASSERT_INT(koine_json_kind(root), KOINE_JSON_NULL);
    CU_ASSERT_PTR_NULL(koine_json_get(root, "a"));
    CU_ASSERT_PTR_NULL(koine_json_at(root, 0));
    char *text = koine_json_text(root);
    ASSERT_STR(text, "null");
    koine_free(text);
    koine_json_free(root);
    root = parse("\"a\\u0000b\"");
    size_t length = 0;
    const char *string = koine_json_string(root, &length);
    ASSERT_MEM(string, length, "a\0b");
    koine_json_free(root);
    root = parse("\"\"");
    ASSERT_STR(koine_json_string(root, NULL), "");
    koine_json_free(root);
}

static void reads_numbers(void)
{
    koine_json *root = parse(
        "[9223372036854775807,9223372036854775808,3.0,1e2,0.1,1e999,-0.0,123456789012345678901234567890,"
        "-9223372036854775808]");
    ASSERT_INT(koine_json_integer(koine_json_at(root, 0), 1), INT64_MAX);
    ASSERT_INT(koine_json_integer(koine_json_at(root, 1), 1), 1); /* not saturated */
    ASSERT_INT(koine_json_integer(koine_json_at(root, 2), 1), 3);
    ASSERT_INT(koine_json_integer(koine_json_at(root, 3), 1), 100);
    ASSERT_INT(koine_json_integer(koine_json_at(root, 8), 1), INT64_MIN);
    CU_ASSERT_EQUAL(koine_json_real(koine_json_at(root, 4), 1), 0.1);
    CU_ASSERT_EQUAL(koine_json_real(koine_json_at(root, 5), 1), 1); /* out of range */
    CU_ASSERT_EQUAL(koine_json_real(koine_json_at(root, 1), 1), 9223372036854775808.0);
    CU_ASSERT_EQUAL(koine_json_real(koine_json_at(root, 7), 1), 123456789012345678901234567890.0);
    koine_json_free(root);
}

static void ignores_the_locale(void)
{
    static const char *const commas[] = {"de_DE.UTF-8", "fr_FR.UTF-8", "ru_RU.UTF-8", "cs_CZ.UTF-8"};
    bool found = false;
    for (size_t i = 0; !found && i < sizeof(commas) / sizeof(commas[0]); i++)
        found = setlocale(LC_ALL, commas[i]) != NULL;
    if (!found) {
        suite_skip("no locale with a decimal comma is installed");
        return;
    }
    koine_json *root = parse("0.25");
    CU_ASSERT_EQUAL(koine_json_real(root, 1), 0.25);
    koine_json_free(root);
    setlocale(LC_ALL, "C");
}

static void assert_round_trip(const char *text, const char *expected, unsigned line)
{
    koine_json *root = parse(text);
    char *written = koine_json_text(root);
    suite_assert_str(written, expected, text, __FILE__, line);
    koine_free(written);
    koine_json_free(root);
}

static void writes_the_source_s_numbers(void)
{
    assert_round_trip(
        " { \"a\" : [ 0.7 , 1.10, 1E5, -0, 123456789012345678901234567890 , 18446744073709551616 ] } ",
        "{\"a\":[0.7,1.10,1E5,-0,123456789012345678901234567890,18446744073709551616]}", __LINE__);
    assert_round_trip("{\"\":{},\"\\u00e9/\":[null,true,false,[[]]],\"s\":\"\\u0001\\\"\\/\\ud83d\\ude00\"}",
                      "{\"\":{},\"\xc3\xa9/\":[null,true,false,[[]]],\"s\":\"\\u0001\\\"/\xf0\x9f\x98\x80\"}",
                      __LINE__);
}

static void takes_128_levels(void)
{
    char text[300] = "";
    for (int i = 0; i < 128; i++)
        strcat(text, "[");
    for (int i = 0; i < 128; i++)
        strcat(text, "]");
    assert_round_trip(text, text, __LINE__);
}

static void assert_refused(const char *text, const char *message, unsigned line)
{
    koine_json *root = (koine_json *)(void *)&line;
    koine_error *error = NULL;
    suite_assert_int(koine_json_parse(text, strlen(text), &root, &error), KOINE_EARGUMENT, text, __FILE__,
                     line);
    suite_assert_str(koine_error_message(error), message, text, __FILE__, line);
    CU_ASSERT_PTR_EQUAL(root, &line);
    koine_error_free(error);
    suite_assert_int(koine_json_parse(text, strlen(text), &root, NULL), KOINE_EARGUMENT, text, __FILE__,
                     line);
}

static void refuses_what_is_not_json(void)
{
    assert_refused("{\n \"a\": 'x'}", "not JSON at line 2, column 7: no JSON value starts like this",
                   __LINE__);
    assert_refused("", "not JSON at line 1, column 1: the text ends too early", __LINE__);
    assert_refused("{\"a\":1,\"a\":2}",
                   "not JSON at line 1, column 8: a member of this name is already there", __LINE__);
    assert_refused("{\"\\u0000\":1}", "not JSON at line 1, column 2: a member's name holds \\u0000",
                   __LINE__);
    assert_refused("[{\"x\":{\"a\":[],\"b\\u0000\": 1}}]",
                   "not JSON at line 1, column 26: the name of this member holds \\u0000", __LINE__);
}

static void refuses_null_arguments(void)
{
    koine_json *root = NULL;
    koine_error *error = NULL;
    ASSERT_INT(koine_json_parse(NULL, 0, &root, &error), KOINE_EARGUMENT);
    ASSERT_STR(koine_error_message(error), "koine_json_parse: text is NULL");
    koine_error_free(error);
    ASSERT_INT(koine_json_parse("1", 1, NULL, NULL), KOINE_EARGUMENT);
}

/* A walk by index over many members is no walk over them for each. */
static void walks_many_members(void)
{
    enum {
        COUNT = 20000
    };
    char *text = malloc(COUNT * 20 + 3), *at = text;
    for (int i = 0; i < COUNT; i++)
        at += sprintf(at, "%s\"m%d\":%d", i ? "," : "{", i, i);
    strcpy(at, "}");
    koine_json *root = parse(text);
    long long sum = 0;
    for (size_t i = 0; i < koine_json_count(root); i++)
        sum += koine_json_integer(koine_json_at(root, i), 0) + (koine_json_name_at(root, i)[0] == 'm');
    ASSERT_INT(sum, 19999LL * 20000 / 2 + 20000);
    koine_json_free(root);
    free(text);
}

static void survives_failed_allocations(void)
{
    static const char text[] = "{\"a\\n\":[1,2,{\"b\":\"\\n\"},{}],\"c\":{\"d\":null}}";
    for (long n = 1;; n++) {
        koine_json *root = NULL;
        koine_error *error = NULL;
        failalloc_begin(n);
        int rc = koine_json_parse(text, strlen(text), &root, &error);
        char *written = rc ? NULL : koine_json_text(root);
        bool complete = written && strcmp(written, text) == 0;
        koine_free(written);
        koine_json_free(root);
        CU_ASSERT_EQUAL(koine_error_number(error), rc);
        koine_error_free(error);
        if (!failalloc_end()) {
            CU_ASSERT(complete && n > 4);
            break;
        }
        CU_ASSERT(!complete && (rc == KOINE_EMEMORY || (rc == 0 && !written)));
    }
}

/* Every truncation and every changed byte: refused, or a tree that writes what reads back. */
static void survives_every_byte(void)
{
    static const char document[] = "{\"a\":[1.5,\"\\u00e9\xc3\xa9\",{\"b\":null}],\"c\":{\"d\":true}}";
    for (size_t i = 0; i + 1 < sizeof(document); i++) {
        koine_json *root = NULL;
        ASSERT_INT(koine_json_parse(document, i, &root, NULL), KOINE_EARGUMENT);
        for (int c = 0; c < 256; c++) {
            char text[sizeof(document)];
            memcpy(text, document, sizeof(text));
            text[i] = (char)c;
            if (koine_json_parse(text, sizeof(text) - 1, &root, NULL))
                continue;
            char *written = koine_json_text(root);
            koine_json_free(root);
            root = parse(written);
            char *again = koine_json_text(root);
            ASSERT_STR(again, written);
            koine_free(written);
            koine_free(again);
            koine_json_free(root);
        }
    }
}

SUITE_MAIN("json_tree", {"reads a tree", reads_a_tree},
           {"keeps the order of members", keeps_the_order_of_members},
           {"answers only for its kind", answers_only_for_its_kind}, {"takes NULL", takes_null},
           {"reads scalars at the root", reads_scalars_at_the_root}, {"reads numbers", reads_numbers},
           {"ignores the locale", ignores_the_locale},
           {"writes the source's numbers", writes_the_source_s_numbers},
           {"takes 128 levels", takes_128_levels}, {"refuses what is not JSON", refuses_what_is_not_json},
           {"refuses NULL arguments", refuses_null_arguments}, {"walks many members", walks_many_members},
           {"survives failed allocations", survives_failed_allocations},
           {"survives every byte", survives_every_byte})
