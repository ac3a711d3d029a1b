/* world: see world.h. Its own memory is libc's, so that failing allocations are the engine's alone. */
#include "tests/sim/world.h"

#include "core/plugin/host.h"
#include "core/policy/last_look.h"

#include <CUnit/CUnit.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_STEPS 200000
#define DAY        (24 * 3600 * KOINE__SEC)

const koine_provider *vendor_together(const koine_host *host, uint32_t index);
const koine_provider *vendor_openai(const koine_host *host, uint32_t index);

static const char CATALOGUE_TOGETHER[] = "{\"provider\":\"together\",\"models\":["
                                         "{\"id\":\"a\",\"context\":1000,\"prices\":["
                                         "{\"valid_from\":\"2024-01-01\",\"input\":0.18,\"output\":0.20},"
                                         "{\"valid_from\":\"2025-01-01\",\"input\":0.10,\"output\":0.20}]}]}";
static const char CATALOGUE_OPENAI[] =
    "{\"provider\":\"openai\",\"models\":["
    "{\"id\":\"b\",\"context\":1000,\"aliases\":[\"b-2024\"],\"prices\":["
    "{\"valid_from\":\"2024-01-01\",\"input\":0.15,\"output\":0.60},"
    "{\"valid_from\":\"2024-01-01\",\"input\":0.075,\"output\":0.30,\"service_tier\":\"flex\"}]},"
    "{\"id\":\"c\",\"context\":4000,\"retired\":\"2024-12-01\",\"prices\":["
    "{\"valid_from\":\"2024-01-01\",\"input\":1,\"output\":2}]}]}";

/* ---- The clock and the log ---- */

static int64_t now(void *arg)
{
    return ((const struct world *)arg)->now;
}

static int64_t wall(void *arg)
{
    return WORLD_WALL * KOINE__SEC + ((const struct world *)arg)->now;
}

static void advance(void *arg, int64_t until)
{
    ((struct world *)arg)->now = until;
}

__attribute__((format(printf, 3, 4))) static void append(char *text, size_t size, const char *format, ...)
{
    size_t used = strlen(text);
    va_list args;
    va_start(args, format);
    vsnprintf(text + used, size - used, format, args);
    va_end(args);
}

static void on_log(void *user, int level, const char *line)
{
    struct world *world = user;
    append(world->logged, sizeof(world->logged), "%d %s\n", level, line);
}

/* ---- A bridge that takes its time ---- */

struct late {
    struct koine__timer timer;
    struct koine__job *job;
    struct world *world;
};

static void on_late(struct koine__timer *timer)
{
    struct late *late = (struct late *)timer;
    struct koine__job *job = late->job;
    late->world->jobs_under_way--;
    free(late);
    koine__direct_bridge.call(&koine__direct_bridge, job);
    job->done(job);
}

static struct world *world_of(struct koine__bridge *bridge)
{
    return (struct world *)((char *)bridge - offsetof(struct world, slow_bridge));
}

static int slow_call(struct koine__bridge *bridge, struct koine__job *job)
{
    struct world *world = world_of(bridge);
    struct late *late = calloc(1, sizeof(*late));
    koine__timer_init(&late->timer, on_late);
    late->job = job;
    late->world = world;
    job->private_data = late;
    world->jobs++;
    world->jobs_under_way++;
    koine__timer_set(world->loop, &late->timer, koine__loop_now(world->loop) + world->slow_by);
    return KOINE__LATER;
}

static void slow_drop(struct koine__bridge *bridge, struct koine__job *job)
{
    struct world *world = world_of(bridge);
    struct late *late = job->private_data;
    world->jobs_under_way--;
    koine__timer_stop(world->loop, &late->timer);
    free(late);
}

void world_slow(struct world *world, int64_t by)
{
    world->slow_bridge = (struct koine__bridge){.call = slow_call, .drop = slow_drop};
    world->slow_by = by;
    world->engine.bridge = &world->slow_bridge;
}

/* ---- Birth and death ---- */

static struct koine__instance instance_of(const koine_provider *provider, const char *base_url,
                                          struct koine__secret *key)
{
    return (struct koine__instance){
        .name = provider->id,
        .provider = provider,
        .file = "",
        .base_url = base_url,
        .secret = key,
        .parameters = KOINE__PARAMETERS_WARN,
        .body_limit = INT64_C(16) << 20,
        .timeouts = {.connect = WORLD_MS(5000),
                     .first_byte = WORLD_MS(60000),
                     .first_token = -1,
                     .idle = WORLD_MS(60000),
                     .progress = WORLD_MS(300000),
                     .total = WORLD_MS(600000)},
        .retry = {.max_retries = 3,
                  .base_delay = WORLD_MS(1000),
                  .max_delay = WORLD_MS(60000),
                  .multiplier = 2000000,
                  .jitter = KOINE__JITTER_NONE,
                  .retry_after_cap = WORLD_MS(60000),
                  .move_on_after = WORLD_MS(5000)},
    };
}

static void fill_targets(struct world *world)
{
    static const char *const texts[WORLD_TARGETS] = {"together/a", "openai/b", "openai/c"};
    for (size_t i = 0; i < WORLD_TARGETS; i++) {
        const struct koine__instance *instance = i == 0 ? &world->together : &world->openai;
        const char *model = strchr(texts[i], '/') + 1;
        world->targets[i] = (struct koine__target){
            .text = texts[i],
            .instance = instance,
            .model = model,
            .max_retries = -1,
            .known = koine__catalogue_find(world->catalogue, instance->name, koine__str(model)),
        };
    }
}

static bool fill_catalogue(struct world *world)
{
    koine_error *error = NULL;
    world->catalogue = koine__catalogue_new();
    bool done = world->catalogue &&
                koine__catalogue_add(world->catalogue, "together.json", koine__str(CATALOGUE_TOGETHER), false,
                                     &error) == KOINE_OK &&
                koine__catalogue_add(world->catalogue, "openai.json", koine__str(CATALOGUE_OPENAI), false,
                                     &error) == KOINE_OK;
    if (error && koine_error_number(error) != KOINE_EMEMORY)
        CU_FAIL("the catalogue of the test is wrong");
    koine_error_free(error);
    return done;
}

static bool fill(struct world *world, const struct koine__replay_answer *answers, size_t count)
{
    koine__crypto_init();
    world->keys[0] = koine__secret_new("KEY-T", 5);
    world->keys[1] = koine__secret_new("KEY-O", 5);
    if (!world->keys[0] || !world->keys[1] || !fill_catalogue(world) ||
        koine__loop_new(&world->clock, &world->loop) != KOINE_OK ||
        koine__transport_replay_new(world->loop, answers, count, &world->transport) != KOINE_OK)
        return false;
    world->together =
        instance_of(vendor_together(koine__process_host(), 0), "https://together.test/v1", world->keys[0]);
    world->openai =
        instance_of(vendor_openai(koine__process_host(), 0), "https://openai.test/v1", world->keys[1]);
    fill_targets(world);
    world->route = (struct koine__route){.name = "default", .targets = world->targets};
    koine__pool_init(&world->pool, 64);
    world->engine = (struct koine__engine){.loop = world->loop,
                                           .transport = world->transport,
                                           .bridge = &koine__direct_bridge,
                                           .log = &world->log};
    world->engine.gate.stages[KOINE__STAGE_BUDGET] = &koine__budget_stage;
    world->engine.gate.stages[KOINE__STAGE_POOL] = &world->pool.stage;
    koine__random_seed(&world->engine.random, 1);
    koine__calls_init(&world->calls, &world->engine, NULL);
    return true;
}

struct world *world_new(const struct koine__replay_answer *answers, size_t count)
{
    struct world *world = calloc(1, sizeof(*world));
    world->clock = (struct koine__clock){.now = now, .wall = wall, .advance = advance, .arg = world};
    koine__log_init(&world->log);
    koine__log_set(&world->log, KOINE__LOG_INFO, on_log, world);
    if (fill(world, answers, count))
        return world;
    world_free(world);
    return NULL;
}

void world_drop(struct world_call *asked)
{
    if (asked->call)
        koine__call_destroy(asked->call);
    asked->call = NULL;
}

void world_free(struct world *world)
{
    for (size_t i = 0; i < world->asked_count; i++)
        world_drop(&world->asked[i]);
    if (world->plans)
        CU_FAIL("a call kept its plan");
    if (world->jobs_under_way)
        CU_FAIL("a provider was still being asked");
    if (world->pool.used || world->pool.first)
        CU_FAIL("a place in the pool was not given back");
    if (world->transport)
        world->transport->ops->free(world->transport);
    koine__desks_release(&world->engine.desks);
    koine__loop_free(world->loop);
    koine__catalogue_free(world->catalogue);
    if (world->states) {
        koine__states_drop(world->states, &world->together.policies);
        koine__states_drop(world->states, &world->openai.policies);
    }
    koine__states_unref(world->states);
    koine__secret_unref(world->keys[0]);
    koine__secret_unref(world->keys[1]);
    koine__log_release(&world->log);
    free(world);
}

/* ---- Calls ---- */

static struct koine__document *document_of(const char *text)
{
    struct koine__document *document = NULL;
    koine_error *error = NULL;
    if (!text)
        text = "{\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}";
    if (koine__document_read(koine__str(text), &document, &error) == KOINE_EARGUMENT)
        CU_FAIL("the document of the test is wrong");
    koine_error_free(error);
    return document;
}

static void release_plan(void *plan)
{
    ((struct world *)plan)->plans--;
}

static void saw(const struct koine__witness *witness, const struct koine__happening *happening)
{
    static const char *const names[] = {"",        "opened",    "half_opened", "closed",     "paused",
                                        "latched", "unlatched", "refused",     "not_retried"};
    struct world *world = (struct world *)((char *)(uintptr_t)witness - offsetof(struct world, witness));
    append(world->happened, sizeof(world->happened), "%s%s %s", world->happened[0] ? " | " : "",
           names[happening->kind], happening->instance);
    if (happening->class_number)
        append(world->happened, sizeof(world->happened), " %s", koine_class_name(happening->class_number));
    if (happening->until != KOINE__NEVER)
        append(world->happened, sizeof(world->happened), " %lld", (long long)(happening->until / KOINE__MS));
}

static void hold(struct world *world, struct koine__instance *instance,
                 const struct koine__limiter_config *limits)
{
    const struct koine__states_key key = {.instance = instance->name,
                                          .plugin = instance->provider->id,
                                          .base_url = instance->base_url,
                                          .key = koine__secret_fingerprint(instance->secret)};
    struct koine__policies before = instance->policies;
    instance->policies = (struct koine__policies){
        .breaking = {.failures = 5,
                     .window = WORLD_MS(60000),
                     .min_calls = 5,
                     .ratio = 500000,
                     .open_for = WORLD_MS(30000),
                     .probes = 1,
                     .successes_to_close = 2},
        .retry_capacity = 100,
        .latch = WORLD_MS(300000),
    };
    if (koine__states_hold(world->states, &key, limits, &instance->policies) != KOINE_OK)
        CU_FAIL("no state");
    koine__limiter_configure(instance->policies.limiter, limits, world->now);
    koine__states_drop(world->states, &before);
}

void world_police(struct world *world, const struct koine__limiter_config *limits)
{
    static const struct koine__limiter_config none = {.requests = -1,
                                                      .tokens = -1,
                                                      .concurrent = -1,
                                                      .queue = 256,
                                                      .window = WORLD_MS(60000),
                                                      .slack = WORLD_MS(500),
                                                      .unused_grant = WORLD_MS(250)};
    if (!world->states)
        world->states = koine__states_new();
    hold(world, &world->together, limits ? limits : &none);
    hold(world, &world->openai, limits ? limits : &none);
    world->witness.saw = saw;
    world->engine.witness = &world->witness;
    world->engine.gate.stages[KOINE__STAGE_BREAKER_PEEK] = &koine__breaker_peek_stage;
    world->engine.gate.stages[KOINE__STAGE_LIMITER] = &koine__limiter_stage;
    world->engine.gate.stages[KOINE__STAGE_LAST_LOOK] = &koine__last_look_stage;
    world->engine.gate.stages[KOINE__STAGE_BREAKER_ENTER] = &koine__breaker_enter_stage;
}

struct world_call *world_ask(struct world *world, const struct world_ask *ask)
{
    struct world_call *asked = &world->asked[world->asked_count];
    struct koine__document *document = document_of(ask->document);
    koine_error *error = NULL;
    if (!document) {
        koine__purse_free(ask->purse);
        return NULL;
    }
    world->route.count = ask->targets ? ask->targets : 2;
    world->route.commit = ask->complete ? KOINE_COMMIT_COMPLETE : KOINE_COMMIT_FIRST_CONTENT;
    world->route.max_attempts = ask->max_attempts ? ask->max_attempts : 6;
    world->route.hedge_after = ask->hedge_after;
    world->route.typed = ask->typed;
    struct koine__call_spec spec = {
        .operation = ask->list ? KOINE__OP_LIST_MODELS : KOINE__OP_GENERATE,
        .route = &world->route,
        .catalogue = world->catalogue,
        .document = document,
        .stream = !ask->whole,
        .deadline = ask->deadline ? ask->deadline : WORLD_MS(600000),
        .min_attempt = WORLD_MS(1000),
        .canceller = ask->canceller,
        .purse = ask->purse,
        .approval = ask->approval,
        .user = asked,
        .plan = world,
        .release_plan = release_plan,
    };
    *asked = (struct world_call){.world = world, .ended_ms = -1};
    if (koine__call_new(&world->calls, &spec, &asked->call, &error) != KOINE_OK) {
        koine_error_free(error);
        koine__document_free(document);
        koine__purse_free(ask->purse);
        return NULL;
    }
    world->asked_count++;
    world->plans++;
    return asked;
}

/* ---- What the application reads ---- */

static void write_count(char *text, size_t size, int64_t count, bool estimated)
{
    if (count < 0)
        append(text, size, "-");
    else
        append(text, size, "%s%lld", estimated ? "~" : "", (long long)count);
}

static void write_usage(char *text, size_t size, const koine_event *event)
{
    koine_usage usage = KOINE_USAGE_INIT;
    koine_event_usage(event, &usage);
    append(text, size, "usage ");
    write_count(text, size, koine_usage_input_total(&usage), usage.estimated & KOINE_BUCKET_INPUT);
    append(text, size, "/");
    write_count(text, size, koine_usage_output_total(&usage), usage.estimated & KOINE_BUCKET_OUTPUT);
}

static void write_fault(char *text, size_t size, const koine_error *error)
{
    append(text, size, "fault %s", koine_error_class_name(error));
    if (koine_error_stage(error)[0])
        append(text, size, "/%s", koine_error_stage(error));
    if (koine_error_status(error))
        append(text, size, " %d", koine_error_status(error));
    append(text, size, " %s", koine_error_target(error));
    if (error->fault.deadline_limited)
        append(text, size, " deadline_limited");
}

static void write_event(char *text, size_t size, const struct world_call *asked, const koine_event *event)
{
    const char *words = koine_event_text(event, NULL);
    switch (koine_event_kind(event)) {
    case KOINE_EVENT_START:
        append(text, size, "start %s %s", koine_event_target(event), koine_event_model(event));
        break;
    case KOINE_EVENT_TEXT:
        append(text, size, "text %s", words);
        break;
    case KOINE_EVENT_REASONING:
        append(text, size, "reasoning %s", words);
        break;
    case KOINE_EVENT_REFUSAL:
        append(text, size, "refusal %s", words);
        break;
    case KOINE_EVENT_TOOL:
        append(text, size, "tool %d %s", koine_event_tool(event), koine_event_tool_name(event));
        break;
    case KOINE_EVENT_ARGUMENTS:
        append(text, size, "arguments %d %s", koine_event_tool(event), words);
        break;
    case KOINE_EVENT_TOOL_END:
        append(text, size, "tool_end %d %s", koine_event_tool(event), words);
        break;
    case KOINE_EVENT_USAGE:
        write_usage(text, size, event);
        break;
    case KOINE_EVENT_PARAMETER:
        append(text, size, "parameter %s", koine_event_name(event));
        break;
    case KOINE_EVENT_SWITCH:
        append(text, size, "switch %s", koine_event_target(event));
        break;
    case KOINE_EVENT_RETRY:
        append(text, size, "retry %s %lld", koine_event_target(event), (long long)koine_event_wait_ms(event));
        break;
    case KOINE_EVENT_APPROVAL:
        append(text, size, "approval %s %s", koine_event_target(event), words);
        break;
    case KOINE_EVENT_EXTRA:
        append(text, size, "extra %s %s", koine_event_name(event), words);
        break;
    case KOINE_EVENT_STOP:
        append(text, size, "stop %s %s", koine_response_finish_name(koine_call_response(asked->call)),
               koine_response_target(koine_call_response(asked->call)));
        break;
    case KOINE_EVENT_FAULT:
        write_fault(text, size, koine_event_error(event));
        break;
    default:
        append(text, size, "unknown %d", koine_event_kind(event));
        break;
    }
}

static void read_event(struct koine_call *call, const koine_event *event)
{
    struct world_call *asked = koine_call_user(call);
    if (asked->terminals)
        CU_FAIL("an event after the terminal one");
    if (koine__event_is_terminal(event)) {
        asked->terminals++;
        asked->ended_ms = asked->world->now / KOINE__MS;
    }
    if (koine__event_is_content(event) && !asked->has_content) {
        asked->has_content = true;
        asked->sent_at_content = world_send_count(asked->world);
    }
    asked->events++;
    if (asked->trace[0])
        append(asked->trace, sizeof(asked->trace), " | ");
    write_event(asked->trace, sizeof(asked->trace), asked, event);
}

static size_t read_all(struct world *world)
{
    struct koine_call *call;
    size_t count = 0;
    for (struct koine_event *event; !world->deaf && (event = koine__calls_next(&world->calls, &call));
         count++) {
        read_event(call, event);
        koine__event_free(event);
    }
    if (world->deaf)
        koine__loop_set_busy(world->loop, false);
    return count;
}

/* ---- Time ---- */

static void settle(struct world *world)
{
    do
        koine__loop_process(world->loop);
    while (read_all(world) > 0);
}

/* Moves what moves by that time; false: nothing does, and it is that time now. */
static bool step(struct world *world, int64_t until)
{
    bool moved = koine__loop_wait(world->loop, until) == 1;
    settle(world);
    return moved;
}

void world_until(struct world *world, int64_t ms)
{
    settle(world);
    for (int i = 0; i < MOST_STEPS && step(world, WORLD_MS(ms)); i++)
        ;
    CU_ASSERT(world->now == WORLD_MS(ms));
}

static bool is_over(const struct world *world)
{
    for (size_t i = 0; i < world->asked_count; i++) {
        if (world->asked[i].call && !world->asked[i].terminals)
            return false;
    }
    return true;
}

void world_run(struct world *world)
{
    settle(world);
    for (int i = 0; !is_over(world); i++) {
        if (i == MOST_STEPS || !step(world, world->now + DAY)) {
            CU_FAIL("the run never ends");
            return;
        }
    }
    size_t sent = world_send_count(world);
    for (int i = 0; i < MOST_STEPS && step(world, world->now + DAY); i++)
        ;
    if (world_send_count(world) != sent)
        CU_FAIL("a request after the terminal event");
}

/* ---- What became of it ---- */

static const char *where(const char *url)
{
    return strstr(url, TOGETHER) ? "together" : strstr(url, OPENAI) ? "openai" : url;
}

size_t world_send_count(const struct world *world)
{
    return koine__replay_count(world->transport);
}

const struct koine__replay_seen *world_sent(const struct world *world, size_t index)
{
    return koine__replay_seen(world->transport, index);
}

const char *world_sends(struct world *world)
{
    world->text[0] = '\0';
    for (size_t i = 0; i < world_send_count(world); i++) {
        const struct koine__replay_seen *seen = world_sent(world, i);
        append(world->text, sizeof(world->text), "%s%lld %s", i ? " | " : "",
               (long long)(seen->at / KOINE__MS), where(seen->url));
    }
    return world->text;
}

const koine_response *world_response(const struct world_call *asked)
{
    return koine_call_response(asked->call);
}

static void write_cost(char *text, size_t size, const koine_cost *cost)
{
    if (cost->estimated)
        append(text, size, "~");
    if (cost->state == KOINE_UNPRICED)
        append(text, size, "unpriced");
    else if (cost->state == KOINE_FREE_OF_CHARGE)
        append(text, size, "free");
    else
        append(text, size, "%lld", (long long)cost->picodollars);
}

const char *world_rows(struct world_call *asked)
{
    const koine_response *response = world_response(asked);
    char *text = asked->world->text;
    size_t size = sizeof(asked->world->text);
    text[0] = '\0';
    for (size_t i = 0; i < koine_response_attempt_count(response); i++) {
        koine_cost cost = KOINE_COST_INIT;
        int class_number = koine_response_attempt_class(response, i);
        koine_response_attempt_cost(response, i, &cost);
        append(text, size, "%s%s %d %s ", i ? " | " : "", koine_response_attempt_target(response, i),
               koine_response_attempt_status(response, i),
               class_number == KOINE_CLASS_NONE ? "ok" : koine_class_name(class_number));
        write_cost(text, size, &cost);
    }
    return text;
}

const char *world_cost(struct world_call *asked)
{
    koine_cost cost = KOINE_COST_INIT;
    koine_response_cost(world_response(asked), &cost);
    asked->world->text[0] = '\0';
    write_cost(asked->world->text, sizeof(asked->world->text), &cost);
    return asked->world->text;
}

const char *world_message(struct world_call *asked)
{
    return koine_error_message(koine_call_error(asked->call));
}

const char *world_text(struct world_call *asked)
{
    return koine_response_text(world_response(asked), NULL);
}
