/* koine cost: what so many tokens of a model cost, exactly, on a day; and the way to the report of what was
 * spent.
 */
#include "apps/koine/cost.h"

#include "apps/koine/commands.h"

#include "apps/koine/out.h"
#include "apps/koine/report.h"
#include "apps/koine/result.h"
#include "apps/koine/setup.h"
#include "apps/koine/words.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static const struct args_option options[] = {
    {"model", 'm', "INSTANCE/MODEL", "the model"},
    {"input", 0, "N", "tokens sent, without those of a cache"},
    {"output", 0, "N", "tokens answered, without reasoning"},
    {"cache-read", 0, "N", "tokens sent that were read from a cache"},
    {"cache-write", 0, "N", "tokens sent that were written to a cache"},
    {"reasoning", 0, "N", "tokens of reasoning"},
    {"at", 0, "YYYY-MM-DD", "at the price of that day; else today's"},
    {"by", 0, "NAME,...", "report by day, tenant, provider or model"},
    {"since", 0, "DAY", "report from YYYY-MM-DD on, or so many days: 30d"},
    {"tenant", 0, "NAME", "report of this tenant only"},
    {"csv", 0, NULL, "report as comma-separated values"},
    {"json", 0, NULL, "print one JSON object"},
    {0},
};

int cost_take_day(struct args *args, const char *name, int64_t *ret)
{
    const char *text = args_value(args, name);
    *ret = -1;
    if (text == NULL)
        return STATUS_DONE;
    struct tm day = {0};
    const char *end =
        strlen(text) == 10 && text[4] == '-' && text[7] == '-' ? strptime(text, "%Y-%m-%d", &day) : NULL;
    struct tm same = day;
    time_t at = end != NULL && *end == '\0' ? timegm(&same) : -1;
    if (at < 0 || same.tm_mday != day.tm_mday) /* timegm makes 31 April the first of May */
        return args_problem(args, "--%s: \"%s\" is not a day since 1970 as YYYY-MM-DD", name, text);
    *ret = at;
    return STATUS_DONE;
}

static int take_usage(struct args *args, koine_usage *ret)
{
    const struct {
        const char *name;
        int64_t *bucket;
    } counts[] = {
        {"input", &ret->input},           {"output", &ret->output},
        {"cache-read", &ret->cache_read}, {"cache-write", &ret->cache_write},
        {"reasoning", &ret->reasoning},
    };
    int status = STATUS_DONE;
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]) && status == STATUS_DONE; i++) {
        status = args_integer(args, counts[i].name, 0, INT64_MAX, counts[i].bucket);
        if (i < 2 && status == STATUS_DONE && *counts[i].bucket < 0)
            status = args_problem(args, "--%s N is missing", counts[i].name);
    }
    return status;
}

static int take_target(struct args *args, const char **ret)
{
    int status = args_target(args, "model", ret);
    if (status == STATUS_DONE && *ret == NULL)
        status = args_problem(args, "--model INSTANCE/MODEL is missing");
    return status;
}

static void print_cost(const koine_cost *cost)
{
    char money[WORDS_SIZE];
    if (cost->price_id[0] != '\0' && cost->state != KOINE_UNPRICED)
        out_line("%s  %s", words_cost(cost, money), cost->price_id);
    else
        out_line("%s", words_cost(cost, money));
}

static void print_json(const struct args *args, const char *target, const koine_usage *usage,
                       const koine_cost *cost)
{
    koine_json_writer *writer = koine_json_writer_new();
    koine_json_open(writer, NULL, '{');
    koine_json_add_string(writer, "target", target);
    koine_json_add_string(writer, "at", args_value(args, "at"));
    result_add_usage(writer, usage);
    result_add_cost_members(writer, cost);
    koine_json_add_bool(writer, "estimated", cost->estimated);
    koine_json_close(writer);
    result_print(writer);
}

static int run_priced(struct args *args, const char *target, const koine_usage *usage, int64_t at)
{
    koine_hub *hub = NULL;
    koine_cost cost = KOINE_COST_INIT;
    int status = setup_hub(args, &hub);
    if (status == STATUS_DONE)
        status = setup_check_instance(args, hub, target, strcspn(target, "/"));
    if (status == STATUS_DONE) {
        int number = koine_calculate_cost(hub, target, usage, at, &cost);
        if (number == KOINE_EARGUMENT)
            status = args_problem(args, "so many tokens cost more than can be counted (9.2 million dollars)");
        else if (number != KOINE_OK)
            status = report_number(args, number, target);
        else if (args->json)
            print_json(args, target, usage, &cost);
        else
            print_cost(&cost);
    }
    koine_hub_free(hub);
    return status;
}

static const char *const of_prices[] = {"model",       "input",     "output", "cache-read",
                                        "cache-write", "reasoning", "at",     NULL},
                         *const of_report[] = {"by", "since", "tenant", "csv", NULL};

static int refuse_others(struct args *args, const char *const *others, const char *why)
{
    for (; *others != NULL; others++) {
        if (args_has(args, *others))
            return args_problem(args, "--%s %s", *others, why);
    }
    return STATUS_DONE;
}

static int run_report(struct args *args)
{
    if (strcmp(args->words[0], "report") != 0)
        return args_problem(args, "\"%s\" is not report", args->words[0]);
    int status = refuse_others(args, of_prices, "does not go with report");
    return status == STATUS_DONE ? cost_report(args) : status;
}

static int run(struct args *args)
{
    if (args->word_count > 0)
        return run_report(args);
    koine_usage usage = KOINE_USAGE_INIT;
    const char *target = NULL;
    int64_t at = -1;
    int status = refuse_others(args, of_report, "goes with report only");
    if (status == STATUS_DONE)
        status = take_target(args, &target);
    if (status == STATUS_DONE)
        status = take_usage(args, &usage);
    if (status == STATUS_DONE)
        status = cost_take_day(args, "at", &at);
    return status == STATUS_DONE ? run_priced(args, target, &usage, at) : status;
}

const struct args_command command_cost = {
    .name = "cost",
    .summary = "what so many tokens of a model cost, or what was spent",
    .synopsis = "-m INSTANCE/MODEL --input N --output N [OPTION]... | report",
    .options = options,
    .details = "Prints exact US dollars and the price that was applied, or \"price unknown\".\n"
               "\n"
               "report prints what was spent, as the configured store has it: exact US\n"
               "dollars, with ~ where some of it is estimated, and how many attempts have no\n"
               "price.\n"
               "\n"
               "Examples:\n"
               "  koine cost -m openai/gpt-4o-mini --input 12000 --output 800\n"
               "  koine cost report --by day,model --since 30d\n",
    .words = 1,
    .run = run,
};
