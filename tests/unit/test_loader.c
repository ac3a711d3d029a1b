#include "core/plugin/loader.h"

#include "core/base/crypto.h"
#include "core/plugin/host.h"
#include "tests/unit/failalloc.h"
#include "tests/unit/scratch.h"
#include "tests/unit/suite.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct scratch scratch;

/* NULL: loaded; else the message without the scratch folder's path. */
static const char *load(const char *name, const struct koine__plugin **ret)
{
    static char text[PATH_MAX * 2];
    koine_error *error = NULL;
    const struct koine__plugin *plugin = NULL;
    int rc = koine__plugin_load(scratch.path, name, koine__process_host(), &plugin, &error);
    const char *message = koine_error_message(error);
    size_t len = strlen(scratch.path);
    if (strncmp(message, scratch.path, len) == 0 && message[len] == '/')
        message += len + 1;
    snprintf(text, sizeof(text), "%s", message);
    koine_error_free(error);
    CU_ASSERT_TRUE(rc == (*text ? KOINE_ECONFIG : KOINE_OK));
    CU_ASSERT_TRUE((plugin != NULL) == (rc == KOINE_OK));
    if (ret)
        *ret = plugin;
    return *text ? text : NULL;
}

static void begin(void)
{
    scratch_make(&scratch);
}

static void end(void)
{
    koine__plugins_forget();
    scratch_remove(&scratch);
}

static int32_t entered(const struct koine__plugin *plugin)
{
    return *(const int32_t *)plugin->providers[0]->extension("entered");
}

/* ---- Loading -------------------------------------------------------------------------------------- */

static void loads_once(void)
{
    const struct koine__plugin *first, *second;
    struct stat state;
    begin();
    if (scratch_plugin(&scratch, "good.so", "good")) {
        ASSERT_STR(load("good.so", &first), NULL);
        ASSERT_STR(first->path, scratch_path(&scratch, "good.so"));
        CU_ASSERT_EQUAL(stat(first->path, &state), 0);
        CU_ASSERT_TRUE(first->device == state.st_dev && first->inode == state.st_ino);
        ASSERT_INT((long long)first->count, 1);
        ASSERT_STR(first->providers[0]->id, "good");
        ASSERT_STR(load("good.so", &second), NULL);
        CU_ASSERT_PTR_EQUAL(first, second);
        /* a link inside the folder and a second name are the same plugin */
        CU_ASSERT_EQUAL(symlink("good.so", scratch_path(&scratch, "link.so")), 0);
        ASSERT_STR(load("link.so", &second), NULL);
        CU_ASSERT_PTR_EQUAL(first, second);
        char old[PATH_MAX];
        snprintf(old, sizeof(old), "%s", scratch_path(&scratch, "good.so"));
        CU_ASSERT_EQUAL(link(old, scratch_path(&scratch, "hard.so")), 0);
        ASSERT_STR(load("hard.so", &second), NULL);
        CU_ASSERT_PTR_EQUAL(first, second);
        ASSERT_INT(entered(first), 1);
    }
    end();
}

static void two_providers(void)
{
    const struct koine__plugin *plugin;
    begin();
    if (scratch_plugin(&scratch, "two.so", "two")) {
        ASSERT_STR(load("two.so", &plugin), NULL);
        ASSERT_INT((long long)plugin->count, 2);
        ASSERT_STR(plugin->providers[0]->id, "one");
        ASSERT_STR(plugin->providers[1]->id, "two");
    }
    end();
}

/* The C library would silently give the old one. */
static void replaced_after_the_load(void)
{
    begin();
    if (scratch_plugin(&scratch, "good.so", "good")) {
        ASSERT_STR(load("good.so", NULL), NULL);
        CU_ASSERT_EQUAL(unlink(scratch_path(&scratch, "good.so")), 0);
        scratch_plugin(&scratch, "good.so", "two");
        ASSERT_STR(load("good.so", NULL),
                   "good.so: was replaced after it was loaded; start the process anew to use the new one");
    }
    end();
}

/* ---- Refusals ------------------------------------------------------------------------------------- */

static void names(void)
{
    begin();
    CU_ASSERT_EQUAL(mkdir(scratch_path(&scratch, "folder.so"), 0755), 0);
    static const char *const paths[] = {"", ".", "..", "a/b.so", "/etc/passwd"};
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
        CU_ASSERT_PTR_NOT_NULL(strstr(load(paths[i], NULL),
                                      ": a plugin is named by its file in a plugin folder, not by a path"));
    ASSERT_STR(load("none.so", NULL), "none.so: cannot be found: No such file or directory");
    ASSERT_STR(load("folder.so", NULL), "folder.so: is not a regular file");
    char name[PATH_MAX];
    memset(name, 'x', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    CU_ASSERT_PTR_NOT_NULL(strstr(load(name, NULL), ": the path is too long"));
    koine_error *error = NULL;
    const struct koine__plugin *plugin;
    ASSERT_INT(koine__plugin_load("/nonexistent", "a.so", koine__process_host(), &plugin, &error),
               KOINE_ECONFIG);
    ASSERT_STR(koine_error_message(error),
               "/nonexistent/a.so: the folder cannot be found: No such file or directory");
    koine_error_free(error);
    end();
}

static void links(void)
{
    char expected[PATH_MAX + 64], target[PATH_MAX];
    begin();
    CU_ASSERT_EQUAL(mkdir(scratch_path(&scratch, "sub"), 0755), 0);
    scratch_write(&scratch, "outside.so", "x", 1);
    scratch_write(&scratch, "sub/script.so", "#!/bin/sh\n", 10);
    CU_ASSERT_EQUAL(symlink("../outside.so", scratch_path(&scratch, "sub/leaves.so")), 0);
    CU_ASSERT_EQUAL(symlink("sub/script.so", scratch_path(&scratch, "deeper.so")), 0);
    CU_ASSERT_EQUAL(symlink("round.so", scratch_path(&scratch, "round.so")), 0);
    ASSERT_STR(load("deeper.so", NULL), "deeper.so: is a script, not a shared object");
    ASSERT_STR(load("round.so", NULL), "round.so: cannot be found: Too many levels of symbolic links");
    koine_error *error = NULL;
    const struct koine__plugin *plugin;
    char folder[PATH_MAX];
    snprintf(folder, sizeof(folder), "%s", scratch_path(&scratch, "sub"));
    snprintf(target, sizeof(target), "%s", scratch_path(&scratch, "outside.so"));
    snprintf(expected, sizeof(expected), "%.2000s/leaves.so: is a link to %.1900s, outside its folder",
             folder, target);
    ASSERT_INT(koine__plugin_load(folder, "leaves.so", koine__process_host(), &plugin, &error),
               KOINE_ECONFIG);
    ASSERT_STR(koine_error_message(error), expected);
    koine_error_free(error);
    end();
}

static void files_that_are_no_plugins(void)
{
    size_t len;
    begin();
    scratch_write(&scratch, "empty.so", "", 0);
    scratch_write(&scratch, "script.so", "#!/usr/bin/python3\n", 19);
    scratch_write(&scratch, "text.so", "hello\n", 6);
    ASSERT_STR(load("empty.so", NULL), "empty.so: is empty");
    ASSERT_STR(load("script.so", NULL), "script.so: is a script, not a shared object");
    ASSERT_STR(load("text.so", NULL), "text.so: is not a shared object: it has no ELF header");
    char *bytes = scratch_plugin_bytes("good", &len);
    if (bytes) {
        scratch_write(&scratch, "half.so", bytes, len / 2);
        ASSERT_STR(load("half.so", NULL), "half.so: is truncated");
        bytes[18] ^= 0x40; /* e_machine */
        scratch_write(&scratch, "foreign.so", bytes, len);
        ASSERT_STR(load("foreign.so", NULL), "foreign.so: was built for another kind of processor");
        free(bytes);
    }
    end();
}

static void files_that_others_can_change(void)
{
    begin();
    if (scratch_plugin(&scratch, "good.so", "good")) {
        CU_ASSERT_EQUAL(chmod(scratch_path(&scratch, "good.so"), 0666), 0);
        ASSERT_STR(load("good.so", NULL), "good.so: is writable by everybody; take that away with chmod o-w");
        CU_ASSERT_EQUAL(chmod(scratch_path(&scratch, "good.so"), 0644), 0);
        CU_ASSERT_EQUAL(chmod(scratch.path, 0777), 0);
        char expected[PATH_MAX];
        snprintf(expected, sizeof(expected),
                 "good.so: the folder %.2000s is writable by everybody; take that away with chmod o-w",
                 scratch.path);
        ASSERT_STR(load("good.so", NULL), expected);
        CU_ASSERT_EQUAL(chmod(scratch.path, 0700), 0);
        ASSERT_STR(load("good.so", NULL), NULL);
    }
    end();
}

static void broken_plugins(void)
{
    static const struct {
        const char *plugin, *message;
    } table[] = {
        {"empty", "x.so: has no provider"},
        {"endless", "x.so: has more than 64 providers, or no end of them"},
        {"future",
         "x.so: was built for another koine (it has koine_provider_v2, this core needs koine_provider_v1)"},
        {"stranger", "x.so: is no plugin of koine: it has no koine_provider_v1"},
        {"store", "x.so: is a store, no provider: stores lie in a folder of their own"},
        {"shouting", "x.so: its provider has no id of a-z, 0-9, _ and -, of at most 64 characters"},
        {"twins", "x.so: has two providers of the id twin"},
        {"null_frame", "x.so: provider null_frame: generate lacks request or frame"},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        begin();
        if (scratch_plugin(&scratch, "x.so", table[i].plugin)) {
            ASSERT_STR(load("x.so", NULL), table[i].message);
            ASSERT_STR(load("x.so", NULL), table[i].message); /* remembered, not asked again */
        }
        end();
    }
}

static void plugins_that_do_not_fit(void)
{
    begin();
    if (scratch_plugin(&scratch, "old.so", "old") &&
        scratch_plugin(&scratch, "unresolved.so", "unresolved")) {
        char expected[256];
        snprintf(expected, sizeof(expected), "old.so: its table has %zu bytes, a v1 table has %zu or more",
                 offsetof(koine_provider, extension), sizeof(koine_provider));
        ASSERT_STR(load("old.so", NULL), expected);
        const char *message = load("unresolved.so", NULL);
        CU_ASSERT_PTR_NOT_NULL_FATAL(message);
        CU_ASSERT_PTR_EQUAL(strstr(message, "unresolved.so: cannot be loaded: "), message);
        CU_ASSERT_PTR_NOT_NULL(strstr(message, "a_function_that_nobody_has"));
        CU_ASSERT_PTR_NULL(strstr(message, scratch.path));
    }
    end();
}

/* ---- Pins ----------------------------------------------------------------------------------------- */

#define ZEROS "0000000000000000000000000000000000000000000000000000000000000000"

/* The same as load, with a pin. */
static const char *load_pinned(const char *name, const char *pin)
{
    static char text[PATH_MAX * 2];
    koine_error *error = NULL;
    const struct koine__plugin *plugin = NULL;
    int rc = koine__plugin_load_pinned(scratch.path, name, pin, koine__process_host(), &plugin, &error);
    const char *message = koine_error_message(error);
    size_t len = strlen(scratch.path);
    if (strncmp(message, scratch.path, len) == 0 && message[len] == '/')
        message += len + 1;
    snprintf(text, sizeof(text), "%s", message);
    koine_error_free(error);
    ASSERT_INT(rc, *text ? KOINE_ECONFIG : KOINE_OK);
    return *text ? text : NULL;
}

static void digest_of(const char *plugin, char ret[KOINE__SHA256_HEX])
{
    size_t len = 0;
    char *bytes = scratch_plugin_bytes(plugin, &len);
    struct koine__sha256 hash;
    koine__sha256_begin(&hash);
    koine__sha256_add(&hash, bytes ? bytes : "", len);
    koine__sha256_end(&hash, ret);
    free(bytes);
}

static void pins(void)
{
    char right[KOINE__SHA256_HEX], upper[KOINE__SHA256_HEX], expected[512];
    begin();
    if (scratch_plugin(&scratch, "good.so", "good")) {
        digest_of("good", right);
        for (size_t i = 0; i < sizeof(upper); i++)
            upper[i] = (char)(right[i] >= 'a' && right[i] <= 'f' ? right[i] - 32 : right[i]);
        snprintf(expected, sizeof(expected),
                 "good.so: is not the file that was pinned: its SHA-256 is %s, expected was " ZEROS, right);
        ASSERT_STR(load_pinned("good.so", ZEROS), expected);
        ASSERT_STR(load_pinned("good.so", right), NULL);
        ASSERT_STR(load_pinned("good.so", upper), NULL);
        ASSERT_STR(load_pinned("good.so", ZEROS), expected); /* also of what is loaded */
        ASSERT_STR(load_pinned("good.so", NULL), NULL);
    }
    end();
}

/* Another hub loaded it without a pin: the file must still be what it was then. */
static void pinned_after_the_load(void)
{
    char right[KOINE__SHA256_HEX];
    begin();
    if (scratch_plugin(&scratch, "good.so", "good")) {
        digest_of("good", right);
        ASSERT_STR(load("good.so", NULL), NULL);
        ASSERT_STR(load_pinned("good.so", right), NULL);
    }
    end();
    begin();
    if (scratch_plugin(&scratch, "good.so", "good")) {
        static const struct timespec times[2] = {{1000, 0}, {1000, 0}};
        ASSERT_STR(load("good.so", NULL), NULL);
        CU_ASSERT_EQUAL(utimensat(AT_FDCWD, scratch_path(&scratch, "good.so"), times, 0), 0);
        ASSERT_STR(
            load_pinned("good.so", right),
            "good.so: was changed after it was loaded, so it cannot be pinned; start the process anew");
    }
    end();
}

/* What is not the pinned file never runs: this one's constructor would end the test. */
static void pinned_constructors_do_not_run(void)
{
    begin();
    if (scratch_plugin(&scratch, "crash_load.so", "crash_load"))
        CU_ASSERT_PTR_NOT_NULL(strstr(load_pinned("crash_load.so", ZEROS),
                                      ": is not the file that was pinned: its SHA-256 is "));
    end();
}

/* ---- Tables --------------------------------------------------------------------------------------- */

static int32_t request(const koine_ask *ask, koine_out *out)
{
    (void)ask;
    (void)out;
    return KOINE_DONE;
}

static int32_t frame(const koine_read *read, koine_sink *sink)
{
    (void)read;
    (void)sink;
    return KOINE_DONE;
}

static int32_t cost(const koine_cost_query *query, koine_provider_cost *ret)
{
    (void)query;
    (void)ret;
    return 0;
}

static const koine_exchange exchange = {
    .size = sizeof(exchange), .state_size = 65536, .request = request, .frame = frame};
static const koine_option integer = {
    .size = sizeof(integer), .type = KOINE_OPTION_INTEGER, .name = "version", .otherwise = "-3"};
static const koine_option truth = {
    .size = sizeof(truth), .type = KOINE_OPTION_BOOL, .name = "beta", .otherwise = "true"};
static const koine_option text = {.size = sizeof(text), .type = KOINE_OPTION_STRING, .name = "organisation"};

static koine_provider right(void)
{
    static const koine_option *const options[] = {&integer, &truth, &text, NULL};
    return (koine_provider){.size = sizeof(koine_provider),
                            .id = "a-b_9",
                            .version = "1.0.0-rc1",
                            .base_url = "http://127.0.0.1:8000/v1",
                            .key_variable = "A_KEY9",
                            .options = options,
                            .generate = &exchange,
                            .list_models = &exchange,
                            .calculate_cost = cost};
}

static const char *part; /* of the table, which the last verdict was about */

/* What the check says of a table, without "f: provider a-b_9: "; NULL: nothing. */
static const char *verdict(const koine_provider *provider)
{
    static char words[512];
    static const char start[] = "f: provider a-b_9: ";
    koine_error *error = NULL;
    int rc = koine__provider_check(provider, "f", &part, &error);
    const char *message = koine_error_message(error);
    snprintf(words, sizeof(words), "%s",
             strncmp(message, start, sizeof(start) - 1) == 0 ? message + sizeof(start) - 1 : message);
    koine_error_free(error);
    CU_ASSERT_TRUE(rc == (*words ? KOINE_ECONFIG : KOINE_OK));
    part = *words ? part : NULL;
    return *words ? words : NULL;
}

static void right_tables(void)
{
    koine_provider provider = right();
    ASSERT_STR(verdict(&provider), NULL);
    provider.options = NULL;
    provider.key_variable = NULL;
    provider.base_url = NULL;
    ASSERT_STR(verdict(&provider), NULL);
    provider.base_url = KOINE_LOCAL;
    ASSERT_STR(verdict(&provider), NULL);
    provider.base_url = "https://x";
    provider.size += 64; /* a newer header */
    ASSERT_STR(verdict(&provider), NULL);
}

static void wrong_texts(void)
{
    static const char *const ids[] = {NULL,
                                      "",
                                      "a b",
                                      "Together",
                                      "a/b",
                                      "\xc3\xa4",
                                      "a1234567890123456789012345678901234567890123456789012345678901234"};
    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        koine_provider provider = right();
        provider.id = ids[i];
        ASSERT_STR(verdict(&provider),
                   "f: its provider has no id of a-z, 0-9, _ and -, of at most 64 characters");
        ASSERT_STR(part, "id");
    }
    static const char *const versions[] = {
        NULL, "", "1 0", "1\n", "a1234567890123456789012345678901234567890123456789012345678901234"};
    for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++) {
        koine_provider provider = right();
        provider.version = versions[i];
        ASSERT_STR(verdict(&provider), "its version is missing, or no short word");
        ASSERT_STR(part, "version");
    }
    static const char *const urls[] = {"local:/x",    "",           "ftp://x",      "https://",
                                       "https:///v1", "https://x/", "https://x/ y", "http://u@x",
                                       "https://x?a", "http://x#a", "http://x\r\n", "x"};
    for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
        koine_provider provider = right();
        provider.base_url = urls[i];
        ASSERT_STR(verdict(&provider),
                   "its base URL must begin with http:// or https:// and must not end with a slash");
        ASSERT_STR(part, "base_url");
    }
    static const char *const variables[] = {"", "9A", "A-B", "A=B"};
    for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++) {
        koine_provider provider = right();
        provider.key_variable = variables[i];
        ASSERT_STR(verdict(&provider), "its key variable is no name of a variable");
        ASSERT_STR(part, "key_variable");
    }
}

static void wrong_exchanges(void)
{
    koine_provider provider = right();
    koine_exchange wrong = exchange;
    ASSERT_STR(verdict(NULL), "f: provider without an id: it has no table");
    ASSERT_STR(part, "size");
    provider.generate = NULL;
    ASSERT_STR(verdict(&provider), "generate is missing");
    ASSERT_STR(part, "generate");
    provider.generate = &wrong;
    wrong.size = offsetof(koine_exchange, frame);
    ASSERT_STR(verdict(&provider), "generate is smaller than a v1 exchange");
    wrong = exchange;
    wrong.request = NULL;
    ASSERT_STR(verdict(&provider), "generate lacks request or frame");
    wrong = exchange;
    wrong.state_size = 65537;
    ASSERT_STR(verdict(&provider), "generate asks for more than 64 kB of state");
    provider = right();
    wrong = exchange;
    wrong.frame = NULL;
    provider.list_models = &wrong;
    ASSERT_STR(verdict(&provider), "list_models lacks request or frame");
    ASSERT_STR(part, "list_models");
    provider = right();
    provider.calculate_cost = NULL;
    ASSERT_STR(verdict(&provider), "calculate_cost is missing");
    ASSERT_STR(part, "calculate_cost");
}

static void wrong_options(void)
{
    koine_provider provider = right();
    koine_option wrong = integer;
    const koine_option *options[] = {&text, &wrong, NULL};
    provider.options = options;
    wrong.size = offsetof(koine_option, help);
    ASSERT_STR(verdict(&provider), "option 2 is smaller than a v1 option");
    wrong = integer;
    wrong.name = "a b";
    ASSERT_STR(verdict(&provider), "option 2 has a name that is no name");
    wrong.name = NULL;
    ASSERT_STR(verdict(&provider), "option 2 has a name that is no name");
    wrong = integer;
    wrong.type = 0;
    ASSERT_STR(verdict(&provider), "option 2 has no type");
    wrong.type = KOINE_OPTION_BOOL + 1; /* of a later koine: read as a string */
    CU_ASSERT_PTR_NULL(verdict(&provider));
    wrong = integer;
    wrong.otherwise = "3.5";
    ASSERT_STR(verdict(&provider), "option 2 has a default that is not of its type");
    wrong = truth;
    wrong.otherwise = "perhaps";
    ASSERT_STR(verdict(&provider), "option 2 has a default that is not of its type");
    wrong = text;
    ASSERT_STR(verdict(&provider), "option 2 is there twice");
    ASSERT_STR(part, "options");
    static koine_option many[65];
    static char names_of_many[65][8];
    const koine_option *list[66] = {NULL};
    for (size_t i = 0; i < 65; i++) {
        snprintf(names_of_many[i], sizeof(names_of_many[i]), "o%zu", i);
        many[i] = text;
        many[i].name = names_of_many[i];
        list[i] = &many[i];
    }
    provider.options = list;
    ASSERT_STR(verdict(&provider), "option 65 is one too many");
    list[64] = NULL;
    ASSERT_STR(verdict(&provider), NULL);
}

/* What the checker begins with: the entry, which nobody has run. */
static void entry_alone(void)
{
    koine__entry entry = NULL;
    koine_error *error = NULL;
    begin();
    if (scratch_plugin(&scratch, "good.so", "good") && scratch_plugin(&scratch, "none.so", "stranger")) {
        ASSERT_INT(koine__plugin_entry(scratch.path, "good.so", &entry, &error), KOINE_OK);
        CU_ASSERT_PTR_NOT_NULL_FATAL(entry);
        const koine_provider *provider = entry(koine__process_host(), 0);
        CU_ASSERT_PTR_NOT_NULL_FATAL(provider);
        ASSERT_STR(provider->id, "good");
        ASSERT_INT(*(const int32_t *)provider->extension(""), 1);
        ASSERT_INT(koine__plugin_entry(scratch.path, "none.so", &entry, &error), KOINE_ECONFIG);
        koine_error_free(error);
    }
    end();
}

static void failing_allocations(void)
{
    static const char *const plugins[] = {"good", "empty"};
    for (size_t i = 0; i < 2; i++) {
        begin();
        if (!scratch_plugin(&scratch, "x.so", plugins[i])) {
            end();
            return;
        }
        for (long n = 1;; n++) {
            const struct koine__plugin *plugin = NULL;
            koine_error *error = NULL;
            failalloc_begin(n);
            int rc = koine__plugin_load(scratch.path, "x.so", koine__process_host(), &plugin, &error);
            koine_error_free(error);
            koine__plugins_forget();
            if (!failalloc_end()) {
                ASSERT_INT(rc, i == 0 ? KOINE_OK : KOINE_ECONFIG);
                break;
            }
            ASSERT_INT(rc, KOINE_EMEMORY);
        }
        end();
    }
}

SUITE_MAIN("loader", {"loads once", loads_once}, {"two providers", two_providers},
           {"replaced after the load", replaced_after_the_load}, {"names", names}, {"links", links},
           {"files that are no plugins", files_that_are_no_plugins},
           {"files that others can change", files_that_others_can_change}, {"broken plugins", broken_plugins},
           {"plugins that do not fit", plugins_that_do_not_fit}, {"pins", pins},
           {"pinned after the load", pinned_after_the_load},
           {"pinned constructors do not run", pinned_constructors_do_not_run}, {"right tables", right_tables},
           {"wrong texts", wrong_texts}, {"wrong exchanges", wrong_exchanges},
           {"wrong options", wrong_options}, {"the entry alone", entry_alone},
           {"failing allocations", failing_allocations})
