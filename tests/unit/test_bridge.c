#include "core/plugin/bridge.h"

#include "tests/unit/suite.h"

/* What the provider below was called with. */
static const koine_ask *asked;
static const koine_read *was_read;
static koine_out *written;
static koine_sink *emitted;

static int32_t request(const koine_ask *ask, koine_out *out)
{
    asked = ask;
    written = out;
    return KOINE_UNSUPPORTED;
}

static int32_t frame(const koine_read *read, koine_sink *sink)
{
    was_read = read;
    emitted = sink;
    return KOINE_MORE;
}

static int32_t fault(const koine_read *read, koine_sink *sink)
{
    was_read = read;
    emitted = sink;
    return KOINE_PROTOCOL;
}

static int32_t cost(const koine_cost_query *query, koine_provider_cost *ret)
{
    ret->picodollars = query->at * 2;
    return KOINE_DONE;
}

static const koine_exchange exchange = {.size = sizeof(exchange), .request = request, .frame = frame};
static const koine_provider provider = {
    .size = sizeof(provider), .id = "p", .calculate_cost = cost, .fault = fault};
static const koine_ask ask = {.size = sizeof(ask)};
static const koine_read read_now = {.size = sizeof(read_now)};
static koine_out out;
static koine_sink sink;

static struct koine__job job_of(enum koine__job_kind kind)
{
    asked = NULL;
    was_read = NULL;
    written = NULL;
    emitted = NULL;
    return (struct koine__job){.kind = kind,
                               .provider = &provider,
                               .exchange = &exchange,
                               .ask = &ask,
                               .out = &out,
                               .read = &read_now,
                               .sink = &sink,
                               .answer = 99};
}

static int run(struct koine__job *job)
{
    return koine__direct_bridge.call(&koine__direct_bridge, job);
}

static void requests(void)
{
    struct koine__job job = job_of(KOINE__JOB_REQUEST);
    ASSERT_INT(run(&job), KOINE__ANSWERED);
    ASSERT_INT(job.answer, KOINE_UNSUPPORTED);
    CU_ASSERT_PTR_EQUAL(asked, &ask);
    CU_ASSERT_PTR_EQUAL(written, &out);
}

static void frames(void)
{
    struct koine__job job = job_of(KOINE__JOB_FRAME);
    ASSERT_INT(run(&job), KOINE__ANSWERED);
    ASSERT_INT(job.answer, KOINE_MORE);
    CU_ASSERT_PTR_EQUAL(was_read, &read_now);
    CU_ASSERT_PTR_EQUAL(emitted, &sink);
}

static void faults(void)
{
    struct koine__job job = job_of(KOINE__JOB_FAULT);
    ASSERT_INT(run(&job), KOINE__ANSWERED);
    ASSERT_INT(job.answer, KOINE_PROTOCOL);
    CU_ASSERT_PTR_EQUAL(was_read, &read_now);
    koine_provider silent = provider;
    silent.fault = NULL; /* leaves it to the status */
    job = job_of(KOINE__JOB_FAULT);
    job.provider = &silent;
    ASSERT_INT(run(&job), KOINE__ANSWERED);
    ASSERT_INT(job.answer, KOINE_DONE);
    CU_ASSERT_PTR_NULL(was_read);
}

static void costs(void)
{
    struct koine__job job = job_of(KOINE__JOB_COST);
    const koine_cost_query query = {.size = sizeof(query), .at = 21};
    koine_provider_cost ret = {.size = sizeof(ret)};
    job.query = &query;
    job.cost = &ret;
    ASSERT_INT(run(&job), KOINE__ANSWERED);
    ASSERT_INT(job.answer, KOINE_DONE);
    ASSERT_INT(ret.picodollars, 42);
}

static void drops(void)
{
    struct koine__job job = job_of(KOINE__JOB_FRAME);
    koine__direct_bridge.drop(&koine__direct_bridge, &job);
    ASSERT_INT(job.answer, 99);
    CU_ASSERT_PTR_NULL(was_read);
}

SUITE_MAIN("bridge", {"requests", requests}, {"frames", frames}, {"faults", faults}, {"costs", costs},
           {"drops", drops})
