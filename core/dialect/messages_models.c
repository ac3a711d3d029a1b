/* messages_models: the list of models, which comes in pages. */
#include "core/dialect/messages_internal.h"

#define PAGE "1000" /* as many as the API gives at once */

static int32_t request(const koine_ask *ask, koine_out *out)
{
    const struct koine__dialect_page *state = ask->state;
    koine_messages_traits traits;
    koine__messages_traits(ask->self, &traits);
    koine__messages_head(ask, &traits, traits.models_path, out);
    out->query(out, "limit", koine__dialect_str(PAGE));
    if (ask->step > 0)
        out->query(out, "after_id", koine__dialect_str(state->next));
    return KOINE_DONE;
}

/* ---- Dates: "2025-02-19T00:00:00Z" ---- */

static int64_t digits(koine_str text, size_t from, size_t count)
{
    int64_t value = 0;
    for (size_t i = from; i < from + count; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return -1;
        value = value * 10 + (text.ptr[i] - '0');
    }
    return value;
}

/* Days since 1970-01-01: years begin in March here, so that a leap day ends one. */
static int64_t days(int64_t year, int64_t month, int64_t day)
{
    int64_t y = month > 2 ? year : year - 1, m = month > 2 ? month - 3 : month + 9;
    return 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 - 719468;
}

static int64_t seconds_of(koine_str text)
{
    if (text.len < 20 || text.ptr[4] != '-' || text.ptr[7] != '-' || text.ptr[10] != 'T' ||
        text.ptr[text.len - 1] != 'Z')
        return -1;
    int64_t year = digits(text, 0, 4), month = digits(text, 5, 2), day = digits(text, 8, 2);
    int64_t hour = digits(text, 11, 2), minute = digits(text, 14, 2), second = digits(text, 17, 2);
    if (year < 1970 || month < 1 || month > 12 || day < 1 || day > 31 || hour < 0 || minute < 0 || second < 0)
        return -1;
    return ((days(year, month, day) * 24 + hour) * 60 + minute) * 60 + second;
}

/* ---- A page ---- */

static void emit_model(const koine_host *host, const koine_node *entry, koine_sink *sink)
{
    koine_provider_event event = koine__dialect_event(KOINE_EMIT_MODEL);
    int64_t created = seconds_of(host->str(host->get(entry, "created_at")));
    koine_model_info info = {.size = sizeof(info),
                             .id = host->str(host->get(entry, "id")),
                             .name = host->str(host->get(entry, "display_name")),
                             .created = created > 0 ? created : -1, /* 1970 stands for: not known */
                             .context = host->num(host->get(entry, "max_input_tokens"), -1),
                             .max_output = host->num(host->get(entry, "max_tokens"), -1)};
    if (info.id.len == 0)
        return;
    event.model = &info;
    sink->emit(sink, &event);
}

/* The next page begins after the last id of this one. */
static bool next(const koine_host *host, const koine_node *root, koine_str *ret)
{
    if (host->truth(host->get(root, "has_more")) != 1)
        return true;
    *ret = koine__dialect_text(host, root, "last_id");
    return ret->len > 0;
}

static const koine_node *entries(const koine_host *host, const koine_node *root, bool *ret_any)
{
    const koine_node *list = host->get(root, "data");
    *ret_any = host->kind(list) == KOINE_NODE_ARRAY;
    return list;
}

static int32_t frame(const koine_read *read, koine_sink *sink)
{
    static const struct koine__dialect_list list = {
        .entries = entries, .model = emit_model, .next = next, .tell = koine__messages_tell};
    return koine__dialect_list_frame(read, sink, &list);
}

const koine_exchange koine__messages_models = {.size = sizeof(koine_exchange),
                                               .state_size = sizeof(struct koine__dialect_page),
                                               .request = request,
                                               .frame = frame};
