/* credential: where a key comes from is tried in one order; what came is checked in one place. Buffers that
 * held a key are wiped. */
#include "core/wire/credential.h"

#include "core/base/clock.h"
#include "core/base/mem.h"
#include "core/base/str.h"
#include <errno.h>
#include <fcntl.h>
#include <koine/koine.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MOST_BYTES   ((size_t)65536)
#define COMMAND_TIME (10 * KOINE__SEC)
#define CHILD_POLL_TIME                                                                                      \
    2000000L /* ns between two looks at a child that closed its output but has not ended */

struct source { /* what is told about a key: never the key */
    const char *where, *what;
    koine_error **ret_error;
};

__attribute__((format(printf, 2, 3))) static int refuse(const struct source *source, const char *format, ...)
{
    char text[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    return koine__error(source->ret_error, KOINE_ECONFIG, "%s%s%s: %s", source->where,
                        *source->where ? "." : "", source->what, text);
}

/* A key goes into a header: anything but printable ASCII is a mistake of whoever stored it. */
static bool is_key(koine_str text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] <= ' ' || text.ptr[i] > '~')
            return false;
    return text.len > 0;
}

static int keep(const struct source *source, koine_str text, struct koine__secret **ret)
{
    if (!is_key(text))
        return refuse(source, text.len ? "the key holds spaces, control characters or characters beyond ASCII"
                                       : "there is no key in it");
    struct koine__secret *secret = koine__secret_new(text.ptr, text.len);
    if (!secret)
        return koine__error_memory(source->ret_error);
    *ret = secret;
    return KOINE_OK;
}

static koine_str without_line_end(koine_str text)
{
    if (text.len && text.ptr[text.len - 1] == '\n')
        text.len--;
    if (text.len && text.ptr[text.len - 1] == '\r')
        text.len--;
    return text;
}

/* ---- A file --------------------------------------------------------------------------------------- */

static int check_file(const struct source *source, const char *path, int fd)
{
    struct stat info;
    if (fstat(fd, &info) < 0)
        return refuse(source, "%s: %s", path, strerrordesc_np(errno));
    if (!S_ISREG(info.st_mode))
        return refuse(source, "%s is no regular file", path);
    if (info.st_uid != geteuid() && info.st_uid != 0)
        return refuse(source, "%s belongs to another user", path);
    if (info.st_mode & (S_IRWXG | S_IRWXO))
        return refuse(source, "%s is open to others (mode %04o): chmod 600 it", path,
                      (unsigned)(info.st_mode & 07777));
    return KOINE_OK;
}

/* Up to the end, or more than a key can be. Negative: errno. */
static ssize_t read_all(int fd, char *buffer, size_t size)
{
    size_t used = 0;
    while (used < size) {
        ssize_t got = read(fd, buffer + used, size - used);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return got < 0 ? -errno : (ssize_t)used;
        used += (size_t)got;
    }
    return (ssize_t)used;
}

static int read_file(const struct source *source, const char *path, char *buffer, struct koine__secret **ret)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK); /* a FIFO must not hang us */
    if (fd < 0)
        return refuse(source, "%s: %s", path, strerrordesc_np(errno));
    int rc = check_file(source, path, fd);
    ssize_t len = rc == KOINE_OK ? read_all(fd, buffer, MOST_BYTES) : 0;
    close(fd);
    if (rc != KOINE_OK)
        return rc;
    if (len < 0)
        return refuse(source, "%s: %s", path, strerrordesc_np((int)-len));
    if ((size_t)len == MOST_BYTES)
        return refuse(source, "%s is larger than any key", path);
    return keep(source, without_line_end((koine_str){buffer, (size_t)len}), ret);
}

/* ---- A command ------------------------------------------------------------------------------------ */

/* The command gets a process group of its own, so that all of it can be ended, and none of our signal
 * settings. */
static int set_attributes(posix_spawnattr_t *attributes)
{
    sigset_t none, defaults;
    sigemptyset(&none);
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGPIPE);
    sigaddset(&defaults, SIGCHLD);
    int rc = posix_spawnattr_setsigmask(attributes, &none);
    rc |= posix_spawnattr_setsigdefault(attributes, &defaults);
    rc |= posix_spawnattr_setpgroup(attributes, 0);
    rc |= posix_spawnattr_setflags(attributes,
                                   POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
    return rc;
}

static int set_files(posix_spawn_file_actions_t *actions, int out)
{
    int rc = posix_spawn_file_actions_adddup2(actions, out, STDOUT_FILENO); /* first: `out` may be 0 or 2 */
    rc |= posix_spawn_file_actions_addopen(actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    rc |= posix_spawn_file_actions_addopen(actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    return rc;
}

static pid_t spawn(const char *command, int out)
{
    extern char **environ;
    char *arguments[] = {(char *)"sh", (char *)"-c", (char *)command, NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    pid_t pid = -1;
    if (posix_spawnattr_init(&attributes) != 0)
        return -1;
    if (posix_spawn_file_actions_init(&actions) != 0) {
        posix_spawnattr_destroy(&attributes);
        return -1;
    }
    if (set_attributes(&attributes) != 0 || set_files(&actions, out) != 0 ||
        posix_spawn(&pid, "/bin/sh", &actions, &attributes, arguments, environ) != 0)
        pid = -1;
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return pid;
}

static int64_t time_left(int64_t until)
{
    int64_t now = koine__now(&koine__system_clock);
    return until > now ? until - now : 0;
}

/* What it prints, until it closes its output. -1: it took too long; MOST_BYTES: too much. */
static ssize_t collect(int fd, char *buffer, int64_t until)
{
    size_t used = 0;
    while (used < MOST_BYTES) {
        struct pollfd waited = {.fd = fd, .events = POLLIN};
        int64_t left = time_left(until);
        int ready = left > 0 ? poll(&waited, 1, (int)(left / KOINE__MS) + 1) : 0;
        if (ready == 0)
            return -1;
        ssize_t got = ready > 0 ? read(fd, buffer + used, MOST_BYTES - used) : -1;
        if (got < 0 && errno != EINTR && errno != EAGAIN)
            return -1;
        if (got == 0)
            break;
        used += got > 0 ? (size_t)got : 0;
    }
    return (ssize_t)used;
}

/* Its exit status, -1: it was killed, by us or by somebody. A child that somebody else waited for counts as
 * well ended: what it printed is checked all the same. */
static int wait_for(pid_t pid, int64_t until)
{
    static const struct timespec pause = {.tv_nsec = CHILD_POLL_TIME};
    int status = 0;
    for (;;) {
        pid_t ended = waitpid(pid, &status, until ? WNOHANG : 0);
        if (ended == pid)
            return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
        if (ended < 0 && errno != EINTR)
            return 0;
        if (until && time_left(until) == 0) {
            kill(-pid, SIGKILL);
            until = 0;
        } else if (until) {
            nanosleep(&pause, NULL);
        }
    }
}

static int judge_command(const struct source *source, char *buffer, ssize_t len, int status,
                         struct koine__secret **ret)
{
    if (len < 0)
        return refuse(source, "the command took longer than it may");
    if ((size_t)len >= MOST_BYTES)
        return refuse(source, "the command prints more than any key");
    if (status < 0)
        return refuse(source, "the command was ended by a signal, or did not end in time");
    if (status > 0)
        return refuse(source, "the command failed with exit status %d", status);
    koine_str rest = {buffer, (size_t)len};
    koine_str line = koine__str_cut(&rest, '\n');
    return keep(source, without_line_end(line), ret);
}

static int run_command(const struct source *source, const struct koine__credential_spec *spec, char *buffer,
                       struct koine__secret **ret)
{
    int64_t limit = spec->command_time ? spec->command_time : COMMAND_TIME;
    int64_t until = koine__now(&koine__system_clock) + limit;
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return refuse(source, "no pipe: %s", strerrordesc_np(errno));
    pid_t pid = spawn(spec->command, ends[1]);
    close(ends[1]);
    ssize_t len = pid > 0 ? collect(ends[0], buffer, until) : 0;
    close(ends[0]);
    if (pid <= 0)
        return refuse(source, "/bin/sh cannot be started");
    bool is_over = len < 0 || (size_t)len >= MOST_BYTES;
    if (is_over)
        kill(-pid, SIGKILL);
    int status = wait_for(pid, is_over ? 0 : until);
    return judge_command(source, buffer, len, status, ret);
}

/* ---- The order ------------------------------------------------------------------------------------ */

static int load_stored(const struct koine__credential_spec *spec, struct source *source,
                       struct koine__secret **ret)
{
    char *buffer = koine__alloc(MOST_BYTES);
    if (!buffer)
        return koine__error_memory(source->ret_error);
    source->what = spec->file ? "api_key_file" : "api_key_command";
    int rc = spec->file ? read_file(source, spec->file, buffer, ret) : run_command(source, spec, buffer, ret);
    koine__wipe(buffer, MOST_BYTES);
    koine__dealloc(buffer);
    return rc;
}

int koine__credential_load(const struct koine__credential_spec *spec, struct koine__secret **ret,
                           koine_error **ret_error)
{
    struct source source = {
        .where = spec->where ? spec->where : "", .what = "api_key", .ret_error = ret_error};
    if (!spec->key && (spec->file || spec->command))
        return load_stored(spec, &source, ret);
    koine_str given = koine__str(spec->key ? spec->key : spec->variable);
    if (!spec->key)
        source.what = "the key's variable";
    if (given.len)
        return keep(&source, given, ret);
    *ret = NULL;
    return KOINE_OK;
}
