/* dotenv: a .env file is read or refused with its place; what it sets can be looked up, and the process's own
 * variables win. */
#include "core/hub/env.h"
#include "tests/fuzz/fuzz.h"

#include <koine/koine.h>
#include <stdlib.h>
#include <string.h>

/* A first line "!NAME=value" is one more variable of the process. */
static void add_first_line(struct koine__env *env, koine_str *input)
{
    if (!koine__str_starts(*input, "!"))
        return;
    koine_str line = koine__str_cut(input, '\n');
    char *variable = fuzz_copy((koine_str){line.ptr + 1, line.len - 1});
    const char *const one[] = {variable, NULL};
    FUZZ_CHECK(koine__env_add_process(env, one) == KOINE_OK);
    free(variable);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const process[] = {
        "OWN=1", "OWN=2", "=3", "NOTHING", "KOINE__pool__connections=3", "KOINE__a__b=c", NULL};
    static const char *const late[] = {"LATE=1", NULL};
    struct koine__env *env = koine__env_new();
    struct koine__store *store = koine__store_new();
    koine_error *error = NULL;
    koine_str input = {(const char *)data, size};
    FUZZ_CHECK(env && store && koine__env_add_process(env, process) == KOINE_OK);
    const char *wanted =
        koine__str_starts(input, "!LATE=") ? "" : "1"; /* of two in the process the first one */
    add_first_line(env, &input);
    char *text = fuzz_copy(input);
    if (koine__env_add_text(env, ".env", text, input.len, &error) != KOINE_OK) {
        FUZZ_CHECK(strncmp(koine_error_message(error), ".env", 4) == 0);
        FUZZ_CHECK(!strchr(koine_error_message(error), '\n'));
        koine_error_free(error);
        error = NULL;
    }
    FUZZ_CHECK(koine__env_add_process(env, late) == KOINE_OK && koine__env_count(env) >= 4);
    FUZZ_CHECK(strcmp(koine__env_get(env, "OWN"), "1") == 0);
    FUZZ_CHECK(!*wanted ||
               strcmp(koine__env_get(env, "LATE"), wanted) == 0); /* whatever the file says of it */
    size_t length = koine__env_name_length((koine_str){text, input.len});
    FUZZ_CHECK(length <= input.len);
    char *name = fuzz_copy((koine_str){text, length});
    koine__env_get(env, name);
    if (koine__env_stage(env, store, &error) != KOINE_OK)
        koine_error_free(error);
    free(name);
    free(text);
    koine__store_free(store);
    koine__env_free(env);
    return 0;
}
