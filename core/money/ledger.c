/* ledger: see ledger.h. */
#include "core/money/ledger.h"

#include "core/base/mem.h"
#include "core/money/price.h"

#include <string.h>

long koine__ledger_add(struct koine__ledger *ledger, const char *target, int64_t start)
{
    void *rows = ledger->rows;
    if (koine__array_reserve(&rows, &ledger->capacity, ledger->count + 1, sizeof(*ledger->rows)) != KOINE_OK)
        return KOINE_EMEMORY;
    ledger->rows = rows;
    char *copy = koine__strdup(target);
    if (!copy)
        return KOINE_EMEMORY;
    size_t at = ledger->count;
    while (at > 0 && ledger->rows[at - 1].start > start)
        at--;
    struct koine__row *row = &ledger->rows[at];
    memmove(row + 1, row, (ledger->count - at) * sizeof(*row));
    *row = (struct koine__row){.target = copy, .start = start, .end = start, .cost = KOINE_COST_INIT};
    row->cost.state = KOINE_PRICED;
    koine__usage_init(&row->usage);
    ledger->count++;
    return (long)at;
}

void koine__ledger_release(struct koine__ledger *ledger)
{
    for (size_t i = 0; i < ledger->count; i++) {
        koine__dealloc(ledger->rows[i].target);
        koine__dealloc(ledger->rows[i].request_id);
    }
    koine__dealloc(ledger->rows);
    *ledger = (struct koine__ledger){0};
}

static bool costs_something(const struct koine__row *row)
{
    return row->billing != KOINE__BILLING_NONE;
}

int koine__ledger_cost(const struct koine__ledger *ledger, koine_cost *ret)
{
    koine_cost sum = KOINE_COST_INIT;
    size_t free_rows = 0, charged = 0;
    sum.state = KOINE_PRICED;
    for (size_t i = 0; i < ledger->count; i++) {
        const struct koine__row *row = &ledger->rows[i];
        if (!costs_something(row))
            continue;
        charged++;
        free_rows += row->cost.state == KOINE_FREE_OF_CHARGE;
        if (row->cost.state == KOINE_UNPRICED)
            sum.state = KOINE_UNPRICED;
        if (__builtin_add_overflow(sum.picodollars, row->cost.picodollars, &sum.picodollars))
            return KOINE_EARGUMENT;
        sum.estimated |= row->cost.estimated;
        if (row->cost.price_id[0])
            memcpy(sum.price_id, row->cost.price_id, sizeof(sum.price_id));
    }
    if (charged > 0 && free_rows == charged)
        sum.state = KOINE_FREE_OF_CHARGE;
    if (sum.state == KOINE_UNPRICED) {
        sum.picodollars = 0;
        sum.price_id[0] = '\0';
    }
    *ret = sum;
    return KOINE_OK;
}

void koine__usage_init(koine_usage *usage)
{
    *usage = (koine_usage)KOINE_USAGE_INIT;
}

void koine__usage_from_provider(const koine_provider_usage *usage, koine_usage *ret)
{
    *ret = (koine_usage)KOINE_USAGE_INIT;
    ret->input = usage->input;
    ret->cache_read = usage->cache_read;
    ret->cache_write = usage->cache_write;
    ret->output = usage->output;
    ret->reasoning = usage->reasoning;
    ret->audio_input = usage->audio_input;
    ret->audio_output = usage->audio_output;
    ret->image_input = usage->image_input;
}

void koine__usage_to_provider(const koine_usage *usage, koine_provider_usage *ret)
{
    koine_usage known = KOINE_USAGE_INIT;
    memcpy(&known, usage, usage->size < sizeof(known) ? usage->size : sizeof(known));
    koine__provider_usage_init(ret);
    ret->input = known.input;
    ret->cache_read = known.cache_read;
    ret->cache_write = known.cache_write;
    ret->output = known.output;
    ret->reasoning = known.reasoning;
    ret->audio_input = known.audio_input;
    ret->audio_output = known.audio_output;
    ret->image_input = known.image_input;
}

void koine__usage_copy(const koine_usage *usage, koine_usage *ret)
{
    uint32_t size = ret->size < sizeof(*usage) ? ret->size : (uint32_t)sizeof(*usage);
    uint32_t theirs = ret->size;
    memcpy(ret, usage, size);
    ret->size = theirs;
}

void koine__cost_copy(const koine_cost *cost, koine_cost *ret)
{
    uint32_t size = ret->size < sizeof(*cost) ? ret->size : (uint32_t)sizeof(*cost);
    uint32_t theirs = ret->size;
    memcpy(ret, cost, size);
    ret->size = theirs;
}

void koine__cost_estimate(int64_t picodollars, koine_cost *ret)
{
    koine_cost cost = KOINE_COST_INIT;
    if (picodollars >= 0) {
        cost.state = KOINE_PRICED;
        cost.picodollars = picodollars;
    }
    cost.estimated = 1;
    koine__cost_copy(&cost, ret);
}

void koine__cost_from_provider(const koine_provider_cost *cost, koine_cost *ret)
{
    static const int states[] = {KOINE_UNPRICED, KOINE_PRICED, KOINE_FREE_OF_CHARGE};
    *ret = (koine_cost)KOINE_COST_INIT;
    if (cost->state < 0 || cost->state > KOINE_PRICE_FREE ||
        cost->picodollars < 0) /* nobody is paid for asking */
        return;
    ret->state = states[cost->state];
    ret->picodollars = ret->state == KOINE_PRICED ? cost->picodollars : 0;
    ret->estimated = cost->estimated;
    size_t len =
        cost->price_id.len < sizeof(ret->price_id) - 1 ? cost->price_id.len : sizeof(ret->price_id) - 1;
    if (len > 0)
        memcpy(ret->price_id, cost->price_id.ptr, len);
}
