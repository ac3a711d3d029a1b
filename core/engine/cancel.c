/* cancel: see cancel.h. */
#include "core/engine/cancel.h"

#include "core/base/mem.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct koine_canceller {
    atomic_int references;
    atomic_bool cancelled;
    int fd;
    pid_t pid; /* a child shares the descriptor, and must not end its parent's calls */
};

int koine_canceller_new(koine_canceller **ret)
{
    if (!ret)
        return KOINE_EARGUMENT;
    koine_canceller *canceller = koine__alloc(sizeof(*canceller));
    if (!canceller)
        return KOINE_EMEMORY;
    canceller->pid = getpid();
    canceller->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (canceller->fd < 0) {
        koine__dealloc(canceller);
        return KOINE_ESYSTEM;
    }
    atomic_init(&canceller->references, 1);
    *ret = canceller;
    return KOINE_OK;
}

koine_canceller *koine__canceller_ref(koine_canceller *canceller)
{
    if (canceller)
        atomic_fetch_add(&canceller->references, 1);
    return canceller;
}

void koine_canceller_free(koine_canceller *canceller)
{
    if (!canceller || atomic_fetch_sub(&canceller->references, 1) != 1)
        return;
    close(canceller->fd);
    koine__dealloc(canceller);
}

/* Only what a signal handler may do. */
void koine_cancel(koine_canceller *canceller)
{
    static const uint64_t one = 1;
    int saved = errno;
    if (canceller && canceller->pid == getpid() && !atomic_exchange(&canceller->cancelled, true)) {
        ssize_t written = write(canceller->fd, &one, sizeof(one));
        (void)written; /* the counter cannot overflow: it is written once */
    }
    errno = saved;
}

int koine_canceller_is_cancelled(const koine_canceller *canceller)
{
    return canceller && atomic_load(&((koine_canceller *)(uintptr_t)canceller)->cancelled);
}

int koine__canceller_fd(const koine_canceller *canceller)
{
    return canceller->fd;
}
