/* trust: who else could change a file before it is loaded.
 *
 * A file is trusted if it and every folder above it belong to root or to us and nobody else may write them.
 * Group write is accepted where the group is the owner's private one (same name, no other members). Root's
 * sticky folders (/tmp) are accepted above the folder that holds the file.
 */
#ifndef KOINE_CORE_PLUGIN_TRUST_H
#define KOINE_CORE_PLUGIN_TRUST_H

#include "core/base/error.h"

#include <sys/stat.h>

/* `path` is a real path; `shown` is how messages name the file. *ret is the file's state. KOINE_ECONFIG: not
 * to be trusted, or no regular file; KOINE_EMEMORY. [any thread] */
int koine__trust_file(const char *path, const char *shown, struct stat *ret, koine_error **ret_error);

#endif
