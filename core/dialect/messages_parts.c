/* messages_parts: the parts of a message's content as content blocks. Parts in the API's own shape, and
 * members that nobody has heard of (`cache_control`), travel as they are. */
#include "core/dialect/messages_internal.h"

static koine_str text_of(const struct koine__messages_writing *w, const koine_node *object, const char *name)
{
    return w->host->str(w->host->get(object, name));
}

static void splice(struct koine__messages_writing *w, const koine_node *value)
{
    int32_t rc = koine__dialect_splice(w->host, w->out, NULL, value);
    if (rc != KOINE_DONE)
        koine__messages_fail(w, rc, NULL);
}

void koine__messages_text(struct koine__messages_writing *w, koine_str text)
{
    w->out->open(w->out, NULL, '{');
    w->out->str(w->out, "type", koine__dialect_str("text"));
    w->out->str(w->out, "text", text);
    w->out->close(w->out);
}

/* ---- What is kept ---- */

const koine_node *koine__messages_kept(const struct koine__messages_writing *w, const koine_node *message)
{
    const koine_node *list = w->host->get(w->host->get(message, "koine"), "messages");
    return w->host->count(list) > 0 && w->host->kind(list) == KOINE_NODE_ARRAY ? list : NULL;
}

/* Thinking without a signature is of no use to the vendor: it refuses what it cannot check. */
void koine__messages_block(struct koine__messages_writing *w, const koine_node *block)
{
    bool thinking = koine__dialect_is(text_of(w, block, "type"), "thinking");
    if (!thinking || text_of(w, block, "signature").len > 0)
        w->out->node(w->out, NULL, block);
}

static void write_kept(struct koine__messages_writing *w, const koine_node *part)
{
    const koine_node *list = koine__messages_kept(w, part);
    for (size_t i = 0; i < w->host->count(list); i++)
        koine__messages_block(w, w->host->at(list, i));
}

/* ---- data: URIs ---- */

struct data {
    koine_str type, base64;
};

static bool is_data(koine_str uri)
{
    return uri.len >= 5 && memcmp(uri.ptr, "data:", 5) == 0;
}

/* "data:image/png;base64,…" (RFC 2397); parameters between are passed over. */
static bool read_data(koine_str uri, struct data *ret)
{
    static const char encoding[] = ";base64";
    size_t mark = sizeof(encoding) - 1;
    const char *comma = is_data(uri) ? memchr(uri.ptr, ',', uri.len) : NULL;
    if (!comma)
        return false;
    koine_str head = {uri.ptr + 5, (size_t)(comma - uri.ptr) - 5};
    if (head.len <= mark || memcmp(head.ptr + head.len - mark, encoding, mark) != 0)
        return false;
    const char *end = memchr(head.ptr, ';', head.len);
    ret->type = (koine_str){head.ptr, (size_t)(end - head.ptr)};
    ret->base64 = (koine_str){comma + 1, uri.len - (size_t)(comma + 1 - uri.ptr)};
    return ret->type.len > 0;
}

static void write_data(struct koine__messages_writing *w, const struct data *data)
{
    w->out->open(w->out, "source", '{');
    w->out->str(w->out, "type", koine__dialect_str("base64"));
    w->out->str(w->out, "media_type", data->type);
    w->out->str(w->out, "data", data->base64);
    w->out->close(w->out);
}

/* ---- Images and files ---- */

static void write_image_url(struct koine__messages_writing *w, koine_str url)
{
    w->out->open(w->out, "source", '{');
    w->out->str(w->out, "type", koine__dialect_str("url"));
    w->out->str(w->out, "url", url);
    w->out->close(w->out);
}

static void write_image(struct koine__messages_writing *w, const koine_node *part)
{
    static const char *const own[] = {"type", "image_url", "koine", NULL};
    const koine_node *image = w->host->get(part, "image_url");
    koine_str url =
        w->host->kind(image) == KOINE_NODE_STRING ? w->host->str(image) : text_of(w, image, "url");
    struct data data = {{NULL, 0}, {NULL, 0}};
    if (url.len == 0 || (is_data(url) && !read_data(url, &data))) {
        koine__messages_fail(w, KOINE_INVALID,
                             "an image_url is neither a URL nor data:TYPE;base64,… in base64");
        return;
    }
    w->out->open(w->out, NULL, '{');
    w->out->str(w->out, "type", koine__dialect_str("image"));
    if (is_data(url))
        write_data(w, &data);
    else
        write_image_url(w, url);
    koine__messages_others(w, part, own);
    w->out->close(w->out);
    if (w->host->get(image, "detail") && !(w->told & KOINE__TOLD_DETAIL)) {
        koine__messages_notice(w, KOINE_NOTICE_DROPPED, "messages", "images have no `detail` there");
        w->told |= KOINE__TOLD_DETAIL;
    }
}

/* PDF is what the API reads of itself; other files it knows by ids of its own. */
static void write_file(struct koine__messages_writing *w, const koine_node *part)
{
    static const char *const own[] = {"type", "file", "koine", NULL};
    const koine_node *file = w->host->get(part, "file"), *name = w->host->get(file, "filename");
    struct data data = {{NULL, 0}, {NULL, 0}};
    if (!read_data(text_of(w, file, "file_data"), &data) ||
        !koine__dialect_is(data.type, "application/pdf")) {
        koine__messages_fail(w, KOINE_UNSUPPORTED,
                             "a file travels there only as data:application/pdf;base64,… in file_data");
        return;
    }
    w->out->open(w->out, NULL, '{');
    w->out->str(w->out, "type", koine__dialect_str("document"));
    write_data(w, &data);
    if (w->host->str(name).len > 0)
        w->out->node(w->out, "title", name);
    koine__messages_others(w, part, own);
    w->out->close(w->out);
}

/* ---- Parts ---- */

static void write_unheard(struct koine__messages_writing *w, const koine_node *part)
{
    (void)part;
    koine__messages_fail(w, KOINE_UNSUPPORTED, "the Messages API takes neither audio nor video");
}

static void write_refusal(struct koine__messages_writing *w, const koine_node *part)
{
    koine__messages_text(w, text_of(w, part, "refusal"));
}

void koine__messages_part(struct koine__messages_writing *w, const koine_node *part)
{
    static const struct {
        const char *type;
        void (*write)(struct koine__messages_writing *w, const koine_node *part);
    } kinds[] = {
        {"text", splice},
        {"image_url", write_image},
        {"file", write_file},
        {"refusal", write_refusal},
        {"input_audio", write_unheard},
        {"audio_url", write_unheard},
        {"video_url", write_unheard},
    };
    koine_str type = text_of(w, part, "type");
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
