/* out: results to standard output, words for people to standard error. */
#include "apps/koine/out.h"

#include "apps/koine/clean.h"
#include "apps/koine/term.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int failure;    /* errno of the first write to standard output that failed */
static bool line_open; /* the last thing written there was no end of line */
static struct clean model_text;

static void put(const char *text, size_t length)
{
    if (length == 0 || failure != 0)
        return;
    if (fwrite(text, 1, length, stdout) != length)
        failure = errno != 0 ? errno : EIO;
}

void out_text(const char *text, size_t length)
{
    put(text, length);
    if (length > 0)
        line_open = text[length - 1] != '\n';
}

void out_line(const char *format, ...)
{
    char *line = NULL;
    va_list list;
    va_start(list, format);
    int length = vasprintf(&line, format, list);
    va_end(list);
    if (length < 0)
        out_no_memory();
    out_text(line, (size_t)length);
    out_text("\n", 1);
    free(line);
}

void out_shown(const char *text, size_t length, const char *style)
{
    size_t clean_length = 0;
    char *clean = clean_text(&model_text, text, length, &clean_length);
    if (clean == NULL)
        out_no_memory();
    bool styled = style != NULL && term_colour() && clean_length > 0;
    if (styled)
        put(style, strlen(style));
    out_text(clean, clean_length);
    /* Put back at once, so that nothing which interrupts us leaves the terminal coloured. */
    if (styled)
        put("\033[0m", 4);
    free(clean);
}

void out_end_line(void)
{
    if (line_open)
        out_text("\n", 1);
}

int out_flush(void)
{
    if (failure == 0 && fflush(stdout) != 0)
        failure = errno != 0 ? errno : EIO;
    return failure;
}

int out_finish(int status)
{
    int why = out_flush();
    if (why == 0)
        return status;
    if (why == EPIPE)
        return STATUS_DONE;
    out_say("koine: standard output: %s", strerror(why));
    return status == STATUS_DONE ? STATUS_FAULT : status;
}

void out_say(const char *format, ...)
{
    char *line = NULL;
    va_list list;
    va_start(list, format);
    int length = vasprintf(&line, format, list);
    va_end(list);
    if (length < 0)
        out_no_memory();
    struct clean fresh = {0};
    size_t clean_length = 0;
    char *clean = clean_text(&fresh, line, (size_t)length, &clean_length);
    free(line);
    if (clean == NULL)
        out_no_memory();
    if (term_is_output() && term_is_error())
        out_end_line();
    out_flush();
    fwrite(clean, 1, clean_length, stderr);
    fputc('\n', stderr);
    free(clean);
}

void out_no_memory(void)
{
    fputs("koine: out of memory\n", stderr);
    exit(STATUS_FAULT);
}
