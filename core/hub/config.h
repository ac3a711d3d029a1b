/* config: YAML into the settings store and back; config.c is the one file that knows libyaml.
 *
 * Strict: unknown and duplicate keys, wrong shapes, unmatched ${…}, anchors and aliases, tags, merge keys,
 * several documents and tabs as indentation are errors with file, line, column and the nearest valid name;
 * types and ranges are koine__store_check's. ${NAME} and ${NAME:-default} are expanded after parsing, in
 * scalar values only, so a value can never add a key; $$ is a dollar sign. No message shows what a variable
 * holds.
 *
 * A text is staged whole or, on failure, not at all. Values and lists replace those staged before; maps are
 * merged. Every map and list is staged itself, too, as "": so one that is empty exists, and messages know its
 * place.
 */
#ifndef KOINE_CORE_HUB_CONFIG_H
#define KOINE_CORE_HUB_CONFIG_H

#include "core/base/settings.h"
#include "core/hub/env.h"

/* Stages a file of at most 1 MiB that not everybody may write. Relative paths in it are made absolute from
 * its folder. KOINE_ECONFIG, KOINE_ENOTFOUND, KOINE_EMEMORY. */
int koine__config_load(struct koine__store *store, const char *file, const struct koine__env *env,
                       koine_error **ret_error);
/* The same for a text. `name` is what messages call it; `folder` may be NULL. */
int koine__config_parse(struct koine__store *store, const char *name, const char *folder, const char *text,
                        size_t len, const struct koine__env *env, koine_error **ret_error);
/* Stages one value at a path, as koine_hub_set and KOINE__a__b do: a scalar setting takes the text as it is
 * (no quoting rules, no ${…}), a list or map is written in YAML's flow style. Replaces what is staged there
 * and below. A path that no row has is staged, too: koine__store_check tells. KOINE_ECONFIG, KOINE_EMEMORY.
 */
int koine__config_value(struct koine__store *store, const char *path, const char *value,
                        struct koine__origin origin, koine_error **ret_error);
/* Everything staged as YAML that can be read again, in the order of staging; secrets as "(set)", keys that no
 * row has as
 * "(unknown key)". KOINE_EMEMORY. */
int koine__config_show(const struct koine__store *store, char **ret);

#endif
