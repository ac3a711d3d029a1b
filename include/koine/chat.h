/* koine/chat.h: the chat completions dialect, which many vendors share, as an extension of the host.
 *
 * A vendor that speaks it is a table of differences (koine_chat_traits) and no code of its own: take
 * the dialect from the host in the entry function, put its operations into your vtable, and answer
 * KOINE_CHAT_TRAITS from your `extension`; two functions below do both. The rules of growth are those
 * of koine/provider.h.
 */
#ifndef KOINE_CHAT_H
#define KOINE_CHAT_H

#include <koine/provider.h>

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
    KOINE_CHAT_NO_DEVELOPER = 1 << 4    /* role developer becomes system */
};

typedef struct koine_chat_fault { /* where this vendor's errors mean something else than elsewhere */
    uint32_t size;
    int32_t status;    /* HTTP status; 0: any */
    const char *match; /* found in the error's code, type or message, without case; NULL: always */
    int32_t fault;     /* KOINE_FAULT_* */
} koine_chat_fault;

typedef struct koine_chat_header { /* an option of the instance that travels as a header */
    uint32_t size;
    const char *option, *header;
} koine_chat_header;

typedef struct koine_chat_traits {
    uint32_t size;
    uint32_t flags;
    const char *path;           /* "/chat/completions" */
    const char *models_path;    /* "/models" */
    const char *max_tokens;     /* which member limits the output: "max_tokens" */
    const char *const *foreign; /* NULL-ended: members this vendor refuses; dropped with a notice */
    const koine_chat_fault *const *faults;   /* NULL-ended, asked in order before the common rules */
    const koine_chat_header *const *headers; /* NULL-ended */
    /* Name of a boolean option by which the instance says that the server is another vendor's: nothing is
     * foreign then, and the limit is called max_tokens. NULL: there is none. */
    const char *compatible;
} koine_chat_traits;

typedef struct koine_chat { /* [pure], static storage of the core */
    uint32_t size;
    const koine_exchange *generate, *list_models;
    int32_t (*calculate_cost)(const koine_cost_query *query, koine_provider_cost *ret);
    int32_t (*fault)(const koine_read *read, koine_sink *sink);
} koine_chat;

/* What a vendor without code of its own answers from its `extension`. */
static inline const void *koine_chat_extension(const char *id, const koine_chat_traits *traits)
{
    static const char known[] = KOINE_CHAT_TRAITS;
    size_t i = 0;
    while (known[i] && id[i] == known[i])
        i++;
    return id[i] == known[i] ? traits : NULL;
}

/* And from its entry function: its one provider, with the dialect's operations put in. */
static inline const koine_provider *koine_chat_entry(koine_provider *provider, const koine_host *host,
                                                     uint32_t index)
{
    const koine_chat *chat = index == 0 ? (const koine_chat *)host->extension(host, KOINE_CHAT) : NULL;
    if (!chat)
        return NULL;
    provider->generate = chat->generate;
    provider->list_models = chat->list_models;
    provider->calculate_cost = chat->calculate_cost;
    provider->fault = chat->fault;
    return provider;
}

#ifdef __cplusplus
}
#endif
#endif
