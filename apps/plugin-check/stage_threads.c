/* stage_threads: eight threads, and each gives way to the others inside calls. */
#include "apps/plugin-check/stages.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#define THREADS 8
#define ROUNDS  2
#define SELDOM  8 /* steps between two of them that give way: on a busy machine that takes long */
#define LARGEST ((size_t)32 << 20)

struct shared { /* by the threads, which only read it */
    struct inspection *in;
    struct koine__buf *alone; /* what each case gives */
    pthread_mutex_t telling;
};
struct thread {
    pthread_t id;
    struct shared *shared;
    size_t number;
};

static void give_way(struct watching *self)
{
    static _Thread_local unsigned steps;
    (void)self;
    if (++steps % SELDOM == 0)
        sched_yield();
}

static void tell(struct shared *shared, const struct cases_item *item, const char *alone, const char *got)
{
    pthread_mutex_lock(&shared->telling);
    inspection_at(shared->in, "%s, on one of eight threads", item->name);
    inspection_differs(shared->in, RULE_THREADS, stage_function(&item->c), alone, got);
    pthread_mutex_unlock(&shared->telling);
}

static void play(struct thread *self, size_t i)
{
    struct inspection *in = self->shared->in;
    struct watching watching;
    struct koine__buf got;
    koine__buf_init(&got, LARGEST);
    watching_init(&watching, in, &in->cases.items[i].c);
    watching.between = give_way;
    stage_play(&watching, &got);
    const char *alone = koine__buf_str(&self->shared->alone[i]);
    if (strcmp(koine__buf_str(&got), alone) != 0)
        tell(self->shared, &in->cases.items[i], alone, koine__buf_str(&got));
    koine__buf_release(&got);
}

/* Each begins elsewhere, so that different cases meet. */
static void *run(void *arg)
{
    struct thread *self = arg;
    size_t count = self->shared->in->cases.count;
    for (size_t round = 0; round < ROUNDS; round++)
        for (size_t i = 0; i < count; i++)
            play(self, (i + self->number * (count / THREADS + 1) + round) % count);
    return NULL;
}

void stage_threads(struct inspection *in)
{
    struct thread threads[THREADS];
    struct shared shared = {.in = in, .telling = PTHREAD_MUTEX_INITIALIZER};
    shared.alone = calloc(in->cases.count, sizeof(*shared.alone));
    if (!shared.alone)
        abort();
    for (size_t i = 0; i < in->cases.count; i++)
        stage_alone(in, &in->cases.items[i].c, &shared.alone[i]);
    inspection_at(in, "eight threads play every case");
    for (size_t i = 0; i < THREADS; i++) {
        threads[i] = (struct thread){.shared = &shared, .number = i};
        if (pthread_create(&threads[i].id, NULL, run, &threads[i]) != 0)
            abort();
    }
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i].id, NULL);
    for (size_t i = 0; i < in->cases.count; i++)
        koine__buf_release(&shared.alone[i]);
    free(shared.alone);
}
