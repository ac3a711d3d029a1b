/* log: the library's only callback. A line is `at`, `level`, `event` and the event's fields (docs/log.md), as
 * logfmt or as JSON; it never holds a key, and a prompt or an answer only where koine__log_wants_content.
 *
 * A statement that nobody listens to costs one relaxed load: its fields are not even evaluated.
 */
#ifndef KOINE_CORE_BASE_LOG_H
#define KOINE_CORE_BASE_LOG_H

#include "core/base/line.h"

#include <koine/koine.h>
#include <pthread.h>

enum {
    KOINE__LOG_NOBODY = -1,
    KOINE__LOG_ERROR,
    KOINE__LOG_WARNING,
    KOINE__LOG_INFO,
    KOINE__LOG_DEBUG
};

struct koine__log {
    pthread_mutex_t mutex; /* one line at a time */
    koine_log_sink sink;   /* NULL: nobody listens */
    void *user;
    int level;       /* read without the mutex; KOINE__LOG_NOBODY without a sink */
    int told, least; /* by koine__log_set and koine__log_at_least: the more talkative holds */
    bool json;
    bool content; /* read without the mutex */
    const struct koine__clock *clock;
    struct koine__hidden hidden;
};
void koine__log_init(struct koine__log *log); /* logfmt, no content, the system's clock */
void koine__log_set(struct koine__log *log, int level, koine_log_sink sink, void *user);
/* Never less than this level, where somebody listens; -1: as the application said. */
void koine__log_at_least(struct koine__log *log, int level);
void koine__log_set_json(struct koine__log *log, bool json);
void koine__log_set_content(struct koine__log *log, bool content);
void koine__log_set_clock(struct koine__log *log, const struct koine__clock *clock);
/* From now on no line holds one of these keys; of those before, what somebody else still holds stays hidden
 * too. Shorter ones than KOINE__SHORTEST_KEY are none. KOINE_EMEMORY: all stays as it was. */
int koine__log_hide(struct koine__log *log, struct koine__secret *const *keys, size_t count);
void koine__log_release(struct koine__log *log);
/* The list of fields ends with one without a name. */
void koine__log_write(struct koine__log *log, int level, const char *event,
                      const struct koine__field *fields);
static inline bool koine__log_wants(const struct koine__log *log, int wanted)
{
    return log && __atomic_load_n(&log->level, __ATOMIC_RELAXED) >= wanted;
}
/* Prompts and answers, which are told at the level info. */
static inline bool koine__log_wants_content(const struct koine__log *log)
{
    return koine__log_wants(log, KOINE__LOG_INFO) && __atomic_load_n(&log->content, __ATOMIC_RELAXED);
}
/* KOINE__LOG(log, KOINE__LOG_INFO, "retired", koine__log_text("call", id), …): an event of docs/log.md and
 * its fields, at least one. `log` may be NULL. */
#define KOINE__LOG(log, wanted, event, ...)                                                                  \
    do {                                                                                                     \
        if (koine__log_wants(log, wanted))                                                                   \
            koine__log_write(log, wanted, event,                                                             \
                             (const struct koine__field[]){__VA_ARGS__, {.name = NULL}});                    \
    } while (0)
bool koine__log_is_inside(void); /* this thread is inside the application's sink */

#endif
