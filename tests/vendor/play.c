/* play: a provider's two halves, between a case and its traces. It does what the engine does, without a
 * network. */
#include "tests/vendor/play.h"

#include "core/plugin/host.h"
#include "core/plugin/out.h"
#include "core/wire/frame.h"

#include <stdlib.h>
#include <string.h>

#define BODY_LIMIT ((size_t)1 << 24)

/* ---- The bridge ---- */

struct koine__bridge *vendor_bridge = &koine__direct_bridge;
void (*vendor_wait)(void);

static void on_done(struct koine__job *job)
{
    *(bool *)job->owner = true;
}

/* What the provider returned; -1000: it could not answer at all. */
static int32_t run(struct koine__job *job)
{
    bool is_done = false;
    job->done = on_done;
    job->owner = &is_done;
    if (vendor_bridge->call(vendor_bridge, job) == KOINE__LATER)
        while (!is_done)
            vendor_wait();
    return job->failure ? -1000 : job->answer;
}

/* ---- The request ---- */

static const char *option(const void *arg, const char *name)
{
    return vendor_case_option(arg, name);
}

static int by_name(const void *a, const void *b)
{
    const struct koine__header *x = a, *y = b;
    size_t len = x->name.len < y->name.len ? x->name.len : y->name.len;
    int order = memcmp(x->name.ptr, y->name.ptr, len);
    return order ? order : (x->name.len > y->name.len) - (x->name.len < y->name.len);
}

static void add_line(struct koine__buf *buf, koine_str name, const char *between, koine_str value)
{
    koine__buf_add(buf, name.ptr, name.len);
    koine__buf_adds(buf, between);
    koine__buf_add(buf, value.ptr, value.len);
    koine__buf_addc(buf, '\n');
}

static void write_request(const struct koine__http_request *request, struct koine__buf *ret)
{
    struct koine__header headers[VENDOR_HEADERS];
    char secret[64];
    size_t count = request->header_count < VENDOR_HEADERS - 1 ? request->header_count : VENDOR_HEADERS - 1;
    for (size_t i = 0; i < count; i++)
        headers[i] = request->headers[i];
    if (request->secret_name) {
        size_t len = strlen(request->secret_prefix);
        memcpy(secret, request->secret_prefix, len);
        memcpy(secret + len, "KEY", 3);
        headers[count++] = (struct koine__header){koine__str(request->secret_name), {secret, len + 3}};
    }
    qsort(headers, count, sizeof(*headers), by_name);
    add_line(ret, koine__str(request->method), " ", koine__str(request->url));
    for (size_t i = 0; i < count; i++)
        add_line(ret, headers[i].name, ": ", headers[i].value);
    if (request->body.len) {
        koine__buf_addc(ret, '\n');
        add_line(ret, request->body, "", (koine_str){NULL, 0});
    }
}

static void write_notices(const struct koine__out *out, struct koine__buf *ret)
{
    static const char *const names[] = {"?", "dropped", "mapped", "clamped"};
    for (size_t i = 0; i < out->notice_count; i++) {
        const struct koine__notice *notice = &out->notices[i];
        koine__buf_addf(ret, "%s %s: %s\n", names[notice->what & 3], notice->member, notice->why);
    }
}

static void write_outcome(struct koine__out *out, int32_t result, struct koine__buf *ret)
{
    struct koine__http_request request;
    if (result < 0)
        koine__buf_addf(ret, "%s: %s\n", vendor_result_name(result), out->why ? out->why : "");
    else if (koine__out_request(out, &request) != 0)
        koine__buf_addf(ret, "broken: %s\n", out->broken ? out->broken : "no memory");
    else
        write_request(&request, ret);
}

static const koine_exchange *exchange_of(const koine_provider *provider, const struct vendor_case *c)
{
    return c->list_models ? provider->list_models : provider->generate;
}

static void ask(const koine_provider *provider, const struct vendor_case *c, uint32_t step, const void *state,
                struct koine__buf *ret_request, struct koine__buf *ret_notices)
{
    struct koine__arena arena;
    struct koine__host host;
    struct koine__out out;
    koine__arena_init(&arena, 0);
    koine__host_init(&host, &(struct koine__host_env){.arena = &arena, .option = option, .options_arg = c});
    koine__out_init(&out, &arena, provider->base_url, BODY_LIMIT);
    koine_ask asked = {.size = sizeof(asked),
                       .step = step,
                       .state = state,
                       .framing = c->stream ? KOINE_FRAME_SSE : KOINE_FRAME_WHOLE,
                       .self = provider,
                       .host = &host.pub,
                       .model = koine__str(c->model)};
    struct koine__json_fault fault;
    if (c->document &&
        koine__json_read(koine__str_trim(koine__str(c->document)), &arena, &asked.doc, &fault) != 0)
        koine__buf_addf(ret_request, "no JSON: %s\n", fault.reason);
    else
        write_outcome(&out,
                      run(&(struct koine__job){.kind = KOINE__JOB_REQUEST,
                                               .provider = provider,
                                               .exchange = exchange_of(provider, c),
                                               .ask = &asked,
                                               .out = &out.pub}),
                      ret_request);
    write_notices(&out, ret_notices);
    koine__out_release(&out);
    koine__arena_release(&arena);
}

void vendor_ask(const koine_provider *provider, const struct vendor_case *c, struct koine__buf *ret_request,
                struct koine__buf *ret_notices)
{
    ask(provider, c, 0, NULL, ret_request, ret_notices);
}

/* ---- The answer ---- */

struct frame {       /* what a provider is handed, and what its header() needs */
    koine_frame pub; /* first */
    const struct vendor_case *c;
};

struct reading {
    const koine_provider *provider;
    const struct vendor_case *c;
    struct koine__arena arena;
    struct koine__host host;
    koine_sink *sink;
    void *state;
    int32_t result; /* of the frame that ended it; else KOINE_DONE */
    bool over;
};

static koine_str header(const koine_frame *frame, const char *name)
{
    return vendor_case_header(((const struct frame *)frame)->c, name);
}

static void read_cut(struct reading *r, const struct koine__cut *cut)
{
    const koine_node *root = NULL;
    koine__arena_reset(&r->arena);
    if (cut->text.len > 0)
        koine__json_read(cut->text, &r->arena, &root, NULL);
    struct frame frame = {.pub = {.size = sizeof(koine_frame),
                                  .kind = cut->kind,
                                  .clean = cut->clean,
                                  .http_status = r->c->status,
                                  .event = cut->event,
                                  .text = cut->text,
                                  .json = root,
                                  .header = header},
                          .c = r->c};
    koine_read read = {.size = sizeof(read),
                       .self = r->provider,
                       .host = &r->host.pub,
                       .frame = &frame.pub,
                       .state = r->state,
                       .model = koine__str(r->c->model)};
    struct koine__job job = {.kind = KOINE__JOB_FRAME,
                             .provider = r->provider,
                             .exchange = exchange_of(r->provider, r->c),
                             .read = &read,
                             .sink = r->sink};
    if (r->c->status >= 400) { /* one frame is all there is: the body, or that there is none */
        job.kind = KOINE__JOB_FAULT;
        frame.pub.kind = KOINE_FRAME_WHOLE;
        read.state = NULL;
        r->over = true;
    }
    r->result = run(&job);
    r->over = r->over || r->result != KOINE_DONE;
}

static void pump(struct reading *r, struct koine__framer *framer)
{
    struct koine__cut cut;
    while (!r->over && koine__framer_next(framer, &cut) > 0)
        read_cut(r, &cut);
}

static int32_t play(const koine_provider *provider, const struct vendor_case *c,
                    const struct vendor_play *way, void *state, koine_sink *sink)
{
    struct reading r = {.provider = provider, .c = c, .sink = sink, .state = state};
    struct koine__framer framer;
    koine__arena_init(&r.arena, 0);
    koine__host_init(&r.host,
                     &(struct koine__host_env){.arena = &r.arena, .option = option, .options_arg = c});
    koine__framer_init(&framer, c->stream ? KOINE_FRAME_SSE : KOINE_FRAME_WHOLE, BODY_LIMIT);
    koine__framer_head(&framer, c->status, vendor_case_header(c, "content-type"));
    size_t next = way->piece;
    for (size_t at = 0; at < way->len; at += next, next = way->pieces) {
        if (next == 0 || next > way->len - at)
            next = way->len - at;
        koine__framer_push(&framer, koine__buf_str(&c->body) + at, next);
        pump(&r, &framer);
    }
    koine__framer_finish(&framer, way->clean);
    pump(&r, &framer);
    koine__framer_release(&framer);
    koine__arena_release(&r.arena);
    return r.result;
}

int32_t vendor_play_into(const koine_provider *provider, const struct vendor_case *c,
                         const struct vendor_play *way, koine_sink *sink)
{
    void *state = calloc(1, exchange_of(provider, c)->state_size);
    int32_t result = play(provider, c, way, state, sink);
    free(state);
    return result;
}

void vendor_play_answer(const koine_provider *provider, const struct vendor_case *c,
                        const struct vendor_play *way, struct vendor_trace *ret)
{
    vendor_trace_result(ret, vendor_play_into(provider, c, way, &ret->sink));
    vendor_trace_flush(ret);
}

void vendor_ask_next(const koine_provider *provider, const struct vendor_case *c,
                     struct koine__buf *ret_request, struct koine__buf *ret_notices)
{
    void *state = calloc(1, exchange_of(provider, c)->state_size);
    struct vendor_trace trace;
    vendor_trace_init(&trace);
    play(provider, c, &(struct vendor_play){.len = c->body.len, .clean = true}, state, &trace.sink);
    ask(provider, c, 1, state, ret_request, ret_notices);
    vendor_trace_release(&trace);
    free(state);
}
