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
bool koine__dialect_mentions(koine_str text, const char *word);          /* these very bytes */
koine_str koine__dialect_trim(koine_str text); /* without the JSON spaces around it */
bool koine__dialect_is_markup(koine_str text); /* HTML or XML: a page of something in between */
/* A body that is no JSON as one line of valid UTF-8: tags dropped, spaces joined, cut at the size. */
size_t koine__dialect_plain(koine_str text, char *ret, size_t size);
/* A JSON number times 10^12 (dollars in picodollars), rounded half up; -1: negative, or more than fits. */
int64_t koine__dialect_pico(koine_str number);

/* dialect_write.c */
koine_provider_event koine__dialect_event(int32_t kind); /* with nothing told */
/* Both one after the other, for koine_out, which takes no lengths (names hold no NUL); NULL: no memory. */
const char *koine__dialect_join(const koine_host *host, koine_str first, koine_str second);
void koine__dialect_headers(const koine_ask *ask, const koine_dialect_header *const *headers, koine_out *out);
/* After the path. Both lists may be NULL; an option that says nothing does not travel. */
void koine__dialect_queries(const koine_ask *ask, const koine_dialect_query *const *queries, koine_out *out);
/* Whether the source may hold a member `koine` somewhere, also with its name escaped. */
bool koine__dialect_may_name_koine(koine_str source);
/* A value in its own bytes, but an object without its member `koine`. KOINE_DONE, KOINE_NO_MEMORY. */
int32_t koine__dialect_splice(const koine_host *host, koine_out *out, const char *key,
                              const koine_node *value);

/* dialect_fault.c */
/* The part of an answer that tells of an error: a string or an object; NULL: it tells of none. */
const koine_node *koine__dialect_error(const koine_host *host, const koine_node *root);
/* Gives one FAULT; `told` is what koine__dialect_error found, or NULL: the frame's bytes tell. `rules`: the
 * vendor's own, NULL-ended, asked before the common ones; NULL: it has none. */
void koine__dialect_tell(const koine_read *read, const koine_node *told,
                         const koine_dialect_fault *const *rules, koine_sink *sink);

#endif
