/* engine: see engine.h. The settings are those that hold by default, but for one retry and no jitter. */
#include "tests/vendor/engine.h"

#include "core/engine/call.h"
#include "core/plugin/host.h"
#include "core/wire/transport_replay.h"
#include "tests/vendor/play.h"
#include "tests/vendor/trace.h"

#include <stdlib.h>
#include <string.h>

#define SECONDS(n) ((n)*KOINE__SEC)
#define DAY        SECONDS(INT64_C(24) * 3600)
#define WALL       INT64_C(1735732800) /* 2025-01-01T12:00:00Z, when the virtual clock says 0 */
#define MOST_STEPS 200000
#define OPTIONS    8

struct run {
    const struct vendor_case *c;
    struct koine__buf *ret;
    int64_t now;
    struct koine__clock clock;
    struct koine__loop *loop;
    struct koine__transport *transport;
    struct koine__engine engine;
    struct koine__calls calls;
    struct koine__catalogue *catalogue;
    struct koine__secret *key;
    const char *options[2 * OPTIONS + 1];
    struct koine__instance instance;
    struct koine__target target;
    struct koine__route route;
    struct koine__replay_answer answer;
    struct koine__replay_chunk *chunks;
    struct koine__header headers[VENDOR_HEADERS];
    struct koine__buf text; /* neighbouring pieces of one kind, not yet written */
    int text_kind;          /* 0: none */
    bool over;
};

/* ---- The network: the case's answer, any number of times ---- */

static void fill_chunks(struct run *run, size_t body_len)
{
    koine_str rest = {koine__buf_str(&run->c->body), body_len};
    run->chunks = calloc(rest.len + 1, sizeof(*run->chunks));
    run->answer.chunks = run->chunks;
    while (rest.len > 0) {
        const char *end = run->c->pace ? memchr(rest.ptr, '\n', rest.len) : NULL;
        size_t len = end ? (size_t)(end - rest.ptr) + 1 : rest.len;
        run->chunks[run->answer.chunk_count++] =
            (struct koine__replay_chunk){.after = SECONDS(run->c->pace), .bytes = {rest.ptr, len}};
        rest.ptr += len;
        rest.len -= len;
    }
}

static void fill_answer(struct run *run, const struct vendor_network *network)
{
    for (size_t i = 0; i < run->c->header_count; i++)
        run->headers[i] = (struct koine__header){run->c->headers[i].name, run->c->headers[i].value};
    run->answer = (struct koine__replay_answer){
        .repeat = true,
        .status = run->c->status,
        .headers = run->headers,
        .header_count = run->c->header_count,
        .split = network->split,
        .fault_class = network->lost ? KOINE_CLASS_RESET : KOINE_CLASS_NONE,
    };
    fill_chunks(run, network->len);
}

/* ---- The world ---- */

static int64_t now(void *arg)
{
    return ((const struct run *)arg)->now;
}

static int64_t wall(void *arg)
{
    return SECONDS(WALL) + ((const struct run *)arg)->now;
}

static void advance(void *arg, int64_t until)
{
    ((struct run *)arg)->now = until;
}

static void fill_options(struct run *run, char *text)
{
    size_t count = 0;
    for (char *next; text && *text && count < 2 * OPTIONS; text = next) {
        next = text + strcspn(text, "\n");
        if (*next)
            *next++ = '\0';
        char *value = strchr(text, '=');
        if (!value)
            continue;
        *value = '\0';
        run->options[count++] = text;
        run->options[count++] = value + 1;
    }
}

static void fill_target(struct run *run, const koine_provider *provider)
{
    const struct koine__timeouts timeouts = {
        .connect = SECONDS(5),
        .first_byte = SECONDS(60),
        .first_token = -1,
        .idle = SECONDS(60),
        .progress = run->c->patient ? -1 : SECONDS(300),
        .total = run->c->patient ? -1 : SECONDS(600),
    };
    run->instance = (struct koine__instance){
        .name = provider->id,
        .provider = provider,
        .file = "",
        .base_url = vendor_base_url(provider),
        .secret = run->key,
        .body_limit = INT64_C(16) << 20,
        .timeouts = timeouts,
        .retry = {.max_retries = 1,
                  .base_delay = SECONDS(1),
                  .max_delay = SECONDS(60),
                  .multiplier = 2000000,
                  .retry_after_cap = SECONDS(60)},
        .options = run->options,
    };
    run->target = (struct koine__target){
        .text = "vendor/model", .instance = &run->instance, .model = run->c->model, .max_retries = -1};
    run->route = (struct koine__route){.name = "",
                                       .targets = &run->target,
                                       .count = 1,
                                       .commit = KOINE_COMMIT_FIRST_CONTENT,
                                       .deadline = DAY,
                                       .max_attempts = 2};
}

static bool open_run(struct run *run, const koine_provider *provider)
{
    run->clock = (struct koine__clock){.now = now, .wall = wall, .advance = advance, .arg = run};
    run->catalogue = koine__catalogue_new();
    koine__crypto_init();
    run->key = koine__secret_new("KEY", 3);
    if (!run->catalogue || !run->key || koine__loop_new(&run->clock, &run->loop) != KOINE_OK ||
        koine__transport_replay_new(run->loop, &run->answer, 1, &run->transport) != KOINE_OK)
        return false;
    run->engine = (struct koine__engine){
        .loop = run->loop, .transport = run->transport, .bridge = &vendor_patient_bridge};
    koine__random_seed(&run->engine.random, 1);
    koine__calls_init(&run->calls, &run->engine, NULL);
    fill_target(run, provider);
    return true;
}

static void close_run(struct run *run)
{
    if (run->transport)
        run->transport->ops->free(run->transport);
    koine__desks_release(&run->engine.desks);
    koine__loop_free(run->loop);
    koine__catalogue_free(run->catalogue);
    koine__secret_unref(run->key);
    koine__buf_release(&run->text);
    free(run->chunks);
}

static struct koine_call *start(struct run *run)
{
    const char *text =
        run->c->document ? run->c->document : "{\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}";
    struct koine__document *document = NULL;
    struct koine_call *call = NULL;
    koine_error *error = NULL;
    if (koine__document_read(koine__str(text), &document, &error) == KOINE_OK) {
        struct koine__call_spec spec = {.operation = KOINE__OP_GENERATE,
                                        .route = &run->route,
                                        .catalogue = run->catalogue,
                                        .document = document,
                                        .stream = run->c->stream,
                                        .deadline = DAY,
                                        .min_attempt = SECONDS(1)};
        if (koine__call_new(&run->calls, &spec, &call, &error) != KOINE_OK)
            koine__document_free(document);
    }
    koine_error_free(error);
    return call;
}

/* ---- What the application reads ---- */

static void write_text(struct run *run)
{
    static const char *const names[] = {[KOINE_EVENT_TEXT] = "text ",
                                        [KOINE_EVENT_REASONING] = "reasoning ",
                                        [KOINE_EVENT_REFUSAL] = "refusal "};
    if (run->text_kind) {
        koine__buf_adds(run->ret, names[run->text_kind]);
        vendor_quote(run->ret, (koine_str){koine__buf_str(&run->text), run->text.len});
        koine__buf_addc(run->ret, '\n');
    }
    run->text_kind = 0;
    koine__buf_reset(&run->text);
}

static void add_text(struct run *run, const struct koine_event *event)
{
    size_t len;
    const char *text = koine_event_text(event, &len);
    if (run->text_kind != koine_event_kind(event))
        write_text(run);
    run->text_kind = koine_event_kind(event);
    koine__buf_add(&run->text, text, len);
}

/* An id that the core made is another in each run. */
static void add_id(struct run *run, const char *id)
{
    const struct koine__buf *body = &run->c->body;
    koine__buf_adds(run->ret, " id=");
    if (body->len > 0 && memmem(body->ptr, body->len, id, strlen(id)))
        vendor_quote(run->ret, koine__str(id));
    else
        koine__buf_adds(run->ret, "made");
}

static void add_call(struct run *run, const char *what, const koine_response *answer, size_t index)
{
    koine__buf_addf(run->ret, "%s %d", what, (int)index);
    add_id(run, koine_response_tool_id(answer, index));
    koine__buf_adds(run->ret, " name=");
    vendor_quote(run->ret, koine__str(koine_response_tool_name(answer, index)));
    koine__buf_addc(run->ret, ' ');
    vendor_quote(run->ret, koine__str(koine_response_tool_arguments(answer, index)));
    koine__buf_addc(run->ret, '\n');
}

static void add_count(struct run *run, const char *name, int64_t count, int estimated)
{
    if (count < 0)
        return;
    koine__buf_addf(run->ret, " %s=", name);
    if (estimated) /* how much depends on the request's every byte */
        koine__buf_addc(run->ret, '~');
    else
        koine__buf_add_int(run->ret, count);
}

static void add_usage(struct run *run, const koine_response *answer)
{
    koine_usage usage = KOINE_USAGE_INIT;
    koine_response_usage(answer, &usage);
    if (usage.input < 0 && usage.cache_read < 0 && usage.output < 0)
        return;
    koine__buf_adds(run->ret, "usage");
    add_count(run, "input", usage.input, usage.estimated & KOINE_BUCKET_INPUT);
    add_count(run, "cache_read", usage.cache_read, 0);
    add_count(run, "cache_write", usage.cache_write, 0);
    add_count(run, "output", usage.output, usage.estimated & KOINE_BUCKET_OUTPUT);
    add_count(run, "reasoning", usage.reasoning, 0);
    koine__buf_addc(run->ret, '\n');
}

static void add_cost(struct run *run, const koine_response *answer)
{
    koine_cost cost = KOINE_COST_INIT;
    koine_response_cost(answer, &cost);
    if (cost.state == KOINE_PRICED && cost.price_id[0])
        koine__buf_addf(run->ret, "cost %lld %s\n", (long long)cost.picodollars, cost.price_id);
}

static void add_kept(struct run *run, const koine_response *answer)
{
    for (size_t i = 0; i < answer->extra_count; i++) {
        const struct koine__extra *extra = &answer->extras[i];
        if (!extra->kept)
            continue;
        koine__buf_addf(run->ret, "keep %s ", extra->name);
        koine__buf_add(run->ret, extra->json.ptr, extra->json.len);
        koine__buf_adds(run->ret, "]\n"); /* its list stays open */
    }
}

static void add_answer(struct run *run, const koine_response *answer)
{
    add_kept(run, answer);
    for (size_t i = 0; i < koine_response_tool_count(answer); i++)
        add_call(run, koine_response_tool_complete(answer, i) ? "call" : "broken call", answer, i);
    add_usage(run, answer);
    add_cost(run, answer);
}

static void add_stop(struct run *run, const koine_response *answer)
{
    add_answer(run, answer);
    koine__buf_addf(run->ret, "stop %s ", koine_response_finish_name(answer));
    vendor_quote(run->ret, koine__str(koine_response_finish_raw(answer)));
    koine__buf_addc(run->ret, '\n');
}

static void add_fault(struct run *run, const koine_error *error)
{
    const koine_response *part = koine_error_partial(error);
    if (part)
        add_answer(run, part);
    koine__buf_addf(run->ret, "fault %s", koine_error_class_name(error));
    if (koine_error_stage(error)[0])
        koine__buf_addf(run->ret, " stage=%s", koine_error_stage(error));
    if (koine_error_status(error))
        koine__buf_addf(run->ret, " status=%d", koine_error_status(error));
    add_count(run, "wait_ms", koine_error_retry_after_ms(error), 0);
    koine__buf_addc(run->ret, '\n');
}

static void read_event(struct run *run, const struct koine_call *call, const struct koine_event *event)
{
    int kind = koine_event_kind(event);
    if (kind == KOINE_EVENT_TEXT || kind == KOINE_EVENT_REASONING || kind == KOINE_EVENT_REFUSAL)
        add_text(run, event);
    else if (kind == KOINE_EVENT_RETRY)
        koine__buf_adds(run->ret, "again\n");
    else if (koine__event_is_terminal(event)) {
        write_text(run);
        run->over = true;
        if (kind == KOINE_EVENT_STOP)
            add_stop(run, koine_call_response(call));
        else
            add_fault(run, koine_event_error(event));
    }
}

static void read_all(struct run *run)
{
    struct koine_call *call;
    for (struct koine_event *event; (event = koine__calls_next(&run->calls, &call));) {
        if (run->over)
            koine__buf_adds(run->ret, "an event after the end\n");
        read_event(run, call, event);
        koine__event_free(event);
    }
}

void vendor_engine(const koine_provider *provider, const struct vendor_case *c,
                   const struct vendor_network *network, struct koine__buf *ret)
{
    struct run run = {.c = c, .ret = ret};
    char *options = strdup(c->options ? c->options : "");
    koine__buf_init(&run.text, SIZE_MAX / 2);
    fill_answer(&run, network);
    fill_options(&run, options);
    struct koine_call *call = open_run(&run, provider) ? start(&run) : NULL;
    for (int i = 0; call && !run.over && i < MOST_STEPS; i++) {
        koine__loop_process(run.loop);
        read_all(&run);
        koine__loop_wait(run.loop, run.now + DAY);
    }
    if (!run.over)
        koine__buf_adds(ret, call ? "it never ended\n" : "it could not start\n");
    if (call)
        koine__call_destroy(call);
    close_run(&run);
    free(options);
}
