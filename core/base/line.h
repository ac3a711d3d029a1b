/* line: one line of the log, built of typed fields, as logfmt or as a JSON object.
 *
 * Nothing allocates: the text is the caller's. Whatever the values hold, the line is one line of valid UTF-8
 * and of its format: values are quoted and escaped where they need it (in logfmt as in JSON), what is no
 * UTF-8 becomes U+FFFD, a key that is to be hidden becomes ***. What is too long is cut at a character's end,
 * what does not fit is left out, and `cut=true` at the end says so.
 */
#ifndef KOINE_CORE_BASE_LINE_H
#define KOINE_CORE_BASE_LINE_H

#include "core/base/clock.h"
#include "core/base/crypto.h"
#include "core/base/str.h"

#define KOINE__LINE_TEXT    1024 /* bytes of a value that are told at most */
#define KOINE__LINE_CONTENT 4096 /* the same, of a prompt or an answer */

enum koine__field_kind {
    KOINE__FIELD_NONE, /* not known: left out */
    KOINE__FIELD_TEXT,
    KOINE__FIELD_DECIMAL,
    KOINE__FIELD_BOOL
};

struct koine__field {
    const char *name; /* a word of letters, digits and _; NULL ends a list */
    enum koine__field_kind kind;
    koine_str text; /* borrowed */
    size_t limit;   /* of text */
    int64_t number;
    unsigned scale; /* number / 10^scale */
};

struct koine__hidden { /* the keys that no line may hold */
    struct koine__secret **keys;
    size_t count;
    uint64_t starts[64]; /* a bit for each key, found by its first four bytes */
};
/* Adds a key; `keys` has room for it. */
void koine__hidden_add(struct koine__hidden *hidden, struct koine__secret *key);

struct koine__line {
    char *text;
    size_t size, len;
    bool json, cut;
    const struct koine__hidden *hidden; /* may be NULL */
};
/* `size` is at least 32. */
void koine__line_begin(struct koine__line *line, char *text, size_t size, bool json,
                       const struct koine__hidden *hidden);
void koine__line_add(struct koine__line *line, const struct koine__field *field);
void koine__line_end(struct koine__line *line); /* text is the line, with a NUL */

/* ---- Fields: texts that are NULL or empty and counts and times below zero are not known, and left out ----
 */

static inline struct koine__field koine__log_str(const char *name, koine_str text)
{
    return (struct koine__field){.name = name,
                                 .kind = text.len ? KOINE__FIELD_TEXT : KOINE__FIELD_NONE,
                                 .text = text,
                                 .limit = KOINE__LINE_TEXT};
}

static inline struct koine__field koine__log_text(const char *name, const char *text)
{
    return koine__log_str(name, koine__str(text));
}

/* Of a prompt or an answer: only where koine__log_wants_content says so. */
static inline struct koine__field koine__log_content(const char *name, koine_str text)
{
    struct koine__field field = koine__log_str(name, text);
    field.limit = KOINE__LINE_CONTENT;
    return field;
}

static inline struct koine__field koine__log_decimal(const char *name, int64_t number, unsigned scale)
{
    return (struct koine__field){
        .name = name, .kind = KOINE__FIELD_DECIMAL, .number = number, .scale = scale};
}

static inline struct koine__field koine__log_int(const char *name, int64_t number)
{
    return koine__log_decimal(name, number, 0);
}

static inline struct koine__field koine__log_count(const char *name, int64_t number)
{
    struct koine__field field = koine__log_decimal(name, number, 0);
    if (number < 0)
        field.kind = KOINE__FIELD_NONE;
    return field;
}

/* Nanoseconds, told as whole milliseconds. */
static inline struct koine__field koine__log_ms(const char *name, int64_t ns)
{
    return koine__log_count(name, ns < 0 ? -1 : ns / KOINE__MS);
}

static inline struct koine__field koine__log_bool(const char *name, bool truth)
{
    return (struct koine__field){.name = name, .kind = KOINE__FIELD_BOOL, .number = truth};
}

#endif
