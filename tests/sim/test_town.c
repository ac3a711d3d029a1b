/* Towns: see town.h. KOINE_SIM_SEED runs one seed alone, KOINE_SIM_RUNS more or fewer of them. */
#include "tests/sim/town.h"
#include "tests/unit/suite.h"

#include <stdio.h>
#include <stdlib.h>

static void one(uint64_t seed)
{
    static struct town town;
    static const char *const settings[] = {"routes.default.targets",
                                           "[together/" LLAMA ", openai/gpt-4o-mini]", NULL};
    if (!town_open(&town, seed, 3, settings))
        return;
    town.late = 100;
    town.servers[0].per_mille[SERVER_FAILS] = 100;
    town.servers[0].per_mille[SERVER_CUTS] = 100;
    town.servers[0].per_mille[SERVER_LIMITS_FOR] = 100;
    town_visit(&town, 200, 60 * KOINE__SEC);
    town_sleeps(&town, 10, 60 * KOINE__SEC, 3 * KOINE__SEC);
    town_run(&town);
    town_judge(&town);
    if (getenv("V"))
        for (size_t i = 0; i < town.line_count && i < TOWN_LINES; i++)
            printf("# %s\n", town.lines[i]);
    town_report(&town, "tests/sim/test_town");
    town_close(&town);
}

static void random_towns(void)
{
    const char *only = getenv("KOINE_SIM_SEED"), *runs = getenv("KOINE_SIM_RUNS");
    uint64_t seed = only ? strtoull(only, NULL, 10) : 1;
    uint64_t last = only ? seed : runs ? strtoull(runs, NULL, 10) : 20;
    for (; seed <= last; seed++)
        one(seed);
}

SUITE_MAIN("town", {"random towns", random_towns})
