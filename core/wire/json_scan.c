/* json_scan: one strict pass over a text: RFC 8259 and UTF-8 or a reason why not, no allocation for any usual
 * text. */
#include "core/wire/json.h"
#include "core/wire/json_text.h"

#include <koine/koine.h>

#define FEW_NAMES  64
#define FIRST_ENDS ((size_t)8)
#define MOST_ENDS  ((size_t)1024) /* so that no choice of brackets takes more than 8 kB */

enum expected {
    VALUE,
    VALUE_OR_CLOSE,
    NAME,
    NAME_OR_CLOSE,
    AFTER_VALUE
};

struct name {
    koine_str raw; /* between its quotes */
    bool plain;    /* no escape in it */
    uint32_t hash; /* only among many */
};

struct scan {
    const char *start, *ptr, *end;
    enum expected expected;
    unsigned depth, limit;
    uint8_t stack[KOINE__JSON_DEPTH]; /* '{' or '[' */
    const char *reason;
    int error;
    /* Names of the top level. Up to FEW_NAMES are compared as they come; more are kept and sorted at the end,
     * so that no choice of names costs more than sorting them. */
    struct name few[FEW_NAMES];
    struct name *many;
    size_t name_count, capacity;
    struct koine__json_ends *ends;      /* NULL: nobody wants them */
    uint16_t opened[KOINE__JSON_DEPTH]; /* which of them stands for each level, from 1; 0: none */
};

static bool fail_at(struct scan *scan, const char *ptr, const char *reason)
{
    scan->ptr = ptr;
    scan->reason = reason;
    scan->error = KOINE_EARGUMENT;
    return false;
}

static bool fail(struct scan *scan, const char *reason)
{
    return fail_at(scan, scan->ptr, scan->ptr < scan->end ? reason : "the text ends too early");
}

/* ---- Names of the top level -------------------------------------------------------------------------------
 */

static bool fail_twice(struct scan *scan, const char *ptr)
{
    return fail_at(scan, ptr - 1, "a member of this name is already there");
}

static bool same_name(const struct name *a, const struct name *b)
{
    if (!a->plain || !b->plain)
        return koine__json_compare(a->raw, b->raw) == 0;
    return a->raw.len == b->raw.len && memcmp(a->raw.ptr, b->raw.ptr, a->raw.len) == 0;
}

static bool sorts_before(const struct name *a, const struct name *b)
{
    if (a->hash != b->hash)
        return a->hash < b->hash;
    int order = koine__json_compare(a->raw, b->raw);
    return order ? order < 0 : a->raw.ptr < b->raw.ptr;
}

static void sift_down(struct name *names, size_t at, size_t count)
{
    for (size_t child; (child = 2 * at + 1) < count; at = child) {
        if (child + 1 < count && sorts_before(&names[child], &names[child + 1]))
            child++;
        if (!sorts_before(&names[at], &names[child]))
            return;
        struct name swap = names[at];
        names[at] = names[child];
        names[child] = swap;
    }
}

/* Heap sort: in place, and no input makes it slow. */
static void sort_names(struct name *names, size_t count)
{
    for (size_t i = count / 2; i-- > 0;)
        sift_down(names, i, count);
    for (size_t last = count; last-- > 1;) {
        struct name swap = names[0];
        names[0] = names[last];
        names[last] = swap;
        sift_down(names, 0, last);
    }
}

static bool check_many_names(struct scan *scan)
{
    const char *first = NULL;
    for (size_t i = 0; i < scan->name_count; i++)
        scan->many[i].hash = koine__json_hash(scan->many[i].raw);
    sort_names(scan->many, scan->name_count);
    for (size_t i = 1; i < scan->name_count; i++) {
        const char *ptr = scan->many[i].raw.ptr;
        if ((!first || ptr < first) && same_name(&scan->many[i - 1], &scan->many[i]))
            first = ptr;
    }
    return first ? fail_twice(scan, first) : true;
}

static bool keep_among_many(struct scan *scan, const struct name *name)
{
    void *many = scan->many;
    scan->error = koine__array_reserve(&many, &scan->capacity, scan->name_count + 1, sizeof(*name));
    scan->many = many;
    if (scan->error)
        return false;
    if (scan->name_count == FEW_NAMES)
        memcpy(scan->many, scan->few, sizeof(scan->few));
    scan->many[scan->name_count++] = *name;
    return true;
}

static bool has_nul(koine_str raw)
{
    const char *ptr = raw.ptr, *end = raw.ptr + raw.len;
    for (; (ptr = koine__json_stop(ptr, end)) < end; ptr += 2)
        if (end - ptr >= 6 && memcmp(ptr, "\\u0000", 6) == 0)
            return true;
    return false;
}

static bool keep_name(struct scan *scan, koine_str raw)
{
    struct name name = {.raw = raw,
                        .plain = koine__json_stop(raw.ptr, raw.ptr + raw.len) == raw.ptr + raw.len};
    if (!name.plain && has_nul(raw))
        return fail_at(scan, raw.ptr - 1, "a member's name holds \\u0000");
    if (scan->name_count >= FEW_NAMES)
        return keep_among_many(scan, &name);
    for (size_t i = 0; i < scan->name_count; i++)
        if (same_name(&scan->few[i], &name))
            return fail_twice(scan, raw.ptr);
    scan->few[scan->name_count++] = name;
    return true;
}

/* ---- Tokens -----------------------------------------------------------------------------------------------
 */

static const char not_closed[] = "a string is not closed";

/* The four digits of an escape that begins here. */
static bool scan_hex(struct scan *scan)
{
    for (int i = 2; i < 6; i++) {
        if (scan->end - scan->ptr <= i)
            return fail_at(scan, scan->end, not_closed);
        char c = scan->ptr[i];
        if (!((c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')))
            return fail(scan, "\\u needs four hexadecimal digits");
    }
    scan->ptr += 6;
    return true;
}

static bool scan_escape(struct scan *scan)
{
    if (scan->end - scan->ptr < 2)
        return fail_at(scan, scan->end, not_closed);
    char c = scan->ptr[1];
    switch (c) {
    case '"':
    case '\\':
    case '/':
    case 'b':
    case 'f':
    case 'n':
    case 'r':
    case 't':
        scan->ptr += 2;
        return true;
    case 'u':
        return scan_hex(scan);
    default:
        return fail(scan, "an escape that JSON does not have");
    }
}

static bool scan_wide(struct scan *scan)
{
    while (scan->ptr < scan->end && (*scan->ptr & 0x80)) {
        int length = koine__utf8_step(scan->ptr, scan->end);
        if (length < 0)
            return fail(scan, "bytes that are not UTF-8");
        scan->ptr += length;
    }
    return true;
}

/* From the opening quote to behind the closing one. */
static bool scan_string(struct scan *scan)
{
    for (scan->ptr++;;) {
        scan->ptr = koine__json_plain(scan->ptr, scan->end);
        if (scan->ptr == scan->end)
            return fail_at(scan, scan->end, "a string is not closed");
        char c = *scan->ptr;
        if (c == '"') {
            scan->ptr++;
            return true;
        }
        if (!(c & 0x80) && c != '\\')
            return fail(scan, "a control character in a string");
        if (!(c == '\\' ? scan_escape(scan) : scan_wide(scan)))
            return false;
    }
}

static bool scan_digits(struct scan *scan)
{
    const char *ptr = scan->ptr;
    while (ptr < scan->end && *ptr >= '0' && *ptr <= '9')
        ptr++;
    if (ptr == scan->ptr)
        return fail(scan, "a number needs a digit here");
    scan->ptr = ptr;
    return true;
}

static bool scan_next_is(const struct scan *scan, char a, char b)
{
    return scan->ptr < scan->end && (*scan->ptr == a || *scan->ptr == b);
}

static bool scan_number(struct scan *scan)
{
    scan->expected = AFTER_VALUE;
    scan->ptr += *scan->ptr == '-';
    const char *first = scan->ptr;
    if (!scan_digits(scan))
        return false;
    if (*first == '0' && scan->ptr > first + 1)
        return fail_at(scan, first, "a number starts with a needless zero");
    if (scan_next_is(scan, '.', '.')) {
        scan->ptr++;
        if (!scan_digits(scan))
            return false;
    }
    if (!scan_next_is(scan, 'e', 'E'))
        return true;
    scan->ptr++;
    if (scan_next_is(scan, '+', '-'))
        scan->ptr++;
    return scan_digits(scan);
}

static bool scan_word(struct scan *scan, const char *word, size_t len)
{
    size_t left = (size_t)(scan->end - scan->ptr);
    if (memcmp(scan->ptr, word, left < len ? left : len) != 0)
        return fail(scan, "no JSON value starts like this");
    scan->ptr += left < len ? left : len;
    scan->expected = AFTER_VALUE;
    return left < len ? fail(scan, "") : true;
}

/* Notes where a container begins; without room its end will be looked for again. False: no memory. */
static bool note_start(struct scan *scan)
{
    struct koine__json_ends *ends = scan->ends;
    scan->opened[scan->depth] = 0;
    if (!ends || ends->count == MOST_ENDS)
        return true;
    if (ends->count == ends->capacity) {
        size_t size = sizeof(*ends->spans), capacity = ends->capacity ? 2 * ends->capacity : FIRST_ENDS;
        void *spans = koine__arena_grow(ends->arena, ends->spans, ends->capacity * size, capacity * size);
        if (!spans) {
            scan->error = KOINE_EMEMORY;
            return false;
        }
        ends->spans = spans;
        ends->capacity = capacity;
    }
    ends->spans[ends->count].start = (uint32_t)(scan->ptr - scan->start);
    scan->opened[scan->depth] = (uint16_t)++ends->count;
    return true;
}

static void note_end(struct scan *scan)
{
    uint16_t number = scan->opened[scan->depth];
    struct koine__json_span *span = number ? &scan->ends->spans[number - 1] : NULL;
    if (span)
        span->len = (uint32_t)(scan->ptr - scan->start) - span->start;
}

static bool enter(struct scan *scan, uint8_t bracket)
{
    if (scan->depth == scan->limit)
        return fail(scan, "nested too deeply");
    if (!note_start(scan))
        return false;
    scan->stack[scan->depth++] = bracket;
    scan->ptr++;
    scan->expected = bracket == '{' ? NAME_OR_CLOSE : VALUE_OR_CLOSE;
    return true;
}

static bool leave(struct scan *scan)
{
    scan->ptr++;
    scan->depth--;
    note_end(scan);
    scan->expected = AFTER_VALUE;
    return scan->depth == 0 && scan->name_count > FEW_NAMES ? check_many_names(scan) : true;
}

static bool scan_value(struct scan *scan)
{
    switch (*scan->ptr) {
    case '"':
        scan->expected = AFTER_VALUE;
        return scan_string(scan);
    case '{':
    case '[':
        return enter(scan, (uint8_t)*scan->ptr);
    case 't':
        return scan_word(scan, "true", 4);
    case 'f':
        return scan_word(scan, "false", 5);
    case 'n':
        return scan_word(scan, "null", 4);
    case ',':
    case ':':
    case ']':
    case '}':
        return fail(scan, "a value is missing here");
    case '-':
        return scan_number(scan);
    default:
        if (*scan->ptr >= '0' && *scan->ptr <= '9')
            return scan_number(scan);
        return fail(scan, "no JSON value starts like this");
    }
}

static bool scan_name(struct scan *scan)
{
    if (*scan->ptr != '"')
        return fail(scan, "a member's name in double quotes is missing here");
    const char *first = scan->ptr + 1;
    if (!scan_string(scan))
        return false;
    if (scan->depth == 1 && !keep_name(scan, (koine_str){first, (size_t)(scan->ptr - 1 - first)}))
        return false;
    scan->ptr = koine__json_space(scan->ptr, scan->end);
    if (!scan_next_is(scan, ':', ':'))
        return fail(scan, "a colon is missing here");
    scan->ptr++;
    scan->expected = VALUE;
    return true;
}

static bool scan_after(struct scan *scan)
{
    bool object = scan->stack[scan->depth - 1] == '{';
    if (*scan->ptr == (object ? '}' : ']'))
        return leave(scan);
    if (*scan->ptr != ',')
        return fail(scan, object ? "a comma or } is missing here" : "a comma or ] is missing here");
    scan->ptr++;
    scan->expected = object ? NAME : VALUE;
    return true;
}

static bool scan_token(struct scan *scan)
{
    switch (scan->expected) {
    case AFTER_VALUE:
        return scan_after(scan);
    case NAME_OR_CLOSE:
        return *scan->ptr == '}' ? leave(scan) : scan_name(scan);
    case NAME:
        return scan_name(scan);
    case VALUE_OR_CLOSE:
        return *scan->ptr == ']' ? leave(scan) : scan_value(scan);
    default:
        return scan_value(scan);
    }
}

static bool scan_text(struct scan *scan)
{
    do {
        scan->ptr = koine__json_space(scan->ptr, scan->end);
        if (scan->ptr == scan->end)
            return fail(scan, "");
        if (!scan_token(scan))
            return false;
    } while (scan->depth > 0 || scan->expected != AFTER_VALUE);
    scan->ptr = koine__json_space(scan->ptr, scan->end);
    return scan->ptr == scan->end ? true : fail(scan, "something follows the value");
}

int koine__json_scan(koine_str text, unsigned depth, struct koine__json_ends *ends,
                     struct koine__json_fault *ret_fault)
{
    struct scan scan; /* not initialised as a whole: the names are large */
    scan.start = scan.ptr = text.len ? text.ptr : "";
    scan.end = scan.start + text.len;
    scan.expected = VALUE;
    scan.depth = 0;
    scan.limit = depth < KOINE__JSON_DEPTH ? depth : KOINE__JSON_DEPTH;
    scan.error = KOINE_OK;
    scan.many = NULL;
    scan.name_count = scan.capacity = 0;
    scan.ends = text.len <= UINT32_MAX ? ends : NULL;
    if (!scan_text(&scan) && scan.error == KOINE_EARGUMENT && ret_fault) {
        ret_fault->offset = (size_t)(scan.ptr - scan.start);
        ret_fault->reason = scan.reason;
        koine__json_position((koine_str){scan.start, text.len}, ret_fault->offset, &ret_fault->line,
                             &ret_fault->column);
    }
    koine__dealloc(scan.many);
    return scan.error;
}

int koine__json_check(koine_str text, unsigned depth, struct koine__json_fault *ret_fault)
{
    return koine__json_scan(text, depth, NULL, ret_fault);
}

/* ---- Text that was checked
 * ---------------------------------------------------------------------------------- */

/* Behind the closing quote; ptr is behind the opening one. */
static const char *skip_string(const char *ptr, const char *end)
{
    while ((ptr = koine__json_stop(ptr, end)) < end && *ptr == '\\')
        ptr += 2;
    return ptr + 1;
}

static const char *skip_container(const char *ptr, const char *end)
{
    unsigned depth = 0;
    while (ptr < end) {
        char c = *ptr++;
        if (c == '"')
            ptr = skip_string(ptr, end);
        else if (c == '{' || c == '[')
            depth++;
        else if ((c == '}' || c == ']') && --depth == 0)
            break;
    }
    return ptr;
}

size_t koine__json_skip(koine_str text, size_t pos)
{
    const char *ptr = text.ptr + pos, *end = text.ptr + text.len;
    if (*ptr == '"')
        return (size_t)(skip_string(ptr + 1, end) - text.ptr);
    if (*ptr == '{' || *ptr == '[')
        return (size_t)(skip_container(ptr, end) - text.ptr);
    while (ptr < end && *ptr != ',' && *ptr != ']' && *ptr != '}' && (unsigned char)*ptr > ' ')
        ptr++;
    return (size_t)(ptr - text.ptr);
}

size_t koine__json_end(koine_str text, size_t pos, const struct koine__json_ends *ends)
{
    size_t from = 0, to = ends->count;
    if (text.ptr[pos] != '{' && text.ptr[pos] != '[')
        return koine__json_skip(text, pos);
    while (from < to) {
        size_t middle = (from + to) / 2;
        if (ends->spans[middle].start < pos)
            from = middle + 1;
        else
            to = middle;
    }
    if (from < ends->count && ends->spans[from].start == pos)
        return pos + ends->spans[from].len;
    return koine__json_skip(text, pos);
}

void koine__json_position(koine_str text, size_t offset, unsigned *ret_line, unsigned *ret_column)
{
    unsigned line = 1;
    const char *ptr = text.ptr, *at = text.ptr + offset;
    for (const char *lf; ptr < at && (lf = memchr(ptr, '\n', (size_t)(at - ptr))); ptr = lf + 1)
        line++;
    *ret_line = line;
    *ret_column = (unsigned)(at - ptr) + 1;
}
