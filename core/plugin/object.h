/* object: a shared object is opened and its entry asked for its providers, or for its store; the .c file is
 * the one that knows dlfcn.h. Whether a file may be opened at all is not asked here: loader.h does, and
 * isolated.h.
 */
#ifndef KOINE_CORE_PLUGIN_OBJECT_H
#define KOINE_CORE_PLUGIN_OBJECT_H

#include "core/base/error.h"

#include <koine/provider.h>
#include <koine/store.h>

#define KOINE__MOST_PROVIDERS 64

/* Opens what lies at the real path; `shown` is how messages name it. KOINE_ECONFIG: it cannot be loaded. */
int koine__object_open(const char *path, const char *shown, void **ret, koine_error **ret_error);
/* Opens a library of the system's by its name, if there is one; it stays open. */
void koine__object_need(const char *name);
/* The entry function of an open object, not run. KOINE_ECONFIG: it has none, or another koine's. */
typedef const koine_provider *(*koine__entry)(const koine_host *host, uint32_t index);
int koine__object_entry(void *handle, const char *shown, koine__entry *ret, koine_error **ret_error);
/* Runs the entry once for each provider. `ret` has room for KOINE__MOST_PROVIDERS; each is checked.
 * KOINE_ECONFIG: no entry, no provider, too many, or a table that is wrong; KOINE_EMEMORY. */
int koine__object_providers(void *handle, const char *shown, const koine_host *host,
                            const koine_provider **ret, size_t *ret_count, koine_error **ret_error);
/* Asks the entry of a store for its table, which is checked. KOINE_ECONFIG: it has none, another koine's, or
 * a table that is wrong. */
int koine__object_store(void *handle, const char *shown, const koine_store_plugin **ret,
                        koine_error **ret_error);
/* What a table must hold; says what is wrong, and in which part of it: "size", "options", "generate" (static;
 * `ret_part` may be NULL). Also for the checker. */
int koine__provider_check(const koine_provider *provider, const char *path, const char **ret_part,
                          koine_error **ret_error);

#endif
