/* koine/json.h: a small strict JSON reader and writer, so that nobody splices strings.
 *
 * The reader takes RFC 8259 and nothing else: UTF-8, no comments, no single quotes, no NaN, at most
 * 128 levels deep, no member twice at the top level. A tree belongs to one thread at a time; a node lives as
 * long as the tree it came from. The writer's failures stick; koine_json_writer_take reports them.
 */
#ifndef KOINE_JSON_H
#define KOINE_JSON_H

#include <koine/koine.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct koine_json koine_json; /* a node; the one from koine_json_parse is the tree's root */
typedef struct koine_json_writer koine_json_writer;

enum {
    KOINE_JSON_NONE = 0, /* what a NULL node is */
    KOINE_JSON_NULL = 1,
    KOINE_JSON_BOOL = 2,
    KOINE_JSON_NUMBER = 3,
    KOINE_JSON_STRING = 4,
    KOINE_JSON_ARRAY = 5,
    KOINE_JSON_OBJECT = 6
};

/* KOINE_EARGUMENT: not JSON; the error says at which line and column, and why. */
KOINE_API int koine_json_parse(const char *text, size_t length, koine_json **ret, koine_error **ret_error);
KOINE_API void koine_json_free(koine_json *root);

KOINE_API int koine_json_kind(const koine_json *);
KOINE_API const koine_json *koine_json_get(const koine_json *object, const char *name); /* NULL: absent */
KOINE_API size_t koine_json_count(const koine_json *); /* elements or members */
KOINE_API const koine_json *koine_json_at(const koine_json *, size_t index);
KOINE_API const char *koine_json_name_at(const koine_json *object, size_t index);
KOINE_API const char *koine_json_string(const koine_json *, size_t *ret_length); /* NULL if it is no string */
KOINE_API int64_t koine_json_integer(const koine_json *,
                                     int64_t otherwise); /* whole and in range, else otherwise */
KOINE_API double koine_json_real(const koine_json *, double otherwise);
KOINE_API int koine_json_true(const koine_json *);   /* 1 true, 0 anything else */
KOINE_API char *koine_json_text(const koine_json *); /* compact; yours to koine_free; NULL: no memory */

KOINE_API koine_json_writer *koine_json_writer_new(
    void); /* NULL: no memory; everything below takes that too */
/* `name` is NULL inside an array and for the outermost value. */
KOINE_API void koine_json_open(koine_json_writer *, const char *name, char bracket); /* '{' or '[' */
KOINE_API void koine_json_close(koine_json_writer *);
KOINE_API void koine_json_add_string(koine_json_writer *, const char *name,
                                     const char *text); /* NULL: null */
KOINE_API void koine_json_add_text(koine_json_writer *, const char *name, const char *text, size_t length);
KOINE_API void koine_json_add_integer(koine_json_writer *, const char *name, int64_t value);
KOINE_API void koine_json_add_real(koine_json_writer *, const char *name,
                                   double value); /* shortest that reads back; NaN fails */
KOINE_API void koine_json_add_bool(koine_json_writer *, const char *name, int value);
KOINE_API void koine_json_add_null(koine_json_writer *, const char *name);
KOINE_API void koine_json_add_json(koine_json_writer *, const char *name, const char *json); /* checked */
/* The text (yours to koine_free) and the end of the writer. NULL: something failed or is still open; the
 * writer is still yours then, to close or to free. */
KOINE_API char *koine_json_writer_take(koine_json_writer *, size_t *ret_length);
KOINE_API void koine_json_writer_free(koine_json_writer *);

#ifdef __cplusplus
}
#endif
#endif
