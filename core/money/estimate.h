/* estimate: what an attempt may take and cost, before anybody is asked. From the document as its target gets
 * it and from what the catalogue knows of the model; no provider is asked. [the document's thread]
 *
 * Bound of the prompt, in tokens: one for each byte of the document's JSON, white space between values left
 * out and an escape counted as the bytes it stands for. A token of a byte-pair vocabulary is at least one
 * byte of text, and the JSON around a text is longer than what chat templates put around a message (3 to 5
 * tokens and the role). To that come constants for what no byte of the document shows; see estimate.c. A
 * prompt that is larger than the model's window is refused by its vendor and costs nothing, so the window is
 * a bound too, and the only one of a part whose tokens do not follow from its bytes (a PDF, a video, a file
 * by its id).
 *
 * Typical: a quarter of the bytes, as vendors and the ledger estimate.
 *
 * What a vendor charges by the piece and not by the token (searches, containers) is in no price row, and in
 * no estimate.
 */
#ifndef KOINE_CORE_MONEY_ESTIMATE_H
#define KOINE_CORE_MONEY_ESTIMATE_H

#include "core/plugin/catalogue.h"
#include "core/wire/json.h"

#define KOINE__ANSWER_USUAL 4096 /* tokens, where neither the document nor the catalogue tells a limit */

/* What is counted of a document, whoever answers it: kept by whoever asks about it more than once. */
struct koine__count {
    bool is_known; /* else nothing was counted yet */
    int64_t bytes;
    int64_t images, audio_bytes, file_bytes; /* parts; their bytes are in none of the others */
    bool has_audio, has_file;
};
struct koine__estimate_ask {
    const koine_node *doc;            /* NULL: there is none, as for list_models */
    struct koine__count *count;       /* of doc, filled here if it is not yet; NULL: nobody keeps it */
    const struct koine__model *known; /* NULL: the catalogue does not know it */
    int64_t at;                       /* seconds since 1970: which prices hold */
    bool typical;
    bool free; /* nobody is to be paid */
};
struct koine__estimate {
    int64_t prompt, answer; /* tokens; -1: nobody knows */
    int64_t cost;           /* at most, picodollars, INT64_MAX where it is more; -1: nobody knows */
    int64_t prompt_cost;    /* of that */
    int64_t rate;           /* of a token of the answer */
    const char *unknown;    /* why `cost` is not known, and what would help: static; else NULL */
    bool unpriced;          /* for want of a price */
};
/* max_tokens or max_completion_tokens of the document bound the answer, else the model's longest answer, else
 * its window. Both sides at the dearest rate they may be billed at: cache writes, reasoning, every size of
 * prompt up to this one, the standard tier and the one that the document names. */
void koine__estimate(const struct koine__estimate_ask *ask, struct koine__estimate *ret);
/* What counts against a limit of tokens a minute: the typical prompt and the longest answer, or
 * KOINE__ANSWER_USUAL where none is told. */
int64_t koine__estimate_tokens(const koine_node *doc, struct koine__count *count,
                               const struct koine__model *known);

#endif
