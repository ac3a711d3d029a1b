/* sixteen: what the caller gets of sixteen faults, each met in six ways: by the library and by the command,
 * whole, streamed and held, streamed and delivered. Against a stand-in in a process of its own, with two
 * retries, a deadline of 90 s, attempts of 30 s and one fallback with a larger window.
 *
 *   sixteen           at 1:50, as TAP
 *   sixteen --real    in real time, as a table
 *   … NAME            only the faults whose name holds NAME
 *
 * At 1:50 a play that went wrong is played again, when the others are through, if this machine held us up
 * meanwhile for longer than a scaled timer allows. What went wrong without that fails.
 */
#include "tests/faults/judge.h"
#include "tests/faults/stall.h"
#include "tests/faults/stories.h"

#include <getopt.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SCALE    0.02
#define STALL_NS INT64_C(15000000)

enum {
    PLAYS = ROWS * WAYS * WHOS,
    ABREAST = 6,       /* at 1:50: more would hold each other up */
    ABREAST_AGAIN = 2, /* of those that are played again */
    MOST_TRIES = 8
};

static const char *const way_names[WAYS] = {"whole", "streamed, held", "streamed, delivered"};
static const char *const who_names[WHOS] = {"library", "command"};

static struct {
    struct backdrop backdrop;
    bool is_real;
    struct play plays[PLAYS];
    size_t count;
    pthread_mutex_t lock;
    size_t next, done; /* under the lock */
    int64_t began;
} stage = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* ---- one play ---- */

static void forget(struct play *play)
{
    free(play->outcomes);
    play->outcomes = NULL;
    play->count = 0;
    play->verdict[0] = '\0';
}

/* Models are told apart by a number, so that what a behaviour counts is this try's own. */
static void name_models(struct play *play)
{
    const struct row *row = play->row;
    unsigned number = (unsigned)(play - stage.plays) * 100 + (unsigned)play->tries;
    snprintf(play->primary, sizeof(play->primary), "p%u!%s", number, row->primary);
    snprintf(play->fallback, sizeof(play->fallback), "f%u!%s", number,
             row->fallback ? row->fallback : "healthy");
}

static void act(struct play *play)
{
    const struct caller *caller = play->who == LIBRARY ? &caller_library : &caller_command;
    void *self = NULL;
    if (!play_configure(play))
        judge_say(play, "no configuration");
    else if (caller->open(play, &self)) {
        if (play->row->story)
            play->row->story(play, caller, self);
        else
            story_call(play, caller, self, "default");
        caller->close(self);
    }
}

static void play_once(struct play *play)
{
    size_t count = 0;
    forget(play);
    play->tries++;
    name_models(play);
    act(play);
    if (play->verdict[0])
        return;
    struct post *posts = posts_of(play->port, play->primary, play->fallback, &count);
    if (posts)
        judge_play(play, posts, count);
    else
        judge_say(play, "the stand-in does not answer");
    free(posts);
}

static void play_it(struct play *play)
{
    int64_t began = play_now();
    play_once(play);
    play->ns = play_now() - began;
    play->was_held_up = stall_since(began) > STALL_NS;
}

static bool is_due_again(const struct play *play)
{
    return play->verdict[0] && play->was_held_up && play->tries < MOST_TRIES;
}

/* ---- all of them ---- */

static void show_progress(size_t done)
{
    if (stage.is_real && isatty(STDOUT_FILENO)) {
        printf("\r%zu of %zu, %.0f s ", done, stage.count, (double)(play_now() - stage.began) / 1e9);
        fflush(stdout);
    }
}

/* The next that was not played, or is to be played again; under the lock. */
static struct play *next_play(void)
{
    while (stage.next < stage.count) {
        struct play *play = &stage.plays[stage.next++];
        if (play->tries == 0 || is_due_again(play))
            return play;
    }
    return NULL;
}

static void *work(void *unused)
{
    (void)unused;
    for (;;) {
        pthread_mutex_lock(&stage.lock);
        struct play *play = next_play();
        pthread_mutex_unlock(&stage.lock);
        if (!play)
            return NULL;
        play_it(play);
        pthread_mutex_lock(&stage.lock);
        show_progress(++stage.done);
        pthread_mutex_unlock(&stage.lock);
    }
}

static void run_abreast(size_t wanted)
{
    pthread_t threads[PLAYS];
    size_t count = 0;
    stage.next = 0;
    while (count < wanted && pthread_create(&threads[count], NULL, work, NULL) == 0)
        count++;
    for (size_t i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
}

static void run(void)
{
    stage.began = play_now();
    show_progress(0);
    run_abreast(stage.is_real ? stage.count : ABREAST);
    for (int i = 1; !stage.is_real && i < MOST_TRIES; i++)
        run_abreast(ABREAST_AGAIN);
}

static void cast(const char *filter)
{
    for (size_t i = 0; i < ROWS; i++)
        for (int who = 0; who < WHOS; who++)
            for (int way = 0; way < WAYS; way++)
                if (!filter || strstr(rows[i].name, filter))
                    stage.plays[stage.count++] = (struct play){.row = &rows[i],
                                                               .way = (enum way)way,
                                                               .who = (enum who)who,
                                                               .scale = stage.is_real ? 1 : SCALE,
                                                               .folder = stage.backdrop.scratch.path,
                                                               .port = stage.backdrop.port};
}

/* ---- what came of them ---- */

static void describe(const struct play *play, char *ret, size_t size)
{
    if (play->count == 0)
        snprintf(ret, size, "nothing");
    else if (play->count == 1)
        judge_words(&play->outcomes[0], ret, size);
    else {
        size_t whole = 0;
        for (size_t i = 0; i < play->count; i++)
            whole += play->outcomes[i].text == ALL && play->outcomes[i].class_number == 0;
        snprintf(ret, size, "%zu of %zu whole", whole, play->count);
    }
}

static void count_attempts(const struct play *play, char *ret, size_t size)
{
    size_t primary = 0, all = 0;
    for (size_t i = 0; i < play->count; i++) {
        all += play->outcomes[i].count;
        for (size_t k = 0; k < play->outcomes[i].count; k++)
            primary += strncmp(play->outcomes[i].attempts[k].target, "together/", 9) == 0;
    }
    snprintf(ret, size, "%zu+%zu", primary, all - primary);
}

static void print_row(const struct play *play)
{
    char came[96], attempts[24];
    describe(play, came, sizeof(came));
    count_attempts(play, attempts, sizeof(attempts));
    int64_t ms = play->count == 1 ? play->outcomes[0].ms : play->ns / 1000000;
    printf("%-29s  %-7s  %-19s  %-31s  %8s  %6lld  %s\n", play->row->name, who_names[play->who],
           way_names[play->way], came, attempts, (long long)ms, play->verdict[0] ? play->verdict : "ok");
}

static void print_test(const struct play *play, size_t number)
{
    printf("%s %zu - %s: %s, %s\n", play->verdict[0] ? "not ok" : "ok", number, play->row->name,
           who_names[play->who], way_names[play->way]);
    if (play->verdict[0])
        printf("# %s\n", play->verdict);
    if (play->tries > 1)
        printf("# played %d times: the machine held us up\n", play->tries);
}

static size_t print_all(void)
{
    size_t failed = 0;
    if (stage.is_real && isatty(STDOUT_FILENO))
        printf("\r%20s\r", "");
    if (stage.is_real)
        printf("%-29s  %-7s  %-19s  %-31s  %8s  %6s  %s\n", "fault", "by", "how", "what came", "attempts",
               "ms", "verdict");
    else
        printf("TAP version 13\n1..%zu\n", stage.count);
    for (size_t i = 0; i < stage.count; i++) {
        failed += stage.plays[i].verdict[0] != '\0';
        if (stage.is_real)
            print_row(&stage.plays[i]);
        else
            print_test(&stage.plays[i], i + 1);
    }
    printf("%s%zu of %zu as they should be, in %.1f s\n", stage.is_real ? "" : "# ", stage.count - failed,
           stage.count, (double)(play_now() - stage.began) / 1e9);
    return failed;
}

static bool read_options(int argc, char **argv)
{
    static const struct option options[] = {{"real", no_argument, NULL, 'r'}, {NULL, 0, NULL, 0}};
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) >= 0;) {
        if (option != 'r') {
            fprintf(stderr, "Usage: %s [--real] [NAME]\n", argv[0]);
            return false;
        }
        stage.is_real = true;
    }
    return true;
}

int main(int argc, char **argv)
{
    static const char *const scaled[] = {"--scale", "0.02", "--scale-advice", NULL}, *const real[] = {NULL};
    if (!read_options(argc, argv))
        return 2;
    by_command_prepare();
    backdrop_build(&stage.backdrop, stage.is_real ? real : scaled);
    cast(optind < argc ? argv[optind] : NULL);
    if (stall_watch()) {
        run();
        stall_stop();
    }
    size_t failed = print_all();
    for (size_t i = 0; i < stage.count; i++)
        forget(&stage.plays[i]);
    backdrop_strike(&stage.backdrop);
    return failed > 0 || stage.count == 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
