/* echo: the smallest honest provider. It answers with the document, offline.
 *
 * There is no server: its base URL is KOINE_LOCAL, so what it writes as a request comes back as the answer.
 * All else is as with any other provider, and needs nothing but <koine/provider.h>. Any model will do.
 */
#include <koine/provider.h>

#define STR(literal) ((koine_str){(literal), sizeof(literal) - 1})

struct state {
    uint8_t done; /* the answer is read: the rest is drained */
};

static int is(koine_str text, koine_str word)
{
    size_t i = 0;
    while (i < text.len && i < word.len && text.ptr[i] == word.ptr[i])
        i++;
    return i == text.len && i == word.len;
}

/* ---- What is asked ---- */

/* koine_out wants a name that ends; NULL: no memory. */
static const char *name_of(const koine_host *host, koine_str key)
{
    char *name = host->alloc(host, key.len + 1);
    for (size_t i = 0; name && i < key.len; i++)
        name[i] = key.ptr[i];
    return name;
}

static int32_t wrong(koine_out *out, koine_str why)
{
    out->fail(out, why);
    return KOINE_INVALID;
}

/* The document as it came, but for the member `koine`, which never travels. */
static int32_t generate_request(const koine_ask *ask, koine_out *out)
{
    const koine_host *host = ask->host;
    if (host->kind(host->get(ask->doc, "messages")) != KOINE_NODE_ARRAY)
        return wrong(out, STR("`messages` is not an array: a list of {\"role\", \"content\"} is needed"));
    out->path(out, "/generate");
    out->open(out, NULL, '{');
    for (size_t i = 0; i < host->count(ask->doc); i++) {
        koine_str key = host->key(ask->doc, i);
        const char *name = name_of(host, key);
        if (!name)
            return KOINE_NO_MEMORY;
        if (!is(key, STR("koine")))
            out->node(out, name, host->at(ask->doc, i));
    }
    out->close(out);
    return KOINE_DONE;
}

static int32_t models_request(const koine_ask *ask, koine_out *out)
{
    (void)ask;
    out->path(out, "/models");
    out->open(out, NULL, '{');
    out->str(out, "id", STR("echo"));
    out->close(out);
    return KOINE_DONE;
}

/* ---- What is answered ---- */

static koine_provider_event event_of(int32_t kind)
{
    return (koine_provider_event){
        .size = sizeof(koine_provider_event), .kind = kind, .index = -1, .retry_ms = -1};
}

static void say(const koine_read *read, koine_sink *sink)
{
    koine_provider_event start = event_of(KOINE_EMIT_START), text = event_of(KOINE_EMIT_TEXT);
    start.name = read->model;
    sink->emit(sink, &start);
    text.text = read->host->dump(read->frame->json);
    sink->emit(sink, &text);
}

/* Nothing was tokenized, so nothing was used: that is known, not guessed. */
static void stop(koine_sink *sink)
{
    koine_provider_event usage = event_of(KOINE_EMIT_USAGE), end = event_of(KOINE_EMIT_STOP);
    koine_provider_usage none = KOINE_PROVIDER_USAGE_INIT;
    none.input = none.output = 0;
    usage.usage = &none;
    sink->emit(sink, &usage);
    end.code = KOINE_STOP_END;
    sink->emit(sink, &end);
}

static int32_t read_document(const koine_read *read, koine_sink *sink)
{
    if (read->host->kind(read->frame->json) != KOINE_NODE_OBJECT)
        return KOINE_PROTOCOL;
    say(read, sink);
    stop(sink);
    return KOINE_DONE;
}

static int32_t read_model(const koine_read *read, koine_sink *sink)
{
    koine_provider_event event = event_of(KOINE_EMIT_MODEL);
    koine_model_info model = {.size = sizeof(model), .created = -1, .context = -1, .max_output = -1};
    model.id = read->host->str(read->host->get(read->frame->json, "id"));
    if (model.id.len == 0)
        return KOINE_PROTOCOL;
    event.model = &model;
    sink->emit(sink, &event);
    return KOINE_DONE;
}

/* The whole body once; its end without it is no answer. */
static int32_t read_once(const koine_read *read, koine_sink *sink,
                         int32_t (*reader)(const koine_read *read, koine_sink *sink))
{
    struct state *state = read->state;
    int32_t kind = read->frame->kind;
    if (state->done || (kind != KOINE_FRAME_WHOLE && kind != KOINE_FRAME_END))
        return KOINE_DONE;
    state->done = 1;
    return kind == KOINE_FRAME_WHOLE ? reader(read, sink) : KOINE_PROTOCOL;
}

static int32_t generate_frame(const koine_read *read, koine_sink *sink)
{
    return read_once(read, sink, read_document);
}

static int32_t models_frame(const koine_read *read, koine_sink *sink)
{
    return read_once(read, sink, read_model);
}

static int32_t calculate_cost(const koine_cost_query *query, koine_provider_cost *ret)
{
    (void)query;
    ret->state = KOINE_PRICE_FREE;
    ret->picodollars = 0;
    return KOINE_DONE;
}

/* ---- Its table ---- */

static const koine_exchange generate = {.size = sizeof(generate),
                                        .state_size = sizeof(struct state),
                                        .request = generate_request,
                                        .frame = generate_frame};
static const koine_exchange list_models = {.size = sizeof(list_models),
                                           .state_size = sizeof(struct state),
                                           .request = models_request,
                                           .frame = models_frame};

static const koine_provider provider = {
    .size = sizeof(provider),
    .id = "echo",
    .version = "1.0.0",
    .base_url = KOINE_LOCAL,
    .generate = &generate,
    .list_models = &list_models,
    .calculate_cost = calculate_cost,
};

KOINE_EXPORT const koine_provider *KOINE_ENTRY(const koine_host *host, uint32_t index)
{
    (void)host;
    return index == 0 ? &provider : NULL;
}
