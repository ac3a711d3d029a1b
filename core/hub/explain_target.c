/* explain_target: what each layer would say now to a first attempt at one target. */
#include "core/hub/explain_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

const char *const koine__layer_names[KOINE__LAYERS] = {"plugin",  "latch",   "budget", "breaker",
                                                       "limiter", "request", "key"};

const struct koine__saying *koine__explain_refusal(const struct koine__outlook *outlook)
{
    for (size_t i = 0; i < KOINE__LAYERS; i++)
        if (outlook->sayings[i].asked && outlook->sayings[i].pass == KOINE__PASS_REFUSE)
            return &outlook->sayings[i];
    return NULL;
}

const struct koine__saying *koine__explain_wait(const struct koine__outlook *outlook)
{
    for (size_t i = 0; i < KOINE__LAYERS; i++)
        if (outlook->sayings[i].asked && outlook->sayings[i].pass == KOINE__PASS_WAIT)
            return &outlook->sayings[i];
    return NULL;
}

/* The layer's place, to be filled; nobody refuses yet. */
static struct koine__saying *open_layer(struct koine__outlook *outlook, enum koine__layer layer)
{
    struct koine__saying *saying = &outlook->sayings[layer];
    saying->asked = true;
    saying->pass = KOINE__PASS_GO;
    saying->fault = (struct koine__fault){.retry_after_ns = -1, .stage = ""};
    return saying;
}

static void say(struct koine__saying *saying, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void say(struct koine__saying *saying, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(saying->text, sizeof(saying->text), format, args);
    va_end(args);
}

static bool refuses(struct koine__saying *saying, bool failed)
{
    if (failed)
        saying->pass = KOINE__PASS_REFUSE;
    return failed;
}

/* ---- what needs no provider ---- */

static bool look_at_plugin(struct koine__outlook *outlook)
{
    struct koine__saying *saying = open_layer(outlook, KOINE__LAYER_PLUGIN);
    const struct koine__instance *instance = outlook->target->instance;
    if (instance->provider) {
        say(saying, "%.40s %.40s", instance->provider->id, instance->provider->version);
        return true;
    }
    koine__fault_set(&saying->fault, KOINE_CLASS_PLUGIN, "", "%s",
                     instance->reason ? instance->reason : "its plugin was refused");
    refuses(saying, true);
    return false;
}

static void look_at_latch(const struct koine__looking *looking, struct koine__outlook *outlook)
{
    struct koine__saying *saying = open_layer(outlook, KOINE__LAYER_LATCH);
    struct koine__latch latch = koine__target_latch(outlook->target, looking->now);
    if (refuses(saying, koine__route_is_latched(&looking->prepared.route, outlook->index, looking->now,
                                                &saying->fault)))
        return;
    if (latch.class_number == KOINE_CLASS_NONE)
        say(saying, "none");
    else
        say(saying, "latched after %s, as all targets are, and for the longest: so it is tried",
            koine_class_name(latch.class_number));
}

static void look_at_budget(const struct koine__looking *looking, struct koine__outlook *outlook,
                           struct koine__ticket *ticket)
{
    static const struct koine__outcome nothing = {.class_number = KOINE_CLASS_CANCELLED, .cost = -1};
    struct koine__saying *saying = open_layer(outlook, KOINE__LAYER_BUDGET);
    const struct koine__gate_stage *stage = &koine__budget_stage;
    char worst[40];
    saying->pass = stage->enter(stage->self, ticket, looking->now, &saying->fault);
    if (saying->pass == KOINE__PASS_REFUSE)
        return;
    stage->leave(stage->self, ticket, &nothing, looking->now);
    if (!looking->purse) {
        say(saying, "none");
        return;
    }
    koine__write_usd(ticket->worst < 0 ? 0 : ticket->worst, worst, sizeof(worst));
    if (ticket->worst < 0)
        say(saying, "its price is not known, which `unpriced: allow` lets through");
    else
        say(saying, "would reserve $%s", worst);
}

static void look_at_breaker(const struct koine__looking *looking, struct koine__outlook *outlook,
                            struct koine__ticket *ticket)
{
    struct koine__saying *saying = open_layer(outlook, KOINE__LAYER_BREAKER);
    const struct koine__gate_stage *stage = &koine__breaker_peek_stage;
    const struct koine__policies *policies = ticket->policies;
    int64_t until;
    saying->pass = stage->enter(stage->self, ticket, looking->now, &saying->fault);
    if (saying->pass == KOINE__PASS_REFUSE)
        return;
    if (!policies->breaker || policies->breaking.failures < 0)
        say(saying, "none");
    else if (koine__breaker_look(policies->breaker, &policies->breaking, looking->now, &until) ==
             KOINE__BREAKER_CLOSED)
        say(saying, "closed");
    else
        say(saying, "half open: it would be a probe");
}

static void add(struct koine__saying *saying, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void add(struct koine__saying *saying, const char *format, ...)
{
    size_t used = strlen(saying->text);
    va_list args;
    va_start(args, format);
    vsnprintf(saying->text + used, sizeof(saying->text) - used, format, args);
    va_end(args);
}

/* "3 of 100 requests in 1m, 1 under way, 2 wait" */
static void say_use(struct koine__saying *saying, const struct koine__limiter_view *view)
{
    char window[32];
    koine__write_duration(view->config.window, window, sizeof(window));
    if (view->config.requests >= 0)
        add(saying, "%" PRId64 " of %" PRId64 " requests in %s, ", view->requests, view->config.requests,
            window);
    if (view->config.tokens >= 0)
        add(saying, "%" PRId64 " of %" PRId64 " tokens in %s, ", view->tokens, view->config.tokens, window);
    if (view->config.concurrent >= 0)
        add(saying, "%" PRId64 " of %" PRId64 " under way", view->under_way, view->config.concurrent);
    else
        add(saying, "%" PRId64 " under way", view->under_way);
    if (view->waiting > 0)
        add(saying, ", %" PRId64 " in line", view->waiting);
}

static void look_at_limiter(const struct koine__looking *looking, struct koine__outlook *outlook,
                            struct koine__ticket *ticket)
{
    struct koine__saying *saying = open_layer(outlook, KOINE__LAYER_LIMITER);
    struct koine__limiter *limiter = ticket->policies->limiter;
    struct koine__limiter_view view;
    int64_t earliest;
    char wait[32];
    saying->pass = koine__limiter_foresee(ticket, looking->now, &earliest, &saying->fault);
    if (saying->pass == KOINE__PASS_REFUSE)
        return;
    if (!limiter) {
        say(saying, "none");
        return;
    }
    koine__limiter_look(limiter, looking->now, ticket->tokens, &view);
    saying->wait = saying->pass == KOINE__PASS_WAIT ? earliest - looking->now : 0;
    koine__write_duration((saying->wait + KOINE__MS - 1) / KOINE__MS * KOINE__MS, wait, sizeof(wait));
    if (saying->wait > 0)
        say(saying, "would wait %s at least: %s", wait, view.paused_until > looking->now ? "paused; " : "");
    else if (saying->pass == KOINE__PASS_WAIT)
        say(saying, "would wait for a place: ");
    say_use(saying, &view);
}

/* ---- what its provider would write ---- */

struct later {
    bool done;
};

static void on_done(struct koine__job *job)
{
    ((struct later *)job->owner)->done = true;
}

static void run_job(const struct koine__looking *looking, struct koine__job *job)
{
    struct later later = {.done = false};
    job->done = on_done;
    job->owner = &later;
    if (looking->bridge->call(looking->bridge, job) != KOINE__LATER)
        return;
    while (!later.done)
        if (koine__loop_wait(looking->loop, KOINE__NEVER) < 0 || koine__loop_process(looking->loop) < 0)
            break;
    if (later.done)
        return;
    looking->bridge->drop(looking->bridge, job);
    job->failure = "could not be waited for";
}

static int keep_losses(const struct koine__looking *looking, struct koine__outlook *outlook,
                       const struct koine__out *out)
{
    struct koine__arena *arena = &looking->prepared.document->arena;
    struct koine__loss *losses = koine__arena_alloc(arena, (out->notice_count + 1) * sizeof(*losses));
    if (!losses)
        return KOINE_EMEMORY;
    for (size_t i = 0; i < out->notice_count; i++) {
        const struct koine__notice *notice = &out->notices[i];
        losses[i] = (struct koine__loss){
            .name = koine__arena_strndup(arena, notice->member, strlen(notice->member)),
            .action = koine__notice_action(notice),
            .reason = koine__arena_strndup(arena, notice->why, strlen(notice->why)),
        };
        if (!losses[i].name || !losses[i].reason)
            return KOINE_EMEMORY;
    }
    outlook->losses = losses;
    outlook->loss_count = out->notice_count;
    return KOINE_OK;
}

static bool is_wrong(struct koine__desk *desk, const struct koine__attempt_spec *spec,
                     struct koine__fault *ret)
{
    struct koine__http_request http;
    int rc = koine__out_request(&desk->out, &http);
    if (rc != KOINE_OK)
        koine__asking_fault(desk, spec, rc, ret);
    return rc != KOINE_OK;
}

static void look_at_key(struct koine__outlook *outlook, const struct koine__desk *desk,
                        const struct koine__attempt_spec *spec)
{
    struct koine__saying *saying = open_layer(outlook, KOINE__LAYER_KEY);
    const struct koine__instance *instance = outlook->target->instance;
    if (refuses(saying, koine__asking_lacks_key(desk, spec, &saying->fault)))
        return;
    if (!desk->out.secret_name)
        say(saying, "it takes none");
    else if (instance->secret)
        say(saying, "from %.150s", instance->key_source);
    else
        say(saying, "none, which a server of one's own may accept");
}

static int judge(const struct koine__looking *looking, struct koine__outlook *outlook,
                 struct koine__desk *desk, const struct koine__attempt_spec *spec)
{
    struct koine__saying *saying = open_layer(outlook, KOINE__LAYER_REQUEST);
    int rc = keep_losses(looking, outlook, &desk->out);
    if (rc != KOINE_OK)
        return rc;
    if (refuses(saying, koine__asking_broke(desk, &saying->fault) ||
                            koine__asking_refused(desk, spec, &saying->fault) ||
                            koine__asking_loses(desk, spec, &saying->fault) ||
                            is_wrong(desk, spec, &saying->fault)))
        return saying->fault.class_number == KOINE_CLASS_MEMORY ? KOINE_EMEMORY : KOINE_OK;
    if (desk->out.notice_count == 0)
        say(saying, "all of the document travels as written");
    else
        say(saying, "%zu member%s would not travel as written", desk->out.notice_count,
            desk->out.notice_count == 1 ? "" : "s");
    look_at_key(outlook, desk, spec);
    return KOINE_OK;
}

static int look_at_request(struct koine__looking *looking, struct koine__outlook *outlook,
                           const struct koine__attempt_spec *spec)
{
    const struct koine__host_env env = koine__asking_env(spec, &looking->hub->log);
    struct koine__exchange_state state = {.bytes = koine__alloc(spec->exchange->state_size)};
    struct koine__desk *desk = koine__desk_take(&looking->desks, &env, looking);
    int rc = state.bytes && desk ? KOINE_OK : KOINE_EMEMORY;
    if (rc == KOINE_OK) {
        koine__asking_prepare(desk, spec, &state);
        koine__asking_job(desk, spec, KOINE__JOB_REQUEST);
        run_job(looking, &desk->job);
        rc = judge(looking, outlook, desk, spec);
    }
    koine__desk_put_back(&looking->desks, desk);
    koine__dealloc(state.bytes);
    return rc;
}

/* ---- what follows from faults ---- */

static void foresee_faults(const struct koine__looking *looking, struct koine__outlook *outlook,
                           const struct koine__route_state *state)
{
    static const int classes[KOINE__REACTIONS] = {
        KOINE_CLASS_CONNECT, KOINE_CLASS_RESET,       KOINE_CLASS_TIMEOUT,        KOINE_CLASS_OVERLOADED,
        KOINE_CLASS_SERVER,  KOINE_CLASS_PROTOCOL,    KOINE_CLASS_RATE_LIMIT,     KOINE_CLASS_BILLING,
        KOINE_CLASS_AUTH,    KOINE_CLASS_MODEL_GONE,  KOINE_CLASS_CONTEXT_LENGTH, KOINE_CLASS_CONTENT_POLICY,
        KOINE_CLASS_INVALID, KOINE_CLASS_UNSUPPORTED, KOINE_CLASS_REFUSED,
    };
    const struct koine__route *route = &looking->prepared.route;
    struct koine__random random;
    koine__random_seed(&random, 1);
    for (size_t i = 0; i < KOINE__REACTIONS; i++) {
        struct koine__fault fault = {.class_number = classes[i], .retry_after_ns = -1, .stage = ""};
        struct koine__retry_state fresh = {.retries = 0};
        size_t next = koine__route_next(state, &fault, koine__route_window, route);
        struct koine__retry_ask ask = {
            .fault = &fault,
            .now = looking->now,
            .deadline = looking->deadline,
            .min_attempt = looking->prepared.snapshot->min_attempt,
            .another_target = next < route->count,
            .attempts_left = koine__route_attempts_left(state),
        };
        bool again = koine__retry_decide(&outlook->retry, &fresh, &ask, &random).again;
        outlook->reactions[i] = (struct koine__reaction){classes[i], again, next};
    }
}

static void look_at_hedge(const struct koine__looking *looking, struct koine__outlook *outlook,
                          const struct koine__route_state *state)
{
    const struct koine__route *route = &looking->prepared.route;
    outlook->hedge_after = -1;
    if (route->hedge_after <= 0 || !outlook->target->instance->provider || route->count < 2)
        return;
    outlook->hedge_after =
        koine__route_hedge_delay(route, outlook->target->instance, looking->prepared.stream);
    outlook->hedge_obstacle = koine__route_hedge_obstacle(route, state, looking->now);
}

/* ---- the whole ---- */

static void look_at_price(const struct koine__looking *looking, struct koine__outlook *outlook,
                          const struct koine__attempt_spec *spec)
{
    const struct koine__model *known = outlook->target->known;
    int64_t today = looking->clock->wall(looking->clock->arg) / KOINE__SEC;
    koine__attempt_estimate(spec, looking->clock, false, &outlook->estimate);
    if (known)
        outlook->price = koine__catalogue_row(known, today, 0, KOINE__STR(""), false);
}

static void look_ahead(const struct koine__looking *looking, struct koine__outlook *outlook,
                       const struct koine__attempt_spec *spec)
{
    const struct koine__route *route = &looking->prepared.route;
    const struct koine__policies *policies = &outlook->target->instance->policies;
    struct koine__route_state state;
    koine__route_start(&state, route->count, (unsigned)route->max_attempts);
    state.typed = route->typed;
    state.attempts = 1;
    koine__route_move(&state, outlook->index);
    foresee_faults(looking, outlook, &state);
    look_at_hedge(looking, outlook, &state);
    look_at_price(looking, outlook, spec);
    outlook->share =
        !spec->stream || spec->held ? koine__route_share(spec->untried, looking->now, looking->deadline) : -1;
    outlook->retry_left = policies->retry_budget
                              ? koine__retry_budget_left(policies->retry_budget, policies->retry_capacity)
                              : -1;
}

static int look_at_layers(struct koine__looking *looking, struct koine__outlook *outlook,
                          const struct koine__attempt_spec *spec)
{
    struct koine__ticket ticket;
    koine__attempt_ticket(spec, looking->clock, &ticket);
    look_at_latch(looking, outlook);
    look_at_budget(looking, outlook, &ticket);
    look_at_breaker(looking, outlook, &ticket);
    look_at_limiter(looking, outlook, &ticket);
    return look_at_request(looking, outlook, spec);
}

int koine__explain_target(struct koine__looking *looking, size_t index)
{
    const struct koine__prepared *prepared = &looking->prepared;
    struct koine__outlook *outlook = &looking->outlooks[index];
    const struct koine__target *target = &prepared->route.targets[index];
    struct koine__route_state state;
    koine__route_start(&state, prepared->route.count, (unsigned)prepared->route.max_attempts);
    koine__route_move(&state, index);
    unsigned untried = koine__route_untried(&state);
    struct koine__attempt_spec spec = {
        .target = target,
        .catalogue = prepared->snapshot->catalogue,
        .stream = prepared->stream,
        .held = prepared->route.commit == KOINE_COMMIT_COMPLETE,
        .needs_stop = true,
        .untried = untried,
        .deadline = looking->deadline,
        .starts_by =
            koine__latest_start(looking->deadline, prepared->snapshot->min_attempt, looking->now, false),
        .patience = koine__route_patience(&prepared->route, &state, looking->now, looking->deadline),
        .purse = looking->purse,
    };
    *outlook =
        (struct koine__outlook){.index = index, .target = target, .retry = koine__target_retry(target)};
    struct koine__version *version = NULL;
    int rc = koine__document_for(prepared->document, target, index, &version);
    spec.doc = version ? version->root : NULL;
    spec.count = version ? &version->count : NULL;
    if (rc == KOINE_OK && look_at_plugin(outlook)) {
        spec.exchange = target->instance->provider->generate;
        rc = look_at_layers(looking, outlook, &spec);
    }
    if (rc == KOINE_OK)
        look_ahead(looking, outlook, &spec);
    return rc;
}
