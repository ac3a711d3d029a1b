/* journal: what was asked and what came of it, for GET /standin/log.
 *
 * Numbers go on counting when the journal is cleared, so a request under way never lands in a later entry.
 * Beyond JOURNAL_LIMIT the older half is forgotten. A key never gets here.
 */
#ifndef STANDIN_JOURNAL_H
#define STANDIN_JOURNAL_H

#include "tests/standin/bytes.h"

#include <stdint.h>

#define JOURNAL_LIMIT ((size_t)100000)

struct entry {
    uint64_t n, connection;
    int64_t ms;                             /* since the start of the stand-in, when the head was complete */
    char *method, *path, *provider, *model; /* the entry's own */
    const char *behaviour;                  /* static; NULL: none was chosen */
    const char *end;                        /* static; how it ended: open, done, cut, reset, left */
    bool stream, has_key, billed;
    int status;
    size_t bytes;
    int64_t input, output, cached;
};

struct journal {
    struct entry *entries;
    size_t count, capacity;
    uint64_t last; /* number of the newest request ever */
};

void journal_free(struct journal *journal);
void journal_clear(struct journal *journal);
/* A new entry with its number, or NULL without memory; good until the next journal_add or journal_clear. */
struct entry *journal_add(struct journal *journal);
/* NULL when it was cleared meanwhile. */
struct entry *journal_find(const struct journal *journal, uint64_t n);
void journal_print(const struct journal *journal, struct bytes *out);

#endif
