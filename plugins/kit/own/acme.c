/* acme: a provider with a dialect of its own.
 *
 * Every line that must change bears CHANGE; the rest can stay. <koine/provider.h> says what each field means.
 * Run `make check` after each change: code and its cases go together. Sockets, keys, retry, timers and
 * prices are the core's.
 */
#include <koine/provider.h>
#include <string.h>

#define STR(literal) ((koine_str){(literal), sizeof(literal) - 1})

struct state {       /* of one answer, between its frames; zeroed before the first */
    uint8_t started; /* the model that answers was told */
    uint8_t done;    /* the answer is complete: what follows is drained */
};

static void emit(koine_sink *sink, int32_t kind, int32_t code, koine_str text, koine_str name)
{
    koine_provider_event event = {.size = sizeof(event), .kind = kind, .index = -1, .code = code};
    event.text = text;
    event.name = name;
    event.retry_ms = -1;
    sink->emit(sink, &event);
}

/* ---- Requests: a document in the shape of chat completions becomes the vendor's own ---- */

static int is_known(koine_str name)
{
    /* The core's own, and CHANGE: what generate_request takes. */
    static const char *const known[] = {"koine",          "model",    "stream",
                                        "stream_options", "messages", "max_tokens"};
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (strlen(known[i]) == name.len && memcmp(known[i], name.ptr, name.len) == 0)
            return 1;
    return 0;
}

/* Whoever asks is told what does not travel. */
static void tell_dropped(const koine_ask *ask, koine_out *out)
{
    for (size_t i = 0; i < ask->host->count(ask->doc); i++) {
        koine_str name = ask->host->key(ask->doc, i);
        if (!is_known(name))
            out->notice(out, KOINE_NOTICE_DROPPED, name, STR("acme has no such parameter"));
    }
}

static void write_turn(const koine_host *host, const koine_node *message, koine_out *out)
{
    out->open(out, NULL, '{');
    out->node(out, "who", host->get(message, "role"));     /* CHANGE: how a message looks there */
    out->node(out, "text", host->get(message, "content")); /* CHANGE */
    out->close(out);
}

static int32_t generate_request(const koine_ask *ask, koine_out *out)
{
    const koine_host *host = ask->host;
    const koine_node *messages = host->get(ask->doc, "messages");
    if (host->kind(messages) != KOINE_NODE_ARRAY) {
        out->fail(out, STR("`messages` is not an array: a list of {\"role\", \"content\"} is needed"));
        return KOINE_INVALID;
    }
    out->path(out, "/answers");         /* CHANGE: what follows the base URL */
    out->secret(out, "X-ACME-Key", ""); /* CHANGE: the header of the key, and what stands before it there */
    out->open(out, NULL, '{');
    out->str(out, "model", ask->model); /* CHANGE: how the model is called */
    out->open(out, "turns", '[');       /* CHANGE: and the messages */
    for (size_t i = 0; i < host->count(messages); i++)
        write_turn(host, host->at(messages, i), out);
    out->close(out);
    out->node(out, "limit", host->get(ask->doc, "max_tokens")); /* CHANGE: what is absent stays absent */
    if (ask->framing == KOINE_FRAME_SSE)
        out->raw(out, "stream", STR("true")); /* CHANGE: how a stream is asked for */
    out->close(out);
    tell_dropped(ask, out);
    return KOINE_DONE;
}

static int32_t models_request(const koine_ask *ask, koine_out *out)
{
    (void)ask;
    out->path(out, "/models");          /* CHANGE: where the list of models is */
    out->secret(out, "X-ACME-Key", ""); /* CHANGE: as above */
    return KOINE_DONE;
}

/* ---- Answers: here a whole one and the pieces of a stream are objects of one shape ---- */

/* Buckets are disjoint: what was read from a cache is not part of the input, nor reasoning of the output. */
static void emit_end(const koine_host *host, const koine_node *root, koine_str end, koine_sink *sink)
{
    int64_t input = host->num(host->get(root, "in"), -1);   /* CHANGE: tokens of the prompt */
    int64_t output = host->num(host->get(root, "out"), -1); /* CHANGE: tokens of the answer */
    int is_cut = end.len == 6 && end.ptr[0] == 'l';         /* CHANGE: "length", where it was cut short */
    koine_provider_usage usage = KOINE_PROVIDER_USAGE_INIT;
    koine_provider_event event = {.size = sizeof(event), .kind = KOINE_EMIT_USAGE, .usage = &usage};
    usage.input = input;
    usage.output = output;
    sink->emit(sink, &event);
    emit(sink, KOINE_EMIT_STOP, is_cut ? KOINE_STOP_LENGTH : KOINE_STOP_END, end, STR(""));
}

static int32_t read_answer(const koine_read *read, struct state *state, koine_sink *sink)
{
    const koine_host *host = read->host;
    const koine_node *root = read->frame->json;
    koine_str error = host->str(host->get(root, "error")); /* CHANGE: a failure within an answer */
    koine_str text = host->str(host->get(root, "text"));   /* CHANGE: the next piece of text */
    koine_str end = host->str(host->get(root, "end"));     /* CHANGE: why the answer ended: its last piece */
    if (host->kind(root) != KOINE_NODE_OBJECT)
        return KOINE_PROTOCOL;
    state->done = error.len + end.len > 0;
    if (error.len > 0) {
        emit(sink, KOINE_EMIT_FAULT, KOINE_FAULT_SERVER, error, STR(""));
        return KOINE_DONE;
    }
    if (!state->started)
        emit(sink, KOINE_EMIT_START, 0, STR(""), host->str(host->get(root, "model"))); /* CHANGE */
    state->started = 1;
    if (text.len > 0)
        emit(sink, KOINE_EMIT_TEXT, 0, text, STR(""));
    if (end.len > 0)
        emit_end(host, root, end, sink);
    return KOINE_DONE;
}

static int32_t generate_frame(const koine_read *read, koine_sink *sink)
{
    struct state *state = read->state;
    if (state->done || read->frame->kind > KOINE_FRAME_END) /* a kind of a later koine */
        return KOINE_DONE;
    if (read->frame->kind == KOINE_FRAME_END)
        return KOINE_PROTOCOL; /* it ended early */
    return read_answer(read, state, sink);
}

static int32_t models_frame(const koine_read *read, koine_sink *sink)
{
    struct state *state = read->state;
    const koine_host *host = read->host;
    const koine_node *list = host->get(read->frame->json, "models"); /* CHANGE: a list of names */
    if (state->done || read->frame->kind > KOINE_FRAME_END)
        return KOINE_DONE;
    state->done = 1;
    if (host->kind(list) != KOINE_NODE_ARRAY)
        return KOINE_PROTOCOL;
    for (size_t i = 0; i < host->count(list); i++) {
        koine_model_info model = {.size = sizeof(model), .created = -1, .context = -1, .max_output = -1};
        koine_provider_event event = {.size = sizeof(event), .kind = KOINE_EMIT_MODEL, .index = -1};
        model.id = host->str(host->at(list, i));
        if (model.id.len == 0)
            return KOINE_PROTOCOL;
        event.model = &model;
        sink->emit(sink, &event);
    }
    return KOINE_DONE;
}

/* ---- The table ---- */

static int32_t calculate_cost(const koine_cost_query *query, koine_provider_cost *ret)
{
    return query->host->price(query, ret); /* by the catalogue, acme.json */
}

static const koine_exchange generate = {.size = sizeof(generate),
                                        .state_size = sizeof(struct state),
                                        .request = generate_request,
                                        .frame = generate_frame};
static const koine_exchange models = {.size = sizeof(models),
                                      .state_size = sizeof(struct state),
                                      .request = models_request,
                                      .frame = models_frame};

static const koine_provider provider = {
    .size = sizeof(provider),
    .id = "acme",                              /* the name of its instance, file and catalogue */
    .version = "0.1.0",                        /* CHANGE: with each release */
    .base_url = "https://api.acme.example/v1", /* CHANGE: no slash at the end */
    .key_variable = "ACME_API_KEY",            /* CHANGE: where its key is looked for; NULL: it needs none */
    .generate = &generate,
    .list_models = &models,
    .calculate_cost = calculate_cost, /* .fault is absent: errors are classified by their status */
};

KOINE_EXPORT const koine_provider *KOINE_ENTRY(const koine_host *host, uint32_t index)
{
    (void)host;
    return index == 0 ? &provider : NULL;
}
