/* koine config: checks the configuration, or shows what is in force. */
#include "apps/koine/commands.h"

#include "apps/koine/out.h"
#include "apps/koine/report.h"
#include "apps/koine/setup.h"

#include <koine/koine.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef KOINE_SYSCONF_DIR
#define KOINE_SYSCONF_DIR "/etc"
#endif

static bool is_there(const char *file)
{
    return access(file, F_OK) == 0;
}

/* The name for messages, looked for as koine_hub_load does; "" where there is no file. */
static void found_file(const struct args *args, char *ret, size_t size)
{
    const char *named = args->config != NULL ? args->config : getenv("KOINE_CONFIG");
    const char *folder = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
    if (named != NULL && *named != '\0') {
        snprintf(ret, size, "%s", named);
        return;
    }
    if (folder != NULL && *folder != '\0')
        snprintf(ret, size, "%s/koine/koine.yaml", folder);
    else
        snprintf(ret, size, "%s/.config/koine/koine.yaml", home != NULL ? home : "");
    if (!is_there(ret))
        snprintf(ret, size, "%s/koine/koine.yaml", KOINE_SYSCONF_DIR);
    if (!is_there(ret))
        ret[0] = '\0';
}

/* Names below a top-level key of the YAML that koine_hub_show writes: lines of the first depth. */
static size_t count_below(const char *yaml, const char *key)
{
    size_t count = 0, depth = 0, length = strlen(key);
    bool inside = false;
    for (const char *line = yaml; line != NULL && *line != '\0'; line = strchr(line, '\n')) {
        line += *line == '\n';
        size_t blank = strspn(line, " ");
        if (line[blank] == '\0' || line[blank] == '\n' || line[blank] == '#')
            continue;
        if (blank == 0) {
            inside = strncmp(line, key, length) == 0 && line[length] == ':';
            depth = 0;
            continue;
        }
        if (depth == 0)
            depth = blank;
        count += inside && blank == depth;
    }
    return count;
}

static const char *plural(size_t count)
{
    return count == 1 ? "" : "s";
}

static size_t count_usable(const koine_providers *list)
{
    size_t usable = 0;
    for (size_t i = 0; i < koine_providers_count(list); i++) {
        if (koine_providers_handle(list, i) != NULL)
            usable++;
        else
            out_say("note: %s is refused: %s", koine_providers_name(list, i),
                    koine_providers_reason(list, i));
    }
    return usable;
}

static int check(struct args *args, koine_hub *hub)
{
    char file[4096], *yaml = NULL;
    koine_providers *list = NULL;
    koine_error *error = NULL;
    int number = koine_hub_list_providers(hub, &list, &error);
    if (number != KOINE_OK)
        return report_error(args, number, error);
    size_t usable = count_usable(list);
    koine_providers_free(list);
    number = koine_hub_show(hub, &yaml);
    if (number != KOINE_OK)
        return report_number(args, number, "config");
    size_t routes = count_below(yaml, "routes");
    koine_free(yaml);
    found_file(args, file, sizeof(file));
    out_line("%s: ok (%zu provider%s, %zu route%s)", file[0] != '\0' ? file : "no configuration file", usable,
             plural(usable), routes, plural(routes));
    return STATUS_DONE;
}

static int show(struct args *args, koine_hub *hub)
{
    char *yaml = NULL;
    int number = koine_hub_show(hub, &yaml);
    if (number != KOINE_OK)
        return report_number(args, number, "config");
    out_text(yaml, strlen(yaml));
    out_end_line();
    koine_free(yaml);
    return STATUS_DONE;
}

static const struct {
    const char *name;
    int (*run)(struct args *args, koine_hub *hub);
} actions[] = {{"check", check}, {"show", show}};
enum {
    ACTIONS = sizeof(actions) / sizeof(actions[0])
};

static int find_action(struct args *args, size_t *ret)
{
    static const char *const names[] = {"check", "show", NULL};
    if (args->word_count == 0)
        return args_problem(args, "say what to do: check or show");
    for (size_t i = 0; i < ACTIONS; i++) {
        if (strcmp(args->words[0], actions[i].name) == 0) {
            *ret = i;
            return STATUS_DONE;
        }
    }
    const char *nearest = args_nearest(args->words[0], names);
    if (nearest != NULL)
        return args_problem(args, "\"%s\" is neither check nor show; did you mean %s?", args->words[0],
                            nearest);
    return args_problem(args, "\"%s\" is neither check nor show", args->words[0]);
}

static int run(struct args *args)
{
    koine_hub *hub = NULL;
    size_t action = 0;
    int status = find_action(args, &action);
    if (status == STATUS_DONE)
        status = setup_hub(args, &hub);
    if (status == STATUS_DONE)
        status = actions[action].run(args, hub);
    koine_hub_free(hub);
    return status;
}

const struct args_command command_config = {
    .name = "config",
    .summary = "check the configuration, or show what is in force",
    .synopsis = "check | show",
    .details = "check  reads everything and says whether it is right, or what is wrong and where\n"
               "show   prints the settings in force as YAML; keys are shown as \"(set)\"\n"
               "\n"
               "Example:\n"
               "  koine -c koine.yaml config check\n",
    .words = 1,
    .run = run,
};
