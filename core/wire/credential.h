/* credential: finds an instance's key: given, in a file that nobody else may read, from a command, or in a
 * variable. */
#ifndef KOINE_CORE_WIRE_CREDENTIAL_H
#define KOINE_CORE_WIRE_CREDENTIAL_H

#include "core/base/crypto.h"
#include "core/base/error.h"

#include <stdint.h>

struct koine__credential_spec { /* at most one of key, file and command is set; all may be NULL */
    const char *key;            /* "" says: none, also if there is a variable */
    const char *file;
    const char *command;  /* run by /bin/sh, at most 10 s; first line of what it prints */
    const char *variable; /* the value of the provider's own variable: used when none of the above is set */
    const char *where;    /* "koine.yaml:3:5: providers.together" for messages */
    int64_t command_time; /* 0: 10 s */
};
/* *ret NULL with KOINE_OK: no key anywhere. KOINE_ECONFIG: file missing, empty or readable by others; command
 * failed; a key that holds control characters, spaces or non-ASCII. The error never holds the key. */
int koine__credential_load(const struct koine__credential_spec *spec, struct koine__secret **ret,
                           koine_error **ret_error);

#endif
