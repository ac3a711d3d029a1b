/* json: the documents and frames that go through us, read in place.
 *
 * One strict pass (json_scan.c) checks the text: RFC 8259, UTF-8, depth, no member twice at the top level.
 * After that a koine_node is a span of the checked text; a container's members are indexed once, when first
 * asked for. So a member nobody asks about costs nothing, and what is copied is copied in the source's own
 * bytes: no number loses a digit. Nodes and decoded strings live in the arena given to koine__json_read and
 * end with its reset.
 */
#ifndef KOINE_CORE_WIRE_JSON_H
#define KOINE_CORE_WIRE_JSON_H

#include "core/base/buf.h"
#include "core/base/mem.h"
#include "core/base/str.h"

#define KOINE__JSON_DEPTH 128

struct koine__json_fault { /* where and why a text is not JSON */
    size_t offset;
    unsigned line, column; /* from 1; column in bytes */
    const char *reason;    /* static: "a string is not closed" */
};

/* json_scan.c: 0, KOINE_EARGUMENT and *ret_fault (may be NULL), KOINE_EMEMORY: possible from the 65th member
 * at the top level on. Space around the value is accepted; a surrogate escape without its other half too, it
 * reads as U+FFFD. */
int koine__json_check(koine_str text, unsigned depth, struct koine__json_fault *ret_fault);
/* The same, and notes where its first 1024 containers end, in order of their start, so that nobody has to
 * walk over them again. `ends` starts with nothing but its arena, and is of use after KOINE_OK;
 * KOINE_EMEMORY is possible for the arena, too. */
struct koine__json_span {
    uint32_t start, len;
};
struct koine__json_ends {
    struct koine__arena *arena;
    struct koine__json_span *spans;
    size_t count, capacity;
};
int koine__json_scan(koine_str text, unsigned depth, struct koine__json_ends *ends,
                     struct koine__json_fault *ret_fault);
/* The end of the value that starts at text[pos] (checked text); json_end finds a container's in the notes. */
size_t koine__json_skip(koine_str text, size_t pos);
size_t koine__json_end(koine_str text, size_t pos, const struct koine__json_ends *ends);

/* Checks and gives the root. The text must outlive the arena's content. 0, KOINE_EARGUMENT, KOINE_EMEMORY. */
int koine__json_read(koine_str text, struct koine__arena *arena, const koine_node **ret,
                     struct koine__json_fault *ret_fault);

/* json.c: what koine_host offers plugins; NULL reads as absent. After a failed allocation they read as absent
 * too and koine__node_failed tells. [one thread at a time for one text: a look changes the nodes] */
int32_t koine__node_kind(const koine_node *node);
const koine_node *koine__node_get(const koine_node *object,
                                  const char *key); /* last one wins below the top level */
size_t koine__node_count(const koine_node *node);
const koine_node *koine__node_at(const koine_node *node, size_t index);
koine_str koine__node_key(const koine_node *object, size_t index); /* decoded */
koine_str koine__node_name(const koine_node *member); /* the same of that member; {NULL, 0}: it is none */
koine_str koine__node_str(const koine_node *node);
int64_t koine__node_num(const koine_node *node, int64_t otherwise);
int32_t koine__node_truth(const koine_node *node);
koine_str koine__node_source(const koine_node *node); /* {NULL, 0} for NULL */
koine_str koine__node_pair(const koine_node *member); /* `"name":value`; {NULL, 0}: it is no member */
size_t koine__node_offset(const koine_node *node);    /* in the text, for messages */
void koine__json_position(koine_str text, size_t offset, unsigned *ret_line, unsigned *ret_column);
bool koine__node_failed(const koine_node *root); /* an allocation failed while navigating below this root */

/* json_write.c: the writer, into a buffer; failures stick in it. One level of state per nesting. */
struct koine__writer {
    struct koine__buf *buf;
    uint8_t stack[KOINE__JSON_DEPTH]; /* '{' or '[' */
    unsigned depth;
    bool comma;  /* the next value needs one */
    bool failed; /* wrong nesting, a NULL key inside an object, … */
};
void koine__writer_init(struct koine__writer *writer, struct koine__buf *buf);
void koine__write_open(struct koine__writer *writer, koine_str key, char bracket); /* key.ptr NULL: none */
void koine__write_close(struct koine__writer *writer);
void koine__write_str(struct koine__writer *writer, koine_str key,
                      koine_str value); /* invalid UTF-8 becomes U+FFFD */
void koine__write_int(struct koine__writer *writer, koine_str key, int64_t value);
void koine__write_raw(struct koine__writer *writer, koine_str key, koine_str json); /* trusted */
bool koine__writer_done(
    const struct koine__writer *writer); /* one whole value, no failure, none in the buffer */

#endif
