/* transport_replay: each transfer plays its answer's steps on one timer: sent, head, the chunks, the end.
 *
 * A step's time counts from the scheduled time of the one before it, as at a server that does not know how
 * fast it is read; what a paused reader missed comes at once when it goes on.
 */
#include "core/wire/transport_replay.h"

#include "core/base/mem.h"
#include <stddef.h>
#include <string.h>

enum step {
    SENT,
    HEAD,
    CHUNK,
    END,
    OVER
};

struct replay {
    struct koine__transport base;
    struct koine__loop *loop;
    const struct koine__replay_answer *answers;
    bool *used;
    size_t answer_count;
    struct koine__replay_seen **seen; /* each in its own memory: the caller keeps pointers */
    size_t seen_count, seen_capacity;
    struct koine__transfer *active;
    struct koine__replay_director director; /* answer NULL: there is none */
};

struct koine__transfer {
    struct replay *owner;
    struct koine__transfer *next, *prev;
    struct koine__handler handler;
    void *arg;
    const struct koine__replay_answer *answer; /* NULL: nothing is scripted */
    struct koine__replay_seen *seen;
    struct koine__timer timer;
    int64_t due; /* of the step, by the script */
    enum step step;
    size_t chunk, offset;      /* next to be delivered */
    bool paused, held;         /* held: its time came while it was paused */
    bool is_playing, is_ended; /* a handler is on the stack; no other will be called */
};

/* ---- What was asked ------------------------------------------------------------------------------- */

static char *copy_headers(const struct koine__http_request *request)
{
    struct koine__buf buf;
    koine__buf_init(&buf, SIZE_MAX / 2);
    koine__buf_adds(&buf, "");
    for (size_t i = 0; i < request->header_count; i++) {
        koine__buf_add(&buf, request->headers[i].name.ptr, request->headers[i].name.len);
        koine__buf_adds(&buf, ": ");
        koine__buf_add(&buf, request->headers[i].value.ptr, request->headers[i].value.len);
        koine__buf_addc(&buf, '\n');
    }
    if (request->secret_name) {
        size_t len = 0;
        const char *key = request->secret ? koine__secret_text(request->secret, &len) : "";
        koine__buf_adds(&buf, request->secret_name);
        koine__buf_adds(&buf, ": ");
        koine__buf_adds(&buf, request->secret_prefix ? request->secret_prefix : "");
        koine__buf_add(&buf, key, len);
        koine__buf_addc(&buf, '\n');
    }
    char *text = koine__strdup(koine__buf_str(&buf));
    bool failed = buf.error != KOINE_OK;
    koine__buf_release(&buf);
    if (!failed)
        return text;
    koine__dealloc(text);
    return NULL;
}

static void free_seen(struct koine__replay_seen *seen)
{
    if (!seen)
        return;
    koine__dealloc(seen->method);
    koine__dealloc(seen->url);
    koine__dealloc(seen->body);
    koine__dealloc(seen->headers);
    koine__dealloc(seen);
}

static struct koine__replay_seen *copy_request(const struct koine__http_request *request, int64_t at)
{
    struct koine__replay_seen *seen = koine__alloc(sizeof(*seen));
    if (!seen)
        return NULL;
    seen->at = at;
    seen->sent_at = seen->ended_at = -1;
    seen->method = koine__strdup(request->method);
    seen->url = koine__strdup(request->url);
    seen->body = koine__strndup(request->body.ptr, request->body.len);
    seen->body_len = request->body.len;
    seen->headers = copy_headers(request);
    if (seen->method && seen->url && seen->body && seen->headers)
        return seen;
    free_seen(seen);
    return NULL;
}

/* ---- Playing -------------------------------------------------------------------------------------- */

static bool holds(koine_str text, const char *part)
{
    return text.len && memmem(text.ptr, text.len, part, strlen(part));
}

static const struct koine__replay_answer *find_answer(struct replay *replay,
                                                      const struct koine__http_request *request)
{
    for (size_t i = 0; i < replay->answer_count; i++) {
        const struct koine__replay_answer *answer = &replay->answers[i];
        if (replay->used[i] && !answer->repeat)
            continue;
        if (!answer->match || holds(koine__str(request->url), answer->match) ||
            holds(request->body, answer->match)) {
            replay->used[i] = true;
            return answer;
        }
    }
    return NULL;
}

static void schedule(struct koine__transfer *transfer, enum step step, int64_t after)
{
    transfer->step = step;
    transfer->due = koine__time_add(transfer->due, after);
    koine__timer_set(transfer->owner->loop, &transfer->timer, transfer->due);
}

static void schedule_body(struct koine__transfer *transfer)
{
    const struct koine__replay_answer *answer = transfer->answer;
    if (transfer->chunk < answer->chunk_count)
        schedule(transfer, CHUNK, answer->chunks[transfer->chunk].after);
    else if (!answer->hang)
        schedule(transfer, END, 0);
}

static void play_sent(struct koine__transfer *transfer)
{
    const struct koine__replay_answer *answer = transfer->answer;
    const struct koine__replay_director *director = &transfer->owner->director;
    if (!answer || answer->fault_class == KOINE_CLASS_CONNECT) {
        schedule(transfer, END, 0);
        return;
    }
    transfer->seen->sent_at = koine__loop_now(transfer->owner->loop);
    if (director->sent)
        director->sent(director->arg, transfer->seen);
    if (answer->status || answer->fault_class != KOINE_CLASS_NONE)
        schedule(transfer, answer->status ? HEAD : END, answer->head_after);
    if (transfer->handler.sent)
        transfer->handler.sent(transfer->arg);
}

static void play_head(struct koine__transfer *transfer)
{
    const struct koine__replay_answer *answer = transfer->answer;
    struct koine__head head = {
        .status = answer->status, .headers = answer->headers, .count = answer->header_count};
    schedule_body(transfer);
    if (transfer->handler.head)
        transfer->handler.head(transfer->arg, &head);
}

static void play_chunk(struct koine__transfer *transfer)
{
    const struct koine__replay_answer *answer = transfer->answer;
    koine_str bytes = answer->chunks[transfer->chunk].bytes;
    while (transfer->offset < bytes.len && !transfer->paused && !transfer->is_ended) {
        size_t len = bytes.len - transfer->offset;
        if (answer->split && len > answer->split)
            len = answer->split;
        const char *ptr = bytes.ptr + transfer->offset;
        transfer->offset += len;
        if (transfer->handler.body)
            transfer->handler.body(transfer->arg, ptr, len);
    }
    if (transfer->is_ended)
        return;
    transfer->held = transfer->offset < bytes.len;
    if (transfer->held)
        return;
    transfer->chunk++;
    transfer->offset = 0;
    schedule_body(transfer);
}

/* No handler is called any more. */
static void end(struct koine__transfer *transfer)
{
    const struct koine__replay_director *director = &transfer->owner->director;
    if (transfer->is_ended)
        return;
    transfer->is_ended = true;
    transfer->seen->ended_at = koine__loop_now(transfer->owner->loop);
    if (director->ended)
        director->ended(director->arg, transfer->seen);
}

static void play_end(struct koine__transfer *transfer)
{
    const struct koine__replay_answer *answer = transfer->answer;
    struct koine__fault fault;
    transfer->step = OVER;
    if (!answer)
        koine__fault_set(&fault, KOINE_CLASS_CONNECT, "connect", "no answer is scripted");
    else if (answer->fault_class == KOINE_CLASS_CONNECT)
        koine__fault_set(&fault, KOINE_CLASS_CONNECT, "connect", "scripted: nothing listens");
    else
        koine__fault_set(&fault, answer->fault_class, answer->status ? "body" : "first_byte",
                         "scripted: the connection failed");
    end(transfer);
    if (transfer->handler.done)
        transfer->handler.done(transfer->arg, fault.class_number == KOINE_CLASS_NONE ? NULL : &fault);
}

static void free_transfer(struct koine__transfer *transfer)
{
    if (transfer->next)
        transfer->next->prev = transfer->prev;
    if (transfer->prev)
        transfer->prev->next = transfer->next;
    else
        transfer->owner->active = transfer->next;
    koine__dealloc(transfer);
}

static void play(struct koine__timer *timer)
{
    static void (*const steps[])(struct koine__transfer *) = {
        [SENT] = play_sent, [HEAD] = play_head, [CHUNK] = play_chunk, [END] = play_end};
    struct koine__transfer *transfer =
        (struct koine__transfer *)((char *)timer - offsetof(struct koine__transfer, timer));
    if (transfer->paused && (transfer->step == CHUNK || transfer->step == END)) {
        transfer->held = true;
        return;
    }
    transfer->is_playing = true;
    steps[transfer->step](transfer);
    transfer->is_playing = false;
    if (!transfer->is_ended)
        return;
    koine__timer_stop(transfer->owner->loop, &transfer->timer);
    free_transfer(transfer);
}

/* ---- The operations ------------------------------------------------------------------------------- */

static int replay_start(struct koine__transport *self, const struct koine__http_request *request,
                        const struct koine__handler *handler, void *arg, struct koine__transfer **ret)
{
    struct replay *replay = (struct replay *)self;
    int64_t now = koine__loop_now(replay->loop);
    if (!koine__http_request_valid(request))
        return KOINE_EARGUMENT;
    if (koine__array_reserve((void **)&replay->seen, &replay->seen_capacity, replay->seen_count + 1,
                             sizeof(struct koine__replay_seen *)) != KOINE_OK)
        return KOINE_EMEMORY;
    struct koine__transfer *transfer = koine__alloc(sizeof(*transfer));
    struct koine__replay_seen *seen = transfer ? copy_request(request, now) : NULL;
    if (!seen) {
        koine__dealloc(transfer);
        return KOINE_EMEMORY;
    }
    replay->seen[replay->seen_count++] = seen;
    *transfer = (struct koine__transfer){.owner = replay, .handler = *handler, .arg = arg, .seen = seen};
    transfer->next = replay->active;
    if (transfer->next)
        transfer->next->prev = transfer;
    replay->active = transfer;
    transfer->answer = replay->director.answer
                           ? replay->director.answer(replay->director.arg, seen, request->stream)
                           : find_answer(replay, request);
    transfer->due = now;
    koine__timer_init(&transfer->timer, play);
    schedule(transfer, SENT, transfer->answer ? transfer->answer->connect_after : 0);
    *ret = transfer;
    return KOINE_OK;
}

/* What was sent was copied when it started. */
static bool replay_has_sent(const struct koine__transfer *transfer)
{
    (void)transfer;
    return true;
}

static void replay_drain(struct koine__transfer *transfer)
{
    bool was_ended = transfer->is_ended;
    end(transfer);
    koine__timer_stop(transfer->owner->loop, &transfer->timer);
    if (!transfer->is_playing && !was_ended)
        free_transfer(transfer);
}

static void replay_cancel(struct koine__transfer *transfer)
{
    if (!transfer->is_ended)
        transfer->seen->cancelled = true;
    replay_drain(transfer);
}

static void replay_pause(struct koine__transfer *transfer)
{
    transfer->paused = true;
    transfer->seen->paused = true;
}

static void replay_resume(struct koine__transfer *transfer)
{
    transfer->paused = false;
    if (!transfer->held || transfer->is_playing)
        return;
    transfer->held = false;
    koine__timer_set(transfer->owner->loop, &transfer->timer, koine__loop_now(transfer->owner->loop));
}

static void replay_abandon(struct koine__transport *self)
{
    struct replay *replay = (struct replay *)self;
    while (replay->active)
        free_transfer(replay->active);
    for (size_t i = 0; i < replay->seen_count; i++)
        free_seen(replay->seen[i]);
    koine__dealloc(replay->seen);
    koine__dealloc(replay->used);
    koine__dealloc(replay);
}

static void replay_free(struct koine__transport *self)
{
    struct replay *replay = (struct replay *)self;
    for (struct koine__transfer *at = replay->active; at; at = at->next)
        koine__timer_stop(replay->loop, &at->timer);
    replay_abandon(self);
}

static const struct koine__transport_ops replay_ops = {
    .start = replay_start,
    .cancel = replay_cancel,
    .has_sent = replay_has_sent,
    .drain = replay_drain,
    .pause = replay_pause,
    .resume = replay_resume,
    .free = replay_free,
    .abandon = replay_abandon,
};

int koine__transport_replay_new(struct koine__loop *loop, const struct koine__replay_answer *answers,
                                size_t count, struct koine__transport **ret)
{
    struct replay *replay = koine__alloc(sizeof(*replay));
    if (!replay)
        return KOINE_EMEMORY;
    replay->base.ops = &replay_ops;
    replay->loop = loop;
    replay->answers = answers;
    replay->answer_count = count;
    replay->used = koine__alloc_array(count, sizeof(*replay->used));
    if (!replay->used) {
        koine__dealloc(replay);
        return KOINE_EMEMORY;
    }
    *ret = &replay->base;
    return KOINE_OK;
}

void koine__replay_direct(struct koine__transport *transport, const struct koine__replay_director *director)
{
    ((struct replay *)transport)->director = *director;
}

size_t koine__replay_count(const struct koine__transport *transport)
{
    return ((const struct replay *)transport)->seen_count;
}

const struct koine__replay_seen *koine__replay_seen(const struct koine__transport *transport, size_t index)
{
    const struct replay *replay = (const struct replay *)transport;
    return index < replay->seen_count ? replay->seen[index] : NULL;
}
