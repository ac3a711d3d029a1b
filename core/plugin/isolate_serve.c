/* isolate_serve: see isolate_serve.h. One job at a time, and all that it needs lives as long as it. */
#include "core/plugin/isolate_serve.h"

#include "core/plugin/elf.h"
#include "core/plugin/host.h"
#include "core/plugin/isolate.h"
#include "core/plugin/isolate_lock.h"
#include "core/plugin/object.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define PIECE        ((size_t)64 << 10) /* read at once */
#define KEPT         ((size_t)1 << 20)  /* larger buffers are given back after their job */
#define LONGEST_LINE 1024               /* that is logged */

struct line { /* to the core, and back */
    int fd;
    struct koine__buf in, out;
};
struct serving {
    struct line line;
    struct koine__buf told; /* the job's message: what the provider is shown points into it */
    const koine_provider *const *providers;
    size_t count;
    struct koine__arena arena;
    struct koine__host host;
    struct koine__buf acts;
    struct koine__recorder recorder;
    struct koine__isolate_job job;
    koine_frame frame; /* as the provider sees it */
    bool is_broken;    /* the core's end is gone, or says what it must not */
};

#define CONTAINER(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

/* ---- The line -------------------------------------------------------------------------------------- */

static void line_init(struct line *line, int fd)
{
    line->fd = fd;
    koine__buf_init(&line->in, KOINE__ISOLATE_LIMIT + KOINE__PACK_HEAD);
    koine__buf_init(&line->out, KOINE__ISOLATE_LIMIT + KOINE__PACK_HEAD);
}

static void line_release(struct line *line)
{
    koine__buf_release(&line->in);
    koine__buf_release(&line->out);
}

static bool line_send(struct line *line)
{
    size_t sent = 0;
    bool is_whole = !line->out.error;
    while (is_whole && sent < line->out.len) {
        ssize_t n = write(line->fd, line->out.ptr + sent, line->out.len - sent);
        if (n < 0 && errno != EINTR)
            is_whole = false;
        sent += n > 0 ? (size_t)n : 0;
    }
    koine__buf_reset(&line->out);
    return is_whole;
}

/* Reads more; false: the other end is closed. */
static bool line_read(struct line *line, size_t wanted)
{
    size_t more = wanted > line->in.len + PIECE ? wanted - line->in.len : PIECE;
    if (more > line->in.max - line->in.len)
        more = line->in.max - line->in.len;
    if (koine__buf_reserve(&line->in, more) != 0)
        return false;
    ssize_t n;
    do
        n = read(line->fd, line->in.ptr + line->in.len, more);
    while (n < 0 && errno == EINTR);
    if (n > 0)
        line->in.len += (size_t)n;
    return n > 0;
}

/* Waits for a message, in `in` alone: who asks one thing at a time is answered one thing. Its kind, or -1. */
static int line_next(struct line *line, size_t limit, struct koine__unpack *ret)
{
    uint8_t kind;
    size_t size;
    for (;;) {
        int rc = koine__pack_next(koine__buf_str(&line->in), line->in.len, limit, &kind, ret, &size);
        if (rc < 0 || (rc > 0 && line->in.len != size))
            return -1;
        if (rc > 0)
            return kind;
        if (!line_read(line, size))
            return -1;
    }
}

/* ---- What the host asks the core ------------------------------------------------------------------- */

/* Sends what stands in `out` and waits for its one answer, which is copied into the arena. */
static bool question(struct serving *it, int wanted, struct koine__unpack *ret)
{
    if (it->is_broken || !line_send(&it->line) ||
        line_next(&it->line, KOINE__ISOLATE_TABLES, ret) != wanted) {
        it->is_broken = true;
        return false;
    }
    size_t length = (size_t)(ret->end - ret->at);
    char *copy = koine__arena_strndup(&it->arena, ret->at, length);
    koine__buf_reset(&it->line.in);
    *ret = (struct koine__unpack){copy, copy ? copy + length : NULL, copy == NULL};
    return copy != NULL;
}

static struct serving *of_host(const koine_host *host)
{
    return CONTAINER((const struct koine__host *)host, struct serving, host);
}

static void host_log(const koine_host *host, int32_t level, koine_str text)
{
    struct serving *it = of_host(host);
    struct koine__buf *out = &it->line.out;
    size_t start = koine__pack_begin(out, KOINE__ISOLATE_LOG);
    koine__pack_i32(out, level);
    koine__pack_str(out, (koine_str){text.ptr, text.len < LONGEST_LINE ? text.len : LONGEST_LINE});
    koine__pack_end(out, start);
    if (!line_send(&it->line))
        it->is_broken = true;
}

static int32_t host_price(const koine_cost_query *query, koine_provider_cost *ret)
{
    struct serving *it = of_host(query->host);
    struct koine__buf *out = &it->line.out;
    struct koine__unpack answer;
    size_t start = koine__pack_begin(out, KOINE__ISOLATE_PRICE);
    koine__isolate_pack_query(out, query);
    koine__pack_end(out, start);
    if (!question(it, KOINE__ISOLATE_PRICED, &answer))
        return -1;
    int32_t rc = koine__isolate_unpack_cost(&answer, ret);
    it->is_broken |= !koine__unpack_done(&answer);
    return rc;
}

static koine_str frame_header(const koine_frame *frame, const char *name)
{
    struct serving *it = CONTAINER(frame, struct serving, frame);
    struct koine__buf *out = &it->line.out;
    struct koine__unpack answer;
    size_t start = koine__pack_begin(out, KOINE__ISOLATE_HEADER);
    koine__pack_text(out, name);
    koine__pack_end(out, start);
    if (!question(it, KOINE__ISOLATE_HEADED, &answer))
        return (koine_str){NULL, 0};
    koine_str value = koine__unpack_str(&answer);
    it->is_broken |= !koine__unpack_done(&answer);
    return value;
}

static const char *option(const void *arg, const char *name)
{
    return koine__isolate_option(arg, name);
}

/* ---- Jobs ------------------------------------------------------------------------------------------ */

static void prepare(struct serving *it)
{
    const struct koine__host_env env = {.arena = &it->arena, .option = option, .options_arg = &it->job};
    koine__arena_reset(&it->arena);
    koine__buf_reset(&it->acts);
    koine__host_init(&it->host, &env);
    it->host.pub.log = host_log;
    it->host.pub.price = host_price;
    koine__recorder_init(&it->recorder, &it->acts, &it->host.pub);
}

/* What the core has parsed parses here too. */
static int32_t parse(struct serving *it, koine_str text, const koine_node **ret)
{
    return koine__json_read(text, &it->arena, ret, NULL) == KOINE_OK ? KOINE_DONE : KOINE_NO_MEMORY;
}

/* The provider's own copy of the state, aligned; NULL: there is none, or no memory. */
static void *lend_state(struct serving *it, int32_t *ret_answer)
{
    koine_str state = it->job.state;
    if (!state.ptr)
        return NULL;
    void *copy = koine__arena_alloc(&it->arena, state.len);
    if (!copy)
        *ret_answer = KOINE_NO_MEMORY;
    else
        memcpy(copy, state.ptr, state.len);
    return copy;
}

static int32_t do_request(struct serving *it, const koine_provider *provider, const koine_exchange *exchange)
{
    koine_ask *ask = &it->job.ask;
    int32_t answer = KOINE_DONE;
    ask->self = provider;
    ask->host = &it->host.pub;
    ask->state = lend_state(it, &answer);
    if (answer == KOINE_DONE && it->job.doc.ptr)
        answer = parse(it, it->job.doc, &ask->doc);
    if (answer == KOINE_DONE)
        answer = exchange->request(ask, &it->recorder.out);
    return koine__node_failed(ask->doc) ? KOINE_NO_MEMORY : answer;
}

static int32_t do_read(struct serving *it, const koine_provider *provider, const koine_exchange *exchange)
{
    koine_read *read = &it->job.read;
    int32_t answer = KOINE_DONE;
    it->frame = it->job.frame;
    it->frame.header = frame_header;
    read->self = provider;
    read->host = &it->host.pub;
    read->frame = &it->frame;
    read->state = lend_state(it, &answer);
    if (answer == KOINE_DONE && it->job.has_json)
        answer = parse(it, it->frame.text, &it->frame.json);
    if (answer != KOINE_DONE)
        return answer;
    answer = it->job.kind == KOINE__JOB_FRAME ? exchange->frame(read, &it->recorder.sink)
             : provider->fault                ? provider->fault(read, &it->recorder.sink)
                                              : KOINE_DONE;
    return koine__node_failed(it->frame.json) ? KOINE_NO_MEMORY : answer;
}

static int32_t do_cost(struct serving *it, const koine_provider *provider, koine_provider_cost *ret)
{
    it->job.query.self = provider;
    it->job.query.host = &it->host.pub;
    return provider->calculate_cost(&it->job.query, ret);
}

/* Only what the provider changed goes back. */
static koine_str changed_state(const struct serving *it)
{
    koine_str lent = it->job.state;
    const void *now = it->job.read.state;
    if (it->job.kind != KOINE__JOB_FRAME || !now || memcmp(now, lent.ptr, lent.len) == 0)
        return (koine_str){NULL, 0};
    return (koine_str){now, lent.len};
}

static void pack_answer(struct serving *it, int32_t answer, const koine_provider_cost *cost)
{
    struct koine__buf *out = &it->line.out;
    size_t start = koine__pack_begin(out, KOINE__ISOLATE_DONE);
    koine__isolate_pack_done(out, answer, cost, changed_state(it));
    koine__buf_add(out, it->acts.ptr, it->acts.len);
    koine__pack_end(out, start);
}

static void pack_refusal(struct line *line, const char *words)
{
    koine__buf_reset(&line->out);
    size_t start = koine__pack_begin(&line->out, KOINE__ISOLATE_REFUSED);
    koine__pack_text(&line->out, words);
    koine__pack_end(&line->out, start);
}

/* What could not be recorded whole is not told in part. */
static void tell(struct serving *it, int32_t answer, const koine_provider_cost *cost)
{
    int error = it->acts.error;
    if (!error) {
        pack_answer(it, answer, cost);
        error = it->line.out.error;
    }
    if (error == KOINE_EMEMORY) {
        koine__buf_reset(&it->acts);
        koine__buf_reset(&it->line.out);
        pack_answer(it, KOINE_NO_MEMORY, cost);
    } else if (error) {
        pack_refusal(&it->line, "wrote more in one answer than an isolated plugin may");
    }
    it->is_broken |= !line_send(&it->line);
}

static void forget(struct koine__buf *buf)
{
    if (buf->cap > KEPT)
        koine__buf_release(buf);
}

static void do_job(struct serving *it, struct koine__unpack *message)
{
    koine_provider_cost cost = {.size = (uint32_t)sizeof(cost)};
    if (!koine__isolate_unpack_job(message, &it->job) || it->job.provider >= it->count) {
        it->is_broken = true;
        return;
    }
    const koine_provider *provider = it->providers[it->job.provider];
    const koine_exchange *exchange = it->job.lists ? provider->list_models : provider->generate;
    int32_t answer;
    prepare(it);
    if (it->job.kind == KOINE__JOB_REQUEST)
        answer = do_request(it, provider, exchange);
    else if (it->job.kind == KOINE__JOB_COST)
        answer = do_cost(it, provider, &cost);
    else
        answer = do_read(it, provider, exchange);
    if (!it->is_broken)
        tell(it, answer, &cost);
    forget(&it->acts);
    forget(&it->line.out);
    forget(&it->told);
}

/* The message moves out of `in`, which answers to questions will need. */
static void take_job(struct serving *it, struct koine__unpack *message)
{
    struct koine__buf told = it->line.in;
    it->line.in = it->told;
    it->told = told;
    koine__buf_reset(&it->line.in);
    do_job(it, message);
}

static int serve(struct serving *it)
{
    while (!it->is_broken) {
        struct koine__unpack message;
        int kind = line_next(&it->line, KOINE__ISOLATE_LIMIT, &message);
        if (kind < 0 && it->line.in.len == 0)
            return 0;
        if (kind != KOINE__ISOLATE_JOB)
            return 1;
        take_job(it, &message);
    }
    return 1;
}

int koine__isolate_serve(int fd, const koine_provider *const *providers, size_t count)
{
    struct serving it = {.providers = providers, .count = count};
    line_init(&it.line, fd);
    koine__buf_init(&it.told, KOINE__ISOLATE_LIMIT + KOINE__PACK_HEAD);
    koine__buf_init(&it.acts, KOINE__ISOLATE_LIMIT);
    koine__arena_init(&it.arena, 0);
    int status = serve(&it);
    koine__arena_release(&it.arena);
    koine__buf_release(&it.acts);
    koine__buf_release(&it.told);
    line_release(&it.line);
    return status;
}

/* ---- The start ------------------------------------------------------------------------------------- */

struct hello { /* what the core says first; the texts live in the line's buffer */
    const char *path, *shown;
};

/* NULL, or why it is not for this helper. */
static const char *read_hello(struct line *line, struct hello *ret)
{
    char build[KOINE__ISOLATE_BUILD];
    struct koine__unpack message;
    if (line_next(line, KOINE__ISOLATE_TABLES, &message) != KOINE__ISOLATE_HELLO)
        return "nobody said what is to be done";
    const char *told = koine__unpack_text(&message);
    ret->path = koine__unpack_text(&message);
    ret->shown = koine__unpack_text(&message);
    koine__isolate_build(build);
    if (!told || strcmp(told, build) != 0)
        return "the helper is of another koine";
    return ret->path && ret->shown && koine__unpack_done(&message) ? NULL : "nobody said what is to be done";
}

static const char *shut_in(int parent, const struct hello *hello)
{
    koine__elf_needed(KOINE__ISOLATE_OBJECT, koine__object_need);
    const char *wrong = koine__isolate_shut_in(KOINE__ISOLATE_OBJECT, parent);
    return wrong ? wrong : koine__isolate_lock_loading(hello->path, KOINE__ISOLATE_OBJECT);
}

/* From here on the plugin's own code runs: its constructors, and its entry. */
static int load(const struct hello *hello, const koine_provider **ret, size_t *ret_count,
                koine_error **ret_error)
{
    void *handle;
    int rc = koine__object_open(hello->path, hello->shown, &handle, ret_error);
    if (rc == KOINE_OK)
        rc = koine__object_providers(handle, hello->shown, koine__process_host(), ret, ret_count, ret_error);
    const char *wrong = rc == KOINE_OK ? koine__isolate_lock_running() : NULL;
    return wrong ? koine__error(ret_error, KOINE_ESYSTEM, "%s: %s", hello->shown, wrong) : rc;
}

static bool say_ready(struct line *line, const koine_provider *const *providers, size_t count)
{
    koine__buf_reset(&line->out);
    size_t start = koine__pack_begin(&line->out, KOINE__ISOLATE_READY);
    koine__isolate_pack_tables(&line->out, providers, count);
    koine__pack_end(&line->out, start);
    return line_send(line);
}

static int start(struct line *line, int parent, const koine_provider **ret, size_t *ret_count)
{
    struct hello hello;
    koine_error *error = NULL;
    const char *wrong = read_hello(line, &hello);
    if (!wrong)
        wrong = shut_in(parent, &hello);
    int rc = wrong ? KOINE_ESYSTEM : load(&hello, ret, ret_count, &error);
    if (rc == KOINE_OK)
        return say_ready(line, ret, *ret_count) ? 0 : 1;
    pack_refusal(line, wrong ? wrong : koine_error_message(error));
    koine_error_free(error);
    line_send(line);
    return 1;
}

int koine__isolate_helper(int parent)
{
    static const koine_provider *providers[KOINE__MOST_PROVIDERS];
    size_t count = 0;
    struct line line;
    line_init(&line, KOINE__ISOLATE_SOCKET);
    int status = start(&line, parent, providers, &count);
    line_release(&line);
    return status ? status : koine__isolate_serve(KOINE__ISOLATE_SOCKET, providers, count);
}
