/* tty: tty [-i TEXT | -t TEXT ANSWER]... COMMAND [ARGUMENT]...: runs a command on a terminal of its own and
 * prints all that the terminal shows; with -i types Ctrl-C, with -t ANSWER and the end of its line, as soon
 * as TEXT is there, one after another in the order they are given, each behind what was there before. The
 * exit status is the command's; 99: there is no terminal to be had.
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
    MOST = 1 << 20,
    MOST_KEYS = 16
};

struct keys { /* to be typed */
    const char *at, *what;
    bool is_line;
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

static bool type(int fd, const struct keys *keys)
{
    size_t length = strlen(keys->what);
    return write(fd, keys->what, length) == (ssize_t)length && (!keys->is_line || write(fd, "\n", 1) == 1);
}

/* Reads to the end: a terminal that nobody has open any more gives EIO. */
static void copy(int fd, const struct keys *keys, size_t count)
{
    static char text[MOST + 1];
    size_t length = 0, seen = 0;
    while (length < MOST) {
        ssize_t got = read(fd, text + length, MOST - length);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        length += (size_t)got;
        text[length] = '\0';
        const char *at = count > 0 ? strstr(text + seen, keys->at) : NULL;
        if (!at || !type(fd, keys))
            continue;
        seen = (size_t)(at - text) + strlen(keys->at);
        keys++;
        count--;
    }
    fwrite(text, 1, length, stdout);
}

/* The options; returns the command. */
static char **read_options(char **argv, struct keys keys[MOST_KEYS], size_t *ret_count)
{
    for (*ret_count = 0; argv[0] && *ret_count < MOST_KEYS; (*ret_count)++) {
        bool interrupts = strcmp(argv[0], "-i") == 0 && argv[1];
        bool types = strcmp(argv[0], "-t") == 0 && argv[1] && argv[2];
        if (!interrupts && !types)
            break;
        keys[*ret_count] =
            (struct keys){.at = argv[1], .what = interrupts ? "\003" : argv[2], .is_line = types};
        argv += interrupts ? 2 : 3;
    }
    return argv;
}

int main(int argc, char **argv)
{
    char name[128];
    struct keys keys[MOST_KEYS];
    size_t count = 0;
    char **command = read_options(argv + (argc > 0), keys, &count);
    int fd = command[0] ? open_terminal(name, sizeof(name)) : -1, status = 0;
    if (fd < 0)
        return NO_TERMINAL;
    pid_t pid = fork();
    if (pid == 0)
        become(name, command);
    if (pid < 0)
        return NO_TERMINAL;
    copy(fd, keys, count);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
