/* What the files of the messages dialect share. Nobody else includes this. */
#ifndef KOINE_CORE_DIALECT_MESSAGES_INTERNAL_H
#define KOINE_CORE_DIALECT_MESSAGES_INTERNAL_H

#include "core/dialect/dialect.h"
#include <koine/messages.h>

#define KOINE__MESSAGES_KEPT "messages" /* the list in a message's `koine` */
#define KOINE__MESSAGES_CALL "tool_use" /* type of its marks for calls */

/* ---- Requests ---- */

enum {
    KOINE__THINK_NO,     /* nothing of ours: the document says itself what it wants, or nothing */
    KOINE__THINK_BUDGET, /* so many tokens */
    KOINE__THINK_EFFORT  /* as much as the model sees fit, in the limits of an effort */
};

enum { /* koine__dialect_writing.told: notices that are given once */
    KOINE__TOLD_SYSTEM = 1 << 0,
    KOINE__TOLD_MEMBER = 1 << 1,
    KOINE__TOLD_DETAIL = 1 << 2,
    KOINE__TOLD_EMPTY = 1 << 3
};

struct koine__messages_writing {
    struct koine__dialect_writing w; /* first */
    koine_messages_traits traits;
    int think; /* KOINE__THINK_*, what became of reasoning_effort */
    int64_t budget;
    const char *effort;
};

static inline struct koine__messages_writing *koine__messages_of(const struct koine__dialect_writing *w)
{
    return (struct koine__messages_writing *)w;
}

/* messages.c */
void koine__messages_traits(const koine_provider *self, koine_messages_traits *ret);
void koine__messages_head(const koine_ask *ask, const koine_messages_traits *traits, const char *path,
                          koine_out *out);
/* koine__dialect_tell by the vendor's traits. */
void koine__messages_tell(const koine_read *read, const koine_node *told, koine_sink *sink);

/* messages_request.c */
int32_t koine__messages_request(const koine_ask *ask, koine_out *out);

/* messages_limits.c: how much may be written, how long is thought, what shape it takes */
void koine__messages_limits(struct koine__dialect_writing *w);

/* messages_turns.c: `system` and `messages` */
void koine__messages_turns(struct koine__dialect_writing *w);

/* messages_parts.c: content */
void koine__messages_text(struct koine__dialect_writing *w, koine_str text); /* a text block */
void koine__messages_part(struct koine__dialect_writing *w, const koine_node *part);
void koine__messages_block(struct koine__dialect_writing *w, const koine_node *block); /* one of them */

/* messages_tools.c */
void koine__messages_tools(struct koine__dialect_writing *w, const koine_node *tools);
void koine__messages_choice(struct koine__dialect_writing *w, const koine_node *choice);
void koine__messages_call(struct koine__dialect_writing *w, const koine_node *call);
void koine__messages_result(struct koine__dialect_writing *w, const koine_node *message);

/* ---- Answers ---- */

enum {                    /* koine__messages_state.block */
    KOINE__BLOCK_NONE,    /* between blocks */
    KOINE__BLOCK_OPEN,    /* one that has nothing to add up */
    KOINE__BLOCK_TOOL,    /* a call, whose arguments come in pieces */
    KOINE__BLOCK_SIGNED,  /* thinking that is kept: its text comes in pieces, */
    KOINE__BLOCK_SIGNING, /* then its signature */
    KOINE__BLOCK_SERVER   /* a call of one of the vendor's own tools, kept */
};

/* What is remembered of an answer between its frames. The core copies it byte by byte: no pointers. */
struct koine__messages_state {
    uint8_t started;                     /* START was given */
    uint8_t content;                     /* something to deliver was given */
    uint8_t tier;                        /* the service tier was given */
    uint8_t done;                        /* STOP or a fault was given: the rest is drained */
    uint8_t counted;                     /* the counts below mean something */
    uint8_t block;                       /* KOINE__BLOCK_* */
    uint8_t pieces;                      /* of the block's input came */
    struct koine__dialect_reason reason; /* stop_reason */
    int32_t index;                       /* of the block */
    struct koine__dialect_place place;
    int64_t input, cache_read, cache_write, output, reasoning;
};

/* An answer while one frame of it is read. */
struct koine__messages_answer {
    const koine_read *read;
    const koine_host *host;
    koine_sink *sink;
    struct koine__messages_state *state;
};

/* messages_answer.c */
int32_t koine__messages_frame(const koine_read *read, koine_sink *sink);
void koine__messages_piece(struct koine__messages_answer *a, int32_t kind, koine_str text);
void koine__messages_extra(struct koine__messages_answer *a, const char *name, const koine_node *value);

/* messages_blocks.c: KOINE_DONE or KOINE_PROTOCOL */
int32_t koine__messages_whole_block(struct koine__messages_answer *a, const koine_node *block, int32_t index);
int32_t koine__messages_block_start(struct koine__messages_answer *a, const koine_node *event);
int32_t koine__messages_block_delta(struct koine__messages_answer *a, const koine_node *event);
int32_t koine__messages_block_stop(struct koine__messages_answer *a, const koine_node *event);

/* messages_usage.c: what the vendor counts; `ended`: the output is counted to its end */
void koine__messages_usage(struct koine__messages_answer *a, const koine_node *usage, bool ended);

/* messages_models.c */
extern const koine_exchange koine__messages_models;

#endif
