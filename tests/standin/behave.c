/* behave: see behave.h. Rows first say what they do in words; most need no code of their own. */
#include "tests/standin/behave.h"

#include <string.h>

#define EVENT_STREAM "text/event-stream; charset=utf-8"
#define JSON_TYPE    "application/json"

enum {
    SILENT_MS = 1000,
    OUTAGE_MS = 45000,
    BLOCK = 16 * 1024
};

/* ---- which requests fail ---- */

static bool first(const struct ask *ask)
{
    return ask->nth == 1;
}

static bool three_of_six(const struct ask *ask)
{
    return (ask->nth - 1) % 6 < 3;
}

static bool during_outage(const struct ask *ask)
{
    return ask->since_ms < OUTAGE_MS;
}

static bool prefilled(const struct ask *ask)
{
    return ask->ends_with_assistant;
}

static bool reused(const struct ask *ask)
{
    return ask->on_connection > 1;
}

/* ---- what happens ---- */

static void answer(struct script *script, const struct ask *ask, const struct behaviour *row)
{
    answer_play(script, ask, &row->shape);
}

static void fail(struct script *script, const struct ask *ask, const struct behaviour *row)
{
    if (row->fails && !row->fails(ask)) {
        answer_play(script, ask, &row->shape);
        return;
    }
    answer_fail(script, ask, &row->failure);
}

static void reset(struct script *script, const struct ask *ask, const struct behaviour *row)
{
    if (row->fails && !row->fails(ask)) {
        answer_play(script, ask, &row->shape);
        return;
    }
    script_act(script, STEP_RESET);
}

/* What arrived, so that a test can look at it. */
static void mirror(struct script *script, const struct ask *ask, const struct behaviour *row)
{
    struct ask turned = *ask;
    turned.user = ask->body;
    answer_play(script, &turned, &row->shape);
}

static void silence(struct script *script, const struct ask *ask, const struct behaviour *row)
{
    (void)ask;
    (void)row;
    script_act(script, STEP_NEVER);
}

/* A whole answer is kept alive with empty lines, as DeepSeek does. */
static void keepalive(struct script *script, const struct ask *ask, const struct behaviour *row)
{
    (void)row;
    const char *line = ask->stream ? ": keep-alive\n\n" : "\n";
    answer_head(script, ask, 200, ask->stream ? EVENT_STREAM : JSON_TYPE, -1, NULL);
    script_wait(script, SILENT_MS);
    script_chunk(script, line, strlen(line), 0);
    script_act(script, STEP_BACK);
}

/* The two providers say it with different statuses; the reference has the details. */
static void context_length(struct script *script, const struct ask *ask, const struct behaviour *row)
{
    static const struct answer_failure together = {
        .status = 403,
        .type = "invalid_request_error",
        .message = "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 8193. Given: 8000 "
                   "`inputs` "
                   "tokens and 512 `max_new_tokens`",
    };
    answer_fail(script, ask, answer_is_together(ask) ? &together : &row->failure);
}

static void html(struct script *script, const struct ask *ask, const struct behaviour *row)
{
    static const char page[] =
        "<!DOCTYPE html>\n<html>\n<head><title>502 Bad Gateway</title></head>\n<body>\n"
        "<center><h1>502 Bad Gateway</h1></center>\n<hr><center>nginx/1.22.1</center>\n"
        "</body>\n</html>\n";
    answer_body(script, ask, row->failure.status, "text/html; charset=utf-8", page);
}

/* One string, in one message or one event, that goes on as long as anybody reads. */
static void endless(struct script *script, const struct ask *ask, const struct behaviour *row)
{
    (void)row;
    struct bytes text = {0};
    script->bills = true;
    script->input = ask->input;
    answer_head(script, ask, 200, ask->stream ? EVENT_STREAM : JSON_TYPE, -1, NULL);
    answer_chunk_open(&text, ask);
    bytes_text(&text, "\"content\":\"Here:");
    if (ask->stream) {
        script_chunk(script, text.data, text.length, 0);
    } else {
        static const char start[] = "{\"object\":\"chat.completion\",\"choices\":[{\"index\":0,\"message\":"
                                    "{\"role\":\"assistant\",\"content\":\"Here:";
        script_chunk(script, start, sizeof(start) - 1, 0);
    }
    script->failed |= text.failed;
    bytes_clear(&text);
    answer_words(&text, BLOCK);
    script_apart(script);
    script_chunk(script, text.data, text.length, 0);
    script_act(script, STEP_BACK);
    script->failed |= text.failed;
    bytes_free(&text);
}

static void endless_header(struct script *script, const struct ask *ask, const struct behaviour *row)
{
    (void)ask;
    (void)row;
    static const char start[] = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n";
    static const char line[] = "X-Endless: and it is spoken there still today\r\n";
    struct bytes lines = {0};
    while (lines.length < BLOCK && !lines.failed)
        bytes_text(&lines, line);
    script->status = 200;
    script_bytes(script, start, sizeof(start) - 1, 0, 0);
    script_apart(script);
    script_bytes(script, lines.data, lines.length, 0, 0);
    script_act(script, STEP_BACK);
    script->failed |= lines.failed;
    bytes_free(&lines);
}

/* Leads to where the same request is answered: a client that follows is found out by its second request. */
static void redirect(struct script *script, const struct ask *ask, const struct behaviour *row)
{
    (void)row;
    struct bytes extra = {0};
    bytes_printf(&extra, "Location: /%s/v1/chat/completions?behaviour=healthy\r\n", ask->provider);
    answer_head(script, ask, 307, NULL, 0, extra.data);
    script_act(script, STEP_END);
    script->failed |= extra.failed;
    bytes_free(&extra);
}

/* ---- the table ---- */

#define SERVER_ERROR                                                                                         \
    .status = 500, .type = "server_error", .message = "The server had an error while processing your request."
#define OVERLOADED                                                                                           \
    .status = 503, .type = "service_unavailable",                                                            \
    .message = "The server is overloaded or not ready yet. Please try again later."
#define RATE_LIMITED                                                                                         \
    .status = 429, .type = "rate_limit_exceeded", .code = "rate_limit_exceeded",                             \
    .message = "Rate limit reached for requests. Please try again later."

const struct behaviour behave_table[] = {
    {.name = "healthy", .help = "answers at once: 50 ms, then a token each 20 ms", .play = answer},
    {.name = "slow",
     .help = "whole: 10 s until the answer; streamed: a token each second",
     .play = answer,
     .shape = {.whole_ms = 10000, .first_ms = 1000, .gap_ms = 1000}},
    {.name = "slow-first-token",
     .help = "head at once, first token after 20 s; whole: after 20 s",
     .play = answer,
     .shape = {.whole_ms = 20000, .first_ms = 20000}},
    {.name = "slow-drip",
     .help = "one byte of the body each 100 ms",
     .play = answer,
     .shape = {.drip = true}},

    {.name = "429",
     .help = "429 with Retry-After: 2",
     .play = fail,
     .every_route = true,
     .failure = {RATE_LIMITED, .retry_after = 2}},
    {.name = "429-bare",
     .help = "429 without Retry-After",
     .play = fail,
     .every_route = true,
     .failure = {RATE_LIMITED}},
    {.name = "429-once",
     .help = "a model's first request: 429, Retry-After: 1; then healthy",
     .play = fail,
     .fails = first,
     .failure = {RATE_LIMITED, .retry_after = 1}},
    {.name = "quota",
     .help = "429 insufficient_quota: no money left",
     .play = fail,
     .every_route = true,
     .failure = {.status = 429,
                 .type = "insufficient_quota",
                 .code = "insufficient_quota",
                 .message = "You exceeded your current quota, please check your plan and billing details."}},
    {.name = "401",
     .help = "401, the key is wrong",
     .play = fail,
     .every_route = true,
     .failure = {.status = 401,
                 .type = "invalid_request_error",
                 .code = "invalid_api_key",
                 .message = "Incorrect API key provided."}},
    {.name = "402",
     .help = "402, the spending limit is reached",
     .play = fail,
     .every_route = true,
     .failure = {.status = 402,
                 .type = "billing_error",
                 .code = "payment_required",
                 .message = "Monthly spending limit reached. Please add credits to your account."}},
    {.name = "404",
     .help = "404, the model is gone",
     .play = fail,
     .failure = {.status = 404,
                 .type = "invalid_request_error",
                 .param = "model",
                 .code = "model_not_available",
                 .message = "Unable to access non-serverless model. Please create and start a new dedicated "
                            "endpoint for the model."}},
    {.name = "500", .help = "500 for ever", .play = fail, .every_route = true, .failure = {SERVER_ERROR}},
    {.name = "500-once",
     .help = "a model's first request: 500; then healthy",
     .play = fail,
     .fails = first,
     .failure = {SERVER_ERROR}},
    {.name = "503", .help = "503 for ever", .play = fail, .every_route = true, .failure = {OVERLOADED}},
    {.name = "529",
     .help = "529 overloaded",
     .play = fail,
     .every_route = true,
     .failure = {.status = 529, .type = "overloaded_error", .message = "Overloaded"}},
    {.name = "flapping",
     .help = "three of a model's requests 503, three healthy, and again",
     .play = fail,
     .fails = three_of_six,
     .failure = {OVERLOADED}},
    {.name = "outage",
     .help = "503 for 45 s from a model's first request on, then healthy",
     .play = fail,
     .fails = during_outage,
     .failure = {OVERLOADED}},
    {.name = "html",
     .help = "502 with a proxy's HTML page",
     .play = html,
     .every_route = true,
     .failure = {.status = 502}},
    {.name = "html-200",
     .help = "200 with the same HTML page",
     .play = html,
     .every_route = true,
     .failure = {.status = 200}},

    {.name = "reset", .help = "RST before any header", .play = reset, .every_route = true},
    {.name = "reset-reused",
     .help = "a connection's first request is healthy, later ones RST",
     .play = reset,
     .fails = reused},
    {.name = "silence", .help = "never answers", .play = silence, .every_route = true},
    {.name = "keepalive", .help = "a comment each second for ever; whole: an empty line", .play = keepalive},
    {.name = "endless", .help = "one string, one event without end, as fast as it is read", .play = endless},
    {.name = "endless-header",
     .help = "headers without end, as fast as they are read",
     .play = endless_header,
     .every_route = true},
    {.name = "redirect", .help = "307 to where the same request is answered", .play = redirect},

    {.name = "cut",
     .help = "two thirds, then the connection closes; broken framing",
     .play = answer,
     .shape = {.end = END_CUT}},
    {.name = "cut-clean",
     .help = "two thirds, then a clean end: no finish_reason, no [DONE]",
     .play = answer,
     .shape = {.end = END_CLEAN}},
    {.name = "stalled",
     .help = "two thirds, then nothing more",
     .play = answer,
     .shape = {.end = END_STALLED}},
    {.name = "malformed",
     .help = "broken JSON after 5 tokens, then healthy; whole: broken",
     .play = answer,
     .shape = {.malformed = true}},
    {.name = "no-done",
     .help = "finish_reason, then the end without [DONE]; whole: healthy",
     .play = answer,
     .shape = {.end = END_NO_DONE}},
    {.name = "no-usage", .help = "healthy, but no usage", .play = answer, .shape = {.no_usage = true}},
    {.name = "error-in-stream",
     .help = "5 tokens, an error event, [DONE]; whole: 200 and an error",
     .play = answer,
     .shape = {.end = END_ERROR}},

    {.name = "context-length",
     .help = "400 context_length_exceeded; together: 403 in its own words",
     .play = context_length,
     .failure = {.status = 400,
                 .type = "invalid_request_error",
                 .param = "messages",
                 .code = "context_length_exceeded",
                 .message =
                     "This model's maximum context length is 8192 tokens. However, your messages resulted in "
                     "8512 tokens. Please reduce the length of the messages."}},
    {.name = "content-filter",
     .help = "400 content_filter",
     .play = fail,
     .failure =
         {.status = 400,
          .type = "content_policy_violation",
          .param = "prompt",
          .code = "content_filter",
          .message =
              "The response was filtered due to the prompt triggering the content management policy."}},
    {.name = "filtered",
     .help = "200, finish_reason content_filter",
     .play = answer,
     .shape = {.finish = "content_filter"}},
    {.name = "length", .help = "200, finish_reason length", .play = answer, .shape = {.finish = "length"}},
    {.name = "prefill-refused",
     .help = "400 when the last message is the assistant's; else healthy",
     .play = fail,
     .fails = prefilled,
     .failure = {.status = 400,
                 .type = "invalid_request_error",
                 .param = "messages",
                 .message =
                     "This model does not support assistant message prefill. The conversation must end with "
                     "a user message."}},

    {.name = "tool",
     .help = "two parallel calls of get_weather, arguments in fragments",
     .play = answer,
     .shape = {.kind = ANSWER_TOOLS}},
    {.name = "reasoning",
     .help = "the first third of the tokens is reasoning",
     .play = answer,
     .shape = {.kind = ANSWER_REASONING}},
    {.name = "refusal", .help = "the text is a refusal", .play = answer, .shape = {.kind = ANSWER_REFUSAL}},
    {.name = "echo",
     .help = "the text of the last user message",
     .play = answer,
     .shape = {.kind = ANSWER_ECHO}},
    {.name = "mirror",
     .help = "the text of the whole request, as it arrived",
     .play = mirror,
     .shape = {.kind = ANSWER_ECHO}},
    {.name = "cached",
     .help = "healthy, half the prompt from the cache (not for together)",
     .play = answer,
     .shape = {.cached = true}},
};

const size_t behave_count = sizeof(behave_table) / sizeof(*behave_table);

const struct behaviour *behave_find(const char *name, size_t length)
{
    for (size_t i = 0; i < behave_count; i++)
        if (strlen(behave_table[i].name) == length && memcmp(behave_table[i].name, name, length) == 0)
            return &behave_table[i];
    return NULL;
}
