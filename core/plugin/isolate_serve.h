/* isolate_serve: the helper's side: it loads one plugin, shut in, and does the jobs it is given. */
#ifndef KOINE_CORE_PLUGIN_ISOLATE_SERVE_H
#define KOINE_CORE_PLUGIN_ISOLATE_SERVE_H

#include <koine/provider.h>

/* The helper's whole life on its two descriptors (isolate.h); ends when the other end does. `parent`: the
 * process id of who started it. The exit status. */
int koine__isolate_helper(int parent);
/* The part after the load, on any socket: does jobs with these providers until the other end closes it (0),
 * or breaks the protocol (1). */
int koine__isolate_serve(int fd, const koine_provider *const *providers, size_t count);

#endif
