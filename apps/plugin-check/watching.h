/* watching: plays a case to the plugin as the engine would, and watches every call, result and event: the
 * rules that hold whatever the input is.
 *
 * It can also make allocations fail, make looks into documents find nothing, count bytes and time, and do
 * something else between two steps of a call.
 */
#ifndef KOINE_APPS_PLUGIN_CHECK_WATCHING_H
#define KOINE_APPS_PLUGIN_CHECK_WATCHING_H

#include "apps/plugin-check/inspection.h"

struct watching {
    struct vendor_watch watch; /* what is handed to tests/vendor */
    struct inspection *in;
    const struct vendor_case *c;
    /* What is done: */
    size_t fail_at;                         /* the n-th allocation fails; 0: none does */
    size_t absent_at;                       /* from the n-th look on a document is empty; 0: never */
    bool timed;                             /* calls are, in processor time */
    void (*between)(struct watching *self); /* inside a call, before something of it is used; or NULL */
    void *arg;                              /* between's */
    /* What was seen, since init: */
    size_t allocations, looks;
    bool failed;                   /* an allocation did, in the call under way or before */
    size_t call_bytes, most_bytes; /* asked of host->alloc in a call */
    int64_t began, longest;        /* ns */
    int32_t result;                /* of the last call */
    /* Its own: */
    koine_out out;
    struct watching *outer;
};

void watching_init(struct watching *self, struct inspection *in, const struct vendor_case *c);
/* Plays the answer. *ret grows by what was told, a line for each event, and for a result that is not
 * KOINE_DONE. `usage` may be NULL. */
void watching_read(struct watching *self, const struct vendor_play *way, struct koine__buf *ret,
                   koine_provider_usage *ret_usage);
void watching_read_whole(struct watching *self, struct koine__buf *ret);
/* Asks for the request. *ret grows by it and its notices, or by why there is none. */
void watching_ask(struct watching *self, struct koine__buf *ret);
/* The same for the step after the answer. */
void watching_ask_next(struct watching *self, struct koine__buf *ret);
/* Whether that text is a request, and not why there is none. */
bool watching_is_request(const char *text);

/* The same, frame by frame: what alternates with another. */
struct watched_reading {
    koine_sink sink; /* first */
    struct watching *watching;
    struct vendor_trace trace;
    struct vendor_reading reading;
    bool content;
};
void watched_reading_open(struct watched_reading *self, struct watching *watching,
                          const struct vendor_play *way);
bool watched_reading_step(struct watched_reading *self);
/* Appends what was told to *ret. */
void watched_reading_close(struct watched_reading *self, struct koine__buf *ret);

#endif
