/* inspection: what the stages share: the plugin, its cases, where we are, and what was found.
 *
 * The parent fills it before it starts the first stage; each stage runs in a child that has a copy, and
 * whatever it finds goes back through a pipe. What must survive a crash is in memory that both share.
 */
#ifndef KOINE_APPS_PLUGIN_CHECK_INSPECTION_H
#define KOINE_APPS_PLUGIN_CHECK_INSPECTION_H

#include "apps/plugin-check/cases.h"
#include "apps/plugin-check/findings.h"

#include <koine/provider.h>
#include <limits.h>
#include <stdatomic.h>

#define MOST_PROVIDERS 64

struct traces {        /* what the child was doing; written by it, read by the parent after its end */
    atomic_uint calls; /* into the plugin, begun and ended */
    atomic_bool done;  /* the stage came to its end */
    char function[32]; /* that is running; "" */
    char provider[72];
    char where[256];
    struct { /* for the summary */
        char id[72], version[72];
    } providers[MOST_PROVIDERS];
    uint32_t provider_count;
};

struct inspection {
    const char *file;
    char folder[PATH_MAX], name[NAME_MAX + 1]; /* of the file */
    struct cases cases;                        /* those of --cases, and our own behind them */
    bool skipped[RULES];
    bool tried[STAGES]; /* to their end */
    struct findings findings;
    struct traces *traces;
    /* In a child: */
    int pipe;
    const koine_provider *provider; /* the one that is being inspected */
    koine_provider kept;            /* its table as the entry gave it */
    bool muted;                     /* what is found is no finding: only whether it comes back is looked at */
};

/* Where we are, for findings and for the parent, should we not come back. */
void inspection_at(struct inspection *self, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Tells a finding at that place. `wanted` NULL: the rule's own words. [any thread] */
void inspection_found(struct inspection *self, enum rule rule, const char *function, const char *seen,
                      const char *wanted);
void inspection_foundf(struct inspection *self, enum rule rule, const char *function, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* Tells what differs between two texts: the first lines that do. */
void inspection_differs(struct inspection *self, enum rule rule, const char *function, const char *wanted,
                        const char *seen);

#endif
