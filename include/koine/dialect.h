/* koine/dialect.h: what dialects have in common that many vendors share, as extensions of the host.
 *
 * A vendor that speaks one is a table of differences and no code of its own: take the dialect from the host
 * in the entry function, put its operations into your vtable, and answer its traits from your `extension`;
 * two functions below do both. The dialects: koine/chat.h, koine/messages.h, koine/gemini.h. The rules of
 * growth are those of koine/provider.h.
 */
#ifndef KOINE_DIALECT_H
#define KOINE_DIALECT_H

#include <koine/provider.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct koine_dialect { /* [pure], static storage of the core */
    uint32_t size;
    const koine_exchange *generate, *list_models;
    int32_t (*calculate_cost)(const koine_cost_query *query, koine_provider_cost *ret);
    int32_t (*fault)(const koine_read *read, koine_sink *sink);
} koine_dialect;

typedef struct koine_dialect_fault { /* where a vendor's errors mean something else than elsewhere */
    uint32_t size;
    int32_t status;    /* HTTP status; 0: any */
    int32_t fault;     /* KOINE_FAULT_* */
    const char *match; /* found in the error's code, type or message, without case; NULL: always */
} koine_dialect_fault;

typedef struct koine_dialect_header { /* an option of the instance that travels as a header */
    uint32_t size;
    const char *option, *header;
} koine_dialect_header;

typedef struct koine_dialect_query { /* an option of the instance that travels in the URL's query */
    uint32_t size;
    const char *option, *name;
} koine_dialect_query;

/* What a vendor without code of its own answers from its `extension`; `known` is the name of the traits. */
static inline const void *koine_dialect_extension(const char *id, const char *known, const void *traits)
{
    size_t i = 0;
    while (known[i] && id[i] == known[i])
        i++;
    return id[i] == known[i] ? traits : NULL;
}

/* And from its entry function: its one provider, with the operations of the dialect of that name put in. */
static inline const koine_provider *koine_dialect_entry(koine_provider *provider, const koine_host *host,
                                                        uint32_t index, const char *name)
{
    const koine_dialect *dialect = index == 0 ? (const koine_dialect *)host->extension(host, name) : NULL;
    if (!dialect)
        return NULL;
    provider->generate = dialect->generate;
    provider->list_models = dialect->list_models;
    provider->calculate_cost = dialect->calculate_cost;
    provider->fault = dialect->fault;
    return provider;
}

#ifdef __cplusplus
}
#endif
#endif
