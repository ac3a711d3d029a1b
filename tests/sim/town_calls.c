/* town_calls: the applications of a town: what they ask, and what they make of the answers. */
#include "tests/sim/town_internal.h"

#include <stdio.h>
#include <string.h>

/* ---- Asking ---- */

static koine_request *request_of(struct town_call *call)
{
    char words[64];
    koine_request *request = NULL;
    snprintf(words, sizeof(words), "This is call %u.", call->number);
    koine_request_new(&request);
    koine_request_message(request, "user", words);
    if (call->single)
        koine_request_set_target(request, "together/" LLAMA);
    koine_request_set_integer(request, "max_tokens", 100);
    koine_request_set_deadline(request, call->timeout / KOINE__MS);
    koine_request_set_commit(request,
                             call->oracle.complete ? KOINE_COMMIT_COMPLETE : KOINE_COMMIT_FIRST_CONTENT);
    koine_request_set_stream(request, !call->whole);
    koine_request_set_canceller(request, call->canceller);
    koine_request_set_user(request, call);
    return request;
}

void town_start(struct town_call *call)
{
    struct town *town = call->town;
    koine_error *error = NULL;
    koine_request *request = request_of(call);
    call->oracle.deadline = town->rig.now + call->timeout;
    town_note(town, "client %u: call %u begins%s%s, %lld ms", call->of->number, call->number,
              call->whole ? ", whole" : "", call->oracle.complete ? ", complete" : "",
              (long long)(call->timeout / KOINE__MS));
    if (koine_start(call->of->client, request, &call->call, &error) != KOINE_OK)
        town_hear(town, "a call could not be started");
    koine_error_free(error);
    koine_request_free(request);
}

void town_drop(struct town_call *call)
{
    if (call->call)
        koine_call_free(call->call);
    call->call = NULL;
}

/* Nothing of it is heard any more; what it held must be free. */
static void drop_running(struct town_call *call)
{
    town_note(call->town, "client %u: call %u is freed while it runs", call->of->number, call->number);
    call->end = KOINE_CLASS_CANCELLED;
    call->town->running = call->of;
    town_drop(call);
    call->town->running = NULL;
}

void town_cancel(struct town_call *call)
{
    struct town *town = call->town;
    if (!call->call || call->end >= 0)
        return;
    if (call->drops) {
        drop_running(call);
        return;
    }
    town_note(town, "client %u: call %u is cancelled", call->of->number, call->number);
    if (call->canceller) { /* from outside: what is due at this moment may go first */
        koine_cancel(call->canceller);
        return;
    }
    oracle_call_cancels(&call->oracle);
    koine_call_cancel(call->call);
}

/* ---- Reading ---- */

static const char *take_text(struct town_call *call, const char *text)
{
    size_t used = strlen(call->text);
    snprintf(call->text + used, sizeof(call->text) - used, "%s", text);
    int at = town_server_of(call->oracle.target);
    if (at < 0 || strncmp(text, call->town->servers[at].name, strlen(call->town->servers[at].name)) != 0)
        return "content of another provider than the one that was told";
    return NULL;
}

static bool is_final(enum server_way way)
{
    return way == SERVER_IS_UNPAID || way == SERVER_FORBIDS || way == SERVER_OBJECTS;
}

static const char *take_retry(struct town_call *call, const koine_event *event)
{
    struct town *town = call->town;
    int64_t wait = koine_event_wait_ms(event) * KOINE__MS;
    char instance[64];
    snprintf(instance, sizeof(instance), "%.*s", (int)strcspn(koine_event_target(event), "/"),
             koine_event_target(event));
    int at = town_server_of(instance);
    if (at < 0)
        return "a retry at nobody's";
    if (is_final(call->way))
        return "a retry of what will fail again";
    struct town_server *server = &town->seen[at];
    call->not_before = town->rig.now + wait;
    town->tally.retries++;
    int64_t least = call->advice > 0 ? 5 : 10;
    const char *wrong = oracle_delay(&server->instance->retry, call->retries++, call->advice, wait);
    if (call->hedged) /* which of the two it is about is not told */
        wrong = NULL;
    call->owes = least;
    return wrong;
}

/* A retry that is announced and never sent (cancelled, refused) is given back; a hedge pays for itself. */
const char *town_retry_is_sent(struct town_call *call, struct oracle_bucket *bucket, bool is_hedge)
{
    int64_t owes = is_hedge ? 0 : call->owes;
    if (owes == 0)
        return NULL;
    call->owes = 0;
    return oracle_bucket_pays(bucket, owes);
}

static void earn(struct town_call *call)
{
    int at = town_server_of(call->oracle.target);
    if (at >= 0)
        oracle_bucket_earns(&call->town->seen[at].bucket, call->retries > 0 ? 10 : 1);
}

static const char *judge_end(struct town_call *call)
{
    struct town *town = call->town;
    const struct town_client *client = call->of;
    const koine_response *response = koine_call_response(call->call);
    bool slept =
        client->asleep_from <= call->oracle.deadline && call->oracle.deadline <= client->asleep_until;
    int64_t late = slept ? client->asleep_until - call->oracle.deadline : 0;
    const char *wrong =
        oracle_call_over(&call->oracle, town->rig.now, koine_response_attempt_count(response), late);
    if (wrong)
        return wrong;
    int at = town_server_of(call->oracle.target);
    const char *expected = at < 0 ? "" : call->expected[at];
    if (call->end == KOINE_CLASS_NONE && strcmp(call->text, expected) != 0)
        return "an answer that is not what the provider said";
    return strncmp(call->text, expected, strlen(call->text)) == 0
               ? NULL
               : "a part that is not of what the provider said";
}

static const char *take_end(struct town_call *call, const koine_event *event)
{
    const koine_error *error = koine_event_error(event);
    call->end = error ? koine_error_class(error) : KOINE_CLASS_NONE;
    call->town->ended++;
    town_note(call->town, "client %u: call %u ends: %s", call->of->number, call->number,
              error ? koine_error_class_name(error) : "answered");
    if (!error)
        earn(call);
    return judge_end(call);
}

static const char *take(struct town_call *call, const koine_event *event)
{
    char instance[128];
    int kind = koine_event_kind(event);
    snprintf(instance, sizeof(instance), "%.*s", (int)strcspn(koine_event_target(event), "/"),
             koine_event_target(event));
    const char *wrong = oracle_call_event(&call->oracle, kind, instance);
    if (wrong)
        return wrong;
    switch (kind) {
    case KOINE_EVENT_TEXT:
        return take_text(call, koine_event_text(event, NULL));
    case KOINE_EVENT_RETRY:
        return take_retry(call, event);
    case KOINE_EVENT_SWITCH:
        call->town->tally.moves++;
        town_note(call->town, "client %u: call %u goes on to %s", call->of->number, call->number, instance);
        call->retries = 0;
        call->owes = 0;
        call->not_before = 0;
        return NULL;
    case KOINE_EVENT_STOP:
    case KOINE_EVENT_FAULT:
        return take_end(call, event);
    default:
        return NULL;
    }
}

void town_read(struct town_client *client)
{
    koine_call *of;
    const koine_event *event;
    while (koine_next(client->client, &of, &event) == 1) {
        struct town_call *call = koine_call_user(of);
        town_hear(client->town, take(call, event));
        if (call->end >= 0 && call->number % 2 == 0) /* the others stay to see that nothing comes any more */
            town_drop(call);
    }
}
