/* bridge_isolated: see bridge_isolated.h. A housing is what a client keeps for one isolated plugin: its
 * helper, if one runs, and the jobs that wait for it. Nothing here waits. */
#include "core/plugin/bridge_isolated.h"

#include "core/base/mem.h"
#include "core/base/str.h"
#include "core/plugin/isolate.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PIECE          ((size_t)64 << 10)
#define KEPT           ((size_t)1 << 20) /* larger buffers are given back after their job */
#define DEFAULT_LIMIT  (5 * KOINE__SEC)
#define MOST_LOG_LINES 1000 /* of one job */
#define PATIENCE       3    /* ends in a row before a pause */
#define FIRST_PAUSE    (200 * KOINE__MS)
#define LONGEST_PAUSE  (10 * KOINE__SEC)

enum stage {
    NONE,     /* no process */
    STARTING, /* it loads its plugin */
    IDLE,
    BUSY,  /* it has a job, which may be dropped already */
    ENDING /* killed, or its socket closed: until the system says how it ended */
};

struct koine__housing {
    struct koine__isolating *owner;
    struct koine__isolated *plugin; /* held */
    struct koine__housing *next;
    enum stage stage;
    struct koine__helper helper;
    struct koine__watch socket, process;
    struct koine__timer timer; /* of what it does now */
    struct koine__buf in, out;
    size_t sent; /* of `out` */
    bool wants_room, was_loading;
    struct koine__job *current; /* NULL while busy: it was dropped */
    struct koine__job *first, *last;
    unsigned log_lines;
    unsigned ends; /* in a row */
    int64_t not_before;
    char reason[512]; /* why it is being killed; "": it ended by itself */
};

#define CONTAINER(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

static void advance(struct koine__housing *it);

static const char *plugin_id(const struct koine__housing *it)
{
    return koine__isolated_provider(it->plugin, 0)->id;
}

/* ---- Jobs ------------------------------------------------------------------------------------------ */

static void enqueue(struct koine__housing *it, struct koine__job *job)
{
    job->next = NULL;
    job->was_asked = false;
    job->failure = NULL;
    job->private_data = it;
    if (it->last)
        it->last->next = job;
    else
        it->first = job;
    it->last = job;
}

static struct koine__job *dequeue(struct koine__housing *it)
{
    struct koine__job *job = it->first;
    it->first = job->next;
    if (!it->first)
        it->last = NULL;
    return job;
}

static void take_out(struct koine__housing *it, const struct koine__job *job)
{
    struct koine__job *before = NULL;
    for (struct koine__job *at = it->first; at; before = at, at = at->next) {
        if (at != job)
            continue;
        if (before)
            before->next = at->next;
        else
            it->first = at->next;
        if (it->last == at)
            it->last = before;
        return;
    }
}

/* The caller has it back; what it does then may bring new jobs. */
/* Want of memory is nobody's misdeed: those reasons of this file end so. */
static bool is_memory(const char *reason)
{
    static const char words[] = ": no memory";
    size_t len = reason ? strlen(reason) : 0;
    return len >= sizeof(words) - 1 && strcmp(reason + len - (sizeof(words) - 1), words) == 0;
}

static void give_back(struct koine__job *job, const char *failure)
{
    bool memory = is_memory(failure);
    job->private_data = NULL;
    job->failure = memory ? NULL : failure;
    if (failure)
        job->answer = memory ? KOINE_NO_MEMORY : -1;
    job->done(job);
}

static void fail_waiting(struct koine__housing *it, const char *failure)
{
    struct koine__job *last = it->last;
    while (last && it->first) {
        struct koine__job *job = dequeue(it);
        bool was_last = job == last;
        give_back(job, failure);
        if (was_last)
            break;
    }
}

/* ---- The end of a helper --------------------------------------------------------------------------- */

static void unwatch(struct koine__housing *it)
{
    koine__loop_unwatch(it->owner->loop, &it->socket);
    koine__loop_unwatch(it->owner->loop, &it->process);
    koine__timer_stop(it->owner->loop, &it->timer);
}

static void kill_and_reap(struct koine__helper *helper)
{
    char how[64];
    if (helper->pid == 0)
        return;
    koine__helper_kill(helper);
    koine__helper_reap(helper, how, sizeof(how));
}

/* No new one starts before this pause is over. */
static void note_end(struct koine__housing *it)
{
    int64_t pause = FIRST_PAUSE;
    it->ends++;
    if (it->ends < PATIENCE)
        return;
    for (unsigned i = PATIENCE; i < it->ends && pause < LONGEST_PAUSE; i++)
        pause *= 2;
    it->not_before = koine__loop_now(it->owner->loop) + (pause < LONGEST_PAUSE ? pause : LONGEST_PAUSE);
}

static void end(struct koine__housing *it, const char *reason)
{
    if (it->stage == NONE || it->stage == ENDING)
        return;
    it->was_loading = it->stage == STARTING;
    it->stage = ENDING;
    if (reason != it->reason)
        snprintf(it->reason, sizeof(it->reason), "%s", reason ? reason : "");
    koine__loop_unwatch(it->owner->loop, &it->socket);
    koine__timer_stop(it->owner->loop, &it->timer);
    koine__helper_kill(&it->helper);
}

static void clear(struct koine__housing *it)
{
    unwatch(it);
    koine__buf_release(&it->in);
    koine__buf_release(&it->out);
    it->sent = 0;
    it->stage = NONE;
}

/* The kernel kills a helper with the thread that started it: nobody's misdeed, so its job is asked of
 * another, once. */
static bool ask_again(struct koine__housing *it, const char *how)
{
    struct koine__job *job = it->current;
    if (it->reason[0] || it->was_loading || strcmp(how, "was killed by SIGKILL") != 0)
        return false;
    if (!job || job->was_asked)
        return !job;
    job->was_asked = true;
    job->next = it->first;
    it->first = job;
    if (!it->last)
        it->last = job;
    it->current = NULL;
    return true;
}

/* Fails the job it had, and those that wait where another helper would not do better. */
static void on_ended(struct koine__watch *watch, bool readable, bool writable)
{
    struct koine__housing *it = CONTAINER(watch, struct koine__housing, process);
    char how[64], reason[sizeof(it->reason)];
    (void)readable;
    (void)writable;
    end(it, NULL);
    koine__helper_reap(&it->helper, how, sizeof(how));
    snprintf(reason, sizeof(reason), "%s", it->reason[0] ? it->reason : how);
    clear(it);
    bool again = ask_again(it, how);
    if (!is_memory(reason) && !again)
        note_end(it);
    KOINE__LOG(it->owner->log, KOINE__LOG_WARNING, "helper_ended", koine__log_text("plugin", plugin_id(it)),
               koine__log_text("reason", reason));
    struct koine__job *job = it->current;
    it->current = NULL;
    if (job)
        give_back(job, reason);
    if (it->was_loading || koine__loop_now(it->owner->loop) < it->not_before)
        fail_waiting(it, reason);
    advance(it);
}

static void on_timer(struct koine__timer *timer)
{
    struct koine__housing *it = CONTAINER(timer, struct koine__housing, timer);
    char reason[sizeof(it->reason)];
    snprintf(reason, sizeof(reason), "%s", it->reason);
    if (it->stage == NONE)
        fail_waiting(it, reason);
    else
        end(it, reason[0] ? it->reason : "took longer than its isolate_timeout");
}

/* ---- Writing --------------------------------------------------------------------------------------- */

static void watch_socket(struct koine__housing *it, bool wants_room)
{
    if (it->socket.slot && wants_room == it->wants_room)
        return;
    it->wants_room = wants_room;
    if (koine__loop_watch(it->owner->loop, &it->socket, true, wants_room) != KOINE_OK)
        end(it, "could not be watched");
}

static void flush(struct koine__housing *it)
{
    while (it->sent < it->out.len) {
        ssize_t n = send(it->helper.fd, it->out.ptr + it->sent, it->out.len - it->sent, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) /* a closed one is found by reading */
            break;
        it->sent += (size_t)n;
    }
    bool is_all = it->sent == it->out.len;
    if (is_all) {
        if (it->out.cap > KEPT)
            koine__buf_release(&it->out);
        koine__buf_reset(&it->out);
        it->sent = 0;
    }
    watch_socket(it, !is_all);
}

static void limit_time(struct koine__housing *it, int64_t limit)
{
    int64_t now = koine__loop_now(it->owner->loop);
    koine__helper_allow(&it->helper, now, limit);
    koine__timer_set(it->owner->loop, &it->timer, koine__time_add(now, limit));
}

/* ---- Starting, and giving it something to do ------------------------------------------------------- */

static void on_socket(struct koine__watch *watch, bool readable, bool writable);

/* Those who wait are told from the loop. */
static void cannot_start(struct koine__housing *it, const char *words)
{
    snprintf(it->reason, sizeof(it->reason), "cannot be started: %s", words);
    if (!is_memory(it->reason))
        note_end(it);
    koine__timer_set(it->owner->loop, &it->timer, koine__loop_now(it->owner->loop));
}

static void start(struct koine__housing *it)
{
    koine_str hello = koine__isolated_hello(it->plugin);
    int rc = koine__isolated_start(it->plugin, &it->helper);
    if (rc != 0) {
        cannot_start(it, strerrordesc_np(rc));
        return;
    }
    it->stage = STARTING;
    it->reason[0] = '\0';
    it->sent = 0;
    it->socket = (struct koine__watch){.fd = it->helper.fd, .ready = on_socket};
    it->process = (struct koine__watch){.fd = it->helper.pidfd, .ready = on_ended};
    koine__buf_add(&it->out, hello.ptr, hello.len);
    limit_time(it, it->first->time_limit > 0 ? it->first->time_limit : DEFAULT_LIMIT);
    if (it->out.error || koine__loop_watch(it->owner->loop, &it->process, true, false) != KOINE_OK) {
        kill_and_reap(&it->helper);
        clear(it);
        cannot_start(it, "no memory");
        return;
    }
    flush(it);
}

static void give_job(struct koine__housing *it)
{
    uint32_t index = 0;
    struct koine__job *job = dequeue(it);
    koine__isolated_of(job->provider, &index);
    it->current = job;
    it->stage = BUSY;
    it->log_lines = 0;
    it->reason[0] = '\0';
    koine__isolate_pack_job(&it->out, job, index);
    if (it->out.error) { /* told from the loop; the helper goes with it, and knows nothing of it */
        snprintf(it->reason, sizeof(it->reason), "%s",
                 it->out.error == KOINE_EMEMORY ? "could not be asked: no memory"
                                                : "could not be asked: it is more than 128 MiB");
        koine__buf_reset(&it->out);
        koine__timer_set(it->owner->loop, &it->timer, koine__loop_now(it->owner->loop));
        return;
    }
    limit_time(it, job->time_limit > 0 ? job->time_limit : DEFAULT_LIMIT);
    flush(it);
}

/* Whatever can go on without waiting does. */
static void advance(struct koine__housing *it)
{
    if (!it->first)
        return;
    if (it->stage == IDLE && koine__helper_has_ended(&it->helper))
        end(it, NULL); /* the loop will reap it, and then another gets the job */
    if (it->stage == NONE && it->timer.due == KOINE__NEVER)
        start(it);
    else if (it->stage == IDLE)
        give_job(it);
}

/* ---- Reading --------------------------------------------------------------------------------------- */

static void on_ready(struct koine__housing *it, const struct koine__unpack *message)
{
    koine_str ready = {message->at, (size_t)(message->end - message->at)};
    if (!koine__isolated_is_same(it->plugin, ready)) {
        end(it, "described itself in another way than before");
        return;
    }
    koine__timer_stop(it->owner->loop, &it->timer);
    it->stage = IDLE;
}

static void on_refused(struct koine__housing *it, struct koine__unpack *message)
{
    char words[256];
    const char *told = koine__unpack_text(message);
    koine__fault_words(words, sizeof(words), told ? told : "", told ? strlen(told) : 0);
    end(it, words[0] ? words : "refused without words");
}

static const koine_host *host_of(const struct koine__job *job)
{
    if (job->kind == KOINE__JOB_REQUEST)
        return job->ask->host;
    return job->kind == KOINE__JOB_COST ? job->query->host : job->read->host;
}

static bool on_log(struct koine__housing *it, struct koine__unpack *message)
{
    int32_t level = koine__unpack_i32(message);
    koine_str text = koine__unpack_str(message);
    if (!koine__unpack_done(message))
        return false;
    if (++it->log_lines > MOST_LOG_LINES) {
        end(it, "logged more than 1000 lines of one job");
        return true;
    }
    const koine_host *host = it->current ? host_of(it->current) : NULL;
    if (host)
        host->log(host, level, text);
    return true;
}

static void answer(struct koine__housing *it, size_t start)
{
    koine__pack_end(&it->out, start);
    if (it->out.error)
        end(it, "could not be answered: no memory");
    else
        flush(it);
}

/* A dropped job's price is nobody's to know. */
static bool on_price(struct koine__housing *it, struct koine__unpack *message)
{
    koine_provider_usage usage;
    koine_provider_cost cost = {.size = (uint32_t)sizeof(cost)};
    koine_cost_query query = {.batch = 0};
    koine__isolate_unpack_query(message, &query, &usage);
    if (!koine__unpack_done(message))
        return false;
    int32_t rc = -1;
    if (it->current) {
        query.self = it->current->provider;
        query.host = host_of(it->current);
        rc = query.host->price(&query, &cost);
    }
    size_t at = koine__pack_begin(&it->out, KOINE__ISOLATE_PRICED);
    koine__isolate_pack_cost(&it->out, rc, &cost);
    answer(it, at);
    return true;
}

static bool on_header(struct koine__housing *it, struct koine__unpack *message)
{
    const char *name = koine__unpack_text(message);
    koine_str value = {NULL, 0};
    bool reads =
        !it->current || it->current->kind == KOINE__JOB_FRAME || it->current->kind == KOINE__JOB_FAULT;
    if (!name || !koine__unpack_done(message) || !reads)
        return false;
    if (it->current)
        value = it->current->read->frame->header(it->current->read->frame, name);
    size_t at = koine__pack_begin(&it->out, KOINE__ISOLATE_HEADED);
    koine__pack_str(&it->out, value);
    answer(it, at);
    return true;
}

static bool on_done(struct koine__housing *it, struct koine__unpack *message)
{
    struct koine__job *job = it->current;
    if (job && !koine__isolate_unpack_done(message, job))
        return false;
    koine__timer_stop(it->owner->loop, &it->timer);
    it->current = NULL;
    it->stage = IDLE;
    it->ends = 0;
    if (job)
        give_back(job, NULL);
    return true;
}

/* False: it said what it must not, now or at all. */
static bool on_message(struct koine__housing *it, uint8_t kind, struct koine__unpack *message)
{
    bool is_busy = it->stage == BUSY;
    if (kind == KOINE__ISOLATE_READY && it->stage == STARTING)
        on_ready(it, message);
    else if (kind == KOINE__ISOLATE_REFUSED && (is_busy || it->stage == STARTING))
        on_refused(it, message);
    else if (kind == KOINE__ISOLATE_LOG)
        return is_busy && on_log(it, message);
    else if (kind == KOINE__ISOLATE_PRICE)
        return is_busy && on_price(it, message);
    else if (kind == KOINE__ISOLATE_HEADER)
        return is_busy && on_header(it, message);
    else if (kind == KOINE__ISOLATE_DONE)
        return is_busy && on_done(it, message);
    else
        return false;
    return true;
}

/* All whole messages that are there. What was read stays in place until it was dealt with. */
static void read_messages(struct koine__housing *it)
{
    while (it->stage == STARTING || it->stage == IDLE || it->stage == BUSY) {
        uint8_t kind;
        size_t size;
        struct koine__unpack message;
        int rc = koine__pack_next(koine__buf_str(&it->in), it->in.len, KOINE__ISOLATE_LIMIT, &kind, &message,
                                  &size);
        if (rc == 0)
            return;
        if (rc < 0 || !on_message(it, kind, &message)) {
            end(it, "said what a helper must not");
            return;
        }
        koine__buf_drop(&it->in, size);
        if (it->in.len == 0 && it->in.cap > KEPT)
            koine__buf_release(&it->in);
        advance(it);
    }
}

/* One read for each time it is ready: others want their turn. */
static void receive(struct koine__housing *it)
{
    size_t room = it->in.max - it->in.len;
    if (koine__buf_reserve(&it->in, room < PIECE ? room : PIECE) != 0) {
        end(it, "could not be read: no memory");
        return;
    }
    ssize_t n = read(it->helper.fd, it->in.ptr + it->in.len, room < PIECE ? room : PIECE);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        end(it, NULL);
        return;
    }
    it->in.len += (size_t)n;
    read_messages(it);
}

static void on_socket(struct koine__watch *watch, bool readable, bool writable)
{
    struct koine__housing *it = CONTAINER(watch, struct koine__housing, socket);
    if (writable && it->wants_room)
        flush(it);
    if (readable && it->stage != ENDING)
        receive(it);
}

/* ---- The bridge ------------------------------------------------------------------------------------ */

static void free_housing(struct koine__housing *it, void (*part_with)(struct koine__helper *))
{
    unwatch(it);
    part_with(&it->helper);
    koine__buf_release(&it->in);
    koine__buf_release(&it->out);
    koine__isolated_unref(it->plugin);
    koine__dealloc(it);
}

/* A plugin that was replaced: no snapshot has it any more, and it has nothing to do. */
static void sweep(struct koine__isolating *isolating)
{
    struct koine__housing **at = &isolating->housings;
    while (*at) {
        struct koine__housing *it = *at;
        bool is_quiet = (it->stage == NONE || it->stage == IDLE) && !it->first;
        if (!is_quiet || !koine__isolated_is_mine_alone(it->plugin)) {
            at = &it->next;
            continue;
        }
        *at = it->next;
        free_housing(it, kill_and_reap);
    }
}

static struct koine__housing *find_housing(struct koine__isolating *isolating, struct koine__isolated *plugin)
{
    for (struct koine__housing *at = isolating->housings; at; at = at->next)
        if (at->plugin == plugin)
            return at;
    sweep(isolating);
    struct koine__housing *it = koine__alloc(sizeof(*it));
    if (!it)
        return NULL;
    it->owner = isolating;
    it->plugin = koine__isolated_ref(plugin);
    it->next = isolating->housings;
    koine__timer_init(&it->timer, on_timer);
    koine__buf_init(&it->in, KOINE__ISOLATE_LIMIT + KOINE__PACK_HEAD);
    koine__buf_init(&it->out, KOINE__ISOLATE_LIMIT + KOINE__PACK_HEAD);
    isolating->housings = it;
    return it;
}

static int call(struct koine__bridge *bridge, struct koine__job *job)
{
    struct koine__isolating *isolating = (struct koine__isolating *)bridge;
    uint32_t index;
    struct koine__isolated *plugin = koine__isolated_of(job->provider, &index);
    if (!plugin)
        return koine__direct_bridge.call(&koine__direct_bridge, job);
    struct koine__housing *it = find_housing(isolating, plugin);
    job->failure = NULL;
    job->private_data = NULL;
    if (!it) {
        job->answer = KOINE_NO_MEMORY;
        return KOINE__ANSWERED;
    }
    if (it->stage == NONE && koine__loop_now(isolating->loop) < it->not_before) {
        job->answer = -1;
        job->failure = "ended several times in a row, and is given a pause";
        return KOINE__ANSWERED;
    }
    enqueue(it, job);
    advance(it);
    return KOINE__LATER;
}

/* The helper goes on with what it has; what it says of it is nobody's. */
static void drop(struct koine__bridge *bridge, struct koine__job *job)
{
    struct koine__housing *it = job->private_data;
    (void)bridge;
    if (!it)
        return;
    job->private_data = NULL;
    if (it->current == job)
        it->current = NULL;
    else
        take_out(it, job);
}

void koine__isolating_init(struct koine__isolating *isolating, struct koine__loop *loop,
                           struct koine__log *log)
{
    *isolating = (struct koine__isolating){.pub = {.call = call, .drop = drop}, .loop = loop, .log = log};
}

static void release(struct koine__isolating *isolating, void (*part_with)(struct koine__helper *))
{
    while (isolating->housings) {
        struct koine__housing *it = isolating->housings;
        isolating->housings = it->next;
        free_housing(it, part_with);
    }
}

void koine__isolating_release(struct koine__isolating *isolating)
{
    release(isolating, kill_and_reap);
}

void koine__isolating_abandon(struct koine__isolating *isolating)
{
    release(isolating, koine__helper_abandon);
}
