/* interrupt: Ctrl-C ends the call, not the program; a second one ends the program. */
#ifndef KOINE_APPS_INTERRUPT_H
#define KOINE_APPS_INTERRUPT_H

#include <koine/koine.h>

/* From now on SIGINT and SIGTERM cancel calls that carry the canceller. KOINE_OK or KOINE_EMEMORY. */
int interrupt_begin(koine_canceller **ret);
void interrupt_end(koine_canceller *canceller);

#endif
