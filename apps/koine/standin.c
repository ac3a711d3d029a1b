/* koine standin: starts the stand-in, a provider on loopback for tests, which is a program of its own. */
#include "apps/koine/commands.h"

#include "apps/koine/program.h"

static const struct args_option options[] = {
    {"port", 0, "N", "listen on this port; 0: any free one"},
    {"scale", 0, "F", "multiply every delay by F"},
    {0},
};

static int run(struct args *args)
{
    return program_become("koine-standin", "koine standin", args->words);
}

const struct args_command command_standin = {
    .name = "standin",
    .summary = "start a misbehaving provider on loopback, for tests",
    .synopsis = "[--port N] [--scale F] [ARGUMENT]...",
    .options = options,
    .details = "It speaks the dialect of chat completions and misbehaves by the model's name.\n"
               "koine standin --help lists how.\n",
    .words = -1,
    .raw = true,
    .run = run,
};
