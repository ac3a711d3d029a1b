/* loopback: one HTTP request to a port of 127.0.0.1 over a plain socket, so that nothing of the library's own
 * stands between a test and what the server has to say. */
#ifndef KOINE_TESTS_E2E_LOOPBACK_H
#define KOINE_TESTS_E2E_LOOPBACK_H

/* The body of the answer, whatever its status; free() it. NULL: nobody answered, and errno says why. */
char *loopback_ask(int port, const char *method, const char *path);

#endif
