/* play: takes a case to its provider: once for the request, and any number of times for the answer, cut as
 * wanted. It does what the engine does, without a network, and lets somebody look on. */
#ifndef KOINE_TESTS_VENDOR_PLAY_H
#define KOINE_TESTS_VENDOR_PLAY_H

#include "core/plugin/bridge.h"
#include "core/plugin/host.h"
#include "core/plugin/out.h"
#include "core/wire/frame.h"
#include "tests/vendor/case.h"
#include "tests/vendor/trace.h"

#define VENDOR_FUTURE 64 /* bytes by which a later core's structs are larger, see vendor_watch */

/* How providers are called: the direct bridge, or one that answers later, and how to wait for that. */
extern struct koine__bridge *vendor_bridge;
extern void (*vendor_wait)(void);
extern size_t vendor_step; /* of the bytes at which answers are cut: 1, or more where a frame is dear */
/* Answers at once, whatever vendor_bridge does. */
extern struct koine__bridge vendor_patient_bridge;

struct vendor_watch { /* looks on; a NULL member does not */
    void *arg;
    /* Around every call into the provider: "generate.request", "list_models.frame", "fault", … */
    void (*enter)(void *arg, const char *function);
    void (*leave)(void *arg, const char *function, int32_t result);
    /* May put functions of its own into the tables before a provider sees them. */
    void (*host)(void *arg, struct koine__host *host);
    void (*out)(void *arg, struct koine__out *out);
    int32_t framing; /* what is asked for instead of what the case says; 0: nothing else */
    bool future;     /* structs are those of a later core: larger, with bytes that nobody knows behind */
};

struct vendor_play {                  /* one way for the answer's bytes to arrive */
    size_t piece;                     /* bytes in the first push; 0: all */
    size_t pieces;                    /* and in those after it; 0: all that is left */
    size_t len;                       /* where it ends */
    bool clean;                       /* as HTTP says it must */
    const struct vendor_watch *watch; /* NULL: nobody */
};

/* The request as text, and its notices; or why there is none, in the first. */
void vendor_ask(const koine_provider *provider, const struct vendor_case *c, const struct vendor_watch *watch,
                struct koine__buf *ret_request, struct koine__buf *ret_notices);
#define VENDOR_WROTE_STATE "request wrote into its state" /* a line, where it did */
/* The same for the step after the one that the case's answer ends. */
void vendor_ask_next(const koine_provider *provider, const struct vendor_case *c,
                     const struct vendor_watch *watch, struct koine__buf *ret_request,
                     struct koine__buf *ret_notices);
/* What the provider returned for the frame that ended it, else KOINE_DONE. */
int32_t vendor_play_into(const koine_provider *provider, const struct vendor_case *c,
                         const struct vendor_play *way, koine_sink *sink);
void vendor_play_answer(const koine_provider *provider, const struct vendor_case *c,
                        const struct vendor_play *way, struct vendor_trace *ret);

struct vendor_reading { /* one answer being read, frame by frame */
    const koine_provider *provider;
    const struct vendor_case *c;
    struct vendor_play way;
    koine_sink *sink;
    struct koine__arena arena;
    struct koine__host host;
    struct koine__framer framer;
    unsigned char *state; /* owned; guarded at its end */
    size_t state_size;
    size_t pushed;  /* bytes of the body */
    int32_t result; /* of the frame that ended it; else KOINE_DONE */
    bool finished, over;
};

/* What is pointed at must stay until close. */
void vendor_reading_open(struct vendor_reading *self, const koine_provider *provider,
                         const struct vendor_case *c, const struct vendor_play *way, koine_sink *sink);
bool vendor_reading_step(struct vendor_reading *self); /* hands over the next frame; false: there is none */
/* Whether the provider wrote only to the state it asked for. */
bool vendor_reading_in_bounds(const struct vendor_reading *self);
void vendor_reading_close(struct vendor_reading *self);

/* What a usage costs, as a line; the host's prices are those of tests/vendor/README.md. */
void vendor_cost(const koine_provider *provider, const struct vendor_case *c,
                 const koine_provider_usage *usage, const struct vendor_watch *watch, struct koine__buf *ret);

/* The provider's, or that of an instance where there is none. */
const char *vendor_base_url(const koine_provider *provider);
/* The functions of the exchange that the case plays, as vendor_watch names them. */
const char *vendor_request_function(const struct vendor_case *c);
const char *vendor_read_function(const struct vendor_case *c);

#endif
