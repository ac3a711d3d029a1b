/* loader: opens plugins, of providers and of stores, by the same rules. Plugins are never unloaded.
 *
 * A name resolves only inside a configured folder. File and folders must belong to root or to us and be
 * writable by nobody else (group write is accepted where the group is the owner's private one; root's sticky
 * folders are accepted as parents); device and inode are compared before and after the load. Each refusal
 * names the file and the reason.
 */
#ifndef KOINE_CORE_PLUGIN_LOADER_H
#define KOINE_CORE_PLUGIN_LOADER_H

#include "core/plugin/object.h"

#include <sys/types.h>

struct koine__plugin { /* one loaded file; lives as long as the process */
    const char *path;  /* real path */
    dev_t device;
    ino_t inode;
    const koine_provider *const *providers;
    size_t count;
    struct koine__plugin *next;
};

/* Loads a file of a folder, or gives the plugin that was loaded from it before (in this process, by any hub).
 * `host` is given to the entry function and must live as long as the process. KOINE_ECONFIG: refused. [any
 * thread] */
int koine__plugin_load(const char *folder, const char *file_name, const koine_host *host,
                       const struct koine__plugin **ret, koine_error **ret_error);
/* The same for a file whose bytes must have this SHA-256, 64 hex digits; NULL: any. */
int koine__plugin_load_pinned(const char *folder, const char *file_name, const char *sha256,
                              const koine_host *host, const struct koine__plugin **ret,
                              koine_error **ret_error);
/* The store of a file of a folder, under the same conditions. What it gives lives as long as the process. */
int koine__store_load(const char *folder, const char *file_name, const koine_store_plugin **ret,
                      koine_error **ret_error);
/* The entry function of a file that koine__plugin_load would take, which is opened, but not run: for the
 * checker, which looks at each step. KOINE_ECONFIG: refused. [any thread] */
int koine__plugin_entry(const char *folder, const char *file_name, koine__entry *ret,
                        koine_error **ret_error);
/* Frees what is kept of all plugins, so that a test can count allocations; the objects stay loaded, and their
 * entries run anew at the next load. Only while no hub is there. */
void koine__plugins_forget(void);

#endif
