/* binary: a plugin's file, before anything of it runs: found in its folder and nowhere else, trusted
 * (trust.h), a shared object for this machine (elf.h), and, where it is pinned, of the bytes that it was
 * pinned to.
 *
 * Every refusal is one line that begins with the file as it was named. [any thread]
 */
#ifndef KOINE_CORE_PLUGIN_BINARY_H
#define KOINE_CORE_PLUGIN_BINARY_H

#include "core/base/crypto.h"
#include "core/base/error.h"

#include <limits.h>
#include <stdbool.h>
#include <sys/stat.h>

struct koine__binary {
    char shown[PATH_MAX]; /* folder/file, as messages name it */
    char path[PATH_MAX];  /* the real one */
    struct stat state;    /* when it was found */
};

/* The file of a folder, found and trusted. KOINE_ECONFIG, KOINE_EMEMORY. */
int koine__binary_find(const char *folder, const char *file_name, struct koine__binary *ret,
                       koine_error **ret_error);
/* Opens the very file that was found; the caller closes *ret_fd. KOINE_ECONFIG: it is no shared object that
 * can be loaded. */
int koine__binary_open(const struct koine__binary *binary, int *ret_fd, koine_error **ret_error);
/* The digest of what is open, and whether it is the pinned one (64 hex digits of either case; NULL: any). */
int koine__binary_digest(const struct koine__binary *binary, int fd, char ret[KOINE__SHA256_HEX],
                         koine_error **ret_error);
int koine__binary_compare(const struct koine__binary *binary, const char *found, const char *pinned,
                          koine_error **ret_error);
/* Whether two states are of one file, and of the same bytes in it: whoever writes changes its times. */
bool koine__binary_is_same(const struct stat *a, const struct stat *b);
bool koine__binary_is_unchanged(const struct stat *a, const struct stat *b);

#endif
