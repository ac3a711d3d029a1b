/* Requests, tokens and places, and the one line before them. */
#include "tests/unit/clients.h"
#include "tests/unit/failalloc.h"
#include "tests/unit/suite.h"
#include <string.h>

#define MINUTE (60 * KOINE__SEC)
#define SPAN   (60500 * KOINE__MS) /* a minute, and half a second for what arrives later than it leaves */
#define START  (1000 * KOINE__SEC)

static const struct koine__limiter_config unlimited = {.requests = -1,
                                                       .tokens = -1,
                                                       .concurrent = -1,
                                                       .queue = 256,
                                                       .window = MINUTE,
                                                       .slack = 500 * KOINE__MS,
                                                       .unused_grant = 250 * KOINE__MS};

static struct koine__limiter_config limits(int64_t requests, int64_t tokens, int64_t concurrent)
{
    struct koine__limiter_config config = unlimited;
    config.requests = requests;
    config.tokens = tokens;
    config.concurrent = concurrent;
    return config;
}

static void begin(int64_t requests, int64_t tokens, int64_t concurrent)
{
    struct koine__limiter_config config = limits(requests, tokens, concurrent);
    CU_ASSERT_FATAL(clients_begin(&config));
}

static struct customer *come(int client)
{
    return clients_come(client, KOINE__NEVER, 0);
}

static struct customer *come_for(int64_t tokens)
{
    return clients_come(0, KOINE__NEVER, tokens);
}

static struct koine__limiter_view look(int64_t tokens)
{
    struct koine__limiter_view view;
    koine__limiter_look(clients.limiter, clients.now, tokens, &view);
    return view;
}

#define ASSERT_REFUSED(customer, why)                                                                        \
    do {                                                                                                     \
        ASSERT_INT((customer)->stand, STAND_REFUSED);                                                        \
        ASSERT_INT((customer)->fault.class_number, KOINE_CLASS_REFUSED);                                     \
        ASSERT_STR((customer)->fault.code, why);                                                             \
    } while (0)

/* ---- What is counted ---- */

static void nothing_is_limited(void)
{
    struct koine__ticket ticket = {.deadline = KOINE__NEVER, .patience = KOINE__NEVER};
    struct koine__policies policies = {.limiter = NULL};
    struct koine__outcome outcome = {KOINE_CLASS_NONE, true, 5, -1, false};
    const struct koine__gate_stage *stage = &koine__limiter_stage;
    for (int i = 0; i < 2; i++) {
        ASSERT_INT(stage->enter(stage->self, &ticket, 1, NULL), KOINE__PASS_GO);
        stage->sent(stage->self, &ticket, 1);
        stage->leave(stage->self, &ticket, &outcome, 2);
        stage->forget(stage->self, &ticket, 3);
        ticket.policies = &policies;
    }
    begin(-1, -1, -1);
    for (int i = 0; i < 300; i++)
        ASSERT_INT(come_for(1000)->stand, STAND_THROUGH);
    ASSERT_INT(look(0).under_way, 300);
    ASSERT_INT(look(0).requests, 0);
    ASSERT_INT(look(0).next, START);
    clients_end();
}

static void a_window_of_requests(void)
{
    begin(2, -1, -1);
    struct customer *a = come(0);
    clients.now += 10 * KOINE__SEC;
    struct customer *b = come(0);
    ASSERT_INT(b->stand, STAND_THROUGH);
    struct customer *c = come(0), *d = come(0), *e = come(0);
    clients_leave(a, true, -1); /* that it is over does not take it out of the window */
    ASSERT_INT(c->stand, STAND_WAITS);
    ASSERT_INT(c->ticket.wake_at, START + SPAN);
    ASSERT_INT(d->ticket.wake_at, KOINE__NEVER); /* the first looks for all */
    clients_run(START + SPAN - 1);
    ASSERT_INT(c->stand, STAND_WAITS);
    clients_run(START + SPAN);
    ASSERT_INT(c->stand, STAND_THROUGH);
    ASSERT_INT(d->stand, STAND_WAITS);
    clients_run(START + 300 * KOINE__SEC);
    ASSERT_INT(d->passed_at, START + 10 * KOINE__SEC + SPAN);
    ASSERT_INT(e->passed_at, START + 2 * SPAN);
    clients_end();
}

/* It is the first byte that counts; until then an entry counts as if it were sent now. */
static void stamped_when_sent(void)
{
    begin(2, -1, -1);
    clients.sends_at_once = false;
    struct customer *a = come(0), *b = come(0), *c = come(0);
    clients_run(START + 20 * KOINE__SEC);
    clients_send(a);
    clients_send(a);
    clients_run(START + 90 * KOINE__SEC);
    ASSERT_INT(c->passed_at, START + 20 * KOINE__SEC + SPAN);
    struct customer *d = come(0);
    clients_run(START + 10 * MINUTE);
    ASSERT_INT(d->stand, STAND_WAITS); /* b and c are about to be sent */
    clients_leave(b, true, -1);        /* and nobody had said so */
    clients_send(c);
    clients_run(START + 20 * MINUTE);
    ASSERT_INT(d->passed_at, START + 10 * MINUTE + SPAN);
    clients_end();
}

static void what_was_not_sent_is_given_back(void)
{
    begin(1, 100, -1);
    clients.sends_at_once = false;
    struct customer *a = clients_come(0, KOINE__NEVER, 100), *b = clients_come(1, KOINE__NEVER, 100);
    ASSERT_INT(b->stand, STAND_WAITS);
    clients_leave(a, false, -1);
    clients_run(START);
    ASSERT_INT(b->stand, STAND_THROUGH);
    clients_leave(b, false, 70);
    ASSERT_INT(look(0).requests, 0);
    ASSERT_INT(look(0).tokens, 0);
    clients_end();
}

static unsigned passed_at(int64_t time)
{
    unsigned count = 0;
    for (int i = 0; i < CUSTOMERS; i++)
        count += clients.customers[i].stand == STAND_THROUGH && clients.customers[i].passed_at == time;
    return count;
}

/* Part D, scenario 4. */
static void a_crowd_of_250(void)
{
    begin(100, -1, 250);
    for (int i = 0; i < 250; i++)
        come(i % CLIENTS);
    clients_run(START + 10 * MINUTE);
    ASSERT_INT(passed_at(START), 100);
    ASSERT_INT(passed_at(START + 60500 * KOINE__MS), 100);
    ASSERT_INT(passed_at(START + 121 * KOINE__SEC), 50);
    clients_end();
    begin(100, -1, 250);
    for (int i = 0; i < 250; i++)
        clients_come(i % CLIENTS, START + 30 * KOINE__SEC, 0);
    ASSERT_INT(clients_count(STAND_THROUGH), 100);
    ASSERT_INT(clients_count(STAND_REFUSED), 150);
    ASSERT_REFUSED(&clients.customers[200], "hopeless");
    ASSERT_INT(clients.customers[200].fault.retry_after_ns, 60500 * KOINE__MS);
    ASSERT_STR(
        clients.customers[200].fault.message,
        "an attempt at together cannot be let through by the limits in the time that is left (60.5s at "
        "least)");
    clients_end();
}

/* Places in the line are known to the nanosecond, also a round or two later. */
static void hopeless_to_the_nanosecond(void)
{
    begin(2, -1, -1);
    come(0);
    clients.now += KOINE__SEC;
    come(0);
    for (int i = 0; i < 3; i++) /* these pass at 60.5, 61.5 and 121 s */
        come(0);
    ASSERT_INT(look(0).next, START + KOINE__SEC + 2 * SPAN);
    struct customer *a = clients_come(1, START + KOINE__SEC + 2 * SPAN - 1, 0);
    ASSERT_REFUSED(a, "hopeless");
    ASSERT_INT(a->fault.retry_after_ns, 2 * SPAN);
    struct customer *b = clients_come(1, START + KOINE__SEC + 2 * SPAN, 0);
    ASSERT_INT(b->stand, STAND_WAITS);
    clients_run(START + KOINE__SEC + 2 * SPAN);
    ASSERT_INT(b->stand, STAND_THROUGH);
    clients_end();
    begin(0, -1, -1);
    ASSERT_REFUSED(come(0), "hopeless");
    ASSERT_INT(clients.customers[0].fault.retry_after_ns, -1);
    ASSERT_INT(look(0).next, KOINE__NEVER);
    clients_end();
    begin(-1, -1, 0);
    ASSERT_REFUSED(come(0), "hopeless");
    clients_end();
}

static void a_window_of_tokens(void)
{
    begin(-1, 1000, -1);
    struct customer *a = come_for(600);
    clients.now += KOINE__SEC;
    struct customer *b = come_for(400);
    struct customer *c = come_for(1), *d = come_for(500);
    struct customer *none = come_for(0);
    ASSERT_INT(none->stand, STAND_WAITS); /* it wants nothing, and nobody overtakes */
    struct customer *large = come_for(1001);
    ASSERT_REFUSED(large, "too_large");
    ASSERT_STR(large->fault.message, "an attempt at together asks for more tokens, max_tokens among them, "
                                     "than a window of the limit has (1001 of 1000)");
    ASSERT_INT(large->fault.retry_after_ns, -1);
    ASSERT_INT(look(1001).next, KOINE__NEVER);
    ASSERT_INT(look(99).next, START + SPAN); /* 600 leave; c and d come before */
    ASSERT_INT(look(100).next, START + KOINE__SEC + SPAN);
    ASSERT_INT(look(499).next, START + KOINE__SEC + SPAN);
    ASSERT_INT(look(500).next, START + 2 * SPAN);
    ASSERT_INT(look(0).tokens, 1000);
    ASSERT_REFUSED(clients_come(0, START + SPAN, 100), "hopeless");
    ASSERT_INT(clients_come(0, START + SPAN, 99)->stand, STAND_WAITS);
    clients_leave(a, true, -1);
    clients_leave(b, true, -1);
    clients_run(START + 10 * MINUTE);
    ASSERT_INT(c->passed_at, START + SPAN);
    ASSERT_INT(d->passed_at, START + SPAN);
    ASSERT_INT(none->passed_at, START + SPAN);
    clients_end();
}

static void tokens_are_settled(void)
{
    begin(-1, 1000, -1);
    struct customer *a = come_for(900), *b = come_for(900), *c = come_for(150);
    ASSERT_INT(b->stand, STAND_WAITS);
    ASSERT_INT(b->ticket.wake_at, START + SPAN);
    clients_leave(a, true, 100); /* a refund lets the next one in */
    clients_run(START);
    ASSERT_INT(b->stand, STAND_THROUGH);
    ASSERT_INT(look(0).tokens, 1000);
    clients_leave(b, true, 1500); /* and what was not foreseen stops all */
    ASSERT_INT(look(0).tokens, 1600);
    ASSERT_INT(look(0).next, START + SPAN);
    clients_run(START + 10 * MINUTE);
    ASSERT_INT(c->passed_at, START + SPAN);
    clients_end();
}

static void nothing_wanted_of_less_than_nothing(void)
{
    begin(-1, 100, -1);
    clients_leave(come_for(10), true, 500);
    clients.now += KOINE__SEC;
    struct customer *none = come_for(0);
    ASSERT_INT(none->stand, STAND_WAITS);
    ASSERT_INT(none->ticket.wake_at, START + SPAN);
    ASSERT_REFUSED(clients_come(0, START + SPAN - 1, 0), "hopeless");
    clients_run(START + 10 * MINUTE);
    ASSERT_INT(none->passed_at, START + SPAN);
    clients_end();
}

/* A call that takes longer than a window, and more than was thought. */
static void more_than_foreseen_later(void)
{
    begin(5, 1000, -1);
    struct customer *a = come_for(300), *b = come_for(300);
    clients_run(START + 2 * MINUTE);
    ASSERT_INT(look(0).tokens, 0);
    clients_leave(a, true, 200); /* less: it has left already */
    ASSERT_INT(look(0).tokens, 0);
    clients_leave(b, true, 1250);
    ASSERT_INT(look(0).tokens, 950);
    ASSERT_INT(look(0).requests, 0);
    struct customer *c = come_for(51), *d = come_for(10);
    ASSERT_INT(c->ticket.wake_at, START + 2 * MINUTE + SPAN);
    clients_run(START + 10 * MINUTE);
    ASSERT_INT(c->passed_at, START + 2 * MINUTE + SPAN);
    ASSERT_INT(d->passed_at, START + 2 * MINUTE + SPAN);
    ASSERT_INT(look(0).tokens, 0);
    clients_end();
}

/* Two must leave the window before the next may in; then the later one turns out to be small. */
static void a_refund_brings_the_time_forward(void)
{
    begin(-1, 1000, -1);
    come_for(500);
    clients.now += 30 * KOINE__SEC;
    struct customer *b = clients_come(1, KOINE__NEVER, 500);
    struct customer *c = come_for(900);
    ASSERT_INT(c->ticket.wake_at, START + 30 * KOINE__SEC + SPAN);
    clients_leave(b, true, 100);
    clients_deliver();
    ASSERT_INT(c->ticket.wake_at, START + SPAN);
    clients_run(START + 10 * MINUTE);
    ASSERT_INT(c->passed_at, START + SPAN);
    clients_end();
}

static void places(void)
{
    begin(-1, -1, 2);
    struct customer *a = come(0), *b = come(1), *c = come(1), *d = come(0);
    ASSERT_INT(b->stand, STAND_THROUGH);
    clients_run(START + 10 * MINUTE);
    ASSERT_INT(c->stand, STAND_WAITS);
    clients_leave(a, true, -1);
    struct customer *e = come(2); /* c's turn has come, though it does not know yet */
    ASSERT_INT(e->stand, STAND_WAITS);
    ASSERT_INT(look(0).under_way, 2);
    ASSERT_INT(look(0).waiting, 2);
    clients_deliver();
    ASSERT_INT(c->stand, STAND_THROUGH);
    clients_leave(c, false, -1);
    clients_leave(b, true, -1);
    clients_deliver();
    ASSERT_INT(d->stand, STAND_THROUGH);
    ASSERT_INT(e->stand, STAND_THROUGH);
    clients_end();
}

/* ---- Who waits ---- */

static void first_come_first_served(void)
{
    begin(-1, 100, -1);
    struct customer *a = come_for(60);
    struct customer *large = clients_come(1, KOINE__NEVER, 90);
    struct customer *small = clients_come(2, KOINE__NEVER, 10); /* would fit */
    clients_run(START + KOINE__SEC);
    ASSERT_INT(small->stand, STAND_WAITS);
    clients_leave(large, false, -1);
    clients_run(START + KOINE__SEC);
    ASSERT_INT(small->stand, STAND_THROUGH); /* at once, when what held it up is gone */
    clients_leave(a, true, -1);
    clients_end();
}

static void the_line_is_bounded(void)
{
    struct koine__limiter_config config = limits(-1, -1, 1);
    config.queue = 2;
    CU_ASSERT_FATAL(clients_begin(&config));
    struct customer *a = come(0), *b = come(0), *c = come(1), *d = come(2);
    ASSERT_INT(c->stand, STAND_WAITS);
    ASSERT_REFUSED(d, "queue_full");
    clients_leave(b, false, -1);
    ASSERT_INT(come(2)->stand, STAND_WAITS);
    config.queue = 0;
    koine__limiter_configure(clients.limiter, &config, clients.now);
    ASSERT_REFUSED(come(2), "queue_full");
    clients_leave(a, true, -1);
    clients_run(START);
    ASSERT_INT(c->stand, STAND_THROUGH); /* those who are in stay in */
    clients_end();
}

static void one_that_may_not_wait(void)
{
    begin(1, -1, -1);
    come(0);
    struct customer *hedge = clients_prepare(1, KOINE__NEVER, 0);
    hedge->ticket.may_not_wait = true;
    clients_enter(hedge);
    ASSERT_REFUSED(hedge, "busy");
    ASSERT_INT(hedge->fault.retry_after_ns, SPAN);
    ASSERT_INT(look(0).waiting, 0);
    clients_end();
}

static void patience(void)
{
    begin(-1, -1, 1);
    struct customer *a = come(0);
    struct customer *b = clients_prepare(0, KOINE__NEVER, 0);
    b->ticket.patience = START + 5 * KOINE__SEC;
    clients_enter(b);
    struct customer *c = clients_prepare(0, KOINE__NEVER, 0);
    c->ticket.patience = START + 3 * KOINE__SEC;
    clients_enter(c);
    ASSERT_INT(b->ticket.wake_at, START + 5 * KOINE__SEC);
    ASSERT_INT(c->ticket.wake_at, START + 3 * KOINE__SEC);
    clients_run(START + 10 * KOINE__SEC);
    ASSERT_REFUSED(b, "impatient");
    ASSERT_REFUSED(c, "impatient");
    ASSERT_INT(b->passed_at, START + 5 * KOINE__SEC);
    ASSERT_INT(c->passed_at, START + 3 * KOINE__SEC);
    ASSERT_INT(look(0).waiting, 0);
    clients_leave(a, true, -1);
    ASSERT_INT(look(0).under_way, 0);
    clients_end();
    begin(1, -1, -1); /* what cannot be within it is refused at once */
    come(0);
    struct customer *d = clients_prepare(0, KOINE__NEVER, 0);
    d->ticket.patience = START + 5 * KOINE__SEC;
    clients_enter(d);
    ASSERT_REFUSED(d, "hopeless");
    clients_end();
}

static void the_deadline_of_one_that_waits(void)
{
    begin(-1, -1, 1);
    struct customer *a = come(0), *b = clients_come(0, START + 5 * KOINE__SEC, 0);
    struct customer *c = clients_come(0, START + 3 * KOINE__SEC, 0);
    ASSERT_INT(b->ticket.wake_at, START + 5 * KOINE__SEC);
    ASSERT_INT(c->ticket.wake_at, START + 3 * KOINE__SEC);
    clients_run(START + 10 * KOINE__SEC);
    ASSERT_REFUSED(b, "hopeless");
    ASSERT_REFUSED(c, "hopeless");
    ASSERT_INT(b->passed_at, START + 5 * KOINE__SEC);
    ASSERT_INT(c->passed_at, START + 3 * KOINE__SEC);
    ASSERT_INT(look(0).waiting, 0);
    clients_leave(a, true, -1);
    clients_end();
}

static void waiters_give_up(void)
{
    begin(2, -1, -1);
    struct customer *a = come(0), *b = come(0);
    struct customer *line[5];
    for (int i = 0; i < 5; i++)
        line[i] = come(i < 3 ? 0 : 1);
    clients_leave(line[1], false, -1); /* in the midst */
    clients_leave(line[0], false, -1); /* the one on duty */
    clients_leave(line[4], false, -1); /* the last */
    clients_deliver();
    ASSERT_INT(line[2]->ticket.wake_at, START + 250 * KOINE__MS); /* it looks for both clients now */
    clients_run(START + 2 * MINUTE);
    ASSERT_INT(line[2]->passed_at, START + SPAN);
    ASSERT_INT(line[3]->passed_at, START + SPAN);
    ASSERT_INT(look(0).waiting, 0);
    clients_leave(a, true, -1);
    clients_leave(b, true, -1);
    clients_end();
}

/* A grant that was made and is not wanted any more goes to the next. */
static void a_grant_is_given_back(void)
{
    begin(1, 10, 1);
    clients.sends_at_once = false;
    struct customer *a = clients_come(0, KOINE__NEVER, 10), *b = clients_come(1, KOINE__NEVER, 10),
                    *c = clients_come(2, KOINE__NEVER, 10);
    clients_leave(a, false, -1);
    ASSERT_INT(b->ticket.limiter.turn, KOINE__TURN_GRANTED);
    clients_leave(b, false, -1);
    ASSERT_INT(b->ticket.in_inbox, false);
    clients_deliver();
    ASSERT_INT(c->stand, STAND_THROUGH);
    clients_leave(c, false, -1);
    ASSERT_INT(look(0).requests, 0);
    ASSERT_INT(look(0).tokens, 0);
    ASSERT_INT(look(0).under_way, 0);
    clients_end();
}

/* ---- Clients that sleep ---- */

static void one_sleeps_with_a_hundred_in_line(void)
{
    begin(-1, -1, 1);
    struct customer *a = come(1), *sleeper[100];
    for (int i = 0; i < 100; i++)
        sleeper[i] = come(0);
    struct customer *b = come(1), *c = come(2);
    clients_run(START + KOINE__SEC);
    clients.asleep[0] = true;
    clients_leave(a, true, -1);
    clients_run(START + KOINE__SEC + 250 * KOINE__MS - 1);
    ASSERT_INT(b->stand, STAND_WAITS);
    clients_run(START + 2 * KOINE__SEC);
    ASSERT_INT(b->passed_at, START + KOINE__SEC + 250 * KOINE__MS); /* once, not a hundred times */
    clients_leave(b, true, -1);
    clients_run(START + 2 * KOINE__SEC);
    ASSERT_INT(c->passed_at, START + 2 * KOINE__SEC);
    struct customer *d = come(3), *e = come(2);
    clients.now += KOINE__SEC;
    clients.asleep[0] = false;
    clients_deliver();
    clients_leave(c, true, -1);
    clients_deliver();
    ASSERT_INT(sleeper[0]->stand, STAND_THROUGH); /* its turn was kept */
    ASSERT_INT(d->stand, STAND_WAITS);
    for (int i = 0; i < 99; i++) {
        clients_leave(sleeper[i], true, -1);
        clients_deliver();
        ASSERT_INT(sleeper[i + 1]->stand, STAND_THROUGH);
    }
    clients_leave(sleeper[99], true, -1);
    clients_deliver();
    ASSERT_INT(d->stand, STAND_THROUGH);
    clients_leave(d, true, -1);
    clients_deliver();
    ASSERT_INT(e->stand, STAND_THROUGH);
    clients_end();
}

/* It sleeps while time, and nobody's leaving, makes it its turn; several are granted at once. */
static void one_sleeps_when_the_window_moves(void)
{
    begin(3, -1, -1);
    for (int i = 0; i < 3; i++)
        come(1);
    struct customer *sleeper[3], *other[3];
    for (int i = 0; i < 3; i++)
        sleeper[i] = come(0);
    for (int i = 0; i < 3; i++)
        other[i] = come(1 + i);
    clients_run(START + MINUTE);
    clients.asleep[0] = true;
    clients_run(START + 62 * KOINE__SEC);
    for (int i = 0; i < 3; i++)
        CU_ASSERT(other[i]->stand == STAND_THROUGH && other[i]->passed_at <= START + SPAN + 300 * KOINE__MS);
    clients.asleep[0] = false;
    clients_run(START + 3 * MINUTE);
    for (int i = 0; i < 3; i++) {
        ASSERT_INT(sleeper[i]->passed_at, START + SPAN + 250 * KOINE__MS + SPAN);
        ASSERT_INT(sleeper[i]->place, 7 + i);
    }
    clients_end();
}

/* Its owner comes for another reason, and finds its grant gone and given again. */
static void late_but_nobody_looked(void)
{
    begin(-1, -1, 1);
    struct customer *a = come(0), *b = come(1);
    clients.asleep[1] = true;
    clients_leave(a, true, -1);
    clients_run(START + 5 * KOINE__SEC);
    ASSERT_INT(b->ticket.limiter.turn, KOINE__TURN_GRANTED); /* nobody else wants it */
    struct customer *c = come(0);
    ASSERT_INT(b->ticket.limiter.turn, KOINE__TURN_WAITS);
    ASSERT_INT(c->stand, STAND_THROUGH);
    clients_leave(c, true, -1);
    ASSERT_INT(b->ticket.limiter.turn, KOINE__TURN_WAITS); /* passed over */
    clients.asleep[1] = false;
    struct customer *d = come(1);
    ASSERT_INT(d->stand, STAND_WAITS);
    clients_deliver();
    ASSERT_INT(b->stand, STAND_THROUGH);
    clients_leave(b, true, -1);
    clients_deliver();
    ASSERT_INT(d->stand, STAND_THROUGH);
    clients_end();
}

static void all_but_one_sleep(void)
{
    begin(-1, -1, 1);
    struct customer *a = come(5);
    for (int i = 0; i < 5; i++)
        come(i);
    struct customer *last = come(5);
    clients_run(START + KOINE__SEC);
    for (int i = 0; i < 5; i++)
        clients.asleep[i] = true;
    clients_leave(a, true, -1);
    clients_run(START + 10 * KOINE__SEC);
    ASSERT_INT(last->stand, STAND_THROUGH);
    ASSERT_INT(last->passed_at, START + KOINE__SEC + 5 * 250 * KOINE__MS);
    ASSERT_INT(look(0).waiting, 5);
    clients_end();
}

/* Looking every quarter of a second is for those who wait beside others; nobody else is woken for nothing. */
static void nobody_looks_for_nothing(void)
{
    begin(1, -1, -1);
    come(0);
    struct customer *a = come(0), *b = come(0);
    clients_run(START + MINUTE);
    ASSERT_INT(a->looks, 1);
    struct customer *c = come(1); /* in line for the last half second of it */
    clients_run(START + SPAN + KOINE__SEC);
    CU_ASSERT(a->looks <= 5);
    CU_ASSERT(c->looks <= 8);
    ASSERT_INT(a->passed_at, START + SPAN);
    ASSERT_INT(b->stand, STAND_WAITS);
    clients_end();
}

/* ---- Many clients ---- */

enum {
    MANY = 250
};
static struct koine__inbox many_inboxes[MANY];
static struct koine__ticket many_tickets[MANY];
static const struct koine__outcome many_answered = {KOINE_CLASS_NONE, true, -1, -1, false};

static void wake_one_of_many(struct koine__ticket *ticket)
{
    ticket->stage_data[0] = ticket;
}

static enum koine__pass enter_one_of_many(int i)
{
    struct koine__fault fault;
    return koine__limiter_stage.enter(NULL, &many_tickets[i], clients.now, &fault);
}

/* Every third gives up; the others are let through one after the other, in the order in which they came. */
static void many_clients(void)
{
    struct koine__policies policies = {0};
    int wrong = 0, served = 0, holder = 0;
    begin(-1, -1, 1);
    policies.limiter = clients.limiter;
    for (int i = 0; i < MANY; i++) {
        koine__inbox_init(&many_inboxes[i], NULL);
        many_tickets[i] = (struct koine__ticket){.policies = &policies,
                                                 .inbox = &many_inboxes[i],
                                                 .deadline = KOINE__NEVER,
                                                 .patience = KOINE__NEVER,
                                                 .wake = wake_one_of_many};
        wrong += enter_one_of_many(i) != (i == 0 ? KOINE__PASS_GO : KOINE__PASS_WAIT);
    }
    for (int i = MANY - 2; i > 0; i -= 3)
        koine__limiter_stage.forget(NULL, &many_tickets[i], clients.now);
    ASSERT_INT(look(0).waiting, 166);
    for (int i = 1; i < MANY; i++) {
        bool gave_up = i % 3 == 2;
        koine__inbox_deliver(&many_inboxes[i]);
        many_tickets[i].stage_data[0] = NULL;
        if (gave_up)
            continue;
        koine__limiter_stage.leave(NULL, &many_tickets[holder], &many_answered, clients.now);
        koine__inbox_deliver(&many_inboxes[i]);
        wrong += !many_tickets[i].stage_data[0] || enter_one_of_many(i) != KOINE__PASS_GO;
        holder = i;
        served++;
    }
    koine__limiter_stage.leave(NULL, &many_tickets[holder], &many_answered, clients.now);
    ASSERT_INT(wrong, 0);
    ASSERT_INT(served, 166);
    ASSERT_INT(look(0).waiting, 0);
    ASSERT_INT(look(0).under_way, 0);
    for (int i = 0; i < MANY; i++)
        koine__inbox_release(&many_inboxes[i]);
    clients_end();
}

/* ---- Pauses ---- */

static void paused(void)
{
    begin(-1, -1, 1);
    struct customer *a = come(0), *b = come(0), *c = clients_come(1, START + 3 * KOINE__SEC, 0);
    ASSERT_INT(koine__limiter_pause(clients.limiter, clients.now, START + 5 * KOINE__SEC), true);
    ASSERT_INT(koine__limiter_pause(clients.limiter, clients.now, START + 5 * KOINE__SEC), false);
    ASSERT_INT(koine__limiter_pause(clients.limiter, clients.now, START + 4 * KOINE__SEC), false);
    ASSERT_INT(look(0).paused_until, START + 5 * KOINE__SEC);
    ASSERT_INT(look(0).next, START + 5 * KOINE__SEC);
    clients_leave(a, true, -1);
    clients_deliver();
    ASSERT_REFUSED(c, "paused"); /* one that waits already is told */
    ASSERT_INT(c->fault.retry_after_ns, 5 * KOINE__SEC);
    ASSERT_REFUSED(clients_come(1, START + 4 * KOINE__SEC, 0), "paused");
    struct customer *d = clients_come(1, START + 5 * KOINE__SEC, 0);
    ASSERT_INT(d->stand, STAND_WAITS);
    clients_leave(d, false, -1);
    clients_run(START + MINUTE);
    ASSERT_INT(b->passed_at, START + 5 * KOINE__SEC);
    ASSERT_INT(koine__limiter_pause(clients.limiter, clients.now, clients.now), false);
    ASSERT_INT(koine__limiter_pause(clients.limiter, clients.now, KOINE__NEVER), true);
    ASSERT_INT(look(0).paused_until, clients.now + 300 * KOINE__SEC);
    clients_end();
}

static bool pause_for(int64_t ms)
{
    return koine__limiter_pause(clients.limiter, clients.now, clients.now + ms * KOINE__MS);
}

/* The answers of one burst come a little after each other. */
static void a_burst_is_told_once(void)
{
    int told = 0;
    begin(-1, -1, -1);
    for (int i = 0; i < 50; i++) {
        told += pause_for(2000);
        clients.now += 10 * KOINE__MS;
    }
    ASSERT_INT(told, 1);
    ASSERT_INT(look(0).paused_until, START + 2490 * KOINE__MS);
    ASSERT_INT(koine__limiter_is_paused(clients.limiter, START + 2490 * KOINE__MS - 1), true);
    clients.now = START + KOINE__SEC;
    ASSERT_INT(pause_for(2000), false);
    ASSERT_INT(pause_for(2001), true); /* more than a second later than was told */
    ASSERT_INT(pause_for(2900), false);
    ASSERT_INT(koine__limiter_is_paused(clients.limiter, START + 3900 * KOINE__MS), false);
    clients.now = START + 3900 * KOINE__MS;
    ASSERT_INT(pause_for(1), true);
    clients_end();
}

static void a_grant_is_paused_too(void)
{
    begin(2, -1, 1);
    struct customer *a = come(0), *b = come(0), *c = come(1);
    clients_leave(a, true, -1);
    ASSERT_INT(b->ticket.limiter.turn, KOINE__TURN_GRANTED);
    ASSERT_INT(koine__limiter_pause(clients.limiter, clients.now, START + 5 * KOINE__SEC), true);
    clients_run(START + 4 * KOINE__SEC);
    ASSERT_INT(b->stand, STAND_WAITS);
    ASSERT_INT(look(0).requests, 1);
    clients_run(START + 5 * KOINE__SEC);
    ASSERT_INT(b->passed_at, START + 5 * KOINE__SEC);
    ASSERT_INT(c->stand, STAND_WAITS);
    clients_end();
}

/* ---- What holds changes ---- */

static void configured_anew(void)
{
    begin(2, -1, -1);
    struct koine__limiter_config config = limits(4, 100, -1);
    struct customer *line[6];
    for (int i = 0; i < 6; i++)
        line[i] = clients_come(i % 2, KOINE__NEVER, i == 4 ? 101 : 20);
    ASSERT_INT(line[2]->stand, STAND_WAITS);
    koine__limiter_configure(clients.limiter, &config, clients.now);
    clients_deliver();
    ASSERT_INT(line[3]->stand, STAND_THROUGH);
    ASSERT_REFUSED(line[4], "too_large"); /* and it does not stand before the others for ever */
    ASSERT_INT(line[5]->stand, STAND_WAITS);
    ASSERT_INT(look(0).config.requests, 4);
    config = limits(1, -1, -1);
    koine__limiter_configure(clients.limiter, &config, clients.now);
    clients_run(START + SPAN);
    ASSERT_INT(line[5]->passed_at, START + SPAN);
    struct customer *last = come(0);
    config = unlimited;
    koine__limiter_configure(clients.limiter, &config, clients.now);
    clients_deliver();
    ASSERT_INT(last->stand, STAND_THROUGH);
    config = limits(1, -1, -1);
    koine__limiter_configure(clients.limiter, &config, clients.now);
    ASSERT_INT(look(0).requests, 0); /* of what was not limited nothing is known */
    clients_leave(line[5], true, 5000);
    ASSERT_INT(look(0).requests, 0);
    clients_end();
}

static void limits_go_while_one_is_about_to_send(void)
{
    struct koine__limiter_config config = limits(3, 100, -1);
    CU_ASSERT_FATAL(clients_begin(&config));
    clients.sends_at_once = false;
    struct customer *a = come_for(10), *b = come_for(10), *c = come_for(10);
    koine__limiter_configure(clients.limiter, &unlimited, clients.now);
    struct customer *d = come_for(10);
    clients_send(a);
    koine__limiter_configure(clients.limiter, &config, clients.now);
    clients_send(b);
    clients_send(d);
    ASSERT_INT(look(0).requests, 2); /* b and c, which is still to send */
    ASSERT_INT(look(0).tokens, 20);
    clients_leave(a, true, 50);
    clients_leave(d, true, 50);
    clients_leave(c, true, 15);
    clients_leave(b, true, 11);
    ASSERT_INT(look(0).requests, 2);
    ASSERT_INT(look(0).tokens, 26);
    clients_end();
}

static void senseless_settings(void)
{
    struct koine__limiter_config config = {INT64_MIN, -7, -7, -7, -7, -7, -7};
    CU_ASSERT_FATAL(clients_begin(&config));
    ASSERT_INT(come(0)->stand, STAND_THROUGH);
    ASSERT_INT(look(0).config.queue, 0);
    config = (struct koine__limiter_config){INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX,
                                            INT64_MAX, INT64_MAX, INT64_MAX};
    koine__limiter_configure(clients.limiter, &config, clients.now);
    for (int i = 0; i < 20; i++)
        ASSERT_INT(come_for(i % 2 ? INT64_MAX : INT64_MIN)->stand, STAND_THROUGH);
    clients_leave(&clients.customers[3], true, INT64_MAX);
    ASSERT_INT(look(5).next, clients.now);
    config.tokens = 1;
    koine__limiter_configure(clients.limiter, &config, clients.now);
    ASSERT_REFUSED(come_for(1), "hopeless");
    clients_end();
}

/* ---- The rest ---- */

/* Times that two threads read may come in another order. */
static void times_that_go_back(void)
{
    begin(1, -1, -1);
    come(0);
    struct customer *a = come(0);
    clients_run(START + SPAN);
    ASSERT_INT(a->stand, STAND_THROUGH);
    clients.now -= 10 * KOINE__SEC;
    struct customer *b = come(1);
    ASSERT_INT(b->ticket.wake_at, START + 2 * SPAN);
    clients_end();
}

static void no_memory(void)
{
    for (long n = 1; n < 40; n++) {
        struct koine__limiter_config config = limits(30, -1, -1);
        unsigned memory = 0;
        failalloc_begin(n);
        if (clients_begin(&config)) {
            for (int i = 0; i < 31; i++)
                clients_come(i % 2, START + 2 * MINUTE, 0);
            clients_run(START + MINUTE);
            config.requests = 90;
            koine__limiter_configure(clients.limiter, &config, clients.now);
            for (int i = 0; i < 41; i++)
                clients_come(i % 2, START + 2 * MINUTE, 0);
            clients_run(START + 2 * MINUTE);
            for (int i = 0; i < CUSTOMERS; i++)
                memory += clients.customers[i].stand == STAND_REFUSED &&
                          clients.customers[i].fault.class_number == KOINE_CLASS_MEMORY;
            ASSERT_INT(clients_count(STAND_WAITS), 0);
            ASSERT_INT(clients_count(STAND_THROUGH) + memory, 72);
            clients_end();
        }
        if (!failalloc_end()) {
            ASSERT_INT(memory, 0);
            CU_ASSERT(n >= 6);
            return;
        }
    }
    CU_FAIL("it allocates without end");
}

/* A place is granted by another's leaving, and then there is no room in the log: told, not lost. */
static void no_memory_to_grant(void)
{
    begin(-1, 1000, 16);
    struct customer *first[16];
    for (int i = 0; i < 16; i++)
        first[i] = come_for(1);
    struct customer *a = clients_come(1, KOINE__NEVER, 1), *b = clients_come(2, KOINE__NEVER, 1);
    for (int i = 0; i < 14; i++)
        clients_leave(first[i], true, -1); /* b and a take up two; sixteen are logged */
    clients_deliver();
    ASSERT_INT(a->stand, STAND_THROUGH);
    ASSERT_INT(b->stand, STAND_THROUGH);
    clients_end();
    begin(-1, 1000, 16);
    for (int i = 0; i < 16; i++)
        first[i] = come_for(1);
    a = clients_come(1, KOINE__NEVER, 1);
    failalloc_begin(1);
    clients_leave(first[0], true, -1);
    ASSERT_INT(a->ticket.limiter.turn, KOINE__TURN_LOST);
    CU_ASSERT(failalloc_end());
    failalloc_begin(1);
    clients_deliver();
    CU_ASSERT(failalloc_end());
    ASSERT_INT(a->stand, STAND_REFUSED);
    ASSERT_INT(a->fault.class_number, KOINE_CLASS_MEMORY);
    ASSERT_INT(look(0).under_way, 15);
    ASSERT_INT(look(0).waiting, 0);
    clients_end();
}

/* Excess tokens of many long calls are counted together, and never too early. */
static void many_long_calls(void)
{
    begin(-1, 1000000, -1);
    struct customer *calls[300];
    for (int i = 0; i < 300; i++)
        calls[i] = come_for(0);
    clients_run(START + 2 * MINUTE);
    for (int i = 0; i < 300; i++) {
        clients.now += KOINE__SEC / 2;
        clients_leave(calls[i], true, 10);
    }
    /* 150 s: those of the last 60.5 s are 121, and with at most a second's more */
    CU_ASSERT(look(0).tokens >= 1210 && look(0).tokens <= 1240);
    clients_run(clients.now + SPAN + 1);
    ASSERT_INT(look(0).tokens, 0);
    clients_end();
}

/* The ring of the log is full, and its oldest entry is in its midst, when it has to grow. */
static void a_log_that_grows(void)
{
    begin(40, -1, -1);
    struct customer *second[10];
    for (int i = 0; i < 10; i++)
        come(0);
    clients_run(START + SPAN);
    for (int i = 0; i < 10; i++) {
        clients.now += KOINE__SEC;
        second[i] = come_for(10);
    }
    clients.now += KOINE__SEC;
    for (int i = 0; i < 30; i++)
        come_for(1);
    for (int i = 0; i < 10; i++)
        clients_leave(second[i], true, 100);
    ASSERT_INT(look(0).requests, 40);
    ASSERT_INT(look(0).tokens, 1030);
    ASSERT_INT(look(0).next, START + SPAN + KOINE__SEC + SPAN);
    clients_run(START + SPAN + 4 * KOINE__SEC + SPAN);
    ASSERT_INT(look(0).requests, 36);
    ASSERT_INT(look(0).tokens, 630);
    clients_run(START + SPAN + 11 * KOINE__SEC + SPAN);
    ASSERT_INT(look(0).tokens, 0);
    clients_end();
}

SUITE_MAIN("limiter", {"nothing is limited", nothing_is_limited},
           {"a window of requests", a_window_of_requests}, {"stamped when sent", stamped_when_sent},
           {"what was not sent is given back", what_was_not_sent_is_given_back},
           {"a crowd of 250", a_crowd_of_250}, {"hopeless to the nanosecond", hopeless_to_the_nanosecond},
           {"a window of tokens", a_window_of_tokens}, {"tokens are settled", tokens_are_settled},
           {"nothing wanted of less than nothing", nothing_wanted_of_less_than_nothing},
           {"more than foreseen, later", more_than_foreseen_later},
           {"a refund brings the time forward", a_refund_brings_the_time_forward}, {"places", places},
           {"first come, first served", first_come_first_served},
           {"the line is bounded", the_line_is_bounded}, {"one that may not wait", one_that_may_not_wait},
           {"patience", patience}, {"the deadline of one that waits", the_deadline_of_one_that_waits},
           {"waiters give up", waiters_give_up}, {"a grant is given back", a_grant_is_given_back},
           {"one sleeps with a hundred in line", one_sleeps_with_a_hundred_in_line},
           {"one sleeps when the window moves", one_sleeps_when_the_window_moves},
           {"late, but nobody looked", late_but_nobody_looked}, {"all but one sleep", all_but_one_sleep},
           {"nobody looks for nothing", nobody_looks_for_nothing}, {"many clients", many_clients},
           {"paused", paused}, {"a burst is told once", a_burst_is_told_once},
           {"a grant is paused too", a_grant_is_paused_too}, {"configured anew", configured_anew},
           {"limits go while one is about to send", limits_go_while_one_is_about_to_send},
           {"senseless settings", senseless_settings}, {"times that go back", times_that_go_back},
           {"no memory", no_memory}, {"no memory to grant", no_memory_to_grant},
           {"many long calls", many_long_calls}, {"a log that grows", a_log_that_grows})
