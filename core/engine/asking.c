/* asking: see asking.h. */
#include "core/engine/asking.h"

#include "core/money/price.h"

#define REQUEST_LIMIT ((size_t)64 << 20) /* part C3: larger bodies cannot be kept for another attempt */

/* ---- the job ---- */

struct koine__host_env koine__asking_env(const struct koine__attempt_spec *spec, struct koine__log *log)
{
    const struct koine__instance *instance = spec->target->instance;
    return (struct koine__host_env){
        .log = log,
        .instance = instance->name,
        .option = koine__instance_option,
        .options_arg = instance,
        .price = koine__price_query,
        .price_arg = spec->catalogue,
    };
}

void koine__asking_job(struct koine__desk *desk, const struct koine__attempt_spec *spec,
                       enum koine__job_kind kind)
{
    struct koine__job *job = &desk->job;
    job->kind = kind;
    job->provider = spec->target->instance->provider;
    job->exchange = spec->exchange;
    job->time_limit = spec->target->instance->isolate_timeout;
    job->failure = NULL;
}

void koine__asking_prepare(struct koine__desk *desk, const struct koine__attempt_spec *spec,
                           const struct koine__exchange_state *state)
{
    const struct koine__target *target = spec->target;
    koine__out_init(&desk->out, &desk->arena, target->instance->base_url, REQUEST_LIMIT);
    desk->ask = (koine_ask){
        .size = (uint32_t)sizeof(koine_ask),
        .framing = spec->stream ? KOINE_FRAME_SSE : KOINE_FRAME_WHOLE,
        .step = state->step,
        .self = target->instance->provider,
        .host = &desk->host.pub,
        .doc = spec->doc,
        .model = koine__str(target->model),
        .state = state->bytes,
    };
    desk->job.ask = &desk->ask;
    desk->job.out = &desk->out.pub;
}

/* ---- what its answer means ---- */

bool koine__asking_broke(const struct koine__desk *desk, struct koine__fault *ret)
{
    const struct koine__job *job = &desk->job;
    if (job->failure)
        koine__fault_set(ret, KOINE_CLASS_PLUGIN, "", "plugin %s %s", job->provider->id, job->failure);
    return job->failure != NULL;
}

static int class_of_answer(int32_t answer)
{
    switch (answer) {
    case KOINE_UNSUPPORTED:
        return KOINE_CLASS_UNSUPPORTED;
    case KOINE_INVALID:
        return KOINE_CLASS_INVALID;
    case KOINE_NO_MEMORY:
        return KOINE_CLASS_MEMORY;
    default:
        return KOINE_CLASS_PLUGIN;
    }
}

bool koine__asking_refused(const struct koine__desk *desk, const struct koine__attempt_spec *spec,
                           struct koine__fault *ret)
{
    if (koine__node_failed(spec->doc)) {
        koine__fault_set(ret, KOINE_CLASS_MEMORY, "", "no memory to read the document");
        return true;
    }
    if (desk->job.answer == KOINE_DONE)
        return false;
    const char *why = desk->out.why ? desk->out.why : "the provider wrote no request";
    koine__fault_set(ret, class_of_answer(desk->job.answer), "", "%s", why);
    return true;
}

bool koine__notice_loses(const struct koine__notice *notice)
{
    return notice->what == KOINE_NOTICE_DROPPED || notice->what == KOINE_NOTICE_CLAMPED;
}

const char *koine__notice_action(const struct koine__notice *notice)
{
    static const char *const names[] = {"changed", "dropped", "mapped", "clamped"};
    int what = notice->what;
    return what >= KOINE_NOTICE_DROPPED && what <= KOINE_NOTICE_CLAMPED ? names[what] : names[0];
}

bool koine__asking_loses(const struct koine__desk *desk, const struct koine__attempt_spec *spec,
                         struct koine__fault *ret)
{
    if (spec->target->instance->parameters != KOINE__PARAMETERS_STRICT)
        return false;
    for (size_t i = 0; i < desk->out.notice_count; i++) {
        const struct koine__notice *notice = &desk->out.notices[i];
        if (!koine__notice_loses(notice))
            continue;
        koine__fault_set(ret, KOINE_CLASS_UNSUPPORTED, "", "parameters: strict, and %s would be %s: %s",
                         notice->member, koine__notice_action(notice), notice->why);
        return true;
    }
    return false;
}

bool koine__asking_lacks_key(const struct koine__desk *desk, const struct koine__attempt_spec *spec,
                             struct koine__fault *ret)
{
    const struct koine__instance *instance = spec->target->instance;
    if (!desk->out.secret_name || instance->secret || !koine__instance_needs_key(instance))
        return false;
    const char *variable = instance->provider->key_variable;
    if (instance->reads_variable)
        koine__fault_set(ret, KOINE_CLASS_AUTH, "", "there is no key: set %s, or providers.%s.api_key",
                         variable, instance->name);
    else /* what is in there does not go just anywhere: see snapshot_instance.c */
        koine__fault_set(ret, KOINE_CLASS_AUTH, "",
                         "there is no key: set providers.%s.api_key, for example to ${%s}", instance->name,
                         variable);
    return true;
}

/* A request that keeps the rules of koine_out can only be wrong in its key. */
void koine__asking_fault(const struct koine__desk *desk, const struct koine__attempt_spec *spec, int rc,
                         struct koine__fault *ret)
{
    if (rc == KOINE_EMEMORY)
        koine__fault_set(ret, KOINE_CLASS_MEMORY, "", "no memory for the request");
    else if (rc == KOINE_ESYSTEM)
        koine__fault_set(ret, KOINE_CLASS_CONNECT, "connect", "the system refused a connection");
    else if (desk->out.broken)
        koine__fault_set(ret, KOINE_CLASS_PLUGIN, "", "plugin %s wrote a wrong request: %s",
                         spec->target->instance->provider->id, desk->out.broken);
    else
        koine__fault_set(ret, KOINE_CLASS_AUTH, "", "the key cannot travel in a header: it holds a line end");
}
