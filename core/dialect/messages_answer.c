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
    a->state->content |= koine__dialect_piece(a->sink, kind, text);
}

void koine__messages_extra(struct koine__messages_answer *a, const char *name, const koine_node *value)
{
    koine__dialect_extra(a->sink, koine__dialect_str(name), a->host->dump(value));
}

static int32_t emit_fault(struct koine__messages_answer *a, const koine_node *told)
{
    koine__messages_tell(a->read, told, a->sink);
    a->state->done = 1;
    return KOINE_DONE;
}

/* ---- How it ended ---- */

static const struct koine__dialect_word reasons[] = {
    {"end_turn", KOINE_STOP_END},
    {"stop_sequence", KOINE_STOP_END},
    {"max_tokens", KOINE_STOP_LENGTH},
    {"model_context_window_exceeded", KOINE_STOP_LENGTH},
    {"tool_use", KOINE_STOP_TOOL},
    {"refusal", KOINE_STOP_FILTER},
    {NULL, 0},
};

static int32_t emit_stop(void *answer)
{
    struct koine__messages_answer *a = answer;
    koine__messages_block_stop(a, NULL); /* which ought to have been told */
    koine_str word = koine__dialect_reason(&a->state->reason);
    int32_t code = koine__dialect_code(word, reasons, KOINE_STOP_OTHER);
    koine__dialect_stop(a->sink, &a->state->reason, code);
    a->state->done = 1;
    return KOINE_DONE;
}

/* What a message says at its end, whole or in its last delta. */
static void read_end(struct koine__messages_answer *a, const koine_node *object)
{
    static const char *const extras[] = {"container", "stop_details", "stop_sequence"};
    koine__dialect_remember(&a->state->reason, a->host->str(member(a, object, "stop_reason")));
    for (size_t i = 0; i < sizeof(extras) / sizeof(extras[0]); i++)
        if (a->host->kind(member(a, object, extras[i])) > KOINE_NODE_NULL)
            koine__messages_extra(a, extras[i], member(a, object, extras[i]));
}

/* The vendor says that this is all, so a missing stop_reason is only unknown. */
static int32_t finish(struct koine__messages_answer *a)
{
    if (a->state->reason.len == 0 && !a->state->content)
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

static int32_t read_whole(void *answer)
{
    struct koine__messages_answer *a = answer;
    const koine_frame *frame = a->read->frame;
    const koine_node *error = koine__dialect_error(a->host, frame->json);
    if (error || (!frame->json && koine__dialect_is_markup(frame->text)))
        return emit_fault(a, error);
    return on_message(a, frame->json);
}

/* Events of later versions, and pings, are passed over; those known must be JSON. */
static int32_t read_event(void *answer)
{
    struct koine__messages_answer *a = answer;
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
    return text.len == 0 || aside || a->state->reason.len > 0 ? KOINE_DONE : KOINE_PROTOCOL;
}

int32_t koine__messages_frame(const koine_read *read, koine_sink *sink)
{
    struct koine__messages_state *state = read->state;
    struct koine__messages_answer answer = {.read = read, .host = read->host, .sink = sink, .state = state};
    struct koine__dialect_reading reading = {&state->done, &state->reason, read_whole, read_event, emit_stop};
    return koine__dialect_frame(read->frame, &answer, &reading);
}
