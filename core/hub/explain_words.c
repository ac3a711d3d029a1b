/* explain_words: one sentence for why a target stands where it stands, for what would make a call leave it,
 * and for what is true of the whole. */
#include "core/hub/explain_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct usd {
    char text[40];
};

static struct usd usd_of(int64_t picodollars)
{
    struct usd usd;
    koine__write_usd(picodollars, usd.text, sizeof(usd.text));
    return usd;
}

static struct usd duration_of(int64_t ns)
{
    struct usd words;
    koine__write_duration((ns + KOINE__MS - 1) / KOINE__MS * KOINE__MS, words.text, sizeof(words.text));
    return words;
}

static bool is_last(const struct koine__looking *looking, const struct koine__outlook *outlook)
{
    return outlook->index + 1 == looking->prepared.route.count;
}

/* ---- why it stands where it stands ---- */

static void add_place(const struct koine__looking *looking, const struct koine__outlook *outlook,
                      struct koine__buf *ret)
{
    const struct koine__route *route = &looking->prepared.route;
    if (route->count == 1 && route->name[0] == '\0')
        koine__buf_adds(ret, "The one target that the request names");
    else if (outlook->index == 0)
        koine__buf_addf(ret, "The first of %zu in route %s", route->count, route->name);
    else
        koine__buf_addf(ret, "Number %zu of %zu in route %s", outlook->index + 1, route->count, route->name);
}

static void add_wait(const struct koine__saying *wait, struct koine__buf *ret)
{
    if (!wait)
        koine__buf_adds(ret, "; it would be asked now");
    else if (wait->wait > 0)
        koine__buf_addf(ret, "; it would be asked in %s at the earliest", duration_of(wait->wait).text);
    else
        koine__buf_adds(ret, "; it would be asked as soon as there is a place");
}

void koine__explain_why(const struct koine__looking *looking, const struct koine__outlook *outlook,
                        struct koine__buf *ret)
{
    const struct koine__saying *refusal = koine__explain_refusal(outlook);
    add_place(looking, outlook, ret);
    if (refusal && !outlook->reached)
        koine__buf_addf(ret, "; not asked if the call came to it now (%s: %s)",
                        koine_class_name(refusal->fault.class_number), refusal->fault.message);
    else if (refusal)
        koine__buf_addf(ret, "; not asked now (%s: %s)", koine_class_name(refusal->fault.class_number),
                        refusal->fault.message);
    else if (outlook->index == looking->first)
        add_wait(koine__explain_wait(outlook), ret);
    else if (looking->first < outlook->index)
        koine__buf_addf(ret, "; asked if %s fails", looking->prepared.route.targets[outlook->index - 1].text);
    else
        koine__buf_adds(ret, "; the call would end before it comes here");
    koine__buf_addc(ret, '.');
}

/* ---- what makes a call leave it ---- */

struct kind { /* of reactions */
    bool again;
    size_t next;
};

/* "a, b or c"; false: there is none. */
static bool add_classes(const struct koine__outlook *outlook, struct kind kind, const char *before,
                        struct koine__buf *ret)
{
    size_t count = 0, done = 0;
    for (size_t i = 0; i < KOINE__REACTIONS; i++)
        count += outlook->reactions[i].again == kind.again && outlook->reactions[i].next == kind.next;
    for (size_t i = 0; i < KOINE__REACTIONS; i++) {
        const struct koine__reaction *reaction = &outlook->reactions[i];
        if (reaction->again != kind.again || reaction->next != kind.next)
            continue;
        koine__buf_addf(ret, "%s%s",
                        done == 0           ? before
                        : done + 1 == count ? " or "
                                            : ", ",
                        koine_class_name(reaction->class_number));
        done++;
    }
    return count > 0;
}

static unsigned retries_of(const struct koine__outlook *outlook)
{
    return outlook->attempts > 0 ? outlook->attempts - 1 : 0;
}

static bool any_again(const struct koine__outlook *outlook)
{
    for (size_t i = 0; i < KOINE__REACTIONS; i++)
        if (outlook->reactions[i].again)
            return true;
    return false;
}

/* "Asked again up to 3 times (after 1s, 2s, 4s) on connect, … or rate_limit" */
static void add_retries(const struct koine__looking *looking, const struct koine__outlook *outlook,
                        struct koine__buf *ret)
{
    size_t count = looking->prepared.route.count;
    unsigned retries = retries_of(outlook);
    if (retries == 0 || !any_again(outlook)) {
        koine__buf_adds(ret, "Not asked again");
        return;
    }
    koine__buf_addf(ret, "Asked again up to %u time%s (after ", retries, retries == 1 ? "" : "s");
    for (unsigned i = 0; i < retries; i++)
        koine__buf_addf(ret, "%s%s", i > 0 ? ", " : "",
                        duration_of(koine__retry_delay(&outlook->retry, i)).text);
    koine__buf_adds(ret, ")");
    const char *before = " on ";
    for (size_t next = outlook->index + 1; next <= count; next++)
        if (add_classes(outlook, (struct kind){true, next}, before, ret))
            before = ", ";
}

/* "; then, and at once on billing, … or refused, the call moves on to openai/b" */
static void add_step(const struct koine__looking *looking, const struct koine__outlook *outlook,
                     struct koine__buf *ret)
{
    size_t next = outlook->index + 1;
    const char *target = looking->prepared.route.targets[next].text;
    bool retries = retries_of(outlook) > 0 && any_again(outlook);
    bool at_once =
        add_classes(outlook, (struct kind){false, next}, retries ? "; then, and at once on " : "; on ", ret);
    if (retries)
        koine__buf_addf(ret, "%s when it stays silent or a wait of more than %s is advised",
                        at_once ? "," : "; then, and at once",
                        duration_of(outlook->retry.move_on_after).text);
    if (retries || at_once)
        koine__buf_addf(ret, ", the call moves on to %s", target);
    for (next++; next < looking->prepared.route.count; next++)
        if (add_classes(outlook, (struct kind){false, next}, "; on ", ret))
            koine__buf_addf(ret, " to %s", looking->prepared.route.targets[next].text);
}

void koine__explain_moves(const struct koine__looking *looking, const struct koine__outlook *outlook,
                          struct koine__buf *ret)
{
    size_t count = looking->prepared.route.count;
    add_retries(looking, outlook, ret);
    if (is_last(looking, outlook)) {
        koine__buf_adds(ret, "; nothing comes after it: then the call ends with its fault");
    } else {
        add_step(looking, outlook, ret);
        if (add_classes(outlook, (struct kind){true, count}, "; after its retries ", ret))
            koine__buf_adds(ret, " ends the call");
        if (add_classes(outlook, (struct kind){false, count}, "; ", ret))
            koine__buf_adds(ret, " ends the call");
    }
    koine__buf_addc(ret, '.');
}

/* ---- the whole ---- */

void koine__explain_now(const struct koine__looking *looking, struct koine__buf *ret)
{
    const struct koine__route *route = &looking->prepared.route;
    if (looking->first < route->count) {
        const struct koine__outlook *first = &looking->outlooks[looking->first];
        const struct koine__saying *wait = koine__explain_wait(first);
        koine__buf_addf(ret, "A call that starts now would ask %s", first->target->text);
        if (wait && wait->wait > 0)
            koine__buf_addf(ret, ", in %s at the earliest", duration_of(wait->wait).text);
        else if (wait)
            koine__buf_adds(ret, ", as soon as there is a place");
        if (looking->first > 0)
            koine__buf_addf(ret, ", since %s may not be asked now",
                            looking->first == 1 ? route->targets[0].text : "those before it");
    } else {
        koine__buf_addf(ret, "A call that starts now would ask nobody and end as %s at %s: %s",
                        koine_class_name(looking->fault->class_number), looking->fault_target->text,
                        looking->fault->message);
    }
    koine__buf_addc(ret, '.');
}

static void add_unknown(const struct koine__looking *looking, struct koine__buf *ret)
{
    const char *before = "Nobody knows what it could cost: ";
    for (size_t i = 0; i < looking->prepared.route.count; i++) {
        const struct koine__outlook *outlook = &looking->outlooks[i];
        if (outlook->most >= 0)
            continue;
        koine__buf_addf(ret, "%s%s %s", before, outlook->target->text,
                        outlook->estimate.unpriced ? "is unpriced" : "has no bound");
        before = ", ";
    }
    if (looking->most > 0)
        koine__buf_addf(ret, "; the other targets at most $%s", usd_of(looking->most).text);
}

void koine__explain_most(const struct koine__looking *looking, struct koine__buf *ret)
{
    const struct koine__budget_view *tightest = &looking->tightest;
    int64_t left = tightest->scope ? koine__budget_left(tightest) : INT64_MAX;
    if (looking->unknown > 0)
        add_unknown(looking, ret);
    else if (looking->most == INT64_MAX)
        koine__buf_adds(ret, "It could cost more than can be counted");
    else
        koine__buf_addf(ret, "It could cost at most $%s, all attempts together", usd_of(looking->most).text);
    if (!tightest->scope)
        koine__buf_adds(ret, "; no budget limits it");
    else if (looking->unknown > 0 || left < looking->most)
        koine__buf_addf(ret, "; the %s's budget has $%s left and refuses what could lead beyond",
                        tightest->scope, usd_of(left).text);
    else
        koine__buf_addf(ret, "; the %s's budget has $%s left", tightest->scope, usd_of(left).text);
    koine__buf_addc(ret, '.');
}
