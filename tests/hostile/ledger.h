/* ledger: an allocator for tests that knows how much the library and curl hold, and how much they ever held.
 * It keeps each block's size before the block; any thread may use it. */
#ifndef KOINE_TESTS_HOSTILE_LEDGER_H
#define KOINE_TESTS_HOSTILE_LEDGER_H

#include <stddef.h>

void ledger_use(void);      /* before anything of the library is allocated; for the rest of the program */
size_t ledger_begin(void);  /* bytes held now; the highest is counted from here */
size_t ledger_peak(void);   /* the most bytes held since ledger_begin */
size_t ledger_blocks(void); /* held now */

#endif
