/* args: options and words of the command line, over getopt_long. */
#include "apps/koine/args.h"

#include "apps/koine/out.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct args_option args_globals[] = {
    {"config", 'c', "FILE", "read this configuration"},
    {"verbose", 'v', NULL, "tell what happens; twice: each request, too"},
    {"help", 'h', NULL, "show this help"},
    {"version", 0, NULL, "show the version"},
    {0},
};
enum {
    GLOBALS = sizeof(args_globals) / sizeof(args_globals[0]) - 1,
    ROWS = ARGS_OPTIONS + GLOBALS
};
enum {
    FIRST = 256
}; /* getopt_long answers FIRST + row for a long option, the letter for a short one */

struct rows { /* a command's table and the global one, as getopt_long wants them */
    struct args_option option[ROWS + 1];
    size_t own, count; /* rows of the command; all of them */
    struct option longs[ROWS + 1];
    char shorts[2 * ROWS + 3];
};

static void rows_add(struct rows *rows, const struct args_option *option, char **letters)
{
    if (rows->count >= ROWS)
        return;
    int has_value = option->value != NULL ? required_argument : no_argument;
    rows->longs[rows->count] = (struct option){option->name, has_value, NULL, FIRST + (int)rows->count};
    rows->option[rows->count++] = *option;
    if (option->letter == 0)
        return;
    *(*letters)++ = option->letter;
    if (has_value == required_argument)
        *(*letters)++ = ':';
}

/* `order`: "+" stops at the first word, "" takes options after words too. */
static void rows_build(struct rows *rows, const struct args_option *own, const char *order)
{
    *rows = (struct rows){0};
    char *letters = stpcpy(rows->shorts, order);
    *letters++ = ':'; /* tell a missing value from an unknown option */
    for (; own != NULL && own->name != NULL; own++)
        rows_add(rows, own, &letters);
    rows->own = rows->count;
    for (own = args_globals; own->name != NULL; own++)
        rows_add(rows, own, &letters);
}

static const struct args_option *rows_find(const struct rows *rows, int answer)
{
    if (answer >= FIRST && answer - FIRST < (int)rows->count)
        return &rows->option[answer - FIRST];
    for (size_t i = 0; i < rows->count && answer != 0; i++) {
        if (rows->option[i].letter == answer)
            return &rows->option[i];
    }
    return NULL;
}

static void take_global(struct args *args, const char *name)
{
    if (strcmp(name, "config") == 0)
        args->config = optarg;
    else if (strcmp(name, "verbose") == 0)
        args->verbose++;
    else if (strcmp(name, "version") == 0)
        args->version = true;
    else
        args->help = true;
}

static void take(struct args *args, const struct rows *rows, const struct args_option *option)
{
    size_t row = (size_t)(option - rows->option);
    if (row >= rows->own)
        take_global(args, option->name);
    else
        args->values[row] = option->value != NULL ? optarg : "";
}

static size_t least_of(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* How many letters have to be changed, added or dropped; names are short, longer ones are far from
 * everything. */
static size_t distance(const char *a, const char *b)
{
    enum {
        MOST = 40
    };
    size_t width = strlen(b), line[MOST + 1];
    if (strlen(a) > MOST || width > MOST)
        return MOST;
    for (size_t j = 0; j <= width; j++)
        line[j] = j;
    for (size_t i = 1; a[i - 1] != '\0'; i++) {
        size_t corner = line[0];
        line[0] = i;
        for (size_t j = 1; j <= width; j++) {
            size_t changed = corner + (a[i - 1] != b[j - 1]);
            corner = line[j];
            line[j] = least_of(changed, least_of(line[j], line[j - 1]) + 1);
        }
    }
    return line[width];
}

const char *args_nearest(const char *written, const char *const *names)
{
    const char *nearest = NULL;
    size_t length = strlen(written), best = length / 3 + 2; /* further than that is a guess */
    for (; *names != NULL; names++) {
        size_t far = distance(written, *names);
        if (length > 1 && strncmp(written, *names, length) == 0)
            far = 0;
        if (far < best && far < strlen(*names)) {
            best = far;
            nearest = *names;
        }
    }
    return nearest;
}

int args_problem(struct args *args, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    vsnprintf(args->problem, sizeof(args->problem), format, list);
    va_end(list);
    return STATUS_USAGE;
}

static int unknown_long(struct args *args, const struct rows *rows, const char *written)
{
    char name[64];
    snprintf(name, sizeof(name), "%.*s", (int)strcspn(written + 2, "="), written + 2);
    const char *names[ROWS + 1], *fits[2] = {NULL, NULL};
    size_t fit_count = 0;
    for (size_t i = 0; i < rows->count; i++) {
        names[i] = rows->option[i].name;
        if (strncmp(names[i], name, strlen(name)) == 0 && fit_count < 2)
            fits[fit_count++] = names[i];
    }
    names[rows->count] = NULL;
    if (fit_count == 2)
        return args_problem(args, "--%s may be --%s or --%s", name, fits[0], fits[1]);
    const char *nearest = args_nearest(name, names);
    if (nearest != NULL)
        return args_problem(args, "there is no option --%s; did you mean --%s?", name, nearest);
    return args_problem(args, "there is no option --%s", name);
}

static int refuse(struct args *args, const struct rows *rows, int answer, char **argv)
{
    const struct args_option *option = rows_find(rows, optopt);
    const char *written = argv[optind - 1];
    if (answer == ':' && option != NULL)
        return args_problem(args, "--%s needs a value: %s", option->name, option->value);
    if (option != NULL)
        return args_problem(args, "--%s takes no value", option->name);
    if (optopt == 0)
        return unknown_long(args, rows, written);
    const char *dash = args->command != NULL && args->command->words < 0
                           ? " (write -- before a prompt that begins with a dash)"
                           : "";
    return args_problem(args, "there is no option -%c%s", optopt, dash);
}

static int read_options(struct args *args, const struct rows *rows, int argc, char **argv)
{
    opterr = 0;
    optind = 0; /* glibc: begin afresh */
    for (;;) {
        int answer = getopt_long(argc, argv, rows->shorts, rows->longs, NULL);
        if (answer == -1)
            return STATUS_DONE;
        const struct args_option *option = rows_find(rows, answer);
        if (answer == ':' || answer == '?' || option == NULL)
            return refuse(args, rows, answer, argv);
        take(args, rows, option);
    }
}

int args_parse_global(struct args *args, int argc, char **argv, int *ret_index)
{
    struct rows rows;
    rows_build(&rows, NULL, "+");
    int status = read_options(args, &rows, argc, argv);
    *ret_index = optind;
    return status;
}

int args_parse_command(struct args *args, int argc, char **argv)
{
    struct rows rows;
    rows_build(&rows, args->command->options, "");
    int status = read_options(args, &rows, argc, argv);
    if (status != STATUS_DONE)
        return status;
    args->words = argv + optind;
    args->word_count = argc - optind;
    args->json = args_has(args, "json");
    if (args->help || args->version || args->command->words < 0 || args->word_count <= args->command->words)
        return STATUS_DONE;
    return args_problem(args, "\"%s\" is one argument too many", args->words[args->command->words]);
}

const char *args_value(const struct args *args, const char *name)
{
    const struct args_option *options = args->command->options;
    for (size_t i = 0; options != NULL && options[i].name != NULL; i++) {
        if (strcmp(options[i].name, name) == 0)
            return args->values[i];
    }
    return NULL;
}

bool args_has(const struct args *args, const char *name)
{
    return args_value(args, name) != NULL;
}

int args_exclude(struct args *args, const char *one, const char *other)
{
    if (!args_has(args, one) || !args_has(args, other))
        return STATUS_DONE;
    return args_problem(args, "--%s and --%s exclude each other", one, other);
}

int args_integer(struct args *args, const char *name, int64_t least, int64_t most, int64_t *ret)
{
    const char *text = args_value(args, name);
    if (text == NULL)
        return STATUS_DONE;
    const char *digits = text + (*text == '-');
    if (*digits == '\0' || digits[strspn(digits, "0123456789")] != '\0')
        return args_problem(args, "--%s: \"%s\" is not a whole number", name, text);
    errno = 0;
    long long value = strtoll(text, NULL, 10);
    if (value < least)
        return args_problem(args, "--%s: %s is too small: at least %" PRId64, name, text, least);
    if (errno == ERANGE || value > most)
        return args_problem(args, "--%s: %s is too large: at most %" PRId64, name, text, most);
    *ret = value;
    return STATUS_DONE;
}

int args_target(struct args *args, const char *name, const char **ret)
{
    const char *text = args_value(args, name);
    if (text == NULL)
        return STATUS_DONE;
    const char *slash = strchr(text, '/');
    if (slash == NULL || slash == text || slash[1] == '\0')
        return args_problem(args, "--%s: \"%s\" is not INSTANCE/MODEL, such as openai/gpt-4o-mini", name,
                            text);
    *ret = text;
    return STATUS_DONE;
}
