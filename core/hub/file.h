/* file: reads a configuration file whole, or says in one line why not. */
#ifndef KOINE_CORE_HUB_FILE_H
#define KOINE_CORE_HUB_FILE_H

#include "core/base/buf.h"
#include "core/base/error.h"
#include "core/base/str.h"

#define KOINE__FILE_LIMIT ((size_t)1 << 20)

enum koine__file_owner {
    KOINE__FILE_OF_ANYBODY,
    KOINE__FILE_OURS /* root's or ours */
};
/* The file must be regular, not writable by everybody, and at most KOINE__FILE_LIMIT long; what is in it is
 * not looked at. `ret` is a buffer initialised with any ceiling. KOINE_ENOTFOUND: there is none of that name;
 * KOINE_ECONFIG, KOINE_EMEMORY. */
int koine__file_read(const char *file, enum koine__file_owner owner, struct koine__buf *ret,
                     koine_error **ret_error);
/* Valid UTF-8 without NUL; says where it is not: "file:line:column: …". KOINE_ECONFIG, KOINE_EMEMORY. */
int koine__file_check_text(const char *name, koine_str text, koine_error **ret_error);

#endif
