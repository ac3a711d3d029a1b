/* backdrop: see backdrop.h. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "tests/e2e/backdrop.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* Without it no test makes sense. */
static void bail(const struct backdrop *backdrop, const char *what)
{
    printf("Bail out! %s: %s\n", what, strerror(errno));
    fflush(stdout);
    scratch_remove(&backdrop->scratch);
    _exit(EXIT_FAILURE);
}

static void put_file(const struct backdrop *backdrop, const char *name, const char *from)
{
    char path[4096], chunk[65536];
    const char *root = getenv(strstr(from, ".so") ? "KOINE_TEST_BUILD" : "KOINE_TEST_SOURCE");
    size_t length = 0;
    char *bytes = NULL;
    snprintf(path, sizeof(path), "%s/%s", root ? root : ".", from);
    FILE *in = fopen(path, "re"), *out = in ? open_memstream(&bytes, &length) : NULL;
    if (!out)
        bail(backdrop, path);
    for (size_t got; (got = fread(chunk, 1, sizeof(chunk), in)) > 0;)
        fwrite(chunk, 1, got, out);
    fclose(in);
    fclose(out);
    scratch_write(&backdrop->scratch, name, bytes, length);
    free(bytes);
}

/* Waits for the one line that says where it listens. */
static int read_port(int fd)
{
    char line[128];
    size_t length = 0;
    while (length < sizeof(line) - 1) {
        ssize_t got = read(fd, line + length, sizeof(line) - 1 - length);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        length += (size_t)got;
        if (line[length - 1] == '\n')
            break;
    }
    line[length] = '\0';
    const char *colon = strrchr(line, ':');
    return colon ? atoi(colon + 1) : 0;
}

static pid_t spawn(const char *const *arguments, int in, int out)
{
    posix_spawn_file_actions_t actions;
    pid_t pid = -1;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
    errno = posix_spawn(&pid, arguments[0], &actions, NULL, (char **)(uintptr_t)arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    return errno == 0 ? pid : -1;
}

static void start_standin(struct backdrop *backdrop, const char *const *further)
{
    char program[PATH_MAX];
    const char *build = getenv("KOINE_TEST_BUILD"), *arguments[16] = {program, "--until-eof", "--quiet"};
    int in[2], out[2];
    snprintf(program, sizeof(program), "%s/apps/koine-standin", build ? build : ".");
    for (size_t i = 3; i < 15 && *further; i++)
        arguments[i] = *further++;
    if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0)
        bail(backdrop, "pipe");
    backdrop->pid = spawn(arguments, in[0], out[1]);
    if (backdrop->pid < 0)
        bail(backdrop, program);
    close(in[0]);
    close(out[1]);
    backdrop->leash = in[1];
    backdrop->port = read_port(out[0]);
    close(out[0]);
    if (backdrop->port <= 0)
        bail(backdrop, program);
}

void backdrop_build(struct backdrop *backdrop, const char *const *arguments)
{
    signal(SIGPIPE, SIG_IGN);
    scratch_make(&backdrop->scratch);
    backdrop->owner = getpid();
    put_file(backdrop, "together.so", "providers/.libs/together.so");
    put_file(backdrop, "openai.so", "providers/.libs/openai.so");
    put_file(backdrop, "together.json", "providers/catalogue/together.json");
    put_file(backdrop, "openai.json", "providers/catalogue/openai.json");
    start_standin(backdrop, arguments);
}

void backdrop_strike(struct backdrop *backdrop)
{
    if (backdrop->owner != getpid())
        return;
    close(backdrop->leash);
    waitpid(backdrop->pid, NULL, 0);
    scratch_remove(&backdrop->scratch);
    *backdrop = (struct backdrop){0};
}

const char *backdrop_answer(void)
{
    return "The common speech of many peoples is learned in markets and in harbours, where nobody waits for "
           "a grammar. Traders took a word from one coast and a tune from the next, until every sailor could "
           "ask for water, bread and a fair price. What it lost in beauty it won in reach, and it is spoken "
           "there still today.";
}

size_t backdrop_descriptors(void)
{
    size_t count = 0;
    DIR *folder = opendir("/proc/self/fd");
    while (folder && readdir(folder))
        count++;
    if (folder)
        closedir(folder);
    return count;
}
