/* koine explain: what would become of a call, without making it. */
#include "apps/koine/commands.h"

#include "apps/koine/ask.h"
#include "apps/koine/explanation.h"
#include "apps/koine/out.h"
#include "apps/koine/report.h"
#include "apps/koine/setup.h"

#include <koine/json.h>
#include <string.h>

static const struct args_option options[] = {
    {"model", 'm', "INSTANCE/MODEL", "a call of this model, whatever a document says"},
    {"route", 'r', "ROUTE", "a call along this chain of models"},
    {"system", 's', "TEXT", "what the model is told beforehand"},
    {"request", 0, "FILE", "this whole document; - is standard input"},
    {"max-tokens", 0, "N", "an answer of at most N tokens"},
    {"budget", 0, "USD", "refuse what could cost more, such as 0.50"},
    {"json", 0, NULL, "print one JSON object"},
    {0},
};

#define PROMPT "Hi"

static int show(const struct args *args, const char *text)
{
    koine_json *root = NULL;
    koine_error *error = NULL;
    int number = koine_json_parse(text, strlen(text), &root, &error);
    if (number != KOINE_OK)
        return report_error(args, number, error);
    bool assumed = !args_has(args, "request") && args->word_count == 0;
    if (args->json)
        out_line("%s", text);
    else
        explanation_print(root, assumed ? "the prompt is \"" PROMPT "\"" : NULL);
    int status = explanation_asks(root) ? STATUS_DONE : STATUS_FAULT;
    koine_json_free(root);
    return status;
}

static int explain(struct args *args, koine_hub *hub, const koine_request *request)
{
    char *text = NULL;
    koine_error *error = NULL;
    int number = koine_explain(hub, request, &text, &error);
    if (number != KOINE_OK)
        return report_error(args, number, error);
    int status = show(args, text);
    koine_free(text);
    return status;
}

static int run(struct args *args)
{
    koine_request *request = NULL;
    koine_hub *hub = NULL;
    int status = ask_build(args, PROMPT, &request);
    if (status == STATUS_DONE)
        status = setup_hub(args, &hub);
    if (status == STATUS_DONE)
        status = explain(args, hub, request);
    koine_hub_free(hub);
    koine_request_free(request);
    return status;
}

const struct args_command command_explain = {
    .name = "explain",
    .summary = "say what would become of a call, without making it",
    .synopsis = "[-r ROUTE | -m INSTANCE/MODEL] [OPTION]... [PROMPT]...",
    .options = options,
    .details = "Tells which targets would be asked in which order and why, what each layer\n"
               "(latch, budget, breaker, limiter, ...) would say now, what makes the call move\n"
               "on, and what it could cost at most. Nothing is sent. Without a PROMPT or a\n"
               "document it explains one that says \"Hi\". Exit status 1: nobody would be asked.\n"
               "\n"
               "Examples:\n"
               "  koine explain\n"
               "  koine explain -r careful --max-tokens 500 \"Why is the sky blue?\"\n"
               "  koine explain --request document.json --json | jq -r .cost.most_usd\n",
    .words = -1,
    .run = run,
};
