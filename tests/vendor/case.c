/* case: reads the file of a vendor case. */
#include "tests/vendor/case.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LARGEST_FILE ((size_t)1 << 20)

static char *read_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    char *text = calloc(1, LARGEST_FILE + 1);
    if (file && text && fread(text, 1, LARGEST_FILE, file) == LARGEST_FILE) {
        free(text);
        text = NULL;
    }
    if (!file) {
        free(text);
        return NULL;
    }
    fclose(file);
    return text;
}

static char *next_section(char *text)
{
    if (strncmp(text, "== ", 3) == 0)
        return text;
    char *at = strstr(text, "\n== ");
    return at ? at + 1 : NULL;
}

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* ^^ is a caret, ^r and ^n line ends, ^xHH a byte; a caret at the end of a line joins it to the next. */
static const char *unescape(const char *text, struct koine__buf *ret)
{
    for (; *text; text++) {
        if (*text != '^') {
            koine__buf_addc(ret, *text);
            continue;
        }
        text++;
        if (*text == '^' || *text == 'r' || *text == 'n')
            koine__buf_addc(ret, (char)(*text == '^' ? '^' : *text == 'r' ? '\r' : '\n'));
        else if (*text == 'x' && hex(text[1]) >= 0 && hex(text[2]) >= 0) {
            koine__buf_addc(ret, (char)(hex(text[1]) * 16 + hex(text[2])));
            text += 2;
        } else if (*text != '\n')
            return "a caret that starts nothing known";
    }
    return NULL;
}

/* "200", lines of headers, an empty line, the body. */
static const char *read_answer(struct vendor_case *self, char *text)
{
    char *line = text, *end;
    self->answered = true;
    self->status = (int)strtol(line, &line, 10);
    if (*line != '\n')
        return "the answer does not start with a status";
    for (line++; *line && *line != '\n'; line = end + 1) {
        char *colon = strstr(line, ": ");
        end = strchr(line, '\n');
        if (!end || !colon || colon > end || self->header_count == VENDOR_HEADERS)
            return "a header of the answer that is none";
        self->headers[self->header_count].name = (koine_str){line, (size_t)(colon - line)};
        self->headers[self->header_count++].value = (koine_str){colon + 2, (size_t)(end - colon - 2)};
    }
    return *line ? unescape(line + 1, &self->body) : "an answer without an empty line after its headers";
}

static const char *take_section(struct vendor_case *self, const char *name, char *text)
{
    if (strcmp(name, "document") == 0)
        self->document = text;
    else if (strcmp(name, "options") == 0)
        self->options = text;
    else if (strcmp(name, "request") == 0)
        self->request = text;
    else if (strcmp(name, "next request") == 0)
        self->next_request = text;
    else if (strcmp(name, "notices") == 0)
        self->notices = text;
    else if (strcmp(name, "events") == 0)
        self->events = text;
    else if (strcmp(name, "result") == 0)
        self->result = text;
    else if (strcmp(name, "cost") == 0)
        self->cost = text;
    else if (strcmp(name, "answer") == 0)
        return read_answer(self, text);
    else
        return "a section of no known name";
    return NULL;
}

/* What a section says in its own line. */
static bool take_setting(struct vendor_case *self, const char *line)
{
    if (strcmp(line, "framing stream") == 0)
        self->stream = true;
    else if (strcmp(line, "operation list_models") == 0)
        self->list_models = true;
    else if (strcmp(line, "lost") == 0)
        self->lost = true;
    else if (strcmp(line, "patient") == 0)
        self->patient = true;
    else if (strncmp(line, "pace ", 5) == 0)
        self->pace = (int)strtol(line + 5, NULL, 10);
    else if (strncmp(line, "model ", 6) == 0)
        self->model = line + 6;
    else
        return strcmp(line, "framing whole") == 0;
    return true;
}

const char *vendor_case_read(const char *path, struct vendor_case *ret)
{
    const char *wrong = NULL;
    *ret = (struct vendor_case){.file = read_file(path), .model = "test-model"};
    koine__buf_init(&ret->body, LARGEST_FILE);
    if (!ret->file)
        return "it cannot be read";
    char *section = next_section(ret->file);
    while (section && !wrong) {
        char *line = section + 3, *text = strchr(line, '\n');
        if (!text)
            return "a section without an end of line";
        *text++ = '\0';
        section = next_section(text);
        if (section)
            *section = '\0';
        if (!take_setting(ret, line))
            wrong = take_section(ret, line, text);
    }
    return wrong;
}

void vendor_case_release(struct vendor_case *self)
{
    free(self->file);
    koine__buf_release(&self->body);
}

koine_str vendor_case_header(const struct vendor_case *self, const char *name)
{
    for (size_t i = 0; i < self->header_count; i++)
        if (koine__str_is_nocase(self->headers[i].name, name))
            return self->headers[i].value;
    return (koine_str){NULL, 0};
}

koine_str vendor_case_option(const struct vendor_case *self, const char *name)
{
    koine_str rest = koine__str(self->options);
    while (rest.ptr) {
        koine_str line = koine__str_cut(&rest, '\n');
        koine_str key = koine__str_cut(&line, '=');
        if (koine__str_is(key, name) && line.ptr)
            return line;
    }
    return (koine_str){NULL, 0};
}
