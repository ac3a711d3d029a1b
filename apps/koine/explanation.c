/* explanation: see explanation.h. Sentences are the library's; here they get their places. */
#include "apps/koine/explanation.h"

#include "apps/koine/out.h"
#include "apps/koine/term.h"
#include "apps/koine/words.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    INDENT = 3,
    LABEL_WIDTH = 9,
    STATE_WIDTH = 7,
    LEAST_WIDTH = 20, /* narrower than that nothing is broken */
};

/* ---- Reading ---- */

static const koine_json *get(const koine_json *from, const char *group, const char *name)
{
    return koine_json_get(group != NULL ? koine_json_get(from, group) : from, name);
}

static const char *text_of(const koine_json *from, const char *group, const char *name)
{
    const char *text = koine_json_string(get(from, group, name), NULL);
    return text != NULL ? text : "";
}

static int64_t number_of(const koine_json *from, const char *group, const char *name)
{
    return koine_json_integer(get(from, group, name), -1);
}

/* ---- Lines ---- */

static void blanks(size_t count)
{
    while (count-- > 0)
        out_text(" ", 1);
}

/* Text that begins in column `at` of the line that is open, broken at blanks where the terminal ends, and
 * ended. */
static void flow(const char *text, size_t at)
{
    size_t width = term_width(), used = at;
    bool breaks = width >= at + LEAST_WIDTH;
    while (*text != '\0') {
        size_t length = strcspn(text, " ");
        if (breaks && used > at && used + 1 + length > width) {
            out_text("\n", 1);
            blanks(at);
            used = at;
        } else if (used > at) {
            out_text(" ", 1);
            used++;
        }
        out_shown(text, length, NULL);
        used += length;
        text += length + strspn(text + length, " ");
    }
    out_text("\n", 1);
}

static void padded(const char *text, size_t width, const char *style)
{
    size_t length = strlen(text);
    out_shown(text, length, style);
    blanks(length < width ? width - length : 1);
}

static void sentence(const char *text)
{
    blanks(INDENT);
    flow(text, INDENT);
}

/* Makes the value of a line; what it holds is borrowed by nobody. */
struct value {
    char *text;
    size_t length;
    FILE *to;
};

static FILE *value_open(struct value *value)
{
    value->to = open_memstream(&value->text, &value->length);
    if (value->to == NULL)
        out_no_memory();
    return value->to;
}

static void line(const char *label, struct value *value)
{
    bool bad = ferror(value->to) != 0;
    if (fclose(value->to) != 0 || bad)
        out_no_memory();
    if (value->length > 0) {
        blanks(INDENT);
        padded(label, LABEL_WIDTH, NULL);
        flow(value->text, INDENT + LABEL_WIDTH);
    }
    free(value->text);
}

/* ---- One target ---- */

static const char *style_of(const char *word)
{
    static const struct {
        const char *word, *style;
    } styles[] = {{"go", TERM_GREEN},     {"asked", TERM_GREEN}, {"wait", TERM_YELLOW},
                  {"waits", TERM_YELLOW}, {"refuse", TERM_RED},  {"refused", TERM_RED}};
    for (size_t i = 0; i < sizeof(styles) / sizeof(styles[0]); i++)
        if (strcmp(word, styles[i].word) == 0)
            return styles[i].style;
    return TERM_DIM;
}

static void print_layers(const koine_json *target)
{
    const koine_json *layers = koine_json_get(target, "layers");
    for (size_t i = 0; i < koine_json_count(layers); i++) {
        const koine_json *layer = koine_json_at(layers, i);
        const char *state = text_of(layer, NULL, "state");
        blanks(INDENT);
        padded(text_of(layer, NULL, "layer"), LABEL_WIDTH, NULL);
        padded(state, STATE_WIDTH, style_of(state));
        flow(text_of(layer, NULL, "says"), INDENT + LABEL_WIDTH + STATE_WIDTH);
    }
}

static void print_losses(const koine_json *target)
{
    const koine_json *losses = koine_json_get(target, "parameters");
    for (size_t i = 0; i < koine_json_count(losses); i++) {
        const koine_json *loss = koine_json_at(losses, i);
        struct value value;
        fprintf(value_open(&value), "%s %s: %s", text_of(loss, NULL, "name"), text_of(loss, NULL, "action"),
                text_of(loss, NULL, "reason"));
        line("document", &value);
    }
}

static void print_timeouts(const koine_json *target)
{
    static const struct {
        const char *name, *title;
    } all[] = {{"connect_ms", "connect"},
               {"first_byte_ms", "first byte"},
               {"first_token_ms", "first token"},
               {"idle_ms", "idle"},
               {"progress_ms", "progress"},
               {"total_ms", "total"},
               {"share_ms", "share of the deadline"}};
    struct value value;
    FILE *to = value_open(&value);
    const char *before = "";
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        char words[WORDS_SIZE];
        int64_t ms = number_of(target, "timeouts", all[i].name);
        if (ms < 0)
            continue;
        fprintf(to, "%s%s %s", before, all[i].title, words_time(ms, words));
        before = ", ";
    }
    line("timeouts", &value);
}

static void print_retry(const koine_json *target)
{
    const koine_json *waits = get(target, "retry", "waits_ms");
    int64_t left = number_of(target, "retry", "budget_left");
    struct value value;
    FILE *to = value_open(&value);
    fprintf(to, "%zu of at most %" PRId64, koine_json_count(waits),
            number_of(target, "retry", "max_retries"));
    for (size_t i = 0; i < koine_json_count(waits); i++) {
        char words[WORDS_SIZE];
        fprintf(to, "%s%s", i == 0 ? ": after " : ", ",
                words_time(koine_json_integer(koine_json_at(waits, i), 0), words));
    }
    if (koine_json_count(waits) > 0)
        fprintf(to, " (jitter %s)", text_of(target, "retry", "jitter"));
    if (left >= 0)
        fprintf(to, "; the retry budget has %" PRId64 " of %" PRId64, left,
                number_of(target, "retry", "budget_capacity"));
    line("retries", &value);
}

static void print_hedge(const koine_json *target)
{
    char words[WORDS_SIZE];
    int64_t after = number_of(target, "hedge", "after_ms");
    const char *obstacle = text_of(target, "hedge", "obstacle");
    struct value value;
    FILE *to = value_open(&value);
    if (after >= 0)
        fprintf(to, "%s is asked as well after %s without content", text_of(target, "hedge", "target"),
                words_time(after, words));
    if (*obstacle != '\0')
        fprintf(to, "; not now: %s", obstacle);
    line("hedge", &value);
}

static void print_tokens(const koine_json *target)
{
    char prompt[WORDS_SIZE], answer[WORDS_SIZE], context[WORDS_SIZE];
    struct value value;
    fprintf(value_open(&value), "prompt at most %s, answer at most %s, window %s",
            words_tokens(number_of(target, "tokens", "prompt_most"), prompt),
            words_tokens(number_of(target, "tokens", "answer_most"), answer),
            words_tokens(number_of(target, "tokens", "context"), context));
    line("tokens", &value);
}

static void print_price(const koine_json *target)
{
    const char *id = text_of(target, "price", "id"), *from = text_of(target, "price", "valid_from");
    bool estimated = koine_json_true(get(target, "price", "estimated"));
    struct value value;
    FILE *to = value_open(&value);
    if (*id != '\0')
        fprintf(to, "$%s in, $%s out per million tokens%s%s%s (%s)", text_of(target, "price", "input"),
                text_of(target, "price", "output"), *from != '\0' ? " since " : "", from,
                estimated ? ", estimated" : "", id);
    else
        fputs("unknown", to);
    line("price", &value);
    fputs(text_of(target, NULL, "retired"), value_open(&value));
    line("retired", &value);
}

static void print_cost(const koine_json *target)
{
    int64_t attempts = number_of(target, "cost", "attempts_most");
    const char *most = text_of(target, "cost", "most_usd"), *unknown = text_of(target, "cost", "unknown");
    struct value value;
    FILE *to = value_open(&value);
    fprintf(to, "at most %" PRId64 " attempt%s", attempts, attempts == 1 ? "" : "s");
    if (*unknown != '\0')
        fprintf(to, "; %s: %s",
                koine_json_true(get(target, "cost", "unpriced")) ? "unpriced" : "nobody knows how much",
                unknown);
    else if (attempts == 1)
        fprintf(to, ", $%s", *most != '\0' ? most : "? (more than can be counted)");
    else if (attempts > 1)
        fprintf(to, " of $%s each, $%s", text_of(target, "cost", "attempt_most_usd"),
                *most != '\0' ? most : "? (more than can be counted)");
    line("cost", &value);
}

static void print_target(const koine_json *target, size_t number)
{
    char title[32];
    const char *stands = text_of(target, NULL, "stands"), *name = text_of(target, NULL, "target");
    snprintf(title, sizeof(title), "%zu", number);
    out_text("\n", 1);
    padded(title, INDENT, TERM_BOLD);
    padded(name, strlen(name) + 2, TERM_BOLD);
    out_shown(stands, strlen(stands), style_of(stands));
    out_text("\n", 1);
    sentence(text_of(target, NULL, "why"));
    sentence(text_of(target, NULL, "moves_on"));
    print_layers(target);
    print_losses(target);
    print_timeouts(target);
    print_retry(target);
    print_hedge(target);
    print_tokens(target);
    print_price(target);
    print_cost(target);
}

/* ---- The whole ---- */

static void print_head(const koine_json *explanation, const char *assumed)
{
    char deadline[WORDS_SIZE];
    struct value value;
    const char *route = text_of(explanation, NULL, "route");
    fprintf(value_open(&value), "%s%s, %s, commit %s, deadline %s, at most %" PRId64 " attempts%s%s",
            *route != '\0' ? "Route " : "No route", route,
            koine_json_true(koine_json_get(explanation, "stream")) ? "streamed" : "whole",
            text_of(explanation, NULL, "commit"),
            words_time(number_of(explanation, NULL, "deadline_ms"), deadline),
            number_of(explanation, NULL, "max_attempts"), assumed != NULL ? "; assumed: " : "",
            assumed != NULL ? assumed : "");
    fclose(value.to);
    flow(value.text, 0);
    free(value.text);
    flow("State is that of this process, which is fresh: nothing is open, paused or latched yet. An "
         "application calls koine_explain on its own hub.",
         0);
}

void explanation_print(const koine_json *explanation, const char *assumed)
{
    const koine_json *targets = koine_json_get(explanation, "targets");
    print_head(explanation, assumed);
    out_text("\n", 1);
    flow(text_of(explanation, "now", "says"), 0);
    flow(text_of(explanation, "cost", "says"), 0);
    for (size_t i = 0; i < koine_json_count(targets); i++)
        print_target(koine_json_at(targets, i), i + 1);
}

bool explanation_asks(const koine_json *explanation)
{
    return *text_of(explanation, "now", "target") != '\0';
}
