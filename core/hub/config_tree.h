/* config_tree: a YAML text as a tree of its own, between config.c, which knows libyaml, and config_stage.c,
 * which knows the settings. Everything lives in the arena given to the reader. */
#ifndef KOINE_CORE_HUB_CONFIG_TREE_H
#define KOINE_CORE_HUB_CONFIG_TREE_H

#include "core/base/buf.h"
#include "core/base/error.h"
#include "core/base/mem.h"
#include "core/base/settings.h"
#include "core/base/str.h"
#include "core/hub/env.h"

enum koine__yaml_kind {
    KOINE__YAML_SCALAR,
    KOINE__YAML_MAP,
    KOINE__YAML_LIST
};

struct koine__yaml {
    enum koine__yaml_kind kind;
    bool plain;     /* a scalar without quotes: may be a null, a number, a truth value */
    koine_str text; /* of a scalar, NUL-terminated */
    const char
        *variable; /* the first ${NAME} that was expanded in it, or NULL: then the text is not to be shown */
    unsigned line, column; /* from 1 */
    const char *key;       /* of a member of a map, else NULL */
    unsigned key_line, key_column;
    struct koine__yaml *first, *last, *next; /* children, and the next one of the same parent */
    size_t count;
};

/* What is common to everything done with one text. */
struct koine__yaml_job {
    struct koine__origin origin; /* line 0: positions are those of the text, if `is_file` */
    bool is_file;
    struct koine__arena *arena;
    koine_error **ret_error;
};
struct koine__origin koine__yaml_origin(const struct koine__yaml_job *job, unsigned line, unsigned column);
/* KOINE_ECONFIG with "koine.yaml:3:9: " before the message. */
int koine__yaml_refuse(const struct koine__yaml_job *job, unsigned line, unsigned column, const char *format,
                       ...) __attribute__((format(printf, 4, 5)));

/* config.c: *ret NULL for a text that holds nothing. KOINE_ECONFIG, KOINE_EMEMORY. */
int koine__yaml_read(const struct koine__yaml_job *job, koine_str text, struct koine__yaml **ret);

/* config_scalar.c: what a scalar means. */
bool koine__yaml_is_null(const struct koine__yaml *node); /* without quotes: empty, ~, null */
/* ${NAME} and ${NAME:-default} in every scalar value of the tree; $$ is a dollar sign. KOINE_ECONFIG,
 * KOINE_EMEMORY. */
int koine__yaml_expand(const struct koine__yaml_job *job, const struct koine__env *env,
                       struct koine__yaml *node);
/* Adds the value as JSON, by the core schema of YAML 1.2: numbers keep the source's digits. KOINE_ECONFIG,
 * KOINE_EMEMORY. */
int koine__yaml_to_json(const struct koine__yaml_job *job, const struct koine__yaml *node,
                        struct koine__buf *ret);

/* config_stage.c */
#define KOINE__CONFIG_PATH 512 /* holds the path of the table's deepest row with the longest names */
/* The path of a name below `path`. False: no row can be that long. */
bool koine__config_join(const char *path, const char *name, char ret[KOINE__CONFIG_PATH]);
bool koine__config_is_list(const char *path);
/* Stages the node at the path; "" is the root. `folder`: relative paths are below it; NULL:
 * they stay. KOINE_ECONFIG, KOINE_EMEMORY. */
int koine__yaml_stage(const struct koine__yaml_job *job, struct koine__store *store, const char *folder,
                      const char *path, const struct koine__yaml *node);

#endif
