/* snapshot_route: routes and their targets, each resolved to an instance and what the catalogue knows of its
 * model. */
#include "core/hub/snapshot_build.h"

#include <stdio.h>
#include <string.h>

#define MOST_NAMES 64 /* that a suggestion is looked for in */

struct making { /* one target */
    const struct koine__building *building;
    struct koine__target *target;
    const char *path; /* "routes.default.targets.0" */
};

static const char *get(const struct making *making, const char *member)
{
    return koine__store_textf(making->building->snapshot->store, "%s.%s", making->path, member);
}

/* ---- Targets ---- */

/* Its plugin crashed in its own process: a call that comes to this target moves on to the next. */
static bool is_left_out(const struct koine__building *building, const char *name)
{
    const char *plugin = koine__store_textf(building->snapshot->store, "providers.%s.plugin", name);
    const struct koine__found *found =
        koine__registry_find(&building->snapshot->registry, plugin ? plugin : name, true);
    return found && found->has_crashed;
}

static int find_instance(const struct making *making, koine_str name)
{
    const struct koine__building *building = making->building;
    const char *copy = koine__arena_strndup(&building->snapshot->arena, name.ptr, name.len);
    if (!copy)
        return koine__building_memory(building);
    const struct koine__instance *instance = koine__snapshot_instance(building->snapshot, copy);
    char path[KOINE__PATH_SIZE];
    koine__building_path(path, "%s.target", making->path);
    making->target->instance = instance;
    if (instance && (instance->provider || is_left_out(building, copy)))
        return KOINE_OK;
    if (instance)
        return koine__building_refuse(building, path, "%s %s", copy, instance->reason);
    const struct koine__registry *registry = &building->snapshot->registry;
    const struct koine__found *found = koine__registry_find(registry, copy, false);
    if (!found)
        found = koine__registry_find(registry, copy, true);
    if (found && found->reason)
        return koine__building_refuse(building, path, "no provider named \"%s\"; its plugin was refused: %s",
                                      copy, found->reason);
    char route[KOINE__PATH_SIZE];
    koine__building_path(route, "routes.%s", copy);
    if (koine__building_children(building, route) > 0)
        return koine__building_refuse(
            building, path, "\"%s\" is a route; a target is a model of a provider, as in openai/gpt-4o-mini",
            copy);
    const char *nearest = koine__building_nearest_instance(building, copy);
    if (nearest)
        return koine__building_refuse(building, path, "no provider named \"%s\"; did you mean %s?", copy,
                                      nearest);
    return koine__building_refuse(
        building, path,
        "no provider named \"%s\"; add it below providers, or its plugin to a folder of plugin_path", copy);
}

static int read_target_text(const struct making *making)
{
    const char *staged = get(making, "target");
    if (!staged)
        return koine__building_refuse(making->building, making->path,
                                      "`target` is missing; write instance/model");
    char *text = koine__building_text(making->building, "%s", staged);
    if (!text)
        return koine__building_memory(making->building);
    koine_str model = koine__str(text);
    koine_str name = koine__str_cut(&model, '/');
    making->target->text = text;
    making->target->model = model.ptr;
    int rc = find_instance(making, name);
    if (rc)
        return rc;
    const koine_provider *provider = making->target->instance->provider;
    if (provider)
        making->target->known =
            koine__catalogue_find(making->building->snapshot->catalogue, provider->id, model);
    return KOINE_OK;
}

static const struct koine__member *find_member(const struct koine__target *target, const char *name)
{
    for (size_t i = 0; i < target->member_count; i++)
        if (strcmp(target->members[i].name, name) == 0)
            return &target->members[i];
    return NULL;
}

static int add_set(const struct making *making, const char *path, size_t count, struct koine__member *members)
{
    for (size_t i = 0; i < count; i++) {
        const char *name = koine__store_child(making->building->snapshot->store, path, i);
        const char *json = koine__store_textf(making->building->snapshot->store, "%s.%s", path, name);
        struct koine__member *member = &members[making->target->member_count++];
        member->name = koine__building_text(making->building, "%s", name);
        member->json = koine__building_text(making->building, "%s", json);
        if (!member->name || !member->json)
            return koine__building_memory(making->building);
    }
    return KOINE_OK;
}

static int add_unset(const struct making *making, const char *path, size_t count,
                     struct koine__member *members)
{
    for (size_t i = 0; i < count; i++) {
        const char *name = koine__store_textf(making->building->snapshot->store, "%s.%zu", path, i);
        if (!name || !name[0])
            return koine__building_refuse(making->building, path,
                                          "element %zu is missing; write the names of members", i);
        if (find_member(making->target, name))
            return koine__building_refuse(making->building, path,
                                          "\"%.80s\" is named twice, here or below `set`", name);
        struct koine__member *member = &members[making->target->member_count++];
        member->name = koine__building_text(making->building, "%s", name);
        if (!member->name)
            return koine__building_memory(making->building);
    }
    return KOINE_OK;
}

static int read_members(const struct making *making)
{
    char set[KOINE__PATH_SIZE], unset[KOINE__PATH_SIZE];
    koine__building_path(set, "%s.set", making->path);
    koine__building_path(unset, "%s.unset", making->path);
    size_t sets = koine__building_children(making->building, set);
    size_t unsets = koine__building_children(making->building, unset);
    struct koine__member *members =
        koine__arena_alloc(&making->building->snapshot->arena, (sets + unsets) * sizeof(*members));
    if (!members)
        return koine__building_memory(making->building);
    making->target->members = members;
    int rc = add_set(making, set, sets, members);
    return rc ? rc : add_unset(making, unset, unsets, members);
}

static int make_target(const struct making *making)
{
    const char *path = making->path;
    int rc = read_target_text(making);
    if (!rc)
        rc = read_members(making);
    making->target->max_retries = -1;
    if (!rc && get(making, "max_retries"))
        making->target->max_retries =
            koine__store_numberf(making->building->snapshot->store, "%s.max_retries", path);
    return rc;
}

/* ---- Routes ---- */

static int make_targets(const struct koine__building *building, const char *route_path,
                        struct koine__route *route)
{
    char list[KOINE__PATH_SIZE], path[KOINE__PATH_SIZE];
    koine__building_path(list, "%s.targets", route_path);
    route->count = koine__building_children(building, list);
    struct koine__target *targets =
        koine__arena_alloc(&building->snapshot->arena, route->count * sizeof(*targets));
    if (!targets)
        return koine__building_memory(building);
    route->targets = targets;
    if (route->count == 0)
        return koine__building_refuse(building, route_path,
                                      "has no targets; write targets: [instance/model]");
    int rc = KOINE_OK;
    for (size_t i = 0; i < route->count && !rc; i++) {
        koine__building_path(path, "%s.%zu", list, i);
        struct making making = {.building = building, .target = &targets[i], .path = path};
        if ((!koine__store_get(building->snapshot->store, path) &&
             !koine__store_child(building->snapshot->store, path, 0)))
            return koine__building_refuse(building, list,
                                          "element %zu is missing; a list is numbered 0, 1, 2 and so on", i);
        rc = make_target(&making);
    }
    return rc;
}

static void read_typed(const struct koine__store *store, const char *path, struct koine__typed_fallback *ret)
{
    static const struct {
        const char *name;
        int class_number;
    } rows[] = {{"content_policy", KOINE_CLASS_CONTENT_POLICY},
                {"auth", KOINE_CLASS_AUTH},
                {"billing", KOINE_CLASS_BILLING},
                {"model_gone", KOINE_CLASS_MODEL_GONE},
                {"rate_limit", KOINE_CLASS_RATE_LIMIT}};
    *ret = (struct koine__typed_fallback){0, 0};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint32_t bit = UINT32_C(1) << rows[i].class_number;
        if (koine__store_numberf(store, "%s.fallback_on.%s", path, rows[i].name))
            ret->moves |= bit;
        else
            ret->stays |= bit;
    }
}

/* How a route behaves, apart from its targets; the table's defaults where the path says nothing. */
static void read_manner(const struct koine__store *store, const char *path, struct koine__route *route)
{
    route->commit = koine__store_numberf(store, "%s.commit", path) + KOINE_COMMIT_FIRST_CONTENT;
    route->deadline = koine__store_numberf(store, "%s.deadline", path);
    route->max_attempts = koine__store_numberf(store, "%s.max_attempts", path);
    route->hedge_after = koine__store_numberf(store, "%s.hedge_after", path);
    read_typed(store, path, &route->typed);
}

/* What was written, and cannot both be meant; defaults give way in silence. */
static int check_deadline(const struct koine__building *building, const char *path,
                          const struct koine__route *route)
{
    const struct koine__store *store = building->snapshot->store;
    char deadline[KOINE__PATH_SIZE], limit[32], connect[32];
    koine__building_path(deadline, "%s.deadline", path);
    if (!koine__store_get(store, deadline))
        return KOINE_OK;
    koine__write_duration(route->deadline, limit, sizeof(limit));
    if (koine__store_get(store, "min_attempt") && route->deadline < building->snapshot->min_attempt)
        return koine__building_refuse(building, deadline,
                                      "%s is shorter than min_attempt: no attempt would start", limit);
    for (size_t i = 0; i < route->count; i++) {
        const struct koine__instance *instance = route->targets[i].instance;
        if (!koine__building_is_staged(building, "providers.%s.timeouts.connect", instance->name) ||
            instance->timeouts.connect <= route->deadline)
            continue;
        koine__write_duration(instance->timeouts.connect, connect, sizeof(connect));
        return koine__building_refuse(
            building, deadline,
            "%s is shorter than providers.%s.timeouts.connect, %s; make it longer, or that shorter", limit,
            instance->name, connect);
    }
    return KOINE_OK;
}

static int make_route(const struct koine__building *building, const char *name, struct koine__route *route)
{
    const struct koine__store *store = building->snapshot->store;
    char path[KOINE__PATH_SIZE];
    koine__building_path(path, "routes.%s", name);
    route->name = koine__building_text(building, "%s", name);
    if (!route->name)
        return koine__building_memory(building);
    if (koine__snapshot_instance(building->snapshot, name))
        return koine__building_refuse(building, path,
                                      "is also the name of a provider; give the route another one");
    read_manner(store, path, route);
    int rc = make_targets(building, path, route);
    return rc ? rc : check_deadline(building, path, route);
}

static int find_default(const struct koine__building *building)
{
    struct koine__snapshot *snapshot = building->snapshot;
    const char *names[MOST_NAMES];
    size_t count = 0;
    snapshot->default_route =
        koine__snapshot_route(snapshot, koine__store_text(snapshot->store, "default_route"));
    const char *staged = koine__store_get(snapshot->store, "default_route");
    if (snapshot->default_route || !staged)
        return KOINE_OK;
    for (; count < snapshot->route_count && count < MOST_NAMES; count++)
        names[count] = snapshot->routes[count].name;
    const char *nearest = koine__nearest(staged, names, count);
    if (nearest)
        return koine__building_refuse(building, "default_route", "no route named \"%s\"; did you mean %s?",
                                      staged, nearest);
    return koine__building_refuse(building, "default_route", "no route named \"%s\"; add it below routes",
                                  staged);
}

int koine__build_routes(const struct koine__building *building)
{
    struct koine__snapshot *snapshot = building->snapshot;
    size_t count = koine__building_children(building, "routes");
    snapshot->routes = koine__arena_alloc(&snapshot->arena, count * sizeof(*snapshot->routes));
    if (!snapshot->routes)
        return koine__building_memory(building);
    for (size_t i = 0; i < count; i++) {
        const char *name = koine__store_child(snapshot->store, "routes", i);
        int rc = make_route(building, name, &snapshot->routes[snapshot->route_count++]);
        if (rc)
            return rc;
    }
    int rc = find_default(building);
    const char *like = snapshot->default_route ? snapshot->default_route->name : "default";
    char path[KOINE__PATH_SIZE];
    koine__building_path(path, "routes.%s", like);
    read_manner(snapshot->store, path, &snapshot->single);
    snapshot->single.name = "";
    snapshot->single.count = 1;
    return rc;
}
