/* checks: what koine doctor looked at, what it found, and what to do about it. */
#ifndef KOINE_APPS_CHECKS_H
#define KOINE_APPS_CHECKS_H

#include <stddef.h>

enum check_state {
    CHECK_OK,
    CHECK_WARNING,
    CHECK_PROBLEM,
    CHECK_SKIPPED
};

struct check {
    const char *group;        /* "configuration", … */
    char *heading, *instance; /* instance NULL: it is about none */
    enum check_state state;
    char *what, *found, *advice; /* advice NULL: there is nothing to do */
};
struct checks { /* zeroed: none yet; a lack of memory ends the program */
    struct check *items;
    size_t count, capacity, printed;
    const char *group;
    char *heading, *instance; /* of those that follow */
};

/* Those that follow belong together. `group` is borrowed for ever; `instance` may be NULL. */
void checks_begin(struct checks *checks, const char *group, const char *instance, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
void checks_add(struct checks *checks, enum check_state state, const char *what, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* What to do about the one added last. */
void checks_advise(struct checks *checks, const char *format, ...) __attribute__((format(printf, 2, 3)));
size_t checks_count(const struct checks *checks, enum check_state state);
/* Those that were not printed yet, for people. */
void checks_print(struct checks *checks);
/* All of them, as one JSON object. */
void checks_print_json(const struct checks *checks);
void checks_free(struct checks *checks);

#endif
