/* decode: what one event of a stream costs from its bytes to the provider's sink (framing, the strict scan,
 * the dialect), beside json-c's parse of the same text alone. Both in one process, in alternation.
 */
#include "tests/bench/stopwatch.h"

#include "core/plugin/host.h"
#include "core/wire/frame.h"
#include "core/dialect/chat.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    ROUNDS = 21,
    EVENTS = 20000
};

static const char event[] =
    "data: {\"id\":\"chatcmpl-9f0c2b7e51aa4d\",\"object\":\"chat.completion.chunk\",\"created\":1764547200,"
    "\"model\":\"gpt-4o-mini-2024-07-18\",\"system_fingerprint\":\"fp_06737a9306\",\"choices\":[{\"index\":0,"
    "\"delta\":{\"content\":\" token\"},\"logprobs\":null,\"finish_reason\":null}]}\n\n";

static size_t emitted;

static void emit(koine_sink *sink, const koine_provider_event *what)
{
    (void)sink;
    emitted += what->kind == KOINE_EMIT_TEXT ? what->text.len : 0;
}

static koine_str no_header(const koine_frame *frame, const char *name)
{
    (void)frame, (void)name;
    return (koine_str){NULL, 0};
}

struct reading {
    struct koine__framer framer;
    struct koine__arena arena;
    struct koine__host host;
    const koine_dialect *dialect;
    koine_provider provider;
    koine_sink sink;
    void *state;
};

static void read_event(struct reading *r)
{
    struct koine__cut cut;
    const koine_node *root = NULL;
    koine__framer_push(&r->framer, event, sizeof(event) - 1);
    if (koine__framer_next(&r->framer, &cut) != 1)
        abort();
    koine__arena_reset(&r->arena);
    koine__json_read(cut.text, &r->arena, &root, NULL);
    koine_frame frame = {.size = sizeof(frame),
                         .kind = cut.kind,
                         .http_status = 200,
                         .event = cut.event,
                         .text = cut.text,
                         .json = root,
                         .header = no_header};
    koine_read read = {
        .size = sizeof(read), .self = &r->provider, .host = &r->host.pub, .frame = &frame, .state = r->state};
    if (r->dialect->generate->frame(&read, &r->sink) != KOINE_DONE)
        abort();
    koine__framer_next(&r->framer, &cut); /* as the engine asks: there is no more */
}

static void set_up(struct reading *r)
{
    koine__arena_init(&r->arena, 0);
    r->arena.first_block = 4096; /* as a desk has it */
    koine__host_init(&r->host, &(struct koine__host_env){.arena = &r->arena});
    koine__framer_init(&r->framer, KOINE_FRAME_SSE, SIZE_MAX);
    koine__framer_head(&r->framer, 200, (koine_str){"text/event-stream", 17});
    r->dialect = r->host.pub.extension(&r->host.pub, KOINE_CHAT);
    r->provider = (koine_provider){.size = sizeof(r->provider), .id = "bench"};
    r->sink = (koine_sink){.size = sizeof(r->sink), .emit = emit};
    r->state = r->dialect ? calloc(1, r->dialect->generate->state_size) : NULL;
    if (!r->state)
        abort();
}

static double time_ours(struct stopwatch *watch, struct reading *r)
{
    stopwatch_start(watch);
    for (int i = 0; i < EVENTS; i++)
        read_event(r);
    stopwatch_stop(watch);
    return watch->ns / EVENTS;
}

static double time_parse(struct stopwatch *watch, struct json_tokener *tokener)
{
    stopwatch_start(watch);
    for (int i = 0; i < EVENTS; i++) {
        json_tokener_reset(tokener);
        struct json_object *root = json_tokener_parse_ex(tokener, event + 6, (int)sizeof(event) - 1 - 8);
        if (!root)
            abort();
        json_object_put(root);
    }
    stopwatch_stop(watch);
    return watch->ns / EVENTS;
}

int main(void)
{
    double a[ROUNDS], b[ROUNDS], ratios[ROUNDS];
    struct stopwatch watch;
    struct reading r;
    struct json_tokener *tokener = json_tokener_new();
    if (!tokener)
        abort();
    set_up(&r);
    stopwatch_open(&watch);
    time_ours(&watch, &r);
    time_parse(&watch, tokener);
    for (int i = 0; i < ROUNDS; i++) {
        a[i] = time_ours(&watch, &r);
        b[i] = time_parse(&watch, tokener);
        ratios[i] = a[i] / b[i];
    }
    if (emitted == 0)
        abort();
    double ratio = median(ratios, ROUNDS);
    printf("%-44s %7.0f ns %7.0f ns %7.3f %7s %s\n", "decoding an event, beside json-c's parse",
           median(a, ROUNDS), median(b, ROUNDS), ratio, "1.30", ratio <= 1.3 ? "ok" : "MISSED");
    json_tokener_free(tokener);
    koine__framer_release(&r.framer);
    koine__arena_release(&r.arena);
    free(r.state);
    return 0;
}
