/* interrupt: Ctrl-C ends the call, not the program. */
#include "apps/koine/interrupt.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>

static koine_canceller *volatile interrupted; /* a signal handler gets no argument */

static void on_signal(int number)
{
    (void)number;
    int saved = errno;
    koine_cancel(interrupted);
    errno = saved;
}

static const int numbers[] = {SIGINT, SIGTERM};
enum {
    NUMBERS = sizeof(numbers) / sizeof(numbers[0])
};
static struct sigaction before[NUMBERS];

int interrupt_begin(koine_canceller **ret)
{
    int number = koine_canceller_new(ret);
    if (number != KOINE_OK)
        return number;
    interrupted = *ret;
    /* Reset by the first signal, so the second one does what it always does. */
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};
    sigemptyset(&action.sa_mask);
    for (int i = 0; i < NUMBERS; i++)
        sigaction(numbers[i], &action, &before[i]);
    return KOINE_OK;
}

void interrupt_end(koine_canceller *canceller)
{
    for (int i = 0; i < NUMBERS; i++)
        sigaction(numbers[i], &before[i], NULL);
    interrupted = NULL;
    koine_canceller_free(canceller);
}
