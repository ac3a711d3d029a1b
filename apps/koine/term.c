/* term: what we may assume of the terminal. */
#include "apps/koine/term.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <unistd.h>

static bool is_terminal(int descriptor)
{
    static signed char known[3]; /* 0: not asked yet, 1: yes, -1: no */
    if (known[descriptor] == 0)
        known[descriptor] = isatty(descriptor) ? 1 : -1;
    return known[descriptor] > 0;
}

bool term_is_input(void)
{
    return is_terminal(STDIN_FILENO);
}

bool term_is_output(void)
{
    return is_terminal(STDOUT_FILENO);
}

bool term_is_error(void)
{
    return is_terminal(STDERR_FILENO);
}

bool term_colour(void)
{
    if (!term_is_output())
        return false;
    const char *no = getenv("NO_COLOR");
    const char *kind = getenv("TERM");
    return (no == NULL || *no == '\0') && kind != NULL && *kind != '\0' && strcmp(kind, "dumb") != 0;
}

bool term_is_utf8(void)
{
    static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const char *value = getenv(names[i]);
        if (value != NULL && *value != '\0')
            return strcasestr(value, "UTF-8") != NULL || strcasestr(value, "UTF8") != NULL;
    }
    return false;
}

size_t term_width(void)
{
    if (!term_is_output())
        return 0;
    struct winsize size = {0};
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        return size.ws_col;
    return 80;
}
