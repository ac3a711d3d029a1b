/* gemini_answer: an answer's frames as events.
 *
 * Each frame of a stream is an answer of its own shape that holds what is new; a whole answer is one of them.
 * The API has no word for the end: STOP comes with a whole answer, or at the end of the body when a
 * finishReason was seen. An answer that ends without either was cut and is no answer. A prompt that was
 * blocked has no answer at all and is a fault; an answer that was stopped has the stop `filter`.
 */
#include "core/dialect/gemini_internal.h"

#include <stdio.h>

#define LONGEST_TIER 32

static const koine_node *member(const struct koine__gemini_answer *a, const koine_node *object,
                                const char *name)
{
    return a->host->get(object, name);
}

static koine_str text_of(const struct koine__gemini_answer *a, const koine_node *object, const char *name)
{
    return koine__dialect_text(a->host, object, name);
}

/* ---- How it ended ---- */

static const struct koine__dialect_word reasons[] = {
    {"STOP", KOINE_STOP_END},
    {"MAX_TOKENS", KOINE_STOP_LENGTH},
    {"SAFETY", KOINE_STOP_FILTER},
    {"RECITATION", KOINE_STOP_FILTER},
    {"BLOCKLIST", KOINE_STOP_FILTER},
    {"PROHIBITED_CONTENT", KOINE_STOP_FILTER},
    {"SPII", KOINE_STOP_FILTER},
    {"IMAGE_SAFETY", KOINE_STOP_FILTER},
    {"IMAGE_PROHIBITED_CONTENT", KOINE_STOP_FILTER},
    {"IMAGE_RECITATION", KOINE_STOP_FILTER},
    {NULL, 0},
};

static int32_t emit_stop(void *answer)
{
    struct koine__gemini_answer *a = answer;
    koine_str word = koine__dialect_reason(&a->state->reason);
    int32_t code = koine__dialect_code(word, reasons, KOINE_STOP_OTHER);
    koine__dialect_stop(a->sink, &a->state->reason, code);
    a->state->done = 1;
    return KOINE_DONE;
}

static int32_t emit_fault(struct koine__gemini_answer *a, const koine_node *told)
{
    koine__gemini_tell(a->read, told, a->sink);
    a->state->done = 1;
    return KOINE_DONE;
}

static void emit_blocked(struct koine__gemini_answer *a, const koine_node *feedback)
{
    koine_provider_event event = koine__dialect_event(KOINE_EMIT_FAULT);
    koine_str words = text_of(a, feedback, "blockReasonMessage");
    event.code = KOINE_FAULT_CONTENT_POLICY;
    event.name = text_of(a, feedback, "blockReason");
    event.text = words.len > 0 ? words : koine__dialect_str("the prompt was blocked");
    a->sink->emit(a->sink, &event);
    a->state->done = 1;
}

/* ---- What it says ---- */

static void read_start(struct koine__gemini_answer *a, const koine_node *root)
{
    koine_provider_event event = koine__dialect_event(KOINE_EMIT_START);
    event.id = text_of(a, root, "responseId");
    event.name = text_of(a, root, "modelVersion");
    if (a->state->started ||
        (event.id.len + event.name.len == 0 && a->host->count(member(a, root, "candidates")) == 0))
        return;
    a->sink->emit(a->sink, &event);
    a->state->started = 1;
}

static void emit_tier(struct koine__gemini_answer *a, koine_str json)
{
    if (!a->state->tier)
        koine__dialect_extra(a->sink, koine__dialect_str("service_tier"), json);
    a->state->tier = 1;
}

/* Which tier served it decides the price; where the body does not tell it, a header may. */
static void read_tier(struct koine__gemini_answer *a, const koine_node *usage)
{
    const koine_node *tier = member(a, usage, "serviceTier");
    koine_str told = a->read->frame->header(a->read->frame, "x-gemini-service-tier");
    char json[LONGEST_TIER + 3];
    size_t len = 0;
    if (a->host->str(tier).len > 0) {
        emit_tier(a, a->host->dump(tier));
        return;
    }
    while (len < told.len && ((told.ptr[len] >= 'a' && told.ptr[len] <= 'z') || told.ptr[len] == '_'))
        len++;
    if (len == 0 || len != told.len || len > LONGEST_TIER)
        return;
    snprintf(json, sizeof(json), "\"%.*s\"", (int)len, told.ptr);
    emit_tier(a, koine__dialect_str(json));
}

/* What stands beside the content: its sources, and how it was judged. */
static void read_beside(struct koine__gemini_answer *a, const koine_node *candidate)
{
    static const char *const known[] = {"content", "finishReason", "index", "tokenCount", NULL};
    for (size_t i = 0; i < a->host->count(candidate); i++) {
        koine_str name = a->host->key(candidate, i);
        const koine_node *value = a->host->at(candidate, i);
        if (koine__dialect_is_one_of(name, known) || a->host->kind(value) <= KOINE_NODE_NULL)
            continue;
        koine__dialect_extra(a->sink, name, a->host->dump(value));
    }
}

static void read_candidate(struct koine__gemini_answer *a, const koine_node *candidate)
{
    const koine_node *parts = member(a, member(a, candidate, "content"), "parts");
    if (a->host->num(member(a, candidate, "index"), 0) != 0)
        return;
    for (size_t i = 0; i < a->host->count(parts); i++)
        koine__gemini_piece(a, a->host->at(parts, i));
    read_beside(a, candidate);
    koine__dialect_remember(&a->state->reason, text_of(a, candidate, "finishReason"));
}

static int32_t read_answer(struct koine__gemini_answer *a, const koine_node *root)
{
    const koine_node *candidates = member(a, root, "candidates"), *usage = member(a, root, "usageMetadata");
    const koine_node *feedback = member(a, root, "promptFeedback"),
                     *error = koine__dialect_error(a->host, root);
    if (error)
        return emit_fault(a, error);
    if (a->host->kind(root) != KOINE_NODE_OBJECT)
        return KOINE_PROTOCOL;
    read_start(a, root);
    for (size_t i = 0; i < a->host->count(candidates); i++)
        read_candidate(a, a->host->at(candidates, i));
    read_tier(a, usage);
    koine__gemini_usage(a, usage);
    if (a->host->kind(feedback) > KOINE_NODE_NULL)
        koine__dialect_extra(a->sink, koine__dialect_str("promptFeedback"), a->host->dump(feedback));
    if (a->host->count(candidates) == 0 && text_of(a, feedback, "blockReason").len > 0)
        emit_blocked(a, feedback);
    return KOINE_DONE;
}

/* ---- Frames ---- */

/* A stream that is not asked for as events comes as one list of what they would hold. */
static int32_t read_answers(struct koine__gemini_answer *a, const koine_node *root)
{
    int32_t rc = KOINE_DONE;
    if (a->host->kind(root) != KOINE_NODE_ARRAY)
        return read_answer(a, root);
    for (size_t i = 0; i < a->host->count(root) && rc == KOINE_DONE && !a->state->done; i++)
        rc = read_answer(a, a->host->at(root, i));
    return rc;
}

/* The whole is all there is, so a missing finishReason is only unknown. */
static int32_t read_whole(void *answer)
{
    struct koine__gemini_answer *a = answer;
    const koine_frame *frame = a->read->frame;
    if (!frame->json && koine__dialect_is_markup(frame->text))
        return emit_fault(a, NULL);
    int32_t rc = read_answers(a, frame->json);
    if (rc != KOINE_DONE || a->state->done)
        return rc;
    return a->state->reason.len > 0 || a->state->content ? emit_stop(a) : KOINE_PROTOCOL;
}

static int32_t read_event(void *answer)
{
    struct koine__gemini_answer *a = answer;
    const koine_frame *frame = a->read->frame;
    if (koine__dialect_is(frame->event, "error"))
        return emit_fault(a, koine__dialect_error(a->host, frame->json));
    if (frame->json)
        return read_answers(a, frame->json);
    /* Once the answer is complete, a broken event can only cost the usage: no reason to lose the answer too.
     */
    bool late = a->state->reason.len > 0 || koine__dialect_is(koine__dialect_trim(frame->text), "[DONE]");
    return koine__dialect_trim(frame->text).len == 0 || late ? KOINE_DONE : KOINE_PROTOCOL;
}

int32_t koine__gemini_frame(const koine_read *read, koine_sink *sink)
{
    struct koine__gemini_state *state = read->state;
    struct koine__gemini_answer answer = {.read = read, .host = read->host, .sink = sink, .state = state};
    struct koine__dialect_reading reading = {&state->done, &state->reason, read_whole, read_event, emit_stop};
    return koine__dialect_frame(read->frame, &answer, &reading);
}
