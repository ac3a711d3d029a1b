/* attempt_read: the answer's way: bytes → frames → provider → assembly. */
#include "core/engine/attempt_internal.h"

#include <stdio.h>
#include <string.h>

/* ---- what the transfer tells ---- */

static void on_sent(void *arg)
{
    struct koine__attempt *attempt = arg;
    attempt->sent = true;
    attempt->phase = KOINE__PHASE_SENT;
    attempt->sent_at = koine__loop_now(attempt->engine->loop);
    koine__gate_sent(&attempt->engine->gate, &attempt->ticket, attempt->sent_at);
    koine__attempt_arm(attempt);
}

/* A server that says our key back must not make us say it. Masked in its own length, so that JSON stays JSON.
 */
static koine_str key_of(const struct koine__attempt *attempt)
{
    koine_str key = {NULL, 0};
    if (attempt->secret)
        key.ptr = koine__secret_text(attempt->secret, &key.len);
    return key.len >= KOINE__SHORTEST_KEY ? key : (koine_str){NULL, 0};
}

static void mask(koine_str key, char *text, size_t len)
{
    char *end = text + len;
    for (char *at = text; key.len > 0 && (at = memmem(at, (size_t)(end - at), key.ptr, key.len));
         at += key.len)
        memset(at, '*', key.len);
}

/* The text itself, or a copy in the arena without the key. False: no memory. */
static bool without_key(const struct koine__attempt *attempt, struct koine__arena *arena, koine_str *text)
{
    koine_str key = key_of(attempt);
    if (key.len == 0 || text->len == 0 || !memmem(text->ptr, text->len, key.ptr, key.len))
        return true;
    char *copy = koine__arena_strndup(arena, text->ptr, text->len);
    if (!copy)
        return false;
    mask(key, copy, text->len);
    text->ptr = copy;
    return true;
}

/* The head is asked again for every frame, so it is kept. */
static bool copy_head(struct koine__attempt *attempt, const struct koine__head *head)
{
    struct koine__header *headers = koine__arena_alloc(&attempt->arena, (head->count + 1) * sizeof(*headers));
    if (!headers)
        return false;
    for (size_t i = 0; i < head->count; i++) {
        const struct koine__header *from = &head->headers[i];
        headers[i].name = (koine_str){koine__arena_strndup(&attempt->arena, from->name.ptr, from->name.len),
                                      from->name.len};
        headers[i].value = (koine_str){
            koine__arena_strndup(&attempt->arena, from->value.ptr, from->value.len), from->value.len};
        if (!headers[i].name.ptr || !headers[i].value.ptr ||
            !without_key(attempt, &attempt->arena, &headers[i].value))
            return false;
    }
    attempt->head = (struct koine__head){head->status, headers, head->count};
    return true;
}

static koine_str find_header(const void *arg, const char *name)
{
    return koine__head_find(arg, name);
}

static bool read_request_id(struct koine__attempt *attempt)
{
    char words[96];
    koine_str id = koine__head_find(&attempt->head, "x-request-id");
    if (id.len == 0)
        id = koine__head_find(&attempt->head, "request-id");
    koine__fault_words(words, sizeof(words), id.ptr, id.len);
    const char *copy = *words ? koine__arena_strndup(&attempt->arena, words, strlen(words)) : "";
    attempt->request_id = copy ? copy : "";
    return copy != NULL;
}

static void on_head(void *arg, const struct koine__head *head)
{
    struct koine__attempt *attempt = arg;
    const struct koine__clock *clock = koine__loop_clock(attempt->engine->loop);
    if (!copy_head(attempt, head) || !read_request_id(attempt)) {
        koine__attempt_failf(attempt, KOINE_CLASS_MEMORY, "", "no memory for the answer's head");
        return;
    }
    KOINE__LOG(attempt->engine->log, KOINE__LOG_DEBUG, "head", koine__log_text("call", attempt->spec.call),
               koine__log_text("target", attempt->spec.target->text), koine__log_int("status", head->status),
               koine__log_text("request_id", attempt->request_id));
    attempt->phase = KOINE__PHASE_BODY;
    attempt->last_byte = attempt->last_event = koine__loop_now(attempt->engine->loop);
    attempt->retry_after_ns = koine__retry_after(find_header, &attempt->head, clock->wall(clock->arg));
    attempt->never_retry = koine__str_is_nocase(koine__head_find(&attempt->head, "x-should-retry"), "false");
    koine__framer_head(&attempt->framer, head->status, koine__head_find(&attempt->head, "content-type"));
    koine__attempt_arm(attempt);
}

static void fail_oversize(struct koine__attempt *attempt, int rc)
{
    if (rc == KOINE_EMEMORY)
        koine__attempt_failf(attempt, KOINE_CLASS_MEMORY, "", "no memory for the answer");
    else
        koine__attempt_failf(attempt, KOINE_CLASS_PROTOCOL, "",
                             "the answer is larger than body_limit (%lld bytes)",
                             (long long)attempt->spec.target->instance->body_limit);
}

/* A frame that the provider still reads points into the framer, so nothing is pushed meanwhile. */
static void on_body(void *arg, const char *ptr, size_t len)
{
    struct koine__attempt *attempt = arg;
    int rc;
    if (attempt->body.ptr && koine__attempt_transport(attempt)->ops->has_sent(attempt->transfer))
        koine__buf_release(&attempt->body);
    attempt->last_byte = koine__loop_now(attempt->engine->loop);
    if (attempt->job_running) {
        koine__buf_add(&attempt->backlog, ptr, len);
        rc = attempt->backlog.error;
    } else {
        rc = koine__framer_push(&attempt->framer, ptr, len);
    }
    if (rc != KOINE_OK)
        fail_oversize(attempt, rc);
    else
        koine__attempt_pump(attempt);
}

/* Moves into the framer what came while the provider was busy. False: the attempt failed. */
static bool feed(struct koine__attempt *attempt)
{
    if (attempt->backlog.len > 0) {
        int rc = koine__framer_push(&attempt->framer, attempt->backlog.ptr, attempt->backlog.len);
        koine__buf_reset(&attempt->backlog);
        if (rc != KOINE_OK) {
            fail_oversize(attempt, rc);
            return false;
        }
    }
    if (attempt->body_end != 0 && !attempt->body_finished) {
        attempt->body_finished = true;
        koine__framer_finish(&attempt->framer, attempt->body_end == 1);
    }
    return true;
}

static void on_done(void *arg, const struct koine__fault *fault)
{
    struct koine__attempt *attempt = arg;
    attempt->transfer = NULL;
    if (fault && attempt->phase != KOINE__PHASE_BODY) {
        koine__attempt_fail(attempt, fault);
        return;
    }
    if (attempt->phase != KOINE__PHASE_BODY) {
        koine__attempt_failf(attempt, KOINE_CLASS_RESET, "first_byte",
                             "the connection ended without an answer");
        return;
    }
    if (fault)
        koine__fault_keep(&attempt->cut, fault);
    attempt->body_end = fault ? 2 : 1;
    koine__attempt_pump(attempt);
}

const struct koine__handler koine__attempt_handler = {on_sent, on_head, on_body, on_done};

void koine__attempt_cut(struct koine__attempt *attempt, const struct koine__fault *fault)
{
    if (attempt->transfer)
        koine__attempt_transport(attempt)->ops->cancel(attempt->transfer);
    attempt->transfer = NULL;
    koine__fault_keep(&attempt->cut, fault);
    attempt->body_end = 2;
    koine__attempt_pump(attempt);
}

/* ---- frames ---- */

static koine_str frame_header(const koine_frame *frame, const char *name)
{
    const struct koine__desk *desk = KOINE__CONTAINER(frame, struct koine__desk, frame);
    const struct koine__attempt *attempt = desk->owner;
    return koine__head_find(&attempt->head, name);
}

/* False: no memory. What is not JSON has no tree; the provider decides what that means. */
static bool parse_frame(struct koine__attempt *attempt, struct koine__cut *cut)
{
    const koine_node *root = NULL;
    struct koine__desk *desk = koine__attempt_desk(attempt);
    if (!desk)
        return false;
    koine__arena_reset(&desk->arena);
    if (!without_key(attempt, &desk->arena, &cut->text))
        return false;
    koine_str text = koine__str_trim(cut->text);
    bool may_be_json = text.len > 0 && strchr("{[\"", text.ptr[0]);
    if (may_be_json && koine__json_read(cut->text, &desk->arena, &root, NULL) == KOINE_EMEMORY)
        return false;
    desk->frame = (koine_frame){
        .size = (uint32_t)sizeof(koine_frame),
        .kind = cut->kind,
        .clean = cut->clean,
        .http_status = attempt->head.status,
        .event = cut->event,
        .text = cut->text,
        .json = root,
        .header = frame_header,
    };
    return true;
}

static void prepare_read(struct koine__attempt *attempt, void *state)
{
    struct koine__desk *desk = attempt->desk;
    desk->read = (koine_read){
        .size = (uint32_t)sizeof(koine_read),
        .step = attempt->state.step,
        .self = attempt->spec.target->instance->provider,
        .host = &desk->host.pub,
        .frame = &desk->frame,
        .state = state,
        .model = koine__str(attempt->spec.target->model),
    };
    desk->job.read = &desk->read;
    desk->job.sink = &attempt->assembly.sink;
}

/* A provider that says something works: a probe need not wait for the end of a long answer. */
static void note_first_token(struct koine__attempt *attempt, int64_t now)
{
    const struct koine__policies *policies = attempt->ticket.policies;
    attempt->first_token_at = now;
    koine__gate_answering(&attempt->engine->gate, &attempt->ticket, now);
    if (policies->pace)
        koine__pace_add(&policies->pace[attempt->spec.stream], now - attempt->started);
}

static void note_progress(struct koine__attempt *attempt)
{
    int64_t now = koine__loop_now(attempt->engine->loop);
    attempt->last_event = now;
    attempt->noted = attempt->assembly.pushed;
    if (attempt->assembly.content && attempt->first_token_at < 0)
        note_first_token(attempt, now);
    if (attempt->progress)
        attempt->progress(attempt);
}

/* The body ended and nothing was wrong with it, yet there is no answer in it. */
static void fail_truncated(struct koine__attempt *attempt)
{
    if (attempt->cut->class_number != KOINE_CLASS_NONE)
        koine__attempt_fail(attempt, attempt->cut);
    else if (attempt->spec.stream)
        koine__attempt_failf(attempt, KOINE_CLASS_PROTOCOL, "",
                             "the stream ended early, without the vendor's end of it");
    else
        koine__attempt_failf(attempt, KOINE_CLASS_PROTOCOL, "", "the answer holds no whole answer");
}

static void fail_unread(struct koine__attempt *attempt, int32_t answer)
{
    if (answer == KOINE_NO_MEMORY)
        koine__attempt_failf(attempt, KOINE_CLASS_MEMORY, "", "no memory for the answer");
    else if (answer != KOINE_PROTOCOL)
        koine__attempt_failf(attempt, KOINE_CLASS_PLUGIN, "", "plugin %s returned %d for a frame",
                             attempt->desk->job.provider->id, (int)answer);
    else if (attempt->desk->frame.kind == KOINE_FRAME_END)
        fail_truncated(attempt);
    else
        koine__attempt_failf(attempt, KOINE_CLASS_PROTOCOL, "",
                             attempt->desk->frame.json ? "an unreadable event in the answer"
                                                       : "malformed JSON in the answer");
}

static void finish(struct koine__attempt *attempt)
{
    koine__assembly_finish(&attempt->assembly);
    if (attempt->assembly.fault->class_number != KOINE_CLASS_NONE) {
        koine__attempt_fail(attempt, attempt->assembly.fault);
        return;
    }
    if (attempt->transfer)
        koine__attempt_transport(attempt)->ops->drain(attempt->transfer);
    attempt->transfer = NULL;
    koine__attempt_settle(attempt);
}

static void on_frame(struct koine__job *job)
{
    struct koine__attempt *attempt = job->owner;
    bool was_later = !attempt->pumping;
    bool is_end = attempt->desk->frame.kind == KOINE_FRAME_END;
    attempt->job_running = false;
    if (attempt->assembly.pushed != attempt->noted)
        note_progress(attempt);
    if (attempt->phase != KOINE__PHASE_BODY || koine__attempt_job_failed(attempt))
        return;
    if (koine__node_failed(attempt->desk->frame.json))
        koine__attempt_failf(attempt, KOINE_CLASS_MEMORY, "", "no memory to read the answer");
    else if (attempt->assembly.fault->class_number != KOINE_CLASS_NONE)
        koine__attempt_fail(attempt, attempt->assembly.fault);
    else if (job->answer < 0)
        fail_unread(attempt, job->answer);
    else if (attempt->assembly.stopped)
        finish(attempt);
    else if (job->answer == KOINE_MORE && attempt->assembly.content) /* what is delivered has no next step */
        koine__attempt_failf(attempt, KOINE_CLASS_PLUGIN, "",
                             "plugin %s asked for another step after content", job->provider->id);
    else if (job->answer == KOINE_MORE) {
        attempt->more = true;
        finish(attempt);
    } else if (is_end && !attempt->spec.needs_stop && attempt->desk->frame.clean)
        finish(attempt);
    else if (is_end)
        fail_truncated(attempt);
    else if (was_later)
        koine__attempt_pump(attempt);
}

static void read_frame(struct koine__attempt *attempt)
{
    prepare_read(attempt, attempt->state.bytes);
    koine__attempt_run_job(attempt, KOINE__JOB_FRAME, on_frame);
}

/* ---- answers that are errors ---- */

static int class_of_status(int status)
{
    switch (status) {
    case 401:
    case 403:
        return KOINE_CLASS_AUTH;
    case 402:
        return KOINE_CLASS_BILLING;
    case 404:
        return KOINE_CLASS_MODEL_GONE;
    case 408:
    case 409:
        return KOINE_CLASS_SERVER;
    case 413:
        return KOINE_CLASS_CONTEXT_LENGTH;
    case 429:
        return KOINE_CLASS_RATE_LIMIT;
    case 498:
    case 503:
    case 529:
        return KOINE_CLASS_OVERLOADED;
    default:
        return status >= 500 ? KOINE_CLASS_SERVER : KOINE_CLASS_INVALID;
    }
}

static void on_judged(struct koine__job *job)
{
    struct koine__attempt *attempt = job->owner;
    struct koine__fault fault = *attempt->assembly.fault;
    koine_str text = attempt->desk->frame.text;
    attempt->job_running = false;
    if (koine__attempt_job_failed(attempt))
        return;
    if (koine__node_failed(attempt->desk->frame.json) || job->answer == KOINE_NO_MEMORY) {
        koine__attempt_failf(attempt, KOINE_CLASS_MEMORY, "", "no memory to read the answer");
        return;
    }
    if (fault.class_number == KOINE_CLASS_NONE)
        koine__fault_set(&fault, class_of_status(attempt->head.status), "", "%s", "");
    if (fault.message[0] == '\0')
        koine__fault_words(fault.message, sizeof(fault.message), text.ptr, text.len);
    if (fault.message[0] == '\0')
        snprintf(fault.message, sizeof(fault.message), "HTTP status %d, and no words", attempt->head.status);
    koine__attempt_fail(attempt, &fault);
}

static void judge(struct koine__attempt *attempt)
{
    const koine_provider *provider = attempt->spec.target->instance->provider;
    if (attempt->head.status < 400) {
        attempt->never_retry = true; /* the same address would say the same */
        koine__attempt_failf(attempt, KOINE_CLASS_PROTOCOL, "",
                             "answered with HTTP status %d; redirects are not followed: is base_url right?",
                             attempt->head.status);
        return;
    }
    attempt->desk->frame.kind = KOINE_FRAME_WHOLE;
    prepare_read(attempt, NULL);
    if (provider->fault) {
        koine__attempt_run_job(attempt, KOINE__JOB_FAULT, on_judged);
        return;
    }
    attempt->desk->job.owner = attempt;
    attempt->desk->job.failure = NULL;
    attempt->desk->job.answer = KOINE_DONE;
    on_judged(&attempt->desk->job);
}

void koine__attempt_pump(struct koine__attempt *attempt)
{
    if (attempt->pumping)
        return;
    attempt->pumping = true;
    while (attempt->phase == KOINE__PHASE_BODY && !attempt->job_running && feed(attempt)) {
        struct koine__cut cut = {0};
        int rc = koine__framer_next(&attempt->framer, &cut);
        if (rc == 0)
            break;
        if (rc < 0 || !parse_frame(attempt, &cut))
            koine__attempt_failf(attempt, KOINE_CLASS_MEMORY, "", "no memory for the answer");
        else if (attempt->head.status < 200 || attempt->head.status >= 300)
            judge(attempt); /* whole, or at its end where there is no body: either comes first */
        else
            read_frame(attempt);
    }
    attempt->pumping = false;
    if (!attempt->job_running)
        koine__framer_rest(&attempt->framer);
    koine__attempt_leave_desk(attempt);
}
