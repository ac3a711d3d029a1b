/* messages_parts: the parts of a message's content as content blocks. Parts in the API's own shape, and
 * members that nobody has heard of (`cache_control`), travel as they are. */
#include "core/dialect/messages_internal.h"

static void splice(struct koine__dialect_writing *w, const koine_node *value)
{
    koine__dialect_splice(w->host, w->out, NULL, value);
}

void koine__messages_text(struct koine__dialect_writing *w, koine_str text)
{
    w->out->open(w->out, NULL, '{');
    w->out->str(w->out, "type", koine__dialect_str("text"));
    w->out->str(w->out, "text", text);
    w->out->close(w->out);
}

/* ---- What is kept ---- */

/* Thinking without a signature is of no use to the vendor: it refuses what it cannot check. */
void koine__messages_block(struct koine__dialect_writing *w, const koine_node *block)
{
    bool thinking = koine__dialect_is(koine__dialect_text(w->host, block, "type"), "thinking");
    if (!thinking || koine__dialect_text(w->host, block, "signature").len > 0)
        w->out->node(w->out, NULL, block);
}

static void write_kept(struct koine__dialect_writing *w, const koine_node *part)
{
    const koine_node *list = koine__dialect_kept(w->host, part, KOINE__MESSAGES_KEPT);
    for (size_t i = 0; i < w->host->count(list); i++)
        koine__messages_block(w, w->host->at(list, i));
}

/* ---- Images and files ---- */

static void write_data(struct koine__dialect_writing *w, const struct koine__dialect_data *data)
{
    w->out->open(w->out, "source", '{');
    w->out->str(w->out, "type", koine__dialect_str("base64"));
    w->out->str(w->out, "media_type", data->type);
    w->out->str(w->out, "data", data->base64);
    w->out->close(w->out);
}

static void write_image_url(struct koine__dialect_writing *w, koine_str url)
{
    w->out->open(w->out, "source", '{');
    w->out->str(w->out, "type", koine__dialect_str("url"));
    w->out->str(w->out, "url", url);
    w->out->close(w->out);
}

static void write_image(struct koine__dialect_writing *w, const koine_node *part)
{
    static const char *const own[] = {"type", "image_url", "koine", NULL};
    koine_str url = koine__dialect_media_url(w->host, part, "image_url");
    struct koine__dialect_data data = {{NULL, 0}, {NULL, 0}};
    if (url.len == 0 || (koine__dialect_is_data(url) && !koine__dialect_read_data(url, &data))) {
        koine__dialect_fail(w, KOINE_INVALID,
                            "an image_url is neither a URL nor data:TYPE;base64,… in base64");
        return;
    }
    w->out->open(w->out, NULL, '{');
    w->out->str(w->out, "type", koine__dialect_str("image"));
    if (koine__dialect_is_data(url))
        write_data(w, &data);
    else
        write_image_url(w, url);
    koine__dialect_others(w, part, own);
    w->out->close(w->out);
    if (w->host->get(w->host->get(part, "image_url"), "detail") && !(w->told & KOINE__TOLD_DETAIL)) {
        koine__dialect_notice(w, KOINE_NOTICE_DROPPED, "messages", "images have no `detail` there");
        w->told |= KOINE__TOLD_DETAIL;
    }
}

/* PDF is what the API reads of itself; other files it knows by ids of its own. */
static void write_file(struct koine__dialect_writing *w, const koine_node *part)
{
    static const char *const own[] = {"type", "file", "koine", NULL};
    const koine_node *file = w->host->get(part, "file"), *name = w->host->get(file, "filename");
    struct koine__dialect_data data = {{NULL, 0}, {NULL, 0}};
    if (!koine__dialect_read_data(koine__dialect_text(w->host, file, "file_data"), &data) ||
        !koine__dialect_is(data.type, "application/pdf")) {
        koine__dialect_fail(w, KOINE_UNSUPPORTED,
                            "a file travels there only as data:application/pdf;base64,… in file_data");
        return;
    }
    w->out->open(w->out, NULL, '{');
    w->out->str(w->out, "type", koine__dialect_str("document"));
    write_data(w, &data);
    if (w->host->str(name).len > 0)
        w->out->node(w->out, "title", name);
    koine__dialect_others(w, part, own);
    w->out->close(w->out);
}

/* ---- Parts ---- */

static void write_unheard(struct koine__dialect_writing *w, const koine_node *part)
{
    (void)part;
    koine__dialect_fail(w, KOINE_UNSUPPORTED, "the Messages API takes neither audio nor video");
}

static void write_refusal(struct koine__dialect_writing *w, const koine_node *part)
{
    koine__messages_text(w, koine__dialect_text(w->host, part, "refusal"));
}

void koine__messages_part(struct koine__dialect_writing *w, const koine_node *part)
{
    static const struct {
        const char *type;
        void (*write)(struct koine__dialect_writing *w, const koine_node *part);
    } kinds[] = {
        {"text", splice},
        {"image_url", write_image},
        {"file", write_file},
        {"refusal", write_refusal},
        {"input_audio", write_unheard},
        {"audio_url", write_unheard},
        {"video_url", write_unheard},
    };
    koine_str type = koine__dialect_text(w->host, part, "type");
    write_kept(w, part);
    if (w->host->kind(part) == KOINE_NODE_STRING) {
        koine__messages_text(w, w->host->str(part));
        return;
    }
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (koine__dialect_is(type, kinds[i].type)) {
            kinds[i].write(w, part);
            return;
        }
    splice(w, part);
}
