/* args: options and words of the command line.
 *
 * Each command has one table of options, from which parsing, help and messages come. What is wrong is kept as
 * one line in args->problem, and main reports it: functions that find a problem return STATUS_USAGE.
 */
#ifndef KOINE_APPS_ARGS_H
#define KOINE_APPS_ARGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    ARGS_OPTIONS = 16
}; /* at most so many for a command */

struct args;

struct args_option {
    const char *name;  /* without the dashes; NULL ends the table */
    char letter;       /* or 0 */
    const char *value; /* what its value is called in the help; NULL: it takes none */
    const char *help;
};

struct args_command {
    const char *name, *summary;
    const char *synopsis; /* after "koine NAME" */
    const struct args_option *options;
    const char *details; /* paragraphs and examples */
    int words;           /* at most so many; -1: any number */
    bool raw;            /* the arguments are read by somebody else */
    bool tells_plugins;  /* says itself which plugins were refused */
    int (*run)(struct args *args);
};

struct args {
    const struct args_command *command; /* NULL before it is known */
    const char *values[ARGS_OPTIONS];   /* as the command's table goes; NULL: not given */
    const char *config;
    unsigned verbose;
    bool help, version, json;
    char **words; /* NULL-ended */
    int word_count;
    char problem[1024]; /* one line, or "" */
};

/* Reads what stands before the command: *ret_index is where the command is, or argc. */
int args_parse_global(struct args *args, int argc, char **argv, int *ret_index);
/* Reads a command's own arguments; argv[0] is the command. */
int args_parse_command(struct args *args, int argc, char **argv);

const char *args_value(const struct args *args,
                       const char *name); /* NULL: not given; "" for an option without value */
bool args_has(const struct args *args, const char *name);
/* Both options at once make no sense. */
int args_exclude(struct args *args, const char *one, const char *other);
/* A whole number between the two; *ret stays as it is where the option is not given. */
int args_integer(struct args *args, const char *name, int64_t least, int64_t most, int64_t *ret);
/* That it is INSTANCE/MODEL. */
int args_target(struct args *args, const char *name, const char **ret);
int args_problem(struct args *args, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The nearest of `names` (NULL-ended) to what was written, or NULL: nothing is near. */
const char *args_nearest(const char *written, const char *const *names);

extern const struct args_option args_globals[];

#endif
