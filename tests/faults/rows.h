/* rows: the sixteen faults, and what must come of each. */
#ifndef KOINE_TESTS_FAULTS_ROWS_H
#define KOINE_TESTS_FAULTS_ROWS_H

#include "tests/faults/play.h"
#include "tests/faults/posts.h"

struct price { /* US dollars for a million tokens */
    int input, output;
};
extern const struct price price_primary, price_fallback;

struct end {          /* of a call */
    int class_number; /* KOINE_CLASS_NONE: it answered */
    const char *stage;
    enum text text;
    int primary, fallback; /* requests at each */
};

struct row {
    const char *name, *primary, *fallback; /* behaviours of the stand-in */
    struct end ends[WAYS];
    int first_token_ms; /* of the primary's timeouts; 0: off */
    int least_gap_ms;   /* between the primary's requests; 0: whatever jitter leaves */
    /* Of more than one call: makes them all, and judges them, beside what holds for every call. */
    void (*story)(struct play *play, const struct caller *caller, void *self);
    void (*judge)(struct play *play, const struct post *posts, size_t count);
    int heard_whole, heard_streamed; /* tokens that an attempt of the primary's brought before it failed */
};

#define ROWS 16
extern const struct row rows[ROWS];

#endif
