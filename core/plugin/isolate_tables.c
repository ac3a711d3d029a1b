/* isolate_tables: what a provider says of itself crosses as text and numbers; its functions stay. */
#include "core/plugin/isolate.h"

#include "core/base/error.h"
#include <stdio.h>
#include <string.h>

#define MOST_OPTIONS 64

void koine__isolate_build(char ret[KOINE__ISOLATE_BUILD])
{
    snprintf(ret, KOINE__ISOLATE_BUILD, "koine " KOINE_VERSION " " KOINE_ENTRY_NAME " %zu %zu %zu %zu",
             sizeof(koine_provider), sizeof(koine_exchange), sizeof(koine_provider_event),
             sizeof(koine_provider_usage));
}

static void pack_option(struct koine__buf *buf, const koine_option *option)
{
    koine__pack_i32(buf, option->type);
    koine__pack_i32(buf, option->required);
    koine__pack_text(buf, option->name);
    koine__pack_text(buf, option->otherwise);
    koine__pack_text(buf, option->help);
}

static void pack_table(struct koine__buf *buf, const koine_provider *provider)
{
    uint32_t count = 0;
    while (provider->options && provider->options[count])
        count++;
    koine__pack_text(buf, provider->id);
    koine__pack_text(buf, provider->version);
    koine__pack_text(buf, provider->base_url);
    koine__pack_text(buf, provider->key_variable);
    koine__pack_u8(buf, provider->fault != NULL);
    koine__pack_i64(buf, (int64_t)provider->generate->state_size);
    koine__pack_i64(buf, (int64_t)provider->list_models->state_size);
    koine__pack_u32(buf, count);
    for (uint32_t i = 0; i < count; i++)
        pack_option(buf, provider->options[i]);
}

void koine__isolate_pack_tables(struct koine__buf *buf, const koine_provider *const *providers, size_t count)
{
    koine__pack_u32(buf, (uint32_t)count);
    for (size_t i = 0; i < count; i++)
        pack_table(buf, providers[i]);
}

/* ---- The other way --------------------------------------------------------------------------------- */

struct unpacking {
    struct koine__unpack *unpack;
    struct koine__arena *arena;
    bool no_memory;
};

static void *room(struct unpacking *it, size_t size)
{
    void *ret = koine__arena_alloc(it->arena, size);
    if (!ret)
        it->no_memory = it->unpack->bad = true;
    return ret;
}

static const char *copy(struct unpacking *it)
{
    const char *text = koine__unpack_text(it->unpack);
    char *ret = text ? koine__arena_strndup(it->arena, text, strlen(text)) : NULL;
    if (text && !ret)
        it->no_memory = it->unpack->bad = true;
    return ret;
}

static const koine_option *unpack_option(struct unpacking *it)
{
    koine_option *option = room(it, sizeof(*option));
    if (!option)
        return NULL;
    option->size = (uint32_t)sizeof(*option);
    option->type = koine__unpack_i32(it->unpack);
    option->required = koine__unpack_i32(it->unpack);
    option->name = copy(it);
    option->otherwise = copy(it);
    option->help = copy(it);
    return option;
}

static const koine_option *const *unpack_options(struct unpacking *it)
{
    uint32_t count = koine__unpack_u32(it->unpack);
    if (count > MOST_OPTIONS)
        it->unpack->bad = true;
    if (it->unpack->bad || count == 0)
        return NULL;
    const koine_option **options = room(it, (count + 1) * sizeof(*options));
    for (uint32_t i = 0; options && i < count; i++)
        options[i] = unpack_option(it);
    return options;
}

static const koine_exchange *unpack_exchange(struct unpacking *it, const koine_exchange *functions)
{
    koine_exchange *exchange = room(it, sizeof(*exchange));
    int64_t state_size = koine__unpack_i64(it->unpack);
    if (!exchange)
        return NULL;
    *exchange = *functions;
    exchange->state_size = (size_t)state_size;
    return exchange;
}

static void unpack_table(struct unpacking *it, const koine_provider *functions, koine_provider *ret)
{
    *ret = *functions;
    ret->id = copy(it);
    ret->version = copy(it);
    ret->base_url = copy(it);
    ret->key_variable = copy(it);
    if (!koine__unpack_u8(it->unpack))
        ret->fault = NULL;
    ret->generate = unpack_exchange(it, functions->generate);
    ret->list_models = unpack_exchange(it, functions->list_models);
    ret->options = unpack_options(it);
}

int koine__isolate_unpack_tables(struct koine__unpack *unpack, struct koine__arena *arena,
                                 const koine_provider *functions, koine_provider *ret, size_t capacity,
                                 size_t *ret_count)
{
    struct unpacking it = {unpack, arena, false};
    uint32_t count = koine__unpack_u32(unpack);
    if (count == 0 || count > capacity)
        unpack->bad = true;
    for (uint32_t i = 0; i < count && !unpack->bad; i++)
        unpack_table(&it, functions, &ret[i]);
    if (it.no_memory)
        return KOINE_EMEMORY;
    *ret_count = count;
    return koine__unpack_done(unpack) ? KOINE_OK : KOINE_EARGUMENT;
}
