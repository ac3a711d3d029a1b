/* answer: see answer.h; and the getters of koine_response. */
#include "core/engine/answer.h"

#include "core/base/mem.h"
#include "core/wire/json.h"

#include <string.h>

struct koine_response *koine__answer_new(size_t limit)
{
    struct koine_response *answer = koine__alloc(sizeof(*answer));
    if (!answer)
        return NULL;
    koine__buf_init_sparing(&answer->text, limit);
    koine__buf_init_sparing(&answer->reasoning, limit);
    koine__buf_init_sparing(&answer->refusal, limit);
    koine__buf_init(&answer->message, 8 * limit);
    answer->finish = KOINE_FINISH_NONE;
    answer->first_token_ns = -1;
    answer->cost = (koine_cost)KOINE_COST_INIT;
    koine__usage_init(&answer->usage);
    return answer;
}

static void free_lists(struct koine_response *answer)
{
    for (size_t i = 0; i < answer->tool_count; i++) {
        koine__dealloc(answer->tools[i].id);
        koine__dealloc(answer->tools[i].name);
        koine__buf_release(&answer->tools[i].arguments);
    }
    for (size_t i = 0; i < answer->extra_count; i++) {
        koine__dealloc(answer->extras[i].name);
        koine__buf_release(&answer->extras[i].json);
    }
    for (size_t i = 0; i < answer->parameter_count; i++) {
        koine__dealloc(answer->parameters[i].name);
        koine__dealloc(answer->parameters[i].reason);
    }
    for (size_t i = 0; i < answer->model_count; i++) {
        koine__dealloc(answer->models[i].id);
        koine__dealloc(answer->models[i].name);
        koine__dealloc(answer->models[i].owner);
    }
    koine__dealloc(answer->tools);
    koine__dealloc(answer->extras);
    koine__dealloc(answer->parameters);
    koine__dealloc(answer->models);
}

void koine_response_free(koine_response *answer)
{
    if (!answer)
        return;
    free_lists(answer);
    koine__buf_release(&answer->text);
    koine__buf_release(&answer->reasoning);
    koine__buf_release(&answer->refusal);
    koine__buf_release(&answer->message);
    koine__dealloc(answer->model);
    koine__dealloc(answer->id);
    koine__dealloc(answer->target);
    koine__ledger_release(&answer->ledger);
    koine__dealloc(answer);
}

int koine__answer_parameter(struct koine_response *answer, const char *name, const char *action,
                            const char *reason)
{
    void *items = answer->parameters;
    if (koine__array_reserve(&items, &answer->parameter_capacity, answer->parameter_count + 1,
                             sizeof(*answer->parameters)) != KOINE_OK)
        return KOINE_EMEMORY;
    answer->parameters = items;
    struct koine__parameter *parameter = &answer->parameters[answer->parameter_count++];
    *parameter = (struct koine__parameter){koine__strdup(name), koine__strdup(reason), action};
    return parameter->name && parameter->reason ? KOINE_OK : KOINE_EMEMORY;
}

int koine__answer_append_models(struct koine_response *to, struct koine_response *from)
{
    void *items = to->models;
    size_t count = to->model_count + from->model_count;
    if (koine__array_reserve(&items, &to->model_capacity, count, sizeof(*to->models)) != KOINE_OK)
        return KOINE_EMEMORY;
    to->models = items;
    if (from->model_count > 0)
        memcpy(to->models + to->model_count, from->models, from->model_count * sizeof(*to->models));
    to->model_count = count;
    from->model_count = 0;
    return KOINE_OK;
}

int koine__answer_prepend_models(struct koine_response *to, struct koine_response *from)
{
    if (koine__answer_append_models(from, to) != KOINE_OK)
        return KOINE_EMEMORY;
    struct koine__listed *models = to->models;
    size_t capacity = to->model_capacity;
    to->models = from->models;
    to->model_count = from->model_count;
    to->model_capacity = from->model_capacity;
    from->models = models;
    from->model_count = 0;
    from->model_capacity = capacity;
    return KOINE_OK;
}

/* ---- the assistant message ---- */

static koine_str buf_str(const struct koine__buf *buf)
{
    return (koine_str){koine__buf_str(buf), buf->len};
}

static void write_tool(struct koine__writer *writer, const struct koine__tool *tool)
{
    koine_str none = {NULL, 0};
    koine__write_open(writer, none, '{');
    koine__write_str(writer, KOINE__STR("id"), koine__str(tool->id));
    koine__write_str(writer, KOINE__STR("type"), KOINE__STR("function"));
    koine__write_open(writer, KOINE__STR("function"), '{');
    koine__write_str(writer, KOINE__STR("name"), koine__str(tool->name));
    koine__write_str(writer, KOINE__STR("arguments"), buf_str(&tool->arguments));
    koine__write_close(writer);
    koine__write_close(writer);
}

static bool has_whole_tool(const struct koine_response *answer)
{
    for (size_t i = 0; i < answer->tool_count; i++) {
        if (answer->tools[i].complete)
            return true;
    }
    return false;
}

/* A call that was cut is left out: sent back, it would read as one that was made. */
static void write_tools(struct koine__writer *writer, const struct koine_response *answer)
{
    if (!has_whole_tool(answer))
        return;
    koine__write_open(writer, KOINE__STR("tool_calls"), '[');
    for (size_t i = 0; i < answer->tool_count; i++) {
        if (answer->tools[i].complete)
            write_tool(writer, &answer->tools[i]);
    }
    koine__write_close(writer);
}

static bool has_kept(const struct koine_response *answer)
{
    for (size_t i = 0; i < answer->extra_count; i++) {
        if (answer->extras[i].kept)
            return true;
    }
    return false;
}

/* What the vendor wants back. What was cut off cannot go back, so it is left out. False: no memory. */
static bool write_kept(struct koine__writer *writer, struct koine__extra *kept)
{
    koine__buf_addc(&kept->json, ']');
    if (kept->json.error)
        return kept->json.error != KOINE_EMEMORY;
    koine_str all = buf_str(&kept->json);
    if (koine__json_check(all, KOINE__JSON_DEPTH, NULL) == KOINE_OK)
        koine__write_raw(writer, koine__str(kept->name), all);
    kept->json.len--;
    return true;
}

/* `koine` never travels as it is: vendors differ in what they take back. False: no memory. */
static bool write_koine(struct koine__writer *writer, const struct koine_response *answer)
{
    if (answer->reasoning.len == 0 && !has_kept(answer))
        return true;
    koine__write_open(writer, KOINE__STR("koine"), '{');
    if (answer->reasoning.len > 0)
        koine__write_str(writer, KOINE__STR("reasoning"), buf_str(&answer->reasoning));
    for (size_t i = 0; i < answer->extra_count; i++) {
        if (answer->extras[i].kept && !write_kept(writer, &answer->extras[i]))
            return false;
    }
    koine__write_close(writer);
    return true;
}

int koine__answer_message(struct koine_response *answer)
{
    struct koine__writer writer;
    koine_str none = {NULL, 0};
    koine__buf_reset(&answer->message);
    koine__buf_fit(&answer->text);
    koine__buf_fit(&answer->reasoning);
    koine__buf_reserve(&answer->message,
                       sizeof("{\"role\":\"assistant\",\"content\":\"\"}") + answer->text.len);
    koine__writer_init(&writer, &answer->message);
    koine__write_open(&writer, none, '{');
    koine__write_str(&writer, KOINE__STR("role"), KOINE__STR("assistant"));
    if (answer->text.len > 0 || !has_whole_tool(answer))
        koine__write_str(&writer, KOINE__STR("content"), buf_str(&answer->text));
    else
        koine__write_raw(&writer, KOINE__STR("content"), KOINE__STR("null"));
    if (answer->refusal.len > 0)
        koine__write_str(&writer, KOINE__STR("refusal"), buf_str(&answer->refusal));
    write_tools(&writer, answer);
    if (!write_koine(&writer, answer))
        return KOINE_EMEMORY;
    koine__write_close(&writer);
    koine__buf_fit(&answer->message);
    return koine__writer_done(&writer) ? KOINE_OK : KOINE_EMEMORY;
}

size_t koine__answer_weight(const struct koine_response *answer)
{
    size_t weight = answer->text.cap + answer->reasoning.cap + answer->refusal.cap + answer->message.cap;
    weight += answer->names;
    for (size_t i = 0; i < answer->tool_count; i++)
        weight += answer->tools[i].arguments.cap;
    for (size_t i = 0; i < answer->extra_count; i++)
        weight += answer->extras[i].json.cap;
    return weight;
}

size_t koine__answer_arguments(const struct koine_response *answer)
{
    size_t len = 0;
    for (size_t i = 0; i < answer->tool_count; i++)
        len += answer->tools[i].arguments.len;
    return len;
}

/* ---- getters ---- */

static const char *text_of(const struct koine__buf *buf, size_t *ret_length)
{
    if (ret_length)
        *ret_length = buf ? buf->len : 0;
    return buf ? koine__buf_str(buf) : "";
}

static const char *or_empty(const char *text)
{
    return text ? text : "";
}

const char *koine_response_text(const koine_response *answer, size_t *ret_length)
{
    return text_of(answer ? &answer->text : NULL, ret_length);
}

const char *koine_response_reasoning(const koine_response *answer, size_t *ret_length)
{
    return text_of(answer ? &answer->reasoning : NULL, ret_length);
}

const char *koine_response_refusal(const koine_response *answer, size_t *ret_length)
{
    return text_of(answer ? &answer->refusal : NULL, ret_length);
}

const char *koine_response_message(const koine_response *answer)
{
    return text_of(answer ? &answer->message : NULL, NULL);
}

int koine_response_finish(const koine_response *answer)
{
    return answer ? answer->finish : KOINE_FINISH_NONE;
}

const char *koine_response_finish_name(const koine_response *answer)
{
    static const char *const names[] = {"stop", "length", "tool", "filter", "other"};
    int finish = koine_response_finish(answer);
    return finish >= 0 && finish <= KOINE_FINISH_OTHER ? names[finish] : "";
}

const char *koine_response_finish_raw(const koine_response *answer)
{
    return answer ? answer->finish_raw : "";
}

const char *koine_response_model(const koine_response *answer)
{
    return or_empty(answer ? answer->model : NULL);
}

const char *koine_response_target(const koine_response *answer)
{
    return or_empty(answer ? answer->target : NULL);
}

const char *koine_response_id(const koine_response *answer)
{
    return or_empty(answer ? answer->id : NULL);
}

size_t koine_response_tool_count(const koine_response *answer)
{
    return answer ? answer->tool_count : 0;
}

static const struct koine__tool *tool_at(const koine_response *answer, size_t index)
{
    return answer && index < answer->tool_count ? &answer->tools[index] : NULL;
}

const char *koine_response_tool_id(const koine_response *answer, size_t index)
{
    const struct koine__tool *tool = tool_at(answer, index);
    return or_empty(tool ? tool->id : NULL);
}

const char *koine_response_tool_name(const koine_response *answer, size_t index)
{
    const struct koine__tool *tool = tool_at(answer, index);
    return or_empty(tool ? tool->name : NULL);
}

const char *koine_response_tool_arguments(const koine_response *answer, size_t index)
{
    const struct koine__tool *tool = tool_at(answer, index);
    return text_of(tool ? &tool->arguments : NULL, NULL);
}

int koine_response_tool_complete(const koine_response *answer, size_t index)
{
    const struct koine__tool *tool = tool_at(answer, index);
    return tool && tool->complete;
}

const char *koine_response_extra(const koine_response *answer, const char *name)
{
    for (size_t i = 0; answer && name && i < answer->extra_count; i++) {
        if (!answer->extras[i].kept && strcmp(answer->extras[i].name, name) == 0)
            return koine__buf_str(&answer->extras[i].json);
    }
    return NULL;
}

void koine_response_usage(const koine_response *answer, koine_usage *ret)
{
    if (answer && ret)
        koine__usage_copy(&answer->usage, ret);
}

void koine_response_cost(const koine_response *answer, koine_cost *ret)
{
    if (answer && ret)
        koine__cost_copy(&answer->cost, ret);
}

size_t koine_response_parameter_count(const koine_response *answer)
{
    return answer ? answer->parameter_count : 0;
}

static const struct koine__parameter *parameter_at(const koine_response *answer, size_t index)
{
    static const struct koine__parameter none = {NULL, NULL, ""};
    return answer && index < answer->parameter_count ? &answer->parameters[index] : &none;
}

const char *koine_response_parameter_name(const koine_response *answer, size_t index)
{
    return or_empty(parameter_at(answer, index)->name);
}

const char *koine_response_parameter_action(const koine_response *answer, size_t index)
{
    return parameter_at(answer, index)->action;
}

const char *koine_response_parameter_reason(const koine_response *answer, size_t index)
{
    return or_empty(parameter_at(answer, index)->reason);
}

size_t koine_response_attempt_count(const koine_response *answer)
{
    return answer ? answer->ledger.count : 0;
}

static const struct koine__row *row_at(const koine_response *answer, size_t index)
{
    return answer && index < answer->ledger.count ? &answer->ledger.rows[index] : NULL;
}

const char *koine_response_attempt_target(const koine_response *answer, size_t index)
{
    const struct koine__row *row = row_at(answer, index);
    return or_empty(row ? row->target : NULL);
}

int koine_response_attempt_status(const koine_response *answer, size_t index)
{
    const struct koine__row *row = row_at(answer, index);
    return row ? row->status : 0;
}

int koine_response_attempt_class(const koine_response *answer, size_t index)
{
    const struct koine__row *row = row_at(answer, index);
    return row ? row->class_number : KOINE_CLASS_NONE;
}

int64_t koine_response_attempt_start_ms(const koine_response *answer, size_t index)
{
    const struct koine__row *row = row_at(answer, index);
    return row ? row->start / 1000000 : 0;
}

int64_t koine_response_attempt_ms(const koine_response *answer, size_t index)
{
    const struct koine__row *row = row_at(answer, index);
    return row ? (row->end - row->start) / 1000000 : 0;
}

void koine_response_attempt_cost(const koine_response *answer, size_t index, koine_cost *ret)
{
    const struct koine__row *row = row_at(answer, index);
    if (row && ret)
        koine__cost_copy(&row->cost, ret);
}

const char *koine_response_attempt_request_id(const koine_response *answer, size_t index)
{
    const struct koine__row *row = row_at(answer, index);
    return or_empty(row ? row->request_id : NULL);
}

int64_t koine_response_ms(const koine_response *answer)
{
    return answer ? answer->ns / 1000000 : 0;
}

int64_t koine_response_first_token_ms(const koine_response *answer)
{
    return answer && answer->first_token_ns >= 0 ? answer->first_token_ns / 1000000 : -1;
}
