/* host: what the core offers to plugins: documents, memory, options, prices, and extensions by name. */
#include "core/plugin/host.h"

#include "core/dialect/chat.h"
#include "core/dialect/gemini.h"
#include "core/dialect/messages.h"
#include <string.h>

static const struct {
    const char *id;
    const void *table;
} extensions[] = {
    {KOINE_CHAT, &koine__dialect_chat},
    {KOINE_MESSAGES, &koine__dialect_messages},
    {KOINE_GEMINI, &koine__dialect_gemini},
};

static const struct koine__host *self(const koine_host *host)
{
    return (const struct koine__host *)host;
}

static void host_log(const koine_host *host, int32_t level, koine_str text)
{
    const struct koine__host_env *env = &self(host)->env;
    int wanted = level < KOINE__LOG_ERROR   ? KOINE__LOG_ERROR
                 : level > KOINE__LOG_DEBUG ? KOINE__LOG_DEBUG
                                            : (int)level;
    KOINE__LOG(env->log, wanted, "plugin", koine__log_text("instance", env->instance),
               koine__log_str("message", text));
}

static const void *host_extension(const koine_host *host, const char *id)
{
    (void)host;
    for (size_t i = 0; i < sizeof(extensions) / sizeof(extensions[0]); i++)
        if (strcmp(extensions[i].id, id) == 0)
            return extensions[i].table;
    return NULL;
}

static void *host_alloc(const koine_host *host, size_t size)
{
    struct koine__arena *arena = self(host)->env.arena;
    return arena ? koine__arena_alloc(arena, size) : NULL;
}

static int32_t host_parse(const koine_host *host, koine_str text, const koine_node **ret)
{
    struct koine__arena *arena = self(host)->env.arena;
    if (!arena)
        return KOINE_NO_MEMORY;
    switch (koine__json_read(text, arena, ret, NULL)) {
    case KOINE_OK:
        return KOINE_DONE;
    case KOINE_EMEMORY:
        return KOINE_NO_MEMORY;
    default:
        return KOINE_INVALID;
    }
}

static const char *declared_default(const koine_provider *provider, const char *name)
{
    for (size_t i = 0; provider && provider->options && provider->options[i]; i++)
        if (strcmp(provider->options[i]->name, name) == 0)
            return provider->options[i]->otherwise;
    return NULL;
}

static koine_str host_option(const koine_host *host, const koine_provider *provider, const char *name)
{
    const struct koine__host_env *env = &self(host)->env;
    const char *value = env->option ? env->option(env->options_arg, name) : NULL;
    return koine__str(value ? value : declared_default(provider, name));
}

static int32_t host_price(const koine_cost_query *query, koine_provider_cost *ret)
{
    const struct koine__host_env *env = &self(query->host)->env;
    if (env->price)
        return env->price(env->price_arg, query, ret);
    ret->state = KOINE_PRICE_UNKNOWN;
    ret->picodollars = 0;
    ret->price_id = (koine_str){NULL, 0};
    if (KOINE_HAS(koine_provider_cost, ret, estimated))
        ret->estimated = 0;
    return 0;
}

#define HOST_TABLE                                                                                           \
    {                                                                                                        \
        .size = sizeof(koine_host), .log = host_log, .extension = host_extension, .kind = koine__node_kind,  \
        .get = koine__node_get, .count = koine__node_count, .at = koine__node_at, .key = koine__node_key,    \
        .str = koine__node_str, .num = koine__node_num, .truth = koine__node_truth,                          \
        .dump = koine__node_source, .pair = koine__node_pair, .alloc = host_alloc, .option = host_option,    \
        .price = host_price, .parse = host_parse,                                                            \
    }

void koine__host_init(struct koine__host *host, const struct koine__host_env *env)
{
    host->pub = (koine_host)HOST_TABLE;
    host->env = *env;
}

const koine_host *koine__process_host(void)
{
    static const struct koine__host process = {.pub = HOST_TABLE};
    return &process.pub;
}
