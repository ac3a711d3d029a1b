/* koine-plugin-check: whether a plugin keeps the rules of koine/provider.h; `koine plugin check` starts it.
 *
 * Status 0: it does. Status 1: it does not. Status 2: wrong usage.
 */
#include "apps/plugin-check/child.h"
#include "apps/plugin-check/report.h"
#include "apps/plugin-check/symbols.h"

#include <errno.h>
#include <getopt.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef KOINE_VERSION /* the build says it */
#define KOINE_VERSION "unknown"
#endif

enum {
    STATUS_FINDINGS = 1,
    STATUS_USAGE = 2
};

struct settings {
    const char *cases;
    bool json, tap;
};

static const char *own_name =
    "koine-plugin-check"; /* or "koine plugin check", as which the command starts it */

static int usage(FILE *stream)
{
    fprintf(stream, "Usage: %s FILE.so [OPTION]...\n", own_name);
    fputs("Says whether a plugin keeps the rules of koine/provider.h: which rule it breaks,\n"
          "in which function, in which case, what was seen and what would be right.\n\n"
          "  --cases DIR   play the cases of this folder (*.txt), too\n"
          "  --json        one JSON object\n"
          "  --tap         one test for each rule, as TAP\n"
          "  --skip RULE   leave this rule out; with a dot at its end: all that begin so\n"
          "  --rules       print every rule, as docs/plugin-check.md has them\n"
          "  --help        show this\n"
          "  --version     show the version\n\n"
          "Exit status: 0 every rule is kept, 1 some are not, 2 usage.\n\n"
          "Rules:\n",
          stream);
    for (int i = 0; i < RULES; i++)
        fprintf(stream, "  %-22s %s\n", rule_row((enum rule)i)->id, rule_row((enum rule)i)->right);
    return ferror(stream) ? STATUS_FINDINGS : 0;
}

static int complain(const char *what, const char *about, const char *wanted)
{
    fprintf(stderr, "%s: %s '%s': %s\n", own_name, what, about, wanted);
    return STATUS_USAGE;
}

/* ---- Options ---- */

static int skip(struct inspection *in, const char *name)
{
    size_t len = strlen(name);
    bool found = false;
    for (int i = 0; i < RULES; i++) {
        const char *id = rule_row((enum rule)i)->id;
        bool fits = len > 0 && name[len - 1] == '.' ? strncmp(id, name, len) == 0 : strcmp(id, name) == 0;
        in->skipped[i] = in->skipped[i] || fits;
        found = found || fits;
    }
    return found ? 0 : complain("--skip", name, "there is no such rule; --help lists them");
}

/* 0, or the status to end with; -1: all was said, end with 0. */
static int read_option(struct inspection *in, struct settings *settings, int option)
{
    switch (option) {
    case 'c':
        settings->cases = optarg;
        return 0;
    case 'j':
        settings->json = true;
        return 0;
    case 't':
        settings->tap = true;
        return 0;
    case 's':
        return skip(in, optarg);
    case 'r':
        rules_page(stdout);
        return -1;
    case 'h':
        return usage(stdout) ? STATUS_FINDINGS : -1;
    case 'v':
        return puts("koine-plugin-check " KOINE_VERSION) < 0 ? STATUS_FINDINGS : -1;
    default:
        fprintf(stderr, "Try '%s --help'.\n", own_name);
        return STATUS_USAGE;
    }
}

static int read_options(struct inspection *in, struct settings *settings, int argc, char **argv)
{
    static const struct option options[] = {
        {"cases", required_argument, NULL, 'c'}, {"json", no_argument, NULL, 'j'},
        {"tap", no_argument, NULL, 't'},         {"skip", required_argument, NULL, 's'},
        {"rules", no_argument, NULL, 'r'},       {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'v'},     {NULL, 0, NULL, 0}};
    int option, status = 0;
    while (status == 0 && (option = getopt_long(argc, argv, "", options, NULL)) >= 0)
        status = read_option(in, settings, option);
    if (status != 0)
        return status;
    if (settings->json && settings->tap)
        return complain("--json", "--tap", "one of them");
    if (optind == argc)
        return complain("argument", "", "the file of a plugin is wanted; try --help");
    if (optind + 1 < argc)
        return complain("argument", argv[optind + 1], "one file is wanted");
    in->file = argv[optind];
    return 0;
}

/* ---- The inspection ---- */

static int locate(struct inspection *in)
{
    char folder[PATH_MAX], name[PATH_MAX];
    if (strlen(in->file) >= sizeof(folder))
        return complain("file", in->file, "the name is too long");
    if (access(in->file, F_OK) != 0)
        return complain("file", in->file, strerror(errno));
    snprintf(folder, sizeof(folder), "%s", in->file);
    snprintf(name, sizeof(name), "%s", in->file);
    snprintf(in->folder, sizeof(in->folder), "%s", dirname(folder));
    snprintf(in->name, sizeof(in->name), "%.*s", NAME_MAX, basename(name));
    return 0;
}

static void leave_out(struct inspection *in)
{
    size_t kept = 0;
    for (size_t i = 0; i < in->findings.count; i++)
        if (!in->skipped[in->findings.items[i].rule])
            in->findings.items[kept++] = in->findings.items[i];
    in->findings.count = kept;
}

static void run_stages(struct inspection *in)
{
    in->tried[STAGE_FILE] = symbols_check(in->file, &in->findings);
    if (!in->tried[STAGE_FILE])
        return;
    if (child_run(in, STAGE_LOAD) != CHILD_DONE)
        return;
    for (int stage = STAGE_CASES; stage < STAGE_ALL; stage++)
        if (child_run(in, (enum stage)stage) == CHILD_LOOPED)
            return; /* each loop costs seconds, and the next is the same one */
}

static bool wants_colour(void)
{
    const char *term = getenv("TERM"), *no = getenv("NO_COLOR");
    return isatty(STDOUT_FILENO) && !(no && *no) && term && strcmp(term, "dumb") != 0;
}

static int report(const struct inspection *in, const struct settings *settings)
{
    if (settings->json)
        report_json(in);
    else if (settings->tap)
        report_tap(in);
    else
        report_for_people(in, wants_colour());
    return in->findings.count > 0 ? STATUS_FINDINGS : 0;
}

static int check(struct inspection *in, const struct settings *settings)
{
    int status = locate(in);
    if (status != 0)
        return status;
    if (!cases_read(&in->cases, settings->cases, &in->findings))
        status = complain("--cases", settings->cases, "there are no cases (*.txt)");
    in->traces = mmap(NULL, sizeof(*in->traces), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (in->traces == MAP_FAILED)
        abort();
    if (status == 0) {
        run_stages(in);
        leave_out(in);
        status = report(in, settings);
    }
    munmap(in->traces, sizeof(*in->traces));
    cases_release(&in->cases);
    findings_release(&in->findings);
    return status;
}

int main(int argc, char **argv)
{
    struct inspection *in = calloc(1, sizeof(*in));
    struct settings settings = {.cases = NULL};
    if (!in)
        abort();
    if (argc > 0 && strcmp(argv[0], "koine plugin check") == 0)
        own_name = argv[0];
    int status = read_options(in, &settings, argc, argv);
    if (status == 0)
        status = check(in, &settings);
    free(in);
    if (fflush(stdout) != 0 && status <= 0)
        status = STATUS_USAGE;
    return status < 0 ? 0 : status;
}
