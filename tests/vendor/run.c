/* run: proves that a vendor's requests and answers are what its cases say; speaks TAP.
 *
 * run [FILTER]: every case of every vendor in $KOINE_TEST_SOURCE/tests/vendor, or those whose name contains
 * FILTER, in all the ways of ways.h.
 *
 * The program `isolated` is this one with the same cases for the same plugins, built and in helper processes.
 */
#include "tests/vendor/elsewhere.h"
#include "tests/vendor/ways.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Each vendor's entry function; its file beside this one gives it that name. */
#define VENDORS(X)                                                                                           \
    X(vendor_together)                                                                                       \
    X(vendor_openai)                                                                                         \
    X(vendor_anthropic)                                                                                      \
    X(vendor_azure)                                                                                          \
    X(vendor_echo) X(vendor_mistral) X(vendor_fireworks) X(vendor_ollama) X(vendor_llamacpp) X(vendor_gemini)

#define DECLARE(entry) const koine_provider *entry(const koine_host *host, uint32_t index);
VENDORS(DECLARE)
#define LIST(entry) entry,
static const koine_provider *(*const vendors[])(const koine_host *host, uint32_t index) = {VENDORS(LIST)};

static int tests, failures;

/* ---- TAP ---- */

static void print_lines(const char *title, const char *text)
{
    printf("#   %s:\n", title);
    while (*text) {
        size_t len = strcspn(text, "\n");
        printf("#     %.*s\n", (int)len, text);
        text += len + (text[len] == '\n');
    }
}

static void print_result(const char *name, const char *what, bool ok)
{
    tests++;
    failures += !ok;
    printf("%sok %d - %s: %s\n", ok ? "" : "not ", tests, name, what);
}

static void report(void *arg, const struct vendor_verdict *verdict)
{
    const char *name = arg;
    print_result(name, vendor_part_name(verdict->part), verdict->ok);
    if (verdict->ok)
        return;
    if (*verdict->how)
        printf("#   %s\n", verdict->how);
    print_lines("expected", verdict->expected);
    print_lines("got", verdict->got);
}

/* ---- Which cases ---- */

static void run_file(const koine_provider *provider, const char *folder, const char *file, const char *filter)
{
    char path[1024], name[512];
    struct vendor_case c;
    snprintf(path, sizeof(path), "%s/%s", folder, file);
    snprintf(name, sizeof(name), "%s/%.*s", provider->id, (int)(strlen(file) - 4), file);
    if (filter && !strstr(name, filter))
        return;
    const char *wrong = vendor_case_read(path, &c);
    if (!wrong)
        wrong = vendor_case_lacks(&c);
    if (wrong) {
        print_result(name, "the file", false);
        printf("#   %s: %s\n", path, wrong);
    } else {
        vendor_prove(provider, &c, NULL, report, name);
    }
    vendor_case_release(&c);
}

static int is_case(const struct dirent *entry)
{
    size_t len = strlen(entry->d_name);
    return len > 4 && strcmp(entry->d_name + len - 4, ".txt") == 0;
}

/* NULL: there is none of it where they are looked for. */
static void run_vendor(const koine_provider *provider, const char *filter)
{
    if (!provider)
        return;
    const char *source = getenv("KOINE_TEST_SOURCE");
    struct dirent **entries = NULL;
    char folder[512];
    snprintf(folder, sizeof(folder), "%s/tests/vendor/%s", source ? source : ".", provider->id);
    int count = scandir(folder, &entries, is_case, alphasort);
    if (count <= 0) {
        printf("not ok %d - %s holds no cases\n", ++tests, folder);
        failures++;
    }
    for (int i = 0; i < count; i++) {
        run_file(provider, folder, entries[i]->d_name, filter);
        free(entries[i]);
    }
    free(entries);
}

int main(int argc, char **argv)
{
    const koine_host *host = koine__process_host();
    const char *filter = argc > 1 ? argv[1] : NULL;
    for (size_t i = 0; i < sizeof(vendors) / sizeof(vendors[0]); i++)
        run_vendor(VENDOR_ELSEWHERE(vendors[i](host, 0)), filter);
    VENDOR_LEAVE();
    printf("1..%d\n", tests);
    return failures != 0;
}
