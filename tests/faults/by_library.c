/* by_library: calls as a program makes them, each play on a hub and a client of its own. */
#include "tests/faults/play.h"

#include <koine/koine.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct library {
    koine_hub *hub;
    koine_client *client;
};

static void complain(struct outcome *out, const char *what)
{
    if (!out->problem[0])
        snprintf(out->problem, sizeof(out->problem), "%s", what);
}

static void library_close(void *self)
{
    struct library *library = self;
    koine_client_free(library->client);
    koine_hub_free(library->hub);
    free(library);
}

static bool library_open(struct play *play, void **ret_self)
{
    struct library *library = calloc(1, sizeof(*library));
    koine_error *error = NULL;
    if (library && koine_hub_new(&library->hub, &error) == KOINE_OK &&
        koine_hub_load(library->hub, play->config, &error) == KOINE_OK &&
        koine_hub_apply(library->hub, &error) == KOINE_OK &&
        koine_client_new(library->hub, &library->client, &error) == KOINE_OK) {
        *ret_self = library;
        return true;
    }
    snprintf(play->verdict, sizeof(play->verdict), "no client: %s", error ? koine_error_message(error) : "");
    koine_error_free(error);
    if (library)
        library_close(library);
    return false;
}

static void take_attempts(struct outcome *out, const koine_response *response)
{
    out->count = koine_response_attempt_count(response);
    if (out->count > MOST_ATTEMPTS) {
        complain(out, "more attempts than any call may make");
        out->count = 0;
    }
    for (size_t i = 0; i < out->count; i++) {
        struct attempt *attempt = &out->attempts[i];
        koine_cost cost = KOINE_COST_INIT;
        koine_response_attempt_cost(response, i, &cost);
        snprintf(attempt->target, sizeof(attempt->target), "%s", koine_response_attempt_target(response, i));
        attempt->status = koine_response_attempt_status(response, i);
        attempt->class_number = koine_response_attempt_class(response, i);
        attempt->is_priced = cost.state == KOINE_PRICED;
        attempt->is_estimated = cost.estimated;
        attempt->picodollars = cost.picodollars;
    }
}

static void take_response(struct outcome *out, const koine_response *response)
{
    koine_cost cost = KOINE_COST_INIT;
    if (!response) {
        complain(out, "a fault without what there was before it");
        return;
    }
    koine_response_cost(response, &cost);
    out->knows_costs = true;
    out->is_priced = cost.state == KOINE_PRICED;
    out->picodollars = cost.picodollars;
    out->ms = koine_response_ms(response);
    out->text = play_judge_text(koine_response_text(response, NULL));
    take_attempts(out, response);
}

static void take_error(struct outcome *out, const koine_error *error)
{
    out->class_number = koine_error_class(error);
    snprintf(out->stage, sizeof(out->stage), "%s", koine_error_stage(error));
    if (out->class_number == KOINE_CLASS_NONE)
        complain(out, koine_error_message(error));
}

static void generate(koine_client *client, const koine_request *request, struct outcome *out)
{
    koine_response *response = NULL;
    koine_error *error = NULL;
    int rc = koine_generate(client, request, &response, &error);
    out->terminals = 1;
    if ((rc == KOINE_OK) != (response != NULL) || (rc == KOINE_EFAULT) != (error != NULL))
        complain(out, "koine_generate: neither an answer nor a fault");
    if (error)
        take_error(out, error);
    take_response(out, error ? koine_error_partial(error) : response);
    koine_response_free(response);
    koine_error_free(error);
}

/* One event. */
static void hear(struct outcome *out, const koine_event *event, FILE *delivered)
{
    int kind = koine_event_kind(event);
    if (out->terminals > 0)
        complain(out, "an event after the terminal one");
    if (kind == KOINE_EVENT_TEXT)
        fputs(koine_event_text(event, NULL), delivered);
    out->terminals += kind == KOINE_EVENT_STOP || kind == KOINE_EVENT_FAULT;
}

/* To the end, and on to see that nothing follows it. */
static void follow(koine_client *client, struct outcome *out, FILE *delivered)
{
    for (bool looked_again = false; !looked_again;) {
        koine_call *of = NULL;
        const koine_event *event = NULL;
        int rc = koine_next(client, &of, &event);
        if (rc == 1) {
            hear(out, event, delivered);
            continue;
        }
        looked_again = out->terminals > 0;
        if (rc < 0 || koine_wait(client, looked_again ? 0 : -1) != KOINE_OK) {
            complain(out, "the client failed");
            return;
        }
    }
}

static void stream(koine_client *client, const koine_request *request, struct outcome *out)
{
    koine_call *call = NULL;
    koine_error *error = NULL;
    char *text = NULL;
    size_t length = 0;
    FILE *delivered = open_memstream(&text, &length);
    if (!delivered || koine_start(client, request, &call, &error) != KOINE_OK) {
        complain(out, error ? koine_error_message(error) : "no call");
    } else {
        follow(client, out, delivered);
        if (koine_call_error(call))
            take_error(out, koine_call_error(call));
        take_response(out, koine_call_response(call));
    }
    if (delivered)
        fclose(delivered);
    if (out->text != play_judge_text(text))
        complain(out, "another text than the one that was delivered");
    koine_call_free(call);
    koine_error_free(error);
    free(text);
}

static void library_call(void *self, struct play *play, struct outcome *out)
{
    struct library *library = self;
    koine_request *request = NULL;
    if (koine_request_new(&request) != KOINE_OK) {
        complain(out, "no request");
        return;
    }
    koine_request_message(request, "user", "Say it.");
    koine_request_set_route(request, play->route);
    koine_request_set_stream(request, play->way != WHOLE);
    if (play->way == WHOLE)
        generate(library->client, request, out);
    else
        stream(library->client, request, out);
    koine_request_free(request);
}

const struct caller caller_library = {library_open, library_call, library_close};
