/* handle: see handle.h; and the factory's public functions. */
#include "core/hub/handle.h"

#include <string.h>

struct koine_provider_handle {
    char *name, *id, *version, *file, *base_url, *key_variable, *key_source;
    int has_key, needs_key;
};
struct koine__handle {
    struct koine_provider_handle it;
    struct koine__handle *next;
};

static void free_handle(struct koine__handle *handle)
{
    koine__dealloc(handle->it.name);
    koine__dealloc(handle->it.id);
    koine__dealloc(handle->it.version);
    koine__dealloc(handle->it.file);
    koine__dealloc(handle->it.base_url);
    koine__dealloc(handle->it.key_variable);
    koine__dealloc(handle->it.key_source);
    koine__dealloc(handle);
}

void koine__handles_free(struct koine__handle *handles)
{
    while (handles) {
        struct koine__handle *next = handles->next;
        free_handle(handles);
        handles = next;
    }
}

static bool is_same(const struct koine_provider_handle *it, const struct koine__instance *instance)
{
    return strcmp(it->name, instance->name) == 0 && strcmp(it->id, instance->provider->id) == 0 &&
           strcmp(it->base_url, instance->base_url) == 0 && strcmp(it->file, instance->file) == 0 &&
           strcmp(it->key_source, instance->key_source) == 0 && it->has_key == (instance->secret != NULL);
}

static struct koine__handle *new_handle(const struct koine__instance *instance)
{
    const koine_provider *provider = instance->provider;
    struct koine__handle *handle = koine__alloc(sizeof(*handle));
    if (!handle)
        return NULL;
    handle->it = (struct koine_provider_handle){
        .name = koine__strdup(instance->name),
        .id = koine__strdup(provider->id),
        .version = koine__strdup(provider->version),
        .file = koine__strdup(instance->file),
        .base_url = koine__strdup(instance->base_url),
        .key_variable = koine__strdup(provider->key_variable ? provider->key_variable : ""),
        .key_source = koine__strdup(instance->key_source),
        .has_key = instance->secret != NULL,
        .needs_key = koine__instance_needs_key(instance),
    };
    const struct koine_provider_handle *it = &handle->it;
    if (it->name && it->id && it->version && it->file && it->base_url && it->key_variable && it->key_source)
        return handle;
    free_handle(handle);
    return NULL;
}

const koine_provider_handle *koine__handle_of(struct koine_hub *hub, const struct koine__instance *instance)
{
    for (struct koine__handle *at = hub->handles; at; at = at->next) {
        if (is_same(&at->it, instance))
            return &at->it;
    }
    struct koine__handle *handle = new_handle(instance);
    if (!handle)
        return NULL;
    handle->next = hub->handles;
    hub->handles = handle;
    return &handle->it;
}

const koine_provider_handle *koine_hub_provider(koine_hub *hub, const char *name)
{
    const koine_provider_handle *handle = NULL;
    struct koine__snapshot *snapshot;
    if (!name || koine__hub_snapshot(hub, &snapshot, NULL) != KOINE_OK)
        return NULL;
    const struct koine__instance *instance = koine__snapshot_instance(snapshot, name);
    if (instance && instance->provider) {
        pthread_mutex_lock(&hub->mutex);
        handle = koine__handle_of(hub, instance);
        pthread_mutex_unlock(&hub->mutex);
    }
    koine__snapshot_unref(snapshot);
    return handle;
}

const char *koine_provider_name(const koine_provider_handle *handle)
{
    return handle ? handle->name : "";
}

const char *koine_provider_id(const koine_provider_handle *handle)
{
    return handle ? handle->id : "";
}

const char *koine_provider_version(const koine_provider_handle *handle)
{
    return handle ? handle->version : "";
}

const char *koine_provider_file(const koine_provider_handle *handle)
{
    return handle ? handle->file : "";
}

const char *koine_provider_base_url(const koine_provider_handle *handle)
{
    return handle ? handle->base_url : "";
}

const char *koine_provider_key_variable(const koine_provider_handle *handle)
{
    return handle ? handle->key_variable : "";
}

const char *koine_provider_key_source(const koine_provider_handle *handle)
{
    return handle ? handle->key_source : "";
}

int koine_provider_has_key(const koine_provider_handle *handle)
{
    return handle ? handle->has_key : 0;
}

int koine_provider_needs_key(const koine_provider_handle *handle)
{
    return handle ? handle->needs_key : 0;
}

/* ---- lists ---- */

struct koine__listed_provider {
    const koine_provider_handle *handle;
    const char *name, *file, *reason;
    bool waits; /* for its configuration */
    bool configured;
};
struct koine_providers {
    struct koine__snapshot *snapshot; /* keeps the texts */
    struct koine__listed_provider *items;
    size_t count;
};

static struct koine__listed_provider *add_listed(struct koine_providers *list, const char *name,
                                                 const char *file, const char *reason)
{
    struct koine__listed_provider *item = &list->items[list->count++];
    *item = (struct koine__listed_provider){
        .name = name ? name : "", .file = file ? file : "", .reason = reason ? reason : ""};
    return item;
}

/* Instances first, then the files that were refused. */
static int fill(struct koine_hub *hub, struct koine_providers *list)
{
    const struct koine__snapshot *snapshot = list->snapshot;
    const struct koine__registry *registry = &snapshot->registry;
    list->items = koine__alloc_array(snapshot->instance_count + registry->count + 1, sizeof(*list->items));
    if (!list->items)
        return KOINE_EMEMORY;
    for (size_t i = 0; i < snapshot->instance_count; i++) {
        const struct koine__instance *instance = &snapshot->instances[i];
        const koine_provider_handle *handle = instance->provider ? koine__handle_of(hub, instance) : NULL;
        if (instance->provider && !handle)
            return KOINE_EMEMORY;
        struct koine__listed_provider *item =
            add_listed(list, instance->name, instance->file, instance->reason);
        item->handle = handle;
        item->waits = !handle;
        item->configured = koine__store_child(snapshot->store, "providers", i) != NULL;
    }
    for (size_t i = 0; i < registry->count; i++) {
        const struct koine__found *found = &registry->items[i];
        if (!found->provider && !found->has_crashed) /* which its instances tell */
            add_listed(list, found->id, found->path, found->reason);
    }
    return KOINE_OK;
}

int koine_hub_list_providers(koine_hub *hub, koine_providers **ret, koine_error **ret_error)
{
    if (!ret)
        return koine__error(ret_error, KOINE_EARGUMENT, "koine_hub_list_providers: ret is NULL");
    struct koine_providers *list = koine__alloc(sizeof(*list));
    if (!list)
        return koine__error_memory(ret_error);
    int rc = koine__hub_snapshot(hub, &list->snapshot, ret_error);
    if (rc == KOINE_OK) {
        pthread_mutex_lock(&hub->mutex);
        rc = fill(hub, list);
        pthread_mutex_unlock(&hub->mutex);
        if (rc != KOINE_OK)
            koine__error_memory(ret_error);
    }
    if (rc == KOINE_OK)
        *ret = list;
    else
        koine_providers_free(list);
    return rc;
}

void koine_providers_free(koine_providers *list)
{
    if (!list)
        return;
    koine__snapshot_unref(list->snapshot);
    koine__dealloc(list->items);
    koine__dealloc(list);
}

size_t koine_providers_count(const koine_providers *list)
{
    return list ? list->count : 0;
}

static const struct koine__listed_provider *listed_at(const koine_providers *list, size_t index)
{
    static const struct koine__listed_provider none = {.name = "", .file = "", .reason = ""};
    return list && index < list->count ? &list->items[index] : &none;
}

const koine_provider_handle *koine_providers_handle(const koine_providers *list, size_t index)
{
    return listed_at(list, index)->handle;
}

const char *koine_providers_name(const koine_providers *list, size_t index)
{
    return listed_at(list, index)->name;
}

const char *koine_providers_file(const koine_providers *list, size_t index)
{
    return listed_at(list, index)->file;
}

const char *koine_providers_reason(const koine_providers *list, size_t index)
{
    return listed_at(list, index)->reason;
}

int koine_providers_waits(const koine_providers *list, size_t index)
{
    return listed_at(list, index)->waits;
}

int koine_providers_configured(const koine_providers *list, size_t index)
{
    return listed_at(list, index)->configured;
}
