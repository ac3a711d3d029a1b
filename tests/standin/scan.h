/* scan: reads the few members of a request body that the stand-in needs, without building a tree.
 *
 * Strict RFC 8259 (no comments, no trailing commas, well-formed UTF-8, at most SCAN_DEPTH levels). A name
 * given twice: the last one counts. Pure: no I/O, no state.
 */
#ifndef STANDIN_SCAN_H
#define STANDIN_SCAN_H

#include "tests/standin/bytes.h"

#define SCAN_DEPTH 256

/* Is the text exactly one JSON value? `ret` is that value, without the white space around it. */
bool scan_value(const char *json, size_t length, struct span *ret);
/* The value of a member of an object; false when there is none, or when it is no object. */
bool scan_member(struct span object, const char *name, struct span *ret);
/* The items of an array one by one; `at` starts at 0. */
bool scan_item(struct span array, size_t *at, struct span *ret);
bool scan_is_string(struct span value);
bool scan_equals(struct span string, const char *text);
/* Adds the decoded text of a string; half a surrogate pair becomes U+FFFD. */
void scan_text(struct span string, struct bytes *out);

struct scan_request {
    struct bytes model, user; /* the model's id; the text of the last user message */
    bool stream, include_usage, ends_with_assistant;
};

/* NULL, or what is wrong with this chat completions request, in the words of a provider. The caller frees
 * `ret` either way. */
const char *scan_request(const char *json, size_t length, struct scan_request *ret);
void scan_request_free(struct scan_request *request);

#endif
