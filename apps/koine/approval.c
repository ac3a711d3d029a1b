/* approval: see approval.h. */
#include "apps/koine/approval.h"

#include "apps/koine/clean.h"
#include "apps/koine/out.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define LONGEST_ANSWER 64

static void say(int terminal, const char *text, size_t length)
{
    while (length > 0) {
        ssize_t written = write(terminal, text, length);
        if (written < 0 && errno != EINTR)
            return;
        text += written > 0 ? written : 0;
        length -= written > 0 ? (size_t)written : 0;
    }
}

/* The sentence may name a target, and so hold what somebody else wrote. */
static void say_question(int terminal, const char *sentence)
{
    static const char rest[] = ". Go on? [y/N] ";
    struct clean clean = {0};
    size_t length = 0;
    char *text = clean_text(&clean, sentence, strlen(sentence), &length);
    if (text == NULL)
        out_no_memory();
    say(terminal, text, length);
    say(terminal, rest, sizeof(rest) - 1);
    free(text);
}

/* One line, without its end; what is longer is cut, and then no answer that we know. -1: interrupted. */
static int read_line(int terminal, char ret[LONGEST_ANSWER])
{
    size_t length = 0;
    for (;;) {
        char c;
        ssize_t got = read(terminal, &c, 1);
        if (got < 0 && errno == EINTR)
            return -1;
        if (got <= 0 || c == '\n')
            break;
        if (length + 1 < LONGEST_ANSWER)
            ret[length++] = c;
    }
    ret[length] = '\0';
    return 0;
}

static bool is_yes(char *answer)
{
    char *word = strtok(answer, " \t\r");
    return word != NULL && (strcasecmp(word, "y") == 0 || strcasecmp(word, "yes") == 0) &&
           strtok(NULL, " \t\r") == NULL;
}

enum approval approval_ask(const struct args *args, const char *sentence)
{
    char answer[LONGEST_ANSWER];
    if (args_has(args, "yes"))
        return APPROVAL_YES;
    int terminal = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (terminal < 0) {
        out_say("koine: %s, and there is no terminal to ask on; --yes says yes", sentence);
        return APPROVAL_NO;
    }
    say_question(terminal, sentence);
    bool interrupted = read_line(terminal, answer) != 0;
    if (interrupted)
        say(terminal, "\n", 1);
    close(terminal);
    if (interrupted)
        return APPROVAL_NONE;
    return is_yes(answer) ? APPROVAL_YES : APPROVAL_NO;
}
