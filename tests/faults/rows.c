/* rows: see rows.h. What takes more than one call is in stories.c. */
#include "tests/faults/rows.h"

#include "tests/faults/stories.h"

#include <koine/koine.h>

const struct price price_primary = {1, 2}, price_fallback = {3, 4};

#define ANSWERS(primary, fallback)                                                                           \
    {                                                                                                        \
        KOINE_CLASS_NONE, "", ALL, primary, fallback                                                         \
    }
#define FAILS(name, stage, text, primary, fallback)                                                          \
    {                                                                                                        \
        KOINE_CLASS_##name, stage, text, primary, fallback                                                   \
    }
#define ALIKE(...)                                                                                           \
    {                                                                                                        \
        __VA_ARGS__, __VA_ARGS__, __VA_ARGS__                                                                \
    } /* in every way */

/* clang-format off */
const struct row rows[ROWS] = {
    {.name = "429 with Retry-After", .primary = "429-once", .least_gap_ms = 1000, .ends = ALIKE(ANSWERS(2, 0))},
    {.name = "429 persistent", .primary = "429", .least_gap_ms = 2000, .ends = ALIKE(ANSWERS(3, 1))},
    {.name = "500 once", .primary = "500-once", .ends = ALIKE(ANSWERS(2, 0))},
    {.name = "503 persistent", .primary = "503", .ends = ALIKE(ANSWERS(3, 1))},
    {.name = "reset before headers", .primary = "reset", .ends = ALIKE(ANSWERS(3, 1))},
    {.name = "silence", .primary = "silence", .ends = ALIKE(ANSWERS(1, 1))}, /* is not asked again */
    {.name = "first token after 20 s", .primary = "slow-first-token", .first_token_ms = 10000,
     .ends = {ANSWERS(1, 0), ANSWERS(1, 1), ANSWERS(1, 1)}}, /* asked whole, 20 s are within its 30 */
    {.name = "cut after 40 of 60 tokens", .primary = "cut", .heard_streamed = 40,
     .ends = {ANSWERS(3, 1), ANSWERS(3, 1), FAILS(PROTOCOL, "body", PART, 1, 0)}},
    {.name = "stalled", .primary = "stalled", .heard_streamed = 40,
     .ends = {ANSWERS(3, 1), ANSWERS(3, 1), FAILS(TIMEOUT, "total", PART, 1, 0)}},
    {.name = "malformed event", .primary = "malformed", .heard_streamed = 5,
     .ends = {ANSWERS(3, 1), ANSWERS(3, 1), FAILS(PROTOCOL, "", PART, 1, 0)}},
    {.name = "no [DONE]", .primary = "no-done", .ends = ALIKE(ANSWERS(1, 0))},
    {.name = "context length", .primary = "context-length", .ends = ALIKE(ANSWERS(1, 1))},
    {.name = "content filter", .primary = "content-filter",
     .ends = ALIKE(FAILS(CONTENT_POLICY, "", NOTHING, 1, 0))},
    {.name = "fallback that refuses prefill", .primary = "cut", .fallback = "prefill-refused",
     .heard_streamed = 40, .ends = {ANSWERS(3, 1), ANSWERS(3, 1), FAILS(PROTOCOL, "body", PART, 1, 0)}},
    {.name = "flapping primary", .primary = "outage", .story = story_flapping, .judge = judge_flapping},
    {.name = "accounting", .primary = "cut", .fallback = "no-usage", .heard_streamed = 40,
     .story = story_accounting, .judge = judge_accounting,
     .ends = {ANSWERS(3, 1), ANSWERS(3, 1), FAILS(PROTOCOL, "body", PART, 1, 0)}},
};
/* clang-format on */
