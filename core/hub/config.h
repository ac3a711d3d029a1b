/* config: YAML into the settings store and back; its .c file is the one that knows libyaml.
 *
 * Strict: unknown and duplicate keys, wrong types, unmatched ${…}, anchors and aliases, tags, several
 * documents and tabs are errors with file, line, column and the nearest valid name. ${NAME} is expanded after
 * parsing, in scalar values only, so a value can never add a key; $$ is a dollar sign.
 */
#ifndef KOINE_CORE_HUB_CONFIG_H
#define KOINE_CORE_HUB_CONFIG_H

#include "core/base/settings.h"
#include "core/hub/env.h"

/* Stages a file. Relative paths in it are made absolute from its folder. KOINE_ECONFIG, KOINE_ENOTFOUND,
 * KOINE_EMEMORY. */
int koine__config_load(struct koine__store *store, const char *file, const struct koine__env *env,
                       koine_error **ret_error);
/* The same for a text. `name` is what messages call it; `folder` may be NULL. */
int koine__config_parse(struct koine__store *store, const char *name, const char *folder, const char *text,
                        size_t len, const struct koine__env *env, koine_error **ret_error);
/* Stages one value at a path, as koine_hub_set and KOINE__a__b do: a scalar setting takes the text as it is
 * (no quoting rules), a list or map is written in YAML's flow style. Replaces what is staged there and below.
 */
int koine__config_value(struct koine__store *store, const char *path, const char *value,
                        struct koine__origin origin, koine_error **ret_error);
/* Everything staged as YAML, secrets as "(set)", in the order of staging. */
int koine__config_show(const struct koine__store *store, char **ret);

#endif
