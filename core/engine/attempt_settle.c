/* attempt_settle: what an attempt came to: usage (told or estimated), cost (calculated by its provider),
 * outcome. */
#include "core/engine/attempt_internal.h"

#include "core/money/price.h"

#include <string.h>

/* How many bytes of text make a token, on average over languages and vocabularies: for estimates only. */
#define BYTES_PER_TOKEN 4

static int64_t tokens_of(size_t bytes)
{
    return (int64_t)((bytes + BYTES_PER_TOKEN - 1) / BYTES_PER_TOKEN);
}

static int64_t output_estimate(const struct koine_response *answer)
{
    size_t bytes = answer->text.len + answer->reasoning.len + answer->refusal.len;
    for (size_t i = 0; i < answer->tool_count; i++)
        bytes += answer->tools[i].arguments.len;
    return tokens_of(bytes);
}

/* Fills buckets nobody told, and says so. */
static void estimate(struct koine__attempt *attempt)
{
    koine_usage *usage = &attempt->usage;
    if (usage->input < 0 && usage->cache_read < 0) {
        usage->input = tokens_of(attempt->body_len);
        usage->estimated |= KOINE_BUCKET_INPUT;
    }
    if (usage->output < 0 && usage->reasoning < 0) {
        usage->output = output_estimate(attempt->assembly.answer);
        usage->estimated |= KOINE_BUCKET_OUTPUT;
    }
    if (usage->estimated)
        attempt->billing = KOINE__BILLING_ESTIMATED;
}

/* Errors are not billed, nor is what was never sent; everything else may be, also when we hung up. */
static bool may_be_billed(const struct koine__attempt *attempt)
{
    return attempt->spec.needs_stop && attempt->sent && attempt->head.status < 300;
}

/* The provider wants less of everybody with this key, not of this call alone. */
static void pause_instance(struct koine__attempt *attempt, int64_t now)
{
    const struct koine__instance *instance = attempt->spec.target->instance;
    int64_t advised = attempt->fault->retry_after_ns;
    int64_t pause = advised > 0 ? advised : attempt->spec.pause;
    int64_t until = koine__time_add(now, pause < KOINE__PAUSE_MOST ? pause : KOINE__PAUSE_MOST);
    if (!instance->policies.limiter || !koine__limiter_pause(instance->policies.limiter, now, until))
        return;
    koine__witness_tell(attempt->engine->witness,
                        &(struct koine__happening){.kind = KOINE__HAPPENED_PAUSED,
                                                   .instance = instance->name,
                                                   .model = "",
                                                   .class_number = attempt->fault->class_number,
                                                   .now = now,
                                                   .until = until,
                                                   .why = attempt->fault->message});
}

static void conclude(struct koine__attempt *attempt)
{
    struct koine__outcome outcome = koine__attempt_outcome(attempt);
    int64_t now = koine__loop_now(attempt->engine->loop);
    attempt->phase = KOINE__PHASE_ENDED;
    attempt->ended_at = now;
    if (outcome.class_number == KOINE_CLASS_RATE_LIMIT) /* before anybody takes the place that is left */
        pause_instance(attempt, now);
    koine__timer_set(attempt->engine->loop, &attempt->soon, now); /* likewise, for it may set a latch */
    koine__gate_leave(&attempt->engine->gate, &attempt->ticket, &outcome, now);
    koine__timer_stop(attempt->engine->loop, &attempt->timer);
    koine__attempt_leave_desk(attempt);
}

static void take_cost(struct koine__attempt *attempt, const koine_provider_cost *cost)
{
    koine__cost_from_provider(cost, &attempt->cost);
    if (attempt->cost.state == KOINE_UNPRICED)
        attempt->billing = KOINE__BILLING_UNKNOWN;
    attempt->cost.estimated |= attempt->usage.estimated != 0;
    conclude(attempt);
}

/* Which tier served it decides the price. Providers tell it as an extra: ["flex"]. */
static koine_str service_tier(const struct koine_response *answer)
{
    koine_str told = koine__str(koine_response_extra(answer, "service_tier"));
    if (told.len < 2 || told.ptr[1] != '"')
        return (koine_str){NULL, 0};
    const char *name = told.ptr + 2, *end = memchr(name, '"', told.len - 2);
    return (koine_str){name, end ? (size_t)(end - name) : 0};
}

static koine_cost_query query_of(const struct koine__attempt *attempt, const koine_host *host,
                                 const koine_provider_usage *usage)
{
    const struct koine__clock *clock = koine__loop_clock(attempt->engine->loop);
    const struct koine__target *target = attempt->spec.target;
    const char *model = attempt->assembly.answer->model;
    return (koine_cost_query){
        .size = (uint32_t)sizeof(koine_cost_query),
        .self = target->instance->provider,
        .host = host,
        .model = koine__str(model ? model : target->model),
        .asked = koine__str(target->model),
        .at = clock->wall(clock->arg) / KOINE__SEC,
        .usage = usage,
        .service_tier = service_tier(attempt->assembly.answer),
    };
}

/* The catalogue's own price, for which nobody has to be asked. */
static void take_catalogue_cost(struct koine__attempt *attempt, const koine_cost_query *query)
{
    koine_provider_cost cost = {.size = (uint32_t)sizeof(cost)};
    if (koine__price_query(attempt->spec.catalogue, query, &cost) != 0)
        cost.state = KOINE_PRICE_UNKNOWN;
    take_cost(attempt, &cost);
}

static void on_cost(struct koine__job *job)
{
    struct koine__attempt *attempt = job->owner;
    koine_provider_cost *cost = &attempt->desk->cost_answer;
    attempt->job_running = false;
    if (job->failure) {
        take_catalogue_cost(attempt, &attempt->desk->cost_query);
        return;
    }
    if (job->answer != 0)
        cost->state = KOINE_PRICE_UNKNOWN;
    take_cost(attempt, cost);
}

/* Its provider cannot be asked. What it costs is told all the same. */
static void fail_cost(struct koine__attempt *attempt)
{
    struct koine__fault fault;
    koine_provider_usage usage;
    koine__fault_set(&fault, KOINE_CLASS_MEMORY, "", "no memory to calculate the cost");
    koine__fault_keep(&attempt->fault, &fault);
    koine__usage_to_provider(&attempt->usage, &usage);
    koine_cost_query query = query_of(attempt, koine__process_host(), &usage);
    take_catalogue_cost(attempt, &query);
}

static void ask_cost(struct koine__attempt *attempt)
{
    struct koine__desk *desk = koine__attempt_desk(attempt);
    if (!desk) {
        fail_cost(attempt);
        return;
    }
    koine__usage_to_provider(&attempt->usage, &desk->cost_usage);
    desk->cost_query = query_of(attempt, &desk->host.pub, &desk->cost_usage);
    desk->cost_answer = (koine_provider_cost){.size = (uint32_t)sizeof(koine_provider_cost)};
    desk->job.query = &desk->cost_query;
    desk->job.cost = &desk->cost_answer;
    koine__attempt_run_job(attempt, KOINE__JOB_COST, on_cost);
}

void koine__attempt_settle_now(struct koine__attempt *attempt)
{
    attempt->engine->bridge->drop(attempt->engine->bridge, &attempt->desk->job);
    attempt->job_running = false;
    take_catalogue_cost(attempt, &attempt->desk->cost_query);
}

void koine__attempt_settle(struct koine__attempt *attempt)
{
    attempt->phase = KOINE__PHASE_SETTLE;
    attempt->cost = (koine_cost)KOINE_COST_INIT;
    attempt->cost.state = KOINE_PRICED;
    attempt->usage = attempt->assembly.answer->usage;
    if (!may_be_billed(attempt)) {
        conclude(attempt);
        return;
    }
    attempt->billing = KOINE__BILLING_TOLD;
    estimate(attempt);
    if (attempt->spec.target->instance->free_of_charge) {
        attempt->billing = KOINE__BILLING_FREE;
        attempt->cost.state = KOINE_FREE_OF_CHARGE;
        conclude(attempt);
    } else if (attempt->assembly.picodollars >= 0) { /* the vendor's own figure is the best there is */
        attempt->billing = KOINE__BILLING_TOLD;
        attempt->cost.picodollars = attempt->assembly.picodollars;
        memcpy(attempt->cost.price_id, "vendor", sizeof("vendor"));
        conclude(attempt);
    } else {
        ask_cost(attempt);
    }
}
