/* place: the folder and the file of a store, looked at before SQLite touches them.
 *
 * The folder is made where it is missing (0700) and must be one that others cannot write; the file is made
 * 0600 and must be a plain file of ours that nobody else may read. An existing file is never opened here: to
 * close it again would end the locks that this process holds on it.
 */
#ifndef KOINE_SQLITE_PLACE_H
#define KOINE_SQLITE_PLACE_H

#include <koine/store.h>
#include <limits.h>
#include <stdbool.h>

#define PLACE_FILE "koine.db"

struct place {
    char folder[PATH_MAX]; /* the real one */
    char path[PATH_MAX];
    int lock; /* the folder, locked against others who open a store there; -1: not */
};
/* KOINE_STORE_OK, or below 0 and one line in `why`. Waits for at most busy_ms. place_unlock afterwards. */
int32_t place_prepare(struct place *place, koine_str where, int32_t busy_ms, char *why, size_t why_size);
void place_unlock(struct place *place);

#endif
