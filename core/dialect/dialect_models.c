/* dialect_models: lists of models, which may come in pages. */
#include "core/dialect/dialect.h"

/* The same page again would be no end. */
static int32_t next_page(koine_str next, struct koine__dialect_page *state)
{
    if (next.len == 0)
        return KOINE_DONE;
    if (next.len >= sizeof(state->next) || koine__dialect_is(next, state->next) ||
        memchr(next.ptr, '\0', next.len))
        return KOINE_PROTOCOL;
    memcpy(state->next, next.ptr, next.len);
    memset(state->next + next.len, 0, sizeof(state->next) - next.len);
    state->done = 0;
    return KOINE_MORE;
}

static int32_t read_whole(const koine_read *read, koine_sink *sink, const struct koine__dialect_list *list)
{
    const koine_host *host = read->host;
    const koine_node *error = koine__dialect_error(host, read->frame->json);
    koine_str next = {NULL, 0};
    bool any;
    if (error || koine__dialect_is_markup(read->frame->text)) {
        list->tell(read, error, sink);
        return KOINE_DONE;
    }
    const koine_node *entries = list->entries(host, read->frame->json, &any);
    if (!any)
        return KOINE_PROTOCOL;
    for (size_t i = 0; i < host->count(entries); i++)
        list->model(host, host->at(entries, i), sink);
    if (!list->next)
        return KOINE_DONE;
    return list->next(host, read->frame->json, &next) ? next_page(next, read->state) : KOINE_PROTOCOL;
}

int32_t koine__dialect_list_frame(const koine_read *read, koine_sink *sink,
                                  const struct koine__dialect_list *list)
{
    struct koine__dialect_page *state = read->state;
    if (state->done)
        return KOINE_DONE;
    if (read->frame->kind == KOINE_FRAME_END)
        return KOINE_PROTOCOL;
    if (read->frame->kind != KOINE_FRAME_WHOLE)
        return KOINE_DONE;
    state->done = 1;
    return read_whole(read, sink, list);
}
