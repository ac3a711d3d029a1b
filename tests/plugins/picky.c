/* picky: has options of each type, one of them required. */
#include "tests/plugins/table.h"

static const koine_option region = {.size = sizeof(region),
                                    .type = KOINE_OPTION_STRING,
                                    .required = 1,
                                    .name = "region",
                                    .help = "Where the servers are."};
static const koine_option tries = {.size = sizeof(tries),
                                   .type = KOINE_OPTION_INTEGER,
                                   .name = "tries",
                                   .otherwise = "3",
                                   .help = "How often."};
static const koine_option beta = {.size = sizeof(beta), .type = KOINE_OPTION_BOOL, .name = "beta"};
static const koine_option *const options[] = {&region, &tries, &beta, NULL};

static const koine_provider picky = {.size = sizeof(picky), .id = "picky", REST, .options = options};
ENTRY(picky)
