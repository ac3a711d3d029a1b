/* play: one of the sixteen faults, met in one way: by the library or by the command, whole, streamed and held
 * until it is whole, or streamed and delivered as it comes. A play is one call, or a few in a row on one hub;
 * what became of each is an outcome. */
#ifndef KOINE_TESTS_FAULTS_PLAY_H
#define KOINE_TESTS_FAULTS_PLAY_H

#include "tests/e2e/backdrop.h"

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum way {
    WHOLE,
    HELD, /* commit: complete */
    LIVE, /* commit: first_content */
    WAYS
};
enum who {
    LIBRARY,
    COMMAND,
    WHOS
};

enum text { /* what came of a healthy answer's */
    NOTHING,
    PART, /* a beginning, and not all */
    ALL,
    OTHER /* something else */
};

enum {
    MOST_ATTEMPTS = 16,
    MOST_CALLS = 256
};

struct attempt {
    char target[96];
    int status; /* 0: none came */
    int class_number;
    bool is_priced, is_estimated;
    int64_t picodollars;
};

struct outcome {
    int class_number, terminals;
    enum text text;
    char stage[24];
    int64_t began, ms; /* ns of the monotonic clock */
    bool is_priced;
    int64_t picodollars;
    bool knows_costs; /* and estimates and stages: not where the command prints no JSON */
    size_t count;
    struct attempt attempts[MOST_ATTEMPTS];
    char problem[160]; /* the call could not be made, or told two different things */
};

struct row;

struct play {
    const struct row *row;
    enum way way;
    enum who who;
    double scale;                   /* of every time */
    char primary[48], fallback[48]; /* models, which no other play has */
    char config[PATH_MAX];
    const char *route; /* of the next call: "default" has both targets, "fallback" the second alone */
    const char *folder;
    int port; /* of the stand-in */
    struct outcome *outcomes;
    size_t count;
    char verdict[300]; /* "": as it should be */
    int tries;
    bool was_held_up; /* the last one, by the machine, for longer than a timer to scale allows */
    int64_t ns;       /* all of it */
};

int64_t play_now(void);                                   /* ns of the monotonic clock */
void play_sleep(const struct play *play, double seconds); /* to scale */
/* Writes the configuration: the numbers where it has some, else the defaults, each to scale. */
bool play_configure(struct play *play);
/* Another outcome, zeroed; NULL: there are too many. */
struct outcome *play_outcome(struct play *play);
enum text play_judge_text(const char *text);

/* The two ways to make a call. What they need is opened before the first call and closed after the last. */
struct caller {
    bool (*open)(struct play *play, void **ret_self);
    void (*call)(void *self, struct play *play, struct outcome *out);
    void (*close)(void *self);
};
extern const struct caller caller_library, caller_command;
void by_command_prepare(void); /* once, before there are threads */

#endif
