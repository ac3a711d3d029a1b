/* Cancellers: raised once and for all, from anywhere. */
#include "core/engine/cancel.h"

#include "core/base/mem.h"
#include "tests/unit/failalloc.h"
#include "tests/unit/suite.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

static int is_readable(int fd)
{
    struct pollfd polled = {.fd = fd, .events = POLLIN};
    return poll(&polled, 1, 0) == 1;
}

static koine_canceller *fresh(void)
{
    koine_canceller *canceller = NULL;
    ASSERT_INT(koine_canceller_new(&canceller), KOINE_OK);
    CU_ASSERT_PTR_NOT_NULL_FATAL(canceller);
    return canceller;
}

static void raised_once(void)
{
    koine_canceller *canceller = fresh();
    int fd = koine__canceller_fd(canceller);
    ASSERT_INT(koine_canceller_is_cancelled(canceller), 0);
    ASSERT_INT(is_readable(fd), 0);
    ASSERT_INT(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    for (int i = 0; i < 3; i++) {
        errno = 7;
        koine_cancel(canceller);
        ASSERT_INT(errno, 7);
        ASSERT_INT(koine_canceller_is_cancelled(canceller), 1);
        ASSERT_INT(is_readable(fd), 1);
    }
    koine_canceller_free(canceller);
}

static void references(void)
{
    koine_canceller *canceller = fresh();
    int fd = koine__canceller_fd(canceller);
    CU_ASSERT_PTR_EQUAL(koine__canceller_ref(canceller), canceller);
    koine_canceller_free(canceller);
    CU_ASSERT(fcntl(fd, F_GETFD) >= 0);
    koine_cancel(canceller);
    koine_canceller_free(canceller);
    ASSERT_INT(fcntl(fd, F_GETFD), -1);
}

static void nobody(void)
{
    koine_cancel(NULL);
    koine_canceller_free(NULL);
    ASSERT_INT(koine_canceller_is_cancelled(NULL), 0);
    CU_ASSERT_PTR_NULL(koine__canceller_ref(NULL));
    ASSERT_INT(koine_canceller_new(NULL), KOINE_EARGUMENT);
}

static void *raise_it(void *canceller)
{
    for (int i = 0; i < 1000; i++)
        koine_cancel(canceller);
    return NULL;
}

static void from_many_threads(void)
{
    koine_canceller *canceller = fresh();
    pthread_t threads[4];
    for (size_t i = 0; i < 4; i++)
        CU_ASSERT_FATAL(pthread_create(&threads[i], NULL, raise_it, canceller) == 0);
    for (size_t i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    uint64_t count = 0;
    ASSERT_INT(read(koine__canceller_fd(canceller), &count, sizeof(count)), sizeof(count));
    ASSERT_INT(count, 1);
    koine_canceller_free(canceller);
}

static koine_canceller *of_the_handler;

static void on_signal(int number)
{
    (void)number;
    koine_cancel(of_the_handler);
}

static void from_a_signal_handler(void)
{
    struct sigaction action = {.sa_handler = on_signal}, before;
    of_the_handler = fresh();
    sigaction(SIGUSR1, &action, &before);
    raise(SIGUSR1);
    sigaction(SIGUSR1, &before, NULL);
    ASSERT_INT(koine_canceller_is_cancelled(of_the_handler), 1);
    koine_canceller_free(of_the_handler);
}

static void no_descriptor(void)
{
    struct rlimit before, none;
    koine_canceller *canceller = NULL;
    getrlimit(RLIMIT_NOFILE, &before);
    none = before;
    none.rlim_cur = 0;
    setrlimit(RLIMIT_NOFILE, &none);
    int rc = koine_canceller_new(&canceller);
    setrlimit(RLIMIT_NOFILE, &before);
    ASSERT_INT(rc, KOINE_ESYSTEM);
    CU_ASSERT_PTR_NULL(canceller);
}

static void no_memory(void)
{
    koine_canceller *canceller = NULL;
    failalloc_begin(1);
    ASSERT_INT(koine_canceller_new(&canceller), KOINE_EMEMORY);
    CU_ASSERT(failalloc_end());
    CU_ASSERT_PTR_NULL(canceller);
}

SUITE_MAIN("cancel", {"raised once", raised_once}, {"references", references}, {"nobody", nobody},
           {"from many threads", from_many_threads}, {"from a signal handler", from_a_signal_handler},
           {"no descriptor", no_descriptor}, {"no memory", no_memory})
