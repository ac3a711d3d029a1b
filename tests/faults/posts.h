/* posts: what the stand-in says it was asked. */
#ifndef KOINE_TESTS_FAULTS_POSTS_H
#define KOINE_TESTS_FAULTS_POSTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct post {
    char target[96]; /* "together/model" */
    char behaviour[32];
    int64_t ms; /* when it arrived, of the stand-in's own clock */
    int status; /* 0: none was sent */
    bool is_primary, is_stream;
    int64_t bytes;         /* of the body */
    int64_t input, output; /* tokens billed */
};

/* Those at the two models, in order; free() them. NULL: the stand-in does not answer. */
struct post *posts_of(int port, const char *primary, const char *fallback, size_t *ret_count);
/* All that ever came, also what the log has forgotten; -1: it does not answer. */
int64_t posts_ever(int port);

#endif
