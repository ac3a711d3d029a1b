/* log: one line at a time to the application's sink. Builds it on the stack, so that it can always speak. */
#include "core/base/log.h"

#include "core/base/mem.h"
#include <string.h>

#define LONGEST_LINE 8192

static _Thread_local bool inside;

bool koine__log_is_inside(void)
{
    return inside;
}

void koine__log_init(struct koine__log *log)
{
    *log = (struct koine__log){.level = KOINE__LOG_NOBODY,
                               .told = KOINE__LOG_NOBODY,
                               .least = KOINE__LOG_NOBODY,
                               .clock = &koine__system_clock};
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

void koine__log_set_json(struct koine__log *log, bool json)
{
    pthread_mutex_lock(&log->mutex);
    log->json = json;
    pthread_mutex_unlock(&log->mutex);
}

void koine__log_set_content(struct koine__log *log, bool content)
{
    __atomic_store_n(&log->content, content, __ATOMIC_RELAXED);
}

void koine__log_set_clock(struct koine__log *log, const struct koine__clock *clock)
{
    pthread_mutex_lock(&log->mutex);
    log->clock = clock;
    pthread_mutex_unlock(&log->mutex);
}

/* ---- Keys ---- */

static void hide(struct koine__hidden *hidden, struct koine__secret *key)
{
    size_t len;
    koine__secret_text(key, &len);
    if (len < KOINE__SHORTEST_KEY)
        return;
    for (size_t i = 0; i < hidden->count; i++)
        if (koine__secret_fingerprint(hidden->keys[i]) == koine__secret_fingerprint(key))
            return;
    koine__hidden_add(hidden, koine__secret_ref(key));
}

static void release_hidden(struct koine__hidden *hidden)
{
    for (size_t i = 0; i < hidden->count; i++)
        koine__secret_unref(hidden->keys[i]);
    koine__dealloc(hidden->keys);
}

int koine__log_hide(struct koine__log *log, struct koine__secret *const *keys, size_t count)
{
    struct koine__hidden fresh = {0}, old;
    pthread_mutex_lock(&log->mutex);
    old = log->hidden;
    fresh.keys = koine__alloc_array(old.count + count, sizeof(struct koine__secret *));
    for (size_t i = 0; fresh.keys && i < count; i++)
        hide(&fresh, keys[i]);
    for (size_t i = 0; fresh.keys && i < old.count; i++)
        if (koine__secret_is_shared(old.keys[i])) /* calls under way keep theirs */
            hide(&fresh, old.keys[i]);
    if (fresh.keys)
        log->hidden = fresh;
    pthread_mutex_unlock(&log->mutex);
    if (!fresh.keys)
        return KOINE_EMEMORY;
    release_hidden(&old);
    return KOINE_OK;
}

void koine__log_release(struct koine__log *log)
{
    release_hidden(&log->hidden);
    pthread_mutex_destroy(&log->mutex);
}

/* ---- Lines ---- */

static const char *level_name(int level)
{
    static const char *const names[] = {"error", "warning", "info", "debug"};
    return names[level >= KOINE__LOG_ERROR && level <= KOINE__LOG_DEBUG ? level : KOINE__LOG_DEBUG];
}

static void build(const struct koine__log *log, int level, const char *event,
                  const struct koine__field *fields, char ret[LONGEST_LINE])
{
    char moment[KOINE__MOMENT];
    koine__write_moment(log->clock->wall(log->clock->arg), moment);
    const struct koine__field head[] = {koine__log_text("at", moment),
                                        koine__log_text("level", level_name(level)),
                                        koine__log_text("event", event)};
    struct koine__line line;
    koine__line_begin(&line, ret, LONGEST_LINE, log->json, &log->hidden);
    for (size_t i = 0; i < sizeof(head) / sizeof(head[0]); i++)
        koine__line_add(&line, &head[i]);
    for (; fields->name; fields++)
        koine__line_add(&line, fields);
    koine__line_end(&line);
}

void koine__log_write(struct koine__log *log, int level, const char *event, const struct koine__field *fields)
{
    /* A sink that calls back into the library must not wait for itself. */
    if (inside || !koine__log_wants(log, level))
        return;
    char text[LONGEST_LINE];
    pthread_mutex_lock(&log->mutex);
    if (log->sink && log->level >= level) {
        build(log, level, event, fields, text);
        inside = true;
        log->sink(log->user, level, text);
        inside = false;
    }
    pthread_mutex_unlock(&log->mutex);
}
