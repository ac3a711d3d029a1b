/* stage_interleave: two exchanges that must not know of each other. */
#include "apps/plugin-check/stages.h"

#include <string.h>

#define LARGEST ((size_t)32 << 20)

/* ---- Call by call ---- */

static void compare(struct inspection *in, enum rule rule, const struct vendor_case *c,
                    struct koine__buf *got)
{
    struct koine__buf alone;
    stage_alone(in, c, &alone);
    if (strcmp(koine__buf_str(&alone), koine__buf_str(got)) != 0)
        inspection_differs(in, rule, stage_function(c), koine__buf_str(&alone), koine__buf_str(got));
    koine__buf_release(&alone);
}

struct lane { /* one of the two */
    struct watching watching;
    struct watched_reading reading;
    struct koine__buf got;
};

static void open_lane(struct lane *lane, struct inspection *in, const struct vendor_case *c)
{
    struct vendor_play way = {.len = c->body.len, .clean = !c->lost};
    koine__buf_init(&lane->got, LARGEST);
    watching_init(&lane->watching, in, c);
    watched_reading_open(&lane->reading, &lane->watching, &way);
}

static void alternate(struct inspection *in, const struct cases_item *one, const struct cases_item *other)
{
    struct lane lanes[2];
    inspection_at(in, "%s, in turn with %s", one->name, other->name);
    open_lane(&lanes[0], in, &one->c);
    open_lane(&lanes[1], in, &other->c);
    bool first = true, second = true;
    while (first || second) {
        first = first && watched_reading_step(&lanes[0].reading);
        second = second && watched_reading_step(&lanes[1].reading);
    }
    for (int i = 0; i < 2; i++) {
        watched_reading_close(&lanes[i].reading, &lanes[i].got);
        compare(in, RULE_INTERLEAVE, lanes[i].watching.c, &lanes[i].got);
        koine__buf_release(&lanes[i].got);
    }
}

/* ---- One within the other ---- */

static void play_other(struct watching *self)
{
    struct koine__buf waste;
    struct watching inner;
    const struct vendor_case *other = self->arg;
    koine__buf_init(&waste, LARGEST);
    watching_init(&inner, self->in, other);
    stage_play(&inner, &waste);
    koine__buf_release(&waste);
}

static void nest(struct inspection *in, const struct cases_item *outer, const struct cases_item *inner)
{
    struct watching watching;
    struct koine__buf got;
    inspection_at(in, "%s, and within each step of it %s", outer->name, inner->name);
    koine__buf_init(&got, LARGEST);
    watching_init(&watching, in, &outer->c);
    watching.between = play_other;
    watching.arg = (void *)&inner->c;
    stage_play(&watching, &got);
    compare(in, RULE_INTERLEAVE_WITHIN, &outer->c, &got);
    koine__buf_release(&got);
}

/* The next case after the i-th of the same sort and operation; itself where there is none. */
static const struct cases_item *partner(const struct cases *cases, size_t i, size_t distance)
{
    for (size_t at = (i + 1) % cases->count; at != i; at = (at + 1) % cases->count) {
        const struct vendor_case *a = &cases->items[i].c, *b = &cases->items[at].c;
        if (a->answered == b->answered && a->list_models == b->list_models && distance-- == 0)
            return &cases->items[at];
    }
    return &cases->items[i];
}

void stage_interleave(struct inspection *in)
{
    static const size_t distances[] = {0, 1, 5};
    for (size_t i = 0; i < in->cases.count; i++) {
        const struct cases_item *item = &in->cases.items[i];
        for (size_t d = 0; d < sizeof(distances) / sizeof(distances[0]); d++) {
            const struct cases_item *other = partner(&in->cases, i, distances[d]);
            if (item->c.answered)
                alternate(in, item, other);
            nest(in, item, other);
        }
        if (item->c.answered)
            alternate(in, item, item);
    }
}
