/* help: the texts of --help, from the same tables that the parser reads. */
#include "apps/koine/help.h"

enum {
    COLUMN = 30
}; /* where explanations begin */

static void print_options(FILE *to, const char *title, const struct args_option *options)
{
    fprintf(to, "\n%s:\n", title);
    for (; options->name != NULL; options++) {
        char left[80], letter[8] = "    ";
        if (options->letter != 0)
            snprintf(letter, sizeof(letter), "-%c, ", options->letter);
        int used = snprintf(left, sizeof(left), "  %s--%s%s%s", letter, options->name,
                            options->value != NULL ? " " : "", options->value != NULL ? options->value : "");
        if (used > COLUMN - 2)
            fprintf(to, "%s\n%*s%s\n", left, COLUMN, "", options->help);
        else
            fprintf(to, "%-*s%s\n", COLUMN, left, options->help);
    }
}

void help_program(FILE *to, const struct args_command *const *commands)
{
    fputs("usage: koine [-c FILE] [-v] COMMAND [ARGUMENT]...\n\n"
          "Speaks to every provider of language models in one way.\n\n"
          "Commands:\n",
          to);
    for (; *commands != NULL; commands++)
        fprintf(to, "  %-10s  %s\n", (*commands)->name, (*commands)->summary);
    print_options(to, "Options of every command", args_globals);
    fputs("\nkoine COMMAND --help tells more, koine(1) everything. Exit status: 0 done,\n"
          "1 a fault, 2 usage or configuration, 3 a policy refused, 130 interrupted.\n",
          to);
}

void help_command(FILE *to, const struct args_command *command)
{
    fprintf(to, "usage: koine %s %s\n\n%s", command->name, command->synopsis, command->details);
    if (command->options != NULL)
        print_options(to, "Options", command->options);
    print_options(to, "Options of every command", args_globals);
}
