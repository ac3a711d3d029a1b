#include "core/hub/request.h"

#include "core/base/mem.h"
#include "tests/unit/failalloc.h"
#include "tests/unit/suite.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static koine_request *make(void)
{
    koine_request *request = NULL;
    ASSERT_INT(koine_request_new(&request), KOINE_OK);
    CU_ASSERT_PTR_NOT_NULL_FATAL(request);
    return request;
}

static void expect(const koine_request *request, const char *document)
{
    const char *text = NULL;
    size_t len = 0;
    ASSERT_INT(koine__request_text(request, &text, &len), KOINE_OK);
    ASSERT_STR(text, document);
    ASSERT_INT((long long)len, (long long)strlen(document));
}

static koine_request *given(const char *document)
{
    koine_request *request = make();
    ASSERT_INT(koine_request_set_document(request, document, strlen(document)), KOINE_OK);
    return request;
}

/* ---- building ---- */

static void empty(void)
{
    koine_request *request = make();
    expect(request, "{}");
    koine_request_free(request);
    koine_request_free(NULL);
}

static void messages(void)
{
    koine_request *request = make();
    ASSERT_INT(koine_request_message(request, "system", "Be brief."), KOINE_OK);
    ASSERT_INT(koine_request_message(request, "user", "\"Hi\"\n\xc3\xa9\xff"), KOINE_OK);
    expect(request, "{\"messages\":[{\"role\":\"system\",\"content\":\"Be brief.\"},"
                    "{\"role\":\"user\",\"content\":\"\\\"Hi\\\"\\n\xc3\xa9\xef\xbf\xbd\"}]}");
    ASSERT_INT(koine_request_message(request, "user", ""), KOINE_OK);
    expect(request, "{\"messages\":[{\"role\":\"system\",\"content\":\"Be brief.\"},"
                    "{\"role\":\"user\",\"content\":\"\\\"Hi\\\"\\n\xc3\xa9\xef\xbf\xbd\"},"
                    "{\"role\":\"user\",\"content\":\"\"}]}");
    koine_request_free(request);
}

#define TEXT_PART "{\"type\":\"text\",\"text\":\"What is it?\"}"

static void parts(void)
{
    koine_request *request = make();
    ASSERT_INT(koine_request_message_parts(request, "user"), KOINE_OK);
    expect(request, "{\"messages\":[{\"role\":\"user\",\"content\":[]}]}");
    ASSERT_INT(koine_request_part_text(request, "What is it?"), KOINE_OK);
    expect(request, "{\"messages\":[{\"role\":\"user\",\"content\":[" TEXT_PART "]}]}");
    /* A call in between does not end the message. */
    ASSERT_INT(koine_request_part_image(request, "data:image/png;base64,AA=="), KOINE_OK);
    expect(request, "{\"messages\":[{\"role\":\"user\",\"content\":[" TEXT_PART ","
                    "{\"type\":\"image_url\",\"image_url\":{\"url\":\"data:image/png;base64,AA==\"}}]}]}");
    ASSERT_INT(koine_request_message_parts(request, "user"), KOINE_OK);
    ASSERT_INT(koine_request_part_text(request, "And now?"), KOINE_OK);
    ASSERT_INT(koine_request_message(request, "assistant", "So."), KOINE_OK);
    expect(request, "{\"messages\":[{\"role\":\"user\",\"content\":[" TEXT_PART ","
                    "{\"type\":\"image_url\",\"image_url\":{\"url\":\"data:image/png;base64,AA==\"}}]},"
                    "{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"And now?\"}]},"
                    "{\"role\":\"assistant\",\"content\":\"So.\"}]}");
    koine_request_free(request);
}

static void parts_need_a_message(void)
{
    koine_request *request = make();
    ASSERT_INT(koine_request_part_text(request, "x"), KOINE_EARGUMENT);
    koine_request_free(request);
    request = make();
    koine_request_message_parts(request, "user");
    koine_request_message(request, "user", "ends it");
    ASSERT_INT(koine_request_part_image(request, "https://x.test/"), KOINE_EARGUMENT);
    koine_request_free(request);
    request = given("{\"messages\":[{\"role\":\"user\",\"content\":[]}]}");
    ASSERT_INT(koine_request_part_text(request, "x"), KOINE_EARGUMENT);
    koine_request_free(request);
    request = make();
    koine_request_message_parts(request, "user"); /* freed while it is open */
    koine_request_part_text(request, "x");
    koine_request_free(request);
}

static void appended(void)
{
    koine_request *request = make();
    ASSERT_INT(koine_request_append(request, " {\"role\": \"assistant\", \"x\": 1.50}\n"), KOINE_OK);
    ASSERT_INT(koine_request_tool_result(request, "call_1", "42"), KOINE_OK);
    ASSERT_INT(koine_request_append(request, "{}"), KOINE_OK);
    expect(request, "{\"messages\":[{\"role\": \"assistant\", \"x\": 1.50},"
                    "{\"role\":\"tool\",\"tool_call_id\":\"call_1\",\"content\":\"42\"},{}]}");
    koine_request_free(request);
}

static void append_takes_one_object(void)
{
    static const char *const wrong[] = {"",        " ",           "[]",          "\"x\"",
                                        "null",    "{",           "{} {}",       "{\"a\":1,\"a\":2}",
                                        "{'a':1}", "{\"a\":NaN}", "{\"\xff\":1}"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        koine_request *request = make();
        ASSERT_INT(koine_request_append(request, wrong[i]), KOINE_EARGUMENT);
        koine_request_free(request);
    }
}

static void tools(void)
{
    koine_request *request = make();
    ASSERT_INT(koine_request_tool(request, "f", "Does \"f\"", " {\"type\": \"object\"} "), KOINE_OK);
    ASSERT_INT(koine_request_tool(request, "g", NULL, NULL), KOINE_OK);
    expect(
        request,
        "{\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\",\"description\":\"Does \\\"f\\\"\","
        "\"parameters\":{\"type\": \"object\"}}},{\"type\":\"function\",\"function\":{\"name\":\"g\"}}]}");
    ASSERT_INT(koine_request_tool(request, "h", NULL, "{"), KOINE_EARGUMENT);
    koine_request_free(request);
}

static void members(void)
{
    koine_request *request = make();
    ASSERT_INT(koine_request_set(request, "temperature", "0.70"), KOINE_OK);
    ASSERT_INT(koine_request_set(request, "stop", "[\"###\"]"), KOINE_OK);
    ASSERT_INT(koine_request_set_string(request, "model", "a\"b"), KOINE_OK);
    ASSERT_INT(koine_request_set_integer(request, "seed", INT64_MIN), KOINE_OK);
    ASSERT_INT(koine_request_message(request, "user", "Hi"), KOINE_OK);
    expect(request, "{\"temperature\":0.70,\"stop\":[\"###\"],\"model\":\"a\\\"b\","
                    "\"seed\":-9223372036854775808,\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}");
    /* The last one counts, and stands where the first one stood. */
    ASSERT_INT(koine_request_set(request, "stop", " null "), KOINE_OK);
    ASSERT_INT(koine_request_set(request, "temperature", NULL), KOINE_OK);
    ASSERT_INT(koine_request_set(request, "nobody", NULL), KOINE_OK);
    ASSERT_INT(koine_request_set_integer(request, "model", 7), KOINE_OK);
    expect(request, "{\"stop\":null,\"model\":7,\"seed\":-9223372036854775808,"
                    "\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}");
    ASSERT_INT(koine_request_set(request, "", "{\"a b\\n\" : 1}"), KOINE_OK);
    ASSERT_INT(koine_request_set(request, "seed", NULL), KOINE_OK);
    expect(request, "{\"stop\":null,\"model\":7,\"\":{\"a b\\n\" : 1},"
                    "\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}");
    koine_request_free(request);
}

static void lists_as_wholes(void)
{
    koine_request *request = make();
    koine_request_message(request, "user", "gone");
    ASSERT_INT(koine_request_set(request, "messages", " [ {\"role\":\"user\"} , 2.50 ] "), KOINE_OK);
    ASSERT_INT(koine_request_message(request, "user", "Hi"), KOINE_OK);
    ASSERT_INT(koine_request_set(request, "tools", "[1, 2]"), KOINE_OK);
    ASSERT_INT(koine_request_tool(request, "f", NULL, NULL), KOINE_OK);
    expect(request, "{\"messages\":[{\"role\":\"user\"},2.50,{\"role\":\"user\",\"content\":\"Hi\"}],"
                    "\"tools\":[1,2,{\"type\":\"function\",\"function\":{\"name\":\"f\"}}]}");
    ASSERT_INT(koine_request_set(request, "tools", "[]"), KOINE_OK);
    ASSERT_INT(koine_request_set(request, "messages", NULL), KOINE_OK);
    expect(request, "{}");
    ASSERT_INT(koine_request_set(request, "messages", "[3]"), KOINE_OK);
    ASSERT_INT(koine_request_set(request, "tools", "[4]"), KOINE_OK);
    expect(request, "{\"messages\":[3],\"tools\":[4]}");
    ASSERT_INT(koine_request_set(request, "tools", NULL), KOINE_OK);
    expect(request, "{\"messages\":[3]}");
    koine_request_free(request);
}

static void lists_are_lists(void)
{
    static const char *const lists[] = {"messages", "tools"};
    for (size_t i = 0; i < 2; i++) {
        koine_request *request = make();
        ASSERT_INT(koine_request_set(request, lists[i], "{}"), KOINE_EARGUMENT);
        koine_request_free(request);
        request = make();
        ASSERT_INT(koine_request_set_string(request, lists[i], "x"), KOINE_EARGUMENT);
        koine_request_free(request);
        request = make();
        ASSERT_INT(koine_request_set_integer(request, lists[i], 1), KOINE_EARGUMENT);
        koine_request_free(request);
    }
}

static void long_text(void)
{
    size_t len = ((size_t)64 << 20) + 1;
    char *text = malloc(len + 1);
    koine_request *request = make();
    CU_ASSERT_PTR_NOT_NULL_FATAL(text);
    memset(text, 'x', len);
    text[len] = '\0';
    ASSERT_INT(koine_request_message(request, "user", text), KOINE_EARGUMENT);
    koine_request_free(request);
    request = make();
    ASSERT_INT(koine_request_set_document(request, text, len), KOINE_EARGUMENT);
    koine_request_free(request);
    free(text);
}

/* ---- documents that were given ---- */

#define GIVEN                                                                                                \
    " {\"model\" : \"together/m\",\t\"messages\": [ {\"role\":\"user\", \"content\": \"H\\u00e9\"} ],\n"     \
    "\"temperature\":0.69999999999999996, \"seed\": 123456789012345678901234567890, \"x\": {\"y\": [1e400, " \
    "1.0, -0]},\"tools\": [ {\"a\": 1} ] } "

static void given_as_it_is(void)
{
    static const char *const documents[] = {GIVEN, "{}", "not even JSON", "[]", ""};
    for (size_t i = 0; i < sizeof(documents) / sizeof(documents[0]); i++) {
        koine_request *request = given(documents[i]); /* whoever uses it says what is wrong, and where */
        expect(request, documents[i]);
        koine_request_free(request);
    }
    koine_request *request = make();
    ASSERT_INT(koine_request_set_document(request, "{}garbage", 2), KOINE_OK);
    expect(request, "{}");
    koine_request_free(request);
}

static void given_and_changed(void)
{
    koine_request *request = given(GIVEN);
    ASSERT_INT(koine_request_set_integer(request, "max_tokens", 5), KOINE_OK);
    expect(request,
           "{\"model\":\"together/m\",\"temperature\":0.69999999999999996,"
           "\"seed\":123456789012345678901234567890,\"x\":{\"y\": [1e400, 1.0, -0]},\"max_tokens\":5,"
           "\"messages\":[{\"role\":\"user\", \"content\": \"H\\u00e9\"}],\"tools\":[{\"a\": 1}]}");
    ASSERT_INT(koine_request_message(request, "user", "more"), KOINE_OK);
    ASSERT_INT(koine_request_set(request, "x", NULL), KOINE_OK);
    ASSERT_INT(koine_request_set(request, "model", NULL), KOINE_OK);
    expect(request, "{\"temperature\":0.69999999999999996,\"seed\":123456789012345678901234567890,"
                    "\"max_tokens\":5,\"messages\":[{\"role\":\"user\", \"content\": \"H\\u00e9\"},"
                    "{\"role\":\"user\",\"content\":\"more\"}],\"tools\":[{\"a\": 1}]}");
    koine_request_free(request);
}

/* Each function that changes something takes a given document apart, and adds what it adds. */
static void given_and_added_to(void)
{
    koine_request *request = given("{\"a\":1.10}");
    ASSERT_INT(koine_request_append(request, "{}"), KOINE_OK);
    expect(request, "{\"a\":1.10,\"messages\":[{}]}");
    koine_request_free(request);
    request = given("{\"a\":1.10}");
    ASSERT_INT(koine_request_tool(request, "f", NULL, NULL), KOINE_OK);
    expect(request, "{\"a\":1.10,\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\"}}]}");
    koine_request_free(request);
    request = given("{\"a\":1.10}");
    ASSERT_INT(koine_request_message_parts(request, "user"), KOINE_OK);
    ASSERT_INT(koine_request_part_text(request, "x"), KOINE_OK);
    expect(request, "{\"a\":1.10,\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\","
                    "\"text\":\"x\"}]}]}");
    koine_request_free(request);
    request = given("{\"a\":1.10}");
    ASSERT_INT(koine_request_set_string(request, "b", "2"), KOINE_OK);
    expect(request, "{\"a\":1.10,\"b\":\"2\"}");
    koine_request_free(request);
}

/* A document that cannot be taken apart cannot be changed. */
static void given_wrong_and_changed(void)
{
    static const char *const wrong[] = {"",
                                        "nothing",
                                        "[]",
                                        "7",
                                        "{\"a\":1",
                                        "{\"a\":1,\"a\":2}",
                                        "{\"messages\":{}}",
                                        "{\"tools\":1}",
                                        "{\"a\\u0000b\":1}"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        const char *text = NULL;
        size_t len = 0;
        koine_request *request = given(wrong[i]);
        ASSERT_INT(koine_request_set_integer(request, "seed", 1), KOINE_EARGUMENT);
        ASSERT_INT(koine__request_text(request, &text, &len), KOINE_EARGUMENT);
        koine_request_free(request);
    }
}

static void given_replaces_what_was_built(void)
{
    koine_request *request = make();
    koine_request_set_integer(request, "seed", 1);
    koine_request_message(request, "user", "x");
    koine_request_tool(request, "f", NULL, NULL);
    koine_request_message_parts(request, "user");
    ASSERT_INT(koine_request_set_document(request, "{\"b\":2}", 7), KOINE_OK);
    expect(request, "{\"b\":2}");
    ASSERT_INT(koine_request_set_integer(request, "c", 3), KOINE_OK);
    expect(request, "{\"b\":2,\"c\":3}");
    ASSERT_INT(koine_request_set_document(request, "{\"d\":4}", 7), KOINE_OK);
    ASSERT_INT(koine_request_message(request, "user", "y"), KOINE_OK);
    expect(request, "{\"d\":4,\"messages\":[{\"role\":\"user\",\"content\":\"y\"}]}");
    koine_request_free(request);
}

/* ---- failures ---- */

static int with_null_1(koine_request *request, int which)
{
    switch (which) {
    case 0:
        return koine_request_set_document(request, NULL, 0);
    case 1:
        return koine_request_message(request, NULL, "x");
    case 2:
        return koine_request_message(request, "user", NULL);
    case 3:
        return koine_request_message_parts(request, NULL);
    case 4:
        return koine_request_append(request, NULL);
    case 5:
        return koine_request_tool(request, NULL, "d", "{}");
    case 6:
        return koine_request_tool_result(request, NULL, "x");
    default:
        return koine_request_tool_result(request, "id", NULL);
    }
}

static int with_null_2(koine_request *request, int which)
{
    switch (which) {
    case 8:
        return koine_request_set(request, NULL, "1");
    case 9:
        return koine_request_set(request, "a", "1 2");
    case 10:
        return koine_request_set_string(request, NULL, "x");
    case 11:
        return koine_request_set_string(request, "a", NULL);
    case 12:
        return koine_request_set_integer(request, NULL, 1);
    case 13:
        return koine_request_set_deadline(request, -1);
    case 14:
        return koine_request_set_deadline(request, INT64_MAX / 1000000 + 1);
    case 15:
        return koine_request_set_commit(request, 3);
    case 16:
        return koine_request_set_commit(request, -1);
    case 17:
        return koine_request_set_stream(request, 2);
    case 18:
        return koine_request_set_budget(request, "-1");
    case 19:
        return koine_request_set_budget(request, "1e3");
    case 20:
        return koine_request_set_budget(request, "");
    case 21:
        return koine_request_set_budget(request, "99999999");
    case 22:
        return koine_request_set_approved_cost(request, "-0.01");
    case 23:
        return koine_request_set_approved_cost(request, "$1");
    default:
        return koine_request_set_stream(request, -1);
    }
}

static void failures_stick(void)
{
    for (int which = 0; which <= 24; which++) {
        const char *text = NULL;
        size_t len = 0;
        koine_request *request = make();
        ASSERT_INT(koine_request_message(request, "user", "fine"), KOINE_OK);
        int rc = which < 8 ? with_null_1(request, which) : with_null_2(request, which);
        ASSERT_INT(rc, KOINE_EARGUMENT);
        ASSERT_INT(koine_request_message(request, "user", "x"), KOINE_EARGUMENT);
        ASSERT_INT(koine_request_message_parts(request, "user"), KOINE_EARGUMENT);
        ASSERT_INT(koine_request_part_text(request, "x"), KOINE_EARGUMENT);
        ASSERT_INT(koine_request_part_image(request, "x"), KOINE_EARGUMENT);
        ASSERT_INT(koine_request_append(request, "{}"), KOINE_EARGUMENT);
        ASSERT_INT(koine_request_tool(request, "f", NULL, NULL), KOINE_EARGUMENT);
        ASSERT_INT(koine_request_tool_result(request, "i", "x"), KOINE_EARGUMENT);
        ASSERT_INT(koine_request_set(request, "a", "1"), KOINE_EARGUMENT);
        ASSERT_INT(koine_request_set_string(request, "a", "1"), KOINE_EARGUMENT);
        ASSERT_INT(koine_request_set_integer(request, "a", 1), KOINE_EARGUMENT);
        ASSERT_INT(koine_request_set_document(request, "{}", 2), KOINE_EARGUMENT);
        ASSERT_INT(koine__request_text(request, &text, &len), KOINE_EARGUMENT);
        CU_ASSERT_PTR_NULL(text);
        koine_request_free(request);
    }
}

static void without_a_request(void)
{
    ASSERT_INT(koine_request_new(NULL), KOINE_EARGUMENT);
    for (int which = 0; which < 8; which++)
        ASSERT_INT(with_null_1(NULL, which), KOINE_EARGUMENT);
    for (int which = 8; which <= 18; which++)
        ASSERT_INT(with_null_2(NULL, which), KOINE_EARGUMENT);
    ASSERT_INT(koine_request_part_text(NULL, "x"), KOINE_EARGUMENT);
    ASSERT_INT(koine_request_part_image(NULL, "x"), KOINE_EARGUMENT);
    ASSERT_INT(koine_request_set_route(NULL, "x"), KOINE_EARGUMENT);
    ASSERT_INT(koine_request_set_target(NULL, "x"), KOINE_EARGUMENT);
    ASSERT_INT(koine_request_set_provider(NULL, NULL), KOINE_EARGUMENT);
    ASSERT_INT(koine_request_set_run(NULL, "x"), KOINE_EARGUMENT);
    ASSERT_INT(koine_request_set_canceller(NULL, NULL), KOINE_EARGUMENT);
    koine_request_set_user(NULL, NULL);
}

/* ---- options ---- */

static void options(void)
{
    int user = 0;
    koine_request *request = make();
    ASSERT_INT(request->stream, -1);
    ASSERT_INT(koine_request_set_route(request, "r"), KOINE_OK);
    ASSERT_INT(koine_request_set_target(request, "t/m"), KOINE_OK);
    ASSERT_INT(koine_request_set_run(request, "run"), KOINE_OK);
    ASSERT_INT(koine_request_set_deadline(request, INT64_MAX / 1000000), KOINE_OK);
    ASSERT_INT(koine_request_set_commit(request, KOINE_COMMIT_COMPLETE), KOINE_OK);
    ASSERT_INT(koine_request_set_stream(request, 0), KOINE_OK);
    ASSERT_INT(request->budget, -1);
    ASSERT_INT(koine_request_set_budget(request, "0.50"), KOINE_OK);
    ASSERT_INT(request->budget, INT64_C(500000000000));
    ASSERT_INT(koine_request_set_budget(request, NULL), KOINE_OK);
    ASSERT_INT(request->budget, -1);
    ASSERT_INT(koine_request_set_budget(NULL, "1"), KOINE_EARGUMENT);
    ASSERT_INT(request->approved, -1);
    ASSERT_INT(koine_request_set_approved_cost(request, "3.2"), KOINE_OK);
    ASSERT_INT(request->approved, INT64_C(3200000000000));
    ASSERT_INT(koine_request_set_approved_cost(request, NULL), KOINE_OK);
    ASSERT_INT(request->approved, -1);
    ASSERT_INT(koine_request_set_approved_cost(NULL, "1"), KOINE_EARGUMENT);
    koine_request_set_user(request, &user);
    ASSERT_STR(request->route, "r");
    ASSERT_STR(request->target, "t/m");
    ASSERT_STR(request->run, "run");
    ASSERT_INT(request->deadline_ms, INT64_C(9223372036854));
    ASSERT_INT(request->commit, 2);
    ASSERT_INT(request->stream, 0);
    CU_ASSERT_PTR_EQUAL(request->user, &user);
    ASSERT_INT(koine_request_set_route(request, NULL), KOINE_OK);
    ASSERT_INT(koine_request_set_target(request, NULL), KOINE_OK);
    ASSERT_INT(koine_request_set_provider(request, NULL), KOINE_OK);
    ASSERT_INT(koine_request_set_run(request, NULL), KOINE_OK);
    ASSERT_INT(koine_request_set_deadline(request, 0), KOINE_OK);
    ASSERT_STR(request->route, NULL);
    ASSERT_STR(request->target, NULL);
    ASSERT_STR(request->provider, NULL);
    ASSERT_STR(request->run, NULL);
    koine_request_free(request);
}

static void keeps_its_canceller(void)
{
    koine_canceller *canceller = NULL;
    koine_request *request = make();
    ASSERT_INT(koine_canceller_new(&canceller), KOINE_OK);
    ASSERT_INT(koine_request_set_canceller(request, canceller), KOINE_OK);
    koine_canceller_free(canceller); /* now the request's alone */
    ASSERT_INT(koine_request_set_canceller(request, canceller), KOINE_OK);
    ASSERT_INT(koine_canceller_is_cancelled(canceller), 0);
    koine_cancel(canceller);
    ASSERT_INT(koine_canceller_is_cancelled(canceller), 1);
    ASSERT_INT(koine_request_set_canceller(request, NULL), KOINE_OK);
    koine_request_free(request);
}

/* ---- failing allocations ---- */

static int build(koine_request *request)
{
    int rc = koine_request_set_document(request, GIVEN, strlen(GIVEN));
    if (rc == KOINE_OK)
        rc = koine_request_set(request, "stop", "[\"a\"]");
    if (rc == KOINE_OK)
        rc = koine_request_set(request, "messages", "[{\"role\":\"system\"},{}]");
    if (rc == KOINE_OK)
        rc = koine_request_message_parts(request, "user");
    if (rc == KOINE_OK)
        rc = koine_request_part_text(request, "x");
    if (rc == KOINE_OK)
        rc = koine_request_append(request, "{\"role\":\"assistant\"}");
    if (rc == KOINE_OK)
        rc = koine_request_tool(request, "f", NULL, "{}");
    if (rc == KOINE_OK)
        rc = koine_request_set_string(request, "model", "other");
    if (rc == KOINE_OK)
        rc = koine_request_set_integer(request, "n", 1);
    if (rc == KOINE_OK)
        rc = koine_request_set_target(request, "together/m");
    return rc;
}

static int build_and_read(void)
{
    const char *text = NULL;
    size_t len = 0;
    koine_request *request = NULL;
    int rc = koine_request_new(&request);
    if (rc == KOINE_OK)
        rc = build(request);
    if (rc == KOINE_OK)
        rc = koine__request_text(request, &text, &len);
    if (rc == KOINE_OK)
        ASSERT_STR(text, "{\"model\":\"other\",\"temperature\":0.69999999999999996,"
                         "\"seed\":123456789012345678901234567890,\"x\":{\"y\": [1e400, 1.0, -0]},"
                         "\"stop\":[\"a\"],\"n\":1,\"messages\":[{\"role\":\"system\"},{},{\"role\":\"user\","
                         "\"content\":[{\"type\":\"text\",\"text\":\"x\"}]},{\"role\":\"assistant\"}],"
                         "\"tools\":[{\"a\": 1},{\"type\":\"function\",\"function\":{\"name\":\"f\","
                         "\"parameters\":{}}}]}");
    koine_request_free(request);
    return rc;
}

/* With so many members and elements that looking at them needs memory. */
static int change_a_large_one(void)
{
    static char document[16384], list[4096];
    const char *text = NULL;
    size_t len = 0;
    koine_request *request = NULL;
    int used = snprintf(document, sizeof(document), "{\"a\":0");
    for (int i = 0; i < 200; i++)
        used += snprintf(document + used, sizeof(document) - (size_t)used, ",\"%d\":%d", i, i);
    snprintf(document + used, sizeof(document) - (size_t)used, "}");
    used = snprintf(list, sizeof(list), "[0");
    for (int i = 1; i < 200; i++)
        used += snprintf(list + used, sizeof(list) - (size_t)used, ",%d", i);
    snprintf(list + used, sizeof(list) - (size_t)used, "]");
    int rc = koine_request_new(&request);
    if (rc == KOINE_OK)
        rc = koine_request_set_document(request, document, strlen(document));
    if (rc == KOINE_OK)
        rc = koine_request_set(request, "messages", list);
    if (rc == KOINE_OK)
        rc = koine__request_text(request, &text, &len);
    document[strlen(document) - 1] = '\0';
    if (rc == KOINE_OK) {
        CU_ASSERT_EQUAL(strncmp(text, document, strlen(document)), 0);
        CU_ASSERT_PTR_NOT_NULL(strstr(text, list));
    }
    koine_request_free(request);
    return rc;
}

static void fail_each(int (*work)(void))
{
    for (long n = 1;; n++) {
        failalloc_begin(n);
        int rc = work();
        if (!failalloc_end()) {
            ASSERT_INT(rc, KOINE_OK);
            break;
        }
        ASSERT_INT(rc, KOINE_EMEMORY);
    }
}

static void failing_allocations(void)
{
    fail_each(build_and_read);
    fail_each(change_a_large_one);
}

/* Making the text changes nothing, so a failure of it does not stick. */
static void text_without_memory(void)
{
    const char *text = NULL;
    size_t len = 0;
    koine_request *request = make();
    koine_request_message(request, "user", "Hi");
    failalloc_begin(1);
    ASSERT_INT(koine__request_text(request, &text, &len), KOINE_EMEMORY);
    CU_ASSERT_TRUE(failalloc_end());
    CU_ASSERT_PTR_NULL(text);
    expect(request, "{\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}");
    koine_request_free(request);
}

SUITE_MAIN("request", {"empty", empty}, {"messages", messages}, {"parts", parts},
           {"parts need a message", parts_need_a_message}, {"appended", appended},
           {"append takes one object", append_takes_one_object}, {"tools", tools}, {"members", members},
           {"lists as wholes", lists_as_wholes}, {"lists are lists", lists_are_lists},
           {"long text", long_text}, {"given as it is", given_as_it_is},
           {"given and changed", given_and_changed}, {"given and added to", given_and_added_to},
           {"given wrong and changed", given_wrong_and_changed},
           {"given replaces what was built", given_replaces_what_was_built},
           {"failures stick", failures_stick}, {"without a request", without_a_request}, {"options", options},
           {"keeps its canceller", keeps_its_canceller}, {"failing allocations", failing_allocations},
           {"text without memory", text_without_memory})
