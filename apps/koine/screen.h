/* screen: an answer as it comes. On a terminal everything is shown, the reasoning dimmed, or below the
 * line "[reasoning]" where there are no colours; elsewhere only the text. */
#ifndef KOINE_APPS_SCREEN_H
#define KOINE_APPS_SCREEN_H

#include <koine/koine.h>
#include <stdbool.h>

struct screen {  /* zeroed: nothing shown yet */
    int section; /* the kind of event whose text was shown last */
};

void screen_event(struct screen *screen, const koine_event *event);
/* What a whole answer says, at once; for results that were held back. */
void screen_response(const koine_response *response);
/* Refusals and tool calls, which are no text: after the answer, on a terminal beside it, else on standard
 * error. */
void screen_rest(const koine_response *response);

#endif
