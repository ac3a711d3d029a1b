/* judge: whether what became of a play is what must come of it. The first thing that is wrong is its verdict.
 */
#ifndef KOINE_TESTS_FAULTS_JUDGE_H
#define KOINE_TESTS_FAULTS_JUDGE_H

#include "tests/faults/play.h"
#include "tests/faults/posts.h"
#include "tests/faults/rows.h"

/* Says it, unless something was said before. */
__attribute__((format(printf, 2, 3))) void judge_say(struct play *play, const char *format, ...);
/* What became of one call is this. */
void judge_end(struct play *play, const struct outcome *out, const struct end *end, const char *what);
/* What holds for every play: each call ended once, the trails are the stand-in's log, every attempt costs
 * what the log says, a call costs the sum of its attempts, and no provider was asked more than four times in
 * three seconds. */
void judge_always(struct play *play, const struct post *posts, size_t count);
/* And what its row says. */
void judge_play(struct play *play, const struct post *posts, size_t count);
/* "the whole text", "a part, then protocol", …: for the table. */
const char *judge_words(const struct outcome *out, char *ret, size_t size);

#endif
