/* loader: from a file name to a table of providers that may be called.
 *
 * One list holds every object opened in this process, also those that were refused afterwards: an entry
 * function runs once. The C library remembers objects by their path, so a file that took the place of a
 * loaded one cannot be loaded: it would silently be the old one.
 */
#include "core/plugin/loader.h"

#include "core/base/mem.h"
#include "core/plugin/elf.h"
#include "core/plugin/trust.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct opened {
    struct koine__plugin pub; /* first */
    char *refusal;            /* why it was refused after it was opened; NULL: it was not */
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct koine__plugin *plugins; /* under the mutex */

/* ---- The file ------------------------------------------------------------------------------------- */

/* folder/name as messages show it. */
static int join(const char *folder, const char *name, char *ret, size_t size, koine_error **ret_error)
{
    int len = snprintf(ret, size, "%s/%s", folder, name);
    if (len < 0 || (size_t)len >= size)
        return koine__error(ret_error, KOINE_ECONFIG, "%s: the path is too long", name);
    return KOINE_OK;
}

/* The real path of a file that really is in the folder. */
static int resolve(const char *folder, const char *name, const char *shown, char *ret,
                   koine_error **ret_error)
{
    char real_folder[PATH_MAX];
    if (!*name || strchr(name, '/') || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return koine__error(ret_error, KOINE_ECONFIG,
                            "%s: a plugin is named by its file in a plugin folder, not by a path", name);
    if (!realpath(folder, real_folder))
        return koine__error(ret_error, KOINE_ECONFIG, "%s: the folder cannot be found: %s", shown,
                            strerrordesc_np(errno));
    if (!realpath(shown, ret))
        return koine__error(ret_error, KOINE_ECONFIG, "%s: cannot be found: %s", shown,
                            strerrordesc_np(errno));
    size_t len = strlen(real_folder);
    if (strcmp(real_folder, "/") == 0)
        len = 0;
    if (strncmp(ret, real_folder, len) != 0 || ret[len] != '/')
        return koine__error(ret_error, KOINE_ECONFIG, "%s: is a link to %s, outside its folder", shown, ret);
    return KOINE_OK;
}

static bool is_same(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* The file is what was checked, and a shared object. */
static int inspect(const char *path, const char *shown, const struct stat *checked, koine_error **ret_error)
{
    struct stat now;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return koine__error(ret_error, KOINE_ECONFIG, "%s: cannot be opened: %s", shown,
                            strerrordesc_np(errno));
    const char *reason = NULL;
    if (fstat(fd, &now) < 0 || !is_same(&now, checked))
        reason = "was replaced while it was being checked";
    else
        reason = koine__elf_check(fd, (uint64_t)now.st_size);
    close(fd);
    if (reason)
        return koine__error(ret_error, KOINE_ECONFIG, "%s: %s", shown, reason);
    return KOINE_OK;
}

static int open_object(const char *path, const char *shown, const struct stat *checked, void **ret,
                       koine_error **ret_error)
{
    struct stat now;
    int rc = inspect(path, shown, checked, ret_error);
    if (rc == KOINE_OK)
        rc = koine__object_open(path, shown, ret, ret_error);
    if (rc == KOINE_OK && (lstat(path, &now) < 0 || !is_same(&now, checked)))
        return koine__error(ret_error, KOINE_ECONFIG, "%s: was replaced while it was being loaded", shown);
    return rc;
}

/* ---- The list of what was opened ------------------------------------------------------------------- */

static void forget(struct opened *opened)
{
    koine__dealloc((void *)opened->pub.path);
    koine__dealloc((void *)opened->pub.providers);
    koine__dealloc(opened->refusal);
    koine__dealloc(opened);
}

static struct opened *remember(const char *path, const struct stat *state)
{
    struct opened *opened = koine__alloc(sizeof(*opened));
    if (!opened)
        return NULL;
    opened->pub.path = koine__strdup(path);
    opened->pub.providers = koine__alloc_array(KOINE__MOST_PROVIDERS, sizeof(*opened->pub.providers));
    opened->pub.device = state->st_dev;
    opened->pub.inode = state->st_ino;
    if (opened->pub.path && opened->pub.providers)
        return opened;
    forget(opened);
    return NULL;
}

/* What the file was found to be when it was opened. */
static int recall(const struct opened *opened, const char *shown, const struct koine__plugin **ret,
                  koine_error **ret_error)
{
    if (opened->refusal)
        return koine__error(ret_error, KOINE_ECONFIG, "%s: %s", shown, opened->refusal);
    *ret = &opened->pub;
    return KOINE_OK;
}

/* *ret stays NULL where the file was never opened. */
static int find_opened(const char *path, const char *shown, const struct stat *state, struct opened **ret,
                       koine_error **ret_error)
{
    for (struct koine__plugin *plugin = plugins; plugin; plugin = plugin->next) {
        if (plugin->device == state->st_dev && plugin->inode == state->st_ino) {
            *ret = (struct opened *)plugin;
            return KOINE_OK;
        }
        if (strcmp(plugin->path, path) == 0)
            return koine__error(
                ret_error, KOINE_ECONFIG,
                "%s: was replaced after it was loaded; start the process anew to use the new one", shown);
    }
    return KOINE_OK;
}

/* Keeps the reason without the name of the file, which each later refusal puts before it. */
static int keep_refusal(struct opened *opened, const char *shown, const koine_error *error)
{
    const char *message = koine_error_message(error);
    size_t len = strlen(shown);
    if (strncmp(message, shown, len) == 0 && strncmp(message + len, ": ", 2) == 0)
        message += len + 2;
    opened->refusal = koine__strdup(message);
    return opened->refusal ? KOINE_OK : KOINE_EMEMORY;
}

/* Runs the entry of an object that was just opened. Refusals are kept: the object stays, and its entry ran.
 */
static int enter(struct opened *opened, void *handle, const char *shown, const koine_host *host,
                 koine_error **ret_error)
{
    koine_error *error = NULL;
    const koine_provider **providers = (const koine_provider **)opened->pub.providers;
    int rc = koine__object_providers(handle, shown, host, providers, &opened->pub.count, &error);
    if (rc == KOINE_ECONFIG)
        rc = keep_refusal(opened, shown, error);
    koine_error_free(error);
    return rc == KOINE_EMEMORY ? koine__error_memory(ret_error) : KOINE_OK;
}

static int open_plugin(const char *path, const char *shown, const struct stat *state, const koine_host *host,
                       struct opened **ret, koine_error **ret_error)
{
    void *handle = NULL;
    struct opened *opened = remember(path, state);
    if (!opened)
        return koine__error_memory(ret_error);
    int rc = open_object(path, shown, state, &handle, ret_error);
    if (rc == KOINE_OK)
        rc = enter(opened, handle, shown, host, ret_error);
    if (rc < 0) {
        forget(opened);
        return rc;
    }
    opened->pub.next = plugins;
    plugins = &opened->pub;
    *ret = opened;
    return KOINE_OK;
}

int koine__plugin_load(const char *folder, const char *file_name, const koine_host *host,
                       const struct koine__plugin **ret, koine_error **ret_error)
{
    char shown[PATH_MAX], path[PATH_MAX];
    struct stat state;
    struct opened *opened = NULL;
    int rc = join(folder, file_name, shown, sizeof(shown), ret_error);
    if (rc == KOINE_OK)
        rc = resolve(folder, file_name, shown, path, ret_error);
    if (rc == KOINE_OK)
        rc = koine__trust_file(path, shown, &state, ret_error);
    if (rc < 0)
        return rc;
    pthread_mutex_lock(&mutex);
    rc = find_opened(path, shown, &state, &opened, ret_error);
    if (rc == KOINE_OK && !opened)
        rc = open_plugin(path, shown, &state, host, &opened, ret_error);
    if (rc == KOINE_OK)
        rc = recall(opened, shown, ret, ret_error);
    pthread_mutex_unlock(&mutex);
    return rc;
}

void koine__plugins_forget(void)
{
    pthread_mutex_lock(&mutex);
    while (plugins) {
        struct opened *opened = (struct opened *)plugins;
        plugins = plugins->next;
        forget(opened);
    }
    pthread_mutex_unlock(&mutex);
}
