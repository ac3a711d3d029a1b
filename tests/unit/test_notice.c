/* What the hub's witness makes of happenings. */
#include "core/hub/hub.h"

#include "core/base/mem.h"
#include "tests/unit/failalloc.h"
#include "tests/unit/suite.h"
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WALL (INT64_C(1735732800) * KOINE__SEC)

static koine_hub *hub;
static int64_t now;
static char lines[1 << 16];

static int64_t read_now(void *arg)
{
    (void)arg;
    return now;
}

static int64_t read_wall(void *arg)
{
    (void)arg;
    return WALL + now;
}

static const struct koine__clock virtual_clock = {.now = read_now, .wall = read_wall};

static void sink(void *user, int level, const char *line)
{
    size_t len = strlen(lines);
    (void)user;
    snprintf(lines + len, sizeof(lines) - len, "%d %s\n", level, line);
}

static void begin(void)
{
    now = 5 * KOINE__SEC;
    lines[0] = '\0';
    CU_ASSERT_FATAL(koine_hub_new(&hub, NULL) == KOINE_OK);
    koine__hub_set_world(hub, &(struct koine__world){.clock = &virtual_clock});
    koine_hub_set_log(hub, 2, sink, NULL);
}

static void finish(void)
{
    koine_hub_free(hub);
    hub = NULL;
}

static void happen(enum koine__happening_kind kind, const char *instance, const char *why)
{
    hub->notices.witness.saw(&hub->notices.witness, &(struct koine__happening){
                                                        .kind = kind,
                                                        .instance = instance,
                                                        .model = "",
                                                        .class_number = KOINE_CLASS_SERVER,
                                                        .now = now,
                                                        .until = now + 30 * KOINE__SEC,
                                                        .why = why,
                                                    });
}

static koine_notice *next_notice(void)
{
    koine_notice *notice = NULL;
    int rc = koine_hub_next_notice(hub, &notice);
    CU_ASSERT_TRUE(rc == 0 || rc == 1);
    return rc == 1 ? notice : NULL;
}

/* "breaker_opened together x1: why", and it is freed; "" for none. */
static const char *told(void)
{
    static char text[512];
    koine_notice *notice = next_notice();
    text[0] = '\0';
    if (notice)
        snprintf(text, sizeof(text), "%s %s x%lld: %s", koine_notice_kind_name(notice),
                 koine_notice_instance(notice), (long long)koine_notice_count(notice),
                 koine_notice_message(notice));
    koine_notice_free(notice);
    return text;
}

static void says_all(void)
{
    begin();
    hub->notices.witness.saw(&hub->notices.witness, &(struct koine__happening){
                                                        .kind = KOINE__HAPPENED_LATCHED,
                                                        .instance = "together",
                                                        .model = "m",
                                                        .class_number = KOINE_CLASS_MODEL_GONE,
                                                        .now = now,
                                                        .until = now + 300 * KOINE__SEC,
                                                        .why = "no such model",
                                                    });
    koine_notice *notice = next_notice();
    CU_ASSERT_PTR_NOT_NULL_FATAL(notice);
    ASSERT_INT(koine_notice_kind(notice), 5);
    ASSERT_STR(koine_notice_kind_name(notice), "latched");
    ASSERT_STR(koine_notice_instance(notice), "together");
    ASSERT_STR(koine_notice_model(notice), "m");
    ASSERT_INT(koine_notice_class(notice), KOINE_CLASS_MODEL_GONE);
    ASSERT_STR(koine_notice_message(notice), "no such model");
    ASSERT_INT(koine_notice_count(notice), 1);
    ASSERT_INT(koine_notice_at_ms(notice), 1735732805000);
    ASSERT_INT(koine_notice_until_ms(notice), 1735733105000);
    koine_notice_free(notice);
    CU_ASSERT_PTR_NULL(next_notice());
    ASSERT_STR(lines,
               "1 at=2025-01-01T12:00:05.000Z level=warning event=notice kind=latched instance=together "
               "model=m class=model_gone repeated=0 message=\"no such model\"\n");
    finish();
}

static void of_nothing(void)
{
    koine_notice *notice = NULL;
    ASSERT_STR(koine_notice_kind_name(NULL), "unknown");
    ASSERT_STR(koine_notice_message(NULL), "");
    ASSERT_INT(koine_notice_until_ms(NULL), -1);
    koine_notice_free(NULL);
    ASSERT_INT(koine_hub_next_notice(NULL, &notice), KOINE_EARGUMENT);
    begin();
    ASSERT_INT(koine_hub_next_notice(hub, NULL), KOINE_EARGUMENT);
    happen((enum koine__happening_kind)99, "x", "a kind that nobody knows");
    hub->notices.witness.saw(&hub->notices.witness, &(struct koine__happening){
                                                        .kind = KOINE__HAPPENED_PAUSED,
                                                        .now = now,
                                                        .until = KOINE__NEVER,
                                                    });
    notice = next_notice();
    ASSERT_STR(koine_notice_message(notice), "");
    ASSERT_INT(koine_notice_until_ms(notice), -1);
    koine_notice_free(notice);
    CU_ASSERT_PTR_NULL(next_notice());
    finish();
}

static void collapses_refusals(void)
{
    begin();
    for (int i = 0; i < 1000; i++) {
        char why[64];
        snprintf(why, sizeof(why), "the queue is full: %d wait", 200 + i % 3);
        happen(KOINE__HAPPENED_REFUSED, "together", why);
        snprintf(why, sizeof(why), "openai2 is not let in (%s at least)", i % 2 ? "20s" : "999ms");
        happen(KOINE__HAPPENED_REFUSED, "openai2", why);
        happen(KOINE__HAPPENED_REFUSED, "together", "the breaker is open");
    }
    now += KOINE__SEC;
    happen(KOINE__HAPPENED_REFUSED, "together", "the queue is full: 9 wait");
    ASSERT_STR(told(), "refused together x1000: the queue is full: 200 wait");
    ASSERT_STR(told(), "refused openai2 x1000: openai2 is not let in (999ms at least)");
    ASSERT_STR(told(), "refused together x1000: the breaker is open");
    ASSERT_STR(told(), "refused together x1: the queue is full: 9 wait");
    ASSERT_STR(told(), "");
    size_t logged = 0;
    for (const char *at = lines; *at; at = strchr(at, '\n') + 1)
        logged++;
    ASSERT_INT((long long)logged, 4);
    CU_ASSERT_PTR_NOT_NULL(strstr(lines,
                                  "\n2 at=2025-01-01T12:00:06.000Z level=info event=notice kind=refused "
                                  "instance=together class=server repeated=999 message=\"the queue is "
                                  "full: 9 wait\"\n"));
    finish();
}

/* Taken while the storm goes on: each is a notice, and none is logged twice. */
static void logs_a_storm_once_a_second(void)
{
    begin();
    for (int i = 0; i < 5; i++) {
        happen(KOINE__HAPPENED_NOT_RETRIED, "together", "no budget");
        ASSERT_STR(told(), "not_retried together x1: no budget");
    }
    ASSERT_INT((long long)(strchr(lines, '\n') - lines + 1), (long long)strlen(lines));
    finish();
}

/* Nobody takes any: refusals go first. */
static void drops_the_oldest(void)
{
    char name[32];
    begin();
    happen(KOINE__HAPPENED_BREAKER_OPENED, "together", "five failures");
    for (int i = 0; i < 5000; i++) {
        snprintf(name, sizeof(name), "i%d", i);
        happen(KOINE__HAPPENED_REFUSED, name, "open");
    }
    ASSERT_STR(told(), "lost  x4745: so many notices were dropped, for nobody took them");
    ASSERT_STR(told(), "breaker_opened together x1: five failures");
    ASSERT_STR(told(), "refused i4745 x1: open");
    while (told()[0])
        ;
    for (int i = 0; i < 258; i++) {
        snprintf(name, sizeof(name), "i%d", i);
        happen(KOINE__HAPPENED_PAUSED, name, "429");
    }
    ASSERT_STR(told(), "lost  x2: so many notices were dropped, for nobody took them");
    ASSERT_STR(told(), "paused i2 x1: 429");
    finish();
}

static void failing_allocations(void)
{
    begin();
    failalloc_begin(1);
    happen(KOINE__HAPPENED_BREAKER_OPENED, "together", "five failures"); /* not counted in the metrics */
    while (told()[0])
        ;
    koine__metrics_free(hub->metrics); /* what it keeps */
    hub->metrics = hub->notices.metrics = NULL;
    CU_ASSERT_TRUE(failalloc_end());
    failalloc_begin(1);
    happen(KOINE__HAPPENED_BREAKER_OPENED, "together", "five failures");
    koine_notice *notice = NULL;
    ASSERT_INT(koine_hub_next_notice(hub, &notice), 1);
    ASSERT_STR(koine_notice_kind_name(notice), "lost");
    ASSERT_INT(koine_notice_count(notice), 1);
    koine_notice_free(notice);
    CU_ASSERT_TRUE(failalloc_end());
    hub->notices.kept.lost = 7;
    failalloc_begin(1);
    ASSERT_INT(koine_hub_next_notice(hub, &notice), KOINE_EMEMORY);
    CU_ASSERT_TRUE(failalloc_end());
    ASSERT_STR(told(), "lost  x7: so many notices were dropped, for nobody took them");
    finish();
}

/* The settings table's choices are the kinds, in order of their numbers, and the page has each. */
static void kinds_everywhere(void)
{
    static char page[1 << 16];
    char names[512] = "", path[PATH_MAX], row[64];
    const char *source = getenv("KOINE_TEST_SOURCE");
    snprintf(path, sizeof(path), "%s/docs/observing.md", source ? source : ".");
    FILE *file = fopen(path, "re");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    CU_ASSERT_TRUE(fread(page, 1, sizeof(page) - 1, file) > 0);
    fclose(file);
    for (int kind = 1; kind < KOINE__NOTICE_KINDS; kind++) {
        const char *name = koine__notice_kind_name(kind);
        snprintf(names + strlen(names), sizeof(names) - strlen(names), "%s%s", kind > 1 ? "|" : "", name);
        snprintf(row, sizeof(row), "\n| `%s` | ", name);
        CU_ASSERT_PTR_NOT_NULL(strstr(page, row));
    }
    ASSERT_STR(koine__setting_find("webhook.kinds.0")->choices, names);
    ASSERT_STR(koine__notice_kind_name(0), "unknown");
    ASSERT_STR(koine__notice_kind_name(KOINE__NOTICE_KINDS), "unknown");
}

/* ---- the claim ---- */

static void one_sends(void)
{
    uint64_t mine, other;
    begin();
    koine__notices_send(&hub->notices, 1u << KOINE_NOTICE_PAUSED);
    happen(KOINE__HAPPENED_REFUSED, "a", "not for the webhook");
    CU_ASSERT_FALSE(koine__notices_wait(&hub->notices));
    happen(KOINE__HAPPENED_PAUSED, "b", "429");
    CU_ASSERT_TRUE(koine__notices_look_at(&hub->notices) < now);
    koine_notice *first = koine__notices_claim(&hub->notices, now, now + 10, &mine);
    CU_ASSERT_PTR_NOT_NULL_FATAL(first);
    ASSERT_INT((long long)strlen(first->id), 38);
    CU_ASSERT_PTR_NULL(koine__notices_claim(&hub->notices, now + 9, now + 99, &other));
    koine_notice *second = koine__notices_claim(&hub->notices, now + 10, now + 99, &other); /* it sleeps */
    CU_ASSERT_PTR_NOT_NULL_FATAL(second);
    ASSERT_STR(second->id, first->id);
    CU_ASSERT_FALSE(koine__notices_extend(&hub->notices, mine, now + 500));
    koine__notices_settle(&hub->notices, mine, KOINE__DELIVERED); /* not its own any more */
    CU_ASSERT_TRUE(koine__notices_wait(&hub->notices));
    koine__notices_settle(&hub->notices, other, KOINE__GIVEN_BACK);
    koine_notice *third = koine__notices_claim(&hub->notices, now, now + 10, &mine);
    CU_ASSERT_PTR_NOT_NULL_FATAL(third);
    ASSERT_STR(third->id, first->id);
    ASSERT_INT(third->claims, 3);
    koine__notices_settle(&hub->notices, mine, KOINE__DELIVERED);
    CU_ASSERT_FALSE(koine__notices_wait(&hub->notices));
    ASSERT_INT(koine__notices_look_at(&hub->notices), KOINE__NEVER);
    koine_notice_free(first);
    koine_notice_free(second);
    koine_notice_free(third);
    ASSERT_INT((long long)hub->metrics->delivered, 1);
    finish();
}

static void no_webhook_any_more(void)
{
    begin();
    koine__notices_send(&hub->notices, ~0u);
    happen(KOINE__HAPPENED_PAUSED, "b", "429");
    happen(KOINE__HAPPENED_REFUSED, "b", "429");
    koine__notices_send(&hub->notices, 1u << KOINE_NOTICE_PAUSED);
    ASSERT_INT((long long)hub->notices.outgoing.count, 1);
    koine__notices_send(&hub->notices, 0);
    CU_ASSERT_FALSE(koine__notices_wait(&hub->notices));
    ASSERT_STR(told(), "paused b x1: 429");
    finish();
}

SUITE_MAIN("notice", {"says all", says_all}, {"of nothing", of_nothing},
           {"collapses refusals", collapses_refusals},
           {"logs a storm once a second", logs_a_storm_once_a_second}, {"drops the oldest", drops_the_oldest},
           {"failing allocations", failing_allocations}, {"kinds everywhere", kinds_everywhere},
           {"one sends", one_sends}, {"no webhook any more", no_webhook_any_more})
