/* program: other programs that come with this one and are started by it. */
#ifndef KOINE_APPS_PROGRAM_H
#define KOINE_APPS_PROGRAM_H

/* Becomes the program of that name, which calls itself `as` ("koine standin"): argv[0] is replaced, and argv
 * ends with NULL. Returns only where that fails: it has said why, and gives the exit status. */
int program_become(const char *program, const char *as, char **argv);

#endif
