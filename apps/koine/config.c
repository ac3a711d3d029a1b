/* koine config: checks the configuration, or shows what is in force. */
#include "apps/koine/commands.h"

#include "apps/koine/out.h"
#include "apps/koine/report.h"
#include "apps/koine/setup.h"

#include <koine/koine.h>
#include <string.h>

static size_t count_routes(koine_hub *hub)
{
    size_t count = 0;
    while (koine_hub_route(hub, count) != NULL)
        count++;
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
            report_refused(list, i);
    }
    return usable;
}

static void note_missing_folders(koine_hub *hub)
{
    const char *folder;
    for (size_t i = 0; (folder = setup_missing_folder(hub, &i)) != NULL; i++)
        out_say("note: plugin_path: there is no folder %s", folder);
}

static int check(struct args *args, koine_hub *hub)
{
    koine_providers *list = NULL;
    koine_error *error = NULL;
    int number = koine_hub_list_providers(hub, &list, &error);
    if (number != KOINE_OK)
        return report_error(args, number, error);
    size_t usable = count_usable(list);
    koine_providers_free(list);
    note_missing_folders(hub);
    size_t routes = count_routes(hub);
    const char *file = koine_hub_file(hub);
    out_line("%s: ok (%zu provider%s, %zu route%s)", *file != '\0' ? file : "no configuration file", usable,
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
    .tells_plugins = true,
    .run = run,
};
