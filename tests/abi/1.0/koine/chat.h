/* koine/chat.h: the chat completions dialect, which many vendors share, as an extension of the host.
 *
 * How a vendor takes it: koine/dialect.h. The rules of growth are those of koine/provider.h.
 */
#ifndef KOINE_CHAT_H
#define KOINE_CHAT_H

#include <koine/dialect.h>

#ifdef __cplusplus
extern "C" {
#endif

#define KOINE_CHAT        "koine.dialect.chat/1"        /* host->extension: const koine_chat * */
#define KOINE_CHAT_TRAITS "koine.dialect.chat.traits/1" /* provider->extension: const koine_chat_traits * */

enum {                                  /* koine_chat_traits.flags */
    KOINE_CHAT_STREAM_USAGE = 1 << 0,   /* ask for usage in a stream with stream_options */
    KOINE_CHAT_NO_OBFUSCATION = 1 << 1, /* and for no padding in it */
    KOINE_CHAT_STOP_LIST = 1 << 2,      /* `stop` must be a list: a lone string is wrapped */
    KOINE_CHAT_LOGPROBS_COUNT = 1 << 3, /* `logprobs` is a count: true with top_logprobs N becomes N */
    KOINE_CHAT_NO_DEVELOPER = 1 << 4,   /* role developer becomes system */
    KOINE_CHAT_TOOLS_ALONE = 1 << 5,    /* an assistant message with tool calls must hold no content */
    KOINE_CHAT_RESULT_NAME = 1 << 6,    /* a message of role tool must name its tool */
    KOINE_CHAT_SCHEMA_FLAT = 1 << 7,    /* response_format is {"type", "schema"}, with no object between */
    /* `extra_content` of a message and of its tool calls goes back as it came. The answer's is kept in
     * koine.chat of the assistant message, {"id", "extra_content"} for each. */
    KOINE_CHAT_EXTRA_BACK = 1 << 8,
    KOINE_CHAT_OWN_NAMES = 1 << 9 /* models are asked for by names of the user's own: the one that
                                     answered has a price, the name has none */
};

typedef koine_dialect_fault koine_chat_fault;
typedef koine_dialect_header koine_chat_header;
typedef koine_dialect_query koine_chat_query;

typedef struct koine_chat_member { /* a member of the request */
    uint32_t size;
    const char *name, *json;
} koine_chat_member;

typedef struct koine_chat_traits {
    uint32_t size;
    uint32_t flags;
    const char *path;           /* "/chat/completions"; {model} in it is the model as one segment */
    const char *models_path;    /* "/models" */
    const char *max_tokens;     /* which member limits the output: "max_tokens" */
    const char *const *foreign; /* NULL-ended: members this vendor refuses; dropped with a notice */
    const koine_chat_fault *const *faults;   /* NULL-ended, asked in order before the common rules */
    const koine_chat_header *const *headers; /* NULL-ended */
    /* Name of a boolean option by which the instance says that the server is another vendor's: nothing is
     * foreign then, the limit is called max_tokens, and extra_content goes back. NULL: there is none. */
    const char *compatible;
    const koine_chat_member *const *defaults; /* NULL-ended: sent where the document does not say */
    /* NULL-ended: the media types of images, where the vendor takes them only as base64 data ("image/png").
     * A document with another one is unsupported. NULL: images travel as they are. */
    const char *const *images;
    /* Ids of tool calls must be so many letters and digits: others are sent as such ones, the same as the
     * same, in the call and in its result, and two never as one. 0: ids travel as they are. */
    uint32_t tool_id_length;
    const char *key_header, *key_prefix;    /* NULL: "Authorization", "Bearer " */
    const koine_chat_query *const *queries; /* NULL-ended */
} koine_chat_traits;

typedef koine_dialect koine_chat;

/* What a vendor without code of its own answers from its `extension`. */
static inline const void *koine_chat_extension(const char *id, const koine_chat_traits *traits)
{
    return koine_dialect_extension(id, KOINE_CHAT_TRAITS, traits);
}

/* And from its entry function: its one provider, with the dialect's operations put in. */
static inline const koine_provider *koine_chat_entry(koine_provider *provider, const koine_host *host,
                                                     uint32_t index)
{
    return koine_dialect_entry(provider, host, index, KOINE_CHAT);
}

#ifdef __cplusplus
}
#endif
#endif
