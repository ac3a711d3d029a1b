/* child: the process, its limits, and the parent that looks on. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "apps/plugin-check/child.h"

#include "apps/plugin-check/stages.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MOST_MEMORY    ((rlim_t)1 << 30)    /* bytes of a child */
#define MOST_PROCESSOR ((rlim_t)600)        /* s of a child */
#define LOOP_PROCESSOR INT64_C(4000000000)  /* ns of one call */
#define LOOP_WALL      INT64_C(30000000000) /* ns of one call that only waits */
#define LOOK_EVERY     20                   /* ms */

/* ---- The child ---- */

static void (*const stages[STAGES])(struct inspection *in) = {
    [STAGE_LOAD] = stage_tables,     [STAGE_CASES] = stage_cases, [STAGE_HOSTILE] = stage_hostile,
    [STAGE_UNKNOWN] = stage_unknown, [STAGE_ALLOC] = stage_alloc, [STAGE_INTERLEAVE] = stage_interleave,
    [STAGE_THREADS] = stage_threads, [STAGE_COST] = stage_cost,   [STAGE_BUDGET] = stage_budget,
};

size_t __sanitizer_get_current_allocated_bytes(void) __attribute__((weak));

static void limit(int resource, rlim_t most)
{
    struct rlimit now;
    if (getrlimit(resource, &now) == 0 && most < now.rlim_max)
        setrlimit(resource, &(struct rlimit){most, most});
}

/* A crash is a signal, whatever sanitizers make of it; a plugin finds no files to write, no words to read. */
static void confine(void)
{
    static const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGXCPU};
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
        signal(signals[i], SIG_DFL);
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_FSIZE, 0);
    limit(RLIMIT_CPU, MOST_PROCESSOR);
    if (!__sanitizer_get_current_allocated_bytes) /* sanitizers reserve more than anybody has */
        limit(RLIMIT_DATA, MOST_MEMORY);
    int nowhere = open("/dev/null", O_RDWR);
    if (nowhere >= 0) {
        dup2(nowhere, STDIN_FILENO);
        dup2(nowhere, STDOUT_FILENO);
        dup2(nowhere, STDERR_FILENO);
    }
    clearenv();
}

static void inspect(struct inspection *in, enum stage stage, const koine_provider *provider)
{
    in->provider = provider;
    in->kept = *provider;
    snprintf(in->traces->provider, sizeof(in->traces->provider), "%s", provider->id);
    inspection_at(in, "%s", "");
    stages[stage](in);
    inspection_at(in, "%s", "");
    if (memcmp(&in->kept, provider, sizeof(in->kept)) != 0)
        inspection_found(in, RULE_INVARIANT_TABLE, "entry", "the table has changed since the entry gave it",
                         NULL);
}

_Noreturn static void run(struct inspection *in, enum stage stage)
{
    const koine_provider *providers[MOST_PROVIDERS];
    confine();
    size_t count = stage_load(in, providers, stage != STAGE_LOAD);
    for (size_t i = 0; i < count; i++)
        inspect(in, stage, providers[i]);
    atomic_store(&in->traces->done, count > 0);
    _exit(0);
}

/* ---- The parent ---- */

struct guard { /* over one child */
    pid_t pid;
    int pipe;
    unsigned calls;          /* when we last looked */
    int64_t processor, wall; /* since when they have not changed, ns */
};

static int64_t read_clock(clockid_t clock)
{
    struct timespec now = {0, 0};
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int64_t processor_of(pid_t pid)
{
    clockid_t clock;
    return clock_getcpuclockid(pid, &clock) == 0 ? read_clock(clock) : 0;
}

/* Whether one call has been running for too long. */
static bool is_looping(struct guard *guard, struct inspection *in)
{
    unsigned calls = atomic_load(&in->traces->calls);
    int64_t processor = processor_of(guard->pid), wall = read_clock(CLOCK_MONOTONIC);
    if (calls != guard->calls) {
        guard->calls = calls;
        guard->processor = processor;
        guard->wall = wall;
        return false;
    }
    return processor - guard->processor > LOOP_PROCESSOR || wall - guard->wall > LOOP_WALL;
}

/* False: the child has closed its end. */
static bool take(struct guard *guard, struct inspection *in)
{
    struct finding finding;
    ssize_t got = read(guard->pipe, &finding, sizeof(finding));
    if (got == (ssize_t)sizeof(finding))
        findings_add(&in->findings, &finding);
    return got > 0 || (got < 0 && errno == EINTR);
}

/* True: it was ended because it did not end. */
static bool look_on(struct guard *guard, struct inspection *in)
{
    struct pollfd fd = {.fd = guard->pipe, .events = POLLIN};
    for (;;) {
        int ready = poll(&fd, 1, LOOK_EVERY);
        if (ready > 0 && !take(guard, in))
            return false;
        if (is_looping(guard, in)) {
            kill(guard->pid, SIGKILL);
            return true;
        }
    }
}

static void tell(struct inspection *in, enum rule rule, const char *seen)
{
    struct finding finding = {.rule = (int32_t)rule};
    snprintf(finding.function, sizeof(finding.function), "%s", in->traces->function);
    snprintf(finding.provider, sizeof(finding.provider), "%s", in->traces->provider);
    snprintf(finding.where, sizeof(finding.where), "%s", in->traces->where);
    snprintf(finding.seen, sizeof(finding.seen), "%s", seen);
    if (!in->skipped[rule])
        findings_add(&in->findings, &finding);
}

static void tell_crash(struct inspection *in, int status)
{
    char seen[128];
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU)
        snprintf(seen, sizeof(seen), "the stage took more than %d s of processor time", (int)MOST_PROCESSOR);
    else if (WIFSIGNALED(status))
        snprintf(seen, sizeof(seen), "signal %d, %s", WTERMSIG(status), sigdescr_np(WTERMSIG(status)));
    else
        snprintf(seen, sizeof(seen), "it ended the process with status %d", WEXITSTATUS(status));
    tell(in, RULE_CRASH, seen);
}

static enum child_end bury(struct guard *guard, struct inspection *in, enum stage stage, bool looped)
{
    int status = 0;
    while (waitpid(guard->pid, &status, 0) < 0 && errno == EINTR)
        continue;
    while (take(guard, in)) /* what was told before the end */
        continue;
    close(guard->pipe);
    bool ended = WIFEXITED(status) && WEXITSTATUS(status) == 0 && !*in->traces->function;
    in->tried[stage] = ended && atomic_load(&in->traces->done);
    if (looped)
        tell(in, RULE_TIME_LOOP, "it had not returned after 4 s of processor time, or 30 s of waiting");
    else if (!ended)
        tell_crash(in, status);
    return looped ? CHILD_LOOPED : in->tried[stage] ? CHILD_DONE : CHILD_CRASHED;
}

enum child_end child_run(struct inspection *in, enum stage stage)
{
    int ends[2];
    uint32_t count = in->traces->provider_count;
    if (pipe2(ends, O_CLOEXEC) < 0)
        abort();
    in->traces->function[0] = in->traces->provider[0] = in->traces->where[0] = '\0';
    atomic_store(&in->traces->done, false);
    in->pipe = ends[1];
    pid_t pid = fork();
    if (pid < 0)
        abort();
    if (pid == 0) {
        close(ends[0]);
        run(in, stage);
    }
    close(ends[1]);
    struct guard guard = {.pid = pid, .pipe = ends[0], .wall = read_clock(CLOCK_MONOTONIC)};
    bool looped = look_on(&guard, in);
    if (stage != STAGE_LOAD)
        in->traces->provider_count = count;
    return bury(&guard, in, stage, looped);
}
