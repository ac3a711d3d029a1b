/* client: a loop, connections, calls; see koine_client in koine.h. */
#include "core/hub/client.h"

#include "core/hub/fork.h"
#include "core/hub/prepare.h"
#include "core/hub/resolve.h"
#include "core/policy/last_look.h"
#include "core/wire/transport_local.h"

#include <string.h>

/* ---- birth and death ---- */

static int open_transport(struct koine_client *client, const struct koine__snapshot *snapshot)
{
    const struct koine__world *world = &client->hub->world;
    struct koine__curl_options options = {
        .idle = (size_t)snapshot->pool_idle, .limit = &client->pool.limit, .waiting = &client->pool.waiting};
    if (world->transport)
        return world->transport(world->transport_arg, client->loop, &client->engine.transport);
    int rc = koine__hub_share(client->hub, &options.share);
    if (rc != KOINE_OK)
        return rc;
    return koine__transport_curl_new(client->loop, &options, &client->engine.transport);
}

static void deliver_grants(void *arg)
{
    struct koine_client *client = arg;
    koine__inbox_deliver(&client->inbox);
}

static void init_engine(struct koine_client *client, const struct koine__snapshot *snapshot)
{
    const struct koine__world *world = &client->hub->world;
    struct koine__engine *engine = &client->engine;
    engine->loop = client->loop;
    koine__isolating_init(&client->isolating, client->loop, &client->hub->log);
    engine->bridge = world->bridge ? world->bridge : &client->isolating.pub;
    engine->log = &client->hub->log;
    engine->witness = &client->hub->notices.witness;
    engine->observers[0] = &client->hub->metrics->observer;
    engine->observers[1] = &client->hub->books.observer;
    koine__random_seed(&engine->random, world->seed ? world->seed : koine__crypto_seed());
    koine__pool_init(&client->pool, snapshot->pool_connections);
    koine__bookkeeper_init(&client->keeper, &client->hub->books, client->loop);
    engine->gate.stages[KOINE__STAGE_STORE] = &client->keeper.stage;
    engine->gate.stages[KOINE__STAGE_BUDGET] = &koine__budget_stage;
    koine__inbox_init(&client->inbox, koine__loop_waker(client->loop));
    koine__loop_on_wake(client->loop, deliver_grants, client);
    engine->inbox = &client->inbox;
    engine->gate.stages[KOINE__STAGE_BREAKER_PEEK] = &koine__breaker_peek_stage;
    engine->gate.stages[KOINE__STAGE_LIMITER] = &koine__limiter_stage;
    engine->gate.stages[KOINE__STAGE_LAST_LOOK] = &koine__last_look_stage;
    engine->gate.stages[KOINE__STAGE_BREAKER_ENTER] = &koine__breaker_enter_stage;
    engine->gate.stages[KOINE__STAGE_POOL] = &client->pool.stage;
    for (size_t i = 0; i < KOINE__STAGES; i++) {
        if (world->stages[i])
            engine->gate.stages[i] = world->stages[i];
    }
    koine__calls_init(&client->calls, engine, client);
}

static int open_transports(struct koine_client *client, const struct koine__snapshot *snapshot)
{
    int rc = koine__transport_local_new(client->loop, &client->engine.local);
    if (rc == KOINE_OK)
        rc = open_transport(client, snapshot);
    if (rc == KOINE_OK)
        koine__sender_init(&client->sender, client->hub, client->loop,
                           client->hub->world.transport ? client->engine.transport : NULL);
    return rc;
}

static int open_client(struct koine_client *client, koine_error **ret_error)
{
    const struct koine__clock *clock =
        client->hub->world.clock ? client->hub->world.clock : &koine__system_clock;
    struct koine__snapshot *snapshot;
    int rc = koine__hub_snapshot(client->hub, &snapshot, ret_error);
    if (rc != KOINE_OK)
        return rc;
    rc = koine__books_open(&client->hub->books, snapshot, ret_error);
    if (rc != KOINE_OK) {
        koine__snapshot_unref(snapshot);
        return rc;
    }
    rc = koine__loop_new(clock, &client->loop);
    if (rc == KOINE_OK) {
        init_engine(client, snapshot);
        rc = open_transports(client, snapshot);
    }
    koine__snapshot_unref(snapshot);
    return rc == KOINE_OK ? rc
                          : koine__error(ret_error, rc, "a client cannot be made: %s", koine_strerror(rc));
}

int koine_client_new(koine_hub *hub, koine_client **ret, koine_error **ret_error)
{
    int rc = koine__hub_usable(hub);
    if (rc != KOINE_OK || !ret)
        return koine__error(ret_error, rc != KOINE_OK ? rc : KOINE_EARGUMENT,
                            "koine_client_new: no usable hub, or ret is NULL");
    struct koine_client *client = koine__alloc(sizeof(*client));
    if (!client)
        return koine__error_memory(ret_error);
    client->hub = koine__hub_ref(hub);
    client->generation = koine__fork_generation();
    rc = open_client(client, ret_error);
    if (rc == KOINE_OK)
        *ret = client;
    else
        koine_client_free(client);
    return rc;
}

static void free_calls(struct koine_client *client)
{
    koine__event_free(client->current);
    while (client->calls.first)
        koine__call_destroy(client->calls.first);
}

static void leave_alone(struct koine__transfer *transfer)
{
    (void)transfer;
}

/* In a child: the connections and the epoll set are the parent's, and it goes on using them. The calls are
 * freed with a transport and a loop that reach nobody; the real one's transfers go with it. */
static void abandon(struct koine_client *client)
{
    static const struct koine__transport_ops ops = {
        .cancel = leave_alone, .drain = leave_alone, .pause = leave_alone, .resume = leave_alone};
    static struct koine__transport nobody = {&ops};
    struct koine__transport *transport = client->engine.transport, *local = client->engine.local;
    client->engine.transport = client->engine.local = &nobody;
    client->engine.gate = (struct koine__gate){{NULL}}; /* other threads may have held its locks */
    client->engine.is_abandoned = true;
    koine__states_orphan(client->hub->states);
    koine__loop_detach(client->loop);
    free_calls(client);
    koine__sender_abandon(&client->sender);
    koine__isolating_abandon(&client->isolating);
    transport->ops->abandon(transport);
    local->ops->abandon(local);
    koine__inbox_release(&client->inbox);
    koine__loop_abandon(client->loop);
}

static void close_client(struct koine_client *client)
{
    free_calls(client);
    koine__sender_release(&client->sender);
    koine__bookkeeper_release(&client->keeper);
    koine__isolating_release(&client->isolating);
    if (client->engine.transport)
        client->engine.transport->ops->free(client->engine.transport);
    if (client->engine.local)
        client->engine.local->ops->free(client->engine.local);
    if (client->engine.inbox)
        koine__inbox_release(&client->inbox);
    koine__loop_free(client->loop);
}

void koine_client_free(koine_client *client)
{
    if (!client || koine__log_is_inside())
        return;
    if (client->generation == koine__fork_generation())
        close_client(client);
    else
        abandon(client);
    koine__desks_release(&client->engine.desks);
    koine_hub_free(client->hub);
    koine__dealloc(client);
}

static int usable(const struct koine_client *client)
{
    if (!client || koine__log_is_inside())
        return KOINE_EARGUMENT;
    return client->generation == koine__fork_generation() ? KOINE_OK : KOINE_EFORK;
}

/* ---- starting ---- */

static void release_snapshot(void *plan)
{
    koine__snapshot_unref(plan);
}

struct start { /* how the two ways of asking differ */
    struct koine__manner manner;
    bool waits; /* for the end, so that nobody polls the descriptor or reads an event: finish_call lets
                   the loop go */
};

/* The budgets that must bear the call; NULL where there is no limit and nobody asks what a run has spent. */
static int make_purse(const struct koine_client *client, const struct koine__prepared *prepared,
                      struct koine__purse **ret)
{
    struct koine__budget_config money = prepared->money;
    *ret = NULL;
    if (money.run < 0 && prepared->snapshot->approval.run >= 0)
        money.run = KOINE__NO_LIMIT;
    if (money.call < 0 && money.run < 0)
        return KOINE_OK;
    struct koine__budget *budget =
        money.run >= 0 ? koine__runs_budget(client->hub->runs, prepared->run, money.run) : NULL;
    struct koine__purse *purse = money.run < 0 || budget ? koine__purse_new(&money) : NULL;
    if (!purse)
        return KOINE_EMEMORY;
    if (budget)
        koine__purse_add(purse, budget);
    *ret = purse;
    return KOINE_OK;
}

/* The call takes over document and snapshot. */
static int start_call(struct koine_client *client, const struct koine_request *request,
                      const struct koine__prepared *prepared, const struct start *how,
                      struct koine_call **ret, koine_error **ret_error)
{
    const struct koine__snapshot *snapshot = prepared->snapshot;
    struct koine__purse *purse;
    if (make_purse(client, prepared, &purse) != KOINE_OK)
        return koine__error_memory(ret_error);
    struct koine__approval approval = snapshot->approval;
    approval.approved = request->approved;
    approval.answered_never = how->waits;
    koine__pool_set_limit(&client->pool, snapshot->pool_connections);
    struct koine__call_spec spec = {
        .operation = KOINE__OP_GENERATE,
        .route = &prepared->route,
        .catalogue = snapshot->catalogue,
        .document = prepared->document,
        .purse = purse,
        .approval = &approval,
        .stream = prepared->stream,
        .untold = how->waits,
        .deadline = prepared->deadline,
        .min_attempt = snapshot->min_attempt,
        .canceller = request->canceller,
        .user = request->user,
        .run = prepared->run,
        .ca_file = snapshot->ca_file,
        .proxy = snapshot->proxy,
        .plan = prepared->snapshot,
        .release_plan = release_snapshot,
    };
    if (how->waits)
        koine__loop_hold(client->loop, true);
    int rc = koine__call_new(&client->calls, &spec, ret, ret_error);
    if (how->waits && rc != KOINE_OK)
        koine__loop_hold(client->loop, false);
    if (rc != KOINE_OK)
        koine__purse_free(purse);
    return rc;
}

/* Whatever runs between these two is the library's own work. */
static void enter(struct koine_client *client)
{
    koine__work_enter(&client->engine.work, koine__now(koine__loop_clock(client->loop)));
}

static void leave(struct koine_client *client)
{
    koine__work_leave(&client->engine.work, koine__now(koine__loop_clock(client->loop)));
}

static int start_usable(struct koine_client *client, const struct koine_request *request,
                        const struct start *how, struct koine_call **ret, koine_error **ret_error)
{
    struct koine__prepared prepared;
    int rc = koine__prepare(client->hub, client, request, &how->manner, &prepared, ret_error);
    if (rc != KOINE_OK)
        return rc;
    rc = start_call(client, request, &prepared, how, ret, ret_error);
    if (rc != KOINE_OK)
        koine__prepared_release(&prepared);
    return rc;
}

static int start(struct koine_client *client, const struct koine_request *request, const struct start *how,
                 struct koine_call **ret, koine_error **ret_error)
{
    int rc = usable(client);
    if (rc != KOINE_OK || !request)
        return koine__error(ret_error, rc != KOINE_OK ? rc : KOINE_EARGUMENT,
                            "no usable client, or the request is NULL");
    enter(client);
    rc = start_usable(client, request, how, ret, ret_error);
    leave(client);
    return rc;
}

int koine_start(koine_client *client, const koine_request *request, koine_call **ret, koine_error **ret_error)
{
    static const struct start how = {.manner = {.stream_otherwise = true}};
    if (!ret)
        return koine__error(ret_error, KOINE_EARGUMENT, "koine_start: ret is NULL");
    return start(client, request, &how, ret, ret_error);
}

/* ---- moving ---- */

int koine_fd(const koine_client *client)
{
    int rc = usable(client);
    return rc == KOINE_OK ? koine__loop_fd(client->loop) : rc;
}

/* Moves all that can move, and what is to be sent to the webhook. */
static int process(struct koine_client *client)
{
    enter(client);
    koine__bookkeeper_look(&client->keeper);
    koine__sender_look(&client->sender);
    int rc = koine__loop_process(client->loop);
    koine__sender_look(&client->sender);
    koine__bookkeeper_look(&client->keeper);
    leave(client);
    return rc;
}

int koine_process(koine_client *client)
{
    int rc = usable(client);
    if (rc != KOINE_OK)
        return rc;
    koine__event_free(client->current);
    client->current = NULL;
    rc = process(client);
    return rc < 0 ? rc : KOINE_OK;
}

int koine_wait(koine_client *client, int timeout_ms)
{
    int rc = usable(client);
    if (rc != KOINE_OK)
        return rc;
    const struct koine__clock *clock = koine__loop_clock(client->loop);
    int64_t until =
        timeout_ms < 0 ? KOINE__NEVER : koine__time_add(koine__now(clock), timeout_ms * KOINE__MS);
    rc = koine__loop_wait(client->loop, until);
    return rc < 0 ? rc : koine_process(client);
}

int koine_next(koine_client *client, koine_call **ret_call, const koine_event **ret)
{
    int rc = usable(client);
    if (rc != KOINE_OK || !ret_call || !ret)
        return rc != KOINE_OK ? rc : KOINE_EARGUMENT;
    koine__event_free(client->current);
    client->current = koine__calls_next(&client->calls, ret_call);
    if (!client->current)
        return 0;
    *ret = client->current;
    return 1;
}

void koine_call_cancel(koine_call *call)
{
    if (call && usable(call->calls->client) == KOINE_OK)
        koine__call_cancel(call);
}

int koine_call_approve(koine_call *call, int yes)
{
    int rc = call ? usable(call->calls->client) : KOINE_EARGUMENT;
    return rc == KOINE_OK ? koine__call_approve(call, yes != 0) : rc;
}

void koine_call_free(koine_call *call)
{
    if (!call || usable(call->calls->client) != KOINE_OK)
        return;
    struct koine_client *client = call->calls->client;
    koine__event_free(client->current);
    client->current = NULL;
    koine__call_destroy(call);
}

/* ---- waiting for a whole answer ---- */

/* Runs the held loop until the call has ended. Events of other calls stay where they are and must not keep us
 * awake. */
static int run_to_end(struct koine_client *client, struct koine_call *call)
{
    int rc = KOINE_OK;
    while (!call->finished && rc >= 0) {
        koine__loop_set_busy(client->loop, false);
        rc = koine__loop_wait(client->loop, KOINE__NEVER);
        if (rc >= 0)
            rc = process(client);
    }
    return rc < 0 ? rc : KOINE_OK;
}

/* Takes the result out of the ended call and frees it. */
static int take_result(struct koine_call *call, koine_response **ret, koine_error **ret_error)
{
    int rc = KOINE_OK;
    if (call->error) {
        rc = call->error->number;
        if (ret_error) {
            *ret_error = call->error;
            call->error = NULL;
        }
    } else {
        *ret = call->answer;
        call->answer = NULL;
    }
    koine__call_destroy(call);
    return rc;
}

/* Nobody polls the descriptor meanwhile, so the loop is held until the call is gone. */
static int finish_call(struct koine_client *client, struct koine_call *call, koine_response **ret,
                       koine_error **ret_error)
{
    koine__loop_hold(client->loop, true);
    int rc = run_to_end(client, call);
    if (rc == KOINE_OK) {
        rc = take_result(call, ret, ret_error);
    } else {
        koine__call_destroy(call);
        koine__error(ret_error, rc, "the loop cannot wait: %s", koine_strerror(rc));
    }
    koine__loop_hold(client->loop, false);
    return rc;
}

int koine_generate(koine_client *client, const koine_request *request, koine_response **ret,
                   koine_error **ret_error)
{
    static const struct start how = {.manner = {.complete = true}, .waits = true};
    struct koine_call *call;
    if (!ret)
        return koine__error(ret_error, KOINE_EARGUMENT, "koine_generate: ret is NULL");
    int rc = start(client, request, &how, &call, ret_error);
    return rc == KOINE_OK ? finish_call(client, call, ret, ret_error) : rc;
}

static int start_list(struct koine_client *client, struct koine__snapshot *snapshot,
                      const char *instance_name, const struct koine__listing *how,
                      struct koine__document *document, struct koine_call **ret, koine_error **ret_error)
{
    struct koine__route route;
    const struct koine__instance *instance;
    int rc = koine__resolve_instance(snapshot, instance_name, &instance, ret_error);
    if (rc == KOINE_OK)
        rc = koine__resolve_single(snapshot, instance, (koine_str){NULL, 0}, &document->arena, &route,
                                   ret_error);
    if (rc != KOINE_OK)
        return rc;
    route.commit = KOINE_COMMIT_COMPLETE;
    if (how->once)
        route.max_attempts = 1;
    struct koine__call_spec spec = {
        .operation = KOINE__OP_LIST_MODELS,
        .route = &route,
        .catalogue = snapshot->catalogue,
        .document = document,
        .untold = true,
        .deadline = how->deadline > 0 ? how->deadline : route.deadline,
        .min_attempt = snapshot->min_attempt,
        .run = client->hub->run,
        .ca_file = snapshot->ca_file,
        .proxy = snapshot->proxy,
        .way = how->way,
        .plan = snapshot,
        .release_plan = release_snapshot,
    };
    return koine__call_new(&client->calls, &spec, ret, ret_error);
}

int koine__client_list(struct koine_client *client, const char *instance, const struct koine__listing *how,
                       koine_response **ret, koine_error **ret_error)
{
    struct koine__snapshot *snapshot;
    struct koine__document *document = NULL;
    struct koine_call *call;
    int rc = usable(client);
    if (rc != KOINE_OK)
        return koine__error(ret_error, rc, "no usable client");
    rc = koine__hub_snapshot(client->hub, &snapshot, ret_error);
    if (rc != KOINE_OK)
        return rc;
    rc = koine__document_read(KOINE__STR("{}"), &document, ret_error);
    if (rc == KOINE_OK)
        rc = start_list(client, snapshot, instance, how, document, &call, ret_error);
    if (rc != KOINE_OK) {
        koine__document_free(document);
        koine__snapshot_unref(snapshot);
        return rc;
    }
    return finish_call(client, call, ret, ret_error);
}

/* ---- notices on their way ---- */

/* Another client may have the notice that is under way; its end wakes nobody here. */
#define LOOK_AGAIN (50 * KOINE__MS)

/* Events of calls stay where they are and must not keep us awake. */
static int wait_a_little(struct koine_client *client, int64_t until)
{
    int64_t again = koine__time_add(koine__loop_now(client->loop), LOOK_AGAIN);
    koine__loop_set_busy(client->loop, false);
    int rc = koine__loop_wait(client->loop, until < again ? until : again);
    if (rc >= 0)
        rc = process(client);
    return rc;
}

int koine_deliver_notices(koine_client *client, int timeout_ms)
{
    int rc = usable(client);
    if (rc != KOINE_OK)
        return rc;
    struct koine__notices *notices = &client->hub->notices;
    int64_t until = timeout_ms < 0 ? KOINE__NEVER
                                   : koine__time_add(koine__loop_now(client->loop), timeout_ms * KOINE__MS);
    koine__event_free(client->current);
    client->current = NULL;
    koine__sender_look(&client->sender);
    while (rc >= 0 && koine__notices_wait(notices) && koine__loop_now(client->loop) < until)
        rc = wait_a_little(client, until);
    koine__loop_set_busy(client->loop, client->calls.ready != NULL);
    if (rc < 0)
        return rc;
    return koine__notices_wait(notices) ? 0 : 1;
}
