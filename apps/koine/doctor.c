/* koine doctor: looks at everything a call needs, and says what to do about what is wrong. */
#include "apps/koine/doctor.h"

#include "apps/koine/commands.h"
#include "apps/koine/out.h"
#include "apps/koine/probes.h"
#include "apps/koine/report.h"
#include "apps/koine/setup.h"
#include "apps/koine/term.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    TIMEOUT_MS = 10000
};

static const struct args_option options[] = {
    {"offline", 0, NULL, "look at this machine only: nothing is sent"},
    {"json", 0, NULL, "print one JSON object"},
    {0},
};

struct visit {
    struct args *args;
    koine_hub *hub;
    koine_providers *list;
    struct checks checks;
    const koine_provider_handle **patients;
    size_t patient_count;
    struct probes *probes; /* NULL: offline */
};

static void print(struct visit *visit)
{
    if (!visit->args->json)
        checks_print(&visit->checks);
}

/* ---- Whom to look at ---- */

static bool is_named(const struct args *args, const char *name)
{
    for (int i = 0; i < args->word_count; i++) {
        if (strcmp(args->words[i], name) == 0)
            return true;
    }
    return false;
}

/* Those that somebody wants: named here, configured, in a route, or with a key. */
static bool is_wanted(const struct visit *visit, size_t index)
{
    const char *name = koine_providers_name(visit->list, index);
    if (visit->args->word_count > 0)
        return is_named(visit->args, name);
    return koine_providers_configured(visit->list, index) || doctor_is_routed(visit->hub, name) ||
           koine_provider_has_key(koine_providers_handle(visit->list, index));
}

static void choose_patients(struct visit *visit)
{
    size_t count = koine_providers_count(visit->list);
    visit->patients = calloc(count + 1, sizeof(const koine_provider_handle *));
    if (visit->patients == NULL)
        out_no_memory();
    for (size_t i = 0; i < count; i++) {
        const koine_provider_handle *handle = koine_providers_handle(visit->list, i);
        if (handle != NULL && is_wanted(visit, i))
            visit->patients[visit->patient_count++] = handle;
    }
}

static int check_names(struct visit *visit)
{
    for (int i = 0; i < visit->args->word_count; i++) {
        const char *name = visit->args->words[i];
        int status = setup_check_instance(visit->args, visit->hub, name, strlen(name));
        if (status != STATUS_DONE)
            return status;
    }
    return STATUS_DONE;
}

/* ---- Looking ---- */

static void tell_unasked(struct visit *visit)
{
    char names[512] = "";
    size_t used = 0;
    for (size_t i = 0; i < koine_providers_count(visit->list) && visit->args->word_count == 0; i++) {
        if (koine_providers_handle(visit->list, i) != NULL && !is_wanted(visit, i) && used < sizeof(names))
            used += (size_t)snprintf(names + used, sizeof(names) - used, "%s%s", used > 0 ? ", " : "",
                                     koine_providers_name(visit->list, i));
    }
    checks_begin(&visit->checks, "instances", NULL, "instances");
    if (used > 0)
        checks_add(&visit->checks, CHECK_SKIPPED, "others", "%s: no key, and nothing names them", names);
    if (visit->patient_count > 0)
        return;
    checks_add(&visit->checks, CHECK_WARNING, "none", "there is nobody to ask");
    checks_advise(&visit->checks, "koine providers names the variable of each key: set one, or write "
                                  "providers: and routes: into koine.yaml");
}

static void start_probes(struct visit *visit)
{
    const char **names = calloc(visit->patient_count + 1, sizeof(*names));
    if (names == NULL)
        out_no_memory();
    for (size_t i = 0; i < visit->patient_count; i++)
        names[i] = koine_provider_name(visit->patients[i]);
    visit->probes = probes_start(visit->hub, names, visit->patient_count, TIMEOUT_MS);
    free(names);
}

/* No call was possible at all. */
static void tell_error(struct visit *visit, const char *name, const koine_error *error)
{
    checks_begin(&visit->checks, "instance", name, "%s", name);
    checks_add(&visit->checks, CHECK_PROBLEM, "call", "%s",
               error != NULL ? koine_error_message(error) : "out of memory");
    checks_advise(&visit->checks, "try again; koine -vv models --live %s tells more", name);
}

static void look_at(struct visit *visit, size_t index)
{
    const koine_provider_handle *handle = visit->patients[index];
    bool show = term_is_error() && !visit->args->json;
    const struct probed *probed = visit->probes != NULL ? probes_wait(visit->probes, index, show) : NULL;
    if (probed != NULL && probed->probe == NULL)
        tell_error(visit, koine_provider_name(handle), probed->error);
    else
        doctor_instance(&visit->checks, visit->hub, handle, probed != NULL ? probed->probe : NULL);
    print(visit);
}

static void look_at_clock(struct visit *visit)
{
    checks_begin(&visit->checks, "clock", NULL, "clock");
    size_t before = visit->checks.count;
    for (size_t i = 0; visit->probes != NULL && i < visit->patient_count; i++) {
        const struct probed *probed = probes_wait(visit->probes, i, false);
        if (koine_probe_server_date(probed->probe) >= 0)
            doctor_clock(&visit->checks, koine_provider_name(visit->patients[i]), probed->probe);
    }
    if (visit->checks.count == before)
        checks_add(&visit->checks, CHECK_SKIPPED, "clock", "no server told its time");
    print(visit);
}

static int look_at_all(struct visit *visit)
{
    koine_error *error = NULL;
    int number = koine_hub_list_providers(visit->hub, &visit->list, &error);
    if (number != KOINE_OK)
        return report_error(visit->args, number, error);
    int status = check_names(visit);
    if (status != STATUS_DONE)
        return status;
    choose_patients(visit);
    doctor_plugins(&visit->checks, visit->list);
    tell_unasked(visit);
    print(visit);
    if (!args_has(visit->args, "offline"))
        start_probes(visit);
    for (size_t i = 0; i < visit->patient_count; i++)
        look_at(visit, i);
    look_at_clock(visit);
    return STATUS_DONE;
}

/* ---- The end ---- */

static int conclude(const struct visit *visit)
{
    size_t problems = checks_count(&visit->checks, CHECK_PROBLEM);
    size_t warnings = checks_count(&visit->checks, CHECK_WARNING);
    if (visit->args->json)
        checks_print_json(&visit->checks);
    else
        out_line("\n%zu problem%s, %zu warning%s", problems, problems == 1 ? "" : "s", warnings,
                 warnings == 1 ? "" : "s");
    return problems > 0 ? STATUS_FAULT : STATUS_DONE;
}

static int run(struct args *args)
{
    struct visit visit = {.args = args};
    koine_error *error = NULL;
    int number = koine_hub_new(&visit.hub, &error);
    if (number != KOINE_OK)
        return report_error(args, number, error);
    /* What the log would warn of is a finding here. */
    koine_hub_set_log(visit.hub, args->verbose > 1 ? 3 : args->verbose > 0 ? 2 : 0, report_log, args);
    int status = STATUS_DONE;
    if (doctor_configuration(&visit.checks, args, visit.hub))
        status = look_at_all(&visit);
    else
        print(&visit);
    if (status == STATUS_DONE)
        status = conclude(&visit);
    probes_free(visit.probes);
    free(visit.patients);
    koine_providers_free(visit.list);
    checks_free(&visit.checks);
    koine_hub_free(visit.hub);
    return status;
}

const struct args_command command_doctor = {
    .name = "doctor",
    .summary = "look for what is wrong, and say what to do about it",
    .synopsis = "[--offline] [--json] [INSTANCE]...",
    .options = options,
    .details = "Looks at the configuration, at plugins, and at each instance that is configured,\n"
               "in a route, or has a key: key, proxy, DNS, connection, TLS, the list of models,\n"
               "and the clock. Each is asked once for its models, which costs nothing, for at\n"
               "most 10 s. Exit status 1: there is a problem; warnings are none.\n"
               "\n"
               "Examples:\n"
               "  koine doctor\n"
               "  koine doctor --offline\n"
               "  koine doctor together openai\n",
    .words = -1,
    .tells_plugins = true,
    .run = run,
};
