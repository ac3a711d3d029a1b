/* setup: a hub as the files, the environment and the command line say. */
#include "apps/koine/setup.h"

#include "apps/koine/out.h"
#include "apps/koine/report.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

int setup_load(const struct args *args, koine_hub *hub, koine_error **ret_error)
{
    int number = koine_hub_load_environment(hub, ret_error);
    if (number == KOINE_OK)
        number = koine_hub_load(hub, args->config, ret_error);
    return number == KOINE_OK ? koine_hub_apply(hub, ret_error) : number;
}

const char *setup_missing_folder(koine_hub *hub, size_t *index)
{
    for (; koine_hub_plugin_folder(hub, *index + 1) != NULL; (*index)++) {
        const char *folder = koine_hub_plugin_folder(hub, *index);
        if (access(folder, F_OK) != 0)
            return folder;
    }
    return NULL;
}

int setup_hub(struct args *args, koine_hub **ret)
{
    koine_hub *hub = NULL;
    koine_error *error = NULL;
    int number = koine_hub_new(&hub, &error);
    if (number == KOINE_OK)
        number = koine_hub_set_log(hub, args->verbose > 1 ? 3 : args->verbose > 0 ? 2 : 1, report_log, args);
    if (number == KOINE_OK)
        number = setup_load(args, hub, &error);
    if (number == KOINE_OK) {
        *ret = hub;
        return STATUS_DONE;
    }
    int status = report_error(args, number, error);
    koine_hub_free(hub);
    return status;
}

int setup_client(struct args *args, koine_hub *hub, koine_client **ret)
{
    koine_error *error = NULL;
    int number = koine_client_new(hub, ret, &error);
    return number == KOINE_OK ? STATUS_DONE : report_error(args, number, error);
}

static bool is_usable(const koine_providers *list, size_t index)
{
    return koine_providers_handle(list, index) != NULL;
}

static int unknown_instance(struct args *args, const koine_providers *list, const char *name, size_t length)
{
    char known[256] = "";
    size_t used = 0;
    for (size_t i = 0; i < koine_providers_count(list) && used < sizeof(known); i++) {
        if (is_usable(list, i))
            used += (size_t)snprintf(known + used, sizeof(known) - used, "%s%s", used > 0 ? ", " : "",
                                     koine_providers_name(list, i));
    }
    return args_problem(args, "there is no instance \"%.*s\"; there %s: %s", (int)length, name,
                        used > 0 ? "are" : "is", used > 0 ? known : "none (see koine providers)");
}

int setup_check_instance(struct args *args, koine_hub *hub, const char *name, size_t length)
{
    koine_providers *list = NULL;
    koine_error *error = NULL;
    int number = koine_hub_list_providers(hub, &list, &error);
    if (number != KOINE_OK)
        return report_error(args, number, error);
    int status = STATUS_USAGE;
    for (size_t i = 0; i < koine_providers_count(list) && status != STATUS_DONE; i++) {
        const char *known = koine_providers_name(list, i);
        if (strncmp(known, name, length) != 0 || known[length] != '\0')
            continue;
        status = STATUS_DONE;
        if (!is_usable(list, i))
            status = args_problem(args, "%s cannot be used: %s", known, koine_providers_reason(list, i));
    }
    if (status != STATUS_DONE && args->problem[0] == '\0')
        unknown_instance(args, list, name, length);
    koine_providers_free(list);
    return status;
}
