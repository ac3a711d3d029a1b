/* Desks: one is kept, and what stood on it ends. */
#include "core/engine/desk.h"
#include "tests/unit/failalloc.h"
#include "tests/unit/suite.h"

#include <koine/koine.h>
#include <string.h>

static struct koine__desks desks;
static int owner;

static struct koine__desk *take(const char *instance)
{
    const struct koine__host_env env = {.instance = instance};
    return koine__desk_take(&desks, &env, &owner);
}

static void is_taken_again(void)
{
    failalloc_begin(0);
    struct koine__desk *desk = take("a");
    CU_ASSERT_PTR_NOT_NULL_FATAL(desk);
    CU_ASSERT_PTR_EQUAL(desk->owner, &owner);
    ASSERT_STR(desk->host.env.instance, "a");
    CU_ASSERT_PTR_NOT_NULL(desk->host.pub.alloc(&desk->host.pub, 1000));
    koine__out_init(&desk->out, &desk->arena, "http://a.test", 1000);
    desk->out.pub.str(&desk->out.pub, NULL, (koine_str){"text", 4});
    desk->job.answer = 7;
    koine__desk_put_back(&desks, desk);
    CU_ASSERT_PTR_EQUAL(take("b"), desk);
    ASSERT_STR(desk->host.env.instance, "b");
    ASSERT_INT(desk->arena.used, 0);
    ASSERT_INT(desk->job.answer, 0);
    ASSERT_INT(failalloc_held(), 2); /* it and its first block */
    koine__desk_put_back(&desks, desk);
    koine__desks_release(&desks);
    CU_ASSERT_PTR_NULL(desks.spare);
    CU_ASSERT_FALSE(failalloc_end());
}

/* While an answer is waited for others work, each at its own. */
static void are_as_many_as_are_needed(void)
{
    failalloc_begin(0);
    struct koine__desk *first = take("a"), *second = take("b");
    CU_ASSERT_TRUE_FATAL(first && second && first != second);
    ASSERT_STR(first->host.env.instance, "a");
    koine__desk_put_back(&desks, second);
    koine__desk_put_back(&desks, first);
    koine__desk_put_back(&desks, NULL);
    ASSERT_INT(failalloc_held(), 1);
    koine__desks_release(&desks);
    koine__desks_release(&desks);
    CU_ASSERT_FALSE(failalloc_end());
}

static void needs_memory(void)
{
    failalloc_begin(1);
    CU_ASSERT_PTR_NULL(take("a"));
    CU_ASSERT_TRUE(failalloc_end());
}

SUITE_MAIN("desk", {"is taken again", is_taken_again},
           {"are as many as are needed", are_as_many_as_are_needed}, {"needs memory", needs_memory})
