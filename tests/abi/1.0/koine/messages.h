/* koine/messages.h: the dialect of Anthropic's Messages API, which others serve too, as an extension of the
 * host.
 *
 * The document stays in the shape of chat completions; the dialect puts it into that of the Messages API.
 * How a vendor takes it: koine/dialect.h. The rules of growth are those of koine/provider.h.
 *
 * What must go back to the vendor as it came (signed thinking, what its own tools did) is kept in the list
 * `koine.messages` of the assistant message: content blocks in the API's own shape, in their order. Where
 * text or calls of the message stood before such a block, the list says so by {"type":"text","bytes":N} (the
 * next N bytes of the content) and {"type":"tool_use","count":N}; all that is not told so comes last. A part
 * of a message's content may carry such a list as well; it goes before the part.
 */
#ifndef KOINE_MESSAGES_H
#define KOINE_MESSAGES_H

#include <koine/dialect.h>

#ifdef __cplusplus
extern "C" {
#endif

#define KOINE_MESSAGES "koine.dialect.messages/1" /* host->extension: const koine_messages * */
#define KOINE_MESSAGES_TRAITS                                                                                \
    "koine.dialect.messages.traits/1" /* provider->extension: koine_messages_traits */

typedef koine_dialect_fault koine_messages_fault;
typedef koine_dialect_header koine_messages_header;

typedef struct koine_messages_traits {
    uint32_t size;
    const char *path;                    /* "/messages" */
    const char *models_path;             /* "/models" */
    const char *key_header, *key_prefix; /* "x-api-key", "" */
    /* Option of the instance that limits the output where a document does not, as the API wants a limit;
     * NULL: there is none. Without it, and where it says nothing: max_tokens; 0 stands for 4096. */
    const char *max_tokens_option;
    int64_t max_tokens;
    /* NULL-ended: how the ids of models begin that think on a budget of tokens; all others decide for
     * themselves how long they think. NULL: all think on a budget. */
    const char *const *budget_models;
    const char *const *foreign; /* NULL-ended: members this vendor refuses beside those that the API lacks */
    const koine_messages_fault *const *faults;   /* NULL-ended, asked in order before the common rules */
    const koine_messages_header *const *headers; /* NULL-ended */
} koine_messages_traits;

typedef koine_dialect koine_messages;

/* What a vendor without code of its own answers from its `extension`. */
static inline const void *koine_messages_extension(const char *id, const koine_messages_traits *traits)
{
    return koine_dialect_extension(id, KOINE_MESSAGES_TRAITS, traits);
}

/* And from its entry function: its one provider, with the dialect's operations put in. */
static inline const koine_provider *koine_messages_entry(koine_provider *provider, const koine_host *host,
                                                         uint32_t index)
{
    return koine_dialect_entry(provider, host, index, KOINE_MESSAGES);
}

#ifdef __cplusplus
}
#endif
#endif
