/* shape: shape NAME: whether standard input is exactly what the command's --json promises: one line, one
 * object, these members and no others, each of its type, and values that fit together. Prints each thing that
 * is wrong; exit status 0: nothing is. NAME is answer, fault, models, providers, cost or doctor.
 */
#include <koine/json.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { /* what a member may be; bits */
    IS_NULL = 1 << KOINE_JSON_NULL,
    IS_BOOL = 1 << KOINE_JSON_BOOL,
    IS_NUMBER = 1 << KOINE_JSON_NUMBER,
    IS_STRING = 1 << KOINE_JSON_STRING,
    IS_ARRAY = 1 << KOINE_JSON_ARRAY,
    IS_OBJECT = 1 << KOINE_JSON_OBJECT,
    MAY_BE_TEXT = IS_STRING | IS_NULL,
    MAY_BE_COUNT = IS_NUMBER | IS_NULL
};

struct member {
    const char *name;
    int kinds;
    const struct member *below; /* of the object, or of each object of the array; NULL: anything */
    void (*check)(const char *path, const koine_json *value); /* NULL: nothing more to say */
};

static int wrong;

__attribute__((format(printf, 2, 3))) static void complain(const char *path, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    printf("%s: ", path);
    vprintf(format, list);
    va_end(list);
    putchar('\n');
    wrong++;
}

/* ---- values ---- */

static void is_count(const char *path, const koine_json *value)
{
    if (koine_json_kind(value) == KOINE_JSON_NUMBER && koine_json_integer(value, -1) < 0)
        complain(path, "is no count");
}

/* At least two decimals, no sign, no exponent, no zeros before it. */
static void is_usd(const char *path, const koine_json *value)
{
    const char *text = koine_json_string(value, NULL);
    if (!text)
        return;
    size_t whole = strspn(text, "0123456789"),
           decimals = text[whole] == '.' ? strspn(text + whole + 1, "0123456789") : 0;
    if (whole == 0 || decimals < 2 || text[whole + 1 + decimals] != '\0' || (whole > 1 && text[0] == '0'))
        complain(path, "\"%s\" is no decimal amount", text);
}

static void is_one_of(const char *path, const koine_json *value, const char *const *words)
{
    const char *text = koine_json_string(value, NULL);
    for (; text && *words; words++)
        if (strcmp(text, *words) == 0)
            return;
    if (text)
        complain(path, "\"%s\" is none of the words for it", text);
}

static void is_finish(const char *path, const koine_json *value)
{
    static const char *const words[] = {"stop", "length", "tool", "filter", "other", NULL};
    is_one_of(path, value, words);
}

static void is_origin(const char *path, const koine_json *value)
{
    static const char *const words[] = {"network", "provider", "caller", "policy", "plugin", "local", NULL};
    is_one_of(path, value, words);
}

static void is_class(const char *path, const koine_json *value)
{
    const char *text = koine_json_string(value, NULL);
    for (int i = KOINE_CLASS_CONNECT; text && i <= KOINE_CLASS_MEMORY; i++)
        if (strcmp(text, koine_class_name(i)) == 0)
            return;
    if (text)
        complain(path, "\"%s\" is no class", text);
}

/* instance/model, or where no model was asked the instance alone. */
static void is_target(const char *path, const koine_json *value)
{
    const char *text = koine_json_string(value, NULL), *slash = text ? strchr(text, '/') : NULL;
    if (text && (!*text || slash == text || (slash && !slash[1])))
        complain(path, "\"%s\" is not instance/model", text);
}

static void is_line(const char *path, const koine_json *value)
{
    const char *text = koine_json_string(value, NULL);
    if (text && (!*text || strpbrk(text, "\r\n")))
        complain(path, "is not one line");
}

static void are_buckets(const char *path, const koine_json *value)
{
    static const char *const words[] = {"input", "cache_read", "cache_write", "output", "reasoning", NULL};
    for (size_t i = 0; i < koine_json_count(value); i++)
        is_one_of(path, koine_json_at(value, i), words);
}

static void is_money(const char *path, const koine_json *cost)
{
    bool priced = koine_json_true(koine_json_get(cost, "priced"));
    if (priced != (koine_json_kind(koine_json_get(cost, "usd")) == KOINE_JSON_STRING))
        complain(path, "usd and priced disagree");
}

static int64_t bucket(const koine_json *usage, const char *name)
{
    return koine_json_integer(koine_json_get(usage, name), -1);
}

static void is_sum(const char *path, const koine_json *usage, const char *total, const char *const *parts)
{
    int64_t sum = -1;
    for (; *parts; parts++)
        if (bucket(usage, *parts) >= 0)
            sum = (sum < 0 ? 0 : sum) + bucket(usage, *parts);
    if (bucket(usage, total) != sum)
        complain(path, "%s is not the sum of its buckets", total);
}

static void is_usage(const char *path, const koine_json *usage)
{
    static const char *const in[] = {"input", "cache_read", "cache_write", NULL};
    static const char *const out[] = {"output", "reasoning", NULL};
    is_sum(path, usage, "input_total", in);
    is_sum(path, usage, "output_total", out);
}

static void is_message(const char *path, const koine_json *message)
{
    const char *role = koine_json_string(koine_json_get(message, "role"), NULL);
    if (!role || strcmp(role, "assistant") != 0)
        complain(path, "is not the assistant's");
}

/* ---- the shapes ---- */

static const struct member usage[] = {
    {"input", MAY_BE_COUNT, NULL, is_count},
    {"cache_read", MAY_BE_COUNT, NULL, is_count},
    {"cache_write", MAY_BE_COUNT, NULL, is_count},
    {"output", MAY_BE_COUNT, NULL, is_count},
    {"reasoning", MAY_BE_COUNT, NULL, is_count},
    {"input_total", MAY_BE_COUNT, NULL, is_count},
    {"output_total", MAY_BE_COUNT, NULL, is_count},
    {"estimated", IS_ARRAY, NULL, are_buckets},
    {0},
};
static const struct member cost[] = {
    {"usd", MAY_BE_TEXT, NULL, is_usd},
    {"priced", IS_BOOL, NULL, NULL},
    {"price_id", MAY_BE_TEXT, NULL, NULL},
    {0},
};
static const struct member tool_call[] = {
    {"id", IS_STRING, NULL, NULL},
    {"name", IS_STRING, NULL, NULL},
    {"arguments", IS_STRING, NULL, NULL},
    {"complete", IS_BOOL, NULL, NULL},
    {0},
};
static const struct member parameter[] = {
    {"name", IS_STRING, NULL, NULL},
    {"action", IS_STRING, NULL, NULL},
    {"reason", IS_STRING, NULL, NULL},
    {0},
};
static const struct member attempt[] = {
    {"target", IS_STRING, NULL, is_target}, {"status", MAY_BE_COUNT, NULL, is_count},
    {"class", MAY_BE_TEXT, NULL, is_class}, {"ms", IS_NUMBER, NULL, is_count},
    {"cost", MAY_BE_TEXT, NULL, is_usd},    {0},
};
static const struct member answer[] = {
    {"text", IS_STRING, NULL, NULL},
    {"reasoning", MAY_BE_TEXT, NULL, NULL},
    {"refusal", MAY_BE_TEXT, NULL, NULL},
    {"tool_calls", IS_ARRAY, tool_call, NULL},
    {"finish", IS_STRING, NULL, is_finish},
    {"finish_raw", MAY_BE_TEXT, NULL, NULL},
    {"model", MAY_BE_TEXT, NULL, NULL},
    {"target", IS_STRING, NULL, is_target},
    {"response_id", MAY_BE_TEXT, NULL, NULL},
    {"usage", IS_OBJECT, usage, is_usage},
    {"cost", IS_OBJECT, cost, is_money},
    {"message", IS_OBJECT, NULL, is_message},
    {"parameters", IS_ARRAY, parameter, NULL},
    {"attempts", IS_ARRAY, attempt, NULL},
    {0},
};
static const struct member fault_members[] = {
    {"class", MAY_BE_TEXT, NULL, is_class},
    {"origin", MAY_BE_TEXT, NULL, is_origin},
    {"stage", MAY_BE_TEXT, NULL, NULL},
    {"message", IS_STRING, NULL, is_line},
    {"status", MAY_BE_COUNT, NULL, is_count},
    {"code", MAY_BE_TEXT, NULL, NULL},
    {"retry_after_ms", MAY_BE_COUNT, NULL, is_count},
    {"target", MAY_BE_TEXT, NULL, is_target},
    {0},
};
static const struct member partial[] = {
    {"text", IS_STRING, NULL, NULL},
    {"usage", IS_OBJECT, usage, is_usage},
    {0},
};
static const struct member fault[] = {
    {"error", IS_OBJECT, fault_members, NULL},   {"partial", IS_OBJECT | IS_NULL, partial, NULL},
    {"cost", IS_OBJECT, cost, is_money},         {"attempts", IS_ARRAY, attempt, NULL},
    {"estimate_usd", MAY_BE_TEXT, NULL, is_usd}, {0},
};
static const struct member model[] = {
    {"instance", IS_STRING, NULL, NULL},
    {"id", IS_STRING, NULL, NULL},
    {"context", MAY_BE_COUNT, NULL, is_count},
    {"max_output", MAY_BE_COUNT, NULL, is_count},
    {"input_price", MAY_BE_TEXT, NULL, is_usd},
    {"output_price", MAY_BE_TEXT, NULL, is_usd},
    {"retired", MAY_BE_TEXT, NULL, NULL},
    {"capabilities", IS_ARRAY, NULL, NULL},
    {0},
};
static const struct member models[] = {
    {"models", IS_ARRAY, model, NULL},
    {"errors", IS_ARRAY, fault_members, NULL},
    {0},
};
static const struct member provider[] = {
    {"name", IS_STRING, NULL, NULL},         {"id", MAY_BE_TEXT, NULL, NULL},
    {"version", MAY_BE_TEXT, NULL, NULL},    {"abi", MAY_BE_TEXT, NULL, NULL},
    {"key", IS_BOOL | IS_NULL, NULL, NULL},  {"key_variable", MAY_BE_TEXT, NULL, NULL},
    {"base_url", MAY_BE_TEXT, NULL, NULL},   {"file", MAY_BE_TEXT, NULL, NULL},
    {"refused", MAY_BE_TEXT, NULL, is_line}, {0},
};
static const struct member providers[] = {
    {"providers", IS_ARRAY, provider, NULL},
    {"folders", IS_ARRAY, NULL, NULL},
    {0},
};
static const struct member price[] = {
    {"target", IS_STRING, NULL, is_target}, {"at", MAY_BE_TEXT, NULL, NULL},
    {"usage", IS_OBJECT, usage, is_usage},  {"usd", MAY_BE_TEXT, NULL, is_usd},
    {"priced", IS_BOOL, NULL, NULL},        {"price_id", MAY_BE_TEXT, NULL, NULL},
    {"estimated", IS_BOOL, NULL, NULL},     {0},
};

static void is_group(const char *path, const koine_json *value)
{
    static const char *const groups[] = {"configuration", "plugins", "instances", "instance", "clock", NULL};
    is_one_of(path, value, groups);
}

static void is_state(const char *path, const koine_json *value)
{
    static const char *const states[] = {"ok", "warning", "problem", "skipped", NULL};
    is_one_of(path, value, states);
}

static bool is_wrong(const koine_json *check)
{
    const char *state = koine_json_string(koine_json_get(check, "state"), NULL);
    return state && (strcmp(state, "warning") == 0 || strcmp(state, "problem") == 0);
}

/* Whoever is told that something is wrong is told what to do about it, and nobody else is. */
static void is_advised(const char *path, const koine_json *checks)
{
    for (size_t i = 0; i < koine_json_count(checks); i++) {
        const koine_json *check = koine_json_at(checks, i);
        if (is_wrong(check) != (koine_json_string(koine_json_get(check, "advice"), NULL) != NULL))
            complain(path, "%u: advice and state do not fit together", (unsigned)i);
    }
}

static const struct member check[] = {
    {"group", IS_STRING, NULL, is_group},
    {"instance", MAY_BE_TEXT, NULL, NULL},
    {"check", IS_STRING, NULL, is_line},
    {"state", IS_STRING, NULL, is_state},
    {"found", IS_STRING, NULL, is_line},
    {"advice", MAY_BE_TEXT, NULL, is_line},
    {0},
};
static const struct member doctor[] = {
    {"problems", IS_NUMBER, NULL, is_count},
    {"warnings", IS_NUMBER, NULL, is_count},
    {"checks", IS_ARRAY, check, is_advised},
    {0},
};

static void is_stand(const char *path, const koine_json *value)
{
    static const char *const words[] = {"asked", "waits", "refused", "reserve", "unreached", NULL};
    is_one_of(path, value, words);
}

static void is_layer(const char *path, const koine_json *value)
{
    static const char *const words[] = {"plugin",  "latch",   "budget", "breaker",
                                        "limiter", "request", "key",    NULL};
    is_one_of(path, value, words);
}

static void is_pass(const char *path, const koine_json *value)
{
    static const char *const words[] = {"go", "wait", "refuse", NULL};
    is_one_of(path, value, words);
}

/* Only who refuses has a class. */
static void are_layers(const char *path, const koine_json *layers)
{
    for (size_t i = 0; i < koine_json_count(layers); i++) {
        const koine_json *layer = koine_json_at(layers, i);
        const char *state = koine_json_string(koine_json_get(layer, "state"), NULL);
        bool refuses = state && strcmp(state, "refuse") == 0;
        if (refuses != (koine_json_kind(koine_json_get(layer, "class")) == KOINE_JSON_STRING))
            complain(path, "%u: state and class do not fit together", (unsigned)i);
    }
}

/* Somebody is asked, or there is a fault. */
static void is_now(const char *path, const koine_json *now)
{
    if ((koine_json_kind(koine_json_get(now, "target")) == KOINE_JSON_STRING) ==
        (koine_json_kind(koine_json_get(now, "class")) == KOINE_JSON_STRING))
        complain(path, "has neither target nor class, or both");
}

static const struct member now[] = {
    {"target", MAY_BE_TEXT, NULL, NULL},
    {"class", MAY_BE_TEXT, NULL, NULL},
    {"says", IS_STRING, NULL, is_line},
    {0},
};
static const struct member budget[] = {
    {"scope", IS_STRING, NULL, NULL},       {"limit_usd", IS_STRING, NULL, is_usd},
    {"spent_usd", IS_STRING, NULL, is_usd}, {"reserved_usd", IS_STRING, NULL, is_usd},
    {"left_usd", IS_STRING, NULL, is_usd},  {0},
};
static const struct member call_cost[] = {
    {"most_usd", MAY_BE_TEXT, NULL, is_usd},
    {"says", IS_STRING, NULL, is_line},
    {"budgets", IS_ARRAY, budget, NULL},
    {0},
};
static const struct member layer[] = {
    {"layer", IS_STRING, NULL, is_layer},
    {"state", IS_STRING, NULL, is_pass},
    {"says", IS_STRING, NULL, is_line},
    {"class", MAY_BE_TEXT, NULL, NULL},
    {"code", MAY_BE_TEXT, NULL, NULL},
    {"wait_ms", MAY_BE_COUNT, NULL, is_count},
    {0},
};
static const struct member timeouts[] = {
    {"connect_ms", MAY_BE_COUNT, NULL, is_count},     {"first_byte_ms", MAY_BE_COUNT, NULL, is_count},
    {"first_token_ms", MAY_BE_COUNT, NULL, is_count}, {"idle_ms", MAY_BE_COUNT, NULL, is_count},
    {"progress_ms", MAY_BE_COUNT, NULL, is_count},    {"total_ms", MAY_BE_COUNT, NULL, is_count},
    {"share_ms", MAY_BE_COUNT, NULL, is_count},       {0},
};
static const struct member retry[] = {
    {"max_retries", IS_NUMBER, NULL, is_count},
    {"waits_ms", IS_ARRAY, NULL, NULL},
    {"jitter", IS_STRING, NULL, NULL},
    {"retry_after_cap_ms", IS_NUMBER, NULL, is_count},
    {"move_on_after_ms", IS_NUMBER, NULL, is_count},
    {"budget_left", MAY_BE_COUNT, NULL, is_count},
    {"budget_capacity", MAY_BE_COUNT, NULL, is_count},
    {0},
};
static const struct member hedge[] = {
    {"after_ms", IS_NUMBER, NULL, is_count},
    {"target", IS_STRING, NULL, is_target},
    {"obstacle", MAY_BE_TEXT, NULL, is_line},
    {0},
};
static const struct member tokens[] = {
    {"context", MAY_BE_COUNT, NULL, is_count},
    {"max_output", MAY_BE_COUNT, NULL, is_count},
    {"prompt_most", MAY_BE_COUNT, NULL, is_count},
    {"answer_most", MAY_BE_COUNT, NULL, is_count},
    {0},
};
static const struct member price_row[] = {
    {"id", IS_STRING, NULL, NULL},        {"valid_from", MAY_BE_TEXT, NULL, NULL},
    {"input", MAY_BE_TEXT, NULL, is_usd}, {"output", MAY_BE_TEXT, NULL, is_usd},
    {"estimated", IS_BOOL, NULL, NULL},   {0},
};
static const struct member target_cost[] = {
    {"attempts_most", IS_NUMBER, NULL, is_count}, {"attempt_most_usd", MAY_BE_TEXT, NULL, is_usd},
    {"most_usd", MAY_BE_TEXT, NULL, is_usd},      {"unpriced", IS_BOOL, NULL, NULL},
    {"unknown", MAY_BE_TEXT, NULL, is_line},      {0},
};
static const struct member reaction[] = {
    {"class", IS_STRING, NULL, is_class},
    {"again", IS_BOOL, NULL, NULL},
    {"next", MAY_BE_TEXT, NULL, NULL},
    {0},
};
static const struct member explained_target[] = {
    {"target", IS_STRING, NULL, is_target},
    {"plugin", MAY_BE_TEXT, NULL, NULL},
    {"base_url", MAY_BE_TEXT, NULL, NULL},
    {"stands", IS_STRING, NULL, is_stand},
    {"why", IS_STRING, NULL, is_line},
    {"moves_on", IS_STRING, NULL, is_line},
    {"layers", IS_ARRAY, layer, are_layers},
    {"parameters", IS_ARRAY, parameter, NULL},
    {"timeouts", IS_OBJECT, timeouts, NULL},
    {"retry", IS_OBJECT, retry, NULL},
    {"hedge", IS_OBJECT | IS_NULL, hedge, NULL},
    {"tokens", IS_OBJECT, tokens, NULL},
    {"retired", MAY_BE_TEXT, NULL, NULL},
    {"price", IS_OBJECT | IS_NULL, price_row, NULL},
    {"cost", IS_OBJECT, target_cost, NULL},
    {"faults", IS_ARRAY, reaction, NULL},
    {0},
};
static const struct member explanation[] = {
    {"route", MAY_BE_TEXT, NULL, NULL},
    {"commit", IS_STRING, NULL, NULL},
    {"stream", IS_BOOL, NULL, NULL},
    {"deadline_ms", IS_NUMBER, NULL, is_count},
    {"max_attempts", IS_NUMBER, NULL, is_count},
    {"run", IS_STRING, NULL, NULL},
    {"now", IS_OBJECT, now, is_now},
    {"cost", IS_OBJECT, call_cost, NULL},
    {"targets", IS_ARRAY, explained_target, NULL},
    {0},
};

static const struct {
    const char *name;
    const struct member *members;
} shapes[] = {{"answer", answer}, {"fault", fault},   {"models", models},          {"providers", providers},
              {"cost", price},    {"doctor", doctor}, {"explanation", explanation}};
enum {
    SHAPES = sizeof(shapes) / sizeof(shapes[0])
};

/* ---- comparing ---- */

static void check_object(const char *path, const koine_json *object, const struct member *members);

static void check_value(const char *path, const koine_json *value, const struct member *member)
{
    bool is_array = koine_json_kind(value) == KOINE_JSON_ARRAY;
    if (!(1 << koine_json_kind(value) & member->kinds)) {
        complain(path, value ? "is of the wrong type" : "is missing");
        return;
    }
    for (size_t i = 0; member->below && is_array && i < koine_json_count(value); i++) {
        char element[256];
        snprintf(element, sizeof(element), "%.200s.%u", path, (unsigned)i);
        check_object(element, koine_json_at(value, i), member->below);
    }
    if (member->below && koine_json_kind(value) == KOINE_JSON_OBJECT)
        check_object(path, value, member->below);
    if (member->check)
        member->check(path, value);
}

static void check_object(const char *path, const koine_json *object, const struct member *members)
{
    size_t count = 0;
    if (koine_json_kind(object) != KOINE_JSON_OBJECT) {
        complain(path, "is no object");
        return;
    }
    for (; members->name; members++, count++) {
        char below[256];
        snprintf(below, sizeof(below), "%.200s%s%s", path, *path ? "." : "", members->name);
        check_value(below, koine_json_get(object, members->name), members);
    }
    if (koine_json_count(object) != count)
        complain(path, "has %zu members, not %zu", koine_json_count(object), count);
}

static void check_text(const char *text, size_t length, const struct member *members)
{
    koine_json *root = NULL;
    koine_error *error = NULL;
    if (length == 0 || memchr(text, '\n', length) != text + length - 1)
        complain("output", "is not one line");
    if (koine_json_parse(text, length, &root, &error) == KOINE_OK)
        check_object("", root, members);
    else
        complain("output", "%s", koine_error_message(error));
    koine_error_free(error);
    koine_json_free(root);
}

int main(int argc, char **argv)
{
    static char text[1 << 22];
    const struct member *members = NULL;
    for (size_t i = 0; argc == 2 && i < SHAPES; i++)
        if (strcmp(argv[1], shapes[i].name) == 0)
            members = shapes[i].members;
    if (!members) {
        fputs("usage: shape answer|fault|models|providers|cost|doctor|explanation\n", stderr);
        return 2;
    }
    check_text(text, fread(text, 1, sizeof(text), stdin), members);
    return wrong ? 1 : 0;
}
