/* resolve: see resolve.h. */
#include "core/hub/resolve.h"

#include <stdio.h>
#include <string.h>

#define MOST_NAMES 64 /* that a suggestion is looked for in */

static const char *nearest_instance(const struct koine__snapshot *snapshot, const char *name)
{
    const char *names[MOST_NAMES];
    size_t count = 0;
    for (; count < snapshot->instance_count && count < MOST_NAMES; count++)
        names[count] = snapshot->instances[count].name;
    return koine__nearest(name, names, count);
}

int koine__resolve_instance(const struct koine__snapshot *snapshot, const char *name,
                            const struct koine__instance **ret, koine_error **ret_error)
{
    *ret = koine__snapshot_instance(snapshot, name);
    if (*ret)
        return KOINE_OK;
    const char *near = nearest_instance(snapshot, name);
    if (near)
        return koine__error(ret_error, KOINE_ENOTFOUND, "no provider named \"%.100s\"; did you mean %s?",
                            name, near);
    return koine__error(ret_error, KOINE_ENOTFOUND,
                        "no provider named \"%.100s\": add it under providers: or put its plugin into a "
                        "folder of plugin_path",
                        name);
}

int koine__resolve_single(const struct koine__snapshot *snapshot, const struct koine__instance *instance,
                          koine_str model, struct koine__arena *arena, struct koine__route *ret,
                          koine_error **ret_error)
{
    struct koine__target *target = koine__arena_alloc(arena, sizeof(*target));
    size_t name_len = strlen(instance->name);
    char *text = koine__arena_alloc(arena, name_len + 1 + model.len + 1);
    if (!target || !text)
        return koine__error_memory(ret_error);
    /* Without a model (a list of models is asked for) the target is the instance itself. */
    char *end = mempcpy(text, instance->name, name_len);
    if (model.len > 0) {
        *end++ = '/';
        memcpy(end, model.ptr, model.len);
    }
    *target = (struct koine__target){.text = text, .instance = instance, .model = end, .max_retries = -1};
    if (instance->provider)
        target->known = koine__catalogue_find(snapshot->catalogue, instance->provider->id, model);
    *ret = snapshot->single;
    ret->targets = target;
    return KOINE_OK;
}

/* "instance/model" where the part before the first slash is an instance. */
static const struct koine__instance *split_target(const struct koine__snapshot *snapshot, koine_str text,
                                                  koine_str *ret_model)
{
    koine_str rest = text;
    koine_str name = koine__str_cut(&rest, '/');
    char buf[65];
    if (!rest.ptr || name.len == 0 || name.len >= sizeof(buf))
        return NULL;
    memcpy(buf, name.ptr, name.len);
    buf[name.len] = '\0';
    *ret_model = rest;
    return koine__snapshot_instance(snapshot, buf);
}

static int by_target(const struct koine__snapshot *snapshot, const char *target,
                     struct koine__document *document, struct koine__route *ret, koine_error **ret_error)
{
    koine_str model = {NULL, 0};
    const struct koine__instance *instance = split_target(snapshot, koine__str(target), &model);
    const char *slash = strchr(target, '/');
    if (!slash || slash == target || slash[1] == '\0')
        return koine__error(ret_error, KOINE_EARGUMENT, "target \"%.200s\" is not written instance/model",
                            target);
    if (!instance) {
        char name[128];
        snprintf(name, sizeof(name), "%.*s", (int)(slash - target), target);
        return koine__resolve_instance(snapshot, name, &instance, ret_error);
    }
    return koine__resolve_single(snapshot, instance, model, &document->arena, ret, ret_error);
}

static const char *nearest_route(const struct koine__snapshot *snapshot, const char *name)
{
    const char *names[MOST_NAMES];
    size_t count = 0;
    for (; count < snapshot->route_count && count < MOST_NAMES; count++)
        names[count] = snapshot->routes[count].name;
    return koine__nearest(name, names, count);
}

static int by_route(const struct koine__snapshot *snapshot, const char *name, struct koine__route *ret,
                    koine_error **ret_error)
{
    const struct koine__route *route = koine__snapshot_route(snapshot, name);
    const char *near = route ? NULL : nearest_route(snapshot, name);
    if (near)
        return koine__error(ret_error, KOINE_ENOTFOUND, "no route named \"%.100s\"; did you mean %s?", name,
                            near);
    if (!route)
        return koine__error(ret_error, KOINE_ENOTFOUND, "no route named \"%.100s\" under routes:", name);
    *ret = *route;
    return KOINE_OK;
}

static int by_default(const struct koine__snapshot *snapshot, struct koine__route *ret,
                      koine_error **ret_error)
{
    if (!snapshot->default_route)
        return koine__error(
            ret_error, KOINE_ENOTFOUND,
            "nobody to ask: name a target (instance/model), or configure routes: default: targets");
    *ret = *snapshot->default_route;
    return KOINE_OK;
}

static int no_model(const char *instance_name, koine_error **ret_error)
{
    return koine__error(ret_error, KOINE_EARGUMENT, "the document names no model for provider \"%s\"",
                        instance_name);
}

static int by_model(const struct koine__snapshot *snapshot, koine_str model, struct koine__document *document,
                    struct koine__route *ret, koine_error **ret_error)
{
    koine_str rest = {NULL, 0};
    const struct koine__instance *instance = split_target(snapshot, model, &rest);
    if (instance && rest.len == 0)
        return no_model(instance->name, ret_error);
    if (instance)
        return koine__resolve_single(snapshot, instance, rest, &document->arena, ret, ret_error);
    for (size_t i = 0; i < snapshot->route_count; i++) {
        if (koine__str_is(model, snapshot->routes[i].name)) {
            *ret = snapshot->routes[i];
            return KOINE_OK;
        }
    }
    if (!snapshot->default_route)
        return koine__error(
            ret_error, KOINE_ENOTFOUND,
            "model \"%.*s\": write it instance/model; it is no route, and there is no default route",
            (int)(model.len < 200 ? model.len : 200), model.ptr);
    return koine__resolve_single(snapshot, snapshot->default_route->targets[0].instance, model,
                                 &document->arena, ret, ret_error);
}

static int by_provider(const struct koine__snapshot *snapshot, const char *name, koine_str model,
                       struct koine__document *document, struct koine__route *ret, koine_error **ret_error)
{
    const struct koine__instance *instance;
    koine_str rest = {NULL, 0};
    int rc = koine__resolve_instance(snapshot, name, &instance, ret_error);
    if (rc != KOINE_OK)
        return rc;
    if (split_target(snapshot, model, &rest) == instance)
        model = rest;
    if (model.len == 0)
        return no_model(name, ret_error);
    return koine__resolve_single(snapshot, instance, model, &document->arena, ret, ret_error);
}

/* The document's model; empty: it names none. */
static int read_model(const struct koine__document *document, koine_str *ret, koine_error **ret_error)
{
    const koine_node *node = koine__node_get(document->root, "model");
    int32_t kind = koine__node_kind(node);
    *ret = koine__node_str(node);
    if (koine__node_failed(document->root))
        return koine__error_memory(ret_error);
    if (kind != KOINE_NODE_NONE && kind != KOINE_NODE_NULL && kind != KOINE_NODE_STRING)
        return koine__error(ret_error, KOINE_EARGUMENT, "the document's model is no string");
    if (ret->len > 0 && memchr(ret->ptr, '\0', ret->len))
        return koine__error(ret_error, KOINE_EARGUMENT, "the document's model holds \\u0000");
    return KOINE_OK;
}

int koine__resolve(const struct koine__snapshot *snapshot, const struct koine_request *request,
                   struct koine__document *document, struct koine__route *ret, koine_error **ret_error)
{
    koine_str model;
    if (request->target)
        return by_target(snapshot, request->target, document, ret, ret_error);
    if (request->route)
        return by_route(snapshot, request->route, ret, ret_error);
    int rc = read_model(document, &model, ret_error);
    if (rc != KOINE_OK)
        return rc;
    if (request->provider)
        return by_provider(snapshot, request->provider, model, document, ret, ret_error);
    if (model.len > 0)
        return by_model(snapshot, model, document, ret, ret_error);
    return by_default(snapshot, ret, ret_error);
}
