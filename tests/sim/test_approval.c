/* Calls that wait for an approval: nothing is taken before the answer, and what follows is what was answered.
 */
#include "tests/sim/world.h"
#include "tests/unit/failalloc.h"
#include "tests/unit/suite.h"

#include <stdio.h>
#include <string.h>

#define CENT INT64_C(10000000000)
#define HI   "{\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}],\"max_tokens\":1000}"

/* One answer of 1000 tokens costs ten cents there, and a prompt nothing. */
static const struct koine__price_row ten_cents = {.input = 0,
                                                  .output = CENT / 100,
                                                  .cache_read = -1,
                                                  .cache_write = -1,
                                                  .reasoning = -1,
                                                  .service_tier = ""};
static const struct koine__model dear = {.provider = "together",
                                         .id = "a",
                                         .retired = "",
                                         .context = 1000,
                                         .max_input = -1,
                                         .max_output = 1000,
                                         .rows = &ten_cents,
                                         .row_count = 1};
static const struct koine__approval above_five_cents = {.call = 5 * CENT, .run = -1, .approved = -1};

#define ANSWER_A                                                                                             \
    {                                                                                                        \
        .repeat = true, ANSWER(TOGETHER, 200, STREAM("a"))                                                   \
    }
#define QUESTION "approval together/a This call may cost up to $0.10"

static struct world *make_dear(struct world *world)
{
    world->targets[0].known = &dear;
    world->together.retry.max_retries = 0;
    return world;
}

#define DEAR_WORLD() make_dear(WORLD(ANSWER_A)) /* its script lives in the caller's block */

static struct world_call *ask(struct world *world, const struct koine__approval *approval)
{
    return ASK(world, .targets = 1, .approval = approval, .document = HI);
}

static struct koine__purse *purse_of(struct koine__budget *run)
{
    static const struct koine__budget_config config = {.call = -1, .run = -1};
    struct koine__purse *purse = koine__purse_new(&config);
    if (purse)
        koine__purse_add(purse, run);
    return purse;
}

static void is(struct koine__budget *budget, int64_t spent, int64_t reserved)
{
    struct koine__budget_view view;
    koine__budget_look(budget, &view);
    ASSERT_INT(view.spent, spent);
    ASSERT_INT(view.reserved, reserved);
}

static void approved(void)
{
    struct world *world = DEAR_WORLD();
    struct world_call *call = ask(world, &above_five_cents);
    world_until(world, 5000);
    ASSERT_STR(call->trace, QUESTION);
    ASSERT_INT(koine_call_awaits_approval(call->call), 1);
    ASSERT_INT((long long)world_send_count(world), 0);
    ASSERT_INT(koine__call_approve(call->call, true), KOINE_OK);
    ASSERT_INT(koine_call_awaits_approval(call->call), 0);
    ASSERT_INT(koine__call_approve(call->call, true), KOINE_EARGUMENT); /* it was answered */
    ASSERT_INT(koine__call_approve(call->call, false), KOINE_EARGUMENT);
    world_run(world);
    ASSERT_STR(call->trace, QUESTION " | " READ_STREAM("together/a", "a"));
    ASSERT_STR(world_sends(world), "5000 together");
    ASSERT_INT(koine__call_approve(call->call, true), KOINE_EARGUMENT); /* it has ended */
    CU_ASSERT_PTR_NOT_NULL(
        strstr(world->logged, "event=approval call=c")); /* then the id, which other tests count on */
    CU_ASSERT_PTR_NOT_NULL(strstr(world->logged, " target=together/a of=call usd=0.1"));
    CU_ASSERT_PTR_NOT_NULL(strstr(world->logged, " answer=yes"));
    world_free(world);
}

static void declined(void)
{
    struct world *world = DEAR_WORLD();
    struct world_call *call = ask(world, &above_five_cents);
    koine_cost cost = KOINE_COST_INIT;
    world_until(world, 100);
    ASSERT_INT(koine__call_approve(call->call, false), KOINE_OK);
    ASSERT_INT(koine_call_awaits_approval(call->call), 0);
    world_run(world);
    ASSERT_STR(call->trace, QUESTION " | fault declined together/a");
    ASSERT_STR(world_message(call), "the answer was no: the call could cost up to $0.10");
    const koine_error *error = koine_call_error(call->call);
    ASSERT_STR(koine_error_code(error), "approval");
    ASSERT_INT(koine_error_origin(error), KOINE_ORIGIN_POLICY);
    ASSERT_INT(koine_error_estimate(error, &cost), 1);
    ASSERT_INT(cost.state, KOINE_PRICED);
    ASSERT_INT(cost.picodollars, 10 * CENT);
    ASSERT_INT(cost.estimated, 1);
    ASSERT_INT((long long)world_send_count(world), 0);
    ASSERT_STR(world_rows(call), "");
    world_free(world);
}

/* Of one place at the provider, and a budget that bears one call, a call that waits for its answer has
 * neither. */
static void nothing_is_held(void)
{
    static const struct koine__limiter_config one = {.requests = 1,
                                                     .tokens = -1,
                                                     .concurrent = 1,
                                                     .queue = 256,
                                                     .window = WORLD_MS(60000),
                                                     .slack = WORLD_MS(500),
                                                     .unused_grant = WORLD_MS(250)};
    struct world *world = DEAR_WORLD();
    struct koine__budget run;
    world_police(world, &one);
    koine__budget_init(&run, "run", 10 * CENT);
    struct world_call *waits =
        ASK(world, .targets = 1, .approval = &above_five_cents, .document = HI, .purse = purse_of(&run));
    world_until(world, 100);
    is(&run, 0, 0);
    struct world_call *goes = ASK(world, .targets = 1, .document = HI, .purse = purse_of(&run));
    world_until(world, 200);
    ASSERT_STR(waits->trace, QUESTION);
    ASSERT_STR(goes->trace, READ_STREAM("together/a", "a"));
    ASSERT_STR(world_sends(world), "100 together");
    is(&run, 700000, 0);
    ASSERT_INT(koine__call_approve(waits->call, true), KOINE_OK);
    world_run(world);
    ASSERT_STR(waits->trace, QUESTION " | fault budget together/a"); /* what was approved may be refused */
    world_free(world);
    koine__budget_release(&run);
}

static void cancelled(void)
{
    struct world *world = DEAR_WORLD();
    koine_canceller *canceller;
    ASSERT_INT(koine_canceller_new(&canceller), KOINE_OK);
    struct world_call *first = ask(world, &above_five_cents);
    struct world_call *second =
        ASK(world, .targets = 1, .approval = &above_five_cents, .document = HI, .canceller = canceller);
    world_until(world, 100);
    koine__call_cancel(first->call);
    ASSERT_INT(koine_call_awaits_approval(first->call), 0);
    ASSERT_INT(koine__call_approve(first->call, true), KOINE_EARGUMENT);
    koine_cancel(canceller);
    world_run(world);
    ASSERT_STR(first->trace, QUESTION " | fault cancelled together/a");
    ASSERT_STR(second->trace, QUESTION " | fault cancelled together/a");
    ASSERT_INT(first->ended_ms, 100);
    ASSERT_INT(second->ended_ms, 100);
    ASSERT_INT((long long)world_send_count(world), 0);
    world_free(world);
    koine_canceller_free(canceller);
}

static void freed(void)
{
    struct world *world = DEAR_WORLD();
    struct world_call *asked = ask(world, &above_five_cents), *unread = ask(world, &above_five_cents);
    world_until(world, 100);
    world_drop(asked);
    world->deaf = true;
    world_drop(unread);
    ASSERT_INT((long long)world->plans, 0);
    world_free(world);
}

/* Whoever answers may take his time, and the call has all of its own afterwards. */
static void the_deadline_begins_with_the_answer(void)
{
    struct world *world = make_dear(
        WORLD({.match = TOGETHER, .head_after = WORLD_MS(9999), .status = 200, BODY(PIECE(0, STREAM("a")))},
              {.match = TOGETHER, .hang = true}));
    struct world_call *call =
        ASK(world, .targets = 1, .approval = &above_five_cents, .document = HI, .deadline = WORLD_MS(10000));
    world_until(world, 3600000);
    ASSERT_STR(call->trace, QUESTION);
    ASSERT_INT(koine__call_approve(call->call, true), KOINE_OK);
    world_run(world);
    ASSERT_STR(call->trace, QUESTION " | " READ_STREAM("together/a", "a"));
    ASSERT_INT(call->ended_ms, 3609999);
    ASSERT_INT(koine_response_ms(koine_call_response(call->call)), 3609999);
    call =
        ASK(world, .targets = 1, .approval = &above_five_cents, .document = HI, .deadline = WORLD_MS(10000));
    int64_t asked_ms = world->now / KOINE__MS;
    world_until(world, asked_ms + 20000);
    ASSERT_INT(koine__call_approve(call->call, true), KOINE_OK);
    world_run(world);
    ASSERT_STR(call->trace, QUESTION " | fault deadline/total together/a");
    ASSERT_INT(call->ended_ms, asked_ms + 30000);
    world_free(world);
}

static void thresholds(void)
{
    struct world *world = DEAR_WORLD();
    struct koine__approval approval = {.call = 10 * CENT, .run = -1, .approved = -1};
    ASSERT_INT(ask(world, &approval)->terminals, 0);
    approval.call = 10 * CENT - 1;
    ask(world, &approval);
    approval.approved = 10 * CENT;
    ask(world, &approval);
    approval.approved = 10 * CENT - 1;
    ask(world, &approval);
    approval = (struct koine__approval){.call = -1, .run = -1, .approved = -1};
    ask(world, &approval);
    ASK(world, .targets = 1, .list = true, .approval = &above_five_cents);
    world_until(world, 100);
    ASSERT_STR(world->asked[0].trace, READ_STREAM("together/a", "a")); /* not more than it */
    ASSERT_STR(world->asked[1].trace, QUESTION);
    ASSERT_STR(world->asked[2].trace, READ_STREAM("together/a", "a"));
    ASSERT_STR(world->asked[3].trace, QUESTION);
    ASSERT_STR(world->asked[4].trace, READ_STREAM("together/a", "a"));
    CU_ASSERT_PTR_NULL(strstr(world->asked[5].trace, "approval"));
    world_free(world);
}

static void of_a_run(void)
{
    static const struct koine__approval above_twenty = {.call = -1, .run = 20 * CENT, .approved = -1};
    struct world *world = DEAR_WORLD();
    struct koine__budget run;
    struct world_call *calls[3];
    koine__budget_init(&run, "run", KOINE__NO_LIMIT);
    run.spent = 10 * CENT;
    for (size_t i = 0; i < 3; i++) {
        calls[i] =
            ASK(world, .targets = 1, .approval = &above_twenty, .document = HI, .purse = purse_of(&run));
        world_until(world, 100 * (int64_t)(i + 1));
    }
    ASSERT_STR(calls[0]->trace, READ_STREAM("together/a", "a")); /* comes to twenty, and no more */
    ASSERT_STR(calls[1]->trace, "approval together/a This run may cost up to $0.2001, of which $0.1001 is "
                                "spent or reserved");
    ASSERT_INT(koine__call_approve(calls[1]->call, true), KOINE_OK);
    world_until(world, 400);
    ASSERT_STR(world_cost(calls[1]), "700000");
    is(&run, 10 * CENT + 2 * 700000, 0);
    world_free(world);
    koine__budget_release(&run);
}

static void what_nobody_knows(void)
{
    struct world *world = make_dear(WORLD({.repeat = true, ANSWER(TOGETHER, 200, STREAM("z"))}));
    struct koine__approval approval = {.call = 5 * CENT, .run = -1, .approved = 1000 * CENT};
    struct koine__budget run;
    koine_cost cost = KOINE_COST_INIT;
    world->targets[0].model = "z";
    world->targets[0].known = NULL;
    struct world_call *call = ask(world, &approval); /* nothing that was approved covers it */
    world_until(world, 100);
    ASSERT_STR(call->trace,
               "approval together/a Nobody knows what together/a could cost: its price is not known");
    ASSERT_INT(koine__call_approve(call->call, false), KOINE_OK);
    world_run(world);
    ASSERT_STR(world_message(call), "the answer was no: nobody knows what the call could cost");
    ASSERT_INT(koine_error_estimate(koine_call_error(call->call), &cost), 1);
    ASSERT_INT(cost.state, KOINE_UNPRICED);
    koine__budget_init(&run, "run", 100 * CENT); /* what a budget refuses is not asked */
    call = ASK(world, .targets = 1, .approval = &approval, .document = HI, .purse = purse_of(&run));
    world_run(world);
    ASSERT_STR(call->trace, "fault budget together/a");
    struct koine__purse *allowing = purse_of(&run);
    allowing->allow_unpriced = true;
    call = ASK(world, .targets = 1, .approval = &approval, .document = HI, .purse = allowing);
    world_until(world, world->now / KOINE__MS);
    ASSERT_INT(koine_call_awaits_approval(call->call), 1);
    koine__call_cancel(call->call);
    world->together.free_of_charge = true;
    call = ask(world, &approval);
    world_run(world);
    ASSERT_STR(call->trace, READ_STREAM("together/a", "z"));
    world_free(world);
    koine__budget_release(&run);
}

/* A run that is only counted refuses nothing, whatever it could cost. */
static void counted_only(void)
{
    struct world *world = WORLD({.repeat = true, ANSWER(TOGETHER, 200, STREAM("z"))});
    struct koine__budget run;
    world->targets[0].model = "z";
    world->targets[0].known = NULL;
    koine__budget_init(&run, "run", KOINE__NO_LIMIT);
    struct world_call *call = ASK(world, .targets = 1, .purse = purse_of(&run));
    world_run(world);
    ASSERT_STR(call->trace, READ_STREAM("together/a", "z"));
    is(&run, 0, 0);
    world_free(world);
    koine__budget_release(&run);
}

/* Where nobody reads events, nobody can be asked. */
static void nobody_to_ask(void)
{
    struct world *world = DEAR_WORLD();
    struct koine__approval approval = above_five_cents;
    koine_cost cost = KOINE_COST_INIT;
    approval.answered_never = true;
    struct world_call *call = ask(world, &approval);
    world_run(world);
    ASSERT_STR(call->trace, "fault declined together/a");
    ASSERT_STR(world_message(call), "the call needs an approval, and nobody was asked: This call may cost up "
                                    "to $0.10");
    ASSERT_INT(koine_error_estimate(koine_call_error(call->call), &cost), 1);
    ASSERT_INT(cost.picodollars, 10 * CENT);
    ASSERT_INT((long long)world_send_count(world), 0);
    world_free(world);
}

static void without_memory(void)
{
    const struct koine__replay_answer answers[] = {ANSWER_A};
    for (long n = 1;; n++) {
        failalloc_begin(n);
        struct world *world = world_new(answers, 1);
        if (world)
            world->targets[0].known = &dear;
        struct world_call *call = world ? ask(world, &above_five_cents) : NULL;
        if (call)
            world_until(world, 100);
        if (call && koine_call_awaits_approval(call->call))
            ASSERT_INT(koine__call_approve(call->call, n % 2 == 0), KOINE_OK);
        if (call)
            world_run(world);
        if (call)
            ASSERT_INT(call->terminals, 1);
        if (world)
            world_free(world);
        if (!failalloc_end())
            break;
        CU_ASSERT_FATAL(n < 10000);
    }
}

SUITE_MAIN("sim approval", {"approved", approved}, {"declined", declined},
           {"nothing is held", nothing_is_held}, {"cancelled", cancelled}, {"freed", freed},
           {"the deadline begins with the answer", the_deadline_begins_with_the_answer},
           {"thresholds", thresholds}, {"of a run", of_a_run}, {"what nobody knows", what_nobody_knows},
           {"counted only", counted_only}, {"nobody to ask", nobody_to_ask},
           {"without memory", without_memory})
