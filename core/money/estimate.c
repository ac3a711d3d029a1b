/* estimate: see estimate.h. */
#include "core/money/estimate.h"

#include "core/wire/json_text.h"

/* What a vendor may put before the messages: a default system prompt, dates, channels. The longest that is
 * published, of OpenAI's harmony format, has about 100 tokens. */
#define BEFORE_MESSAGES 256
/* What it may say about the use of tools: at Anthropic, whose documentation tells the figures, up to 530
 * tokens. */
#define BEFORE_TOOLS 1024
/* The most that any vendor documents for one image, OpenAI for gpt-4o-mini: 2833 and 5667 for each tile of
 * 512 pixels, of which there are at most 2 × 4 after scaling to 768 × 2048. Others stay below 7000 (Together
 * 6404, Google 2240). */
#define IMAGE_MOST (2833 + 8 * 5667)
/* A megapixel: 765 tokens at OpenAI, about 1400 at Anthropic, 1601 a tile at Together. */
#define IMAGE_USUAL 1601
/* Of speech, bytes of base64 for a token: at 32 tokens a second (Google; OpenAI 10) and 64 kbit/s. */
#define AUDIO_BYTES 333
/* Of a document such as a PDF: its pages have about 3000 tokens (Anthropic) and 100 kB. */
#define FILE_BYTES 32
#define TEXT_BYTES 4

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static int64_t sum(int64_t a, int64_t b)
{
    int64_t result;
    return __builtin_add_overflow(a, b, &result) ? INT64_MAX : result;
}

static int64_t product(int64_t a, int64_t b)
{
    int64_t result;
    return __builtin_mul_overflow(a, b, &result) ? INT64_MAX : result;
}

static int64_t quotient(int64_t a, int64_t b) /* rounded up */
{
    return a / b + (a % b > 0);
}

/* ---- bytes ---- */

static unsigned digit_of(char c)
{
    return c <= '9' ? (unsigned)(c - '0') : (unsigned)((c | 0x20) - 'a' + 10);
}

/* UTF-8 bytes of \uXXXX. Half a surrogate pair counts as a character of its own. */
static int64_t bytes_of_unit(const char *digits)
{
    unsigned unit = 0;
    for (size_t i = 0; i < 4; i++)
        unit = unit << 4 | digit_of(digits[i]);
    return unit < 0x80 ? 1 : unit < 0x800 ? 2 : 3;
}

/* Bytes of the string behind its first quote, the last one counted; *ret_end: behind that. */
static int64_t bytes_of_string(koine_str json, size_t start, size_t *ret_end)
{
    int64_t bytes = 0;
    for (size_t i = start;;) {
        const char *stop = koine__json_stop(json.ptr + i, json.ptr + json.len);
        bytes += stop - (json.ptr + i);
        i = (size_t)(stop - json.ptr);
        if (i >= json.len || json.ptr[i] == '"') {
            *ret_end = i + 1;
            return bytes + 1;
        }
        bool is_unit = json.ptr[i + 1] == 'u';
        bytes += is_unit ? bytes_of_unit(json.ptr + i + 2) : 1;
        i += is_unit ? 6 : 2;
    }
}

/* Of checked JSON: see estimate.h. */
static int64_t bytes_of(koine_str json)
{
    int64_t bytes = 0;
    for (size_t i = 0; i < json.len;) {
        char c = json.ptr[i++];
        bytes += c != ' ' && c != '\n' && c != '\t' && c != '\r';
        if (c == '"')
            bytes += bytes_of_string(json, i, &i);
    }
    return bytes;
}

/* ---- parts that are no text ---- */

static bool is_text(koine_str type)
{
    static const char *const types[] = {"text", "refusal", "thinking", "reasoning"};
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        if (koine__str_is(type, types[i]))
            return true;
    return false;
}

static void count_part(struct koine__count *count, const koine_node *part)
{
    koine_str type = koine__node_str(koine__node_get(part, "type"));
    if (koine__node_kind(part) != KOINE_NODE_OBJECT || is_text(type))
        return;
    int64_t bytes = bytes_of(koine__node_source(part));
    count->bytes -= bytes;
    if (koine__str_is(type, "image_url")) {
        count->images++;
    } else if (koine__str_is(type, "input_audio")) {
        count->has_audio = true;
        count->audio_bytes += bytes;
    } else { /* a file, a video, and what nobody here has heard of */
        count->has_file = true;
        count->file_bytes += bytes;
    }
}

static void count_document(const koine_node *doc, struct koine__count *ret)
{
    const koine_node *messages = koine__node_get(doc, "messages");
    *ret = (struct koine__count){.bytes = bytes_of(koine__node_source(doc))};
    for (size_t i = 0; i < koine__node_count(messages); i++) {
        const koine_node *content = koine__node_get(koine__node_at(messages, i), "content");
        if (koine__node_kind(content) != KOINE_NODE_ARRAY)
            continue;
        for (size_t k = 0; k < koine__node_count(content); k++)
            count_part(ret, koine__node_at(content, k));
    }
    ret->bytes -= bytes_of(koine__node_source(koine__node_get(doc, "koine"))); /* stays with us */
    ret->has_audio |= koine__node_get(doc, "audio") != NULL; /* the answer is to be spoken */
    ret->is_known = !koine__node_failed(doc);
}

static const struct koine__count *counted(const koine_node *doc, struct koine__count *kept,
                                          struct koine__count *own)
{
    struct koine__count *count = kept ? kept : own;
    if (!kept || !kept->is_known)
        count_document(doc, count);
    return count;
}

/* ---- tokens ---- */

static int64_t window_of(const struct koine__model *known)
{
    if (!known)
        return -1;
    return known->max_input >= 0 ? known->max_input : known->context;
}

static int64_t prompt_bound(const koine_node *doc, const struct koine__count *count, int64_t window)
{
    if (count->has_file)
        return window;
    int64_t tokens = count->bytes + count->audio_bytes + BEFORE_MESSAGES;
    if (koine__node_get(doc, "tools") || koine__node_get(doc, "functions"))
        tokens += BEFORE_TOOLS;
    tokens = sum(tokens, product(count->images, IMAGE_MOST));
    return window >= 0 && window < tokens ? window : tokens;
}

static int64_t prompt_usual(const struct koine__count *count, int64_t window)
{
    int64_t tokens = quotient(count->bytes, TEXT_BYTES) + quotient(count->audio_bytes, AUDIO_BYTES) +
                     quotient(count->file_bytes, FILE_BYTES);
    tokens = sum(tokens, product(count->images, IMAGE_USUAL));
    return window >= 0 && window < tokens ? window : tokens;
}

/* Where both names are told, vendors differ in which they take. */
static int64_t answer_bound(const koine_node *doc, const struct koine__model *known)
{
    int64_t told = larger(koine__node_num(koine__node_get(doc, "max_tokens"), -1),
                          koine__node_num(koine__node_get(doc, "max_completion_tokens"), -1));
    const koine_node *prediction = koine__node_get(doc, "prediction");
    if (told <= 0)
        told = !known ? -1 : known->max_output >= 0 ? known->max_output : known->context;
    if (told < 0 || !prediction)
        return told;
    return sum(told, bytes_of(koine__node_source(prediction))); /* what of it does not come true is billed */
}

/* ---- rates ---- */

struct rates { /* picodollars a token */
    int64_t input, output;
};

static void take_row(const struct koine__price_row *row, struct rates *rates)
{
    rates->input = larger(larger(rates->input, row->input), larger(row->cache_read, row->cache_write));
    rates->output = larger(larger(rates->output, row->output), row->reasoning);
}

/* Raises the rates to those of a tier, for prompts of every size up to that. False: it has no price. */
static bool take_tier(const struct koine__estimate_ask *ask, int64_t prompt, koine_str tier,
                      struct rates *rates)
{
    const struct koine__price_row *row = koine__catalogue_row(ask->known, ask->at, 0, tier, false);
    if (!row)
        return false;
    take_row(row, rates);
    for (size_t i = 0; i < ask->known->row_count; i++) {
        int64_t above = ask->known->rows[i].above_input_tokens;
        if (above < prompt)
            take_row(koine__catalogue_row(ask->known, ask->at, above + 1, tier, false), rates);
    }
    return true;
}

/* A named tier may be served, or the standard one in its place. */
static bool find_rates(const struct koine__estimate_ask *ask, int64_t prompt, struct rates *ret)
{
    koine_str named = koine__node_str(koine__node_get(ask->doc, "service_tier"));
    *ret = (struct rates){0, 0};
    return ask->known && take_tier(ask, prompt, (koine_str){NULL, 0}, ret) &&
           (named.len == 0 || take_tier(ask, prompt, named, ret));
}

/* ---- all of it ---- */

static const char *reason(const struct koine__count *count, const struct koine__estimate *estimate,
                          bool has_rates)
{
    if (!has_rates)
        return "its price is not known; add it to a catalogue, or set price: free or budgets.unpriced: allow";
    if (count->has_audio)
        return "the price of audio is not known";
    if (estimate->prompt < 0)
        return "the tokens of a file do not follow from its bytes, and the model's window is not known";
    return estimate->answer < 0 ? "its longest answer is not known; set max_tokens" : NULL;
}

void koine__estimate(const struct koine__estimate_ask *ask, struct koine__estimate *ret)
{
    struct koine__count own;
    struct rates rates;
    *ret = (struct koine__estimate){0};
    if (!ask->doc || ask->free)
        return;
    const struct koine__count *count = counted(ask->doc, ask->count, &own);
    int64_t window = window_of(ask->known);
    ret->prompt = ask->typical ? prompt_usual(count, window) : prompt_bound(ask->doc, count, window);
    ret->answer = answer_bound(ask->doc, ask->known);
    bool has_rates = find_rates(ask, ret->prompt, &rates);
    ret->unknown = reason(count, ret, has_rates);
    ret->unpriced = !has_rates || count->has_audio;
    if (ret->unknown) {
        ret->cost = -1;
        return;
    }
    ret->rate = rates.output;
    ret->prompt_cost = product(ret->prompt, rates.input);
    ret->cost = sum(ret->prompt_cost, product(ret->answer, rates.output));
}

int64_t koine__estimate_tokens(const koine_node *doc, struct koine__count *count,
                               const struct koine__model *known)
{
    struct koine__count own;
    if (!doc)
        return 0;
    int64_t answer = answer_bound(doc, known);
    return sum(prompt_usual(counted(doc, count, &own), window_of(known)),
               answer < 0 ? KOINE__ANSWER_USUAL : answer);
}
