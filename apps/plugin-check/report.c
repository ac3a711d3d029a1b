/* report: three ways to say the same. */
#include "apps/plugin-check/report.h"

#include "core/wire/json.h"

#include <stdio.h>
#include <string.h>

#define LARGEST ((size_t)16 << 20)

enum state {
    KEPT,
    BROKEN,
    UNTRIED,
    SKIPPED
};

static const char *const state_names[] = {"kept", "broken", "untried", "skipped"};

static bool all_tried(const struct inspection *in)
{
    for (int stage = 0; stage < STAGE_ALL; stage++)
        if (!in->tried[stage])
            return false;
    return true;
}

static enum state state_of(const struct inspection *in, enum rule rule)
{
    const struct rule_row *row = rule_row(rule);
    if (in->skipped[rule])
        return SKIPPED;
    if (findings_has(&in->findings, rule))
        return BROKEN;
    if (row->needs_cases && in->cases.theirs == 0)
        return UNTRIED;
    return (row->stage == STAGE_ALL ? all_tried(in) : in->tried[row->stage]) ? KEPT : UNTRIED;
}

static size_t count_states(const struct inspection *in, enum state state)
{
    size_t count = 0;
    for (int rule = 0; rule < RULES; rule++)
        count += state_of(in, (enum rule)rule) == state;
    return count;
}

static const char *right_of(const struct finding *finding)
{
    return *finding->wanted ? finding->wanted : rule_row((enum rule)finding->rule)->right;
}

/* ---- For people ---- */

static void print_finding(const struct finding *finding, bool many, bool colour)
{
    printf("%s%s%s", colour ? "\033[1;31m" : "", rule_row((enum rule)finding->rule)->id,
           colour ? "\033[0m" : "");
    if (*finding->function)
        printf("  %s%s%s", colour ? "\033[1m" : "", finding->function, colour ? "\033[0m" : "");
    if (many && *finding->provider)
        printf("  of %s", finding->provider);
    putchar('\n');
    if (*finding->where)
        printf("  case:  %s\n", finding->where);
    printf("  seen:  %s\n  right: %s\n", finding->seen, right_of(finding));
    if (*finding->wanted)
        printf("         (%s)\n", rule_row((enum rule)finding->rule)->right);
    putchar('\n');
}

static void print_untried(const struct inspection *in)
{
    if (in->cases.theirs == 0)
        puts("Without --cases nobody knows what requests and events should be: only rules that hold for all "
             "were tried.");
    for (int stage = 0; stage < STAGE_ALL; stage++)
        if (!in->tried[stage])
            printf("The stage \"%s\" was not tried to its end.\n", stage_name((enum stage)stage));
}

void report_for_people(const struct inspection *in, bool colour)
{
    for (size_t i = 0; i < in->findings.count; i++)
        print_finding(&in->findings.items[i], in->traces->provider_count > 1, colour);
    print_untried(in);
    printf("%s:", in->file);
    for (uint32_t i = 0; i < in->traces->provider_count; i++)
        printf("%s %s %s", i ? "," : "", in->traces->providers[i].id, in->traces->providers[i].version);
    printf("%s %zu cases, %zu rules kept, %zu broken, %zu not tried", in->traces->provider_count ? ";" : "",
           in->cases.theirs, count_states(in, KEPT), count_states(in, BROKEN),
           count_states(in, UNTRIED) + count_states(in, SKIPPED));
    printf(": %s%s%s\n",
           !colour              ? ""
           : in->findings.count ? "\033[1;31m"
                                : "\033[1;32m",
           in->findings.count ? "it does not pass" : "it passes", colour ? "\033[0m" : "");
}

/* ---- JSON ---- */

static void write_text(struct koine__writer *writer, const char *key, const char *value)
{
    koine__write_str(writer, koine__str(key), koine__str(value));
}

static void write_truth(struct koine__writer *writer, const char *key, bool value)
{
    koine__write_raw(writer, koine__str(key), value ? KOINE__STR("true") : KOINE__STR("false"));
}

static void write_providers(struct koine__writer *writer, const struct inspection *in)
{
    koine__write_open(writer, KOINE__STR("providers"), '[');
    for (uint32_t i = 0; i < in->traces->provider_count; i++) {
        koine__write_open(writer, koine__str(NULL), '{');
        write_text(writer, "id", in->traces->providers[i].id);
        write_text(writer, "version", in->traces->providers[i].version);
        koine__write_close(writer);
    }
    koine__write_close(writer);
}

static void write_rules(struct koine__writer *writer, const struct inspection *in)
{
    koine__write_open(writer, KOINE__STR("rules"), '{');
    for (int rule = 0; rule < RULES; rule++)
        write_text(writer, rule_row((enum rule)rule)->id, state_names[state_of(in, (enum rule)rule)]);
    koine__write_close(writer);
}

static void write_findings(struct koine__writer *writer, const struct inspection *in)
{
    koine__write_open(writer, KOINE__STR("findings"), '[');
    for (size_t i = 0; i < in->findings.count; i++) {
        const struct finding *finding = &in->findings.items[i];
        koine__write_open(writer, koine__str(NULL), '{');
        write_text(writer, "rule", rule_row((enum rule)finding->rule)->id);
        write_text(writer, "function", finding->function);
        write_text(writer, "provider", finding->provider);
        write_text(writer, "case", finding->where);
        write_text(writer, "seen", finding->seen);
        write_text(writer, "right", right_of(finding));
        koine__write_close(writer);
    }
    koine__write_close(writer);
}

void report_json(const struct inspection *in)
{
    struct koine__buf text;
    struct koine__writer writer;
    koine__buf_init(&text, LARGEST);
    koine__writer_init(&writer, &text);
    koine__write_open(&writer, koine__str(NULL), '{');
    write_text(&writer, "file", in->file);
    write_truth(&writer, "passed", in->findings.count == 0);
    write_providers(&writer, in);
    koine__write_int(&writer, KOINE__STR("cases"), (int64_t)in->cases.theirs);
    write_rules(&writer, in);
    write_findings(&writer, in);
    koine__write_close(&writer);
    puts(koine__buf_str(&text));
    koine__buf_release(&text);
}

/* ---- TAP ---- */

static void print_diagnostics(const struct inspection *in, enum rule rule)
{
    for (size_t i = 0; i < in->findings.count; i++) {
        const struct finding *finding = &in->findings.items[i];
        if (finding->rule != (int32_t)rule)
            continue;
        printf("# %s%s%s%s\n", finding->function, *finding->function && *finding->where ? ", " : "",
               *finding->where ? "case " : "", finding->where);
        printf("#   seen:  %s\n#   right: %s\n", finding->seen, right_of(finding));
    }
}

void report_tap(const struct inspection *in)
{
    printf("1..%d\n", RULES);
    for (int i = 0; i < RULES; i++) {
        enum state state = state_of(in, (enum rule)i);
        printf("%sok %d - %s", state == BROKEN ? "not " : "", i + 1, rule_row((enum rule)i)->id);
        printf("%s\n", state == UNTRIED ? " # SKIP not tried" : state == SKIPPED ? " # SKIP left out" : "");
        print_diagnostics(in, (enum rule)i);
    }
}
