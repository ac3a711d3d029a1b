/* test_index: texts of a document by what they say. */
#include "core/dialect/dialect.h"
#include "core/plugin/host.h"
#include "core/wire/json.h"
#include "tests/unit/suite.h"

#include <stdio.h>

static struct koine__arena arena;
static struct koine__host host;

static void begin(void)
{
    koine__arena_init(&arena, 0);
    koine__host_init(&host, &(struct koine__host_env){.arena = &arena});
}

static void finds_the_latest(void)
{
    struct koine__dialect_index index;
    begin();
    ASSERT_INT(koine__dialect_index_init(&host.pub, &index, 4), KOINE_DONE);
    ASSERT_INT(koine__dialect_index_find(&index, koine__str("a")), 0);
    ASSERT_INT(koine__dialect_index_add(&index, koine__str("a")), 1);
    ASSERT_INT(koine__dialect_index_add(&index, koine__str("b")), 2);
    ASSERT_INT(koine__dialect_index_add(&index, koine__str("a")), 3);
    ASSERT_INT(koine__dialect_index_add(&index, koine__str("")), 4);
    ASSERT_INT(koine__dialect_index_find(&index, koine__str("a")), 3);
    ASSERT_INT(koine__dialect_index_older(&index, 3), 1);
    ASSERT_INT(koine__dialect_index_older(&index, 1), 0);
    ASSERT_INT(koine__dialect_index_find(&index, koine__str("b")), 2);
    ASSERT_INT(koine__dialect_index_find(&index, koine__str("")), 4);
    ASSERT_INT(koine__dialect_index_find(&index, koine__str("ab")), 0);
    koine__arena_release(&arena);
}

static void finds_each_of_many(void)
{
    static char keys[5000][8];
    struct koine__dialect_index index;
    begin();
    ASSERT_INT(koine__dialect_index_init(&host.pub, &index, 5000), KOINE_DONE);
    for (size_t i = 0; i < 5000; i++) {
        snprintf(keys[i], sizeof(keys[i]), "k%zu", i);
        koine__dialect_index_add(&index, koine__str(keys[i]));
    }
    size_t right = 0;
    for (size_t i = 0; i < 5000; i++)
        right += koine__dialect_index_find(&index, koine__str(keys[i])) == i + 1;
    ASSERT_INT(right, 5000);
    koine__arena_release(&arena);
}

#define CALL(id, name) "{\"id\":\"" id "\",\"function\":{\"name\":\"" name "\"}}"
#define MESSAGES                                                                                             \
    "[{\"tool_calls\":[" CALL("x", "f") "," CALL("y", "g") "]},{\"role\":\"tool\"},{\"tool_calls\":[" CALL(  \
        "x", "h") "]},7]"

static const char *name_of(const koine_node *messages, size_t before, const char *id)
{
    static char text[8];
    struct koine__dialect_calls calls = {.most = 0};
    const koine_node *name = NULL;
    ASSERT_INT(koine__dialect_call_name(&host.pub, messages, before, koine__str(id), &calls, &name),
               KOINE_DONE);
    koine_str found = host.pub.str(name);
    snprintf(text, sizeof(text), "%.*s", (int)found.len, found.ptr ? found.ptr : "");
    return text;
}

static void names_calls(void)
{
    const koine_node *messages = NULL;
    begin();
    ASSERT_INT(koine__json_read(koine__str(MESSAGES), &arena, &messages, NULL), KOINE_OK);
    ASSERT_STR(name_of(messages, 1, "x"), "f");
    ASSERT_STR(name_of(messages, 2, "x"), "f");
    ASSERT_STR(name_of(messages, 3, "x"), "h");
    ASSERT_STR(name_of(messages, SIZE_MAX, "y"), "g");
    ASSERT_STR(name_of(messages, 0, "x"), "");
    ASSERT_STR(name_of(messages, 4, "z"), "");
    ASSERT_STR(name_of(messages, 4, ""), "");
    koine__arena_release(&arena);
}

static void *no_memory(const koine_host *pub, size_t size)
{
    (void)pub, (void)size;
    return NULL;
}

static void tells_of_no_memory(void)
{
    struct koine__dialect_index index;
    struct koine__dialect_calls calls = {.most = 0};
    const koine_node *messages = NULL, *name = NULL;
    begin();
    koine__json_read(koine__str(MESSAGES), &arena, &messages, NULL);
    host.pub.alloc = no_memory;
    ASSERT_INT(koine__dialect_index_init(&host.pub, &index, 1), KOINE_NO_MEMORY);
    ASSERT_INT(koine__dialect_call_name(&host.pub, messages, 4, koine__str("x"), &calls, &name),
               KOINE_NO_MEMORY);
    CU_ASSERT_PTR_NULL(name);
    koine__arena_release(&arena);
}

SUITE_MAIN("index", {"finds the latest", finds_the_latest}, {"finds each of many", finds_each_of_many},
           {"names calls", names_calls}, {"tells of no memory", tells_of_no_memory})
