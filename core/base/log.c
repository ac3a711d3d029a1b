/* log: one line at a time to the application's sink. Formats on the stack, so that it can always speak. */
#include "core/base/log.h"

#include "core/base/str.h"
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#define LONGEST_LINE 2048

static _Thread_local bool inside;

bool koine__log_is_inside(void)
{
    return inside;
}

void koine__log_init(struct koine__log *log)
{
    *log = (struct koine__log){
        .level = KOINE__LOG_NOBODY, .told = KOINE__LOG_NOBODY, .least = KOINE__LOG_NOBODY};
    pthread_mutex_init(&log->mutex, NULL);
}

static void settle_level(struct koine__log *log)
{
    int level = log->told > log->least ? log->told : log->least;
    __atomic_store_n(&log->level, log->sink ? level : KOINE__LOG_NOBODY, __ATOMIC_RELAXED);
}

void koine__log_at_least(struct koine__log *log, int level)
{
    pthread_mutex_lock(&log->mutex);
    log->least = level;
    settle_level(log);
    pthread_mutex_unlock(&log->mutex);
}

void koine__log_set(struct koine__log *log, int level, koine_log_sink sink, void *user)
{
    pthread_mutex_lock(&log->mutex);
    log->sink = sink;
    log->user = user;
    log->told = level;
    settle_level(log);
    pthread_mutex_unlock(&log->mutex);
}

void koine__log_release(struct koine__log *log)
{
    pthread_mutex_destroy(&log->mutex);
}

/* One line of whole characters, whatever a vendor put into it. */
static void clean_line(char *line, bool cut)
{
    size_t at = 0;
    for (; line[at]; at++)
        if ((unsigned char)line[at] < 0x20 || line[at] == 0x7F)
            line[at] = ' ';
    for (size_t back = 1; cut && back <= 4 && back <= at; back++)
        if (((unsigned char)line[at - back] & 0xC0) != 0x80) {
            if (koine__utf8_length(line + at - back, back) != back)
                line[at - back] = '\0';
            break;
        }
}

void koine__log_write(struct koine__log *log, int level, const char *format, ...)
{
    /* A sink that calls back into the library must not wait for itself. */
    if (inside || !koine__log_wants(log, level))
        return;
    char line[LONGEST_LINE];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    if (len < 0)
        return;
    clean_line(line, (size_t)len >= sizeof(line));
    pthread_mutex_lock(&log->mutex);
    inside = true;
    if (log->sink && log->level >= level)
        log->sink(log->user, level, line);
    inside = false;
    pthread_mutex_unlock(&log->mutex);
}
