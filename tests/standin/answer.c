/* answer: see answer.h.
 *
 * Every kind of answer is a row of tokens; a stream sends them one by one, a whole answer all together, so
 * both always say the same.
 */
#include "tests/standin/answer.h"

#include <inttypes.h>
#include <string.h>

enum {
    WHOLE_MS = 50,
    FIRST_MS = 50,
    GAP_MS = 20,
    ERROR_AFTER = 5,
    MALFORMED_AFTER = 5
};

#define EVENT_STREAM "text/event-stream; charset=utf-8"
#define JSON_TYPE    "application/json"

static const char *const words[] = {
    " The",      " common",  " speech", " of",        " many",  " peoples", " is",    " learned", " in",
    " markets",  " and",     " in",     " harbours,", " where", " nobody",  " waits", " for",     " a",
    " grammar.", " Traders", " took",   " a",         " word",  " from",    " one",   " coast",   " and",
    " a",        " tune",    " from",   " the",       " next,", " until",   " every", " sailor",  " could",
    " ask",      " for",     " water,", " bread",     " and",   " a",       " fair",  " price.",  " What",
    " it",       " lost",    " in",     " beauty",    " it",    " won",     " in",    " reach,",  " and",
    " it",       " is",      " spoken", " there",     " still", " today.",
};

/* The pieces of two parallel calls; a piece without arguments opens its call. */
static const struct {
    int call;
    const char *arguments;
} tool_pieces[] = {
    {0, NULL}, {0, "{\"ci"}, {0, "ty\": \"Pa"}, {0, "ris\", \"unit\""}, {0, ": \"celsius\"}"},
    {1, NULL}, {1, "{\"ci"}, {1, "ty\": \"Os"}, {1, "lo\", \"unit\""},  {1, ": \"celsius\"}"},
};

enum {
    WORDS = sizeof(words) / sizeof(*words),
    TOOL_PIECES = sizeof(tool_pieces) / sizeof(*tool_pieces)
};

bool answer_is_together(const struct ask *ask)
{
    return strcmp(ask->provider, "together") == 0;
}

void answer_head(struct script *script, const struct ask *ask, int status, const char *type, int64_t length,
                 const char *extra)
{
    script_head(script, &(struct script_head){.status = status,
                                              .type = type,
                                              .length = length,
                                              .extra = extra,
                                              .number = ask->number,
                                              .date = ask->date,
                                              .closes = ask->closes});
}

static void finish_script(struct script *script)
{
    script_act(script, STEP_END);
}

void answer_body(struct script *script, const struct ask *ask, int status, const char *type, const char *body)
{
    size_t length = strlen(body);
    answer_head(script, ask, status, type, (int64_t)length, NULL);
    script_bytes(script, body, length, 0, 0);
    finish_script(script);
}

static void add_json(struct bytes *out, const char *text)
{
    if (text)
        bytes_json(out, text, strlen(text));
    else
        bytes_text(out, "null");
}

static void add_error(struct bytes *out, const char *type, const char *param, const char *code,
                      const char *message)
{
    bytes_text(out, "{\"error\":{\"message\":");
    add_json(out, message);
    bytes_text(out, ",\"type\":");
    add_json(out, type);
    bytes_text(out, ",\"param\":");
    add_json(out, param);
    bytes_text(out, ",\"code\":");
    add_json(out, code);
    bytes_text(out, "}}");
}

void answer_fail(struct script *script, const struct ask *ask, const struct answer_failure *failure)
{
    struct bytes body = {0}, extra = {0};
    add_error(&body, failure->type, failure->param, failure->code, failure->message);
    if (failure->retry_after && ask->advice_scale > 0)
        bytes_printf(&extra, "Retry-After: %.3f\r\n", failure->retry_after * ask->advice_scale);
    else if (failure->retry_after)
        bytes_printf(&extra, "Retry-After: %u\r\n", failure->retry_after);
    answer_head(script, ask, failure->status, JSON_TYPE, (int64_t)body.length, extra.data);
    script_bytes(script, body.data, body.length, 0, 0);
    script->failed |= body.failed || extra.failed;
    finish_script(script);
    bytes_free(&body);
    bytes_free(&extra);
}

/* ---- tokens ---- */

static unsigned reasoning_tokens(const struct ask *ask, const struct answer_shape *shape)
{
    return shape->kind == ANSWER_REASONING ? ask->tokens / 3 : 0;
}

static unsigned count_tokens(const struct ask *ask, const struct answer_shape *shape)
{
    if (shape->kind == ANSWER_TOOLS)
        return TOOL_PIECES;
    if (shape->kind == ANSWER_ECHO && ask->user.length < ask->tokens)
        return (unsigned)ask->user.length;
    return ask->tokens;
}

static unsigned partial(const struct ask *ask, const struct answer_shape *shape)
{
    unsigned count = count_tokens(ask, shape);
    if (shape->end == END_ERROR)
        return count < ERROR_AFTER ? count : ERROR_AFTER;
    return shape->end >= END_CUT ? count * 2 / 3 : count;
}

/* Where the i-th of `count` pieces of the user's text begins, never inside a UTF-8 sequence. */
static size_t echo_start(const struct ask *ask, unsigned i, unsigned count)
{
    size_t at = (size_t)((uint64_t)ask->user.length * i / count);
    while (at < ask->user.length && ((unsigned char)ask->user.text[at] & 0xC0) == 0x80)
        at++;
    return at;
}

static struct span token(const struct ask *ask, const struct answer_shape *shape, unsigned i)
{
    if (shape->kind == ANSWER_ECHO) {
        unsigned count = count_tokens(ask, shape);
        size_t start = echo_start(ask, i, count);
        return (struct span){ask->user.text + start, echo_start(ask, i + 1, count) - start};
    }
    unsigned thought = reasoning_tokens(ask, shape);
    unsigned first = i < thought ? 0 : thought;
    const char *text =
        words[(i - first) % WORDS] + (i == first); /* the first word needs no space before it */
    return (struct span){text, strlen(text)};
}

void answer_words(struct bytes *out, size_t length)
{
    for (size_t i = 0; out->length < length && !out->failed; i++)
        bytes_text(out, words[i % WORDS]);
}

static const char *reasoning_name(const struct ask *ask)
{
    return answer_is_together(ask) ? "reasoning" : "reasoning_content";
}

static const char *city_id(int call)
{
    return call ? "oslo" : "paris";
}

static void add_tool_delta(struct bytes *out, const struct ask *ask, unsigned i)
{
    int call = tool_pieces[i].call;
    bytes_printf(out, "\"tool_calls\":[{\"index\":%d,", call);
    if (!tool_pieces[i].arguments) {
        bytes_printf(out, "\"id\":\"call_%" PRIu64 "_%s\",\"type\":\"function\",", ask->number,
                     city_id(call));
        bytes_text(out, "\"function\":{\"name\":\"get_weather\",\"arguments\":\"\"}}]");
        return;
    }
    bytes_text(out, "\"function\":{\"arguments\":");
    add_json(out, tool_pieces[i].arguments);
    bytes_text(out, "}}]");
}

static void add_delta(struct bytes *out, const struct ask *ask, const struct answer_shape *shape, unsigned i)
{
    if (shape->kind == ANSWER_TOOLS) {
        add_tool_delta(out, ask, i);
        return;
    }
    struct span text = token(ask, shape, i);
    const char *name = i < reasoning_tokens(ask, shape) ? reasoning_name(ask)
                       : shape->kind == ANSWER_REFUSAL  ? "refusal"
                                                        : "content";
    bytes_printf(out, "\"%s\":", name);
    bytes_json(out, text.text, text.length);
}

static const char *finish_of(const struct answer_shape *shape)
{
    if (shape->finish)
        return shape->finish;
    return shape->kind == ANSWER_TOOLS ? "tool_calls" : "stop";
}

static int64_t cached_tokens(const struct ask *ask, const struct answer_shape *shape)
{
    return shape->cached && !answer_is_together(ask) ? ask->input / 2 : 0;
}

/* Together's usage has no details. */
static void add_usage(struct bytes *out, const struct ask *ask, const struct answer_shape *shape)
{
    unsigned count = count_tokens(ask, shape);
    bytes_printf(
        out, "\"usage\":{\"prompt_tokens\":%" PRId64 ",\"completion_tokens\":%u,\"total_tokens\":%" PRId64,
        ask->input, count, ask->input + count);
    if (!answer_is_together(ask)) {
        bytes_printf(out,
                     ",\"prompt_tokens_details\":{\"cached_tokens\":%" PRId64
                     "},\"completion_tokens_details\":{\"reasoning_tokens\":%u}",
                     cached_tokens(ask, shape), reasoning_tokens(ask, shape));
    }
    bytes_text(out, "}");
}

static void add_start(struct bytes *out, const struct ask *ask, const char *object)
{
    bytes_printf(out, "{\"id\":\"chatcmpl-%" PRIu64 "\",\"object\":\"%s\",\"created\":%" PRId64 ",\"model\":",
                 ask->number, object, ask->date);
    add_json(out, ask->model);
}

/* ---- whole ---- */

static void add_tool_calls(struct bytes *out, const struct ask *ask)
{
    bytes_text(out, ",\"tool_calls\":[");
    for (int call = 0; call < 2; call++) {
        struct bytes arguments = {0};
        for (int i = 0; i < TOOL_PIECES; i++)
            if (tool_pieces[i].call == call && tool_pieces[i].arguments)
                bytes_text(&arguments, tool_pieces[i].arguments);
        bytes_printf(out, "%s{\"id\":\"call_%" PRIu64 "_%s\",\"type\":\"function\",", call ? "," : "",
                     ask->number, city_id(call));
        bytes_text(out, "\"function\":{\"name\":\"get_weather\",\"arguments\":");
        bytes_json(out, arguments.data, arguments.length);
        bytes_text(out, "}}");
        out->failed |= arguments.failed;
        bytes_free(&arguments);
    }
    bytes_text(out, "]");
}

/* Tokens from..to joined, as one JSON string. */
static void add_joined(struct bytes *out, const struct ask *ask, const struct answer_shape *shape,
                       unsigned from, unsigned to)
{
    struct bytes text = {0};
    for (unsigned i = from; i < to; i++) {
        struct span piece = token(ask, shape, i);
        bytes_add(&text, piece.text, piece.length);
    }
    bytes_json(out, text.data, text.length);
    out->failed |= text.failed;
    bytes_free(&text);
}

static void add_message(struct bytes *out, const struct ask *ask, const struct answer_shape *shape)
{
    unsigned thought = reasoning_tokens(ask, shape), count = count_tokens(ask, shape);
    bytes_text(out, "\"message\":{\"role\":\"assistant\",\"content\":");
    if (shape->kind == ANSWER_TOOLS) {
        bytes_text(out, "null");
        add_tool_calls(out, ask);
    } else if (shape->kind == ANSWER_REFUSAL) {
        bytes_text(out, "null,\"refusal\":");
        add_joined(out, ask, shape, 0, count);
    } else {
        add_joined(out, ask, shape, thought, count);
    }
    if (thought) {
        bytes_printf(out, ",\"%s\":", reasoning_name(ask));
        add_joined(out, ask, shape, 0, thought);
    }
    bytes_text(out, "}");
}

static void add_whole(struct bytes *out, const struct ask *ask, const struct answer_shape *shape)
{
    add_start(out, ask, "chat.completion");
    bytes_text(out, answer_is_together(ask) ? ",\"prompt\":[],\"choices\":[{\"index\":0,"
                                            : ",\"choices\":[{\"index\":0,");
    add_message(out, ask, shape);
    bytes_printf(out, ",\"logprobs\":null,\"finish_reason\":\"%s\"}]", finish_of(shape));
    if (!shape->no_usage) {
        bytes_text(out, ",");
        add_usage(out, ask, shape);
    }
    bytes_text(out, shape->malformed ? "]" : "}");
}

static void play_whole(struct script *script, const struct ask *ask, const struct answer_shape *shape)
{
    struct bytes body = {0};
    if (shape->end == END_ERROR) {
        add_error(&body, "server_error", NULL, NULL,
                  "The server had an error while processing your request.");
    } else {
        add_whole(&body, ask, shape);
    }
    size_t sent = shape->end >= END_CUT && shape->end <= END_STALLED ? body.length * 2 / 3 : body.length;
    size_t announced = shape->end == END_CLEAN ? sent : body.length;
    script_wait(script, shape->whole_ms ? shape->whole_ms : WHOLE_MS);
    answer_head(script, ask, 200, JSON_TYPE, (int64_t)announced, NULL);
    /* the answer was generated to its end, whatever became of it on the way */
    script_bytes(script, body.data, sent, shape->drip,
                 shape->end == END_ERROR ? 0 : count_tokens(ask, shape));
    script_act(script, shape->end == END_CUT       ? STEP_CLOSE
                       : shape->end == END_STALLED ? STEP_NEVER
                                                   : STEP_END);
    script->failed |= body.failed;
    bytes_free(&body);
}

/* ---- streamed ---- */

void answer_chunk_open(struct bytes *out, const struct ask *ask)
{
    bytes_text(out, "data: ");
    add_start(out, ask, "chat.completion.chunk");
    bytes_text(out, ",\"choices\":[{\"index\":0,\"delta\":{");
}

/* The rest of a chunk that answer_chunk_open began; `finish` and `usage` may be absent. */
static void close_chunk(struct bytes *out, const struct ask *ask, const char *finish,
                        const struct answer_shape *usage)
{
    bytes_text(out, "},\"logprobs\":null,\"finish_reason\":");
    add_json(out, finish);
    bytes_text(out, "}]");
    if (usage) {
        bytes_text(out, ",");
        add_usage(out, ask, usage);
    } else if (answer_is_together(ask) || ask->include_usage) {
        bytes_text(out, ",\"usage\":null");
    }
    bytes_text(out, "}\n\n");
}

static void send_event(struct script *script, struct bytes *event, unsigned tokens)
{
    script_chunk(script, event->data, event->length, tokens);
    script->failed |= event->failed;
    bytes_clear(event);
}

static void stream_tokens(struct script *script, struct bytes *event, const struct ask *ask,
                          const struct answer_shape *shape)
{
    unsigned count = partial(ask, shape);
    for (unsigned i = 0; i < count; i++) {
        unsigned first = shape->first_ms ? shape->first_ms : FIRST_MS,
                 gap = shape->gap_ms ? shape->gap_ms : GAP_MS;
        script_wait(script, i ? gap : first);
        answer_chunk_open(event, ask);
        add_delta(event, ask, shape, i);
        close_chunk(event, ask, NULL, NULL);
        if (shape->malformed && i == MALFORMED_AFTER && !event->failed) {
            /* broken off in its middle, yet framed as an event: what follows is healthy again */
            event->length = event->length * 2 / 3;
            bytes_text(event, "\n\n");
        }
        send_event(script, event, 1);
    }
}

/* The finish chunk, and the usage where the dialect has it. */
static void stream_finish(struct script *script, struct bytes *event, const struct ask *ask,
                          const struct answer_shape *shape)
{
    bool together = answer_is_together(ask);
    answer_chunk_open(event, ask);
    close_chunk(event, ask, finish_of(shape), together && !shape->no_usage ? shape : NULL);
    send_event(script, event, 0);
    if (!together && ask->include_usage && !shape->no_usage) {
        bytes_text(event, "data: ");
        add_start(event, ask, "chat.completion.chunk");
        bytes_text(event, ",\"choices\":[],");
        add_usage(event, ask, shape);
        bytes_text(event, "}\n\n");
        send_event(script, event, 0);
    }
}

static void stream_end(struct script *script, struct bytes *event, const struct ask *ask,
                       const struct answer_shape *shape)
{
    if (shape->end <= END_NO_DONE) {
        stream_finish(script, event, ask, shape);
    } else if (shape->end == END_ERROR) {
        bytes_text(event, "data: ");
        add_error(event, "server_error", NULL, NULL,
                  "The server had an error while processing your request.");
        bytes_text(event, "\n\n");
        send_event(script, event, 0);
    }
    if (shape->end == END_DONE || shape->end == END_ERROR) {
        bytes_text(event, "data: [DONE]\n\n");
        send_event(script, event, 0);
    }
    if (shape->end == END_CUT || shape->end == END_STALLED) {
        script_act(script, shape->end == END_CUT ? STEP_CLOSE : STEP_NEVER);
        return;
    }
    script_last_chunk(script);
    finish_script(script);
}

static void play_stream(struct script *script, const struct ask *ask, const struct answer_shape *shape)
{
    struct bytes event = {0};
    answer_head(script, ask, 200, EVENT_STREAM, -1, NULL);
    script->drip = shape->drip;
    answer_chunk_open(&event, ask);
    bytes_printf(&event, "\"role\":\"assistant\",\"content\":%s",
                 shape->kind == ANSWER_TOOLS ? "null" : "\"\"");
    close_chunk(&event, ask, NULL, NULL);
    send_event(script, &event, 0);
    stream_tokens(script, &event, ask, shape);
    stream_end(script, &event, ask, shape);
    bytes_free(&event);
}

void answer_play(struct script *script, const struct ask *ask, const struct answer_shape *shape)
{
    script->bills = true;
    script->input = ask->input;
    script->cached = cached_tokens(ask, shape);
    if (ask->stream)
        play_stream(script, ask, shape);
    else
        play_whole(script, ask, shape);
}
