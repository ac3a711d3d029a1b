/* failalloc: an allocator for tests that makes the n-th allocation fail and counts what is left.
 *
 *     for (long n = 1; ; n++) {
 *         failalloc_begin(n);
 *         int rc = work();
 *         if (!failalloc_end())   // the n-th allocation was never reached: done
 *             break;
 *         CU_ASSERT(rc == KOINE_EMEMORY);
 *     }
 */
#ifndef KOINE_TESTS_UNIT_FAILALLOC_H
#define KOINE_TESTS_UNIT_FAILALLOC_H

#include <stdbool.h>

/* From here on the n-th allocation (from 1) of the library returns NULL; 0: none does. */
void failalloc_begin(long n);
/* Back to libc. True if an allocation was made to fail. Fails the running test if blocks are still held. */
bool failalloc_end(void);
long failalloc_held(void); /* blocks allocated and not yet freed since failalloc_begin */

#endif
