/* settings: the one table of configuration keys. The file, the environment and C all go through it, and
 * docs/configuration.md is printed from it.
 *
 * A store holds what was staged: path → text with its origin. Reading gives the staged text or the table's
 * default, checked against the row's type and range. A path is written with dots; `*` in the table stands for
 * one name of the user's own ("providers.*.retry.max_retries"), `[]` for the index of a list.
 */
#ifndef KOINE_CORE_BASE_SETTINGS_H
#define KOINE_CORE_BASE_SETTINGS_H

#include "core/base/buf.h"
#include <koine/koine.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum koine__setting_type {
    KOINE__SET_TEXT,
    KOINE__SET_SECRET,   /* shown as "(set)" */
    KOINE__SET_NAME,     /* [A-Za-z0-9_-]{1,64} */
    KOINE__SET_URL,      /* http: or https:, no user part, query or fragment, no slash at its end */
    KOINE__SET_PATH,     /* of a file or folder; relative ones are read from the file's folder */
    KOINE__SET_DURATION, /* int64 nanoseconds; -1 off, where the row allows it */
    KOINE__SET_SIZE,     /* int64 bytes */
    KOINE__SET_INTEGER,
    KOINE__SET_REAL, /* read as decimal × 10^6 in an int64 */
    KOINE__SET_BOOL,
    KOINE__SET_CHOICE,  /* one of `choices`, separated by '|': the index is the value */
    KOINE__SET_TARGET,  /* instance/model */
    KOINE__SET_DIGEST,  /* 64 hex digits */
    KOINE__SET_JSON,    /* any value, kept as JSON text */
    KOINE__SET_DOLLARS, /* US dollars, read as int64 picodollars */
    KOINE__SET_COMMAND  /* run by the shell; may hold a secret, so it is shown as "(set)" */
};

struct koine__setting {
    const char *path; /* "providers.*.timeouts.connect" */
    enum koine__setting_type type;
    const char *otherwise; /* the default as text; NULL: none */
    int64_t min, max;      /* of the value as it is kept; both 0: any; max INT64_MAX: no upper end */
    bool may_be_off;       /* of a duration or a whole number: "off" (-1) is a value too */
    const char *choices;
    const char *help; /* one or two sentences */
};
const struct koine__setting *koine__settings(size_t *ret_count);
/* The row of a concrete path, or NULL. */
const struct koine__setting *koine__setting_find(const char *path);
/* Whether some row lies below the path ("providers.x" does): it is a map or list. */
bool koine__setting_is_map(const char *path);
/* What the last name of a path that no row has should have been, or NULL: the nearest of its siblings
 * ("retry"), or where the name belongs below its parent ("retry.max_retries"). `ret` holds the text. */
const char *koine__setting_suggest(const char *path, char *ret, size_t size);

/* "*" or "[]" where the last element of the path may be any name, or must be an index; else NULL. */
const char *koine__setting_wildcard(const char *path);
/* Reads a text as the row's type within its range: 0 and its number (0 for types that are no number), or
 * KOINE_EARGUMENT. */
int koine__setting_read(const struct koine__setting *row, const char *text, int64_t *ret);
/* Adds what is wrong with a text that koine__setting_read refused, and what would be right. Never holds a
 * key. */
void koine__setting_explain(const struct koine__setting *row, const char *text, struct koine__buf *buf);
const char *koine__setting_type_name(enum koine__setting_type type); /* "duration" */
void koine__setting_range(const struct koine__setting *row,
                          struct koine__buf *buf); /* "1ms to 1d, or off"; may be empty */

struct koine__origin {  /* where a value came from, for messages */
    const char *source; /* file name, "environment", "koine_hub_set"; borrowed from the store after staging */
    unsigned line, column; /* 0: none */
};

struct koine__store;
struct koine__store *koine__store_new(void);
struct koine__store *koine__store_copy(const struct koine__store *store);
void koine__store_free(struct koine__store *store);
void koine__store_swap(struct koine__store *a, struct koine__store *b); /* what they hold */
/* Stages; the last one wins. `path` is not checked here. 0 or KOINE_EMEMORY. Copies all three. */
int koine__store_set(struct koine__store *store, const char *path, const char *value,
                     struct koine__origin origin);
void koine__store_unset_below(struct koine__store *store, const char *path); /* the path and all below it */
const char *koine__store_get(const struct koine__store *store, const char *path); /* staged text or NULL */
struct koine__origin koine__store_origin(const struct koine__store *store, const char *path);
/* Names one level below a path in the order they were first staged: "providers" → "together", "openai". NULL
 * past the last. */
const char *koine__store_child(const struct koine__store *store, const char *path, size_t index);
size_t koine__store_count(const struct koine__store *store);
void koine__store_item(const struct koine__store *store, size_t index, const char **ret_path,
                       const char **ret_value);

/* Every staged path has a row or is a map or list staged as "" (it is there), and every value its type and
 * range. The error says source:line:column, path, what is wrong, and what would be right. Values that hold
 * ${…} must have been expanded. KOINE_ECONFIG or KOINE_EMEMORY. */
int koine__store_check(const struct koine__store *store, koine_error **ret_error);

/* Typed reading of a checked store: staged value, else the table's default. A path without either gives NULL,
 * or 0. */
const char *koine__store_text(const struct koine__store *store, const char *path);
int64_t koine__store_number(const struct koine__store *store,
                            const char *path); /* durations, sizes, integers, bools, choices, reals */
/* The same with the path put together: format as printf. */
int64_t koine__store_numberf(const struct koine__store *store, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
const char *koine__store_textf(const struct koine__store *store, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* "file.yaml:3:9: " or "" into ret. */
const char *koine__origin_text(struct koine__origin origin, char *ret, size_t size);

/* The table as Markdown. */
int koine__settings_document(char **ret);

#endif
