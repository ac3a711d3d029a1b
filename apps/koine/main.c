/* koine: the command. Sets the process up, finds the subcommand, and turns what comes of it into an exit
 * status. */
#include "apps/koine/args.h"
#include "apps/koine/commands.h"
#include "apps/koine/help.h"
#include "apps/koine/out.h"
#include "apps/koine/result.h"

#include <fcntl.h>
#include <koine/koine.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

static const struct args_command *const commands[] = {
    &command_chat,   &command_models,  &command_providers, &command_cost,    &command_config,
    &command_doctor, &command_explain, &command_plugin,    &command_standin, NULL,
};
enum {
    COMMANDS = sizeof(commands) / sizeof(commands[0]) - 1
};

/* Keys are in this process's memory: it leaves no core behind and lets nobody look in. */
static void harden(void)
{
    struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    prctl(PR_SET_DUMPABLE, 0);
    signal(SIGPIPE, SIG_IGN); /* a reader who went away is an errno, also inside the library's sockets */
    for (int descriptor = STDIN_FILENO; descriptor <= STDERR_FILENO; descriptor++) {
        /* Otherwise a socket could become our standard output. */
        if (fcntl(descriptor, F_GETFD) < 0 && open("/dev/null", O_RDWR) != descriptor)
            _exit(STATUS_FAULT);
    }
}

static const struct args_command *find_command(const char *name)
{
    for (size_t i = 0; i < COMMANDS; i++) {
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
    }
    return NULL;
}

static int unknown_command(struct args *args, const char *name)
{
    const char *names[COMMANDS + 1] = {NULL};
    for (size_t i = 0; i < COMMANDS; i++)
        names[i] = commands[i]->name;
    const char *nearest = args_nearest(name, names);
    if (nearest != NULL)
        return args_problem(args, "there is no command \"%s\"; did you mean %s?", name, nearest);
    return args_problem(args, "there is no command \"%s\"; koine --help lists them", name);
}

static int run_command(struct args *args, int argc, char **argv)
{
    args->command = find_command(argv[0]);
    if (args->command == NULL)
        return unknown_command(args, argv[0]);
    if (args->command->raw && !args->help) {
        args->words = argv;
        args->word_count = argc;
        return args->command->run(args);
    }
    int status = args_parse_command(args, argc, argv);
    if (status != STATUS_DONE)
        return status;
    if (args->help)
        help_command(stdout, args->command);
    else if (args->version)
        out_line("koine %s", koine_version());
    else
        return args->command->run(args);
    return STATUS_DONE;
}

static int run(struct args *args, int argc, char **argv)
{
    int first = 0;
    int status = args_parse_global(args, argc, argv, &first);
    if (status != STATUS_DONE)
        return status;
    if (args->version) {
        out_line("koine %s", koine_version());
        return STATUS_DONE;
    }
    if (first < argc && (!args->help || find_command(argv[first]) != NULL))
        return run_command(args, argc - first, argv + first);
    help_program(args->help ? stdout : stderr, commands);
    return args->help ? STATUS_DONE : STATUS_USAGE;
}

/* Known before the options are understood, because a wrong option is told as JSON too. */
static bool wants_json(int argc, char **argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strcmp(argv[i], "--json") == 0)
            return true;
    }
    return false;
}

static void report_problem(const struct args *args)
{
    const char *name = args->command != NULL ? args->command->name : "";
    out_say("koine%s%s: %s", *name != '\0' ? " " : "", name, args->problem);
    if (args->json)
        result_problem(args->problem);
}

int main(int argc, char **argv)
{
    harden();
    struct args args = {.json = wants_json(argc, argv)};
    int status = run(&args, argc, argv);
    if (args.problem[0] != '\0')
        report_problem(&args);
    return out_finish(status);
}
