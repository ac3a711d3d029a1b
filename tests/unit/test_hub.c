#include "core/hub/hub.h"

#include "core/plugin/loader.h"
#include "tests/unit/failalloc.h"
#include "tests/unit/rig.h"
#include "tests/unit/suite.h"
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

extern char **environ;

static struct scratch scratch;
static koine_hub *hub;
static char **own_environment;
static int own_folder;

/* ---- a place of one's own: scratch/here is the current folder, scratch/conf holds koine.yaml ---- */

/* The process's variables from here on; borrowed. */
static void variables_are(const char *const *variables)
{
    environ = (char **)(uintptr_t)variables;
}
#define VARIABLES(...)   variables_are((const char *const[]){__VA_ARGS__, NULL})
#define ENVIRONMENT(...) (VARIABLES(__VA_ARGS__), koine_hub_load_environment(hub, NULL))

static void begin(void)
{
    static const char *const nothing[] = {NULL};
    scratch_make(&scratch);
    own_environment = environ;
    variables_are(nothing);
    own_folder = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    CU_ASSERT_TRUE_FATAL(own_folder >= 0);
    CU_ASSERT_EQUAL_FATAL(mkdir(scratch_path(&scratch, "here"), 0755), 0);
    CU_ASSERT_EQUAL_FATAL(mkdir(scratch_path(&scratch, "conf"), 0755), 0);
    CU_ASSERT_EQUAL_FATAL(chdir(scratch_path(&scratch, "here")), 0);
    ASSERT_INT(koine_hub_new(&hub, NULL), KOINE_OK);
}

static void end(void)
{
    koine_hub_free(hub);
    hub = NULL;
    environ = own_environment;
    CU_ASSERT_EQUAL(fchdir(own_folder), 0);
    close(own_folder);
    scratch_remove(&scratch);
}

static void again(void)
{
    koine_hub_free(hub);
    ASSERT_INT(koine_hub_new(&hub, NULL), KOINE_OK);
}

static void file(const char *name, const char *text)
{
    scratch_write(&scratch, name, text, strlen(text));
}

static int load(const char *name)
{
    return koine_hub_load(hub, name ? scratch_path(&scratch, name) : NULL, NULL);
}

/* The error of loading it, without the scratch folder before it. */
static const char *refused(const char *name)
{
    koine_error *error = NULL;
    ASSERT_INT(koine_hub_load(hub, scratch_path(&scratch, name), &error), KOINE_ECONFIG);
    const char *message = rig_message(error);
    size_t len = strlen(scratch.path);
    return strncmp(message, scratch.path, len) == 0 ? message + len + 1 : message;
}

static char *variable(const char *name, const char *place)
{
    static char texts[4][PATH_MAX + 64];
    static unsigned at;
    char *text = texts[at++ % 4];
    snprintf(text, sizeof(texts[0]), "%s=%s/%s", name, scratch.path, place);
    return text;
}

/* All that is staged, or in force after an apply; good until the next call. */
static const char *shown(void)
{
    static char copy[8192];
    char *text = NULL;
    ASSERT_INT(koine_hub_show(hub, &text), KOINE_OK);
    snprintf(copy, sizeof(copy), "%s", text);
    koine_free(text);
    return copy;
}

/* ---- birth ---- */

static void birth(void)
{
    koine_error *error = NULL;
    ASSERT_INT(koine_hub_new(NULL, &error), KOINE_EARGUMENT);
    ASSERT_STR(rig_message(error), "koine_hub_new: ret is NULL");
    ASSERT_INT(koine_hub_new(NULL, NULL), KOINE_EARGUMENT);
    koine_hub_free(NULL);
    begin();
    ASSERT_STR(shown(), "");
    ASSERT_STR(koine_hub_file(hub), "");
    CU_ASSERT_PTR_NULL(koine_hub_route(hub, 0));
    CU_ASSERT_PTR_NULL(koine_hub_plugin_folder(hub, 0));
    end();
}

static void without_a_hub(void)
{
    char *text = NULL;
    koine_error *error = NULL;
    ASSERT_INT(koine_hub_set(NULL, "parameters", "warn"), KOINE_EARGUMENT);
    ASSERT_INT(koine_hub_load(NULL, "x", &error), KOINE_EARGUMENT);
    ASSERT_STR(rig_message(error), "koine_hub_load: the hub is NULL");
    ASSERT_INT(koine_hub_load_environment(NULL, NULL), KOINE_EARGUMENT);
    ASSERT_INT(koine_hub_apply(NULL, NULL), KOINE_EARGUMENT);
    ASSERT_INT(koine_hub_show(NULL, &text), KOINE_EARGUMENT);
    ASSERT_INT(koine_hub_set_log(NULL, 3, NULL, NULL), KOINE_EARGUMENT);
    CU_ASSERT_PTR_NULL(text);
    CU_ASSERT_PTR_NULL(koine_hub_route(NULL, 0));
    CU_ASSERT_PTR_NULL(koine_hub_route_target(NULL, 0, 0));
    CU_ASSERT_PTR_NULL(koine_hub_plugin_folder(NULL, 0));
    CU_ASSERT_PTR_NULL(koine_hub_env_file(NULL, 0));
    ASSERT_STR(koine_hub_file(NULL), "");
    ASSERT_INT(koine_settings_document(NULL), KOINE_EARGUMENT);
    begin();
    ASSERT_INT(koine_hub_set(hub, NULL, "x"), KOINE_EARGUMENT);
    ASSERT_INT(koine_hub_set(hub, "parameters", NULL), KOINE_EARGUMENT);
    ASSERT_INT(koine_hub_show(hub, NULL), KOINE_EARGUMENT);
    end();
}

static void document(void)
{
    char *text = NULL;
    ASSERT_INT(koine_settings_document(&text), KOINE_OK);
    CU_ASSERT_PTR_NOT_NULL_FATAL(text);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "providers.*.retry.max_retries"));
    koine_free(text);
}

/* ---- staging ---- */

static void last_one_holds(void)
{
    begin();
    file("conf/koine.yaml", "min_attempt: 2s\nparameters: strict\n");
    ASSERT_INT(koine_hub_set(hub, "min_attempt", "1s"), KOINE_OK);
    ASSERT_INT(load("conf/koine.yaml"), KOINE_OK);
    ASSERT_STR(shown(), "min_attempt: 2s\nparameters: strict\n");
    ASSERT_INT(koine_hub_set(hub, "min_attempt", "3s"), KOINE_OK);
    ASSERT_INT(koine_hub_set(hub, "routes.r.targets", "[a/b, {target: c/d, unset: [top_k]}]"), KOINE_OK);
    ASSERT_STR(shown(),
               "parameters: strict\nmin_attempt: 3s\nroutes:\n  r:\n    targets:\n      - target: a/b\n"
               "      - target: c/d\n        unset:\n          - top_k\n");
    end();
}

static void environment_wins(void)
{
    begin();
    file("conf/koine.yaml", "min_attempt: 1s\nplugin_path: [/b, /c]\n");
    ASSERT_INT(ENVIRONMENT("KOINE__min_attempt=2s", "KOINE__plugin_path=[/a]"), KOINE_OK);
    ASSERT_INT(load("conf/koine.yaml"), KOINE_OK);
    ASSERT_STR(shown(), "min_attempt: 2s\nplugin_path:\n  - /a\n");
    again();
    ASSERT_INT(load("conf/koine.yaml"), KOINE_OK);
    ASSERT_STR(shown(), "min_attempt: 1s\nplugin_path:\n  - /b\n  - /c\n");
    ASSERT_INT(ENVIRONMENT("KOINE__min_attempt=2s", "KOINE__plugin_path=[/a]"), KOINE_OK);
    ASSERT_STR(shown(), "min_attempt: 2s\nplugin_path:\n  - /a\n");
    ASSERT_INT(koine_hub_set(hub, "min_attempt", "3s"), KOINE_OK);
    ASSERT_STR(shown(), "plugin_path:\n  - /a\nmin_attempt: 3s\n");
    end();
}

static void nothing_is_read_unasked(void)
{
    begin();
    file("here/.env", "A=5s\n");
    file("conf/.env", "A=5s\n");
    file("conf/koine.yaml", "min_attempt: ${A}\n");
    VARIABLES("A=5s", "KOINE__parameters=drop");
    CU_ASSERT_PTR_NOT_NULL(strstr(refused("conf/koine.yaml"), "koine.yaml:1:14: "));
    ASSERT_STR(shown(), "");
    ASSERT_STR(koine_hub_file(hub), "");
    end();
}

/* ---- .env ---- */

static void env_files(void)
{
    begin();
    file("conf/koine.yaml", "min_attempt: ${A}\n");
    file("conf/.env", "A=4s\n");
    ASSERT_INT(ENVIRONMENT("UNUSED=1"), KOINE_OK);
    ASSERT_INT(load("conf/koine.yaml"), KOINE_OK);
    ASSERT_STR(shown(), "min_attempt: 4s\n"); /* beside the configuration */
    again();
    file("here/.env", "A=5s\n");
    ASSERT_INT(ENVIRONMENT("UNUSED=1"), KOINE_OK);
    ASSERT_INT(load("conf/koine.yaml"), KOINE_OK);
    ASSERT_STR(shown(), "min_attempt: 5s\n"); /* the current folder's comes first */
    again();
    ASSERT_INT(ENVIRONMENT("A=6s"), KOINE_OK);
    ASSERT_INT(load("conf/koine.yaml"), KOINE_OK);
    ASSERT_STR(shown(), "min_attempt: 6s\n"); /* the process before both */
    end();
}

static void env_of_a_mode(void)
{
    begin();
    file("conf/koine.yaml", "min_attempt: ${A}\nparameters: ${B}\n");
    file("conf/.env", "A=4s\nB=warn\n");
    file("conf/.env.production", "A=7s\n");
    file("conf/.env.development", "A=8s\n");
    ASSERT_INT(ENVIRONMENT("KOINE_ENV=production"), KOINE_OK);
    ASSERT_INT(load("conf/koine.yaml"), KOINE_OK);
    ASSERT_STR(shown(), "min_attempt: 7s\nparameters: warn\n");
    again();
    ASSERT_INT(ENVIRONMENT("KOINE_ENV="), KOINE_OK);
    ASSERT_INT(load("conf/koine.yaml"), KOINE_OK);
    ASSERT_STR(shown(), "min_attempt: 4s\nparameters: warn\n");
    file("here/.env.development", "A=9s\n");
    again();
    ASSERT_INT(ENVIRONMENT("KOINE_ENV=development"), KOINE_OK);
    ASSERT_INT(load("conf/koine.yaml"), KOINE_OK);
    ASSERT_STR(shown(), "min_attempt: 9s\nparameters: warn\n");
    end();
}

/* Beside the file that was loaded before the environment was, too; and of a name without a folder. */
static void env_after_the_file(void)
{
    char list[PATH_MAX + 8];
    const char *folder = rig_plugins();
    if (!folder)
        return;
    begin();
    snprintf(list, sizeof(list), "[\"%s\"]", folder);
    file("conf/koine.yaml", "parameters: warn\n");
    file("conf/.env", "TOGETHER_API_KEY=k\n");
    file("here/koine.yaml", "parameters: warn\n");
    file("here/.env", "OPENAI_API_KEY=k\n");
    ASSERT_INT(koine_hub_set(hub, "plugin_path", list), KOINE_OK);
    ASSERT_INT(load("conf/koine.yaml"), KOINE_OK);
    ASSERT_INT(ENVIRONMENT("UNUSED=1"), KOINE_OK);
    ASSERT_INT(koine_provider_has_key(koine_hub_provider(hub, "together")), 1);
    ASSERT_INT(koine_provider_has_key(koine_hub_provider(hub, "openai")), 1);
    ASSERT_STR(koine_provider_key_source(koine_hub_provider(hub, "openai")), "OPENAI_API_KEY in ./.env");
    ASSERT_STR(koine_hub_env_file(hub, 0), "./.env");
    ASSERT_STR(koine_hub_env_file(hub, 1), scratch_path(&scratch, "conf/.env"));
    CU_ASSERT_PTR_NULL(koine_hub_env_file(hub, 2));
    again();
    CU_ASSERT_PTR_NULL(koine_hub_env_file(hub, 0));
    ASSERT_INT(koine_hub_set(hub, "plugin_path", list), KOINE_OK);
    CU_ASSERT_EQUAL(unlink("../conf/.env"), 0);
    ASSERT_INT(koine_hub_load(hub, "koine.yaml", NULL), KOINE_OK);
    ASSERT_STR(koine_hub_file(hub), "koine.yaml");
    ASSERT_INT(ENVIRONMENT("UNUSED=1"), KOINE_OK);
    ASSERT_INT(koine_provider_has_key(koine_hub_provider(hub, "together")), 0);
    ASSERT_INT(koine_provider_has_key(koine_hub_provider(hub, "openai")), 1);
    end();
}

static void key_of_the_process(void)
{
    char list[PATH_MAX + 8];
    const char *folder = rig_plugins();
    if (!folder)
        return;
    begin();
    snprintf(list, sizeof(list), "[\"%s\"]", folder);
    file("here/.env", "OPENAI_API_KEY=k\n");
    ASSERT_INT(koine_hub_set(hub, "plugin_path", list), KOINE_OK);
    ASSERT_INT(ENVIRONMENT("OPENAI_API_KEY=p"), KOINE_OK);
    ASSERT_STR(koine_provider_key_source(koine_hub_provider(hub, "openai")), "OPENAI_API_KEY");
    end();
}

/* A wrong environment is not taken over, not even in part. */
static void environment_refused(void)
{
    koine_error *error = NULL;
    begin();
    VARIABLES("KOINE_ENV=../x");
    ASSERT_INT(koine_hub_load_environment(hub, &error), KOINE_ECONFIG);
    ASSERT_STR(rig_message(error),
               "environment: KOINE_ENV: holds a slash; write a name, such as development");
    file("conf/koine.yaml", "min_attempt: ${A}\n");
    file("here/.env", "KOINE__parameters=drop\n");
    VARIABLES("A=1s", "KOINE__min_attempt=2s");
    ASSERT_INT(koine_hub_load_environment(hub, &error), KOINE_ECONFIG);
    CU_ASSERT_PTR_NOT_NULL(strstr(rig_message(error), ".env:1:1: settings (KOINE__...) are not read from"));
    ASSERT_STR(shown(), "");
    CU_ASSERT_PTR_NOT_NULL(strstr(refused("conf/koine.yaml"), "koine.yaml:1:14: "));
    CU_ASSERT_EQUAL(unlink(".env"), 0);
    VARIABLES("KOINE__min_attempt=2s", "KOINE__routes=[");
    ASSERT_INT(koine_hub_load_environment(hub, &error), KOINE_ECONFIG);
    CU_ASSERT_PTR_NOT_NULL(strstr(rig_message(error), "KOINE__routes"));
    ASSERT_STR(shown(), "");
    /* The one before stays in force. */
    ASSERT_INT(ENVIRONMENT("A=3s"), KOINE_OK);
    VARIABLES("KOINE__routes=[");
    ASSERT_INT(koine_hub_load_environment(hub, NULL), KOINE_ECONFIG);
    ASSERT_INT(load("conf/koine.yaml"), KOINE_OK);
    ASSERT_STR(shown(), "min_attempt: 3s\n");
    file("conf/.env", "=\n");
    ASSERT_INT(koine_hub_load_environment(hub, NULL), KOINE_ECONFIG);
    CU_ASSERT_PTR_NOT_NULL(strstr(refused("conf/koine.yaml"), "conf/.env:1:1: expected NAME=value"));
    end();
}

/* ---- where the configuration is ---- */

static bool system_has_one(void)
{
    return access(KOINE_SYSCONF_DIR "/koine/koine.yaml", F_OK) == 0;
}

static const char *found(void)
{
    ASSERT_INT(load(NULL), KOINE_OK);
    const char *name = koine_hub_file(hub);
    size_t len = strlen(scratch.path);
    return strncmp(name, scratch.path, len) == 0 ? name + len + 1 : name;
}

static void make_places(void)
{
    static const char *const folders[] = {"home", "home/.config", "home/.config/koine", "xdg", "xdg/koine"};
    for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
        CU_ASSERT_EQUAL(mkdir(scratch_path(&scratch, folders[i]), 0755), 0);
    file("named.yaml", "parameters: warn\n");
    file("xdg/koine/koine.yaml", "parameters: strict\n");
    file("home/.config/koine/koine.yaml", "parameters: drop\n");
}

static void places(void)
{
    begin();
    make_places();
    const char *named = variable("KOINE_CONFIG", "named.yaml"), *xdg = variable("XDG_CONFIG_HOME", "xdg");
    const char *home = variable("HOME", "home");
    ASSERT_INT(ENVIRONMENT(home, xdg, named), KOINE_OK);
    ASSERT_STR(found(), "named.yaml");
    ASSERT_INT(ENVIRONMENT(home, xdg, "KOINE_CONFIG="), KOINE_OK);
    ASSERT_STR(found(), "xdg/koine/koine.yaml");
    ASSERT_INT(ENVIRONMENT(home, "XDG_CONFIG_HOME="), KOINE_OK);
    ASSERT_STR(found(), "home/.config/koine/koine.yaml");
    ASSERT_INT(ENVIRONMENT(home, "XDG_CONFIG_HOME=../xdg"), KOINE_OK); /* a relative one does not count */
    ASSERT_STR(found(), "home/.config/koine/koine.yaml");
    ASSERT_STR(shown(), "parameters: drop\n");
    again();
    ASSERT_INT(ENVIRONMENT(home, variable("XDG_CONFIG_HOME", "conf")), KOINE_OK);
    if (!system_has_one())
        ASSERT_STR(found(), ""); /* where it says, and nowhere else */
    again();
    ASSERT_INT(ENVIRONMENT("HOME=../home"), KOINE_OK);
    if (!system_has_one())
        ASSERT_STR(found(), "");
    end();
}

static void place_that_is_missing(void)
{
    koine_error *error = NULL;
    begin();
    ASSERT_INT(ENVIRONMENT(variable("KOINE_CONFIG", "nobody.yaml")), KOINE_OK);
    ASSERT_INT(koine_hub_load(hub, NULL, &error), KOINE_ENOTFOUND);
    CU_ASSERT_PTR_NOT_NULL(strstr(rig_message(error), "/nobody.yaml: cannot be opened"));
    ASSERT_INT(load("nobody.yaml"), KOINE_ENOTFOUND);
    ASSERT_STR(koine_hub_file(hub), "");
    end();
}

/* What lies in the current folder must not choose the configuration, and with it where keys are sent. */
static void env_files_choose_nothing(void)
{
    char text[2 * PATH_MAX];
    begin();
    make_places();
    snprintf(text, sizeof(text), "HOME=%s/home\nXDG_CONFIG_HOME=%s/xdg\n", scratch.path, scratch.path);
    file("here/.env", text);
    ASSERT_INT(ENVIRONMENT("UNUSED=1"), KOINE_OK);
    if (!system_has_one())
        ASSERT_STR(found(), "");
    again();
    ASSERT_INT(ENVIRONMENT(variable("HOME", "home")), KOINE_OK);
    ASSERT_STR(found(), "home/.config/koine/koine.yaml");
    end();
}

/* ---- failures leave what was ---- */

static void failed_load(void)
{
    begin();
    file("good.yaml", "min_attempt: 1s\n");
    file("bad.yaml", "min_attempt: 2s\nrotues: {}\n");
    file("worse.yaml", "min_attempt: [");
    ASSERT_INT(load("good.yaml"), KOINE_OK);
    CU_ASSERT_PTR_NOT_NULL(
        strstr(refused("bad.yaml"), "bad.yaml:2:1: rotues: unknown key; did you mean routes?"));
    CU_ASSERT_PTR_NOT_NULL(strstr(refused("worse.yaml"), "worse.yaml:2:1: is not valid YAML: "));
    ASSERT_STR(shown(), "min_attempt: 1s\n");
    ASSERT_STR(koine_hub_file(hub), scratch_path(&scratch, "good.yaml"));
    end();
}

static void failed_apply(void)
{
    koine_error *error = NULL;
    struct rig rig;
    if (!rig_open(&rig, NULL, 0))
        return;
    hub = rig.hub;
    APPLY(&rig, "routes.default.targets", "[together/a]");
    ASSERT_INT(koine_hub_set(hub, "routes.second.targets", "[togehter/b]"), KOINE_OK);
    ASSERT_INT(koine_hub_apply(hub, &error), KOINE_ECONFIG);
    ASSERT_STR(rig_message(error), "koine_hub_set: routes.second.targets.0.target: no provider named "
                                   "\"togehter\"; did you mean together?");
    ASSERT_STR(koine_hub_route(hub, 0), "default");
    CU_ASSERT_PTR_NULL(koine_hub_route(hub, 1));
    CU_ASSERT_PTR_NOT_NULL(koine_hub_provider(hub, "together"));
    CU_ASSERT_PTR_NULL(strstr(shown(), "second"));
    ASSERT_INT(koine_hub_apply(hub, NULL), KOINE_ECONFIG); /* it is still staged */
    APPLY(&rig, "routes.second.targets", "[openai/b]");
    ASSERT_STR(koine_hub_route(hub, 0), "default");
    ASSERT_STR(koine_hub_route(hub, 1), "second");
    CU_ASSERT_PTR_NULL(koine_hub_route(hub, 2));
    hub = NULL;
    rig_close(&rig);
}

/* koine_hub_set has nowhere to put its error: the first one is told by the next apply, and then given up. */
static void errors_of_set(void)
{
    koine_error *error = NULL;
    struct rig rig;
    if (!rig_open(&rig, NULL, 0))
        return;
    APPLY(&rig, "min_attempt", "1s");
    ASSERT_INT(koine_hub_set(rig.hub, "routes.default.targets", "["), KOINE_OK);
    ASSERT_INT(koine_hub_set(rig.hub, "routes.default.tragets", "]"), KOINE_OK);
    ASSERT_INT(koine_hub_set(rig.hub, "routes", "[]"), KOINE_OK);
    ASSERT_INT(koine_hub_apply(rig.hub, &error), KOINE_ECONFIG);
    const char *message = rig_message(error);
    ASSERT_STR(message,
               "koine_hub_set: routes.default.targets: is not valid YAML: while parsing a flow node, "
               "did not find expected node content");
    ASSERT_INT(koine_hub_set(rig.hub, "routes.default.tragets", "]"), KOINE_OK); /* staged, and unknown */
    ASSERT_INT(koine_hub_apply(rig.hub, &error), KOINE_ECONFIG);
    CU_ASSERT_PTR_NOT_NULL(strstr(rig_message(error), "did you mean routes.default.targets?"));
    rig_close(&rig);
    if (!rig_open(&rig, NULL, 0))
        return;
    ASSERT_INT(koine_hub_set(rig.hub, "routes", "[]"), KOINE_OK);
    ASSERT_INT(koine_hub_apply(rig.hub, NULL), KOINE_ECONFIG);
    ASSERT_INT(koine_hub_apply(rig.hub, NULL), KOINE_OK);
    ASSERT_INT(koine_hub_set(rig.hub, "routes", "\xff"), KOINE_OK);
    rig_close(&rig); /* one that nobody asked for */
}

/* The last one staged for a path holds, also where the one before was wrong. */
static void a_corrected_set(void)
{
    struct rig rig;
    if (!rig_open(&rig, NULL, 0))
        return;
    ASSERT_INT(koine_hub_set(rig.hub, "routes.default.targets", "["), KOINE_OK);
    ASSERT_INT(koine_hub_set(rig.hub, "routes.default.targets", "[openai/gpt-4o-mini]"), KOINE_OK);
    ASSERT_INT(koine_hub_apply(rig.hub, NULL), KOINE_OK);
    ASSERT_STR(koine_hub_route(rig.hub, 0), "default");
    rig_close(&rig);
}

static void *apply_there(void *arg)
{
    koine_hub_apply(arg, NULL);
    return NULL;
}

/* Building a snapshot may run commands; whoever works with the one in force does not wait for them. */
static void an_apply_blocks_nobody(void)
{
    struct scratch folder;
    struct rig rig;
    pthread_t thread;
    koine_usage usage = KOINE_USAGE_INIT;
    koine_cost cost = KOINE_COST_INIT;
    char command[4200], pipe[4096];
    if (!rig_open(&rig, NULL, 0))
        return;
    APPLY(&rig, "min_attempt", "1s");
    scratch_make(&folder);
    snprintf(pipe, sizeof(pipe), "%s", scratch_path(&folder, "pipe"));
    CU_ASSERT_EQUAL_FATAL(mkfifo(pipe, 0600), 0);
    snprintf(command, sizeof(command), "cat %s", pipe);
    koine_hub_set(rig.hub, "providers.slow.plugin", "openai");
    koine_hub_set(rig.hub, "providers.slow.api_key_command", command);
    CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, apply_there, rig.hub), 0);
    int fd = open(pipe, O_WRONLY); /* until the command reads: the snapshot is being built */
    usage.input = 1;
    ASSERT_INT(koine_calculate_cost(rig.hub, "openai/gpt-4o-mini", &usage, -1, &cost), KOINE_OK);
    CU_ASSERT_PTR_NULL(koine_hub_provider(rig.hub, "slow"));
    CU_ASSERT_EQUAL(write(fd, "a-key-of-it\n", 12), 12);
    close(fd);
    pthread_join(thread, NULL);
    CU_ASSERT_PTR_NOT_NULL(koine_hub_provider(rig.hub, "slow"));
    rig_close(&rig);
    scratch_remove(&folder);
}

/* ---- what is in force ---- */

static void shows_no_key(void)
{
    struct rig rig;
    if (!rig_open(&rig, NULL, 0))
        return;
    hub = rig.hub;
    APPLY(&rig, "providers.lab", "{plugin: openai, api_key: MARKED}");
    ASSERT_INT(koine_hub_set(hub, "parameters", "drop"), KOINE_OK); /* staged after the apply */
    const char *text = shown();
    CU_ASSERT_PTR_NOT_NULL(strstr(text,
                                  "providers:\n  together:\n    api_key: (set)\n    retry:\n      jitter: "
                                  "none\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "  lab:\n    plugin: openai\n    api_key: (set)\n"));
    CU_ASSERT_PTR_NULL(strstr(text, "KEY-"));
    CU_ASSERT_PTR_NULL(strstr(text, "MARKED"));
    CU_ASSERT_PTR_NULL(strstr(text, "parameters"));
    hub = NULL;
    rig_close(&rig);
}

static void folders(void)
{
    struct rig rig;
    if (!rig_open(&rig, NULL, 0))
        return;
    CU_ASSERT_PTR_NULL(koine_hub_plugin_folder(rig.hub, 0));
    APPLY(&rig, "parameters", "warn");
    ASSERT_STR(koine_hub_plugin_folder(rig.hub, 0), rig_plugins());
    ASSERT_STR(koine_hub_plugin_folder(rig.hub, 1), KOINE_PLUGIN_DIR);
    CU_ASSERT_PTR_NULL(koine_hub_plugin_folder(rig.hub, 2));
    CU_ASSERT_PTR_NULL(koine_hub_plugin_folder(rig.hub, SIZE_MAX));
    CU_ASSERT_PTR_NULL(koine_hub_route(rig.hub, SIZE_MAX));
    rig_close(&rig);
}

static void targets(void)
{
    struct rig rig;
    if (!rig_open(&rig, NULL, 0))
        return;
    APPLY(&rig, "routes.a.targets", "[together/x/y, {target: openai/z, unset: [top_k]}]", "routes.b.targets",
          "[openai/w]");
    ASSERT_STR(koine_hub_route_target(rig.hub, 0, 0), "together/x/y");
    ASSERT_STR(koine_hub_route_target(rig.hub, 0, 1), "openai/z");
    CU_ASSERT_PTR_NULL(koine_hub_route_target(rig.hub, 0, 2));
    ASSERT_STR(koine_hub_route_target(rig.hub, 1, 0), "openai/w");
    CU_ASSERT_PTR_NULL(koine_hub_route_target(rig.hub, 2, 0));
    rig_close(&rig);
}

/* A snapshot asked for applies what is staged, once. */
static void snapshots(void)
{
    struct koine__snapshot *first = NULL, *second = NULL;
    struct rig rig;
    if (!rig_open(&rig, NULL, 0))
        return;
    ASSERT_INT(koine__hub_snapshot(rig.hub, &first, NULL), KOINE_OK);
    ASSERT_INT(koine_hub_set(rig.hub, "min_attempt", "7s"), KOINE_OK);
    ASSERT_INT(koine__hub_snapshot(rig.hub, &second, NULL), KOINE_OK);
    CU_ASSERT_PTR_EQUAL(first, second);
    koine__snapshot_unref(second);
    APPLY(&rig, "parameters", "warn");
    ASSERT_INT(koine__hub_snapshot(rig.hub, &second, NULL), KOINE_OK);
    ASSERT_INT(first->min_attempt, INT64_C(1000000000)); /* whoever has the old one keeps it */
    ASSERT_INT(second->min_attempt, INT64_C(7000000000));
    rig_close(&rig);
    ASSERT_STR(first->instances[0].name, "together");
    koine__snapshot_unref(first);
    koine__snapshot_unref(second);
}

static void one_share(void)
{
    struct koine__curl_share *first = NULL, *second = NULL;
    begin();
    ASSERT_INT(koine__hub_share(hub, &first), KOINE_OK);
    ASSERT_INT(koine__hub_share(hub, &second), KOINE_OK);
    CU_ASSERT_PTR_NOT_NULL(first);
    CU_ASSERT_PTR_EQUAL(first, second);
    end();
}

static void lives_as_long_as_its_clients(void)
{
    const struct koine__replay_answer script[] = {{.repeat = true, ANSWER(TOGETHER_HOST, 200, WHOLE("m"))}};
    struct rig rig;
    if (!RIG(&rig, script))
        return;
    koine_client *clients[2] = {rig_client(&rig), rig_client(&rig)};
    rig_close(&rig);
    for (size_t i = 0; i < 2; i++) {
        koine_response *response = NULL;
        koine_request *request = rig_request("together/m", "Hi");
        ASSERT_INT(koine_generate(clients[i], request, &response, NULL), KOINE_OK);
        ASSERT_STR(koine_response_text(response, NULL), "Hello");
        koine_response_free(response);
        koine_request_free(request);
        koine_client_free(clients[i]);
    }
}

/* ---- the log ---- */

static char logged[8192];

static void keep(void *user, int level, const char *line)
{
    size_t used = strlen(logged);
    CU_ASSERT_PTR_EQUAL(user, logged);
    snprintf(logged + used, sizeof(logged) - used, "%d %s\n", level, line);
}

static void log_tells_of_refusals(void)
{
    char list[2 * PATH_MAX];
    struct rig rig;
    logged[0] = '\0';
    if (!rig_open(&rig, NULL, 0))
        return;
    scratch_make(&scratch);
    file("broken.so", "no ELF");
    snprintf(list, sizeof(list), "[\"%s\", \"%s\"]", rig_plugins(), scratch.path);
    ASSERT_INT(koine_hub_set_log(rig.hub, 1, keep, logged), KOINE_OK);
    APPLY(&rig, "plugin_path", list);
    CU_ASSERT_PTR_NOT_NULL(strstr(logged, "level=warning event=plugin_refused file="));
    CU_ASSERT_PTR_NOT_NULL(strstr(logged, "/broken.so reason="));
    logged[0] = '\0';
    ASSERT_INT(koine_hub_set_log(rig.hub, 0, keep, logged), KOINE_OK);
    rig_apply(&rig, NULL);
    ASSERT_STR(logged, "");
    ASSERT_INT(koine_hub_set_log(rig.hub, 3, NULL, NULL), KOINE_OK);
    rig_apply(&rig, NULL);
    rig_close(&rig);
    scratch_remove(&scratch);
}

static void ask_of(koine_client *client, const char *words)
{
    koine_response *response = NULL;
    koine_request *request = rig_request("together/m", words);
    logged[0] = '\0';
    ASSERT_INT(koine_generate(client, request, &response, NULL), KOINE_OK);
    koine_response_free(response);
    koine_request_free(request);
}

/* What the settings say holds from the apply on, and already for what that has to say; a failed one changes
 * nothing. */
static void log_settings(void)
{
    const struct koine__replay_answer script[] = {{.repeat = true, ANSWER(TOGETHER_HOST, 200, WHOLE("m"))}};
    char list[2 * PATH_MAX];
    struct rig rig;
    if (!RIG(&rig, script))
        return;
    scratch_make(&scratch);
    file("broken.so", "no ELF");
    snprintf(list, sizeof(list), "[\"%s\", \"%s\"]", rig_plugins(), scratch.path);
    ASSERT_INT(koine_hub_set_log(rig.hub, 2, keep, logged), KOINE_OK);
    logged[0] = '\0';
    APPLY(&rig, "plugin_path", list, "log.format", "json", "providers.together.api_key", "sk-of-together");
    CU_ASSERT_PTR_NOT_NULL(strstr(logged, "1 {\"at\":\"2025-01-01T12:00:00.000Z\",\"level\":\"warning\","
                                          "\"event\":\"plugin_refused\",\"file\":\""));
    koine_client *client = rig_client(&rig);
    ask_of(client, "Hi sk-of-together");
    CU_ASSERT_PTR_NOT_NULL(strstr(logged, "\"event\":\"call\""));
    CU_ASSERT_PTR_NULL(strstr(logged, "content"));
    ASSERT_INT(koine_hub_set(rig.hub, "log.format", "logfmt"), KOINE_OK);
    ASSERT_INT(koine_hub_set(rig.hub, "log.content", "true"), KOINE_OK);
    ASSERT_INT(koine_hub_set(rig.hub, "default_route", "none"), KOINE_OK);
    ASSERT_INT(koine_hub_apply(rig.hub, NULL), KOINE_ECONFIG);
    ask_of(client, "Hi sk-of-together");
    CU_ASSERT_PTR_NOT_NULL(strstr(logged, "\"event\":\"call\""));
    CU_ASSERT_PTR_NULL(strstr(logged, "content"));
    APPLY(&rig, "routes.none.targets", "[together/m]", "providers.together.api_key", "sk-of-another");
    ask_of(client, "Hi sk-of-together, sk-of-another");
    CU_ASSERT_PTR_NOT_NULL(strstr(logged, " event=call call="));
    CU_ASSERT_PTR_NOT_NULL(strstr(logged, " what=prompt role=user text=\"Hi ***, ***\"\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(logged, " what=answer text=Hello\n"));
    koine_client_free(client);
    rig_close(&rig);
    scratch_remove(&scratch);
}

struct inside { /* what a sink that calls back gets to see */
    koine_hub *hub;
    koine_client *client;
    koine_request *request;
    koine_call *call;
    int lines;
};

static void expect_refusals_of_the_hub(const struct inside *inside)
{
    char *text = NULL;
    koine_models *models = NULL;
    koine_providers *providers = NULL;
    koine_client *client = NULL;
    koine_usage usage = KOINE_USAGE_INIT;
    koine_cost cost = KOINE_COST_INIT;
    ASSERT_INT(koine_hub_set(inside->hub, "parameters", "warn"), KOINE_EARGUMENT);
    ASSERT_INT(koine_hub_load(inside->hub, NULL, NULL), KOINE_EARGUMENT);
    ASSERT_INT(koine_hub_load_environment(inside->hub, NULL), KOINE_EARGUMENT);
    ASSERT_INT(koine_hub_apply(inside->hub, NULL), KOINE_EARGUMENT);
    ASSERT_INT(koine_hub_show(inside->hub, &text), KOINE_EARGUMENT);
    ASSERT_INT(koine_hub_set_log(inside->hub, 3, NULL, NULL), KOINE_EARGUMENT);
    ASSERT_INT(koine_hub_list_providers(inside->hub, &providers, NULL), KOINE_EARGUMENT);
    ASSERT_INT(koine_hub_models(inside->hub, NULL, &models, NULL), KOINE_EARGUMENT);
    ASSERT_INT(koine_calculate_cost(inside->hub, "together/x", &usage, -1, &cost), KOINE_EARGUMENT);
    ASSERT_INT(koine_client_new(inside->hub, &client, NULL), KOINE_EARGUMENT);
    CU_ASSERT_PTR_NULL(koine_hub_provider(inside->hub, "together"));
    CU_ASSERT_PTR_NULL(koine_hub_route(inside->hub, 0));
    CU_ASSERT_PTR_NULL(koine_hub_plugin_folder(inside->hub, 0));
    ASSERT_STR(koine_hub_file(inside->hub), "");
    koine_hub_free(inside->hub); /* is not done */
}

static void expect_refusals_of_the_client(const struct inside *inside)
{
    koine_response *response = NULL;
    koine_models *models = NULL;
    koine_call *call = NULL;
    const koine_event *event = NULL;
    ASSERT_INT(koine_generate(inside->client, inside->request, &response, NULL), KOINE_EARGUMENT);
    ASSERT_INT(koine_start(inside->client, inside->request, &call, NULL), KOINE_EARGUMENT);
    ASSERT_INT(koine_next(inside->client, &call, &event), KOINE_EARGUMENT);
    ASSERT_INT(koine_fd(inside->client), KOINE_EARGUMENT);
    ASSERT_INT(koine_process(inside->client), KOINE_EARGUMENT);
    ASSERT_INT(koine_wait(inside->client, 0), KOINE_EARGUMENT);
    ASSERT_INT(koine_list_models(inside->client, "together", &models, NULL), KOINE_EARGUMENT);
    koine_call_cancel(inside->call); /* none of these is done */
    koine_call_free(inside->call);
    koine_client_free(inside->client);
}

static void call_back(void *user, int level, const char *line)
{
    struct inside *inside = user;
    (void)level;
    (void)line;
    inside->lines++;
    expect_refusals_of_the_hub(inside);
    expect_refusals_of_the_client(inside);
}

static void log_does_not_reenter(void)
{
    const struct koine__replay_answer script[] = {{ANSWER(TOGETHER_HOST, 503, ERROR("busy"))},
                                                  {ANSWER(TOGETHER_HOST, 200, WHOLE("m"))}};
    struct rig rig;
    if (!RIG(&rig, script))
        return;
    struct inside inside = {.hub = rig.hub, .client = rig_client(&rig)};
    inside.request = rig_request("together/m", "Hi");
    ASSERT_INT(koine_request_set_stream(inside.request, 0), KOINE_OK);
    ASSERT_INT(koine_start(inside.client, inside.request, &inside.call, NULL), KOINE_OK);
    ASSERT_INT(koine_hub_set_log(rig.hub, 3, call_back, &inside), KOINE_OK);
    ASSERT_INT(rig_run(inside.client, inside.call), KOINE_EVENT_STOP);
    ASSERT_STR(koine_response_text(koine_call_response(inside.call), NULL), "Hello");
    CU_ASSERT_TRUE(inside.lines >= 3); /* two attempts and the call */
    koine_request_free(inside.request);
    koine_call_free(inside.call);
    koine_client_free(inside.client);
    rig_close(&rig);
}

/* ---- many threads ---- */

static void *use_hub(void *arg)
{
    koine_hub *shared = arg;
    long wrong = 0;
    for (int i = 0; i < 20; i++) {
        koine_providers *list = NULL;
        koine_usage usage = KOINE_USAGE_INIT;
        koine_cost cost = KOINE_COST_INIT;
        usage.input = usage.output = 1;
        wrong += koine_hub_apply(shared, NULL) != KOINE_OK;
        wrong += !koine_hub_provider(shared, "together");
        wrong += koine_hub_list_providers(shared, &list, NULL) != KOINE_OK;
        wrong += koine_calculate_cost(shared, "together/" LLAMA, &usage, -1, &cost) != KOINE_OK;
        wrong += cost.picodollars != 360000;
        koine_providers_free(list);
    }
    return (void *)wrong;
}

static void many_threads(void)
{
    pthread_t threads[4];
    struct rig rig;
    if (!rig_open(&rig, NULL, 0))
        return;
    for (size_t i = 0; i < 4; i++)
        CU_ASSERT_EQUAL_FATAL(pthread_create(&threads[i], NULL, use_hub, rig.hub), 0);
    for (size_t i = 0; i < 4; i++) {
        void *wrong = NULL;
        pthread_join(threads[i], &wrong);
        CU_ASSERT_PTR_NULL(wrong);
    }
    rig_close(&rig);
}

/* ---- failing allocations ---- */

/* A small world: one plugin, one row of prices. */
static bool make_small_world(void)
{
    char from[PATH_MAX];
    static const char catalogue[] =
        "{\"provider\":\"openai\",\"models\":[{\"id\":\"m\",\"prices\":[{\"valid_from\":\"2024-01-01\","
        "\"input\":1,\"output\":2}]}]}";
    if (!rig_plugins())
        return false;
    snprintf(from, sizeof(from), "%s/openai.so", rig_plugins());
    file("conf/openai.json", catalogue);
    file("conf/.env", "LAB_KEY=KEY\n");
    file("conf/koine.yaml", "plugin_path: [.]\nproviders: {lab: {plugin: openai, api_key: \"${LAB_KEY}\"}}\n"
                            "routes: {default: {targets: [lab/m]}}\n");
    return scratch_copy(&scratch, "conf/openai.so", from);
}

static int configure(koine_hub *it, const char *name, koine_error **ret_error)
{
    int rc = koine_hub_load_environment(it, ret_error);
    if (rc == KOINE_OK)
        rc = koine_hub_load(it, name, ret_error);
    if (rc == KOINE_OK)
        rc = koine_hub_set(it, "routes.default", "{targets: [{target: lab/m, unset: [a]}], deadline: 5s}");
    if (rc == KOINE_OK)
        rc = koine_hub_apply(it, ret_error);
    return rc;
}

static int configure_new(const char *name)
{
    koine_hub *it = NULL;
    koine_error *error = NULL;
    int rc = koine_hub_new(&it, &error);
    if (rc == KOINE_OK)
        rc = configure(it, name, &error);
    if (rc == KOINE_OK) {
        ASSERT_STR(koine_hub_route(it, 0), "default");
        ASSERT_INT(it->snapshot->routes[0].deadline, INT64_C(5000000000));
        ASSERT_INT((long long)it->snapshot->routes[0].targets[0].member_count, 1);
        CU_ASSERT_PTR_NOT_NULL(it->snapshot->instances[0].secret);
        CU_ASSERT_PTR_NOT_NULL(it->snapshot->routes[0].targets[0].known);
    }
    koine_error_free(error);
    koine_hub_free(it);
    return rc;
}

static void failing_allocations(void)
{
    char name[PATH_MAX];
    begin();
    bool failed = make_small_world();
    snprintf(name, sizeof(name), "%s", scratch_path(&scratch, "conf/koine.yaml"));
    VARIABLES(variable("HOME", "home"), variable("KOINE_CONFIG", "x"),
              "KOINE__providers__lab__timeouts__total=9s");
    for (long n = 1; failed; n++) {
        failalloc_begin(n);
        int rc = configure_new(name);
        koine__plugins_forget();
        failed = failalloc_end();
        ASSERT_INT(rc, failed ? KOINE_EMEMORY : KOINE_OK);
    }
    end();
}

/* What fails for want of memory leaves what is in force. */
static void failing_reloads(void)
{
    char name[PATH_MAX];
    begin();
    bool failed = make_small_world();
    snprintf(name, sizeof(name), "%s", scratch_path(&scratch, "conf/koine.yaml"));
    VARIABLES("KOINE__providers__lab__timeouts__total=9s");
    for (long n = 1; failed; n++) {
        again();
        ASSERT_INT(configure(hub, name, NULL), KOINE_OK);
        const struct koine__snapshot *snapshot = hub->snapshot;
        failalloc_begin(n);
        int rc = configure(hub, name, NULL);
        if (rc != KOINE_OK) {
            CU_ASSERT_PTR_EQUAL(hub->snapshot, snapshot);
            ASSERT_STR(koine_hub_file(hub), name);
        }
        koine_hub_free(hub);
        hub = NULL;
        failed = failalloc_end();
        ASSERT_INT(rc, failed ? KOINE_EMEMORY : KOINE_OK);
    }
    end();
}

SUITE_MAIN("hub", {"key of the process", key_of_the_process}, {"targets", targets},
           {"a corrected set", a_corrected_set}, {"an apply blocks nobody", an_apply_blocks_nobody},
           {"birth", birth}, {"without a hub", without_a_hub}, {"document", document},
           {"last one holds", last_one_holds}, {"environment wins", environment_wins},
           {"nothing is read unasked", nothing_is_read_unasked}, {"env files", env_files},
           {"env of a mode", env_of_a_mode}, {"env after the file", env_after_the_file},
           {"environment refused", environment_refused}, {"places", places},
           {"place that is missing", place_that_is_missing},
           {"env files choose nothing", env_files_choose_nothing}, {"failed load", failed_load},
           {"failed apply", failed_apply}, {"errors of set", errors_of_set}, {"shows no key", shows_no_key},
           {"folders", folders}, {"snapshots", snapshots}, {"one share", one_share},
           {"lives as long as its clients", lives_as_long_as_its_clients},
           {"log tells of refusals", log_tells_of_refusals}, {"log settings", log_settings},
           {"log does not re-enter", log_does_not_reenter}, {"many threads", many_threads},
           {"failing allocations", failing_allocations}, {"failing reloads", failing_reloads})
