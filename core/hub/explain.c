/* explain: what would become of a call if it started now, told without starting it. It asks the functions
 * that decide when a call runs, and looks where they act: budgets are copies, the limiter is asked what it
 * would say, and what a provider writes is thrown away. */
#include "core/hub/explain_internal.h"

/* ---- what is needed to look ---- */

static int copy_budgets(struct koine__looking *looking)
{
    const struct koine__budget_config *money = &looking->prepared.money;
    struct koine__budget_view view;
    if (money->call < 0 && money->run < 0)
        return KOINE_OK;
    looking->purse = koine__purse_new(money);
    if (!looking->purse || money->run < 0)
        return looking->purse ? KOINE_OK : KOINE_EMEMORY;
    koine__runs_look(looking->hub->runs, looking->prepared.run, money->run, &view);
    looking->run.spent = view.spent;
    looking->run.reserved = view.reserved;
    koine__budget_set_limit(&looking->run, view.limit);
    koine__purse_add(looking->purse, &looking->run);
    return KOINE_OK;
}

static int open_bench(struct koine__looking *looking)
{
    const struct koine__world *world = &looking->hub->world;
    size_t count = looking->prepared.route.count;
    looking->now = koine__now(looking->clock);
    looking->deadline = koine__time_add(looking->now, looking->prepared.deadline);
    looking->outlooks = koine__alloc_array(count, sizeof(*looking->outlooks));
    if (!looking->outlooks || copy_budgets(looking) != KOINE_OK)
        return KOINE_EMEMORY;
    int rc = koine__loop_new(looking->clock, &looking->loop);
    if (rc != KOINE_OK)
        return rc;
    koine__isolating_init(&looking->isolating, looking->loop, &looking->hub->log);
    looking->bridge = world->bridge ? world->bridge : &looking->isolating.pub;
    return KOINE_OK;
}

static void close_bench(struct koine__looking *looking)
{
    if (looking->loop)
        koine__isolating_release(&looking->isolating);
    koine__desks_release(&looking->desks);
    koine__loop_free(looking->loop);
    koine__purse_free(looking->purse);
    koine__budget_release(&looking->run);
    koine__dealloc(looking->outlooks);
    koine__prepared_release(&looking->prepared);
}

/* ---- who would be asked ---- */

/* As call.c walks: past those that our own layers refuse now, to the first that they do not. */
static void walk(struct koine__looking *looking)
{
    const struct koine__route *route = &looking->prepared.route;
    struct koine__route_state state;
    const struct koine__saying *refusal;
    koine__route_start(&state, route->count, (unsigned)route->max_attempts);
    state.typed = route->typed;
    while (state.current < route->count) {
        struct koine__outlook *outlook = &looking->outlooks[state.current];
        outlook->reached = true;
        refusal = koine__explain_refusal(outlook);
        if (!refusal)
            break;
        /* The first target's fault is the one that is told, unless another would do no better. */
        if (!looking->fault || !koine__route_moves(&route->typed, refusal->fault.class_number)) {
            looking->fault = &refusal->fault;
            looking->fault_target = outlook->target;
        }
        koine__route_move(&state, koine__route_next(&state, &refusal->fault, koine__route_window, route));
    }
    looking->first = state.current;
    if (looking->first < route->count)
        looking->fault = NULL;
}

static int look(struct koine__looking *looking)
{
    int rc = open_bench(looking);
    for (size_t i = 0; rc == KOINE_OK && i < looking->prepared.route.count; i++)
        rc = koine__explain_target(looking, i);
    if (rc == KOINE_OK)
        walk(looking);
    return rc == KOINE_OK ? koine__explain_cost(looking) : rc;
}

static int explain(struct koine__looking *looking, char **ret, koine_error **ret_error)
{
    int rc = look(looking);
    char *json = rc == KOINE_OK ? koine__explain_json(looking) : NULL;
    if (rc == KOINE_OK && !json)
        rc = KOINE_EMEMORY;
    if (rc == KOINE_OK)
        *ret = json;
    else
        koine__error(ret_error, rc, "the call cannot be explained: %s", koine_strerror(rc));
    return rc;
}

int koine_explain(koine_hub *hub, const koine_request *request, char **ret, koine_error **ret_error)
{
    static const struct koine__manner manner = {.stream_otherwise = true};
    int rc = koine__hub_usable(hub);
    if (rc != KOINE_OK || !request || !ret)
        return koine__error(ret_error, rc != KOINE_OK ? rc : KOINE_EARGUMENT,
                            "koine_explain: no usable hub, or the request or ret is NULL");
    struct koine__looking looking = {.hub = hub,
                                     .clock = hub->world.clock ? hub->world.clock : &koine__system_clock};
    rc = koine__prepare(hub, hub, request, &manner, &looking.prepared, ret_error);
    if (rc != KOINE_OK)
        return rc;
    koine__budget_init(&looking.run, "run", 0);
    rc = explain(&looking, ret, ret_error);
    close_bench(&looking);
    return rc;
}
