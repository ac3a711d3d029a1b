/* stage_load: the plugin is loaded as the core does it, one step at a time. */
#include "apps/plugin-check/stages.h"

#include "core/plugin/loader.h"

#include <inttypes.h>
#include <koine/koine.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *part; /* of koine__provider_check */
    enum rule rule;
} parts[] = {
    {"size", RULE_TABLE_SIZE},
    {"id", RULE_TABLE_ID},
    {"version", RULE_TABLE_VERSION},
    {"base_url", RULE_TABLE_BASE_URL},
    {"key_variable", RULE_TABLE_KEY_VARIABLE},
    {"options", RULE_TABLE_OPTIONS},
    {"generate", RULE_TABLE_GENERATE},
    {"list_models", RULE_TABLE_LIST_MODELS},
    {"calculate_cost", RULE_TABLE_CALCULATE_COST},
};

/* A call whose end is not watched by anything else. */
static void begin(struct inspection *in, const char *function)
{
    snprintf(in->traces->function, sizeof(in->traces->function), "%s", function);
    atomic_fetch_add(&in->traces->calls, 1);
}

static void end(struct inspection *in)
{
    atomic_fetch_add(&in->traces->calls, 1);
    in->traces->function[0] = '\0';
}

static enum rule rule_of(const char *part)
{
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        if (strcmp(parts[i].part, part) == 0)
            return parts[i].rule;
    return RULE_TABLE_SIZE;
}

static void tell(struct inspection *in, bool quiet, enum rule rule, const char *function, const char *seen)
{
    if (!quiet)
        inspection_found(in, rule, function, seen, NULL);
}

static bool check_table(struct inspection *in, const koine_provider *provider, bool quiet)
{
    const char *part = "size";
    koine_error *error = NULL;
    int rc = koine__provider_check(provider, in->name, &part, &error);
    if (rc < 0)
        tell(in, quiet, rule_of(part), "entry", koine_error_message(error));
    koine_error_free(error);
    return rc == 0;
}

static bool is_new(struct inspection *in, const koine_provider *const *providers, size_t count, bool quiet)
{
    for (size_t i = 0; i < count; i++) {
        if (providers[i] == providers[count] || strcmp(providers[i]->id, providers[count]->id) == 0) {
            tell(in, quiet, RULE_ENTRY_IDS, "entry",
                 providers[i] == providers[count] ? "it gives the same provider for two indexes"
                                                  : "two of its providers have the same id");
            return false;
        }
    }
    return true;
}

static void introduce(struct inspection *in, const koine_provider *provider, size_t index)
{
    snprintf(in->traces->providers[index].id, sizeof(in->traces->providers[index].id), "%s", provider->id);
    snprintf(in->traces->providers[index].version, sizeof(in->traces->providers[index].version), "%s",
             provider->version);
    in->traces->provider_count = (uint32_t)index + 1;
}

/* Each index once, in order, as the core does. */
static size_t collect(struct inspection *in, koine__entry entry, const koine_provider **providers, bool quiet)
{
    for (size_t count = 0;; count++) {
        begin(in, "entry");
        const koine_provider *provider = entry(koine__process_host(), (uint32_t)count);
        end(in);
        if (!provider && count == 0)
            tell(in, quiet, RULE_ENTRY_END, "entry", "it has no provider of index 0");
        if (!provider)
            return count;
        if (count == MOST_PROVIDERS) {
            tell(in, quiet, RULE_ENTRY_END, "entry", "it has more than 64 providers, or no end of them");
            return 0;
        }
        providers[count] = provider;
        if (!check_table(in, provider, quiet) || !is_new(in, providers, count, quiet))
            return 0;
        introduce(in, provider, count);
    }
}

size_t stage_load(struct inspection *in, const koine_provider *providers[MOST_PROVIDERS], bool quiet)
{
    koine__entry entry = NULL;
    koine_error *error = NULL;
    begin(in, "load");
    int rc = koine__plugin_entry(in->folder, in->name, &entry, &error);
    end(in);
    if (rc < 0)
        tell(in, quiet, RULE_LOAD, "entry", koine_error_message(error));
    koine_error_free(error);
    return rc < 0 ? 0 : collect(in, entry, providers, quiet);
}

/* A struct with pointers in it is as large as a multiple of theirs. */
static void check_size(struct inspection *in, enum rule rule, const char *what, uint32_t size)
{
    if (size % _Alignof(koine_provider) != 0)
        inspection_foundf(in, rule, "entry",
                          "%s says that it has %" PRIu32 " bytes, which no struct of its kind has", what,
                          size);
}

static void check_sizes(struct inspection *in)
{
    check_size(in, RULE_TABLE_SIZE, "the table", in->provider->size);
    check_size(in, RULE_TABLE_GENERATE, "generate", in->provider->generate->size);
    check_size(in, RULE_TABLE_LIST_MODELS, "list_models", in->provider->list_models->size);
    for (size_t i = 0; in->provider->options && in->provider->options[i]; i++)
        check_size(in, RULE_TABLE_OPTIONS, "an option", in->provider->options[i]->size);
}

static void check_extension(struct inspection *in)
{
    static const char *const strangers[] = {"koine.check.nobody/1", "", "koine.embed/999"};
    if (!in->provider->extension)
        return;
    for (size_t i = 0; i < sizeof(strangers) / sizeof(strangers[0]); i++) {
        begin(in, "extension");
        const void *found = in->provider->extension(strangers[i]);
        end(in);
        if (found)
            inspection_foundf(in, RULE_TABLE_EXTENSION, "extension", "it gives something for \"%s\"",
                              strangers[i]);
    }
}

void stage_tables(struct inspection *in)
{
    check_sizes(in);
    check_extension(in);
}
