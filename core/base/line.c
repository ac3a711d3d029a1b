/* line: see line.h. Room for what closes a line is kept from the start, so that it can always be closed. */
#include "core/base/line.h"

#include <string.h>

#define CLOSING 16 /* `","cut":true}` and the NUL, at most */

static bool put(struct koine__line *line, const char *ptr, size_t len)
{
    if (line->len + len + CLOSING > line->size)
        return false;
    memcpy(line->text + line->len, ptr, len);
    line->len += len;
    return true;
}

/* Into the room that was kept. */
static void close_with(struct koine__line *line, const char *text)
{
    size_t len = strlen(text);
    memcpy(line->text + line->len, text, len);
    line->len += len;
}

void koine__line_begin(struct koine__line *line, char *text, size_t size, bool json,
                       const struct koine__hidden *hidden)
{
    *line = (struct koine__line){.text = text, .size = size, .json = json, .hidden = hidden};
    if (json)
        put(line, "{", 1);
}

void koine__line_end(struct koine__line *line)
{
    if (line->cut && line->json)
        close_with(line, line->len > 1 ? ",\"cut\":true" : "\"cut\":true");
    else if (line->cut)
        close_with(line, line->len > 0 ? " cut=true" : "cut=true");
    if (line->json)
        close_with(line, "}");
    line->text[line->len] = '\0';
}

/* ---- Keys ---- */

/* Twelve bits of four bytes: what keeps us from looking at the keys themselves at every byte of a text. */
static unsigned start_of(const char *ptr)
{
    uint32_t bytes;
    memcpy(&bytes, ptr, sizeof(bytes));
    return (bytes * 0x9E3779B1U) >> 20;
}

void koine__hidden_add(struct koine__hidden *hidden, struct koine__secret *key)
{
    size_t len;
    unsigned start = start_of(koine__secret_text(key, &len));
    hidden->keys[hidden->count++] = key;
    hidden->starts[start / 64] |= UINT64_C(1) << start % 64;
}

static bool may_be_key(const struct koine__hidden *hidden, const char *ptr, size_t len)
{
    if (!hidden || len < KOINE__SHORTEST_KEY)
        return false;
    unsigned start = start_of(ptr);
    return hidden->starts[start / 64] >> start % 64 & 1;
}

/* The length of the key that the text starts with; 0: none. Of two the longer one. */
static size_t key_at(const struct koine__hidden *hidden, koine_str text)
{
    size_t longest = 0;
    if (!may_be_key(hidden, text.ptr, text.len))
        return 0;
    for (size_t i = 0; i < hidden->count; i++) {
        size_t len;
        const char *key = koine__secret_text(hidden->keys[i], &len);
        if (len > longest && len <= text.len && memcmp(key, text.ptr, len) == 0)
            longest = len;
    }
    return longest;
}

/* ---- Texts ---- */

/* How much of the text is copied as it is: ASCII without escapes, and without a key, up to `most` bytes. */
static size_t plain_run(const struct koine__hidden *hidden, koine_str text, size_t most)
{
    size_t len = 0;
    for (; len < text.len && len < most; len++) {
        unsigned char c = (unsigned char)text.ptr[len];
        if (c < 0x20 || c >= 0x7F || c == '"' || c == '\\' ||
            may_be_key(hidden, text.ptr + len, text.len - len))
            break;
    }
    return len;
}

/* Whether the character would end a quoted value or a line, or drive a terminal: C0, DEL, C1, and the line
 * separators. */
static bool must_be_escaped(const char *ptr, size_t len, unsigned *ret_code)
{
    const unsigned char *p = (const unsigned char *)ptr;
    if (len == 1) {
        *ret_code = p[0];
        return p[0] < 0x20 || p[0] == 0x7F || p[0] == '"' || p[0] == '\\';
    }
    if (len == 2) {
        *ret_code = p[1];
        return p[0] == 0xC2 && p[1] < 0xA0;
    }
    *ret_code = 0x2000U + (p[2] & 0x3FU);
    return len == 3 && p[0] == 0xE2 && p[1] == 0x80 && (p[2] == 0xA8 || p[2] == 0xA9);
}

static size_t write_escape(unsigned code, char ret[6])
{
    static const char digits[] = "0123456789abcdef";
    static const char plain[] = "\"\\\n\r\t", letters[] = "\"\\nrt";
    const char *found = code && code < 0x80 ? strchr(plain, (int)code) : NULL;
    ret[0] = '\\';
    if (found) {
        ret[1] = letters[found - plain];
        return 2;
    }
    ret[1] = 'u';
    for (unsigned i = 0; i < 4; i++)
        ret[2 + i] = digits[(code >> (12 - 4 * i)) & 15];
    return 6;
}

/* What stands in the line for the text's first character, or for the key that it starts with; *ret_step is
 * how many bytes of the text that is. */
static koine_str unit_of(const struct koine__hidden *hidden, koine_str text, char escape[6], size_t *ret_step)
{
    size_t key = key_at(hidden, text), length = koine__utf8_length(text.ptr, text.len);
    unsigned code;
    *ret_step = key ? key : length ? length : 1;
    if (key)
        return KOINE__STR("***");
    if (!length)
        return KOINE__STR("\xEF\xBF\xBD");
    if (must_be_escaped(text.ptr, length, &code))
        return (koine_str){escape, write_escape(code, escape)};
    return (koine_str){text.ptr, length};
}

/* False: it does not fit, or is beyond `left` bytes. */
static bool put_unit(struct koine__line *line, koine_str *rest, size_t *left)
{
    char escape[6];
    size_t room = line->size - CLOSING > line->len ? line->size - CLOSING - line->len : 0;
    size_t step = plain_run(line->hidden, *rest, *left < room ? *left : room);
    koine_str unit = {rest->ptr, step};
    if (!step)
        unit = unit_of(line->hidden, *rest, escape, &step);
    if (step > *left || !put(line, unit.ptr, unit.len))
        return false;
    *left -= step;
    rest->ptr += step;
    rest->len -= step;
    return true;
}

/* What every reader of logfmt takes without quotes. */
static bool is_plain(koine_str text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if (c <= 0x20 || c >= 0x7F || c == '"' || c == '=' || c == '\\')
            return false;
    }
    return true;
}

static bool put_text(struct koine__line *line, const struct koine__field *field)
{
    koine_str rest = field->text;
    size_t left = field->limit;
    bool quoted = line->json || !is_plain(rest);
    if (quoted && !put(line, "\"", 1))
        return false;
    while (rest.len > 0 && put_unit(line, &rest, &left))
        ;
    line->cut |= rest.len > 0;
    if (quoted)
        close_with(line, "\"");
    return true;
}

/* ---- Numbers ---- */

/* Exact, without zeros at the end: 5 with a scale of 2 is 0.05. */
static bool put_decimal(struct koine__line *line, int64_t number, unsigned scale)
{
    char digits[48], *at = digits + sizeof(digits);
    uint64_t rest = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
    bool told = false; /* a digit behind the point */
    for (; scale > 0; scale--, rest /= 10) {
        told |= rest % 10 != 0;
        if (told)
            *--at = (char)('0' + rest % 10);
    }
    if (told)
        *--at = '.';
    do {
        *--at = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    if (number < 0)
        *--at = '-';
    return put(line, at, (size_t)(digits + sizeof(digits) - at));
}

static bool put_value(struct koine__line *line, const struct koine__field *field)
{
    switch (field->kind) {
    case KOINE__FIELD_TEXT:
        return put_text(line, field);
    case KOINE__FIELD_DECIMAL:
        return put_decimal(line, field->number, field->scale);
    default:
        return field->number ? put(line, "true", 4) : put(line, "false", 5);
    }
}

static bool put_name(struct koine__line *line, const char *name)
{
    size_t len = strlen(name);
    if (!line->json)
        return (line->len == 0 || put(line, " ", 1)) && put(line, name, len) && put(line, "=", 1);
    return (line->len == 1 || put(line, ",", 1)) && put(line, "\"", 1) && put(line, name, len) &&
           put(line, "\":", 2);
}

void koine__line_add(struct koine__line *line, const struct koine__field *field)
{
    size_t start = line->len;
    if (field->kind == KOINE__FIELD_NONE)
        return;
    if (put_name(line, field->name) && put_value(line, field))
        return;
    line->len = start;
    line->cut = true;
}
