/* What a call could cost at most: the dearest way, worked out by hand. */
#include "core/engine/worst.h"

#include "core/base/mem.h"
#include "tests/unit/failalloc.h"
#include "tests/unit/suite.h"
#include <string.h>

/* One token of an answer, and nothing for a prompt, so an attempt costs as many picodollars as its price. */
#define ONE_TOKEN "{\"messages\":[],\"max_tokens\":1}"
#define MOST      4

static struct koine__price_row prices[MOST];
static struct koine__model models[MOST];
static struct koine__target targets[MOST];
static struct koine__instance instance, refused;
static const koine_provider provider = {.size = sizeof(koine_provider), .id = "p"};

struct leg {
    int64_t price, retries; /* price -1: unknown */
};

static struct koine__route route_of(size_t count, const struct leg *legs, int64_t max_attempts)
{
    instance = (struct koine__instance){.provider = &provider, .base_url = "https://p.test"};
    refused = (struct koine__instance){.base_url = ""};
    instance.retry.max_retries = 2;
    for (size_t i = 0; i < count; i++) {
        prices[i] = (struct koine__price_row){.output = legs[i].price,
                                              .cache_read = -1,
                                              .cache_write = -1,
                                              .reasoning = -1,
                                              .service_tier = ""};
        models[i] = (struct koine__model){
            .provider = "p", .id = "m", .context = 100, .max_input = -1, .max_output = 9, .rows = &prices[i]};
        models[i].row_count = legs[i].price >= 0;
        targets[i] = (struct koine__target){
            .text = "p/m", .instance = &instance, .known = &models[i], .max_retries = legs[i].retries};
    }
    return (struct koine__route){
        .name = "", .targets = targets, .count = count, .max_attempts = max_attempts};
}

static int weigh(const struct koine__route *route, struct koine__purse *purse, struct koine__worst *ret)
{
    struct koine__document *document = NULL;
    int rc = koine__document_read(koine__str(ONE_TOKEN), &document, NULL);
    struct koine__worst_ask ask = {.route = route, .document = document, .purse = purse};
    if (rc == KOINE_OK)
        rc = koine__call_worst(&ask, ret);
    koine__document_free(document);
    return rc;
}

static int64_t cost_of(const struct koine__route *route, struct koine__purse *purse)
{
    struct koine__worst worst;
    ASSERT_INT(weigh(route, purse, &worst), KOINE_OK);
    return worst.cost;
}

#define ROUTE(max_attempts, ...)                                                                             \
    route_of(sizeof((const struct leg[]){__VA_ARGS__}) / sizeof(struct leg),                                 \
             (const struct leg[]){__VA_ARGS__}, (max_attempts))
#define COST(max_attempts, ...) (route = ROUTE(max_attempts, __VA_ARGS__), cost_of(&route, NULL))

static void dearest_ways(void)
{
    struct koine__route route;
    ASSERT_INT(COST(6, {10, 0}), 10);
    ASSERT_INT(COST(6, {10, 3}), 40);
    ASSERT_INT(COST(6, {10, -1}), 30); /* the instance's two retries */
    ASSERT_INT(COST(3, {10, 9}), 30);
    ASSERT_INT(COST(6, {10, 3}, {1, 3}), 42); /* 4 + 2 */
    ASSERT_INT(COST(6, {1, 3}, {10, 3}), 42);
    ASSERT_INT(COST(6, {10, 9}, {1, 9}), 51); /* one is kept for the second */
    ASSERT_INT(COST(6, {1, 9}, {10, 9}), 60); /* the first may be left alone, or fail unbilled */
    ASSERT_INT(COST(6, {5, 9}, {9, 1}, {7, 0}), 9 * 2 + 7 + 5 * 3);
    ASSERT_INT(COST(4, {9, 9}, {5, 9}, {7, 9}), 9 * 2 + 7 * 2); /* two, and then the last one twice */
    ASSERT_INT(COST(2, {1, 9}, {2, 9}, {3, 9}), 3 * 2);
    ASSERT_INT(COST(1, {9, 9}, {2, 9}), 9); /* none is denied its first */
    ASSERT_INT(COST(2, {9, 9}, {2, 9}, {1, 9}), 9 + 2);
    ASSERT_INT(COST(6, {0, 9}, {0, 9}), 0);
    ASSERT_INT(COST(100, {INT64_MAX / 2, 9}), INT64_MAX);
    ASSERT_INT(COST(6, {INT64_MAX, 0}, {INT64_MAX, 0}), INT64_MAX);
}

/* All ways there are, walked one by one as the engine walks them. */
static int64_t walk(const struct leg *legs, size_t index, size_t count, int64_t attempts, int64_t most)
{
    if (index == count || attempts >= most)
        return 0;
    int64_t best = walk(legs, index + 1, count, attempts, most); /* left alone */
    int64_t after = (int64_t)(count - index - 1);
    for (int64_t n = 1; n <= legs[index].retries + 1; n++) {
        if (n > 1 && attempts + n - 1 + after >= most)
            break; /* what koine__route_attempts_left denies */
        int64_t rest = walk(legs, index + 1, count, attempts + n, most);
        if (n * legs[index].price + rest > best)
            best = n * legs[index].price + rest;
    }
    return best;
}

static void no_way_is_dearer(void)
{
    uint64_t dice = 1;
    for (int i = 0; i < 5000; i++) {
        struct leg legs[MOST];
        size_t count = 1 + (size_t)i % MOST;
        for (size_t k = 0; k < count; k++) {
            dice = dice * UINT64_C(6364136223846793005) + 1442695040888963407U;
            legs[k] = (struct leg){.price = (int64_t)(dice >> 60), .retries = (int64_t)(dice >> 40 & 3)};
        }
        int64_t most = 1 + (int64_t)(dice >> 33 & 7);
        struct koine__route route = route_of(count, legs, most);
        int64_t cost = cost_of(&route, NULL), dearest = walk(legs, 0, count, 0, most);
        if (cost < dearest || (most >= (int64_t)count && cost != dearest))
            ASSERT_INT(cost, dearest);
    }
}

static void what_nobody_knows(void)
{
    struct koine__route route = ROUTE(6, {10, 0}, {-1, 0}, {-1, 0});
    struct koine__worst worst;
    ASSERT_INT(weigh(&route, NULL, &worst), KOINE_OK);
    ASSERT_INT(worst.cost, -1);
    CU_ASSERT_PTR_EQUAL(worst.target, &targets[1]);
    CU_ASSERT_PTR_NOT_NULL(strstr(worst.unknown, "its price is not known"));
    targets[1].instance = targets[2].instance = &refused; /* its plugin was refused: nothing is sent there */
    ASSERT_INT(cost_of(&route, NULL), 10);
    instance.free_of_charge = true;
    targets[1].instance = targets[2].instance = &instance;
    ASSERT_INT(cost_of(&route, NULL), 0);
}

static void no_more_than_budgets_have(void)
{
    struct koine__budget run;
    struct koine__budget_config config = {.call = 25, .run = -1};
    struct koine__purse *purse = koine__purse_new(&config);
    struct koine__route route = ROUTE(6, {10, 3});
    koine__budget_init(&run, "run", KOINE__NO_LIMIT);
    run.spent = 1000;
    koine__purse_add(purse, &run);
    ASSERT_INT(cost_of(&route, purse), 25);
    koine__budget_set_limit(&run, 1005);
    ASSERT_INT(cost_of(&route, purse), 5);
    route = ROUTE(6, {1, 0}, {-1, 0});
    ASSERT_INT(cost_of(&route, purse), 1); /* the other is refused */
    purse->allow_unpriced = true;
    ASSERT_INT(cost_of(&route, purse), -1);
    koine__purse_free(purse);
    koine__budget_release(&run);
}

static void as_each_target_gets_it(void)
{
    static const struct koine__member two = {.name = "max_tokens", .json = "2"};
    struct koine__route route = ROUTE(6, {10, 0}, {100, 0});
    targets[1].members = &two;
    targets[1].member_count = 1;
    ASSERT_INT(cost_of(&route, NULL), 210);
}

static void without_memory(void)
{
    static const struct koine__member two = {.name = "max_tokens", .json = "2"};
    struct koine__route route = ROUTE(6, {10, 0});
    targets[0].members = &two;
    targets[0].member_count = 1;
    for (long n = 1;; n++) {
        struct koine__worst worst;
        failalloc_begin(n);
        int rc = weigh(&route, NULL, &worst);
        if (!failalloc_end()) {
            ASSERT_INT(rc, KOINE_OK);
            ASSERT_INT(worst.cost, 20);
            break;
        }
        ASSERT_INT(rc, KOINE_EMEMORY);
    }
}

SUITE_MAIN("worst", {"dearest ways", dearest_ways}, {"no way is dearer", no_way_is_dearer},
           {"what nobody knows", what_nobody_knows}, {"no more than budgets have", no_more_than_budgets_have},
           {"as each target gets it", as_each_target_gets_it}, {"without memory", without_memory})
