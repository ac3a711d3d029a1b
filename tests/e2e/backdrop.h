/* backdrop: what every program here plays before: a folder with the two providers and their catalogues, and a
 * stand-in in a process of its own. Knows no suite; what cannot be had ends the program. */
#ifndef KOINE_TESTS_E2E_BACKDROP_H
#define KOINE_TESTS_E2E_BACKDROP_H

#include "tests/unit/scratch.h"

#include <sys/types.h>

struct backdrop {
    struct scratch scratch; /* the folder */
    int port;               /* of the stand-in */
    int leash;              /* it ends when the other end of this is closed */
    pid_t pid, owner;       /* it; who may end it: no child of ours */
};

/* `arguments`: further ones of the stand-in, NULL-ended. Broken pipes are no signal any more. */
void backdrop_build(struct backdrop *backdrop, const char *const *arguments);
void backdrop_strike(struct backdrop *backdrop);

const char *backdrop_answer(void); /* the text of a healthy answer of 60 tokens */
size_t backdrop_descriptors(void); /* open ones of this process */

#endif
