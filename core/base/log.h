/* log: the library's only callback. Lines are logfmt; a line never holds a key, and no prompt. */
#ifndef KOINE_CORE_BASE_LOG_H
#define KOINE_CORE_BASE_LOG_H

#include <koine/koine.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

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
};
void koine__log_init(struct koine__log *log);
void koine__log_set(struct koine__log *log, int level, koine_log_sink sink, void *user);
/* Never less than this level, where somebody listens; -1: as the application said. */
void koine__log_at_least(struct koine__log *log, int level);
void koine__log_release(struct koine__log *log);
void koine__log_write(struct koine__log *log, int level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static inline bool koine__log_wants(const struct koine__log *log, int wanted)
{
    return log && __atomic_load_n(&log->level, __ATOMIC_RELAXED) >= wanted;
}
/* Formats only if somebody listens at that level. `log` may be NULL. */
#define KOINE__LOG(log, wanted, ...)                                                                         \
    do {                                                                                                     \
        if (koine__log_wants(log, wanted))                                                                   \
            koine__log_write(log, wanted, __VA_ARGS__);                                                      \
    } while (0)
bool koine__log_is_inside(void); /* this thread is inside the application's sink */

#endif
