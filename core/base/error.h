/* error: the opaque record behind koine_error. */
#ifndef KOINE_CORE_BASE_ERROR_H
#define KOINE_CORE_BASE_ERROR_H

#include "core/base/fault.h"
#include <stdbool.h>

struct koine_error {
    int number;                /* KOINE_E… */
    struct koine__fault fault; /* class_number KOINE_CLASS_NONE: not a call's fault */
    char *message;             /* longer than a fault's, or NULL: fault.message */
    char *target;
    koine_response *partial;                /* owned; NULL: none */
    void (*free_partial)(koine_response *); /* set with it: base knows no responses */
    bool has_worst;                         /* of a call that was declined: */
    int64_t worst;                          /* picodollars that it could have cost; -1: nobody knows */
    bool is_static;                         /* the one error that needs no memory */
};

/* Sets *ret_error (which may be NULL) and returns `number`. Without memory for the record it is a static one
 * that says so, and KOINE_EMEMORY is returned. The message is one line: what, where, and what would be right.
 */
int koine__error(koine_error **ret_error, int number, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The same for a classified fault; number KOINE_EFAULT (KOINE_EMEMORY for class memory). */
int koine__error_fault(koine_error **ret_error, const struct koine__fault *fault, const char *target);
int koine__error_memory(koine_error **ret_error); /* KOINE_EMEMORY, the static record */

#endif
