/* thread: the stand-in in a thread of its own; see standin.h. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "tests/standin/standin.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct standin_thread {
    struct standin *standin;
    pthread_t thread;
    int stop; /* an eventfd, readable once the thread shall end */
};

static void *run(void *data)
{
    struct standin_thread *thread = data;
    struct pollfd fds[] = {{.fd = standin_fd(thread->standin), .events = POLLIN},
                           {.fd = thread->stop, .events = POLLIN}};
    while (!fds[1].revents) {
        if (poll(fds, 2, -1) < 0 && errno != EINTR)
            break;
        if (standin_process(thread->standin) < 0)
            break;
    }
    return NULL;
}

/* Signals are for the threads of the program that started us. */
static int start(struct standin_thread *thread)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(&thread->thread, NULL, run, thread);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return -error;
}

int standin_thread_start(const struct standin_options *options, struct standin_thread **ret)
{
    struct standin_thread *thread = calloc(1, sizeof(*thread));
    if (!thread)
        return -ENOMEM;
    int error = standin_new(options, &thread->standin);
    if (error) {
        free(thread);
        return error;
    }
    thread->stop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    error = thread->stop < 0 ? -errno : start(thread);
    if (error) {
        if (thread->stop >= 0)
            close(thread->stop);
        standin_free(thread->standin);
        free(thread);
        return error;
    }
    *ret = thread;
    return 0;
}

int standin_thread_port(const struct standin_thread *thread)
{
    return standin_port(thread->standin);
}

void standin_thread_stop(struct standin_thread *thread, char **ret_log)
{
    if (!thread)
        return;
    uint64_t one = 1;
    ssize_t ignored = write(thread->stop, &one, sizeof(one));
    (void)ignored; /* an eventfd takes its first write */
    pthread_join(thread->thread, NULL);
    if (ret_log)
        *ret_log = standin_log(thread->standin);
    close(thread->stop);
    standin_free(thread->standin);
    free(thread);
}
