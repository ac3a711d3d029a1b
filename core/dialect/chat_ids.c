/* chat_ids: ids of tool calls, for a vendor that takes only letters and digits, so many of them.
 *
 * An id that fits stays. Each other one becomes a number by its place among the ids of the document, so it is
 * the same in the call, in its result and, as documents grow at their end, in the next request; nothing need
 * be remembered. A number that an id of the document already is, is passed over.
 */
#include "core/dialect/chat_internal.h"

static bool is_same(koine_str a, koine_str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static bool is_plain(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static bool fits(koine_str id, size_t length)
{
    size_t i = 0;
    while (i < id.len && is_plain(id.ptr[i]))
        i++;
    return id.len == length && i == length;
}

static struct koine__chat_id *find(const struct koine__chat_writing *w, koine_str told)
{
    size_t number = w->ids ? koine__dialect_index_find(&w->id_index, told) : 0;
    return number ? &w->ids[number] : NULL;
}

static void add(struct koine__chat_writing *w, koine_str told)
{
    if (told.len == 0 || find(w, told))
        return;
    struct koine__chat_id *id = &w->ids[koine__dialect_index_add(&w->id_index, told)];
    id->told = told;
    if (fits(told, w->traits.tool_id_length))
        id->sent = told;
}

static void write_number(char *text, size_t length, size_t number)
{
    for (; length > 0; number /= 10)
        text[--length] = (char)('0' + number % 10);
}

static void number_others(struct koine__chat_writing *w)
{
    size_t length = w->traits.tool_id_length, number = 0;
    for (size_t i = 1; i <= w->id_index.count; i++) {
        if (w->ids[i].sent.len > 0)
            continue;
        char *text = w->host->alloc(w->host, length);
        if (!text) {
            koine__chat_fail(w, KOINE_NO_MEMORY);
            return;
        }
        do
            write_number(text, length, ++number);
        while (find(w, (koine_str){text, length}));
        w->ids[i].sent = (koine_str){text, length};
    }
}

void koine__chat_ids(struct koine__chat_writing *w, const koine_node *messages)
{
    const koine_host *host = w->host;
    size_t most = 0;
    if (w->traits.tool_id_length == 0)
        return;
    for (size_t i = 0; i < host->count(messages); i++)
        most += 1 + host->count(host->get(host->at(messages, i), "tool_calls"));
    w->ids = host->alloc(host, (most + 1) * sizeof(*w->ids));
    if (!w->ids || koine__dialect_index_init(host, &w->id_index, most) != KOINE_DONE) {
        w->ids = NULL;
        koine__chat_fail(w, KOINE_NO_MEMORY);
        return;
    }
    for (size_t i = 0; i < host->count(messages); i++) {
        const koine_node *message = host->at(messages, i), *calls = host->get(message, "tool_calls");
        for (size_t j = 0; j < host->count(calls); j++)
            add(w, host->str(host->get(host->at(calls, j), "id")));
        add(w, host->str(host->get(message, "tool_call_id")));
    }
    number_others(w);
}

koine_str koine__chat_id(struct koine__chat_writing *w, koine_str told)
{
    const struct koine__chat_id *id = find(w, told);
    if (!id || id->sent.len == 0 || is_same(id->sent, told))
        return told;
    w->readdressed = true;
    return id->sent;
}
