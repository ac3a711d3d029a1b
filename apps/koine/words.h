/* words: numbers as people read them. Each writes into `ret` and returns it. */
#ifndef KOINE_APPS_WORDS_H
#define KOINE_APPS_WORDS_H

#include <koine/koine.h>

enum {
    WORDS_SIZE = 64
};

char *words_cost(const koine_cost *cost, char ret[WORDS_SIZE]); /* "$0.0000378", "~$0.01", "price unknown" */
char *words_time(int64_t ms, char ret[WORDS_SIZE]);             /* "12 ms", "1.9 s" */
char *words_usage(const koine_usage *usage, char ret[WORDS_SIZE]); /* "12 in, 60 out" */
char *words_tokens(int64_t tokens, char ret[WORDS_SIZE]);          /* "131072"; "-" unknown */

#endif
