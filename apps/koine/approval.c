/* approval: see approval.h. */
#include "apps/koine/approval.h"

#include "apps/koine/clean.h"
#include "apps/koine/out.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
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

/* Until the terminal has a line, or its end; the client runs on meanwhile. False: the call has ended. */
static bool wait_for_line(int terminal, koine_client *client, const koine_call *call)
{
    struct pollfd waited[] = {{.fd = terminal, .events = POLLIN}, {.fd = koine_fd(client), .events = POLLIN}};
    while (koine_call_awaits_approval(call)) {
        if (poll(waited, 2, -1) < 0 && errno != EINTR)
            return true;
        if (waited[1].revents != 0 && koine_process(client) != KOINE_OK)
            return false;
        if (waited[0].revents != 0 && koine_call_awaits_approval(call))
            return true;
        waited[0].revents = waited[1].revents = 0;
    }
    return false;
}

/* One line, without its end; what is longer is cut, and then no answer that we know. */
static void read_line(int terminal, char ret[LONGEST_ANSWER])
{
    size_t length = 0;
    for (;;) {
        char c;
        ssize_t got = read(terminal, &c, 1);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0 || c == '\n')
            break;
        if (length + 1 < LONGEST_ANSWER)
            ret[length++] = c;
    }
    ret[length] = '\0';
}

/* With blanks around it, and in any case. */
static bool is_yes(const char *answer)
{
    static const char blanks[] = " \t\r";
    const char *word = answer + strspn(answer, blanks);
    size_t length = strcspn(word, blanks);
    bool is_word = (length == 1 || length == 3) && strncasecmp(word, "yes", length) == 0;
    return is_word && word[length + strspn(word + length, blanks)] == '\0';
}

enum approval approval_ask(const struct args *args, koine_client *client, const koine_call *call,
                           const char *sentence)
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
    bool answered = wait_for_line(terminal, client, call);
    if (answered)
        read_line(terminal, answer);
    else
        say(terminal, "\n", 1);
    close(terminal);
    if (!answered)
        return APPROVAL_NONE;
    return is_yes(answer) ? APPROVAL_YES : APPROVAL_NO;
}
