/* trace: what a provider told of an answer, as lines of text: each event as it came, and merged, where
 * neighbouring pieces of one text are one line. */
#ifndef KOINE_TESTS_VENDOR_TRACE_H
#define KOINE_TESTS_VENDOR_TRACE_H

#include "core/base/buf.h"

#include <koine/provider.h>

struct vendor_trace {
    koine_sink sink; /* first */
    struct koine__buf raw, merged;
    struct koine__buf pending;  /* text not yet in merged */
    int32_t pending_kind;       /* 0: none */
    int32_t pending_index;      /* of a value that is kept, */
    char pending_name[32];      /* and its name */
    int ends;                   /* stops and faults so far */
    int late;                   /* events after one of them */
    koine_provider_usage usage; /* the last one told; all -1 */
};

void vendor_trace_init(struct vendor_trace *self);
void vendor_trace_release(struct vendor_trace *self);
void vendor_trace_result(struct vendor_trace *self,
                         int32_t result); /* what request or frame returned is a line, but for KOINE_DONE */
void vendor_trace_flush(struct vendor_trace *self); /* before `merged` is read */
/* A text between quotes, with escapes as in C. */
void vendor_quote(struct koine__buf *buf, koine_str text);
const char *vendor_result_name(int32_t result);

#endif
