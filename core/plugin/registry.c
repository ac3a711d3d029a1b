/* registry: the folders' shared objects in the order of their names, each loaded, or refused with its reason.
 */
#include "core/plugin/registry.h"

#include "core/base/buf.h"
#include "core/base/mem.h"
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
static int add_item(struct koine__registry *registry, struct koine__found item)
{
    int rc = koine__array_reserve((void **)&registry->items, &registry->capacity, registry->count + 1,
                                  sizeof(*registry->items));
    if (rc < 0)
        return rc;
    struct koine__found *copy = &registry->items[registry->count++]; /* released even if half made */
    *copy = item;
    copy->id = koine__strdup(item.id);
    copy->path = koine__strdup(item.path);
    copy->reason = koine__strdup(item.reason);
    if (item.held)
        koine__isolated_ref(item.held);
    return copy->id && copy->path && (copy->reason || !item.reason) ? KOINE_OK : KOINE_EMEMORY;
}

/* The reason without the path, which the item has anyway. */
static int add_refused(struct koine__registry *registry, char *id, char *path, bool is_isolated,
                       const char *message)
{
    size_t len = strlen(path);
    if (strncmp(message, path, len) == 0 && strncmp(message + len, ": ", 2) == 0)
        message += len + 2;
    return add_item(
        registry,
        (struct koine__found){.id = id, .path = path, .reason = (char *)message, .is_isolated = is_isolated});
}

static const struct koine__found *find_accepted(const struct koine__registry *registry, const char *id,
                                                bool is_isolated)
{
    for (size_t i = 0; i < registry->count; i++)
        if (registry->items[i].provider && registry->items[i].is_isolated == is_isolated &&
            strcmp(registry->items[i].id, id) == 0)
            return &registry->items[i];
    return NULL;
}

static int add_provider(struct koine__registry *registry, char *path, const koine_provider *provider,
                        struct koine__isolated *held)
{
    bool is_isolated = held != NULL;
    const struct koine__found *holder = find_accepted(registry, provider->id, is_isolated);
    char *id = (char *)provider->id;
    if (!holder)
        return add_item(
            registry,
            (struct koine__found){
                .id = id, .path = path, .provider = provider, .is_isolated = is_isolated, .held = held});
    if (holder->provider == provider) /* the same file by another way, say a link between folders */
        return KOINE_OK;
    struct koine__buf reason;
    koine__buf_init(&reason, 8192);
    koine__buf_addf(&reason, "the id %s is taken by %s", provider->id, holder->path);
    int rc =
        reason.error ? KOINE_EMEMORY : add_refused(registry, id, path, is_isolated, koine__buf_str(&reason));
    koine__buf_release(&reason);
    return rc;
}

/* ---- One file -------------------------------------------------------------------------------------- */

struct file { /* of a folder, with what is wished of it */
    const char *folder;
    char *name, *stem, *path;
    bool runs_here, is_isolated;
    int64_t timeout;
    const char **pins; /* NULL-ended */
    const char *helper;
};

static void release_file(struct file *file)
{
    koine__dealloc(file->stem);
    koine__dealloc(file->path);
    koine__dealloc(file->pins);
}

static void take_wishes(struct file *file, const struct koine__wishes *wishes)
{
    size_t pins = 0, named = 0;
    for (size_t i = 0; i < wishes->count; i++) {
        const struct koine__wish *wish = &wishes->items[i];
        if (strcmp(wish->plugin, file->stem) != 0)
            continue;
        named++;
        file->is_isolated |= wish->isolate;
        file->runs_here |= !wish->isolate;
        if (wish->isolate && wish->timeout > file->timeout)
            file->timeout = wish->timeout;
        if (wish->sha256)
            file->pins[pins++] = wish->sha256;
    }
    file->runs_here |= named == 0;
    file->helper = wishes->helper;
}

static int describe_file(const char *folder, char *name, const struct koine__wishes *wishes, struct file *ret)
{
    static const struct koine__wishes none = {NULL, 0, NULL};
    struct koine__buf path;
    if (!wishes)
        wishes = &none;
    koine__buf_init(&path, 8192);
    koine__buf_addf(&path, "%s/%s", folder, name);
    *ret = (struct file){.folder = folder, .name = name, .path = koine__buf_take(&path)};
    ret->stem = koine__strndup(name, strlen(name) - SUFFIX_LEN);
    ret->pins = koine__alloc_array(wishes->count + 1, sizeof(*ret->pins));
    if (!ret->path || !ret->stem || !ret->pins)
        return KOINE_EMEMORY;
    take_wishes(ret, wishes);
    return KOINE_OK;
}

/* What was refused is an item too. */
static int judge(struct koine__registry *registry, const struct file *file, bool is_isolated, int rc,
                 koine_error *error)
{
    bool has_crashed = rc == KOINE_ESYSTEM;
    if (rc != KOINE_OK && rc != KOINE_EMEMORY)
        rc = add_refused(registry, file->stem, file->path, is_isolated, koine_error_message(error));
    if (has_crashed && rc == KOINE_OK)
        registry->items[registry->count - 1].has_crashed = true;
    koine_error_free(error);
    return rc;
}

static int load_here(struct koine__registry *registry, const struct file *file, const koine_host *host)
{
    const struct koine__plugin *plugin = NULL;
    koine_error *error = NULL;
    size_t i = 0;
    int rc;
    do
        rc = koine__plugin_load_pinned(file->folder, file->name, file->pins[i], host, &plugin, &error);
    while (rc == KOINE_OK && file->pins[i] && file->pins[++i]);
    for (i = 0; rc == KOINE_OK && i < plugin->count; i++)
        rc = add_provider(registry, file->path, plugin->providers[i], NULL);
    return judge(registry, file, false, rc, error);
}

static int load_isolated(struct koine__registry *registry, const struct file *file)
{
    const struct koine__isolated_spec spec = {
        .program = file->helper, .timeout = file->timeout, .sha256 = file->pins};
    struct koine__isolated *isolated = NULL;
    koine_error *error = NULL;
    int rc = koine__isolated_open(file->folder, file->name, &spec, &isolated, &error);
    for (size_t i = 0; rc == KOINE_OK && i < koine__isolated_count(isolated); i++)
        rc = add_provider(registry, file->path, koine__isolated_provider(isolated, i), isolated);
    koine__isolated_unref(isolated);
    return judge(registry, file, true, rc, error);
}

static int load_file(struct koine__registry *registry, const char *folder, char *name,
                     const struct koine__wishes *wishes, const koine_host *host)
{
    struct file file;
    int rc = describe_file(folder, name, wishes, &file);
    if (rc == KOINE_OK && file.runs_here)
        rc = load_here(registry, &file, host);
    if (rc == KOINE_OK && file.is_isolated)
        rc = load_isolated(registry, &file);
    release_file(&file);
    return rc;
}

static int load_folder(struct koine__registry *registry, char *path, const struct koine__wishes *wishes,
                       const koine_host *host)
{
    struct names names = {0};
    DIR *folder = opendir(path);
    if (!folder && errno == ENOENT)
        return KOINE_OK;
    if (!folder)
        return add_refused(registry, path, path, false, strerrordesc_np(errno));
    int rc = read_folder(folder, &names);
    closedir(folder);
    for (size_t i = 0; i < names.count && rc == KOINE_OK; i++)
        rc = load_file(registry, path, names.items[i], wishes, host);
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

int koine__registry_build(const char *const *folders, const struct koine__wishes *wishes,
                          const koine_host *host, struct koine__registry *ret, koine_error **ret_error)
{
    struct koine__registry registry = {0};
    int rc = copy_folders(&registry, folders);
    for (size_t i = 0; rc == KOINE_OK && registry.folders[i]; i++)
        rc = load_folder(&registry, registry.folders[i], wishes, host);
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
        koine__isolated_unref(registry->items[i].held);
    }
    for (size_t i = 0; registry->folders && registry->folders[i]; i++)
        koine__dealloc(registry->folders[i]);
    koine__dealloc(registry->folders);
    koine__dealloc(registry->items);
    *registry = (struct koine__registry){0};
}

const struct koine__found *koine__registry_find(const struct koine__registry *registry, const char *id,
                                                bool is_isolated)
{
    const struct koine__found *found = find_accepted(registry, id, is_isolated);
    for (size_t i = 0; !found && i < registry->count; i++)
        if (!registry->items[i].provider && registry->items[i].is_isolated == is_isolated &&
            strcmp(registry->items[i].id, id) == 0)
            found = &registry->items[i];
    return found;
}
