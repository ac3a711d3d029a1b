/* ways: a case in all the ways that its bytes can arrive: whole, cut in two at every byte, byte by byte, and
 * ended early at every byte, cleanly and not. Where a case tells its result, the real engine reads the
 * answer too: at once, byte by byte, and cut off at every byte. */
#ifndef KOINE_TESTS_VENDOR_WAYS_H
#define KOINE_TESTS_VENDOR_WAYS_H

#include "tests/vendor/play.h"

enum vendor_part { /* what a case proves */
    VENDOR_REQUEST,
    VENDOR_NOTICES,
    VENDOR_EVENTS,
    VENDOR_ENDS,
    VENDOR_SPLIT,
    VENDOR_BYTES,
    VENDOR_EARLY,
    VENDOR_CUT,
    VENDOR_NEXT_REQUEST,
    VENDOR_COST,
    VENDOR_RESULT,
    VENDOR_RESULT_BYTES,
    VENDOR_RESULT_CUT,
    VENDOR_PARTS
};

struct vendor_verdict {
    enum vendor_part part;
    bool ok;
    const char *function;       /* of the provider: "generate.frame" */
    const char *expected, *got; /* where it is not ok; borrowed until the report returns */
    const char *how;            /* how the bytes came, where not whole; "" */
};

/* "cut in two at every byte" */
const char *vendor_part_name(enum vendor_part part);
/* NULL, or what the file lacks to be a case. */
const char *vendor_case_lacks(const struct vendor_case *c);
/* Plays the case and reports each part that it has. */
void vendor_prove(const koine_provider *provider, const struct vendor_case *c,
                  const struct vendor_watch *watch,
                  void (*report)(void *arg, const struct vendor_verdict *verdict), void *arg);

#endif
