/* tty: tty [-i TEXT] COMMAND [ARGUMENT]...: runs a command on a terminal of its own and prints all that the
 * terminal shows; with -i types Ctrl-C as soon as TEXT is there. The exit status is the command's; 99: there
 * is no terminal to be had.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

enum {
    NO_TERMINAL = 99,
    MOST = 1 << 20
};

static int open_terminal(char *ret_name, size_t size)
{
    int fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (fd < 0 || grantpt(fd) != 0 || unlockpt(fd) != 0 || ptsname_r(fd, ret_name, size) != 0)
        return -1;
    struct winsize window = {.ws_row = 24, .ws_col = 80};
    return ioctl(fd, TIOCSWINSZ, &window) == 0 ? fd : -1;
}

static void become(const char *terminal, char **command)
{
    int fd = setsid() < 0 ? -1 : open(terminal, O_RDWR);
    if (fd < 0 || ioctl(fd, TIOCSCTTY, 0) != 0)
        _exit(NO_TERMINAL);
    for (int i = 0; i <= 2; i++)
        dup2(fd, i);
    if (fd > 2)
        close(fd);
    execvp(command[0], command);
    _exit(NO_TERMINAL);
}

/* Reads to the end: a terminal that nobody has open any more gives EIO. */
static void copy(int fd, const char *interrupt_at)
{
    static char text[MOST + 1];
    size_t length = 0;
    while (length < MOST) {
        ssize_t got = read(fd, text + length, MOST - length);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        length += (size_t)got;
        text[length] = '\0';
        if (interrupt_at && strstr(text, interrupt_at) && write(fd, "\003", 1) == 1)
            interrupt_at = NULL;
    }
    fwrite(text, 1, length, stdout);
}

int main(int argc, char **argv)
{
    char name[128];
    bool interrupts = argc > 3 && strcmp(argv[1], "-i") == 0;
    char **command = argv + (interrupts ? 3 : 1);
    int fd = argc > 1 ? open_terminal(name, sizeof(name)) : -1, status = 0;
    if (fd < 0)
        return NO_TERMINAL;
    pid_t pid = fork();
    if (pid == 0)
        become(name, command);
    if (pid < 0)
        return NO_TERMINAL;
    copy(fd, interrupts ? argv[2] : NULL);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
