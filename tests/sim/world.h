/* world: the real engine on a virtual clock, with a script for a network.
 *
 * Two instances, `together` and `openai`, with the providers that ship linked in, and the settings that hold
 * by default but for jitter, which is none. A run is its traces: what the application read, what was sent and
 * when, and the rows of the ledger. A run that would never end fails the test instead.
 */
#ifndef KOINE_TESTS_SIM_WORLD_H
#define KOINE_TESTS_SIM_WORLD_H

#include "core/engine/call.h"
#include "core/money/budget.h"
#include "core/policy/pool.h"
#include "core/wire/transport_replay.h"

#define WORLD_CALLS   64
#define WORLD_TARGETS 3
#define WORLD_MS(n)   ((n)*KOINE__MS)
#define WORLD_WALL    INT64_C(1735732800) /* 2025-01-01T12:00:00Z, when the virtual clock says 0 */

/* ---- Scripts ---- */

#define TOGETHER "//together.test/"
#define OPENAI   "//openai.test/"

/* A piece of a body, so many milliseconds after what came before it. */
#define PIECE(ms, literal)                                                                                   \
    {                                                                                                        \
        .after = WORLD_MS(ms), .bytes = {(literal), sizeof(literal) - 1 }                                    \
    }
#define BODY(...)                                                                                            \
    .chunks = (const struct koine__replay_chunk[]){__VA_ARGS__},                                             \
    .chunk_count =                                                                                           \
        sizeof((const struct koine__replay_chunk[]){__VA_ARGS__}) / sizeof(struct koine__replay_chunk)
#define HEADERS(...)                                                                                         \
    .headers = (const struct koine__header[]){__VA_ARGS__},                                                  \
    .header_count = sizeof((const struct koine__header[]){__VA_ARGS__}) / sizeof(struct koine__header)
#define HEADER(name, value)                                                                                  \
    {                                                                                                        \
        {(name), sizeof(name) - 1},                                                                          \
        {                                                                                                    \
            (value), sizeof(value) - 1                                                                       \
        }                                                                                                    \
    }
#define ANSWER(where, code, literal) .match = (where), .status = (code), BODY(PIECE(0, literal))
#define ERROR(words)                 "{\"error\":{\"message\":\"" words "\",\"type\":\"t\",\"param\":null,\"code\":null}}"

/* Whole answers and chunks of streamed ones. `model` and text stand as they are in the JSON. */
#define CHUNK(model, delta, finish)                                                                          \
    "data: {\"id\":\"r1\",\"model\":\"" model "\",\"choices\":[{\"index\":0,\"delta\":" delta                \
    ",\"finish_reason\":" finish "}]}\n\n"
#define ROLE(model)         CHUNK(model, "{\"role\":\"assistant\",\"content\":\"\"}", "null")
#define TEXT(model, words)  CHUNK(model, "{\"content\":\"" words "\"}", "null")
#define FINISH(model, word) CHUNK(model, "{}", "\"" word "\"")
#define USAGE(in, out)                                                                                       \
    "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":" #in ",\"completion_tokens\":" #out "}}\n\n"
#define DONE          "data: [DONE]\n\n"
#define STREAM(model) ROLE(model) TEXT(model, "Hel") TEXT(model, "lo") FINISH(model, "stop") USAGE(3, 2) DONE
#define WHOLE(model)                                                                                         \
    "{\"id\":\"r1\",\"model\":\"" model "\",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\","  \
    "\"content\":\"Hello\"},\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":3,"                    \
    "\"completion_tokens\":2}}"

/* What an application reads of STREAM and of WHOLE. */
#define READ_STREAM(target, model)                                                                           \
    "start " target " " model " | text Hel | text lo | usage 3/2 | stop stop " target
#define READ_WHOLE(target, model) "start " target " " model " | text Hello | usage 3/2 | stop stop " target

/* ---- The world ---- */

struct world_call {
    struct koine_call *call; /* NULL: freed */
    struct world *world;
    char trace[1 << 14]; /* what the application read, cut if longer */
    int terminals, events;
    size_t sent_at_content; /* requests of the world when the first content was read */
    bool has_content;
    int64_t ended_ms;
};

struct world {
    int64_t now;
    struct koine__clock clock;
    struct koine__loop *loop;
    struct koine__transport *transport;
    struct koine__engine engine;
    struct koine__pool pool;
    struct koine__states *states; /* NULL: no policy keeps anything */
    struct koine__witness witness;
    char happened[1 << 12]; /* what policies told: "latched together auth 300000 | " */
    struct koine__calls calls;
    struct koine__log log;
    char logged[1 << 14];
    struct koine__catalogue *catalogue;
    struct koine__secret *keys[2];
    struct koine__instance together, openai;
    struct koine__target targets[WORLD_TARGETS]; /* together/a, openai/b, openai/c */
    struct koine__route route;
    bool deaf; /* the application reads no event */
    struct world_call asked[WORLD_CALLS];
    size_t asked_count;
    char text[1 << 14]; /* of what is returned below */
    struct koine__bridge slow_bridge;
    int64_t slow_by;
    size_t jobs, jobs_under_way;
    size_t plans; /* that calls still hold */
};

/* NULL: no memory (only where allocations are made to fail). The script is borrowed. */
struct world *world_new(const struct koine__replay_answer *answers, size_t count);
#define WORLD(...)                                                                                           \
    world_new((const struct koine__replay_answer[]){__VA_ARGS__},                                            \
              sizeof((const struct koine__replay_answer[]){__VA_ARGS__}) /                                   \
                  sizeof(struct koine__replay_answer))
void world_free(struct world *world);
/* From now on the instances have the policies that hold by default, and these limits (NULL: none). Called
 * again, after a change to an instance, it finds the state as it was. */
void world_police(struct world *world, const struct koine__limiter_config *limits);
/* From now on every provider answers so much later. */
void world_slow(struct world *world, int64_t by);

struct world_ask {        /* what is left out is as by default: a stream, committed with its first content */
    const char *document; /* NULL: {"messages":[{"role":"user","content":"Hi"}]} */
    bool whole, complete, list;
    size_t targets;      /* of the three; 0: the first two */
    int64_t deadline;    /* ns; 0: 600 s */
    int64_t hedge_after; /* ns; 0: never */
    struct koine__typed_fallback typed;
    int64_t max_attempts;
    koine_canceller *canceller;
    struct koine__purse *purse;             /* becomes the call's */
    const struct koine__approval *approval; /* NULL: nothing is asked */
};
/* Starts a call. NULL: no memory. */
struct world_call *world_ask(struct world *world, const struct world_ask *ask);
#define ASK(world, ...) world_ask((world), &(struct world_ask){__VA_ARGS__})
void world_drop(struct world_call *asked); /* frees the call */

/* Moves everything until that moment, or until every call has ended, and then on to see that it stays so. */
void world_until(struct world *world, int64_t ms);
void world_run(struct world *world);

/* ---- What became of it; valid until the next of these ---- */

const char *world_sends(struct world *world); /* "0 together | 1000 together | 3000 openai" */
size_t world_send_count(const struct world *world);
const struct koine__replay_seen *world_sent(const struct world *world, size_t index);
const koine_response *world_response(const struct world_call *asked);
const char *world_rows(
    struct world_call *asked); /* "together/a 503 overloaded 0 | openai/b 200 ok 1770000" */
const char *world_cost(struct world_call *asked);    /* "1770000"; "~": estimated; "free"; "unpriced" */
const char *world_message(struct world_call *asked); /* of its error, or "" */
const char *world_text(struct world_call *asked);    /* of its response, or of what there was of one */

#endif
