/* judge: see judge.h. */
#include "tests/faults/judge.h"

#include <inttypes.h>
#include <koine/koine.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
    MOST_REQUESTS = 4, /* of one call, at one provider */
    WITHIN_MS = 3000,
    BYTES_PER_TOKEN = 4,  /* of an estimate */
    PICODOLLARS = 1000000 /* for a token at a dollar a million */
};

void judge_say(struct play *play, const char *format, ...)
{
    va_list list;
    if (play->verdict[0])
        return;
    va_start(list, format);
    vsnprintf(play->verdict, sizeof(play->verdict), format, list);
    va_end(list);
}

const char *judge_words(const struct outcome *out, char *ret, size_t size)
{
    static const char *const texts[] = {"no text", "a part", "the whole text", "another text"};
    const char *class_name = out->class_number ? koine_class_name(out->class_number) : "";
    if (!out->class_number)
        snprintf(ret, size, "%s", texts[out->text]);
    else if (out->text == NOTHING)
        snprintf(ret, size, "one fault: %s", class_name);
    else
        snprintf(ret, size, "%s, one fault: %s", texts[out->text], class_name);
    return ret;
}

void judge_end(struct play *play, const struct outcome *out, const struct end *end, const char *what)
{
    char is[96], wanted[96];
    struct outcome other = {.class_number = end->class_number, .text = end->text};
    int primary = 0;
    for (size_t i = 0; i < out->count; i++)
        primary += strncmp(out->attempts[i].target, "together/", 9) == 0;
    int fallback = (int)out->count - primary;
    judge_words(out, is, sizeof(is));
    judge_words(&other, wanted, sizeof(wanted));
    if (strcmp(is, wanted) != 0)
        judge_say(play, "%s: %s, not %s", what, is, wanted);
    if (primary != end->primary || fallback != end->fallback)
        judge_say(play, "%s: %d+%d attempts, not %d+%d", what, primary, fallback, end->primary,
                  end->fallback);
    if (out->knows_costs && strcmp(out->stage, end->stage) != 0)
        judge_say(play, "%s: stage \"%s\", not \"%s\"", what, out->stage, end->stage);
}

/* ---- money ---- */

static int64_t length_of(int tokens)
{
    const char *text = backdrop_answer(), *at = text;
    for (int i = 0; i < tokens && at; i++)
        at = strchr(at + 1, ' ');
    return tokens == 0 ? 0 : at ? (int64_t)(at - text) : (int64_t)strlen(text);
}

static int64_t estimate(int64_t bytes)
{
    return (bytes + BYTES_PER_TOKEN - 1) / BYTES_PER_TOKEN;
}

/* What an attempt must cost: as billed where the provider tells, else by the bytes that went and came; an
 * error is free. */
static int64_t cost_of(const struct play *play, const struct post *post, bool answered, bool *ret_estimated)
{
    const struct price *price = post->is_primary ? &price_primary : &price_fallback;
    bool told = answered && strcmp(post->behaviour, "no-usage") != 0;
    int heard = answered ? 60 : post->is_stream ? play->row->heard_streamed : play->row->heard_whole;
    *ret_estimated = false;
    if (post->status >= 300)
        return 0;
    *ret_estimated = !told;
    if (told)
        return (post->input * price->input + post->output * price->output) * PICODOLLARS;
    if (post->status == 0)
        heard = 0;
    return (estimate(post->bytes) * price->input + estimate(length_of(heard)) * price->output) * PICODOLLARS;
}

static void judge_attempt(struct play *play, const struct outcome *out, const struct attempt *attempt,
                          const struct post *post)
{
    bool estimated = false;
    if (strcmp(attempt->target, post->target) != 0)
        judge_say(play, "the trail has %s where the stand-in has %s", attempt->target, post->target);
    if (attempt->status > 0 && attempt->status != post->status)
        judge_say(play, "the trail has status %d where the stand-in has %d", attempt->status, post->status);
    if (!out->knows_costs)
        return;
    int64_t wanted = cost_of(play, post, attempt->class_number == KOINE_CLASS_NONE, &estimated);
    if (!attempt->is_priced || attempt->picodollars != wanted)
        judge_say(play, "an attempt at %s (%s) cost %" PRId64 " picodollars, not %" PRId64, post->target,
                  post->behaviour, attempt->picodollars, wanted);
    if (play->who == LIBRARY && attempt->is_estimated != estimated)
        judge_say(play, "an attempt at %s (%s) is %sestimated", post->target, post->behaviour,
                  estimated ? "not " : "");
}

static void judge_sum(struct play *play, const struct outcome *out)
{
    int64_t sum = 0;
    for (size_t i = 0; i < out->count; i++)
        sum += out->attempts[i].picodollars;
    if (out->knows_costs && (!out->is_priced || out->picodollars != sum))
        judge_say(play, "a call cost %" PRId64 " picodollars, its attempts %" PRId64, out->picodollars, sum);
}

/* ---- the rest of what always holds ---- */

/* `posts` are those of one call. */
static void judge_pace(struct play *play, const struct post *posts, size_t count)
{
    for (size_t first = 0; first < count; first++) {
        int within = 0;
        for (size_t i = first; i < count; i++)
            within += posts[i].is_primary == posts[first].is_primary &&
                      (double)(posts[i].ms - posts[first].ms) < WITHIN_MS * play->scale;
        if (within > MOST_REQUESTS)
            judge_say(play, "%d requests at one provider within 3 s", within);
    }
}

static void judge_call(struct play *play, const struct outcome *out, const struct post *posts)
{
    if (out->problem[0])
        judge_say(play, "%s", out->problem);
    if (out->terminals != 1)
        judge_say(play, "a call ended %d times", out->terminals);
    for (size_t i = 0; i < out->count; i++)
        judge_attempt(play, out, &out->attempts[i], &posts[i]);
    judge_sum(play, out);
    judge_pace(play, posts, out->count);
}

void judge_always(struct play *play, const struct post *posts, size_t count)
{
    size_t attempts = 0, at = 0;
    for (size_t i = 0; i < play->count; i++)
        attempts += play->outcomes[i].count;
    if (attempts != count || play->count == 0) {
        if (play->count > 0 && play->outcomes[0].problem[0])
            judge_say(play, "%s", play->outcomes[0].problem);
        judge_say(play, "%zu attempts in %zu calls, and the stand-in was asked %zu times", attempts,
                  play->count, count);
        return;
    }
    for (size_t i = 0; i < play->count; i++) {
        judge_call(play, &play->outcomes[i], posts + at);
        at += play->outcomes[i].count;
    }
}

static void judge_gaps(struct play *play, const struct post *posts, size_t count)
{
    double least = play->row->least_gap_ms * play->scale;
    for (size_t i = 1; i < count; i++) /* the stand-in's clock shows whole milliseconds */
        if (posts[i].is_primary && (double)(posts[i].ms - posts[i - 1].ms) < least - 1)
            judge_say(play, "asked again after %" PRId64 " ms, not %.0f", posts[i].ms - posts[i - 1].ms,
                      least);
}

void judge_play(struct play *play, const struct post *posts, size_t count)
{
    judge_always(play, posts, count);
    judge_gaps(play, posts, count);
    if (play->row->judge)
        play->row->judge(play, posts, count);
    else if (play->count == 1)
        judge_end(play, &play->outcomes[0], &play->row->ends[play->way], "the call");
    else
        judge_say(play, "%zu calls instead of one", play->count);
}
