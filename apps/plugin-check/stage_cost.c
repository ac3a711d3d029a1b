/* stage_cost: calculate_cost, with every kind of usage and of price. */
#include "apps/plugin-check/stages.h"

#include "core/money/price.h"

#include <inttypes.h>
#include <string.h>

#define GUARD 64

static const char function[] = "calculate_cost";

static const struct {
    const char *name;
    int64_t input, cache_read, output, reasoning;
} usages[] = {
    {"a usage of nothing told", -1, -1, -1, -1},
    {"a usage of zeros", 0, 0, 0, 0},
    {"a usage of 1000 in and 100 out", 1000, -1, 100, -1},
    {"a usage of a cache and reasoning", 1, 2, 3, 4},
    {"a usage of 2^62 tokens", INT64_C(1) << 62, -1, INT64_C(1) << 62, -1},
};

struct price { /* what the host says */
    const char *name;
    int32_t result, state;
    int64_t picodollars;
};
static const struct price prices[] = {
    {"the host knows no price", 0, KOINE_PRICE_UNKNOWN, 0},
    {"the host knows a price", 0, KOINE_PRICE_KNOWN, 123456789},
    {"the host says it is free", 0, KOINE_PRICE_FREE, 0},
    {"the sum is too large for the host", KOINE_INVALID, KOINE_PRICE_UNKNOWN, 0},
};

struct guarded { /* a result, and what lies behind it */
    koine_provider_cost cost;
    unsigned char behind[GUARD];
};

static int32_t host_price(const void *arg, const koine_cost_query *query, koine_provider_cost *ret)
{
    const struct price *price = arg;
    (void)query;
    if (price->result < 0)
        return price->result;
    ret->state = price->state;
    ret->picodollars = price->picodollars;
    ret->price_id = price->state == KOINE_PRICE_KNOWN ? KOINE__STR("test") : KOINE__STR("");
    if (KOINE_HAS(koine_provider_cost, ret, estimated))
        ret->estimated = 0;
    return 0;
}

static int32_t query(struct inspection *in, const struct price *price, const koine_provider_usage *usage,
                     struct guarded *ret)
{
    static const struct vendor_case nothing = {.model = "test-model"};
    struct watching watching;
    struct koine__host host;
    koine__host_init(&host, &(struct koine__host_env){.price = host_price, .price_arg = price});
    koine_cost_query asked = {.size = sizeof(asked),
                              .self = in->provider,
                              .host = &host.pub,
                              .model = KOINE__STR("test-model"),
                              .asked = KOINE__STR("test-model"),
                              .at = INT64_C(1750000000),
                              .usage = usage};
    memset(ret, 0x5A, sizeof(*ret));
    ret->cost = (koine_provider_cost){.size = sizeof(ret->cost)};
    watching_init(&watching, in, &nothing);
    watching.watch.enter(&watching, function);
    int32_t result = in->provider->calculate_cost(&asked, &ret->cost);
    watching.watch.leave(&watching, function, result);
    return result;
}

static void check_bounds(struct inspection *in, const struct guarded *got)
{
    if (got->cost.size != sizeof(got->cost))
        inspection_foundf(in, RULE_COST_SIZE, function, "the size of the result became %" PRIu32,
                          got->cost.size);
    for (size_t i = 0; i < GUARD; i++)
        if (got->behind[i] != 0x5A) {
            inspection_found(in, RULE_COST_SIZE, function, "it wrote behind the result", NULL);
            return;
        }
}

static void check_cost(struct inspection *in, const struct price *price, const koine_provider_usage *usage,
                       const koine_provider_cost *cost)
{
    bool used = usage->input > 0 || usage->output > 0;
    if (cost->state < KOINE_PRICE_UNKNOWN || cost->state > KOINE_PRICE_FREE)
        inspection_foundf(in, RULE_COST_STATE, function, "the state is %d", (int)cost->state);
    else if (cost->picodollars < 0)
        inspection_foundf(in, RULE_COST_STATE, function, "the cost is %" PRId64 " picodollars",
                          cost->picodollars);
    else if (cost->price_id.len > 0 && !cost->price_id.ptr)
        inspection_found(in, RULE_COST_STATE, function, "the id of the price is at NULL", NULL);
    if (used && price->state == KOINE_PRICE_UNKNOWN && cost->state == KOINE_PRICE_KNOWN &&
        cost->picodollars == 0)
        inspection_found(in, RULE_COST_UNKNOWN, function, "it said that tokens without a price cost nothing",
                         NULL);
}

static bool is_same(const koine_provider_cost *a, const koine_provider_cost *b)
{
    return a->state == b->state && a->picodollars == b->picodollars && a->estimated == b->estimated &&
           koine__str_eq(a->price_id, b->price_id);
}

static void check(struct inspection *in, const struct price *price, const koine_provider_usage *usage)
{
    struct guarded first, second;
    int32_t result = query(in, price, usage, &first);
    check_bounds(in, &first);
    if (result == 0)
        check_cost(in, price, usage, &first.cost);
    if (query(in, price, usage, &second) != result || (result == 0 && !is_same(&first.cost, &second.cost)))
        inspection_found(in, RULE_COST_PURE, function, "the second time it said something else", NULL);
}

void stage_cost(struct inspection *in)
{
    for (size_t u = 0; u < sizeof(usages) / sizeof(usages[0]); u++)
        for (size_t p = 0; p < sizeof(prices) / sizeof(prices[0]); p++) {
            koine_provider_usage usage;
            koine__provider_usage_init(&usage);
            usage.input = usages[u].input;
            usage.cache_read = usages[u].cache_read;
            usage.output = usages[u].output;
            usage.reasoning = usages[u].reasoning;
            inspection_at(in, "%s; %s", usages[u].name, prices[p].name);
            check(in, &prices[p], &usage);
        }
}
