/* head: collects the head of an HTTP answer from its lines.
 *
 * Lines in, one final head out; no I/O. Interim heads (1xx) are skipped, and so is what comes after the final
 * one (trailers); all of it counts towards the ceiling. A folded line continues the value before it.
 */
#ifndef KOINE_CORE_WIRE_HEAD_H
#define KOINE_CORE_WIRE_HEAD_H

#include "core/wire/transport.h"

/* Each line costs more than its bytes, in curl too. */
#define KOINE__HEAD_LINES ((size_t)8192)

struct koine__head_span { /* of the text: it moves while it grows */
    size_t name, name_len, value, value_len;
};

struct koine__head_reader {
    struct koine__buf text; /* names and values of this head */
    struct koine__head_span *spans;
    size_t count, capacity;
    struct koine__header *headers; /* of the final head */
    size_t header_capacity;
    size_t seen, limit; /* bytes of all heads, and their ceiling */
    size_t lines;       /* of all heads */
    int version;        /* 10, 11, 20, 30 */
    int status;
    bool complete;
};

void koine__head_reader_init(struct koine__head_reader *reader);
void koine__head_reader_release(struct koine__head_reader *reader);
void koine__head_reader_reset(struct koine__head_reader *reader,
                              size_t limit); /* for the next answer; keeps memory */
/* The next line with its end. 1: the final head is complete, once; 0: more to come; KOINE_EMEMORY;
 * KOINE_EARGUMENT: over the ceiling, or more than KOINE__HEAD_LINES. */
int koine__head_reader_line(struct koine__head_reader *reader, const char *ptr, size_t len);
/* Borrowed until the reset or rest; after a 1. */
struct koine__head koine__head_reader_head(const struct koine__head_reader *reader);
/* Gives the memory of the final head back; what still comes is counted as before. */
void koine__head_reader_rest(struct koine__head_reader *reader);

#endif
