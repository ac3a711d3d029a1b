/* scratch: a temporary folder for a test, and files in it. Its path is a real one, writable by us alone. */
#ifndef KOINE_TESTS_UNIT_SCRATCH_H
#define KOINE_TESTS_UNIT_SCRATCH_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

struct scratch {
    char path[PATH_MAX / 2];
};

/* These two are for programs without a suite, too: where there is no such folder or file, the program ends.
 */
void scratch_make(struct scratch *scratch);
void scratch_write(const struct scratch *scratch, const char *name, const void *ptr,
                   size_t len);                     /* mode 0644 */
void scratch_remove(const struct scratch *scratch); /* with all that is in it */
/* The path of a name in it; good until the next call. */
const char *scratch_path(const struct scratch *scratch, const char *name);
/* A copy of a file; false: there is none of that name. */
bool scratch_copy(const struct scratch *scratch, const char *name, const char *from);
/* A copy of one of tests/plugins, found by $KOINE_TEST_PLUGINS; false (and the test is marked as skipped):
 * there is none. */
bool scratch_plugin(const struct scratch *scratch, const char *name, const char *plugin);
/* The bytes of one of tests/plugins; free it. NULL as above. */
char *scratch_plugin_bytes(const char *plugin, size_t *ret_len);
/* The helper of isolated plugins, built, as a file of ours: a copy for the whole program. */
const char *scratch_helper(void);
/* False (and the test is marked as skipped): this system runs no helpers, as valgrind's does not. */
bool scratch_can_isolate(void);

#endif
