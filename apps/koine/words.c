/* words: numbers as people read them. Money stays in whole numbers. */
#include "apps/koine/words.h"

#include <inttypes.h>
#include <stdio.h>

char *words_cost(const koine_cost *cost, char ret[WORDS_SIZE])
{
    char usd[32] = "0";
    if (cost->state == KOINE_FREE_OF_CHARGE)
        snprintf(ret, WORDS_SIZE, "free");
    else if (cost->state != KOINE_PRICED)
        snprintf(ret, WORDS_SIZE, "price unknown");
    else
        snprintf(ret, WORDS_SIZE, "%s$%s", cost->estimated != 0 ? "~" : "",
                 cost->picodollars == 0 ? usd : koine_cost_usd(cost->picodollars, usd, sizeof(usd)));
    return ret;
}

char *words_time(int64_t ms, char ret[WORDS_SIZE])
{
    if (ms < 1000)
        snprintf(ret, WORDS_SIZE, "%" PRId64 " ms", ms);
    else
        snprintf(ret, WORDS_SIZE, "%" PRId64 ".%" PRId64 " s", ms / 1000, ms % 1000 / 100);
    return ret;
}

static const char *count(int64_t tokens, uint32_t estimated, char *ret, size_t size)
{
    if (tokens < 0)
        return "?";
    snprintf(ret, size, "%s%" PRId64, estimated != 0 ? "~" : "", tokens);
    return ret;
}

char *words_usage(const koine_usage *usage, char ret[WORDS_SIZE])
{
    int64_t in = koine_usage_input_total(usage), out = koine_usage_output_total(usage);
    uint32_t in_bits = KOINE_BUCKET_INPUT | KOINE_BUCKET_CACHE_READ | KOINE_BUCKET_CACHE_WRITE;
    uint32_t out_bits = KOINE_BUCKET_OUTPUT | KOINE_BUCKET_REASONING;
    char a[24], b[24];
    if (in < 0 && out < 0)
        snprintf(ret, WORDS_SIZE, "tokens unknown");
    else
        snprintf(ret, WORDS_SIZE, "%s in, %s out", count(in, usage->estimated & in_bits, a, sizeof(a)),
                 count(out, usage->estimated & out_bits, b, sizeof(b)));
    return ret;
}

char *words_tokens(int64_t tokens, char ret[WORDS_SIZE])
{
    if (tokens < 0)
        snprintf(ret, WORDS_SIZE, "-");
    else
        snprintf(ret, WORDS_SIZE, "%" PRId64, tokens);
    return ret;
}
