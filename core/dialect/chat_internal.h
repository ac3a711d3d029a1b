/* What the files of the chat dialect share. Nobody else includes this. */
#ifndef KOINE_CORE_DIALECT_CHAT_INTERNAL_H
#define KOINE_CORE_DIALECT_CHAT_INTERNAL_H

#include <koine/chat.h>
#include <stdbool.h>
#include <string.h>

/* What is remembered of an answer between its frames. The core copies it byte by byte: no pointers. */
struct koine__chat_state {
    uint8_t started; /* START was given */
    uint8_t content; /* something to deliver was given */
    uint8_t tier;    /* the service tier was given */
    uint8_t done;    /* STOP or a fault was given, or the answer cannot be read: the rest is drained */
    uint8_t raw_len;
    char raw[47]; /* the last finish_reason that says anything; raw_len 0: none came */
};

/* An answer while one frame of it is read. */
struct koine__chat_answer {
    const koine_read *read;
    const koine_host *host;
    koine_sink *sink;
    struct koine__chat_state *state;
    bool whole; /* the frame is a whole answer, not a chunk of one */
};

/* chat_text.c */
koine_str koine__chat_str(const char *text); /* NULL gives an empty one */
bool koine__chat_is(koine_str text, const char *word);
bool koine__chat_has(koine_str text, const char *word);      /* ASCII letters without case */
bool koine__chat_mentions(koine_str text, const char *word); /* these very bytes */
koine_str koine__chat_trim(koine_str text);                  /* without the JSON spaces around it */
bool koine__chat_is_markup(koine_str text);                  /* HTML or XML: a page of something in between */
/* A body that is no JSON as one line of valid UTF-8: tags dropped, spaces joined, cut at the size. */
size_t koine__chat_plain(koine_str text, char *ret, size_t size);
/* A JSON number of dollars in picodollars, rounded half up; -1: negative, or more than fits. */
int64_t koine__chat_picodollars(koine_str number);

/* chat.c */
void koine__chat_traits(const koine_provider *self,
                        koine_chat_traits *ret); /* the vendor's, or the common ones */
void koine__chat_head(const koine_ask *ask, const koine_chat_traits *traits, const char *path,
                      koine_out *out);
koine_provider_event koine__chat_event(int32_t kind); /* with nothing told */

/* chat_request.c, chat_answer.c, chat_tools.c, chat_usage.c */
int32_t koine__chat_request(const koine_ask *ask, koine_out *out);
int32_t koine__chat_frame(const koine_read *read, koine_sink *sink);
void koine__chat_tools(struct koine__chat_answer *answer, const koine_node *message);
void koine__chat_usage(struct koine__chat_answer *answer, const koine_node *root);

/* chat_fault.c */
/* The part of an answer that tells of an error: a string or an object; NULL: it tells of none. */
const koine_node *koine__chat_error(const koine_host *host, const koine_node *root);
/* Gives one FAULT; `told` is what koine__chat_error found, or NULL: the frame's bytes tell. */
void koine__chat_tell(const koine_read *read, const koine_node *told, koine_sink *sink);
int32_t koine__chat_fault(const koine_read *read, koine_sink *sink);

#endif
