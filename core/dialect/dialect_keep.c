/* dialect_keep: what a vendor wants back of an answer, as pieces of JSON, and where it stood in it. */
#include "core/dialect/dialect.h"

#include <inttypes.h>
#include <stdio.h>

void koine__dialect_keep(const struct koine__dialect_keeping *k, koine_str text)
{
    koine_provider_event event = koine__dialect_event(KOINE_EMIT_KEEP);
    if (text.len == 0)
        return;
    event.name = koine__dialect_str(k->name);
    event.index = k->place->kept;
    event.text = text;
    k->sink->emit(k->sink, &event);
}

void koine__dialect_keep_end(const struct koine__dialect_keeping *k, const char *close)
{
    koine__dialect_keep(k, koine__dialect_str(close));
    k->place->kept++;
}

void koine__dialect_keep_mark(const struct koine__dialect_keeping *k, const char *type, const char *count,
                              uint64_t number)
{
    char mark[96];
    snprintf(mark, sizeof(mark), "{\"type\":\"%s\",\"%s\":%" PRIu64, type, count, number);
    koine__dialect_keep(k, koine__dialect_str(mark));
}

void koine__dialect_keep_place(const struct koine__dialect_keeping *k)
{
    if (k->place->text > 0) {
        koine__dialect_keep_mark(k, "text", "bytes", k->place->text);
        koine__dialect_keep_end(k, "}");
    }
    if (k->place->calls > 0) {
        koine__dialect_keep_mark(k, k->call, "count", k->place->calls);
        koine__dialect_keep_end(k, "}");
    }
    k->place->text = 0;
    k->place->calls = 0;
}

void koine__dialect_keep_whole(const struct koine__dialect_keeping *k, koine_str json)
{
    koine__dialect_keep_place(k);
    koine__dialect_keep(k, json);
    k->place->kept++;
}
