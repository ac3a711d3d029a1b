/* koine models: what is known of models, and what their providers serve now. */
#include "apps/koine/commands.h"

#include "apps/koine/out.h"
#include "apps/koine/report.h"
#include "apps/koine/result.h"
#include "apps/koine/setup.h"
#include "apps/koine/table.h"
#include "apps/koine/term.h"
#include "apps/koine/words.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct args_option options[] = {
    {"live", 0, NULL, "ask the providers what they serve now"},
    {"json", 0, NULL, "print one JSON object"},
    {0},
};

static const struct table_column columns[] = {
    {0}, /* titled with the instance */
    {.title = "context", .right = 1},
    {.title = "max out", .right = 1, .spare = 2},
    {.title = "$/M in", .right = 1},
    {.title = "$/M out", .right = 1},
    {.title = "retired", .spare = 1},
    {.title = "capabilities", .spare = 3},
};
enum {
    COLUMNS = sizeof(columns) / sizeof(columns[0])
};

struct entry { /* one model; where a provider's list says nothing, the catalogue does */
    const koine_models *list;
    size_t index;
    const koine_models *known;
    size_t known_index;
};

static int64_t entry_count(const struct entry *entry, int64_t (*get)(const koine_models *, size_t))
{
    int64_t count = get(entry->list, entry->index);
    return count >= 0 || entry->known == NULL ? count : get(entry->known, entry->known_index);
}

static const char *entry_text(const struct entry *entry, const char *(*get)(const koine_models *, size_t))
{
    const char *text = get(entry->list, entry->index);
    return *text != '\0' || entry->known == NULL ? text : get(entry->known, entry->known_index);
}

/* `known` NULL: the list is the catalogue itself. */
static struct entry entry_at(const koine_models *list, size_t index, const koine_models *known)
{
    struct entry entry = {.list = list, .index = index};
    for (size_t i = 0; known != NULL && i < koine_models_count(known); i++) {
        if (strcmp(koine_models_id(known, i), koine_models_id(list, index)) == 0) {
            entry.known = known;
            entry.known_index = i;
            return entry;
        }
    }
    return entry;
}

static void add_capabilities(koine_json_writer *writer, const char *words)
{
    koine_json_open(writer, "capabilities", '[');
    while (*words != '\0') {
        size_t length = strcspn(words, " ");
        if (length > 0)
            koine_json_add_text(writer, NULL, words, length);
        words += length + (words[length] != '\0');
    }
    koine_json_close(writer);
}

static void add_entry(koine_json_writer *writer, const char *instance, const struct entry *entry)
{
    koine_json_open(writer, NULL, '{');
    koine_json_add_string(writer, "instance", instance);
    koine_json_add_string(writer, "id", koine_models_id(entry->list, entry->index));
    result_add_count(writer, "context", entry_count(entry, koine_models_context));
    result_add_count(writer, "max_output", entry_count(entry, koine_models_max_output));
    result_add_text(writer, "input_price", entry_text(entry, koine_models_input_price));
    result_add_text(writer, "output_price", entry_text(entry, koine_models_output_price));
    result_add_text(writer, "retired", entry_text(entry, koine_models_retired));
    add_capabilities(writer, entry_text(entry, koine_models_capabilities));
    koine_json_close(writer);
}

static void table_entry(struct table *table, const struct entry *entry)
{
    char text[WORDS_SIZE];
    const char *input = entry_text(entry, koine_models_input_price);
    const char *output = entry_text(entry, koine_models_output_price);
    table_cell(table, koine_models_id(entry->list, entry->index));
    table_cell(table, words_tokens(entry_count(entry, koine_models_context), text));
    table_cell(table, words_tokens(entry_count(entry, koine_models_max_output), text));
    table_cell(table, *input != '\0' ? input : "-");
    table_cell(table, *output != '\0' ? output : "-");
    table_cell(table, entry_text(entry, koine_models_retired));
    table_cell(table, entry_text(entry, koine_models_capabilities));
}

struct listing {
    struct args *args;
    koine_hub *hub;
    koine_client *client;      /* NULL: the catalogue only */
    koine_json_writer *models; /* of --json, else NULL */
    koine_json_writer *errors;
    size_t shown;
    char left_out[128]; /* titles of columns that found no room */
};

static void print_table(struct listing *listing, const char *instance, const koine_models *list,
                        const koine_models *known)
{
    struct table_column titled[COLUMNS];
    memcpy(titled, columns, sizeof(columns));
    titled[0].title = instance;
    struct table *table = table_new(titled, COLUMNS);
    for (size_t i = 0; i < koine_models_count(list); i++) {
        struct entry entry = entry_at(list, i, known);
        table_entry(table, &entry);
    }
    char *text = table_text(table, term_width(), "", listing->left_out, sizeof(listing->left_out));
    out_line("%s%.*s", listing->shown > 0 ? "\n" : "", (int)(strlen(text) - 1), text);
    free(text);
    table_free(table);
}

static void show_list(struct listing *listing, const char *instance, const koine_models *list,
                      const koine_models *known)
{
    size_t count = koine_models_count(list);
    if (count == 0) {
        out_say("%s: %s", instance,
                known != NULL ? "serves no models"
                              : "the catalogue knows none of its models; --live asks for them");
        return;
    }
    for (size_t i = 0; listing->models != NULL && i < count; i++) {
        struct entry entry = entry_at(list, i, known);
        add_entry(listing->models, instance, &entry);
    }
    if (listing->models == NULL)
        print_table(listing, instance, list, known);
    listing->shown += count;
}

/* One of several: the others are still listed. */
static int keep_error(struct listing *listing, koine_error *error)
{
    int status = report_status(error);
    report_fault(error);
    koine_json_open(listing->errors, NULL, '{');
    result_add_error_members(listing->errors, error);
    koine_json_close(listing->errors);
    koine_error_free(error);
    return status;
}

static int show_live(struct listing *listing, const char *instance, const koine_models *known)
{
    koine_models *list = NULL;
    koine_error *error = NULL;
    if (term_is_error() || listing->args->verbose > 0)
        out_say("asking %s ...", instance);
    int number = koine_list_models(listing->client, instance, &list, &error);
    if (number != KOINE_OK && (listing->args->word_count > 0 || error == NULL))
        return report_error(listing->args, number, error);
    if (number != KOINE_OK)
        return keep_error(listing, error);
    show_list(listing, instance, list, known);
    koine_models_free(list);
    return STATUS_DONE;
}

static int show_instance(struct listing *listing, const char *instance)
{
    koine_models *known = NULL;
    koine_error *error = NULL;
    int status = STATUS_DONE, number = koine_hub_models(listing->hub, instance, &known, &error);
    if (number != KOINE_OK)
        return report_error(listing->args, number, error);
    if (listing->client != NULL)
        status = show_live(listing, instance, known);
    else
        show_list(listing, instance, known, NULL);
    koine_models_free(known);
    return status;
}

static bool can_ask(const struct listing *listing, const koine_provider_handle *handle)
{
    const char *variable = koine_provider_key_variable(handle);
    if (listing->client == NULL || *variable == '\0' || koine_provider_has_key(handle))
        return true;
    out_say("%s: not asked, there is no key (%s)", koine_provider_name(handle), variable);
    return false;
}

/* The first failure is the status; what else can be listed is. */
static int show_all(struct listing *listing)
{
    koine_providers *list = NULL;
    koine_error *error = NULL;
    int number = koine_hub_list_providers(listing->hub, &list, &error);
    if (number != KOINE_OK)
        return report_error(listing->args, number, error);
    int first = STATUS_DONE;
    for (size_t i = 0; i < koine_providers_count(list); i++) {
        const koine_provider_handle *handle = koine_providers_handle(list, i);
        if (handle == NULL || !can_ask(listing, handle))
            continue;
        int status = show_instance(listing, koine_providers_name(list, i));
        if (first == STATUS_DONE)
            first = status;
    }
    koine_providers_free(list);
    return first;
}

static void begin_json(struct listing *listing)
{
    listing->models = koine_json_writer_new();
    listing->errors = koine_json_writer_new();
    koine_json_open(listing->models, NULL, '{');
    koine_json_open(listing->models, "models", '[');
    koine_json_open(listing->errors, NULL, '[');
}

/* `print` false: an error object was printed in its place. */
static void end_json(struct listing *listing, bool print)
{
    if (!print) {
        koine_json_writer_free(listing->models);
        koine_json_writer_free(listing->errors);
        return;
    }
    size_t length = 0;
    koine_json_close(listing->errors);
    char *errors = koine_json_writer_take(listing->errors, &length);
    koine_json_close(listing->models);
    koine_json_add_json(listing->models, "errors", errors);
    koine_json_close(listing->models);
    result_print(listing->models);
    koine_free(errors);
}

static int show_named(struct listing *listing, const char *instance)
{
    int status = setup_check_instance(listing->args, listing->hub, instance, strlen(instance));
    return status == STATUS_DONE ? show_instance(listing, instance) : status;
}

static int show_models(struct listing *listing)
{
    const struct args *args = listing->args;
    bool named = args->word_count > 0;
    if (args->json)
        begin_json(listing);
    int status = named ? show_named(listing, args->words[0]) : show_all(listing);
    if (args->json)
        end_json(listing, status == STATUS_DONE || !named);
    if (listing->left_out[0] != '\0')
        out_say("(a wider terminal shows: %s)", listing->left_out);
    return status;
}

static int run(struct args *args)
{
    struct listing listing = {.args = args};
    int status = setup_hub(args, &listing.hub);
    if (status == STATUS_DONE && args_has(args, "live"))
        status = setup_client(args, listing.hub, &listing.client);
    if (status == STATUS_DONE)
        status = show_models(&listing);
    koine_client_free(listing.client);
    koine_hub_free(listing.hub);
    return status;
}

const struct args_command command_models = {
    .name = "models",
    .summary = "list models, their windows and prices",
    .synopsis = "[--live] [--json] [INSTANCE]",
    .options = options,
    .details = "Lists what the catalogue knows; with --live what the providers say they serve,\n"
               "completed from the catalogue. Prices are US dollars for a million tokens today.\n"
               "\n"
               "Examples:\n"
               "  koine models together\n"
               "  koine models --live openai\n",
    .words = 1,
    .run = run,
};
