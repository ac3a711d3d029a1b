/* stage_hostile: what servers and callers may say that is wrong. What must not come of it is watched
 * (watching.c, events.c); two things must not be taken for an answer, and are asked for here. */
#include "apps/plugin-check/stages.h"

#include "apps/plugin-check/spots.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define LARGEST    ((size_t)4 << 20)
#define MOST_SPOTS 120 /* of one text, evenly spread */
#define NESTED     100
#define GARBLED    48 /* bytes that are changed, one at a time */

/* One value of each type, and those that have been trouble: not whole, too large, without a meaning in UTF-8.
 */
static const char *const values[] = {
    "null",
    "true",
    "7",
    "-1",
    "-2.5e-3",
    "1e400",
    "9223372036854775808",
    "\"\"",
    "\"x\"",
    "\"\\u0000\\ud800\"",
    "[]",
    "[null]",
    "{}",
    "{\"a\":[{}]}",
};

struct subject { /* one case, and its text in other forms */
    struct inspection *in;
    const struct cases_item *item;
    struct vendor_case c; /* to be played */
    struct koine__buf text, trace;
};

static void begin(struct subject *s, struct inspection *in, const struct cases_item *item)
{
    *s = (struct subject){.in = in, .item = item, .c = item->c};
    koine__buf_init(&s->text, LARGEST);
    koine__buf_init(&s->trace, LARGEST);
}

static void end(struct subject *s)
{
    koine__buf_release(&s->text);
    koine__buf_release(&s->trace);
}

static void play(struct subject *s, const struct vendor_play *way)
{
    struct watching watching;
    watching_init(&watching, s->in, &s->c);
    koine__buf_reset(&s->trace);
    if (s->c.answered)
        watching_read(&watching, way, &s->trace, NULL);
    else
        watching_ask(&watching, &s->trace);
    if (s->c.answered &&
        watching.result == KOINE_MORE) /* what a server said must not break the next request */
        watching_ask_next(&watching, &s->trace);
}

/* Plays what is in `text`. */
static void play_text(struct subject *s)
{
    if (s->c.answered)
        s->c.body = s->text;
    else
        s->c.document = koine__buf_str(&s->text);
    play(s, &(struct vendor_play){.len = s->c.body.len, .clean = !s->c.lost});
}

static koine_str source_of(const struct cases_item *item)
{
    if (item->c.answered)
        return (koine_str){koine__buf_str(&item->c.body), item->c.body.len};
    return koine__str(item->c.document);
}

/* ---- Values of every type ---- */

static void find_spots(const struct subject *s, struct spots *ret)
{
    koine_str source = source_of(s->item);
    if (s->item->c.answered)
        spots_in_answer(ret, source, s->item->c.stream);
    else
        spots_in_document(ret, source);
}

static void replace(struct subject *s, const struct spot *spot, const char *by, const char *what)
{
    inspection_at(s->in, "%s: the value at byte %zu replaced by %s", s->item->name, spot->at, what);
    spots_replace(&s->text, source_of(s->item), spot->at, spot->len, koine__str(by));
    play_text(s);
}

/* A document is an object, the core sees to that. */
static bool may_replace(const struct subject *s, const struct spot *spot)
{
    return s->item->c.answered || spot->at > 0;
}

static void replace_values(struct subject *s)
{
    char nested[2 * NESTED + 1] = {0};
    struct spots spots;
    memset(nested, '[', NESTED);
    memset(nested + NESTED, ']', NESTED);
    find_spots(s, &spots);
    size_t step = spots.count / MOST_SPOTS + 1;
    for (size_t i = 0; i < spots.count; i += step) {
        if (!may_replace(s, &spots.items[i]))
            continue;
        for (size_t value = 0; value < sizeof(values) / sizeof(values[0]); value++)
            replace(s, &spots.items[i], values[value], values[value]);
        replace(s, &spots.items[i], nested, "a hundred lists in each other");
    }
    spots_release(&spots);
}

/* ---- Answers that are cut and garbled ---- */

static void cut(struct subject *s)
{
    koine_str source = source_of(s->item);
    size_t step = source.len / 64 + 1;
    for (size_t len = 0; len < source.len; len += step)
        for (int clean = 0; clean < 2; clean++) {
            inspection_at(s->in, "%s: %s after %zu bytes", s->item->name, clean ? "ended" : "cut off", len);
            play(s, &(struct vendor_play){.len = len, .clean = clean});
        }
}

/* The same bytes every time: xorshift. */
static uint32_t next_number(uint32_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 17;
    *seed ^= *seed << 5;
    return *seed;
}

static void garble(struct subject *s)
{
    static const char bytes[] = {'\0', '\n', '"', '\\', '{', ']', ',', ':', '\x80', '\xff', '-', '9'};
    koine_str source = source_of(s->item);
    uint32_t seed = 2463534242;
    for (size_t i = 0; i < GARBLED && source.len > 0; i++) {
        size_t at = next_number(&seed) % source.len;
        char by = bytes[next_number(&seed) % sizeof(bytes)];
        inspection_at(s->in, "%s: byte %zu is 0x%02x", s->item->name, at, (unsigned)(unsigned char)by);
        spots_replace(&s->text, source, at, 1, (koine_str){&by, 1});
        play_text(s);
    }
}

static void other_framing(struct subject *s)
{
    inspection_at(s->in, "%s: asked for the other way", s->item->name);
    s->c = s->item->c;
    s->c.stream = !s->c.stream;
    play(s, &(struct vendor_play){.len = s->c.body.len, .clean = !s->c.lost});
    s->c.stream = !s->c.stream;
}

static void other_statuses(struct subject *s)
{
    static const int statuses[] = {400, 401, 402, 403, 404, 408, 409, 410, 413, 415, 422, 429,
                                   451, 498, 500, 501, 502, 503, 504, 520, 524, 529, 599};
    if (s->item->c.status < 400)
        return;
    for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
        inspection_at(s->in, "%s: under status %d", s->item->name, statuses[i]);
        s->c = s->item->c;
        s->c.status = statuses[i];
        play(s, &(struct vendor_play){.len = s->c.body.len, .clean = !s->c.lost});
    }
    s->c = s->item->c;
}

/* ---- What is no answer ---- */

static bool has_stop(const char *trace)
{
    return strncmp(trace, "stop ", 5) == 0 || strstr(trace, "\nstop ");
}

/* The next line of a trace that an application would see as content; NULL: there is none. */
static const char *next_content(const char *trace)
{
    static const char *const kinds[] = {"text ", "reasoning ", "refusal ", "tool "};
    for (; *trace; trace += strcspn(trace, "\n"), trace += *trace == '\n')
        for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
            if (strncmp(trace, kinds[i], strlen(kinds[i])) == 0)
                return trace;
    return NULL;
}

static bool is_same_content(const char *a, const char *b)
{
    while ((a = next_content(a)) && (b = next_content(b))) {
        size_t len = strcspn(a, "\n");
        if (strncmp(a, b, len + 1) != 0)
            return false;
        a += len;
        b += len;
    }
    return !a && !next_content(b);
}

/* Whether the event whose data stands at that byte has a name: events under names that nobody knows may be
 * passed over, whatever is in them. */
static bool is_named(koine_str body, size_t at)
{
    while (at > 0 && body.ptr[at - 1] != '\n')
        at--;
    if (at > 1 && strchr("\r\n", body.ptr[at - 2])) /* the line before is empty */
        return false;
    for (at = at > 0 ? at - 1 : 0; at > 0 && body.ptr[at - 1] != '\n';)
        at--;
    return koine__str_starts((koine_str){body.ptr + at, body.len - at}, "event:");
}

struct damages {               /* done to the pieces of one answer */
    const char *whole;         /* what the answer gives without */
    size_t noticed;            /* so many gave no stop */
    const struct spot *missed; /* one under a name that gave a stop and less content */
};

static void tell_missed(struct subject *s, const struct spot *piece)
{
    inspection_at(s->in, "%s: its JSON at byte %zu begins with a comma too many", s->item->name, piece->at);
    inspection_found(s->in, RULE_HOSTILE_MALFORMED, vendor_read_function(&s->item->c),
                     "it told a stop, as if nothing were missing", NULL);
}

static void damage_piece(struct subject *s, const struct spot *piece, struct damages *damages)
{
    inspection_at(s->in, "%s: its JSON at byte %zu begins with a comma too many", s->item->name, piece->at);
    spots_replace(&s->text, source_of(s->item), piece->at + 1, 0, KOINE__STR(","));
    play_text(s);
    const char *trace = koine__buf_str(&s->trace);
    bool missed = has_stop(trace) && !is_same_content(damages->whole, trace);
    damages->noticed += !has_stop(trace);
    if (missed && is_named(source_of(s->item), piece->at))
        damages->missed = piece;
    else if (missed)
        tell_missed(s, piece);
}

/* An answer that is right becomes none when a piece of its JSON is damaged and something was in it. */
static void damage(struct subject *s)
{
    struct spots spots;
    struct koine__buf whole;
    find_spots(s, &spots);
    s->c = s->item->c;
    stage_alone(s->in, &s->c, &whole);
    struct damages damages = {.whole = koine__buf_str(&whole)};
    for (size_t i = 0; i < spots.root_count && has_stop(damages.whole); i++)
        if (spots.items[spots.roots[i]].kind == KOINE_NODE_OBJECT)
            damage_piece(s, &spots.items[spots.roots[i]], &damages);
    if (damages.missed && damages.noticed == 0)
        tell_missed(s, damages.missed);
    koine__buf_release(&whole);
    spots_release(&spots);
}

/* Nothing at all, and comments, cleanly ended and not. */
static void nothing(struct inspection *in)
{
    static const char *const bodies[] = {"", ": wait\n\n"};
    const struct cases_item item = {.c = {.model = "test-model", .answered = true, .status = 200},
                                    .name = "no answer"};
    struct subject s;
    begin(&s, in, &item);
    for (unsigned i = 0; i < 8; i++) {
        bool clean = i & 1;
        s.c = item.c;
        s.c.stream = i & 2;
        koine__buf_reset(&s.text);
        koine__buf_adds(&s.text, s.c.stream ? bodies[i >> 2] : "");
        s.c.body = s.text;
        inspection_at(in, "%s of no %s, %s", s.c.stream ? "a stream" : "an answer", i & 4 ? "event" : "byte",
                      clean ? "ended" : "cut off");
        play(&s, &(struct vendor_play){.len = s.c.body.len, .clean = clean});
        if (has_stop(koine__buf_str(&s.trace)))
            inspection_found(in, RULE_HOSTILE_NOTHING, vendor_read_function(&s.c), "it told a stop", NULL);
    }
    end(&s);
}

/* ---- Names of models ---- */

static void models(struct subject *s)
{
    static const char *const names[] = {"a/../../b",    "a b",  "a\r\nX-A: b", "\xc3\xa4\xf0\x9f\x98\x80",
                                        "a?b#c%00&d=e", "\"}{", "..a",         "%2e%2e"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        inspection_at(s->in, "%s: a model of the odd name %zu", s->item->name, i + 1);
        s->c = s->item->c;
        s->c.model = names[i];
        play(s, &(struct vendor_play){.len = s->c.body.len, .clean = !s->c.lost});
    }
    s->c = s->item->c;
}

static void be_hostile(struct inspection *in, const struct cases_item *item)
{
    struct subject s;
    begin(&s, in, item);
    if (source_of(item).ptr)
        replace_values(&s);
    s.c = item->c;
    if (item->c.answered) {
        cut(&s);
        garble(&s);
        other_framing(&s);
        other_statuses(&s);
        damage(&s);
    }
    s.c = item->c;
    models(&s);
    end(&s);
}

void stage_hostile(struct inspection *in)
{
    nothing(in);
    for (size_t i = 0; i < in->cases.count; i++)
        be_hostile(in, &in->cases.items[i]);
}
