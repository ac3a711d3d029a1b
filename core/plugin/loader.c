/* loader: from a file name to a table of providers that may be called.
 *
 * One list holds every object opened in this process, also those that were refused afterwards: an entry
 * function runs once. The C library remembers objects by their path, so a file that took the place of a
 * loaded one cannot be loaded: it would silently be the old one.
 */
#include "core/plugin/loader.h"

#include "core/base/mem.h"
#include "core/base/str.h"
#include "core/plugin/elf.h"
#include "core/plugin/trust.h"
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MOST_PROVIDERS       64
#define MOST_OPTIONS         64
#define LARGEST_STATE        ((size_t)64 << 10)
#define LONGEST_NAME         64
#define NEWEST_VERSION       16 /* of the entry symbol, looked for to tell a plugin of another koine */
#define SYMBOL_STEM          "koine_provider_v"
#define SIZE_TO(type, field) (offsetof(type, field) + sizeof(((type *)NULL)->field))

struct found {                            /* a file in a plugin folder */
    char shown[PATH_MAX], path[PATH_MAX]; /* as messages show it; the real one */
    struct stat state;
};
struct opened {
    struct koine__plugin pub; /* first */
    char *refusal;            /* why it was refused after it was opened; NULL: it was not */
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct koine__plugin *plugins; /* under the mutex */

/* ---- What a provider's table must hold ------------------------------------------------------------- */

struct check { /* whose table is being checked */
    const char *path, *id;
    const char **ret_part;
    koine_error **ret_error;
};

static void blame(const struct check *check, const char *part)
{
    if (check->ret_part)
        *check->ret_part = part;
}

static int bad(const struct check *check, const char *part, const char *reason)
{
    blame(check, part);
    return koine__error(check->ret_error, KOINE_ECONFIG, "%s: provider %s: %s", check->path, check->id,
                        reason);
}

static bool consists_of(const char *text, const char *allowed)
{
    size_t len = text ? strlen(text) : 0;
    return len > 0 && len <= LONGEST_NAME && strspn(text, allowed) == len;
}

#define LOWER  "abcdefghijklmnopqrstuvwxyz"
#define UPPER  "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

static bool is_printable_ascii(const char *text)
{
    for (; *text; text++)
        if (*text <= ' ' || *text >= 0x7F)
            return false;
    return true;
}

static bool is_base_url(const char *url)
{
    koine_str text = koine__str(url);
    size_t scheme = koine__str_starts(text, "https://")  ? sizeof("https://") - 1
                    : koine__str_starts(text, "http://") ? sizeof("http://") - 1
                                                         : 0;
    return scheme && text.len > scheme && url[scheme] != '/' && url[text.len - 1] != '/' &&
           is_printable_ascii(url) && !strpbrk(url, "?#@\"\\<>");
}

static int check_exchange(const struct check *check, const koine_exchange *exchange, const char *which)
{
    char reason[128];
    const char *what = NULL;
    if (!exchange)
        what = "is missing";
    else if (exchange->size < SIZE_TO(koine_exchange, frame))
        what = "is smaller than this core's v0 exchange";
    else if (!exchange->request || !exchange->frame)
        what = "lacks request or frame";
    else if (exchange->state_size > LARGEST_STATE)
        what = "asks for more than 64 kB of state";
    if (!what)
        return KOINE_OK;
    snprintf(reason, sizeof(reason), "%s %s", which, what);
    return bad(check, which, reason);
}

static bool is_value_of(const koine_option *option)
{
    int64_t number;
    bool truth;
    koine_str text = koine__str(option->otherwise);
    if (option->type == KOINE_OPTION_INTEGER)
        return koine__read_int(text, INT64_MIN, INT64_MAX, &number) == 0;
    if (option->type == KOINE_OPTION_BOOL)
        return koine__read_bool(text, &truth) == 0;
    return true;
}

static const char *wrong_option(const koine_option *const *options, size_t index)
{
    const koine_option *option = options[index];
    if (option->size < SIZE_TO(koine_option, help))
        return "is smaller than this core's v0 option";
    if (!consists_of(option->name, LOWER UPPER DIGITS "_-"))
        return "has a name that is no name";
    if (option->type < KOINE_OPTION_STRING || option->type > KOINE_OPTION_BOOL)
        return "has a type that this core does not know";
    if (option->otherwise && !is_value_of(option))
        return "has a default that is not of its type";
    for (size_t i = 0; i < index; i++)
        if (strcmp(options[i]->name, option->name) == 0)
            return "is there twice";
    return NULL;
}

static int check_options(const struct check *check, const koine_option *const *options)
{
    char reason[128];
    for (size_t i = 0; options && options[i]; i++) {
        const char *what = i == MOST_OPTIONS ? "is one too many" : wrong_option(options, i);
        if (!what)
            continue;
        snprintf(reason, sizeof(reason), "option %zu %s", i + 1, what);
        return bad(check, "options", reason);
    }
    return KOINE_OK;
}

static int check_texts(const struct check *check, const koine_provider *provider)
{
    if (!provider->version || !*provider->version || strlen(provider->version) > LONGEST_NAME ||
        !is_printable_ascii(provider->version))
        return bad(check, "version", "its version is missing, or no short word");
    if (provider->base_url && strcmp(provider->base_url, KOINE_LOCAL) != 0 &&
        !is_base_url(provider->base_url))
        return bad(check, "base_url",
                   "its base URL must begin with http:// or https:// and must not end with a slash");
    if (provider->key_variable && (!consists_of(provider->key_variable, LOWER UPPER DIGITS "_") ||
                                   strchr(DIGITS, provider->key_variable[0])))
        return bad(check, "key_variable", "its key variable is no name of a variable");
    return KOINE_OK;
}

static int check_descriptor(const struct check *check, const koine_provider *provider)
{
    if (!provider)
        return bad(check, "size", "it has no table");
    if (provider->size < SIZE_TO(koine_provider, extension)) {
        blame(check, "size");
        return koine__error(check->ret_error, KOINE_ECONFIG,
                            "%s: its table has %u bytes, a v0 table has %zu: it was built for an older koine",
                            check->path, provider->size, SIZE_TO(koine_provider, extension));
    }
    if (consists_of(provider->id, LOWER DIGITS "_-"))
        return KOINE_OK;
    blame(check, "id");
    return koine__error(check->ret_error, KOINE_ECONFIG,
                        "%s: its provider has no id of a-z, 0-9, _ and -, of at most %d characters",
                        check->path, LONGEST_NAME);
}

int koine__provider_check(const koine_provider *provider, const char *path, const char **ret_part,
                          koine_error **ret_error)
{
    struct check check = {path, "without an id", ret_part, ret_error};
    int rc = check_descriptor(&check, provider);
    if (rc < 0)
        return rc;
    check.id = provider->id;
    rc = check_texts(&check, provider);
    if (rc == KOINE_OK)
        rc = check_options(&check, provider->options);
    if (rc == KOINE_OK)
        rc = check_exchange(&check, provider->generate, "generate");
    if (rc == KOINE_OK)
        rc = check_exchange(&check, provider->list_models, "list_models");
    if (rc == KOINE_OK && !provider->calculate_cost)
        rc = bad(&check, "calculate_cost", "calculate_cost is missing");
    return rc;
}

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

/* dlerror's words without the path they begin with. */
static const char *loader_words(const char *path)
{
    const char *words = dlerror();
    size_t len = strlen(path);
    if (!words)
        return "unknown reason";
    if (strncmp(words, path, len) == 0 && strncmp(words + len, ": ", 2) == 0)
        return words + len + 2;
    return words;
}

static int open_object(const char *path, const char *shown, const struct stat *checked, void **ret,
                       koine_error **ret_error)
{
    struct stat now;
    int rc = inspect(path, shown, checked, ret_error);
    if (rc < 0)
        return rc;
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!handle)
        return koine__error(ret_error, KOINE_ECONFIG, "%s: cannot be loaded: %s", shown, loader_words(path));
    if (lstat(path, &now) < 0 || !is_same(&now, checked))
        return koine__error(ret_error, KOINE_ECONFIG, "%s: was replaced while it was being loaded", shown);
    *ret = handle;
    return KOINE_OK;
}

static int find_entry(void *handle, const char *shown, koine__entry *ret, koine_error **ret_error)
{
    char name[sizeof(SYMBOL_STEM) + 12];
    void *symbol = dlsym(handle, KOINE_ENTRY_NAME);
    if (symbol) {
        memcpy(ret, &symbol, sizeof(symbol)); /* ISO C has no cast from one to the other */
        return KOINE_OK;
    }
    for (int version = 0; version <= NEWEST_VERSION; version++) {
        snprintf(name, sizeof(name), SYMBOL_STEM "%d", version);
        if (dlsym(handle, name))
            return koine__error(
                ret_error, KOINE_ECONFIG,
                "%s: was built for another koine (it has %s, this core needs " KOINE_ENTRY_NAME ")", shown,
                name);
    }
    return koine__error(ret_error, KOINE_ECONFIG, "%s: is no plugin of koine: it has no " KOINE_ENTRY_NAME,
                        shown);
}

/* ---- The list of what was opened ------------------------------------------------------------------- */

static int check_ids(const koine_provider *const *providers, size_t count, const char *shown,
                     koine_error **ret_error)
{
    const koine_provider *last = providers[count - 1];
    int rc = koine__provider_check(last, shown, NULL, ret_error);
    for (size_t i = 0; i + 1 < count && rc == KOINE_OK; i++)
        if (strcmp(providers[i]->id, last->id) == 0)
            rc =
                koine__error(ret_error, KOINE_ECONFIG, "%s: has two providers of the id %s", shown, last->id);
    return rc;
}

/* Asks the entry for its providers, one after the other. */
static int collect(koine__entry entry, const koine_host *host, const char *shown, const koine_provider **ret,
                   size_t *ret_count, koine_error **ret_error)
{
    size_t count = 0;
    const koine_provider *provider;
    while ((provider = entry(host, (uint32_t)count)) != NULL) {
        if (count == MOST_PROVIDERS)
            return koine__error(ret_error, KOINE_ECONFIG, "%s: has more than %d providers, or no end of them",
                                shown, MOST_PROVIDERS);
        ret[count++] = provider;
        int rc = check_ids(ret, count, shown, ret_error);
        if (rc < 0)
            return rc;
    }
    if (count == 0)
        return koine__error(ret_error, KOINE_ECONFIG, "%s: has no provider", shown);
    *ret_count = count;
    return KOINE_OK;
}

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
    opened->pub.providers = koine__alloc_array(MOST_PROVIDERS, sizeof(*opened->pub.providers));
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
    koine__entry entry = NULL;
    koine_error *error = NULL;
    const koine_provider **providers = (const koine_provider **)opened->pub.providers;
    int rc = find_entry(handle, shown, &entry, &error);
    if (rc == KOINE_OK)
        rc = collect(entry, host, shown, providers, &opened->pub.count, &error);
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

/* The real path and the state of a file of a folder that may be loaded. */
static int find_file(const char *folder, const char *file_name, struct found *ret, koine_error **ret_error)
{
    int rc = join(folder, file_name, ret->shown, sizeof(ret->shown), ret_error);
    if (rc == KOINE_OK)
        rc = resolve(folder, file_name, ret->shown, ret->path, ret_error);
    if (rc == KOINE_OK)
        rc = koine__trust_file(ret->path, ret->shown, &ret->state, ret_error);
    return rc;
}

int koine__plugin_load(const char *folder, const char *file_name, const koine_host *host,
                       const struct koine__plugin **ret, koine_error **ret_error)
{
    struct found file;
    struct opened *opened = NULL;
    int rc = find_file(folder, file_name, &file, ret_error);
    if (rc < 0)
        return rc;
    pthread_mutex_lock(&mutex);
    rc = find_opened(file.path, file.shown, &file.state, &opened, ret_error);
    if (rc == KOINE_OK && !opened)
        rc = open_plugin(file.path, file.shown, &file.state, host, &opened, ret_error);
    if (rc == KOINE_OK)
        rc = recall(opened, file.shown, ret, ret_error);
    pthread_mutex_unlock(&mutex);
    return rc;
}

int koine__plugin_entry(const char *folder, const char *file_name, koine__entry *ret, koine_error **ret_error)
{
    struct found file;
    void *handle = NULL;
    int rc = find_file(folder, file_name, &file, ret_error);
    if (rc == KOINE_OK)
        rc = open_object(file.path, file.shown, &file.state, &handle, ret_error);
    if (rc == KOINE_OK)
        rc = find_entry(handle, file.shown, ret, ret_error);
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
