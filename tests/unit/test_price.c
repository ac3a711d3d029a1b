#include "core/money/price.h"

#include "tests/unit/suite.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ON_2024_07_22 INT64_C(1721606400)
#define ON_2024_07_23 INT64_C(1721692800)
#define ON_2024_12_31 INT64_C(1735603200)
#define ON_2025_01_01 INT64_C(1735689600)
#define ON_2026_07_29 INT64_C(1785283200)
#define ON_2026_07_30 INT64_C(1785369600)
#define ON_2026_10_07 INT64_C(1791331200)

static struct koine__catalogue *shipped(void)
{
    static const char *const names[] = {"together", "openai", "azure"};
    const char *folder = getenv("srcdir");
    struct koine__catalogue *catalogue = koine__catalogue_new();
    CU_ASSERT_PTR_NOT_NULL_FATAL(catalogue);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char path[4096];
        snprintf(path, sizeof(path), "%s/providers/catalogue/%s.json", folder ? folder : ".", names[i]);
        ASSERT_INT(koine__catalogue_add_file(catalogue, path, false, NULL), KOINE_OK);
    }
    return catalogue;
}

static koine_provider_usage tokens(int64_t input, int64_t output)
{
    koine_provider_usage usage;
    koine__provider_usage_init(&usage);
    usage.input = input;
    usage.output = output;
    return usage;
}

static int32_t ask(const struct koine__catalogue *catalogue, const char *provider, const char *model,
                   const char *asked, int64_t at, const koine_provider_usage *usage, koine_provider_cost *ret)
{
    const koine_provider self = {.size = sizeof(self), .id = provider};
    const koine_cost_query query = {.size = sizeof(query),
                                    .self = &self,
                                    .model = koine__str(model),
                                    .asked = koine__str(asked),
                                    .at = at,
                                    .usage = usage};
    memset(ret, 0x55, sizeof(*ret));
    ret->size = sizeof(*ret);
    return koine__price_query(catalogue, &query, ret);
}

/* The same literals as tests/style/check_prices.sh, which computes them a second time. */
static void exact_costs(void)
{
    static const struct {
        const char *provider, *model;
        int64_t at, input, output, expected;
    } table[] = {
        {"together", "meta-llama/Meta-Llama-3.1-8B-Instruct-Turbo", ON_2024_07_23, 1234, 567, 324180000},
        {"together", "meta-llama/Meta-Llama-3.1-70B-Instruct-Turbo", ON_2024_07_23, 1234, 567, 1584880000},
        {"together", "meta-llama/Meta-Llama-3.1-405B-Instruct-Turbo", ON_2024_12_31, 1234, 567, 9005000000},
        {"together", "meta-llama/Meta-Llama-3.1-405B-Instruct-Turbo", ON_2025_01_01, 1234, 567, 6303500000},
        {"together", "mistralai/Mistral-7B-Instruct-v0.3", ON_2024_07_23, 1234, 567, 360200000},
        {"together", "mistralai/Mixtral-8x7B-Instruct-v0.1", ON_2024_07_23, 1234, 567, 1080600000},
        {"together", "Qwen/Qwen2.5-7B-Instruct-Turbo", ON_2024_07_23, 1234, 567, 540300000},
        {"together", "Qwen/Qwen2.5-72B-Instruct-Turbo", ON_2024_07_23, 1234, 567, 2161200000},
        {"together", "Qwen/Qwen2.5-32B-Instruct", ON_2024_07_23, 1234, 567, 1440800000},
        {"together", "Qwen/Qwen3.8-Flash", ON_2026_10_07, 1234, 567, 270954000},
        {"openai", "gpt-4o-mini", ON_2025_01_01, 1234, 567, 525300000},
        {"azure", "gpt-4o-mini-2024-07-18", ON_2025_01_01, 1234, 567, 525300000},
        {"openai", "gpt-5.6-luna", ON_2026_07_29, 272000, 1000, 278000000000},
        {"openai", "gpt-5.6-luna", ON_2026_07_29, 272001, 1000, 553002000000},
        {"openai", "gpt-5.6-luna", ON_2026_07_30, 272000, 1000, 55600000000},
        {"openai", "gpt-5.6-luna", ON_2026_07_30, 272001, 1000, 110600400000},
        {"openai", "gpt-5.6-sol", ON_2026_07_30, 1, 0, 5000000},
    };
    struct koine__catalogue *catalogue = shipped();
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        koine_provider_usage usage = tokens(table[i].input, table[i].output);
        koine_provider_cost cost;
        ASSERT_INT(
            ask(catalogue, table[i].provider, table[i].model, table[i].model, table[i].at, &usage, &cost), 0);
        ASSERT_INT(cost.state, KOINE_PRICE_KNOWN);
        ASSERT_INT(cost.picodollars, table[i].expected);
        ASSERT_INT(cost.estimated, strcmp(table[i].model, "Qwen/Qwen2.5-32B-Instruct") == 0 ||
                                       strcmp(table[i].provider, "azure") == 0);
    }
    koine__catalogue_free(catalogue);
}

static void unpriced(void)
{
    struct koine__catalogue *catalogue = shipped();
    koine_provider_usage usage = tokens(10, 10), audio = tokens(10, 10), nothing = tokens(-1, -1);
    audio.audio_output = 1;
    const struct {
        const char *model;
        int64_t at;
        const koine_provider_usage *usage;
    } table[] = {
        {"someone/fine-tuned", ON_2025_01_01, &usage},
        {"meta-llama/Meta-Llama-3.1-8B-Instruct-Turbo", ON_2024_07_22, &usage},
        {"meta-llama/Meta-Llama-3.1-8B-Instruct-Turbo", ON_2025_01_01, &audio},
        {"meta-llama/Meta-Llama-3.1-8B-Instruct-Turbo", ON_2025_01_01, &nothing},
        {"meta-llama/Meta-Llama-3.1-8B-Instruct-Turbo", ON_2025_01_01, NULL},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        koine_provider_cost cost;
        ASSERT_INT(
            ask(catalogue, "together", table[i].model, table[i].model, table[i].at, table[i].usage, &cost),
            0);
        ASSERT_INT(cost.state, KOINE_PRICE_UNKNOWN);
        ASSERT_INT(cost.picodollars, 0);
        ASSERT_INT(cost.estimated, 0);
        CU_ASSERT_PTR_NULL(cost.price_id.ptr);
        ASSERT_INT((long long)cost.price_id.len, 0);
    }
    koine__catalogue_free(catalogue);
}

/* The model that answered, else the one asked, else its alias; price_id shows which. */
static void which_model(void)
{
    struct koine__catalogue *catalogue = shipped();
    koine_provider_usage usage = tokens(1, 1);
    static const struct {
        const char *provider, *model, *asked, *price_id;
    } table[] = {
        {"openai", "gpt-4o-mini-2024-07-18", "gpt-4o-mini", "openai/gpt-4o-mini-2024-07-18@1970-01-01"},
        {"openai", "gpt-4o-mini-9999", "gpt-4o-mini", "openai/gpt-4o-mini@1970-01-01"},
        {"openai", "", "gpt-4o-mini", "openai/gpt-4o-mini@1970-01-01"},
        {"together", "x", "qwen/qwen2.5-32b-instruct-turbo", "together/Qwen/Qwen2.5-32B-Instruct@2024-07-23"},
        /* known, but without a row that early */
        {"openai", "gpt-6-sol", "gpt-4o-mini", "openai/gpt-4o-mini@1970-01-01"},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        koine_provider_cost cost;
        ASSERT_INT(
            ask(catalogue, table[i].provider, table[i].model, table[i].asked, ON_2025_01_01, &usage, &cost),
            0);
        ASSERT_INT(cost.state, KOINE_PRICE_KNOWN);
        CU_ASSERT_TRUE(koine__str_is(cost.price_id, table[i].price_id));
    }
    koine__catalogue_free(catalogue);
}

static void tier_and_batch_are_asked_for(void)
{
    static const char text[] = "{\"provider\":\"p\",\"models\":[{\"id\":\"m\",\"prices\":["
                               "{\"valid_from\":\"2024-07-23\",\"input\":1,\"output\":1},"
                               "{\"valid_from\":\"2024-07-23\",\"input\":2,\"output\":2,\"service_tier\":"
                               "\"flex\",\"batch\":true}]}]}";
    struct koine__catalogue *catalogue = koine__catalogue_new();
    CU_ASSERT_PTR_NOT_NULL_FATAL(catalogue);
    ASSERT_INT(koine__catalogue_add(catalogue, "p.json", KOINE__STR(text), false, NULL), KOINE_OK);
    const koine_provider self = {.size = sizeof(self), .id = "p"};
    koine_provider_usage usage = tokens(3, 4);
    koine_cost_query query = {.size = sizeof(query),
                              .self = &self,
                              .model = KOINE__STR("m"),
                              .at = ON_2025_01_01,
                              .usage = &usage,
                              .service_tier = KOINE__STR("flex"),
                              .batch = 1};
    koine_provider_cost cost = {.size = sizeof(cost)};
    ASSERT_INT(koine__price_query(catalogue, &query, &cost), 0);
    ASSERT_INT(cost.picodollars, 14000000);
    query.batch = 0;
    ASSERT_INT(koine__price_query(catalogue, &query, &cost), 0);
    ASSERT_INT(cost.state, KOINE_PRICE_UNKNOWN);
    koine__catalogue_free(catalogue);
}

/* A plugin built before `estimated` was there has no room for it. */
static void smaller_structs(void)
{
    struct koine__catalogue *catalogue = shipped();
    koine_provider_usage usage = tokens(1, 1);
    usage.reasoning = 1000;
    usage.size = offsetof(koine_provider_usage, reasoning);
    const koine_provider self = {.size = sizeof(self), .id = "together"};
    const koine_cost_query query = {.size = sizeof(query),
                                    .self = &self,
                                    .model = KOINE__STR("Qwen/Qwen2.5-32B-Instruct"),
                                    .at = ON_2025_01_01,
                                    .usage = &usage};
    koine_provider_cost cost = {.size = offsetof(koine_provider_cost, estimated), .estimated = 77};
    ASSERT_INT(koine__price_query(catalogue, &query, &cost), 0);
    ASSERT_INT(cost.picodollars, 1600000);
    ASSERT_INT(cost.estimated, 77);
    koine__catalogue_free(catalogue);
}

/* ---- Sums ----------------------------------------------------------------------------------------- */

static const struct koine__price_row all_rates = {
    .input = 1000000, .output = 8000000, .cache_read = 100000, .cache_write = 1250000, .reasoning = 7000000};
static const struct koine__price_row few_rates = {
    .input = 1000000, .output = 8000000, .cache_read = -1, .cache_write = -1, .reasoning = -1};

static void every_bucket_once(void)
{
    int64_t sum = -7;
    koine_provider_usage usage = tokens(1, 10);
    usage.cache_read = 100;
    usage.cache_write = 1000;
    usage.reasoning = 10000;
    usage.image_input = 100000;
    ASSERT_INT(koine__price_sum(&all_rates, &usage, &sum), 0);
    /* 1 + 10×8 + 100×0.1 + 1000×1.25 + 10000×7 + 100000×1 dollars a million */
    ASSERT_INT(sum, INT64_C(171341000000));
    ASSERT_INT(koine__price_sum(&few_rates, &usage, &sum), 0);
    /* 1 + 10×8 + 100 + 1000 + 10000×8 + 100000 */
    ASSERT_INT(sum, INT64_C(181181000000));
}

/* A prompt of 1,000 tokens of which 900 were cached costs 100 at the full rate and 900 at the cached one. */
static void cached_tokens_are_not_billed_twice(void)
{
    int64_t sum = 0;
    koine_provider_usage usage = tokens(100, 0);
    usage.cache_read = 900;
    ASSERT_INT(koine__price_sum(&all_rates, &usage, &sum), 0);
    ASSERT_INT(sum, 190000000);
    ASSERT_INT(koine__prompt_tokens(&usage), 1000);
}

static void cached_tokens_count_for_the_size(void)
{
    struct koine__catalogue *catalogue = shipped();
    koine_provider_usage usage = tokens(1, 0);
    koine_provider_cost cost;
    usage.cache_read = 271999;
    ASSERT_INT(ask(catalogue, "openai", "gpt-5.6-luna", "", ON_2026_07_30, &usage, &cost), 0);
    ASSERT_INT(cost.picodollars, INT64_C(200000) + INT64_C(271999) * 20000);
    usage.cache_read = 272000;
    ASSERT_INT(ask(catalogue, "openai", "gpt-5.6-luna", "", ON_2026_07_30, &usage, &cost), 0);
    ASSERT_INT(cost.picodollars, INT64_C(400000) + INT64_C(272000) * 40000);
    koine__catalogue_free(catalogue);
}

static void unknown_sums(void)
{
    int64_t sum = -7;
    koine_provider_usage usage = tokens(-1, -1);
    ASSERT_INT(koine__price_sum(&all_rates, &usage, &sum), 1);
    usage = tokens(1, 1);
    usage.audio_input = 1;
    ASSERT_INT(koine__price_sum(&all_rates, &usage, &sum), 1);
    ASSERT_INT(sum, -7);
    usage.audio_input = 0;
    ASSERT_INT(koine__price_sum(&all_rates, &usage, &sum), 0);
    ASSERT_INT(sum, 9000000);
    usage = tokens(-1, 2);
    ASSERT_INT(koine__price_sum(&all_rates, &usage, &sum), 0);
    ASSERT_INT(sum, 16000000);
    usage = tokens(0, 0);
    ASSERT_INT(koine__price_sum(&all_rates, &usage, &sum), 0);
    ASSERT_INT(sum, 0);
}

static void overflow(void)
{
    int64_t sum = -7;
    koine_provider_usage usage = tokens(INT64_MAX / 1000000, 0);
    ASSERT_INT(koine__price_sum(&all_rates, &usage, &sum), 0);
    ASSERT_INT(sum, INT64_C(9223372036854000000));
    sum = -7;
    usage = tokens(INT64_MAX / 1000000 + 1, 0); /* the product */
    ASSERT_INT(koine__price_sum(&all_rates, &usage, &sum), KOINE_EARGUMENT);
    usage = tokens(INT64_MAX / 1000000, 1); /* the sum */
    ASSERT_INT(koine__price_sum(&all_rates, &usage, &sum), KOINE_EARGUMENT);
    usage = tokens(-2, 1);
    ASSERT_INT(koine__price_sum(&all_rates, &usage, &sum), KOINE_EARGUMENT);
    ASSERT_INT(sum, -7);
    struct koine__catalogue *catalogue = shipped();
    koine_provider_cost cost;
    ASSERT_INT(ask(catalogue, "openai", "nobody", "", ON_2025_01_01, &usage, &cost), KOINE_EARGUMENT);
    usage = tokens(INT64_MAX, INT64_MAX);
    ASSERT_INT(ask(catalogue, "openai", "gpt-4o", "", ON_2025_01_01, &usage, &cost), KOINE_EARGUMENT);
    koine__catalogue_free(catalogue);
}

static void prompt_tokens(void)
{
    koine_provider_usage usage = tokens(-1, 5);
    ASSERT_INT(koine__prompt_tokens(&usage), -1);
    usage.cache_read = 1;
    usage.cache_write = 2;
    usage.audio_input = 4;
    usage.image_input = 8;
    ASSERT_INT(koine__prompt_tokens(&usage), 15);
    usage.input = INT64_MAX;
    ASSERT_INT(koine__prompt_tokens(&usage), INT64_MAX);
}

/* ---- koine.h -------------------------------------------------------------------------------------- */

static void dollars(void)
{
    static const struct {
        int64_t picodollars;
        const char *expected;
    } table[] = {
        {0, "0.00"},
        {1, "0.000000000001"},
        {12345, "0.000000012345"},
        {120000000, "0.00012"},
        {10000000000, "0.01"},
        {100000000000, "0.10"},
        {123000000000, "0.123"},
        {1000000000000, "1.00"},
        {-1500000000000, "-1.50"},
        {INT64_MAX, "9223372.036854775807"},
        {INT64_MIN, "-9223372.036854775808"},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        char text[32];
        CU_ASSERT_PTR_EQUAL(koine_cost_usd(table[i].picodollars, text, sizeof(text)), text);
        ASSERT_STR(text, table[i].expected);
    }
    char small[4];
    ASSERT_STR(koine_cost_usd(1, small, sizeof(small)), "0.0");
    CU_ASSERT_PTR_NULL(koine_cost_usd(1, NULL, 0));
}

static void totals(void)
{
    koine_usage usage = KOINE_USAGE_INIT;
    ASSERT_INT(koine_usage_input_total(&usage), -1);
    ASSERT_INT(koine_usage_output_total(&usage), -1);
    ASSERT_INT(koine_usage_input_total(NULL), -1);
    ASSERT_INT(koine_usage_output_total(NULL), -1);
    usage.input = 1;
    usage.cache_read = 2;
    usage.cache_write = 4;
    usage.audio_input = 8;
    usage.image_input = 16;
    usage.output = 32;
    usage.reasoning = 64;
    usage.audio_output = 128;
    ASSERT_INT(koine_usage_input_total(&usage), 31);
    ASSERT_INT(koine_usage_output_total(&usage), 224);
    usage.size = offsetof(koine_usage, audio_input);
    ASSERT_INT(koine_usage_input_total(&usage), 7);
    ASSERT_INT(koine_usage_output_total(&usage), 96);
    usage.output = INT64_MAX;
    ASSERT_INT(koine_usage_output_total(&usage), INT64_MAX);
}

SUITE_MAIN("price", {"exact costs", exact_costs}, {"unpriced", unpriced}, {"which model", which_model},
           {"tier and batch are asked for", tier_and_batch_are_asked_for},
           {"smaller structs", smaller_structs}, {"every bucket once", every_bucket_once},
           {"cached tokens are not billed twice", cached_tokens_are_not_billed_twice},
           {"cached tokens count for the size", cached_tokens_count_for_the_size},
           {"unknown sums", unknown_sums}, {"overflow", overflow}, {"prompt tokens", prompt_tokens},
           {"dollars", dollars}, {"totals", totals})
