/* settings_value: the types of the table: reading a value, and saying what is wrong with one. */
#include "core/base/settings.h"

#include "core/base/str.h"
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define LONGEST_QUOTE ((size_t)80)

const char *koine__setting_type_name(enum koine__setting_type type)
{
    static const char *const names[] = {
        [KOINE__SET_TEXT] = "text",      [KOINE__SET_SECRET] = "secret",
        [KOINE__SET_NAME] = "name",      [KOINE__SET_URL] = "URL",
        [KOINE__SET_PATH] = "path",      [KOINE__SET_DURATION] = "duration",
        [KOINE__SET_SIZE] = "size",      [KOINE__SET_INTEGER] = "whole number",
        [KOINE__SET_REAL] = "number",    [KOINE__SET_BOOL] = "boolean",
        [KOINE__SET_CHOICE] = "choice",  [KOINE__SET_TARGET] = "target",
        [KOINE__SET_JSON] = "any value", [KOINE__SET_COMMAND] = "command",
        [KOINE__SET_DIGEST] = "digest",  [KOINE__SET_DOLLARS] = "US dollars",
    };
    return names[type];
}

/* Printable ASCII, or any character beyond ASCII. */
static bool is_visible(koine_str text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.ptr[i] <= 0x20 || text.ptr[i] == 0x7F)
            return false;
    return text.len > 0;
}

static bool is_ascii(koine_str text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.ptr[i] > 0x7E)
            return false;
    return true;
}

static bool is_host(koine_str host)
{
    if (!koine__str_starts(host, "["))
        return host.len && !memchr(host.ptr, ':', host.len) && !memchr(host.ptr, ']', host.len);
    for (size_t i = 1; i + 1 < host.len; i++)
        if (!strchr("0123456789abcdefABCDEF:.", host.ptr[i]))
            return false;
    return host.len > 3 && host.ptr[host.len - 1] == ']';
}

static bool is_authority(koine_str authority)
{
    int64_t port;
    size_t at = authority.len;
    while (at && authority.ptr[at - 1] != ':' && authority.ptr[at - 1] != ']')
        at--;
    if (!at || authority.ptr[at - 1] == ']')
        return is_host(authority);
    koine_str digits = {authority.ptr + at, authority.len - at};
    return is_host((koine_str){authority.ptr, at - 1}) && koine__read_int(digits, 1, 65535, &port) == 0;
}

/* What is wrong with a URL, or NULL. The URL itself is never shown: it may hold a password. */
static const char *url_mistake(koine_str url)
{
    koine_str rest = url;
    if (koine__str_starts(url, "https://"))
        rest = (koine_str){url.ptr + 8, url.len - 8};
    else if (koine__str_starts(url, "http://"))
        rest = (koine_str){url.ptr + 7, url.len - 7};
    else
        return "is no URL; write https://host/path or http://host:port/path";
    if (!is_visible(url) || !is_ascii(url))
        return "is no URL: it holds a character that must be percent-encoded";
    if (memchr(url.ptr, '?', url.len) || memchr(url.ptr, '#', url.len))
        return "must have no query and no fragment; leave out ? and #, and what follows";
    koine_str authority = koine__str_cut(&rest, '/');
    if (authority.len && memchr(authority.ptr, '@', authority.len))
        return "must hold no user name and no password; leave out what stands before @";
    if (!is_authority(authority))
        return "has no valid host and port; write https://host/path or http://host:port/path";
    return url.ptr[url.len - 1] == '/' ? "must not end in a slash; leave the last one out" : NULL;
}

static bool is_target(koine_str text)
{
    koine_str model = text;
    koine_str instance = koine__str_cut(&model, '/');
    return koine__is_name(instance) && model.len && is_visible(model);
}

static bool is_digest(koine_str text)
{
    size_t digits = 0;
    while (digits < text.len && isxdigit((unsigned char)text.ptr[digits]))
        digits++;
    return digits == text.len && digits == 64;
}

static int read_choice(const char *choices, koine_str text, int64_t *ret)
{
    koine_str rest = koine__str(choices);
    for (int64_t i = 0; rest.ptr; i++)
        if (koine__str_eq(koine__str_cut(&rest, '|'), text)) {
            *ret = i;
            return KOINE_OK;
        }
    return KOINE_EARGUMENT;
}

static int read_truth(koine_str text, int64_t *ret)
{
    bool value;
    int rc = koine__read_bool(text, &value);
    if (rc == KOINE_OK)
        *ret = value;
    return rc;
}

static int valid(bool ok)
{
    return ok ? KOINE_OK : KOINE_EARGUMENT;
}

/* "off" is a number where the row allows it, and no word of numbers elsewhere. */
static int read_count(const struct koine__setting *row, koine_str text, int64_t *ret)
{
    if (!row->may_be_off || !koine__str_is(text, "off"))
        return koine__read_int(text, INT64_MIN, INT64_MAX, ret);
    *ret = -1;
    return KOINE_OK;
}

/* By type alone, without the row's range. */
static int read_type(const struct koine__setting *row, koine_str text, int64_t *ret)
{
    switch (row->type) {
    case KOINE__SET_DURATION:
        return koine__read_duration(text, ret);
    case KOINE__SET_SIZE:
        return koine__read_size(text, ret);
    case KOINE__SET_INTEGER:
        return read_count(row, text, ret);
    case KOINE__SET_REAL:
        return koine__read_decimal(text, 6, ret);
    case KOINE__SET_DOLLARS:
        return koine__read_usd(text, ret);
    case KOINE__SET_BOOL:
        return read_truth(text, ret);
    case KOINE__SET_CHOICE:
        return read_choice(row->choices, text, ret);
    case KOINE__SET_SECRET: /* travels in a header */
        return valid(is_visible(text) && !koine__str_is(text, "(set)"));
    case KOINE__SET_NAME:
        return valid(koine__is_name(text));
    case KOINE__SET_URL:
        return valid(!url_mistake(text));
    case KOINE__SET_TARGET:
        return valid(is_target(text));
    case KOINE__SET_DIGEST:
        return valid(is_digest(text));
    case KOINE__SET_PATH:
        return valid(text.len > 0);
    default:
        return KOINE_OK;
    }
}

static bool is_off(const struct koine__setting *row, const char *text)
{
    bool has_off = row->type == KOINE__SET_DURATION || (row->type == KOINE__SET_INTEGER && row->may_be_off);
    return has_off && strcmp(text, "off") == 0;
}

static bool in_range(const struct koine__setting *row, int64_t value)
{
    return (row->min == 0 && row->max == 0) || (value >= row->min && value <= row->max);
}

int koine__setting_read(const struct koine__setting *row, const char *text, int64_t *ret)
{
    int64_t value = 0;
    if (read_type(row, koine__str(text), &value))
        return KOINE_EARGUMENT;
    if (is_off(row, text) ? !row->may_be_off : !in_range(row, value))
        return KOINE_EARGUMENT;
    *ret = value;
    return KOINE_OK;
}

static void write_size(int64_t bytes, struct koine__buf *buf)
{
    static const struct {
        int64_t factor;
        const char *name;
    } units[] = {{INT64_C(1) << 30, "GiB"}, {1 << 20, "MiB"}, {1 << 10, "KiB"}, {1000000000, "GB"},
                 {1000000, "MB"},           {1000, "kB"},     {1, "B"}};
    size_t i = 0;
    while (bytes % units[i].factor)
        i++;
    koine__buf_addf(buf, "%" PRId64 "%s", bytes / units[i].factor, units[i].name);
}

static void write_real(int64_t millionths, struct koine__buf *buf)
{
    char text[32];
    uint64_t size = millionths < 0 ? -(uint64_t)millionths : (uint64_t)millionths;
    int len = snprintf(text, sizeof(text), "%s%" PRIu64 ".%06" PRIu64, millionths < 0 ? "-" : "",
                       size / 1000000, size % 1000000);
    while (text[len - 1] == '0')
        len--;
    koine__buf_add(buf, text, (size_t)len - (text[len - 1] == '.'));
}

static void write_value(const struct koine__setting *row, int64_t value, struct koine__buf *buf)
{
    char text[48];
    if (row->type == KOINE__SET_SIZE) {
        write_size(value, buf);
    } else if (row->type == KOINE__SET_REAL) {
        write_real(value, buf);
    } else if (row->type == KOINE__SET_DURATION) {
        koine__write_duration(value, text, sizeof(text));
        koine__buf_adds(buf, text);
    } else if (row->type == KOINE__SET_DOLLARS) {
        koine__write_usd(value, text, sizeof(text));
        koine__buf_adds(buf, text);
    } else {
        koine__buf_add_int(buf, value);
    }
}

static void write_choices(const struct koine__setting *row, struct koine__buf *buf)
{
    koine_str rest = koine__str(row->choices);
    for (bool first = true; rest.ptr; first = false) {
        koine_str choice = koine__str_cut(&rest, '|');
        if (!first)
            koine__buf_adds(buf, ", ");
        koine__buf_add(buf, choice.ptr, choice.len);
    }
}

void koine__setting_range(const struct koine__setting *row, struct koine__buf *buf)
{
    if (row->type == KOINE__SET_CHOICE) {
        write_choices(row, buf);
        return;
    }
    if (row->min == 0 && row->max == 0)
        return;
    write_value(row, row->min, buf);
    if (row->max == INT64_MAX) {
        koine__buf_adds(buf, " or more");
    } else {
        koine__buf_adds(buf, " to ");
        write_value(row, row->max, buf);
    }
    if (row->may_be_off)
        koine__buf_adds(buf, ", or off");
}

/* A value as it may be shown: cut at a character's end, so that a message stays readable. */
static void quote(const char *text, struct koine__buf *buf)
{
    size_t len = strlen(text);
    bool cut = len > LONGEST_QUOTE;
    if (cut)
        for (len = LONGEST_QUOTE; len && ((unsigned char)text[len] & 0xC0) == 0x80;)
            len--;
    koine__buf_addf(buf, "\"%.*s%s\"", (int)len, text, cut ? "…" : "");
}

static void suggest_choice(const struct koine__setting *row, const char *text, struct koine__buf *buf)
{
    char names[256];
    const char *candidates[16];
    size_t count = 0;
    snprintf(names, sizeof(names), "%s", row->choices);
    for (char *rest = names, *name; count < 16 && (name = strsep(&rest, "|"));)
        candidates[count++] = name;
    const char *nearest = koine__nearest(text, candidates, count);
    if (nearest)
        koine__buf_addf(buf, "; did you mean %s?", nearest);
}

/* A number whose unit was forgotten. */
static bool lacks_unit(const char *text)
{
    int64_t value;
    return koine__read_decimal(koine__str(text), 9, &value) == 0 && value > 0;
}

static void explain_number(const struct koine__setting *row, const char *text, struct koine__buf *buf)
{
    int64_t value;
    bool duration = row->type == KOINE__SET_DURATION;
    bool size = row->type == KOINE__SET_SIZE;
    if (is_off(row, text)) {
        koine__buf_adds(buf, " cannot be switched off; allowed is ");
        koine__setting_range(row, buf);
    } else if (read_type(row, koine__str(text), &value) == 0) {
        koine__buf_adds(buf, " is out of range; allowed is ");
        koine__setting_range(row, buf);
    } else if ((duration || size) && lacks_unit(text)) {
        koine__buf_addf(buf, " has no unit; write %s%s", text,
                        duration ? "s, 250ms or 2m" : "MiB, 64kB or 4096B");
    } else if (duration || size) {
        koine__buf_addf(buf, " is no %s; write %s", duration ? "duration" : "size",
                        duration ? "5s, 250ms or 2m" : "16MiB, 64kB or 4096B");
        koine__buf_adds(buf, row->may_be_off ? ", or off" : "");
    } else {
        koine__buf_addf(buf, " is no %s; write one", koine__setting_type_name(row->type));
        if (row->min || row->max) {
            koine__buf_adds(buf, " of ");
            koine__setting_range(row, buf);
        }
    }
}

/* One spelling: a shell would read $0 in $0.50, and a comma parts thousands for some and cents for others. */
static void explain_dollars(const struct koine__setting *row, const char *text, struct koine__buf *buf)
{
    size_t whole = strspn(text, "0123456789");
    size_t decimals = text[whole] == '.' ? strspn(text + whole + 1, "0123456789") : 0;
    bool is_number = whole > 0 && text[whole + (decimals ? decimals + 1 : 0)] == '\0';
    if (is_number && decimals > 12) {
        koine__buf_adds(buf, " has more decimals than are counted; write at most 12");
    } else if (is_number) {
        koine__buf_adds(buf, " is out of range; allowed is ");
        koine__setting_range(row, buf);
    } else {
        koine__buf_adds(buf, " is no amount of US dollars; write one like 0.50, digits and a point alone");
    }
}

static void explain_word(const struct koine__setting *row, const char *text, struct koine__buf *buf)
{
    if (row->type == KOINE__SET_CHOICE) {
        koine__buf_adds(buf, " is none of ");
        koine__setting_range(row, buf);
        suggest_choice(row, text, buf);
    } else if (row->type == KOINE__SET_BOOL) {
        koine__buf_adds(buf, " is neither true nor false; write one of them");
    } else if (row->type == KOINE__SET_NAME) {
        koine__buf_adds(buf, " is no name; use 1 to 64 letters, digits, _ and -");
    } else if (row->type == KOINE__SET_DIGEST) {
        koine__buf_adds(buf, " is no SHA-256; write 64 hex digits, as sha256sum prints them");
    } else {
        koine__buf_adds(buf, " is no target; write instance/model, as in openai/gpt-4o-mini");
    }
}

void koine__setting_explain(const struct koine__setting *row, const char *text, struct koine__buf *buf)
{
    switch (row->type) {
    case KOINE__SET_SECRET:
        if (strcmp(text, "(set)") == 0)
            koine__buf_adds(buf, "is what `config show` prints in place of a key; give the key itself");
        else
            koine__buf_adds(buf, text[0] ? "holds white space or a control character; a key has none"
                                         : "is empty; give the key, or leave the setting out");
        break;
    case KOINE__SET_URL: {
        const char *mistake = url_mistake(koine__str(text));
        koine__buf_adds(buf, mistake ? mistake : "");
        break;
    }
    case KOINE__SET_TEXT:
    case KOINE__SET_JSON:
    case KOINE__SET_PATH:
        koine__buf_adds(buf, "is empty; give a path, or leave the setting out");
        break;
    case KOINE__SET_DURATION:
    case KOINE__SET_SIZE:
    case KOINE__SET_INTEGER:
    case KOINE__SET_REAL:
        quote(text, buf);
        explain_number(row, text, buf);
        break;
    case KOINE__SET_DOLLARS:
        quote(text, buf);
        explain_dollars(row, text, buf);
        break;
    default:
        quote(text, buf);
        explain_word(row, text, buf);
    }
}
