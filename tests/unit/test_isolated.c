#include "core/plugin/isolated.h"

#include "core/base/clock.h"
#include "core/plugin/binary.h"
#include "core/plugin/registry.h"
#include "core/plugin/host.h"
#include "tests/unit/failalloc.h"
#include "tests/unit/scratch.h"
#include "tests/unit/suite.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define LONG  (60 * KOINE__SEC)
#define ZEROS "0000000000000000000000000000000000000000000000000000000000000000"

static struct scratch scratch;
static char helper[PATH_MAX];

static void begin(void)
{
    snprintf(helper, sizeof(helper), "%s", scratch_helper());
    scratch_make(&scratch);
}

static void end(void)
{
    koine__plugins_forget();
    scratch_remove(&scratch);
}

static const char *without_scratch(const char *message)
{
    static char text[PATH_MAX * 2];
    size_t len = strlen(scratch.path);
    if (strncmp(message, scratch.path, len) == 0 && message[len] == '/')
        message += len + 1;
    snprintf(text, sizeof(text), "%s", message);
    return *text ? text : NULL;
}

/* NULL: opened; else the message without the scratch folder's path. */
static const char *open_with(const char *name, const struct koine__isolated_spec *spec,
                             struct koine__isolated **ret)
{
    koine_error *error = NULL;
    struct koine__isolated *isolated = NULL;
    int rc = koine__isolated_open(scratch.path, name, spec, &isolated, &error);
    const char *words = without_scratch(koine_error_message(error));
    bool is_crash = words && strstr(words, ": cannot be loaded: ") && !strstr(words, "undefined symbol");
    ASSERT_INT(rc, !words ? KOINE_OK : is_crash ? KOINE_ESYSTEM : KOINE_ECONFIG);
    CU_ASSERT_TRUE((isolated != NULL) == (rc == KOINE_OK));
    koine_error_free(error);
    if (ret)
        *ret = isolated;
    else
        koine__isolated_unref(isolated);
    return words;
}

static const char *open_isolated(const char *name, struct koine__isolated **ret)
{
    const struct koine__isolated_spec spec = {.program = helper, .timeout = LONG};
    return open_with(name, &spec, ret);
}

/* ---- Tables ---------------------------------------------------------------------------------------- */

static void tables(void)
{
    struct koine__isolated *isolated, *again;
    uint32_t index = 9;
    begin();
    if (scratch_plugin(&scratch, "picky.so", "picky") && scratch_plugin(&scratch, "two.so", "two")) {
        ASSERT_STR(open_isolated("picky.so", &isolated), NULL);
        ASSERT_INT(koine__isolated_count(isolated), 1);
        const koine_provider *provider = koine__isolated_provider(isolated, 0);
        ASSERT_STR(provider->id, "picky");
        ASSERT_STR(provider->version, "1.0.0");
        ASSERT_STR(provider->base_url, "https://127.0.0.1:1/v1");
        ASSERT_STR(provider->key_variable, "TEST_API_KEY");
        CU_ASSERT_PTR_NULL(provider->fault);
        CU_ASSERT_PTR_NULL(provider->extension);
        ASSERT_INT(provider->generate->state_size, 0);
        ASSERT_STR(provider->options[0]->name, "region");
        ASSERT_INT(provider->options[0]->required, 1);
        ASSERT_STR(provider->options[0]->otherwise, NULL);
        ASSERT_STR(provider->options[0]->help, "Where the servers are.");
        ASSERT_STR(provider->options[1]->otherwise, "3");
        ASSERT_INT(provider->options[1]->type, KOINE_OPTION_INTEGER);
        ASSERT_STR(provider->options[2]->name, "beta");
        CU_ASSERT_PTR_NULL(provider->options[3]);
        CU_ASSERT_PTR_EQUAL(koine__isolated_of(provider, &index), isolated);
        ASSERT_INT(index, 0);
        /* the same file is not started twice */
        ASSERT_STR(open_isolated("picky.so", &again), NULL);
        CU_ASSERT_PTR_EQUAL(again, isolated);
        koine__isolated_unref(again);
        CU_ASSERT_TRUE(koine__isolated_is_mine_alone(isolated));
        koine__isolated_unref(isolated);
        ASSERT_STR(open_isolated("two.so", &isolated), NULL);
        ASSERT_INT(koine__isolated_count(isolated), 2);
        ASSERT_STR(koine__isolated_provider(isolated, 1)->id, "two");
        koine__isolated_of(koine__isolated_provider(isolated, 1), &index);
        ASSERT_INT(index, 1);
        koine__isolated_unref(isolated);
    }
    end();
}

/* Unlike one in this process, it can be replaced. */
static void replaced(void)
{
    struct koine__isolated *old, *new;
    begin();
    if (scratch_plugin(&scratch, "x.so", "good")) {
        ASSERT_STR(open_isolated("x.so", &old), NULL);
        CU_ASSERT_EQUAL(unlink(scratch_path(&scratch, "x.so")), 0);
        scratch_plugin(&scratch, "x.so", "two");
        ASSERT_STR(open_isolated("x.so", &new), NULL);
        CU_ASSERT_PTR_NOT_EQUAL(new, old);
        ASSERT_INT(koine__isolated_count(old), 1);
        ASSERT_INT(koine__isolated_count(new), 2);
        koine__isolated_unref(old);
        koine__isolated_unref(new);
    }
    end();
}

/* ---- Refusals -------------------------------------------------------------------------------------- */

static const struct {
    const char *plugin, *message;
} refusals[] = {
    {"empty", "x.so: has no provider"},
    {"endless", "x.so: has more than 64 providers, or no end of them"},
    {"stranger", "x.so: is no plugin of koine: it has no " KOINE_ENTRY_NAME},
    {"shouting", "x.so: its provider has no id of a-z, 0-9, _ and -, of at most 64 characters"},
    {"twins", "x.so: has two providers of the id twin"},
    {"null_frame", "x.so: provider null_frame: generate lacks request or frame"},
    {"exit_load", "x.so: cannot be loaded: its process ended with status 4"},
#ifndef __SANITIZE_ADDRESS__
    {"crash_load", "x.so: cannot be loaded: its process was killed by SIGILL"},
    {"crash_entry", "x.so: cannot be loaded: its process was killed by SIGILL"},
#endif
};

/* The same words as in this process, and those for what would have ended this process. */
static void broken_plugins(void)
{
    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        begin();
        if (scratch_plugin(&scratch, "x.so", refusals[i].plugin))
            ASSERT_STR(open_isolated("x.so", NULL), refusals[i].message);
        end();
    }
}

static void crashes(void)
{
    static const char *const plugins[] = {"crash_load", "crash_entry"};
    for (size_t i = 0; i < 2; i++) {
        begin();
        if (scratch_plugin(&scratch, "x.so", plugins[i])) {
            const char *words = open_isolated("x.so", NULL);
            CU_ASSERT_PTR_NOT_NULL_FATAL(words);
            CU_ASSERT_PTR_EQUAL(strstr(words, "x.so: cannot be loaded: its process "), words);
        }
        end();
    }
}

static void never_loaded(void)
{
    begin();
    const struct koine__isolated_spec spec = {.program = helper, .timeout = 200 * KOINE__MS};
    if (scratch_plugin(&scratch, "x.so", "loop_load"))
        ASSERT_STR(open_with("x.so", &spec, NULL), "x.so: cannot be loaded: did not finish in time");
    end();
}

static void unresolved(void)
{
    begin();
    if (scratch_plugin(&scratch, "x.so", "unresolved")) {
        const char *words = open_isolated("x.so", NULL);
        CU_ASSERT_PTR_NOT_NULL_FATAL(words);
        CU_ASSERT_PTR_EQUAL(strstr(words, "x.so: cannot be loaded: "), words);
        CU_ASSERT_PTR_NOT_NULL(strstr(words, "a_function_that_nobody_has"));
        CU_ASSERT_PTR_NULL(strchr(words, '\n'));
    }
    end();
}

static void files_that_are_no_plugins(void)
{
    begin();
    scratch_write(&scratch, "empty.so", "", 0);
    scratch_write(&scratch, "script.so", "#!/bin/sh\n", 10);
    ASSERT_STR(open_isolated("empty.so", NULL), "empty.so: is empty");
    ASSERT_STR(open_isolated("script.so", NULL), "script.so: is a script, not a shared object");
    ASSERT_STR(open_isolated("none.so", NULL), "none.so: cannot be found: No such file or directory");
    if (scratch_plugin(&scratch, "good.so", "good")) {
        CU_ASSERT_EQUAL(chmod(scratch_path(&scratch, "good.so"), 0666), 0);
        ASSERT_STR(open_isolated("good.so", NULL),
                   "good.so: is writable by everybody; take that away with chmod o-w");
    }
    end();
}

static void helpers(void)
{
    char own[PATH_MAX], expected[PATH_MAX * 2];
    begin();
    if (scratch_plugin(&scratch, "good.so", "good")) {
        struct koine__isolated_spec spec = {.program = "/nonexistent/koine-isolate", .timeout = LONG};
        ASSERT_STR(
            open_with("good.so", &spec, NULL),
            "good.so: its helper /nonexistent/koine-isolate cannot be found: No such file or directory");
        scratch_write(&scratch, "helper", "#!/bin/sh\nexit 3\n", 17);
        snprintf(own, sizeof(own), "%s", scratch_path(&scratch, "helper"));
        spec.program = own;
        snprintf(expected, sizeof(expected),
                 "good.so: its helper %.2000s cannot be started: Permission denied", own);
        ASSERT_STR(open_with("good.so", &spec, NULL), expected);
        CU_ASSERT_EQUAL(chmod(own, 0777), 0);
        snprintf(expected, sizeof(expected),
                 "good.so: its helper %.2000s: is writable by everybody; take that away with chmod o-w", own);
        ASSERT_STR(open_with("good.so", &spec, NULL), expected);
        CU_ASSERT_EQUAL(chmod(own, 0755), 0);
        ASSERT_STR(open_with("good.so", &spec, NULL),
                   "good.so: cannot be loaded: its process ended with status 3");
        static const char garbled[] = "#!/bin/sh\nprintf '\\377\\377\\377\\377x' >&3\nread line <&3\n";
        scratch_write(&scratch, "helper", garbled, sizeof(garbled) - 1);
        CU_ASSERT_EQUAL(chmod(own, 0755), 0);
        ASSERT_STR(open_with("good.so", &spec, NULL),
                   "good.so: cannot be loaded: its helper said what it must not");
    }
    end();
}

/* ---- Pins ------------------------------------------------------------------------------------------ */

static void pins(void)
{
    char right[KOINE__SHA256_HEX], expected[512];
    size_t len;
    begin();
    char *bytes = scratch_plugin_bytes("good", &len);
    if (bytes && scratch_plugin(&scratch, "good.so", "good") &&
        scratch_plugin(&scratch, "crash_load.so", "crash_load")) {
        struct koine__sha256 hash;
        koine__sha256_begin(&hash);
        koine__sha256_add(&hash, bytes, len);
        koine__sha256_end(&hash, right);
        const char *list[] = {right, NULL, NULL};
        struct koine__isolated_spec spec = {.program = helper, .timeout = LONG, .sha256 = list};
        ASSERT_STR(open_with("good.so", &spec, NULL), NULL);
        list[1] = ZEROS;
        snprintf(expected, sizeof(expected),
                 "good.so: is not the file that was pinned: its SHA-256 is %s, expected was " ZEROS, right);
        ASSERT_STR(open_with("good.so", &spec, NULL), expected);
        CU_ASSERT_PTR_NOT_NULL(
            strstr(open_with("crash_load.so", &spec, NULL), ": is not the file that was pinned: "));
    }
    free(bytes);
    end();
}

/* ---- The registry ---------------------------------------------------------------------------------- */

static void build(const struct koine__wish *wishes, size_t count, struct koine__registry *ret)
{
    const char *folders[] = {scratch.path, NULL};
    const struct koine__wishes all = {wishes, count, helper};
    ASSERT_INT(koine__registry_build(folders, &all, koine__process_host(), ret, NULL), KOINE_OK);
}

/* What would end this process is refused with its reason, and the others are there. */
static void the_others_load(void)
{
    static const struct koine__wish wishes[] = {{.plugin = "crash_load", .isolate = true, .timeout = LONG},
                                                {.plugin = "good", .isolate = true, .timeout = LONG},
                                                {.plugin = "picky"}};
    struct koine__registry registry;
    begin();
    if (scratch_plugin(&scratch, "crash_load.so", "crash_load") &&
        scratch_plugin(&scratch, "good.so", "good") && scratch_plugin(&scratch, "picky.so", "picky") &&
        scratch_plugin(&scratch, "two.so", "two")) {
        build(wishes, 3, &registry);
        ASSERT_INT(registry.count, 5);
        const struct koine__found *found = koine__registry_find(&registry, "crash_load", true);
        CU_ASSERT_PTR_NOT_NULL_FATAL(found);
        CU_ASSERT_PTR_NULL(found->provider);
        CU_ASSERT_PTR_EQUAL(strstr(found->reason, "cannot be loaded: its process "), found->reason);
        CU_ASSERT_TRUE(found->has_crashed);
        CU_ASSERT_PTR_NULL(koine__registry_find(&registry, "crash_load", false));
        CU_ASSERT_PTR_NOT_NULL(koine__registry_find(&registry, "good", true)->provider);
        CU_ASSERT_PTR_NULL(koine__registry_find(&registry, "good", false));
        CU_ASSERT_PTR_NOT_NULL(koine__registry_find(&registry, "picky", false)->provider);
        CU_ASSERT_PTR_NOT_NULL(koine__registry_find(&registry, "two", false)->provider);
        koine__registry_release(&registry);
    }
    end();
}

static const char *reason(const struct koine__registry *registry, const char *id, bool is_isolated)
{
    for (size_t i = 0; i < registry->count; i++)
        if (!registry->items[i].provider && registry->items[i].is_isolated == is_isolated &&
            strcmp(registry->items[i].id, id) == 0)
            return registry->items[i].reason;
    return NULL;
}

static void write_bad_company(char *bytes, size_t len, const char *outside)
{
    scratch_plugin(&scratch, "a-good.so", "good");
    scratch_write(&scratch, "half.so", bytes, len / 2);
    bytes[18] ^= 0x40; /* e_machine */
    scratch_write(&scratch, "foreign.so", bytes, len);
    scratch_write(&scratch, "empty.so", "", 0);
    scratch_write(&scratch, "script.so", "#!/bin/sh\n", 10);
    CU_ASSERT_EQUAL(symlink(outside, scratch_path(&scratch, "leaves.so")), 0);
    scratch_plugin(&scratch, "stranger.so", "stranger");
    scratch_plugin(&scratch, "old.so", "old");
    scratch_plugin(&scratch, "null.so", "null_frame");
    scratch_plugin(&scratch, "usurper.so", "usurper");
    scratch_plugin(&scratch, "crash.so", "crash_load");
    scratch_plugin(&scratch, "pinned.so", "picky");
    scratch_plugin(&scratch, "z-two.so", "two");
}

/* A folder of everything that can be wrong with a file: one line each, and the two that are right load. */
static void bad_company(void)
{
    static const struct koine__wish wishes[] = {{.plugin = "crash", .isolate = true, .timeout = LONG},
                                                {.plugin = "pinned", .sha256 = ZEROS}};
    char outside[PATH_MAX], expected[PATH_MAX + 64];
    struct koine__registry registry;
    size_t len = 0;
    begin();
    char *bytes = scratch_plugin_bytes("good", &len);
    if (bytes) {
        struct scratch elsewhere;
        scratch_make(&elsewhere);
        scratch_write(&elsewhere, "outside.so", bytes, len);
        snprintf(outside, sizeof(outside), "%s", scratch_path(&elsewhere, "outside.so"));
        write_bad_company(bytes, len, outside);
        build(wishes, 2, &registry);
        ASSERT_STR(reason(&registry, "half", false), "is truncated");
        ASSERT_STR(reason(&registry, "foreign", false), "was built for another kind of processor");
        ASSERT_STR(reason(&registry, "empty", false), "is empty");
        ASSERT_STR(reason(&registry, "script", false), "is a script, not a shared object");
        snprintf(expected, sizeof(expected), "is a link to %s, outside its folder", outside);
        ASSERT_STR(reason(&registry, "leaves", false), expected);
        ASSERT_STR(reason(&registry, "stranger", false),
                   "is no plugin of koine: it has no " KOINE_ENTRY_NAME);
        snprintf(expected, sizeof(expected), "its table has %zu bytes, a v1 table has %zu or more",
                 offsetof(koine_provider, extension), sizeof(koine_provider));
        ASSERT_STR(reason(&registry, "old", false), expected);
        ASSERT_STR(reason(&registry, "null", false), "provider null_frame: generate lacks request or frame");
        snprintf(expected, sizeof(expected), "the id good is taken by %s",
                 scratch_path(&scratch, "a-good.so"));
        ASSERT_STR(reason(&registry, "good", false), expected);
        const char *crash = reason(&registry, "crash", true);
        CU_ASSERT_PTR_NOT_NULL_FATAL(crash);
        CU_ASSERT_PTR_EQUAL(strstr(crash, "cannot be loaded: its process "), crash);
        CU_ASSERT_PTR_NOT_NULL(
            strstr(reason(&registry, "pinned", false), "is not the file that was pinned: "));
        CU_ASSERT_PTR_NOT_NULL(koine__registry_find(&registry, "good", false)->provider);
        CU_ASSERT_PTR_NOT_NULL(koine__registry_find(&registry, "honest", false)->provider);
        CU_ASSERT_PTR_NOT_NULL(koine__registry_find(&registry, "one", false)->provider);
        CU_ASSERT_PTR_NOT_NULL(koine__registry_find(&registry, "two", false)->provider);
        for (size_t i = 0; i < registry.count; i++)
            if (registry.items[i].reason)
                CU_ASSERT_PTR_NULL(strchr(registry.items[i].reason, '\n'));
        koine__registry_release(&registry);
        scratch_remove(&elsewhere);
    }
    free(bytes);
    end();
}

/* One instance wants it isolated, another does not: it is there twice. */
static void both_ways(void)
{
    static const struct koine__wish wishes[] = {{.plugin = "good", .isolate = true, .timeout = LONG},
                                                {.plugin = "good", .sha256 = ZEROS},
                                                {.plugin = "two", .isolate = true, .timeout = LONG},
                                                {.plugin = "two"}};
    struct koine__registry registry;
    begin();
    if (scratch_plugin(&scratch, "good.so", "good") && scratch_plugin(&scratch, "two.so", "two")) {
        build(wishes, 4, &registry);
        CU_ASSERT_PTR_NOT_NULL(koine__registry_find(&registry, "one", true)->provider);
        CU_ASSERT_PTR_NOT_NULL(koine__registry_find(&registry, "one", false)->provider);
        CU_ASSERT_PTR_NOT_NULL(
            strstr(koine__registry_find(&registry, "good", true)->reason, "is not the file that was pinned"));
        CU_ASSERT_PTR_NOT_NULL(strstr(koine__registry_find(&registry, "good", false)->reason,
                                      "is not the file that was pinned"));
        koine__registry_release(&registry);
    }
    end();
}

static void failing_allocations(void)
{
    begin();
    if (scratch_plugin(&scratch, "picky.so", "picky")) {
        for (long n = 1;; n++) {
            const struct koine__isolated_spec spec = {.program = helper, .timeout = LONG};
            struct koine__isolated *isolated = NULL;
            koine_error *error = NULL;
            failalloc_begin(n);
            int rc = koine__isolated_open(scratch.path, "picky.so", &spec, &isolated, &error);
            koine_error_free(error);
            koine__isolated_unref(isolated);
            if (!failalloc_end()) {
                ASSERT_INT(rc, KOINE_OK);
                break;
            }
            CU_ASSERT_TRUE(rc == KOINE_EMEMORY || rc == KOINE_ECONFIG || rc == KOINE_ESYSTEM);
        }
    }
    end();
}

SUITE_MAIN("isolated", {"tables", tables}, {"replaced", replaced}, {"broken plugins", broken_plugins},
           {"crashes", crashes}, {"never loaded", never_loaded}, {"unresolved", unresolved},
           {"files that are no plugins", files_that_are_no_plugins}, {"helpers", helpers}, {"pins", pins},
           {"the others load", the_others_load}, {"bad company", bad_company}, {"both ways", both_ways},
           {"failing allocations", failing_allocations})
