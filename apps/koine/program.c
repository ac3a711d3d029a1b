/* program: finds a program beside this one, in a build's tree or where it is installed, and becomes it. */
#include "apps/koine/program.h"

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
static const char *find_program(const char *program, char *ret, size_t size)
{
    char folder[PATH_MAX - 64];
    own_folder(folder, sizeof(folder));
    const char *name = strrchr(folder, '/');
    snprintf(ret, size, "%s/%s", folder, program);
    if (name != NULL && is_program(ret))
        return ret;
    if (name != NULL && strcmp(name, "/koine") == 0) {
        snprintf(ret, size, "%s/../%s", folder, program);
        if (is_program(ret))
            return ret;
    }
    snprintf(ret, size, "%s/%s", KOINE_LIBEXECDIR, program);
    return is_program(ret) ? ret : NULL;
}

int program_become(const char *program, const char *as, char **argv)
{
    char file[PATH_MAX], name[64];
    if (find_program(program, file, sizeof(file)) == NULL) {
        out_say("%s: %s is neither beside this program nor in " KOINE_LIBEXECDIR, as, program);
        return STATUS_FAULT;
    }
    signal(SIGPIPE, SIG_DFL); /* what we ignore, it would too */
    out_flush();
    snprintf(name, sizeof(name), "%s", as);
    argv[0] = name;
    execv(file, argv);
    out_say("%s: %s: %s", as, file, strerror(errno));
    return STATUS_FAULT;
}
