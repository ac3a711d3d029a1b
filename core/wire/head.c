/* head: status line, fields and the empty line that ends them. */
#include "core/wire/head.h"

#include "core/base/mem.h"
#include <string.h>

void koine__head_reader_init(struct koine__head_reader *reader)
{
    *reader = (struct koine__head_reader){.limit = SIZE_MAX};
    koine__buf_init(&reader->text, SIZE_MAX / 2); /* `seen` is the ceiling */
}

void koine__head_reader_rest(struct koine__head_reader *reader)
{
    koine__buf_release(&reader->text);
    koine__dealloc(reader->spans);
    koine__dealloc(reader->headers);
    reader->spans = NULL;
    reader->headers = NULL;
    reader->count = reader->capacity = reader->header_capacity = 0;
}

void koine__head_reader_release(struct koine__head_reader *reader)
{
    koine__head_reader_rest(reader);
    koine__head_reader_init(reader);
}

static void begin_head(struct koine__head_reader *reader)
{
    koine__buf_reset(&reader->text);
    reader->count = 0;
    reader->status = 0;
    reader->version = 0;
}

void koine__head_reader_reset(struct koine__head_reader *reader, size_t limit)
{
    begin_head(reader);
    reader->seen = reader->lines = 0;
    reader->limit = limit;
    reader->complete = false;
}

static int digit(koine_str line, size_t at)
{
    return at < line.len && line.ptr[at] >= '0' && line.ptr[at] <= '9' ? line.ptr[at] - '0' : -1;
}

/* "HTTP/1.1 200 OK", "HTTP/2 200" */
static void read_status(struct koine__head_reader *reader, koine_str line)
{
    begin_head(reader);
    int major = digit(line, 5), minor = digit(line, 7);
    const char *space = memchr(line.ptr, ' ', line.len);
    size_t at = space ? (size_t)(space - line.ptr) + 1 : line.len;
    reader->version = major * 10 + (minor > 0 && line.ptr[6] == '.' ? minor : 0);
    for (int d = digit(line, at); d >= 0 && reader->status < 100; d = digit(line, ++at))
        reader->status = reader->status * 10 + d;
}

static int add_text(struct koine__head_reader *reader, koine_str text, size_t *ret_at)
{
    *ret_at = reader->text.len;
    koine__buf_add(&reader->text, text.ptr, text.len);
    return reader->text.error;
}

static int add_field(struct koine__head_reader *reader, koine_str line)
{
    struct koine__head_span span;
    koine_str value = line;
    koine_str name = koine__str_trim(koine__str_cut(&value, ':'));
    if (!value.ptr)
        return KOINE_OK; /* no colon: not a field */
    value = koine__str_trim(value);
    span.name_len = name.len;
    span.value_len = value.len;
    if (add_text(reader, name, &span.name) != KOINE_OK || add_text(reader, value, &span.value) != KOINE_OK ||
        koine__array_reserve((void **)&reader->spans, &reader->capacity, reader->count + 1, sizeof(span)) !=
            KOINE_OK)
        return KOINE_EMEMORY;
    reader->spans[reader->count++] = span;
    return KOINE_OK;
}

/* RFC 9112, section 5.2: read as one space. The value is the last text added. */
static int add_fold(struct koine__head_reader *reader, koine_str line)
{
    if (reader->count == 0)
        return KOINE_OK;
    struct koine__head_span *span = &reader->spans[reader->count - 1];
    koine_str more = koine__str_trim(line);
    koine__buf_addc(&reader->text, ' ');
    koine__buf_add(&reader->text, more.ptr, more.len);
    span->value_len += 1 + more.len;
    return reader->text.error;
}

static int finish_head(struct koine__head_reader *reader)
{
    if (reader->status < 200)
        return 0;
    if (koine__array_reserve((void **)&reader->headers, &reader->header_capacity, reader->count,
                             sizeof(*reader->headers)) != KOINE_OK)
        return KOINE_EMEMORY;
    for (size_t i = 0; i < reader->count; i++) {
        const struct koine__head_span *span = &reader->spans[i];
        reader->headers[i].name = (koine_str){reader->text.ptr + span->name, span->name_len};
        reader->headers[i].value = (koine_str){reader->text.ptr + span->value, span->value_len};
    }
    reader->complete = true;
    return 1;
}

int koine__head_reader_line(struct koine__head_reader *reader, const char *ptr, size_t len)
{
    koine_str line = {ptr, len};
    if (len > reader->limit - reader->seen || ++reader->lines > KOINE__HEAD_LINES)
        return KOINE_EARGUMENT;
    reader->seen += len;
    if (reader->complete)
        return 0;
    if (koine__str_starts(line, "HTTP/")) {
        read_status(reader, line);
        return 0;
    }
    if (koine__str_trim(line).len == 0)
        return finish_head(reader);
    return *ptr == ' ' || *ptr == '\t' ? add_fold(reader, line) : add_field(reader, line);
}

struct koine__head koine__head_reader_head(const struct koine__head_reader *reader)
{
    return (struct koine__head){.status = reader->status, .headers = reader->headers, .count = reader->count};
}
