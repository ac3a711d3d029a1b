/* table: a provider that is right in everything, for plugins that are wrong in one thing. */
#ifndef KOINE_TESTS_PLUGINS_TABLE_H
#define KOINE_TESTS_PLUGINS_TABLE_H

#include <koine/provider.h>

static int32_t write_nothing(const koine_ask *ask, koine_out *out)
{
    (void)ask;
    (void)out;
    return KOINE_DONE;
}

static int32_t read_nothing(const koine_read *read, koine_sink *sink)
{
    (void)read;
    (void)sink;
    return KOINE_DONE;
}

static int32_t cost_nothing(const koine_cost_query *query, koine_provider_cost *ret)
{
    (void)query;
    ret->state = KOINE_PRICE_FREE;
    return 0;
}

static const koine_exchange exchange = {
    .size = sizeof(exchange), .request = write_nothing, .frame = read_nothing};

/* Everything but size and id, which each plugin tells itself. */
#define REST                                                                                                 \
    .version = "1.0.0", .base_url = "https://127.0.0.1:1/v1", .key_variable = "TEST_API_KEY",                \
    .generate = &exchange, .list_models = &exchange, .calculate_cost = cost_nothing

#define ENTRY(table)                                                                                         \
    const koine_provider *KOINE_ENTRY(const koine_host *host, uint32_t index)                                \
    {                                                                                                        \
        (void)host;                                                                                          \
        return index == 0 ? &(table) : NULL;                                                                 \
    }

#endif
