/* dotenv: a .env file is read or refused with its place; what it sets can be looked up, and the process's own
 * variables win. */
#include "core/hub/env.h"
#include "tests/fuzz/fuzz.h"

#include <koine/koine.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const process[] = {"OWN=1", "KOINE__pool__connections=3", "KOINE__a__b=c", NULL};
    struct koine__env *env = koine__env_new();
    struct koine__store *store = koine__store_new();
    koine_error *error = NULL;
    char *text = fuzz_copy((koine_str){(const char *)data, size});
    FUZZ_CHECK(env && store && koine__env_add_process(env, process) == KOINE_OK);
    if (koine__env_add_text(env, ".env", text, size, &error) != KOINE_OK) {
        FUZZ_CHECK(strncmp(koine_error_message(error), ".env", 4) == 0);
        FUZZ_CHECK(!strchr(koine_error_message(error), '\n'));
        koine_error_free(error);
        error = NULL;
    }
    FUZZ_CHECK(strcmp(koine__env_get(env, "OWN"), "1") == 0);
    size_t length = koine__env_name_length((koine_str){text, size});
    FUZZ_CHECK(length <= size);
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
