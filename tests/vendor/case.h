/* case: one vendor case as its text file tells it; tests/vendor/README.md has the format. */
#ifndef KOINE_TESTS_VENDOR_CASE_H
#define KOINE_TESTS_VENDOR_CASE_H

#include "core/base/buf.h"
#include "core/base/str.h"

#define VENDOR_HEADERS 16

struct vendor_header {
    koine_str name, value;
};

struct vendor_case {
    char *file; /* all of it; what follows points into it. NULL sections are absent. */
    const char *document, *options, *request, *next_request, *notices, *events, *result, *cost;
    const char *model;
    bool list_models;
    bool stream;  /* how the answer is asked for */
    bool lost;    /* the connection is lost at the end of the body */
    bool patient; /* the engine's timers of progress and of all are off */
    int pace;     /* seconds before each line of the body; 0: all comes at once */
    bool answered;
    int status;
    struct vendor_header headers[VENDOR_HEADERS];
    size_t header_count;
    struct koine__buf body; /* the answer's bytes */
};

/* NULL, or what is wrong with the file (static). */
const char *vendor_case_read(const char *path, struct vendor_case *ret);
void vendor_case_release(struct vendor_case *self);
/* The answer's header, without case; empty: absent. */
koine_str vendor_case_header(const struct vendor_case *self, const char *name);
/* The value of "name=value" in the options; ptr NULL: absent. */
koine_str vendor_case_option(const struct vendor_case *self, const char *name);

#endif
