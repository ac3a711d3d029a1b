/* exchange: one recorded exchange of ../shared/corpus, and what its vendor's own SDK reads out of it. */
#ifndef KOINE_TESTS_CORPUS_EXCHANGE_H
#define KOINE_TESTS_CORPUS_EXCHANGE_H

#include "core/base/mem.h"
#include "core/wire/json.h"
#include "tests/vendor/case.h"

struct corpus_file { /* a file of JSON lines, read whole */
    char *text;
    koine_str rest; /* lines not yet given */
};

/* False: it cannot be read. */
bool corpus_open(struct corpus_file *file, const char *folder, const char *name);
void corpus_close(struct corpus_file *file);
/* The next line as JSON in the arena; NULL: no more, or it is none. */
const koine_node *corpus_next(struct corpus_file *file, struct koine__arena *arena);

/* The exchange as a case of its vendor; it borrows from the line and its arena. */
void corpus_case(const koine_node *exchange, struct vendor_case *ret);

/* expected.jsonl, by id. */
struct corpus_expected {
    struct corpus_file file;
    struct koine__arena arena;
    struct corpus_entry {
        koine_str id;
        const koine_node *node;
    } * entries;
    size_t count;
};
bool corpus_expected_open(struct corpus_expected *expected, const char *folder);
void corpus_expected_close(struct corpus_expected *expected);
const koine_node *corpus_expected_find(const struct corpus_expected *expected, koine_str id);

#endif
