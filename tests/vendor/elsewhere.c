/* elsewhere: see elsewhere.h. */
#include "tests/vendor/elsewhere.h"

#include "core/plugin/bridge_isolated.h"
#include "tests/vendor/play.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#define MOST_VENDORS 32

static struct koine__loop *loop;
static struct koine__isolating isolating;
static struct koine__isolated *held[MOST_VENDORS];
static size_t count;

__attribute__((noreturn)) static void bail(const char *words)
{
    printf("Bail out! %s\n", words);
    exit(EXIT_FAILURE);
}

static void wait_for_it(void)
{
    if (koine__loop_wait(loop, KOINE__NEVER) < 0 || koine__loop_process(loop) < 0)
        bail("the loop failed");
}

static void begin(void)
{
    if (loop)
        return;
    if (koine__loop_new(&koine__system_clock, &loop) != KOINE_OK)
        bail("no loop");
    koine__isolating_init(&isolating, loop, NULL);
    vendor_bridge = &isolating.pub;
    vendor_wait = wait_for_it;
}

const koine_provider *vendor_elsewhere(const char *id)
{
    char program[PATH_MAX], file[128];
    koine_error *error = NULL;
    const char *build = getenv("KOINE_TEST_BUILD"), *folder = getenv("KOINE_TEST_PROVIDERS");
    begin();
    snprintf(program, sizeof(program), "%s/apps/koine-isolate", build ? build : ".");
    snprintf(file, sizeof(file), "%s.so", id);
    const struct koine__isolated_spec spec = {.program = program, .timeout = 60 * KOINE__SEC};
    if (count == MOST_VENDORS ||
        koine__isolated_open(folder ? folder : ".", file, &spec, &held[count], &error) != KOINE_OK)
        bail(koine_error_message(error));
    return koine__isolated_provider(held[count++], 0);
}

void vendor_leave(void)
{
    koine__isolating_release(&isolating);
    while (count > 0)
        koine__isolated_unref(held[--count]);
    koine__loop_free(loop);
}
