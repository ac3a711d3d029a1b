/* What a call was answered: the message to append, lists of models, and the getters. */
#include "core/engine/answer.h"

#include "core/base/mem.h"
#include "tests/unit/failalloc.h"
#include "tests/unit/suite.h"
#include <string.h>

#define LIMIT ((size_t)1 << 20)

static void add_tool(struct koine_response *answer, const char *id, const char *name, const char *arguments,
                     bool complete)
{
    void *items = answer->tools;
    CU_ASSERT_FATAL(koine__array_reserve(&items, &answer->tool_capacity, answer->tool_count + 1,
                                         sizeof(*answer->tools)) == KOINE_OK);
    answer->tools = items;
    struct koine__tool *tool = &answer->tools[answer->tool_count++];
    *tool = (struct koine__tool){.id = koine__strdup(id), .name = koine__strdup(name), .complete = complete};
    koine__buf_init(&tool->arguments, LIMIT);
    koine__buf_adds(&tool->arguments, arguments);
}

static const char *message(struct koine_response *answer)
{
    ASSERT_INT(koine__answer_message(answer), KOINE_OK);
    return koine_response_message(answer);
}

static void messages(void)
{
    struct koine_response *answer = koine__answer_new(LIMIT);
    ASSERT_STR(koine_response_message(answer), "");
    ASSERT_STR(message(answer), "{\"role\":\"assistant\",\"content\":\"\"}");
    add_tool(answer, "x", "f", "{\"n\"", false); /* cut: it would read as one that was made */
    ASSERT_STR(message(answer), "{\"role\":\"assistant\",\"content\":\"\"}");
    add_tool(answer, "y", "g", "{\"n\":\"1\"}", true);
    ASSERT_STR(message(answer),
               "{\"role\":\"assistant\",\"content\":null,\"tool_calls\":[{\"id\":\"y\",\"type\":"
               "\"function\",\"function\":{\"name\":\"g\",\"arguments\":\"{\\\"n\\\":\\\"1\\\"}\"}}]}");
    koine__buf_adds(&answer->text, "a \"b\"\n");
    koine__buf_adds(&answer->refusal, "no");
    koine__buf_adds(&answer->reasoning, "hm");
    answer->tools[1].complete = false;
    ASSERT_STR(message(answer), "{\"role\":\"assistant\",\"content\":\"a \\\"b\\\"\\n\",\"refusal\":\"no\","
                                "\"koine\":{\"reasoning\":\"hm\"}}");
    koine_response_free(answer);
}

static void the_message_has_a_ceiling(void)
{
    struct koine_response *answer = koine__answer_new(4);
    ASSERT_INT(koine__answer_message(answer), KOINE_EMEMORY);
    koine_response_free(answer);
}

static struct koine_response *with_models(const char *const *ids)
{
    struct koine_response *answer = koine__answer_new(LIMIT);
    for (; *ids; ids++) {
        void *items = answer->models;
        CU_ASSERT_FATAL(koine__array_reserve(&items, &answer->model_capacity, answer->model_count + 1,
                                             sizeof(*answer->models)) == KOINE_OK);
        answer->models = items;
        answer->models[answer->model_count++] = (struct koine__listed){.id = koine__strdup(*ids)};
    }
    return answer;
}

static void lists_of_models(void)
{
    static const char *const some[] = {"a", "b", "c", "d", "e", NULL}, *const more[] = {"f", NULL},
                             *const none[] = {NULL};
    struct koine_response *first = with_models(some), *second = with_models(more), *empty = with_models(none);
    ASSERT_INT(koine__answer_prepend_models(second, first), KOINE_OK);
    ASSERT_INT(first->model_count, 0);
    ASSERT_INT(second->model_count, 6);
    ASSERT_STR(second->models[0].id, "a");
    ASSERT_STR(second->models[5].id, "f");
    ASSERT_INT(koine__answer_append_models(second, empty), KOINE_OK);
    ASSERT_INT(koine__answer_append_models(empty, second), KOINE_OK);
    ASSERT_INT(empty->model_count, 6);
    ASSERT_INT(second->model_count, 0);
    koine_response_free(first);
    koine_response_free(second);
    koine_response_free(empty);
}

static void lists_without_memory(void)
{
    static const char *const some[] = {"a", "b", "c", "d", NULL}, *const more[] = {"e", NULL};
    struct koine_response *first = with_models(some), *second = with_models(more);
    failalloc_begin(1);
    ASSERT_INT(koine__answer_append_models(first, second), KOINE_EMEMORY);
    CU_ASSERT(failalloc_end());
    failalloc_begin(1);
    ASSERT_INT(koine__answer_prepend_models(second, first), KOINE_EMEMORY);
    CU_ASSERT(failalloc_end());
    ASSERT_INT(first->model_count, 4);
    ASSERT_INT(second->model_count, 1);
    koine_response_free(first);
    koine_response_free(second);
}

static void parameters(void)
{
    struct koine_response *answer = koine__answer_new(LIMIT);
    ASSERT_INT(koine__answer_parameter(answer, "top_k", "dropped", "no such thing"), KOINE_OK);
    ASSERT_INT(koine_response_parameter_count(answer), 1);
    ASSERT_STR(koine_response_parameter_name(answer, 0), "top_k");
    ASSERT_STR(koine_response_parameter_action(answer, 0), "dropped");
    ASSERT_STR(koine_response_parameter_reason(answer, 0), "no such thing");
    for (long n = 1;; n++) {
        failalloc_begin(n);
        struct koine_response *other = koine__answer_new(LIMIT);
        int rc = other ? koine__answer_parameter(other, "a", "b", "c") : KOINE_EMEMORY;
        koine_response_free(other);
        if (!failalloc_end())
            break;
        ASSERT_INT(rc, KOINE_EMEMORY);
    }
    koine_response_free(answer);
}

static void what_a_new_one_says(void)
{
    koine_usage usage = KOINE_USAGE_INIT;
    koine_cost cost = KOINE_COST_INIT;
    struct koine_response *answer = koine__answer_new(LIMIT);
    ASSERT_INT(koine_response_finish(answer), KOINE_FINISH_NONE);
    ASSERT_STR(koine_response_finish_name(answer), "");
    ASSERT_STR(koine_response_finish_raw(answer), "");
    ASSERT_INT(koine_response_first_token_ms(answer), -1);
    koine_response_usage(answer, &usage);
    ASSERT_INT(usage.input, -1);
    koine_response_cost(answer, &cost);
    ASSERT_INT(cost.state, KOINE_UNPRICED);
    static const char *const names[] = {"stop", "length", "tool", "filter", "other", ""};
    for (int finish = 0; finish < 6; finish++) {
        answer->finish = finish;
        ASSERT_STR(koine_response_finish_name(answer), names[finish]);
    }
    koine_response_free(answer);
}

static void rows_and_tools(void)
{
    struct koine_response *answer = koine__answer_new(LIMIT);
    koine_cost cost = KOINE_COST_INIT;
    add_tool(answer, "x", "f", "{}", true);
    ASSERT_INT(koine_response_tool_count(answer), 1);
    ASSERT_STR(koine_response_tool_id(answer, 0), "x");
    ASSERT_STR(koine_response_tool_name(answer, 0), "f");
    ASSERT_STR(koine_response_tool_arguments(answer, 0), "{}");
    ASSERT_INT(koine_response_tool_complete(answer, 0), 1);
    ASSERT_STR(koine_response_tool_id(answer, 1), "");
    ASSERT_STR(koine_response_tool_name(answer, 1), "");
    ASSERT_STR(koine_response_tool_arguments(answer, 1), "");
    ASSERT_INT(koine_response_tool_complete(answer, 1), 0);
    koine__ledger_add(&answer->ledger, "t/a", 3000000);
    answer->ledger.rows[0].end = 5999999;
    answer->ledger.rows[0].status = 200;
    ASSERT_INT(koine_response_attempt_count(answer), 1);
    ASSERT_STR(koine_response_attempt_target(answer, 0), "t/a");
    ASSERT_INT(koine_response_attempt_start_ms(answer, 0), 3);
    ASSERT_INT(koine_response_attempt_ms(answer, 0), 2);
    ASSERT_STR(koine_response_attempt_request_id(answer, 0), "");
    cost.picodollars = 9;
    koine_response_attempt_cost(answer, 1, &cost); /* no such row: untouched */
    ASSERT_INT(cost.picodollars, 9);
    koine_response_attempt_cost(answer, 0, NULL);
    ASSERT_STR(koine_response_attempt_target(answer, 1), "");
    ASSERT_INT(koine_response_attempt_status(answer, 1), 0);
    ASSERT_INT(koine_response_attempt_class(answer, 1), KOINE_CLASS_NONE);
    ASSERT_INT(koine_response_attempt_start_ms(answer, 1), 0);
    ASSERT_INT(koine_response_attempt_ms(answer, 1), 0);
    koine_response_free(answer);
}

static void no_answer(void)
{
    size_t len = 9;
    ASSERT_STR(koine_response_text(NULL, &len), "");
    ASSERT_INT(len, 0);
    ASSERT_STR(koine_response_reasoning(NULL, NULL), "");
    ASSERT_STR(koine_response_refusal(NULL, NULL), "");
    ASSERT_STR(koine_response_message(NULL), "");
    ASSERT_INT(koine_response_finish(NULL), KOINE_FINISH_NONE);
    ASSERT_STR(koine_response_finish_name(NULL), "");
    ASSERT_STR(koine_response_finish_raw(NULL), "");
    ASSERT_STR(koine_response_model(NULL), "");
    ASSERT_STR(koine_response_target(NULL), "");
    ASSERT_STR(koine_response_id(NULL), "");
    ASSERT_INT(koine_response_tool_count(NULL), 0);
    CU_ASSERT_PTR_NULL(koine_response_extra(NULL, "x"));
    koine_response_usage(NULL, NULL);
    koine_response_cost(NULL, NULL);
    ASSERT_INT(koine_response_parameter_count(NULL), 0);
    ASSERT_STR(koine_response_parameter_name(NULL, 0), "");
    ASSERT_INT(koine_response_attempt_count(NULL), 0);
    ASSERT_INT(koine_response_ms(NULL), 0);
    ASSERT_INT(koine_response_first_token_ms(NULL), -1);
    koine_response_free(NULL);
}

SUITE_MAIN("answer", {"messages", messages}, {"the message has a ceiling", the_message_has_a_ceiling},
           {"lists of models", lists_of_models}, {"lists without memory", lists_without_memory},
           {"parameters", parameters}, {"what a new one says", what_a_new_one_says},
           {"rows and tools", rows_and_tools}, {"no answer", no_answer})
