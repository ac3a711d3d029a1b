/* chat_answer: an answer's frames as events.
 *
 * The same for chunks of a stream and whole completions. STOP comes once: at [DONE], with a whole answer, or
 * at the end of the body when a finish_reason was seen. An answer that ends without either was cut and is no
 * answer.
 */
#include "core/dialect/chat_internal.h"

static const koine_node *member(const struct koine__chat_answer *a, const koine_node *object,
                                const char *name)
{
    return a->host->get(object, name);
}

static koine_str text_of(const struct koine__chat_answer *a, const koine_node *object, const char *name)
{
    return a->host->str(member(a, object, name));
}

/* ---- How it ended ---- */

static const struct finish {
    const char *word;
    int32_t stop;  /* KOINE_STOP_*, where fault is 0 */
    int32_t fault; /* KOINE_FAULT_*: the vendor gave up */
} finishes[] = {
    {"stop", KOINE_STOP_END, 0},
    {"eos", KOINE_STOP_END, 0},
    {"length", KOINE_STOP_LENGTH, 0},
    {"model_length", KOINE_STOP_LENGTH, 0},
    {"tool_calls", KOINE_STOP_TOOL, 0},
    {"function_call", KOINE_STOP_TOOL, 0},
    {"content_filter", KOINE_STOP_FILTER, 0},
    {"insufficient_system_resource", 0, KOINE_FAULT_OVERLOADED},
    {"error", 0, KOINE_FAULT_SERVER},
};

static struct finish finish_of(koine_str word)
{
    for (size_t i = 0; i < sizeof(finishes) / sizeof(finishes[0]); i++)
        if (koine__dialect_is(word, finishes[i].word))
            return finishes[i];
    return (struct finish){NULL, KOINE_STOP_OTHER, 0};
}

static koine_str kept_finish(const struct koine__chat_state *state)
{
    return koine__dialect_reason(&state->finish);
}

static int32_t emit_stop(void *answer)
{
    struct koine__chat_answer *a = answer;
    koine__dialect_stop(a->sink, &a->state->finish, finish_of(kept_finish(a->state)).stop);
    a->state->done = 1;
    return KOINE_DONE;
}

static int32_t emit_fault(struct koine__chat_answer *a, const koine_node *told)
{
    koine__chat_tell(a->read, told, a->sink);
    a->state->done = 1;
    return KOINE_DONE;
}

static void emit_given_up(struct koine__chat_answer *a)
{
    koine_provider_event event = koine__dialect_event(KOINE_EMIT_FAULT);
    event.code = finish_of(kept_finish(a->state)).fault;
    event.text = koine__dialect_str("the answer was given up");
    event.name = kept_finish(a->state);
    a->sink->emit(a->sink, &event);
    a->state->done = 1;
}

/* ---- What it says ---- */

static void emit_piece(struct koine__chat_answer *a, int32_t kind, koine_str text)
{
    a->state->content |= koine__dialect_piece(a->sink, kind, text);
}

static void emit_extra(struct koine__chat_answer *a, const char *name, const koine_node *value)
{
    koine__dialect_extra(a->sink, koine__dialect_str(name), a->host->dump(value));
}

/* Text, or a list of parts with a text each. */
static void read_thinking(struct koine__chat_answer *a, const koine_node *thinking)
{
    emit_piece(a, KOINE_EMIT_REASONING, a->host->str(thinking));
    if (a->host->kind(thinking) == KOINE_NODE_ARRAY)
        for (size_t i = 0; i < a->host->count(thinking); i++)
            emit_piece(a, KOINE_EMIT_REASONING, text_of(a, a->host->at(thinking, i), "text"));
}

static void read_part(struct koine__chat_answer *a, const koine_node *part)
{
    koine_str type = text_of(a, part, "type");
    if (a->host->kind(part) == KOINE_NODE_STRING)
        emit_piece(a, KOINE_EMIT_TEXT, a->host->str(part));
    else if (koine__dialect_is(type, "thinking"))
        read_thinking(a, member(a, part, "thinking"));
    else if (koine__dialect_is(type, "refusal"))
        emit_piece(a, KOINE_EMIT_REFUSAL, text_of(a, part, "refusal"));
    else
        emit_piece(a, KOINE_EMIT_TEXT, text_of(a, part, "text"));
}

static int32_t read_content(struct koine__chat_answer *a, const koine_node *content)
{
    int32_t kind = a->host->kind(content);
    if (kind == KOINE_NODE_STRING)
        emit_piece(a, KOINE_EMIT_TEXT, a->host->str(content));
    else if (kind == KOINE_NODE_ARRAY)
        for (size_t i = 0; i < a->host->count(content); i++)
            read_part(a, a->host->at(content, i));
    else if (kind > KOINE_NODE_NULL)
        return KOINE_PROTOCOL;
    return KOINE_DONE;
}

/* Some vendors tell the reasoning under both names: one is enough. */
static void read_reasoning(struct koine__chat_answer *a, const koine_node *message)
{
    koine_str text = text_of(a, message, "reasoning");
    emit_piece(a, KOINE_EMIT_REASONING, text.len > 0 ? text : text_of(a, message, "reasoning_content"));
}

static int32_t read_message(struct koine__chat_answer *a, const koine_node *message)
{
    const koine_node *annotations = member(a, message, "annotations");
    read_reasoning(a, message);
    int32_t rc = read_content(a, member(a, message, "content"));
    if (rc != KOINE_DONE)
        return rc;
    emit_piece(a, KOINE_EMIT_REFUSAL, text_of(a, message, "refusal"));
    koine__chat_tools(a, message);
    koine__chat_keep(a, message);
    if (a->host->count(annotations) > 0)
        emit_extra(a, "annotations", annotations);
    return KOINE_DONE;
}

/* What a choice adds: its delta; a whole answer's message. A stream that sends one whole answer as an event
 * is taken too, but not a message that repeats what the deltas said. */
static const koine_node *message_of(const struct koine__chat_answer *a, const koine_node *choice)
{
    const koine_node *message = member(a, choice, "message"), *delta = member(a, choice, "delta");
    if (a->whole && a->host->kind(message) == KOINE_NODE_OBJECT)
        return message;
    if (a->host->kind(delta) == KOINE_NODE_OBJECT || a->state->content)
        return delta;
    return message;
}

static int32_t read_choice(struct koine__chat_answer *a, const koine_node *choice)
{
    const koine_node *message = message_of(a, choice), *logprobs = member(a, choice, "logprobs");
    if (a->host->num(member(a, choice, "index"), 0) != 0)
        return KOINE_DONE;
    if (a->whole && a->host->kind(message) != KOINE_NODE_OBJECT)
        return KOINE_PROTOCOL;
    int32_t rc = read_message(a, message);
    if (rc != KOINE_DONE)
        return rc;
    if (a->host->kind(logprobs) > KOINE_NODE_NULL)
        emit_extra(a, "logprobs", logprobs);
    koine__dialect_remember(&a->state->finish, text_of(a, choice, "finish_reason"));
    return KOINE_DONE;
}

/* A first chunk may be empty but for an annotation: it tells neither id nor model. */
static void read_start(struct koine__chat_answer *a, const koine_node *root)
{
    koine_provider_event event = koine__dialect_event(KOINE_EMIT_START);
    event.id = text_of(a, root, "id");
    event.name = text_of(a, root, "model");
    if (a->state->started ||
        (event.id.len + event.name.len == 0 && a->host->count(member(a, root, "choices")) == 0))
        return;
    a->sink->emit(a->sink, &event);
    a->state->started = 1;
}

/* Which tier served it decides the price. */
static void read_tier(struct koine__chat_answer *a, const koine_node *root)
{
    const koine_node *tier = member(a, root, "service_tier");
    if (a->state->tier || a->host->str(tier).len == 0)
        return;
    emit_extra(a, "service_tier", tier);
    a->state->tier = 1;
}

static int32_t read_object(struct koine__chat_answer *a, const koine_node *root)
{
    const koine_node *choices = member(a, root, "choices");
    if (a->host->kind(root) != KOINE_NODE_OBJECT || (a->whole && a->host->count(choices) == 0))
        return KOINE_PROTOCOL;
    read_start(a, root);
    read_tier(a, root);
    for (size_t i = 0; i < a->host->count(choices); i++) {
        int32_t rc = read_choice(a, a->host->at(choices, i));
        if (rc != KOINE_DONE)
            return rc;
    }
    koine__chat_usage(a, root);
    if (finish_of(kept_finish(a->state)).fault)
        emit_given_up(a);
    return KOINE_DONE;
}

/* ---- Frames ---- */

/* [DONE] or a whole answer: the vendor says that this is all, so a missing finish_reason is only unknown. */
static int32_t finish(struct koine__chat_answer *a)
{
    if (a->state->done)
        return KOINE_DONE;
    if (a->state->finish.len == 0 && !a->state->content)
        return KOINE_PROTOCOL;
    return emit_stop(a);
}

static int32_t read_whole(void *answer)
{
    struct koine__chat_answer *a = answer;
    const koine_frame *frame = a->read->frame;
    const koine_node *error = koine__dialect_error(a->host, frame->json);
    if (error || (!frame->json && koine__dialect_is_markup(frame->text)))
        return emit_fault(a, error);
    a->whole = true;
    int32_t rc = read_object(a, frame->json);
    return rc == KOINE_DONE ? finish(a) : rc;
}

/* Pings and what vendors invent beside the chunks; an event under another name that holds a chunk is one. */
static bool is_aside(const struct koine__chat_answer *a, const koine_frame *frame)
{
    if (frame->event.len == 0 || koine__dialect_is(frame->event, "message"))
        return false;
    return a->host->kind(member(a, frame->json, "choices")) == KOINE_NODE_NONE;
}

static int32_t read_event(void *answer)
{
    struct koine__chat_answer *a = answer;
    const koine_frame *frame = a->read->frame;
    koine_str text = koine__dialect_trim(frame->text);
    if (text.len >= 6 && memcmp(text.ptr, "[DONE]", 6) == 0)
        return finish(a);
    const koine_node *error = koine__dialect_error(a->host, frame->json);
    if (error || koine__dialect_is(frame->event, "error"))
        return emit_fault(a, error);
    /* Once the answer is complete, a broken event can only cost the usage: no reason to lose the answer too.
     */
    bool late = !frame->json && a->state->finish.len > 0;
    if (text.len == 0 || late || is_aside(a, frame))
        return KOINE_DONE;
    return read_object(a, frame->json);
}

int32_t koine__chat_frame(const koine_read *read, koine_sink *sink)
{
    struct koine__chat_state *state = read->state;
    struct koine__chat_answer answer = {.read = read, .host = read->host, .sink = sink, .state = state};
    struct koine__dialect_reading reading = {&state->done, &state->finish, read_whole, read_event, emit_stop};
    return koine__dialect_frame(read->frame, &answer, &reading);
}
