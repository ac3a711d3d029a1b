/* The stages that an attempt passes. */
#include "core/policy/gate.h"

#include "tests/unit/suite.h"
#include <stdio.h>
#include <string.h>

static char heard[512];

static void hear(const char *what, const char *name)
{
    size_t used = strlen(heard);
    snprintf(heard + used, sizeof(heard) - used, "%s%s %s", used ? ", " : "", what, name);
}

struct stage {
    struct koine__gate_stage pub;
    const char *name;
    enum koine__pass answer, foreseen;
    unsigned back_to;
};

static enum koine__pass enter(void *self, struct koine__ticket *ticket, int64_t now,
                              struct koine__fault *ret_fault)
{
    struct stage *stage = self;
    ASSERT_INT(now, 7);
    ASSERT_INT(ticket->wake_at, KOINE__NEVER);
    hear("enter", stage->name);
    if (stage->answer == KOINE__PASS_REFUSE)
        koine__fault_set(ret_fault, KOINE_CLASS_REFUSED, "", "no");
    ticket->wake_at = 99;
    if (stage->answer == KOINE__PASS_BACK) {
        ticket->back_to = stage->back_to;
        stage->answer = KOINE__PASS_GO; /* the next time */
        return KOINE__PASS_BACK;
    }
    return stage->answer;
}

static enum koine__pass foresee(void *self, struct koine__ticket *asked, int64_t now,
                                struct koine__fault *ret_fault)
{
    struct stage *stage = self;
    ASSERT_INT(now, 7);
    CU_ASSERT_PTR_NOT_NULL(asked);
    hear("foresee", stage->name);
    if (stage->foreseen == KOINE__PASS_REFUSE)
        koine__fault_set(ret_fault, KOINE_CLASS_REFUSED, "", "%s", stage->name);
    return stage->foreseen;
}

static void leave(void *self, struct koine__ticket *ticket, const struct koine__outcome *outcome, int64_t now)
{
    (void)ticket;
    (void)now;
    hear(outcome->class_number == KOINE_CLASS_REFUSED ? "unused" : "leave", ((struct stage *)self)->name);
}

static void sent(void *self, struct koine__ticket *ticket, int64_t now)
{
    (void)ticket;
    (void)now;
    hear("sent", ((struct stage *)self)->name);
}

static void forget(void *self, struct koine__ticket *ticket, int64_t now)
{
    (void)ticket;
    ASSERT_INT(now, 9);
    hear("forget", ((struct stage *)self)->name);
}

static struct stage budget, peek, limiter, look;
static struct koine__gate gate;
static struct koine__ticket ticket;
static struct koine__fault fault;
static const struct koine__outcome outcome = {KOINE_CLASS_NONE, true, -1, -1, false};

static void make(struct stage *stage, enum koine__stage at, const char *name)
{
    *stage = (struct stage){
        {enter, sent, NULL, leave, forget, stage, foresee}, name, KOINE__PASS_GO, KOINE__PASS_GO, 0};
    gate.stages[at] = &stage->pub;
}

static void begin(void)
{
    heard[0] = '\0';
    gate = (struct koine__gate){{NULL}};
    ticket = (struct koine__ticket){.wake_at = KOINE__NEVER};
    fault = (struct koine__fault){0};
    make(&budget, KOINE__STAGE_BUDGET, "budget");
    make(&peek, KOINE__STAGE_BREAKER_PEEK, "peek");
    make(&limiter, KOINE__STAGE_LIMITER, "limiter");
}

static enum koine__pass go(void)
{
    return koine__gate_enter(&gate, &ticket, 7, &fault);
}

static void in_order_and_back(void)
{
    begin();
    ASSERT_INT(go(), KOINE__PASS_GO);
    ASSERT_INT(ticket.at, KOINE__STAGES);
    koine__gate_sent(&gate, &ticket, 8);
    koine__gate_leave(&gate, &ticket, &outcome, 9);
    koine__gate_leave(&gate, &ticket, &outcome, 9); /* nothing is left to leave */
    ASSERT_STR(heard, "enter budget, enter peek, enter limiter, sent budget, sent peek, sent limiter, "
                      "leave limiter, leave peek, leave budget");
}

static void an_empty_gate(void)
{
    begin();
    gate = (struct koine__gate){{NULL}};
    ASSERT_INT(go(), KOINE__PASS_GO);
    koine__gate_sent(&gate, &ticket, 8);
    koine__gate_leave(&gate, &ticket, &outcome, 9);
    ASSERT_STR(heard, "");
}

static void waits_and_goes_on(void)
{
    begin();
    peek.answer = KOINE__PASS_WAIT;
    ASSERT_INT(go(), KOINE__PASS_WAIT);
    ASSERT_INT(ticket.wake_at, 99);
    ASSERT_INT(go(), KOINE__PASS_WAIT);
    peek.answer = KOINE__PASS_GO;
    ASSERT_INT(go(), KOINE__PASS_GO);
    koine__gate_leave(&gate, &ticket, &outcome, 9);
    ASSERT_STR(heard, "enter budget, enter peek, enter peek, enter peek, enter limiter, "
                      "leave limiter, leave peek, leave budget");
}

static void gives_up_waiting(void)
{
    begin();
    peek.answer = KOINE__PASS_WAIT;
    go();
    koine__gate_leave(&gate, &ticket, &outcome, 9);
    koine__gate_leave(&gate, &ticket, &outcome, 9);
    ASSERT_STR(heard, "enter budget, enter peek, forget peek, leave budget");
}

static void refused(void)
{
    begin();
    limiter.answer = KOINE__PASS_REFUSE;
    ASSERT_INT(go(), KOINE__PASS_REFUSE);
    ASSERT_INT(fault.class_number, KOINE_CLASS_REFUSED);
    koine__gate_leave(&gate, &ticket, &outcome, 9);
    ASSERT_STR(heard, "enter budget, enter peek, enter limiter, unused peek, unused budget");
}

static void never_entered(void)
{
    begin();
    koine__gate_leave(&gate, &ticket, &outcome, 9);
    ASSERT_STR(heard, "");
}

static void stages_that_need_little(void)
{
    begin();
    peek.pub.sent = NULL;
    peek.pub.leave = NULL;
    limiter.pub.forget = NULL;
    limiter.answer = KOINE__PASS_WAIT;
    go();
    koine__gate_sent(&gate, &ticket, 8);
    koine__gate_leave(&gate, &ticket, &outcome, 9);
    ASSERT_STR(heard, "enter budget, enter peek, enter limiter, sent budget, leave budget");
}

static bool is_foreseen(void)
{
    heard[0] = '\0';
    return koine__gate_foresee(&gate, &ticket, 7, &fault);
}

/* The first that refuses says why; behind one that cannot tell nobody is asked, and nothing is left. */
static void what_is_foreseen(void)
{
    begin();
    CU_ASSERT_FALSE(is_foreseen());
    ASSERT_STR(heard, "foresee budget, foresee peek, foresee limiter");
    peek.foreseen = limiter.foreseen = KOINE__PASS_REFUSE;
    CU_ASSERT_TRUE(is_foreseen());
    ASSERT_STR(heard, "foresee budget, foresee peek");
    ASSERT_STR(fault.message, "peek");
    budget.foreseen = KOINE__PASS_WAIT;
    CU_ASSERT_FALSE(is_foreseen());
    ASSERT_STR(heard, "foresee budget");
    budget.pub.foresee = NULL;
    CU_ASSERT_FALSE(is_foreseen());
    ASSERT_STR(heard, "");
    gate.stages[KOINE__STAGE_BUDGET] = NULL;
    CU_ASSERT_TRUE(is_foreseen());
    ASSERT_STR(heard, "foresee peek");
    ASSERT_INT(ticket.at, 0);
    ASSERT_INT(ticket.passed, 0);
}

static void sent_back(void)
{
    begin();
    make(&look, KOINE__STAGE_LAST_LOOK, "look");
    look.answer = KOINE__PASS_BACK;
    look.back_to = KOINE__STAGE_BREAKER_PEEK;
    ASSERT_INT(go(), KOINE__PASS_GO);
    ASSERT_INT(ticket.was_sent_back, true);
    koine__gate_leave(&gate, &ticket, &outcome, 9);
    ASSERT_STR(
        heard,
        "enter budget, enter peek, enter limiter, enter look, unused limiter, unused peek, enter peek, "
        "enter limiter, enter look, leave look, leave limiter, leave peek, leave budget");
}

/* And there it waits, gives up, or is refused, as if it came for the first time. */
static void sent_back_to_a_line(void)
{
    begin();
    make(&look, KOINE__STAGE_LAST_LOOK, "look");
    look.answer = KOINE__PASS_WAIT;
    ASSERT_INT(go(), KOINE__PASS_WAIT);
    ASSERT_INT(ticket.was_sent_back, false);
    look.answer = KOINE__PASS_BACK;
    look.back_to = KOINE__STAGE_LIMITER;
    limiter.answer = KOINE__PASS_WAIT;
    heard[0] = '\0';
    ASSERT_INT(go(), KOINE__PASS_WAIT);
    ASSERT_INT(ticket.wake_at, 99);
    ASSERT_INT(ticket.at, KOINE__STAGE_LIMITER);
    limiter.answer = KOINE__PASS_REFUSE;
    ASSERT_INT(go(), KOINE__PASS_REFUSE);
    koine__gate_leave(&gate, &ticket, &outcome, 9);
    ASSERT_STR(heard, "enter look, unused limiter, enter limiter, enter limiter, unused peek, unused budget");
}

SUITE_MAIN("gate", {"what is foreseen", what_is_foreseen}, {"in order and back", in_order_and_back},
           {"an empty gate", an_empty_gate}, {"waits and goes on", waits_and_goes_on},
           {"gives up waiting", gives_up_waiting}, {"refused", refused}, {"sent back", sent_back},
           {"sent back to a line", sent_back_to_a_line}, {"never entered", never_entered},
           {"stages that need little", stages_that_need_little})
