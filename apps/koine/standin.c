/* koine standin: starts the stand-in, a provider on loopback for tests, which is a program of its own. */
#include "apps/koine/commands.h"

#include "apps/koine/out.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#ifndef KOINE_LIBEXECDIR
#define KOINE_LIBEXECDIR "/usr/libexec/koine"
#endif
#define PROGRAM "koine-standin"

static const struct args_option options[] = {
    {"port", 0, "N", "listen on this port; 0: any free one"},
    {"scale", 0, "F", "multiply every delay by F"},
    {0},
};

/* The folder of this program, without the folder that a build puts uninstalled programs in. */
static void own_folder(char *ret, size_t size)
{
    static const char built[] = "/.libs";
    ssize_t length = readlink("/proc/self/exe", ret, size - 1);
    ret[length > 0 ? length : 0] = '\0';
    char *slash = strrchr(ret, '/');
    if (slash != NULL)
        *slash = '\0';
    size_t used = strlen(ret);
    if (used > sizeof(built) - 1 && strcmp(ret + used - (sizeof(built) - 1), built) == 0)
        ret[used - (sizeof(built) - 1)] = '\0';
}

static bool is_program(const char *file)
{
    return access(file, X_OK) == 0;
}

/* Beside us first: a build runs its own, whatever is installed. The parent is only looked at in a build's
 * tree. */
static const char *find_program(char *ret, size_t size)
{
    char folder[PATH_MAX - 64];
    own_folder(folder, sizeof(folder));
    const char *name = strrchr(folder, '/');
    snprintf(ret, size, "%s/" PROGRAM, folder);
    if (name != NULL && is_program(ret))
        return ret;
    if (name != NULL && strcmp(name, "/koine") == 0) {
        snprintf(ret, size, "%s/../" PROGRAM, folder);
        if (is_program(ret))
            return ret;
    }
    snprintf(ret, size, "%s/" PROGRAM, KOINE_LIBEXECDIR);
    return is_program(ret) ? ret : NULL;
}

static int run(struct args *args)
{
    char file[PATH_MAX];
    if (find_program(file, sizeof(file)) == NULL) {
        out_say("koine standin: " PROGRAM " is neither beside this program nor in " KOINE_LIBEXECDIR);
        return STATUS_FAULT;
    }
    signal(SIGPIPE, SIG_DFL); /* what we ignore, it would too */
    out_flush();
    args->words[0] = (char[]){"koine standin"}; /* as which it speaks of itself */
    execv(file, args->words);
    out_say("koine standin: %s: %s", file, strerror(errno));
    return STATUS_FAULT;
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
