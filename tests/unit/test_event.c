/* Events and queues of them. */
#include "core/engine/event.h"

#include "core/base/mem.h"
#include "tests/unit/failalloc.h"
#include "tests/unit/suite.h"

static struct koine_event *text_event(koine_str text)
{
    return koine__event_new(&(struct koine__event_parts){.kind = KOINE_EVENT_TEXT, .tool = -1, .text = text});
}

static void holds_what_it_is_given(void)
{
    koine_usage usage = KOINE_USAGE_INIT;
    size_t len = 0;
    struct koine_event *event = koine__event_new(&(struct koine__event_parts){.kind = KOINE_EVENT_TOOL,
                                                                              .tool = 3,
                                                                              .text = {"a\0b", 3},
                                                                              .name = KOINE__STR("f"),
                                                                              .id = KOINE__STR("x"),
                                                                              .target = KOINE__STR("t/m"),
                                                                              .model = KOINE__STR("m")});
    ASSERT_INT(koine_event_kind(event), KOINE_EVENT_TOOL);
    ASSERT_INT(koine_event_tool(event), 3);
    const char *text = koine_event_text(event, &len);
    ASSERT_MEM(text, len, "a\0b");
    ASSERT_INT(text[3], 0);
    ASSERT_STR(koine_event_name(event), "f");
    ASSERT_STR(koine_event_tool_name(event), "f");
    ASSERT_STR(koine_event_tool_id(event), "x");
    ASSERT_STR(koine_event_target(event), "t/m");
    ASSERT_STR(koine_event_model(event), "m");
    ASSERT_INT(koine_event_choice(event), 0);
    ASSERT_INT(koine_event_wait_ms(event), 0);
    ASSERT_INT(koine_event_finish(event), KOINE_FINISH_NONE);
    ASSERT_INT(koine_event_usage(event, &usage), 0);
    CU_ASSERT_PTR_NULL(koine_event_error(event));
    event->has_usage = true;
    event->usage = usage;
    event->usage.output = 7;
    ASSERT_INT(koine_event_usage(event, &usage), 1);
    ASSERT_INT(usage.output, 7);
    ASSERT_INT(koine_event_usage(event, NULL), 0);
    koine__event_free(event);
}

static void no_event(void)
{
    koine_usage usage = KOINE_USAGE_INIT;
    koine_cost cost = KOINE_COST_INIT;
    size_t len = 9;
    ASSERT_INT(koine_event_kind(NULL), 0);
    ASSERT_STR(koine_event_text(NULL, &len), "");
    ASSERT_INT(len, 0);
    ASSERT_STR(koine_event_text(NULL, NULL), "");
    ASSERT_STR(koine_event_name(NULL), "");
    ASSERT_INT(koine_event_tool(NULL), -1);
    ASSERT_STR(koine_event_tool_id(NULL), "");
    ASSERT_STR(koine_event_tool_name(NULL), "");
    ASSERT_STR(koine_event_target(NULL), "");
    ASSERT_STR(koine_event_model(NULL), "");
    ASSERT_INT(koine_event_choice(NULL), 0);
    ASSERT_INT(koine_event_usage(NULL, &usage), 0);
    ASSERT_INT(koine_event_wait_ms(NULL), 0);
    ASSERT_INT(koine_event_estimate(NULL, &cost), 0);
    ASSERT_INT(koine_event_finish(NULL), KOINE_FINISH_NONE);
    CU_ASSERT_PTR_NULL(koine_event_error(NULL));
    koine__event_free(NULL);
}

static void kinds(void)
{
    for (int kind = 0; kind <= KOINE_EVENT_APPROVAL + 1; kind++) {
        struct koine_event event = {.kind = kind};
        bool content = kind == KOINE_EVENT_TEXT || kind == KOINE_EVENT_REASONING ||
                       kind == KOINE_EVENT_REFUSAL || kind == KOINE_EVENT_TOOL;
        ASSERT_INT(koine__event_is_content(&event), content);
        ASSERT_INT(koine__event_is_terminal(&event), kind == KOINE_EVENT_STOP || kind == KOINE_EVENT_FAULT);
    }
}

static void queues(void)
{
    struct koine__events first = {0}, second = {0};
    CU_ASSERT_PTR_NULL(koine__events_pop(&first));
    koine__events_append(&first, &second);
    CU_ASSERT_PTR_NULL(first.first);
    koine__events_push(&second, text_event(KOINE__STR("12345")));
    koine__events_push(&second, text_event(KOINE__STR("67")));
    ASSERT_INT(second.bytes, 2 * (sizeof(struct koine_event) + 5) + 7); /* five texts end with a NUL */
    koine__events_append(&first, &second);                              /* to an empty one */
    CU_ASSERT_PTR_NULL(second.first);
    ASSERT_INT(second.bytes, 0);
    koine__events_push(&second, text_event(KOINE__STR("8")));
    koine__events_append(&first, &second);
    static const char *const texts[] = {"12345", "67", "8"};
    for (size_t i = 0; i < 3; i++) {
        struct koine_event *event = koine__events_pop(&first);
        ASSERT_STR(koine_event_text(event, NULL), texts[i]);
        CU_ASSERT_PTR_NULL(event->next);
        koine__event_free(event);
    }
    ASSERT_INT(first.bytes, 0);
    CU_ASSERT_PTR_NULL(first.last);
    koine__events_push(&first, text_event(KOINE__STR("9")));
    koine__events_push(&first, text_event(KOINE__STR("10")));
    koine__events_clear(&first);
    CU_ASSERT_PTR_NULL(first.first);
}

/* Whatever part of it is long. */
static void weighs_all_of_it(void)
{
    struct koine__events events = {0};
    koine__events_push(&events, koine__event_new(&(struct koine__event_parts){.kind = KOINE_EVENT_TOOL,
                                                                              .text = KOINE__STR("1"),
                                                                              .name = KOINE__STR("22"),
                                                                              .id = KOINE__STR("333"),
                                                                              .target = KOINE__STR("4444"),
                                                                              .model = KOINE__STR("55555")}));
    ASSERT_INT(events.bytes, sizeof(struct koine_event) + 5 + 15);
    koine__event_free(koine__events_pop(&events));
    ASSERT_INT(events.bytes, 0);
}

static void no_memory(void)
{
    failalloc_begin(1);
    CU_ASSERT_PTR_NULL(text_event(KOINE__STR("x")));
    CU_ASSERT(failalloc_end());
}

SUITE_MAIN("event", {"holds what it is given", holds_what_it_is_given}, {"no event", no_event},
           {"kinds", kinds}, {"queues", queues}, {"weighs all of it", weighs_all_of_it},
           {"no memory", no_memory})
