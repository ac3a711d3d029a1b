/* dialect: what the targets of the dialects share. An answer, whole and in pieces, gives the same events, at
 * most one end and nothing after it, and what is kept of it is JSON; and whatever document is asked for
 * becomes a request of valid JSON, or none.
 *
 * In front of an input stands a byte: bits 0, 6 and 7 choose the vendor, bit 1 a stream, bits 2 and 3 what
 * follows (8: a document; 12 without a stream: a list of models; else an answer), bits 4 and 5 the status.
 * An answer has two more in front: the sizes of the first and of the other pieces; the top bit of the first
 * cuts it. A document may begin with a line `options name=value`, the instance's.
 */
#ifndef KOINE_TESTS_FUZZ_DIALECT_H
#define KOINE_TESTS_FUZZ_DIALECT_H

#include "tests/fuzz/fuzz.h"
#include <koine/provider.h>

typedef const koine_provider *(*fuzz_vendor)(const koine_host *host, uint32_t index);

/* One input; `vendors` ends with NULL. */
void fuzz_dialect(koine_str input, const fuzz_vendor *vendors);

#endif
