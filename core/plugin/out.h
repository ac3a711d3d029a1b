/* out: where a provider writes its request. Failures stick and are read once. */
#ifndef KOINE_CORE_PLUGIN_OUT_H
#define KOINE_CORE_PLUGIN_OUT_H

#include "core/base/buf.h"
#include "core/wire/json.h"
#include "core/wire/transport.h"

struct koine__notice { /* what became of a member of the document */
    int what;          /* KOINE_NOTICE_* */
    char *member, *why;
};
struct koine__out {
    koine_out pub;              /* first */
    struct koine__arena *arena; /* headers, notices; the request's life */
    struct koine__buf url;      /* starts as the base URL */
    struct koine__buf body;
    struct koine__writer writer;
    const char *method, *content_type;
    struct koine__header *headers;
    size_t header_count, header_cap;
    const char *secret_name, *secret_prefix;
    struct koine__notice *notices;
    size_t notice_count, notice_cap;
    char *why; /* of fail() */
    bool has_path, has_query, has_bytes;
    int error; /* sticky: KOINE_EMEMORY, or KOINE_EARGUMENT: the plugin broke a rule (`broken` says which) */
    const char *broken;
};
/* `limit`: ceiling of the body. Everything but the two buffers lives in the arena. */
void koine__out_init(struct koine__out *out, struct koine__arena *arena, const char *base_url, size_t limit);
void koine__out_release(struct koine__out *out);
/* After the provider returned: 0 and *ret filled (borrowed from out); KOINE_EMEMORY; KOINE_EARGUMENT:
 * out->broken says which rule the plugin broke (unfinished JSON, control characters in a header, an empty
 * path, …). */
int koine__out_request(struct koine__out *out, struct koine__http_request *ret);
/* Hands the body's memory over, which the request then borrows from there. */
struct koine__buf koine__out_take_body(struct koine__out *out);

#endif
