/* harness: a store plugin as these tests use it, through koine/store.h alone.
 *
 * Which plugin: $KOINE_TEST_STORE, a path; else the one for SQLite of this build. Where the store is:
 * $KOINE_TEST_STORE_WHERE, for those that are no files; else a new folder, in memory where the system has
 * such one, for what is tested here is no disk.
 */
#ifndef KOINE_TESTS_STORE_HARNESS_H
#define KOINE_TESTS_STORE_HARNESS_H

#include "tests/unit/scratch.h"

#include <koine/store.h>
#include <stdatomic.h>
#include <stdbool.h>

#define DOLLAR INT64_C(1000000000000)

struct harness {
    const koine_store_plugin *plugin;
    koine_store_host host; /* counts, and fails at will */
    koine_store *store;
    struct scratch scratch;
    char where[PATH_MAX];
    char why[512];
    uint64_t tag;
    atomic_long held;  /* allocations not yet freed */
    atomic_long until; /* so many succeed, then one fails; below 0: all succeed */
    atomic_long has_failed;
};

/* NULL: there is no plugin; the reason was printed as a skipped test. */
const koine_store_plugin *harness_plugin(void);
void harness_prepare(struct harness *harness); /* a new place, nothing opened */
int32_t harness_open(struct harness *harness, bool threadless, int32_t busy_ms);
void harness_close(struct harness *harness); /* can be opened again: the same place */
void harness_end(struct harness *harness);   /* and removes the place */

/* Submits, and waits for its completion, which is valid until the next. Ends the program where none comes. */
const koine_store_done *harness_do(struct harness *harness, int32_t kind, const void *body);
int32_t harness_submit(struct harness *harness, int32_t kind, const void *body);
const koine_store_done *harness_reap(struct harness *harness); /* waits for the next */

/* ---- Short ways to say things. Texts are literals. */
koine_str text(const char *text);
koine_store_row row_of(const char *tenant, const char *target, int64_t cost); /* day 20000, billed, priced */
koine_store_scope scope_of(int32_t kind, const char *key, int64_t limit);     /* hard, without a period */
void id_of(uint8_t id[KOINE_STORE_ID], uint64_t high, uint64_t low);

const koine_store_done *reserve(struct harness *harness, uint64_t id, int64_t amount, int64_t lease_ms,
                                const koine_store_scope *const *scopes, uint32_t count);
const koine_store_done *settle(struct harness *harness, uint64_t id, int64_t actual,
                               const koine_store_row *row); /* NULL: no row */
const koine_store_done *spent(struct harness *harness, const koine_store_scope *scope);
const koine_store_done *report(struct harness *harness, uint32_t by); /* of all days */
const koine_store_done *put(struct harness *harness, const char *key, const char *value, int64_t expected);

#endif
