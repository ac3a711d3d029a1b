/* journal: see journal.h. */
#include "tests/standin/journal.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static void forget(struct journal *journal, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct entry *entry = &journal->entries[i];
        free(entry->method);
        free(entry->path);
        free(entry->provider);
        free(entry->model);
    }
    journal->count -= count;
    if (journal->count)
        memmove(journal->entries, journal->entries + count, journal->count * sizeof(*journal->entries));
}

void journal_free(struct journal *journal)
{
    forget(journal, journal->count);
    free(journal->entries);
    *journal = (struct journal){0};
}

void journal_clear(struct journal *journal)
{
    forget(journal, journal->count);
}

struct entry *journal_add(struct journal *journal)
{
    journal->last++;
    if (journal->count == JOURNAL_LIMIT)
        forget(journal, JOURNAL_LIMIT / 2);
    if (journal->count == journal->capacity) {
        size_t capacity = journal->capacity ? journal->capacity * 2 : 64;
        struct entry *entries = realloc(journal->entries, capacity * sizeof(*entries));
        if (!entries)
            return NULL;
        journal->entries = entries;
        journal->capacity = capacity;
    }
    struct entry *entry = &journal->entries[journal->count++];
    *entry = (struct entry){.n = journal->last, .end = "open"};
    return entry;
}

struct entry *journal_find(const struct journal *journal, uint64_t n)
{
    size_t low = 0, high = journal->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (journal->entries[middle].n < n)
            low = middle + 1;
        else
            high = middle;
    }
    return low < journal->count && journal->entries[low].n == n ? &journal->entries[low] : NULL;
}

static void add_text(struct bytes *out, const char *name, const char *text)
{
    bytes_printf(out, ",\"%s\":", name);
    if (text)
        bytes_json(out, text, strlen(text));
    else
        bytes_text(out, "null");
}

static void print_entry(const struct entry *entry, struct bytes *out)
{
    bytes_printf(out, "{\"n\":%" PRIu64 ",\"ms\":%" PRId64, entry->n, entry->ms);
    add_text(out, "method", entry->method);
    add_text(out, "path", entry->path);
    add_text(out, "provider", entry->provider);
    add_text(out, "model", entry->model);
    bytes_printf(out, ",\"stream\":%s", entry->stream ? "true" : "false");
    add_text(out, "behaviour", entry->behaviour);
    bytes_printf(out, ",\"status\":%d,\"connection\":%" PRIu64 ",\"key\":\"%s\",\"bytes\":%zu", entry->status,
                 entry->connection, entry->has_key ? "present" : "absent", entry->bytes);
    bytes_printf(out, ",\"request_id\":\"req-%" PRIu64 "\",\"billed\":", entry->n);
    if (entry->billed) {
        bytes_printf(out, "{\"input\":%" PRId64 ",\"output\":%" PRId64 ",\"cached\":%" PRId64 "}",
                     entry->input, entry->output, entry->cached);
    } else {
        bytes_text(out, "null");
    }
    add_text(out, "end", entry->end);
    bytes_text(out, "}");
}

void journal_print(const struct journal *journal, struct bytes *out)
{
    bytes_text(out, "[");
    for (size_t i = 0; i < journal->count; i++) {
        bytes_text(out, i ? ",\n" : "");
        print_entry(&journal->entries[i], out);
    }
    bytes_text(out, "]\n");
}
