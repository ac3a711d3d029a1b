/* probes: asks several instances at once, each in a thread with a client of its own. */
#ifndef KOINE_APPS_PROBES_H
#define KOINE_APPS_PROBES_H

#include <koine/koine.h>
#include <stdbool.h>
#include <stddef.h>

struct probed {
    const char *instance; /* borrowed */
    koine_probe *probe;   /* NULL: `error`, or no memory */
    koine_error *error;
    bool done;
};
struct probes;

/* Names and hub are borrowed until probes_free. */
struct probes *probes_start(koine_hub *hub, const char *const *instances, size_t count, int64_t timeout_ms);
/* Waits for one. With `show` the names that are waited for stand on standard error meanwhile. */
const struct probed *probes_wait(struct probes *probes, size_t index, bool show);
void probes_free(struct probes *probes); /* waits for all; NULL is fine */

#endif
