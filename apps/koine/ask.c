/* ask: the request that the options of `koine chat` and `koine explain` describe. */
#include "apps/koine/ask.h"

#include "apps/koine/input.h"
#include "apps/koine/out.h"
#include "apps/koine/report.h"

#include <koine/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The builder's own failures carry no words; what a user can get wrong is checked before. */
static int built(struct args *args, int number)
{
    return number == KOINE_OK ? STATUS_DONE : report_number(args, number, "the request");
}

static int check_options(struct args *args)
{
    int status = args_exclude(args, "route", "model");
    if (status == STATUS_DONE)
        status = args_exclude(args, "stream", "no-stream");
    if (status == STATUS_DONE)
        status = args_exclude(args, "request", "system");
    if (status == STATUS_DONE && args_has(args, "request") && args->word_count > 0)
        status = args_problem(args, "--request is the whole document, so there is no PROMPT beside it");
    return status;
}

/* In the form that editors jump to, where the reader says at which place it is wrong. */
static int not_json(struct args *args, const char *name, const char *message)
{
    unsigned line = 0, column = 0;
    int used = 0;
    if (sscanf(message, "not JSON at line %u, column %u: %n", &line, &column, &used) == 2 && used > 0)
        return args_problem(args, "%s:%u:%u: not JSON: %s", name, line, column, message + used);
    return args_problem(args, "%s: %s", name, message);
}

/* Reads it once here: only the reader can say where it is wrong. */
static int check_document(struct args *args, const char *name, const char *text, size_t length)
{
    koine_json *root = NULL;
    koine_error *error = NULL;
    int number = koine_json_parse(text, length, &root, &error);
    if (number == KOINE_EMEMORY)
        return report_error(args, number, error);
    if (number != KOINE_OK) {
        int status = not_json(args, name, error != NULL ? koine_error_message(error) : "not JSON");
        koine_error_free(error);
        return status;
    }
    int kind = koine_json_kind(root);
    koine_json_free(root);
    if (kind != KOINE_JSON_OBJECT)
        return args_problem(args, "%s: is no JSON object; a document is {\"messages\": [...]}", name);
    return STATUS_DONE;
}

static int take_document(struct args *args, koine_request *request, const char *file)
{
    const char *name = strcmp(file, "-") == 0 ? "standard input" : file;
    char *text = NULL;
    size_t length = 0;
    int status = input_read(args, file, &text, &length);
    if (status != STATUS_DONE)
        return status;
    status = check_document(args, name, text, length);
    if (status == STATUS_DONE && koine_request_set_document(request, text, length) != KOINE_OK)
        status = args_problem(args, "%s: is no document that can be sent", name);
    free(text);
    return status;
}

static int take_prompt(struct args *args, const char *otherwise, koine_request *request)
{
    const char *system = args_value(args, "system");
    char *prompt = NULL;
    int status = system != NULL ? input_check(args, "--system", system, strlen(system)) : STATUS_DONE;
    if (status == STATUS_DONE)
        status = input_prompt(args, otherwise, &prompt);
    if (status == STATUS_DONE && system != NULL)
        status = built(args, koine_request_message(request, "system", system));
    if (status == STATUS_DONE)
        status = built(args, koine_request_message(request, "user", prompt));
    free(prompt);
    return status;
}

static int take_max_tokens(struct args *args, koine_request *request)
{
    int64_t most = 0;
    int status = args_integer(args, "max-tokens", 1, INT64_MAX, &most);
    if (status != STATUS_DONE || most == 0)
        return status;
    /* A document may hold the newer name of the same limit: the option wins over both. */
    status = built(args, koine_request_set(request, "max_completion_tokens", NULL));
    return status == STATUS_DONE ? built(args, koine_request_set_integer(request, "max_tokens", most))
                                 : status;
}

static int take_budget(struct args *args, koine_request *request)
{
    const char *usd = args_value(args, "budget");
    if (usd == NULL || koine_request_set_budget(request, usd) == KOINE_OK)
        return STATUS_DONE;
    return args_problem(args, "--budget: \"%s\" is not an amount of US dollars such as 0.50", usd);
}

/* It travels in the user's own digits. */
static int take_temperature(struct args *args, koine_request *request)
{
    const char *text = args_value(args, "temperature");
    if (text == NULL)
        return STATUS_DONE;
    koine_json *value = NULL;
    int number = koine_json_parse(text, strlen(text), &value, NULL);
    int kind = koine_json_kind(value);
    koine_json_free(value);
    if (number == KOINE_EMEMORY)
        return built(args, number);
    if (number != KOINE_OK || kind != KOINE_JSON_NUMBER)
        return args_problem(args, "--temperature: \"%s\" is not a number such as 0.7", text);
    return built(args, koine_request_set(request, "temperature", text));
}

static int take_target(struct args *args, koine_request *request)
{
    const char *target = NULL, *route = args_value(args, "route");
    int status = args_target(args, "model", &target);
    if (status == STATUS_DONE && target != NULL)
        status = built(args, koine_request_set_target(request, target));
    if (status == STATUS_DONE && route != NULL && *route == '\0')
        status = args_problem(args, "--route: is empty");
    if (status == STATUS_DONE && route != NULL)
        status = built(args, koine_request_set_route(request, route));
    return status;
}

int ask_build(struct args *args, const char *otherwise, koine_request **ret)
{
    int status = check_options(args);
    if (status != STATUS_DONE)
        return status;
    koine_request *request = NULL;
    status = built(args, koine_request_new(&request));
    if (status != STATUS_DONE)
        return status;
    const char *document = args_value(args, "request");
    status = take_target(args, request);
    if (status == STATUS_DONE) /* first: a document replaces what was built */
        status =
            document != NULL ? take_document(args, request, document) : take_prompt(args, otherwise, request);
    if (status == STATUS_DONE)
        status = take_max_tokens(args, request);
    if (status == STATUS_DONE)
        status = take_temperature(args, request);
    if (status == STATUS_DONE)
        status = take_budget(args, request);
    if (status == STATUS_DONE)
        *ret = request;
    else
        koine_request_free(request);
    return status;
}
