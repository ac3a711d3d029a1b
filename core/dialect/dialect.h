/* dialect: what the dialects of this folder share. Written against the plugin headers alone, as they are.
 *
 * Text and decimals as the wire has them, errors as classes, and members of a document on their way out.
 */
#ifndef KOINE_CORE_DIALECT_DIALECT_H
#define KOINE_CORE_DIALECT_DIALECT_H

#include <koine/dialect.h>
#include <stdbool.h>
#include <string.h>

/* dialect_text.c */
koine_str koine__dialect_str(const char *text); /* NULL gives an empty one */
bool koine__dialect_is(koine_str text, const char *word);
bool koine__dialect_is_one_of(koine_str text, const char *const *words); /* NULL-ended */
bool koine__dialect_has(koine_str text, const char *word);               /* ASCII letters without case */
koine_str koine__dialect_trim(koine_str text); /* without the JSON spaces around it */
bool koine__dialect_is_markup(koine_str text); /* HTML or XML: a page of something in between */
/* A body that is no JSON as one line of valid UTF-8: tags dropped, spaces joined, cut at the size. */
size_t koine__dialect_plain(koine_str text, char *ret, size_t size);
/* A JSON number times 10^12 (dollars in picodollars), rounded half up; -1: negative, or more than fits. */
int64_t koine__dialect_pico(koine_str number);

/* dialect_traits.c */
/* Lays the vendor's traits of that name, where it has any, over those in `ret`, which begin with their size.
 */
void koine__dialect_traits(const koine_provider *self, const char *name, void *ret, uint32_t size);
/* calculate_cost: the catalogue's price. */
int32_t koine__dialect_cost(const koine_cost_query *query, koine_provider_cost *ret);

/* dialect_write.c */
koine_provider_event koine__dialect_event(int32_t kind); /* with nothing told */
/* Both one after the other, for koine_out, which takes no lengths (names hold no NUL); NULL: no memory. */
const char *koine__dialect_join(const koine_host *host, koine_str first, koine_str second);
void koine__dialect_headers(const koine_ask *ask, const koine_dialect_header *const *headers, koine_out *out);
/* After the path. Both lists may be NULL; an option that says nothing does not travel. */
void koine__dialect_queries(const koine_ask *ask, const koine_dialect_query *const *queries, koine_out *out);
/* A value in its own bytes, but an object without its member `koine`. */
void koine__dialect_splice(const koine_host *host, koine_out *out, const char *key, const koine_node *value);

/* dialect_answer.c */
struct koine__dialect_reason { /* the last word that says why an answer ended, in an exchange's state */
    uint8_t len;               /* 0: none came */
    char raw[47];
};
bool koine__dialect_piece(koine_sink *sink, int32_t kind, koine_str text); /* false: it is empty */
void koine__dialect_extra(koine_sink *sink, koine_str name, koine_str json);
void koine__dialect_remember(struct koine__dialect_reason *reason, koine_str word);
koine_str koine__dialect_reason(const struct koine__dialect_reason *reason);
void koine__dialect_stop(koine_sink *sink, const struct koine__dialect_reason *reason, int32_t code);
struct koine__dialect_word {
    const char *word; /* NULL ends a list */
    int32_t code;
};
int32_t koine__dialect_code(koine_str word, const struct koine__dialect_word *words, int32_t otherwise);

struct koine__dialect_reading { /* how an answer's frames are read */
    uint8_t *done;              /* in the exchange's state: the rest is drained */
    const struct koine__dialect_reason *reason;
    int32_t (*whole)(void *answer);
    int32_t (*event)(void *answer);
    int32_t (*stop)(void *answer); /* at the end of the body, where a reason is known */
};
int32_t koine__dialect_frame(const koine_frame *frame, void *answer,
                             const struct koine__dialect_reading *reading);

/* A count of an object; one that is not told (null, or not there) stays as it was. */
void koine__dialect_count(const koine_host *host, const koine_node *object, const char *name, int64_t *ret);

/* Moves a part out of its whole. A part larger than what is left is cut: buckets never add up to more. */
void koine__dialect_part(int64_t *whole, int64_t *ret_part, int64_t count);

/* dialect_fault.c */
/* The part of an answer that tells of an error: a string or an object; NULL: it tells of none. */
const koine_node *koine__dialect_error(const koine_host *host, const koine_node *root);
/* Gives one FAULT; `told` is what koine__dialect_error found, or NULL: the frame's bytes tell. `rules`: the
 * vendor's own, NULL-ended, asked before the common ones; NULL: it has none. */
void koine__dialect_tell(const koine_read *read, const koine_node *told,
                         const koine_dialect_fault *const *rules, koine_sink *sink);

/* dialect_index.c */
struct koine__dialect_entry {
    koine_str key;
    size_t older; /* of the same slot; 0: none */
};
struct koine__dialect_index { /* texts by number, from 1 on, in the host's memory */
    size_t *heads, mask, count;
    struct koine__dialect_entry *entries;
};
/* For so many texts at the most. KOINE_DONE, KOINE_NO_MEMORY. */
int32_t koine__dialect_index_init(const koine_host *host, struct koine__dialect_index *index, size_t most);
size_t koine__dialect_index_add(struct koine__dialect_index *index, koine_str key); /* its number */
/* The number of the latest that says this; 0: none. And of the next older one that says the same. */
size_t koine__dialect_index_find(const struct koine__dialect_index *index, koine_str key);
size_t koine__dialect_index_older(const struct koine__dialect_index *index, size_t number);

struct koine__dialect_call {
    const koine_node *call;
    size_t message; /* its place in messages */
};
struct koine__dialect_calls { /* zeroed at first: read when first asked */
    struct koine__dialect_index index;
    struct koine__dialect_call *calls; /* by number */
    size_t most;
};
/* The name of the function that the latest call of that id asks for, among messages before that place; NULL:
 * there is none. KOINE_DONE, KOINE_NO_MEMORY. */
int32_t koine__dialect_call_name(const koine_host *host, const koine_node *messages, size_t before,
                                 koine_str id, struct koine__dialect_calls *calls, const koine_node **ret);

/* ---- Requests of another shape than the document's ---- */

struct koine__dialect_writing { /* a document on its way into a request */
    const koine_ask *ask;
    const koine_host *host;
    koine_out *out;
    uint32_t told; /* bits of the dialect's own: notices that are given once */
    struct koine__dialect_calls calls;
    int32_t result; /* of it all; the first failure sticks */
};

struct koine__dialect_known { /* how a member is written; its value is not null */
    const char *name;         /* NULL ends a list */
    void (*write)(struct koine__dialect_writing *w, const char *name, const koine_node *value);
};

/* dialect_document.c */
const char *koine__dialect_wrong(const koine_ask *ask); /* with the document, or NULL */
koine_str koine__dialect_text(const koine_host *host, const koine_node *object, const char *name);
const koine_node *koine__dialect_member(const struct koine__dialect_writing *w, const char *name);
/* The same; NULL also where it is null. */
const koine_node *koine__dialect_given(const struct koine__dialect_writing *w, const char *name);
void koine__dialect_fail(struct koine__dialect_writing *w, int32_t result, const char *why);
void koine__dialect_notice(struct koine__dialect_writing *w, int32_t what, const char *member,
                           const char *why);
/* Of `messages`, unless the bit is told; then it is. */
void koine__dialect_notice_once(struct koine__dialect_writing *w, uint32_t bit, int32_t what,
                                const char *why);
/* In words of two parts. */
void koine__dialect_notice_of(struct koine__dialect_writing *w, int32_t what, const char *member,
                              koine_str start, const char *end);
/* Members of an object, but those named in the NULL-ended list and null ones, in their own bytes. */
void koine__dialect_others(struct koine__dialect_writing *w, const koine_node *object,
                           const char *const *but);
/* What is sent for a number outside of 0 to `most`, which is `pico` / 10^12; NULL: it is inside, or none. */
const char *koine__dialect_nearest(const struct koine__dialect_writing *w, const koine_node *value,
                                   const char *most, int64_t pico);
/* The arguments of a call, which travel as a text in the document, as an object. */
void koine__dialect_arguments(struct koine__dialect_writing *w, const char *key, const koine_node *arguments);
/* The schema that a response_format holds, in either of its two known places; NULL: none. */
const koine_node *koine__dialect_schema(const koine_host *host, const koine_node *format);
/* Ways to write a member: not at all, for it is written elsewhere; and not, for the API is too new for it. */
void koine__dialect_nothing(struct koine__dialect_writing *w, const char *name, const koine_node *value);
void koine__dialect_no_functions(struct koine__dialect_writing *w, const char *name, const koine_node *value);
/* All members of the document: those `known` in their way, those of a list in the NULL-ended list of lists
 * `lacking` dropped with a notice, all others as they are. */
void koine__dialect_document(struct koine__dialect_writing *w, const struct koine__dialect_known *known,
                             const char *const *const *lacking);

/* dialect_turns.c */
bool koine__dialect_is_blank(koine_str text);
/* The next content that belongs to the system, from *at = 0 on: first `own`, the document's member for it,
 * then messages. NULL: no more. */
const koine_node *koine__dialect_next_system(const struct koine__dialect_writing *w, const koine_node *own,
                                             size_t *at);
struct koine__dialect_roles {   /* how messages are written that are not the system's */
    const char *const *members; /* NULL-ended: what a message may hold there, */
    uint32_t member_bit;        /* the bit of the notice where it holds more, */
    uint32_t system_bit;        /* and that of a system message in the middle */
    void (*user)(struct koine__dialect_writing *w, const koine_node *message);
    void (*assistant)(struct koine__dialect_writing *w, const koine_node *message);
    void (*open_results)(struct koine__dialect_writing *w); /* two brackets, which are closed again */
    void (*result)(struct koine__dialect_writing *w, const koine_node *messages, size_t at);
};
void koine__dialect_turns(struct koine__dialect_writing *w, const struct koine__dialect_roles *roles);

struct koine__dialect_turn { /* what of an assistant's message is not yet written */
    koine_str text;
    const koine_node *calls;
    size_t called;
};
struct koine__dialect_mark { /* what of it comes next */
    size_t text, calls;
};
/* What the answer that became this message (or part) asked to have back under that name; NULL: nothing. */
const koine_node *koine__dialect_kept(const koine_host *host, const koine_node *message, const char *name);
koine_str koine__dialect_take_text(struct koine__dialect_turn *turn, size_t len);
/* NULL: no more of them. */
const koine_node *koine__dialect_take_call(const koine_host *host, struct koine__dialect_turn *turn);
/* Whether a kept value is no value but a mark (koine__dialect_keep_mark); `call`: the type of those for
 * calls. */
bool koine__dialect_mark(const koine_host *host, const koine_node *value, const char *call,
                         const struct koine__dialect_turn *turn, struct koine__dialect_mark *ret);

/* dialect_data.c */
struct koine__dialect_data {
    koine_str type, base64;
};
bool koine__dialect_is_data(koine_str uri);
bool koine__dialect_read_data(koine_str uri, struct koine__dialect_data *ret); /* false: not in base64 */
/* The URL that a part holds in that member, as it is or as its `url`. */
koine_str koine__dialect_media_url(const koine_host *host, const koine_node *part, const char *name);

/* ---- Answers that a vendor wants parts of back ---- */

struct koine__dialect_place { /* in an exchange's state */
    int32_t kept;             /* values so far */
    uint32_t calls;           /* since the last one */
    uint64_t text;            /* bytes of it since then */
};
struct koine__dialect_keeping {
    koine_sink *sink;
    const char *name; /* of the list in the message's `koine` */
    const char *call; /* type of the marks for calls */
    struct koine__dialect_place *place;
};

/* dialect_keep.c */
void koine__dialect_keep(const struct koine__dialect_keeping *k, koine_str text); /* a piece of a value */
void koine__dialect_keep_end(const struct koine__dialect_keeping *k, const char *close); /* and its last */
/* A mark of what stands next in the answer, {"type":TYPE,COUNT:NUMBER}: `{"type":"text","bytes":5`, and to be
 * ended by koine__dialect_keep_end. */
void koine__dialect_keep_mark(const struct koine__dialect_keeping *k, const char *type, const char *count,
                              uint64_t number);
/* Before a kept value: marks of what stood between it and the one before. */
void koine__dialect_keep_place(const struct koine__dialect_keeping *k);
void koine__dialect_keep_whole(const struct koine__dialect_keeping *k, koine_str json);

/* ---- Lists of models in pages ---- */

struct koine__dialect_page { /* an exchange's state */
    uint8_t done;
    char next[511]; /* what asks for the next page */
};
struct koine__dialect_list {
    /* NULL and *ret_any: there are none; NULL and not: it is no list at all. */
    const koine_node *(*entries)(const koine_host *host, const koine_node *root, bool *ret_any);
    void (*model)(const koine_host *host, const koine_node *entry, koine_sink *sink);
    /* What asks for the next page; empty: this was the last. false: the answer contradicts itself.
     * NULL: there is one page. */
    bool (*next)(const koine_host *host, const koine_node *root, koine_str *ret);
    void (*tell)(const koine_read *read, const koine_node *told, koine_sink *sink);
};

/* dialect_models.c */
int32_t koine__dialect_list_frame(const koine_read *read, koine_sink *sink,
                                  const struct koine__dialect_list *list);

#endif
