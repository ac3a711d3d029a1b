/* result: what --json prints. The names are fixed: programs read them. */
#include "apps/koine/result.h"

#include "apps/koine/out.h"

#include <string.h>

void result_print(koine_json_writer *writer)
{
    size_t length = 0;
    char *text = koine_json_writer_take(writer, &length);
    if (text == NULL)
        out_no_memory();
    out_text(text, length);
    out_text("\n", 1);
    koine_free(text);
}

void result_add_text(koine_json_writer *writer, const char *name, const char *text)
{
    koine_json_add_string(writer, name, text != NULL && *text != '\0' ? text : NULL);
}

void result_add_count(koine_json_writer *writer, const char *name, int64_t count)
{
    if (count < 0)
        koine_json_add_null(writer, name);
    else
        koine_json_add_integer(writer, name, count);
}

void result_add_usage(koine_json_writer *writer, const koine_usage *usage)
{
    static const char *const buckets[] = {"input", "cache_read", "cache_write", "output", "reasoning"};
    const int64_t counts[] = {usage->input, usage->cache_read, usage->cache_write, usage->output,
                              usage->reasoning};
    koine_json_open(writer, "usage", '{');
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
        result_add_count(writer, buckets[i], counts[i]);
    result_add_count(writer, "input_total", koine_usage_input_total(usage));
    result_add_count(writer, "output_total", koine_usage_output_total(usage));
    koine_json_open(writer, "estimated", '[');
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]);
         i++) { /* KOINE_BUCKET_… go in the same order */
        if ((usage->estimated & (uint32_t)1 << i) != 0)
            koine_json_add_string(writer, NULL, buckets[i]);
    }
    koine_json_close(writer);
    koine_json_close(writer);
}

static void add_usd(koine_json_writer *writer, const char *name, const koine_cost *cost)
{
    char usd[32];
    if (cost->state == KOINE_UNPRICED)
        koine_json_add_null(writer, name);
    else
        koine_json_add_string(writer, name, koine_cost_usd(cost->picodollars, usd, sizeof(usd)));
}

void result_add_cost_members(koine_json_writer *writer, const koine_cost *cost)
{
    add_usd(writer, "usd", cost);
    koine_json_add_bool(writer, "priced", cost->state != KOINE_UNPRICED);
    result_add_text(writer, "price_id", cost->state != KOINE_UNPRICED ? cost->price_id : NULL);
}

/* `response` NULL: no call ran, so nothing was spent. */
static void add_cost(koine_json_writer *writer, const koine_response *response)
{
    koine_cost cost = KOINE_COST_INIT;
    cost.state = KOINE_PRICED;
    if (response != NULL)
        koine_response_cost(response, &cost);
    koine_json_open(writer, "cost", '{');
    result_add_cost_members(writer, &cost);
    koine_json_close(writer);
}

static void add_attempt(koine_json_writer *writer, const koine_response *response, size_t index)
{
    koine_cost cost = KOINE_COST_INIT;
    koine_response_attempt_cost(response, index, &cost);
    int status = koine_response_attempt_status(response, index);
    int class_number = koine_response_attempt_class(response, index);
    koine_json_open(writer, NULL, '{');
    koine_json_add_string(writer, "target", koine_response_attempt_target(response, index));
    result_add_count(writer, "status", status > 0 ? status : -1);
    koine_json_add_string(writer, "class",
                          class_number != KOINE_CLASS_NONE ? koine_class_name(class_number) : NULL);
    koine_json_add_integer(writer, "ms", koine_response_attempt_ms(response, index));
    add_usd(writer, "cost", &cost);
    koine_json_close(writer);
}

static void add_attempts(koine_json_writer *writer, const koine_response *response)
{
    size_t count = response != NULL ? koine_response_attempt_count(response) : 0;
    koine_json_open(writer, "attempts", '[');
    for (size_t i = 0; i < count; i++)
        add_attempt(writer, response, i);
    koine_json_close(writer);
}

static void add_parameters(koine_json_writer *writer, const koine_response *response)
{
    koine_json_open(writer, "parameters", '[');
    for (size_t i = 0; i < koine_response_parameter_count(response); i++) {
        koine_json_open(writer, NULL, '{');
        koine_json_add_string(writer, "name", koine_response_parameter_name(response, i));
        koine_json_add_string(writer, "action", koine_response_parameter_action(response, i));
        koine_json_add_string(writer, "reason", koine_response_parameter_reason(response, i));
        koine_json_close(writer);
    }
    koine_json_close(writer);
}

static void add_tool_calls(koine_json_writer *writer, const koine_response *response)
{
    koine_json_open(writer, "tool_calls", '[');
    for (size_t i = 0; i < koine_response_tool_count(response); i++) {
        koine_json_open(writer, NULL, '{');
        koine_json_add_string(writer, "id", koine_response_tool_id(response, i));
        koine_json_add_string(writer, "name", koine_response_tool_name(response, i));
        koine_json_add_string(writer, "arguments", koine_response_tool_arguments(response, i));
        koine_json_add_bool(writer, "complete", koine_response_tool_complete(response, i));
        koine_json_close(writer);
    }
    koine_json_close(writer);
}

/* Reasoning and refusals: null where there are none. */
static void add_piece(koine_json_writer *writer, const char *name, const char *text, size_t length)
{
    if (text == NULL || length == 0)
        koine_json_add_null(writer, name);
    else
        koine_json_add_text(writer, name, text, length);
}

static void add_answer(koine_json_writer *writer, const koine_response *response)
{
    size_t length = 0;
    const char *text = koine_response_text(response, &length);
    koine_json_add_text(writer, "text", text != NULL ? text : "", text != NULL ? length : 0);
    text = koine_response_reasoning(response, &length);
    add_piece(writer, "reasoning", text, length);
    text = koine_response_refusal(response, &length);
    add_piece(writer, "refusal", text, length);
    add_tool_calls(writer, response);
    result_add_text(writer, "finish", koine_response_finish_name(response));
    result_add_text(writer, "finish_raw", koine_response_finish_raw(response));
    result_add_text(writer, "model", koine_response_model(response));
    result_add_text(writer, "target", koine_response_target(response));
    result_add_text(writer, "response_id", koine_response_id(response));
}

void result_response(const koine_response *response)
{
    koine_json_writer *writer = koine_json_writer_new();
    koine_usage usage = KOINE_USAGE_INIT;
    koine_response_usage(response, &usage);
    const char *message = koine_response_message(response);
    koine_json_open(writer, NULL, '{');
    add_answer(writer, response);
    result_add_usage(writer, &usage);
    add_cost(writer, response);
    if (message != NULL && *message != '\0')
        koine_json_add_json(writer, "message", message);
    else
        koine_json_add_null(writer, "message");
    add_parameters(writer, response);
    add_attempts(writer, response);
    koine_json_close(writer);
    result_print(writer);
}

void result_add_error_members(koine_json_writer *writer, const koine_error *error)
{
    bool classified = koine_error_class(error) != KOINE_CLASS_NONE;
    int status = koine_error_status(error);
    koine_json_add_string(writer, "class", classified ? koine_error_class_name(error) : NULL);
    koine_json_add_string(writer, "origin", classified ? koine_error_origin_name(error) : NULL);
    result_add_text(writer, "stage", koine_error_stage(error));
    koine_json_add_string(writer, "message", koine_error_message(error));
    result_add_count(writer, "status", status > 0 ? status : -1);
    result_add_text(writer, "code", koine_error_code(error));
    result_add_count(writer, "retry_after_ms", koine_error_retry_after_ms(error));
    result_add_text(writer, "target", koine_error_target(error));
}

static bool was_answered(const koine_response *response, const koine_usage *usage)
{
    size_t text = 0, reasoning = 0, refusal = 0;
    koine_response_text(response, &text);
    koine_response_reasoning(response, &reasoning);
    koine_response_refusal(response, &refusal);
    return text + reasoning + refusal + koine_response_tool_count(response) > 0 ||
           koine_usage_input_total(usage) >= 0 || koine_usage_output_total(usage) >= 0;
}

static void add_partial(koine_json_writer *writer, const koine_response *response)
{
    koine_usage usage = KOINE_USAGE_INIT;
    if (response != NULL)
        koine_response_usage(response, &usage);
    if (response == NULL || !was_answered(response, &usage)) {
        koine_json_add_null(writer, "partial");
        return;
    }
    size_t length = 0;
    const char *text = koine_response_text(response, &length);
    koine_json_open(writer, "partial", '{');
    koine_json_add_text(writer, "text", text != NULL ? text : "", text != NULL ? length : 0);
    result_add_usage(writer, &usage);
    koine_json_close(writer);
}

static void add_call(koine_json_writer *writer, const koine_response *response)
{
    add_partial(writer, response);
    add_cost(writer, response);
    add_attempts(writer, response);
}

/* Of a call that was declined: what it could have cost; null where nobody knows, as for every other fault. */
static void add_estimate(koine_json_writer *writer, const koine_error *error)
{
    koine_cost cost = KOINE_COST_INIT;
    koine_error_estimate(error, &cost);
    add_usd(writer, "estimate_usd", &cost);
}

void result_error(const koine_error *error)
{
    koine_json_writer *writer = koine_json_writer_new();
    koine_json_open(writer, NULL, '{');
    koine_json_open(writer, "error", '{');
    result_add_error_members(writer, error);
    koine_json_close(writer);
    add_call(writer, koine_error_partial(error));
    add_estimate(writer, error);
    koine_json_close(writer);
    result_print(writer);
}

void result_problem(const char *message)
{
    static const char *const absent[] = {"status", "code", "retry_after_ms", "target"};
    koine_json_writer *writer = koine_json_writer_new();
    koine_json_open(writer, NULL, '{');
    koine_json_open(writer, "error", '{');
    koine_json_add_null(writer, "class");
    koine_json_add_null(writer, "origin");
    koine_json_add_null(writer, "stage");
    koine_json_add_string(writer, "message", message);
    for (size_t i = 0; i < sizeof(absent) / sizeof(absent[0]); i++)
        koine_json_add_null(writer, absent[i]);
    koine_json_close(writer);
    add_call(writer, NULL);
    add_estimate(writer, NULL);
    koine_json_close(writer);
    result_print(writer);
}
