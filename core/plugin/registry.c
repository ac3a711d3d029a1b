/* registry: the folders' shared objects in the order of their names, each loaded, or refused with its reason.
 */
#include "core/plugin/registry.h"

#include "core/base/buf.h"
#include "core/base/mem.h"
#include "core/base/str.h"
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SUFFIX     ".so"
#define SUFFIX_LEN (sizeof(SUFFIX) - 1)

struct names { /* of the files of one folder */
    char **items;
    size_t count, capacity;
};

static void release_names(struct names *names)
{
    for (size_t i = 0; i < names->count; i++)
        koine__dealloc(names->items[i]);
    koine__dealloc(names->items);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool is_plugin_name(const char *name)
{
    size_t len = strlen(name);
    return len > SUFFIX_LEN && name[0] != '.' && strcmp(name + len - SUFFIX_LEN, SUFFIX) == 0;
}

static int add_name(struct names *names, const char *name)
{
    int rc = koine__array_reserve((void **)&names->items, &names->capacity, names->count + 1,
                                  sizeof(*names->items));
    if (rc < 0)
        return rc;
    names->items[names->count] = koine__strdup(name);
    if (!names->items[names->count])
        return KOINE_EMEMORY;
    names->count++;
    return KOINE_OK;
}

static int read_folder(DIR *folder, struct names *ret)
{
    const struct dirent *entry;
    int rc = KOINE_OK;
    while (rc == KOINE_OK && (entry = readdir(folder)) != NULL)
        if (is_plugin_name(entry->d_name))
            rc = add_name(ret, entry->d_name);
    if (rc == KOINE_OK && ret->count)
        qsort(ret->items, ret->count, sizeof(*ret->items), by_name);
    return rc;
}

/* A new item; the texts are copied, provider or reason is NULL. */
static int add_item(struct koine__registry *registry, koine_str id, const char *path,
                    const koine_provider *provider, const char *reason)
{
    int rc = koine__array_reserve((void **)&registry->items, &registry->capacity, registry->count + 1,
                                  sizeof(*registry->items));
    if (rc < 0)
        return rc;
    struct koine__found *item = &registry->items[registry->count++]; /* released even if half made */
    *item = (struct koine__found){.id = koine__strndup(id.ptr, id.len),
                                  .path = koine__strdup(path),
                                  .provider = provider,
                                  .reason = koine__strdup(reason)};
    return item->id && item->path && (item->reason || !reason) ? KOINE_OK : KOINE_EMEMORY;
}

/* The reason without the path, which the item has anyway. */
static int add_refused(struct koine__registry *registry, koine_str id, const char *path, const char *message)
{
    size_t len = strlen(path);
    if (strncmp(message, path, len) == 0 && strncmp(message + len, ": ", 2) == 0)
        message += len + 2;
    return add_item(registry, id, path, NULL, message);
}

static const struct koine__found *find_accepted(const struct koine__registry *registry, const char *id)
{
    for (size_t i = 0; i < registry->count; i++)
        if (registry->items[i].provider && strcmp(registry->items[i].id, id) == 0)
            return &registry->items[i];
    return NULL;
}

static int add_provider(struct koine__registry *registry, const char *path, const koine_provider *provider)
{
    const struct koine__found *holder = find_accepted(registry, provider->id);
    if (!holder)
        return add_item(registry, koine__str(provider->id), path, provider, NULL);
    if (holder->provider == provider) /* the same file by another way, say a link between folders */
        return KOINE_OK;
    struct koine__buf reason;
    koine__buf_init(&reason, 8192);
    koine__buf_addf(&reason, "the id %s is taken by %s", provider->id, holder->path);
    int rc = reason.error ? KOINE_EMEMORY
                          : add_refused(registry, koine__str(provider->id), path, koine__buf_str(&reason));
    koine__buf_release(&reason);
    return rc;
}

static int load_file(struct koine__registry *registry, const char *folder, const char *name,
                     const koine_host *host)
{
    const struct koine__plugin *plugin = NULL;
    koine_error *error = NULL;
    struct koine__buf path;
    koine__buf_init(&path, 8192);
    koine__buf_addf(&path, "%s/%s", folder, name);
    int rc = path.error ? KOINE_EMEMORY : koine__plugin_load(folder, name, host, &plugin, &error);
    if (rc == KOINE_OK)
        for (size_t i = 0; i < plugin->count && rc == KOINE_OK; i++)
            rc = add_provider(registry, path.ptr, plugin->providers[i]);
    else if (rc != KOINE_EMEMORY)
        rc = add_refused(registry, (koine_str){name, strlen(name) - SUFFIX_LEN}, path.ptr,
                         koine_error_message(error));
    koine_error_free(error);
    koine__buf_release(&path);
    return rc;
}

static int load_folder(struct koine__registry *registry, const char *path, const koine_host *host)
{
    struct names names = {0};
    DIR *folder = opendir(path);
    if (!folder && errno == ENOENT)
        return KOINE_OK;
    if (!folder)
        return add_refused(registry, koine__str(path), path, strerrordesc_np(errno));
    int rc = read_folder(folder, &names);
    closedir(folder);
    for (size_t i = 0; i < names.count && rc == KOINE_OK; i++)
        rc = load_file(registry, path, names.items[i], host);
    release_names(&names);
    return rc;
}

static int copy_folders(struct koine__registry *registry, const char *const *folders)
{
    size_t count = 0;
    while (folders && folders[count])
        count++;
    registry->folders = koine__alloc_array(count + 1, sizeof(*registry->folders));
    if (!registry->folders)
        return KOINE_EMEMORY;
    for (size_t i = 0; i < count; i++) {
        registry->folders[i] = koine__strdup(folders[i]);
        if (!registry->folders[i])
            return KOINE_EMEMORY;
    }
    return KOINE_OK;
}

int koine__registry_build(const char *const *folders, const koine_host *host, struct koine__registry *ret,
                          koine_error **ret_error)
{
    struct koine__registry registry = {0};
    int rc = copy_folders(&registry, folders);
    for (size_t i = 0; rc == KOINE_OK && registry.folders[i]; i++)
        rc = load_folder(&registry, registry.folders[i], host);
    if (rc < 0) {
        koine__registry_release(&registry);
        return koine__error_memory(ret_error);
    }
    *ret = registry;
    return KOINE_OK;
}

void koine__registry_release(struct koine__registry *registry)
{
    for (size_t i = 0; i < registry->count; i++) {
        koine__dealloc(registry->items[i].id);
        koine__dealloc(registry->items[i].path);
        koine__dealloc(registry->items[i].reason);
    }
    for (size_t i = 0; registry->folders && registry->folders[i]; i++)
        koine__dealloc(registry->folders[i]);
    koine__dealloc(registry->folders);
    koine__dealloc(registry->items);
    *registry = (struct koine__registry){0};
}

const struct koine__found *koine__registry_find(const struct koine__registry *registry, const char *id)
{
    const struct koine__found *found = find_accepted(registry, id);
    for (size_t i = 0; !found && i < registry->count; i++)
        if (strcmp(registry->items[i].id, id) == 0)
            found = &registry->items[i];
    return found;
}
