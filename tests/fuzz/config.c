/* config: a configuration file is taken whole or not at all; what was taken can be shown and read again with
 * the same result; and no message ever shows what a variable holds. */
#include "core/hub/config.h"
#include "tests/fuzz/fuzz.h"

#include <koine/koine.h>
#include <stdlib.h>
#include <string.h>

static const char secret[] = "hunter2-of-nobody";

static struct koine__env *make_env(void)
{
    static const char *const variables[] = {"KEY=hunter2-of-nobody", "N=3", "EMPTY=", "LIST=[a, b]", NULL};
    struct koine__env *env = koine__env_new();
    FUZZ_CHECK(env && koine__env_add_process(env, variables) == KOINE_OK);
    return env;
}

static char *show(const struct koine__store *store)
{
    char *text = NULL;
    FUZZ_CHECK(koine__config_show(store, &text) == KOINE_OK && text);
    return text;
}

/* The input may hold the words itself: then they are no secret. */
static void check_error(koine_error *error, koine_str input)
{
    const char *message = koine_error_message(error);
    FUZZ_CHECK(*message && !strchr(message, '\n'));
    FUZZ_CHECK(!strstr(message, secret) || memmem(input.ptr, input.len, secret, sizeof(secret) - 1));
    koine_error_free(error);
}

/* Shown, read and shown again: the same. Only of what passes the checks: the rest may show "(unknown key)".
 */
static void check_round(const struct koine__store *store)
{
    struct koine__store *again = koine__store_new();
    koine_error *error = NULL;
    char *first = show(store);
    FUZZ_CHECK(again);
    int rc = koine__config_parse(again, "shown", NULL, first, strlen(first), NULL, &error);
    if (rc != KOINE_OK)
        fuzz_fail("what is shown cannot be read: %s\n%s", koine_error_message(error), first);
    char *second = show(again);
    if (strcmp(first, second) != 0)
        fuzz_fail("shown:\n%sshown again:\n%s", first, second);
    koine_free(first);
    koine_free(second);
    koine__store_free(again);
}

/* "!path" and, below it, the value: as koine_hub_set does. Refused is what the path or the value is not. */
static void set_value(koine_str rest)
{
    struct koine__store *store = koine__store_new();
    koine_error *error = NULL;
    koine_str input = rest, first = koine__str_cut(&rest, '\n');
    char *path = fuzz_copy(first), *value = fuzz_copy(rest);
    FUZZ_CHECK(store);
    struct koine__origin origin = {.source = "koine_hub_set"};
    if (koine__config_value(store, path, value, origin, &error) != KOINE_OK ||
        koine__store_check(store, &error) != KOINE_OK)
        check_error(error, input);
    else
        check_round(store);
    free(path);
    free(value);
    koine__store_free(store);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 0 && *data == '!') {
        set_value((koine_str){(const char *)data + 1, size - 1});
        return 0;
    }
    struct koine__env *env = make_env();
    struct koine__store *store = koine__store_new();
    koine_error *error = NULL;
    char *text = fuzz_copy((koine_str){(const char *)data, size});
    FUZZ_CHECK(store);
    if (koine__config_parse(store, "fuzz.yaml", "/folder", text, size, env, &error) != KOINE_OK) {
        char *shown = show(store), *nothing;
        struct koine__store *empty = koine__store_new();
        nothing = show(empty);
        FUZZ_CHECK(strcmp(shown, nothing) == 0);
        koine_free(shown);
        koine_free(nothing);
        koine__store_free(empty);
        check_error(error, (koine_str){text, size});
    } else if (koine__store_check(store, &error) != KOINE_OK) {
        check_error(error, (koine_str){text, size});
        koine_free(show(store));
    } else {
        check_round(store);
    }
    free(text);
    koine__store_free(store);
    koine__env_free(env);
    return 0;
}
