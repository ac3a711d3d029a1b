/* catalogue: what is known of models: windows, capabilities, and dated prices. Data, never constants in code.
 *
 * Each plugin brings a JSON file of its own name beside its shared object; the user's files (`catalogue:`)
 * add to it or override it. Built once, then immutable: [any thread].
 */
#ifndef KOINE_CORE_PLUGIN_CATALOGUE_H
#define KOINE_CORE_PLUGIN_CATALOGUE_H

#include "core/base/error.h"
#include "core/base/str.h"

struct koine__price_row { /* picodollars for each token: US dollars per million × 10^6, exact; -1: not told */
    int64_t valid_from;   /* seconds since 1970, UTC midnight */
    int64_t above_input_tokens; /* holds for the whole request when its prompt is larger; 0: for any */
    int64_t input, output, cache_read, cache_write, reasoning;
    const char *service_tier; /* "": standard */
    bool batch, estimated;
    const char *id; /* "together/model@2024-07-23", with ">272000", "+flex", "+batch" where they apply */
};
struct koine__model {
    const char *provider, *id;
    const char *const *aliases;             /* NULL-ended */
    int64_t context, max_input, max_output; /* tokens; -1: not told */
    const char *const *capabilities;        /* NULL-ended */
    const char *retired;                    /* "2026-10-07" or "" */
    const struct koine__price_row *rows;
    size_t row_count;
};
struct koine__catalogue;

struct koine__catalogue *koine__catalogue_new(void);
void koine__catalogue_free(struct koine__catalogue *catalogue);
/* Adds a file's content. `override`: its models replace members told again, and its rows those with the same
 * date, tier, and size; else a model told twice is an error. The file must say `"provider"`. Errors:
 * file:line:column and what would be right; KOINE_ECONFIG, KOINE_EMEMORY. On failure the catalogue may hold a
 * part: give it up. */
int koine__catalogue_add(struct koine__catalogue *catalogue, const char *file, koine_str text, bool override,
                         koine_error **ret_error);
int koine__catalogue_add_file(struct koine__catalogue *catalogue, const char *file, bool override,
                              koine_error **ret_error);

/* By id, else by an alias without case; NULL: unknown. */
const struct koine__model *koine__catalogue_find(const struct koine__catalogue *catalogue,
                                                 const char *provider, koine_str model);
/* The row that holds at that time for a prompt of that size; NULL: none, so the price is unknown. */
const struct koine__price_row *koine__catalogue_row(const struct koine__model *model, int64_t at,
                                                    int64_t prompt_tokens, koine_str service_tier,
                                                    bool batch);
size_t koine__catalogue_count(const struct koine__catalogue *catalogue);
const struct koine__model *koine__catalogue_at(const struct koine__catalogue *catalogue, size_t index);

#endif
