/* behave: the table of behaviours. A new one is a new row in behave.c, and a line in README.md. */
#ifndef STANDIN_BEHAVE_H
#define STANDIN_BEHAVE_H

#include "tests/standin/answer.h"

struct behaviour {
    const char *name, *help;
    /* Writes what happens. */
    void (*play)(struct script *script, const struct ask *ask, const struct behaviour *row);
    bool (*fails)(const struct ask *ask); /* with `failure`: which requests fail; NULL: all */
    bool every_route;                     /* GET models misbehaves too, when --behave says so */
    struct answer_shape shape;
    struct answer_failure failure;
};

extern const struct behaviour behave_table[];
extern const size_t behave_count;

/* NULL: there is none of that name. */
const struct behaviour *behave_find(const char *name, size_t length);

#endif
