/* trace: events as lines. */
#include "tests/vendor/trace.h"

#include "core/base/str.h"
#include "core/money/price.h"

#include <string.h>

#include <stdio.h>

#define LARGEST ((size_t)4 << 20)

void vendor_quote(struct koine__buf *buf, koine_str text)
{
    koine__buf_addc(buf, '"');
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (c == '"' || c == '\\')
            koine__buf_addf(buf, "\\%c", c);
        else if (c == '\n')
            koine__buf_adds(buf, "\\n");
        else if ((unsigned char)c < ' ' || c == 0x7F)
            koine__buf_addf(buf, "\\x%02x", (unsigned)(unsigned char)c);
        else
            koine__buf_addc(buf, c);
    }
    koine__buf_addc(buf, '"');
}

const char *vendor_result_name(int32_t result)
{
    static const char *const names[] = {"done", "unsupported", "invalid", "protocol", "no memory"};
    return result <= 0 && result >= KOINE_NO_MEMORY ? names[-result] : "more";
}

static void add_quoted(struct koine__buf *buf, const char *before, koine_str text)
{
    koine__buf_adds(buf, before);
    vendor_quote(buf, text);
}

static void add_count(struct koine__buf *buf, const char *name, int64_t count)
{
    if (count < 0)
        return;
    koine__buf_addf(buf, " %s=", name);
    koine__buf_add_int(buf, count);
}

static void keep_usage(struct vendor_trace *self, const koine_provider_usage *usage)
{
    koine__provider_usage_init(&self->usage);
    memcpy(&self->usage, usage, usage->size < sizeof(self->usage) ? usage->size : sizeof(self->usage));
    self->usage.size = sizeof(self->usage);
}

static void add_usage(struct koine__buf *buf, const koine_provider_usage *usage)
{
    koine__buf_adds(buf, "usage");
    add_count(buf, "input", usage->input);
    add_count(buf, "cache_read", usage->cache_read);
    add_count(buf, "cache_write", usage->cache_write);
    add_count(buf, "output", usage->output);
    add_count(buf, "reasoning", usage->reasoning);
    add_count(buf, "audio_input", usage->audio_input);
    add_count(buf, "audio_output", usage->audio_output);
    add_count(buf, "image_input", usage->image_input);
    add_count(buf, "picodollars", usage->charged ? usage->picodollars : -1);
}

static void add_model(struct koine__buf *buf, const koine_model_info *info)
{
    add_quoted(buf, "model id=", info->id);
    if (info->name.len)
        add_quoted(buf, " name=", info->name);
    if (info->owner.len)
        add_quoted(buf, " owner=", info->owner);
    add_count(buf, "created", info->created);
    add_count(buf, "context", info->context);
    add_count(buf, "max_output", info->max_output);
}

static void add_tool(struct koine__buf *buf, const koine_provider_event *event)
{
    koine__buf_adds(buf, "tool");
    add_count(buf, "index", event->index);
    add_quoted(buf, " id=", event->id);
    add_quoted(buf, " name=", event->name);
    add_quoted(buf, " ", event->text);
}

static void add_stop(struct koine__buf *buf, const koine_provider_event *event)
{
    static const char *const names[] = {"end", "length", "tool", "filter", "other"};
    koine__buf_addf(buf, "stop %s",
                    event->code >= 0 && event->code <= KOINE_STOP_OTHER ? names[event->code] : "?");
    add_quoted(buf, " ", event->text);
}

static void add_fault(struct koine__buf *buf, const koine_provider_event *event)
{
    static const char *const names[] = {"overloaded",     "server",  "protocol",   "rate_limit",
                                        "billing",        "auth",    "model_gone", "context_length",
                                        "content_policy", "invalid", "unsupported"};
    bool known = event->code >= KOINE_FAULT_OVERLOADED && event->code <= KOINE_FAULT_UNSUPPORTED;
    koine__buf_addf(buf, "fault %s", known ? names[event->code - KOINE_FAULT_OVERLOADED] : "?");
    add_quoted(buf, " code=", event->name);
    add_quoted(buf, " ", event->text);
    add_count(buf, "retry_ms", event->retry_ms);
}

static void add_keep(struct koine__buf *buf, const koine_provider_event *event)
{
    koine__buf_addf(buf, "keep %.*s index=%d ", (int)event->name.len, event->name.ptr, (int)event->index);
    koine__buf_add(buf, event->text.ptr, event->text.len);
}

static void add_extra(struct koine__buf *buf, const koine_provider_event *event)
{
    koine__buf_adds(buf, "extra ");
    koine__buf_add(buf, event->name.ptr, event->name.len);
    koine__buf_addc(buf, ' ');
    koine__buf_add(buf, event->text.ptr, event->text.len);
}

static const char *name_of_text(int32_t kind)
{
    if (kind == KOINE_EMIT_TEXT)
        return "text ";
    if (kind == KOINE_EMIT_REASONING)
        return "reasoning ";
    return kind == KOINE_EMIT_REFUSAL ? "refusal " : NULL;
}

static void add_event(struct koine__buf *buf, const koine_provider_event *event)
{
    if (event->kind == KOINE_EMIT_START) {
        add_quoted(buf, "start id=", event->id);
        add_quoted(buf, " model=", event->name);
    } else if (name_of_text(event->kind))
        add_quoted(buf, name_of_text(event->kind), event->text);
    else if (event->kind == KOINE_EMIT_TOOL)
        add_tool(buf, event);
    else if (event->kind == KOINE_EMIT_USAGE && event->usage)
        add_usage(buf, event->usage);
    else if (event->kind == KOINE_EMIT_EXTRA)
        add_extra(buf, event);
    else if (event->kind == KOINE_EMIT_KEEP)
        add_keep(buf, event);
    else if (event->kind == KOINE_EMIT_STOP)
        add_stop(buf, event);
    else if (event->kind == KOINE_EMIT_FAULT)
        add_fault(buf, event);
    else if (event->kind == KOINE_EMIT_MODEL && event->model)
        add_model(buf, event->model);
    else
        koine__buf_adds(buf, "?");
    koine__buf_addc(buf, '\n');
}

void vendor_trace_flush(struct vendor_trace *self)
{
    if (!self->pending_kind)
        return;
    koine_provider_event whole = {.kind = self->pending_kind, .index = self->pending_index};
    whole.name = koine__str(self->pending_name);
    whole.text = (koine_str){koine__buf_str(&self->pending), self->pending.len};
    self->pending_kind = 0;
    add_event(&self->merged, &whole);
    koine__buf_reset(&self->pending);
}

static bool comes_in_pieces(const koine_provider_event *event)
{
    return name_of_text(event->kind) || event->kind == KOINE_EMIT_KEEP;
}

static void on_event(koine_sink *sink, const koine_provider_event *event)
{
    struct vendor_trace *self = (struct vendor_trace *)sink;
    int32_t index = event->kind == KOINE_EMIT_KEEP ? event->index : 0;
    if (event->kind > KOINE_EMIT_KEEP) /* of a later koine: the core passes it over, too */
        return;
    self->late += self->ends > 0;
    if (event->kind == KOINE_EMIT_USAGE && event->usage)
        keep_usage(self, event->usage);
    self->ends += event->kind == KOINE_EMIT_STOP || event->kind == KOINE_EMIT_FAULT;
    add_event(&self->raw, event);
    if (self->pending_kind != event->kind || self->pending_index != index)
        vendor_trace_flush(self);
    if (!comes_in_pieces(event)) {
        add_event(&self->merged, event);
        return;
    }
    self->pending_kind = event->kind;
    self->pending_index = index;
    snprintf(self->pending_name, sizeof(self->pending_name), "%.*s", (int)event->name.len,
             event->name.len ? event->name.ptr : "");
    koine__buf_add(&self->pending, event->text.ptr, event->text.len);
}

void vendor_trace_init(struct vendor_trace *self)
{
    *self = (struct vendor_trace){.sink = {.size = sizeof(koine_sink), .emit = on_event}};
    koine__provider_usage_init(&self->usage);
    koine__buf_init(&self->raw, LARGEST);
    koine__buf_init(&self->merged, LARGEST);
    koine__buf_init(&self->pending, LARGEST);
}

void vendor_trace_release(struct vendor_trace *self)
{
    koine__buf_release(&self->raw);
    koine__buf_release(&self->merged);
    koine__buf_release(&self->pending);
}

void vendor_trace_result(struct vendor_trace *self, int32_t result)
{
    if (result == KOINE_DONE)
        return;
    vendor_trace_flush(self);
    koine__buf_addf(&self->raw, "%s\n", vendor_result_name(result));
    koine__buf_addf(&self->merged, "%s\n", vendor_result_name(result));
}
