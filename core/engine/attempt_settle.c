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
        usage->input = tokens_of(attempt->http.body.len);
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

static void conclude(struct koine__attempt *attempt)
{
    struct koine__outcome outcome = {attempt->fault.class_number, attempt->sent};
    int64_t now = koine__loop_now(attempt->engine->loop);
    attempt->phase = KOINE__PHASE_ENDED;
    attempt->ended_at = now;
    koine__gate_leave(&attempt->engine->gate, &attempt->ticket, &outcome, now);
    koine__timer_stop(attempt->engine->loop, &attempt->timer);
    koine__timer_set(attempt->engine->loop, &attempt->soon, now);
}

/* Where its provider cannot say, or not in time, the catalogue's own price stands in. */
static int32_t price_by_catalogue(struct koine__attempt *attempt)
{
    attempt->cost_answer = (koine_provider_cost){.size = (uint32_t)sizeof(koine_provider_cost)};
    return koine__price_query(attempt->spec.catalogue, &attempt->cost_query, &attempt->cost_answer);
}

static void on_cost(struct koine__job *job)
{
    struct koine__attempt *attempt = job->owner;
    attempt->job_running = false;
    if (job->failure)
        job->answer = price_by_catalogue(attempt);
    if (job->answer != 0)
        attempt->cost_answer.state = KOINE_PRICE_UNKNOWN;
    koine__cost_from_provider(&attempt->cost_answer, &attempt->cost);
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

static void ask_cost(struct koine__attempt *attempt)
{
    const struct koine__clock *clock = koine__loop_clock(attempt->engine->loop);
    const struct koine__target *target = attempt->spec.target;
    const char *model = attempt->assembly.answer->model;
    koine__usage_to_provider(&attempt->usage, &attempt->cost_usage);
    attempt->host.env.arena = &attempt->frame_arena;
    attempt->cost_query = (koine_cost_query){
        .size = (uint32_t)sizeof(koine_cost_query),
        .self = target->instance->provider,
        .host = &attempt->host.pub,
        .model = koine__str(model ? model : target->model),
        .asked = koine__str(target->model),
        .at = clock->wall(clock->arg) / KOINE__SEC,
        .usage = &attempt->cost_usage,
        .service_tier = service_tier(attempt->assembly.answer),
    };
    attempt->cost_answer = (koine_provider_cost){.size = (uint32_t)sizeof(koine_provider_cost)};
    attempt->job.query = &attempt->cost_query;
    attempt->job.cost = &attempt->cost_answer;
    koine__attempt_run_job(attempt, KOINE__JOB_COST, on_cost);
}

void koine__attempt_settle_now(struct koine__attempt *attempt)
{
    attempt->engine->bridge->drop(attempt->engine->bridge, &attempt->job);
    attempt->job.failure = NULL;
    attempt->job.answer = price_by_catalogue(attempt);
    on_cost(&attempt->job);
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
