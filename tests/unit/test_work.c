/* The library's own time, shared out to calls. */
#include "core/engine/work.h"

#include "tests/unit/suite.h"

static void of_one_call(void)
{
    struct koine__work work = {0};
    koine__work_enter(&work, 100);
    int64_t begun = koine__work_begin(&work, 130); /* 30 to read its document */
    koine__work_leave(&work, 150);
    koine__work_enter(&work, 1000); /* 850 waiting */
    ASSERT_INT(koine__work_end(&work, 1007, begun), 30 + 20 + 7);
    koine__work_leave(&work, 1100);
    ASSERT_INT(work.calls, 0);
}

static void of_two_calls(void)
{
    struct koine__work work = {0};
    koine__work_enter(&work, 0);
    int64_t first = koine__work_begin(&work, 10);
    int64_t second = koine__work_begin(&work, 14); /* the four before are its own */
    koine__work_leave(&work, 20);                  /* six for both */
    koine__work_enter(&work, 50);
    ASSERT_INT(koine__work_end(&work, 60, first), 10 + 3 + 5);
    ASSERT_INT(koine__work_end(&work, 67, second), 4 + 3 + 5 + 7);
    koine__work_leave(&work, 70);
}

/* A call that is started and ended outside, as a canceller may, or under a clock that stands still. */
static void of_nothing(void)
{
    struct koine__work work = {0};
    int64_t begun = koine__work_begin(&work, 5);
    ASSERT_INT(koine__work_end(&work, 500, begun), 0);
    koine__work_enter(&work, 600);
    begun = koine__work_begin(&work, 600);
    ASSERT_INT(koine__work_end(&work, 590, begun), 0); /* no time runs backwards */
}

SUITE_MAIN("work", {"of one call", of_one_call}, {"of two calls", of_two_calls}, {"of nothing", of_nothing})
