/* koine providers: every plugin found and every instance configured, or why it was refused. */
#include "apps/koine/commands.h"

#include "apps/koine/out.h"
#include "apps/koine/report.h"
#include "apps/koine/result.h"
#include "apps/koine/setup.h"
#include "apps/koine/table.h"
#include "apps/koine/term.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct args_option options[] = {
    {"json", 0, NULL, "print one JSON object"},
    {0},
};

/* The interface that plugins are built for, as in the name of their one symbol (koine/provider.h). */
#define ABI "v1"

static const struct table_column columns[] = {{.title = "name"}, {.title = "id"},  {.title = "version"},
                                              {.title = "ABI"},  {.title = "key"}, {.title = "file"}};

/* An instance may be one that needs no key, such as a server of one's own. */
static bool has_use_for_key(const koine_provider_handle *handle)
{
    return *koine_provider_key_variable(handle) != '\0' || koine_provider_has_key(handle);
}

static void table_refused(struct table *table, const koine_providers *list, size_t index)
{
    int waits = koine_providers_waits(list, index);
    const char *const cells[] = {"-", waits ? "waits" : "refused", "-", "-"};
    for (size_t i = 0; i < sizeof(cells) / sizeof(cells[0]); i++)
        table_cell(table, cells[i]);
    table_cell(table, koine_providers_file(list, index));
    char *text = NULL;
    if (asprintf(&text, "%s%s", waits ? "" : "refused: ", koine_providers_reason(list, index)) < 0)
        out_no_memory();
    table_note(table, text);
    free(text);
}

static void table_provider(struct table *table, const koine_providers *list, size_t index)
{
    const koine_provider_handle *handle = koine_providers_handle(list, index);
    char key[128] = "not needed";
    table_cell(table, koine_providers_name(list, index));
    if (handle == NULL) {
        table_refused(table, list, index);
        return;
    }
    const char *variable = koine_provider_key_variable(handle);
    int has_key = koine_provider_has_key(handle);
    if (has_use_for_key(handle))
        snprintf(key, sizeof(key), "%s%s%s", has_key ? "present" : "missing", *variable != '\0' ? ": " : "",
                 variable);
    table_cell(table, koine_provider_id(handle));
    table_cell(table, koine_provider_version(handle));
    table_cell(table, ABI);
    table_cell(table, key);
    table_cell(table, koine_provider_file(handle));
}

static void print_table(const koine_providers *list)
{
    struct table *table = table_new(columns, sizeof(columns) / sizeof(columns[0]));
    for (size_t i = 0; i < koine_providers_count(list); i++)
        table_provider(table, list, i);
    char *text = table_text(table, 0, "", NULL, 0);
    out_text(text, strlen(text));
    free(text);
    table_free(table);
    /* A table that goes into a file or to a program is not read by whoever has to know. */
    for (size_t i = 0; !term_is_output() && i < koine_providers_count(list); i++) {
        if (koine_providers_handle(list, i) == NULL)
            report_refused(list, i);
    }
}

static void add_handle(koine_json_writer *writer, const koine_provider_handle *handle)
{
    const char *variable = koine_provider_key_variable(handle);
    result_add_text(writer, "id", koine_provider_id(handle));
    result_add_text(writer, "version", koine_provider_version(handle));
    koine_json_add_string(writer, "abi", ABI);
    if (has_use_for_key(handle))
        koine_json_add_bool(writer, "key", koine_provider_has_key(handle));
    else
        koine_json_add_null(writer, "key");
    result_add_text(writer, "key_variable", variable);
    result_add_text(writer, "base_url", koine_provider_base_url(handle));
}

static void add_refused(koine_json_writer *writer)
{
    static const char *const names[] = {"id", "version", "abi", "key", "key_variable", "base_url"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        koine_json_add_null(writer, names[i]);
}

static void print_json(koine_hub *hub, const koine_providers *list)
{
    koine_json_writer *writer = koine_json_writer_new();
    koine_json_open(writer, NULL, '{');
    koine_json_open(writer, "providers", '[');
    for (size_t i = 0; i < koine_providers_count(list); i++) {
        const koine_provider_handle *handle = koine_providers_handle(list, i);
        koine_json_open(writer, NULL, '{');
        koine_json_add_string(writer, "name", koine_providers_name(list, i));
        if (handle != NULL)
            add_handle(writer, handle);
        else
            add_refused(writer);
        result_add_text(writer, "file", koine_providers_file(list, i));
        result_add_text(writer, "refused", koine_providers_reason(list, i));
        koine_json_close(writer);
    }
    koine_json_close(writer);
    koine_json_open(writer, "folders", '[');
    const char *folder;
    for (size_t i = 0; (folder = koine_hub_plugin_folder(hub, i)) != NULL; i++)
        koine_json_add_string(writer, NULL, folder);
    koine_json_close(writer);
    koine_json_close(writer);
    result_print(writer);
}

static void explain_none(koine_hub *hub)
{
    const char *folder = koine_hub_plugin_folder(hub, 0);
    out_say(folder != NULL ? "No plugin was found. These folders were searched:"
                           : "No plugin was found: there is no folder to search.");
    for (size_t i = 0; (folder = koine_hub_plugin_folder(hub, i)) != NULL; i++)
        out_say("  %s", folder);
    out_say("Others are named by plugin_path: [FOLDER] in the configuration, or\nKOINE__plugin_path=[FOLDER] "
            "in the environment.");
}

static int run(struct args *args)
{
    koine_hub *hub = NULL;
    koine_providers *list = NULL;
    koine_error *error = NULL;
    int status = setup_hub(args, &hub);
    if (status != STATUS_DONE)
        return status;
    int number = koine_hub_list_providers(hub, &list, &error);
    if (number != KOINE_OK)
        status = report_error(args, number, error);
    else if (args->json)
        print_json(hub, list);
    else if (koine_providers_count(list) > 0)
        print_table(list);
    if (number == KOINE_OK && koine_providers_count(list) == 0)
        explain_none(hub);
    koine_providers_free(list);
    koine_hub_free(hub);
    return status;
}

const struct args_command command_providers = {
    .name = "providers",
    .summary = "list plugins and instances, and why any was refused",
    .synopsis = "[--json]",
    .options = options,
    .details = "A key is told of, never shown.\n",
    .tells_plugins = true,
    .run = run,
};
