/* json_public: the writer of koine/json.h, for applications: koine__writer with a buffer of its own. */
#include "core/wire/json.h"
#include "core/wire/json_text.h"

#include <koine/json.h>

#define LARGEST_TEXT ((size_t)1 << 30)

struct koine_json_writer {
    struct koine__buf buf;
    struct koine__writer writer;
};

koine_json_writer *koine_json_writer_new(void)
{
    koine_json_writer *writer = koine__alloc(sizeof(*writer));
    if (!writer)
        return NULL;
    koine__buf_init(&writer->buf, LARGEST_TEXT);
    koine__writer_init(&writer->writer, &writer->buf);
    return writer;
}

void koine_json_open(koine_json_writer *writer, const char *name, char bracket)
{
    if (writer)
        koine__write_open(&writer->writer, koine__str(name), bracket);
}

void koine_json_close(koine_json_writer *writer)
{
    if (writer)
        koine__write_close(&writer->writer);
}

static void add_raw(koine_json_writer *writer, const char *name, const char *json)
{
    if (writer)
        koine__write_raw(&writer->writer, koine__str(name), koine__str(json));
}

void koine_json_add_text(koine_json_writer *writer, const char *name, const char *text, size_t length)
{
    if (!writer)
        return;
    if (text)
        koine__write_str(&writer->writer, koine__str(name), (koine_str){text, length});
    else
        add_raw(writer, name, "null");
}

void koine_json_add_string(koine_json_writer *writer, const char *name, const char *text)
{
    koine_json_add_text(writer, name, text, text ? strlen(text) : 0);
}

void koine_json_add_integer(koine_json_writer *writer, const char *name, int64_t value)
{
    if (writer)
        koine__write_int(&writer->writer, koine__str(name), value);
}

void koine_json_add_real(koine_json_writer *writer, const char *name, double value)
{
    char text[32];
    /* An empty text is no value, so it fails the writer. */
    add_raw(writer, name, koine__json_print_real(value, text) ? text : "");
}

void koine_json_add_bool(koine_json_writer *writer, const char *name, int value)
{
    add_raw(writer, name, value ? "true" : "false");
}

void koine_json_add_null(koine_json_writer *writer, const char *name)
{
    add_raw(writer, name, "null");
}

void koine_json_add_json(koine_json_writer *writer, const char *name, const char *json)
{
    if (!writer)
        return;
    koine_str text = koine__str_trim(koine__str(json));
    if (koine__json_check(text, KOINE__JSON_DEPTH - writer->writer.depth, NULL))
        text.len = 0; /* no value: fails the writer */
    koine__write_raw(&writer->writer, koine__str(name), text);
}

char *koine_json_writer_take(koine_json_writer *writer, size_t *ret_length)
{
    if (!writer || !koine__writer_done(&writer->writer))
        return NULL;
    size_t length = writer->buf.len;
    char *text = koine__buf_take(&writer->buf);
    if (text && ret_length)
        *ret_length = length;
    koine_json_writer_free(writer);
    return text;
}

void koine_json_writer_free(koine_json_writer *writer)
{
    if (!writer)
        return;
    koine__buf_release(&writer->buf);
    koine__dealloc(writer);
}
