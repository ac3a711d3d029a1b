#include "core/hub/snapshot.h"

#include "core/base/mem.h"
#include "core/hub/config.h"
#include "core/plugin/loader.h"
#include "tests/unit/failalloc.h"
#include "tests/unit/scratch.h"
#include "tests/unit/suite.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECOND INT64_C(1000000000)

static struct scratch scratch;
static char folder[PATH_MAX];
static char message[8192];

static const char catalogue[] = "{\"provider\": \"good\", \"models\": [{\"id\": \"m\", \"context\": 1000, "
                                "\"aliases\": [\"M-one\"], \"prices\": "
                                "[{\"valid_from\": \"2024-07-23\", \"input\": 0.18, \"output\": 0.18}]}]}";
static const char more[] =
    "{\"provider\": \"good\", \"models\": [{\"id\": \"m\", \"context\": 2000}, {\"id\": \"n\"}]}";

/* A folder with the plugins good, one, two; a catalogue beside good; false: there are no test plugins. */
static bool begin(void)
{
    scratch_make(&scratch);
    snprintf(folder, sizeof(folder), "%s", scratch_path(&scratch, "p"));
    CU_ASSERT_EQUAL_FATAL(mkdir(folder, 0755), 0);
    scratch_write(&scratch, "p/good.json", catalogue, sizeof(catalogue) - 1);
    scratch_write(&scratch, "p/bad.so", "", 0);
    return scratch_plugin(&scratch, "p/good.so", "good") && scratch_plugin(&scratch, "p/two.so", "two");
}

static void end(void)
{
    koine__plugins_forget();
    scratch_remove(&scratch);
}

static const char *max_cost; /* of the environment, "MAX_ESTIMATED_COST=…" */

/* Reads the text as koine.yaml of the scratch folder and builds; NULL: `message` says why not. */
static struct koine__snapshot *build_with(const char *text, struct koine__log *log)
{
    const char *const variables[] = {"TEST_API_KEY=sk-MARKED", "OTHER=sk-OTHER", max_cost, NULL};
    struct koine__store *store = koine__store_new();
    struct koine__env *env = koine__env_new();
    struct koine__snapshot *snapshot = NULL;
    koine_error *error = NULL;
    char whole[8192];
    int len = snprintf(whole, sizeof(whole), "%splugin_path: [p]\n", text);
    CU_ASSERT_EQUAL(koine__env_add_process(env, variables), KOINE_OK);
    int rc = koine__config_parse(store, "k", scratch.path, whole, (size_t)len, env, &error);
    if (!rc)
        rc = koine__snapshot_build(store, &(struct koine__surroundings){.env = env, .log = log}, &snapshot,
                                   &error);
    CU_ASSERT_TRUE(rc == KOINE_OK || rc == KOINE_ECONFIG);
    snprintf(message, sizeof(message), "%s", koine_error_message(error));
    CU_ASSERT_PTR_NULL(strstr(message, "MARKED"));
    koine_error_free(error);
    koine__env_free(env);
    koine__store_free(store);
    return snapshot;
}

static struct koine__snapshot *build(const char *text)
{
    return build_with(text, NULL);
}

static void expect_refusal(const char *text, const char *wanted)
{
    struct koine__snapshot *snapshot = build(text);
    CU_ASSERT_PTR_NULL(snapshot);
    ASSERT_STR(message, wanted);
    koine__snapshot_unref(snapshot);
}

static const char *key_of(const struct koine__snapshot *snapshot, const char *name)
{
    const struct koine__instance *instance = koine__snapshot_instance(snapshot, name);
    size_t len;
    return instance && instance->secret ? koine__secret_text(instance->secret, &len) : NULL;
}

/* Without a word of configuration every plugin found is an instance. */
static void found_plugins(void)
{
    if (begin()) {
        static const char *const names[] = {"good", "one", "two"};
        struct koine__snapshot *snapshot = build("");
        ASSERT_STR(message, "");
        CU_ASSERT_PTR_NOT_NULL_FATAL(snapshot);
        ASSERT_INT((long long)snapshot->instance_count, 3);
        for (size_t i = 0; i < 3; i++)
            ASSERT_STR(snapshot->instances[i].name, names[i]);
        const struct koine__instance *good = koine__snapshot_instance(snapshot, "good");
        ASSERT_STR(good->provider->id, "good");
        ASSERT_STR(good->base_url, "https://127.0.0.1:1/v1");
        ASSERT_STR(good->file, scratch_path(&scratch, "p/good.so"));
        ASSERT_STR(good->reason, NULL);
        ASSERT_STR(key_of(snapshot, "good"), "sk-MARKED");
        CU_ASSERT_PTR_NULL(koine__snapshot_instance(snapshot, "bad"));
        CU_ASSERT_PTR_NULL(snapshot->default_route);
        CU_ASSERT_PTR_NULL(koine__snapshot_route(snapshot, "default"));
        ASSERT_STR(snapshot->registry.folders[0], folder);
        CU_ASSERT_PTR_NOT_NULL(snapshot->registry.folders[1]); /* the one that was installed */
        CU_ASSERT_PTR_NULL(snapshot->registry.folders[2]);
        koine__snapshot_unref(snapshot);
    }
    end();
}

static void defaults(void)
{
    if (begin()) {
        struct koine__snapshot *snapshot = build("");
        CU_ASSERT_PTR_NOT_NULL_FATAL(snapshot);
        const struct koine__instance *it = koine__snapshot_instance(snapshot, "good");
        ASSERT_INT(it->timeouts.connect, 5 * SECOND);
        ASSERT_INT(it->timeouts.first_byte, 60 * SECOND);
        ASSERT_INT(it->timeouts.first_token, -1);
        ASSERT_INT(it->timeouts.idle, 60 * SECOND);
        ASSERT_INT(it->timeouts.progress, 300 * SECOND);
        ASSERT_INT(it->timeouts.total, 600 * SECOND);
        ASSERT_INT(it->retry.max_retries, 3);
        ASSERT_INT(it->retry.base_delay, SECOND);
        ASSERT_INT(it->retry.multiplier, 2000000);
        ASSERT_INT(it->retry.max_delay, 60 * SECOND);
        ASSERT_INT(it->retry.jitter, KOINE__JITTER_EQUAL);
        ASSERT_INT(it->retry.retry_after_cap, 60 * SECOND);
        ASSERT_INT(it->retry.move_on_after, 5 * SECOND);
        ASSERT_INT(it->parameters, KOINE__PARAMETERS_WARN);
        ASSERT_INT(it->body_limit, 16777216);
        CU_ASSERT_FALSE(it->free_of_charge);
        CU_ASSERT_PTR_NOT_NULL_FATAL(it->options);
        CU_ASSERT_PTR_NULL(it->options[0]);
        ASSERT_INT(snapshot->pool_connections, 64);
        ASSERT_INT(snapshot->pool_idle, 16);
        ASSERT_INT(snapshot->min_attempt, SECOND);
        ASSERT_STR(snapshot->ca_file, NULL);
        ASSERT_STR(snapshot->proxy, NULL);
        ASSERT_INT(snapshot->single.commit, KOINE_COMMIT_FIRST_CONTENT);
        ASSERT_INT(snapshot->single.deadline, 600 * SECOND);
        ASSERT_INT(snapshot->single.max_attempts, 6);
        koine__snapshot_unref(snapshot);
    }
    end();
}

static const char configured[] =
    "providers:\n"
    "  good:\n"
    "    timeouts: {connect: 1s, first_token: 2s, idle: off}\n"
    "    retry: {max_retries: 0, multiplier: 1.5, jitter: full}\n"
    "    parameters: drop\n"
    "    body_limit: 1MiB\n"
    "  lab: {plugin: one, base_url: http://127.0.0.1:8000/v1, price: free}\n"
    "  two:\n"
    "routes:\n"
    "  default:\n"
    "    targets:\n"
    "    - good/m\n"
    "    - {target: lab/org/m:free, set: {stop: [a], n: 1.50}, unset: [top_k, seed], max_retries: 5}\n"
    "    - good/m-ONE\n"
    "    commit: complete\n"
    "    deadline: 2m\n"
    "    max_attempts: 9\n"
    "  cheap: {targets: [two/x]}\n"
    "parameters: strict\n"
    "min_attempt: 5ms\n"
    "pool: {connections: 3, idle: 2}\n"
    "network: {ca_file: ca.pem, proxy: \"http://proxy:3128\"}\n";

static void instances(void)
{
    if (begin()) {
        static const char *const names[] = {"good", "lab", "two", "one"};
        struct koine__snapshot *snapshot = build(configured);
        ASSERT_STR(message, "");
        CU_ASSERT_PTR_NOT_NULL_FATAL(snapshot);
        ASSERT_INT((long long)snapshot->instance_count, 4);
        for (size_t i = 0; i < 4; i++)
            ASSERT_STR(snapshot->instances[i].name, names[i]);
        const struct koine__instance *good = &snapshot->instances[0], *lab = &snapshot->instances[1];
        ASSERT_INT(good->timeouts.connect, SECOND);
        ASSERT_INT(good->timeouts.first_token, 2 * SECOND);
        ASSERT_INT(good->timeouts.idle, -1);
        ASSERT_INT(good->retry.max_retries, 0);
        ASSERT_INT(good->retry.multiplier, 1500000);
        ASSERT_INT(good->retry.jitter, KOINE__JITTER_FULL);
        ASSERT_INT(good->parameters, KOINE__PARAMETERS_DROP);
        ASSERT_INT(good->body_limit, 1048576);
        ASSERT_STR(lab->provider->id, "one");
        ASSERT_STR(lab->base_url, "http://127.0.0.1:8000/v1");
        ASSERT_INT(lab->parameters, KOINE__PARAMETERS_STRICT);
        CU_ASSERT_TRUE(lab->free_of_charge);
        CU_ASSERT_FALSE(good->free_of_charge);
        ASSERT_INT(snapshot->pool_connections, 3);
        ASSERT_INT(snapshot->pool_idle, 2);
        ASSERT_INT(snapshot->min_attempt, 5000000);
        ASSERT_STR(snapshot->ca_file, scratch_path(&scratch, "ca.pem"));
        ASSERT_STR(snapshot->proxy, "http://proxy:3128");
        koine__snapshot_unref(snapshot);
    }
    end();
}

static void routes(void)
{
    if (begin()) {
        struct koine__snapshot *snapshot = build(configured);
        CU_ASSERT_PTR_NOT_NULL_FATAL(snapshot);
        ASSERT_INT((long long)snapshot->route_count, 2);
        const struct koine__route *route = snapshot->default_route;
        CU_ASSERT_PTR_NOT_NULL_FATAL(route);
        CU_ASSERT_PTR_EQUAL(route, koine__snapshot_route(snapshot, "default"));
        ASSERT_STR(route->name, "default");
        ASSERT_INT(route->commit, KOINE_COMMIT_COMPLETE);
        ASSERT_INT(route->deadline, 120 * SECOND);
        ASSERT_INT(route->max_attempts, 9);
        ASSERT_INT((long long)route->count, 3);
        const struct koine__target *first = &route->targets[0], *second = &route->targets[1];
        ASSERT_STR(first->text, "good/m");
        ASSERT_STR(first->model, "m");
        CU_ASSERT_PTR_EQUAL(first->instance, &snapshot->instances[0]);
        ASSERT_INT(first->max_retries, -1);
        ASSERT_INT((long long)first->member_count, 0);
        CU_ASSERT_PTR_NOT_NULL_FATAL(first->known);
        ASSERT_INT(first->known->context, 1000);
        CU_ASSERT_PTR_EQUAL(route->targets[2].known, first->known); /* by its alias */
        ASSERT_STR(second->text, "lab/org/m:free");
        ASSERT_STR(second->model, "org/m:free"); /* split at the first slash */
        CU_ASSERT_PTR_EQUAL(second->instance, &snapshot->instances[1]);
        CU_ASSERT_PTR_NULL(second->known);
        ASSERT_INT(second->max_retries, 5);
        ASSERT_INT((long long)second->member_count, 4);
        ASSERT_STR(second->members[0].name, "stop");
        ASSERT_STR(second->members[0].json, "[\"a\"]");
        ASSERT_STR(second->members[1].name, "n");
        ASSERT_STR(second->members[1].json, "1.50");
        ASSERT_STR(second->members[2].name, "top_k");
        ASSERT_STR(second->members[2].json, NULL);
        ASSERT_STR(second->members[3].name, "seed");
        ASSERT_INT(snapshot->single.commit, KOINE_COMMIT_COMPLETE); /* as the default route has it */
        ASSERT_INT(snapshot->single.deadline, 120 * SECOND);
        ASSERT_INT(snapshot->single.max_attempts, 9);
        const struct koine__route *cheap = koine__snapshot_route(snapshot, "cheap");
        ASSERT_INT(cheap->commit, KOINE_COMMIT_FIRST_CONTENT);
        ASSERT_INT(cheap->deadline, 600 * SECOND);
        ASSERT_INT(cheap->max_attempts, 6);
        koine__snapshot_unref(snapshot);
    }
    end();
}

static void default_routes(void)
{
    if (begin()) {
        struct koine__snapshot *snapshot = build("routes: {a: {targets: [good/m]}}\ndefault_route: a\n");
        CU_ASSERT_PTR_NOT_NULL_FATAL(snapshot);
        ASSERT_STR(snapshot->default_route->name, "a");
        koine__snapshot_unref(snapshot);
        snapshot = build("routes: {a: {targets: [good/m]}}\n");
        CU_ASSERT_PTR_NOT_NULL_FATAL(snapshot);
        CU_ASSERT_PTR_NULL(snapshot->default_route);
        koine__snapshot_unref(snapshot);
        expect_refusal("routes: {fast: {targets: [good/m]}}\ndefault_route: fats\n",
                       "k:2:16: default_route: no route named \"fats\"; did you mean fast?");
        expect_refusal("default_route: default\n",
                       "k:1:16: default_route: no route named \"default\"; add it below routes");
    }
    end();
}

static void plugin_refusals(void)
{
    if (begin()) {
        char wanted[3 * PATH_MAX];
        snprintf(wanted, sizeof(wanted), "k:3:3: providers.lab: no plugin named \"x\" in %s, ", folder);
        CU_ASSERT_PTR_NULL(build("providers:\n  good:\n  lab: {plugin: x}\n"));
        CU_ASSERT_EQUAL(strncmp(message, wanted, strlen(wanted)), 0);
        CU_ASSERT_PTR_NOT_NULL(strstr(message, "; found: good, one, two"));
        CU_ASSERT_PTR_NULL(build("providers:\n  lab:\n"));
        CU_ASSERT_PTR_NOT_NULL(strstr(message, "k:2:3: providers.lab: no plugin named \"lab\" in "));
        CU_ASSERT_PTR_NOT_NULL(strstr(message, "; found: good, one, two; `plugin:` names another one"));
        snprintf(wanted, sizeof(wanted),
                 "k:1:13: providers.bad: the plugin \"bad\" was refused: %s: is empty",
                 scratch_path(&scratch, "p/bad.so"));
        expect_refusal("providers: {bad: }\n", wanted);
    }
    end();
}

static void keys(void)
{
    if (begin()) {
        struct koine__snapshot *snapshot;
        scratch_write(&scratch, "key", "sk-file\n", 8);
        CU_ASSERT_EQUAL(chmod(scratch_path(&scratch, "key"), 0600), 0);
        snapshot = build("providers:\n"
                         "  a: {plugin: good, api_key: sk-literal}\n"
                         "  b: {plugin: good, api_key_file: key}\n"
                         "  c: {plugin: good, api_key_command: echo sk-command}\n"
                         "  d: {plugin: good}\n"
                         "  e: {plugin: good, base_url: http://127.0.0.1:9}\n"
                         "  f: {plugin: good, base_url: http://127.0.0.1:9, api_key: \"${TEST_API_KEY}\"}\n"
                         "  g: {plugin: good, base_url: \"https://127.0.0.1:1/v1\"}\n"
                         "  h: {plugin: good, api_key: \"${OTHER}\"}\n");
        ASSERT_STR(message, "");
        CU_ASSERT_PTR_NOT_NULL_FATAL(snapshot);
        ASSERT_STR(key_of(snapshot, "a"), "sk-literal");
        ASSERT_STR(key_of(snapshot, "b"), "sk-file");
        ASSERT_STR(key_of(snapshot, "c"), "sk-command");
        ASSERT_STR(key_of(snapshot, "d"), "sk-MARKED");
        ASSERT_STR(key_of(snapshot, "e"), NULL); /* another server gets no key that was not meant for it */
        ASSERT_STR(key_of(snapshot, "f"), "sk-MARKED");
        ASSERT_STR(key_of(snapshot, "g"), "sk-MARKED"); /* the plugin's own server, written out */
        ASSERT_STR(key_of(snapshot, "h"), "sk-OTHER");
        koine__snapshot_unref(snapshot);
    }
    end();
}

static void key_refusals(void)
{
    if (begin()) {
        scratch_write(&scratch, "key", "sk-MARKED\n", 10);
        expect_refusal(
            "providers:\n  good: {api_key: x, api_key_command: y}\n",
            "k:2:39: providers.good.api_key_command: api_key is given too; only one of them can hold");
        expect_refusal(
            "providers:\n  good: {api_key_file: x, api_key: y}\n",
            "k:2:24: providers.good.api_key_file: api_key is given too; only one of them can hold");
        CU_ASSERT_PTR_NULL(build("providers:\n  good: {api_key_file: key}\n"));
        CU_ASSERT_EQUAL(strncmp(message, "k:2:24: providers.good.api_key_file: ", 37), 0);
        CU_ASSERT_PTR_NULL(build("providers:\n  good: {api_key_file: none}\n"));
        CU_ASSERT_EQUAL(strncmp(message, "k:2:24: providers.good.api_key_file: ", 37), 0);
    }
    end();
}

/* Without an environment there is no key in a variable. */
static void no_environment(void)
{
    if (begin()) {
        struct koine__store *store = koine__store_new();
        struct koine__snapshot *snapshot = NULL;
        struct koine__origin origin = {.source = "test"};
        CU_ASSERT_EQUAL(koine__store_set(store, "plugin_path.0", folder, origin), KOINE_OK);
        ASSERT_INT(koine__snapshot_build(store, &(struct koine__surroundings){0}, &snapshot, NULL), KOINE_OK);
        CU_ASSERT_PTR_NOT_NULL_FATAL(snapshot);
        ASSERT_STR(key_of(snapshot, "good"), NULL);
        koine__snapshot_unref(snapshot);
        koine__store_free(store);
    }
    end();
}

static void options(void)
{
    if (begin() && scratch_plugin(&scratch, "p/picky.so", "picky")) {
        struct koine__snapshot *snapshot =
            build("providers: {picky: {options: {region: \"eu west\", tries: -7, beta: true}}}\n");
        ASSERT_STR(message, "");
        CU_ASSERT_PTR_NOT_NULL_FATAL(snapshot);
        const struct koine__instance *picky = koine__snapshot_instance(snapshot, "picky");
        ASSERT_STR(koine__instance_option(picky, "region"), "eu west");
        ASSERT_STR(koine__instance_option(picky, "tries"), "-7");
        ASSERT_STR(koine__instance_option(picky, "beta"), "true");
        ASSERT_STR(koine__instance_option(picky, "gamma"), NULL);
        ASSERT_STR(koine__instance_option(NULL, "beta"), NULL);
        koine__snapshot_unref(snapshot);
        /* Found and not configured: it waits, and breaks nothing. */
        snapshot = build("");
        CU_ASSERT_PTR_NOT_NULL_FATAL(snapshot);
        picky = koine__snapshot_instance(snapshot, "picky");
        CU_ASSERT_PTR_NULL(picky->provider);
        ASSERT_STR(picky->reason, "needs providers.picky.options.region");
        koine__snapshot_unref(snapshot);
    }
    end();
}

static void option_refusals(void)
{
    if (begin() && scratch_plugin(&scratch, "p/picky.so", "picky")) {
        expect_refusal("providers:\n  picky:\n",
                       "k:2:3: providers.picky: options.region is required: Where the servers are.");
        expect_refusal(
            "providers: {picky: {options: {region: x, trys: 1}}}\n",
            "k:1:48: providers.picky.options.trys: the plugin picky has no such option; did you mean tries?");
        expect_refusal("providers: {picky: {options: {region: x, elephant: 1}}}\n",
                       "k:1:52: providers.picky.options.elephant: the plugin picky has no such option; it "
                       "has region, tries, beta");
        expect_refusal("providers: {good: {options: {region: x}}}\n",
                       "k:1:38: providers.good.options.region: the plugin good has no options");
        expect_refusal("providers: {picky: {options: {region: x, tries: many}}}\n",
                       "k:1:49: providers.picky.options.tries: must be a whole number: How often.");
        expect_refusal("providers: {picky: {options: {region: x, beta: \"1\"}}}\n",
                       "k:1:48: providers.picky.options.beta: must be true or false");
        expect_refusal("routes: {a: {targets: [picky/m]}}\n",
                       "k:1:24: routes.a.targets.0.target: picky needs providers.picky.options.region");
    }
    end();
}

/* A vendor whose servers are the users' own: nothing is guessed, and no key goes where only a configuration
 * points. */
static void homes(void)
{
    if (begin() && scratch_plugin(&scratch, "p/homeless.so", "homeless")) {
        struct koine__snapshot *snapshot = build("");
        CU_ASSERT_PTR_NOT_NULL_FATAL(snapshot);
        const struct koine__instance *instance = koine__snapshot_instance(snapshot, "homeless");
        CU_ASSERT_PTR_NULL(instance->provider);
        ASSERT_STR(instance->reason, "needs providers.homeless.base_url");
        koine__snapshot_unref(snapshot);
        expect_refusal("providers:\n  homeless: {price: free}\n",
                       "k:2:3: providers.homeless: base_url is required: the plugin knows no server that is "
                       "everybody's");
        expect_refusal("routes: {a: {targets: [homeless/m]}}\n",
                       "k:1:24: routes.a.targets.0.target: homeless needs providers.homeless.base_url");
        snapshot = build("providers: {homeless: {base_url: \"https://lab.test\"}}\n");
        ASSERT_STR(message, "");
        CU_ASSERT_PTR_NOT_NULL_FATAL(snapshot);
        instance = koine__snapshot_instance(snapshot, "homeless");
        ASSERT_STR(instance->base_url, "https://lab.test");
        CU_ASSERT_PTR_NULL(instance->secret);
        koine__snapshot_unref(snapshot);
    }
    end();
}

static void route_refusals(void)
{
    if (begin()) {
        expect_refusal("routes: {a: {targets: [god/m]}}\n",
                       "k:1:24: routes.a.targets.0.target: no provider named \"god\"; did you mean good?");
        expect_refusal("routes: {a: {targets: [good/m, {target: elephant/m}]}}\n",
                       "k:1:41: routes.a.targets.1.target: no provider named \"elephant\"; add it below "
                       "providers, or its plugin to "
                       "a folder of plugin_path");
        expect_refusal(
            "routes: {a: {targets: [bad/m]}}\n",
            "k:1:24: routes.a.targets.0.target: no provider named \"bad\"; its plugin was refused: is empty");
        expect_refusal("routes: {a: }\n",
                       "k:1:10: routes.a: has no targets; write targets: [instance/model]");
        expect_refusal("routes: {a: {targets: []}}\n",
                       "k:1:10: routes.a: has no targets; write targets: [instance/model]");
        expect_refusal("routes: {a: {targets: [{unset: [x]}]}}\n",
                       "k:1:24: routes.a.targets.0: `target` is missing; write instance/model");
        expect_refusal("routes: {a: {targets: [{}]}}\n",
                       "k:1:24: routes.a.targets.0: `target` is missing; write instance/model");
        expect_refusal("routes: {a: {targets: [{target: good/m, set: {x: 1}, unset: [x]}]}}\n",
                       "k:1:54: routes.a.targets.0.unset: \"x\" is named twice, here or below `set`");
        expect_refusal("routes: {a: {targets: [{target: good/m, unset: [x, y, x]}]}}\n",
                       "k:1:41: routes.a.targets.0.unset: \"x\" is named twice, here or below `set`");
        expect_refusal("routes: {a: {targets: [{target: good/m, unset: [\"\"]}]}}\n",
                       "k:1:41: routes.a.targets.0.unset: element 0 is missing; write the names of members");
        expect_refusal("routes:\n  good: {targets: [good/m]}\n",
                       "k:2:3: routes.good: is also the name of a provider; give the route another one");
        expect_refusal("routes: {a: {targets: [good/m], deadline: 5}}\n",
                       "k:1:43: routes.a.deadline: \"5\" has no unit; write 5s, 250ms or 2m");
        expect_refusal("routes: {a: {targets: [good]}}\n",
                       "k:1:24: routes.a.targets.0.target: \"good\" is no target; write instance/model, as "
                       "in openai/gpt-4o-mini");
    }
    end();
}

/* What was staged one by one may have gaps. */
static void gaps(void)
{
    if (begin()) {
        static const char *const cases[][3] = {
            {"plugin_path.1", "/x",
             "test: plugin_path: element 0 is missing; a list is numbered 0, 1, 2 and so on"},
            {"catalogue.2", "/x",
             "test: catalogue: element 0 is missing; a list is numbered 0, 1, 2 and so on"},
            {"routes.a.targets.3.target", "good/m",
             "test: routes.a.targets: element 0 is missing; a list is numbered 0, 1, 2 and so on"}};
        for (size_t i = 0; i < 3; i++) {
            struct koine__store *store = koine__store_new();
            struct koine__snapshot *snapshot = NULL;
            koine_error *error = NULL;
            CU_ASSERT_EQUAL(
                koine__store_set(store, cases[i][0], cases[i][1], (struct koine__origin){.source = "test"}),
                KOINE_OK);
            ASSERT_INT(koine__snapshot_build(store, &(struct koine__surroundings){0}, &snapshot, &error),
                       KOINE_ECONFIG);
            ASSERT_STR(koine_error_message(error), cases[i][2]);
            koine_error_free(error);
            koine__store_free(store);
        }
    }
    end();
}

static void catalogues(void)
{
    if (begin()) {
        scratch_write(&scratch, "more.json", more, sizeof(more) - 1);
        struct koine__snapshot *snapshot =
            build("catalogue: [more.json]\nroutes: {a: {targets: [good/m, good/n, good/o]}}\n");
        ASSERT_STR(message, "");
        CU_ASSERT_PTR_NOT_NULL_FATAL(snapshot);
        const struct koine__target *targets = snapshot->routes[0].targets;
        CU_ASSERT_PTR_NOT_NULL_FATAL(targets[0].known);
        ASSERT_INT(targets[0].known->context, 2000);           /* the user's file overrides */
        ASSERT_INT((long long)targets[0].known->row_count, 1); /* and leaves the rest */
        CU_ASSERT_PTR_NOT_NULL(targets[1].known);
        CU_ASSERT_PTR_NULL(targets[2].known); /* any model is accepted */
        koine__snapshot_unref(snapshot);
        CU_ASSERT_PTR_NULL(build("catalogue: [none.json]\n"));
        CU_ASSERT_PTR_NOT_NULL(strstr(message, "none.json: cannot be read"));
        scratch_write(&scratch, "p/good.json", "{", 1);
        CU_ASSERT_PTR_NULL(build(""));
        CU_ASSERT_PTR_NOT_NULL(strstr(message, "/p/good.json:1:"));
    }
    end();
}

static void take_line(void *user, int level, const char *line)
{
    ASSERT_INT(level, KOINE__LOG_WARNING);
    snprintf(user, PATH_MAX + 256, "%s", line);
}

static void refused_plugins_are_logged(void)
{
    if (begin()) {
        char line[PATH_MAX + 256] = "", wanted[PATH_MAX + 256];
        struct koine__log log;
        koine__log_init(&log);
        koine__log_set(&log, KOINE__LOG_WARNING, take_line, line);
        koine__snapshot_unref(build_with("", &log));
        snprintf(wanted, sizeof(wanted), " level=warning event=plugin_refused file=%s reason=\"is empty\"",
                 scratch_path(&scratch, "p/bad.so"));
        CU_ASSERT_PTR_NOT_NULL_FATAL(strchr(line, ' '));
        ASSERT_STR(strchr(line, ' '), wanted);
        koine__log_release(&log);
    }
    end();
}

static void references(void)
{
    if (begin()) {
        struct koine__snapshot *snapshot = build("");
        CU_ASSERT_PTR_NOT_NULL_FATAL(snapshot);
        CU_ASSERT_PTR_EQUAL(koine__snapshot_ref(snapshot), snapshot);
        koine__snapshot_unref(snapshot);
        ASSERT_STR(koine__snapshot_instance(snapshot, "good")->name, "good");
        koine__snapshot_unref(snapshot);
        koine__snapshot_unref(NULL);
    }
    end();
}

static int build_counted(const struct koine__env *env, const struct koine__store *store)
{
    struct koine__snapshot *snapshot = NULL;
    koine_error *error = NULL;
    int rc = koine__snapshot_build(store, &(struct koine__surroundings){.env = env}, &snapshot, &error);
    koine_error_free(error);
    koine__snapshot_unref(snapshot);
    return rc;
}

static void each_fails(const char *text, int wanted)
{
    static const char *const variables[] = {"TEST_API_KEY=k", NULL};
    struct koine__store *store = koine__store_new();
    struct koine__env *env = koine__env_new();
    char all[4096];
    int len = snprintf(all, sizeof(all), "%splugin_path: [p]\n", text);
    CU_ASSERT_EQUAL(koine__config_parse(store, "k", scratch.path, all, (size_t)len, NULL, NULL), KOINE_OK);
    CU_ASSERT_EQUAL(koine__env_add_process(env, variables), KOINE_OK);
    /* Loaded plugins stay, and are no leak. */
    ASSERT_INT(build_counted(env, store), wanted);
    for (long n = 1;; n++) {
        failalloc_begin(n);
        int rc = build_counted(env, store);
        if (!failalloc_end()) {
            ASSERT_INT(rc, wanted);
            break;
        }
        ASSERT_INT(rc, KOINE_EMEMORY);
    }
    koine__env_free(env);
    koine__store_free(store);
}

static void failing_allocations(void)
{
    if (begin()) {
        unlink(scratch_path(&scratch, "p/bad.so")); /* a refusal's reason may be the lack of memory */
        each_fails(configured, KOINE_OK);
        each_fails("providers: {lab: {plugin: x}}\n", KOINE_ECONFIG);
        each_fails("routes: {a: {targets: [god/m]}}\n", KOINE_ECONFIG);
    }
    end();
}

/* ---- Isolation and pins ---------------------------------------------------------------------------- */

#define ZEROS "0000000000000000000000000000000000000000000000000000000000000000"

static const char *helper_setting(void)
{
    static char text[PATH_MAX];
    snprintf(text, sizeof(text), "isolate_helper: %s\n", scratch_helper());
    return text;
}

static struct koine__snapshot *build_isolated(const char *providers)
{
    char text[8000];
    snprintf(text, sizeof(text), "%s%s", providers, helper_setting());
    return build(text);
}

static const struct koine__instance *instance(const struct koine__snapshot *snapshot, const char *name)
{
    const struct koine__instance *it = koine__snapshot_instance(snapshot, name);
    CU_ASSERT_PTR_NOT_NULL_FATAL(it);
    return it;
}

static bool is_isolated(const struct koine__instance *it)
{
    uint32_t index;
    return koine__isolated_of(it->provider, &index) != NULL;
}

static void isolated_instances(void)
{
    if (begin() && scratch_can_isolate()) {
        struct koine__snapshot *snapshot =
            build_isolated("providers:\n"
                           "  good: {isolate: true, isolate_timeout: 60s}\n"
                           "  lab: {plugin: good, base_url: http://x.test/v1}\n"
                           "  guest: {plugin: good, isolate: true, isolate_timeout: 7s}\n");
        ASSERT_STR(message, "");
        CU_ASSERT_PTR_NOT_NULL_FATAL(snapshot);
        CU_ASSERT_TRUE(is_isolated(instance(snapshot, "good")));
        CU_ASSERT_TRUE(is_isolated(instance(snapshot, "guest")));
        CU_ASSERT_FALSE(is_isolated(instance(snapshot, "lab")));
        CU_ASSERT_FALSE(is_isolated(instance(snapshot, "two")));
        ASSERT_INT(instance(snapshot, "guest")->isolate_timeout, 7 * SECOND);
        ASSERT_INT(instance(snapshot, "lab")->isolate_timeout, 5 * SECOND);
        CU_ASSERT_PTR_NULL(key_of(snapshot, "good")); /* TEST_API_KEY is another's */
        CU_ASSERT_FALSE(instance(snapshot, "good")->reads_variable);
        ASSERT_INT((long long)koine__catalogue_count(snapshot->catalogue), 1); /* once, for both */
        koine__snapshot_unref(snapshot);
        /* Nobody configured `good` itself: it is isolated as all others want it. */
        snapshot =
            build_isolated("providers:\n  guest: {plugin: good, isolate: true, isolate_timeout: 60s}\n");
        ASSERT_STR(message, "");
        CU_ASSERT_PTR_NOT_NULL_FATAL(snapshot);
        CU_ASSERT_TRUE(is_isolated(instance(snapshot, "good")));
        koine__snapshot_unref(snapshot);
    }
    end();
}

static void isolation_refusals(void)
{
    char wanted[PATH_MAX * 2];
    if (begin()) {
        snprintf(
            wanted, sizeof(wanted),
            "k:2:18: providers.one.isolate: the plugin one is in %.2000s/two.so; this setting holds for a "
            "file that is named like its plugin: rename it to one.so",
            folder);
        expect_refusal("providers:\n  one: {isolate: true}\n", wanted);
        snprintf(
            wanted, sizeof(wanted),
            "k:2:17: providers.one.sha256: the plugin one is in %.2000s/two.so; this setting holds for a "
            "file that is named like its plugin: rename it to one.so",
            folder);
        expect_refusal("providers:\n  one: {sha256: " ZEROS "}\n", wanted);
        expect_refusal(
            "providers:\n  good: {sha256: abc}\n",
            "k:2:18: providers.good.sha256: \"abc\" is no SHA-256; write 64 hex digits, as sha256sum "
            "prints them");
        snprintf(
            wanted, sizeof(wanted),
            "k:2:3: providers.good: the plugin \"good\" was refused: %.2000s/good.so: its helper /none/such "
            "cannot be found: No such file or directory",
            folder);
        expect_refusal("providers:\n  good: {isolate: true}\nisolate_helper: /none/such\n", wanted);
    }
    end();
}

static void pins(void)
{
    char wanted[PATH_MAX * 2], text[512], digest[KOINE__SHA256_HEX];
    size_t len = 0;
    char *bytes = scratch_plugin_bytes("good", &len);
    if (begin() && bytes) {
        struct koine__sha256 hash;
        koine__sha256_begin(&hash);
        koine__sha256_add(&hash, bytes, len);
        koine__sha256_end(&hash, digest);
        snprintf(
            wanted, sizeof(wanted),
            "k:2:3: providers.good: the plugin \"good\" was refused: %.2000s/good.so: is not the file that "
            "was pinned: its SHA-256 is %s, expected was " ZEROS,
            folder, digest);
        expect_refusal("providers:\n  good: {sha256: " ZEROS "}\n", wanted);
        snprintf(text, sizeof(text), "providers:\n  good: {sha256: %s}\n", digest);
        struct koine__snapshot *snapshot = build(text);
        ASSERT_STR(message, "");
        CU_ASSERT_PTR_NOT_NULL(snapshot);
        koine__snapshot_unref(snapshot);
    }
    free(bytes);
    end();
}

static void expect_budgets(const char *text, const char *variable, int64_t call, int64_t run)
{
    max_cost = variable;
    struct koine__snapshot *snapshot = build(text);
    max_cost = NULL;
    ASSERT_STR(message, "");
    CU_ASSERT_PTR_NOT_NULL_FATAL(snapshot);
    ASSERT_INT(snapshot->budgets.call, call);
    ASSERT_INT(snapshot->budgets.run, run);
    koine__snapshot_unref(snapshot);
}

#define CENT INT64_C(10000000000)

/* The lowest limit from any source holds. */
static void budgets(void)
{
    if (begin()) {
        expect_budgets("", NULL, -1, -1);
        expect_budgets("budgets: {call: 0.05, run: 1}\n", NULL, 5 * CENT, 100 * CENT);
        expect_budgets("", "MAX_ESTIMATED_COST=0.50", -1, 50 * CENT);
        expect_budgets("", "MAX_ESTIMATED_COST=", -1, -1);
        expect_budgets("", "MAX_ESTIMATED_COST=0", -1, 0);
        expect_budgets("budgets: {run: 1}\n", "MAX_ESTIMATED_COST=0.50", -1, 50 * CENT);
        expect_budgets("budgets: {run: 0.25}\n", "MAX_ESTIMATED_COST=0.50", -1, 25 * CENT);
        struct koine__snapshot *snapshot = build("budgets: {unpriced: allow, estimate: typical}\n");
        CU_ASSERT_PTR_NOT_NULL_FATAL(snapshot);
        CU_ASSERT(snapshot->budgets.allow_unpriced && snapshot->budgets.typical);
        koine__snapshot_unref(snapshot);
        max_cost = "MAX_ESTIMATED_COST=0.50";
        snapshot = build("");
        ASSERT_STR(koine__store_get(snapshot->store, "budgets.run"), "0.50"); /* what `config show` shows */
        CU_ASSERT_FALSE(snapshot->budgets.allow_unpriced || snapshot->budgets.typical);
        koine__snapshot_unref(snapshot);
        max_cost = NULL;
    }
    end();
}

static void budget_refusals(void)
{
    static const char *const words[] = {"-1", "1e3", "1,50", "NaN", "$5", "abc"};
    if (begin()) {
        for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
            char variable[64], wanted[200];
            snprintf(variable, sizeof(variable), "MAX_ESTIMATED_COST=%s", words[i]);
            snprintf(
                wanted, sizeof(wanted),
                "environment: MAX_ESTIMATED_COST: \"%s\" is no amount of US dollars; write one like 0.50, "
                "digits and a point alone",
                words[i]);
            max_cost = variable;
            expect_refusal("budgets: {run: 1}\n", wanted);
        }
        max_cost = "MAX_ESTIMATED_COST=1000000000";
        expect_refusal("", "environment: MAX_ESTIMATED_COST: \"1000000000\" is out of range; allowed is 0.00 "
                           "to 1000000.00");
        max_cost = "MAX_ESTIMATED_COST=1"; /* does not hide what is wrong in the file */
        expect_refusal(
            "budgets: {run: -1}\n",
            "k:1:16: budgets.run: \"-1\" is no amount of US dollars; write one like 0.50, digits and "
            "a point alone");
        max_cost = NULL;
    }
    end();
}

SUITE_MAIN("snapshot", {"found plugins", found_plugins}, {"defaults", defaults}, {"instances", instances},
           {"routes", routes}, {"default routes", default_routes}, {"plugin refusals", plugin_refusals},
           {"keys", keys}, {"key refusals", key_refusals}, {"no environment", no_environment},
           {"options", options}, {"option refusals", option_refusals}, {"homes", homes},
           {"route refusals", route_refusals}, {"gaps", gaps}, {"catalogues", catalogues},
           {"refused plugins are logged", refused_plugins_are_logged}, {"references", references},
           {"isolated instances", isolated_instances}, {"isolation refusals", isolation_refusals},
           {"pins", pins}, {"budgets", budgets}, {"budget refusals", budget_refusals},
           {"failing allocations", failing_allocations})
