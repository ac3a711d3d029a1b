/* soak: 200,000 calls of which one in twenty meets a fault: every call ends exactly once, the stand-in was
 * asked as often as there were attempts, no memory is held that was not held after a quarter of them, and in
 * the end no descriptor is left.
 *
 *   soak                        a tenth of them, as TAP
 *   soak --all                  all, with progress and figures
 *   soak --calls N --seed N     others
 */
#include "tests/e2e/backdrop.h"
#include "tests/faults/crew.h"
#include "tests/faults/posts.h"
#include "tests/faults/stall.h"

#include <getopt.h>
#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define IS_SANITIZED 1
#else
#define IS_SANITIZED 0
#endif

#define ALL_CALLS  INT64_C(200000)
#define MOST_GROWS ((int64_t)1 << 20)
#define STALL_NS   INT64_C(50000000)

enum {
    QUARTERS = 4,
    STEP_MS = 20
};

struct settings {
    int64_t calls;
    uint64_t seed;
    bool tells; /* progress and figures for people */
};

struct state {                   /* of the process, nothing being in flight */
    int64_t resident, allocated; /* bytes */
    size_t descriptors;
};

static struct {
    struct backdrop backdrop;
    struct settings settings;
    koine_hub *hub;
    struct crew *crew;
    struct state after[QUARTERS];
    size_t descriptors; /* before there was a hub */
    int64_t posts;      /* at the end */
    int64_t began;
    int number, failed; /* of tests */
} soak = {.settings = {.calls = ALL_CALLS / 10, .seed = 1}};

static int64_t now_ns(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static double seconds(void)
{
    return (double)(now_ns() - soak.began) / 1e9;
}

/* ---- measuring ---- */

static int64_t resident(void)
{
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    if (file && fscanf(file, "%*d %ld", &pages) != 1)
        pages = 0;
    if (file)
        fclose(file);
    return (int64_t)pages * sysconf(_SC_PAGESIZE);
}

static struct state measure(void)
{
    struct mallinfo2 info = mallinfo2();
    return (struct state){
        .resident = resident(),
        .allocated = (int64_t)(info.uordblks + info.hblkhd),
        .descriptors = backdrop_descriptors(),
    };
}

static void show_progress(const struct tally *tally)
{
    if (soak.settings.tells && isatty(STDOUT_FILENO)) {
        printf("\r%" PRId64 " of %" PRId64 " calls, %.0f s ", tally->ended, soak.settings.calls, seconds());
        fflush(stdout);
    }
}

static void run_quarter(int quarter)
{
    const struct timespec step = {.tv_nsec = STEP_MS * 1000000L};
    const struct tally *tally = crew_tally(soak.crew);
    int64_t until = soak.settings.calls * (quarter + 1) / QUARTERS;
    crew_go(soak.crew, until);
    while (tally->ended < until) {
        nanosleep(&step, NULL);
        show_progress(tally);
    }
    crew_rest(soak.crew);
    soak.after[quarter] = measure();
}

/* ---- what it says ---- */

static void test(bool is_right, const char *name)
{
    printf("%s %d - soak: %s\n", is_right ? "ok" : "not ok", ++soak.number, name);
    soak.failed += !is_right;
}

static void show_classes(const struct tally *tally)
{
    printf("# ended in a fault:");
    for (int i = 1; i < CREW_CLASSES; i++)
        if (tally->classes[i] > 0)
            printf(" %s %" PRId64, koine_class_name(i), tally->classes[i]);
    printf("\n");
}

static void show_figures(const struct tally *tally)
{
    if (soak.settings.tells && isatty(STDOUT_FILENO))
        printf("\r%40s\r", "");
    printf("# %" PRId64 " calls, %" PRId64 " of them streamed, %" PRId64 " at a fault, %" PRId64
           " answered; %" PRId64 " attempts, %" PRId64 " requests at the stand-in; %.1f s\n",
           tally->ended, tally->streamed, tally->faulty, tally->answered, tally->attempts, soak.posts,
           seconds());
    show_classes(tally);
    for (int i = 0; i < QUARTERS; i++)
        printf("# after %" PRId64 " calls: %" PRId64 " kB resident, %" PRId64
               " kB allocated, %zu descriptors\n",
               soak.settings.calls * (i + 1) / QUARTERS, soak.after[i].resident / 1024,
               soak.after[i].allocated / 1024, soak.after[i].descriptors);
}

/* An attempt may end by its timer before its request was sent, on a machine that stands still for so long. */
static bool is_accounted(const struct tally *tally)
{
    int64_t missing = tally->attempts - soak.posts;
    if (missing == 0)
        return true;
    printf("# %" PRId64 " attempts without a request, %" PRId64 " of which nobody can say\n", missing,
           tally->unsure);
    return missing > 0 && missing <= tally->unsure && stall_since(soak.began) > STALL_NS;
}

static void judge(const struct tally *tally)
{
    int64_t grown = soak.after[QUARTERS - 1].resident - soak.after[0].resident;
    test(tally->ended == soak.settings.calls && tally->wrong == 0,
         "every call ends once, with what was heard");
    test(tally->answered > soak.settings.calls / 2, "most are answered");
    test(is_accounted(tally), "the stand-in was asked as often as there were attempts");
    if (IS_SANITIZED)
        printf("ok %d - soak: no memory is held # SKIP a sanitizer keeps what was freed\n", ++soak.number);
    else
        test(grown < MOST_GROWS, "no memory is held");
    test(backdrop_descriptors() == soak.descriptors, "no descriptor is left");
}

/* ---- the way ---- */

static bool open_hub(void)
{
    koine_error *error = NULL;
    if (koine_hub_new(&soak.hub, &error) == KOINE_OK &&
        crew_set_up(soak.hub, soak.backdrop.scratch.path, soak.backdrop.port) == KOINE_OK &&
        koine_hub_apply(soak.hub, &error) == KOINE_OK)
        soak.crew = crew_new(soak.hub, soak.settings.seed);
    if (error)
        printf("# %s\n", koine_error_message(error));
    koine_error_free(error);
    return soak.crew != NULL;
}

static bool read_options(int argc, char **argv)
{
    static const struct option options[] = {{"all", no_argument, NULL, 'a'},
                                            {"calls", required_argument, NULL, 'c'},
                                            {"seed", required_argument, NULL, 's'},
                                            {NULL, 0, NULL, 0}};
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) >= 0;) {
        switch (option) {
        case 'a':
            soak.settings.calls = ALL_CALLS;
            soak.settings.tells = true;
            break;
        case 'c':
            soak.settings.calls = strtoll(optarg, NULL, 10);
            break;
        case 's':
            soak.settings.seed = strtoull(optarg, NULL, 10);
            break;
        default:
            return false;
        }
    }
    return optind == argc && soak.settings.calls >= QUARTERS;
}

static void run(void)
{
    soak.began = now_ns();
    for (int i = 0; i < QUARTERS; i++)
        run_quarter(i);
    soak.posts = posts_ever(soak.backdrop.port);
}

int main(int argc, char **argv)
{
    static const char *const arguments[] = {"--scale", "0.0005", "--scale-advice", "--tokens", "8", NULL};
    if (!read_options(argc, argv)) {
        fprintf(stderr, "Usage: %s [--all] [--calls N] [--seed N]\n", argv[0]);
        return 2;
    }
    backdrop_build(&soak.backdrop, arguments);
    stall_watch();
    printf("TAP version 13\n1..5\n");
    soak.descriptors = backdrop_descriptors();
    if (open_hub()) {
        run();
        struct tally tally = *crew_tally(soak.crew);
        crew_free(soak.crew);
        koine_hub_free(soak.hub);
        show_figures(&tally);
        judge(&tally);
    }
    stall_stop();
    backdrop_strike(&soak.backdrop);
    return soak.failed > 0 || soak.number != 5 ? EXIT_FAILURE : EXIT_SUCCESS;
}
