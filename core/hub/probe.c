/* probe: one list_models, and what was seen on its way. */
#include "core/hub/client.h"

#include <string.h>

struct koine_probe {
    struct koine__way way;
    koine_error *error;
    koine_models *models;
    int status;
    int64_t time; /* ns */
};

/* ---- running ---- */

static int64_t now_of(const struct koine_client *client)
{
    return koine__now(koine__loop_clock(client->loop));
}

/* A fault of the call is what the probe was for; anything else is an error of ours. */
static int take_fault(struct koine_probe *probe, int rc, koine_error *error, koine_error **ret_error)
{
    if (error && error->number == KOINE_EFAULT) {
        probe->error = error;
        probe->status = koine_error_status(error);
        return KOINE_OK;
    }
    if (ret_error)
        *ret_error = error;
    else
        koine_error_free(error);
    return rc;
}

static int ask(struct koine_client *client, const char *instance, int64_t timeout_ms,
               struct koine_probe *probe, koine_error **ret_error)
{
    const struct koine__listing how = {.once = true, .deadline = timeout_ms * KOINE__MS, .way = &probe->way};
    koine_response *answer;
    koine_error *error = NULL;
    int rc = koine__client_list(client, instance, &how, &answer, &error);
    if (rc != KOINE_OK)
        return take_fault(probe, rc, error, ret_error);
    probe->status = koine_response_attempt_status(answer, 0);
    return koine__client_models(client, instance, answer, &probe->models, ret_error);
}

int koine_probe_run(koine_client *client, const char *instance, int64_t timeout_ms, koine_probe **ret,
                    koine_error **ret_error)
{
    if (!client || !instance || !ret || timeout_ms < 0 || timeout_ms > INT64_MAX / KOINE__MS)
        return koine__error(
            ret_error, KOINE_EARGUMENT,
            "koine_probe_run: the client, the instance or ret is NULL, or the time is out of range");
    struct koine_probe *probe = koine__alloc(sizeof(*probe));
    if (!probe)
        return koine__error_memory(ret_error);
    int64_t began = now_of(client);
    int rc = ask(client, instance, timeout_ms, probe, ret_error);
    probe->time = now_of(client) - began;
    if (rc == KOINE_OK)
        *ret = probe;
    else
        koine_probe_free(probe);
    return rc;
}

void koine_probe_free(koine_probe *probe)
{
    if (!probe)
        return;
    koine_error_free(probe->error);
    koine_models_free(probe->models);
    koine__dealloc(probe);
}

/* ---- getters ---- */

const koine_error *koine_probe_error(const koine_probe *probe)
{
    return probe ? probe->error : NULL;
}

const koine_models *koine_probe_models(const koine_probe *probe)
{
    return probe ? probe->models : NULL;
}

int koine_probe_status(const koine_probe *probe)
{
    return probe ? probe->status : 0;
}

int64_t koine_probe_ms(const koine_probe *probe)
{
    return probe ? probe->time / KOINE__MS : 0;
}

static const struct koine__way *way_of(const koine_probe *probe)
{
    static const struct koine__way none;
    return probe ? &probe->way : &none;
}

const char *koine_probe_step(const koine_probe *probe)
{
    static const char *const names[] = {"", "dns", "connect", "proxy", "tls", "answer"};
    return names[way_of(probe)->step];
}

const char *koine_probe_host(const koine_probe *probe)
{
    return way_of(probe)->host;
}

int koine_probe_port(const koine_probe *probe)
{
    return way_of(probe)->port;
}

int koine_probe_uses_tls(const koine_probe *probe)
{
    return way_of(probe)->tls;
}

const char *koine_probe_address(const koine_probe *probe, size_t index)
{
    const struct koine__way *way = way_of(probe);
    return index < way->address_count ? way->addresses[index] : NULL;
}

const char *koine_probe_proxy(const koine_probe *probe)
{
    return way_of(probe)->proxy;
}

const char *koine_probe_proxy_variable(const koine_probe *probe)
{
    return way_of(probe)->proxy_variable;
}

/* Rounded to the nearest. */
static int64_t between(int64_t from, int64_t to)
{
    return to > 0 && to >= from ? (to - from + KOINE__MS / 2) / KOINE__MS : -1;
}

int64_t koine_probe_dns_ms(const koine_probe *probe)
{
    return way_of(probe)->step > KOINE__STEP_DNS ? between(0, way_of(probe)->resolved) : -1;
}

int64_t koine_probe_connect_ms(const koine_probe *probe)
{
    return between(way_of(probe)->resolved, way_of(probe)->connected);
}

int64_t koine_probe_tls_ms(const koine_probe *probe)
{
    return between(way_of(probe)->connected, way_of(probe)->secured);
}

const char *koine_probe_tls_version(const koine_probe *probe)
{
    return way_of(probe)->tls_version;
}

const char *koine_probe_http_version(const koine_probe *probe)
{
    return way_of(probe)->http_version ? way_of(probe)->http_version : "";
}

int64_t koine_probe_certificate_end(const koine_probe *probe)
{
    return way_of(probe)->certificate_end > 0 ? way_of(probe)->certificate_end : -1;
}

int64_t koine_probe_server_date(const koine_probe *probe)
{
    return way_of(probe)->date_seen > 0 ? way_of(probe)->date : -1;
}

/* The header has whole seconds, cut off: on average the server's clock was half a second further. */
int64_t koine_probe_clock_ahead_ms(const koine_probe *probe)
{
    const struct koine__way *way = way_of(probe);
    return way->date_seen > 0 ? way->date_seen / KOINE__MS - way->date * 1000 - 500 : 0;
}
