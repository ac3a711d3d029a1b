/* config_stage: a tree into the store, led by the settings table: what is a map, a list or a value there must
 * be one here.
 *
 * Every map and list leaves a mark at its own path, with the value "": so `together:` with nothing below it
 * exists, and messages about it as a whole know its place.
 */
#include "core/hub/config_tree.h"

#include "core/hub/file.h"

#include <stdio.h>
#include <string.h>

struct staging {
    const struct koine__yaml_job *job;
    struct koine__store *store;
    const char *folder;
};

static int refuse(const struct staging *at, const char *path, const struct koine__yaml *node, const char *why)
{
    return koine__yaml_refuse(at->job, node->line, node->column, "%s: %s",
                              path[0] ? path : "the configuration", why);
}

static int set(const struct staging *at, const char *path, const char *value, unsigned line, unsigned column)
{
    struct koine__origin origin = koine__yaml_origin(at->job, line, column);
    return koine__store_set(at->store, path, value, origin) ? koine__error_memory(at->job->ret_error)
                                                            : KOINE_OK;
}

/* ---- Values ---- */

/* A value that came from a variable is checked here, where it is still known that it must not be shown. */
static int check_variable(const struct staging *at, const char *path, const struct koine__yaml *node,
                          const struct koine__setting *row)
{
    int64_t value;
    struct koine__buf why;
    if (!node->variable || koine__setting_read(row, node->text.ptr, &value) == 0)
        return KOINE_OK;
    koine__buf_init(&why, KOINE__CONFIG_PATH);
    koine__buf_addf(&why, "the value of ${%s} ", node->variable);
    if (row->type == KOINE__SET_SECRET || row->type == KOINE__SET_URL || row->type == KOINE__SET_PATH) {
        koine__setting_explain(row, node->text.ptr, &why);
    } else {
        koine__buf_addf(&why, "is no valid %s", koine__setting_type_name(row->type));
        size_t len = why.len;
        koine__buf_adds(&why, "; allowed is ");
        size_t begin = why.len;
        koine__setting_range(row, &why);
        if (why.len == begin && !why.error)
            why.ptr[why.len = len] = '\0';
    }
    int rc = why.error ? koine__error_memory(at->job->ret_error) : refuse(at, path, node, why.ptr);
    koine__buf_release(&why);
    return rc;
}

static int stage_json(const struct staging *at, const char *path, const struct koine__yaml *node)
{
    struct koine__buf json;
    koine__buf_init(&json, 8 * KOINE__FILE_LIMIT);
    int rc = koine__yaml_to_json(at->job, node, &json);
    if (!rc)
        rc = set(at, path, json.ptr, node->line, node->column);
    koine__buf_release(&json);
    return rc;
}

static int stage_path(const struct staging *at, const char *path, const struct koine__yaml *node)
{
    struct koine__buf joined;
    koine__buf_init(&joined, 2 * KOINE__FILE_LIMIT);
    koine__buf_addf(&joined, "%s%s%s", at->folder, at->folder[strlen(at->folder) - 1] == '/' ? "" : "/",
                    node->text.ptr);
    int rc = joined.error ? koine__error_memory(at->job->ret_error)
                          : set(at, path, joined.ptr, node->line, node->column);
    koine__buf_release(&joined);
    return rc;
}

static int stage_value(const struct staging *at, const char *path, const struct koine__yaml *node,
                       const struct koine__setting *row)
{
    char why[128];
    if (row->type == KOINE__SET_JSON)
        return stage_json(at, path, node);
    if (node->kind != KOINE__YAML_SCALAR) {
        snprintf(why, sizeof(why), "expected one %s, not a %s", koine__setting_type_name(row->type),
                 node->kind == KOINE__YAML_MAP ? "map" : "list");
        return refuse(at, path, node, why);
    }
    if (koine__yaml_is_null(node) && !node->variable)
        return refuse(at, path, node, "has no value; give one, or leave the key out");
    int rc = check_variable(at, path, node, row);
    if (rc)
        return rc;
    if (row->type == KOINE__SET_PATH && at->folder && at->folder[0] && node->text.len &&
        node->text.ptr[0] != '/')
        return stage_path(at, path, node);
    return set(at, path, node->text.ptr, node->line, node->column);
}

/* ---- Maps and lists ---- */

/* The path of a name below `path`. False: no row can be that long. */
bool koine__config_join(const char *path, const char *name, char ret[KOINE__CONFIG_PATH])
{
    int len = snprintf(ret, KOINE__CONFIG_PATH, "%s%s%s", path, path[0] ? "." : "", name);
    return len >= 0 && len < KOINE__CONFIG_PATH;
}

bool koine__config_is_list(const char *path)
{
    char element[KOINE__CONFIG_PATH];
    const char *wildcard = koine__config_join(path, "0", element) ? koine__setting_wildcard(element) : NULL;
    return wildcard && wildcard[0] == '[';
}

static int refuse_key(const struct staging *at, const char *path, const char *child,
                      const struct koine__yaml *member)
{
    char any[KOINE__CONFIG_PATH], nearest[KOINE__CONFIG_PATH];
    const char *wildcard = koine__config_join(path, "x", any) ? koine__setting_wildcard(any) : NULL;
    const char *separator = path[0] ? "." : "";
    if (wildcard)
        return koine__yaml_refuse(at->job, member->key_line, member->key_column,
                                  "%s: \"%.80s\" is no name; use 1 to 64 letters, digits, _ and -", path,
                                  member->key);
    if (koine__is_name(koine__str(member->key)) && koine__setting_suggest(child, nearest, sizeof(nearest)))
        return koine__yaml_refuse(at->job, member->key_line, member->key_column,
                                  "%s%s%.80s: unknown key; did you mean %s%s%s?", path, separator,
                                  member->key, path, separator, nearest);
    return koine__yaml_refuse(at->job, member->key_line, member->key_column,
                              "%s%s%.80s: unknown key; docs/configuration.md lists those there are", path,
                              separator, member->key);
}

static int stage(const struct staging *at, const char *path, const struct koine__yaml *node);

static int stage_member(const struct staging *at, const char *path, const struct koine__yaml *member)
{
    char child[KOINE__CONFIG_PATH];
    /* A dot in a name would make it two. */
    bool known = koine__is_name(koine__str(member->key)) && koine__config_join(path, member->key, child);
    if (!known)
        child[0] = '\0';
    if (!known || (!koine__setting_find(child) && !koine__setting_is_map(child)))
        return refuse_key(at, path, child, member);
    return stage(at, child, member);
}

static int stage_element(const struct staging *at, const char *path, size_t index,
                         const struct koine__yaml *element)
{
    char name[24], child[KOINE__CONFIG_PATH];
    snprintf(name, sizeof(name), "%zu", index);
    if (!koine__config_join(path, name, child))
        return refuse(at, path, element, "the path is too long");
    return stage(at, child, element);
}

/* An element of `targets` may be its `target` alone. */
static const struct koine__setting *short_form(const char *path, char ret[KOINE__CONFIG_PATH])
{
    const char *wildcard = koine__setting_wildcard(path);
    bool is_element = wildcard && wildcard[0] == '[' && koine__config_join(path, "target", ret);
    return is_element ? koine__setting_find(ret) : NULL;
}

static int mark(const struct staging *at, const char *path, const struct koine__yaml *node)
{
    if (!path[0])
        return KOINE_OK;
    return set(at, path, "", node->key ? node->key_line : node->line,
               node->key ? node->key_column : node->column);
}

static int stage_container(const struct staging *at, const char *path, const struct koine__yaml *node)
{
    size_t index = 0;
    int rc = mark(at, path, node);
    for (const struct koine__yaml *child = node->first; child && !rc; child = child->next)
        rc = node->kind == KOINE__YAML_MAP ? stage_member(at, path, child)
                                           : stage_element(at, path, index++, child);
    return rc;
}

static int stage(const struct staging *at, const char *path, const struct koine__yaml *node)
{
    char target[KOINE__CONFIG_PATH];
    const struct koine__setting *row = koine__setting_find(path);
    if (row)
        return stage_value(at, path, node, row);
    bool list = koine__config_is_list(path), empty = koine__yaml_is_null(node) && !node->variable;
    if (!empty && node->kind == KOINE__YAML_SCALAR && (row = short_form(path, target))) {
        int rc = mark(at, path, node);
        return rc ? rc : stage_value(at, target, node, row);
    }
    if (!empty && list != (node->kind == KOINE__YAML_LIST))
        return refuse(at, path, node,
                      list ? "expected a list, as in [a, b]" : "expected a map, as in {key: value}");
    if (!empty && !list && node->kind != KOINE__YAML_MAP)
        return refuse(at, path, node, "expected a map, as in {key: value}");
    if (list) /* a list replaces the one before; maps are merged */
        koine__store_unset_below(at->store, path);
    return stage_container(at, path, node);
}

int koine__yaml_stage(const struct koine__yaml_job *job, struct koine__store *store, const char *folder,
                      const char *path, const struct koine__yaml *node)
{
    struct staging staging = {.job = job, .store = store, .folder = folder};
    return stage(&staging, path, node);
}
