/* messages_answer: an answer's frames as events.
 *
 * The same for a stream and for whole messages. STOP comes once: at message_stop, with a whole message, or at
 * the end of the body when a stop_reason was seen. An answer that ends without either was cut and is no
 * answer.
 */
#include "core/dialect/messages_internal.h"

static const koine_node *member(const struct koine__messages_answer *a, const koine_node *object,
                                const char *name)
{
    return a->host->get(object, name);
}

/* ---- What is given ---- */

void koine__messages_piece(struct koine__messages_answer *a, int32_t kind, koine_str text)
{
    koine_provider_event event = koine__dialect_event(kind);
    if (text.len == 0)
        return;
    event.text = text;
    a->sink->emit(a->sink, &event);
    a->state->content = 1;
}

void koine__messages_extra(struct koine__messages_answer *a, const char *name, const koine_node *value)
{
    koine_provider_event event = koine__dialect_event(KOINE_EMIT_EXTRA);
    event.name = koine__dialect_str(name);
    event.text = a->host->dump(value);
    a->sink->emit(a->sink, &event);
}

static int32_t emit_fault(struct koine__messages_answer *a, const koine_node *told)
{
    koine__messages_tell(a->read, told, a->sink);
    a->state->done = 1;
    return KOINE_DONE;
}

/* ---- How it ended ---- */

static const struct {
    const char *word;
    int32_t stop;
} reasons[] = {
    {"end_turn", KOINE_STOP_END},      {"stop_sequence", KOINE_STOP_END},
    {"max_tokens", KOINE_STOP_LENGTH}, {"model_context_window_exceeded", KOINE_STOP_LENGTH},
    {"tool_use", KOINE_STOP_TOOL},     {"refusal", KOINE_STOP_FILTER},
};

static int32_t emit_stop(struct koine__messages_answer *a)
{
    koine_provider_event event = koine__dialect_event(KOINE_EMIT_STOP);
    koine__messages_block_stop(a, NULL); /* which ought to have been told */
    event.text = (koine_str){a->state->raw, a->state->raw_len};
    event.code = KOINE_STOP_OTHER;
    for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
        if (koine__dialect_is(event.text, reasons[i].word))
            event.code = reasons[i].stop;
    a->sink->emit(a->sink, &event);
    a->state->done = 1;
    return KOINE_DONE;
}

static void keep_reason(struct koine__messages_state *state, koine_str word)
{
    if (word.len == 0)
        return;
    size_t len = word.len < sizeof(state->raw) ? word.len : sizeof(state->raw);
    while (len < word.len && len > 0 && ((unsigned char)word.ptr[len] & 0xC0) == 0x80)
        len--;
    memcpy(state->raw, word.ptr, len);
    state->raw_len = (uint8_t)len;
}

/* What a message says at its end, whole or in its last delta. */
static void read_end(struct koine__messages_answer *a, const koine_node *object)
{
    static const char *const extras[] = {"container", "stop_details", "stop_sequence"};
    keep_reason(a->state, a->host->str(member(a, object, "stop_reason")));
    for (size_t i = 0; i < sizeof(extras) / sizeof(extras[0]); i++)
        if (a->host->kind(member(a, object, extras[i])) > KOINE_NODE_NULL)
            koine__messages_extra(a, extras[i], member(a, object, extras[i]));
}

/* The vendor says that this is all, so a missing stop_reason is only unknown. */
static int32_t finish(struct koine__messages_answer *a)
{
    if (a->state->raw_len == 0 && !a->state->content)
        return KOINE_PROTOCOL;
    return emit_stop(a);
}

/* ---- What it says ---- */

static void read_start(struct koine__messages_answer *a, const koine_node *message)
{
    koine_provider_event event = koine__dialect_event(KOINE_EMIT_START);
    event.id = a->host->str(member(a, message, "id"));
    event.name = a->host->str(member(a, message, "model"));
    if (!a->state->started)
        a->sink->emit(a->sink, &event);
    a->state->started = 1;
}

/* Which tier served it decides the price. */
static void read_usage(struct koine__messages_answer *a, const koine_node *object, bool ended)
{
    const koine_node *usage = member(a, object, "usage"), *tier = member(a, usage, "service_tier");
    koine__messages_usage(a, usage, ended);
    if (a->state->tier || a->host->str(tier).len == 0)
        return;
    koine__messages_extra(a, "service_tier", tier);
    a->state->tier = 1;
}

static int32_t read_content(struct koine__messages_answer *a, const koine_node *content)
{
    for (size_t i = 0; i < a->host->count(content); i++) {
        int32_t rc = koine__messages_whole_block(a, a->host->at(content, i), (int32_t)i);
        if (rc != KOINE_DONE)
            return rc;
    }
    return KOINE_DONE;
}

static int32_t on_message(struct koine__messages_answer *a, const koine_node *message)
{
    const koine_node *content = member(a, message, "content");
    if (a->host->kind(content) != KOINE_NODE_ARRAY)
        return KOINE_PROTOCOL;
    read_start(a, message);
    int32_t rc = read_content(a, content);
    if (rc != KOINE_DONE)
        return rc;
    read_end(a, message);
    read_usage(a, message, true);
    return finish(a);
}

static int32_t on_message_start(struct koine__messages_answer *a, const koine_node *event)
{
    const koine_node *message = member(a, event, "message");
    if (a->host->kind(message) != KOINE_NODE_OBJECT)
        return KOINE_PROTOCOL;
    read_start(a, message);
    read_usage(a, message, false);
    return read_content(a, member(a, message, "content"));
}

static int32_t on_message_delta(struct koine__messages_answer *a, const koine_node *event)
{
    read_end(a, member(a, event, "delta"));
    read_usage(a, event, true);
    return KOINE_DONE;
}

static int32_t on_message_stop(struct koine__messages_answer *a, const koine_node *event)
{
    (void)event;
    return finish(a);
}

/* ---- Frames ---- */

static const struct kind {
    const char *type;
    int32_t (*read)(struct koine__messages_answer *a, const koine_node *event);
} kinds[] = {
    {"content_block_delta", koine__messages_block_delta},
    {"content_block_start", koine__messages_block_start},
    {"content_block_stop", koine__messages_block_stop},
    {"message_start", on_message_start},
    {"message_delta", on_message_delta},
    {"message_stop", on_message_stop},
    {"message", on_message},
};

static const struct kind *kind_of(koine_str type)
{
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (koine__dialect_is(type, kinds[i].type))
            return &kinds[i];
    return NULL;
}

static int32_t read_whole(struct koine__messages_answer *a)
{
    const koine_frame *frame = a->read->frame;
    const koine_node *error = koine__dialect_error(a->host, frame->json);
    if (error || (!frame->json && koine__dialect_is_markup(frame->text)))
        return emit_fault(a, error);
    return on_message(a, frame->json);
}

/* Events of later versions, and pings, are passed over; those known must be JSON. */
static int32_t read_event(struct koine__messages_answer *a)
{
    const koine_frame *frame = a->read->frame;
    koine_str text = koine__dialect_trim(frame->text);
    const koine_node *error = koine__dialect_error(a->host, frame->json);
    if (error || koine__dialect_is(frame->event, "error"))
        return emit_fault(a, error);
    const struct kind *named = kind_of(frame->event);
    if (a->host->kind(frame->json) == KOINE_NODE_OBJECT) {
        koine_str type = a->host->str(member(a, frame->json, "type"));
        const struct kind *kind = type.len > 0 ? kind_of(type) : named;
        return kind ? kind->read(a, frame->json) : KOINE_DONE;
    }
    /* Once the answer is complete, a broken event can only cost the usage: no reason to lose the answer too.
     */
    bool aside = frame->event.len > 0 && !named;
    return text.len == 0 || aside || a->state->raw_len > 0 ? KOINE_DONE : KOINE_PROTOCOL;
}

static int32_t read_frame(struct koine__messages_answer *a)
{
    switch (a->read->frame->kind) {
    case KOINE_FRAME_WHOLE:
        return read_whole(a);
    case KOINE_FRAME_SSE:
    case KOINE_FRAME_LINE:
        return read_event(a);
    case KOINE_FRAME_END:
        return a->state->raw_len > 0 ? emit_stop(a) : KOINE_PROTOCOL;
    default:
        return KOINE_DONE;
    }
}

int32_t koine__messages_frame(const koine_read *read, koine_sink *sink)
{
    struct koine__messages_answer answer = {
        .read = read, .host = read->host, .sink = sink, .state = read->state};
    if (answer.state->done)
        return KOINE_DONE;
    int32_t rc = read_frame(&answer);
    if (rc != KOINE_DONE)
        answer.state->done = 1;
    return rc;
}
