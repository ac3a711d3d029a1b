/* stage_budget: long texts and long lists with a stopwatch, and what is left after many exchanges. */
#include "apps/plugin-check/stages.h"

#include "apps/plugin-check/spots.h"

#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>

#define LARGEST    ((size_t)8 << 20)
#define LONG       ((size_t)128 << 10) /* bytes of a text */
#define MANY       2000                /* elements of a list, at most */
#define MOST_SPOTS 12                  /* of one case */
#define MOST_TIME  INT64_C(500000000)  /* ns */
#define TRIES      3                   /* to keep within it */
#define FREE_BYTES ((size_t)1 << 20)
#define ROUNDS     10
#define WINDOWS    32 /* at most; the caches of malloc hold seven pieces of each size */

/* ---- Time and memory of a call ---- */

static void play_watched(struct inspection *in, const struct vendor_case *c, struct watching *ret)
{
    struct koine__buf waste;
    koine__buf_init(&waste, LARGEST);
    watching_init(ret, in, c);
    ret->timed = true;
    stage_play(ret, &waste);
    koine__buf_release(&waste);
}

/* Processor time is longer on a busy machine (cold caches, a guest that is not told what it lost): the least
 * of some tries counts. False: it took too long, and so would the next. */
static bool measure(struct inspection *in, const struct vendor_case *c, size_t input)
{
    struct watching watching;
    int64_t least = INT64_MAX;
    for (int i = 0; i < TRIES && least > MOST_TIME; i++) {
        play_watched(in, c, &watching);
        least = watching.longest < least ? watching.longest : least;
    }
    if (least > MOST_TIME)
        inspection_foundf(in, RULE_TIME_BUDGET, stage_function(c), "a call took %" PRId64 " ms for %zu bytes",
                          least / 1000000, input);
    if (watching.most_bytes > FREE_BYTES + 32 * input)
        inspection_foundf(in, RULE_MEMORY_BUDGET, stage_function(c),
                          "a call asked for %zu bytes of memory for %zu bytes", watching.most_bytes, input);
    return least <= MOST_TIME;
}

static void write_long(struct koine__buf *ret, koine_str text, const struct spot *spot)
{
    struct koine__buf longer;
    koine_str inside = {text.ptr + spot->at + 1, spot->len - 2};
    koine__buf_init(&longer, LARGEST);
    if (spot->kind == KOINE_NODE_STRING) {
        koine__buf_addc(&longer, '"');
        while (longer.len < LONG)
            koine__buf_adds(&longer, "a\\n\\u00e9 b");
        koine__buf_addc(&longer, '"');
    } else {
        koine__buf_addc(&longer, '[');
        for (size_t i = 0; i < MANY && longer.len < 2 * LONG; i++) {
            koine__buf_adds(&longer, i ? "," : "");
            koine__buf_add(&longer, inside.ptr, inside.len);
        }
        koine__buf_addc(&longer, ']');
    }
    spots_replace(ret, text, spot->at, spot->len, (koine_str){koine__buf_str(&longer), longer.len});
    koine__buf_release(&longer);
}

static bool can_grow(koine_str text, const struct spot *spot)
{
    if (spot->kind == KOINE_NODE_STRING)
        return true;
    koine_str inside = {text.ptr + spot->at + 1, spot->len - 2};
    return spot->kind == KOINE_NODE_ARRAY && koine__str_trim(inside).len > 0;
}

static bool measure_long(struct inspection *in, const struct cases_item *item, koine_str text,
                         const struct spot *spot)
{
    struct vendor_case c = item->c;
    struct koine__buf longer;
    koine__buf_init(&longer, LARGEST);
    inspection_at(in, "%s: the %s at byte %zu made long", item->name,
                  spot->kind == KOINE_NODE_STRING ? "text" : "list", spot->at);
    write_long(&longer, text, spot);
    if (c.answered)
        c.body = longer;
    else
        c.document = koine__buf_str(&longer);
    bool in_time = measure(in, &c, longer.len);
    koine__buf_release(&longer);
    return in_time;
}

static bool check_growth(struct inspection *in, const struct cases_item *item)
{
    struct spots spots;
    koine_str text = item->c.answered ? (koine_str){koine__buf_str(&item->c.body), item->c.body.len}
                                      : koine__str(item->c.document);
    if (!text.ptr)
        return true;
    inspection_at(in, "%s", item->name);
    bool in_time = measure(in, &item->c, text.len);
    if (item->c.answered)
        spots_in_answer(&spots, text, item->c.stream);
    else
        spots_in_document(&spots, text);
    size_t step = spots.count / MOST_SPOTS + 1;
    for (size_t i = 0; i < spots.count && in_time; i += step)
        if (can_grow(text, &spots.items[i]))
            in_time = measure_long(in, item, text, &spots.items[i]);
    spots_release(&spots);
    return in_time;
}

/* ---- What is left ---- */

size_t __sanitizer_get_current_allocated_bytes(void) __attribute__((weak));

static size_t in_use(void)
{
    if (__sanitizer_get_current_allocated_bytes)
        return __sanitizer_get_current_allocated_bytes();
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

static void play_rounds(struct inspection *in, const struct cases_item *item, int rounds)
{
    for (int i = 0; i < rounds; i++) {
        struct koine__buf waste;
        stage_alone(in, &item->c, &waste);
        koine__buf_release(&waste);
    }
}

/* What is filled once, and the caches of malloc, do not grow all the time: the least of some growths counts.
 */
static void check_kept(struct inspection *in, const struct cases_item *item)
{
    size_t least = SIZE_MAX;
    inspection_at(in, "%s, %d times", item->name, ROUNDS);
    for (int i = 0; i < WINDOWS && least >= ROUNDS; i++) {
        size_t before = in_use();
        play_rounds(in, item, ROUNDS);
        size_t after = in_use();
        least = after < before ? 0 : after - before < least ? after - before : least;
    }
    if (least >= ROUNDS)
        inspection_foundf(in, RULE_MEMORY_KEPT, stage_function(&item->c), "%d exchanges kept %zu bytes",
                          ROUNDS, least);
}

void stage_budget(struct inspection *in)
{
    bool in_time = true;
    for (size_t i = 0; i < in->cases.count; i++) {
        check_kept(in, &in->cases.items[i]);
        in_time = in_time && check_growth(in, &in->cases.items[i]);
    }
}
