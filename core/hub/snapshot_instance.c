/* snapshot_instance: providers under the user's names: plugin, base URL, key, policies, the vendor's own
 * options.
 *
 * A key found in a plugin's variable (TOGETHER_API_KEY) belongs to that vendor: an instance with a base URL
 * of its own gets it only if its api_key says so.
 */
#include "core/hub/snapshot_build.h"

#include "core/wire/credential.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#define MOST_OPTIONS 64 /* that a suggestion is looked for in */

struct making { /* one instance */
    const struct koine__building *building;
    struct koine__instance *instance;
    const char *path; /* "providers.lab" */
    bool is_configured;
};

static const char *get(const struct making *making, const char *member)
{
    return koine__store_textf(making->building->snapshot->store, "%s.%s", making->path, member);
}

static int64_t number(const struct making *making, const char *member)
{
    return koine__store_numberf(making->building->snapshot->store, "%s.%s", making->path, member);
}

/* ---- The plugin ---- */

/* "folder, folder" and "openai, together" */
static char *list_folders(const struct koine__building *building)
{
    char *text = koine__building_text(building, "%s", "");
    for (char **at = building->snapshot->registry.folders; text && *at; at++)
        text = koine__building_text(building, "%s%s%s", text, text[0] ? ", " : "", *at);
    return text;
}

static char *list_found(const struct koine__building *building)
{
    const struct koine__registry *registry = &building->snapshot->registry;
    char *text = koine__building_text(building, "%s", "");
    for (size_t i = 0; text && i < registry->count; i++)
        if (registry->items[i].provider)
            text = koine__building_text(building, "%s%s%s", text, text[0] ? ", " : "", registry->items[i].id);
    return text;
}

/* `isolate` and `sha256` are about a file, and before it is opened its name is all that is known of it. */
static int check_file(const struct making *making, const struct koine__found *found, const char *id)
{
    const char *setting = number(making, "isolate") ? "isolate" : "sha256";
    const char *slash = strrchr(found->path, '/');
    const char *name = slash ? slash + 1 : found->path;
    size_t len = strlen(id);
    if (strncmp(name, id, len) == 0 && strcmp(name + len, ".so") == 0)
        return KOINE_OK;
    char path[KOINE__PATH_SIZE];
    koine__building_path(path, "%s.%s", making->path, setting);
    return koine__building_refuse(
        making->building, path,
        "the plugin %s is in %s; this setting holds for a file that is named like its "
        "plugin: rename it to %s.so",
        id, found->path, id);
}

static int take_plugin(const struct making *making, const struct koine__found *found, const char *id)
{
    making->instance->provider = found->provider;
    making->instance->file = found->path;
    bool is_about_a_file = number(making, "isolate") || get(making, "sha256");
    return is_about_a_file ? check_file(making, found, id) : KOINE_OK;
}

/* What it did in its own process is no reason to refuse the configuration: the others load, and a call moves
 * on. */
static int leave_out(const struct making *making, const struct koine__found *found)
{
    making->instance->file = found->path;
    making->instance->reason = found->reason;
    return KOINE_OK;
}

static int find_plugin(const struct making *making)
{
    const struct koine__registry *registry = &making->building->snapshot->registry;
    const char *named = get(making, "plugin");
    const char *id = named ? named : making->instance->name;
    bool isolate = number(making, "isolate") != 0;
    const struct koine__found *found = koine__registry_find(registry, id, isolate);
    /* One that nobody configured is isolated where all others want it so; and one whose file has another name
     * was opened here, which take_plugin tells. */
    if (!found && (isolate || !making->is_configured))
        found = koine__registry_find(registry, id, !isolate);
    if (found && found->provider)
        return take_plugin(making, found, id);
    if (found && found->has_crashed)
        return leave_out(making, found);
    if (found)
        return koine__building_refuse(making->building, making->path, "the plugin \"%s\" was refused: %s: %s",
                                      id, found->path, found->reason);
    const char *folders = list_folders(making->building), *others = list_found(making->building);
    if (!folders || !others)
        return koine__building_memory(making->building);
    return koine__building_refuse(making->building, making->path, "no plugin named \"%s\" in %s; found: %s%s",
                                  id, folders, others[0] ? others : "none",
                                  named ? "" : "; `plugin:` names another one");
}

/* ---- The vendor's own options ---- */

static const koine_option *find_option(const koine_provider *provider, const char *name)
{
    for (const koine_option *const *at = provider->options; at && *at; at++)
        if (strcmp((*at)->name, name) == 0)
            return *at;
    return NULL;
}

static int refuse_option(const struct making *making, const char *path, const char *name)
{
    const char *names[MOST_OPTIONS];
    const koine_provider *provider = making->instance->provider;
    char *list = koine__building_text(making->building, "%s", "");
    size_t count = 0;
    for (const koine_option *const *at = provider->options; list && at && *at && count < MOST_OPTIONS; at++) {
        names[count++] = (*at)->name;
        list = koine__building_text(making->building, "%s%s%s", list, list[0] ? ", " : "", (*at)->name);
    }
    if (!list)
        return koine__building_memory(making->building);
    const char *nearest = koine__nearest(name, names, count);
    if (nearest)
        return koine__building_refuse(making->building, path,
                                      "the plugin %s has no such option; did you mean %s?", provider->id,
                                      nearest);
    if (count == 0)
        return koine__building_refuse(making->building, path, "the plugin %s has no options", provider->id);
    return koine__building_refuse(making->building, path, "the plugin %s has no such option; it has %s",
                                  provider->id, list);
}

/* The value is not shown: it may have come from a variable. */
static int check_option(const struct making *making, const char *path, const koine_option *option,
                        const char *value)
{
    int64_t whole;
    bool truth;
    const char *help = option->help ? option->help : "";
    const char *wanted = NULL;
    if (option->type == KOINE_OPTION_INTEGER &&
        koine__read_int(koine__str(value), INT64_MIN, INT64_MAX, &whole))
        wanted = "a whole number";
    if (option->type == KOINE_OPTION_BOOL && koine__read_bool(koine__str(value), &truth))
        wanted = "true or false";
    if (wanted)
        return koine__building_refuse(making->building, path, "must be %s%s%s", wanted, help[0] ? ": " : "",
                                      help);
    return KOINE_OK;
}

static int read_option(const struct making *making, const char *options, const char *name, const char **ret)
{
    char path[KOINE__PATH_SIZE];
    koine__building_path(path, "%s.%s", options, name);
    const koine_option *option = find_option(making->instance->provider, name);
    const char *value = koine__store_get(making->building->snapshot->store, path);
    if (!option)
        return refuse_option(making, path, name);
    int rc = check_option(making, path, option, value);
    if (rc)
        return rc;
    ret[0] = option->name;
    ret[1] = koine__building_text(making->building, "%s", value);
    return ret[1] ? KOINE_OK : koine__building_memory(making->building);
}

/* The first required option that was not given, or NULL. */
static const koine_option *missing_option(const struct koine__instance *instance)
{
    for (const koine_option *const *at = instance->provider->options; at && *at; at++)
        if ((*at)->required && !koine__instance_option(instance, (*at)->name))
            return *at;
    return NULL;
}

/* What the plugin cannot do without. An instance that was found, and that nobody asked for, waits for its
 * configuration. */
static int lacks(const struct making *making, const char *member, const char *help)
{
    struct koine__instance *instance = making->instance;
    if (making->is_configured)
        return koine__building_refuse(making->building, making->path, "%s is required: %s", member, help);
    instance->provider = NULL;
    instance->reason = koine__building_text(making->building, "needs %s.%s", making->path, member);
    return instance->reason ? KOINE_OK : koine__building_memory(making->building);
}

static int read_options(const struct making *making)
{
    char path[KOINE__PATH_SIZE];
    koine__building_path(path, "%s.options", making->path);
    size_t count = koine__building_children(making->building, path);
    const char **pairs =
        koine__arena_alloc(&making->building->snapshot->arena, (2 * count + 1) * sizeof(*pairs));
    if (!pairs)
        return koine__building_memory(making->building);
    for (size_t i = 0; i < count; i++) {
        const char *name = koine__store_child(making->building->snapshot->store, path, i);
        int rc = read_option(making, path, name, pairs + 2 * i);
        if (rc)
            return rc;
    }
    making->instance->options = pairs;
    const koine_option *missing = missing_option(making->instance);
    if (!missing)
        return KOINE_OK;
    char member[KOINE__PATH_SIZE];
    koine__building_path(member, "options.%s", missing->name);
    return lacks(making, member, missing->help ? missing->help : "");
}

/* ---- Base URL and key ---- */

static char *without_slashes(const struct koine__building *building, const char *url)
{
    size_t len = strlen(url);
    while (len && url[len - 1] == '/')
        len--;
    return koine__building_text(building, "%.*s", (int)len, url);
}

/* A plugin that nobody trusts with files must not choose which variable travels to the server of its choice:
 * the key of an isolated one is that of its own name, as `acme` has ACME_API_KEY. */
static bool is_of_own_name(const koine_provider *provider)
{
    static const char end[] = "_API_KEY";
    const char *variable = provider->key_variable;
    size_t i = 0;
    for (; provider->id[i]; i++) {
        char c = provider->id[i];
        char wanted = c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c == '-' ? '_' : c;
        if (variable[i] != wanted)
            return false;
    }
    return strcmp(variable + i, end) == 0;
}

static bool reads_variable(const struct making *making, bool own_server)
{
    const koine_provider *provider = making->instance->provider;
    if (own_server || !provider->key_variable) /* a key must not travel because a URL was changed */
        return false;
    return !number(making, "isolate") || is_of_own_name(provider);
}

/* Where the key came from; `member` NULL: the plugin's variable. */
static int name_source(const struct making *making, const char *member)
{
    const struct koine__building *building = making->building;
    const char *variable = making->instance->provider->key_variable;
    const char *file = member ? NULL : koine__env_origin(building->env, variable);
    making->instance->key_source =
        member ? koine__building_text(building, "%s.%s", making->path, member)
               : koine__building_text(building, "%s%s%s", variable, file ? " in " : "", file ? file : "");
    return making->instance->key_source ? KOINE_OK : koine__building_memory(building);
}

static int read_key(const struct making *making, bool own_server)
{
    static const char *const members[] = {"api_key", "api_key_file", "api_key_command"};
    const struct koine__building *building = making->building;
    const koine_provider *provider = making->instance->provider;
    const char *values[3], *first = NULL;
    char where[PATH_MAX + 64], path[KOINE__PATH_SIZE];
    for (size_t i = 0; i < 3; i++) {
        values[i] = get(making, members[i]);
        if (!values[i])
            continue;
        koine__building_path(path, "%s.%s", making->path, members[i]);
        if (first)
            return koine__building_refuse(building, path, "%s is given too; only one of them can hold",
                                          first);
        first = members[i];
    }
    koine__building_path(path, "%s%s%s", making->path, first ? "." : "", first ? first : "");
    koine__origin_text(koine__building_origin(building, path), where, sizeof(where));
    const char *place = koine__building_text(building, "%s%s", where, making->path);
    if (!place)
        return koine__building_memory(building);
    struct koine__credential_spec spec = {
        .key = values[0], .file = values[1], .command = values[2], .where = place};
    making->instance->reads_variable = reads_variable(making, own_server);
    if (making->instance->reads_variable)
        spec.variable = koine__env_get(building->env, provider->key_variable);
    int rc = koine__credential_load(&spec, &making->instance->secret, building->ret_error);
    return rc == KOINE_OK && making->instance->secret ? name_source(making, first) : rc;
}

static int read_server(const struct making *making)
{
    const char *told = get(making, "base_url"), *plugins = making->instance->provider->base_url;
    making->instance->base_url = "";
    if (!told && !plugins)
        return lacks(making, "base_url", "the plugin knows no server that is everybody's");
    const char *base_url = without_slashes(making->building, told ? told : plugins);
    if (!base_url)
        return koine__building_memory(making->building);
    making->instance->base_url = base_url;
    return read_key(making, !plugins || strcmp(base_url, plugins) != 0);
}

/* ---- Policies ---- */

static void read_policies(const struct making *making)
{
    struct koine__instance *instance = making->instance;
    instance->free_of_charge = number(making, "price") == 1;
    instance->parameters = get(making, "parameters")
                               ? number(making, "parameters")
                               : koine__store_number(making->building->snapshot->store, "parameters");
    instance->body_limit = number(making, "body_limit");
    instance->isolate_timeout = number(making, "isolate_timeout");
    instance->timeouts = (struct koine__timeouts){
        .connect = number(making, "timeouts.connect"),
        .first_byte = number(making, "timeouts.first_byte"),
        .first_token = number(making, "timeouts.first_token"),
        .idle = number(making, "timeouts.idle"),
        .progress = number(making, "timeouts.progress"),
        .total = number(making, "timeouts.total"),
    };
    instance->retry = (struct koine__retry_config){
        .max_retries = number(making, "retry.max_retries"),
        .base_delay = number(making, "retry.base_delay"),
        .max_delay = number(making, "retry.max_delay"),
        .multiplier = number(making, "retry.multiplier"),
        .jitter = number(making, "retry.jitter"),
        .retry_after_cap = number(making, "retry.retry_after_cap"),
        .move_on_after = number(making, "retry.move_on_after"),
    };
    instance->limits = (struct koine__limiter_config){
        .requests = number(making, "limits.requests_per_minute"),
        .tokens = number(making, "limits.tokens_per_minute"),
        .concurrent = number(making, "limits.concurrent"),
        .queue = number(making, "limits.queue"),
        .window = number(making, "limits.window"),
        .slack = number(making, "limits.slack"),
        .unused_grant = number(making, "limits.unused_grant"),
    };
    instance->policies.breaking = (struct koine__breaker_config){
        .failures = number(making, "breaker.failures"),
        .window = number(making, "breaker.window"),
        .min_calls = number(making, "breaker.min_calls"),
        .ratio = number(making, "breaker.ratio"),
        .open_for = number(making, "breaker.open_for"),
        .probes = number(making, "breaker.probes_in_flight"),
        .successes_to_close = number(making, "breaker.successes_to_close"),
    };
    instance->policies.retry_capacity = number(making, "retry.budget");
    instance->policies.latch = number(making, "latch") < 0 ? 0 : number(making, "latch");
}

/* What was written, and cannot both be meant. */
static int check_policies(const struct making *making)
{
    const struct koine__retry_config *retry = &making->instance->retry;
    char path[KOINE__PATH_SIZE], delay[32], most[32];
    if (!koine__building_is_staged(making->building, "%s.retry.base_delay", making->path) ||
        !koine__building_is_staged(making->building, "%s.retry.max_delay", making->path) ||
        retry->base_delay <= retry->max_delay)
        return KOINE_OK;
    koine__building_path(path, "%s.retry.base_delay", making->path);
    koine__write_duration(retry->base_delay, delay, sizeof(delay));
    koine__write_duration(retry->max_delay, most, sizeof(most));
    return koine__building_refuse(making->building, path, "%s is longer than max_delay, %s", delay, most);
}

/* What is kept of it, as the snapshot before left it. */
static int hold_state(const struct making *making)
{
    struct koine__snapshot *snapshot = making->building->snapshot;
    struct koine__instance *instance = making->instance;
    struct koine__states_key key = {
        .instance = instance->name,
        .plugin = instance->provider->id,
        .base_url = instance->base_url,
        .key = instance->secret ? koine__secret_fingerprint(instance->secret) : 0,
    };
    if (!snapshot->states)
        return KOINE_OK;
    int rc = koine__states_hold(snapshot->states, &key, &instance->limits, &instance->policies);
    return rc == KOINE_OK ? rc : koine__building_memory(making->building);
}

/* ---- All of them ---- */

static int make(const struct koine__building *building, const char *name, bool is_configured)
{
    struct koine__snapshot *snapshot = building->snapshot;
    struct koine__instance *instance = &snapshot->instances[snapshot->instance_count++];
    char path[KOINE__PATH_SIZE];
    struct making making = {
        .building = building, .instance = instance, .path = path, .is_configured = is_configured};
    koine__building_path(path, "providers.%s", name);
    instance->file = instance->base_url = instance->key_source = "";
    instance->name = koine__building_text(building, "%s", name);
    if (!instance->name)
        return koine__building_memory(building);
    int rc = find_plugin(&making);
    if (!rc && instance->provider)
        rc = read_server(&making);
    if (!rc && instance->provider)
        rc = read_options(&making);
    read_policies(&making);
    if (!rc)
        rc = check_policies(&making);
    if (!rc && instance->provider)
        rc = hold_state(&making);
    return rc;
}

int koine__build_instances(const struct koine__building *building)
{
    struct koine__snapshot *snapshot = building->snapshot;
    const struct koine__registry *registry = &snapshot->registry;
    size_t configured = koine__building_children(building, "providers");
    snapshot->instances =
        koine__arena_alloc(&snapshot->arena, (configured + registry->count) * sizeof(*snapshot->instances));
    if (!snapshot->instances)
        return koine__building_memory(building);
    int rc = KOINE_OK;
    for (size_t i = 0; i < configured && !rc; i++)
        rc = make(building, koine__store_child(snapshot->store, "providers", i), true);
    for (size_t i = 0; i < registry->count && !rc; i++)
        if (registry->items[i].provider && !koine__snapshot_instance(snapshot, registry->items[i].id))
            rc = make(building, registry->items[i].id, false);
    return rc;
}
