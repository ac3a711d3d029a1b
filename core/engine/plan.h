/* plan: what a call reads of the configuration: instances, targets, routes. Immutable once published. */
#ifndef KOINE_CORE_ENGINE_PLAN_H
#define KOINE_CORE_ENGINE_PLAN_H

#include "core/base/crypto.h"
#include "core/base/log.h"
#include "core/plugin/catalogue.h"
#include "core/policy/policies.h"
#include "core/policy/retry.h"
#include "core/policy/route.h"

#include <koine/provider.h>

struct koine__timeouts { /* ns; -1: off */
    int64_t connect, first_byte, first_token, idle, progress, total;
};
enum koine__parameters {
    KOINE__PARAMETERS_WARN,
    KOINE__PARAMETERS_STRICT,
    KOINE__PARAMETERS_DROP
};

struct koine__instance {
    const char *name;
    const koine_provider *provider; /* NULL: its plugin was refused or not found (`reason`) */
    const char *reason;
    const char *file;             /* of the plugin; "" */
    const char *base_url;         /* no slash at the end */
    struct koine__secret *secret; /* NULL: no key */
    const char *key_source;       /* the setting or variable it is from; "": there is none */
    bool free_of_charge;
    bool reads_variable; /* its key may come from the variable that the plugin names */
    int64_t parameters;  /* enum koine__parameters */
    int64_t body_limit;
    int64_t isolate_timeout; /* ns */
    struct koine__timeouts timeouts;
    struct koine__retry_config retry;
    struct koine__limiter_config limits;
    struct koine__policies policies; /* what is kept of it, shared with every other snapshot */
    /* The vendor's own settings that were given: name, value, NULL-ended pairs. */
    const char *const *options;
};
struct koine__member {       /* a change to the document */
    const char *name, *json; /* json NULL: removed */
};
struct koine__target {
    const char *text; /* "instance/model" */
    const struct koine__instance *instance;
    const char *model;
    const struct koine__member *members; /* set and unset */
    size_t member_count;
    int64_t max_retries;              /* -1: the instance's */
    const struct koine__model *known; /* of the catalogue, or NULL */
};
struct koine__route {
    const char *name; /* "" for one made of a single target */
    const struct koine__target *targets;
    size_t count;
    int64_t commit;   /* KOINE_COMMIT_FIRST_CONTENT or _COMPLETE */
    int64_t deadline; /* ns */
    int64_t max_attempts;
    int64_t hedge_after; /* ns; 0 or less: never */
    struct koine__typed_fallback typed;
};
struct koine__approval { /* what a call may cost unasked; picodollars */
    int64_t call, run;   /* above which it waits for an answer; -1: never */
    int64_t approved;    /* answered beforehand: up to so much; -1: nothing is */
    bool typical;        /* prompts are estimated, not bounded */
    bool answered_never; /* nobody reads its question: it is declined */
};
/* Whether the vendor would refuse a call without a key; a server of one's own may need none. */
bool koine__instance_needs_key(const struct koine__instance *instance);
const char *koine__instance_option(const void *instance, const char *name); /* for koine__host_env */

#endif
