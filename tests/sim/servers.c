/* servers: see servers.h. */
#include "tests/sim/servers.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct way {
    const char *name;
    int status, fault_class;
    bool hangs, advises;
    const char *code, *message; /* of an error's body */
};
static const struct way ways[SERVER_WAYS] = {
    [SERVER_WELL] = {"well", 200, 0, false, false, NULL, NULL},
    [SERVER_REFUSES] = {"refuses", 0, KOINE_CLASS_CONNECT, false, false, NULL, NULL},
    [SERVER_RESETS] = {"resets", 0, KOINE_CLASS_RESET, false, false, NULL, NULL},
    [SERVER_IS_SILENT] = {"silent", 0, 0, true, false, NULL, NULL},
    [SERVER_CUTS] = {"cuts", 200, KOINE_CLASS_RESET, false, false, NULL, NULL},
    [SERVER_STALLS] = {"stalls", 200, 0, true, false, NULL, NULL},
    [SERVER_BABBLES] = {"babbles", 200, 0, false, false, NULL, NULL},
    [SERVER_LIMITS] = {"429", 429, 0, false, false, "rate_limit_exceeded", "slow down"},
    [SERVER_LIMITS_FOR] = {"429 for", 429, 0, false, true, "rate_limit_exceeded", "slow down"},
    [SERVER_IS_UNPAID] = {"unpaid", 429, 0, false, false, "insufficient_quota", "pay first"},
    [SERVER_FAILS] = {"500", 500, 0, false, false, "server_error", "sorry"},
    [SERVER_IS_OVERLOADED] = {"503", 503, 0, false, true, "overloaded", "come back"},
    [SERVER_FORBIDS] = {"401", 401, 0, false, false, "invalid_api_key", "who are you"},
    [SERVER_OBJECTS] = {"400", 400, 0, false, false, "bad_request", "what is this"},
};

const char *server_way_name(enum server_way way)
{
    return ways[way].name;
}

static enum server_way draw_way(const struct server *server, struct koine__random *random, int64_t now)
{
    int64_t drawn = koine__random_below(random, 1000);
    for (size_t i = 0; i < SERVER_OUTAGES; i++) {
        if (server->outages[i].begin <= now && now < server->outages[i].end)
            return server->outages[i].way;
    }
    for (int way = 0; way < SERVER_WAYS; way++) {
        drawn -= server->per_mille[way];
        if (drawn < 0)
            return (enum server_way)way;
    }
    return SERVER_WELL;
}

static int64_t about(struct koine__random *random, int64_t typical)
{
    return typical / 2 + koine__random_below(random, typical + 1);
}

/* Adds a piece of the body, which comes so much later than what was before it. */
__attribute__((format(printf, 3, 4))) static void add(struct served *served, int64_t after,
                                                      const char *format, ...)
{
    char *at = served->body + served->body_len;
    va_list args;
    va_start(args, format);
    int len = vsnprintf(at, sizeof(served->body) - served->body_len, format, args);
    va_end(args);
    served->body_len += (size_t)len;
    served->chunks[served->answer.chunk_count++] = (struct koine__replay_chunk){after, {at, (size_t)len}};
}

static void add_delta(struct served *served, int64_t after, const char *delta, const char *finish)
{
    add(served, after,
        "data: {\"id\":\"r1\",\"choices\":[{\"index\":0,\"delta\":%s,\"finish_reason\":%s}]}\n\n", delta,
        finish);
}

static unsigned pieces_sent(const struct server *server, struct koine__random *random, enum server_way way)
{
    bool ends_early = way == SERVER_CUTS || way == SERVER_STALLS || way == SERVER_BABBLES;
    return ends_early ? (unsigned)koine__random_below(random, server->pieces) : server->pieces;
}

static void fill_stream(struct served *served, const struct server *server, struct koine__random *random,
                        unsigned call)
{
    unsigned sent = pieces_sent(server, random, served->way);
    add_delta(served, 0, "{\"role\":\"assistant\",\"content\":\"\"}", "null");
    for (unsigned i = 0; i < sent; i++) {
        char delta[80];
        snprintf(delta, sizeof(delta), "{\"content\":\"%s.%u.%u \"}", server->name, call, i);
        add_delta(served, about(random, server->piece), delta, "null");
    }
    if (served->way == SERVER_BABBLES)
        add(served, about(random, server->piece), "data: {\"choices\":[\n\n");
    if (served->way != SERVER_WELL)
        return;
    add_delta(served, about(random, server->piece), "{}", "\"stop\"");
    add(served, 0,
        "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":20,\"completion_tokens\":%u}}\n\ndata: "
        "[DONE]\n\n",
        server->pieces);
}

static void fill_whole(struct served *served, const struct server *server, struct koine__random *random)
{
    char body[2048];
    int64_t after = about(random, server->piece * server->pieces);
    int len = snprintf(body, sizeof(body),
                       "{\"id\":\"r1\",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\","
                       "\"content\":\"%s\"},\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":20,"
                       "\"completion_tokens\":%u}}",
                       served->text, served->billed);
    bool broken = served->way != SERVER_WELL;
    add(served, after, "%.*s", broken ? len / 2 : len, body);
}

static void fill_text(struct served *served, const struct server *server, unsigned call)
{
    size_t used = 0;
    for (unsigned i = 0; i < server->pieces; i++)
        used += (size_t)snprintf(served->text + used, sizeof(served->text) - used, "%s.%u.%u ", server->name,
                                 call, i);
}

static void advise(struct served *served, int64_t seconds)
{
    int len = snprintf(served->retry_after, sizeof(served->retry_after), "%lld", (long long)seconds);
    served->advice = seconds * KOINE__SEC;
    served->header = (struct koine__header){{"Retry-After", 11}, {served->retry_after, (size_t)len}};
    served->answer.headers = &served->header;
    served->answer.header_count = 1;
}

struct served *server_answer(const struct server *server, struct koine__random *random, int64_t now,
                             unsigned call, bool stream)
{
    struct served *served = calloc(1, sizeof(*served));
    if (!served)
        abort();
    served->way = draw_way(server, random, now);
    served->advice = -1;
    served->billed = server->pieces;
    if (server->dear > 0 && koine__random_below(random, 1000) < server->dear)
        served->billed = 1000;
    const struct way *way = &ways[served->way];
    served->answer = (struct koine__replay_answer){
        .connect_after = about(random, server->connect),
        .head_after = about(random, server->head),
        .status = way->status,
        .fault_class = way->fault_class,
        .hang = way->hangs,
        .chunks = served->chunks,
    };
    fill_text(served, server, call);
    if (way->advises)
        advise(served, server->retry_after);
    if (way->code)
        add(served, 0, "{\"error\":{\"message\":\"%s\",\"type\":\"%s\",\"param\":null,\"code\":\"%s\"}}",
            way->message, way->code, way->code);
    else if (way->status == 200 && stream)
        fill_stream(served, server, random, call);
    else if (way->status == 200)
        fill_whole(served, server, random);
    return served;
}
