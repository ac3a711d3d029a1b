/* The rows of a call's attempts, and what they cost together. */
#include "core/money/ledger.h"

#include "core/base/mem.h"
#include "core/money/price.h"
#include "tests/unit/failalloc.h"
#include "tests/unit/suite.h"
#include <string.h>

static void add(struct koine__ledger *ledger, enum koine__billing billing, int32_t state, int64_t picodollars,
                const char *price_id)
{
    long index = koine__ledger_add(ledger, "together/a", 5);
    CU_ASSERT_FATAL(index >= 0);
    struct koine__row *row = &ledger->rows[index];
    row->billing = billing;
    row->cost.state = state;
    row->cost.picodollars = picodollars;
    strcpy(row->cost.price_id, price_id);
}

static void rows(void)
{
    struct koine__ledger ledger = {0};
    for (long i = 0; i < 20; i++)
        ASSERT_INT(koine__ledger_add(&ledger, "openai/b", 100 + i), i);
    ASSERT_INT(ledger.rows[19].start, 119);
    ASSERT_INT(ledger.rows[19].end, 119);
    ASSERT_STR(ledger.rows[19].target, "openai/b");
    ASSERT_INT(ledger.rows[19].usage.input, -1);
    ASSERT_INT(ledger.rows[19].cost.state, KOINE_PRICED);
    koine__ledger_release(&ledger);
    ASSERT_INT(ledger.count, 0);
    koine__ledger_release(&ledger);
}

/* One that started earlier may end later. */
static void in_order_of_their_starts(void)
{
    struct koine__ledger ledger = {0};
    ASSERT_INT(koine__ledger_add(&ledger, "openai/b", 2000), 0);
    ASSERT_INT(koine__ledger_add(&ledger, "together/a", 0), 0);
    ASSERT_INT(koine__ledger_add(&ledger, "openai/c", 2000), 2);
    ASSERT_STR(ledger.rows[0].target, "together/a");
    ASSERT_STR(ledger.rows[1].target, "openai/b");
    ASSERT_STR(ledger.rows[2].target, "openai/c");
    koine__ledger_release(&ledger);
}

static void sums(void)
{
    struct koine__ledger ledger = {0};
    koine_cost cost;
    ASSERT_INT(koine__ledger_cost(&ledger, &cost), KOINE_OK);
    ASSERT_INT(cost.state, KOINE_PRICED); /* nothing was asked: that costs exactly nothing */
    ASSERT_INT(cost.picodollars, 0);
    add(&ledger, KOINE__BILLING_NONE, KOINE_PRICED, 0, "");
    add(&ledger, KOINE__BILLING_TOLD, KOINE_PRICED, 100, "first");
    add(&ledger, KOINE__BILLING_ESTIMATED, KOINE_PRICED, 23, "second");
    ledger.rows[2].cost.estimated = 1;
    add(&ledger, KOINE__BILLING_FREE, KOINE_FREE_OF_CHARGE, 0, "");
    ASSERT_INT(koine__ledger_cost(&ledger, &cost), KOINE_OK);
    ASSERT_INT(cost.state, KOINE_PRICED);
    ASSERT_INT(cost.picodollars, 123);
    ASSERT_INT(cost.estimated, 1);
    ASSERT_STR(cost.price_id, "second");
    add(&ledger, KOINE__BILLING_UNKNOWN, KOINE_UNPRICED, 0, "");
    ASSERT_INT(koine__ledger_cost(&ledger, &cost), KOINE_OK);
    ASSERT_INT(cost.state, KOINE_UNPRICED);
    ASSERT_INT(cost.picodollars, 0);
    ASSERT_STR(cost.price_id, "");
    koine__ledger_release(&ledger);
}

static void a_negative_cost_is_unknown(void)
{
    const koine_provider_cost told = {.size = sizeof(told), .state = KOINE_PRICE_KNOWN, .picodollars = -5};
    koine_cost cost;
    koine__cost_from_provider(&told, &cost);
    ASSERT_INT(cost.state, KOINE_UNPRICED);
    ASSERT_INT(cost.picodollars, 0);
}

static void free_if_all_is(void)
{
    struct koine__ledger ledger = {0};
    koine_cost cost;
    add(&ledger, KOINE__BILLING_NONE, KOINE_PRICED, 0, "");
    add(&ledger, KOINE__BILLING_FREE, KOINE_FREE_OF_CHARGE, 0, "");
    ASSERT_INT(koine__ledger_cost(&ledger, &cost), KOINE_OK);
    ASSERT_INT(cost.state, KOINE_FREE_OF_CHARGE);
    koine__ledger_release(&ledger);
}

static void a_sum_that_does_not_fit(void)
{
    struct koine__ledger ledger = {0};
    koine_cost cost = KOINE_COST_INIT;
    add(&ledger, KOINE__BILLING_TOLD, KOINE_PRICED, INT64_MAX, "");
    add(&ledger, KOINE__BILLING_TOLD, KOINE_PRICED, 1, "");
    ASSERT_INT(koine__ledger_cost(&ledger, &cost), KOINE_EARGUMENT);
    ASSERT_INT(cost.state, KOINE_UNPRICED);
    koine__ledger_release(&ledger);
}

static void usage_there_and_back(void)
{
    koine_provider_usage told = {.size = sizeof(told),
                                 .input = 1,
                                 .cache_read = 2,
                                 .cache_write = 3,
                                 .output = 4,
                                 .reasoning = 5,
                                 .audio_input = 6,
                                 .audio_output = 7,
                                 .image_input = 8,
                                 .picodollars = 9};
    koine_provider_usage back;
    koine_usage usage;
    koine__usage_from_provider(&told, &usage);
    ASSERT_INT(usage.size, sizeof(usage));
    ASSERT_INT(usage.estimated, 0);
    ASSERT_INT(usage.input * 10000000 + usage.cache_read * 1000000 + usage.cache_write * 100000 +
                   usage.output * 10000 + usage.reasoning * 1000 + usage.audio_input * 100 +
                   usage.audio_output * 10 + usage.image_input,
               12345678);
    koine__usage_to_provider(&usage, &back);
    ASSERT_INT(back.input * 10000000 + back.cache_read * 1000000 + back.cache_write * 100000 +
                   back.output * 10000 + back.reasoning * 1000 + back.audio_input * 100 +
                   back.audio_output * 10 + back.image_input,
               12345678);
    ASSERT_INT(back.charged, 0);
    ASSERT_INT(back.size, sizeof(back));
    usage.size = offsetof(koine_usage, output); /* an older application's */
    koine__usage_to_provider(&usage, &back);
    ASSERT_INT(back.cache_write, 3);
    ASSERT_INT(back.output, -1);
}

static void copies_what_fits(void)
{
    koine_usage usage = KOINE_USAGE_INIT, small = KOINE_USAGE_INIT;
    koine_cost cost = KOINE_COST_INIT, short_one = KOINE_COST_INIT;
    usage.input = 1;
    usage.output = 2;
    small.size = offsetof(koine_usage, output);
    koine__usage_copy(&usage, &small);
    ASSERT_INT(small.input, 1);
    ASSERT_INT(small.output, -1);
    ASSERT_INT(small.size, offsetof(koine_usage, output));
    cost.state = KOINE_PRICED;
    cost.picodollars = 7;
    cost.estimated = 1;
    short_one.size = offsetof(koine_cost, estimated);
    koine__cost_copy(&cost, &short_one);
    ASSERT_INT(short_one.picodollars, 7);
    ASSERT_INT(short_one.estimated, 0);
    ASSERT_INT(short_one.size, offsetof(koine_cost, estimated));
    struct {
        koine_cost known;
        char later[40]; /* what a later koine knows */
    } large = {.known = KOINE_COST_INIT, .later = "later"};
    large.known.size = sizeof(large);
    koine__cost_copy(&cost, &large.known);
    ASSERT_INT(large.known.picodollars, 7);
    ASSERT_INT(large.known.size, sizeof(large));
    ASSERT_STR(large.later, "later");
}

static void costs_from_providers(void)
{
    char long_id[200];
    koine_provider_cost told = {
        .size = sizeof(told), .state = KOINE_PRICE_KNOWN, .picodollars = 7, .estimated = 1};
    koine_cost cost;
    memset(long_id, 'x', sizeof(long_id));
    told.price_id = (koine_str){long_id, sizeof(long_id)};
    koine__cost_from_provider(&told, &cost);
    ASSERT_INT(cost.state, KOINE_PRICED);
    ASSERT_INT(cost.picodollars, 7);
    ASSERT_INT(cost.estimated, 1);
    ASSERT_INT(strlen(cost.price_id), sizeof(cost.price_id) - 1);
    told = (koine_provider_cost){.size = sizeof(told), .state = KOINE_PRICE_FREE, .picodollars = 7};
    koine__cost_from_provider(&told, &cost);
    ASSERT_INT(cost.state, KOINE_FREE_OF_CHARGE);
    ASSERT_INT(cost.picodollars, 0);
    static const int32_t unknown[] = {KOINE_PRICE_UNKNOWN, -1, 3};
    for (size_t i = 0; i < 3; i++) {
        told.state = unknown[i];
        koine__cost_from_provider(&told, &cost);
        ASSERT_INT(cost.state, KOINE_UNPRICED);
        ASSERT_INT(cost.picodollars, 0);
    }
}

static void no_memory(void)
{
    for (long n = 1;; n++) {
        struct koine__ledger ledger = {0};
        failalloc_begin(n);
        long index = koine__ledger_add(&ledger, "together/a", 0);
        size_t count = ledger.count;
        koine__ledger_release(&ledger);
        if (!failalloc_end())
            break;
        ASSERT_INT(index, KOINE_EMEMORY);
        ASSERT_INT(count, 0);
    }
}

SUITE_MAIN("ledger", {"a negative cost is unknown", a_negative_cost_is_unknown}, {"rows", rows},
           {"in order of their starts", in_order_of_their_starts}, {"sums", sums},
           {"free if all is", free_if_all_is}, {"a sum that does not fit", a_sum_that_does_not_fit},
           {"usage there and back", usage_there_and_back}, {"copies what fits", copies_what_fits},
           {"costs from providers", costs_from_providers}, {"no memory", no_memory})
