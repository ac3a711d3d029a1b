#include "core/plugin/bridge_isolated.h"

#include "core/plugin/host.h"
#include "core/plugin/loader.h"
#include "core/plugin/out.h"
#include "tests/unit/failalloc.h"
#include "tests/unit/rig.h"
#include "tests/unit/suite.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MIB ((size_t)1 << 20)

/* ---- A bridge, and jobs ---------------------------------------------------------------------------- */

struct ground {
    struct koine__loop *loop;
    struct koine__isolating isolating;
    struct koine__isolated *isolated;
    const koine_provider *provider;
};

/* False (and the test is marked as skipped): there is no plugin. */
static bool begin(struct ground *world)
{
    koine_error *error = NULL;
    const char *folder = rig_plugins();
    *world = (struct ground){.loop = NULL};
    if (!folder || !scratch_can_isolate())
        return false;
    const struct koine__isolated_spec spec = {.program = scratch_helper(), .timeout = 60 * KOINE__SEC};
    CU_ASSERT_EQUAL_FATAL(koine__loop_new(&koine__system_clock, &world->loop), KOINE_OK);
    koine__isolating_init(&world->isolating, world->loop, NULL);
    ASSERT_INT(koine__isolated_open(folder, "openai.so", &spec, &world->isolated, &error), KOINE_OK);
    ASSERT_STR(koine_error_message(error), "");
    koine_error_free(error);
    CU_ASSERT_PTR_NOT_NULL_FATAL(world->isolated);
    world->provider = koine__isolated_provider(world->isolated, 0);
    return true;
}

static void end(struct ground *world)
{
    koine__isolating_release(&world->isolating);
    koine__isolated_unref(world->isolated);
    koine__loop_free(world->loop);
}

struct task { /* a request that is asked for */
    struct koine__arena arena;
    struct koine__host host;
    struct koine__out out;
    koine_ask ask;
    struct koine__job job;
    int *order, done; /* which one it was, from 1; 0: it is not done */
    char failure[256];
};

static void on_done(struct koine__job *job)
{
    struct task *task = job->owner;
    task->done = ++*task->order;
    snprintf(task->failure, sizeof(task->failure), "%s", job->failure ? job->failure : "");
}

static void task_open(struct task *task, const struct ground *world, const char *document, int *order)
{
    *task = (struct task){.order = order};
    koine__arena_init(&task->arena, 0);
    koine__host_init(&task->host, &(struct koine__host_env){.arena = &task->arena});
    koine__out_init(&task->out, &task->arena, "https://x.test/v1", 64 * MIB);
    task->ask = (koine_ask){
        .size = sizeof(koine_ask), .self = world->provider, .host = &task->host.pub, .model = {"m", 1}};
    koine__json_read((koine_str){document, strlen(document)}, &task->arena, &task->ask.doc, NULL);
    task->job = (struct koine__job){.kind = KOINE__JOB_REQUEST,
                                    .provider = world->provider,
                                    .exchange = world->provider->generate,
                                    .ask = &task->ask,
                                    .out = &task->out.pub,
                                    .time_limit = 60 * KOINE__SEC,
                                    .done = on_done,
                                    .owner = task};
}

static void task_close(struct task *task)
{
    koine__out_release(&task->out);
    koine__arena_release(&task->arena);
}

static int call(struct ground *world, struct task *task)
{
    return world->isolating.pub.call(&world->isolating.pub, &task->job);
}

static void drop(struct ground *world, struct task *task)
{
    world->isolating.pub.drop(&world->isolating.pub, &task->job);
}

static void run(struct ground *world, const struct task *task)
{
    while (!task->done)
        if (koine__loop_wait(world->loop, KOINE__NEVER) < 0 || koine__loop_process(world->loop) < 0)
            CU_FAIL_FATAL("the loop failed");
}

#define DOCUMENT "{\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}"

/* ---- Tests ----------------------------------------------------------------------------------------- */

static void in_order(void)
{
    struct ground world;
    struct task tasks[4];
    int order = 0;
    if (!begin(&world))
        return;
    for (int i = 0; i < 4; i++) {
        task_open(&tasks[i], &world, DOCUMENT, &order);
        ASSERT_INT(call(&world, &tasks[i]), KOINE__LATER);
    }
    drop(&world, &tasks[1]);
    drop(&world, &tasks[1]); /* what is not under way may be dropped */
    run(&world, &tasks[3]);
    ASSERT_INT(tasks[0].done, 1);
    ASSERT_INT(tasks[1].done, 0);
    ASSERT_INT(tasks[2].done, 2);
    ASSERT_INT(tasks[3].done, 3);
    ASSERT_INT(tasks[3].job.answer, KOINE_DONE);
    CU_ASSERT_PTR_NULL(tasks[3].job.private_data);
    CU_ASSERT_PTR_NOT_NULL(strstr(koine__buf_str(&tasks[3].out.body), "\"content\":\"Hi\""));
    ASSERT_INT(tasks[1].out.body.len, 0);
    for (int i = 0; i < 4; i++)
        task_close(&tasks[i]);
    end(&world);
}

/* The helper goes on with a job that nobody wants any more, and then does the next. */
static void dropped_under_way(void)
{
    struct ground world;
    struct task first, second, third;
    int order = 0;
    if (!begin(&world))
        return;
    task_open(&first, &world, DOCUMENT, &order);
    task_open(&second, &world, DOCUMENT, &order);
    task_open(&third, &world, DOCUMENT, &order);
    ASSERT_INT(call(&world, &first), KOINE__LATER);
    run(&world, &first); /* it is ready, so the next is under way at once */
    ASSERT_INT(call(&world, &second), KOINE__LATER);
    drop(&world, &second);
    task_close(&second);
    ASSERT_INT(call(&world, &third), KOINE__LATER);
    run(&world, &third);
    ASSERT_INT(third.job.answer, KOINE_DONE);
    task_close(&first);
    task_close(&third);
    end(&world);
}

/* More than a socket holds, there and back. */
static void large(void)
{
    struct ground world;
    struct task task;
    int order = 0;
    if (!begin(&world))
        return;
    size_t len = 8 * MIB;
    char *document = malloc(len + 128);
    CU_ASSERT_PTR_NOT_NULL_FATAL(document);
    int n = sprintf(document, "{\"messages\":[{\"role\":\"user\",\"content\":\"");
    memset(document + n, 'x', len);
    strcpy(document + n + len, "\"}]}");
    task_open(&task, &world, document, &order);
    ASSERT_INT(call(&world, &task), KOINE__LATER);
    run(&world, &task);
    ASSERT_STR(task.failure, "");
    ASSERT_INT(task.job.answer, KOINE_DONE);
    CU_ASSERT_TRUE(task.out.body.len > len);
    task_close(&task);
    free(document);
    end(&world);
}

/* What cannot be asked costs the helper, and no more: the next job has another. */
static void too_large(void)
{
    struct ground world;
    struct task task, next;
    int order = 0;
    if (!begin(&world))
        return;
    char *state = calloc(1, 130 * MIB); /* never looked at */
    CU_ASSERT_PTR_NOT_NULL_FATAL(state);
    task_open(&task, &world, DOCUMENT, &order);
    task_open(&next, &world, DOCUMENT, &order);
    koine_exchange exchange = *world.provider->generate;
    exchange.state_size = 130 * MIB;
    task.job.exchange = &exchange;
    task.ask.state = state;
    ASSERT_INT(call(&world, &task), KOINE__LATER);
    ASSERT_INT(call(&world, &next), KOINE__LATER);
    run(&world, &next);
    ASSERT_STR(task.failure, "could not be asked: it is more than 128 MiB");
    ASSERT_INT(task.job.answer, -1);
    ASSERT_STR(next.failure, "");
    ASSERT_INT(next.job.answer, KOINE_DONE);
    task_close(&task);
    task_close(&next);
    free(state);
    end(&world);
}

static int32_t here(const koine_cost_query *query, koine_provider_cost *ret)
{
    (void)query;
    ret->picodollars = 7;
    return 0;
}

static void providers_of_this_process(void)
{
    struct ground world;
    const koine_provider provider = {.size = sizeof(provider), .id = "here", .calculate_cost = here};
    koine_provider_cost cost = {.size = sizeof(cost)};
    struct koine__job job = {.kind = KOINE__JOB_COST, .provider = &provider, .cost = &cost};
    if (!begin(&world))
        return;
    ASSERT_INT(world.isolating.pub.call(&world.isolating.pub, &job), KOINE__ANSWERED);
    ASSERT_INT(cost.picodollars, 7);
    CU_ASSERT_PTR_NULL(world.isolating.housings);
    end(&world);
}

/* Freed with jobs under way and waiting. */
static void released(void)
{
    for (int rounds = 0; rounds < 3; rounds++) {
        struct ground world;
        struct task tasks[2];
        int order = 0;
        if (!begin(&world))
            return;
        for (int i = 0; i < 2; i++) {
            task_open(&tasks[i], &world, DOCUMENT, &order);
            ASSERT_INT(call(&world, &tasks[i]), KOINE__LATER);
        }
        for (int i = 0; i < rounds; i++) {
            koine__loop_wait(world.loop, koine__now(&koine__system_clock) + 5 * KOINE__MS);
            koine__loop_process(world.loop);
        }
        for (int i = 0; i < 2; i++) {
            drop(&world, &tasks[i]);
            task_close(&tasks[i]);
        }
        end(&world);
    }
}

/* Whichever allocation fails: the job is answered, or fails with a reason, and nothing is lost. */
static void failing_allocations(void)
{
    struct ground world;
    if (!begin(&world))
        return;
    for (long n = 1;; n++) {
        struct task task;
        int order = 0;
        task_open(&task, &world, DOCUMENT, &order);
        failalloc_begin(n);
        if (call(&world, &task) == KOINE__LATER)
            run(&world, &task);
        koine__isolating_release(&world.isolating);
        bool was_whole = task.job.answer == KOINE_DONE && !task.out.error && !task.job.failure;
        bool was_memory = task.out.error == KOINE_EMEMORY || task.job.answer == KOINE_NO_MEMORY;
        CU_ASSERT_TRUE(was_whole || (was_memory && !task.job.failure));
        task_close(&task); /* what it took meanwhile was taken from the failing one */
        if (!failalloc_end()) {
            CU_ASSERT_TRUE(was_whole);
            break;
        }
    }
    end(&world);
}

SUITE_MAIN("isolated bridge", {"in order", in_order}, {"dropped under way", dropped_under_way},
           {"large", large}, {"too large", too_large},
           {"providers of this process", providers_of_this_process}, {"released", released},
           {"failing allocations", failing_allocations})
