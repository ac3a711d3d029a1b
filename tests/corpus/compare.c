/* compare: see compare.h. */
#include "tests/corpus/compare.h"

#include <koine/koine.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const koine_node *get(const koine_node *object, const char *name)
{
    return koine__node_get(object, name);
}

static koine_str text_of(const koine_node *object, const char *name)
{
    return koine__node_str(get(object, name));
}

/* ---- Single values; what is not expected to be told is not compared ---- */

static bool same_text(const char *what, const koine_node *expected, koine_str got)
{
    koine_str wanted = koine__node_str(expected);
    if (!expected || koine__str_eq(wanted, got))
        return true;
    printf("# %s: expected \"%.*s\", got \"%.*s\"\n", what, (int)wanted.len, wanted.ptr ? wanted.ptr : "",
           (int)got.len, got.ptr ? got.ptr : "");
    return false;
}

/* Absent counts as nothing, as it does for the SDKs. */
static bool same_count(const char *what, const koine_node *expected, int64_t got)
{
    int64_t wanted = koine__node_num(expected, 0);
    got = got > 0 ? got : 0;
    if (!expected || wanted == got)
        return true;
    printf("# %s: expected %lld, got %lld\n", what, (long long)wanted, (long long)got);
    return false;
}

/* ---- JSON that was written by somebody else ---- */

static bool same_json(const koine_node *a, const koine_node *b);

static bool same_members(const koine_node *a, const koine_node *b)
{
    for (size_t i = 0; i < koine__node_count(a); i++) {
        char name[256];
        koine_str key = koine__node_key(a, i);
        snprintf(name, sizeof(name), "%.*s", (int)key.len, key.ptr);
        if (!same_json(koine__node_at(a, i), get(b, name)))
            return false;
    }
    return true;
}

static bool same_elements(const koine_node *a, const koine_node *b)
{
    for (size_t i = 0; i < koine__node_count(a); i++)
        if (!same_json(koine__node_at(a, i), koine__node_at(b, i)))
            return false;
    return true;
}

static bool same_json(const koine_node *a, const koine_node *b)
{
    int32_t kind = koine__node_kind(a);
    if (kind != koine__node_kind(b) || koine__node_count(a) != koine__node_count(b))
        return false;
    if (kind == KOINE_NODE_OBJECT)
        return same_members(a, b);
    if (kind == KOINE_NODE_ARRAY)
        return same_elements(a, b);
    if (kind == KOINE_NODE_STRING)
        return koine__str_eq(koine__node_str(a), koine__node_str(b));
    if (kind == KOINE_NODE_NUMBER)
        return strtod(koine__node_source(a).ptr, NULL) == strtod(koine__node_source(b).ptr, NULL);
    return koine__str_eq(koine__node_source(a), koine__node_source(b));
}

/* Arguments: the same text, or the same JSON otherwise written. */
static bool same_arguments(koine_str wanted, koine_str got)
{
    struct koine__arena arena;
    const koine_node *a = NULL, *b = NULL;
    if (koine__str_eq(wanted, got) || (wanted.len == 0 && koine__str_is(got, "{}")))
        return true;
    koine__arena_init(&arena, 0);
    bool same = koine__json_read(wanted, &arena, &a, NULL) == KOINE_OK &&
                koine__json_read(got, &arena, &b, NULL) == KOINE_OK && same_json(a, b);
    koine__arena_release(&arena);
    return same;
}

/* ---- Parts of an answer ---- */

static bool same_calls(const struct koine_response *answer, const koine_node *calls)
{
    if (koine__node_count(calls) != answer->tool_count) {
        printf("# tool calls: expected %zu, got %zu\n", koine__node_count(calls), answer->tool_count);
        return false;
    }
    for (size_t i = 0; i < answer->tool_count; i++) {
        const koine_node *call = koine__node_at(calls, i);
        const struct koine__tool *tool = &answer->tools[i];
        koine_str arguments = {koine__buf_str(&tool->arguments), tool->arguments.len};
        if (!same_text("tool name", get(call, "name"), koine__str(tool->name)) ||
            !same_text("tool id", get(call, "id"), koine__str(tool->id)))
            return false;
        if (!same_arguments(text_of(call, "arguments"), arguments)) {
            printf("# arguments: got %.*s\n", (int)arguments.len, arguments.ptr);
            return false;
        }
    }
    return true;
}

static const char *usage_differs(const koine_usage *usage, const koine_node *expected)
{
    const struct {
        const char *what, *name;
        int64_t got;
    } counts[] = {
        {"usage.input", "input", koine_usage_input_total(usage)},
        {"usage.output", "output", koine_usage_output_total(usage)},
        {"usage.cached", "cached", usage->cache_read},
        {"usage.cache_write", "cache_write", usage->cache_write},
        {"usage.reasoning", "reasoning", usage->reasoning},
    };
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
        if (!same_count(counts[i].what, get(expected, counts[i].name), counts[i].got))
            return counts[i].what;
    return NULL;
}

static const char *answer_differs(const struct koine_response *answer, const koine_node *expected)
{
    const struct {
        const char *name;
        koine_str got;
    } texts[] = {
        {"text", {koine__buf_str(&answer->text), answer->text.len}},
        {"reasoning", {koine__buf_str(&answer->reasoning), answer->reasoning.len}},
        {"model", koine__str(answer->model)},
        {"response_id", koine__str(answer->id)},
        {"finish", koine__str(answer->finish_raw)},
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        if (!same_text(texts[i].name, get(expected, texts[i].name), texts[i].got))
            return texts[i].name;
    if (!same_calls(answer, get(expected, "tool_calls")))
        return "tool_calls";
    return usage_differs(&answer->usage, get(expected, "usage"));
}

/* ---- Errors ---- */

/* The SDKs tell the status of an answer; an error inside a stream has none. Their words are the vendor's
 * behind the status, or its whole body. */
static const char *fault_differs(const struct corpus_outcome *outcome, const koine_node *error,
                                 const char *class_name)
{
    const struct koine__fault *fault = outcome->assembly.fault;
    const koine_node *code = get(error, "code");
    koine_str source =
        koine__node_kind(code) == KOINE_NODE_NUMBER ? koine__node_source(code) : koine__node_str(code);
    const char *got = koine_class_name(fault->class_number);
    if (!same_count("status", get(error, "status"), outcome->status >= 400 ? outcome->status : 0))
        return "status";
    if (source.len > 0 && !koine__str_is(source, fault->code)) {
        printf("# code: expected %.*s, got %s\n", (int)source.len, source.ptr, fault->code);
        return "code";
    }
    if (!koine__str_has_nocase(text_of(error, "message"), fault->message)) {
        printf("# message: got %s\n", fault->message);
        return "message";
    }
    if (class_name && strcmp(class_name, got) == 0)
        return NULL;
    printf("# class: expected %s, got %s\n", class_name ? class_name : "one in classes.txt", got);
    return "class";
}

const char *corpus_compare(const struct corpus_outcome *outcome, const koine_node *expected,
                           const char *class_name)
{
    const struct koine__fault *fault = outcome->assembly.fault;
    const koine_node *error = get(expected, "error");
    bool failed = fault->class_number != KOINE_CLASS_NONE || outcome->result != KOINE_DONE;
    if (error && fault->class_number != KOINE_CLASS_NONE)
        return fault_differs(outcome, error, class_name);
    if (failed || error || !outcome->assembly.stopped) {
        printf("# outcome: provider returned %d, class %d: %s\n", (int)outcome->result, fault->class_number,
               fault->message);
        return "outcome";
    }
    return answer_differs(outcome->assembly.answer, expected);
}
