/* koine/provider.h: all that a provider plugin and the core share.
 *
 * A provider is a translator, not a client. It turns a document into one HTTP
 * request, and the frames of the response into events. It opens no socket,
 * starts no thread, and reads no clock, file, variable or credential: the core
 * does that for it, the same way for every provider.
 *
 * For as long as the entry symbol keeps its number:
 *   - a struct that crosses starts with its size, as its owner was compiled; a
 *     field past the peer's size does not exist (KOINE_HAS); fields are
 *     appended, never moved or retyped;
 *   - a number nobody told you about is ignored, not refused;
 *   - anything larger is an extension, asked for by name: "koine.embed/1".
 * Only fixed-width integers, size_t and pointers cross. Every pointer handed to
 * you is borrowed and ends with the call that gave it; a host given to the entry
 * function lives as long as the process. Nothing you return is ever freed.
 *
 * [pure]      any thread, any time, many at once.
 * [exchange]  one thread at a time for each exchange (each ask or read state).
 *
 * This header is 1.0 and frozen: docs/abi.md says what that promises, what may
 * still grow and how.
 */
#ifndef KOINE_PROVIDER_H
#define KOINE_PROVIDER_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define KOINE_EXPORT __attribute__((visibility("default")))

/* Whether *p, which says its own size, is large enough to hold the field. */
#define KOINE_HAS(type, p, field) ((p)->size >= offsetof(type, field) + sizeof((p)->field))

typedef struct koine_str { /* UTF-8, not NUL-terminated; ptr may be NULL when len is 0 */
    const char *ptr;
    size_t len;
} koine_str;

typedef struct koine_node koine_node; /* a value in a document that the core holds */
typedef struct koine_host koine_host;
typedef struct koine_out koine_out;
typedef struct koine_sink koine_sink;
typedef struct koine_ask koine_ask;
typedef struct koine_read koine_read;
typedef struct koine_provider koine_provider;

/* What request, frame and fault return. */
enum {
    KOINE_DONE = 0,         /* all well: written, or read */
    KOINE_MORE = 1,         /* frame only: this step is read; call request again with step + 1 */
    KOINE_UNSUPPORTED = -1, /* this provider cannot do what the document asks (class unsupported) */
    KOINE_INVALID = -2,     /* the document is wrong (class invalid) */
    KOINE_PROTOCOL = -3,    /* the answer cannot be read (class protocol) */
    KOINE_NO_MEMORY = -4    /* host->alloc returned NULL (class memory) */
};

/* How a body is cut into frames. */
enum {
    KOINE_FRAME_WHOLE = 0, /* the whole body */
    KOINE_FRAME_SSE = 1,   /* one server-sent event: name and data */
    KOINE_FRAME_LINE = 2,  /* one line, without its end */
    KOINE_FRAME_END = 3    /* the body ended; comes exactly once, last, clean or not */
};

/* koine_node kinds, see koine_host.kind */
enum {
    KOINE_NODE_NONE = 0, /* absent: what a NULL node reads as */
    KOINE_NODE_NULL = 1,
    KOINE_NODE_BOOL = 2,
    KOINE_NODE_NUMBER = 3,
    KOINE_NODE_STRING = 4,
    KOINE_NODE_ARRAY = 5,
    KOINE_NODE_OBJECT = 6
};

/* koine_provider_event.kind */
enum {
    KOINE_EMIT_START = 1,     /* id, name: the answer's id and the model that answers; first wins */
    KOINE_EMIT_TEXT = 2,      /* text: next piece of the answer */
    KOINE_EMIT_REASONING = 3, /* text: next piece of the reasoning */
    KOINE_EMIT_REFUSAL = 4,   /* text: next piece of a refusal */
    /* index (-1: none told), id and name (of at most 1024 bytes each), text: a fragment of a call, as seen */
    KOINE_EMIT_TOOL = 5,
    KOINE_EMIT_USAGE = 6,  /* usage: totals so far; last wins */
    KOINE_EMIT_EXTRA = 7,  /* name, text: JSON of something else worth keeping ("logprobs") */
    KOINE_EMIT_STOP = 8,   /* code: KOINE_STOP_*, text: the vendor's word; nothing may follow */
    KOINE_EMIT_FAULT = 9,  /* code: KOINE_FAULT_*, text: the vendor's words, name: the vendor's code */
    KOINE_EMIT_MODEL = 10, /* model: one entry of list_models */
    /* name, index, text: next piece of a JSON value that the vendor wants back unchanged with the message (a
     * signed piece of reasoning). Pieces of one index make one value. The core keeps the values of a name as
     * a list in the assistant message, in member `name` of its member `koine`, where request finds them
     * again. */
    KOINE_EMIT_KEEP = 11
};

/* Why an answer ended. */
enum {
    KOINE_STOP_END = 0,
    KOINE_STOP_LENGTH = 1,
    KOINE_STOP_TOOL = 2,
    KOINE_STOP_FILTER = 3,
    KOINE_STOP_OTHER = 4
};

/* Classes of failure that a provider can tell. The core decides what follows from them. */
enum {
    KOINE_FAULT_OVERLOADED = 4,
    KOINE_FAULT_SERVER = 5,
    KOINE_FAULT_PROTOCOL = 6,
    KOINE_FAULT_RATE_LIMIT = 7,
    KOINE_FAULT_BILLING = 8,
    KOINE_FAULT_AUTH = 9,
    KOINE_FAULT_MODEL_GONE = 10,
    KOINE_FAULT_CONTEXT_LENGTH = 11,
    KOINE_FAULT_CONTENT_POLICY = 12,
    KOINE_FAULT_INVALID = 13,
    KOINE_FAULT_UNSUPPORTED = 14
};

/* What a provider did to a member of the document that its vendor cannot take (koine_out.notice). */
enum {
    KOINE_NOTICE_DROPPED = 1, /* it did not travel */
    KOINE_NOTICE_MAPPED = 2,  /* it travelled under another name or shape, with the same meaning */
    KOINE_NOTICE_CLAMPED = 3  /* it travelled with a value the vendor can take */
};

/* Tokens of one answer in disjoint buckets; -1: not told. A vendor that counts cached tokens inside
 * its prompt tokens is converted by its provider: input here excludes cache_read and cache_write,
 * output excludes reasoning, and the audio and image buckets are excluded from both. */
typedef struct koine_provider_usage {
    uint32_t size;
    int32_t charged; /* 1: the vendor itself says what it charged, picodollars; else 0 */
    int64_t input, cache_read, cache_write, output, reasoning;
    int64_t audio_input, audio_output, image_input;
    int64_t picodollars;
} koine_provider_usage;

/* Nothing told: what a usage starts from, for a count that is left out would read as zero tokens. */
#define KOINE_PROVIDER_USAGE_INIT                                                                            \
    {                                                                                                        \
        (uint32_t)sizeof(koine_provider_usage), 0, -1, -1, -1, -1, -1, -1, -1, -1, 0                         \
    }

typedef struct koine_model_info { /* one entry of a vendor's list of models; 0, below, and empty: not told */
    uint32_t size;
    koine_str id, name, owner;
    int64_t created; /* seconds since 1970 */
    int64_t context, max_output;
} koine_model_info;

typedef struct koine_provider_event {
    uint32_t size;
    int32_t kind, index, code;
    int32_t choice; /* which of n answers; 0 for now */
    koine_str text, id, name;
    const koine_provider_usage *usage;
    const koine_model_info *model;
    int64_t retry_ms; /* a fault's own advice, in the body; 0 or less: none (the core reads the headers) */
} koine_provider_event;

typedef struct koine_frame {
    uint32_t size;
    int32_t kind;  /* KOINE_FRAME_*; an unknown kind is to be ignored */
    int32_t clean; /* of an end: 1 the body ended as HTTP says it must, 0 it was cut */
    int32_t http_status;
    koine_str event;        /* SSE event name, or empty */
    koine_str text;         /* the frame's bytes, valid UTF-8 if json is not NULL */
    const koine_node *json; /* the text parsed; NULL unless it is a strict JSON object, array or string */
    koine_str (*header)(const struct koine_frame *frame, const char *name); /* without case; empty: absent */
} koine_frame;

struct koine_sink { /* where events go; copies what it keeps */
    uint32_t size;
    void (*emit)(koine_sink *sink, const koine_provider_event *event);
};

/* Where the request goes. Failures stick and the core checks once, so nothing here returns one. */
struct koine_out {
    uint32_t size;
    void (*method)(koine_out *out, const char *method); /* default: POST with a body, else GET */
    void (*path)(koine_out *out, const char *text);     /* appended to the base URL as it is; begins with / */
    void (*segment)(koine_out *out, koine_str text);    /* appended, percent-encoded */
    void (*query)(koine_out *out, const char *name, koine_str value);
    /* Not those that are the core's to write: Host, Content-Length, Authorization, … */
    void (*header)(koine_out *out, const char *name, koine_str value);
    void (*secret)(koine_out *out, const char *name, const char *prefix); /* header: prefix + the key */
    /* The body as JSON. key is NULL inside an array and for the outermost value. */
    void (*open)(koine_out *out, const char *key, int32_t bracket); /* '{' or '[' */
    void (*close)(koine_out *out);
    void (*str)(koine_out *out, const char *key, koine_str value);
    void (*num)(koine_out *out, const char *key, int64_t value);
    void (*raw)(koine_out *out, const char *key, koine_str json); /* trusted to be JSON: "true" */
    void (*node)(koine_out *out, const char *key,
                 const koine_node *value);                   /* the source's own bytes; NULL: nothing */
    void (*member)(koine_out *out, const koine_node *value); /* of an object, with its name */
    void (*bytes)(koine_out *out, const char *content_type, koine_str body); /* a body that is not JSON */
    void (*notice)(koine_out *out, int32_t what, koine_str member, koine_str why);
    void (*fail)(koine_out *out,
                 koine_str why); /* words for a request that returns KOINE_INVALID or _UNSUPPORTED */
};

typedef struct koine_cost_query {
    uint32_t size;
    int32_t batch; /* 1: asked as part of a batch */
    const koine_provider *self;
    const koine_host *host;
    koine_str model; /* the one that answered, or the one asked */
    koine_str asked; /* the one asked */
    int64_t at;      /* seconds since 1970: which price row holds */
    const koine_provider_usage *usage;
    koine_str service_tier; /* "": the standard one */
} koine_cost_query;

enum {
    KOINE_PRICE_UNKNOWN = 0, /* nobody knows what this costs: never read as zero */
    KOINE_PRICE_KNOWN = 1,
    KOINE_PRICE_FREE = 2
};

typedef struct koine_provider_cost {
    uint32_t size;
    int32_t state;       /* KOINE_PRICE_* */
    int32_t estimated;   /* 1: the price itself is an estimate, so the cost is one */
    int64_t picodollars; /* 10^-12 US dollars, exact */
    koine_str price_id;  /* which row priced it; borrowed until the call returns */
} koine_provider_cost;

/* What the core offers. A NULL node reads as absent everywhere. [pure] unless said otherwise. */
struct koine_host {
    uint32_t size;
    void (*log)(const koine_host *host, int32_t level,
                koine_str text); /* 0 error, 1 warning, 2 info, 3 debug */
    const void *(*extension)(const koine_host *host,
                             const char *id); /* NULL: this core has none of that name */
    int32_t (*kind)(const koine_node *node);  /* KOINE_NODE_* */
    const koine_node *(*get)(const koine_node *object, const char *key);
    size_t (*count)(const koine_node *node);                       /* of an array or object, else 0 */
    const koine_node *(*at)(const koine_node *node, size_t index); /* element, or value of a member */
    koine_str (*key)(const koine_node *object, size_t index);      /* name of that member */
    koine_str (*str)(const koine_node *node);                      /* decoded; {NULL, 0} if not a string */
    int64_t (*num)(const koine_node *node,
                   int64_t otherwise);           /* whole numbers; 3.0 and 1e2 are; else otherwise */
    int32_t (*truth)(const koine_node *node);    /* 1 true, 0 false, -1 neither */
    koine_str (*dump)(const koine_node *node);   /* the source's own bytes */
    koine_str (*pair)(const koine_node *member); /* the same with the name, `"a":1`; {NULL, 0}: no member */
    void *(*alloc)(const koine_host *host,
                   size_t size); /* [exchange] zeroed; gone when the call into you returns; NULL: none */
    koine_str (*option)(const koine_host *host, const koine_provider *self,
                        const char *name); /* [exchange] the instance's value, else the default */
    int32_t (*price)(const koine_cost_query *query,
                     koine_provider_cost *ret); /* the catalogue's row, exact arithmetic */
    /* [exchange] a text that should be strict JSON (arguments of a tool call); node and text live as long as
     * what alloc gives, so the text must too. KOINE_DONE, KOINE_INVALID, KOINE_NO_MEMORY. */
    int32_t (*parse)(const koine_host *host, koine_str text, const koine_node **ret);
};

struct koine_ask { /* what to write a request for */
    uint32_t size;
    int32_t framing; /* KOINE_FRAME_SSE: ask for a stream; KOINE_FRAME_WHOLE: for one answer */
    uint32_t step;   /* 0, then one more after every KOINE_MORE */
    const koine_provider *self;
    const koine_host *host;
    const koine_node *doc; /* the document; NULL where the operation has none */
    koine_str model;       /* without the instance */
    const void *state;     /* what frame left there in the step before */
};

struct koine_read { /* what to read */
    uint32_t size;
    uint32_t step;
    const koine_provider *self;
    const koine_host *host;
    const koine_frame *frame;
    void *state; /* exchange->state_size zeroed bytes; NULL in koine_provider.fault */
    koine_str model;
};

typedef struct koine_exchange { /* one operation over HTTP: how to ask, how to read the answer */
    uint32_t size;
    /* Bytes the core keeps for each exchange, at most 64 kB, zeroed, aligned for any type. No pointers: the
     * exchange may go on in another process. */
    size_t state_size;
    int32_t (*request)(const koine_ask *ask, koine_out *out); /* [exchange] */
    int32_t (*frame)(const koine_read *read,
                     koine_sink *sink); /* [exchange] one frame of an answer below 400 */
} koine_exchange;

enum {
    KOINE_OPTION_STRING = 1,
    KOINE_OPTION_INTEGER = 2,
    KOINE_OPTION_BOOL = 3
};

typedef struct koine_option { /* a setting of the vendor's own, under `options:` of an instance */
    uint32_t size;
    int32_t type;                        /* KOINE_OPTION_* */
    int32_t required;                    /* 1: an instance without it is refused */
    const char *name, *otherwise, *help; /* otherwise: the default, or NULL */
} koine_option;

/* The base URL of a provider that needs no server: each of its requests is answered with its own body, under
 * its own content type, and status 200. Nothing leaves the process, and all else is as with a server. */
#define KOINE_LOCAL "local:"

struct koine_provider { /* the vtable; static storage in the plugin */
    uint32_t size;
    const char *id;           /* "together": [a-z0-9_-]+, at most 64; the name of its instance by default */
    const char *version;      /* of the plugin, "1.0.0" */
    const char *base_url;     /* "https://api.together.ai/v1"; no slash at the end; or KOINE_LOCAL;
                                 NULL: none is everybody's, so each instance tells its own */
    const char *key_variable; /* "TOGETHER_API_KEY"; NULL: needs no key */
    const koine_option *const *options; /* NULL-ended, at most 64; NULL: none */
    const koine_exchange *generate;     /* required */
    const koine_exchange *list_models;  /* required */
    int32_t (*calculate_cost)(const koine_cost_query *query,
                              koine_provider_cost *ret); /* [pure] required; 0, or negative */
    int32_t (*fault)(const koine_read *read,
                     koine_sink *sink); /* [pure] classify an answer of 400 and above; NULL: by status */
    const void *(*extension)(const char *id); /* [pure] NULL: none */
};

/* The one symbol of a plugin: its index-th provider, or NULL past the last. The core calls it once for
 * each index, before anything else; a plugin has at most 64 providers. */
#ifndef KOINE_ENTRY
#define KOINE_ENTRY koine_provider_v1
#endif
#define KOINE_ENTRY_NAME "koine_provider_v1"
KOINE_EXPORT const koine_provider *KOINE_ENTRY(const koine_host *host, uint32_t index);

#ifdef __cplusplus
}
#endif
#endif
