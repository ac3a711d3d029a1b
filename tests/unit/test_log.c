/* log: levels, one line at a time, and a sink that calls back in. */
#include "core/base/log.h"

#include "core/base/str.h"
#include "tests/unit/suite.h"
#include <pthread.h>
#include <stdio.h>
#include <string.h>

struct seen {
    struct koine__log *log;
    int count, level, at_once, most_at_once;
    bool inside;
    char line[4096];
};

static void sink(void *user, int level, const char *line)
{
    struct seen *seen = user;
    int now = __atomic_add_fetch(&seen->at_once, 1, __ATOMIC_SEQ_CST);
    seen->most_at_once = now > seen->most_at_once ? now : seen->most_at_once;
    seen->count++;
    seen->level = level;
    seen->inside = koine__log_is_inside();
    snprintf(seen->line, sizeof(seen->line), "%s", line);
    KOINE__LOG(seen->log, KOINE__LOG_ERROR, "from inside");
    __atomic_sub_fetch(&seen->at_once, 1, __ATOMIC_SEQ_CST);
}

static int evaluated;

static int evaluate(void)
{
    return ++evaluated;
}

static void test_levels(void)
{
    struct koine__log log;
    struct seen seen = {0};
    koine__log_init(&log);
    evaluated = 0;
    KOINE__LOG(&log, KOINE__LOG_ERROR, "n=%d", evaluate());
    koine__log_set(&log, KOINE__LOG_WARNING, sink, &seen);
    KOINE__LOG(&log, KOINE__LOG_INFO, "n=%d", evaluate());
    ASSERT_INT(evaluated, 0);
    KOINE__LOG(&log, KOINE__LOG_WARNING, "event=retry n=%d", evaluate());
    ASSERT_INT(evaluated, 1);
    ASSERT_STR(seen.line, "event=retry n=1");
    ASSERT_INT(seen.level, KOINE__LOG_WARNING);
    koine__log_write(&log, KOINE__LOG_DEBUG, "not wanted");
    ASSERT_INT(seen.count, 1);
    koine__log_set(&log, KOINE__LOG_DEBUG, NULL, NULL);
    KOINE__LOG(&log, KOINE__LOG_ERROR, "n=%d", evaluate());
    ASSERT_INT(evaluated, 1);
    koine__log_release(&log);
}

static void test_no_log(void)
{
    struct koine__log *none = NULL;
    evaluated = 0;
    KOINE__LOG(none, KOINE__LOG_ERROR, "n=%d", evaluate());
    koine__log_write(none, KOINE__LOG_ERROR, "x");
    ASSERT_INT(evaluated, 0);
}

static void test_from_inside(void)
{
    struct koine__log log;
    struct seen seen = {.log = &log};
    koine__log_init(&log);
    koine__log_set(&log, KOINE__LOG_DEBUG, sink, &seen);
    CU_ASSERT_FALSE(koine__log_is_inside());
    KOINE__LOG(&log, KOINE__LOG_INFO, "outer");
    CU_ASSERT_TRUE(seen.inside);
    CU_ASSERT_FALSE(koine__log_is_inside());
    ASSERT_INT(seen.count, 1);
    ASSERT_STR(seen.line, "outer");
    koine__log_release(&log);
}

static void test_one_line(void)
{
    struct koine__log log;
    struct seen seen = {0};
    koine__log_init(&log);
    koine__log_set(&log, KOINE__LOG_DEBUG, sink, &seen);
    KOINE__LOG(&log, KOINE__LOG_INFO, "a\nb\x1b[31m%s", "\r");
    ASSERT_STR(seen.line, "a b [31m ");
    koine__log_release(&log);
}

/* Wherever the end of the longest line falls into a character, the line stays valid. */
static void test_cut_at_a_character(void)
{
    struct koine__log log;
    struct seen seen = {0};
    koine__log_init(&log);
    koine__log_set(&log, KOINE__LOG_DEBUG, sink, &seen);
    for (int before = 2040; before < 2050; before++) {
        KOINE__LOG(&log, KOINE__LOG_INFO, "%0*d\xF0\x9F\x98\x80\xE2\x82\xAC\xC3\xA4", before, 0);
        CU_ASSERT_TRUE(koine__utf8_valid(seen.line, strlen(seen.line)));
        CU_ASSERT_TRUE(strlen(seen.line) >= 2040 && strlen(seen.line) < 2048);
    }
    koine__log_release(&log);
}

static void *write_many(void *arg)
{
    for (int i = 0; i < 500; i++)
        KOINE__LOG((struct koine__log *)arg, KOINE__LOG_INFO, "i=%d", i);
    return NULL;
}

static void test_threads(void)
{
    struct koine__log log;
    struct seen seen = {0};
    pthread_t threads[4];
    koine__log_init(&log);
    koine__log_set(&log, KOINE__LOG_DEBUG, sink, &seen);
    for (size_t i = 0; i < 4; i++)
        ASSERT_INT(pthread_create(&threads[i], NULL, write_many, &log), 0);
    for (size_t i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    ASSERT_INT(seen.count, 2000);
    ASSERT_INT(seen.most_at_once, 1);
    koine__log_release(&log);
}

SUITE_MAIN("log", {"levels", test_levels}, {"no log", test_no_log}, {"from inside", test_from_inside},
           {"one line", test_one_line}, {"cut at a character", test_cut_at_a_character},
           {"threads", test_threads})
