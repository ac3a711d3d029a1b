/* logline: see logline.h. A quoted value has the same escapes in both formats. */
#include "apps/koine/logline.h"

#include <stdint.h>
#include <string.h>

struct span {
    const char *at, *end;
};

bool logline_is_json(const char *line)
{
    return line[0] == '{';
}

/* The end of what is quoted from here on: the closing mark. */
static const char *quote_end(const char *at)
{
    while (*at != '\0' && *at != '"')
        at += at[0] == '\\' && at[1] != '\0' ? 2 : 1;
    return at;
}

static const char *skip_quote(const char *at)
{
    return *at == '"' ? at + 1 : at;
}

/* Cuts name and value from the front; the value of a text with its marks. False: nothing is left. */
static bool next_field(const char **at, bool json, struct span *ret_name, struct span *ret_value)
{
    const char *start = *at + strspn(*at, json ? "{, " : " ");
    const char *end = json ? quote_end(skip_quote(start)) : start + strcspn(start, "= ");
    *ret_name = (struct span){json ? skip_quote(start) : start, end};
    end = json ? skip_quote(end) : end;
    if (*end != (json ? ':' : '='))
        return false;
    start = end + 1;
    end = *start == '"' ? skip_quote(quote_end(start + 1)) : start + strcspn(start, json ? ",}" : " ");
    *ret_value = (struct span){start, end};
    *at = end;
    return true;
}

static unsigned hex_digit(char c)
{
    return (unsigned)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10) & 15;
}

/* A character of up to U+FFFF as UTF-8. */
static size_t write_utf8(uint32_t character, char ret[3])
{
    if (character < 0x80) {
        ret[0] = (char)character;
        return 1;
    }
    if (character < 0x800) {
        ret[0] = (char)(0xC0 | character >> 6);
        ret[1] = (char)(0x80 | (character & 0x3F));
        return 2;
    }
    ret[0] = (char)(0xE0 | character >> 12);
    ret[1] = (char)(0x80 | (character >> 6 & 0x3F));
    ret[2] = (char)(0x80 | (character & 0x3F));
    return 3;
}

/* One character, or one escape, into `ret`; moves on behind it. */
static size_t take_character(struct span *rest, char ret[3])
{
    static const char letters[] = "nrt", meant[] = "\n\r\t";
    const char *at = rest->at;
    if (at[0] != '\\' || rest->end - at < 2) {
        ret[0] = *rest->at++;
        return 1;
    }
    const char *letter = strchr(letters, at[1]);
    if (at[1] == 'u' && rest->end - at >= 6) {
        rest->at += 6;
        return write_utf8(
            hex_digit(at[2]) << 12 | hex_digit(at[3]) << 8 | hex_digit(at[4]) << 4 | hex_digit(at[5]), ret);
    }
    rest->at += 2;
    ret[0] = letter != NULL ? meant[letter - letters] : at[1];
    return 1;
}

static void read_value(struct span value, char *ret, size_t size)
{
    size_t used = 0, length;
    char bytes[3];
    bool quoted = *value.at == '"';
    if (quoted) {
        value.at++;
        value.end -= value.end > value.at;
    }
    while (value.at < value.end) {
        length = 1;
        bytes[0] = *value.at;
        if (quoted)
            length = take_character(&value, bytes);
        else
            value.at++;
        if (used + length >= size)
            break;
        memcpy(ret + used, bytes, length);
        used += length;
    }
    ret[used] = '\0';
}

bool logline_field(const char *line, const char *name, char *ret, size_t size)
{
    struct span found, value;
    size_t length = strlen(name);
    bool json = logline_is_json(line);
    ret[0] = '\0';
    while (next_field(&line, json, &found, &value)) {
        if ((size_t)(found.end - found.at) != length || memcmp(found.at, name, length) != 0)
            continue;
        read_value(value, ret, size);
        return true;
    }
    return false;
}

bool logline_is(const char *line, const char *event)
{
    char found[64];
    return logline_field(line, "event", found, sizeof(found)) && strcmp(found, event) == 0;
}

const char *logline_words(const char *line)
{
    struct span name, value;
    const char *rest = line;
    for (int i = 0; i < 2 && next_field(&rest, false, &name, &value); i++)
        ;
    return rest + strspn(rest, " ");
}
