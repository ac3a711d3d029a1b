/* models: lists of models, from the catalogue or from the vendor itself, and what so many tokens cost. */
#include "core/hub/client.h"
#include "core/hub/resolve.h"
#include "core/money/price.h"

#include <stdio.h>
#include <string.h>

struct koine__model_entry {
    const char *instance, *id, *capabilities, *retired, *input_price, *output_price;
    int64_t context, max_output;
};
struct koine_models {
    struct koine__arena arena;
    struct koine__model_entry *items;
    size_t count, capacity;
    bool failed; /* no memory */
};

/* ---- building ---- */

static const char *copy(struct koine_models *models, const char *text)
{
    const char *copied = koine__arena_strndup(&models->arena, text, strlen(text));
    if (!copied)
        models->failed = true;
    return copied ? copied : "";
}

static const char *join_capabilities(struct koine_models *models, const struct koine__model *known)
{
    struct koine__buf buf;
    koine__buf_init(&buf, 4096);
    for (const char *const *at = known->capabilities; at && *at; at++)
        koine__buf_addf(&buf, "%s%s", buf.len ? " " : "", *at);
    const char *text = copy(models, koine__buf_str(&buf));
    models->failed |= buf.error != 0;
    koine__buf_release(&buf);
    return text;
}

/* Picodollars a token are millionths of a dollar per million tokens: "180000" → "0.18". */
static const char *price_text(struct koine_models *models, int64_t picodollars)
{
    char text[40];
    int64_t million;
    if (picodollars < 0 || __builtin_mul_overflow(picodollars, INT64_C(1000000), &million))
        return "";
    koine__write_usd(million, text, sizeof(text));
    return copy(models, text);
}

static struct koine__model_entry *add_entry(struct koine_models *models, const char *instance, const char *id)
{
    void *items = models->items;
    if (koine__array_reserve(&items, &models->capacity, models->count + 1, sizeof(*models->items)) !=
        KOINE_OK) {
        models->failed = true;
        return NULL;
    }
    models->items = items;
    struct koine__model_entry *entry = &models->items[models->count++];
    *entry = (struct koine__model_entry){copy(models, instance), copy(models, id), "", "", "", "", -1, -1};
    return entry;
}

static void describe(struct koine_models *models, struct koine__model_entry *entry,
                     const struct koine__model *known, int64_t now)
{
    entry->context = known->context;
    entry->max_output = known->max_output;
    entry->retired = copy(models, known->retired);
    entry->capabilities = join_capabilities(models, known);
    const struct koine__price_row *row = koine__catalogue_row(known, now, 0, KOINE__STR(""), false);
    if (!row)
        return;
    entry->input_price = price_text(models, row->input);
    entry->output_price = price_text(models, row->output);
}

static int64_t seconds_now(const struct koine_hub *hub)
{
    const struct koine__clock *clock = hub->world.clock ? hub->world.clock : &koine__system_clock;
    return clock->wall(clock->arg) / KOINE__SEC;
}

static void add_known(struct koine_models *models, const struct koine__snapshot *snapshot,
                      const struct koine__instance *instance, int64_t now)
{
    if (!instance->provider)
        return;
    for (size_t i = 0; i < koine__catalogue_count(snapshot->catalogue) && !models->failed; i++) {
        const struct koine__model *known = koine__catalogue_at(snapshot->catalogue, i);
        if (strcmp(known->provider, instance->provider->id) != 0)
            continue;
        struct koine__model_entry *entry = add_entry(models, instance->name, known->id);
        if (entry)
            describe(models, entry, known, now);
    }
}

static struct koine_models *new_models(void)
{
    struct koine_models *models = koine__alloc(sizeof(*models));
    if (models)
        koine__arena_init(&models->arena, 0);
    return models;
}

static int hand_out(struct koine_models *models, int rc, koine_models **ret, koine_error **ret_error)
{
    if (rc == KOINE_OK && models->failed)
        rc = koine__error_memory(ret_error);
    if (rc == KOINE_OK)
        *ret = models;
    else
        koine_models_free(models);
    return rc;
}

int koine_hub_models(koine_hub *hub, const char *instance_name, koine_models **ret, koine_error **ret_error)
{
    const struct koine__instance *only = NULL;
    struct koine__snapshot *snapshot;
    if (!ret)
        return koine__error(ret_error, KOINE_EARGUMENT, "koine_hub_models: ret is NULL");
    int rc = koine__hub_snapshot(hub, &snapshot, ret_error);
    if (rc != KOINE_OK)
        return rc;
    struct koine_models *models = new_models();
    if (!models)
        rc = koine__error_memory(ret_error);
    if (rc == KOINE_OK && instance_name)
        rc = koine__resolve_instance(snapshot, instance_name, &only, ret_error);
    if (rc == KOINE_OK && only)
        add_known(models, snapshot, only, seconds_now(hub));
    for (size_t i = 0; rc == KOINE_OK && !only && i < snapshot->instance_count; i++)
        add_known(models, snapshot, &snapshot->instances[i], seconds_now(hub));
    koine__snapshot_unref(snapshot);
    return hand_out(models, rc, ret, ret_error);
}

static void add_listed(struct koine_models *models, const struct koine__snapshot *snapshot,
                       const char *instance_name, const koine_response *answer, int64_t now)
{
    const struct koine__instance *instance = koine__snapshot_instance(snapshot, instance_name);
    for (size_t i = 0; i < answer->model_count && !models->failed; i++) {
        const struct koine__listed *listed = &answer->models[i];
        const struct koine__model *known = NULL;
        struct koine__model_entry *entry = add_entry(models, instance_name, listed->id);
        if (entry && instance && instance->provider)
            known =
                koine__catalogue_find(snapshot->catalogue, instance->provider->id, koine__str(listed->id));
        if (known)
            describe(models, entry, known, now);
        if (entry && listed->context >= 0)
            entry->context = listed->context;
        if (entry && listed->max_output >= 0)
            entry->max_output = listed->max_output;
    }
}

int koine__client_models(struct koine_client *client, const char *instance, koine_response *answer,
                         koine_models **ret, koine_error **ret_error)
{
    struct koine__snapshot *snapshot = NULL;
    struct koine_models *models = new_models();
    int rc = models ? koine__hub_snapshot(client->hub, &snapshot, ret_error) : koine__error_memory(ret_error);
    if (rc == KOINE_OK)
        add_listed(models, snapshot, instance, answer, seconds_now(client->hub));
    koine__snapshot_unref(snapshot);
    koine_response_free(answer);
    return hand_out(models, rc, ret, ret_error);
}

int koine_list_models(koine_client *client, const char *instance, koine_models **ret, koine_error **ret_error)
{
    static const struct koine__listing as_configured;
    koine_response *answer;
    if (!ret || !instance)
        return koine__error(ret_error, KOINE_EARGUMENT, "koine_list_models: the instance or ret is NULL");
    int rc = koine__client_list(client, instance, &as_configured, &answer, ret_error);
    return rc == KOINE_OK ? koine__client_models(client, instance, answer, ret, ret_error) : rc;
}

/* ---- getters ---- */

void koine_models_free(koine_models *models)
{
    if (!models)
        return;
    koine__arena_release(&models->arena);
    koine__dealloc(models->items);
    koine__dealloc(models);
}

size_t koine_models_count(const koine_models *models)
{
    return models ? models->count : 0;
}

static const struct koine__model_entry *entry_at(const koine_models *models, size_t index)
{
    static const struct koine__model_entry none = {"", "", "", "", "", "", -1, -1};
    return models && index < models->count ? &models->items[index] : &none;
}

const char *koine_models_instance(const koine_models *models, size_t index)
{
    return entry_at(models, index)->instance;
}

const char *koine_models_id(const koine_models *models, size_t index)
{
    return entry_at(models, index)->id;
}

int64_t koine_models_context(const koine_models *models, size_t index)
{
    return entry_at(models, index)->context;
}

int64_t koine_models_max_output(const koine_models *models, size_t index)
{
    return entry_at(models, index)->max_output;
}

const char *koine_models_capabilities(const koine_models *models, size_t index)
{
    return entry_at(models, index)->capabilities;
}

const char *koine_models_retired(const koine_models *models, size_t index)
{
    return entry_at(models, index)->retired;
}

const char *koine_models_input_price(const koine_models *models, size_t index)
{
    return entry_at(models, index)->input_price;
}

const char *koine_models_output_price(const koine_models *models, size_t index)
{
    return entry_at(models, index)->output_price;
}

/* ---- cost ---- */

static int ask_provider(const struct koine__snapshot *snapshot, const struct koine__instance *instance,
                        const char *model, const koine_usage *usage, int64_t at, koine_cost *ret)
{
    struct koine__host host;
    koine_provider_usage buckets;
    koine_provider_cost cost = {.size = (uint32_t)sizeof(cost)};
    const struct koine__host_env env = {
        .instance = instance->name,
        .option = koine__instance_option,
        .options_arg = instance,
        .price = koine__price_query,
        .price_arg = snapshot->catalogue,
    };
    koine__host_init(&host, &env);
    koine__usage_to_provider(usage, &buckets);
    koine_cost_query query = {
        .size = (uint32_t)sizeof(query),
        .self = instance->provider,
        .host = &host.pub,
        .model = koine__str(model),
        .asked = koine__str(model),
        .at = at,
        .usage = &buckets,
    };
    if (instance->provider->calculate_cost(&query, &cost) < 0)
        return KOINE_EARGUMENT;
    koine__cost_from_provider(&cost, ret);
    bool counted_by_us = KOINE_HAS(koine_usage, usage, estimated) && usage->estimated != 0;
    ret->estimated |= ret->state == KOINE_PRICED && counted_by_us;
    return KOINE_OK;
}

static int cost_of(const struct koine__snapshot *snapshot, const char *target, const koine_usage *usage,
                   int64_t at, koine_cost *ret)
{
    char name[65];
    const char *slash = strchr(target, '/');
    if (!slash || slash == target || (size_t)(slash - target) >= sizeof(name))
        return slash ? KOINE_ENOTFOUND : KOINE_EARGUMENT;
    if (slash[1] == '\0')
        return KOINE_EARGUMENT;
    memcpy(name, target, (size_t)(slash - target));
    name[slash - target] = '\0';
    const struct koine__instance *instance = koine__snapshot_instance(snapshot, name);
    if (!instance || !instance->provider)
        return KOINE_ENOTFOUND;
    *ret = (koine_cost)KOINE_COST_INIT;
    if (instance->free_of_charge) {
        ret->state = KOINE_FREE_OF_CHARGE;
        return KOINE_OK;
    }
    return ask_provider(snapshot, instance, slash + 1, usage, at, ret);
}

int koine_calculate_cost(koine_hub *hub, const char *target, const koine_usage *usage, int64_t at,
                         koine_cost *ret)
{
    struct koine__snapshot *snapshot;
    koine_cost cost;
    if (!target || !usage || !ret)
        return KOINE_EARGUMENT;
    int rc = koine__hub_snapshot(hub, &snapshot, NULL);
    if (rc != KOINE_OK)
        return rc;
    rc = cost_of(snapshot, target, usage, at >= 0 ? at : seconds_now(hub), &cost);
    if (rc == KOINE_OK)
        koine__cost_copy(&cost, ret);
    koine__snapshot_unref(snapshot);
    return rc;
}
