/* dialect_answer: what all answers hold, as events. */
#include "core/dialect/dialect.h"

bool koine__dialect_piece(koine_sink *sink, int32_t kind, koine_str text)
{
    koine_provider_event event = koine__dialect_event(kind);
    if (text.len == 0)
        return false;
    event.text = text;
    sink->emit(sink, &event);
    return true;
}

void koine__dialect_extra(koine_sink *sink, koine_str name, koine_str json)
{
    koine_provider_event event = koine__dialect_event(KOINE_EMIT_EXTRA);
    if (name.len == 0) /* an element where a member was looked for: nobody could ask for it */
        return;
    event.name = name;
    event.text = json;
    sink->emit(sink, &event);
}

void koine__dialect_remember(struct koine__dialect_reason *reason, koine_str word)
{
    if (word.len == 0)
        return;
    size_t len = word.len < sizeof(reason->raw) ? word.len : sizeof(reason->raw);
    while (len < word.len && len > 0 && ((unsigned char)word.ptr[len] & 0xC0) == 0x80)
        len--;
    memcpy(reason->raw, word.ptr, len);
    reason->len = (uint8_t)len;
}

koine_str koine__dialect_reason(const struct koine__dialect_reason *reason)
{
    return (koine_str){reason->raw, reason->len};
}

void koine__dialect_stop(koine_sink *sink, const struct koine__dialect_reason *reason, int32_t code)
{
    koine_provider_event event = koine__dialect_event(KOINE_EMIT_STOP);
    event.text = koine__dialect_reason(reason);
    event.code = code;
    sink->emit(sink, &event);
}

void koine__dialect_count(const koine_host *host, const koine_node *object, const char *name, int64_t *ret)
{
    int64_t told = host->num(host->get(object, name), -1);
    if (told >= 0)
        *ret = told;
}

void koine__dialect_part(int64_t *whole, int64_t *ret_part, int64_t count)
{
    *ret_part = count;
    if (*whole < 0 || count < 0)
        return;
    *ret_part = count < *whole ? count : *whole;
    *whole -= *ret_part;
}

int32_t koine__dialect_code(koine_str word, const struct koine__dialect_word *words, int32_t otherwise)
{
    for (; words->word; words++)
        if (koine__dialect_is(word, words->word))
            return words->code;
    return otherwise;
}

static int32_t read_frame(const koine_frame *frame, void *answer,
                          const struct koine__dialect_reading *reading)
{
    switch (frame->kind) {
    case KOINE_FRAME_WHOLE:
        return reading->whole(answer);
    case KOINE_FRAME_SSE:
    case KOINE_FRAME_LINE:
        return reading->event(answer);
    case KOINE_FRAME_END:
        return reading->reason->len > 0 ? reading->stop(answer) : KOINE_PROTOCOL;
    default:
        return KOINE_DONE;
    }
}

int32_t koine__dialect_frame(const koine_frame *frame, void *answer,
                             const struct koine__dialect_reading *reading)
{
    if (*reading->done)
        return KOINE_DONE;
    int32_t rc = read_frame(frame, answer, reading);
    if (rc != KOINE_DONE)
        *reading->done = 1;
    return rc;
}
