/* settings_store: what was staged, in order, with where it came from; checking it, and typed reading. */
#include "core/base/settings.h"

#include "core/base/crypto.h"
#include "core/base/error.h"
#include "core/base/mem.h"
#include "core/base/str.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define LONGEST_PATH    512
#define LONGEST_MESSAGE 4096

struct item {
    char *path;
    char *names; /* the path with NUL for each dot: every name in it ends like a string */
    char *value;
    char *source;
    unsigned line, column;
};

struct koine__store {
    struct item *items;
    size_t count, capacity;
};

struct koine__store *koine__store_new(void)
{
    return koine__alloc(sizeof(struct koine__store));
}

/* A staged value may be a key. */
static void free_value(char *value)
{
    if (value)
        koine__wipe(value, strlen(value));
    koine__dealloc(value);
}

static void release_item(struct item *item)
{
    koine__dealloc(item->path);
    koine__dealloc(item->names);
    koine__dealloc(item->source);
    free_value(item->value);
    *item = (struct item){0};
}

void koine__store_free(struct koine__store *store)
{
    if (!store)
        return;
    for (size_t i = 0; i < store->count; i++)
        release_item(&store->items[i]);
    koine__dealloc(store->items);
    koine__dealloc(store);
}

static struct item *find(const struct koine__store *store, const char *path)
{
    for (size_t i = 0; i < store->count; i++)
        if (strcmp(store->items[i].path, path) == 0)
            return &store->items[i];
    return NULL;
}

/* Gives the item its value and origin; on failure it keeps what it had. */
static int fill(struct item *item, const char *value, struct koine__origin origin)
{
    char *new_value = koine__strdup(value);
    char *new_source = koine__strdup(origin.source ? origin.source : "");
    if (!new_value || !new_source) {
        free_value(new_value);
        koine__dealloc(new_source);
        return KOINE_EMEMORY;
    }
    free_value(item->value);
    koine__dealloc(item->source);
    item->value = new_value;
    item->source = new_source;
    item->line = origin.line;
    item->column = origin.column;
    return KOINE_OK;
}

static int add(struct koine__store *store, const char *path, const char *value, struct koine__origin origin)
{
    void *items = store->items;
    int rc = koine__array_reserve(&items, &store->capacity, store->count + 1, sizeof(struct item));
    store->items = items;
    if (rc)
        return rc;
    struct item item = {.path = koine__strdup(path), .names = koine__strdup(path)};
    if (!item.path || !item.names || fill(&item, value, origin)) {
        release_item(&item);
        return KOINE_EMEMORY;
    }
    for (char *dot = item.names; (dot = strchr(dot, '.')); dot++)
        *dot = '\0';
    store->items[store->count++] = item;
    return KOINE_OK;
}

int koine__store_set(struct koine__store *store, const char *path, const char *value,
                     struct koine__origin origin)
{
    struct item *item = find(store, path);
    return item ? fill(item, value, origin) : add(store, path, value, origin);
}

static struct koine__origin origin_of(const struct item *item)
{
    return (struct koine__origin){.source = item->source, .line = item->line, .column = item->column};
}

struct koine__store *koine__store_copy(const struct koine__store *store)
{
    struct koine__store *copy = koine__store_new();
    for (size_t i = 0; copy && i < store->count; i++) {
        const struct item *item = &store->items[i];
        if (add(copy, item->path, item->value, origin_of(item)) == KOINE_OK)
            continue;
        koine__store_free(copy);
        return NULL;
    }
    return copy;
}

void koine__store_swap(struct koine__store *a, struct koine__store *b)
{
    struct koine__store held = *a;
    *a = *b;
    *b = held;
}

/* Whether `path` is the root or the item's path begins with it, followed by a dot. */
static bool is_below(const struct item *item, const char *path)
{
    size_t len = strlen(path);
    return len == 0 || (strncmp(item->path, path, len) == 0 && item->path[len] == '.');
}

void koine__store_unset_below(struct koine__store *store, const char *path)
{
    size_t kept = 0;
    for (size_t i = 0; i < store->count; i++) {
        struct item item = store->items[i];
        if (strcmp(item.path, path) == 0 || is_below(&item, path))
            release_item(&item);
        else
            store->items[kept++] = item;
    }
    store->count = kept;
}

const char *koine__store_get(const struct koine__store *store, const char *path)
{
    const struct item *item = find(store, path);
    return item ? item->value : NULL;
}

struct koine__origin koine__store_origin(const struct koine__store *store, const char *path)
{
    const struct item *item = find(store, path);
    return item ? origin_of(item) : (struct koine__origin){0};
}

static const char *child_name(const struct item *item, const char *path)
{
    size_t len = strlen(path);
    return is_below(item, path) ? item->names + len + (len > 0) : NULL;
}

static bool is_first(const struct koine__store *store, size_t at, const char *path, const char *name)
{
    for (size_t i = 0; i < at; i++) {
        const char *other = child_name(&store->items[i], path);
        if (other && strcmp(other, name) == 0)
            return false;
    }
    return true;
}

const char *koine__store_child(const struct koine__store *store, const char *path, size_t index)
{
    for (size_t i = 0; i < store->count; i++) {
        const char *name = child_name(&store->items[i], path);
        if (name && is_first(store, i, path, name) && index-- == 0)
            return name;
    }
    return NULL;
}

size_t koine__store_count(const struct koine__store *store)
{
    return store->count;
}

void koine__store_item(const struct koine__store *store, size_t index, const char **ret_path,
                       const char **ret_value)
{
    *ret_path = store->items[index].path;
    *ret_value = store->items[index].value;
}

const char *koine__origin_text(struct koine__origin origin, char *ret, size_t size)
{
    const char *source = origin.source ? origin.source : "";
    if (origin.line && origin.column)
        snprintf(ret, size, "%s:%u:%u: ", source, origin.line, origin.column);
    else if (origin.line)
        snprintf(ret, size, "%s:%u: ", source, origin.line);
    else
        snprintf(ret, size, "%s%s", source, source[0] ? ": " : "");
    return ret;
}

/* Length of the shortest beginning of the path that the table does not know; all of it if it is a map. */
static size_t known_end(const char *path)
{
    char prefix[LONGEST_PATH];
    size_t whole = strnlen(path, LONGEST_PATH - 1);
    for (size_t len = 1; len <= whole; len++) {
        if (path[len] && path[len] != '.')
            continue;
        snprintf(prefix, sizeof(prefix), "%.*s", (int)len, path);
        if (!koine__setting_find(prefix) && !koine__setting_is_map(prefix))
            return len;
    }
    return whole;
}

static size_t parent_length(const char *path)
{
    const char *dot = strrchr(path, '.');
    return dot ? (size_t)(dot - path) : 0;
}

/* Adds why no row has this path, whose parent is known. */
static void explain_path(const char *path, struct koine__buf *buf)
{
    char parent[LONGEST_PATH], nearest[LONGEST_PATH];
    size_t len = parent_length(path);
    const char *last = path + len + (len > 0);
    const char *wildcard = koine__setting_wildcard(path);
    snprintf(parent, sizeof(parent), "%.*s", (int)len, path);
    const struct koine__setting *row = len ? koine__setting_find(parent) : NULL;
    if (koine__setting_is_map(path))
        koine__buf_adds(buf,
                        "holds further settings and has no value of its own; give one of those below it");
    else if (row)
        koine__buf_addf(buf, "unknown key; %s is one %s", parent, koine__setting_type_name(row->type));
    else if (wildcard && wildcard[0] == '*')
        koine__buf_addf(buf, "\"%.80s\" is no name; use 1 to 64 letters, digits, _ and -", last);
    else if (wildcard)
        koine__buf_addf(buf, "\"%.80s\" is no index of a list; they are 0, 1, 2 and so on", last);
    else if (koine__setting_suggest(path, nearest, sizeof(nearest)))
        koine__buf_addf(buf, "unknown key; did you mean %s%s%s?", parent, len ? "." : "", nearest);
    else
        koine__buf_adds(buf, "unknown key; docs/configuration.md lists those there are");
}

static int refuse(const struct item *item, const struct koine__setting *row, koine_error **ret_error)
{
    char where[LONGEST_PATH];
    struct koine__buf buf;
    koine__buf_init(&buf, LONGEST_MESSAGE);
    size_t len = row ? strlen(item->path) : known_end(item->path);
    koine__buf_addf(&buf, "%.*s", (int)len, item->path);
    char *path = koine__buf_take(&buf);
    if (path && row)
        koine__setting_explain(row, item->value, &buf);
    else if (path)
        explain_path(path, &buf);
    int rc = path && !buf.error ? koine__error(ret_error, KOINE_ECONFIG, "%s%s: %s",
                                               koine__origin_text(origin_of(item), where, sizeof(where)),
                                               path, koine__buf_str(&buf))
                                : koine__error_memory(ret_error);
    koine__dealloc(path);
    koine__buf_release(&buf);
    return rc;
}

int koine__store_check(const struct koine__store *store, koine_error **ret_error)
{
    for (size_t i = 0; i < store->count; i++) {
        int64_t value;
        const struct item *item = &store->items[i];
        const struct koine__setting *row = koine__setting_find(item->path);
        if (!row && !item->value[0] && koine__setting_is_map(item->path))
            continue; /* the mark of a map or list: that it is there */
        if (!row || koine__setting_read(row, item->value, &value))
            return refuse(item, row, ret_error);
    }
    return KOINE_OK;
}

const char *koine__store_text(const struct koine__store *store, const char *path)
{
    const char *staged = koine__store_get(store, path);
    if (staged)
        return staged;
    const struct koine__setting *row = koine__setting_find(path);
    return row ? row->otherwise : NULL;
}

int64_t koine__store_number(const struct koine__store *store, const char *path)
{
    int64_t value = 0;
    const char *text = koine__store_text(store, path);
    const struct koine__setting *row = text ? koine__setting_find(path) : NULL;
    if (row && koine__setting_read(row, text, &value))
        value = 0; /* cannot happen in a checked store */
    return value;
}

/* False: longer than any path of the table can be. */
__attribute__((format(printf, 2, 0))) static bool write_path(char ret[LONGEST_PATH], const char *format,
                                                             va_list args)
{
    int len = vsnprintf(ret, LONGEST_PATH, format, args);
    return len >= 0 && len < LONGEST_PATH;
}

int64_t koine__store_numberf(const struct koine__store *store, const char *format, ...)
{
    char path[LONGEST_PATH];
    va_list args;
    va_start(args, format);
    bool ok = write_path(path, format, args);
    va_end(args);
    return ok ? koine__store_number(store, path) : 0;
}

const char *koine__store_textf(const struct koine__store *store, const char *format, ...)
{
    char path[LONGEST_PATH];
    va_list args;
    va_start(args, format);
    bool ok = write_path(path, format, args);
    va_end(args);
    return ok ? koine__store_text(store, path) : NULL;
}
