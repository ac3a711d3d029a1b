/* findings: what was found to be wrong, and how it gets from the process that found it to the one that tells
 * it. */
#ifndef KOINE_APPS_PLUGIN_CHECK_FINDINGS_H
#define KOINE_APPS_PLUGIN_CHECK_FINDINGS_H

#include "apps/plugin-check/rules.h"

#include <stdint.h>

struct finding { /* of a fixed size, and smaller than what a pipe takes at once: it arrives whole or not */
    int32_t rule;
    char function[32]; /* "generate.frame", "entry", "" */
    char provider[72]; /* id; "" before it is known */
    char where[256];   /* the case, and what was done to it; "" */
    char seen[1024];   /* one line, or the first that differs */
    char wanted[1024]; /* what would be right; "": the rule's own words */
};

struct findings {
    struct finding *items; /* owned */
    size_t count;
};

/* Adds a copy. At most a few of one rule and function are kept. */
void findings_add(struct findings *self, const struct finding *finding);
void findings_release(struct findings *self);
bool findings_has(const struct findings *self, enum rule rule);

#endif
