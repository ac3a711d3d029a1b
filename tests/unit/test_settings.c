/* settings: the table's rows, staging, checking with messages that help, typed reading, and the printed page.
 */
#include "core/base/settings.h"

#include "core/base/str.h"
#include "tests/unit/failalloc.h"
#include "tests/unit/suite.h"
#include <stdio.h>
#include <string.h>

static const struct koine__origin from_c = {.source = "koine_hub_set"};

static struct koine__store *new_store(void)
{
    struct koine__store *store = koine__store_new();
    CU_ASSERT_PTR_NOT_NULL_FATAL(store);
    return store;
}

static void set(struct koine__store *store, const char *path, const char *value)
{
    ASSERT_INT(koine__store_set(store, path, value, from_c), 0);
}

/* ---- the table ---- */

/* Every default is a value of its row, and every row is found by a path made of it. */
static void test_rows_are_sound(void)
{
    size_t count;
    const struct koine__setting *rows = koine__settings(&count);
    CU_ASSERT_TRUE(count >= 39);
    for (size_t i = 0; i < count; i++) {
        char path[128] = "";
        size_t used = 0;
        int64_t value;
        for (const char *at = rows[i].path; *at; at++) {
            bool list = at[0] == '[';
            used += (size_t)snprintf(path + used, sizeof(path) - used, list ? ".%c" : "%c",
                                     list         ? '0'
                                     : *at == '*' ? 'x'
                                                  : *at);
            at += list;
        }
        CU_ASSERT_PTR_EQUAL(koine__setting_find(path), &rows[i]);
        CU_ASSERT_FALSE(koine__setting_is_map(path));
        CU_ASSERT_TRUE(strlen(rows[i].help) > 20 && rows[i].help[strlen(rows[i].help) - 1] == '.');
        CU_ASSERT_TRUE(strchr(rows[i].help, '|') == NULL);
        if (rows[i].otherwise)
            ASSERT_INT(koine__setting_read(&rows[i], rows[i].otherwise, &value), 0);
        CU_ASSERT_EQUAL(rows[i].type == KOINE__SET_CHOICE, rows[i].choices != NULL);
    }
}

static void test_find(void)
{
    ASSERT_INT(koine__setting_find("providers.together.timeouts.connect")->type, KOINE__SET_DURATION);
    ASSERT_INT(koine__setting_find("routes.default.targets.12.target")->type, KOINE__SET_TARGET);
    ASSERT_INT(koine__setting_find("routes.default.targets.0.unset.3")->type, KOINE__SET_TEXT);
    ASSERT_INT(koine__setting_find("plugin_path.0")->type, KOINE__SET_PATH);
    static const char *const none[] = {"",
                                       ".",
                                       "providers",
                                       "providers.",
                                       "providers..plugin",
                                       "providers.a b.plugin",
                                       "providers.x.plugin.y",
                                       "providers.x.plugin.",
                                       "routes.d.targets.x.target",
                                       "routes.d.targets.-1.target",
                                       "routes.d.targets.01.target",
                                       "plugin_path",
                                       "plugin_path.0.1",
                                       "plugin_path[]",
                                       "providers.x.limits.requests",
                                       "providers.x.breaker.threshold",
                                       "budgets.day",
                                       "routes.d.targets.0",
                                       ".default_route",
                                       "routes.d.targets.1000000.target"};
    for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
        CU_ASSERT_PTR_NULL(koine__setting_find(none[i]));
}

static void test_maps(void)
{
    static const char *const maps[] = {"",
                                       "providers",
                                       "providers.x",
                                       "providers.x.retry",
                                       "providers.x.options",
                                       "routes.d.targets",
                                       "routes.d.targets.0",
                                       "routes.d.targets.0.set",
                                       "routes.d.targets.0.unset",
                                       "plugin_path",
                                       "pool"};
    for (size_t i = 0; i < sizeof(maps) / sizeof(maps[0]); i++)
        CU_ASSERT_TRUE(koine__setting_is_map(maps[i]));
    CU_ASSERT_FALSE(koine__setting_is_map("default_route"));
    CU_ASSERT_FALSE(koine__setting_is_map("providers.x.plugin"));
    CU_ASSERT_FALSE(koine__setting_is_map("provider"));
    CU_ASSERT_FALSE(koine__setting_is_map("providers."));
}

static const char *suggest(const char *path)
{
    static char text[128];
    return koine__setting_suggest(path, text, sizeof(text));
}

static void test_suggestions(void)
{
    ASSERT_STR(suggest("provider"), "providers");
    ASSERT_STR(suggest("providers.together.retries"), "retry");
    ASSERT_STR(suggest("providers.together.timeout"), "timeouts");
    ASSERT_STR(suggest("providers.together.timeouts.first_bite"), "first_byte");
    ASSERT_STR(suggest("providers.together.max_retries"), "retry.max_retries");
    ASSERT_STR(suggest("routes.default.target"), "targets");
    ASSERT_STR(suggest("routes.default.targets.0.sett"), "set");
    ASSERT_STR(suggest("connections"), "pool.connections");
    ASSERT_STR(suggest("zebra"), NULL);
    ASSERT_STR(suggest("providers.a b"), NULL);
    ASSERT_STR(suggest("nothing.like_this"), NULL);
    ASSERT_STR(
        suggest("providers.together.a_name_that_is_longer_than_any_that_the_table_could_ever_hold_in_it"),
        NULL);
}

/* ---- the store ---- */

static void test_stage_and_get(void)
{
    struct koine__store *store = new_store();
    const char *path, *value;
    CU_ASSERT_PTR_NULL(koine__store_get(store, "a.b"));
    CU_ASSERT_PTR_NULL(koine__store_origin(store, "a.b").source);
    struct koine__origin file = {.source = "k.yaml", .line = 3, .column = 9};
    ASSERT_INT(koine__store_set(store, "a.b", "1", file), 0);
    set(store, "a.c", "2");
    ASSERT_STR(koine__store_get(store, "a.b"), "1");
    ASSERT_STR(koine__store_origin(store, "a.b").source, "k.yaml");
    ASSERT_INT(koine__store_origin(store, "a.b").line, 3);
    set(store, "a.b", "3");
    ASSERT_STR(koine__store_get(store, "a.b"), "3");
    ASSERT_STR(koine__store_origin(store, "a.b").source, "koine_hub_set");
    ASSERT_INT(koine__store_count(store), 2);
    koine__store_item(store, 0, &path, &value);
    ASSERT_STR(path, "a.b");
    ASSERT_STR(value, "3");
    koine__store_free(store);
    koine__store_free(NULL);
}

static void test_children(void)
{
    struct koine__store *store = new_store();
    set(store, "providers.together.retry.max_retries", "1");
    set(store, "routes.default.commit", "complete");
    set(store, "providers.openai.plugin", "openai");
    set(store, "providers.together.plugin", "together");
    set(store, "default_route", "x");
    ASSERT_STR(koine__store_child(store, "providers", 0), "together");
    ASSERT_STR(koine__store_child(store, "providers", 1), "openai");
    ASSERT_STR(koine__store_child(store, "providers", 2), NULL);
    ASSERT_STR(koine__store_child(store, "providers.together", 0), "retry");
    ASSERT_STR(koine__store_child(store, "providers.together", 1), "plugin");
    ASSERT_STR(koine__store_child(store, "provider", 0), NULL);
    ASSERT_STR(koine__store_child(store, "default_route", 0), NULL);
    ASSERT_STR(koine__store_child(store, "", 0), "providers");
    ASSERT_STR(koine__store_child(store, "", 1), "routes");
    ASSERT_STR(koine__store_child(store, "", 2), "default_route");
    ASSERT_STR(koine__store_child(store, "", 3), NULL);
    koine__store_free(store);
}

static void test_unset_below(void)
{
    struct koine__store *store = new_store();
    set(store, "routes.a.targets.0.target", "x/y");
    set(store, "routes.ab.commit", "complete");
    set(store, "routes.a.targets", "odd");
    set(store, "routes.a.commit", "complete");
    koine__store_unset_below(store, "routes.a.targets");
    ASSERT_INT(koine__store_count(store), 2);
    koine__store_unset_below(store, "routes.a");
    ASSERT_INT(koine__store_count(store), 1);
    ASSERT_STR(koine__store_get(store, "routes.ab.commit"), "complete");
    koine__store_unset_below(store, "");
    ASSERT_INT(koine__store_count(store), 0);
    koine__store_free(store);
}

static void test_copy(void)
{
    struct koine__store *store = new_store();
    struct koine__origin file = {.source = "k.yaml", .line = 3, .column = 9};
    ASSERT_INT(koine__store_set(store, "log.level", "debug", file), 0);
    struct koine__store *copy = koine__store_copy(store);
    CU_ASSERT_PTR_NOT_NULL_FATAL(copy);
    set(store, "log.level", "info");
    koine__store_free(store);
    ASSERT_STR(koine__store_get(copy, "log.level"), "debug");
    ASSERT_STR(koine__store_origin(copy, "log.level").source, "k.yaml");
    ASSERT_INT(koine__store_origin(copy, "log.level").column, 9);
    koine__store_free(copy);
}

/* ---- typed reading ---- */

static void test_defaults(void)
{
    struct koine__store *store = new_store();
    static const struct {
        const char *name;
        int64_t value;
    } cases[] = {{"body_limit", 16777216},
                 {"timeouts.connect", 5000000000},
                 {"timeouts.first_byte", 60000000000},
                 {"timeouts.first_token", -1},
                 {"timeouts.idle", 60000000000},
                 {"timeouts.progress", 300000000000},
                 {"timeouts.total", 600000000000},
                 {"retry.max_retries", 3},
                 {"retry.base_delay", 1000000000},
                 {"retry.multiplier", 2000000},
                 {"retry.max_delay", 60000000000},
                 {"retry.jitter", 1},
                 {"retry.retry_after_cap", 60000000000},
                 {"retry.move_on_after", 5000000000},
                 {"retry.budget", 100},
                 {"limits.requests_per_minute", -1},
                 {"limits.tokens_per_minute", -1},
                 {"limits.concurrent", -1},
                 {"limits.queue", 256},
                 {"limits.window", 60000000000},
                 {"limits.slack", 500000000},
                 {"limits.unused_grant", 250000000},
                 {"breaker.failures", 5},
                 {"breaker.window", 60000000000},
                 {"breaker.min_calls", 5},
                 {"breaker.ratio", 500000},
                 {"breaker.open_for", 30000000000},
                 {"breaker.probes_in_flight", 1},
                 {"breaker.successes_to_close", 2},
                 {"latch", 300000000000},
                 {"price", 0}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        ASSERT_INT(koine__store_numberf(store, "providers.%s.%s", "together", cases[i].name), cases[i].value);
    ASSERT_INT(koine__store_number(store, "routes.r.commit"), 0);
    ASSERT_INT(koine__store_number(store, "routes.r.deadline"), 600000000000);
    ASSERT_INT(koine__store_number(store, "routes.r.max_attempts"), 6);
    ASSERT_INT(koine__store_number(store, "parameters"), 0);
    ASSERT_INT(koine__store_number(store, "pool.connections"), 64);
    ASSERT_INT(koine__store_number(store, "pool.idle"), 16);
    ASSERT_INT(koine__store_number(store, "min_attempt"), 1000000000);
    ASSERT_INT(koine__store_number(store, "log.level"), 1);
    ASSERT_STR(koine__store_text(store, "default_route"), "default");
    koine__store_free(store);
}

static void test_absent(void)
{
    struct koine__store *store = new_store();
    char name[600];
    memset(name, 'n', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    ASSERT_STR(koine__store_text(store, "providers.x.base_url"), NULL);
    ASSERT_STR(koine__store_text(store, "no.such.row"), NULL);
    ASSERT_INT(koine__store_number(store, "routes.r.targets.0.max_retries"), 0);
    ASSERT_INT(koine__store_number(store, "no.such.row"), 0);
    ASSERT_STR(koine__store_textf(store, "%s", name), NULL);
    ASSERT_INT(koine__store_numberf(store, "%s", name), 0);
    set(store, "no.such.row", "5");
    ASSERT_INT(koine__store_number(store, "no.such.row"), 0);
    set(store, "pool.idle", "many");
    ASSERT_INT(koine__store_number(store, "pool.idle"), 0);
    koine__store_free(store);
}

static void test_staged_values(void)
{
    struct koine__store *store = new_store();
    set(store, "providers.t.retry.multiplier", "1.5");
    set(store, "providers.t.retry.jitter", "decorrelated");
    set(store, "providers.t.timeouts.idle", "off");
    set(store, "providers.t.body_limit", "2MiB");
    set(store, "providers.t.base_url", "http://127.0.0.1:8000/v1");
    ASSERT_INT(koine__store_check(store, NULL), 0);
    ASSERT_INT(koine__store_number(store, "providers.t.retry.multiplier"), 1500000);
    ASSERT_INT(koine__store_number(store, "providers.t.retry.jitter"), 3);
    ASSERT_INT(koine__store_number(store, "providers.t.timeouts.idle"), -1);
    ASSERT_INT(koine__store_number(store, "providers.t.body_limit"), 2097152);
    ASSERT_STR(koine__store_textf(store, "providers.%s.base_url", "t"), "http://127.0.0.1:8000/v1");
    koine__store_free(store);
}

/* ---- checking ---- */

/* The message for one staged value, without "koine_hub_set: "; "" if it is accepted. */
static void check(const char *path, const char *value, const char *expected)
{
    char text[512] = "";
    koine_error *error = NULL;
    struct koine__store *store = new_store();
    set(store, path, value);
    int rc = koine__store_check(store, &error);
    ASSERT_INT(rc, expected[0] ? KOINE_ECONFIG : KOINE_OK);
    if (expected[0])
        snprintf(text, sizeof(text), "koine_hub_set: %s", expected);
    ASSERT_STR(koine_error_message(error), text);
    koine_error_free(error);
    koine__store_free(store);
}

static void test_message_names_the_place(void)
{
    koine_error *error = NULL;
    struct koine__store *store = new_store();
    struct koine__origin file = {.source = "koine.yaml", .line = 4, .column = 17};
    ASSERT_INT(koine__store_set(store, "providers.together.timeouts.connect", "5", file), 0);
    ASSERT_INT(koine__store_check(store, &error), KOINE_ECONFIG);
    ASSERT_STR(
        koine_error_message(error),
        "koine.yaml:4:17: providers.together.timeouts.connect: \"5\" has no unit; write 5s, 250ms or 2m");
    koine_error_free(error);
    koine__store_unset_below(store, "");
    file = (struct koine__origin){.source = "koine.yaml", .line = 3, .column = 5};
    ASSERT_INT(koine__store_set(store, "providers.together.retries.max", "5", file), 0);
    ASSERT_INT(koine__store_check(store, &error), KOINE_ECONFIG);
    ASSERT_STR(koine_error_message(error),
               "koine.yaml:3:5: providers.together.retries: unknown key; did you mean "
               "providers.together.retry?");
    koine_error_free(error);
    koine__store_free(store);
}

static void test_off_of_whole_numbers(void)
{
    const struct koine__setting *row = koine__setting_find("providers.t.limits.concurrent");
    int64_t value = 0;
    ASSERT_INT(koine__setting_read(row, "off", &value), KOINE_OK);
    ASSERT_INT(value, -1);
    check("providers.t.limits.concurrent", "-1",
          "providers.t.limits.concurrent: \"-1\" is out of range; allowed is 1 to 1000000, or off");
    check("providers.t.limits.concurrent", "0",
          "providers.t.limits.concurrent: \"0\" is out of range; allowed is 1 to 1000000, or off");
    check("providers.t.limits.concurrent", "none",
          "providers.t.limits.concurrent: \"none\" is no whole number; write one of 1 to 1000000, or off");
    check("providers.t.limits.queue", "off",
          "providers.t.limits.queue: \"off\" is no whole number; write one of 0 to 1000000");
    check("providers.t.limits.window", "0s",
          "providers.t.limits.window: \"0s\" is out of range; allowed is 1ms to 1d");
    check("providers.t.limits.requests_per_minute", "99999999999999999999",
          "providers.t.limits.requests_per_minute: \"99999999999999999999\" is no whole number; write one of "
          "1 to "
          "1000000, or off");
    check("providers.t.breaker.ratio", "1.5",
          "providers.t.breaker.ratio: \"1.5\" is out of range; allowed is 0 to 1");
}

static void test_unknown_keys(void)
{
    check("zebra", "1", "zebra: unknown key; docs/configuration.md lists those there are");
    check("provider.x.plugin", "x", "provider: unknown key; did you mean providers?");
    check("connections", "1", "connections: unknown key; did you mean pool.connections?");
    check("providers.t.max_retries", "1",
          "providers.t.max_retries: unknown key; did you mean providers.t.retry.max_retries?");
    check("providers.t.limit.concurrent", "1",
          "providers.t.limit: unknown key; did you mean providers.t.limits?");
    check(
        "providers.t.retry", "3",
        "providers.t.retry: holds further settings and has no value of its own; give one of those below it");
    check("providers.t.timeouts.connect.max", "3s",
          "providers.t.timeouts.connect.max: unknown key; providers.t.timeouts.connect is one duration");
    check("providers.my lab.plugin", "x",
          "providers.my lab: \"my lab\" is no name; use 1 to 64 letters, digits, _ and -");
    check("routes.r.targets.first.target", "a/b",
          "routes.r.targets.first: \"first\" is no index of a list; they are 0, 1, 2 and so on");
    check("", "x", ": holds further settings and has no value of its own; give one of those below it");
    check("providers.", "x", "providers.: \"\" is no name; use 1 to 64 letters, digits, _ and -");
}

static void test_endless_path(void)
{
    char path[3000];
    koine_error *error = NULL;
    struct koine__store *store = new_store();
    memset(path, 'p', sizeof(path) - 1);
    path[sizeof(path) - 1] = '\0';
    set(store, path, "x");
    ASSERT_INT(koine__store_check(store, &error), KOINE_ECONFIG);
    CU_ASSERT_TRUE(strlen(koine_error_message(error)) < 700);
    koine_error_free(error);
    koine__store_free(store);
}

static void test_durations(void)
{
    check("providers.t.timeouts.connect", "1ms", "");
    check("providers.t.timeouts.connect", "24h", "");
    check("providers.t.timeouts.first_token", "off", "");
    check("min_attempt", "0", "");
    check("routes.r.deadline", "400d", "");
    check("providers.t.timeouts.connect", "off",
          "providers.t.timeouts.connect: \"off\" cannot be switched off; allowed is 1ms to 1d");
    check("providers.t.timeouts.connect", "0",
          "providers.t.timeouts.connect: \"0\" is out of range; allowed is 1ms to 1d");
    check("providers.t.timeouts.idle", "25h",
          "providers.t.timeouts.idle: \"25h\" is out of range; allowed is 1ms to 1d, or off");
    check("providers.t.timeouts.idle", "never",
          "providers.t.timeouts.idle: \"never\" is no duration; write 5s, 250ms or 2m, or off");
    check("providers.t.timeouts.total", "1.5",
          "providers.t.timeouts.total: \"1.5\" has no unit; write 1.5s, 250ms or 2m");
    check("providers.t.timeouts.total", "-5",
          "providers.t.timeouts.total: \"-5\" is no duration; write 5s, 250ms or 2m");
    check("routes.r.deadline", "0", "routes.r.deadline: \"0\" is out of range; allowed is 1ms or more");
}

static void test_numbers(void)
{
    check("providers.t.retry.max_retries", "0", "");
    check("providers.t.retry.max_retries", "20", "");
    check("providers.t.retry.max_retries", "21",
          "providers.t.retry.max_retries: \"21\" is out of range; allowed is 0 to 20");
    check("providers.t.retry.max_retries", "three",
          "providers.t.retry.max_retries: \"three\" is no whole number; write one of 0 to 20");
    check("providers.t.retry.multiplier", "10", "");
    check("providers.t.retry.multiplier", "0.9",
          "providers.t.retry.multiplier: \"0.9\" is out of range; allowed is 1 to 10");
    check("providers.t.retry.multiplier", "x",
          "providers.t.retry.multiplier: \"x\" is no number; write one of 1 to 10");
    check("providers.t.body_limit", "1kB", "");
    check("providers.t.body_limit", "4096",
          "providers.t.body_limit: \"4096\" has no unit; write 4096MiB, 64kB or 4096B");
    check("providers.t.body_limit", "2GiB",
          "providers.t.body_limit: \"2GiB\" is out of range; allowed is 1kB to 1GiB");
    check("providers.t.body_limit", "big",
          "providers.t.body_limit: \"big\" is no size; write 16MiB, 64kB or 4096B");
}

static void test_dollars(void)
{
    struct koine__store *store = koine__store_new();
    struct koine__buf buf;
    set(store, "budgets.call", "0.50");
    set(store, "budgets.run", "0");
    ASSERT_INT(koine__store_number(store, "budgets.call"), INT64_C(500000000000));
    ASSERT_INT(koine__store_number(store, "budgets.run"), 0);
    koine__store_free(store);
    check("budgets.call", "0.000000000001", "");
    check("budgets.call", "1000000", "");
    check("budgets.call", "1000000.01",
          "budgets.call: \"1000000.01\" is out of range; allowed is 0.00 to 1000000.00");
    check("budgets.call", "99999999999999999999999",
          "budgets.call: \"99999999999999999999999\" is out of range; allowed is 0.00 to 1000000.00");
    check("budgets.call", "0.0000000000001",
          "budgets.call: \"0.0000000000001\" has more decimals than are counted; write at most 12");
    static const char *const words[] = {"-1", "1e3", "1,50", "NaN", "inf",  "$0.50", "0.50 USD",
                                        "+1", ".5",  "5.",   "",    "0x10", "1.2.3", " 1"};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        char wanted[200];
        snprintf(
            wanted, sizeof(wanted),
            "budgets.run: \"%s\" is no amount of US dollars; write one like 0.50, digits and a point alone",
            words[i]);
        check("budgets.run", words[i], wanted);
    }
    koine__buf_init(&buf, 1000);
    koine__setting_range(koine__setting_find("budgets.run"), &buf);
    ASSERT_STR(koine__buf_str(&buf), "0.00 to 1000000.00");
    koine__buf_release(&buf);
    ASSERT_STR(koine__setting_type_name(KOINE__SET_DOLLARS), "US dollars");
}

static void test_words(void)
{
    check("providers.t.plugin", "openai", "");
    check("providers.t.plugin", "../evil",
          "providers.t.plugin: \"../evil\" is no name; use 1 to 64 letters, digits, _ and -");
    check("providers.t.retry.jitter", "proportional", "");
    check("providers.t.retry.jitter", "equl",
          "providers.t.retry.jitter: \"equl\" is none of none, equal, full, decorrelated, proportional; did "
          "you mean "
          "equal?");
    check("log.level", "loud", "log.level: \"loud\" is none of error, warning, info, debug");
    check("routes.r.targets.0.target", "together/meta-llama/Llama-3", "");
    check(
        "routes.r.targets.0.target", "gpt-4o",
        "routes.r.targets.0.target: \"gpt-4o\" is no target; write instance/model, as in openai/gpt-4o-mini");
    check("routes.r.targets.0.target", "openai/",
          "routes.r.targets.0.target: \"openai/\" is no target; write instance/model, as in "
          "openai/gpt-4o-mini");
    check("network.ca_file", "", "network.ca_file: is empty; give a path, or leave the setting out");
    check("providers.t.api_key_command", "pass show together", "");
    check("routes.r.targets.0.set.temperature", "0.5", "");
}

static void test_long_values_are_cut(void)
{
    char value[202] = "", expected[300];
    for (int i = 0; i < 100; i++)
        strcat(value, "\xC3\xA4");
    value[0] = 'x'; /* so that the cut falls into a character */
    memmove(value + 1, value + 2, 199);
    snprintf(expected, sizeof(expected),
             "providers.t.plugin: \"%.79s…\" is no name; use 1 to 64 letters, digits, _ and -", value);
    check("providers.t.plugin", value, expected);
}

static void test_secrets(void)
{
    check("providers.t.api_key", "sk-abc", "");
    check("providers.t.api_key", "", "providers.t.api_key: is empty; give the key, or leave the setting out");
    check("providers.t.api_key", "sk-marked key",
          "providers.t.api_key: holds white space or a control character; a key has none");
    check("providers.t.api_key", "sk-marked\n",
          "providers.t.api_key: holds white space or a control character; a key has none");
}

static void test_urls(void)
{
    static const char *const good[] = {"https://api.together.ai/v1", "http://127.0.0.1:8000",
                                       "http://[::1]:80/v1",         "https://host",
                                       "http://[2001:db8::1]",       "https://h/a%20b/c"};
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        check("providers.t.base_url", good[i], "");
    check("providers.t.base_url", "ftp://x",
          "providers.t.base_url: is no URL; write https://host/path or http://host:port/path");
    check("providers.t.base_url", "https://me:secret@host/v1",
          "providers.t.base_url: must hold no user name and no password; leave out what stands before @");
    check("providers.t.base_url", "https://host/v1?key=1",
          "providers.t.base_url: must have no query and no fragment; leave out ? and #, and what follows");
    check("providers.t.base_url", "https://host/v1#x",
          "providers.t.base_url: must have no query and no fragment; leave out ? and #, and what follows");
    check("providers.t.base_url", "https://host/v1/",
          "providers.t.base_url: must not end in a slash; leave the last one out");
    check("providers.t.base_url", "https://ho st/v1",
          "providers.t.base_url: is no URL: it holds a character that must be percent-encoded");
    check("providers.t.base_url", "https://h\xC3\xA4/v1",
          "providers.t.base_url: is no URL: it holds a character that must be percent-encoded");
    static const char *const bad_hosts[] = {"https://",       "https:///v1",     "http://h:0",
                                            "http://h:65536", "http://h:",       "http://:80",
                                            "http://[::1",    "http://[x]",      "http://a:b:80",
                                            "http://[]:80/x", "http://[::1]x:8", "http://h:8o",
                                            "http://h]:8000"};
    for (size_t i = 0; i < sizeof(bad_hosts) / sizeof(bad_hosts[0]); i++)
        check("providers.t.base_url", bad_hosts[i],
              "providers.t.base_url: has no valid host and port; write https://host/path or "
              "http://host:port/path");
}

/* Types that no row of the table has yet. */
static void test_other_types(void)
{
    static const struct koine__setting truth = {.path = "x", .type = KOINE__SET_BOOL};
    static const struct koine__setting real = {
        .path = "x", .type = KOINE__SET_REAL, .min = -1500000, .max = 250000, .choices = NULL};
    static const struct koine__setting free_int = {.path = "x", .type = KOINE__SET_INTEGER};
    static const struct koine__setting size = {
        .path = "x", .type = KOINE__SET_SIZE, .min = 1, .max = 2500000};
    struct koine__buf buf;
    int64_t value = 7;
    koine__buf_init(&buf, 1000);
    ASSERT_INT(koine__setting_read(&truth, "true", &value), 0);
    ASSERT_INT(value, 1);
    ASSERT_INT(koine__setting_read(&truth, "yes", &value), KOINE_EARGUMENT);
    ASSERT_INT(value, 1);
    koine__setting_explain(&truth, "yes", &buf);
    koine__buf_addc(&buf, '|');
    koine__setting_range(&real, &buf);
    koine__buf_addc(&buf, '|');
    koine__setting_range(&truth, &buf);
    koine__buf_addc(&buf, '|');
    koine__setting_explain(&free_int, "x", &buf);
    koine__buf_addc(&buf, '|');
    koine__setting_range(&size, &buf);
    ASSERT_STR(koine__buf_str(&buf),
               "\"yes\" is neither true nor false; write one of them|-1.5 to 0.25||\"x\" is no "
               "whole number; write one|1B to 2500kB");
    ASSERT_INT(koine__setting_read(&free_int, "-9223372036854775808", &value), 0);
    ASSERT_STR(koine__setting_type_name(KOINE__SET_JSON), "any value");
    koine__buf_release(&buf);
}

static void test_origin_text(void)
{
    char text[64];
    ASSERT_STR(koine__origin_text((struct koine__origin){"a.yaml", 3, 9}, text, sizeof(text)),
               "a.yaml:3:9: ");
    ASSERT_STR(koine__origin_text((struct koine__origin){".env", 3, 0}, text, sizeof(text)), ".env:3: ");
    ASSERT_STR(koine__origin_text((struct koine__origin){"environment", 0, 0}, text, sizeof(text)),
               "environment: ");
    ASSERT_STR(koine__origin_text((struct koine__origin){NULL, 0, 0}, text, sizeof(text)), "");
}

/* ---- memory ---- */

static int stage_and_check(koine_error **ret_error)
{
    int rc = KOINE_EMEMORY;
    struct koine__store *copy = NULL, *store = koine__store_new();
    if (!store || koine__store_set(store, "log.level", "debug", from_c) ||
        koine__store_set(store, "log.level", "info", from_c) ||
        koine__store_set(store, "providers.t.retries", "5", from_c))
        goto out;
    copy = koine__store_copy(store);
    if (copy)
        rc = koine__store_check(copy, ret_error);
out:
    koine__store_free(copy);
    koine__store_free(store);
    return rc;
}

static void test_failing_memory(void)
{
    for (long n = 1;; n++) {
        koine_error *error = NULL;
        failalloc_begin(n);
        int rc = stage_and_check(&error);
        CU_ASSERT_TRUE(!error || koine_error_number(error) == rc);
        koine_error_free(error);
        if (!failalloc_end()) {
            ASSERT_INT(rc, KOINE_ECONFIG);
            CU_ASSERT_TRUE(n > 15);
            break;
        }
        ASSERT_INT(rc, KOINE_EMEMORY);
    }
}

static void test_failed_set_keeps_the_old(void)
{
    struct koine__store *store = new_store();
    set(store, "log.level", "debug");
    for (long n = 1; n <= 2; n++) {
        failalloc_begin(n);
        ASSERT_INT(koine__store_set(store, "log.level", "info", from_c), KOINE_EMEMORY);
        CU_ASSERT_TRUE(failalloc_end());
        ASSERT_STR(koine__store_get(store, "log.level"), "debug");
    }
    koine__store_free(store);
}

/* ---- the page ---- */

static void test_document(void)
{
    size_t count;
    char *page = NULL;
    const struct koine__setting *rows = koine__settings(&count);
    ASSERT_INT(koine__settings_document(&page), 0);
    for (size_t i = 0; i < count; i++) {
        char start[128];
        snprintf(start, sizeof(start), "\n| `%s` | ", rows[i].path);
        const char *line = strstr(page, start);
        CU_ASSERT_PTR_NOT_NULL_FATAL(line);
        CU_ASSERT_PTR_NULL(strstr(line + 1, start));
        size_t bars = 0;
        for (const char *at = line + 1; *at != '\n'; at++)
            bars += *at == '|';
        ASSERT_INT(bars, 6);
    }
    CU_ASSERT_PTR_NOT_NULL(
        strstr(page, "\n| `providers.*.timeouts.idle` | duration | `60s` | 1ms to 1d, or off | "));
    CU_ASSERT_PTR_NOT_NULL(strstr(page, "\n| `providers.*.api_key` | secret | | | "));
    CU_ASSERT_PTR_NOT_NULL(strstr(page, "\n## General\n"));
    koine_free(page);
    for (long n = 1;; n++) {
        page = NULL;
        failalloc_begin(n);
        int rc = koine__settings_document(&page);
        koine_free(page);
        if (!failalloc_end())
            break;
        ASSERT_INT(rc, KOINE_EMEMORY);
        CU_ASSERT_PTR_NULL(page);
    }
}

SUITE_MAIN("settings", {"rows are sound", test_rows_are_sound}, {"find", test_find}, {"maps", test_maps},
           {"suggestions", test_suggestions}, {"stage and get", test_stage_and_get},
           {"children", test_children}, {"unset below", test_unset_below}, {"copy", test_copy},
           {"defaults", test_defaults}, {"absent", test_absent}, {"staged values", test_staged_values},
           {"message names the place", test_message_names_the_place}, {"unknown keys", test_unknown_keys},
           {"whole numbers that may be off", test_off_of_whole_numbers}, {"endless path", test_endless_path},
           {"durations", test_durations}, {"numbers", test_numbers}, {"dollars", test_dollars},
           {"words", test_words}, {"long values are cut", test_long_values_are_cut},
           {"secrets", test_secrets}, {"URLs", test_urls}, {"other types", test_other_types},
           {"origin text", test_origin_text}, {"failing memory", test_failing_memory},
           {"failed set keeps the old", test_failed_set_keeps_the_old}, {"document", test_document})
