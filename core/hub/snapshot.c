/* snapshot: builds one in a fixed order, since each step reads what the one before made: settings, plugins,
 * catalogue, instances, routes. */
#include "core/hub/snapshot_build.h"

#include "core/base/buf.h"
#include "core/plugin/host.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#ifndef KOINE_PLUGIN_DIR
#define KOINE_PLUGIN_DIR "/usr/local/lib/koine/providers"
#endif

#define LONGEST_MESSAGE 4096
#define MOST_NAMES      64 /* that a suggestion is looked for in */

/* ---- What all builders use ---- */

int koine__building_memory(const struct koine__building *building)
{
    return koine__error_memory(building->ret_error);
}

/* Whether the path is the other one or below it. */
static bool is_within(const char *path, const char *other)
{
    size_t len = strlen(other);
    return strncmp(path, other, len) == 0 && (path[len] == '.' || !path[len]);
}

struct koine__origin koine__building_origin(const struct koine__building *building, const char *path)
{
    const struct koine__store *store = building->snapshot->store;
    struct koine__origin origin = koine__store_origin(store, path);
    for (size_t i = 0; !origin.source && i < koine__store_count(store); i++) {
        const char *staged, *value;
        koine__store_item(store, i, &staged, &value);
        if (is_within(staged, path))
            origin = koine__store_origin(store, staged);
    }
    return origin;
}

int koine__building_refuse(const struct koine__building *building, const char *path, const char *format, ...)
{
    char where[PATH_MAX + 64];
    struct koine__buf why;
    va_list args;
    koine__buf_init(&why, LONGEST_MESSAGE);
    va_start(args, format);
    koine__buf_addv(&why, format, args);
    va_end(args);
    koine__origin_text(koine__building_origin(building, path), where, sizeof(where));
    int rc = why.error == KOINE_EMEMORY ? koine__building_memory(building)
                                        : koine__error(building->ret_error, KOINE_ECONFIG, "%s%s: %s", where,
                                                       path, why.error ? "is wrong" : koine__buf_str(&why));
    koine__buf_release(&why);
    return rc;
}

char *koine__building_text(const struct koine__building *building, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, format, args);
    char *text = len < 0 ? NULL : koine__arena_alloc(&building->snapshot->arena, (size_t)len + 1);
    if (text)
        vsnprintf(text, (size_t)len + 1, format, again);
    va_end(again);
    va_end(args);
    return text;
}

void koine__building_path(char ret[KOINE__PATH_SIZE], const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(ret, KOINE__PATH_SIZE, format, args);
    va_end(args);
}

bool koine__building_is_staged(const struct koine__building *building, const char *format, ...)
{
    char path[KOINE__PATH_SIZE];
    va_list args;
    va_start(args, format);
    vsnprintf(path, sizeof(path), format, args);
    va_end(args);
    return koine__store_get(building->snapshot->store, path) != NULL;
}

size_t koine__building_children(const struct koine__building *building, const char *path)
{
    size_t count = 0;
    while (koine__store_child(building->snapshot->store, path, count))
        count++;
    return count;
}

const char *koine__building_nearest_instance(const struct koine__building *building, const char *name)
{
    const char *names[MOST_NAMES];
    size_t count = 0;
    for (; count < building->snapshot->instance_count && count < MOST_NAMES; count++)
        names[count] = building->snapshot->instances[count].name;
    return koine__nearest(name, names, count);
}

/* ---- Plugins and catalogue ---- */

/* A list of texts by index; an index that is missing among those that are there is an error. */
static int read_list(const struct koine__building *building, const char *path, const char **ret, size_t count)
{
    char element[KOINE__PATH_SIZE];
    for (size_t i = 0; i < count; i++) {
        koine__building_path(element, "%s.%zu", path, i);
        ret[i] = koine__store_get(building->snapshot->store, element);
        if (!ret[i])
            return koine__building_refuse(building, path,
                                          "element %zu is missing; a list is numbered 0, 1, 2 and so on", i);
    }
    return KOINE_OK;
}

/* What the configured instances want of their plugins before anything of those runs. */
static int read_wishes(const struct koine__building *building, struct koine__wishes *ret)
{
    const struct koine__store *store = building->snapshot->store;
    size_t count = koine__building_children(building, "providers");
    struct koine__wish *wishes =
        koine__arena_alloc(&building->snapshot->arena, (count + 1) * sizeof(*wishes));
    if (!wishes)
        return koine__building_memory(building);
    for (size_t i = 0; i < count; i++) {
        const char *name = koine__store_child(store, "providers", i);
        const char *plugin = koine__store_textf(store, "providers.%s.plugin", name);
        wishes[i] = (struct koine__wish){
            .plugin = plugin ? plugin : name,
            .isolate = koine__store_numberf(store, "providers.%s.isolate", name) != 0,
            .timeout = koine__store_numberf(store, "providers.%s.isolate_timeout", name),
            .sha256 = koine__store_textf(store, "providers.%s.sha256", name),
        };
    }
    *ret = (struct koine__wishes){wishes, count, koine__store_text(store, "isolate_helper")};
    return KOINE_OK;
}

static int load_plugins(const struct koine__building *building)
{
    struct koine__snapshot *snapshot = building->snapshot;
    size_t count = koine__building_children(building, "plugin_path");
    const char **folders = koine__arena_alloc(&snapshot->arena, (count + 2) * sizeof(*folders));
    if (!folders)
        return koine__building_memory(building);
    struct koine__wishes wishes;
    int rc = read_list(building, "plugin_path", folders, count);
    folders[count] = KOINE_PLUGIN_DIR;
    if (!rc)
        rc = read_wishes(building, &wishes);
    if (!rc)
        rc = koine__registry_build(folders, &wishes, koine__process_host(), &snapshot->registry,
                                   building->ret_error);
    for (size_t i = 0; !rc && i < snapshot->registry.count; i++) {
        const struct koine__found *found = &snapshot->registry.items[i];
        if (!found->provider)
            KOINE__LOG(building->log, KOINE__LOG_WARNING, "plugin_refused",
                       koine__log_text("file", found->path), koine__log_text("reason", found->reason));
    }
    return rc;
}

/* The catalogue that came with a plugin, if one did. */
static int add_plugins_catalogue(const struct koine__building *building, const struct koine__found *found)
{
    const char *slash = strrchr(found->path, '/');
    if (!found->provider || !slash)
        return KOINE_OK;
    const struct koine__found *other =
        koine__registry_find(&building->snapshot->registry, found->id, !found->is_isolated);
    if (found->is_isolated && other && other->provider) /* it is there twice, and its models once */
        return KOINE_OK;
    const char *file = koine__building_text(building, "%.*s/%s.json", (int)(slash - found->path), found->path,
                                            found->provider->id);
    if (!file)
        return koine__building_memory(building);
    if (access(file, F_OK) != 0)
        return KOINE_OK;
    return koine__catalogue_add_file(building->snapshot->catalogue, file, false, building->ret_error);
}

static int read_catalogue(const struct koine__building *building)
{
    struct koine__snapshot *snapshot = building->snapshot;
    size_t count = koine__building_children(building, "catalogue");
    const char **files = koine__arena_alloc(&snapshot->arena, (count + 1) * sizeof(*files));
    snapshot->catalogue = koine__catalogue_new();
    if (!files || !snapshot->catalogue)
        return koine__building_memory(building);
    int rc = KOINE_OK;
    for (size_t i = 0; !rc && i < snapshot->registry.count; i++)
        rc = add_plugins_catalogue(building, &snapshot->registry.items[i]);
    if (!rc)
        rc = read_list(building, "catalogue", files, count);
    for (size_t i = 0; !rc && i < count; i++)
        rc = koine__catalogue_add_file(snapshot->catalogue, files[i], true, building->ret_error);
    return rc;
}

/* ---- The whole ---- */

static int64_t limit_of(const struct koine__store *store, const char *path)
{
    return koine__store_get(store, path) ? koine__store_number(store, path) : -1;
}

static void read_budgets(struct koine__snapshot *snapshot)
{
    const struct koine__store *store = snapshot->store;
    snapshot->budgets = (struct koine__budget_config){
        .call = limit_of(store, "budgets.call"),
        .run = limit_of(store, "budgets.run"),
        .allow_unpriced = koine__store_number(store, "budgets.unpriced") == 1,
        .typical = koine__store_number(store, "budgets.estimate") == 1,
    };
}

static void read_approval(struct koine__snapshot *snapshot)
{
    const struct koine__store *store = snapshot->store;
    snapshot->approval = (struct koine__approval){
        .call = limit_of(store, "approval.call"),
        .run = limit_of(store, "approval.run"),
        .approved = -1,
        .typical = snapshot->budgets.typical,
    };
}

/* The run's limit is the lowest that anybody set. It takes the setting's place, so that whoever looks at what
 * is in force sees it. */
static int lower_run_limit(const struct koine__building *building)
{
    static const char variable[] = "MAX_ESTIMATED_COST", path[] = "budgets.run";
    const struct koine__setting *row = koine__setting_find(path);
    struct koine__store *store = building->snapshot->store;
    const char *told = koine__env_get(building->env, variable), *staged = koine__store_get(store, path);
    int64_t limit, other;
    if (!told || !told[0] || (staged && koine__setting_read(row, staged, &other)))
        return KOINE_OK; /* what is staged and wrong is told by who checks all that is */
    if (koine__setting_read(row, told, &limit)) {
        struct koine__buf why;
        koine__buf_init(&why, LONGEST_MESSAGE);
        koine__setting_explain(row, told, &why);
        int rc = koine__error(building->ret_error, KOINE_ECONFIG, "environment: %s: %s", variable,
                              koine__buf_str(&why));
        koine__buf_release(&why);
        return rc;
    }
    if (staged && other <= limit)
        return KOINE_OK;
    struct koine__origin origin = {.source = variable};
    return koine__store_set(store, path, told, origin) ? koine__building_memory(building) : KOINE_OK;
}

static void read_numbers(struct koine__snapshot *snapshot)
{
    snapshot->pool_connections = koine__store_number(snapshot->store, "pool.connections");
    snapshot->pool_idle = koine__store_number(snapshot->store, "pool.idle");
    snapshot->min_attempt = koine__store_number(snapshot->store, "min_attempt");
    snapshot->ca_file = koine__store_text(snapshot->store, "network.ca_file");
    snapshot->proxy = koine__store_text(snapshot->store, "network.proxy");
}

#define WEBHOOK_LONGEST_DELAY (60 * KOINE__SEC)

static int read_webhook(const struct koine__building *building)
{
    const struct koine__store *store = building->snapshot->store;
    struct koine__webhook *webhook = &building->snapshot->webhook;
    const char *secret = koine__store_text(store, "webhook.secret");
    size_t count = koine__building_children(building, "webhook.kinds");
    webhook->url = koine__store_text(store, "webhook.url");
    if (!webhook->url)
        return KOINE_OK;
    if (!secret || !*secret)
        return koine__building_refuse(building, "webhook.url",
                                      "nothing is sent unsigned; set webhook.secret, too");
    webhook->secret = koine__secret_new(secret, strlen(secret));
    if (!webhook->secret)
        return koine__building_memory(building);
    for (size_t i = 0; i < count; i++)
        webhook->kinds |= 2u << koine__store_numberf(store, "webhook.kinds.%zu", i);
    if (count == 0)
        webhook->kinds = ~(1u << KOINE_NOTICE_REFUSED | 1u << KOINE_NOTICE_NOT_RETRIED);
    webhook->timeout = koine__store_number(store, "webhook.timeout");
    webhook->retry = (struct koine__retry_config){
        .max_retries = koine__store_number(store, "webhook.max_retries"),
        .base_delay = koine__store_number(store, "webhook.base_delay"),
        .max_delay = WEBHOOK_LONGEST_DELAY,
        .multiplier = 2000000,
        .jitter = KOINE__JITTER_EQUAL,
        .retry_after_cap = WEBHOOK_LONGEST_DELAY,
        .move_on_after = WEBHOOK_LONGEST_DELAY,
    };
    return KOINE_OK;
}

/* The user's folder for what programs keep. NULL: nobody says where that is. */
static char *usual_place(const struct koine__building *building)
{
    const char *state = koine__env_get(building->env, "XDG_STATE_HOME");
    const char *home = koine__env_get(building->env, "HOME");
    if (state && state[0] == '/')
        return koine__building_text(building, "%s/koine", state);
    return koine__building_text(building, "%s/.local/state/koine", home);
}

static bool has_usual_place(const struct koine__building *building)
{
    const char *state = koine__env_get(building->env, "XDG_STATE_HOME");
    const char *home = koine__env_get(building->env, "HOME");
    return (state && state[0] == '/') || (home && home[0] == '/');
}

static int read_store(const struct koine__building *building)
{
    const struct koine__store *store = building->snapshot->store;
    struct koine__store_config *keeping = &building->snapshot->keeping;
    keeping->is_wanted = koine__store_get(store, "store") || koine__store_child(store, "store", 0);
    if (!keeping->is_wanted)
        return KOINE_OK;
    keeping->plugin = koine__store_text(store, "store.plugin");
    keeping->threadless = koine__store_number(store, "store.thread") == 1;
    keeping->refuses = koine__store_number(store, "store.when_down") == 1;
    keeping->busy = koine__store_number(store, "store.busy");
    keeping->queue = (size_t)koine__store_number(store, "store.queue");
    keeping->path = koine__store_text(store, "store.path");
    if (keeping->path)
        return KOINE_OK;
    if (!has_usual_place(building))
        return koine__building_refuse(building, "store",
                                      "no environment says where the user's files are; set store.path");
    keeping->path = usual_place(building);
    return keeping->path ? KOINE_OK : koine__building_memory(building);
}

static int build(const struct koine__building *building, const struct koine__store *store)
{
    struct koine__snapshot *snapshot = building->snapshot;
    snapshot->store = koine__store_copy(store);
    if (!snapshot->store)
        return koine__building_memory(building);
    int rc = lower_run_limit(building);
    if (!rc)
        rc = koine__store_check(snapshot->store, building->ret_error);
    if (rc)
        return rc;
    read_numbers(snapshot);
    read_budgets(snapshot);
    read_approval(snapshot);
    if (!snapshot->proxy && !building->env)
        snapshot->proxy = "";
    rc = load_plugins(building);
    if (!rc)
        rc = read_catalogue(building);
    if (!rc)
        rc = koine__build_instances(building);
    if (!rc)
        rc = koine__build_routes(building);
    if (!rc)
        rc = read_webhook(building);
    if (!rc)
        rc = read_store(building);
    return rc;
}

int koine__snapshot_build(const struct koine__store *store, const struct koine__surroundings *around,
                          struct koine__snapshot **ret, koine_error **ret_error)
{
    struct koine__snapshot *snapshot = koine__alloc(sizeof(*snapshot));
    if (!snapshot)
        return koine__error_memory(ret_error);
    snapshot->references = 1;
    koine__arena_init(&snapshot->arena, 0);
    snapshot->states = around->states ? koine__states_ref(around->states) : NULL;
    struct koine__building building = {
        .snapshot = snapshot, .env = around->env, .log = around->log, .ret_error = ret_error};
    int rc = build(&building, store);
    if (rc)
        koine__snapshot_unref(snapshot);
    else
        *ret = snapshot;
    return rc;
}

void koine__snapshot_enforce(const struct koine__snapshot *snapshot, int64_t now)
{
    for (size_t i = 0; i < snapshot->instance_count; i++)
        if (snapshot->instances[i].policies.limiter)
            koine__limiter_configure(snapshot->instances[i].policies.limiter, &snapshot->instances[i].limits,
                                     now);
}

struct koine__snapshot *koine__snapshot_ref(struct koine__snapshot *snapshot)
{
    __atomic_add_fetch(&snapshot->references, 1, __ATOMIC_RELAXED);
    return snapshot;
}

void koine__snapshot_unref(struct koine__snapshot *snapshot)
{
    if (!snapshot || __atomic_sub_fetch(&snapshot->references, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    for (size_t i = 0; i < snapshot->instance_count; i++) {
        if (snapshot->states)
            koine__states_drop(snapshot->states, &snapshot->instances[i].policies);
        koine__secret_unref(snapshot->instances[i].secret);
    }
    koine__secret_unref(snapshot->webhook.secret);
    koine__states_unref(snapshot->states);
    koine__catalogue_free(snapshot->catalogue);
    koine__registry_release(&snapshot->registry);
    koine__arena_release(&snapshot->arena);
    koine__store_free(snapshot->store);
    koine__dealloc(snapshot);
}

const struct koine__instance *koine__snapshot_instance(const struct koine__snapshot *snapshot,
                                                       const char *name)
{
    for (size_t i = 0; i < snapshot->instance_count; i++)
        if (strcmp(snapshot->instances[i].name, name) == 0)
            return &snapshot->instances[i];
    return NULL;
}

const struct koine__route *koine__snapshot_route(const struct koine__snapshot *snapshot, const char *name)
{
    for (size_t i = 0; i < snapshot->route_count; i++)
        if (strcmp(snapshot->routes[i].name, name) == 0)
            return &snapshot->routes[i];
    return NULL;
}
