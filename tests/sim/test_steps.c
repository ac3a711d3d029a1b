/* Providers of the test's own: a list of models in pages, and plugins that do what none may do. */
#include "tests/sim/world.h"
#include "tests/unit/failalloc.h"
#include "tests/unit/suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Pages: {"ids":["x","y"],"next":"cursor"} ---- */

struct pages_state {
    int frames; /* read in this step; must be 0 at the start of every attempt of it */
    char cursor[16];
};

static int32_t pages_request(const koine_ask *ask, koine_out *out)
{
    const struct pages_state *state = ask->state;
    char text[32];
    snprintf(text, sizeof(text), "%u.%d", ask->step, state->frames);
    out->path(out, "/models");
    out->query(out, "at", (koine_str){text, strlen(text)});
    if (state->cursor[0])
        out->query(out, "after", (koine_str){state->cursor, strlen(state->cursor)});
    return KOINE_DONE;
}

static void emit_ids(const koine_read *read, koine_sink *sink)
{
    const koine_host *host = read->host;
    const koine_node *ids = host->get(read->frame->json, "ids");
    for (size_t i = 0; i < host->count(ids); i++) {
        koine_model_info info = {.size = sizeof(info),
                                 .id = host->str(host->at(ids, i)),
                                 .created = -1,
                                 .context = (int64_t)read->step + 1, /* 0 would not be told */
                                 .max_output = -1};
        koine_provider_event event = {
            .size = sizeof(event), .kind = KOINE_EMIT_MODEL, .index = -1, .retry_ms = -1, .model = &info};
        sink->emit(sink, &event);
    }
}

static int32_t pages_frame(const koine_read *read, koine_sink *sink)
{
    struct pages_state *state = read->state;
    state->frames++;
    if (read->frame->kind != KOINE_FRAME_WHOLE)
        return KOINE_DONE;
    koine_str next = read->host->str(read->host->get(read->frame->json, "next"));
    if (!read->frame->json)
        return KOINE_PROTOCOL;
    emit_ids(read, sink);
    if (next.len == 0)
        return KOINE_DONE;
    memset(state->cursor, 0, sizeof(state->cursor));
    memcpy(state->cursor, next.ptr, next.len < sizeof(state->cursor) ? next.len : sizeof(state->cursor) - 1);
    state->frames = 0;
    return KOINE_MORE;
}

static int32_t no_cost(const koine_cost_query *query, koine_provider_cost *ret)
{
    return query->host->price(query, ret);
}

static const koine_exchange pages = {.size = sizeof(pages),
                                     .state_size = sizeof(struct pages_state),
                                     .request = pages_request,
                                     .frame = pages_frame};
static const koine_provider paging = {.size = sizeof(paging),
                                      .id = "together",
                                      .generate = &pages,
                                      .list_models = &pages,
                                      .calculate_cost = no_cost};

static const char *ids_of(const struct world_call *call)
{
    static char text[512];
    const struct koine_response *response = world_response(call);
    text[0] = '\0';
    for (size_t i = 0; response && i < response->model_count; i++) {
        size_t used = strlen(text);
        snprintf(text + used, sizeof(text) - used, "%s%s@%d", i ? " " : "", response->models[i].id,
                 (int)response->models[i].context);
    }
    return text;
}

static void three_pages(void)
{
    struct world *world = WORLD({ANSWER("?at=0.0", 200, "{\"ids\":[\"x\",\"y\"],\"next\":\"k1\"}")},
                                {ANSWER("?at=1.0&after=k1", 200, "{\"ids\":[\"z\"],\"next\":\"k2\"}")},
                                {ANSWER("?at=2.0&after=k2", 200, "{\"ids\":[\"u\",\"v\"]}")});
    world->together.provider = &paging;
    struct world_call *call = ASK(world, .list = true, .complete = true, .targets = 1);
    world_run(world);
    ASSERT_STR(call->trace, "stop  together/a");
    ASSERT_STR(ids_of(call), "x@1 y@1 z@2 u@3 v@3");
    ASSERT_STR(world_sends(world), "0 together | 0 together | 0 together");
    ASSERT_STR(world_rows(call), "together/a 200 ok 0 | together/a 200 ok 0 | together/a 200 ok 0");
    ASSERT_STR(world_cost(call), "0"); /* lists cost nothing */
    ASSERT_STR(world_sent(world, 0)->method, "GET");
    world_free(world);
}

/* A page that fails is asked for again, from where the page began. */
static void a_page_again(void)
{
    struct world *world = WORLD(
        {ANSWER("?at=0.0", 200, "{\"ids\":[\"x\"],\"next\":\"k1\"}")},
        {ANSWER("?at=1.0&after=k1", 500, "{}")}, {ANSWER("?at=1.0&after=k1", 200, "{\"ids\":[\"lost\"]")},
        {ANSWER("?at=1.0&after=k1", 200, "{\"ids\":[\"z\"],\"next\":\"k2\"}")},
        {ANSWER("?at=2.0&after=k2", 503, "{}")}, {ANSWER("?at=2.0&after=k2", 200, "{\"ids\":[\"u\"]}")});
    world->together.provider = &paging;
    struct world_call *call = ASK(world, .list = true, .complete = true, .targets = 1);
    world_run(world);
    ASSERT_STR(ids_of(call), "x@1 z@2 u@3");
    /* Retries are counted anew for each page. */
    ASSERT_STR(call->trace,
               "retry together/a 1000 | retry together/a 2000 | retry together/a 1000 | stop  together/a");
    world_free(world);
}

static void many_pages_are_no_retries(void)
{
    const struct koine__replay_answer answer = {.repeat = true,
                                                ANSWER("?at=", 200, "{\"ids\":[\"x\"],\"next\":\"k\"}")};
    struct world *world = world_new(&answer, 1);
    world->together.provider = &paging;
    struct world_call *call = ASK(world, .list = true, .complete = true, .targets = 1);
    world_run(world);
    ASSERT_STR(call->trace, "fault plugin together/a"); /* but there is an end */
    ASSERT_INT(world_send_count(world), 1001);
    world_free(world);
}

static void pages_of_the_next_target(void)
{
    struct world *world =
        WORLD({ANSWER("?at=0.0", 200, "{\"ids\":[\"x\"],\"next\":\"k1\"}")},
              {ANSWER("?at=1.0&after=k1", 401, "{}")},
              {ANSWER(OPENAI "v1/models", 200, "{\"data\":[{\"id\":\"gpt\",\"created\":7}]}")});
    world->together.provider = &paging;
    struct world_call *call = ASK(world, .list = true, .complete = true, .targets = 2);
    world_run(world);
    ASSERT_STR(call->trace, "switch openai/b | stop  openai/b");
    ASSERT_STR(ids_of(call), "gpt@-1"); /* nothing of the first one's */
    world_free(world);
}

static void slow_pages(void)
{
    struct world *world = WORLD({ANSWER("?at=0.0", 200, "{\"ids\":[\"x\"],\"next\":\"k1\"}")},
                                {ANSWER("?at=1.0&after=k1", 200, "{\"ids\":[\"z\"]}")});
    world->together.provider = &paging;
    world_slow(world, WORLD_MS(10));
    struct world_call *call = ASK(world, .list = true, .complete = true, .targets = 1);
    world_run(world);
    ASSERT_STR(ids_of(call), "x@1 z@2");
    world_free(world);
}

static void pages_without_memory(void)
{
    const struct koine__replay_answer answers[] = {
        {ANSWER("?at=0.0", 200, "{\"ids\":[\"a\",\"b\",\"c\",\"d\"],\"next\":\"k1\"}")},
        {ANSWER("?at=1.0&after=k1", 200, "{\"ids\":[\"e\",\"f\"],\"next\":\"k2\"}")},
        {ANSWER("?at=2.0&after=k2", 200, "{\"ids\":[\"g\",\"h\",\"i\"]}")}};
    long n = 0;
    do {
        failalloc_begin(++n);
        struct world *world = world_new(answers, 3);
        if (world)
            world->together.provider = &paging;
        struct world_call *call = world ? ASK(world, .list = true, .complete = true, .targets = 1) : NULL;
        if (call) {
            world_run(world);
            CU_ASSERT(strcmp(ids_of(call), "a@1 b@1 c@1 d@1 e@2 f@2 g@3 h@3 i@3") == 0 ||
                      strstr(call->trace, "fault memory"));
        }
        if (world)
            world_free(world);
    } while (failalloc_end());
}

/* ---- Plugins without manners: the model's name says which ---- */

static bool is(koine_str text, const char *word)
{
    return text.len == strlen(word) && memcmp(text.ptr, word, text.len) == 0;
}

static int32_t rude_request(const koine_ask *ask, koine_out *out)
{
    if (is(ask->model, "no path"))
        return KOINE_DONE;
    out->path(out, "/x");
    if (is(ask->model, "half a body"))
        out->open(out, NULL, '{');
    if (is(ask->model, "two lines"))
        out->header(out, "x-a", (koine_str){"1\n2", 3});
    if (is(ask->model, "unsupported")) {
        out->fail(out, (koine_str){"no audio here", 13});
        return KOINE_UNSUPPORTED;
    }
    if (is(ask->model, "invalid"))
        return KOINE_INVALID;
    if (is(ask->model, "no memory"))
        return KOINE_NO_MEMORY;
    return is(ask->model, "strange") ? 77 : KOINE_DONE;
}

static void emit(koine_sink *sink, int32_t kind, int32_t code, const char *text)
{
    koine_provider_event event = {.size = sizeof(event),
                                  .kind = kind,
                                  .index = -1,
                                  .code = code,
                                  .retry_ms = -1,
                                  .text = {text, strlen(text)}};
    sink->emit(sink, &event);
}

static int32_t rude_frame(const koine_read *read, koine_sink *sink)
{
    koine_provider_event sizeless = {.size = 4, .kind = KOINE_EMIT_TEXT};
    if (read->frame->kind != KOINE_FRAME_WHOLE)
        return is(read->model, "after all") ? 99 : KOINE_DONE;
    if (is(read->model, "late")) {
        emit(sink, KOINE_EMIT_TEXT, 0, "Hel");
        emit(sink, KOINE_EMIT_STOP, KOINE_STOP_END, "stop");
        emit(sink, KOINE_EMIT_TEXT, 0, "lo");
    }
    if (is(read->model, "two stops")) {
        emit(sink, KOINE_EMIT_STOP, KOINE_STOP_END, "stop");
        emit(sink, KOINE_EMIT_STOP, KOINE_STOP_END, "stop");
    }
    if (is(read->model, "sizeless"))
        sink->emit(sink, &sizeless);
    if (is(read->model, "cancelled"))
        emit(sink, KOINE_EMIT_FAULT, KOINE_CLASS_CANCELLED, "ha");
    if (is(read->model, "unknown event")) {
        emit(sink, 4711, 0, "from the future");
        emit(sink, KOINE_EMIT_STOP, 99, "a reason\nof its own");
    }
    if (is(read->model, "step after text")) {
        emit(sink, KOINE_EMIT_TEXT, 0, "Hel");
        return KOINE_MORE;
    }
    if (is(read->model, "out of memory"))
        return KOINE_NO_MEMORY;
    return is(read->model, "nonsense") ? -99 : KOINE_DONE;
}

static int32_t rude_cost(const koine_cost_query *query, koine_provider_cost *ret)
{
    (void)query;
    ret->state = 42;
    ret->picodollars = 1;
    return -1;
}

static int32_t rude_fault(const koine_read *read, koine_sink *sink)
{
    (void)sink;
    CU_ASSERT_PTR_NULL(read->state);
    return is(read->model, "fault without memory") ? KOINE_NO_MEMORY : 5;
}

static const koine_exchange rude_exchange = {
    .size = sizeof(rude_exchange), .request = rude_request, .frame = rude_frame};
static koine_provider rude = {.size = sizeof(rude),
                              .id = "together",
                              .generate = &rude_exchange,
                              .list_models = &rude_exchange,
                              .calculate_cost = rude_cost,
                              .fault = rude_fault};

/* What one such plugin comes to. */
static void behaves(const char *model, int status, const char *trace, const char *message)
{
    struct koine__replay_chunk chunk = {0, KOINE__STR("{}")};
    const struct koine__replay_answer answer = {
        .match = TOGETHER, .status = status, .repeat = true, .chunks = &chunk, .chunk_count = status != 502};
    struct world *world = world_new(&answer, 1);
    world->together.provider = &rude;
    world->together.retry.max_retries = 0;
    world->targets[0].model = model;
    struct world_call *call = ASK(world, .targets = 1, .whole = true);
    world_run(world);
    ASSERT_STR(call->trace, trace);
    ASSERT_STR(world_message(call), message);
    world_free(world);
}

static void broken_requests(void)
{
    behaves("no path", 200, "fault plugin together/a",
            "plugin together wrote a wrong request: a request without a path");
    behaves("half a body", 200, "fault plugin together/a",
            "plugin together wrote a wrong request: the JSON body is not one whole value");
    behaves("two lines", 200, "fault plugin together/a",
            "plugin together wrote a wrong request: a header's value holds control characters");
    behaves("strange", 200, "fault plugin together/a", "the provider wrote no request");
    behaves("unsupported", 200, "fault unsupported together/a", "no audio here");
    behaves("invalid", 200, "fault invalid together/a", "the provider wrote no request");
    behaves("no memory", 200, "fault memory together/a", "the provider wrote no request");
}

static void broken_answers(void)
{
    behaves("late", 200, "start together/a  | text Hel | fault plugin 200 together/a",
            "the plugin emitted an event after its stop");
    behaves("two stops", 200, "fault plugin 200 together/a", "the plugin emitted an event after its stop");
    behaves("sizeless", 200, "fault plugin 200 together/a",
            "the plugin emitted an event that does not say its size");
    behaves("nonsense", 200, "fault plugin 200 together/a", "plugin together returned -99 for a frame");
    behaves("cancelled", 200, "fault server 200 together/a", "ha");
    behaves("step after text", 200, "start together/a  | text Hel | fault plugin 200 together/a",
            "plugin together asked for another step after content");
    behaves("out of memory", 200, "fault memory 200 together/a", "no memory for the answer");
    behaves("silent", 200, "fault protocol 200 together/a", "the answer holds no whole answer");
    behaves("after all", 200, "fault protocol 200 together/a", "the answer holds no whole answer");
    behaves("unknown event", 200, "stop other together/a", "");
}

/* An error answer that the plugin cannot classify is classified by its status. */
static void faults_by_status(void)
{
    static const struct {
        int status;
        const char *trace;
    } table[] = {
        {400, "fault invalid 400 together/a"},    {401, "fault auth 401 together/a"},
        {402, "fault billing 402 together/a"},    {403, "fault auth 403 together/a"},
        {404, "fault model_gone 404 together/a"}, {408, "fault server 408 together/a"},
        {409, "fault server 409 together/a"},     {413, "fault context_length 413 together/a"},
        {418, "fault invalid 418 together/a"},    {429, "fault rate_limit 429 together/a"},
        {498, "fault overloaded 498 together/a"}, {500, "fault server 500 together/a"},
        {503, "fault overloaded 503 together/a"}, {529, "fault overloaded 529 together/a"},
        {599, "fault server 599 together/a"},
    };
    for (int with = 0; with < 2; with++) {
        rude.fault = with ? rude_fault : NULL;
        for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
            behaves("m", table[i].status, table[i].trace, "{}");
    }
    behaves("m", 502, "fault server 502 together/a", "HTTP status 502, and no words");
    behaves("fault without memory", 500, "fault memory 500 together/a", "no memory to read the answer");
}

static void a_price_that_is_none(void)
{
    struct world *world = WORLD({ANSWER(TOGETHER, 200, "{}")});
    world->together.provider = &rude;
    world->targets[0].model = "unknown event";
    struct world_call *call = ASK(world, .targets = 1, .whole = true);
    world_run(world);
    ASSERT_STR(world_cost(call), "~unpriced");
    ASSERT_STR(koine_response_finish_raw(world_response(call)), "a reason of its own");
    world_free(world);
}

SUITE_MAIN("sim steps", {"three pages", three_pages}, {"a page again", a_page_again},
           {"many pages are no retries", many_pages_are_no_retries},
           {"pages of the next target", pages_of_the_next_target}, {"slow pages", slow_pages},
           {"pages without memory", pages_without_memory}, {"broken requests", broken_requests},
           {"broken answers", broken_answers}, {"faults by status", faults_by_status},
           {"a price that is none", a_price_that_is_none})
