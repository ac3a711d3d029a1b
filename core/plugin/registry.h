/* registry: which plugins the configured folders hold, and which provider has which id. Built for each
 * snapshot, then immutable; what it points at lives as long as the process. */
#ifndef KOINE_CORE_PLUGIN_REGISTRY_H
#define KOINE_CORE_PLUGIN_REGISTRY_H

#include "core/plugin/isolated.h"
#include "core/plugin/loader.h"

struct koine__found {               /* a provider, or a file that was refused */
    char *id;                       /* the provider's, or the file's stem */
    char *path;                     /* as found: folder/file */
    const koine_provider *provider; /* NULL: refused */
    char *reason;                   /* why refused, one line; NULL if it is not */
    bool is_isolated;               /* runs, or would run, in a process of its own */
    bool has_crashed;               /* or did not end, while a helper loaded it */
    struct koine__isolated *held;   /* for as long as this is there; NULL: runs in this process */
};
/* What instances want of a plugin, found by the name of its file: PLUGIN.so. */
struct koine__wish {
    const char *plugin;
    bool isolate;
    int64_t timeout;    /* ns that its helper may take to load it */
    const char *sha256; /* NULL: not pinned */
};
struct koine__wishes {
    const struct koine__wish *items;
    size_t count;
    const char *helper; /* the program for isolated ones; NULL: the installed one */
};
struct koine__registry {
    struct koine__found *items;
    size_t count, capacity;
    char **folders; /* NULL-ended, as configured */
};
/* Loads every *.so of the folders, in order and by name. A folder that does not exist is skipped; refused
 * files are kept with their reason; an id that is taken already is refused. A file that all who name it want
 * isolated is not opened in this process; one that some do is there twice. `wishes` may be NULL.
 * KOINE_EMEMORY only. */
int koine__registry_build(const char *const *folders, const struct koine__wishes *wishes,
                          const koine_host *host, struct koine__registry *ret, koine_error **ret_error);
void koine__registry_release(struct koine__registry *registry);
/* The provider of that id that runs here, or isolated; where there is none, a refused one of that name
 * (provider NULL, reason set); NULL: none. */
const struct koine__found *koine__registry_find(const struct koine__registry *registry, const char *id,
                                                bool is_isolated);

#endif
