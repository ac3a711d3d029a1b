/* dialect_index: texts of a document by what they say, so that a long conversation is not walked through once
 * for each of its messages. */
#include "core/dialect/dialect.h"

static size_t slot_of(const struct koine__dialect_index *index, koine_str key)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325); /* FNV-1a */
    for (size_t i = 0; i < key.len; i++)
        hash = (hash ^ (unsigned char)key.ptr[i]) * UINT64_C(0x100000001b3);
    return (size_t)(hash ^ hash >> 32) & index->mask;
}

int32_t koine__dialect_index_init(const koine_host *host, struct koine__dialect_index *index, size_t most)
{
    size_t size = 1;
    while (size < most)
        size *= 2;
    *index = (struct koine__dialect_index){.mask = size - 1};
    index->heads = host->alloc(host, size * sizeof(*index->heads));
    index->entries = host->alloc(host, (most + 1) * sizeof(*index->entries));
    return index->heads && index->entries ? KOINE_DONE : KOINE_NO_MEMORY;
}

size_t koine__dialect_index_add(struct koine__dialect_index *index, koine_str key)
{
    size_t number = ++index->count, slot = slot_of(index, key);
    index->entries[number] = (struct koine__dialect_entry){key, index->heads[slot]};
    index->heads[slot] = number;
    return number;
}

static size_t same_from(const struct koine__dialect_index *index, size_t number, koine_str key)
{
    for (; number; number = index->entries[number].older) {
        koine_str other = index->entries[number].key;
        if (other.len == key.len && (key.len == 0 || memcmp(other.ptr, key.ptr, key.len) == 0))
            break;
    }
    return number;
}

size_t koine__dialect_index_find(const struct koine__dialect_index *index, koine_str key)
{
    return same_from(index, index->heads[slot_of(index, key)], key);
}

size_t koine__dialect_index_older(const struct koine__dialect_index *index, size_t number)
{
    return same_from(index, index->entries[number].older, index->entries[number].key);
}

/* ---- Calls by their ids ---- */

static size_t count_calls(const koine_host *host, const koine_node *messages)
{
    size_t count = 0;
    for (size_t i = 0; i < host->count(messages); i++)
        count += host->count(host->get(host->at(messages, i), "tool_calls"));
    return count;
}

static void add_calls(const koine_host *host, const koine_node *message, size_t at,
                      struct koine__dialect_calls *ret)
{
    const koine_node *calls = host->get(message, "tool_calls");
    for (size_t i = 0; i < host->count(calls) && ret->index.count < ret->most; i++) {
        const koine_node *call = host->at(calls, i);
        size_t number = koine__dialect_index_add(&ret->index, koine__dialect_text(host, call, "id"));
        ret->calls[number] = (struct koine__dialect_call){call, at};
    }
}

static int32_t read_calls(const koine_host *host, const koine_node *messages,
                          struct koine__dialect_calls *ret)
{
    ret->most = count_calls(host, messages);
    ret->calls = host->alloc(host, (ret->most + 1) * sizeof(*ret->calls));
    if (!ret->calls || koine__dialect_index_init(host, &ret->index, ret->most) != KOINE_DONE) {
        ret->calls = NULL;
        return KOINE_NO_MEMORY;
    }
    for (size_t i = 0; i < host->count(messages); i++)
        add_calls(host, host->at(messages, i), i, ret);
    return KOINE_DONE;
}

int32_t koine__dialect_call_name(const koine_host *host, const koine_node *messages, size_t before,
                                 koine_str id, struct koine__dialect_calls *calls, const koine_node **ret)
{
    *ret = NULL;
    if (id.len == 0)
        return KOINE_DONE;
    int32_t result = calls->calls ? KOINE_DONE : read_calls(host, messages, calls);
    if (result != KOINE_DONE)
        return result;
    size_t number = koine__dialect_index_find(&calls->index, id);
    while (number && calls->calls[number].message >= before)
        number = koine__dialect_index_older(&calls->index, number);
    if (number)
        *ret = host->get(host->get(calls->calls[number].call, "function"), "name");
    return KOINE_DONE;
}
