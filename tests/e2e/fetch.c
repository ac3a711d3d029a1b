/* fetch: fetch PORT PATH [METHOD]: prints what a server on loopback answers; for the scripts here, which may
 * not rely on curl. */
#include "tests/e2e/loopback.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv)
{
    if (argc < 3 || argc > 4) {
        fputs("usage: fetch PORT PATH [METHOD]\n", stderr);
        return 2;
    }
    char *body = loopback_ask(atoi(argv[1]), argc > 3 ? argv[3] : "GET", argv[2]);
    if (!body) {
        fprintf(stderr, "fetch: port %s: %s\n", argv[1], strerror(errno));
        return 1;
    }
    fputs(body, stdout);
    free(body);
    return ferror(stdout) ? 1 : 0;
}
