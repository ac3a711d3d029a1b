/* stories: see stories.h. */
#include "tests/faults/stories.h"

#include "tests/faults/judge.h"

#include <inttypes.h>
#include <string.h>

enum {
    OUTAGE_MS = 45000, /* of the stand-in's behaviour */
    OPEN_MS = 30000,   /* of the breaker, as by default */
    FAILURES = 5,
    LATE_MS = 1000,  /* how much later than open_for the primary may be used again */
    ENOUGH = 3,      /* calls in a row that the primary answered at once */
    PATIENCE_S = 150 /* not to scale: the command takes its time to start, whatever the scale */
};

struct outcome *story_call(struct play *play, const struct caller *caller, void *self, const char *route)
{
    struct outcome *out = play_outcome(play);
    if (!out)
        return NULL;
    play->route = route;
    out->began = play_now();
    caller->call(self, play, out);
    return out;
}

/* ---- the flapping primary ---- */

static bool is_well(const struct outcome *out)
{
    return out->class_number == 0 && out->count == 1 && strncmp(out->attempts[0].target, "together/", 9) == 0;
}

void story_flapping(struct play *play, const struct caller *caller, void *self)
{
    int64_t until = play_now() + PATIENCE_S * INT64_C(1000000000);
    for (int well = 0; well < ENOUGH && play_now() < until;) {
        const struct outcome *out = story_call(play, caller, self, "default");
        if (!out || out->problem[0])
            return;
        well = is_well(out) ? well + 1 : 0;
        if (well < ENOUGH)
            play_sleep(play, 1);
    }
}

/* From the fifth failure on each one shuts the primary for open_for: also in the midst of a call's retries.
 */
static void judge_alone(struct play *play, const struct post *posts, size_t count)
{
    const struct post *failed = NULL;
    int failures = 0;
    for (size_t i = 0; i < count; i++) {
        if (!posts[i].is_primary)
            continue;
        if (failed && failures >= FAILURES && posts[i].ms - failed->ms < (int64_t)(OPEN_MS * play->scale) - 1)
            judge_say(play, "the primary was asked %" PRId64 " ms after its breaker opened",
                      posts[i].ms - failed->ms);
        failed = posts[i].status == 503 ? &posts[i] : NULL;
        failures += failed != NULL;
    }
    if (failures < FAILURES)
        judge_say(play, "the primary failed %d times only", failures);
}

/* Calls come one after another: one may have passed the gate a moment before the time was over. */
static void judge_return(struct play *play, const struct post *posts, size_t count)
{
    int64_t back = posts[0].ms + (int64_t)((OUTAGE_MS + OPEN_MS) * play->scale);
    int elsewhere = 0;
    for (size_t i = 0; i < count; i++) {
        elsewhere += !posts[i].is_primary && posts[i].ms > back;
        if (!posts[i].is_primary || posts[i].status != 200)
            continue;
        if (elsewhere > 1)
            judge_say(play, "%d calls went elsewhere after the primary was well", elsewhere);
        if (play->scale == 1 && posts[i].ms > back + LATE_MS)
            judge_say(play, "the primary was used again after %" PRId64 " ms", posts[i].ms - posts[0].ms);
        return;
    }
    judge_say(play, "the primary was never used again");
}

void judge_flapping(struct play *play, const struct post *posts, size_t count)
{
    for (size_t i = 0; i < play->count; i++)
        if (play->outcomes[i].class_number != 0 || play->outcomes[i].text != ALL)
            judge_say(play, "call %zu was not rescued", i + 1);
    if (count == 0 || play->count < ENOUGH || !is_well(&play->outcomes[play->count - 1]))
        judge_say(play, "the primary does not answer at the end");
    else if (play->who == LIBRARY)
        judge_alone(play, posts, count);
    if (count > 0 && play->who == LIBRARY)
        judge_return(play, posts, count);
}

/* ---- accounting ---- */

void story_accounting(struct play *play, const struct caller *caller, void *self)
{
    story_call(play, caller, self, "default");
    story_call(play, caller, self, "fallback");
}

void judge_accounting(struct play *play, const struct post *posts, size_t count)
{
    static const struct end alone = {0, "", ALL, 0, 1};
    (void)posts;
    (void)count;
    if (play->count != 2) {
        judge_say(play, "%zu calls instead of two", play->count);
        return;
    }
    judge_end(play, &play->outcomes[0], &play->row->ends[play->way], "the first call");
    judge_end(play, &play->outcomes[1], &alone, "the second call");
}
