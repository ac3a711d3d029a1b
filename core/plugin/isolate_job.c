/* isolate_job: a job of the bridge as bytes, and back. */
#include "core/plugin/isolate.h"

#include <string.h>

/* ---- Cost ------------------------------------------------------------------------------------------ */

void koine__isolate_pack_usage(struct koine__buf *buf, const koine_provider_usage *usage)
{
    koine_provider_usage known = {.size = usage->size};
    memcpy(&known, usage, usage->size < sizeof(known) ? usage->size : sizeof(known));
    koine__pack_u32(buf, known.size < sizeof(known) ? known.size : (uint32_t)sizeof(known));
    koine__pack_i64(buf, known.input);
    koine__pack_i64(buf, known.cache_read);
    koine__pack_i64(buf, known.cache_write);
    koine__pack_i64(buf, known.output);
    koine__pack_i64(buf, known.reasoning);
    koine__pack_i64(buf, known.audio_input);
    koine__pack_i64(buf, known.audio_output);
    koine__pack_i64(buf, known.image_input);
    koine__pack_i64(buf, known.picodollars);
}

void koine__isolate_unpack_usage(struct koine__unpack *unpack, koine_provider_usage *ret)
{
    ret->size = koine__unpack_u32(unpack);
    ret->input = koine__unpack_i64(unpack);
    ret->cache_read = koine__unpack_i64(unpack);
    ret->cache_write = koine__unpack_i64(unpack);
    ret->output = koine__unpack_i64(unpack);
    ret->reasoning = koine__unpack_i64(unpack);
    ret->audio_input = koine__unpack_i64(unpack);
    ret->audio_output = koine__unpack_i64(unpack);
    ret->image_input = koine__unpack_i64(unpack);
    ret->picodollars = koine__unpack_i64(unpack);
    unpack->bad |= ret->size > sizeof(*ret);
}

void koine__isolate_pack_query(struct koine__buf *buf, const koine_cost_query *query)
{
    koine__pack_str(buf, query->model);
    koine__pack_str(buf, query->asked);
    koine__pack_i64(buf, query->at);
    koine__isolate_pack_usage(buf, query->usage);
    koine__pack_str(buf, query->service_tier);
    koine__pack_i32(buf, query->batch);
}

void koine__isolate_unpack_query(struct koine__unpack *unpack, koine_cost_query *ret,
                                 koine_provider_usage *ret_usage)
{
    ret->size = (uint32_t)sizeof(*ret);
    ret->model = koine__unpack_str(unpack);
    ret->asked = koine__unpack_str(unpack);
    ret->at = koine__unpack_i64(unpack);
    koine__isolate_unpack_usage(unpack, ret_usage);
    ret->usage = ret_usage;
    ret->service_tier = koine__unpack_str(unpack);
    ret->batch = koine__unpack_i32(unpack);
}

void koine__isolate_pack_cost(struct koine__buf *buf, int32_t answer, const koine_provider_cost *cost)
{
    koine__pack_i32(buf, answer);
    koine__pack_i32(buf, cost->state);
    koine__pack_i64(buf, cost->picodollars);
    koine__pack_str(buf, cost->price_id);
    koine__pack_i32(buf, KOINE_HAS(koine_provider_cost, cost, estimated) ? cost->estimated : 0);
}

int32_t koine__isolate_unpack_cost(struct koine__unpack *unpack, koine_provider_cost *ret)
{
    int32_t answer = koine__unpack_i32(unpack);
    ret->state = koine__unpack_i32(unpack);
    ret->picodollars = koine__unpack_i64(unpack);
    ret->price_id = koine__unpack_str(unpack);
    int32_t estimated = koine__unpack_i32(unpack);
    if (KOINE_HAS(koine_provider_cost, ret, estimated))
        ret->estimated = estimated;
    return answer;
}

/* ---- Options --------------------------------------------------------------------------------------- */

static const koine_host *host_of(const struct koine__job *job)
{
    if (job->kind == KOINE__JOB_REQUEST)
        return job->ask->host;
    return job->kind == KOINE__JOB_COST ? job->query->host : job->read->host;
}

/* What the provider may ask of the instance: every option it declared, the defaults among them. */
static void pack_options(struct koine__buf *buf, const struct koine__job *job)
{
    const koine_option *const *options = job->provider->options;
    const koine_host *host = host_of(job);
    uint32_t count = 0;
    while (options && options[count])
        count++;
    koine__pack_u32(buf, count);
    for (uint32_t i = 0; i < count; i++) {
        koine__pack_text(buf, options[i]->name);
        koine__pack_str(buf, host->option(host, job->provider, options[i]->name));
    }
}

static void unpack_options(struct koine__unpack *unpack, struct koine__isolate_job *ret)
{
    ret->option_count = koine__unpack_u32(unpack);
    ret->options = *unpack;
    for (uint32_t i = 0; i < ret->option_count && !unpack->bad; i++) {
        unpack->bad |= !koine__unpack_text(unpack);
        koine__unpack_text(unpack);
    }
}

const char *koine__isolate_option(const struct koine__isolate_job *job, const char *name)
{
    struct koine__unpack unpack = job->options;
    for (uint32_t i = 0; i < job->option_count; i++) {
        const char *declared = koine__unpack_text(&unpack), *value = koine__unpack_text(&unpack);
        if (declared && strcmp(declared, name) == 0)
            return value;
    }
    return NULL;
}

/* ---- Request --------------------------------------------------------------------------------------- */

static void pack_ask(struct koine__buf *buf, const struct koine__job *job)
{
    const koine_ask *ask = job->ask;
    koine__pack_i32(buf, ask->framing);
    koine__pack_u32(buf, ask->step);
    koine__pack_str(buf, ask->model);
    koine__pack_str(buf, ask->doc ? ask->host->dump(ask->doc) : (koine_str){NULL, 0});
    koine__pack_str(buf, (koine_str){ask->state, ask->state ? job->exchange->state_size : 0});
}

static void unpack_ask(struct koine__unpack *unpack, struct koine__isolate_job *ret)
{
    ret->ask.size = (uint32_t)sizeof(ret->ask);
    ret->ask.framing = koine__unpack_i32(unpack);
    ret->ask.step = koine__unpack_u32(unpack);
    ret->ask.model = koine__unpack_str(unpack);
    ret->doc = koine__unpack_str(unpack);
    ret->state = koine__unpack_str(unpack);
}

/* ---- Frame ----------------------------------------------------------------------------------------- */

static void pack_read(struct koine__buf *buf, const struct koine__job *job)
{
    const koine_read *read = job->read;
    const koine_frame *frame = read->frame;
    bool keeps = job->kind == KOINE__JOB_FRAME && read->state;
    koine__pack_u32(buf, read->step);
    koine__pack_str(buf, read->model);
    koine__pack_i32(buf, frame->kind);
    koine__pack_i32(buf, frame->clean);
    koine__pack_i32(buf, frame->http_status);
    koine__pack_str(buf, frame->event);
    koine__pack_str(buf, frame->text);
    koine__pack_u8(buf, frame->json != NULL);
    koine__pack_str(buf, (koine_str){keeps ? read->state : NULL, keeps ? job->exchange->state_size : 0});
}

static void unpack_read(struct koine__unpack *unpack, struct koine__isolate_job *ret)
{
    ret->read.size = (uint32_t)sizeof(ret->read);
    ret->read.step = koine__unpack_u32(unpack);
    ret->read.model = koine__unpack_str(unpack);
    ret->frame.size = (uint32_t)sizeof(ret->frame);
    ret->frame.kind = koine__unpack_i32(unpack);
    ret->frame.clean = koine__unpack_i32(unpack);
    ret->frame.http_status = koine__unpack_i32(unpack);
    ret->frame.event = koine__unpack_str(unpack);
    ret->frame.text = koine__unpack_str(unpack);
    ret->has_json = koine__unpack_u8(unpack) != 0;
    ret->state = koine__unpack_str(unpack);
}

/* ---- Any ------------------------------------------------------------------------------------------- */

void koine__isolate_pack_job(struct koine__buf *buf, const struct koine__job *job, uint32_t provider)
{
    size_t start = koine__pack_begin(buf, KOINE__ISOLATE_JOB);
    koine__pack_u8(buf, (uint8_t)job->kind);
    koine__pack_u32(buf, provider);
    koine__pack_u8(buf, job->exchange == job->provider->list_models);
    pack_options(buf, job);
    if (job->kind == KOINE__JOB_REQUEST)
        pack_ask(buf, job);
    else if (job->kind == KOINE__JOB_COST)
        koine__isolate_pack_query(buf, job->query);
    else
        pack_read(buf, job);
    koine__pack_end(buf, start);
}

bool koine__isolate_unpack_job(struct koine__unpack *unpack, struct koine__isolate_job *ret)
{
    *ret = (struct koine__isolate_job){.provider = 0};
    uint8_t kind = koine__unpack_u8(unpack);
    ret->provider = koine__unpack_u32(unpack);
    ret->lists = koine__unpack_u8(unpack) != 0;
    ret->kind = (enum koine__job_kind)kind;
    unpack_options(unpack, ret);
    switch (ret->kind) {
    case KOINE__JOB_REQUEST:
        unpack_ask(unpack, ret);
        break;
    case KOINE__JOB_FRAME:
    case KOINE__JOB_FAULT:
        unpack_read(unpack, ret);
        break;
    case KOINE__JOB_COST:
        koine__isolate_unpack_query(unpack, &ret->query, &ret->usage);
        break;
    default:
        return false;
    }
    return koine__unpack_done(unpack);
}
