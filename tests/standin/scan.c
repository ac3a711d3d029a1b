/* scan: see scan.h. A `cursor` moves over the text; whatever is not JSON sets `bad` and nothing moves on. */
#include "tests/standin/scan.h"

#include <stdint.h>
#include <string.h>

struct cursor {
    const char *at, *end;
    bool bad;
};

static void skip_value(struct cursor *cursor, int depth);

static void skip_space(struct cursor *cursor)
{
    while (cursor->at < cursor->end && memchr(" \t\r\n", *cursor->at, 4))
        cursor->at++;
}

static bool take(struct cursor *cursor, char wanted)
{
    if (cursor->bad || cursor->at == cursor->end || *cursor->at != wanted)
        return false;
    cursor->at++;
    return true;
}

static void need(struct cursor *cursor, char wanted)
{
    if (!take(cursor, wanted))
        cursor->bad = true;
}

static int hex(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    digit |= 0x20;
    return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

/* Four hex digits, or -1. */
static int32_t hex4(const char *text, const char *end)
{
    int32_t value = 0;
    for (int i = 0; i < 4; i++) {
        if (text + i >= end || hex(text[i]) < 0)
            return -1;
        value = value * 16 + hex(text[i]);
    }
    return value;
}

static void skip_escape(struct cursor *cursor)
{
    if (cursor->at == cursor->end)
        cursor->bad = true;
    else if (*cursor->at == 'u' && hex4(cursor->at + 1, cursor->end) >= 0)
        cursor->at += 5;
    else if (memchr("\"\\/bfnrt", *cursor->at, 8))
        cursor->at++;
    else
        cursor->bad = true;
}

static void skip_string(struct cursor *cursor)
{
    need(cursor, '"');
    while (!cursor->bad && !take(cursor, '"')) {
        size_t count = utf8_length(cursor->at, (size_t)(cursor->end - cursor->at));
        if (count == 0 || (unsigned char)*cursor->at < 0x20)
            cursor->bad = true;
        else if (take(cursor, '\\'))
            skip_escape(cursor);
        else
            cursor->at += count;
    }
}

static void skip_digits(struct cursor *cursor)
{
    const char *start = cursor->at;
    while (cursor->at < cursor->end && *cursor->at >= '0' && *cursor->at <= '9')
        cursor->at++;
    cursor->bad |= cursor->at == start;
}

static void skip_number(struct cursor *cursor)
{
    take(cursor, '-');
    if (!take(cursor, '0'))
        skip_digits(cursor);
    if (take(cursor, '.'))
        skip_digits(cursor);
    if (take(cursor, 'e') || take(cursor, 'E')) {
        if (!take(cursor, '+'))
            take(cursor, '-');
        skip_digits(cursor);
    }
}

static void skip_word(struct cursor *cursor, const char *word)
{
    for (; *word; word++)
        need(cursor, *word);
}

static void skip_members(struct cursor *cursor, int depth)
{
    need(cursor, '{');
    skip_space(cursor);
    if (take(cursor, '}'))
        return;
    do {
        skip_space(cursor);
        skip_string(cursor);
        skip_space(cursor);
        need(cursor, ':');
        skip_value(cursor, depth);
    } while (take(cursor, ','));
    need(cursor, '}');
}

static void skip_items(struct cursor *cursor, int depth)
{
    need(cursor, '[');
    skip_space(cursor);
    if (take(cursor, ']'))
        return;
    do {
        skip_value(cursor, depth);
    } while (take(cursor, ','));
    need(cursor, ']');
}

/* One value and the white space on both sides of it. */
static void skip_value(struct cursor *cursor, int depth)
{
    skip_space(cursor);
    if (cursor->bad || cursor->at == cursor->end || depth == SCAN_DEPTH) {
        cursor->bad = true;
        return;
    }
    switch (*cursor->at) {
    case '{':
        skip_members(cursor, depth + 1);
        break;
    case '[':
        skip_items(cursor, depth + 1);
        break;
    case '"':
        skip_string(cursor);
        break;
    case 't':
        skip_word(cursor, "true");
        break;
    case 'f':
        skip_word(cursor, "false");
        break;
    case 'n':
        skip_word(cursor, "null");
        break;
    default:
        skip_number(cursor);
    }
    skip_space(cursor);
}

/* The value at the cursor, which moves behind it. */
static bool read_value(struct cursor *cursor, struct span *ret)
{
    skip_space(cursor);
    const char *start = cursor->at;
    skip_value(cursor, 0);
    if (cursor->bad)
        return false;
    const char *end = cursor->at;
    while (end > start && memchr(" \t\r\n", end[-1], 4))
        end--;
    *ret = (struct span){start, (size_t)(end - start)};
    return true;
}

bool scan_value(const char *json, size_t length, struct span *ret)
{
    if (length == 0)
        return false;
    struct cursor cursor = {json, json + length, false};
    struct span value;
    if (!read_value(&cursor, &value) || cursor.at != cursor.end)
        return false;
    *ret = value;
    return true;
}

bool scan_member(struct span object, const char *name, struct span *ret)
{
    struct cursor cursor = {object.text, object.text + object.length, false};
    bool found = false;
    if (!take(&cursor, '{'))
        return false;
    do {
        struct span key, value;
        if (!read_value(&cursor, &key) || !scan_is_string(key) || !take(&cursor, ':') ||
            !read_value(&cursor, &value))
            break;
        if (scan_equals(key, name)) {
            *ret = value;
            found = true;
        }
    } while (take(&cursor, ','));
    return found;
}

bool scan_item(struct span array, size_t *at, struct span *ret)
{
    if (array.length < 2 || array.text[0] != '[' || *at >= array.length)
        return false;
    struct cursor cursor = {array.text + (*at ? *at : 1), array.text + array.length, false};
    if (!read_value(&cursor, ret))
        return false;
    *at = take(&cursor, ',') ? (size_t)(cursor.at - array.text) : array.length;
    return true;
}

bool scan_is_string(struct span value)
{
    return value.length >= 2 && value.text[0] == '"';
}

static size_t put_utf8(int32_t code, char out[4])
{
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    size_t count = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (size_t i = count - 1; i > 0; i--, code >>= 6)
        out[i] = (char)(0x80 | (code & 0x3F));
    static const int lead[] = {0, 0, 0xC0, 0xE0, 0xF0};
    out[0] = (char)(lead[count] | code);
    return count;
}

/* The code behind "\u", the second half of a pair included. */
static int32_t decode_unicode(struct cursor *cursor)
{
    int32_t code = hex4(cursor->at, cursor->end);
    cursor->at += 4;
    if (code < 0xD800 || code > 0xDFFF)
        return code;
    if (code < 0xDC00 && cursor->end - cursor->at >= 6 && cursor->at[0] == '\\' && cursor->at[1] == 'u') {
        int32_t low = hex4(cursor->at + 2, cursor->end);
        if (low >= 0xDC00 && low <= 0xDFFF) {
            cursor->at += 6;
            return 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
        }
    }
    return 0xFFFD;
}

/* The next bytes of the decoded string: up to 4, 0 at its end. The text has been checked before. */
static size_t decode(struct cursor *cursor, char out[4])
{
    if (cursor->at >= cursor->end)
        return 0;
    if (!take(cursor, '\\')) {
        out[0] = *cursor->at++;
        return 1;
    }
    char letter = *cursor->at++;
    if (letter == 'u')
        return put_utf8(decode_unicode(cursor), out);
    static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
    const char *found = memchr(from, letter, 5);
    out[0] = found ? to[found - from] : letter;
    return 1;
}

static struct cursor inside(struct span string)
{
    return (struct cursor){string.text + 1, string.text + string.length - 1, false};
}

bool scan_equals(struct span string, const char *text)
{
    if (!scan_is_string(string))
        return false;
    struct cursor cursor = inside(string);
    char piece[4];
    size_t left = strlen(text), count;
    while ((count = decode(&cursor, piece)) > 0) {
        if (count > left || memcmp(text, piece, count) != 0)
            return false;
        text += count;
        left -= count;
    }
    return left == 0;
}

void scan_text(struct span string, struct bytes *out)
{
    if (!scan_is_string(string))
        return;
    struct cursor cursor = inside(string);
    char piece[4];
    size_t count;
    while ((count = decode(&cursor, piece)) > 0)
        bytes_add(out, piece, count);
}

/* The content of a message: a string, or an array of parts of which those of type text count. */
static void read_content(struct span message, struct bytes *out)
{
    struct span content, part, text;
    bytes_clear(out);
    if (!scan_member(message, "content", &content))
        return;
    scan_text(content, out);
    for (size_t at = 0; scan_item(content, &at, &part);)
        if (scan_member(part, "text", &text))
            scan_text(text, out);
}

static void read_messages(struct span messages, struct scan_request *ret)
{
    struct span message, last = {0}, role;
    for (size_t at = 0; scan_item(messages, &at, &message);) {
        ret->ends_with_assistant = false;
        if (!scan_member(message, "role", &role))
            continue;
        ret->ends_with_assistant = scan_equals(role, "assistant");
        if (scan_equals(role, "user"))
            last = message;
    }
    if (last.text)
        read_content(last, &ret->user);
}

static bool is_true(struct span object, const char *name)
{
    struct span value;
    return scan_member(object, name, &value) && value.text[0] == 't';
}

const char *scan_request(const char *json, size_t length, struct scan_request *ret)
{
    struct span whole, value;
    *ret = (struct scan_request){0};
    if (!scan_value(json, length, &whole) || whole.text[0] != '{')
        return "We could not parse the JSON body of your request.";
    if (!scan_member(whole, "model", &value) || !scan_is_string(value))
        return "You must provide a model parameter.";
    scan_text(value, &ret->model);
    ret->stream = is_true(whole, "stream");
    if (scan_member(whole, "stream_options", &value))
        ret->include_usage = is_true(value, "include_usage");
    size_t at = 0;
    struct span first;
    if (!scan_member(whole, "messages", &value) || !scan_item(value, &at, &first))
        return "Invalid 'messages': expected an array with at least one message.";
    read_messages(value, ret);
    return ret->model.failed || ret->user.failed ? "The request is too large." : NULL;
}

void scan_request_free(struct scan_request *request)
{
    bytes_free(&request->model);
    bytes_free(&request->user);
}
