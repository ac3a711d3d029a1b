/* observe: what it costs that a call is seen: recording an attempt and a call in the metrics, the reading of
 * the clock for the library's own time, and a notice of a refusal that storms. No thread but this one. */
#include "tests/bench/stopwatch.h"

#include "core/engine/call.h"
#include "core/hub/metrics.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    ROUNDS = 21,
    CALLS = 20000
};

struct scene {
    struct koine__instance instance;
    struct koine__target target;
    struct koine__engine engine;
    struct koine__calls calls;
    struct koine_call call;
    struct koine__attempt attempt;
    struct koine_response answer;
    struct koine__metrics *metrics;
    struct koine__notices notices;
};

static void set_up(struct scene *s)
{
    static const koine_provider provider = {.size = sizeof(provider), .id = "together"};
    s->metrics = koine__metrics_new();
    if (!s->metrics || koine__loop_new(&koine__system_clock, &s->engine.loop) != KOINE_OK ||
        koine__notices_init(&s->notices, &koine__system_clock, NULL, s->metrics) != KOINE_OK)
        abort();
    s->instance = (struct koine__instance){
        .name = "together", .provider = &provider, .base_url = "https://api.together.ai/v1"};
    s->target = (struct koine__target){.instance = &s->instance,
                                       .model = "meta-llama/Meta-Llama-3.1-8B-Instruct-Turbo"};
    s->calls.engine = &s->engine;
    s->call.calls = &s->calls;
    s->call.answer = &s->answer;
    s->answer.model = (char *)(uintptr_t)s->target.model;
    s->attempt.spec = (struct koine__attempt_spec){.target = &s->target, .stream = true};
    s->attempt.fault = &koine__no_fault;
    s->attempt.assembly.answer = &s->answer;
    s->attempt.requested = true;
    s->attempt.billing = KOINE__BILLING_TOLD;
    s->attempt.usage = (koine_usage){sizeof(koine_usage), 0, 46, -1, -1, 60, -1, -1, -1, -1};
    s->attempt.cost =
        (koine_cost){.size = sizeof(koine_cost), .state = KOINE_PRICED, .picodollars = 42900000};
    s->attempt.first_token_at = 100 * KOINE__MS;
    s->attempt.ended_at = 900 * KOINE__MS;
}

static void record(struct scene *s)
{
    const struct koine__observer *observer = &s->metrics->observer;
    observer->attempt_ended(observer, &s->call, &s->attempt);
    observer->call_ended(observer, &s->call, &s->target, KOINE_CLASS_NONE, 30000);
}

/* As a call of koine_generate has it that waits three times. */
static void share_work(struct scene *s)
{
    struct koine__work *work = &s->engine.work;
    const struct koine__clock *clock = &koine__system_clock;
    koine__work_enter(work, koine__now(clock));
    int64_t begun = koine__work_begin(work, koine__now(clock));
    koine__work_leave(work, koine__now(clock));
    for (int i = 0; i < 3; i++) {
        koine__work_enter(work, koine__now(clock));
        if (i == 2)
            koine__work_end(work, koine__now(clock), begun);
        koine__work_leave(work, koine__now(clock));
    }
}

static void refuse(struct scene *s)
{
    s->notices.witness.saw(&s->notices.witness, &(struct koine__happening){
                                                    .kind = KOINE__HAPPENED_REFUSED,
                                                    .instance = s->instance.name,
                                                    .model = s->target.model,
                                                    .class_number = KOINE_CLASS_REFUSED,
                                                    .now = 1,
                                                    .why = "the breaker is open for another 20s",
                                                });
}

static double time_of(struct scene *s, struct stopwatch *watch, void (*work)(struct scene *))
{
    double ns[ROUNDS];
    for (int i = 0; i < ROUNDS; i++) {
        stopwatch_start(watch);
        for (int k = 0; k < CALLS; k++)
            work(s);
        stopwatch_stop(watch);
        ns[i] = watch->ns / CALLS;
    }
    return median(ns, ROUNDS);
}

int main(void)
{
    static struct scene scene;
    static const struct {
        const char *title;
        void (*work)(struct scene *);
        double target;
    } rows[] = {
        {"recording an attempt and a call", record, 300},
        {"the library's own time, clock and all", share_work, 0},
        {"a refusal that storms: notice, counter", refuse, 0},
    };
    struct stopwatch watch;
    set_up(&scene);
    stopwatch_open(&watch);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        double ns = time_of(&scene, &watch, rows[i].work);
        if (rows[i].target > 0)
            printf("%-44s %7.0f ns %18s %7.0f %s\n", rows[i].title, ns, "", rows[i].target,
                   ns <= rows[i].target ? "ok" : "MISSED");
        else
            printf("%-44s %7.0f ns\n", rows[i].title, ns);
    }
    koine__notices_release(&scene.notices, false);
    koine__metrics_free(scene.metrics);
    koine__loop_free(scene.engine.loop);
    return 0;
}
