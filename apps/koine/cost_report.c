/* koine cost report: what was spent, by whom and on what, as the store has it. Money stays in whole
 * picodollars; what has no price is counted and never taken for nothing. */
#include "apps/koine/cost.h"

#include "apps/koine/out.h"
#include "apps/koine/report.h"
#include "apps/koine/result.h"
#include "apps/koine/setup.h"
#include "apps/koine/table.h"
#include "apps/koine/term.h"
#include "apps/koine/words.h"

#include <koine/koine.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    BAR = 20, /* characters of the longest bar */
    LONGEST_SINCE = 36500
};

static const struct {
    const char *name;
    uint32_t bit;
    const char *(*text)(const koine_spending *, size_t);
} groups[] = {
    {"day", KOINE_BY_DAY, koine_spending_day},
    {"tenant", KOINE_BY_TENANT, koine_spending_tenant},
    {"provider", KOINE_BY_PROVIDER, koine_spending_provider},
    {"model", KOINE_BY_MODEL, koine_spending_model},
};
enum {
    GROUPS = sizeof(groups) / sizeof(groups[0])
};

struct line { /* one, or the sum of all */
    int64_t attempts, failed, unpriced, estimated, picodollars;
    bool overflows; /* picodollars does not hold it */
    koine_usage usage;
};

static struct line line_at(const koine_spending *spending, size_t i)
{
    struct line line = {.attempts = koine_spending_attempts(spending, i),
                        .failed = koine_spending_failed(spending, i),
                        .unpriced = koine_spending_unpriced(spending, i),
                        .estimated = koine_spending_estimated(spending, i),
                        .picodollars = koine_spending_picodollars(spending, i),
                        .usage = KOINE_USAGE_INIT};
    koine_spending_usage(spending, i, &line.usage);
    return line;
}

static void add_tokens(int64_t *sum, int64_t tokens)
{
    if (tokens >= 0 && __builtin_add_overflow(*sum < 0 ? 0 : *sum, tokens, sum))
        *sum = INT64_MAX;
}

static struct line total_of(const koine_spending *spending)
{
    struct line sum = {.usage = KOINE_USAGE_INIT};
    for (size_t i = 0; i < koine_spending_count(spending); i++) {
        struct line line = line_at(spending, i);
        sum.attempts += line.attempts;
        sum.failed += line.failed;
        sum.unpriced += line.unpriced;
        sum.estimated += line.estimated;
        sum.overflows |= __builtin_add_overflow(sum.picodollars, line.picodollars, &sum.picodollars);
        add_tokens(&sum.usage.input, line.usage.input);
        add_tokens(&sum.usage.cache_read, line.usage.cache_read);
        add_tokens(&sum.usage.cache_write, line.usage.cache_write);
        add_tokens(&sum.usage.output, line.usage.output);
        add_tokens(&sum.usage.reasoning, line.usage.reasoning);
    }
    return sum;
}

/* ---- the table ---- */

static void count_cell(struct table *table, int64_t count, bool told)
{
    char text[WORDS_SIZE] = "";
    if (told)
        snprintf(text, sizeof(text), "%" PRId64, count);
    table_cell(table, text);
}

/* Nothing but attempts without a price: then the sum says nothing. */
static bool is_unknown(const struct line *line)
{
    return line->unpriced > 0 && line->picodollars == 0;
}

static void cost_cell(struct table *table, const struct line *line)
{
    char text[WORDS_SIZE];
    koine_cost cost = KOINE_COST_INIT;
    cost.state = is_unknown(line) ? KOINE_UNPRICED : KOINE_PRICED;
    cost.picodollars = line->picodollars;
    cost.estimated = line->estimated > 0;
    table_cell(table, line->overflows ? "beyond $9.2 million" : words_cost(&cost, text));
}

/* A part of the greatest, in whole numbers; something is never nothing. */
static void bar_cell(struct table *table, int64_t picodollars, int64_t greatest)
{
    char bar[BAR * 3 + 1] = "";
    const char *mark = term_is_utf8() ? "\u2588" : "#";
    int64_t step = (greatest + BAR - 1) / BAR;
    int64_t length = step > 0 ? picodollars / step + (picodollars % step != 0) : 0;
    for (int64_t i = 0; i < length && i < BAR; i++)
        memcpy(bar + (size_t)i * strlen(mark), mark, strlen(mark) + 1);
    table_cell(table, bar);
}

static void numbers(struct table *table, const struct line *line)
{
    char text[WORDS_SIZE];
    count_cell(table, line->attempts, true);
    count_cell(table, line->failed, line->failed > 0);
    table_cell(table, words_tokens(koine_usage_input_total(&line->usage), text));
    table_cell(table, words_tokens(koine_usage_output_total(&line->usage), text));
    count_cell(table, line->unpriced, line->unpriced > 0);
    cost_cell(table, line);
}

static size_t choose_columns(uint32_t by, struct table_column *ret)
{
    static const struct table_column figures[] = {
        {.title = "attempts", .right = 1, .spare = 2},
        {.title = "failed", .right = 1, .spare = 3},
        {.title = "in", .right = 1, .spare = 4},
        {.title = "out", .right = 1, .spare = 4},
        {.title = "unpriced", .right = 1},
        {.title = "cost", .right = 1},
        {.title = "", .spare = 5}, /* the bar */
    };
    size_t count = 0;
    for (size_t i = 0; i < GROUPS; i++) {
        if (by & groups[i].bit)
            ret[count++] = (struct table_column){.title = groups[i].name};
    }
    memcpy(ret + count, figures, sizeof(figures));
    return count + sizeof(figures) / sizeof(figures[0]);
}

static void total_row(struct table *table, const koine_spending *spending, uint32_t by)
{
    struct line sum = total_of(spending);
    const char *title = "total";
    for (size_t i = 0; i < GROUPS; i++) {
        if (by & groups[i].bit) {
            table_cell(table, title);
            title = "";
        }
    }
    numbers(table, &sum);
    table_cell(table, "");
}

static void print_table(const koine_spending *spending, uint32_t by)
{
    struct table_column columns[GROUPS + 7];
    struct table *table = table_new(columns, choose_columns(by, columns));
    int64_t greatest = 0;
    size_t count = koine_spending_count(spending);
    for (size_t i = 0; i < count; i++) {
        int64_t cost = koine_spending_picodollars(spending, i);
        greatest = cost > greatest ? cost : greatest;
    }
    for (size_t i = 0; i < count; i++) {
        struct line line = line_at(spending, i);
        for (size_t k = 0; k < GROUPS; k++) {
            if (by & groups[k].bit)
                table_cell(table, *groups[k].text(spending, i) != '\0' ? groups[k].text(spending, i) : "-");
        }
        numbers(table, &line);
        bar_cell(table, line.picodollars, greatest);
    }
    if (count > 1)
        total_row(table, spending, by);
    char *text = table_text(table, term_width(), "", NULL, 0);
    out_text(text, strlen(text));
    free(text);
    table_free(table);
}

/* ---- CSV and JSON ---- */

static void csv_text(const char *text)
{
    out_text("\"", 1);
    for (; *text != '\0'; text++) {
        if (*text == '"')
            out_text("\"", 1);
        out_text(text, 1);
    }
    out_text("\",", 2);
}

static void csv_count(int64_t count)
{
    char text[WORDS_SIZE];
    snprintf(text, sizeof(text), "%" PRId64 ",", count < 0 ? 0 : count);
    out_text(text, strlen(text));
}

static void print_csv(const koine_spending *spending)
{
    out_line(
        "day,tenant,provider,model,attempts,failed,unpriced,estimated,input,cache_read,cache_write,output,"
        "reasoning,usd");
    for (size_t i = 0; i < koine_spending_count(spending); i++) {
        struct line line = line_at(spending, i);
        char usd[32];
        for (size_t k = 0; k < GROUPS; k++)
            csv_text(groups[k].text(spending, i));
        const int64_t counts[] = {line.attempts,          line.failed,       line.unpriced,
                                  line.estimated,         line.usage.input,  line.usage.cache_read,
                                  line.usage.cache_write, line.usage.output, line.usage.reasoning};
        for (size_t k = 0; k < sizeof(counts) / sizeof(counts[0]); k++)
            csv_count(counts[k]);
        out_line("%s", is_unknown(&line) ? "" : koine_cost_usd(line.picodollars, usd, sizeof(usd)));
    }
}

static void add_figures(koine_json_writer *writer, const struct line *line)
{
    char usd[32];
    koine_json_add_integer(writer, "attempts", line->attempts);
    koine_json_add_integer(writer, "failed", line->failed);
    koine_json_add_integer(writer, "unpriced", line->unpriced);
    koine_json_add_integer(writer, "estimated", line->estimated);
    result_add_usage(writer, &line->usage);
    result_add_text(
        writer, "usd",
        line->overflows || is_unknown(line) ? NULL : koine_cost_usd(line->picodollars, usd, sizeof(usd)));
}

static void print_json(const koine_spending *spending)
{
    struct line sum = total_of(spending);
    koine_json_writer *writer = koine_json_writer_new();
    koine_json_open(writer, NULL, '{');
    koine_json_open(writer, "rows", '[');
    for (size_t i = 0; i < koine_spending_count(spending); i++) {
        struct line line = line_at(spending, i);
        koine_json_open(writer, NULL, '{');
        for (size_t k = 0; k < GROUPS; k++)
            result_add_text(writer, groups[k].name, groups[k].text(spending, i));
        add_figures(writer, &line);
        koine_json_close(writer);
    }
    koine_json_close(writer);
    koine_json_open(writer, "total", '{');
    add_figures(writer, &sum);
    koine_json_close(writer);
    koine_json_close(writer);
    result_print(writer);
}

/* ---- what is asked ---- */

static int take_group(struct args *args, const char *name, size_t length, uint32_t *by)
{
    for (size_t i = 0; i < GROUPS; i++) {
        if (strlen(groups[i].name) == length && strncmp(groups[i].name, name, length) == 0) {
            *by |= groups[i].bit;
            return STATUS_DONE;
        }
    }
    return args_problem(args, "--by: \"%.*s\" is none of day, tenant, provider and model",
                        length < 80 ? (int)length : 80, name);
}

/* Names with commas between them. */
static int take_by(struct args *args, uint32_t *ret)
{
    const char *text = args_value(args, "by");
    int status = STATUS_DONE;
    *ret = 0;
    if (text == NULL)
        text = "model";
    while (status == STATUS_DONE) {
        size_t length = strcspn(text, ",");
        status = take_group(args, text, length, ret);
        if (text[length] == '\0')
            break;
        text += length + 1;
    }
    return status;
}

/* A day, or so many days with today: "30d". */
static int take_since(struct args *args, int64_t *ret)
{
    const char *text = args_value(args, "since");
    size_t digits = text != NULL ? strspn(text, "0123456789") : 0;
    if (digits == 0 || digits > 5 || strcmp(text + digits, "d") != 0)
        return cost_take_day(args, "since", ret);
    long days = strtol(text, NULL, 10);
    if (days < 1 || days > LONGEST_SINCE)
        return args_problem(args, "--since: 1d to %dd", LONGEST_SINCE);
    int64_t today = (int64_t)time(NULL) / 86400 * 86400;
    *ret = today - (days - 1) * 86400 > 0 ? today - (days - 1) * 86400 : 0;
    return STATUS_DONE;
}

static int show(struct args *args, koine_hub *hub, const koine_spending_query *query)
{
    koine_spending *spending = NULL;
    koine_error *error = NULL;
    int number = koine_spending_read(hub, query, &spending, &error);
    if (number != KOINE_OK)
        return report_error(args, number, error);
    if (args->json)
        print_json(spending);
    else if (args_has(args, "csv"))
        print_csv(spending);
    else if (koine_spending_count(spending) > 0)
        print_table(spending, query->by);
    else
        out_say("nothing is recorded of that");
    koine_spending_free(spending);
    return STATUS_DONE;
}

int cost_report(struct args *args)
{
    koine_hub *hub = NULL;
    koine_spending_query query = KOINE_SPENDING_QUERY_INIT;
    query.tenant = args_value(args, "tenant");
    int status = args_exclude(args, "json", "csv");
    if (status == STATUS_DONE)
        status = take_by(args, &query.by);
    if (status == STATUS_DONE)
        status = take_since(args, &query.since);
    if (status == STATUS_DONE)
        status = setup_hub(args, &hub);
    if (status == STATUS_DONE)
        status = show(args, hub, &query);
    koine_hub_free(hub);
    return status;
}
