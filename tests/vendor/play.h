/* play: takes a case to its provider: once for the request, and any number of times for the answer, cut as
 * wanted. */
#ifndef KOINE_TESTS_VENDOR_PLAY_H
#define KOINE_TESTS_VENDOR_PLAY_H

#include "core/plugin/bridge.h"
#include "tests/vendor/case.h"
#include "tests/vendor/trace.h"

/* How providers are called: the direct bridge, or one that answers later, and how to wait for that. */
extern struct koine__bridge *vendor_bridge;
extern void (*vendor_wait)(void);

struct vendor_play { /* one way for the answer's bytes to arrive */
    size_t piece;    /* bytes in the first push; 0: all */
    size_t pieces;   /* and in those after it; 0: all that is left */
    size_t len;      /* where it ends */
    bool clean;      /* as HTTP says it must */
};

/* The request as text, and its notices; or why there is none, in the first. */
void vendor_ask(const koine_provider *provider, const struct vendor_case *c, struct koine__buf *ret_request,
                struct koine__buf *ret_notices);
/* The same for the step after the one that the case's answer ends. */
void vendor_ask_next(const koine_provider *provider, const struct vendor_case *c,
                     struct koine__buf *ret_request, struct koine__buf *ret_notices);
/* What the provider returned for the frame that ended it, else KOINE_DONE. */
int32_t vendor_play_into(const koine_provider *provider, const struct vendor_case *c,
                         const struct vendor_play *way, koine_sink *sink);
void vendor_play_answer(const koine_provider *provider, const struct vendor_case *c,
                        const struct vendor_play *way, struct vendor_trace *ret);

#endif
