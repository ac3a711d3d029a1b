/* route: see route.h. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "tests/standin/route.h"
#include "tests/standin/behave.h"
#include "tests/standin/scan.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define JSON_TYPE "application/json"

struct tally {
    struct tally *next;
    unsigned count;
    int64_t first; /* when it was asked for the first time */
    char name[];   /* provider, a space, model as it was asked for */
};

enum place {
    PLACE_UNKNOWN,
    PLACE_CHAT,
    PLACE_MODELS,
    PLACE_OWN
};

void route_free(struct route *route)
{
    while (route->tallies) {
        struct tally *next = route->tallies->next;
        free(route->tallies);
        route->tallies = next;
    }
    journal_free(&route->journal);
}

static bool starts(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

/* "/PROVIDER/v1/…" or "/v1/…", which is provider "default". */
static enum place find_place(const char *path, struct span *ret_provider)
{
    *ret_provider = (struct span){"default", 7};
    if (starts(path, "/standin/"))
        return PLACE_OWN;
    if (!starts(path, "/v1/")) {
        const char *end = path[0] ? strchr(path + 1, '/') : NULL;
        if (path[0] != '/' || !end || end == path + 1)
            return PLACE_UNKNOWN;
        *ret_provider = (struct span){path + 1, (size_t)(end - path) - 1};
        path = end;
    }
    if (strcmp(path, "/v1/chat/completions") == 0)
        return PLACE_CHAT;
    return strcmp(path, "/v1/models") == 0 ? PLACE_MODELS : PLACE_UNKNOWN;
}

static const char *path_of(const struct http_request *request)
{
    return request->path.data ? request->path.data : "";
}

uint64_t route_head(struct route *route, const struct http_request *request, uint64_t connection, int64_t ms)
{
    struct span provider;
    enum place place = find_place(path_of(request), &provider);
    if (place == PLACE_OWN)
        return 0;
    struct entry *entry = journal_add(&route->journal);
    if (!entry)
        return 0;
    route->posts += strcmp(request->method, "POST") == 0;
    entry->ms = ms;
    entry->connection = connection;
    entry->has_key = request->has_key;
    entry->method = strdup(request->method);
    entry->path = strdup(path_of(request));
    entry->provider = place == PLACE_UNKNOWN ? NULL : strndup(provider.text, provider.length);
    return entry->n;
}

static void refuse(struct script *script, const struct ask *ask, int status, const char *message)
{
    answer_fail(
        script, ask,
        &(struct answer_failure){.status = status, .type = "invalid_request_error", .message = message});
}

void route_refuse(const struct http_request *request, const struct route_call *call, struct script *script)
{
    struct ask ask = {.number = call->n, .date = call->date, .closes = true};
    refuse(script, &ask, request->status, "This is not a request that can be served.");
}

/* ---- which behaviour ---- */

/* The value of PROVIDER=BEHAVIOUR in `text`, when it is about this provider. */
static const char *about(const char *text, const char *provider)
{
    size_t length = strlen(provider);
    return strncmp(text, provider, length) == 0 && text[length] == '=' ? text + length + 1 : NULL;
}

bool route_behave_is_valid(const char *text)
{
    const char *value = strchr(text, '=');
    return value && value > text && behave_find(value + 1, strlen(value + 1));
}

static const struct behaviour *of_provider(const struct route *route, const char *provider)
{
    for (const char *const *item = route->behave; item && *item; item++) {
        const char *value = about(*item, provider);
        if (value)
            return behave_find(value, strlen(value));
    }
    return behave_find("healthy", 7);
}

static const struct behaviour *of_query(const struct http_request *request)
{
    for (size_t i = 0; i < behave_count; i++)
        if (http_query_has(request, "behaviour", behave_table[i].name))
            return &behave_table[i];
    return NULL;
}

/* By the model's name, which loses its "!behaviour" here, else by the provider's. NULL: the name behind the
 * '!' is none of ours, and a typing error should not pass as healthy. */
static const struct behaviour *choose(const struct route *route, const struct http_request *request,
                                      const char *provider, char *model)
{
    const struct behaviour *asked = of_query(request), *named;
    char *mark = strrchr(model, '!'), *slash = strrchr(model, '/');
    if (mark) {
        *mark = '\0';
        named = behave_find(mark + 1, strlen(mark + 1));
        return asked ? asked : named;
    }
    named = behave_find(model, strlen(model));
    if (!named && slash)
        named = behave_find(slash + 1, strlen(slash + 1));
    return asked ? asked : named ? named : of_provider(route, provider);
}

/* One more request for this provider and model. */
static void count(struct route *route, const char *model, struct ask *ask)
{
    struct bytes name = {0};
    bytes_printf(&name, "%s %s", ask->provider, model);
    struct tally *tally = route->tallies;
    while (tally && name.data && strcmp(tally->name, name.data) != 0)
        tally = tally->next;
    if (!tally && !name.failed && (tally = calloc(1, sizeof(*tally) + name.length + 1))) {
        memcpy(tally->name, name.data, name.length);
        tally->next = route->tallies;
        tally->first = ask->now;
        route->tallies = tally;
    }
    bytes_free(&name);
    ask->nth = tally ? ++tally->count : 1;
    ask->since_ms = tally ? (int64_t)((double)(ask->now - tally->first) / 1e6 / route->scale) : 0;
}

/* ---- the answers ---- */

static void answer_chat(struct route *route, const struct http_request *request, struct scan_request *scan,
                        struct ask *ask, struct entry *entry, struct script *script)
{
    char *asked = strdup(scan->model.data ? scan->model.data : "");
    if (!asked) {
        script->failed = true;
        return;
    }
    const struct behaviour *row =
        choose(route, request, ask->provider, scan->model.data ? scan->model.data : asked);
    if (!row) {
        refuse(script, ask, 400, "There is no such behaviour; GET /standin/behaviours lists them.");
    } else {
        if (row->fails)
            count(route, asked, ask);
        ask->model = scan->model.data ? scan->model.data : "";
        ask->user = (struct span){scan->user.data, scan->user.length};
        ask->stream = scan->stream;
        ask->include_usage = scan->include_usage;
        ask->ends_with_assistant = scan->ends_with_assistant;
        row->play(script, ask, row);
    }
    if (entry) {
        entry->behaviour = row ? row->name : NULL;
        entry->stream = scan->stream;
        entry->model = asked;
        return;
    }
    free(asked);
}

static void chat(struct route *route, const struct http_request *request, struct ask *ask,
                 struct entry *entry, struct script *script)
{
    struct scan_request scan;
    ask->tokens = route->tokens;
    ask->body = (struct span){request->body.data, request->body.length};
    ask->input = request->body.length >= 4 ? (int64_t)(request->body.length / 4) : 1;
    const char *wrong = scan_request(request->body.data, request->body.length, &scan);
    if (wrong)
        refuse(script, ask, 400, wrong);
    else
        answer_chat(route, request, &scan, ask, entry, script);
    scan_request_free(&scan);
}

static void add_model(struct bytes *out, const struct ask *ask, const char *id)
{
    bytes_text(out, "{\"id\":");
    bytes_json(out, id, strlen(id));
    bytes_printf(out, ",\"object\":\"model\",\"created\":%" PRId64, ask->date);
    if (!answer_is_together(ask)) {
        bytes_text(out, ",\"owned_by\":\"standin\"}");
        return;
    }
    bytes_text(out, ",\"type\":\"chat\",\"display_name\":");
    bytes_json(out, id, strlen(id));
    bytes_text(out, ",\"organization\":\"Stand-in\",\"link\":\"\",\"license\":\"\",\"context_length\":131072,"
                    "\"pricing\":{\"hourly\":0,\"input\":0.18,\"output\":0.18,\"base\":0,\"finetune\":0}}");
}

/* Every behaviour is a model, and can be asked for under that name. */
static void answer_models(struct script *script, const struct ask *ask)
{
    struct bytes body = {0};
    bool together = answer_is_together(ask);
    bytes_text(&body, together ? "[" : "{\"object\":\"list\",\"data\":[");
    add_model(&body, ask, together ? "meta-llama/Llama-3.3-70B-Instruct-Turbo" : "gpt-4o-mini");
    for (size_t i = 0; i < behave_count; i++) {
        struct bytes id = {0};
        bytes_printf(&id, "standin/%s", behave_table[i].name);
        bytes_text(&body, ",");
        add_model(&body, ask, id.data ? id.data : "");
        body.failed |= id.failed;
        bytes_free(&id);
    }
    bytes_text(&body, together ? "]" : "]}");
    script->failed |= body.failed;
    answer_body(script, ask, 200, JSON_TYPE, body.data ? body.data : "");
    bytes_free(&body);
}

/* Only what --behave says about the provider counts here, and only what makes sense without a model. */
static void models(struct route *route, const struct http_request *request, struct ask *ask,
                   struct entry *entry, struct script *script)
{
    const struct behaviour *asked = of_query(request),
                           *row = asked ? asked : of_provider(route, ask->provider);
    if (entry)
        entry->behaviour = row->every_route ? row->name : "healthy";
    if (row->every_route)
        row->play(script, ask, row);
    else
        answer_models(script, ask);
}

static void print_count(const struct route *route, struct bytes *out)
{
    bytes_printf(out, "{\"requests\":%" PRIu64 ",\"posts\":%" PRIu64 "}\n", route->journal.last,
                 route->posts);
}

static void print_behaviours(struct bytes *out)
{
    bytes_text(out, "[");
    for (size_t i = 0; i < behave_count; i++) {
        bytes_text(out, i ? ",\n{\"name\":" : "{\"name\":");
        bytes_json(out, behave_table[i].name, strlen(behave_table[i].name));
        bytes_text(out, ",\"help\":");
        bytes_json(out, behave_table[i].help, strlen(behave_table[i].help));
        bytes_text(out, "}");
    }
    bytes_text(out, "]\n");
}

/* /standin/…: what the stand-in says about itself. */
static void own(struct route *route, const struct http_request *request, const struct ask *ask,
                struct script *script)
{
    struct bytes body = {0};
    bool deletes = strcmp(request->method, "DELETE") == 0,
         log = strcmp(path_of(request), "/standin/log") == 0,
         counts = strcmp(path_of(request), "/standin/count") == 0;
    if (!log && !counts && strcmp(path_of(request), "/standin/behaviours") != 0) {
        refuse(script, ask, 404,
               "Not found: there are /standin/log, /standin/count and /standin/behaviours.");
        return;
    }
    if (strcmp(request->method, "GET") != 0 && !(deletes && log)) {
        refuse(script, ask, 405, "Method not allowed.");
        return;
    }
    if (log)
        journal_print(&route->journal, &body);
    else if (counts)
        print_count(route, &body);
    else
        print_behaviours(&body);
    script->failed |= body.failed;
    answer_body(script, ask, 200, JSON_TYPE, body.data ? body.data : "");
    bytes_free(&body);
    if (log && (deletes || http_query_has(request, "clear", "1")))
        journal_clear(&route->journal);
}

void route_request(struct route *route, const struct http_request *request, const struct route_call *call,
                   struct script *script)
{
    struct span name;
    enum place place = find_place(path_of(request), &name);
    struct entry *entry = journal_find(&route->journal, call->n);
    char *provider = strndup(name.text, name.length);
    struct ask ask = {.provider = provider ? provider : "",
                      .number = call->n,
                      .date = call->date,
                      .now = call->now,
                      .nth = 1,
                      .advice_scale = route->scale_advice ? route->scale : 0,
                      .closes = request->closes};
    if (entry)
        entry->bytes = request->body.length;
    if (place == PLACE_OWN) {
        own(route, request, &ask, script);
    } else if (place == PLACE_UNKNOWN) {
        refuse(script, &ask, 404,
               "Not found: there are /PROVIDER/v1/chat/completions and /PROVIDER/v1/models.");
    } else if (strcmp(request->method, place == PLACE_CHAT ? "POST" : "GET") != 0) {
        refuse(script, &ask, 405, "Method not allowed.");
    } else if (place == PLACE_CHAT) {
        ask.on_connection = ++*call->asked;
        chat(route, request, &ask, entry, script);
    } else {
        models(route, request, &ask, entry, script);
    }
    free(provider);
}
