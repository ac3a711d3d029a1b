/* by_command: calls as a shell makes them: each is a process of its own, `koine chat`. With --json the answer
 * is always held until it is whole; what is delivered as it comes is asked for without. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "tests/faults/play.h"

#include <errno.h>
#include <fcntl.h>
#include <koine/json.h>
#include <poll.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

struct said { /* by the command */
    char out[16384], err[4096];
    int status;
};

static bool command_open(struct play *play, void **ret_self)
{
    (void)play;
    *ret_self = NULL;
    return true;
}

static void command_close(void *self)
{
    (void)self;
}

/* ---- the process ---- */

/* Past libtool's wrapper, a shell script, where there is one; by_command_prepare told the loader where. */
static const char *program(char path[PATH_MAX])
{
    const char *build = getenv("KOINE_TEST_BUILD");
    snprintf(path, PATH_MAX, "%s/apps/koine/.libs/koine", build ? build : ".");
    if (access(path, X_OK) != 0)
        snprintf(path, PATH_MAX, "%s/apps/koine/koine", build ? build : ".");
    return path;
}

/* Nothing of whoever runs the tests may decide. */
void by_command_prepare(void)
{
    char path[PATH_MAX], name[256];
    const char *build = getenv("KOINE_TEST_BUILD"), *before = getenv("LD_LIBRARY_PATH");
    for (size_t i = 0; environ[i];) {
        snprintf(name, sizeof(name), "%.*s", (int)strcspn(environ[i], "="), environ[i]);
        bool is_ours = strncmp(name, "KOINE_", 6) == 0 && strncmp(name, "KOINE_TEST_", 11) != 0;
        if (!is_ours || unsetenv(name) != 0)
            i++;
    }
    snprintf(path, sizeof(path), "%s/.libs%s%s", build ? build : ".", before ? ":" : "",
             before ? before : "");
    setenv("LD_LIBRARY_PATH", path, 1);
}

static pid_t spawn(const struct play *play, int in, int out, int err)
{
    char path[PATH_MAX];
    const char *manner = play->way == WHOLE ? "--no-stream" : "--stream";
    const char *arguments[] = {program(path), "-c",      play->config,
                               "chat",        "-r",      play->route,
                               manner,        "Say it.", play->way == LIVE ? NULL : "--json",
                               NULL};
    posix_spawn_file_actions_t actions;
    pid_t pid = -1;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, err, STDERR_FILENO);
    errno = posix_spawn(&pid, path, &actions, NULL, (char **)(uintptr_t)arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    return errno == 0 ? pid : -1;
}

static bool take(int fd, char *text, size_t size, size_t *length)
{
    char waste[512];
    bool is_full = *length + 1 >= size;
    ssize_t got = is_full ? read(fd, waste, sizeof(waste)) : read(fd, text + *length, size - 1 - *length);
    if (got > 0 && !is_full)
        *length += (size_t)got;
    text[*length] = '\0';
    return got > 0 || (got < 0 && errno == EINTR);
}

static void listen(struct said *said, int out, int err)
{
    size_t lengths[2] = {0, 0};
    struct pollfd fds[] = {{.fd = out, .events = POLLIN}, {.fd = err, .events = POLLIN}};
    while (fds[0].fd >= 0 || fds[1].fd >= 0) {
        if (poll(fds, 2, -1) < 0 && errno != EINTR)
            return;
        if (fds[0].revents && !take(out, said->out, sizeof(said->out), &lengths[0]))
            fds[0].fd = -1;
        if (fds[1].revents && !take(err, said->err, sizeof(said->err), &lengths[1]))
            fds[1].fd = -1;
    }
}

static bool run(const struct play *play, struct said *said)
{
    int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC), out[2], err[2], status = 0;
    if (pipe2(out, O_CLOEXEC) != 0)
        return false;
    if (pipe2(err, O_CLOEXEC) != 0) {
        close(out[0]);
        close(out[1]);
        return false;
    }
    pid_t pid = spawn(play, nothing, out[1], err[1]);
    close(nothing);
    close(out[1]);
    close(err[1]);
    listen(said, out[0], err[0]);
    close(out[0]);
    close(err[0]);
    if (pid < 0 || waitpid(pid, &status, 0) != pid)
        return false;
    said->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return true;
}

/* ---- what it said ---- */

static int class_of(const char *name)
{
    for (int i = KOINE_CLASS_CONNECT; name && i <= KOINE_CLASS_MEMORY; i++)
        if (strcmp(koine_class_name(i), name) == 0)
            return i;
    return KOINE_CLASS_NONE;
}

/* Decimal dollars; false: none, or no such amount. */
static bool read_usd(const koine_json *value, int64_t *ret)
{
    const char *text = koine_json_string(value, NULL);
    int64_t unit = INT64_C(1000000000000);
    if (!text)
        return false;
    *ret = 0;
    for (; *text >= '0' && *text <= '9'; text++)
        *ret = *ret * 10 + (*text - '0') * unit;
    for (text += *text == '.'; *text >= '0' && *text <= '9'; text++)
        *ret += (*text - '0') * (unit /= 10);
    return *text == '\0';
}

static void read_attempts(struct outcome *out, const koine_json *list)
{
    out->count = koine_json_count(list) <= MOST_ATTEMPTS ? koine_json_count(list) : 0;
    for (size_t i = 0; i < out->count; i++) {
        const koine_json *entry = koine_json_at(list, i);
        struct attempt *attempt = &out->attempts[i];
        const char *target = koine_json_string(koine_json_get(entry, "target"), NULL);
        snprintf(attempt->target, sizeof(attempt->target), "%s", target ? target : "");
        attempt->status = (int)koine_json_integer(koine_json_get(entry, "status"), 0);
        attempt->class_number = class_of(koine_json_string(koine_json_get(entry, "class"), NULL));
        attempt->is_priced = read_usd(koine_json_get(entry, "cost"), &attempt->picodollars);
    }
}

static void read_json(struct outcome *out, const koine_json *root)
{
    const koine_json *error = koine_json_get(root, "error"), *partial = koine_json_get(root, "partial");
    const char *stage = koine_json_string(koine_json_get(error, "stage"), NULL);
    out->knows_costs = true;
    out->class_number = class_of(koine_json_string(koine_json_get(error, "class"), NULL));
    snprintf(out->stage, sizeof(out->stage), "%s", stage ? stage : "");
    out->text = play_judge_text(koine_json_string(koine_json_get(error ? partial : root, "text"), NULL));
    out->is_priced = read_usd(koine_json_get(koine_json_get(root, "cost"), "usd"), &out->picodollars);
    read_attempts(out, koine_json_get(root, "attempts"));
}

/* "koine: together/model: protocol: the body ended…" */
static int class_in(const char *line)
{
    char name[32];
    return sscanf(line, "koine: %*[^:]: %31[a-z_]:", name) == 1 ? class_of(name) : KOINE_CLASS_NONE;
}

/* A row of the trail: "  0.0 s  together/model  200 protocol  28 ms". */
static void read_row(struct outcome *out, const char *line)
{
    char target[96], status[8], name[32];
    if (out->count == MOST_ATTEMPTS || sscanf(line, " %*d.%*d s %95s %7s %31s", target, status, name) != 3)
        return;
    struct attempt *attempt = &out->attempts[out->count++];
    snprintf(attempt->target, sizeof(attempt->target), "%s", target);
    attempt->status = (int)strtol(status, NULL, 10);
    attempt->class_number = class_of(name);
}

/* "together/model | 29 in, 54 out | …": of the only attempt, where there is no trail. */
static void read_summary(struct outcome *out, const char *line)
{
    char target[96];
    if (out->count > 0 || sscanf(line, "%95s", target) != 1 || !strchr(target, '/'))
        return;
    snprintf(out->attempts[0].target, sizeof(out->attempts[0].target), "%s", target);
}

/* Text on one side, and on the other the fault and the trail. */
static void read_plain(struct outcome *out, struct said *said)
{
    char *rest = said->err, *end = strrchr(said->out, '\n');
    if (end && end[1] == '\0')
        *end = '\0';
    out->text = play_judge_text(said->out);
    for (char *line; (line = strsep(&rest, "\n"));) {
        if (out->class_number == KOINE_CLASS_NONE)
            out->class_number = class_in(line);
        if (strncmp(line, "  ", 2) == 0)
            read_row(out, line);
        else
            read_summary(out, line);
    }
    out->attempts[0].class_number = out->count == 0 ? out->class_number : out->attempts[0].class_number;
    out->count += out->count == 0 && out->attempts[0].target[0];
}

static void command_call(void *self, struct play *play, struct outcome *out)
{
    struct said said = {.status = -1};
    koine_json *root = NULL;
    (void)self;
    if (!run(play, &said)) {
        snprintf(out->problem, sizeof(out->problem), "the command could not be run");
        return;
    }
    out->terminals = 1;
    out->ms = (play_now() - out->began) / 1000000;
    if (play->way == LIVE)
        read_plain(out, &said);
    else if (koine_json_parse(said.out, strlen(said.out), &root, NULL) == KOINE_OK)
        read_json(out, root);
    else
        snprintf(out->problem, sizeof(out->problem), "no JSON: %.60s %.60s", said.out, said.err);
    koine_json_free(root);
    if (!out->problem[0] && said.status != (out->class_number ? 1 : 0))
        snprintf(out->problem, sizeof(out->problem), "exit status %d: %.100s", said.status, said.err);
}

const struct caller caller_command = {command_open, command_call, command_close};
