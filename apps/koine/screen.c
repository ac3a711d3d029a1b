/* screen: an answer as it comes. */
#include "apps/koine/screen.h"

#include "apps/koine/out.h"
#include "apps/koine/term.h"

#include <string.h>

/* An empty line between what was thought and what is said; and where no colour tells them apart, a word. */
static void enter(struct screen *screen, int section)
{
    if (screen->section == section)
        return;
    if (screen->section != 0) {
        out_end_line();
        out_line("%s", "");
    }
    if (section == KOINE_EVENT_REFUSAL)
        out_shown("refused: ", 9, TERM_BOLD);
    if (section == KOINE_EVENT_REASONING && !term_colour())
        out_line("[reasoning]");
    screen->section = section;
}

void screen_event(struct screen *screen, const koine_event *event)
{
    size_t length = 0;
    int kind = koine_event_kind(event);
    const char *text = koine_event_text(event, &length);
    bool is_text = kind == KOINE_EVENT_TEXT;
    if (length == 0 || (!is_text && kind != KOINE_EVENT_REASONING && kind != KOINE_EVENT_REFUSAL))
        return;
    if (!term_is_output()) {
        out_text(text, is_text ? length : 0);
        return;
    }
    enter(screen, kind);
    out_shown(text, length, kind == KOINE_EVENT_REASONING ? TERM_DIM : NULL);
}

void screen_response(const koine_response *response)
{
    size_t length = 0;
    const char *text = koine_response_text(response, &length);
    if (length > 0)
        out_text(text, length);
}

static void say_tool(const koine_response *response, size_t index)
{
    const char *name = koine_response_tool_name(response, index);
    const char *arguments = koine_response_tool_arguments(response, index);
    const char *arrow = term_is_utf8() ? "\342\206\222" : "->";
    const char *tail = koine_response_tool_complete(response, index) ? "" : " (cut short)";
    if (!term_is_output()) {
        out_say("%s %s %s%s", arrow, name, arguments, tail);
        return;
    }
    out_text(arrow, strlen(arrow));
    out_text(" ", 1);
    out_shown(name, strlen(name), TERM_BOLD);
    out_text(" ", 1);
    out_shown(arguments, strlen(arguments), NULL);
    out_line("%s", tail);
}

void screen_rest(const koine_response *response)
{
    size_t length = 0;
    const char *refusal = koine_response_refusal(response, &length);
    out_end_line();
    if (length > 0 && !term_is_output())
        out_say("refused: %s", refusal);
    for (size_t i = 0; i < koine_response_tool_count(response); i++)
        say_tool(response, i);
}
