/* stage_alloc: every allocation that the plugin asks the host for fails once, and so does every look into a
 * document. */
#include "apps/plugin-check/stages.h"

#include <stdio.h>
#include <string.h>

#define LARGEST ((size_t)32 << 20)
#define MOST    400 /* of one case */

/* Plays with the n-th allocation failing. False: there is no n-th. */
static bool fail(struct inspection *in, const struct cases_item *item, size_t n, const char *alone)
{
    struct watching watching;
    struct koine__buf got;
    koine__buf_init(&got, LARGEST);
    inspection_at(in, "%s: allocation %zu of the host fails", item->name, n);
    watching_init(&watching, in, &item->c);
    watching.fail_at = n;
    stage_play(&watching, &got);
    bool failed = watching.failed;
    if (failed && watching.result != KOINE_NO_MEMORY && strcmp(koine__buf_str(&got), alone) != 0)
        inspection_foundf(in, RULE_ALLOC_FAIL, stage_function(&item->c),
                          "it returned %s, and gave something else than with memory",
                          vendor_result_name(watching.result));
    koine__buf_release(&got);
    return failed;
}

/* Plays with nothing to be found from the n-th look on: the core gives up what comes of it, so only a crash
 * is a finding. False: there is no n-th. */
static bool lose(struct inspection *in, const struct cases_item *item, size_t n)
{
    struct watching watching;
    struct koine__buf got;
    koine__buf_init(&got, LARGEST);
    inspection_at(in, "%s: from look %zu on nothing is found", item->name, n);
    watching_init(&watching, in, &item->c);
    watching.absent_at = n;
    in->muted = true;
    stage_play(&watching, &got);
    in->muted = false;
    koine__buf_release(&got);
    return watching.looks >= n;
}

static void check(struct inspection *in, const struct cases_item *item)
{
    struct koine__buf alone;
    inspection_at(in, "%s", item->name);
    stage_alone(in, &item->c, &alone);
    for (size_t n = 1; n <= MOST && fail(in, item, n, koine__buf_str(&alone)); n++)
        continue;
    for (size_t n = 1; n <= MOST && lose(in, item, n); n++)
        continue;
    koine__buf_release(&alone);
}

void stage_alloc(struct inspection *in)
{
    for (size_t i = 0; i < in->cases.count; i++)
        check(in, &in->cases.items[i]);
}
