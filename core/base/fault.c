/* fault: the table of failure classes, and the cleaning of words that come from outside. */
#include "core/base/fault.h"

#include "core/base/mem.h"
#include "core/base/str.h"
#include <koine/provider.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* A provider says a class with the number that the application will read. */
#define SAME(name)                                                                                           \
    _Static_assert((int)KOINE_FAULT_##name == (int)KOINE_CLASS_##name, "class " #name " differs")
SAME(OVERLOADED);
SAME(SERVER);
SAME(PROTOCOL);
SAME(RATE_LIMIT);
SAME(BILLING);
SAME(AUTH);
SAME(MODEL_GONE);
SAME(CONTEXT_LENGTH);
SAME(CONTENT_POLICY);
SAME(INVALID);
SAME(UNSUPPORTED);

/* clang-format off */
#define ROW(name, text, origin, again, breaker, next, examples)                                              \
    [KOINE_CLASS_##name - 1] = {KOINE_CLASS_##name, text, KOINE_ORIGIN_##origin, KOINE__AGAIN_##again,       \
                                breaker, KOINE__NEXT_##next, examples}

static const struct koine__fault_class classes[] = {
    ROW(CONNECT,        "connect",        NETWORK,  YES, true,  YES,
        "DNS, refused, TLS, connect timeout: nothing was sent"),
    ROW(RESET,          "reset",          NETWORK,  YES, true,  YES,
        "connection lost before the commit point"),
    ROW(TIMEOUT,        "timeout",        NETWORK,  YES, true,  YES,
        "stage named: first_byte, first_token, idle, progress, total; first_byte goes to another target if there is one"),
    ROW(OVERLOADED,     "overloaded",     PROVIDER, YES, true,  YES, "503, 529, 498"),
    ROW(SERVER,         "server",         PROVIDER, YES, true,  YES,
        "500, 502, 504, 408, 409, HTML from a proxy"),
    ROW(PROTOCOL,       "protocol",       PROVIDER, YES, true,  YES,
        "bad JSON, truncated, over a ceiling, a stream that ends without its end"),
    ROW(RATE_LIMIT,     "rate_limit",     PROVIDER, YES, false, YES,
        "429; pauses the instance for everybody"),
    ROW(BILLING,        "billing",        PROVIDER, NO,  false, YES, "402 and quota codes; latched, loud"),
    ROW(AUTH,           "auth",           PROVIDER, NO,  false, YES, "401, 403; latched, loud"),
    ROW(MODEL_GONE,     "model_gone",     PROVIDER, NO,  false, YES, "404, retired; latched, loud"),
    ROW(CONTEXT_LENGTH, "context_length", CALLER,   NO,  false, LARGER, "400, 403 at Together, 413"),
    ROW(CONTENT_POLICY, "content_policy", CALLER,   NO,  false, OPT_IN, "the prompt or the answer was filtered"),
    ROW(INVALID,        "invalid",        CALLER,   NO,  false, NO,  "other 4xx"),
    ROW(UNSUPPORTED,    "unsupported",    POLICY,   NO,  false, YES,
        "the target cannot do what the document asks"),
    ROW(REFUSED,        "refused",        POLICY,   NO,  false, YES,
        "breaker open, queue full or hopeless, latch, retry budget"),
    ROW(BUDGET,         "budget",         POLICY,   NO,  false, NO,  "would overspend"),
    ROW(DECLINED,       "declined",       POLICY,   NO,  false, NO,  "the question was answered no"),
    ROW(CANCELLED,      "cancelled",      CALLER,   NO,  false, NO,  "cancelled by the application"),
    ROW(DEADLINE,       "deadline",       CALLER,   NO,  false, NO,
        "the call's deadline passed; carries the last provider's fault"),
    ROW(PLUGIN,         "plugin",         PLUGIN,   NO,  false, YES,
        "a plugin broke an invariant, crashed in isolation"),
    ROW(MEMORY,         "memory",         LOCAL,    NO,  false, NO,  "an allocation failed"),
};
/* clang-format on */
#define CLASSES (sizeof(classes) / sizeof(classes[0]))
_Static_assert(CLASSES == KOINE_CLASS_MEMORY, "every class has a row");

const struct koine__fault_class *koine__fault_class(int number)
{
    bool known = number > KOINE_CLASS_NONE && number <= (int)CLASSES;
    return &classes[(known ? number : KOINE_CLASS_SERVER) - 1];
}

const struct koine__fault_class *koine__fault_classes(size_t *ret_count)
{
    *ret_count = CLASSES;
    return classes;
}

const char *koine_class_name(int class_number)
{
    bool known = class_number > KOINE_CLASS_NONE && class_number <= (int)CLASSES;
    return known ? classes[class_number - 1].name : "unknown";
}

const char *koine__origin_name(int origin)
{
    static const char *const names[] = {"", "network", "provider", "caller", "policy", "plugin", "local"};
    bool known = origin > 0 && origin < (int)(sizeof(names) / sizeof(names[0]));
    return names[known ? origin : 0];
}

const struct koine__fault koine__no_fault = {.retry_after_ns = -1, .stage = ""};
static const struct koine__fault no_memory = {
    .class_number = KOINE_CLASS_MEMORY, .retry_after_ns = -1, .stage = "", .message = "out of memory"};

void koine__fault_keep(const struct koine__fault **at, const struct koine__fault *fault)
{
    struct koine__fault *copy = koine__alloc(sizeof(*copy));
    if (copy)
        *copy = *fault;
    koine__fault_drop(at);
    *at = copy ? copy : &no_memory;
}

void koine__fault_drop(const struct koine__fault **at)
{
    if (*at && *at != &koine__no_fault && *at != &no_memory)
        koine__dealloc((void *)(uintptr_t)*at); /* made by keep */
    *at = &koine__no_fault;
}

void koine__fault_set(struct koine__fault *fault, int class_number, const char *stage, const char *format,
                      ...)
{
    char text[1024];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    size_t used = len < 0 ? 0 : (size_t)len < sizeof(text) ? (size_t)len : sizeof(text) - 1;
    *fault = (struct koine__fault){
        .class_number = class_number, .retry_after_ns = -1, .stage = stage ? stage : ""};
    koine__fault_words(fault->message, sizeof(fault->message), text, used);
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Length of the HTML tag that the text starts with, with the content of style sheets and scripts, which is no
 * prose; 0: it is none. */
static size_t tag_length(koine_str text)
{
    if (text.len < 3 || !(is_letter(text.ptr[1]) || text.ptr[1] == '/' || text.ptr[1] == '!'))
        return 0;
    const char *end = memchr(text.ptr, '>', text.len);
    if (!end)
        return 0;
    koine_str name = {text.ptr + 1, (size_t)(end - text.ptr) - 1};
    if (koine__str_starts(name, "style") || koine__str_starts(name, "script")) {
        size_t rest = text.len - (size_t)(end - text.ptr);
        const char *close = memmem(end, rest, "</", 2);
        return close ? (size_t)(close - text.ptr) : text.len;
    }
    return (size_t)(end - text.ptr) + 1;
}

/* White space, and what would break a line or drive a terminal: C0, DEL, C1, and the line separators. */
static bool is_blank(const char *ptr, size_t size)
{
    const unsigned char *p = (const unsigned char *)ptr;
    if (size == 1)
        return p[0] <= 0x20 || p[0] == 0x7F;
    if (size == 2)
        return p[0] == 0xC2 && p[1] <= 0xA0;
    return size == 3 && p[0] == 0xE2 && p[1] == 0x80 && (p[2] == 0xA8 || p[2] == 0xA9);
}

static bool is_plain(char c)
{
    return c > 0x20 && c < 0x7F && c != '<';
}

/* What needs no second look: words of ASCII with a space between them, up to what may open a tag. */
static size_t plain_length(koine_str text)
{
    size_t len = 0;
    while (len < text.len && is_plain(text.ptr[len])) {
        len++;
        if (len + 1 < text.len && text.ptr[len] == ' ' && is_plain(text.ptr[len + 1]))
            len++;
    }
    return len;
}

void koine__fault_words(char *ret, size_t size, const char *ptr, size_t len)
{
    koine_str rest = {ptr, len};
    size_t used = 0;
    bool gap = false;
    while (rest.len) {
        size_t plain = plain_length(rest);
        if (plain > 0 && used + plain + 1 < size) { /* and a blank before it */
            if (gap && used)
                ret[used++] = ' ';
            gap = false;
            memcpy(ret + used, rest.ptr, plain);
            used += plain;
            rest.ptr += plain;
            rest.len -= plain;
            continue;
        }
        size_t tag = rest.ptr[0] == '<' ? tag_length(rest) : 0;
        size_t length = koine__utf8_length(rest.ptr, rest.len);
        size_t step = tag ? tag : length ? length : 1;
        bool blank = tag || (length && is_blank(rest.ptr, length));
        if (!blank && used + (gap && used) + step >= size)
            break;
        if (!blank && gap && used)
            ret[used++] = ' ';
        gap = blank;
        if (!blank && length)
            memcpy(ret + used, rest.ptr, length);
        else if (!blank)
            ret[used] = '?'; /* no UTF-8: what we hand out always is */
        used += blank ? 0 : step;
        rest.ptr += step;
        rest.len -= step;
    }
    if (size)
        ret[used] = '\0';
}
