/* koine plugin: for those who write providers. `new` writes a folder to start from, `check` tries a plugin:
 * that is a program of its own. */
#include "apps/koine/commands.h"

#include "apps/koine/help.h"
#include "apps/koine/kit.h"
#include "apps/koine/out.h"
#include "apps/koine/program.h"
#include "apps/koine/report.h"
#include "apps/koine/setup.h"

#include <errno.h>
#include <koine/koine.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static const struct args_option options[] = {
    {"like", 0, "KIND", "new: chat (the default) or own"},
    {0},
};

/* ---- new ---- */

static const char *taken_by(const koine_providers *list, const char *name)
{
    for (size_t i = 0; i < koine_providers_count(list); i++) {
        const koine_provider_handle *handle = koine_providers_handle(list, i);
        if (strcmp(koine_providers_name(list, i), name) == 0 ||
            (handle != NULL && strcmp(koine_provider_id(handle), name) == 0))
            return koine_providers_file(list, i);
    }
    return NULL;
}

/* A second plugin of an id is refused when it is loaded: better to say so before it is written. */
static int check_taken(struct args *args, const char *name)
{
    koine_hub *hub = NULL;
    koine_providers *list = NULL;
    koine_error *error = NULL;
    int status = setup_hub(args, &hub);
    if (status != STATUS_DONE)
        return status;
    int number = koine_hub_list_providers(hub, &list, &error);
    const char *file = number == KOINE_OK ? taken_by(list, name) : NULL;
    if (number != KOINE_OK)
        status = report_error(args, number, error);
    else if (file != NULL)
        status = args_problem(args, "the name %s is taken by %s", name, file);
    koine_providers_free(list);
    koine_hub_free(hub);
    return status;
}

static int check_kind(struct args *args, const char *kind)
{
    static const char *const kinds[] = {"chat", "own", NULL};
    for (const char *const *at = kinds; *at != NULL; at++) {
        if (strcmp(*at, kind) == 0)
            return STATUS_DONE;
    }
    return args_problem(args, "--like: \"%s\" is neither chat nor own", kind);
}

static int check_name(struct args *args, const char *name)
{
    struct stat state;
    if (!kit_is_name(name))
        return args_problem(args,
                            "\"%s\" is no name for a provider: a small letter, then small letters, digits, _ "
                            "and -, at most 64",
                            name);
    if (lstat(name, &state) == 0)
        return args_problem(args, "there is something named %s here already", name);
    return check_taken(args, name);
}

static int write_new(struct args *args)
{
    const char *kind = args_has(args, "like") ? args_value(args, "like") : "chat";
    if (args->word_count < 2)
        return args_problem(args, "new needs a name: koine plugin new acme");
    int status = check_kind(args, kind);
    if (status == STATUS_DONE)
        status = check_name(args, args->words[1]);
    if (status == STATUS_DONE)
        status = kit_write(kind, args->words[1]);
    if (status == STATUS_DONE)
        out_say("It builds and passes as it is: cd %s && make check. The lines marked CHANGE are yours.",
                args->words[1]);
    return status;
}

/* ---- All of them ---- */

static int unknown_action(struct args *args)
{
    static const char *const names[] = {"new", "check", NULL};
    if (args->word_count < 1)
        return args_problem(args, "say what to do: new or check");
    const char *nearest = args_nearest(args->words[0], names);
    if (nearest != NULL)
        return args_problem(args, "\"%s\" is neither new nor check; did you mean %s?", args->words[0],
                            nearest);
    return args_problem(args, "\"%s\" is neither new nor check", args->words[0]);
}

static int run(struct args *args)
{
    char **argv = args->words;
    if (args->word_count > 1 && strcmp(argv[1], "check") == 0)
        return program_become("koine-plugin-check", "koine plugin check", argv + 1);
    int status = args_parse_command(args, args->word_count, argv);
    if (status != STATUS_DONE)
        return status;
    if (args->help)
        help_command(stdout, args->command);
    else if (args->version)
        out_line("koine %s", koine_version());
    else
        return args->word_count > 0 && strcmp(args->words[0], "new") == 0 ? write_new(args)
                                                                          : unknown_action(args);
    return STATUS_DONE;
}

const struct args_command command_plugin = {
    .name = "plugin",
    .summary = "begin a provider of your own, or try one",
    .synopsis = "new NAME [--like chat|own] | check FILE.so [ARGUMENT]...",
    .options = options,
    .details = "new    writes the folder NAME: a provider that builds and passes its cases as\n"
               "       it is, every line that must change marked; its Makefile, its catalogue,\n"
               "       and two cases. Like chat it is a table of differences from the dialect\n"
               "       of chat completions; like own it has a dialect of its own\n"
               "check  tries a plugin; koine plugin check --help lists how\n"
               "\n"
               "Examples:\n"
               "  koine plugin new acme && cd acme && make check\n"
               "  koine plugin check ./acme.so --cases cases\n",
    .words = 2,
    .raw = true,
    .tells_plugins = true,
    .run = run,
};
