/* assemble: turns what a provider emits into the answer and the application's events.
 *
 * The one place for the rules that no provider should have to know: fragments of tool calls (T01-T08 of part
 * A6), missing ids, the end of a call's arguments, usage that is absolute, one stop and nothing after it.
 */
#ifndef KOINE_CORE_ENGINE_ASSEMBLE_H
#define KOINE_CORE_ENGINE_ASSEMBLE_H

#include "core/base/clock.h"
#include "core/base/fault.h"
#include "core/engine/answer.h"
#include "core/engine/event.h"

#include <koine/provider.h>

struct koine__assembly {
    koine_sink sink; /* first: what a provider emits into */
    struct koine_response *answer;
    struct koine__events events; /* not yet taken by the call */
    const char *target;          /* for the start event */
    struct koine__random *random;
    bool started, content, stopped;
    bool untold;     /* nobody reads events: what would be one counts as progress, and is not made */
    uint64_t pushed; /* signs of progress so far: events, also those taken, and what was kept */
    const struct koine__fault *fault; /* class_number not KOINE_CLASS_NONE: what was emitted, or found to be
                                         wrong, ends the attempt */
    int64_t picodollars;              /* the vendor's own word for the cost; -1: none */
};
/* `limit`: ceiling of each text of the answer. KOINE_EMEMORY. */
int koine__assembly_init(struct koine__assembly *assembly, const char *target, struct koine__random *random,
                         size_t limit);
void koine__assembly_release(struct koine__assembly *assembly);
/* After the body's end, if the provider said stop: completes what can be (arguments "" are {}). */
void koine__assembly_finish(struct koine__assembly *assembly);

#endif
