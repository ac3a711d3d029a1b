/* books_open: from what the configuration says to an open store: see books.h. */
#include "core/hub/books.h"

#include "core/plugin/loader.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#ifndef KOINE_STORE_DIR
#define KOINE_STORE_DIR "/usr/local/lib/koine/stores"
#endif
#define SUBFOLDER   "stores" /* of a folder of plugin_path: those have plugins of another kind */
#define LONGEST_WHY 512

/* ---- what the store may ask of us ---- */

static struct koine__books *books_of(const koine_store_host *host)
{
    return (struct koine__books *)((char *)host - offsetof(struct koine__books, host));
}

static void host_log(const koine_store_host *host, int32_t level, koine_str text)
{
    struct koine__books *books = books_of(host);
    int known = level < KOINE__LOG_ERROR   ? KOINE__LOG_ERROR
                : level > KOINE__LOG_DEBUG ? KOINE__LOG_DEBUG
                                           : level;
    KOINE__LOG(books->log, known, "store", koine__log_text("plugin", books->plugin->id),
               koine__log_str("message", text));
}

static void *host_alloc(const koine_store_host *host, size_t size)
{
    (void)host;
    return koine__alloc(size);
}

static void host_free(const koine_store_host *host, void *ptr)
{
    (void)host;
    koine__dealloc(ptr);
}

/* ---- the plugin ---- */

/* `name`.so in the folder `stores` of the first folder of plugin_path that has it, else in the installed one.
 */
static void find_folder(const struct koine__snapshot *snapshot, const char *name, char *ret, size_t size)
{
    char file[PATH_MAX];
    for (char **folder = snapshot->registry.folders; folder && *folder && folder[1]; folder++) {
        int len = snprintf(ret, size, "%s/" SUBFOLDER, *folder);
        if (len < 0 || (size_t)len >= size)
            continue;
        len = snprintf(file, sizeof(file), "%s/%s.so", ret, name);
        if (len > 0 && (size_t)len < sizeof(file) && access(file, F_OK) == 0)
            return;
    }
    snprintf(ret, size, "%s", KOINE_STORE_DIR);
}

static int load(const struct koine__snapshot *snapshot, const koine_store_plugin **ret,
                koine_error **ret_error)
{
    const char *name = snapshot->keeping.plugin;
    char folder[PATH_MAX / 2], file[80];
    koine_error *error = NULL;
    find_folder(snapshot, name, folder, sizeof(folder));
    snprintf(file, sizeof(file), "%s.so", name);
    int rc = koine__store_load(folder, file, ret, &error);
    if (rc == KOINE_OK)
        return rc;
    rc = rc == KOINE_EMEMORY ? koine__error_memory(ret_error)
                             : koine__error(ret_error, rc, "store.plugin: %s", koine_error_message(error));
    koine_error_free(error);
    return rc;
}

/* ---- opening ---- */

int koine__books_use(struct koine__books *books, const koine_store_plugin *plugin,
                     const struct koine__store_config *config, koine_error **ret_error)
{
    char why[LONGEST_WHY] = "";
    koine_store *store = NULL;
    const koine_store_options options = {
        .size = (uint32_t)sizeof(options),
        .threadless = config->threadless,
        .busy_ms = config->threadless ? (int32_t)(config->busy / KOINE__MS) : 0,
        .queue = (uint32_t)config->queue,
        .where = koine__str(config->path),
    };
    books->plugin = plugin;
    books->host = (koine_store_host){
        .size = (uint32_t)sizeof(books->host), .log = host_log, .alloc = host_alloc, .free = host_free};
    int32_t status = books->plugin->open(&books->host, &options, &store, why, sizeof(why));
    if (status == KOINE_STORE_NO_MEMORY)
        return koine__error_memory(ret_error);
    if (status < 0 || !store)
        return koine__error(ret_error, KOINE_ECONFIG, "store %s: %s", plugin->id,
                            why[0] ? why : koine__store_status_name(status));
    books->refuses = config->refuses;
    books->most = config->queue;
    __atomic_store_n(&books->store, store, __ATOMIC_RELEASE);
    return KOINE_OK;
}

int koine__books_open(struct koine__books *books, const struct koine__snapshot *snapshot,
                      koine_error **ret_error)
{
    const koine_store_plugin *plugin;
    int rc = KOINE_OK;
    if (!snapshot->keeping.is_wanted || koine__books_store(books))
        return rc;
    pthread_mutex_lock(&books->opening);
    if (!koine__books_store(books)) { /* another thread may have been faster */
        rc = load(snapshot, &plugin, ret_error);
        if (rc == KOINE_OK)
            rc = koine__books_use(books, plugin, &snapshot->keeping, ret_error);
    }
    pthread_mutex_unlock(&books->opening);
    return rc;
}
