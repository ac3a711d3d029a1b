/* koine/gemini.h: the dialect of Google's Gemini API (generateContent, streamGenerateContent), as an
 * extension of the host.
 *
 * The document stays in the shape of chat completions; the dialect puts it into that of the API. What the API
 * has under another name or in another place goes there; members of the API's own (`safetySettings`,
 * `cachedContent`, `generationConfig`, tools and parts in its own shape) travel as they are, and come before
 * what the document says in chat's words. How a vendor takes it: koine/dialect.h. The rules of growth are
 * those of koine/provider.h.
 *
 * What must go back to the vendor as it came (signatures of thought, what its own tools did, images it made)
 * is kept in the list `koine.gemini` of the assistant message: parts in the API's own shape, in their order.
 * Where text or calls of the message stood before such a part, the list says so by {"type":"text","bytes":N}
 * (the next N bytes of the content) and {"type":"functionCall","count":N}, with the `thoughtSignature` that
 * belongs to them; all that is not told so comes last.
 */
#ifndef KOINE_GEMINI_H
#define KOINE_GEMINI_H

#include <koine/dialect.h>

#ifdef __cplusplus
extern "C" {
#endif

#define KOINE_GEMINI        "koine.dialect.gemini/1"        /* host->extension: const koine_gemini * */
#define KOINE_GEMINI_TRAITS "koine.dialect.gemini.traits/1" /* provider->extension: koine_gemini_traits */

typedef koine_dialect_fault koine_gemini_fault;
typedef koine_dialect_header koine_gemini_header;

typedef struct koine_gemini_traits {
    uint32_t size;
    const char *path;                    /* what stands before a model's id: "/models/" */
    const char *models_path;             /* "/models" */
    const char *key_header, *key_prefix; /* "x-goog-api-key", "" */
    /* NULL-ended: how the ids of models begin that do not think at all, that think on a budget of tokens (all
     * others on a level), and that cannot be told to leave it. NULL: there are none. */
    const char *const *plain_models, *const *budget_models, *const *always_models;
    const char *const *foreign; /* NULL-ended: members this vendor refuses beside those that the API lacks */
    const koine_gemini_fault *const *faults;   /* NULL-ended, asked in order before the common rules */
    const koine_gemini_header *const *headers; /* NULL-ended */
} koine_gemini_traits;

typedef koine_dialect koine_gemini;

/* What a vendor without code of its own answers from its `extension`. */
static inline const void *koine_gemini_extension(const char *id, const koine_gemini_traits *traits)
{
    return koine_dialect_extension(id, KOINE_GEMINI_TRAITS, traits);
}

/* And from its entry function: its one provider, with the dialect's operations put in. */
static inline const koine_provider *koine_gemini_entry(koine_provider *provider, const koine_host *host,
                                                       uint32_t index)
{
    return koine_dialect_entry(provider, host, index, KOINE_GEMINI);
}

#ifdef __cplusplus
}
#endif
#endif
