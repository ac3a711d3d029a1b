/* bench: what Koine costs beside a bare program on libcurl and json-c; see docs/benchmarks.md.
 *
 *   bench --plugins FOLDER [--koine PROGRAM] [--decode PROGRAM] [--rounds N]
 *   bench --plugins FOLDER --only koine|bare MEASURE CALLS    (for a profiler: one side, no comparison)
 *
 * Each measure forks one process for each side; they work in alternation, one batch of calls at a time, while
 * the other waits. Reported are medians over the rounds, and the median of the rounds' ratios. Instructions
 * are counted in user space, where the machine lets us.
 */
#include "tests/bench/bench.h"
#include "tests/bench/stopwatch.h"

#include <koine/json.h>
#include <koine/koine.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    MOST_ROUNDS = 99,
    STREAMS = 1000,
    STARTS = 20, /* of programs */
    LARGE_COUNT = 40,
    LARGE_TEXT = 490,
    GO = 'g',
    STOP = 's'
};

static struct {
    const char *plugins, *koine, *decode;
    int rounds, port;
    int listener, leash[2];
} bench = {.rounds = 15};

static const struct row {
    enum measure measure;
    const char *name, *title;
    double target; /* of the ratio; 0: none */
    int calls;     /* in one batch */
    long len;      /* of the answer's text */
} rows[] = {
    {WHOLE, "whole", "koine_generate, 700-byte answer", 1.25, 300, 197},
    {EVENTS, "events", "stream of 100 events, one write each", 1.15, 20, 96 * 6},
    {COALESCED, "coalesced", "stream of 100 events, one write in all", 0, 200, 96 * 6},
    {BUILT, "built", "request of 21 kB, 40 messages built", 0.6, 100, 197},
    {TEXT, "text", "request of 21 kB, 40 messages as JSON text", 0.6, 100, 197},
};
enum {
    ROWS = sizeof(rows) / sizeof(rows[0])
};

static struct message small[1] = {{"user", "In two sentences: why is the sky blue?"}};
static struct message large[LARGE_COUNT];
static char *large_document;

__attribute__((noreturn)) static void give_up(const char *what)
{
    fprintf(stderr, "bench: %s\n", what);
    exit(1);
}

/* ---- What is asked ---- */

/* Prose with a line's end and a quoted word here and there, as prose has them. */
static char *new_text(int number)
{
    static const char *const words[] = {"what ", "was ",  "said ",      "before ", "in ", "this ", "talk, ",
                                        "and ",  "what ", "\"koine\" ", "meant\n", "to ", "them "};
    char *text = malloc(LARGE_TEXT + 16);
    size_t len = 0;
    for (int i = number; text && len < LARGE_TEXT; i++)
        len = (size_t)(stpcpy(text + len, words[i % 13]) - text);
    return text;
}

static void write_document(void)
{
    koine_json_writer *writer = koine_json_writer_new();
    koine_json_open(writer, NULL, '{');
    koine_json_add_string(writer, "model", "gpt-4o-mini");
    koine_json_open(writer, "messages", '[');
    for (int i = 0; i < LARGE_COUNT; i++) {
        koine_json_open(writer, NULL, '{');
        koine_json_add_string(writer, "role", large[i].role);
        koine_json_add_string(writer, "content", large[i].text);
        koine_json_close(writer);
    }
    koine_json_close(writer);
    koine_json_add_integer(writer, "max_tokens", 400);
    koine_json_close(writer);
    large_document = koine_json_writer_take(writer, NULL); /* and with it the writer */
}

static void prepare(void)
{
    for (int i = 0; i < LARGE_COUNT; i++) {
        large[i].role = i % 2 ? "assistant" : "user";
        large[i].text = new_text(i);
        if (!large[i].text)
            give_up("no memory");
    }
    write_document();
    if (!large_document)
        give_up("no memory");
}

static struct work work_for(enum measure measure)
{
    static char url[128];
    struct work work = {.measure = measure,
                        .url = url,
                        .messages = measure == BUILT ? large : small,
                        .count = measure == BUILT ? LARGE_COUNT : 1,
                        .document = large_document,
                        .plugins = bench.plugins};
    snprintf(url, sizeof(url), "http://127.0.0.1:%d/%s/v1", bench.port, measure_paths[measure]);
    return work;
}

/* ---- The processes ---- */

/* The server has a processor of its own, so that neither side is moved about by it. */
static void stay_on(int processor)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(processor, &set);
    if (sysconf(_SC_NPROCESSORS_ONLN) > processor)
        sched_setaffinity(0, sizeof(set), &set);
}

static void start_server(void)
{
    bench.listener = server_listen(&bench.port);
    if (bench.listener < 0 || pipe2(bench.leash, O_CLOEXEC) < 0)
        give_up("no listener on loopback");
    fflush(stdout);
    if (fork() == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        close(bench.leash[1]);
        stay_on(1);
        server_run(bench.listener, bench.leash[0]);
        _exit(0);
    }
    close(bench.listener);
    close(bench.leash[0]);
}

struct sample { /* of one call of a batch */
    double us, instructions;
    double bytes; /* of private memory, where that is what is asked for */
};

struct worker {
    pid_t pid;
    int go, said;
};

static bool make_calls(const struct side *side, const struct row *row, int count)
{
    for (int i = 0; i < count; i++)
        if (side->call() != row->len)
            return false;
    return true;
}

static void work_in_batches(const struct side *side, const struct row *row, int go, int said)
{
    struct stopwatch watch;
    struct sample sample;
    struct work work = work_for(row->measure);
    char byte;
    stopwatch_open(&watch);
    if (side->open(&work) < 0 || !make_calls(side, row, row->calls))
        _exit(1);
    while (read(go, &byte, 1) == 1 && byte == GO) {
        stopwatch_start(&watch);
        bool ok = make_calls(side, row, row->calls);
        stopwatch_stop(&watch);
        sample.us = watch.ns / 1e3 / row->calls;
        sample.instructions = watch.instructions < 0 ? -1 : (double)watch.instructions / row->calls;
        if (!ok || write(said, &sample, sizeof(sample)) != sizeof(sample))
            _exit(1);
    }
    side->close();
    _exit(0);
}

static double private_bytes(void)
{
    char line[128];
    double sum = 0, kb;
    FILE *file = fopen("/proc/self/smaps_rollup", "r");
    while (file && fgets(line, sizeof(line), file))
        if (sscanf(line, "Private_Clean: %lf", &kb) == 1 || sscanf(line, "Private_Dirty: %lf", &kb) == 1)
            sum += kb * 1024;
    if (file)
        fclose(file);
    return sum;
}

static void sit_idle(const struct side *side, int go, int said)
{
    struct sample sample = {0};
    struct work work = work_for(IDLE);
    char byte;
    if (side->open(&work) < 0 || read(go, &byte, 1) != 1 || side->idle(STREAMS) < 0)
        _exit(1);
    sample.bytes = private_bytes();
    if (write(said, &sample, sizeof(sample)) != sizeof(sample))
        _exit(1);
    _exit(0);
}

static struct worker start_worker(const struct side *side, const struct row *row)
{
    struct worker worker;
    int go[2], said[2];
    if (pipe2(go, O_CLOEXEC) < 0 || pipe2(said, O_CLOEXEC) < 0)
        give_up("no pipe");
    fflush(stdout);
    worker.pid = fork();
    if (worker.pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        close(go[1]);
        close(said[0]);
        stay_on(0);
        if (row)
            work_in_batches(side, row, go[0], said[1]);
        else
            sit_idle(side, go[0], said[1]);
    }
    close(go[0]);
    close(said[1]);
    worker.go = go[1];
    worker.said = said[0];
    return worker;
}

static struct sample one_batch(const struct worker *worker)
{
    struct sample sample;
    if (write(worker->go, &(char){GO}, 1) != 1 ||
        read(worker->said, &sample, sizeof(sample)) != sizeof(sample))
        give_up("a side failed");
    return sample;
}

static void stop_worker(const struct worker *worker)
{
    ssize_t ignored = write(worker->go, &(char){STOP}, 1); /* the other has this pipe open too */
    (void)ignored;
    close(worker->go);
    close(worker->said);
    waitpid(worker->pid, NULL, 0);
}

/* ---- The table ---- */

static void print_head(void)
{
    printf("%-44s %10s %10s %7s %7s %s\n", "measure", "koine", "bare", "ratio", "target", "");
}

static const char *verdict(double is, double target)
{
    if (target <= 0)
        return "";
    return is <= target ? "ok" : "MISSED";
}

static void print_row(const char *title, const char *unit, double a, double b, double ratio, double target)
{
    char wanted[16] = "-";
    if (target > 0)
        snprintf(wanted, sizeof(wanted), "%.2f", target);
    printf("%-44s %7.1f %-2s %7.1f %-2s %7.3f %7s %s\n", title, a, unit, b, unit, ratio, wanted,
           verdict(ratio, target));
    fflush(stdout);
}

static void compare(const struct row *row)
{
    double us[2][MOST_ROUNDS], ratios[MOST_ROUNDS], counts[2][MOST_ROUNDS];
    struct worker workers[2] = {start_worker(&ours, row), start_worker(&bare, row)};
    for (int i = 0; i < bench.rounds; i++) {
        for (int j = 0; j < 2; j++) {
            int side = (i + j) % 2;
            struct sample sample = one_batch(&workers[side]);
            us[side][i] = sample.us;
            counts[side][i] = sample.instructions;
        }
        ratios[i] = us[0][i] / us[1][i];
    }
    stop_worker(&workers[0]);
    stop_worker(&workers[1]);
    print_row(row->title, "us", median(us[0], bench.rounds), median(us[1], bench.rounds),
              median(ratios, bench.rounds), row->target);
    double a = median(counts[0], bench.rounds), b = median(counts[1], bench.rounds);
    if (a > 0 && b > 0)
        print_row("  instructions in user space, in thousands", "k", a / 1e3, b / 1e3, a / b, 0);
}

static double idle_memory(const struct side *side)
{
    struct worker worker = start_worker(side, NULL);
    double bytes = one_batch(&worker).bytes;
    stop_worker(&worker);
    return bytes / 1e6;
}

static void compare_memory(void)
{
    double more[9], a[9], b[9];
    for (int i = 0; i < 9; i++) {
        a[i] = idle_memory(&ours);
        b[i] = idle_memory(&bare);
        more[i] = a[i] - b[i];
    }
    double is = median(more, 9);
    printf("%-44s %7.1f MB %7.1f MB %+6.1f %7s %s\n", "1,000 idle streams, private memory", median(a, 9),
           median(b, 9), is, "+6", verdict(is, 6));
}

/* ---- Programs ---- */

static double run_program(const char *const *argv, bool aloud)
{
    double from = wall_ns();
    int status = 0;
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        int nowhere = open("/dev/null", O_RDWR);
        dup2(nowhere, STDIN_FILENO);
        if (!aloud)
            dup2(nowhere, STDOUT_FILENO);
        execvp(argv[0], (char *const *)(const void *)argv);
        _exit(127);
    }
    waitpid(pid, &status, 0);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        give_up("a program failed");
    return (wall_ns() - from) / 1e6;
}

static void compare_starts(void)
{
    const char *const providers[] = {bench.koine, "providers", NULL};
    const char *const version[] = {"curl", "--version", NULL};
    double a[STARTS], b[STARTS], ratios[STARTS];
    char path[4200];
    if (!bench.koine)
        return;
    snprintf(path, sizeof(path), "[\"%s\"]", bench.plugins); /* what it lists, and so has to load */
    setenv("KOINE__plugin_path", path, 1);
    run_program(providers, false);
    run_program(version, false);
    for (int i = 0; i < STARTS; i++) {
        a[i] = run_program(providers, false);
        b[i] = run_program(version, false);
        ratios[i] = a[i] / b[i];
    }
    print_row("koine providers, beside curl --version", "ms", median(a, STARTS), median(b, STARTS),
              median(ratios, STARTS), 2);
}

/* ---- */

static void allow_many_descriptors(void)
{
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

static int run_only(const char *side_name, const char *measure, int count)
{
    const struct side *side = strcmp(side_name, ours.name) == 0 ? &ours : &bare;
    if (strcmp(measure, "idle") == 0) {
        struct work work = work_for(IDLE);
        if (side->open(&work) < 0 || (count > 0 && side->idle(count) < 0))
            give_up("a side failed");
        printf("%.0f kB\n", private_bytes() / 1e3);
        return 0;
    }
    for (size_t i = 0; i < ROWS; i++) {
        struct work work = work_for(rows[i].measure);
        if (strcmp(rows[i].name, measure) != 0)
            continue;
        if (side->open(&work) < 0 || !make_calls(side, &rows[i], count))
            give_up("a side failed");
        side->close();
        return 0;
    }
    give_up("no such measure");
}

int main(int argc, char **argv)
{
    int only = 0;
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--plugins") == 0)
            bench.plugins = argv[i + 1];
        else if (strcmp(argv[i], "--koine") == 0)
            bench.koine = argv[i + 1];
        else if (strcmp(argv[i], "--decode") == 0)
            bench.decode = argv[i + 1];
        else if (strcmp(argv[i], "--rounds") == 0)
            bench.rounds = atoi(argv[i + 1]);
        else if (strcmp(argv[i], "--only") == 0 && i + 3 < argc) {
            only = i + 1;
            break;
        }
    }
    if (!bench.plugins || bench.rounds < 1 || bench.rounds > MOST_ROUNDS)
        give_up("usage: bench --plugins FOLDER [--koine PROGRAM] [--decode PROGRAM] [--rounds N]");
    signal(SIGPIPE, SIG_IGN);
    allow_many_descriptors();
    prepare();
    start_server();
    if (only)
        return run_only(argv[only], argv[only + 1], atoi(argv[only + 2]));
    print_head();
    for (size_t i = 0; i < ROWS; i++)
        compare(&rows[i]);
    compare_memory();
    compare_starts();
    if (bench.decode)
        run_program((const char *const[]){bench.decode, NULL}, true);
    return 0;
}
