/* koine chat: asks a model and shows its answer. */
#include "apps/koine/commands.h"

#include "apps/koine/approval.h"
#include "apps/koine/ask.h"
#include "apps/koine/interrupt.h"
#include "apps/koine/out.h"
#include "apps/koine/report.h"
#include "apps/koine/result.h"
#include "apps/koine/screen.h"
#include "apps/koine/setup.h"
#include "apps/koine/term.h"
#include "apps/koine/words.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const struct args_option options[] = {
    {"model", 'm', "INSTANCE/MODEL", "ask this model, whatever a document says"},
    {"route", 'r', "ROUTE", "ask along this chain of models"},
    {"system", 's', "TEXT", "what the model is told beforehand"},
    {"request", 0, "FILE", "send this whole document; - is standard input"},
    {"max-tokens", 0, "N", "an answer of at most N tokens"},
    {"budget", 0, "USD", "refuse what could cost more, such as 0.50"},
    {"yes", 'y', NULL, "go on, whatever it may cost, without a question"},
    {"temperature", 0, "X", "how freely to choose words, such as 0.7"},
    {"stream", 0, NULL, "ask for the answer piece by piece"},
    {"no-stream", 0, NULL, "ask for the answer as a whole"},
    {"metrics", 0, "FILE", "write the call's metrics there (Prometheus text)"},
    {"json", 0, NULL, "print one JSON object, also on a fault"},
    {0},
};

#define WEBHOOK_MS 2000 /* for notices that wait when the answer is there */

struct chat {
    struct args *args;
    bool live; /* pieces are shown as they come */
    struct screen screen;
};

/* How the provider is asked, and when a half answer may be shown. What nobody watches is held back until it
 * is whole: so a route can move on to its next target up to the end. */
static int set_manner(struct chat *chat, koine_request *request)
{
    const struct args *args = chat->args;
    bool stream = term_is_output() && !args->json;
    if (args_has(args, "stream") || args_has(args, "no-stream"))
        stream = args_has(args, "stream");
    chat->live = !args->json && (term_is_output() || args_has(args, "stream"));
    int number = koine_request_set_stream(request, stream);
    if (number == KOINE_OK && !chat->live)
        number = koine_request_set_commit(request, KOINE_COMMIT_COMPLETE);
    return number;
}

/* What happens before the answer begins, while somebody waits and wonders. */
static void show_way(const struct chat *chat, const koine_event *event)
{
    char time[WORDS_SIZE];
    size_t length;
    const char *why = koine_event_text(event, &length);
    while (length > 0 && why[length - 1] == '.') /* a vendor's full stop, and a semicolon after it */
        length--;
    if ((!term_is_error() || chat->args->json) && chat->args->verbose == 0)
        return;
    if (koine_event_kind(event) == KOINE_EVENT_SWITCH)
        out_say("%.*s; moving on to %s", (int)length, why, koine_event_target(event));
    else
        out_say("%.*s; trying again in %s", (int)length, why, words_time(koine_event_wait_ms(event), time));
}

/* A call that ended without an answer says so itself. */
static int approve(const struct chat *chat, koine_client *client, koine_call *call, const koine_event *event)
{
    enum approval answer = approval_ask(chat->args, client, call, koine_event_text(event, NULL));
    return answer == APPROVAL_NONE ? KOINE_OK : koine_call_approve(call, answer == APPROVAL_YES);
}

static void show(struct chat *chat, const koine_event *event)
{
    int kind = koine_event_kind(event);
    if (kind == KOINE_EVENT_SWITCH || kind == KOINE_EVENT_RETRY)
        show_way(chat, event);
    else if (chat->live)
        screen_event(&chat->screen, event);
}

static bool is_terminal(const koine_event *event)
{
    return koine_event_kind(event) == KOINE_EVENT_STOP || koine_event_kind(event) == KOINE_EVENT_FAULT;
}

/* Follows the call to its end: 1; or until nobody reads us any more: 0; or a negative number of the
 * library's. */
static int follow(struct chat *chat, koine_client *client)
{
    for (;;) {
        koine_call *call = NULL;
        const koine_event *event = NULL;
        int number = koine_next(client, &call, &event);
        if (number == 0) {
            if (out_flush() != 0)
                return 0;
            number = koine_wait(client, -1);
            if (number >= 0)
                continue;
        }
        if (number < 0)
            return number;
        show(chat, event);
        if (is_terminal(event))
            return 1;
        if (koine_event_kind(event) == KOINE_EVENT_APPROVAL)
            number = approve(chat, client, call, event);
        if (number < 0)
            return number;
    }
}

static int end_answer(const struct chat *chat, const koine_response *response)
{
    if (chat->args->json) {
        result_response(response);
        if (chat->args->verbose == 0)
            return STATUS_DONE;
    } else {
        if (!chat->live)
            screen_response(response);
        screen_rest(response);
    }
    report_notes(response);
    report_summary(response);
    if (koine_response_attempt_count(response) > 1)
        report_trail(response);
    return STATUS_DONE;
}

static int end_fault(const struct chat *chat, const koine_error *error)
{
    const koine_response *partial = koine_error_partial(error);
    bool terse = chat->args->json && chat->args->verbose == 0;
    if (chat->args->json)
        result_error(error);
    else if (chat->live && partial != NULL)
        screen_rest(partial);
    report_fault(error);
    if (!terse && partial != NULL && koine_response_attempt_count(partial) > 0) {
        report_summary(partial);
        report_trail(partial);
    }
    return report_status(error);
}

static int run_call(struct chat *chat, koine_client *client, koine_request *request)
{
    koine_call *call = NULL;
    koine_error *error = NULL;
    int number = koine_start(client, request, &call, &error);
    if (number != KOINE_OK)
        return report_error(chat->args, number, error);
    int status = STATUS_DONE;
    number = follow(chat, client);
    if (number < 0)
        status = report_number(chat->args, number, "the call");
    else if (number > 0 && koine_call_error(call) != NULL)
        status = end_fault(chat, koine_call_error(call));
    else if (number > 0)
        status = end_answer(chat, koine_call_response(call));
    koine_call_free(call);
    return status;
}

static int run_cancellable(struct chat *chat, koine_client *client, koine_request *request)
{
    koine_canceller *canceller = NULL;
    int number = set_manner(chat, request);
    if (number == KOINE_OK)
        number = interrupt_begin(&canceller);
    if (number != KOINE_OK)
        return report_number(chat->args, number, "the request");
    number = koine_request_set_canceller(request, canceller);
    int status = number == KOINE_OK ? run_call(chat, client, request)
                                    : report_number(chat->args, number, "the request");
    interrupt_end(canceller);
    return status;
}

static int write_metrics(struct args *args, koine_hub *hub, const char *file)
{
    char *text = NULL;
    int number = koine_metrics_write(hub, &text);
    if (number != KOINE_OK)
        return report_number(args, number, "the metrics");
    FILE *out = fopen(file, "we");
    bool failed = !out || fputs(text, out) < 0;
    int why = errno;
    if (out && fclose(out) != 0 && !failed) {
        failed = true;
        why = errno;
    }
    koine_free(text);
    if (failed)
        out_say("%s: the metrics cannot be written: %s", file, strerror(why));
    return failed ? STATUS_FAULT : STATUS_DONE;
}

/* What belongs to the call, and outlives it: notices for the webhook, which have as long as nobody minds; and
 * the metrics. A call that failed stays one that failed. */
static int wind_up(struct args *args, koine_hub *hub, koine_client *client, int status)
{
    const char *file = args_value(args, "metrics");
    koine_deliver_notices(client, WEBHOOK_MS);
    int written = file ? write_metrics(args, hub, file) : STATUS_DONE;
    return status == STATUS_DONE ? written : status;
}

static int run(struct args *args)
{
    struct chat chat = {.args = args};
    koine_request *request = NULL;
    koine_hub *hub = NULL;
    koine_client *client = NULL;
    int status = ask_build(args, NULL, &request);
    if (status == STATUS_DONE)
        status = setup_hub(args, &hub);
    if (status == STATUS_DONE)
        status = setup_client(args, hub, &client);
    if (status == STATUS_DONE)
        status = wind_up(args, hub, client, run_cancellable(&chat, client, request));
    koine_client_free(client);
    koine_hub_free(hub);
    koine_request_free(request);
    return status;
}

const struct args_command command_chat = {
    .name = "chat",
    .summary = "ask a model and show its answer",
    .synopsis = "[-r ROUTE | -m INSTANCE/MODEL] [OPTION]... [PROMPT]...",
    .options = options,
    .details = "The words are the prompt. What stands on standard input goes below them, or is\n"
               "the prompt where there are no words. Without -m and -r the default route is\n"
               "asked. Ctrl-C ends the answer and keeps what has come.\n"
               "\n"
               "Examples:\n"
               "  koine chat \"Why is the sky blue?\"\n"
               "  git diff | koine chat -m openai/gpt-4o-mini \"Write a commit message:\"\n"
               "  koine chat --request document.json --json | jq -r .text\n",
    .words = -1,
    .run = run,
};
