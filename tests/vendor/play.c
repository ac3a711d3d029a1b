/* play: a provider's two halves, between a case and its traces. */
#include "tests/vendor/play.h"

#include "core/money/price.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define BODY_LIMIT  ((size_t)1 << 24)
#define GUARD       64 /* bytes behind a state */
#define GUARD_BYTE  0x5A
#define FUTURE_BYTE 0xA5

/* ---- The bridge ---- */

struct koine__bridge *vendor_bridge = &koine__direct_bridge;
void (*vendor_wait)(void);
size_t vendor_step = 1;

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

/* A price is asked of the table itself: its id lives no longer than the job. */
static int patient_call(struct koine__bridge *bridge, struct koine__job *job)
{
    struct koine__job copy = *job;
    (void)bridge;
    job->failure = NULL;
    job->answer =
        job->kind == KOINE__JOB_COST ? job->provider->calculate_cost(job->query, job->cost) : run(&copy);
    return KOINE__ANSWERED;
}

static void patient_drop(struct koine__bridge *bridge, struct koine__job *job)
{
    (void)bridge;
    (void)job;
}

struct koine__bridge vendor_patient_bridge = {.call = patient_call, .drop = patient_drop};

/* ---- Who looks on ---- */

static void enter(const struct vendor_watch *watch, const char *function)
{
    if (watch && watch->enter)
        watch->enter(watch->arg, function);
}

static int32_t leave(const struct vendor_watch *watch, const char *function, int32_t result)
{
    if (watch && watch->leave)
        watch->leave(watch->arg, function, result);
    return result;
}

static uint32_t size_of(size_t size, const struct vendor_watch *watch)
{
    return (uint32_t)(watch && watch->future ? size + VENDOR_FUTURE : size);
}

const char *vendor_base_url(const koine_provider *provider)
{
    return provider->base_url ? provider->base_url : "https://instance.test";
}

const char *vendor_request_function(const struct vendor_case *c)
{
    return c->list_models ? "list_models.request" : "generate.request";
}

const char *vendor_read_function(const struct vendor_case *c)
{
    if (c->status >= 400)
        return "fault";
    return c->list_models ? "list_models.frame" : "generate.frame";
}

struct playing { /* what the host of a call reaches */
    const struct vendor_case *c;
    struct koine__arena *arena;
};

static const char *option(const void *arg, const char *name)
{
    const struct playing *playing = arg;
    koine_str value = vendor_case_option(playing->c, name);
    return value.ptr ? koine__arena_strndup(playing->arena, value.ptr, value.len) : NULL;
}

/* One price for everything, so that a case can say what it costs. */
static int32_t price(const void *arg, const koine_cost_query *query, koine_provider_cost *ret)
{
    static const struct koine__price_row row = {
        .input = 3, .cache_read = 1, .cache_write = 4, .output = 15, .reasoning = -1};
    int64_t sum = 0;
    (void)arg;
    int rc = koine__price_sum(&row, query->usage, &sum);
    if (rc < 0)
        return rc;
    ret->state = rc == 0 ? KOINE_PRICE_KNOWN : KOINE_PRICE_UNKNOWN;
    ret->picodollars = rc == 0 ? sum : 0;
    ret->price_id = rc == 0 ? KOINE__STR("test") : KOINE__STR("");
    if (KOINE_HAS(koine_provider_cost, ret, estimated))
        ret->estimated = 0;
    return 0;
}

static void init_host(struct koine__host *host, struct playing *playing, const struct vendor_watch *watch)
{
    koine__host_init(host,
                     &(struct koine__host_env){
                         .arena = playing->arena, .option = option, .options_arg = playing, .price = price});
    host->pub.size = size_of(sizeof(host->pub), watch);
    if (watch && watch->host)
        watch->host(watch->arg, host);
}

/* ---- The request ---- */

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

struct asked { /* what a later core hands over is larger */
    koine_ask pub;
    unsigned char future[VENDOR_FUTURE];
};

static void write_asked(const koine_provider *provider, const struct vendor_case *c,
                        const struct vendor_watch *watch, struct asked *asked, struct koine__out *out,
                        struct koine__buf *ret)
{
    const char *function = vendor_request_function(c);
    enter(watch, function);
    int32_t result = run(&(struct koine__job){.kind = KOINE__JOB_REQUEST,
                                              .provider = provider,
                                              .exchange = exchange_of(provider, c),
                                              .ask = &asked->pub,
                                              .out = &out->pub});
    write_outcome(out, leave(watch, function, result), ret);
}

static int32_t framing_of(const struct vendor_case *c, const struct vendor_watch *watch)
{
    if (watch && watch->framing)
        return watch->framing;
    return c->stream ? KOINE_FRAME_SSE : KOINE_FRAME_WHOLE;
}

static void ask(const koine_provider *provider, const struct vendor_case *c, const struct vendor_watch *watch,
                uint32_t step, const void *state, struct koine__buf *ret_request,
                struct koine__buf *ret_notices)
{
    struct koine__arena arena;
    struct playing playing = {c, &arena};
    struct koine__host host;
    struct koine__out out;
    struct koine__json_fault fault;
    struct asked asked = {.pub = {.size = size_of(sizeof(koine_ask), watch),
                                  .step = step,
                                  .state = state,
                                  .framing = framing_of(c, watch),
                                  .self = provider,
                                  .host = &host.pub,
                                  .model = koine__str(c->model)}};
    memset(asked.future, FUTURE_BYTE, sizeof(asked.future));
    koine__arena_init(&arena, 0);
    init_host(&host, &playing, watch);
    koine__out_init(&out, &arena, vendor_base_url(provider), BODY_LIMIT);
    out.pub.size = size_of(sizeof(out.pub), watch);
    if (watch && watch->out)
        watch->out(watch->arg, &out);
    koine_str document = koine__str_trim(koine__str(c->document));
    if (c->document && koine__json_read(document, &arena, &asked.pub.doc, &fault) != 0)
        koine__buf_addf(ret_request, "no JSON: %s\n", fault.reason);
    else
        write_asked(provider, c, watch, &asked, &out, ret_request);
    write_notices(&out, ret_notices);
    koine__out_release(&out);
    koine__arena_release(&arena);
}

void vendor_ask(const koine_provider *provider, const struct vendor_case *c, const struct vendor_watch *watch,
                struct koine__buf *ret_request, struct koine__buf *ret_notices)
{
    void *state = calloc(1, exchange_of(provider, c)->state_size + 1);
    ask(provider, c, watch, 0, state, ret_request, ret_notices);
    free(state);
}

/* ---- The answer ---- */

struct frame {       /* what a provider is handed, and what its header() needs */
    koine_frame pub; /* first */
    unsigned char future[VENDOR_FUTURE];
    const struct vendor_case *c;
};

struct read {
    koine_read pub;
    unsigned char future[VENDOR_FUTURE];
};

static koine_str header(const koine_frame *frame, const char *name)
{
    return vendor_case_header(((const struct frame *)frame)->c, name);
}

static int32_t run_read(struct vendor_reading *r, enum koine__job_kind kind, const koine_read *read)
{
    return run(&(struct koine__job){.kind = kind,
                                    .provider = r->provider,
                                    .exchange = exchange_of(r->provider, r->c),
                                    .read = read,
                                    .sink = r->sink});
}

static void call_fault(struct vendor_reading *r, struct read *read)
{
    if (r->provider->fault) { /* else the status alone says it */
        enter(r->way.watch, "fault");
        r->result = leave(r->way.watch, "fault", run_read(r, KOINE__JOB_FAULT, &read->pub));
    }
    r->over = true;
}

static void call_frame(struct vendor_reading *r, struct read *read)
{
    const char *function = vendor_read_function(r->c);
    enter(r->way.watch, function);
    int32_t result = run_read(r, KOINE__JOB_FRAME, &read->pub);
    r->result = leave(r->way.watch, function, result);
    r->over = r->result != KOINE_DONE;
}

static void read_cut(struct vendor_reading *r, const struct koine__cut *cut)
{
    const koine_node *root = NULL;
    koine__arena_reset(&r->arena);
    if (cut->text.len > 0)
        koine__json_read(cut->text, &r->arena, &root, NULL);
    bool judged = r->c->status >= 400; /* one frame is all there is: the body, or that there is none */
    struct frame frame = {.pub = {.size = size_of(sizeof(koine_frame), r->way.watch),
                                  .kind = judged ? KOINE_FRAME_WHOLE : cut->kind,
                                  .clean = cut->clean,
                                  .http_status = r->c->status,
                                  .event = cut->event,
                                  .text = cut->text,
                                  .json = root,
                                  .header = header},
                          .c = r->c};
    struct read read = {.pub = {.size = size_of(sizeof(koine_read), r->way.watch),
                                .self = r->provider,
                                .host = &r->host.pub,
                                .frame = &frame.pub,
                                .state = judged ? NULL : r->state,
                                .model = koine__str(r->c->model)}};
    memset(frame.future, FUTURE_BYTE, sizeof(frame.future));
    memset(read.future, FUTURE_BYTE, sizeof(read.future));
    if (judged)
        call_fault(r, &read);
    else
        call_frame(r, &read);
}

void vendor_reading_open(struct vendor_reading *self, const koine_provider *provider,
                         const struct vendor_case *c, const struct vendor_play *way, koine_sink *sink)
{
    *self = (struct vendor_reading){.provider = provider, .c = c, .way = *way, .sink = sink};
    self->state_size = exchange_of(provider, c)->state_size;
    self->state = calloc(1, self->state_size + GUARD);
    memset(self->state + self->state_size, GUARD_BYTE, GUARD);
    koine__arena_init(&self->arena, 0);
    koine__framer_init(&self->framer, c->stream ? KOINE_FRAME_SSE : KOINE_FRAME_WHOLE, BODY_LIMIT);
    koine__framer_head(&self->framer, c->status, vendor_case_header(c, "content-type"));
}

/* False: all was pushed, and that it ended was said. */
static bool feed(struct vendor_reading *r)
{
    size_t next = r->pushed == 0 ? r->way.piece : r->way.pieces, left = r->way.len - r->pushed;
    if (r->finished)
        return false;
    if (left == 0) {
        koine__framer_finish(&r->framer, r->way.clean);
        r->finished = true;
        return true;
    }
    if (next == 0 || next > left)
        next = left;
    koine__framer_push(&r->framer, koine__buf_str(&r->c->body) + r->pushed, next);
    r->pushed += next;
    return true;
}

bool vendor_reading_step(struct vendor_reading *self)
{
    struct koine__cut cut;
    struct playing playing = {self->c, &self->arena};
    init_host(&self->host, &playing, self->way.watch);
    do {
        if (!self->over && koine__framer_next(&self->framer, &cut) > 0) {
            read_cut(self, &cut);
            return true;
        }
    } while (!self->over && feed(self));
    return false;
}

bool vendor_reading_in_bounds(const struct vendor_reading *self)
{
    for (size_t i = 0; i < GUARD; i++)
        if (self->state[self->state_size + i] != GUARD_BYTE)
            return false;
    return true;
}

void vendor_reading_close(struct vendor_reading *self)
{
    koine__framer_release(&self->framer);
    koine__arena_release(&self->arena);
    free(self->state);
}

int32_t vendor_play_into(const koine_provider *provider, const struct vendor_case *c,
                         const struct vendor_play *way, koine_sink *sink)
{
    struct vendor_reading reading;
    vendor_reading_open(&reading, provider, c, way, sink);
    while (vendor_reading_step(&reading))
        continue;
    vendor_reading_close(&reading);
    return reading.result;
}

void vendor_play_answer(const koine_provider *provider, const struct vendor_case *c,
                        const struct vendor_play *way, struct vendor_trace *ret)
{
    vendor_trace_result(ret, vendor_play_into(provider, c, way, &ret->sink));
    vendor_trace_flush(ret);
}

/* The state is the next request's to read, not to write. */
static void ask_from(const struct vendor_reading *r, struct koine__buf *ret_request,
                     struct koine__buf *ret_notices)
{
    unsigned char *before = malloc(r->state_size + 1);
    memcpy(before, r->state, r->state_size);
    ask(r->provider, r->c, r->way.watch, 1, r->state, ret_request, ret_notices);
    if (memcmp(before, r->state, r->state_size) != 0)
        koine__buf_adds(ret_request, VENDOR_WROTE_STATE "\n");
    free(before);
}

void vendor_ask_next(const koine_provider *provider, const struct vendor_case *c,
                     const struct vendor_watch *watch, struct koine__buf *ret_request,
                     struct koine__buf *ret_notices)
{
    struct vendor_reading reading;
    struct vendor_trace trace;
    struct vendor_play way = {.len = c->body.len, .clean = true, .watch = watch};
    vendor_trace_init(&trace);
    vendor_reading_open(&reading, provider, c, &way, &trace.sink);
    while (vendor_reading_step(&reading))
        continue;
    ask_from(&reading, ret_request, ret_notices);
    vendor_reading_close(&reading);
    vendor_trace_release(&trace);
}

/* ---- What it costs ---- */

static void write_cost(const koine_provider_cost *cost, struct koine__buf *ret)
{
    if (cost->state == KOINE_PRICE_KNOWN)
        koine__buf_addf(ret, "known %" PRId64 " %.*s%s\n", cost->picodollars, (int)cost->price_id.len,
                        cost->price_id.ptr ? cost->price_id.ptr : "", cost->estimated ? " estimated" : "");
    else
        koine__buf_adds(ret, cost->state == KOINE_PRICE_FREE      ? "free\n"
                             : cost->state == KOINE_PRICE_UNKNOWN ? "unknown\n"
                                                                  : "?\n");
}

void vendor_cost(const koine_provider *provider, const struct vendor_case *c,
                 const koine_provider_usage *usage, const struct vendor_watch *watch, struct koine__buf *ret)
{
    struct koine__arena arena;
    struct playing playing = {c, &arena};
    struct koine__host host;
    koine_provider_cost cost = {.size = sizeof(cost)};
    koine__arena_init(&arena, 0);
    init_host(&host, &playing, watch);
    koine_cost_query query = {.size = sizeof(query),
                              .self = provider,
                              .host = &host.pub,
                              .model = koine__str(c->model),
                              .asked = koine__str(c->model),
                              .at = INT64_C(1750000000), /* a day in June 2025 */
                              .usage = usage};
    enter(watch, "calculate_cost");
    int32_t result = leave(watch, "calculate_cost", provider->calculate_cost(&query, &cost));
    if (result < 0)
        koine__buf_addf(ret, "%s\n", vendor_result_name(result));
    else
        write_cost(&cost, ret);
    koine__arena_release(&arena);
}
