/* stories: faults that one call cannot show. */
#ifndef KOINE_TESTS_FAULTS_STORIES_H
#define KOINE_TESTS_FAULTS_STORIES_H

#include "tests/faults/play.h"
#include "tests/faults/posts.h"

/* One call; NULL: there were too many. */
struct outcome *story_call(struct play *play, const struct caller *caller, void *self, const char *route);

/* A call each second while the primary is down for 45 s, until it has been used again three times. Every call
 * is whole. By the library an open breaker leaves it alone; each process of the command has one of its own,
 * which never sees five failures. */
void story_flapping(struct play *play, const struct caller *caller, void *self);
void judge_flapping(struct play *play, const struct post *posts, size_t count);

/* A call that is cut, and one whose usage nobody tells. That the sums agree is judged of every play. */
void story_accounting(struct play *play, const struct caller *caller, void *self);
void judge_accounting(struct play *play, const struct post *posts, size_t count);

#endif
