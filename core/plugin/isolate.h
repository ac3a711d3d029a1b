/* isolate: what the core and the process of an isolated plugin (its helper) say to each other.
 *
 * The core says HELLO once and has READY or REFUSED for an answer. Then it gives one JOB at a time, and has
 * DONE for an answer; in between the helper may LOG, and may ask what a PRICE or a HEADER is. What a provider
 * writes and emits is recorded there and played here, into the same tables that a plugin in this process is
 * given: so the same rules hold, and no key, file or socket is ever needed on the other side.
 *
 * Nothing of an exchange stays in the helper: its state travels, so another helper can go on with it.
 */
#ifndef KOINE_CORE_PLUGIN_ISOLATE_H
#define KOINE_CORE_PLUGIN_ISOLATE_H

#include "core/base/mem.h"
#include "core/plugin/bridge.h"
#include "core/plugin/pack.h"

#define KOINE__ISOLATE_LIMIT  ((size_t)128 << 20) /* of a job and of its answer */
#define KOINE__ISOLATE_TABLES ((size_t)1 << 20)   /* of everything else */
#define KOINE__ISOLATE_SOCKET 3                   /* the helper's descriptors */
#define KOINE__ISOLATE_OBJECT 4

enum koine__isolate_kind {
    KOINE__ISOLATE_HELLO = 1, /* build, the file as messages name it */
    KOINE__ISOLATE_JOB,
    KOINE__ISOLATE_PRICED,
    KOINE__ISOLATE_HEADED,
    KOINE__ISOLATE_READY = 65, /* the tables */
    KOINE__ISOLATE_REFUSED,    /* one line that begins with the file */
    KOINE__ISOLATE_LOG,        /* level, text */
    KOINE__ISOLATE_PRICE,      /* a query */
    KOINE__ISOLATE_HEADER,     /* a name */
    KOINE__ISOLATE_DONE
};

/* What must be the same on both sides: version, entry, sizes. */
#define KOINE__ISOLATE_BUILD 128
void koine__isolate_build(char ret[KOINE__ISOLATE_BUILD]);

/* isolate_tables.c: what a provider says of itself, without its functions. */
void koine__isolate_pack_tables(struct koine__buf *buf, const koine_provider *const *providers, size_t count);
/* Tables in the arena whose functions are those of `functions`. 0, KOINE_EARGUMENT: malformed, KOINE_EMEMORY.
 */
int koine__isolate_unpack_tables(struct koine__unpack *unpack, struct koine__arena *arena,
                                 const koine_provider *functions, koine_provider *ret, size_t capacity,
                                 size_t *ret_count);

/* isolate_job.c: a job as it crosses. */
struct koine__isolate_job {
    enum koine__job_kind kind;
    uint32_t provider; /* index of its table */
    bool lists;        /* exchange list_models, else generate */
    koine_ask ask;     /* size, framing, step, model */
    koine_str doc;     /* its text; ptr NULL: none */
    koine_read read;   /* size, step, model */
    koine_frame frame; /* all but json and header */
    bool has_json;
    koine_str state; /* ptr NULL: none */
    koine_cost_query query;
    koine_provider_usage usage;
    struct koine__unpack options; /* so many pairs of texts */
    uint32_t option_count;
};
void koine__isolate_pack_job(struct koine__buf *buf, const struct koine__job *job, uint32_t provider);
/* False: malformed. Texts point into the message. */
bool koine__isolate_unpack_job(struct koine__unpack *unpack, struct koine__isolate_job *ret);
const char *koine__isolate_option(const struct koine__isolate_job *job, const char *name); /* NULL: none */

void koine__isolate_pack_usage(struct koine__buf *buf, const koine_provider_usage *usage);
void koine__isolate_unpack_usage(struct koine__unpack *unpack, koine_provider_usage *ret);
void koine__isolate_pack_query(struct koine__buf *buf, const koine_cost_query *query);
void koine__isolate_unpack_query(struct koine__unpack *unpack, koine_cost_query *ret,
                                 koine_provider_usage *ret_usage);
void koine__isolate_pack_cost(struct koine__buf *buf, int32_t answer, const koine_provider_cost *cost);
int32_t koine__isolate_unpack_cost(struct koine__unpack *unpack, koine_provider_cost *ret);

/* isolate_acts.c: what a provider writes and emits. */
struct koine__recorder { /* appends to `buf`, whose failures stick */
    koine_out out;
    koine_sink sink;
    struct koine__buf *buf;
    const koine_host *host; /* for nodes: their source */
};
void koine__recorder_init(struct koine__recorder *recorder, struct koine__buf *buf, const koine_host *host);
/* Plays all that was recorded into either (NULL: an act that needs it is malformed). False: malformed. `host`
 * parses; its memory holds what is parsed. */
bool koine__isolate_play(struct koine__unpack *unpack, const koine_host *host, koine_out *out,
                         koine_sink *sink);

/* isolate_done.c: an answer: what the provider returned, its cost, its state where that changed, its acts. */
void koine__isolate_pack_done(struct koine__buf *buf, int32_t answer, const koine_provider_cost *cost,
                              koine_str state);
/* Fills the job and plays into its out or sink. False: malformed. */
bool koine__isolate_unpack_done(struct koine__unpack *unpack, struct koine__job *job);

#endif
