/* isolate_lock: see isolate_lock.h. The filters are plain BPF (seccomp(2)); the second narrows the first. */
#include "core/plugin/isolate_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#define LARGEST_MEMORY ((rlim_t)1 << 30)
#define MOST_RULES     160

#if defined(__x86_64__)
#define ARCHITECTURE         AUDIT_ARCH_X86_64
#define FOREIGN_CALLS        0x40000000u /* x32 numbers begin here */
#define ARGUMENT(context, n) ((context)->uc_mcontext.gregs[(n) == 0 ? REG_RDI : (n) == 1 ? REG_RSI : REG_RDX])
#define ARGUMENT_4(context)  ((context)->uc_mcontext.gregs[REG_R10])
#define RESULT(context)      ((context)->uc_mcontext.gregs[REG_RAX])
#elif defined(__aarch64__)
#define ARCHITECTURE         AUDIT_ARCH_AARCH64
#define FOREIGN_CALLS        UINT32_MAX
#define ARGUMENT(context, n) ((context)->uc_mcontext.regs[n])
#define ARGUMENT_4(context)  ((context)->uc_mcontext.regs[3])
#define RESULT(context)      ((context)->uc_mcontext.regs[0])
#endif

#ifndef __has_feature
#define __has_feature(name) 0 /* clang's way to ask */
#endif
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
#define SANITIZED 1
#else
#define SANITIZED 0
#endif

/* ---- Limits and signals ---------------------------------------------------------------------------- */

/* By a signal that nobody can mask or handle: a plugin has this process's memory, and so its signal frames,
 * in its hands. It also comes when only the thread ends that started us; then the next job starts another. */
static const char *follow_parent(int parent)
{
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
        return "it cannot end with its parent";
    return getppid() == parent ? NULL : "its parent is gone";
}

static int limit(int which, rlim_t value)
{
    const struct rlimit both = {value, value};
    return setrlimit((__rlimit_resource_t)which, &both);
}

const char *koine__isolate_shut_in(int last_fd, int parent)
{
    const char *wrong = follow_parent(parent);
    if (wrong)
        return wrong;
    if (syscall(SYS_close_range, (unsigned)last_fd + 1, UINT32_MAX, 0) < 0)
        return "it cannot close what it inherited";
    if (limit(RLIMIT_CORE, 0) < 0 || limit(RLIMIT_FSIZE, 0) < 0 || limit(RLIMIT_NPROC, 0) < 0 ||
        (!SANITIZED && limit(RLIMIT_AS, LARGEST_MEMORY) < 0))
        return "it cannot limit itself";
    if (prctl(PR_SET_DUMPABLE, 0) < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return "it cannot give up its privileges";
    return NULL;
}

/* ---- Filters --------------------------------------------------------------------------------------- */

#ifdef ARCHITECTURE

struct filter {
    struct sock_filter rules[MOST_RULES];
    unsigned short count;
};

static void rule(struct filter *filter, uint16_t code, uint8_t if_true, uint8_t if_false, uint32_t value)
{
    filter->rules[filter->count++] = (struct sock_filter){code, if_true, if_false, value};
}

static void look_at(struct filter *filter, size_t offset)
{
    rule(filter, BPF_LD | BPF_W | BPF_ABS, 0, 0, (uint32_t)offset);
}

static void answer(struct filter *filter, uint32_t what)
{
    rule(filter, BPF_RET | BPF_K, 0, 0, what);
}

static void begin(struct filter *filter)
{
    filter->count = 0;
    look_at(filter, offsetof(struct seccomp_data, arch));
    rule(filter, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, ARCHITECTURE);
    answer(filter, SECCOMP_RET_KILL_PROCESS);
    look_at(filter, offsetof(struct seccomp_data, nr));
    rule(filter, BPF_JMP | BPF_JGE | BPF_K, 0, 1, FOREIGN_CALLS);
    answer(filter, SECCOMP_RET_KILL_PROCESS);
}

static void on_call(struct filter *filter, long number, uint32_t what)
{
    rule(filter, BPF_JMP | BPF_JEQ | BPF_K, 0, 1, (uint32_t)number);
    answer(filter, what);
}

/* The low half of an argument decides, and the high half is taken for granted: these are int in the kernel.
 */
static size_t low_half(unsigned index)
{
    return offsetof(struct seccomp_data, args) + index * sizeof(uint64_t);
}

/* Permitted unless the argument has one of the bits. */
static void on_call_without(struct filter *filter, long number, unsigned argument, uint32_t bits)
{
    rule(filter, BPF_JMP | BPF_JEQ | BPF_K, 0, 4, (uint32_t)number);
    look_at(filter, low_half(argument));
    rule(filter, BPF_JMP | BPF_JSET | BPF_K, 0, 1, bits);
    answer(filter, SECCOMP_RET_ERRNO | EPERM);
    answer(filter, SECCOMP_RET_ALLOW);
}

/* Permitted where the argument is exactly that. */
static void on_call_with(struct filter *filter, long number, unsigned argument, uint32_t value)
{
    rule(filter, BPF_JMP | BPF_JEQ | BPF_K, 0, 4, (uint32_t)number);
    look_at(filter, low_half(argument));
    rule(filter, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, value);
    answer(filter, SECCOMP_RET_ERRNO | EPERM);
    answer(filter, SECCOMP_RET_ALLOW);
}

static void permit_all(struct filter *filter, const long *numbers, size_t count)
{
    for (size_t i = 0; i < count; i++)
        on_call(filter, numbers[i], SECCOMP_RET_ALLOW);
}

/* What a program that computes needs: its two ends of a socket, memory, clocks, and its own end. */
static const long always[] = {
    SYS_read,   SYS_write,   SYS_futex,     SYS_clock_gettime, SYS_munmap,       SYS_brk,
    SYS_mremap, SYS_madvise, SYS_getrandom, SYS_exit_group,    SYS_exit,         SYS_rt_sigreturn,
    SYS_getpid, SYS_gettid,  SYS_getppid,   SYS_gettimeofday,  SYS_clock_getres, SYS_restart_syscall,
};
/* An object is opened by a descriptor that is there; these look at it. */
static const long loading[] = {SYS_fstat, SYS_pread64,  SYS_lseek,  SYS_close,
                               SYS_mmap,  SYS_mprotect, SYS_seccomp};
#if SANITIZED
static const long sanitizers[] = {SYS_sched_yield, SYS_sigaltstack, SYS_rt_sigprocmask};
#endif

static const char *install(const struct filter *filter)
{
    const struct sock_fprog program = {filter->count, (struct sock_filter *)filter->rules};
    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0
               ? NULL
               : "the system has no filter for system calls (seccomp)";
}

/* Both filters begin so. abort() sends its signal to this process alone. */
static void permit_always(struct filter *filter)
{
    begin(filter);
    permit_all(filter, always, sizeof(always) / sizeof(always[0]));
    on_call_with(filter, SYS_tgkill, 0, (uint32_t)getpid());
}

/* ---- The one file ---------------------------------------------------------------------------------- */

static const char *object_path;
static int object_fd = -1;

static long open_object(const char *path)
{
    int fd = object_fd;
    if (fd < 0 || strcmp(path, object_path) != 0)
        return -EACCES;
    object_fd = -1;
    return fd;
}

/* fstat, as newer C libraries spell it: no name, and the descriptor. */
static long look_at_file(int fd, const char *path, struct stat *ret, int flags)
{
    if (*path || !(flags & AT_EMPTY_PATH))
        return -EACCES;
    return syscall(SYS_fstat, fd, ret) == 0 ? 0 : -errno;
}

/* The number of the call is in the signal's words; its arguments and its result are in the registers. */
static void on_call_not_made(int number, siginfo_t *info, void *where)
{
    ucontext_t *context = where;
    int saved = errno;
    (void)number;
    if (info->si_syscall == SYS_openat)
        RESULT(context) = open_object((const char *)ARGUMENT(context, 1));
    else if (info->si_syscall == SYS_newfstatat)
        RESULT(context) = look_at_file((int)ARGUMENT(context, 0), (const char *)ARGUMENT(context, 1),
                                       (struct stat *)ARGUMENT(context, 2), (int)ARGUMENT_4(context));
    else
        RESULT(context) = -EPERM;
    errno = saved;
}

const char *koine__isolate_lock_loading(const char *path, int fd)
{
    struct sigaction action = {.sa_sigaction = on_call_not_made, .sa_flags = SA_SIGINFO | SA_NODEFER};
    struct filter filter;
    object_path = path;
    object_fd = fd;
    if (sigaction(SIGSYS, &action, NULL) < 0 || limit(RLIMIT_NOFILE, 0) < 0)
        return "it cannot limit itself";
    permit_always(&filter);
    on_call(&filter, SYS_openat, SECCOMP_RET_TRAP);
    on_call(&filter, SYS_newfstatat, SECCOMP_RET_TRAP);
#if SANITIZED
    permit_all(&filter, sanitizers, sizeof(sanitizers) / sizeof(sanitizers[0]));
#endif
    permit_all(&filter, loading, sizeof(loading) / sizeof(loading[0]));
    answer(&filter, SECCOMP_RET_ERRNO | EPERM);
    return install(&filter);
}

const char *koine__isolate_lock_running(void)
{
    struct filter filter;
    object_fd = -1;
    permit_always(&filter);
#if SANITIZED
    permit_all(&filter, sanitizers, sizeof(sanitizers) / sizeof(sanitizers[0]));
#endif
    on_call_without(&filter, SYS_mmap, 2, PROT_EXEC);
    on_call_without(&filter, SYS_mprotect, 2, PROT_EXEC);
    answer(&filter, SECCOMP_RET_ERRNO | EPERM);
    return install(&filter);
}

#else

const char *koine__isolate_lock_loading(const char *path, int fd)
{
    (void)path;
    (void)fd;
    return "isolation is there for x86-64 and AArch64 only";
}

const char *koine__isolate_lock_running(void)
{
    return "isolation is there for x86-64 and AArch64 only";
}

#endif
