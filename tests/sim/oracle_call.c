/* oracle_call: see oracle.h. */
#include "tests/sim/oracle.h"

#include <stdio.h>
#include <string.h>

const char *oracle_call_starts(struct oracle_call *call, int64_t now)
{
    call->starts++;
    call->under_way++;
    if (call->terminals > 0)
        return "a request after the end";
    if (call->cancelled)
        return "a request after the call was cancelled";
    if (call->content)
        return "a request after content was delivered";
    if (now >= call->deadline)
        return "a request after the deadline";
    if (call->starts > 1 && now + call->min_attempt > call->deadline)
        return "a further attempt with less time than one needs";
    if (call->starts > call->max_attempts)
        return "more attempts than max_attempts";
    return call->under_way > call->most_at_once ? "more attempts at once than allowed" : NULL;
}

const char *oracle_call_ends(struct oracle_call *call)
{
    if (call->under_way == 0)
        return "a request ended twice";
    call->under_way--;
    return NULL;
}

void oracle_call_cancels(struct oracle_call *call)
{
    call->cancelled = true;
}

static bool is_content(int kind)
{
    return kind == KOINE_EVENT_TEXT || kind == KOINE_EVENT_REASONING || kind == KOINE_EVENT_REFUSAL ||
           kind == KOINE_EVENT_TOOL || kind == KOINE_EVENT_ARGUMENTS || kind == KOINE_EVENT_TOOL_END;
}

const char *oracle_call_event(struct oracle_call *call, int kind, const char *target)
{
    if (call->terminals > 0)
        return "an event after the terminal one";
    if (kind == KOINE_EVENT_STOP || kind == KOINE_EVENT_FAULT) {
        call->terminals++;
        return kind == KOINE_EVENT_FAULT && call->complete && call->content
                   ? "a part of an answer that was to come whole"
                   : NULL;
    }
    if (kind == KOINE_EVENT_SWITCH || kind == KOINE_EVENT_RETRY)
        return call->content ? "a move after content was delivered" : NULL;
    if (kind == KOINE_EVENT_START) {
        snprintf(call->target, sizeof(call->target), "%s", target);
        return ++call->answers > 1 ? "two answers in one" : NULL;
    }
    if (!is_content(kind))
        return NULL;
    call->content = true;
    return call->answers == 0 ? "content before the start of an answer" : NULL;
}

const char *oracle_call_over(const struct oracle_call *call, int64_t now, size_t rows, int64_t late)
{
    if (call->terminals != 1)
        return "not one terminal event";
    if (rows != call->starts)
        return "the ledger's rows are not the requests that were made";
    if (call->under_way > 0)
        return "a request goes on after the end";
    return now > call->deadline + late ? "it ended after its deadline" : NULL;
}
