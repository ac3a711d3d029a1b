/* log: levels, what stands in every line, one at a time, hidden keys, and a sink that calls back in. */
#include "core/base/log.h"

#include "tests/unit/failalloc.h"
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
    KOINE__LOG(seen->log, KOINE__LOG_ERROR, "inside", koine__log_int("n", 1));
    __atomic_sub_fetch(&seen->at_once, 1, __ATOMIC_SEQ_CST);
}

static int evaluated, looked; /* fields that were evaluated; looks at the clock: lines that were begun */

static int evaluate(void)
{
    return ++evaluated;
}

static int64_t wall(void *arg)
{
    (void)arg;
    looked++;
    return INT64_C(1735732800250999999); /* 2025-01-01T12:00:00.250999999Z */
}
static const struct koine__clock noon = {.wall = wall};
#define AT "at=2025-01-01T12:00:00.250Z "

static void begin(struct koine__log *log, int level, struct seen *seen)
{
    evaluated = looked = 0;
    koine__log_init(log);
    koine__log_set_clock(log, &noon);
    if (seen)
        koine__log_set(log, level, sink, seen);
}
#define SAY(log, level) KOINE__LOG(log, KOINE__LOG_##level, "retry", koine__log_int("n", evaluate()))

/* What nobody wants to hear is neither evaluated nor written, and takes no lock: this one is held. */
static void test_levels(void)
{
    struct koine__log log;
    struct seen seen = {0};
    begin(&log, 0, NULL);
    SAY(&log, ERROR);
    koine__log_set(&log, KOINE__LOG_WARNING, sink, &seen);
    pthread_mutex_lock(&log.mutex);
    SAY(&log, INFO);
    pthread_mutex_unlock(&log.mutex);
    ASSERT_INT(evaluated, 0);
    ASSERT_INT(looked, 0);
    SAY(&log, WARNING);
    ASSERT_INT(evaluated, 1);
    ASSERT_INT(looked, 1);
    ASSERT_STR(seen.line, AT "level=warning event=retry n=1");
    ASSERT_INT(seen.level, KOINE__LOG_WARNING);
    koine__log_write(&log, KOINE__LOG_DEBUG, "unwanted", &(struct koine__field){.name = NULL});
    ASSERT_INT(seen.count, 1);
    koine__log_set(&log, KOINE__LOG_DEBUG, NULL, NULL);
    SAY(&log, ERROR);
    ASSERT_INT(evaluated, 1);
    koine__log_release(&log);
}

static void test_no_log(void)
{
    struct koine__log *none = NULL;
    evaluated = 0;
    SAY(none, ERROR);
    koine__log_write(none, KOINE__LOG_ERROR, "x", &(struct koine__field){.name = NULL});
    CU_ASSERT_FALSE(koine__log_wants_content(none));
    ASSERT_INT(evaluated, 0);
}

static void test_at_least(void)
{
    struct koine__log log;
    struct seen seen = {0};
    begin(&log, KOINE__LOG_ERROR, &seen);
    koine__log_at_least(&log, KOINE__LOG_INFO);
    SAY(&log, INFO);
    koine__log_at_least(&log, -1);
    SAY(&log, INFO);
    ASSERT_INT(seen.count, 1);
    koine__log_release(&log);
}

static void test_formats(void)
{
    struct koine__log log;
    struct seen seen = {0};
    begin(&log, KOINE__LOG_DEBUG, &seen);
    koine__log_set_json(&log, true);
    SAY(&log, DEBUG);
    ASSERT_STR(seen.line,
               "{\"at\":\"2025-01-01T12:00:00.250Z\",\"level\":\"debug\",\"event\":\"retry\",\"n\":1}");
    koine__log_set_json(&log, false);
    KOINE__LOG(&log, KOINE__LOG_ERROR, "plugin", koine__log_text("message", "a\nb\x1b[31m\r"));
    ASSERT_STR(seen.line, AT "level=error event=plugin message=\"a\\nb\\u001b[31m\\r\"");
    koine__log_release(&log);
}

static void test_content(void)
{
    struct koine__log log;
    struct seen seen = {0};
    begin(&log, KOINE__LOG_DEBUG, &seen);
    CU_ASSERT_FALSE(koine__log_wants_content(&log));
    koine__log_set_content(&log, true);
    CU_ASSERT_TRUE(koine__log_wants_content(&log));
    koine__log_set(&log, KOINE__LOG_WARNING, sink, &seen);
    CU_ASSERT_FALSE(koine__log_wants_content(&log));
    koine__log_release(&log);
}

static void test_from_inside(void)
{
    struct koine__log log;
    struct seen seen = {.log = &log};
    begin(&log, KOINE__LOG_DEBUG, &seen);
    CU_ASSERT_FALSE(koine__log_is_inside());
    SAY(&log, INFO);
    CU_ASSERT_TRUE(seen.inside);
    CU_ASSERT_FALSE(koine__log_is_inside());
    ASSERT_INT(seen.count, 1);
    ASSERT_STR(seen.line, AT "level=info event=retry n=1");
    koine__log_release(&log);
}

/* ---- keys ---- */

static struct koine__secret *secret(const char *text)
{
    struct koine__secret *key = koine__secret_new(text, strlen(text));
    CU_ASSERT_PTR_NOT_NULL_FATAL(key);
    return key;
}

static const char *say(struct koine__log *log, struct seen *seen, const char *text)
{
    KOINE__LOG(log, KOINE__LOG_INFO, "x", koine__log_text("a", text));
    const char *value = strstr(seen->line, " a=");
    return value ? value + 3 : "";
}

static void test_hidden_keys(void)
{
    struct koine__log log;
    struct seen seen = {0};
    struct koine__secret *keys[] = {secret("old-key-1"), secret("old-key-2"), secret("short")};
    struct koine__secret *fresh[] = {secret("new-key-1"), secret("new-key-1")};
    begin(&log, KOINE__LOG_INFO, &seen);
    ASSERT_INT(koine__log_hide(&log, keys, 3), KOINE_OK);
    ASSERT_STR(say(&log, &seen, "old-key-1,old-key-2,short,new-key-1"), "***,***,short,new-key-1");
    koine__secret_unref(keys[1]); /* nobody needs it any more; the first one is still of use */
    koine__secret_unref(keys[2]);
    ASSERT_INT(koine__log_hide(&log, fresh, 2), KOINE_OK);
    ASSERT_STR(say(&log, &seen, "old-key-1,old-key-2,short,new-key-1"), "***,old-key-2,short,***");
    ASSERT_INT((long long)log.hidden.count, 2);
    koine__secret_unref(keys[0]);
    koine__secret_unref(fresh[0]);
    koine__secret_unref(fresh[1]);
    ASSERT_INT(koine__log_hide(&log, NULL, 0), KOINE_OK);
    ASSERT_INT((long long)log.hidden.count, 0);
    koine__log_release(&log);
}

static void test_hiding_without_memory(void)
{
    struct koine__log log;
    struct seen seen = {0};
    struct koine__secret *keys[] = {secret("old-key-1"), secret("new-key-1")};
    begin(&log, KOINE__LOG_INFO, &seen);
    ASSERT_INT(koine__log_hide(&log, keys, 1), KOINE_OK);
    failalloc_begin(1);
    ASSERT_INT(koine__log_hide(&log, keys + 1, 1), KOINE_EMEMORY);
    CU_ASSERT_TRUE(failalloc_end());
    ASSERT_STR(say(&log, &seen, "old-key-1,new-key-1"), "***,new-key-1");
    koine__log_release(&log);
    koine__secret_unref(keys[0]);
    koine__secret_unref(keys[1]);
}

/* ---- threads ---- */

static void *write_many(void *arg)
{
    for (int i = 0; i < 500; i++)
        KOINE__LOG((struct koine__log *)arg, KOINE__LOG_INFO, "x", koine__log_int("i", i));
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

SUITE_MAIN("log", {"levels", test_levels}, {"no log", test_no_log}, {"at least", test_at_least},
           {"formats", test_formats}, {"content", test_content}, {"from inside", test_from_inside},
           {"hidden keys", test_hidden_keys}, {"hiding without memory", test_hiding_without_memory},
           {"threads", test_threads})
