/* helper: see helper.h. */
#include "core/plugin/helper.h"

#include "core/base/clock.h"
#include "core/plugin/isolate.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef P_PIDFD
#define P_PIDFD 3 /* an enumerator of newer C libraries */
#endif
#define ABOVE_ALL 16 /* descriptors that are put in place, from where no other place is */

/* ---- The start ------------------------------------------------------------------------------------- */

static int set_signals(posix_spawnattr_t *attributes)
{
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    int rc = posix_spawnattr_setsigmask(attributes, &none);
    if (rc == 0)
        rc = posix_spawnattr_setsigdefault(attributes, &all);
    return rc ? rc
              : posix_spawnattr_setflags(attributes,
                                         POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSID);
}

static int set_files(posix_spawn_file_actions_t *actions, int socket_fd, int object_fd)
{
    int rc = 0;
    for (int fd = 0; fd < 3 && rc == 0; fd++)
        rc = posix_spawn_file_actions_addopen(actions, fd, "/dev/null", O_RDWR, 0);
    if (rc == 0)
        rc = posix_spawn_file_actions_adddup2(actions, socket_fd, KOINE__ISOLATE_SOCKET);
    return rc ? rc : posix_spawn_file_actions_adddup2(actions, object_fd, KOINE__ISOLATE_OBJECT);
}

static int spawn(const char *program, int socket_fd, int object_fd, pid_t *ret)
{
    char parent[16];
    char name[] = "koine-isolate";
    char *words[] = {name, parent, NULL}, *environment[] = {NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    snprintf(parent, sizeof(parent), "%d", (int)getpid());
    int rc = posix_spawn_file_actions_init(&actions);
    if (rc)
        return rc;
    rc = posix_spawnattr_init(&attributes);
    if (rc == 0) {
        rc = set_signals(&attributes);
        if (rc == 0)
            rc = set_files(&actions, socket_fd, object_fd);
        if (rc == 0)
            rc = posix_spawn(ret, program, &actions, &attributes, words, environment);
        posix_spawnattr_destroy(&attributes);
    }
    posix_spawn_file_actions_destroy(&actions);
    return rc;
}

/* The descriptors as the child will have them must not be in each other's way. */
static int spawn_with(const char *program, int socket_fd, int object_fd, pid_t *ret)
{
    int theirs = fcntl(socket_fd, F_DUPFD_CLOEXEC, ABOVE_ALL);
    int object = theirs < 0 ? -1 : fcntl(object_fd, F_DUPFD_CLOEXEC, ABOVE_ALL);
    int rc = object < 0 ? errno : spawn(program, theirs, object, ret);
    if (theirs >= 0)
        close(theirs);
    if (object >= 0)
        close(object);
    return rc;
}

static int open_pidfd(pid_t pid)
{
    int fd = (int)syscall(SYS_pidfd_open, pid, 0); /* close-on-exec by itself */
    int wrong = errno;
    if (fd >= 0)
        return fd;
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    errno = wrong;
    return -1;
}

int koine__helper_start(const char *program, int object_fd, struct koine__helper *ret)
{
    int ends[2];
    struct koine__helper helper = {.fd = -1, .pidfd = -1, .allowed_at = INT64_MIN};
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
        return errno;
    int rc = fcntl(ends[0], F_SETFL, O_NONBLOCK) < 0 ? errno : 0;
    if (rc == 0)
        rc = spawn_with(program, ends[1], object_fd, &helper.pid);
    close(ends[1]);
    if (rc == 0) {
        helper.pidfd = open_pidfd(helper.pid);
        rc = helper.pidfd < 0 ? errno : 0;
    }
    if (rc) {
        close(ends[0]);
        return rc;
    }
    helper.fd = ends[0];
    *ret = helper;
    return 0;
}

/* ---- Its life -------------------------------------------------------------------------------------- */

void koine__helper_allow(struct koine__helper *helper, int64_t now, int64_t time)
{
    clockid_t clock;
    struct timespec used;
    bool is_fresh = helper->allowed_at != INT64_MIN && now - helper->allowed_at < KOINE__SEC;
    if ((is_fresh && time <= helper->allowed) ||
        koine__helper_has_ended(helper)) /* the number is another's */
        return;
    helper->allowed_at = now;
    helper->allowed = time;
    if (clock_getcpuclockid(helper->pid, &clock) != 0 || clock_gettime(clock, &used) < 0)
        return;
    rlim_t seconds = (rlim_t)used.tv_sec + (rlim_t)(time / KOINE__SEC) + 2;
    const struct rlimit limit = {seconds, RLIM_INFINITY};
    prlimit(helper->pid, RLIMIT_CPU, &limit, NULL);
}

bool koine__helper_has_ended(const struct koine__helper *helper)
{
    struct pollfd fd = {.fd = helper->pidfd, .events = POLLIN};
    return poll(&fd, 1, 0) != 0;
}

void koine__helper_kill(const struct koine__helper *helper)
{
    syscall(SYS_pidfd_send_signal, helper->pidfd, SIGKILL, NULL, 0);
}

static void say_how(const siginfo_t *info, char *ret, size_t size)
{
    const char *name = sigabbrev_np(info->si_status);
    if (info->si_code == CLD_EXITED)
        snprintf(ret, size, "ended with status %d", info->si_status);
    else
        snprintf(ret, size, "was killed by SIG%s", name ? name : "NAL");
}

/* Somebody else may have reaped it: an application that waits for any child, or ignores SIGCHLD. */
void koine__helper_reap(struct koine__helper *helper, char *ret, size_t size)
{
    siginfo_t info;
    int rc;
    snprintf(ret, size, "ended");
    do
        rc = waitid((idtype_t)P_PIDFD, (id_t)helper->pidfd, &info, WEXITED);
    while (rc < 0 && errno == EINTR);
    if (rc == 0)
        say_how(&info, ret, size);
    koine__helper_abandon(helper);
}

void koine__helper_abandon(struct koine__helper *helper)
{
    if (helper->pid == 0)
        return;
    close(helper->fd);
    close(helper->pidfd);
    *helper = (struct koine__helper){.fd = -1, .pidfd = -1};
}
