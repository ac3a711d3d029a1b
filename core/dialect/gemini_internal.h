/* What the files of the gemini dialect share. Nobody else includes this. */
#ifndef KOINE_CORE_DIALECT_GEMINI_INTERNAL_H
#define KOINE_CORE_DIALECT_GEMINI_INTERNAL_H

#include "core/dialect/dialect.h"
#include <koine/gemini.h>

#define KOINE__GEMINI_KEPT "gemini"       /* the list in a message's `koine` */
#define KOINE__GEMINI_CALL "functionCall" /* type of its marks for calls */

/* ---- Requests ---- */

enum { /* koine__dialect_writing.told: notices that are given once */
    KOINE__TOLD_SYSTEM = 1 << 0,
    KOINE__TOLD_MEMBER = 1 << 1,
    KOINE__TOLD_DETAIL = 1 << 2,
    KOINE__TOLD_EMPTY = 1 << 3,
    KOINE__TOLD_UNSIGNED = 1 << 4,
    KOINE__TOLD_STRICT = 1 << 5
};

struct koine__gemini_writing {
    struct koine__dialect_writing w; /* first */
    koine_gemini_traits traits;
};

static inline struct koine__gemini_writing *koine__gemini_of(const struct koine__dialect_writing *w)
{
    return (struct koine__gemini_writing *)w;
}

/* gemini.c */
void koine__gemini_traits(const koine_provider *self, koine_gemini_traits *ret);
void koine__gemini_head(const koine_ask *ask, const koine_gemini_traits *traits, koine_out *out);
/* koine__dialect_tell by the vendor's traits. */
void koine__gemini_tell(const koine_read *read, const koine_node *told, koine_sink *sink);
koine_str koine__gemini_id(koine_str name); /* of a model, without the folder `models/` */
/* Whether the id begins like one of the NULL-ended list; NULL: it does not. */
bool koine__gemini_is_among(const koine_ask *ask, const char *const *prefixes);

/* gemini_request.c */
int32_t koine__gemini_request(const koine_ask *ask, koine_out *out);

/* gemini_config.c: `generationConfig` */
void koine__gemini_config(struct koine__dialect_writing *w);

/* gemini_thinking.c: how long is thought */
void koine__gemini_thinking(struct koine__dialect_writing *w, const koine_node *effort);
/* Whether calls of an answer must come back with the signature they had. */
bool koine__gemini_wants_signatures(const struct koine__dialect_writing *w);

/* gemini_turns.c: `systemInstruction` and `contents` */
void koine__gemini_turns(struct koine__dialect_writing *w);

/* gemini_parts.c: content */
void koine__gemini_text(struct koine__dialect_writing *w, koine_str text, const koine_node *signature);
void koine__gemini_part(struct koine__dialect_writing *w, const koine_node *part);

/* gemini_tools.c: `tools` and `toolConfig` */
void koine__gemini_tools(struct koine__dialect_writing *w, const koine_node *tools);
void koine__gemini_tool_config(struct koine__dialect_writing *w);

/* gemini_calls.c: calls and their results. `placeholder`: in the place of a signature that is not known. */
void koine__gemini_call(struct koine__dialect_writing *w, const koine_node *call, const koine_node *signature,
                        bool placeholder);
void koine__gemini_result(struct koine__dialect_writing *w, const koine_node *messages, size_t at);

/* ---- Answers ---- */

struct koine__gemini_counts { /* as the vendor tells them; -1: not told */
    int64_t prompt, tool_prompt, cached, candidates, thoughts;
    int64_t audio_prompt, image_prompt, audio_cached, image_cached, audio_candidates;
};

/* What is remembered of an answer between its frames. The core copies it byte by byte: no pointers. */
struct koine__gemini_state {
    uint8_t started;                     /* START was given */
    uint8_t content;                     /* something to deliver was given */
    uint8_t tier;                        /* the service tier was given */
    uint8_t done;                        /* STOP or a fault was given: the rest is drained */
    uint8_t counted;                     /* the counts mean something */
    struct koine__dialect_reason reason; /* finishReason */
    int32_t calls;
    struct koine__dialect_place place;
    struct koine__gemini_counts counts;
};

/* An answer while one frame of it is read. */
struct koine__gemini_answer {
    const koine_read *read;
    const koine_host *host;
    koine_sink *sink;
    struct koine__gemini_state *state;
};

/* gemini_answer.c */
int32_t koine__gemini_frame(const koine_read *read, koine_sink *sink);

/* gemini_pieces.c: one part of the answer's content */
void koine__gemini_piece(struct koine__gemini_answer *a, const koine_node *part);

/* gemini_usage.c: what the vendor counts, so far */
void koine__gemini_usage(struct koine__gemini_answer *a, const koine_node *usage);

/* gemini_models.c */
extern const koine_exchange koine__gemini_models;

#endif
