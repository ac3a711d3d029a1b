#include "core/plugin/catalogue.h"

#include "core/base/mem.h"
#include "tests/unit/failalloc.h"
#include "tests/unit/suite.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DAY INT64_C(86400)

/* Dates as seconds since 1970, by hand: date -u -d DATE +%s. */
#define ON_2024_07_22 INT64_C(1721606400)
#define ON_2024_07_23 INT64_C(1721692800)
#define ON_2025_01_01 INT64_C(1735689600)
#define ON_2026_07_29 INT64_C(1785283200)
#define ON_2026_07_30 INT64_C(1785369600)

static struct koine__catalogue *catalogue_of(const char *text)
{
    koine_error *error = NULL;
    struct koine__catalogue *catalogue = koine__catalogue_new();
    CU_ASSERT_PTR_NOT_NULL_FATAL(catalogue);
    ASSERT_INT(koine__catalogue_add(catalogue, "a.json", koine__str(text), false, &error), KOINE_OK);
    if (error)
        ASSERT_STR(koine_error_message(error), "");
    koine_error_free(error);
    return catalogue;
}

/* The file is refused with exactly this message. */
static void refused(const char *text, const char *message)
{
    koine_error *error = NULL;
    struct koine__catalogue *catalogue = koine__catalogue_new();
    CU_ASSERT_PTR_NOT_NULL_FATAL(catalogue);
    ASSERT_INT(koine__catalogue_add(catalogue, "a.json", koine__str(text), false, &error), KOINE_ECONFIG);
    ASSERT_STR(koine_error_message(error), message);
    koine_error_free(error);
    koine__catalogue_free(catalogue);
}

#define FILE_OF(models) "{\"provider\":\"p\",\"models\":[" models "]}"
#define MODEL(more)     FILE_OF("{\"id\":\"m\"" more "}")
#define ROW(row)        FILE_OF("{\"id\":\"m\",\"prices\":[" row "]}")

static const char *source_folder(void)
{
    const char *folder = getenv("srcdir");
    return folder ? folder : ".";
}

static struct koine__catalogue *shipped(void)
{
    static const char *const names[] = {"together", "openai"};
    struct koine__catalogue *catalogue = koine__catalogue_new();
    CU_ASSERT_PTR_NOT_NULL_FATAL(catalogue);
    for (size_t i = 0; i < 2; i++) {
        char path[4096];
        koine_error *error = NULL;
        snprintf(path, sizeof(path), "%s/providers/catalogue/%s.json", source_folder(), names[i]);
        ASSERT_INT(koine__catalogue_add_file(catalogue, path, false, &error), KOINE_OK);
        ASSERT_STR(koine_error_message(error), "");
        koine_error_free(error);
    }
    return catalogue;
}

static const struct koine__price_row *row_of(const struct koine__catalogue *catalogue, const char *provider,
                                             const char *model, int64_t at, int64_t prompt)
{
    const struct koine__model *found = koine__catalogue_find(catalogue, provider, koine__str(model));
    CU_ASSERT_PTR_NOT_NULL_FATAL(found);
    return koine__catalogue_row(found, at, prompt, KOINE__STR(""), false);
}

/* ---- What ships --------------------------------------------------------------------------------- */

static void seven_models(void)
{
    static const struct {
        const char *id;
        int64_t context, rate;
        const char *last_capability;
        size_t capabilities;
    } table[] = {
        {"meta-llama/Meta-Llama-3.1-8B-Instruct-Turbo", 131072, 180000, "instruct", 2},
        {"meta-llama/Meta-Llama-3.1-70B-Instruct-Turbo", 131072, 880000, "reasoning", 3},
        {"meta-llama/Meta-Llama-3.1-405B-Instruct-Turbo", 130815, 5000000, "complex_tasks", 4},
        {"mistralai/Mistral-7B-Instruct-v0.3", 32768, 200000, "instruct", 2},
        {"mistralai/Mixtral-8x7B-Instruct-v0.1", 32768, 600000, "reasoning", 3},
        {"Qwen/Qwen2.5-7B-Instruct-Turbo", 32768, 300000, "multilingual", 3},
        {"Qwen/Qwen2.5-72B-Instruct-Turbo", 32768, 1200000, "multilingual", 4},
        {"Qwen/Qwen2.5-32B-Instruct", 32768, 800000, "instruct", 2},
    };
    struct koine__catalogue *catalogue = shipped();
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        const struct koine__model *model =
            koine__catalogue_find(catalogue, "together", koine__str(table[i].id));
        CU_ASSERT_PTR_NOT_NULL_FATAL(model);
        ASSERT_STR(model->id, table[i].id);
        ASSERT_STR(model->provider, "together");
        ASSERT_INT(model->context, table[i].context);
        ASSERT_STR(model->retired, "2026-10-07");
        ASSERT_STR(model->capabilities[table[i].capabilities - 1], table[i].last_capability);
        ASSERT_STR(model->capabilities[table[i].capabilities], NULL);
        const struct koine__price_row *row =
            koine__catalogue_row(model, ON_2024_07_23, 1000, KOINE__STR(""), false);
        CU_ASSERT_PTR_NOT_NULL_FATAL(row);
        ASSERT_INT(row->input, table[i].rate);
        ASSERT_INT(row->output, table[i].rate);
        ASSERT_INT(row->cache_read, -1);
        CU_ASSERT_PTR_NULL(koine__catalogue_row(model, ON_2024_07_22, 1000, KOINE__STR(""), false));
    }
    koine__catalogue_free(catalogue);
}

static void price_changes_with_the_date(void)
{
    static const char model[] = "meta-llama/Meta-Llama-3.1-405B-Instruct-Turbo";
    struct koine__catalogue *catalogue = shipped();
    const struct koine__price_row *before = row_of(catalogue, "together", model, ON_2025_01_01 - 1, 10);
    ASSERT_INT(before->input, 5000000);
    ASSERT_STR(before->id, "together/meta-llama/Meta-Llama-3.1-405B-Instruct-Turbo@2024-07-23");
    const struct koine__price_row *after = row_of(catalogue, "together", model, ON_2025_01_01, 10);
    ASSERT_INT(after->input, 3500000);
    ASSERT_STR(after->id, "together/meta-llama/Meta-Llama-3.1-405B-Instruct-Turbo@2025-01-01");
    koine__catalogue_free(catalogue);
}

static void price_changes_with_the_prompt(void)
{
    struct koine__catalogue *catalogue = shipped();
    ASSERT_STR(row_of(catalogue, "openai", "gpt-5.6-luna", ON_2026_07_30, 272000)->id,
               "openai/gpt-5.6-luna@2026-07-30");
    ASSERT_STR(row_of(catalogue, "openai", "gpt-5.6-luna", ON_2026_07_30, 272001)->id,
               "openai/gpt-5.6-luna@2026-07-30>272000");
    ASSERT_STR(row_of(catalogue, "openai", "gpt-5.6-luna", ON_2026_07_30 - 1, 272001)->id,
               "openai/gpt-5.6-luna@1970-01-01>272000");
    ASSERT_STR(row_of(catalogue, "openai", "gpt-5.6-luna", ON_2026_07_29, -1)->id,
               "openai/gpt-5.6-luna@1970-01-01");
    koine__catalogue_free(catalogue);
}

static void names(void)
{
    struct koine__catalogue *catalogue = shipped();
    const struct koine__model *model =
        koine__catalogue_find(catalogue, "together", KOINE__STR("QWEN/qwen2.5-32b-instruct-TURBO"));
    CU_ASSERT_PTR_NOT_NULL_FATAL(model);
    ASSERT_STR(model->id, "Qwen/Qwen2.5-32B-Instruct");
    ASSERT_STR(model->aliases[0], "qwen/Qwen2.5-32B-Instruct-Turbo");
    ASSERT_STR(model->aliases[1], NULL);
    CU_ASSERT_TRUE(model->rows[0].estimated);
    CU_ASSERT_PTR_EQUAL(koine__catalogue_find(catalogue, "openai", KOINE__STR("GPT-5.6")),
                        koine__catalogue_find(catalogue, "openai", KOINE__STR("gpt-5.6-sol")));
    /* ids have a case; nothing is known of another provider's, of a part, or of nothing */
    CU_ASSERT_PTR_NULL(koine__catalogue_find(catalogue, "openai", KOINE__STR("GPT-4o")));
    CU_ASSERT_PTR_NULL(koine__catalogue_find(catalogue, "together", KOINE__STR("gpt-4o")));
    CU_ASSERT_PTR_NULL(koine__catalogue_find(catalogue, "openai", KOINE__STR("gpt-4o-min")));
    CU_ASSERT_PTR_NULL(koine__catalogue_find(catalogue, "openai", KOINE__STR("gpt-4o-mini-x")));
    CU_ASSERT_PTR_NULL(koine__catalogue_find(catalogue, "openai", KOINE__STR("")));
    CU_ASSERT_PTR_NULL(koine__catalogue_find(catalogue, "openai", ((koine_str){NULL, 0})));
    CU_ASSERT_PTR_NULL(koine__catalogue_find(catalogue, "openai", KOINE__STR("gpt-4o\0")));
    koine__catalogue_free(catalogue);
}

/* Every name finds its own model: the index is in order. */
static void all_are_found(void)
{
    struct koine__catalogue *catalogue = shipped();
    CU_ASSERT_TRUE(koine__catalogue_count(catalogue) > 100);
    for (size_t i = 0; i < koine__catalogue_count(catalogue); i++) {
        const struct koine__model *model = koine__catalogue_at(catalogue, i);
        CU_ASSERT_PTR_EQUAL(koine__catalogue_find(catalogue, model->provider, koine__str(model->id)), model);
        for (size_t k = 0; model->aliases[k]; k++)
            CU_ASSERT_PTR_EQUAL(
                koine__catalogue_find(catalogue, model->provider, koine__str(model->aliases[k])), model);
    }
    ASSERT_STR(koine__catalogue_at(catalogue, 0)->id, "meta-llama/Meta-Llama-3.1-8B-Instruct-Turbo");
    CU_ASSERT_PTR_NULL(koine__catalogue_at(catalogue, koine__catalogue_count(catalogue)));
    koine__catalogue_free(catalogue);
}

/* ---- Rows ----------------------------------------------------------------------------------------- */

#define TIERS                                                                                                \
    "{\"valid_from\":\"2025-01-01\",\"input\":\"0.000001\",\"output\":8,\"cache_read\":0.5,"                 \
    "\"cache_write\":1.25,\"reasoning\":9.000000},"                                                          \
    "{\"valid_from\":\"2025-01-01\",\"input\":3,\"output\":3,\"service_tier\":\"flex\"},"                    \
    "{\"valid_from\":\"2024-07-23\",\"input\":4,\"output\":4,\"service_tier\":\"default\",\"batch\":true},"  \
    "{\"valid_from\":\"2024-07-23\",\"input\":5,\"output\":5,\"above_input_tokens\":100,"                    \
    "\"service_tier\":\"flex\",\"batch\":true}"

static void tiers_and_batch(void)
{
    struct koine__catalogue *catalogue = catalogue_of(ROW(TIERS));
    const struct koine__model *model = koine__catalogue_at(catalogue, 0);
    static const char *const standard[] = {"", "default", "auto", "standard"};
    for (size_t i = 0; i < 4; i++) {
        const struct koine__price_row *row =
            koine__catalogue_row(model, ON_2025_01_01, 1, koine__str(standard[i]), false);
        CU_ASSERT_PTR_NOT_NULL_FATAL(row);
        ASSERT_STR(row->id, "p/m@2025-01-01");
        ASSERT_INT(row->input, 1);
        ASSERT_INT(row->output, 8000000);
        ASSERT_INT(row->cache_read, 500000);
        ASSERT_INT(row->cache_write, 1250000);
        ASSERT_INT(row->reasoning, 9000000);
    }
    ASSERT_STR(koine__catalogue_row(model, ON_2025_01_01, 1, KOINE__STR("flex"), false)->id,
               "p/m@2025-01-01+flex");
    ASSERT_STR(koine__catalogue_row(model, ON_2025_01_01, 1, KOINE__STR("auto"), true)->id,
               "p/m@2024-07-23+batch");
    ASSERT_STR(koine__catalogue_row(model, ON_2025_01_01, 101, KOINE__STR("flex"), true)->id,
               "p/m@2024-07-23>100+flex+batch");
    CU_ASSERT_PTR_NULL(koine__catalogue_row(model, ON_2025_01_01, 100, KOINE__STR("flex"), true));
    CU_ASSERT_PTR_NULL(koine__catalogue_row(model, ON_2025_01_01, 1, KOINE__STR("priority"), false));
    CU_ASSERT_PTR_NULL(koine__catalogue_row(model, ON_2025_01_01 - 1, 1, KOINE__STR("flex"), false));
    koine__catalogue_free(catalogue);
}

#define STEPS                                                                                                \
    "{\"valid_from\":\"2025-01-01\",\"input\":3,\"output\":3,\"above_input_tokens\":200},"                   \
    "{\"valid_from\":\"2025-01-01\",\"input\":2,\"output\":2,\"above_input_tokens\":100},"                   \
    "{\"valid_from\":\"2025-01-01\",\"input\":1,\"output\":1},"                                              \
    "{\"valid_from\":\"2026-07-30\",\"input\":9,\"output\":9,\"above_input_tokens\":100}"

static void steps_of_the_prompt(void)
{
    struct koine__catalogue *catalogue = catalogue_of(ROW(STEPS));
    static const struct {
        int64_t prompt, input;
    } expected[] = {{-1, 1000000},  {0, 1000000},   {100, 1000000},
                    {101, 2000000}, {200, 2000000}, {201, 3000000}};
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
        ASSERT_INT(row_of(catalogue, "p", "m", ON_2025_01_01, expected[i].prompt)->input, expected[i].input);
    ASSERT_INT(row_of(catalogue, "p", "m", ON_2026_07_30, 101)->input, 9000000);
    /* a newer date holds even where it tells no row for that size: unknown, not the old price */
    CU_ASSERT_PTR_NULL(row_of(catalogue, "p", "m", ON_2026_07_30, 100));
    koine__catalogue_free(catalogue);
}

static void facts(void)
{
    struct koine__catalogue *catalogue = catalogue_of(
        "{\"provider\":\"p\",\"updated\":\"2026-11-21\",\"source\":\"\",\"models\":["
        "{\"id\":\"m\",\"context\":1e3,\"max_input\":800,\"max_output\":200,\"retired\":\"2026-01-01\","
        "\"source\":\"s\",\"date\":\"2026-01-01\",\"note\":\"\"},{\"id\":\"n\"}]}");
    const struct koine__model *m = koine__catalogue_at(catalogue, 0), *n = koine__catalogue_at(catalogue, 1);
    ASSERT_INT(m->context, 1000);
    ASSERT_INT(m->max_input, 800);
    ASSERT_INT(m->max_output, 200);
    ASSERT_STR(m->retired, "2026-01-01");
    ASSERT_INT(n->context, -1);
    ASSERT_INT(n->max_input, -1);
    ASSERT_INT(n->max_output, -1);
    ASSERT_STR(n->retired, "");
    ASSERT_STR(n->capabilities[0], NULL);
    ASSERT_STR(n->aliases[0], NULL);
    ASSERT_INT((long long)n->row_count, 0);
    koine__catalogue_free(catalogue);
}

/* ---- Overrides ------------------------------------------------------------------------------------ */

static void overrides(void)
{
    struct koine__catalogue *catalogue = catalogue_of(
        FILE_OF("{\"id\":\"m\",\"aliases\":[\"old\"],\"context\":10,\"max_output\":5,\"prices\":["
                "{\"valid_from\":\"2025-01-01\",\"input\":1,\"output\":1},"
                "{\"valid_from\":\"2026-07-30\",\"input\":2,\"output\":2}]}"));
    static const char mine[] =
        FILE_OF("{\"id\":\"m\",\"aliases\":[\"new\",\"newer\"],\"context\":20,\"prices\":["
                "{\"valid_from\":\"2026-07-30\",\"input\":7,\"output\":7},"
                "{\"valid_from\":\"2024-07-23\",\"input\":8,\"output\":8}]},{\"id\":\"own\"}");
    ASSERT_INT(koine__catalogue_add(catalogue, "mine.json", KOINE__STR(mine), true, NULL), KOINE_OK);
    const struct koine__model *model = koine__catalogue_find(catalogue, "p", KOINE__STR("NEW"));
    CU_ASSERT_PTR_NOT_NULL_FATAL(model);
    CU_ASSERT_PTR_EQUAL(koine__catalogue_find(catalogue, "p", KOINE__STR("newer")), model);
    CU_ASSERT_PTR_NULL(koine__catalogue_find(catalogue, "p", KOINE__STR("old")));
    ASSERT_INT(model->context, 20);
    ASSERT_INT(model->max_output, 5);
    ASSERT_INT((long long)model->row_count, 3);
    ASSERT_INT(row_of(catalogue, "p", "m", ON_2024_07_23, 1)->input, 8000000);
    ASSERT_INT(row_of(catalogue, "p", "m", ON_2025_01_01, 1)->input, 1000000);
    ASSERT_INT(row_of(catalogue, "p", "m", ON_2026_07_30, 1)->input, 7000000);
    CU_ASSERT_PTR_NOT_NULL(koine__catalogue_find(catalogue, "p", KOINE__STR("own")));
    ASSERT_INT((long long)koine__catalogue_count(catalogue), 2);
    /* the same name may be told by another provider */
    ASSERT_INT(koine__catalogue_add(catalogue, "q.json",
                                    KOINE__STR("{\"provider\":\"q\",\"models\":[{\"id\":\"m\"}]}"), false,
                                    NULL),
               KOINE_OK);
    ASSERT_STR(koine__catalogue_find(catalogue, "q", KOINE__STR("m"))->provider, "q");
    koine__catalogue_free(catalogue);
}

static void overrides_that_are_wrong(void)
{
    static const struct {
        const char *text, *message;
        bool override;
    } table[] = {
        {MODEL(""), "b.json:1:33: the model \"m\" is told twice", false},
        {FILE_OF("{\"id\":\"m\"},{\"id\":\"m\"}"), "b.json:1:44: the model \"m\" is told twice", true},
        {FILE_OF("{\"id\":\"a\"}"), "b.json:1:33: \"a\" is an alias of p/m already", true},
        {FILE_OF("{\"id\":\"M\"}"), "b.json:1:33: \"M\" and \"m\" of p differ in nothing but case", true},
        {FILE_OF("{\"id\":\"n\",\"aliases\":[\"A\"]}"),
         "b.json:1:48: the alias \"A\" is a name of p/m already", true},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        koine_error *error = NULL;
        struct koine__catalogue *catalogue = catalogue_of(MODEL(",\"aliases\":[\"a\"]"));
        ASSERT_INT(
            koine__catalogue_add(catalogue, "b.json", koine__str(table[i].text), table[i].override, &error),
            KOINE_ECONFIG);
        ASSERT_STR(koine_error_message(error), table[i].message);
        koine_error_free(error);
        koine__catalogue_free(catalogue);
    }
}

/* ---- Mistakes ------------------------------------------------------------------------------------- */

static void mistakes_of_the_file(void)
{
    refused("", "a.json:1:1: not JSON: the text ends too early");
    refused("[]", "a.json:1:1: a catalogue must be an object");
    refused("{}", "a.json:1:1: a catalogue needs \"provider\"");
    refused("{\"provider\":\"p\"}", "a.json:1:1: a catalogue needs \"models\", a list");
    refused("{\"provider\":\"p\",\n \"models\":{}}", "a.json:2:11: a catalogue needs \"models\", a list");
    refused("{\"provider\":7}", "a.json:1:13: \"provider\" must be a string that is not empty");
    refused("{\"provider\":\"P/1\"}",
            "a.json:1:13: \"provider\" must be the id of a plugin: a-z, 0-9, _ and - only");
    refused("{\"provider\":\"p\",\"updated\":\"21.11.2026\"}",
            "a.json:1:27: \"updated\" must be a date like \"2024-07-23\"");
    refused("{\"provider\":\"p\",\"source\":1}", "a.json:1:26: \"source\" must be a string");
    refused("{\"provider\":\"p\",\n  \"modells\": []}",
            "a.json:2:3: unknown member \"modells\"; did you mean \"models\"?");
    refused("{\"x\\\\\\\"y\" : 1}", "a.json:1:2: unknown member \"x\\\"y\"");
    refused("{\"provider\":\"p\",\"\\u0001zzzzzzzz\":1}", "a.json:1:17: unknown member \"zzzzzzzz\"");
}

static void mistakes_of_a_model(void)
{
    refused(FILE_OF("1"), "a.json:1:27: a model must be an object");
    refused(FILE_OF("{}"), "a.json:1:27: a model needs \"id\"");
    refused(FILE_OF("{\"id\":\"\"}"), "a.json:1:33: \"id\" must be a string that is not empty");
    refused(FILE_OF("{\"id\":\"a\\nb\"}"), "a.json:1:33: \"id\" is too long or holds control characters");
    refused(FILE_OF("{\"id\":\"a\\u0000b\"}"), "a.json:1:33: \"id\" is too long or holds control characters");
    refused(FILE_OF("{\"id\":\"a\",\"id\":\"b\"}"), "a.json:1:37: \"id\" is told twice");
    refused(MODEL(",\"price\":[]"), "a.json:1:37: unknown member \"price\"; did you mean \"prices\"?");
    refused(MODEL(",\"context\":-5"), "a.json:1:47: \"context\" must be a whole number of tokens, 1 or more");
    refused(MODEL(",\"context\":0"), "a.json:1:47: \"context\" must be a whole number of tokens, 1 or more");
    refused(MODEL(",\"max_input\":1.5"),
            "a.json:1:49: \"max_input\" must be a whole number of tokens, 1 or more");
    refused(MODEL(",\"max_output\":\"4096\""),
            "a.json:1:50: \"max_output\" must be a whole number of tokens, 1 or more");
    refused(MODEL(",\"capabilities\":\"chat\""), "a.json:1:52: \"capabilities\" must be a list of strings");
    refused(MODEL(",\"capabilities\":[1]"),
            "a.json:1:53: \"capabilities\" must be a string that is not empty");
    refused(MODEL(",\"retired\":true"), "a.json:1:47: \"retired\" must be a date like \"2024-07-23\"");
    refused(MODEL(",\"retired\":\"2026-02-30\""),
            "a.json:1:47: \"retired\" must be a date like \"2024-07-23\"");
    refused(MODEL(",\"date\":\"2026-01-01T00:00:00Z\""),
            "a.json:1:44: \"date\" must be a date like \"2024-07-23\"");
    refused(MODEL(",\"source\":[]"), "a.json:1:46: \"source\" must be a string");
    refused(MODEL(",\"note\":null"), "a.json:1:44: \"note\" must be a string");
    refused(MODEL(",\"aliases\":{}"), "a.json:1:47: \"aliases\" must be a list of strings");
    refused(MODEL(",\"aliases\":[\"M\"]"), "a.json:1:48: the alias \"M\" is a name of p/m already");
    refused(MODEL(",\"aliases\":[\"a\",\"A\"]"), "a.json:1:52: the alias \"A\" is a name of p/m already");
    refused(MODEL(",\"prices\":{}"), "a.json:1:46: \"prices\" must be a list of price rows");
    refused(FILE_OF("{\"id\":\"m\"},\n{\"id\":\"M\"}"),
            "a.json:2:7: \"M\" and \"m\" of p differ in nothing but case");
}

#define PRICE_MESSAGE(at, name)                                                                              \
    "a.json:1:" at ": \"" name "\" must be US dollars per million tokens with at most 6 decimals, like 0.18"

static void mistakes_of_a_row(void)
{
    refused(ROW("7"), "a.json:1:47: a price row must be an object");
    refused(ROW("{}"), "a.json:1:47: a price row needs \"valid_from\"");
    refused(ROW("{\"valid_from\":\"2024-07-23\"}"), "a.json:1:47: a price row needs \"input\"");
    refused(ROW("{\"valid_from\":\"2024-07-23\",\"input\":1}"), "a.json:1:47: a price row needs \"output\"");
    refused(ROW("{\"valid_from\":\"2024-13-01\",\"input\":1,\"output\":1}"),
            "a.json:1:61: \"valid_from\" must be a date like \"2024-07-23\"");
    refused(ROW("{\"valid_from\":\"2024-07-23\",\"input\":-0.1,\"output\":1}"),
            "a.json:1:82: \"input\" must not be negative");
    refused(ROW("{\"valid_from\":\"2024-07-23\",\"input\":\"-1\",\"output\":1}"),
            "a.json:1:82: \"input\" must not be negative");
    refused(ROW("{\"valid_from\":\"2024-07-23\",\"input\":0.0000001,\"output\":1}"),
            PRICE_MESSAGE("82", "input"));
    refused(ROW("{\"valid_from\":\"2024-07-23\",\"input\":1e-3,\"output\":1}"), PRICE_MESSAGE("82", "input"));
    refused(ROW("{\"valid_from\":\"2024-07-23\",\"input\":99999999999999,\"output\":1}"),
            PRICE_MESSAGE("82", "input"));
    refused(ROW("{\"valid_from\":\"2024-07-23\",\"input\":1,\"output\":null}"),
            PRICE_MESSAGE("93", "output"));
    refused(ROW("{\"valid_from\":\"2024-07-23\",\"input\":1,\"output\":1,\"cache_read\":\"\"}"),
            PRICE_MESSAGE("108", "cache_read"));
    refused(ROW("{\"valid_from\":\"2024-07-23\",\"input\":1,\"output\":1,\"above_input_tokens\":0}"),
            "a.json:1:116: \"above_input_tokens\" must be a whole number of tokens, 1 or more");
    refused(ROW("{\"valid_from\":\"2024-07-23\",\"input\":1,\"output\":1,\"service_tier\":false}"),
            "a.json:1:110: \"service_tier\" must be a string that is not empty");
    refused(ROW("{\"valid_from\":\"2024-07-23\",\"input\":1,\"output\":1,\"batch\":\"true\"}"),
            "a.json:1:103: \"batch\" must be true or false");
    refused(ROW("{\"valid_from\":\"2024-07-23\",\"input\":1,\"output\":1,\"estimated\":1}"),
            "a.json:1:107: \"estimated\" must be true or false");
    refused(ROW("{\"valid_from\":\"2024-07-23\",\"input\":1,\"output\":1,\"date\":\"now\"}"),
            "a.json:1:102: \"date\" must be a date like \"2024-07-23\"");
    refused(ROW("{\"valid_from\":\"2024-07-23\",\"input\":1,\"output\":1,\"source\":2}"),
            "a.json:1:104: \"source\" must be a string");
    refused(ROW("{\"valid_from\":\"2024-07-23\",\"input\":1,\"output\":1},"
                "{\"valid_from\":\"2024-07-23\",\"input\":2,\"output\":2,\"service_tier\":\"default\"}"),
            "a.json:1:96: the price row p/m@2024-07-23 is told twice");
}

/* No truncation of a good file is accepted, or crashes. */
static void truncations(void)
{
    static const char text[] = FILE_OF("{\"id\":\"m\",\"aliases\":[\"a\"],\"prices\":[" TIERS "]}");
    for (size_t len = 0; len + 1 < sizeof(text); len++) {
        koine_error *error = NULL;
        struct koine__catalogue *catalogue = koine__catalogue_new();
        CU_ASSERT_PTR_NOT_NULL_FATAL(catalogue);
        CU_ASSERT_EQUAL(koine__catalogue_add(catalogue, "a", (koine_str){text, len}, false, &error),
                        KOINE_ECONFIG);
        koine_error_free(error);
        koine__catalogue_free(catalogue);
    }
}

/* ---- Files ---------------------------------------------------------------------------------------- */

static void files(void)
{
    koine_error *error = NULL;
    char path[64] = "/tmp/koine-catalogue-XXXXXX";
    struct koine__catalogue *catalogue = koine__catalogue_new();
    CU_ASSERT_PTR_NOT_NULL_FATAL(catalogue);
    ASSERT_INT(koine__catalogue_add_file(catalogue, "/nonexistent/a.json", false, &error), KOINE_ECONFIG);
    ASSERT_STR(koine_error_message(error), "/nonexistent/a.json: cannot be read: No such file or directory");
    koine_error_free(error);
    ASSERT_INT(koine__catalogue_add_file(catalogue, "/tmp", false, &error), KOINE_ECONFIG);
    ASSERT_STR(koine_error_message(error), "/tmp: cannot be read: Is a directory");
    koine_error_free(error);
    int fd = mkstemp(path);
    CU_ASSERT_TRUE_FATAL(fd >= 0);
    CU_ASSERT_EQUAL(ftruncate(fd, (16 << 20) + 1), 0);
    ASSERT_INT(koine__catalogue_add_file(catalogue, path, false, &error), KOINE_ECONFIG);
    CU_ASSERT_PTR_NOT_NULL(strstr(koine_error_message(error), ": is larger than 16 MiB"));
    koine_error_free(error);
    close(fd);
    unlink(path);
    koine__catalogue_free(catalogue);
    koine__catalogue_free(NULL);
}

static int build_twice(koine_error **error)
{
    static const char text[] =
        FILE_OF("{\"id\":\"m\",\"aliases\":[\"a\"],\"capabilities\":[\"chat\"],\"prices\":[" TIERS "]}");
    struct koine__catalogue *catalogue = koine__catalogue_new();
    if (!catalogue)
        return koine__error_memory(error);
    int rc = koine__catalogue_add(catalogue, "a.json", KOINE__STR(text), false, error);
    if (rc == KOINE_OK)
        rc = koine__catalogue_add(catalogue, "b.json", KOINE__STR(text), true, error);
    koine__catalogue_free(catalogue);
    return rc;
}

static void failing_allocations(void)
{
    for (long n = 1;; n++) {
        koine_error *error = NULL;
        failalloc_begin(n);
        int rc = build_twice(&error);
        koine_error_free(error);
        if (!failalloc_end()) {
            ASSERT_INT(rc, KOINE_OK);
            break;
        }
        ASSERT_INT(rc, KOINE_EMEMORY);
    }
}

static void failing_allocations_of_a_file(void)
{
    char path[4096];
    snprintf(path, sizeof(path), "%s/providers/catalogue/together.json", source_folder());
    for (long n = 1;; n++) {
        koine_error *error = NULL;
        failalloc_begin(n);
        struct koine__catalogue *catalogue = koine__catalogue_new();
        int rc = catalogue ? koine__catalogue_add_file(catalogue, path, false, &error) : KOINE_EMEMORY;
        koine__catalogue_free(catalogue);
        koine_error_free(error);
        if (!failalloc_end()) {
            ASSERT_INT(rc, KOINE_OK);
            break;
        }
        ASSERT_INT(rc, KOINE_EMEMORY);
    }
}

SUITE_MAIN("catalogue", {"the seven models and one", seven_models},
           {"a price changes with the date", price_changes_with_the_date},
           {"a price changes with the prompt", price_changes_with_the_prompt}, {"names", names},
           {"every name is found", all_are_found}, {"tiers and batch", tiers_and_batch},
           {"steps of the prompt", steps_of_the_prompt}, {"facts", facts}, {"overrides", overrides},
           {"overrides that are wrong", overrides_that_are_wrong},
           {"mistakes of the file", mistakes_of_the_file}, {"mistakes of a model", mistakes_of_a_model},
           {"mistakes of a row", mistakes_of_a_row}, {"truncations", truncations}, {"files", files},
           {"failing allocations", failing_allocations},
           {"failing allocations of a file", failing_allocations_of_a_file})
