/* help: the texts of --help, from the same tables that the parser reads. */
#ifndef KOINE_APPS_HELP_H
#define KOINE_APPS_HELP_H

#include "apps/koine/args.h"

#include <stdio.h>

void help_program(FILE *to, const struct args_command *const *commands); /* NULL-ended */
void help_command(FILE *to, const struct args_command *command);

#endif
