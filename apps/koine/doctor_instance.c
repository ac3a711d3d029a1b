/* doctor: one instance: its key, the way to its server step by step, its models, and the server's clock. */
#include "apps/koine/doctor.h"
#include "apps/koine/words.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define DAY          86400
#define SOON_DAYS    14   /* a certificate that ends sooner is told */
#define CLOCK_OFF_MS 5000 /* further off than this, dates of prices and of advised waits go wrong */

struct patient {
    struct checks *checks;
    koine_hub *hub;
    const koine_provider_handle *handle;
    const koine_probe *probe; /* NULL: offline */
    const char *name, *words; /* words of the fault; "" */
    const char *step;         /* where the call was when it ended */
};

/* Where settings are written. */
static const char *file_of(const struct patient *patient)
{
    const char *file = koine_hub_file(patient->hub);
    return *file != '\0' ? file : "koine.yaml";
}

static bool says(const struct patient *patient, const char *part)
{
    return strcasestr(patient->words, part) != NULL;
}

static bool ended_at(const struct patient *patient, const char *step)
{
    return strcmp(patient->step, step) == 0;
}

/* ---- The key ---- */

static void check_key(const struct patient *patient)
{
    const char *variable = koine_provider_key_variable(patient->handle);
    if (koine_provider_has_key(patient->handle)) {
        checks_add(patient->checks, CHECK_OK, "key", "present, from %s",
                   koine_provider_key_source(patient->handle));
    } else if (koine_provider_needs_key(patient->handle)) {
        checks_add(patient->checks, CHECK_PROBLEM, "key",
                   "missing: neither %s nor providers.%s.api_key is set", variable, patient->name);
        checks_advise(patient->checks,
                      "set %s, and write providers.%s.api_key: ${%s} into %s if it is not read", variable,
                      patient->name, variable, file_of(patient));
    } else {
        checks_add(patient->checks, CHECK_OK, "key", "none, and none is needed to ask");
    }
}

/* ---- The way ---- */

static void check_proxy(const struct patient *patient)
{
    const char *proxy = koine_probe_proxy(patient->probe);
    const char *variable = koine_probe_proxy_variable(patient->probe);
    const char *source = *variable != '\0' ? variable : "network.proxy";
    if (*proxy == '\0') {
        checks_add(patient->checks, CHECK_OK, "proxy", "none");
    } else if (ended_at(patient, "proxy")) {
        checks_add(patient->checks, CHECK_PROBLEM, "proxy", "%s, from %s: %s", proxy, source, patient->words);
        checks_advise(patient->checks, "correct %s, or name %s in no_proxy if it can be reached without",
                      source, koine_probe_host(patient->probe));
    } else {
        checks_add(patient->checks, CHECK_OK, "proxy", "%s, from %s", proxy, source);
    }
}

static void list_addresses(const koine_probe *probe, char *ret, size_t size)
{
    const char *address;
    size_t used = 0;
    ret[0] = '\0';
    for (size_t i = 0; (address = koine_probe_address(probe, i)) != NULL && used < size; i++)
        used += (size_t)snprintf(ret + used, size - used, "%s%s", used > 0 ? ", " : "", address);
}

static bool is_address(const char *host)
{
    return strchr(host, ':') != NULL || host[strspn(host, "0123456789.")] == '\0';
}

static void advise_dns(const struct patient *patient)
{
    const char *host = koine_probe_host(patient->probe);
    if (*koine_probe_proxy(patient->probe) != '\0')
        checks_advise(patient->checks, "correct the name of the proxy %s", koine_probe_proxy(patient->probe));
    else
        checks_advise(
            patient->checks,
            "getent hosts %s: if that finds nothing either, correct the name in providers.%s.base_url "
            "(%s), or this machine's resolver",
            host, patient->name, file_of(patient));
}

static void check_dns(const struct patient *patient)
{
    char addresses[256], time[WORDS_SIZE];
    const char *host = koine_probe_host(patient->probe);
    bool by_proxy = *koine_probe_proxy(patient->probe) != '\0';
    list_addresses(patient->probe, addresses, sizeof(addresses));
    if (ended_at(patient, "dns")) {
        checks_add(patient->checks, CHECK_PROBLEM, "DNS", "%s%s%s", says(patient, host) ? "" : host,
                   says(patient, host) ? "" : ": ", patient->words);
        advise_dns(patient);
    } else if (!by_proxy && is_address(host)) {
        checks_add(patient->checks, CHECK_OK, "DNS", "%s is an address", host);
    } else {
        checks_add(patient->checks, CHECK_OK, "DNS", "%s: %s (%s)", by_proxy ? "the proxy" : host, addresses,
                   words_time(koine_probe_dns_ms(patient->probe), time));
    }
}

static void advise_connect(const struct patient *patient)
{
    if (*koine_probe_proxy(patient->probe) != '\0')
        checks_advise(patient->checks, "correct the proxy %s", koine_probe_proxy(patient->probe));
    else if (says(patient, "refused"))
        checks_advise(patient->checks,
                      "nothing listens there: start the server, or correct providers.%s.base_url (%s)",
                      patient->name, file_of(patient));
    else
        checks_advise(patient->checks,
                      "a firewall may be in between: network.proxy (%s) names a proxy; or correct "
                      "providers.%s.base_url",
                      file_of(patient), patient->name);
}

static void check_connect(const struct patient *patient)
{
    char text[WORDS_SIZE + 8] = "", time[WORDS_SIZE], server[300] = "the proxy";
    int64_t ms = koine_probe_connect_ms(patient->probe);
    if (*koine_probe_proxy(patient->probe) == '\0')
        snprintf(server, sizeof(server), "%.256s:%d", koine_probe_host(patient->probe),
                 koine_probe_port(patient->probe));
    if (ended_at(patient, "connect")) {
        checks_add(patient->checks, CHECK_PROBLEM, "connect", "%s: %s", server, patient->words);
        advise_connect(patient);
        return;
    }
    if (ms >= 0)
        snprintf(text, sizeof(text), " (%s)", words_time(ms, time));
    checks_add(patient->checks, CHECK_OK, "connect", "%s%s", server, text);
}

static void advise_tls(const struct patient *patient)
{
    struct checks *checks = patient->checks;
    if (says(patient, "expired") || says(patient, "not yet valid"))
        checks_advise(checks,
                      "its operator must renew the certificate; or this machine's clock is wrong: date -u");
    else if (says(patient, "subject name") || says(patient, "does not match") || says(patient, "hostname"))
        checks_advise(checks, "write a name that the certificate has into providers.%s.base_url (%s)",
                      patient->name, file_of(patient));
    else if (says(patient, "CAfile") || says(patient, "verify locations") || says(patient, "CA file"))
        checks_advise(checks, "network.ca_file (%s) must name a readable PEM file of certificates",
                      file_of(patient));
    else if (says(patient, "certificate"))
        checks_advise(
            checks,
            "if you trust this server or a proxy in between, write network.ca_file: FILE into %s, with "
            "its authority's certificate as PEM",
            file_of(patient));
    else if (says(patient, "wrong version number") || says(patient, "packet length"))
        checks_advise(checks,
                      "that port speaks no TLS: correct the port, or write http:// in "
                      "providers.%s.base_url (%s)",
                      patient->name, file_of(patient));
    else
        checks_advise(checks,
                      "koine -vv models --live %s shows the request; is a proxy or firewall in between?",
                      patient->name);
}

static void check_certificate(const struct patient *patient)
{
    char time_text[WORDS_SIZE], until[80] = "certificate verified";
    const char *version = koine_probe_tls_version(patient->probe);
    int64_t end = koine_probe_certificate_end(patient->probe), days = (end - (int64_t)time(NULL)) / DAY;
    time_t seconds = (time_t)end;
    struct tm day;
    if (end >= 0 && gmtime_r(&seconds, &day) != NULL)
        snprintf(until, sizeof(until), "certificate verified, until %04d-%02d-%02d (%" PRId64 " days)",
                 day.tm_year + 1900, day.tm_mon + 1, day.tm_mday, days);
    bool soon = end >= 0 && days < SOON_DAYS;
    checks_add(patient->checks, soon ? CHECK_WARNING : CHECK_OK, "TLS", "%s, %s; %s",
               *version != '\0' ? version : "version unknown", until,
               words_time(koine_probe_tls_ms(patient->probe), time_text));
    if (soon)
        checks_advise(patient->checks, "renew the certificate of %s, or tell its operator",
                      koine_probe_host(patient->probe));
}

static bool is_here(const struct patient *patient)
{
    const char *address = koine_probe_address(patient->probe, 0);
    return address != NULL && (strncmp(address, "127.", 4) == 0 || strcmp(address, "::1") == 0);
}

static void check_tls(const struct patient *patient)
{
    if (ended_at(patient, "tls")) {
        checks_add(patient->checks, CHECK_PROBLEM, "TLS", "%s", patient->words);
        advise_tls(patient);
    } else if (koine_probe_uses_tls(patient->probe)) {
        check_certificate(patient);
    } else if (is_here(patient) || !koine_provider_has_key(patient->handle)) {
        checks_add(patient->checks, CHECK_SKIPPED, "TLS", "the base URL is http");
    } else {
        checks_add(patient->checks, CHECK_WARNING, "TLS", "none: the key travels for all to read");
        checks_advise(patient->checks, "write https:// in providers.%s.base_url (%s)", patient->name,
                      file_of(patient));
    }
}

/* As far as it came. */
static void check_way(const struct patient *patient)
{
    check_proxy(patient);
    check_dns(patient);
    if (!ended_at(patient, "dns"))
        check_connect(patient);
    if (ended_at(patient, "tls") || ended_at(patient, "answer"))
        check_tls(patient);
}

/* ---- The answer ---- */

static void advise_auth(const struct patient *patient)
{
    if (koine_provider_has_key(patient->handle))
        checks_advise(patient->checks, "the key from %s is not accepted: put the right one there",
                      koine_provider_key_source(patient->handle));
    else
        checks_advise(patient->checks,
                      "this server wants a key: write providers.%s.api_key: ${VARIABLE} into %s",
                      patient->name, file_of(patient));
}

static void advise_answer(const struct patient *patient, int class_number)
{
    struct checks *checks = patient->checks;
    switch (class_number) {
    case KOINE_CLASS_AUTH:
        advise_auth(patient);
        break;
    case KOINE_CLASS_BILLING:
        checks_advise(checks, "look after credit and limits at the vendor's; no retry helps");
        break;
    case KOINE_CLASS_RATE_LIMIT:
        checks_advise(checks, "the key works; wait, and ask less often");
        break;
    case KOINE_CLASS_OVERLOADED:
    case KOINE_CLASS_TIMEOUT:
    case KOINE_CLASS_DEADLINE:
        checks_advise(checks, "the server is in trouble: look at the vendor's status page, and try again");
        break;
    case KOINE_CLASS_SERVER:
    case KOINE_CLASS_PROTOCOL:
        checks_advise(
            checks,
            "is a proxy in between, or the path of providers.%s.base_url (%s) wrong? Else look at the "
            "vendor's status page, and try again",
            patient->name, file_of(patient));
        break;
    default:
        checks_advise(checks,
                      "koine -vv models --live %s shows the request; docs/troubleshooting.md explains "
                      "each class",
                      patient->name);
        break;
    }
}

/* Of a server that has no list of models others may still be true. */
static bool has_no_list(const struct patient *patient)
{
    int status = koine_probe_status(patient->probe);
    return status == 404 || status == 405 || status == 501;
}

static void check_failure(const struct patient *patient, const koine_error *error)
{
    char status[16] = "no answer";
    int class_number = koine_error_class(error);
    if (koine_probe_status(patient->probe) > 0)
        snprintf(status, sizeof(status), "%d", koine_probe_status(patient->probe));
    if (has_no_list(patient)) {
        checks_add(patient->checks, CHECK_WARNING, "models", "%s: the server has no list of models there: %s",
                   status, patient->words);
        checks_advise(
            patient->checks,
            "if calls fail too, correct the path of providers.%s.base_url (%s), which mostly ends in /v1",
            patient->name, file_of(patient));
        return;
    }
    checks_add(patient->checks, class_number == KOINE_CLASS_RATE_LIMIT ? CHECK_WARNING : CHECK_PROBLEM,
               "models", "%s: %s: %s", status, koine_error_class_name(error), patient->words);
    advise_answer(patient, class_number);
}

static void check_models(const struct patient *patient)
{
    char time[WORDS_SIZE];
    const koine_error *error = koine_probe_error(patient->probe);
    const char *version = koine_probe_http_version(patient->probe);
    size_t count = koine_models_count(koine_probe_models(patient->probe));
    if (error != NULL)
        check_failure(patient, error);
    else
        checks_add(patient->checks, CHECK_OK, "models", "%d over HTTP/%s, %zu model%s (%s)",
                   koine_probe_status(patient->probe), *version != '\0' ? version : "-", count,
                   count == 1 ? "" : "s", words_time(koine_probe_ms(patient->probe), time));
}

/* ---- The models of routes ---- */

/* The model, if the target is of this instance. */
static const char *model_of(const char *target, const char *instance)
{
    size_t length = strlen(instance);
    bool is_ours = strncmp(target, instance, length) == 0 && target[length] == '/';
    return is_ours ? target + length + 1 : NULL;
}

bool doctor_is_routed(koine_hub *hub, const char *instance)
{
    const char *target;
    for (size_t route = 0; koine_hub_route(hub, route) != NULL; route++) {
        for (size_t i = 0; (target = koine_hub_route_target(hub, route, i)) != NULL; i++) {
            if (model_of(target, instance) != NULL)
                return true;
        }
    }
    return false;
}

static bool find_model(const koine_models *models, const char *id, size_t *ret)
{
    for (size_t i = 0; i < koine_models_count(models); i++) {
        if (strcmp(koine_models_id(models, i), id) == 0) {
            *ret = i;
            return true;
        }
    }
    return false;
}

/* The day it was or will be retired, or "". */
static const char *retirement(const koine_models *known, const char *model)
{
    size_t index;
    return find_model(known, model, &index) ? koine_models_retired(known, index) : "";
}

static bool is_past(const char *day)
{
    char today[32];
    time_t now = time(NULL);
    struct tm utc;
    if (*day == '\0' || gmtime_r(&now, &utc) == NULL || strftime(today, sizeof(today), "%Y-%m-%d", &utc) == 0)
        return false;
    return strcmp(day, today) <= 0;
}

static void check_target(const struct patient *patient, const koine_models *known, const char *route,
                         const char *model)
{
    const koine_models *served = koine_probe_models(patient->probe);
    const char *retired = retirement(known, model);
    size_t index;
    bool is_served = find_model(served, model, &index);
    if (is_past(retired) && !is_served)
        checks_add(patient->checks, served != NULL ? CHECK_PROBLEM : CHECK_WARNING, "model",
                   "%s (route %s) is retired since %s", model, route, retired);
    else if (served != NULL && !is_served)
        checks_add(patient->checks, CHECK_WARNING, "model", "%s (route %s) is not in the list of models",
                   model, route);
    else if (*retired != '\0')
        checks_add(patient->checks, CHECK_WARNING, "model", "%s (route %s) %s %s", model, route,
                   is_past(retired) ? "is retired, and still served, since" : "will be retired on", retired);
    else if (served != NULL)
        checks_add(patient->checks, CHECK_OK, "model", "%s (route %s) is served", model, route);
    else
        return;
    if (!is_served || *retired != '\0')
        checks_advise(patient->checks,
                      "correct routes.%s.targets (%s); koine models --live %s lists what there is", route,
                      file_of(patient), patient->name);
}

static void check_targets(const struct patient *patient)
{
    const char *route, *target;
    koine_models *known = NULL;
    koine_error *error = NULL;
    koine_hub_models(patient->hub, patient->name, &known,
                     &error); /* without it, nothing is known to be retired */
    koine_error_free(error);
    for (size_t i = 0; (route = koine_hub_route(patient->hub, i)) != NULL; i++) {
        for (size_t j = 0; (target = koine_hub_route_target(patient->hub, i, j)) != NULL; j++) {
            const char *model = model_of(target, patient->name);
            if (model != NULL)
                check_target(patient, known, route, model);
        }
    }
    koine_models_free(known);
}

/* ---- All of it ---- */

static void check_network(const struct patient *patient)
{
    const koine_error *error = koine_probe_error(patient->probe);
    bool lacks_key = !koine_provider_has_key(patient->handle) && koine_provider_needs_key(patient->handle);
    if (!ended_at(patient, ""))
        check_way(patient);
    else if (error == NULL)
        checks_add(patient->checks, CHECK_SKIPPED, "network",
                   "there is no server: the plugin itself answers");
    else if (lacks_key && koine_error_class(error) == KOINE_CLASS_AUTH)
        checks_add(patient->checks, CHECK_SKIPPED, "network", "nothing is sent without a key");
    bool was_told = lacks_key || (error != NULL && !ended_at(patient, "") && !ended_at(patient, "answer"));
    if (error == NULL || !was_told)
        check_models(patient);
}

void doctor_instance(struct checks *checks, koine_hub *hub, const koine_provider_handle *handle,
                     const koine_probe *probe)
{
    const koine_error *error = koine_probe_error(probe);
    const struct patient patient = {.checks = checks,
                                    .hub = hub,
                                    .handle = handle,
                                    .probe = probe,
                                    .name = koine_provider_name(handle),
                                    .words = error != NULL ? koine_error_message(error) : "",
                                    .step = koine_probe_step(probe)};
    checks_begin(checks, "instance", patient.name, "%s (%s)", patient.name, koine_provider_base_url(handle));
    check_key(&patient);
    if (probe != NULL)
        check_network(&patient);
    else
        checks_add(checks, CHECK_SKIPPED, "network", "--offline");
    check_targets(&patient);
}

void doctor_clock(struct checks *checks, const char *instance, const koine_probe *probe)
{
    int64_t ahead = koine_probe_clock_ahead_ms(probe), off = ahead < 0 ? -ahead : ahead;
    char time[WORDS_SIZE];
    checks_begin(checks, "clock", instance, "clock");
    words_time(off, time);
    if (off < 1000) { /* the header has whole seconds */
        checks_add(checks, CHECK_OK, instance, "this machine and the server agree to a second");
        return;
    }
    if (off <= CLOCK_OFF_MS) {
        checks_add(checks, CHECK_OK, instance, "this machine and the server agree to %s", time);
        return;
    }
    checks_add(checks, CHECK_WARNING, instance, "this machine's clock is %s %s the server's", time,
               ahead > 0 ? "ahead of" : "behind");
    checks_advise(
        checks, "timedatectl set-ntp true, unless the server is wrong: dates of prices and of advised waits "
                "depend on it");
}
