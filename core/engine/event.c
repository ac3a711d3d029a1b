/* event: see event.h; and the getters of koine_event. */
#include "core/engine/event.h"

#include "core/base/mem.h"
#include "core/money/ledger.h"

#include <string.h>

static const char *put(char **at, koine_str text)
{
    char *start = *at;
    if (text.len > 0)
        memcpy(start, text.ptr, text.len);
    start[text.len] = '\0';
    *at = start + text.len + 1;
    return start;
}

struct koine_event *koine__event_new(const struct koine__event_parts *parts)
{
    size_t texts =
        parts->text.len + parts->name.len + parts->id.len + parts->target.len + parts->model.len + 5;
    struct koine_event *event = koine__alloc(sizeof(*event) + texts);
    if (!event)
        return NULL;
    event->size = sizeof(*event) + texts;
    char *at = event->bytes;
    event->kind = parts->kind;
    event->tool = parts->tool;
    event->finish = KOINE_FINISH_NONE;
    event->len = parts->text.len;
    event->text = put(&at, parts->text);
    event->name = put(&at, parts->name);
    event->id = put(&at, parts->id);
    event->target = put(&at, parts->target);
    event->model = put(&at, parts->model);
    return event;
}

void koine__event_free(struct koine_event *event)
{
    koine__dealloc(event);
}

bool koine__event_is_content(const struct koine_event *event)
{
    switch (event->kind) {
    case KOINE_EVENT_TEXT:
    case KOINE_EVENT_REASONING:
    case KOINE_EVENT_REFUSAL:
    case KOINE_EVENT_TOOL:
        return true;
    default:
        return false;
    }
}

bool koine__event_is_terminal(const struct koine_event *event)
{
    return event->kind == KOINE_EVENT_STOP || event->kind == KOINE_EVENT_FAULT;
}

void koine__events_push(struct koine__events *events, struct koine_event *event)
{
    event->next = NULL;
    if (events->last)
        events->last->next = event;
    else
        events->first = event;
    events->last = event;
    events->bytes += event->size;
}

struct koine_event *koine__events_pop(struct koine__events *events)
{
    struct koine_event *event = events->first;
    if (!event)
        return NULL;
    events->first = event->next;
    if (!events->first)
        events->last = NULL;
    events->bytes -= event->size;
    event->next = NULL;
    return event;
}

void koine__events_append(struct koine__events *to, struct koine__events *from)
{
    if (!from->first)
        return;
    if (to->last)
        to->last->next = from->first;
    else
        to->first = from->first;
    to->last = from->last;
    to->bytes += from->bytes;
    *from = (struct koine__events){0};
}

void koine__events_clear(struct koine__events *events)
{
    for (struct koine_event *event; (event = koine__events_pop(events));)
        koine__event_free(event);
}

int koine_event_kind(const koine_event *event)
{
    return event ? event->kind : 0;
}

const char *koine_event_text(const koine_event *event, size_t *ret_length)
{
    if (ret_length)
        *ret_length = event ? event->len : 0;
    return event ? event->text : "";
}

const char *koine_event_name(const koine_event *event)
{
    return event ? event->name : "";
}

int koine_event_tool(const koine_event *event)
{
    return event ? event->tool : -1;
}

const char *koine_event_tool_id(const koine_event *event)
{
    return event ? event->id : "";
}

const char *koine_event_tool_name(const koine_event *event)
{
    return event ? event->name : "";
}

const char *koine_event_target(const koine_event *event)
{
    return event ? event->target : "";
}

const char *koine_event_model(const koine_event *event)
{
    return event ? event->model : "";
}

int koine_event_choice(const koine_event *event)
{
    return event ? event->choice : 0;
}

int koine_event_usage(const koine_event *event, koine_usage *ret)
{
    if (!event || !ret || !event->has_usage)
        return 0;
    koine__usage_copy(&event->usage, ret);
    return 1;
}

int64_t koine_event_wait_ms(const koine_event *event)
{
    return event ? event->wait_ms : 0;
}

int koine_event_estimate(const koine_event *event, koine_cost *ret)
{
    if (!event || !ret || event->kind != KOINE_EVENT_APPROVAL)
        return 0;
    koine__cost_estimate(event->worst, ret);
    return 1;
}

int koine_event_finish(const koine_event *event)
{
    return event ? event->finish : KOINE_FINISH_NONE;
}

const koine_error *koine_event_error(const koine_event *event)
{
    return event ? event->error : NULL;
}
