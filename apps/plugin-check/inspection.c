/* inspection: from the child that finds to the parent that tells. */
#include "apps/plugin-check/inspection.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void inspection_at(struct inspection *self, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    vsnprintf(self->traces->where, sizeof(self->traces->where), format, list);
    va_end(list);
}

/* One line, without what a terminal would obey. */
static void copy_line(char *ret, size_t size, const char *text, size_t len)
{
    size_t used = 0;
    for (size_t i = 0; i < len && used + 5 < size; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c < ' ' || c == 0x7F)
            used += (size_t)snprintf(ret + used, size - used, c == '\n' ? "\\n" : "\\x%02x", c);
        else
            ret[used++] = text[i];
    }
    ret[used] = '\0';
}

static void tell(struct inspection *self, enum rule rule, const char *function, koine_str seen,
                 koine_str wanted)
{
    struct finding finding = {.rule = (int32_t)rule};
    if (self->muted || self->skipped[rule])
        return;
    snprintf(finding.function, sizeof(finding.function), "%s", function);
    snprintf(finding.provider, sizeof(finding.provider), "%s", self->traces->provider);
    snprintf(finding.where, sizeof(finding.where), "%s", self->traces->where);
    copy_line(finding.seen, sizeof(finding.seen), seen.ptr, seen.len);
    copy_line(finding.wanted, sizeof(finding.wanted), wanted.ptr, wanted.len);
    if (write(self->pipe, &finding, sizeof(finding)) != sizeof(finding))
        _exit(1); /* the parent is gone */
}

void inspection_found(struct inspection *self, enum rule rule, const char *function, const char *seen,
                      const char *wanted)
{
    tell(self, rule, function, koine__str(seen), koine__str(wanted ? wanted : ""));
}

void inspection_foundf(struct inspection *self, enum rule rule, const char *function, const char *format, ...)
{
    char seen[1024];
    va_list list;
    va_start(list, format);
    vsnprintf(seen, sizeof(seen), format, list);
    va_end(list);
    inspection_found(self, rule, function, seen, NULL);
}

static koine_str line_of(const char *text)
{
    if (*text == '\0')
        return KOINE__STR("(nothing more)");
    return (koine_str){text, strcspn(text, "\n")};
}

void inspection_differs(struct inspection *self, enum rule rule, const char *function, const char *wanted,
                        const char *seen)
{
    size_t line = 0;
    for (size_t i = 0; wanted[i] && wanted[i] == seen[i]; i++)
        if (wanted[i] == '\n')
            line = i + 1;
    tell(self, rule, function, line_of(seen + line), line_of(wanted + line));
}
