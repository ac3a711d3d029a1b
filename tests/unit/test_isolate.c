#include "core/plugin/isolate.h"

#include "core/plugin/host.h"
#include "core/plugin/isolate_serve.h"
#include "core/plugin/out.h"
#include "tests/unit/suite.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LIMIT ((size_t)1 << 20)

/* ---- A provider that uses everything --------------------------------------------------------------- */

struct state {
    int32_t frames;
};

static koine_str str(const char *text)
{
    return (koine_str){text, text ? strlen(text) : 0};
}

static int32_t request(const koine_ask *ask, koine_out *out)
{
    const koine_host *host = ask->host;
    host->log(host, 2, str("asked"));
    out->method(out, "PUT");
    out->path(out, "/v1/");
    out->segment(out, ask->model);
    out->query(out, "q", str("a b"));
    out->header(out, "X-Region", host->option(host, ask->self, "region"));
    out->header(out, "X-Tries", host->option(host, ask->self, "tries"));
    out->secret(out, "X-Key", "Bearer ");
    out->open(out, NULL, '{');
    out->str(out, "words", host->str(host->get(ask->doc, "words")));
    out->num(out, "step", ask->step);
    out->raw(out, "raw", str("[1,2]"));
    out->node(out, "number", host->get(ask->doc, "number"));
    out->node(out, "absent", NULL);
    out->member(out, host->get(ask->doc, "words"));
    out->member(out, host->at(host->get(ask->doc, "in"), 0));
    out->member(out, NULL);
    out->close(out);
    out->notice(out, KOINE_NOTICE_DROPPED, str("top_k"), str("there is none"));
    out->fail(out, str("but not a failure"));
    return KOINE_DONE;
}

static int32_t frame(const koine_read *read, koine_sink *sink)
{
    struct state *state = read->state;
    const koine_provider_usage usage = {sizeof(usage), 1, 1, 2, 3, 4, 5, 6, 7, 8, 9};
    koine_provider_event event = {
        .size = sizeof(event), .kind = KOINE_EMIT_TEXT, .index = -1, .retry_ms = -1};
    state->frames++;
    event.text = read->host->str(read->host->get(read->frame->json, "text"));
    event.name = read->host->option(read->host, read->self, "region");
    sink->emit(sink, &event);
    event = (koine_provider_event){.size = sizeof(event), .kind = KOINE_EMIT_USAGE, .usage = &usage};
    sink->emit(sink, &event);
    event = (koine_provider_event){.size = offsetof(koine_provider_event, id),
                                   .kind = KOINE_EMIT_STOP,
                                   .text = read->frame->header(read->frame, "x-word")};
    sink->emit(sink, &event);
    return state->frames == 2 ? KOINE_MORE : KOINE_DONE;
}

static int32_t list(const koine_read *read, koine_sink *sink)
{
    const koine_model_info model = {
        .size = sizeof(model), .id = str("m"), .created = 5, .context = 6, .max_output = -1};
    const koine_provider_event event = {.size = sizeof(event), .kind = KOINE_EMIT_MODEL, .model = &model};
    (void)read;
    sink->emit(sink, &event);
    return KOINE_DONE;
}

static int32_t fault(const koine_read *read, koine_sink *sink)
{
    const koine_provider_event event = {.size = sizeof(event),
                                        .kind = KOINE_EMIT_FAULT,
                                        .code = KOINE_FAULT_RATE_LIMIT,
                                        .text = read->frame->text,
                                        .name = read->frame->event,
                                        .retry_ms = 1500};
    sink->emit(sink, &event);
    return KOINE_DONE;
}

static int32_t cost(const koine_cost_query *query, koine_provider_cost *ret)
{
    int32_t rc = query->host->price(query, ret);
    ret->picodollars *= 2;
    return rc;
}

static const koine_option region = {
    .size = sizeof(region), .type = KOINE_OPTION_STRING, .name = "region", .help = "Where."};
static const koine_option tries = {
    .size = sizeof(tries), .type = KOINE_OPTION_INTEGER, .required = 1, .name = "tries", .otherwise = "3"};
static const koine_option *const options[] = {&region, &tries, NULL};
static const koine_exchange generate = {
    .size = sizeof(generate), .state_size = sizeof(struct state), .request = request, .frame = frame};
static const koine_exchange list_models = {.size = sizeof(list_models), .request = request, .frame = list};
static const koine_provider provider = {.size = sizeof(provider),
                                        .id = "all",
                                        .version = "1.2.3",
                                        .base_url = "https://x.test/v1",
                                        .key_variable = NULL,
                                        .options = options,
                                        .generate = &generate,
                                        .list_models = &list_models,
                                        .calculate_cost = cost,
                                        .fault = fault};
static const koine_provider *const providers[] = {&provider};

/* ---- Somewhere to write and emit ------------------------------------------------------------------- */

struct stand { /* what a job of ours points at */
    struct koine__arena arena;
    struct koine__host host;
    struct koine__out out;
    koine_sink sink; /* into `emitted` */
    struct koine__buf emitted;
    koine_ask ask;
    koine_read read;
    koine_frame frame;
    koine_cost_query query;
    koine_provider_usage usage;
    koine_provider_cost cost;
    struct state state;
    struct koine__job job;
};

static const char *option(const void *arg, const char *name)
{
    (void)arg;
    return strcmp(name, "region") == 0 ? "eu" : NULL;
}

static int32_t price(const void *arg, const koine_cost_query *query, koine_provider_cost *ret)
{
    (void)arg;
    ret->state = KOINE_PRICE_KNOWN;
    ret->picodollars = query->usage->input + query->usage->output * 10 + query->at + query->batch * 1000;
    ret->price_id = query->model;
    ret->estimated = 1;
    return 0;
}

static void emit(koine_sink *sink, const koine_provider_event *event)
{
    struct stand *stand = (struct stand *)((char *)sink - offsetof(struct stand, sink));
    koine__buf_addf(&stand->emitted, "%u:%d/%d/%d '%.*s' '%.*s' %lld", event->size, event->kind, event->index,
                    event->code, (int)event->text.len, event->text.ptr ? event->text.ptr : "",
                    (int)event->name.len, event->name.ptr ? event->name.ptr : "", (long long)event->retry_ms);
    if (event->usage)
        koine__buf_addf(&stand->emitted, " usage %lld..%lld", (long long)event->usage->input,
                        (long long)event->usage->picodollars);
    if (event->model)
        koine__buf_addf(&stand->emitted, " model %.*s %lld", (int)event->model->id.len, event->model->id.ptr,
                        (long long)event->model->context);
    koine__buf_adds(&stand->emitted, "\n");
}

static koine_str header(const koine_frame *asked, const char *name)
{
    (void)asked;
    return strcmp(name, "x-word") == 0 ? str("end") : (koine_str){NULL, 0};
}

static void stand_open(struct stand *stand, enum koine__job_kind kind, const char *text)
{
    *stand = (struct stand){.sink = {sizeof(koine_sink), emit}};
    koine__arena_init(&stand->arena, 0);
    koine__buf_init(&stand->emitted, LIMIT);
    koine__host_init(&stand->host,
                     &(struct koine__host_env){.arena = &stand->arena, .option = option, .price = price});
    koine__out_init(&stand->out, &stand->arena, provider.base_url, LIMIT);
    const koine_node *json = NULL;
    koine__json_read(str(text), &stand->arena, &json, NULL);
    stand->ask = (koine_ask){.size = sizeof(koine_ask),
                             .framing = KOINE_FRAME_SSE,
                             .step = 4,
                             .self = &provider,
                             .host = &stand->host.pub,
                             .doc = json,
                             .model = str("m/1"),
                             .state = &stand->state};
    stand->frame = (koine_frame){.size = sizeof(koine_frame),
                                 .kind = KOINE_FRAME_SSE,
                                 .http_status = 200,
                                 .event = str("name"),
                                 .text = str(text),
                                 .json = json,
                                 .header = header};
    stand->read = (koine_read){.size = sizeof(koine_read),
                               .self = &provider,
                               .host = &stand->host.pub,
                               .frame = &stand->frame,
                               .state = kind == KOINE__JOB_FRAME ? &stand->state : NULL,
                               .model = str("m/1")};
    stand->usage = (koine_provider_usage){sizeof(stand->usage), 0, 3, -1, -1, 2, -1, -1, -1, -1, 0};
    stand->query = (koine_cost_query){.size = sizeof(koine_cost_query),
                                      .self = &provider,
                                      .host = &stand->host.pub,
                                      .model = str("m"),
                                      .asked = str("n"),
                                      .at = 100,
                                      .usage = &stand->usage,
                                      .batch = 1};
    stand->cost = (koine_provider_cost){.size = sizeof(koine_provider_cost)};
    stand->job = (struct koine__job){.kind = kind,
                                     .provider = &provider,
                                     .exchange = &generate,
                                     .ask = &stand->ask,
                                     .out = &stand->out.pub,
                                     .read = &stand->read,
                                     .sink = &stand->sink,
                                     .query = &stand->query,
                                     .cost = &stand->cost,
                                     .answer = 99};
}

static void stand_close(struct stand *stand)
{
    koine__out_release(&stand->out);
    koine__buf_release(&stand->emitted);
    koine__arena_release(&stand->arena);
}

/* ---- A helper in a thread -------------------------------------------------------------------------- */

struct service {
    pthread_t thread;
    int ours, theirs, status;
};

static void *serve(void *arg)
{
    struct service *service = arg;
    service->status = koine__isolate_serve(service->theirs, providers, 1);
    close(service->theirs);
    return NULL;
}

static void service_open(struct service *service)
{
    int ends[2];
    CU_ASSERT_EQUAL_FATAL(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    *service = (struct service){.ours = ends[0], .theirs = ends[1], .status = -1};
    CU_ASSERT_EQUAL_FATAL(pthread_create(&service->thread, NULL, serve, service), 0);
}

static int service_close(struct service *service)
{
    shutdown(service->ours, SHUT_WR);
    pthread_join(service->thread, NULL);
    close(service->ours);
    return service->status;
}

static void tell(const struct service *service, const struct koine__buf *buf)
{
    ASSERT_INT(send(service->ours, buf->ptr, buf->len, MSG_NOSIGNAL), (ssize_t)buf->len);
}

/* The next message, into `buf`; its kind, or -1. */
static int hear(const struct service *service, struct koine__buf *buf, struct koine__unpack *ret)
{
    uint8_t kind;
    size_t size;
    char byte;
    koine__buf_reset(buf);
    for (;;) {
        int rc = koine__pack_next(koine__buf_str(buf), buf->len, LIMIT, &kind, ret, &size);
        if (rc != 0)
            return rc < 0 ? -1 : kind;
        if (read(service->ours, &byte, 1) != 1)
            return -1;
        koine__buf_addc(buf, byte);
    }
}

/* Answers what it asks; what it logs goes to `emitted`. */
static void do_job(const struct service *service, struct stand *stand)
{
    struct koine__buf in, out;
    struct koine__unpack message;
    koine_provider_usage usage;
    koine_cost_query query = {.host = &stand->host.pub};
    koine_provider_cost answer = {.size = sizeof(answer)};
    koine__buf_init(&in, LIMIT);
    koine__buf_init(&out, LIMIT);
    koine__isolate_pack_job(&out, &stand->job, 0);
    tell(service, &out);
    int kind;
    while ((kind = hear(service, &in, &message)) != KOINE__ISOLATE_DONE && kind > 0) {
        koine__buf_reset(&out);
        if (kind == KOINE__ISOLATE_LOG) {
            ASSERT_INT(koine__unpack_i32(&message), 2);
            koine_str text = koine__unpack_str(&message);
            koine__buf_addf(&stand->emitted, "log %.*s\n", (int)text.len, text.ptr);
            continue;
        }
        size_t start = koine__pack_begin(&out, kind == KOINE__ISOLATE_PRICE ? KOINE__ISOLATE_PRICED
                                                                            : KOINE__ISOLATE_HEADED);
        if (kind == KOINE__ISOLATE_PRICE) {
            koine__isolate_unpack_query(&message, &query, &usage);
            koine__isolate_pack_cost(&out, price(NULL, &query, &answer), &answer);
        } else {
            koine__pack_str(&out, header(NULL, koine__unpack_text(&message)));
        }
        koine__pack_end(&out, start);
        tell(service, &out);
    }
    ASSERT_INT(kind, KOINE__ISOLATE_DONE);
    CU_ASSERT_TRUE(koine__isolate_unpack_done(&message, &stand->job));
    if (stand->job.kind == KOINE__JOB_COST && stand->cost.price_id.ptr) /* it points into the message */
        stand->cost.price_id =
            str(koine__arena_strndup(&stand->arena, stand->cost.price_id.ptr, stand->cost.price_id.len));
    koine__buf_release(&in);
    koine__buf_release(&out);
}

/* ---- What a job does there is what it does here ---------------------------------------------------- */

#define DOCUMENT                                                                                             \
    "{\"words\":\"a \\\"b\\\"\",\"number\":1.0000000000000000000001, \"in\":{\"a\\u0000b\" : [1, "           \
    "{\"c\":2}]}}"

static void requests(void)
{
    struct stand stand;
    struct service service;
    struct koine__http_request http;
    service_open(&service);
    stand_open(&stand, KOINE__JOB_REQUEST, DOCUMENT);
    do_job(&service, &stand);
    ASSERT_INT(stand.job.answer, KOINE_DONE);
    ASSERT_INT(koine__out_request(&stand.out, &http), KOINE_OK);
    ASSERT_STR(http.method, "PUT");
    ASSERT_STR(http.url, "https://x.test/v1/v1/m%2F1?q=a%20b");
    ASSERT_MEM(http.body.ptr, http.body.len,
               "{\"words\":\"a \\\"b\\\"\",\"step\":4,\"raw\":[1,2],\"number\":1.0000000000000000000001,"
               "\"words\":\"a \\\"b\\\"\",\"a\\u0000b\":[1, {\"c\":2}]}");
    ASSERT_INT(http.header_count, 3);
    ASSERT_MEM(http.headers[0].value.ptr, http.headers[0].value.len, "eu");
    ASSERT_MEM(http.headers[1].value.ptr, http.headers[1].value.len, "3");
    ASSERT_STR(http.secret_name, "X-Key");
    ASSERT_STR(http.secret_prefix, "Bearer ");
    ASSERT_INT(stand.out.notice_count, 1);
    ASSERT_STR(stand.out.notices[0].member, "top_k");
    ASSERT_STR(stand.out.why, "but not a failure");
    ASSERT_STR(koine__buf_str(&stand.emitted), "log asked\n");
    stand_close(&stand);
    ASSERT_INT(service_close(&service), 0);
}

static int32_t wrong_member(const koine_ask *ask, koine_out *out)
{
    out->path(out, "/v1");
    out->open(out, NULL, '{');
    out->member(out, ask->doc);
    return KOINE_DONE;
}

/* The same rule is broken there as here. */
static void members_that_are_none(void)
{
    struct stand stand;
    struct koine__buf buf;
    struct koine__recorder recorder;
    struct koine__http_request http;
    stand_open(&stand, KOINE__JOB_REQUEST, DOCUMENT);
    koine__buf_init(&buf, LIMIT);
    koine__recorder_init(&recorder, &buf, &stand.host.pub);
    wrong_member(&stand.ask, &recorder.out);
    struct koine__unpack unpack = {buf.ptr, buf.ptr + buf.len, false};
    CU_ASSERT_TRUE(koine__isolate_play(&unpack, &stand.host.pub, &stand.out.pub, NULL));
    ASSERT_INT(koine__out_request(&stand.out, &http), KOINE_EARGUMENT);
    ASSERT_STR(stand.out.broken, "a value as a member that is none");
    koine__buf_release(&buf);
    stand_close(&stand);
}

static void frames(void)
{
    char expected[512];
    struct stand stand;
    struct service service;
    service_open(&service);
    stand_open(&stand, KOINE__JOB_FRAME, "{\"text\":\"Hel\\u006co\"}");
    do_job(&service, &stand);
    ASSERT_INT(stand.job.answer, KOINE_DONE);
    ASSERT_INT(stand.state.frames, 1); /* the state came back, and goes there again */
    do_job(&service, &stand);
    ASSERT_INT(stand.job.answer, KOINE_MORE);
    ASSERT_INT(stand.state.frames, 2);
    snprintf(expected, sizeof(expected),
             "%zu:2/-1/0 'Hello' 'eu' -1\n%zu:6/0/0 '' '' 0 usage 1..9\n%zu:8/0/0 'end' '' 0\n",
             sizeof(koine_provider_event), sizeof(koine_provider_event), offsetof(koine_provider_event, id));
    CU_ASSERT_EQUAL(strncmp(koine__buf_str(&stand.emitted), expected, strlen(expected)), 0);
    ASSERT_STR(koine__buf_str(&stand.emitted) + strlen(expected), expected);
    koine__buf_reset(&stand.emitted);
    stand.job.exchange = &list_models;
    do_job(&service, &stand);
    snprintf(expected, sizeof(expected), "%zu:10/0/0 '' '' 0 model m 6\n", sizeof(koine_provider_event));
    ASSERT_STR(koine__buf_str(&stand.emitted), expected);
    stand_close(&stand);
    ASSERT_INT(service_close(&service), 0);
}

static void faults_and_costs(void)
{
    char expected[128];
    struct stand stand;
    struct service service;
    service_open(&service);
    stand_open(&stand, KOINE__JOB_FAULT, "not JSON");
    do_job(&service, &stand);
    snprintf(expected, sizeof(expected), "%zu:9/0/7 'not JSON' 'name' 1500\n", sizeof(koine_provider_event));
    ASSERT_STR(koine__buf_str(&stand.emitted), expected);
    stand_close(&stand);
    stand_open(&stand, KOINE__JOB_COST, "null");
    do_job(&service, &stand);
    ASSERT_INT(stand.job.answer, 0);
    ASSERT_INT(stand.cost.state, KOINE_PRICE_KNOWN);
    ASSERT_INT(stand.cost.picodollars, 2 * (3 + 20 + 100 + 1000));
    ASSERT_STR(stand.cost.price_id.ptr, "m");
    ASSERT_INT(stand.cost.estimated, 1);
    stand_close(&stand);
    ASSERT_INT(service_close(&service), 0);
}

static void a_core_that_breaks_the_rules(void)
{
    static const struct {
        const char *bytes;
        size_t len;
    } table[] = {
        {"\xFF\xFF\xFF\xFF\x02", 5},                  /* longer than anything may be */
        {"\x01\x00\x00\x00\x07", 5},                  /* no such message */
        {"\x01\x00\x00\x00\x03", 5},                  /* an answer to no question */
        {"\x02\x00\x00\x00\x02\x09", 6},              /* no such job */
        {"\x02\x00\x00\x00\x02\x00", 6},              /* half a job */
        {"\x02\x00\x00\x00", 4},                      /* and then nothing */
        {"\x07\x00\x00\x00\x02\x01\x09\0\0\0\0", 11}, /* for a provider that is not there */
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct service service;
        service_open(&service);
        ASSERT_INT(send(service.ours, table[i].bytes, table[i].len, MSG_NOSIGNAL), (ssize_t)table[i].len);
        ASSERT_INT(service_close(&service), 1);
    }
}

/* ---- Messages that are wrong ----------------------------------------------------------------------- */

/* Every job, cut at every byte and with every byte changed: refused or read, but never read past its end. */
static void hostile_jobs(void)
{
    static const enum koine__job_kind kinds[] = {KOINE__JOB_REQUEST, KOINE__JOB_FRAME, KOINE__JOB_FAULT,
                                                 KOINE__JOB_COST};
    for (size_t k = 0; k < 4; k++) {
        struct koine__buf buf;
        struct koine__isolate_job job;
        struct stand stand;
        stand_open(&stand, kinds[k], DOCUMENT);
        koine__buf_init(&buf, LIMIT);
        koine__isolate_pack_job(&buf, &stand.job, 0);
        size_t len = buf.len - KOINE__PACK_HEAD;
        char *copy = malloc(len);
        CU_ASSERT_PTR_NOT_NULL_FATAL(copy);
        for (size_t cut = 0; cut < len; cut++) {
            memcpy(copy, buf.ptr + KOINE__PACK_HEAD, cut);
            struct koine__unpack unpack = {copy, copy + cut, false};
            CU_ASSERT_FALSE(koine__isolate_unpack_job(&unpack, &job));
        }
        for (size_t at = 0; at < len; at++)
            for (int bit = 0; bit < 8; bit++) {
                memcpy(copy, buf.ptr + KOINE__PACK_HEAD, len);
                copy[at] = (char)(copy[at] ^ (1 << bit));
                struct koine__unpack unpack = {copy, copy + len, false};
                if (koine__isolate_unpack_job(&unpack, &job) && job.kind == KOINE__JOB_REQUEST)
                    koine__isolate_option(&job, "tries");
            }
        free(copy);
        koine__buf_release(&buf);
        stand_close(&stand);
    }
}

static void record(struct koine__buf *buf, bool reads)
{
    struct stand stand;
    struct koine__recorder recorder;
    stand_open(&stand, reads ? KOINE__JOB_FRAME : KOINE__JOB_REQUEST, DOCUMENT);
    koine__buf_init(buf, LIMIT);
    const koine_provider_cost none = {.size = sizeof(none)};
    const struct state changed = {7};
    koine_str state = {(const char *)&changed, sizeof(changed)};
    koine__isolate_pack_done(buf, KOINE_DONE, &none, reads ? state : (koine_str){NULL, 0});
    koine__recorder_init(&recorder, buf, &stand.host.pub);
    if (reads)
        frame(&stand.read, &recorder.sink);
    else
        request(&stand.ask, &recorder.out);
    if (!reads)
        recorder.out.bytes(&recorder.out, "text/plain", str("x"));
    stand_close(&stand);
}

/* The same for what a helper answers. */
static void hostile_answers(void)
{
    for (int reads = 0; reads < 2; reads++) {
        struct koine__buf buf;
        record(&buf, reads);
        char *copy = malloc(buf.len);
        CU_ASSERT_PTR_NOT_NULL_FATAL(copy);
        for (size_t cut = 0; cut <= buf.len * 8; cut++) {
            struct stand stand;
            size_t len = cut < buf.len ? cut : buf.len;
            stand_open(&stand, reads ? KOINE__JOB_FRAME : KOINE__JOB_REQUEST, DOCUMENT);
            memcpy(copy, buf.ptr, len);
            if (cut > buf.len)
                copy[cut % buf.len] = (char)(copy[cut % buf.len] ^ (1 << cut / buf.len));
            struct koine__unpack unpack = {copy, copy + len, false};
            bool is_read = koine__isolate_unpack_done(&unpack, &stand.job);
            if (cut == buf.len)
                CU_ASSERT_TRUE(is_read && (!reads || stand.state.frames == 7));
            stand_close(&stand);
        }
        free(copy);
        koine__buf_release(&buf);
    }
}

/* Acts that are not for this job: a frame writes no request, a request emits nothing, a fault has no state.
 */
static void acts_out_of_place(void)
{
    struct koine__buf wrote, read_it;
    struct stand stand;
    record(&wrote, false);
    record(&read_it, true);
    struct koine__unpack unpack = {wrote.ptr, wrote.ptr + wrote.len, false};
    stand_open(&stand, KOINE__JOB_FRAME, DOCUMENT);
    CU_ASSERT_FALSE(koine__isolate_unpack_done(&unpack, &stand.job));
    ASSERT_INT(stand.emitted.len, 0);
    stand_close(&stand);
    unpack = (struct koine__unpack){read_it.ptr, read_it.ptr + read_it.len, false};
    stand_open(&stand, KOINE__JOB_FAULT, DOCUMENT);
    CU_ASSERT_FALSE(koine__isolate_unpack_done(&unpack, &stand.job));
    stand_close(&stand);
    unpack = (struct koine__unpack){read_it.ptr, read_it.ptr + read_it.len, false};
    stand_open(&stand, KOINE__JOB_COST, DOCUMENT);
    CU_ASSERT_FALSE(koine__isolate_unpack_done(&unpack, &stand.job));
    stand_close(&stand);
    koine__buf_release(&wrote);
    koine__buf_release(&read_it);
}

static int32_t somebody(const koine_cost_query *query, koine_provider_cost *ret)
{
    (void)query;
    (void)ret;
    return -5;
}

static void tables(void)
{
    const koine_provider functions = {.size = sizeof(functions),
                                      .generate = &generate,
                                      .list_models = &list_models,
                                      .calculate_cost = somebody,
                                      .fault = fault};
    koine_provider ret[4];
    struct koine__arena arena;
    struct koine__buf buf;
    size_t count = 0;
    koine__arena_init(&arena, 0);
    koine__buf_init(&buf, LIMIT);
    koine__isolate_pack_tables(&buf, providers, 1);
    struct koine__unpack unpack = {buf.ptr, buf.ptr + buf.len, false};
    ASSERT_INT(koine__isolate_unpack_tables(&unpack, &arena, &functions, ret, 4, &count), KOINE_OK);
    ASSERT_INT(count, 1);
    ASSERT_STR(ret[0].id, "all");
    ASSERT_STR(ret[0].key_variable, NULL);
    ASSERT_INT(ret[0].generate->state_size, sizeof(struct state));
    ASSERT_INT(ret[0].list_models->state_size, 0);
    ASSERT_STR(ret[0].options[1]->otherwise, "3");
    CU_ASSERT_TRUE(ret[0].calculate_cost == somebody);
    CU_ASSERT_TRUE(ret[0].fault == fault);
    char *copy = malloc(buf.len);
    CU_ASSERT_PTR_NOT_NULL_FATAL(copy);
    for (size_t cut = 0; cut < buf.len * 8; cut++) {
        size_t len = cut < buf.len ? cut : buf.len;
        memcpy(copy, buf.ptr, len);
        if (cut >= buf.len)
            copy[cut % buf.len] = (char)(copy[cut % buf.len] ^ (1 << cut / buf.len));
        unpack = (struct koine__unpack){copy, copy + len, false};
        int rc = koine__isolate_unpack_tables(&unpack, &arena, &functions, ret, 4, &count);
        CU_ASSERT_TRUE(rc == KOINE_EARGUMENT || (cut >= buf.len && rc == KOINE_OK));
        koine__arena_reset(&arena);
    }
    free(copy);
    koine__buf_release(&buf);
    koine__arena_release(&arena);
}

SUITE_MAIN("isolate", {"requests", requests}, {"members that are none", members_that_are_none},
           {"frames", frames}, {"faults and costs", faults_and_costs},
           {"a core that breaks the rules", a_core_that_breaks_the_rules}, {"hostile jobs", hostile_jobs},
           {"hostile answers", hostile_answers}, {"acts out of place", acts_out_of_place}, {"tables", tables})
