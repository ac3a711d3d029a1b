/* checks: what koine doctor looked at, what it found, and what to do about it. */
#include "apps/koine/checks.h"

#include "apps/koine/out.h"
#include "apps/koine/result.h"
#include "apps/koine/term.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name, *style;
} states[] = {{"ok", TERM_GREEN}, {"warning", TERM_YELLOW}, {"problem", TERM_RED}, {"skipped", TERM_DIM}};

static char *print_text(const char *format, va_list list)
{
    char *text = NULL;
    if (vasprintf(&text, format, list) < 0)
        out_no_memory();
    return text;
}

static char *copy(const char *text)
{
    char *copied = text != NULL ? strdup(text) : NULL;
    if (text != NULL && copied == NULL)
        out_no_memory();
    return copied;
}

void checks_begin(struct checks *checks, const char *group, const char *instance, const char *format, ...)
{
    va_list list;
    free(checks->heading);
    free(checks->instance);
    va_start(list, format);
    checks->heading = print_text(format, list);
    va_end(list);
    checks->group = group;
    checks->instance = copy(instance);
}

static struct check *new_check(struct checks *checks)
{
    if (checks->count == checks->capacity) {
        checks->capacity = checks->capacity * 2 + 16;
        checks->items = realloc(checks->items, checks->capacity * sizeof(*checks->items));
        if (checks->items == NULL)
            out_no_memory();
    }
    return &checks->items[checks->count++];
}

void checks_add(struct checks *checks, enum check_state state, const char *what, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    char *found = print_text(format, list);
    va_end(list);
    *new_check(checks) = (struct check){.group = checks->group,
                                        .heading = copy(checks->heading),
                                        .instance = copy(checks->instance),
                                        .state = state,
                                        .what = copy(what),
                                        .found = found};
}

void checks_advise(struct checks *checks, const char *format, ...)
{
    struct check *last = &checks->items[checks->count - 1];
    va_list list;
    va_start(list, format);
    free(last->advice);
    last->advice = print_text(format, list);
    va_end(list);
}

size_t checks_count(const struct checks *checks, enum check_state state)
{
    size_t count = 0;
    for (size_t i = 0; i < checks->count; i++)
        count += checks->items[i].state == state;
    return count;
}

/* ---- For people ---- */

enum {
    STATE_WIDTH = 7,
    WHAT_WIDTH = 9
};

/* One line, whatever it holds. */
static void show(const char *text, size_t width, const char *style)
{
    char *line = copy(text);
    for (char *at = line; *at != '\0'; at++) {
        if (*at == '\n' || *at == '\t')
            *at = ' ';
    }
    size_t length = strlen(line);
    out_shown(line, length, style);
    free(line);
    for (; length < width; length++)
        out_text(" ", 1);
}

static void print_check(const struct check *check)
{
    out_text("  ", 2);
    show(states[check->state].name, STATE_WIDTH, states[check->state].style);
    out_text("  ", 2);
    show(check->what, WHAT_WIDTH, NULL);
    out_text("  ", 2);
    show(check->found, 0, NULL);
    out_text("\n", 1);
    if (check->advice == NULL)
        return;
    for (int i = 0; i < 2 + STATE_WIDTH + 2; i++)
        out_text(" ", 1);
    out_text("-> ", 3);
    show(check->advice, 0, NULL);
    out_text("\n", 1);
}

static bool is_new_heading(const struct checks *checks, size_t index)
{
    return index == 0 || strcmp(checks->items[index].heading, checks->items[index - 1].heading) != 0;
}

void checks_print(struct checks *checks)
{
    for (; checks->printed < checks->count; checks->printed++) {
        const struct check *check = &checks->items[checks->printed];
        if (is_new_heading(checks, checks->printed)) {
            if (checks->printed > 0)
                out_text("\n", 1);
            show(check->heading, 0, TERM_BOLD);
            out_text("\n", 1);
        }
        print_check(check);
    }
    out_flush();
}

/* ---- For programs ---- */

void checks_print_json(const struct checks *checks)
{
    koine_json_writer *writer = koine_json_writer_new();
    koine_json_open(writer, NULL, '{');
    result_add_count(writer, "problems", (int64_t)checks_count(checks, CHECK_PROBLEM));
    result_add_count(writer, "warnings", (int64_t)checks_count(checks, CHECK_WARNING));
    koine_json_open(writer, "checks", '[');
    for (size_t i = 0; i < checks->count; i++) {
        const struct check *check = &checks->items[i];
        koine_json_open(writer, NULL, '{');
        koine_json_add_string(writer, "group", check->group);
        result_add_text(writer, "instance", check->instance);
        koine_json_add_string(writer, "check", check->what);
        koine_json_add_string(writer, "state", states[check->state].name);
        koine_json_add_string(writer, "found", check->found);
        result_add_text(writer, "advice", check->advice);
        koine_json_close(writer);
    }
    koine_json_close(writer);
    koine_json_close(writer);
    result_print(writer);
}

void checks_free(struct checks *checks)
{
    for (size_t i = 0; i < checks->count; i++) {
        struct check *check = &checks->items[i];
        free(check->heading);
        free(check->instance);
        free(check->what);
        free(check->found);
        free(check->advice);
    }
    free(checks->items);
    free(checks->heading);
    free(checks->instance);
}
