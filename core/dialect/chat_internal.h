/* What the files of the chat dialect share. Nobody else includes this. */
#ifndef KOINE_CORE_DIALECT_CHAT_INTERNAL_H
#define KOINE_CORE_DIALECT_CHAT_INTERNAL_H

#include "core/dialect/dialect.h"
#include <koine/chat.h>

/* What is remembered of an answer between its frames. The core copies it byte by byte: no pointers. */
struct koine__chat_state {
    uint8_t started; /* START was given */
    uint8_t content; /* something to deliver was given */
    uint8_t tier;    /* the service tier was given */
    uint8_t done;    /* STOP or a fault was given, or the answer cannot be read: the rest is drained */
    struct koine__dialect_reason finish; /* finish_reason */
    int32_t kept;                        /* values that the vendor wants back */
};

/* An answer while one frame of it is read. */
struct koine__chat_answer {
    const koine_read *read;
    const koine_host *host;
    koine_sink *sink;
    struct koine__chat_state *state;
    bool whole; /* the frame is a whole answer, not a chunk of one */
};

struct koine__chat_id { /* of a tool call */
    koine_str told, sent;
};

/* A request while it is written. */
struct koine__chat_writing {
    const koine_ask *ask;
    const koine_host *host;
    koine_out *out;
    koine_chat_traits traits;
    bool renamed;               /* a message's role, */
    bool readdressed;           /* ids of tool calls, */
    bool silenced;              /* content beside tool calls */
    struct koine__chat_id *ids; /* where the vendor takes only some: all of the document, by number */
    struct koine__dialect_index id_index; /* by what was told */
    struct koine__dialect_calls calls;
    int32_t result; /* of it all; the first failure sticks */
};

/* chat.c */
void koine__chat_traits(const koine_provider *self,
                        koine_chat_traits *ret); /* the vendor's, or the common ones */
/* Path, query, key and headers. KOINE_DONE, KOINE_NO_MEMORY. */
int32_t koine__chat_head(const koine_ask *ask, const koine_chat_traits *traits, const char *path,
                         koine_out *out);
/* koine__dialect_tell by the vendor's traits. */
void koine__chat_tell(const koine_read *read, const koine_node *told, koine_sink *sink);

/* chat_ids.c */
void koine__chat_ids(struct koine__chat_writing *w, const koine_node *messages); /* reads them all, first */
koine_str koine__chat_id(struct koine__chat_writing *w, koine_str told);         /* as it is sent */

/* chat_request.c */
void koine__chat_fail(struct koine__chat_writing *w, int32_t result);
const char *koine__chat_name(struct koine__chat_writing *w,
                             koine_str name); /* for koine_out; NULL: no memory */
void koine__chat_notice(struct koine__chat_writing *w, int32_t what, const char *member, const char *why);

/* chat_messages.c */
void koine__chat_messages(struct koine__chat_writing *w, const char *name, const koine_node *messages);

/* chat_request.c, chat_answer.c, chat_tools.c, chat_usage.c */
int32_t koine__chat_request(const koine_ask *ask, koine_out *out);
int32_t koine__chat_frame(const koine_read *read, koine_sink *sink);
void koine__chat_tools(struct koine__chat_answer *answer, const koine_node *message);
/* Keeps what the vendor wants back with the object, a tool call or the message itself. */
void koine__chat_keep(struct koine__chat_answer *answer, const koine_node *object);
void koine__chat_usage(struct koine__chat_answer *answer, const koine_node *root);

#endif
