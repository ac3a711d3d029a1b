/* loader: from a file name to a table of providers, or of a store, that may be called.
 *
 * One list holds every object opened in this process, also those that were refused afterwards: the entry
 * function of providers runs once. The C library remembers objects by their path, so a file that took the
 * place of a loaded one cannot be loaded: it would silently be the old one.
 */
#include "core/plugin/loader.h"

#include "core/base/mem.h"
#include "core/plugin/binary.h"
#include <pthread.h>
#include <string.h>
#include <unistd.h>

struct opened {
    struct koine__plugin pub;       /* first */
    struct stat state;              /* when it was opened */
    char sha256[KOINE__SHA256_HEX]; /* of the bytes that were loaded; "": nobody asked yet */
    void *handle;
    bool entered;  /* its entry was asked for providers */
    char *refusal; /* why it was refused then; NULL: it was not */
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct koine__plugin *plugins; /* under the mutex */

static void forget(struct opened *opened)
{
    koine__dealloc((void *)opened->pub.path);
    koine__dealloc((void *)opened->pub.providers);
    koine__dealloc(opened->refusal);
    koine__dealloc(opened);
}

static struct opened *remember(const struct koine__binary *binary)
{
    struct opened *opened = koine__alloc(sizeof(*opened));
    if (!opened)
        return NULL;
    opened->pub.path = koine__strdup(binary->path);
    opened->pub.providers = koine__alloc_array(KOINE__MOST_PROVIDERS, sizeof(*opened->pub.providers));
    opened->pub.device = binary->state.st_dev;
    opened->pub.inode = binary->state.st_ino;
    opened->state = binary->state;
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
static int find_opened(const struct koine__binary *binary, struct opened **ret, koine_error **ret_error)
{
    for (struct koine__plugin *plugin = plugins; plugin; plugin = plugin->next) {
        if (plugin->device == binary->state.st_dev && plugin->inode == binary->state.st_ino) {
            *ret = (struct opened *)plugin;
            return KOINE_OK;
        }
        if (strcmp(plugin->path, binary->path) == 0)
            return koine__error(
                ret_error, KOINE_ECONFIG,
                "%s: was replaced after it was loaded; start the process anew to use the new one",
                binary->shown);
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

/* Runs the entry of an object that was opened, once. Refusals are kept: the object stays, and its entry ran.
 */
static int enter(struct opened *opened, const char *shown, const koine_host *host, koine_error **ret_error)
{
    if (opened->entered)
        return KOINE_OK;
    koine_error *error = NULL;
    const koine_provider **providers = (const koine_provider **)opened->pub.providers;
    int rc = koine__object_providers(opened->handle, shown, host, providers, &opened->pub.count, &error);
    if (rc == KOINE_ECONFIG)
        rc = keep_refusal(opened, shown, error);
    koine_error_free(error);
    opened->entered = rc != KOINE_EMEMORY;
    return rc == KOINE_EMEMORY ? koine__error_memory(ret_error) : KOINE_OK;
}

/* Digests what is open if it is pinned, and compares. */
static int check_pin(const struct koine__binary *binary, int fd, const char *pinned, struct opened *opened,
                     koine_error **ret_error)
{
    int rc = KOINE_OK;
    if (pinned && !opened->sha256[0])
        rc = koine__binary_digest(binary, fd, opened->sha256, ret_error);
    return rc == KOINE_OK && pinned ? koine__binary_compare(binary, opened->sha256, pinned, ret_error) : rc;
}

/* Between the first look at the file and the last its bytes must not have changed: those that were digested
 * are those that were mapped. */
static int open_object(const struct koine__binary *binary, const char *pinned, struct opened *opened,
                       void **ret, koine_error **ret_error)
{
    struct stat now;
    int fd;
    int rc = koine__binary_open(binary, &fd, ret_error);
    if (rc < 0)
        return rc;
    rc = check_pin(binary, fd, pinned, opened, ret_error);
    close(fd);
    if (rc == KOINE_OK)
        rc = koine__object_open(binary->path, binary->shown, ret, ret_error);
    if (rc == KOINE_OK &&
        (lstat(binary->path, &now) < 0 || !koine__binary_is_unchanged(&now, &binary->state)))
        return koine__error(ret_error, KOINE_ECONFIG, "%s: was replaced while it was being loaded",
                            binary->shown);
    return rc;
}

static int open_plugin(const struct koine__binary *binary, const char *pinned, struct opened **ret,
                       koine_error **ret_error)
{
    struct opened *opened = remember(binary);
    if (!opened)
        return koine__error_memory(ret_error);
    int rc = open_object(binary, pinned, opened, &opened->handle, ret_error);
    if (rc < 0) {
        forget(opened);
        return rc;
    }
    opened->pub.next = plugins;
    plugins = &opened->pub;
    *ret = opened;
    return KOINE_OK;
}

/* A pin for what was loaded before there was one: the file must still be what it was then. */
static int pin_opened(const struct koine__binary *binary, const char *pinned, struct opened *opened,
                      koine_error **ret_error)
{
    int fd;
    if (!pinned || opened->sha256[0])
        return pinned ? koine__binary_compare(binary, opened->sha256, pinned, ret_error) : KOINE_OK;
    if (!koine__binary_is_unchanged(&binary->state, &opened->state))
        return koine__error(
            ret_error, KOINE_ECONFIG,
            "%s: was changed after it was loaded, so it cannot be pinned; start the process anew",
            binary->shown);
    int rc = koine__binary_open(binary, &fd, ret_error);
    if (rc < 0)
        return rc;
    rc = check_pin(binary, fd, pinned, opened, ret_error);
    close(fd);
    return rc;
}

/* Under the mutex: the object of a file, opened now or before. */
static int find_or_open(const struct koine__binary *binary, const char *pinned, struct opened **ret,
                        koine_error **ret_error)
{
    int rc = find_opened(binary, ret, ret_error);
    if (rc == KOINE_OK && *ret)
        return pin_opened(binary, pinned, *ret, ret_error);
    return rc == KOINE_OK ? open_plugin(binary, pinned, ret, ret_error) : rc;
}

int koine__plugin_load_pinned(const char *folder, const char *file_name, const char *sha256,
                              const koine_host *host, const struct koine__plugin **ret,
                              koine_error **ret_error)
{
    struct koine__binary binary;
    struct opened *opened = NULL;
    int rc = koine__binary_find(folder, file_name, &binary, ret_error);
    if (rc < 0)
        return rc;
    pthread_mutex_lock(&mutex);
    rc = find_or_open(&binary, sha256, &opened, ret_error);
    if (rc == KOINE_OK)
        rc = enter(opened, binary.shown, host, ret_error);
    if (rc == KOINE_OK)
        rc = recall(opened, binary.shown, ret, ret_error);
    pthread_mutex_unlock(&mutex);
    return rc;
}

int koine__plugin_load(const char *folder, const char *file_name, const koine_host *host,
                       const struct koine__plugin **ret, koine_error **ret_error)
{
    return koine__plugin_load_pinned(folder, file_name, NULL, host, ret, ret_error);
}

int koine__store_load(const char *folder, const char *file_name, const koine_store_plugin **ret,
                      koine_error **ret_error)
{
    struct koine__binary binary;
    struct opened *opened = NULL;
    int rc = koine__binary_find(folder, file_name, &binary, ret_error);
    if (rc < 0)
        return rc;
    pthread_mutex_lock(&mutex);
    rc = find_or_open(&binary, NULL, &opened, ret_error);
    if (rc == KOINE_OK)
        rc = koine__object_store(opened->handle, binary.shown, ret, ret_error);
    pthread_mutex_unlock(&mutex);
    return rc;
}

int koine__plugin_entry(const char *folder, const char *file_name, koine__entry *ret, koine_error **ret_error)
{
    struct koine__binary binary;
    struct opened nobody = {.refusal = NULL};
    void *handle = NULL;
    int rc = koine__binary_find(folder, file_name, &binary, ret_error);
    if (rc == KOINE_OK)
        rc = open_object(&binary, NULL, &nobody, &handle, ret_error);
    return rc == KOINE_OK ? koine__object_entry(handle, binary.shown, ret, ret_error) : rc;
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
