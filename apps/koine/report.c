/* report: how a call went, for people, on standard error. */
#include "apps/koine/report.h"

#include "apps/koine/logline.h"
#include "apps/koine/out.h"
#include "apps/koine/result.h"
#include "apps/koine/table.h"
#include "apps/koine/term.h"
#include "apps/koine/words.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LONGEST_VALUE 1200 /* of a line of the log */

static void report_retired(const char *line)
{
    char target[256], since[16];
    logline_field(line, "target", target, sizeof(target));
    logline_field(line, "since", since, sizeof(since));
    out_say("note: %s is retired since %s and may not be served any more", target, since);
}

bool report_is_shadowed(const char *reason)
{
    return strncmp(reason, "the id ", strlen("the id ")) == 0 && strstr(reason, " is taken by ") != NULL;
}

static void report_plugin(const struct args *args, const char *line)
{
    char file[LONGEST_VALUE], reason[LONGEST_VALUE];
    logline_field(line, "file", file, sizeof(file));
    logline_field(line, "reason", reason, sizeof(reason));
    if (!args->command->tells_plugins && (args->verbose > 0 || !report_is_shadowed(reason)))
        out_say("note: %s is refused: %s", file, reason);
}

/* What somebody must mend, while another target answers: told with the answer. */
static char latched[LONGEST_VALUE];

static void keep_latched(const char *line)
{
    char kind[32], instance[80], class_name[32], message[LONGEST_VALUE];
    logline_field(line, "kind", kind, sizeof(kind));
    if (strcmp(kind, "latched") != 0 || latched[0] != '\0')
        return;
    logline_field(line, "instance", instance, sizeof(instance));
    logline_field(line, "class", class_name, sizeof(class_name));
    logline_field(line, "message", message, sizeof(message));
    snprintf(latched, sizeof(latched), "%s: %s: %.900s", instance, class_name, message);
}

/* A line of JSON stays one. */
static void report_line(int level, const char *line)
{
    static const char *const names[] = {"error", "warning", "info", "debug"};
    if (logline_is_json(line))
        out_say("%s", line);
    else
        out_say("koine: %s: %s", names[level >= 0 && level < 4 ? level : 3], logline_words(line));
}

void report_log(void *user, int level, const char *line)
{
    const struct args *args = user;
    if (args->verbose < 2 && logline_is(line, "switch")) /* told by the call's own event */
        return;
    if (args->verbose == 0 && logline_is(line, "notice")) { /* what it led to is told */
        keep_latched(line);
        return;
    }
    if (args->verbose < 2 && logline_is(line, "retired"))
        report_retired(line);
    else if (args->verbose < 2 && logline_is(line, "plugin_refused"))
        report_plugin(args, line);
    else
        report_line(level, line);
}

void report_refused(const koine_providers *list, size_t index)
{
    const char *file = koine_providers_file(list, index);
    if (koine_providers_waits(list, index))
        return;
    out_say("note: %s is refused: %s", *file != '\0' ? file : koine_providers_name(list, index),
            koine_providers_reason(list, index));
}

void report_notes(const koine_response *response)
{
    if (latched[0] != '\0')
        out_say("note: %s", latched);
    for (size_t i = 0; i < koine_response_parameter_count(response); i++)
        out_say("note: %s was %s: %s", koine_response_parameter_name(response, i),
                koine_response_parameter_action(response, i), koine_response_parameter_reason(response, i));
    int finish = koine_response_finish(response);
    if (finish == KOINE_FINISH_LENGTH)
        out_say("note: the answer is cut short: it reached the limit of tokens");
    if (finish == KOINE_FINISH_FILTER)
        out_say("note: the answer is cut short: the provider's filter stopped it");
}

void report_summary(const koine_response *response)
{
    const char *dot = term_is_utf8() ? " \302\267 " : " | ";
    koine_usage usage = KOINE_USAGE_INIT;
    koine_cost cost = KOINE_COST_INIT;
    char tokens[WORDS_SIZE], money[WORDS_SIZE], time[WORDS_SIZE], attempts[WORDS_SIZE] = "";
    koine_response_usage(response, &usage);
    koine_response_cost(response, &cost);
    size_t count = koine_response_attempt_count(response);
    if (count > 1)
        snprintf(attempts, sizeof(attempts), "%s%zu attempts", dot, count);
    out_say("%s%s%s%s%s%s%s%s", koine_response_target(response), dot, words_usage(&usage, tokens), dot,
            words_cost(&cost, money), dot, words_time(koine_response_ms(response), time), attempts);
}

static void trail_row(struct table *table, const koine_response *response, size_t index)
{
    koine_cost cost = KOINE_COST_INIT;
    char text[WORDS_SIZE];
    int64_t start = koine_response_attempt_start_ms(response, index);
    int status = koine_response_attempt_status(response, index);
    int class_number = koine_response_attempt_class(response, index);
    koine_response_attempt_cost(response, index, &cost);
    snprintf(text, sizeof(text), "%" PRId64 ".%" PRId64 " s", start / 1000, start % 1000 / 100);
    table_cell(table, text);
    table_cell(table, koine_response_attempt_target(response, index));
    const char *how = class_number == KOINE_CLASS_NONE ? "ok" : koine_class_name(class_number);
    if (status > 0)
        snprintf(text, sizeof(text), "%d %s", status, how);
    else
        snprintf(text, sizeof(text), "--- %s", how);
    table_cell(table, text);
    table_cell(table, words_time(koine_response_attempt_ms(response, index), text));
    table_cell(table, words_cost(&cost, text));
}

void report_trail(const koine_response *response)
{
    static const struct table_column columns[] = {{.right = 1}, {0}, {0}, {.right = 1}, {0}};
    struct table *table = table_new(columns, sizeof(columns) / sizeof(columns[0]));
    for (size_t i = 0; i < koine_response_attempt_count(response); i++)
        trail_row(table, response, i);
    char *text = table_text(table, 0, "  ", NULL, 0);
    size_t length = strlen(text);
    if (length > 0)
        out_say("%.*s", (int)(length - 1), text);
    free(text);
    table_free(table);
}

static const char *advice(const koine_error *error, char *ret, size_t size)
{
    int64_t ms = koine_error_retry_after_ms(error);
    char time[WORDS_SIZE];
    if (ms < 0)
        return "";
    snprintf(ret, size, " (try again after %s)", words_time(ms, time));
    return ret;
}

void report_fault(const koine_error *error)
{
    char text[WORDS_SIZE * 2];
    const char *target = koine_error_target(error), *message = koine_error_message(error);
    if (koine_error_class(error) == KOINE_CLASS_NONE)
        out_say("koine: %s", message);
    else
        out_say("koine: %s%s%s: %s%s", target, *target != '\0' ? ": " : "", koine_error_class_name(error),
                message, advice(error, text, sizeof(text)));
}

int report_status(const koine_error *error)
{
    if (koine_error_class(error) == KOINE_CLASS_CANCELLED)
        return STATUS_INTERRUPTED;
    if (koine_error_class(error) != KOINE_CLASS_NONE)
        return koine_error_origin(error) == KOINE_ORIGIN_POLICY ? STATUS_POLICY : STATUS_FAULT;
    switch (koine_error_number(error)) {
    case KOINE_EARGUMENT:
    case KOINE_ECONFIG:
    case KOINE_ENOTFOUND:
        return STATUS_USAGE;
    default:
        return STATUS_FAULT;
    }
}

/* The library calls a document by that word; its reader knows it as a file. */
static void report_problem(const struct args *args, const koine_error *error)
{
    static const char document[] = "document:";
    const char *message = koine_error_message(error), *file = args_value(args, "request");
    bool of_file = file != NULL && strcmp(file, "-") != 0;
    if (of_file && strncmp(message, document, sizeof(document) - 1) == 0)
        out_say("koine: %s:%s", file, message + sizeof(document) - 1);
    else
        report_fault(error);
}

int report_error(const struct args *args, int number, koine_error *error)
{
    if (error == NULL)
        return report_number(args, number, NULL);
    int status = report_status(error);
    report_problem(args, error);
    if (args->json)
        result_error(error);
    koine_error_free(error);
    return status;
}

int report_number(const struct args *args, int number, const char *what)
{
    char line[512];
    snprintf(line, sizeof(line), "%s%s%s", what != NULL ? what : "", what != NULL ? ": " : "",
             koine_strerror(number));
    out_say("koine: %s", line);
    if (args->json)
        result_problem(line);
    bool usage = number == KOINE_EARGUMENT || number == KOINE_ECONFIG || number == KOINE_ENOTFOUND;
    return usage ? STATUS_USAGE : STATUS_FAULT;
}
