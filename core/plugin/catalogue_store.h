/* catalogue_store: what a catalogue is made of, for the catalogue files of this folder.
 *
 * Names stand sorted by provider, then without case; no two names of a provider are equal. A model's rows
 * stand sorted by tier, batch, date and size. Everything but the two arrays lives in one arena.
 */
#ifndef KOINE_CORE_PLUGIN_CATALOGUE_STORE_H
#define KOINE_CORE_PLUGIN_CATALOGUE_STORE_H

#include "core/base/mem.h"
#include "core/plugin/catalogue.h"

struct koine__known {
    struct koine__model pub; /* first */
    unsigned told_by;        /* number of the file that told it last */
};

struct koine__name {
    const char *provider, *text;
    struct koine__known *model;
    bool alias;
};

struct koine__catalogue {
    struct koine__arena arena;
    struct koine__known **models; /* in the order they were told */
    size_t count, capacity;
    struct koine__name *names;
    size_t name_count, name_capacity;
    unsigned files; /* read so far */
};

/* Where the name is, or where it would stand. */
bool koine__names_find(const struct koine__catalogue *catalogue, const char *provider, koine_str text,
                       size_t *ret);
int koine__names_insert(struct koine__catalogue *catalogue, size_t at, struct koine__name name);
void koine__names_drop_aliases(struct koine__catalogue *catalogue, const struct koine__known *model);

/* A model about which nothing is known yet, named by `id` at `name_at`. `provider` and `id` live in the
 * arena. */
int koine__known_new(struct koine__catalogue *catalogue, const char *provider, const char *id, size_t name_at,
                     struct koine__known **ret);

/* Whether it is one of the words by which vendors call their ordinary tier. */
bool koine__tier_is_standard(koine_str tier);
/* Puts the row into its place among `count` sorted ones; there is room. False: one of that date, tier and
 * size is there. */
bool koine__rows_insert(struct koine__price_row *rows, size_t count, const struct koine__price_row *row);
/* Adds sorted rows to a model's; they take the place of old ones of the same date, tier and size. */
int koine__rows_merge(struct koine__catalogue *catalogue, struct koine__model *model,
                      const struct koine__price_row *fresh, size_t count);

/* catalogue_read.c: takes in a file's text, which is one more of `files`. */
int koine__catalogue_read(struct koine__catalogue *catalogue, const char *file, koine_str text, bool override,
                          koine_error **ret_error);

#endif
