/* trace: what a plugin makes of cases, for comparison: trace FILE.so FOLDER…
 *
 * Loads the plugin as the core does, plays every case of the folders, and prints request, notices and events
 * of each, the events also as they came. Each case is proven in all the ways of tests/vendor/ways.h; what
 * does not hold is printed as "not ok", and the exit status is 1.
 */
#include "core/plugin/host.h"
#include "core/plugin/loader.h"
#include "tests/vendor/ways.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LARGEST ((size_t)4 << 20)

static int failures;

static void report(void *arg, const struct vendor_verdict *verdict)
{
    (void)arg;
    if (verdict->ok)
        return;
    failures++;
    printf("not ok: %s %s\nexpected:\n%s\ngot:\n%s\n", vendor_part_name(verdict->part), verdict->how,
           verdict->expected, verdict->got);
}

static void print_request(const koine_provider *provider, const struct vendor_case *c)
{
    struct koine__buf request, notices;
    koine__buf_init(&request, LARGEST);
    koine__buf_init(&notices, LARGEST);
    vendor_ask(provider, c, NULL, &request, &notices);
    printf("request:\n%snotices:\n%s", koine__buf_str(&request), koine__buf_str(&notices));
    koine__buf_release(&request);
    koine__buf_release(&notices);
}

static void print_answer(const koine_provider *provider, const struct vendor_case *c)
{
    struct vendor_trace trace;
    vendor_trace_init(&trace);
    vendor_play_answer(provider, c, &(struct vendor_play){.len = c->body.len, .clean = true}, &trace);
    printf("events:\n%sas they came:\n%s", koine__buf_str(&trace.merged), koine__buf_str(&trace.raw));
    vendor_trace_release(&trace);
}

static void run_case(const koine_provider *provider, const char *folder, const char *file)
{
    char path[PATH_MAX];
    struct vendor_case c;
    snprintf(path, sizeof(path), "%s/%s", folder, file);
    const char *wrong = vendor_case_read(path, &c);
    if (!wrong)
        wrong = vendor_case_lacks(&c);
    printf("== %s\n", file);
    if (wrong) {
        failures++;
        printf("not ok: %s\n", wrong);
    } else {
        if (c.document || c.list_models)
            print_request(provider, &c);
        if (c.answered)
            print_answer(provider, &c);
        vendor_prove(provider, &c, NULL, report, NULL);
    }
    vendor_case_release(&c);
}

static int is_case(const struct dirent *entry)
{
    size_t len = strlen(entry->d_name);
    return len > 4 && strcmp(entry->d_name + len - 4, ".txt") == 0;
}

static void run_folder(const koine_provider *provider, const char *folder)
{
    struct dirent **entries = NULL;
    int count = scandir(folder, &entries, is_case, alphasort);
    if (count <= 0) {
        failures++;
        printf("not ok: %s holds no cases\n", folder);
    }
    for (int i = 0; i < count; i++) {
        run_case(provider, folder, entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
}

static const koine_provider *load(const char *path)
{
    char real[PATH_MAX];
    const struct koine__plugin *plugin = NULL;
    koine_error *error = NULL;
    if (!realpath(path, real)) {
        perror(path);
        return NULL;
    }
    char *name = strrchr(real, '/');
    *name++ = '\0';
    if (koine__plugin_load(real, name, koine__process_host(), &plugin, &error) != KOINE_OK)
        fprintf(stderr, "%s\n", koine_error_message(error));
    koine_error_free(error);
    return plugin ? plugin->providers[0] : NULL;
}

int main(int argc, char **argv)
{
    const koine_provider *provider = argc > 2 ? load(argv[1]) : NULL;
    if (!provider) {
        fprintf(stderr, "usage: trace FILE.so FOLDER...\n");
        return 2;
    }
    for (int i = 2; i < argc; i++)
        run_folder(provider, argv[i]);
    return failures != 0;
}
