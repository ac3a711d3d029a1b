/* frame: bytes in, frames out, in linear time however the bytes arrive. An event of one line is handed out
 * where it lies in the buffer. */
#include "core/wire/frame.h"

#include "core/wire/word.h"
#include <koine/koine.h>

enum {
    CUTTING_UNKNOWN = -1
};
enum {
    GIVEN_NOTHING,
    GIVEN_EVENT,
    GIVEN_WHOLE,
    GIVEN_END
}; /* after the end of the body */

void koine__framer_init(struct koine__framer *framer, int wanted, size_t limit)
{
    *framer = (struct koine__framer){.wanted = wanted, .cutting = CUTTING_UNKNOWN, .limit = limit};
    koine__buf_init(&framer->in, limit);
    koine__buf_init(&framer->data, limit);
    koine__buf_init(&framer->stray, limit);
}

void koine__framer_release(struct koine__framer *framer)
{
    koine__buf_release(&framer->in);
    koine__buf_release(&framer->data);
    koine__buf_release(&framer->stray);
    koine__framer_init(framer, framer->wanted, framer->limit);
}

void koine__framer_reset(struct koine__framer *framer, int wanted)
{
    struct koine__framer old = *framer;
    koine__framer_init(framer, wanted, old.limit);
    framer->in = old.in;
    framer->data = old.data;
    framer->stray = old.stray;
    koine__buf_reset(&framer->in);
    koine__buf_reset(&framer->data);
    koine__buf_reset(&framer->stray);
}

/* ---- How the body is cut
 * ------------------------------------------------------------------------------------- */

static bool is_json_type(koine_str type)
{
    static const char suffix[] = "+json";
    size_t len = sizeof(suffix) - 1;
    if (koine__str_is_nocase(type, "application/json") || koine__str_is_nocase(type, "text/json"))
        return true;
    return type.len > len && koine__str_is_nocase((koine_str){type.ptr + type.len - len, len}, suffix);
}

/* CUTTING_UNKNOWN: the type does not say. */
static int cutting_of(koine_str type)
{
    static const struct {
        const char *type;
        int cutting;
    } types[] = {
        {"text/event-stream", KOINE_FRAME_SSE},
        {"application/x-ndjson", KOINE_FRAME_LINE},
        {"application/ndjson", KOINE_FRAME_LINE},
        {"application/jsonl", KOINE_FRAME_LINE},
        {"application/jsonlines", KOINE_FRAME_LINE},
        {"application/x-jsonlines", KOINE_FRAME_LINE},
        {"text/html", KOINE_FRAME_WHOLE},
        {"application/xhtml+xml", KOINE_FRAME_WHOLE},
    };
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        if (koine__str_is_nocase(type, types[i].type))
            return types[i].cutting;
    return CUTTING_UNKNOWN;
}

void koine__framer_head(struct koine__framer *framer, int status, koine_str content_type)
{
    koine_str type = koine__str_trim(koine__str_cut(&content_type, ';'));
    framer->cutting = status >= 400 ? KOINE_FRAME_WHOLE : cutting_of(type);
    framer->is_json = is_json_type(type);
}

enum answer {
    NO,
    YES,
    MAYBE
};

/* MAYBE: the text is too short to tell. */
static enum answer starts(koine_str text, const char *prefix)
{
    size_t len = strlen(prefix);
    size_t common = text.len < len ? text.len : len;
    if (memcmp(text.ptr, prefix, common) != 0)
        return NO;
    return common == len ? YES : MAYBE;
}

static enum answer starts_event(koine_str text, bool is_json)
{
    static const char *const fields[] = {"data:", "event:", ":", "id:", "retry:", "error:"};
    enum answer answer = NO;
    for (size_t i = 0; i < (is_json ? 3 : sizeof(fields) / sizeof(fields[0])); i++) {
        enum answer one = starts(text, fields[i]);
        if (one == YES)
            return YES;
        answer = one == MAYBE ? MAYBE : answer;
    }
    return answer;
}

/* How a body is cut whose first byte that is no space is `first`, and which does not start with an event. */
static int cutting_without_events(const struct koine__framer *framer, char first)
{
    bool one_value = framer->is_json || first == '[' || first == '<';
    return framer->wanted == KOINE_FRAME_LINE && !one_value ? KOINE_FRAME_LINE : KOINE_FRAME_WHOLE;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Looks at the first bytes. CUTTING_UNKNOWN: more are needed. */
static int sniff(struct koine__framer *framer)
{
    const char *ptr = koine__buf_str(&framer->in);
    while (framer->scanned < framer->in.len && is_space(ptr[framer->scanned]))
        framer->scanned++;
    size_t at = framer->scanned;
    koine_str text = {ptr + at, framer->in.len - at};
    if (text.len == 0)
        return framer->ended ? KOINE_FRAME_WHOLE : CUTTING_UNKNOWN;
    bool line_start = at == framer->line || ptr[at - 1] == '\n' || ptr[at - 1] == '\r';
    enum answer answer = line_start ? starts_event(text, framer->is_json) : NO;
    if (answer == MAYBE && !framer->ended)
        return CUTTING_UNKNOWN;
    return answer == YES ? KOINE_FRAME_SSE : cutting_without_events(framer, text.ptr[0]);
}

/* False: more bytes are needed. */
static bool skip_bom(struct koine__framer *framer)
{
    koine_str text = {koine__buf_str(&framer->in), framer->in.len};
    enum answer answer = framer->bom_checked ? NO : starts(text, "\xef\xbb\xbf");
    if (answer == MAYBE && !framer->ended)
        return false;
    if (answer == YES)
        framer->line = framer->scanned = 3;
    framer->bom_checked = true;
    return true;
}

/* False: more bytes are needed to know how the body is cut. */
static bool decide(struct koine__framer *framer)
{
    if (!skip_bom(framer))
        return false;
    if (framer->cutting != CUTTING_UNKNOWN)
        return true;
    framer->cutting = sniff(framer);
    if (framer->cutting == CUTTING_UNKNOWN)
        return false;
    framer->scanned = framer->line;
    return true;
}

/* ---- Bytes in
 * ------------------------------------------------------------------------------------------------ */

/* Forgets what was cut, once that is at least as much as what has to be moved. */
static void compact(struct koine__framer *framer)
{
    size_t dead = framer->line;
    if (framer->data_lines == 1 && framer->data_at < dead)
        dead = framer->data_at;
    if (framer->has_name && framer->name_at < dead)
        dead = framer->name_at;
    if (dead == 0 || dead < framer->in.len - dead)
        return;
    koine__buf_drop(&framer->in, dead);
    framer->line -= dead;
    framer->scanned -= dead;
    framer->data_at -= framer->data_lines == 1 ? dead : 0;
    framer->name_at -= framer->has_name ? dead : 0;
}

int koine__framer_push(struct koine__framer *framer, const char *ptr, size_t len)
{
    if (framer->error)
        return framer->error;
    if (framer->ended)
        return KOINE_EARGUMENT;
    if (len > framer->limit - framer->total)
        return framer->error = KOINE_EARGUMENT;
    framer->total += len;
    compact(framer);
    koine__buf_add(&framer->in, ptr, len);
    return framer->error = framer->in.error;
}

void koine__framer_finish(struct koine__framer *framer, bool clean)
{
    if (framer->ended)
        return;
    framer->ended = true;
    framer->clean = clean;
}

/* ---- Lines
 * --------------------------------------------------------------------------------------------------- */

/* The first CR or LF, or end. */
static const char *find_line_end(const char *ptr, const char *end)
{
    for (; end - ptr >= 8; ptr += 8) {
        uint64_t word = koine__word(ptr);
        uint64_t hits = koine__word_has(word, '\n') | koine__word_has(word, '\r');
        if (hits)
            return ptr + koine__word_first(hits);
    }
    while (ptr < end && *ptr != '\n' && *ptr != '\r')
        ptr++;
    return ptr;
}

/* A line may end in CR, and its LF come with the next push: so the line is given out at once and the LF
 * skipped. */
static void skip_rest_of_crlf(struct koine__framer *framer)
{
    if (!framer->skip_lf || framer->line == framer->in.len)
        return;
    framer->skip_lf = false;
    if (framer->in.ptr[framer->line] == '\n')
        framer->scanned = ++framer->line;
}

static bool next_line(struct koine__framer *framer, koine_str *ret)
{
    skip_rest_of_crlf(framer);
    if (framer->line == framer->in.len)
        return false;
    const char *ptr = framer->in.ptr, *end = ptr + framer->in.len;
    const char *stop = find_line_end(ptr + framer->scanned, end);
    framer->scanned = (size_t)(stop - ptr);
    if (stop == end && !(framer->ended && framer->clean))
        return false;
    *ret = (koine_str){ptr + framer->line, framer->scanned - framer->line};
    if (stop < end) {
        framer->skip_lf = *stop == '\r';
        framer->scanned++;
    }
    framer->line = framer->scanned;
    return true;
}

/* ---- Events
 * -------------------------------------------------------------------------------------------------- */

static bool dispatch(struct koine__framer *framer, struct koine__cut *ret)
{
    struct koine__cut cut = {.kind = KOINE_FRAME_SSE};
    if (framer->has_name)
        cut.event = (koine_str){framer->in.ptr + framer->name_at, framer->name_len};
    if (framer->data_lines == 1)
        cut.text = (koine_str){framer->in.ptr + framer->data_at, framer->data_len};
    if (framer->data_lines > 1)
        cut.text = (koine_str){framer->data.ptr, framer->data.len};
    framer->has_name = false;
    framer->data_lines = 0;
    if (cut.text.len == 0)
        return false;
    *ret = cut;
    return true;
}

static void add_data(struct koine__framer *framer, koine_str value)
{
    struct koine__buf *data = &framer->data;
    if (framer->data_lines++ == 0) {
        framer->data_at = (size_t)(value.ptr - framer->in.ptr);
        framer->data_len = value.len;
        return;
    }
    if (framer->data_lines == 2) {
        koine__buf_reset(data);
        koine__buf_add(data, framer->in.ptr + framer->data_at, framer->data_len);
    }
    koine__buf_addc(data, '\n');
    koine__buf_add(data, value.ptr, value.len);
    framer->error = data->error;
}

static void add_stray(struct koine__framer *framer, koine_str line)
{
    if (framer->stray.len)
        koine__buf_addc(&framer->stray, '\n');
    koine__buf_add(&framer->stray, line.ptr, line.len);
    framer->error = framer->stray.error;
}

static bool is_name(koine_str text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        bool letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
        if (!letter && !(c >= '0' && c <= '9') && c != '-' && c != '_')
            return false;
    }
    return text.len > 0;
}

/* Fields that say nothing to us. One that the standard does not know, "x-trace: 7", is to be ignored too,
 * unless it stands in the midst of stray text. */
static bool is_ignored(const struct koine__framer *framer, koine_str name, bool has_colon)
{
    if (koine__str_is(name, "id") || koine__str_is(name, "retry"))
        return true;
    return has_colon && framer->stray.len == 0 && is_name(name);
}

/* Cuts "name: value". False: there is no colon. */
static bool split_field(koine_str line, koine_str *ret_name, koine_str *ret_value)
{
    const char *colon = memchr(line.ptr, ':', line.len);
    const char *end = line.ptr + line.len;
    const char *value = colon ? colon + 1 : end;
    if (value < end && *value == ' ')
        value++;
    *ret_name = (koine_str){line.ptr, (size_t)((colon ? colon : end) - line.ptr)};
    *ret_value = (koine_str){value, (size_t)(end - value)};
    return colon != NULL;
}

/* True: the line completes the frame *ret. */
static bool take_field(struct koine__framer *framer, koine_str line, struct koine__cut *ret)
{
    koine_str name, value;
    bool has_colon = split_field(line, &name, &value);
    if (koine__str_is(name, "data")) {
        add_data(framer, value);
    } else if (koine__str_is(name, "event")) {
        framer->has_name = true;
        framer->name_at = (size_t)(value.ptr - framer->in.ptr);
        framer->name_len = value.len;
    } else if (has_colon && koine__str_is(name, "error")) {
        *ret = (struct koine__cut){.kind = KOINE_FRAME_SSE, .event = name, .text = value};
        return value.len > 0;
    } else if (!is_ignored(framer, name, has_colon) && koine__str_trim(line).len > 0) {
        add_stray(framer, line);
    }
    return false;
}

static bool take_event_line(struct koine__framer *framer, koine_str line, struct koine__cut *ret)
{
    if (line.len == 0)
        return dispatch(framer, ret);
    if (line.ptr[0] != ':')
        return take_field(framer, line, ret);
    framer->comments++;
    return false;
}

static bool take_text_line(koine_str line, struct koine__cut *ret)
{
    if (koine__str_trim(line).len == 0)
        return false;
    *ret = (struct koine__cut){.kind = KOINE_FRAME_LINE, .text = line};
    return true;
}

static bool next_of_lines(struct koine__framer *framer, struct koine__cut *ret)
{
    koine_str line;
    while (!framer->error && next_line(framer, &line))
        if (framer->cutting == KOINE_FRAME_LINE ? take_text_line(line, ret)
                                                : take_event_line(framer, line, ret))
            return true;
    return false;
}

/* ---- The end
 * ------------------------------------------------------------------------------------------------- */

/* The last event may lack its blank line. Of a body that was cut it is whole only if its last line is. */
static bool give_last_event(struct koine__framer *framer, struct koine__cut *ret)
{
    if (framer->cutting != KOINE_FRAME_SSE || framer->line < framer->in.len)
        return false;
    return dispatch(framer, ret);
}

static bool give_whole(const struct koine__framer *framer, struct koine__cut *ret)
{
    koine_str text = {framer->stray.ptr, framer->stray.len};
    if (framer->cutting == KOINE_FRAME_WHOLE)
        text = (koine_str){koine__buf_str(&framer->in) + framer->line, framer->in.len - framer->line};
    if (!framer->clean || koine__str_trim(text).len == 0)
        return false;
    *ret = (struct koine__cut){.kind = KOINE_FRAME_WHOLE, .text = text};
    return true;
}

static bool next_at_end(struct koine__framer *framer, struct koine__cut *ret)
{
    bool found = false;
    while (!found && framer->given < GIVEN_END) {
        framer->given++;
        if (framer->given == GIVEN_EVENT)
            found = give_last_event(framer, ret);
        if (framer->given == GIVEN_WHOLE)
            found = give_whole(framer, ret);
        if (framer->given == GIVEN_END) {
            *ret = (struct koine__cut){.kind = KOINE_FRAME_END, .clean = framer->clean};
            found = true;
        }
    }
    return found;
}

int koine__framer_next(struct koine__framer *framer, struct koine__cut *ret)
{
    if (framer->error)
        return framer->error;
    if (!decide(framer))
        return 0;
    if (framer->cutting != KOINE_FRAME_WHOLE && next_of_lines(framer, ret))
        return 1;
    if (framer->error)
        return framer->error;
    return framer->ended && next_at_end(framer, ret);
}

void koine__framer_rest(struct koine__framer *framer)
{
    bool begun = framer->line < framer->in.len || framer->data_lines > 0 || framer->has_name;
    if (begun || framer->error || framer->cutting == CUTTING_UNKNOWN || framer->cutting == KOINE_FRAME_WHOLE)
        return;
    koine__buf_release(&framer->in);
    koine__buf_release(&framer->data);
    framer->line = framer->scanned = 0;
}
