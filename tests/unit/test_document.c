/* Documents, and as each target wants them. */
#include "core/engine/document.h"

#include "tests/unit/failalloc.h"
#include "tests/unit/suite.h"
#include <string.h>

static const char TEXT[] = " {\"messages\":[ ],\"temperature\":0.70,\"top_p\":1e0,\"a\\u0062\":2}\n";
static const struct koine__member members[] = {
    {"temperature", "0.10"}, {"top_p", NULL}, {"seed", "7"}, {"ab", "3"}};

static struct koine__document *read(const char *text)
{
    struct koine__document *document = NULL;
    koine_error *error = NULL;
    ASSERT_INT(koine__document_read(koine__str(text), &document, &error), KOINE_OK);
    CU_ASSERT_PTR_NULL(error);
    CU_ASSERT_PTR_NOT_NULL_FATAL(document);
    return document;
}

static koine_str source(struct koine__document *document, const struct koine__target *target, size_t index)
{
    struct koine__version *version = NULL;
    ASSERT_INT(koine__document_for(document, target, index, &version), KOINE_OK);
    CU_ASSERT_PTR_NOT_NULL_FATAL(version);
    return koine__node_source(version->root);
}

static void keeps_a_copy(void)
{
    char text[] = "{\"a\":1}";
    struct koine__document *document = read(text);
    memset(text, 'x', sizeof(text));
    ASSERT_INT(koine__node_num(koine__node_get(document->root, "a"), 0), 1);
    koine__document_free(document);
    koine__document_free(NULL);
}

static void what_is_no_document(void)
{
    static const char *const table[][2] = {
        {"", "document:1:1: "},
        {"[]", "document:1:1: is not a JSON object; write {\"messages\": [...]}"},
        {"7", "document:1:1: is not a JSON object; write {\"messages\": [...]}"},
        {"{\"a\":\n  x}", "document:2:3: "},
        {"{\"a\":1,\"a\":2}", "document:1:8: "},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct koine__document *document = NULL;
        koine_error *error = NULL;
        ASSERT_INT(koine__document_read(koine__str(table[i][0]), &document, &error), KOINE_EARGUMENT);
        CU_ASSERT_PTR_NULL(document);
        CU_ASSERT(strncmp(koine_error_message(error), table[i][1], strlen(table[i][1])) == 0);
        koine_error_free(error);
        ASSERT_INT(koine__document_read(koine__str(table[i][0]), &document, NULL), KOINE_EARGUMENT);
    }
}

static void changes(void)
{
    static const struct koine__target plain = {.text = "t/a"};
    static const struct koine__target changed = {.text = "t/b", .members = members, .member_count = 4};
    struct koine__document *document = read(TEXT);
    koine_str text = source(document, &plain, 0);
    ASSERT_MEM(text.ptr, text.len, "{\"messages\":[ ],\"temperature\":0.70,\"top_p\":1e0,\"a\\u0062\":2}");
    text = source(document, &changed, 3);
    ASSERT_MEM(text.ptr, text.len, "{\"messages\":[ ],\"temperature\":0.10,\"seed\":7,\"ab\":3}");
    koine_str again = source(document, &changed, 3);
    CU_ASSERT_PTR_EQUAL(again.ptr, text.ptr); /* made once */
    text = source(document, &changed, 5);
    ASSERT_MEM(text.ptr, text.len, "{\"messages\":[ ],\"temperature\":0.10,\"seed\":7,\"ab\":3}");
    again = source(document, &changed, 3);
    ASSERT_MEM(again.ptr, again.len, "{\"messages\":[ ],\"temperature\":0.10,\"seed\":7,\"ab\":3}");
    koine__document_free(document);
}

static void no_document(void)
{
    static const struct koine__target changed = {.text = "t/b", .members = members, .member_count = 4};
    struct koine__version other, *version = &other;
    ASSERT_INT(koine__document_for(NULL, &changed, 0, &version), KOINE_OK);
    CU_ASSERT_PTR_NULL(version);
}

static void options(void)
{
    static const char *const pairs[] = {"organization", "o", "project", "p", NULL};
    struct koine__instance instance = {.options = pairs};
    ASSERT_STR(koine__instance_option(&instance, "organization"), "o");
    ASSERT_STR(koine__instance_option(&instance, "project"), "p");
    ASSERT_STR(koine__instance_option(&instance, "o"), NULL);
    instance.options = NULL;
    ASSERT_STR(koine__instance_option(&instance, "project"), NULL);
    ASSERT_STR(koine__instance_option(NULL, "project"), NULL);
}

/* Long enough for more than one block of an arena. */
static void no_memory(void)
{
    static const struct koine__target changed = {.text = "t/b", .members = members, .member_count = 4};
    static char text[20000];
    memset(text, 'x', sizeof(text) - 1);
    memcpy(text, "{\"a\":\"", 6);
    memcpy(text + sizeof(text) - 3, "\"}", 2);
    for (long n = 1;; n++) {
        struct koine__document *document = NULL;
        struct koine__version *version = NULL;
        koine_error *error = NULL;
        failalloc_begin(n);
        int rc = koine__document_read(koine__str(text), &document, &error);
        if (rc == KOINE_OK)
            rc = koine__document_for(document, &changed, 2, &version);
        koine__document_free(document);
        koine_error_free(error);
        if (!failalloc_end())
            break;
        ASSERT_INT(rc, KOINE_EMEMORY);
    }
}

/* Whoever looks into a source writes into it, so it is one user's as long as documents have it. */
static void a_source_is_lent(void)
{
    static const int one, other;
    struct koine__source *source = NULL;
    struct koine__document *first = NULL, *second = NULL;
    ASSERT_INT(koine__source_read(KOINE__STR("{\"a\":1}"), &source, NULL), KOINE_OK);
    CU_ASSERT_TRUE(koine__source_lend(source, &one));
    ASSERT_INT(koine__document_new(source, &first), KOINE_OK);
    CU_ASSERT_TRUE(koine__source_lend(source, &one));
    ASSERT_INT(koine__document_new(source, &second), KOINE_OK);
    CU_ASSERT_PTR_EQUAL(first->root, second->root);
    CU_ASSERT_FALSE(koine__source_lend(source, &other));
    koine__document_free(first);
    CU_ASSERT_FALSE(koine__source_lend(source, &other));
    koine__document_free(second);
    CU_ASSERT_TRUE(koine__source_lend(source, &other));
    ASSERT_INT(koine__document_new(source, &first), KOINE_OK);
    koine__source_unref(source); /* the document holds it */
    ASSERT_INT(koine__node_num(koine__node_get(first->root, "a"), 0), 1);
    koine__document_free(first);
}

/* What memory was too short for once is read again. */
static void a_source_that_failed(void)
{
    struct koine__source *source = NULL;
    char text[4096] = "{\"a\":[";
    size_t len = strlen(text);
    while (len < sizeof(text) - 4) {
        memcpy(text + len, "1,", 2);
        len += 2;
    }
    memcpy(text + len - 1, "]}", 3);
    ASSERT_INT(koine__source_read(koine__str(text), &source, NULL), KOINE_OK);
    struct koine__document *document = NULL;
    ASSERT_INT(koine__document_new(source, &document), KOINE_OK);
    failalloc_begin(1);
    koine__node_count(koine__node_get(document->root, "a"));
    CU_ASSERT_TRUE(failalloc_end());
    CU_ASSERT_FALSE(koine__source_lend(source, NULL));
    koine__document_free(document);
    koine__source_unref(source);
}

/* What is no request is refused with its place, before anybody is asked. */
static void shapes(void)
{
    static const struct {
        const char *text, *wrong;
    } rows[] = {
        {"{\"messages\":[]}", ""},
        {"{\"messages\":[{\"role\":\"user\"}],\"n\":1,\"koine\":{\"a\":1}}", ""},
        {"{}", "document:1:1: there are no `messages`; write [{\"role\": \"user\", \"content\": \"…\"}]"},
        {"{\n \"messages\": \"x\"}",
         "document:2:14: `messages` is not a list; write [{\"role\": \"user\", \"content\": \"…\"}]"},
        {"{\"messages\":[1]}", "document:1:14: a message is an object with `role` and `content`"},
        {"{\"messages\":[{}]}",
         "document:1:14: a message needs a `role`: system, developer, user, assistant or tool"},
        {"{\"messages\":[{\"role\":5}]}",
         "document:1:22: a message needs a `role`: system, developer, user, assistant or tool"},
        {"{\"messages\":[],\"n\":2}",
         "document:1:20: `n` is above 1; a call gives one answer, so make one call for each"},
        {"{\"messages\":[],\"koine\":5}", "document:1:24: `koine` is not an object"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct koine__document *document = NULL;
        koine_error *error = NULL;
        CU_ASSERT_EQUAL_FATAL(koine__document_read(koine__str(rows[i].text), &document, &error), KOINE_OK);
        int rc = koine__document_check(document, &error);
        ASSERT_INT(rc, rows[i].wrong[0] ? KOINE_EARGUMENT : KOINE_OK);
        ASSERT_STR(error ? koine_error_message(error) : "", rows[i].wrong);
        koine_error_free(error);
        koine__document_free(document);
    }
}

SUITE_MAIN("document", {"a source is lent", a_source_is_lent}, {"a source that failed", a_source_that_failed},
           {"shapes", shapes}, {"keeps a copy", keeps_a_copy}, {"what is no document", what_is_no_document},
           {"changes", changes}, {"no document", no_document}, {"options of an instance", options},
           {"no memory", no_memory})
