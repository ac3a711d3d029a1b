/* catalogue: a file of models and prices is taken or refused with its place; what was taken is found by every
 * one of its names, and its rows stand in order. */
#include "core/plugin/catalogue.h"
#include "tests/fuzz/fuzz.h"

#include <koine/koine.h>
#include <stdlib.h>
#include <string.h>

static void check_model(const struct koine__catalogue *catalogue, const struct koine__model *model)
{
    FUZZ_CHECK(koine__catalogue_find(catalogue, model->provider, koine__str(model->id)) == model);
    for (const char *const *at = model->aliases; at && *at; at++)
        FUZZ_CHECK(koine__catalogue_find(catalogue, model->provider, koine__str(*at)) == model);
    for (size_t i = 0; i < model->row_count; i++) {
        const struct koine__price_row *row = &model->rows[i];
        FUZZ_CHECK(row->id && *row->id && row->service_tier);
        FUZZ_CHECK(row->input >= -1 && row->output >= -1 && row->above_input_tokens >= 0);
        const struct koine__price_row *found = koine__catalogue_row(
            model, row->valid_from, row->above_input_tokens + 1, koine__str(row->service_tier), row->batch);
        FUZZ_CHECK(found == row);
    }
}

static bool add(struct koine__catalogue *catalogue, koine_str text, bool override)
{
    koine_error *error = NULL;
    int rc = koine__catalogue_add(catalogue, "file.json", text, override, &error);
    if (rc != KOINE_OK) {
        FUZZ_CHECK(strncmp(koine_error_message(error), "file.json", 9) == 0);
        FUZZ_CHECK(!strchr(koine_error_message(error), '\n'));
    }
    koine_error_free(error);
    return rc == KOINE_OK;
}

/* The file, and behind a NUL another one that overrides it. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    koine_str rest = {(const char *)data, size}, first = koine__str_cut(&rest, '\0');
    struct koine__catalogue *catalogue = koine__catalogue_new();
    char *one = fuzz_copy(first), *two = fuzz_copy(rest);
    FUZZ_CHECK(catalogue);
    bool fine = add(catalogue, (koine_str){one, first.len}, false);
    if (fine && rest.ptr)
        fine = add(catalogue, (koine_str){two, rest.len}, true);
    for (size_t i = 0; fine && i < koine__catalogue_count(catalogue); i++)
        check_model(catalogue, koine__catalogue_at(catalogue, i));
    koine__catalogue_free(catalogue);
    free(one);
    free(two);
    return 0;
}
