/* elsewhere: see elsewhere.h. */
#include "tests/vendor/elsewhere.h"

#include "core/plugin/bridge_isolated.h"
#include "tests/vendor/play.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MOST_VENDORS 32

static char folder[PATH_MAX]; /* with copies of the helper and the plugins, which nobody else may write */
static struct koine__loop *loop;
static struct koine__isolating isolating;
static struct koine__isolated *held[MOST_VENDORS];
static size_t count;

__attribute__((noreturn)) static void bail(const char *words)
{
    printf("Bail out! %s\n", words);
    exit(EXIT_FAILURE);
}

/* Copies to a file of the folder. */
static void put(const char *name, const char *from)
{
    char to[PATH_MAX + 64], piece[65536];
    ssize_t got = -1;
    snprintf(to, sizeof(to), "%s/%s", folder, name);
    int in = open(from, O_RDONLY | O_CLOEXEC), out = open(to, O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
    while (in >= 0 && out >= 0 && (got = read(in, piece, sizeof(piece))) > 0)
        if (write(out, piece, (size_t)got) != got)
            bail(to);
    if (got < 0 || fchmod(out, 0755) < 0)
        bail(from);
    close(in);
    close(out);
}

static void take_away(const char *name)
{
    char path[PATH_MAX + 64];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    unlink(path);
}

static void wait_for_it(void)
{
    if (koine__loop_wait(loop, KOINE__NEVER) < 0 || koine__loop_process(loop) < 0)
        bail("the loop failed");
}

static void begin(void)
{
    char helper[PATH_MAX];
    const char *build = getenv("KOINE_TEST_BUILD");
    if (loop)
        return;
    if (koine__loop_new(&koine__system_clock, &loop) != KOINE_OK)
        bail("no loop");
    strcpy(folder, "/tmp/koine-test-XXXXXX");
    if (!mkdtemp(folder))
        bail("no folder");
    snprintf(helper, sizeof(helper), "%s/apps/koine-isolate", build ? build : ".");
    put("koine-isolate", helper);
    koine__isolating_init(&isolating, loop, NULL);
    vendor_bridge = &isolating.pub;
    vendor_wait = wait_for_it;
    vendor_step = 17; /* a frame costs ten times as much, and cuts are the core's to make */
}

const koine_provider *vendor_elsewhere(const char *id)
{
    char program[PATH_MAX + 64], from[PATH_MAX], file[128];
    const char *build = getenv("KOINE_TEST_BUILD");
    koine_error *error = NULL;
    begin();
    snprintf(program, sizeof(program), "%s/koine-isolate", folder);
    snprintf(file, sizeof(file), "%s.so", id);
    const struct koine__isolated_spec spec = {.program = program, .timeout = 60 * KOINE__SEC};
    if (count == MOST_VENDORS)
        bail("too many vendors");
    const char *there = strcmp(id, "echo") == 0 ? "plugins/echo/.libs" : "providers/.libs";
    snprintf(from, sizeof(from), "%s/%s/%s", build ? build : ".", there, file);
    if (access(from, F_OK) != 0)
        return NULL;
    put(file, from);
    if (koine__isolated_open(folder, file, &spec, &held[count], &error) != KOINE_OK)
        bail(koine_error_message(error));
    take_away(file); /* what runs is a copy of its own */
    return koine__isolated_provider(held[count++], 0);
}

void vendor_leave(void)
{
    if (count == 0)
        bail("no plugin was built");
    koine__isolating_release(&isolating);
    while (count > 0)
        koine__isolated_unref(held[--count]);
    koine__loop_free(loop);
    take_away("koine-isolate");
    rmdir(folder);
}
