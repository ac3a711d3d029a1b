/* events: one check for each rule. */
#include "apps/plugin-check/events.h"

#include "core/wire/json.h"

#include <inttypes.h>
#include <string.h>

#define SIZE_TO(type, field) (offsetof(type, field) + sizeof(((type *)NULL)->field))

struct looking { /* at one event */
    struct inspection *in;
    const char *function;
    const koine_provider_event *event;
};

static void found(const struct looking *l, enum rule rule, const char *seen)
{
    inspection_found(l->in, rule, l->function, seen, NULL);
}

static const char *kind_name(int32_t kind)
{
    static const char *const names[] = {
        "an event of kind 0", "a start", "a text",  "a reasoning", "a refusal", "a tool call", "usage",
        "an extra",           "a stop",  "a fault", "a model",     "a keep"};
    return kind >= 0 && kind <= KOINE_EMIT_KEEP ? names[kind] : "an event";
}

/* False: it points nowhere. */
static bool check_text(const struct looking *l, const char *member, koine_str text)
{
    if (text.len > 0 && !text.ptr) {
        inspection_foundf(l->in, RULE_EVENT_TEXT, l->function, "%s whose %s has %zu bytes at NULL",
                          kind_name(l->event->kind), member, text.len);
        return false;
    }
    if (!koine__utf8_valid(text.ptr, text.len))
        inspection_foundf(l->in, RULE_EVENT_UTF8, l->function, "%s whose %s is no UTF-8: \"%.*s\"",
                          kind_name(l->event->kind), member, (int)(text.len < 200 ? text.len : 200),
                          text.ptr);
    return true;
}

static void check_place(const struct looking *l, const struct vendor_case *c)
{
    int32_t kind = l->event->kind;
    bool right =
        kind == KOINE_EMIT_FAULT || (c->status < 400 && (kind == KOINE_EMIT_MODEL) == c->list_models);
    if (!right)
        inspection_foundf(l->in, RULE_EVENT_PLACE, l->function, "it told %s", kind_name(kind));
}

static bool check_usage(const struct looking *l, const koine_provider_usage *usage)
{
    if (!usage) {
        found(l, RULE_EVENT_USAGE, "an event of usage without one");
        return false;
    }
    if (usage->size < SIZE_TO(koine_provider_usage, picodollars)) {
        inspection_foundf(l->in, RULE_EVENT_SIZE, l->function, "a usage of size %" PRIu32, usage->size);
        return false;
    }
    const int64_t counts[] = {
        usage->input,        usage->cache_read,  usage->cache_write,
        usage->output,       usage->reasoning,   usage->audio_input,
        usage->audio_output, usage->image_input, usage->charged ? usage->picodollars : 0};
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
        if (counts[i] < -1)
            inspection_foundf(l->in, RULE_EVENT_USAGE, l->function, "a count of %" PRId64, counts[i]);
    return true;
}

static bool check_model(const struct looking *l, const koine_model_info *model)
{
    if (!model) {
        found(l, RULE_EVENT_MODEL, "an event of a model without one");
        return false;
    }
    if (model->size < SIZE_TO(koine_model_info, max_output)) {
        inspection_foundf(l->in, RULE_EVENT_SIZE, l->function, "a model of size %" PRIu32, model->size);
        return false;
    }
    if (model->id.len == 0)
        found(l, RULE_EVENT_MODEL, "a model without an id");
    if (model->created < -1 || model->context < -1 || model->max_output < -1)
        found(l, RULE_EVENT_MODEL, "a model with a number below -1");
    return check_text(l, "id", model->id) && check_text(l, "name", model->name) &&
           check_text(l, "owner", model->owner);
}

static void check_codes(const struct looking *l)
{
    int32_t kind = l->event->kind, code = l->event->code;
    if (kind == KOINE_EMIT_STOP && (code < KOINE_STOP_END || code > KOINE_STOP_OTHER))
        inspection_foundf(l->in, RULE_EVENT_CODE, l->function, "a stop of code %d", (int)code);
    if (kind == KOINE_EMIT_FAULT && (code < KOINE_FAULT_OVERLOADED || code > KOINE_FAULT_UNSUPPORTED))
        inspection_foundf(l->in, RULE_EVENT_CODE, l->function, "a fault of code %d", (int)code);
    if (kind == KOINE_EMIT_FAULT && l->event->retry_ms < -1)
        inspection_foundf(l->in, RULE_EVENT_CODE, l->function, "a fault that advises to wait %" PRId64 " ms",
                          l->event->retry_ms);
    if (kind == KOINE_EMIT_TOOL && l->event->index < -1)
        inspection_foundf(l->in, RULE_EVENT_CODE, l->function, "a tool call of index %d",
                          (int)l->event->index);
}

static void check_pieces(const struct looking *l)
{
    const koine_provider_event *event = l->event;
    bool named = event->kind == KOINE_EMIT_EXTRA || event->kind == KOINE_EMIT_KEEP;
    if (named && event->name.len == 0)
        inspection_foundf(l->in, RULE_EVENT_TEXT, l->function, "%s without a name", kind_name(event->kind));
    if (event->kind == KOINE_EMIT_EXTRA && koine__json_check(event->text, KOINE__JSON_DEPTH, NULL) != 0)
        inspection_foundf(l->in, RULE_EVENT_JSON, l->function, "an extra that is no JSON: %.*s",
                          (int)(event->text.len < 200 ? event->text.len : 200),
                          event->text.ptr ? event->text.ptr : "");
}

bool event_is_sound(struct inspection *in, const struct vendor_case *c, const koine_provider_event *event)
{
    struct looking l = {in, vendor_read_function(c), event};
    if (event->size < SIZE_TO(koine_provider_event, retry_ms)) {
        inspection_foundf(in, RULE_EVENT_SIZE, l.function, "an event of size %" PRIu32, event->size);
        return false;
    }
    if (event->kind < KOINE_EMIT_START || event->kind > KOINE_EMIT_KEEP) {
        inspection_foundf(in, RULE_EVENT_KIND, l.function, "an event of kind %d", (int)event->kind);
        return false;
    }
    if (event->choice != 0)
        inspection_foundf(in, RULE_EVENT_KIND, l.function, "%s of choice %d", kind_name(event->kind),
                          (int)event->choice);
    check_place(&l, c);
    check_codes(&l);
    if (!check_text(&l, "text", event->text) || !check_text(&l, "id", event->id) ||
        !check_text(&l, "name", event->name))
        return false;
    check_pieces(&l);
    if (event->kind == KOINE_EMIT_USAGE)
        return check_usage(&l, event->usage);
    return event->kind != KOINE_EMIT_MODEL || check_model(&l, event->model);
}

bool event_is_content(const koine_provider_event *event)
{
    if (event->kind == KOINE_EMIT_TOOL)
        return true;
    return event->text.len > 0 && (event->kind == KOINE_EMIT_TEXT || event->kind == KOINE_EMIT_REASONING ||
                                   event->kind == KOINE_EMIT_REFUSAL);
}
