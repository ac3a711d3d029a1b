/* koine-isolate: the process that an isolated plugin runs in. The library starts it; by hand it is of no use.
 *
 * It may link the core's convenience archive, of which it takes what plugins need and nothing that opens a
 * connection or reads a file.
 */
#include "core/plugin/isolate_serve.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    char *end = NULL;
    long parent = argc == 2 ? strtol(argv[1], &end, 10) : 0;
    if (argc != 2 || *end || parent <= 0) {
        fputs("koine-isolate: the library starts this for plugins with `isolate: true`; it does nothing by "
              "hand\n",
              stderr);
        return 2;
    }
    _exit(koine__isolate_helper((int)parent)); /* nothing of the plugin's runs at the end */
}
