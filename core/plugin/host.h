/* host: the tables that the core gives to plugins. */
#ifndef KOINE_CORE_PLUGIN_HOST_H
#define KOINE_CORE_PLUGIN_HOST_H

#include "core/base/log.h"
#include "core/base/mem.h"
#include "core/wire/json.h"

struct koine__host_env {        /* what a host of one exchange reaches */
    struct koine__log *log;     /* may be NULL */
    const char *instance;       /* for log lines */
    struct koine__arena *arena; /* alloc; NULL: alloc gives NULL */
    /* The instance's value of an option of its provider, or NULL; arg is `options_arg`. */
    const char *(*option)(const void *arg, const char *name);
    const void *options_arg;
    /* Prices (core/money); NULL: everything is unknown. arg is `price_arg`, the catalogue. */
    int32_t (*price)(const void *arg, const koine_cost_query *query, koine_provider_cost *ret);
    const void *price_arg;
};
struct koine__host {
    koine_host pub; /* first: what plugins see */
    struct koine__host_env env;
};
void koine__host_init(struct koine__host *host, const struct koine__host_env *env);
/* For entry functions: logs nowhere, has no memory, options or prices; lives as long as the process. */
const koine_host *koine__process_host(void);

#endif
