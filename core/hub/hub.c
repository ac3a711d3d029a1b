/* hub: see hub.h. */
#include "core/hub/hub.h"

#include "core/hub/config.h"
#include "core/hub/fork.h"
#include "core/hub/handle.h"
#include "core/money/ledger.h"
#include "core/money/price.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LOG_JSON 1 /* of log.format */

/* ---- birth and death ---- */

static int init_hub(struct koine_hub *hub)
{
    hub->references = 1;
    hub->generation = koine__fork_generation();
    hub->staged = koine__store_new();
    hub->runs = koine__runs_new();
    koine__log_init(&hub->log);
    hub->metrics = koine__metrics_new();
    if (koine__notices_init(&hub->notices, &koine__system_clock, &hub->log, hub->metrics) != KOINE_OK ||
        pthread_mutex_init(&hub->mutex, NULL) != 0 || pthread_mutex_init(&hub->staging, NULL) != 0)
        return KOINE_ESYSTEM;
    hub->states = koine__states_new();
    int rc = hub->staged && hub->states && hub->runs && hub->metrics ? koine__crypto_init() : KOINE_EMEMORY;
    if (rc == KOINE_OK)
        snprintf(hub->run, sizeof(hub->run), "r%016llx", (unsigned long long)koine__crypto_seed());
    return rc;
}

static bool is_parents(const struct koine_hub *hub)
{
    return hub->generation != koine__fork_generation();
}

static void destroy(struct koine_hub *hub)
{
    if (is_parents(hub) && hub->states)
        koine__states_orphan(hub->states);
    koine__snapshot_unref(hub->snapshot);
    koine__states_unref(hub->states);
    koine__runs_free(hub->runs);
    koine__store_free(hub->staged);
    koine__env_free(hub->env);
    koine__handles_free(hub->handles);
    koine_error_free(hub->stage_error);
    koine__dealloc(hub->stage_error_path);
    koine__dealloc(hub->config_file);
    koine__dealloc(hub->named_config);
    koine__dealloc(hub->user_config);
    if (!is_parents(hub))
        koine__curl_share_free(hub->share);
    koine__notices_release(&hub->notices, !is_parents(hub));
    koine__metrics_free(hub->metrics);
    koine__log_release(&hub->log);
    pthread_mutex_destroy(&hub->mutex);
    pthread_mutex_destroy(&hub->staging);
    koine__dealloc(hub);
}

int koine_hub_new(koine_hub **ret, koine_error **ret_error)
{
    if (!ret)
        return koine__error(ret_error, KOINE_EARGUMENT, "koine_hub_new: ret is NULL");
    struct koine_hub *hub = koine__alloc(sizeof(*hub));
    if (!hub)
        return koine__error_memory(ret_error);
    int rc = init_hub(hub);
    if (rc != KOINE_OK) {
        destroy(hub);
        return koine__error(ret_error, rc, "%s", koine_strerror(rc));
    }
    *ret = hub;
    return KOINE_OK;
}

struct koine_hub *koine__hub_ref(struct koine_hub *hub)
{
    pthread_mutex_lock(&hub->mutex);
    hub->references++;
    pthread_mutex_unlock(&hub->mutex);
    return hub;
}

/* A child has one thread. If another one of the parent's held the mutex at the fork, nobody can tell what it
 * was in the middle of, and the memory stays. */
static bool lock_to_free(struct koine_hub *hub)
{
    if (is_parents(hub))
        return pthread_mutex_trylock(&hub->mutex) == 0;
    return pthread_mutex_lock(&hub->mutex) == 0;
}

void koine_hub_free(koine_hub *hub)
{
    if (!hub || koine__log_is_inside() || !lock_to_free(hub))
        return;
    int left = --hub->references;
    pthread_mutex_unlock(&hub->mutex);
    if (left == 0)
        destroy(hub);
}

void koine__hub_set_world(struct koine_hub *hub, const struct koine__world *world)
{
    hub->world = *world;
    if (!world->clock)
        return;
    hub->notices.clock = world->clock;
    koine__log_set_clock(&hub->log, world->clock);
}

int koine__hub_usable(const struct koine_hub *hub)
{
    if (!hub || koine__log_is_inside())
        return KOINE_EARGUMENT;
    return is_parents(hub) ? KOINE_EFORK : KOINE_OK;
}

int koine__hub_share(struct koine_hub *hub, struct koine__curl_share **ret)
{
    int rc = KOINE_OK;
    pthread_mutex_lock(&hub->mutex);
    if (!hub->share)
        rc = koine__curl_share_new(&hub->share);
    *ret = hub->share;
    pthread_mutex_unlock(&hub->mutex);
    return rc;
}

static int unusable(const struct koine_hub *hub, koine_error **ret_error, const char *function)
{
    int rc = koine__hub_usable(hub);
    if (rc == KOINE_OK)
        return rc;
    if (rc == KOINE_EFORK)
        return koine__error(ret_error, rc, "%s: this hub belongs to the parent process", function);
    return koine__error(ret_error, rc,
                        hub ? "%s: must not be called from inside the log" : "%s: the hub is NULL", function);
}

int koine_hub_set_log(koine_hub *hub, int level, koine_log_sink sink, void *user)
{
    int rc = koine__hub_usable(hub);
    if (rc == KOINE_OK)
        koine__log_set(&hub->log, level, sink, user);
    return rc;
}

/* ---- staging ---- */

static bool is_at_or_below(const char *path, const char *top)
{
    size_t len = strlen(top);
    return strncmp(path, top, len) == 0 && (path[len] == '\0' || path[len] == '.');
}

static void forget_stage_error(struct koine_hub *hub)
{
    koine_error_free(hub->stage_error);
    koine__dealloc(hub->stage_error_path);
    hub->stage_error = NULL;
    hub->stage_error_path = NULL;
}

/* Kept for apply, which has somewhere to put it; the first one counts. */
static int keep_stage_error(struct koine_hub *hub, const char *path, koine_error *error)
{
    char *copy = hub->stage_error ? NULL : koine__strdup(path);
    if (!copy) {
        koine_error_free(error);
        return hub->stage_error ? KOINE_OK : KOINE_EMEMORY;
    }
    hub->stage_error = error;
    hub->stage_error_path = copy;
    return KOINE_OK;
}

int koine_hub_set(koine_hub *hub, const char *path, const char *value)
{
    static const struct koine__origin origin = {"koine_hub_set", 0, 0};
    koine_error *error = NULL;
    int rc = koine__hub_usable(hub);
    if (rc != KOINE_OK || !path || !value)
        return rc != KOINE_OK ? rc : KOINE_EARGUMENT;
    pthread_mutex_lock(&hub->staging);
    rc = koine__config_value(hub->staged, path, value, origin, &error);
    if (rc == KOINE_OK && hub->stage_error && is_at_or_below(hub->stage_error_path, path))
        forget_stage_error(hub);
    else if (rc == KOINE_EMEMORY)
        koine_error_free(error);
    else if (rc != KOINE_OK)
        rc = keep_stage_error(hub, path, error);
    pthread_mutex_unlock(&hub->staging);
    return rc;
}

/* ---- places ---- */

static char *joined(const char *folder, const char *rest)
{
    struct koine__buf buf;
    koine__buf_init(&buf, 8192);
    koine__buf_addf(&buf, "%s%s", folder, rest);
    return koine__buf_take(&buf);
}

/* A relative path would be one below the current folder, which never says what holds. */
static bool is_place(const char *folder)
{
    return folder && folder[0] == '/';
}

struct places { /* where the environment says that a configuration is; NULL: nowhere */
    char *named, *user;
};

static void free_places(struct places *places)
{
    koine__dealloc(places->named);
    koine__dealloc(places->user);
}

/* `env` holds only the process's own variables yet: a .env file must not choose the configuration. */
static int find_places(const struct koine__env *env, struct places *ret)
{
    const char *named = koine__env_get(env, "KOINE_CONFIG");
    const char *xdg = koine__env_get(env, "XDG_CONFIG_HOME"), *home = koine__env_get(env, "HOME");
    bool wants_named = named && *named, wants_user = is_place(xdg) || is_place(home);
    if (wants_named)
        ret->named = koine__strdup(named);
    if (wants_user)
        ret->user =
            is_place(xdg) ? joined(xdg, "/koine/koine.yaml") : joined(home, "/.config/koine/koine.yaml");
    return (wants_named && !ret->named) || (wants_user && !ret->user) ? KOINE_EMEMORY : KOINE_OK;
}

/* The first of the places that a configuration is looked for in; NULL: none has one. */
static const char *find_config(const struct koine_hub *hub)
{
    static const char systems[] = KOINE_SYSCONF_DIR "/koine/koine.yaml";
    if (hub->named_config)
        return hub->named_config;
    if (hub->user_config && access(hub->user_config, F_OK) == 0)
        return hub->user_config;
    return access(systems, F_OK) == 0 ? systems : NULL;
}

static char *folder_of(const char *file)
{
    const char *slash = strrchr(file, '/');
    return slash ? koine__strndup(file, (size_t)(slash - file)) : koine__strdup(".");
}

/* ---- files and the environment ---- */

static int read_env_file(struct koine__env *env, const char *folder, const char *mode,
                         koine_error **ret_error)
{
    struct koine__buf path;
    koine__buf_init(&path, 8192);
    koine__buf_addf(&path, "%s/.env%s%s", folder, mode ? "." : "", mode ? mode : "");
    int rc = path.error ? koine__error_memory(ret_error)
                        : koine__env_add_file(env, koine__buf_str(&path), ret_error);
    koine__buf_release(&path);
    return rc;
}

/* `.env` and `.env.$KOINE_ENV` of one folder; the more special one first, since what is set stays. */
static int read_env_files(struct koine__env *env, const char *folder, koine_error **ret_error)
{
    const char *mode = koine__env_get(env, "KOINE_ENV");
    if (mode && strchr(mode, '/')) /* a name, not a way to some other file */
        return koine__error(ret_error, KOINE_ECONFIG,
                            "environment: KOINE_ENV: holds a slash; write a name, such as development");
    int rc = mode && *mode ? read_env_file(env, folder, mode, ret_error) : KOINE_OK;
    return rc == KOINE_OK ? read_env_file(env, folder, NULL, ret_error) : rc;
}

static int read_env_beside(struct koine__env *env, const char *file, koine_error **ret_error)
{
    char *folder = folder_of(file);
    if (!folder)
        return koine__error_memory(ret_error);
    int rc = read_env_files(env, folder, ret_error);
    koine__dealloc(folder);
    return rc;
}

/* Files and the environment are staged on a copy, so that what fails leaves nothing behind. */
static int settle(struct koine_hub *hub, struct koine__store *copy, int rc)
{
    koine__store_free(rc == KOINE_OK ? hub->staged : copy);
    if (rc == KOINE_OK)
        hub->staged = copy;
    return rc;
}

/* Stages the file, and the environment on top of it again: that one wins, in whatever order they were asked
 * for. */
static int stage_file(struct koine_hub *hub, const char *file, koine_error **ret_error)
{
    size_t mark = koine__env_count(hub->env);
    struct koine__store *copy = koine__store_copy(hub->staged);
    int rc = copy ? KOINE_OK : koine__error_memory(ret_error);
    if (rc == KOINE_OK && hub->env)
        rc = read_env_beside(hub->env, file, ret_error);
    if (rc == KOINE_OK)
        rc = koine__config_load(copy, file, hub->env, ret_error);
    if (rc == KOINE_OK)
        rc = koine__env_stage(hub->env, copy, ret_error);
    if (rc != KOINE_OK)
        koine__env_cut(hub->env, mark);
    return settle(hub, copy, rc);
}

static int load(struct koine_hub *hub, const char *file, koine_error **ret_error)
{
    const char *found = file ? file : find_config(hub);
    if (!found)
        return KOINE_OK;
    char *copy = koine__strdup(found);
    int rc = copy ? stage_file(hub, copy, ret_error) : koine__error_memory(ret_error);
    if (rc != KOINE_OK) {
        koine__dealloc(copy);
        return rc;
    }
    koine__dealloc(hub->config_file);
    hub->config_file = copy;
    return KOINE_OK;
}

int koine_hub_load(koine_hub *hub, const char *file, koine_error **ret_error)
{
    int rc = unusable(hub, ret_error, "koine_hub_load");
    if (rc != KOINE_OK)
        return rc;
    pthread_mutex_lock(&hub->staging);
    rc = load(hub, file, ret_error);
    pthread_mutex_unlock(&hub->staging);
    return rc;
}

extern char **environ;

static int read_environment(const struct koine_hub *hub, struct koine__env *env, struct places *ret_places,
                            koine_error **ret_error)
{
    if (koine__env_add_process(env, (const char *const *)environ) != KOINE_OK ||
        find_places(env, ret_places) != KOINE_OK)
        return koine__error_memory(ret_error);
    int rc = read_env_files(env, ".", ret_error);
    if (rc == KOINE_OK && hub->config_file)
        rc = read_env_beside(env, hub->config_file, ret_error);
    return rc;
}

static int stage_environment(struct koine_hub *hub, const struct koine__env *env, koine_error **ret_error)
{
    struct koine__store *copy = koine__store_copy(hub->staged);
    int rc = copy ? koine__env_stage(env, copy, ret_error) : koine__error_memory(ret_error);
    return settle(hub, copy, rc);
}

static int load_environment(struct koine_hub *hub, koine_error **ret_error)
{
    struct places places = {NULL, NULL};
    struct koine__env *env = koine__env_new();
    int rc = env ? read_environment(hub, env, &places, ret_error) : koine__error_memory(ret_error);
    if (rc == KOINE_OK)
        rc = stage_environment(hub, env, ret_error);
    if (rc != KOINE_OK) {
        koine__env_free(env);
        free_places(&places);
        return rc;
    }
    free_places(&(struct places){hub->named_config, hub->user_config});
    koine__env_free(hub->env);
    hub->env = env;
    hub->named_config = places.named;
    hub->user_config = places.user;
    return KOINE_OK;
}

int koine_hub_load_environment(koine_hub *hub, koine_error **ret_error)
{
    int rc = unusable(hub, ret_error, "koine_hub_load_environment");
    if (rc != KOINE_OK)
        return rc;
    pthread_mutex_lock(&hub->staging);
    rc = load_environment(hub, ret_error);
    pthread_mutex_unlock(&hub->staging);
    return rc;
}

/* ---- publishing ---- */

/* What holds for the hub itself, and not for calls. */
static void take_settings(struct koine_hub *hub)
{
    bool told = koine__store_get(hub->staged, "log.level");
    koine__notices_send(&hub->notices, hub->snapshot->webhook.url ? hub->snapshot->webhook.kinds : 0);
    koine__log_at_least(&hub->log, told ? (int)koine__store_number(hub->staged, "log.level") : -1);
    koine__log_set_content(&hub->log, koine__store_number(hub->staged, "log.content") != 0);
}

static void take_format(struct koine_hub *hub, const struct koine__store *store)
{
    koine__log_set_json(&hub->log, store && koine__store_number(store, "log.format") == LOG_JSON);
}

/* No line holds a key of the instances, nor the webhook's secret, whatever it tells. */
static int hide_keys(struct koine_hub *hub, const struct koine__snapshot *snapshot)
{
    struct koine__secret **keys = koine__alloc_array(snapshot->instance_count + 2, sizeof(*keys));
    size_t count = 0;
    if (!keys)
        return KOINE_EMEMORY;
    for (size_t i = 0; i < snapshot->instance_count; i++)
        if (snapshot->instances[i].secret)
            keys[count++] = snapshot->instances[i].secret;
    if (snapshot->webhook.secret)
        keys[count++] = snapshot->webhook.secret;
    int rc = koine__log_hide(&hub->log, keys, count);
    koine__dealloc(keys);
    return rc;
}

/* Builds what is staged; the lines written meanwhile have the format that is staged with it. */
static int build(struct koine_hub *hub, struct koine__snapshot **ret, koine_error **ret_error)
{
    const struct koine__surroundings around = {.env = hub->env, .log = &hub->log, .states = hub->states};
    take_format(hub, hub->staged);
    int rc = koine__snapshot_build(hub->staged, &around, ret, ret_error);
    if (rc == KOINE_OK && hide_keys(hub, *ret) != KOINE_OK) {
        koine__snapshot_unref(*ret);
        rc = koine__error_memory(ret_error);
    }
    if (rc != KOINE_OK)
        take_format(hub, hub->snapshot ? hub->snapshot->store : NULL);
    return rc;
}

static void publish(struct koine_hub *hub, struct koine__snapshot *snapshot)
{
    pthread_mutex_lock(&hub->mutex);
    struct koine__snapshot *old = hub->snapshot;
    const struct koine__clock *clock = hub->world.clock ? hub->world.clock : &koine__system_clock;
    koine__snapshot_enforce(snapshot, koine__now(clock));
    hub->snapshot = snapshot;
    pthread_mutex_unlock(&hub->mutex);
    koine__snapshot_unref(old);
}

/* A reference to what is in force, or NULL. */
static struct koine__snapshot *current(struct koine_hub *hub)
{
    pthread_mutex_lock(&hub->mutex);
    struct koine__snapshot *snapshot = hub->snapshot ? koine__snapshot_ref(hub->snapshot) : NULL;
    pthread_mutex_unlock(&hub->mutex);
    return snapshot;
}

/* `staging` is held. */
static int apply(struct koine_hub *hub, koine_error **ret_error)
{
    struct koine__snapshot *snapshot;
    if (hub->stage_error) {
        int number = hub->stage_error->number;
        if (ret_error) {
            *ret_error = hub->stage_error;
            hub->stage_error = NULL;
        }
        forget_stage_error(hub);
        return number;
    }
    int rc = build(hub, &snapshot, ret_error);
    if (rc != KOINE_OK)
        return rc;
    publish(hub, snapshot);
    take_settings(hub);
    return KOINE_OK;
}

int koine_hub_apply(koine_hub *hub, koine_error **ret_error)
{
    int rc = unusable(hub, ret_error, "koine_hub_apply");
    if (rc != KOINE_OK)
        return rc;
    pthread_mutex_lock(&hub->staging);
    rc = apply(hub, ret_error);
    pthread_mutex_unlock(&hub->staging);
    return rc;
}

static int apply_first(struct koine_hub *hub, struct koine__snapshot **ret, koine_error **ret_error)
{
    int rc = KOINE_OK;
    pthread_mutex_lock(&hub->staging);
    *ret = current(hub); /* another thread may have been faster */
    if (!*ret && hub->stage_error && !ret_error)
        rc = hub->stage_error->number; /* kept for somebody who can be told */
    else if (!*ret)
        rc = apply(hub, ret_error);
    if (rc == KOINE_OK && !*ret)
        *ret = current(hub);
    pthread_mutex_unlock(&hub->staging);
    return rc;
}

int koine__hub_snapshot(struct koine_hub *hub, struct koine__snapshot **ret, koine_error **ret_error)
{
    int rc = unusable(hub, ret_error, "koine");
    if (rc != KOINE_OK)
        return rc;
    struct koine__snapshot *snapshot = current(hub);
    if (!snapshot)
        rc = apply_first(hub, &snapshot, ret_error);
    if (rc == KOINE_OK)
        *ret = snapshot;
    return rc;
}

int koine_hub_show(koine_hub *hub, char **ret)
{
    int rc = koine__hub_usable(hub);
    if (rc != KOINE_OK || !ret)
        return rc != KOINE_OK ? rc : KOINE_EARGUMENT;
    struct koine__snapshot *snapshot = current(hub);
    pthread_mutex_lock(&hub->staging);
    rc = koine__config_show(snapshot ? snapshot->store : hub->staged, ret);
    pthread_mutex_unlock(&hub->staging);
    koine__snapshot_unref(snapshot);
    return rc;
}

int koine_settings_document(char **ret)
{
    return ret ? koine__settings_document(ret) : KOINE_EARGUMENT;
}

const char *koine_hub_plugin_folder(koine_hub *hub, size_t index)
{
    const char *folder = NULL;
    if (koine__hub_usable(hub) != KOINE_OK)
        return NULL;
    pthread_mutex_lock(&hub->mutex);
    char **folders = hub->snapshot ? hub->snapshot->registry.folders : NULL;
    for (size_t i = 0; folders && folders[i] && i <= index; i++)
        folder = i == index ? folders[i] : NULL;
    pthread_mutex_unlock(&hub->mutex);
    return folder;
}

const char *koine_hub_route(koine_hub *hub, size_t index)
{
    const char *name = NULL;
    if (koine__hub_usable(hub) != KOINE_OK)
        return NULL;
    pthread_mutex_lock(&hub->mutex);
    if (hub->snapshot && index < hub->snapshot->route_count)
        name = hub->snapshot->routes[index].name;
    pthread_mutex_unlock(&hub->mutex);
    return name;
}

const char *koine_hub_route_target(koine_hub *hub, size_t route, size_t index)
{
    const char *target = NULL;
    if (koine__hub_usable(hub) != KOINE_OK)
        return NULL;
    pthread_mutex_lock(&hub->mutex);
    const struct koine__snapshot *snapshot = hub->snapshot;
    if (snapshot && route < snapshot->route_count && index < snapshot->routes[route].count)
        target = snapshot->routes[route].targets[index].text;
    pthread_mutex_unlock(&hub->mutex);
    return target;
}

const char *koine_hub_env_file(koine_hub *hub, size_t index)
{
    if (koine__hub_usable(hub) != KOINE_OK)
        return NULL;
    pthread_mutex_lock(&hub->staging);
    const char *file = koine__env_file(hub->env, index);
    pthread_mutex_unlock(&hub->staging);
    return file;
}

const char *koine_hub_file(koine_hub *hub)
{
    const char *file = "";
    if (koine__hub_usable(hub) != KOINE_OK)
        return file;
    pthread_mutex_lock(&hub->staging);
    if (hub->config_file)
        file = hub->config_file;
    pthread_mutex_unlock(&hub->staging);
    return file;
}
