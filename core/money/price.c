/* price: tokens times rates. Every product and sum is checked: a cost is exact, or it is no number at all. */
#include "core/money/price.h"

#include <string.h>

void koine__provider_usage_init(koine_provider_usage *usage)
{
    *usage = (koine_provider_usage)KOINE_PROVIDER_USAGE_INIT;
}

/* A plugin's usage as this core knows it: what lies past the plugin's size was not told. */
static koine_provider_usage as_told(const koine_provider_usage *usage)
{
    koine_provider_usage told;
    koine__provider_usage_init(&told);
    memcpy(&told, usage, usage->size < sizeof(told) ? usage->size : sizeof(told));
    told.size = sizeof(told);
    return told;
}

/* The sum of the counts that are told, -1 if none is; stops at the largest number. */
static int64_t total(const int64_t *counts, size_t count)
{
    int64_t sum = -1;
    for (size_t i = 0; i < count; i++) {
        if (counts[i] < 0)
            continue;
        if (__builtin_add_overflow(sum < 0 ? 0 : sum, counts[i], &sum))
            return INT64_MAX;
    }
    return sum;
}
#define TOTAL(...)                                                                                           \
    total((const int64_t[]){__VA_ARGS__}, sizeof((const int64_t[]){__VA_ARGS__}) / sizeof(int64_t))

int64_t koine__prompt_tokens(const koine_provider_usage *usage)
{
    koine_provider_usage told = as_told(usage);
    return TOTAL(told.input, told.cache_read, told.cache_write, told.audio_input, told.image_input);
}

static bool is_sane(const koine_provider_usage *told)
{
    const int64_t counts[] = {told->input,     told->cache_read,  told->cache_write,  told->output,
                              told->reasoning, told->audio_input, told->audio_output, told->image_input};
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
        if (counts[i] < -1)
            return false;
    return true;
}

/* sum += tokens × rate; false: it does not fit. */
static bool add(int64_t *sum, int64_t tokens, int64_t rate)
{
    int64_t product;
    if (tokens <= 0)
        return true;
    return !__builtin_mul_overflow(tokens, rate, &product) && !__builtin_add_overflow(*sum, product, sum);
}

static int64_t rate_or(int64_t rate, int64_t otherwise)
{
    return rate < 0 ? otherwise : rate;
}

int koine__price_sum(const struct koine__price_row *row, const koine_provider_usage *usage, int64_t *ret)
{
    koine_provider_usage told = as_told(usage);
    int64_t sum = 0;
    if (!is_sane(&told))
        return KOINE_EARGUMENT;
    if (told.audio_input > 0 || told.audio_output > 0) /* rows have no rate for it */
        return 1;
    if (TOTAL(told.input, told.cache_read, told.cache_write, told.image_input, told.output, told.reasoning) <
        0)
        return 1;
    if (!add(&sum, told.input, row->input) ||
        !add(&sum, told.cache_read, rate_or(row->cache_read, row->input)) ||
        !add(&sum, told.cache_write, rate_or(row->cache_write, row->input)) ||
        !add(&sum, told.image_input, row->input) || !add(&sum, told.output, row->output) ||
        !add(&sum, told.reasoning, rate_or(row->reasoning, row->output)))
        return KOINE_EARGUMENT;
    *ret = sum;
    return KOINE_OK;
}

static const struct koine__price_row *find_row(const struct koine__catalogue *catalogue,
                                               const koine_cost_query *query, koine_str name)
{
    const struct koine__model *model = koine__catalogue_find(catalogue, query->self->id, name);
    if (!model)
        return NULL;
    return koine__catalogue_row(model, query->at, koine__prompt_tokens(query->usage), query->service_tier,
                                query->batch != 0);
}

/* `row` NULL: unknown. The struct is the plugin's: nothing is written past its size. */
static void write_cost(koine_provider_cost *ret, const struct koine__price_row *row, int64_t picodollars)
{
    ret->state = row ? KOINE_PRICE_KNOWN : KOINE_PRICE_UNKNOWN;
    ret->picodollars = row ? picodollars : 0;
    ret->price_id = koine__str(row ? row->id : NULL);
    if (KOINE_HAS(koine_provider_cost, ret, estimated))
        ret->estimated = row && row->estimated;
}

int32_t koine__price_query(const void *catalogue, const koine_cost_query *query, koine_provider_cost *ret)
{
    koine_provider_usage told;
    if (query->usage)
        told = as_told(query->usage);
    else
        koine__provider_usage_init(&told);
    if (!is_sane(&told))
        return KOINE_EARGUMENT;
    koine_cost_query sane = *query;
    sane.usage = &told;
    const struct koine__price_row *row = find_row(catalogue, &sane, query->model);
    if (!row)
        row = find_row(catalogue, &sane, query->asked);
    int64_t sum = 0;
    int rc = row ? koine__price_sum(row, &told, &sum) : 1;
    if (rc < 0)
        return rc;
    write_cost(ret, rc == KOINE_OK ? row : NULL, sum);
    return KOINE_OK;
}

/* ---- koine.h -------------------------------------------------------------------------------------- */

char *koine_cost_usd(int64_t picodollars, char *ret, size_t size)
{
    if (ret && size)
        koine__write_usd(picodollars, ret, size);
    return ret;
}

static koine_usage as_counted(const koine_usage *usage)
{
    koine_usage counted = KOINE_USAGE_INIT;
    if (usage)
        memcpy(&counted, usage, usage->size < sizeof(counted) ? usage->size : sizeof(counted));
    return counted;
}

int64_t koine_usage_input_total(const koine_usage *usage)
{
    koine_usage counted = as_counted(usage);
    return TOTAL(counted.input, counted.cache_read, counted.cache_write, counted.audio_input,
                 counted.image_input);
}

int64_t koine_usage_output_total(const koine_usage *usage)
{
    koine_usage counted = as_counted(usage);
    return TOTAL(counted.output, counted.reasoning, counted.audio_output);
}
