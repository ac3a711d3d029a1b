/* koine-standin: the stand-in provider as a program; `koine standin` starts it.
 *
 * One line on standard output says where it listens; it ends with status 0 on SIGINT and SIGTERM, and with
 * --until-eof when its standard input ends. Status 1: it could not start. Status 2: wrong usage.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "tests/standin/standin.h"

#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#ifndef KOINE_VERSION /* the build says it */
#define KOINE_VERSION "unknown"
#endif

enum {
    STATUS_FAULT = 1,
    STATUS_USAGE = 2
};

struct settings {
    struct standin_options options;
    const char **behave; /* owned; the strings are argv's */
    size_t behaves;
    const char *port_file;
    bool until_eof, quiet;
};

static const char *own_name = "koine-standin"; /* or "koine standin", as which the command starts it */

static int usage(FILE *stream)
{
    fprintf(stream, "Usage: %s [OPTION]...\n", own_name);
    fputs("A provider on 127.0.0.1 that speaks chat completions and misbehaves by the\n"
          "model's name: MODEL!BEHAVIOUR, or BEHAVIOUR, or NAME/BEHAVIOUR.\n\n"
          "  --port N                     listen on this port (default 0: any free one)\n"
          "  --scale F                    multiply every delay; 0.02 is 50 times as fast\n"
          "  --scale-advice               and the number in Retry-After\n"
          "  --behave PROVIDER=BEHAVIOUR  what it does when the model does not say\n"
          "  --tokens N                   tokens of an answer (default 60)\n"
          "  --port-file FILE             write the port there, too\n"
          "  --until-eof                  end when standard input ends\n"
          "  --quiet                      no line per request on standard error\n"
          "  --help                       show this\n"
          "  --version                    show the version\n\n"
          "The log of requests is at /standin/log. Behaviours:\n",
          stream);
    const char *name, *help;
    for (size_t i = 0; (name = standin_behaviour(i, &help)); i++)
        fprintf(stream, "  %-17s %s\n", name, help);
    return ferror(stream) ? STATUS_FAULT : 0;
}

static int complain(const char *what, const char *about, const char *wanted)
{
    fprintf(stderr, "%s: %s '%s': %s\n", own_name, what, about, wanted);
    return STATUS_USAGE;
}

static bool read_number(const char *text, long highest, long *ret)
{
    char *end;
    errno = 0;
    long number = strtol(text, &end, 10);
    if (errno || end == text || *end || number < 0 || number > highest)
        return false;
    *ret = number;
    return true;
}

static bool read_scale(const char *text, double *ret)
{
    char *end;
    double number = strtod(text, &end);
    if (end == text || *end || !(number > 0 && number <= 1000))
        return false;
    *ret = number;
    return true;
}

/* 0, or the status to end with. */
static int read_option(struct settings *settings, int option)
{
    long number;
    switch (option) {
    case 'p':
        if (!read_number(optarg, 65535, &number))
            return complain("--port", optarg, "a number from 0 to 65535 is wanted");
        settings->options.port = (int)number;
        return 0;
    case 's':
        return read_scale(optarg, &settings->options.scale)
                   ? 0
                   : complain("--scale", optarg, "a number above 0, up to 1000, is wanted");
    case 't':
        if (!read_number(optarg, 100000, &number) || number == 0)
            return complain("--tokens", optarg, "a number from 1 to 100000 is wanted");
        settings->options.tokens = (unsigned)number;
        return 0;
    case 'b':
        if (standin_behave_check(optarg) < 0)
            return complain("--behave", optarg, "PROVIDER=BEHAVIOUR is wanted, with a behaviour of --help");
        settings->behave[settings->behaves++] = optarg;
        return 0;
    case 'a':
        settings->options.scale_advice = true;
        return 0;
    case 'f':
        settings->port_file = optarg;
        return 0;
    case 'e':
        settings->until_eof = true;
        return 0;
    case 'q':
        settings->quiet = true;
        return 0;
    default:
        fprintf(stderr, "Try '%s --help'.\n", own_name);
        return STATUS_USAGE;
    }
}

/* 0: go on; above: end with that status; -1: all was said, end with 0. */
static int read_options(struct settings *settings, int argc, char **argv)
{
    static const struct option options[] = {{"port", required_argument, NULL, 'p'},
                                            {"scale", required_argument, NULL, 's'},
                                            {"behave", required_argument, NULL, 'b'},
                                            {"tokens", required_argument, NULL, 't'},
                                            {"port-file", required_argument, NULL, 'f'},
                                            {"until-eof", no_argument, NULL, 'e'},
                                            {"quiet", no_argument, NULL, 'q'},
                                            {"help", no_argument, NULL, 'h'},
                                            {"scale-advice", no_argument, NULL, 'a'},
                                            {"version", no_argument, NULL, 'v'},
                                            {NULL, 0, NULL, 0}};
    int option;
    while ((option = getopt_long(argc, argv, "", options, NULL)) >= 0) {
        if (option == 'h')
            return usage(stdout) ? STATUS_FAULT : -1;
        if (option == 'v')
            return puts("koine-standin " KOINE_VERSION) < 0 ? STATUS_FAULT : -1;
        int status = read_option(settings, option);
        if (status)
            return status;
    }
    return optind < argc ? complain("argument", argv[optind], "none is wanted; try --help") : 0;
}

static void say(void *user, const char *line)
{
    (void)user;
    fprintf(stderr, "%s\n", line);
}

/* By way of a second name, so that whoever waits for the file never reads half of it. */
static int write_port_file(const char *name, int port)
{
    char *partial;
    if (asprintf(&partial, "%s.%ld", name, (long)getpid()) < 0)
        return -ENOMEM;
    FILE *file = fopen(partial, "we");
    int error = file ? 0 : -errno;
    if (file) {
        bool written = fprintf(file, "%d\n", port) > 0;
        if (fclose(file) != 0 || !written || rename(partial, name) < 0) {
            error = -errno;
            unlink(partial);
        }
    }
    free(partial);
    return error;
}

static int announce(const struct settings *settings, int port)
{
    int error = settings->port_file ? write_port_file(settings->port_file, port) : 0;
    if (error) {
        fprintf(stderr, "%s: %s: %s\n", own_name, settings->port_file, strerror(-error));
        return STATUS_FAULT;
    }
    if (printf("koine-standin: http://127.0.0.1:%d\n", port) < 0 || fflush(stdout) != 0) {
        fprintf(stderr, "%s: standard output: %s\n", own_name, strerror(errno));
        return STATUS_FAULT;
    }
    return 0;
}

/* A thousand and more connections need more descriptors than the usual soft limit. */
static void raise_descriptor_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static int open_signals(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigprocmask(SIG_BLOCK, &set, NULL);
    return signalfd(-1, &set, SFD_CLOEXEC);
}

/* Reads standard input and throws it away. True: it has ended. */
static bool input_ended(void)
{
    char waste[4096];
    ssize_t count = read(STDIN_FILENO, waste, sizeof(waste));
    return count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR);
}

static int run(struct standin *standin, int signals, bool until_eof)
{
    struct pollfd fds[] = {{.fd = standin_fd(standin), .events = POLLIN},
                           {.fd = signals, .events = POLLIN},
                           {.fd = until_eof ? STDIN_FILENO : -1, .events = POLLIN}};
    for (;;) {
        if (poll(fds, 3, -1) < 0 && errno != EINTR)
            return STATUS_FAULT;
        if (fds[1].revents || (fds[2].revents && input_ended()))
            return 0;
        int error = standin_process(standin);
        if (error) {
            fprintf(stderr, "%s: %s\n", own_name, strerror(-error));
            return STATUS_FAULT;
        }
    }
}

static int serve(struct settings *settings)
{
    struct standin *standin;
    int signals = open_signals();
    raise_descriptor_limit();
    settings->options.behave = settings->behave;
    settings->options.said = settings->quiet ? NULL : say;
    int error = signals < 0 ? -errno : standin_new(&settings->options, &standin);
    if (error) {
        fprintf(stderr, "%s: port %d: %s\n", own_name, settings->options.port, strerror(-error));
        return STATUS_FAULT;
    }
    int status = announce(settings, standin_port(standin));
    if (!status)
        status = run(standin, signals, settings->until_eof);
    standin_free(standin);
    close(signals);
    return status;
}

int main(int argc, char **argv)
{
    struct settings settings = {.behave = calloc((size_t)argc + 1, sizeof(*settings.behave))};
    if (!settings.behave)
        return STATUS_FAULT;
    if (argc > 0 && strcmp(argv[0], "koine standin") == 0)
        own_name = argv[0];
    int status = read_options(&settings, argc, argv);
    if (status == 0)
        status = serve(&settings);
    free(settings.behave);
    return status < 0 ? 0 : status;
}
