/* gemini_parts: the parts of a message's content as parts of the API's. Parts in the API's own shape travel
 * as they are. */
#include "core/dialect/gemini_internal.h"

void koine__gemini_text(struct koine__dialect_writing *w, koine_str text, const koine_node *signature)
{
    w->out->open(w->out, NULL, '{');
    w->out->str(w->out, "text", text);
    w->out->node(w->out, "thoughtSignature", signature);
    w->out->close(w->out);
}

/* ---- Media ---- */

static void write_data(struct koine__dialect_writing *w, koine_str type, koine_str base64)
{
    w->out->open(w->out, NULL, '{');
    w->out->open(w->out, "inlineData", '{');
    w->out->str(w->out, "mimeType", type);
    w->out->str(w->out, "data", base64);
    w->out->close(w->out);
    w->out->close(w->out);
}

static bool ends(koine_str text, const char *end)
{
    size_t len = strlen(end);
    koine_str tail = {text.ptr + text.len - len, len};
    return text.len > len && koine__dialect_has(tail, end);
}

/* By the name's end; NULL: the API finds it out. */
static const char *type_of(koine_str uri)
{
    static const struct {
        const char *end, *type;
    } types[] = {
        {".png", "image/png"},       {".jpg", "image/jpeg"},  {".jpeg", "image/jpeg"},
        {".webp", "image/webp"},     {".gif", "image/gif"},   {".heic", "image/heic"},
        {".mp4", "video/mp4"},       {".webm", "video/webm"}, {".mov", "video/mov"},
        {".mp3", "audio/mp3"},       {".wav", "audio/wav"},   {".flac", "audio/flac"},
        {".pdf", "application/pdf"},
    };
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        if (ends(uri, types[i].end))
            return types[i].type;
    return NULL;
}

static void write_uri(struct koine__dialect_writing *w, koine_str uri)
{
    const char *type = type_of(uri);
    w->out->open(w->out, NULL, '{');
    w->out->open(w->out, "fileData", '{');
    if (type)
        w->out->str(w->out, "mimeType", koine__dialect_str(type));
    w->out->str(w->out, "fileUri", uri);
    w->out->close(w->out);
    w->out->close(w->out);
}

static void write_media(struct koine__dialect_writing *w, koine_str uri)
{
    struct koine__dialect_data data = {{NULL, 0}, {NULL, 0}};
    if (uri.len == 0 || (koine__dialect_is_data(uri) && !koine__dialect_read_data(uri, &data)))
        koine__dialect_fail(w, KOINE_INVALID,
                            "an image, sound, video or file is neither a URL nor data:TYPE;base64,…");
    else if (data.type.len > 0)
        write_data(w, data.type, data.base64);
    else
        write_uri(w, uri);
}

static void write_image(struct koine__dialect_writing *w, const koine_node *part)
{
    const koine_node *detail = w->host->get(w->host->get(part, "image_url"), "detail");
    write_media(w, koine__dialect_media_url(w->host, part, "image_url"));
    if (w->host->kind(detail) > KOINE_NODE_NULL && !koine__dialect_is(w->host->str(detail), "auto"))
        koine__dialect_notice_once(w, KOINE__TOLD_DETAIL, KOINE_NOTICE_DROPPED,
                                   "images have no `detail` there");
}

static void write_audio_url(struct koine__dialect_writing *w, const koine_node *part)
{
    write_media(w, koine__dialect_media_url(w->host, part, "audio_url"));
}

static void write_video_url(struct koine__dialect_writing *w, const koine_node *part)
{
    write_media(w, koine__dialect_media_url(w->host, part, "video_url"));
}

static void write_audio(struct koine__dialect_writing *w, const koine_node *part)
{
    const koine_node *audio = w->host->get(part, "input_audio");
    koine_str format = koine__dialect_text(w->host, audio, "format");
    koine_str data = koine__dialect_text(w->host, audio, "data");
    const char *type = koine__dialect_join(w->host, koine__dialect_str("audio/"), format);
    if (!type)
        koine__dialect_fail(w, KOINE_NO_MEMORY, NULL);
    else if (format.len == 0 || data.len == 0)
        koine__dialect_fail(w, KOINE_INVALID, "an input_audio lacks its data or its format");
    else
        write_data(w, koine__dialect_str(type), data);
}

/* A file that the API holds is known there by its URI. */
static void write_file(struct koine__dialect_writing *w, const koine_node *part)
{
    const koine_node *file = w->host->get(part, "file");
    koine_str data = koine__dialect_text(w->host, file, "file_data");
    write_media(w, data.len > 0 ? data : koine__dialect_text(w->host, file, "file_id"));
}

/* ---- Parts ---- */

static void write_text(struct koine__dialect_writing *w, const koine_node *part)
{
    koine__gemini_text(w, koine__dialect_text(w->host, part, "text"), NULL);
}

static void write_refusal(struct koine__dialect_writing *w, const koine_node *part)
{
    koine__gemini_text(w, koine__dialect_text(w->host, part, "refusal"), NULL);
}

void koine__gemini_part(struct koine__dialect_writing *w, const koine_node *part)
{
    static const struct {
        const char *type;
        void (*write)(struct koine__dialect_writing *w, const koine_node *part);
    } kinds[] = {
        {"text", write_text},           {"image_url", write_image},     {"input_audio", write_audio},
        {"audio_url", write_audio_url}, {"video_url", write_video_url}, {"file", write_file},
        {"refusal", write_refusal},
    };
    koine_str type = koine__dialect_text(w->host, part, "type");
    if (w->host->kind(part) == KOINE_NODE_STRING) {
        koine__gemini_text(w, w->host->str(part), NULL);
        return;
    }
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (koine__dialect_is(type, kinds[i].type)) {
            kinds[i].write(w, part);
            return;
        }
    koine__dialect_splice(w->host, w->out, NULL, part);
}
