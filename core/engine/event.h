/* event: what the application reads, in one allocation each, and queues of them. */
#ifndef KOINE_CORE_ENGINE_EVENT_H
#define KOINE_CORE_ENGINE_EVENT_H

#include "core/base/str.h"

#include <koine/koine.h>

struct koine_event {
    struct koine_event *next;
    int kind, tool, choice, finish;
    int64_t wait_ms;
    int64_t worst; /* of an approval: picodollars; -1: nobody knows */
    bool has_usage;
    koine_usage usage;
    const koine_error *error;                      /* borrowed from the call */
    size_t len;                                    /* of text */
    size_t size;                                   /* of the whole allocation */
    const char *text, *name, *id, *target, *model; /* behind this struct; never NULL */
    char bytes[];
};
struct koine__events {
    struct koine_event *first, *last;
    size_t bytes; /* of memory held */
};
struct koine__event_parts { /* what is not given is empty */
    int kind, tool;
    koine_str text, name, id, target, model;
};
/* Copies the texts; NULL: no memory. */
struct koine_event *koine__event_new(const struct koine__event_parts *parts);
void koine__event_free(struct koine_event *event);
bool koine__event_is_content(
    const struct koine_event *event); /* text, reasoning, refusal, tool: what commits */
bool koine__event_is_terminal(const struct koine_event *event);
void koine__events_push(struct koine__events *events, struct koine_event *event);
struct koine_event *koine__events_pop(struct koine__events *events); /* NULL: empty */
void koine__events_append(struct koine__events *to,
                          struct koine__events *from); /* moves all; from is empty then */
void koine__events_clear(struct koine__events *events);

#endif
