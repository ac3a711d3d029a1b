/* object: see object.h. */
#include "core/plugin/object.h"

#include "core/base/str.h"
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

#define MOST_OPTIONS         64
#define LARGEST_STATE        ((size_t)64 << 10)
#define LONGEST_NAME         64
#define NEWEST_VERSION       16 /* of the entry symbol, looked for to tell a plugin of another koine */
#define SYMBOL_STEM          "koine_provider_v"
#define STORE_STEM           "koine_store_v"
#define SIZE_TO(type, field) (offsetof(type, field) + sizeof(((type *)NULL)->field))

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
        what = "is smaller than a v1 exchange";
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
        return "is smaller than a v1 option";
    if (!consists_of(option->name, LOWER UPPER DIGITS "_-"))
        return "has a name that is no name";
    if (option->type < KOINE_OPTION_STRING) /* one of a later koine is read as a string */
        return "has no type";
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
                            "%s: its table has %u bytes, a v1 table has %zu or more", check->path,
                            provider->size, SIZE_TO(koine_provider, extension));
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

/* ---- The object ------------------------------------------------------------------------------------ */

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

int koine__object_open(const char *path, const char *shown, void **ret, koine_error **ret_error)
{
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!handle)
        return koine__error(ret_error, KOINE_ECONFIG, "%s: cannot be loaded: %s", shown, loader_words(path));
    *ret = handle;
    return KOINE_OK;
}

void koine__object_need(const char *name)
{
    dlopen(name, RTLD_NOW | RTLD_LOCAL); /* what is missing, the object that needs it will say */
}

/* Whether the object has that symbol in another version than this core's. */
static bool has_other(void *handle, const char *stem, char *ret_name, size_t size)
{
    for (int version = 0; version <= NEWEST_VERSION; version++) {
        snprintf(ret_name, size, "%s%d", stem, version);
        if (dlsym(handle, ret_name))
            return true;
    }
    return false;
}

struct kind { /* of plugins: what their entry is called */
    const char *entry, *stem, *name;
    const char *mistaken; /* one of the other kind */
};
static const struct kind providers_kind = {KOINE_ENTRY_NAME, SYMBOL_STEM, "plugin",
                                           "is a store, no provider: stores lie in a folder of their own"},
                         store_kind = {KOINE_STORE_ENTRY_NAME, STORE_STEM, "store",
                                       "is a plugin of providers, no store"};

static int find_entry(void *handle, const char *shown, const struct kind *kind, void **ret,
                      koine_error **ret_error)
{
    char name[sizeof(SYMBOL_STEM) + 12];
    const struct kind *other = kind == &store_kind ? &providers_kind : &store_kind;
    *ret = dlsym(handle, kind->entry);
    if (*ret)
        return KOINE_OK;
    if (has_other(handle, kind->stem, name, sizeof(name)))
        return koine__error(ret_error, KOINE_ECONFIG,
                            "%s: was built for another koine (it has %s, this core needs %s)", shown, name,
                            kind->entry);
    if (has_other(handle, other->stem, name, sizeof(name)))
        return koine__error(ret_error, KOINE_ECONFIG, "%s: %s", shown, kind->mistaken);
    return koine__error(ret_error, KOINE_ECONFIG, "%s: is no %s of koine: it has no %s", shown, kind->name,
                        kind->entry);
}

int koine__object_entry(void *handle, const char *shown, koine__entry *ret, koine_error **ret_error)
{
    void *symbol;
    int rc = find_entry(handle, shown, &providers_kind, &symbol, ret_error);
    if (rc == KOINE_OK)
        memcpy(ret, &symbol, sizeof(symbol)); /* ISO C has no cast from one to the other */
    return rc;
}

static const char *wrong_store(const koine_store_plugin *store)
{
    if (!store)
        return "it has no table";
    if (store->size < SIZE_TO(koine_store_plugin, close))
        return "its table is smaller than a v0 table";
    if (!consists_of(store->id, LOWER DIGITS "_-"))
        return "it has no id of a-z, 0-9, _ and -";
    if (!store->version || !*store->version || strlen(store->version) > LONGEST_NAME ||
        !is_printable_ascii(store->version))
        return "its version is missing, or no short word";
    if (!store->open || !store->descriptor || !store->submit || !store->reap || !store->close)
        return "a function is missing";
    return NULL;
}

int koine__object_store(void *handle, const char *shown, const koine_store_plugin **ret,
                        koine_error **ret_error)
{
    void *symbol;
    const koine_store_plugin *(*entry)(void);
    int rc = find_entry(handle, shown, &store_kind, &symbol, ret_error);
    if (rc != KOINE_OK)
        return rc;
    memcpy(&entry, &symbol, sizeof(symbol));
    *ret = entry();
    const char *wrong = wrong_store(*ret);
    return wrong ? koine__error(ret_error, KOINE_ECONFIG, "%s: %s", shown, wrong) : KOINE_OK;
}

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
        if (count == KOINE__MOST_PROVIDERS)
            return koine__error(ret_error, KOINE_ECONFIG, "%s: has more than %d providers, or no end of them",
                                shown, KOINE__MOST_PROVIDERS);
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

int koine__object_providers(void *handle, const char *shown, const koine_host *host,
                            const koine_provider **ret, size_t *ret_count, koine_error **ret_error)
{
    koine__entry entry = NULL;
    int rc = koine__object_entry(handle, shown, &entry, ret_error);
    return rc == KOINE_OK ? collect(entry, host, shown, ret, ret_count, ret_error) : rc;
}
