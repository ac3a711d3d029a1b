/* What calls leave in the metrics, and their text. */
#include "core/hub/client.h"

#include "tests/unit/failalloc.h"
#include "tests/unit/rig.h"
#include "tests/unit/suite.h"
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct rig rig;

/* ---- a checker of the text: every line parses, HELP and TYPE once, buckets grow, +Inf is the count ---- */

struct checked {
    char families[8192]; /* "\nname\n…" */
    char name[128], type[16];
    char series[4096]; /* of the histogram under way: labels without le */
    unsigned long long below, infinite;
    size_t samples;
};

static size_t name_length(const char *text)
{
    size_t len = strspn(text, "abcdefghijklmnopqrstuvwxyz_");
    return len + strspn(text + len, "abcdefghijklmnopqrstuvwxyz_0123456789");
}

/* Behind the value of a label, or NULL. */
static const char *skip_value(const char *at)
{
    if (*at++ != '"')
        return NULL;
    for (; *at != '"'; at++) {
        if (*at == '\0' || *at == '\n' || (*at == '\\' && !strchr("\\\"n", *++at)))
            return NULL;
    }
    return at + 1;
}

/* Behind the labels; those but `le` into `ret`, le's value into `ret_le`. */
static const char *skip_labels(const char *at, char *ret, char *ret_le)
{
    *ret = *ret_le = '\0';
    if (*at != '{')
        return at;
    do {
        const char *start = ++at;
        at += name_length(at);
        bool is_le = strncmp(start, "le=", 3) == 0;
        if (at == start || *at++ != '=')
            return NULL;
        const char *end = skip_value(at);
        if (!end)
            return NULL;
        if (is_le)
            sprintf(ret_le, "%.*s", (int)(end - at - 2), at + 1);
        else
            sprintf(ret + strlen(ret), "%.*s,", (int)(end - start), start);
        at = end;
    } while (*at == ',');
    return *at == '}' ? at + 1 : NULL;
}

static void check_histogram(struct checked *checked, const char *suffix, const char *labels, const char *le,
                            unsigned long long value)
{
    if (strcmp(suffix, "_bucket") == 0) {
        if (strcmp(labels, checked->series) != 0)
            checked->below = 0;
        snprintf(checked->series, sizeof(checked->series), "%s", labels);
        CU_ASSERT_TRUE(value >= checked->below);
        CU_ASSERT_TRUE(le[0] != '\0');
        checked->below = checked->infinite = value;
    } else if (strcmp(suffix, "_count") == 0) {
        ASSERT_STR(labels, checked->series);
        ASSERT_INT((long long)value, (long long)checked->infinite);
        checked->series[0] = '\0';
    } else {
        ASSERT_STR(suffix, "_sum");
    }
}

static void check_sample(struct checked *checked, const char *line)
{
    static char labels[4096], le[4096];
    char *end;
    size_t len = strlen(checked->name), name = name_length(line);
    CU_ASSERT_TRUE(name >= len && strncmp(line, checked->name, len) == 0);
    const char *at = skip_labels(line + name, labels, le);
    CU_ASSERT_PTR_NOT_NULL_FATAL(at);
    ASSERT_INT(*at, ' ');
    strtod(at + 1, &end);
    CU_ASSERT_TRUE(end > at + 1 && *end == '\n');
    char suffix[16] = "";
    snprintf(suffix, sizeof(suffix), "%.*s", (int)(name - len), line + len);
    if (strcmp(checked->type, "histogram") == 0)
        check_histogram(checked, suffix, labels, le, strtoull(at + 1, NULL, 10));
    else
        ASSERT_STR(suffix, "");
    checked->samples++;
}

static void check_text(const char *text, struct checked *checked)
{
    char help[128], entry[160];
    memset(checked, 0, sizeof(*checked));
    strcpy(checked->families, "\n");
    for (const char *line = text; *line; line = strchr(line, '\n') + 1) {
        CU_ASSERT_PTR_NOT_NULL_FATAL(strchr(line, '\n'));
        if (sscanf(line, "# HELP %127s", help) == 1) {
            snprintf(entry, sizeof(entry), "\n%s\n", help);
            CU_ASSERT_PTR_NULL(strstr(checked->families, entry));
            strcat(checked->families, entry + 1);
        } else if (sscanf(line, "# TYPE %127s %15s", checked->name, checked->type) == 2) {
            ASSERT_STR(checked->name, help);
        } else {
            check_sample(checked, line);
        }
    }
}

/* Writes and checks; yours to koine_free. */
static char *written(void)
{
    static struct checked checked;
    char *text = NULL;
    ASSERT_INT(koine_metrics_write(rig.hub, &text), KOINE_OK);
    CU_ASSERT_PTR_NOT_NULL_FATAL(text);
    check_text(text, &checked);
    return text;
}

static bool has(const char *text, const char *line)
{
    char whole[1024];
    snprintf(whole, sizeof(whole), "\n%s\n", line);
    if (strstr(text, whole))
        return true;
    fprintf(stderr, "# there is no line %s\n", line);
    return false;
}
#define HAS(line) CU_ASSERT_TRUE(has(text, line))

#define OPENAI_LABELS                                                                                        \
    "gen_ai_operation_name=\"chat\",gen_ai_provider_name=\"openai\",koine_instance=\"openai\","              \
    "gen_ai_request_model=\"gpt-4o-mini\",gen_ai_response_model=\"gpt-4o-mini\","                            \
    "server_address=\"api.openai.com\",server_port=\"443\""
#define OPENAI_ASKED                                                                                         \
    "gen_ai_operation_name=\"chat\",gen_ai_provider_name=\"openai\",koine_instance=\"openai\","              \
    "gen_ai_request_model=\"gpt-4o-mini\",server_address=\"api.openai.com\",server_port=\"443\""
#define TOGETHER_ASKED                                                                                       \
    "gen_ai_operation_name=\"chat\",gen_ai_provider_name=\"together\",koine_instance=\"together\","          \
    "gen_ai_request_model=\"m\",server_address=\"api.together.ai\",server_port=\"443\""

/* Together fails twice, OpenAI streams: 100 ms to the first word, 40 ms to the rest. */
static void of_a_call(void)
{
    const struct koine__replay_answer script[] = {
        {.repeat = true, ANSWER(TOGETHER_HOST, 503, ERROR("busy"))},
        {.match = OPENAI_HOST,
         .status = 200,
         HEADERS(HEADER("Content-Type", "text/event-stream")),
         BODY(PIECE(60, ROLE("gpt-4o-mini")), PIECE(40, TEXT("gpt-4o-mini", "Hel")),
              PIECE(40, TEXT("gpt-4o-mini", "lo") FINISH("gpt-4o-mini", "stop") USAGE(300, 5) DONE))}};
    if (!RIG(&rig, script))
        return;
    APPLY(&rig, "routes.default", "{targets: [together/m, openai/gpt-4o-mini]}",
          "providers.together.retry.max_retries", "1");
    koine_client *client = rig_client(&rig);
    koine_request *request = rig_request(NULL, "Hi");
    koine_call *call = NULL;
    ASSERT_INT(koine_start(client, request, &call, NULL), KOINE_OK);
    ASSERT_INT(rig_run(client, call), KOINE_EVENT_STOP);
    char *text = written();
    HAS("koine_attempts_total{" TOGETHER_ASKED ",error_type=\"overloaded\"} 2");
    HAS("koine_attempts_total{" OPENAI_LABELS "} 1");
    HAS("koine_retries_total{" TOGETHER_ASKED ",error_type=\"overloaded\"} 1");
    HAS("koine_fallbacks_total{" TOGETHER_ASKED ",error_type=\"overloaded\"} 1");
    HAS("gen_ai_client_operation_duration_seconds_bucket{" OPENAI_LABELS ",le=\"0.64\"} 0");
    HAS("gen_ai_client_operation_duration_seconds_bucket{" OPENAI_LABELS ",le=\"1.28\"} 1");
    HAS("gen_ai_client_operation_duration_seconds_bucket{" OPENAI_LABELS ",le=\"+Inf\"} 1");
    HAS("gen_ai_client_operation_duration_seconds_sum{" OPENAI_LABELS "} 1.14");
    HAS("gen_ai_client_operation_time_to_first_chunk_seconds_sum{" OPENAI_LABELS "} 0.1");
    HAS("gen_ai_server_time_per_output_token_seconds_sum{" OPENAI_LABELS "} 0.01");
    HAS("gen_ai_server_time_per_output_token_seconds_bucket{" OPENAI_LABELS ",le=\"0.01\"} 1");
    HAS("gen_ai_client_token_usage_sum{" OPENAI_LABELS ",gen_ai_token_type=\"input\"} 300");
    HAS("gen_ai_client_token_usage_bucket{" OPENAI_LABELS ",gen_ai_token_type=\"input\",le=\"256\"} 0");
    HAS("gen_ai_client_token_usage_bucket{" OPENAI_LABELS ",gen_ai_token_type=\"output\",le=\"16\"} 1");
    HAS("koine_tokens_total{" OPENAI_LABELS ",koine_token_type=\"output\",koine_estimated=\"false\"} 5");
    HAS("koine_cost_usd_total{" OPENAI_LABELS ",koine_estimated=\"false\"} 0.000048");
    HAS("koine_queue_wait_seconds_count{" OPENAI_LABELS "} 1");
    HAS("koine_call_overhead_seconds_count{" OPENAI_LABELS "} 1");
    koine_free(text);
    koine_call_free(call);
    koine_request_free(request);
    koine_client_free(client);
    rig_close(&rig);
}

static void of_a_fault(void)
{
    const struct koine__replay_answer script[] = {
        {.repeat = true, ANSWER(OPENAI_HOST, 400, ERROR("no such member"))}};
    if (!RIG(&rig, script))
        return;
    APPLY(&rig, "routes.default", "{targets: [openai/gpt-4o-mini]}");
    koine_client *client = rig_client(&rig);
    koine_request *request = rig_request(NULL, "Hi");
    koine_response *response = NULL;
    ASSERT_INT(koine_generate(client, request, &response, NULL), KOINE_EFAULT);
    char *text = written();
    HAS("gen_ai_client_operation_duration_seconds_count{" OPENAI_ASKED ",error_type=\"invalid\"} 1");
    HAS("koine_attempts_total{" OPENAI_ASKED ",error_type=\"invalid\"} 1");
    CU_ASSERT_PTR_NULL(strstr(text, "koine_tokens_total{"));
    koine_free(text);
    koine_request_free(request);
    koine_client_free(client);
    rig_close(&rig);
}

/* Five failures open the breaker; what is asked then is refused. */
static void of_a_breaker(void)
{
    const struct koine__replay_answer script[] = {{.repeat = true, ANSWER(OPENAI_HOST, 503, ERROR("busy"))}};
    koine_response *response = NULL;
    koine_notice *notice = NULL;
    if (!RIG(&rig, script))
        return;
    APPLY(&rig, "routes.default", "{targets: [openai/gpt-4o-mini]}", "providers.openai.retry.max_retries",
          "0", "providers.openai.limits", "{requests_per_minute: 100, concurrent: 3}");
    koine_client *client = rig_client(&rig);
    koine_request *request = rig_request(NULL, "Hi");
    for (int i = 0; i < 7; i++)
        ASSERT_INT(koine_generate(client, request, &response, NULL), KOINE_EFAULT);
    char *text = written();
    HAS("koine_attempts_total{" OPENAI_ASKED ",error_type=\"overloaded\"} 5");
    HAS("gen_ai_client_operation_duration_seconds_count{" OPENAI_ASKED ",error_type=\"refused\"} 2");
    HAS("koine_breaker_state{koine_instance=\"openai\",koine_state=\"open\"} 1");
    HAS("koine_breaker_state{koine_instance=\"openai\",koine_state=\"closed\"} 0");
    HAS("koine_breaker_state{koine_instance=\"together\",koine_state=\"closed\"} 1");
    HAS("koine_breaker_transitions_total{koine_instance=\"openai\",koine_state=\"open\"} 1");
    HAS("koine_notices_total{koine_instance=\"openai\",koine_kind=\"refused\"} 2");
    HAS("koine_queue_depth{koine_instance=\"openai\"} 0");
    HAS("koine_attempts_under_way{koine_instance=\"openai\"} 0");
    koine_free(text);
    ASSERT_INT(koine_hub_next_notice(rig.hub, &notice), 1);
    ASSERT_STR(koine_notice_kind_name(notice), "breaker_opened");
    ASSERT_STR(koine_notice_instance(notice), "openai");
    ASSERT_INT(koine_notice_until_ms(notice) - koine_notice_at_ms(notice), 30000);
    koine_notice_free(notice);
    ASSERT_INT(koine_hub_next_notice(rig.hub, &notice), 1);
    ASSERT_STR(koine_notice_kind_name(notice), "refused");
    ASSERT_INT(koine_notice_count(notice), 2);
    koine_notice_free(notice);
    koine_request_free(request);
    koine_client_free(client);
    rig_close(&rig);
}

/* ---- the page ---- */

static char *read_page(void)
{
    char path[PATH_MAX];
    const char *source = getenv("KOINE_TEST_SOURCE");
    char *text = calloc(1, 1 << 16);
    snprintf(path, sizeof(path), "%s/docs/observing.md", source ? source : ".");
    FILE *file = fopen(path, "re");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    CU_ASSERT_TRUE(fread(text, 1, (1 << 16) - 1, file) > 0);
    fclose(file);
    return text;
}

/* Each row of the table in docs/observing.md is a family, of that type, and each family has one. */
static void is_documented(void)
{
    if (!rig_open(&rig, NULL, 0))
        return;
    APPLY(&rig, NULL);
    char *text = written(), *page = read_page(), name[128], type[16], line[256];
    size_t rows = 0, families = 0;
    for (const char *at = strstr(page, "\n| metric |"); at && at[1] == '|'; at = strchr(at + 1, '\n')) {
        if (sscanf(at, "\n| `%127[a-z_]` | %15[a-z]", name, type) != 2)
            continue;
        snprintf(line, sizeof(line), "# TYPE %s %s", name, type);
        HAS(line);
        rows++;
    }
    for (const char *at = text; (at = strstr(at, "# TYPE ")); at++)
        families++;
    ASSERT_INT((long long)rows, (long long)families);
    free(page);
    koine_free(text);
    rig_close(&rig);
}

/* ---- what comes from outside ---- */

struct made_up { /* a call to a model of that name, that ended */
    struct koine__instance instance;
    struct koine__target target;
    struct koine__calls calls;
    struct koine__engine engine;
    struct koine_call call;
};

static void make_up(struct made_up *made, koine_client *client, const char *instance, const char *model,
                    const char *base_url)
{
    *made = (struct made_up){.instance = {.name = instance, .base_url = base_url}};
    made->target = (struct koine__target){.instance = &made->instance, .model = model};
    made->engine.loop = client->loop;
    made->calls.engine = &made->engine;
    made->call.calls = &made->calls;
}

static void end_call(struct made_up *made)
{
    const struct koine__observer *observer = &rig.hub->metrics->observer;
    observer->call_ended(observer, &made->call, &made->target, KOINE_CLASS_NONE, 10000);
}

static void escapes(void)
{
    if (!rig_open(&rig, NULL, 0))
        return;
    koine_client *client = rig_client(&rig);
    struct made_up made;
    make_up(&made, client, "lab", "a\"b\\c\nd\x01\xff\xc3\xa9", "http://[::1]:8000/v1");
    end_call(&made);
    make_up(&made, client, "local", "m", "local:");
    end_call(&made);
    make_up(&made, client, "plain", "m", "http://10.0.0.1/v1");
    end_call(&made);
    char *text = written();
    HAS("koine_call_overhead_seconds_count{gen_ai_operation_name=\"chat\",koine_instance=\"lab\","
        "gen_ai_request_model=\"a\\\"b\\\\c\\nd??\xc3\xa9\",server_address=\"::1\",server_port=\"8000\"} 1");
    HAS("koine_call_overhead_seconds_sum{gen_ai_operation_name=\"chat\",koine_instance=\"local\","
        "gen_ai_request_model=\"m\"} 0.00001");
    HAS("koine_call_overhead_seconds_count{gen_ai_operation_name=\"chat\",koine_instance=\"plain\","
        "gen_ai_request_model=\"m\",server_address=\"10.0.0.1\",server_port=\"80\"} 1");
    koine_free(text);
    koine_client_free(client);
    rig_close(&rig);
}

static void bounds_the_series(void)
{
    if (!rig_open(&rig, NULL, 0))
        return;
    koine_client *client = rig_client(&rig);
    struct made_up made;
    char model[32];
    for (int i = 0; i < 3000; i++) {
        snprintf(model, sizeof(model), "model-%d", i % 1500);
        make_up(&made, client, i % 2 ? "odd" : "even", model, "");
        end_call(&made);
    }
    char *text = written();
    HAS("koine_call_overhead_seconds_count{gen_ai_operation_name=\"chat\",koine_instance=\"odd\","
        "gen_ai_request_model=\"model-999\"} 2");
    HAS("koine_call_overhead_seconds_count{gen_ai_operation_name=\"chat\",koine_instance=\"even\","
        "gen_ai_request_model=\"other\"} 500");
    CU_ASSERT_PTR_NULL(strstr(text, "model-1000"));
    size_t series = 0;
    for (const char *at = text; (at = strstr(at, "\nkoine_call_overhead_seconds_count{")); at++)
        series++;
    ASSERT_INT((long long)series, 1002);
    koine_free(text);
    koine_client_free(client);
    rig_close(&rig);
}

/* ---- histograms ---- */

static void edges(void)
{
    struct koine__histogram histogram = {.count = 0};
    static const struct {
        int64_t value;
        size_t bucket;
    } cases[] = {{-5, 0}, {0, 0}, {1, 0}, {2, 1}, {4, 1}, {5, 2}, {67108864, 13}, {67108865, 14}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint64_t before = histogram.buckets[cases[i].bucket];
        koine__histogram_add(&histogram, &koine__bounds_tokens, cases[i].value);
        ASSERT_INT((long long)(histogram.buckets[cases[i].bucket] - before), 1);
    }
    ASSERT_INT((long long)histogram.count, 8);
    ASSERT_INT((long long)histogram.sum, 0 + 0 + 1 + 2 + 4 + 5 + 67108864 + 67108865);
    const struct koine__bounds *const all[] = {&koine__bounds_duration, &koine__bounds_token_time,
                                               &koine__bounds_tokens, &koine__bounds_wait,
                                               &koine__bounds_work};
    for (size_t i = 0; i < 5; i++) {
        CU_ASSERT_TRUE(all[i]->count < KOINE__METRICS_BUCKETS);
        for (size_t k = 1; k < all[i]->count; k++)
            CU_ASSERT_TRUE(all[i]->upto[k] > all[i]->upto[k - 1]);
    }
}

/* ---- notices, memory, threads ---- */

static void of_notices(void)
{
    if (!rig_open(&rig, NULL, 0))
        return;
    APPLY(&rig, NULL);
    for (int i = 0; i < 3; i++)
        koine__metrics_noticed(rig.hub->metrics, "together", KOINE_NOTICE_REFUSED);
    koine__metrics_noticed(rig.hub->metrics, "openai", KOINE_NOTICE_BREAKER_OPENED);
    koine__metrics_noticed(rig.hub->metrics, "openai", KOINE_NOTICE_BREAKER_CLOSED);
    koine__metrics_noticed(rig.hub->metrics, "openai", 77);
    koine__metrics_delivered(rig.hub->metrics, true);
    koine__metrics_delivered(rig.hub->metrics, false);
    char *text = written();
    HAS("koine_notices_total{koine_instance=\"together\",koine_kind=\"refused\"} 3");
    HAS("koine_notices_total{koine_instance=\"openai\",koine_kind=\"breaker_opened\"} 1");
    HAS("koine_breaker_transitions_total{koine_instance=\"openai\",koine_state=\"open\"} 1");
    HAS("koine_breaker_transitions_total{koine_instance=\"openai\",koine_state=\"closed\"} 1");
    HAS("koine_webhook_notices_total{koine_outcome=\"delivered\"} 1");
    HAS("koine_webhook_notices_total{koine_outcome=\"undeliverable\"} 1");
    HAS("koine_metrics_unrecorded_total 0");
    koine_free(text);
    ASSERT_INT(koine_metrics_write(NULL, &text), KOINE_EARGUMENT);
    ASSERT_INT(koine_metrics_write(rig.hub, NULL), KOINE_EARGUMENT);
    rig_close(&rig);
}

static void failing_allocations(void)
{
    if (!rig_open(&rig, NULL, 0))
        return;
    koine_client *client = rig_client(&rig);
    struct koine__metrics *hubs = rig.hub->metrics;
    struct made_up made;
    make_up(&made, client, "lab", "m", "http://127.0.0.1");
    for (long n = 1;; n++) {
        char *text = NULL;
        failalloc_begin(n);
        struct koine__metrics *own = koine__metrics_new();
        int rc = KOINE_EMEMORY;
        if (own) {
            own->observer.call_ended(&own->observer, &made.call, &made.target, KOINE_CLASS_NONE, 1);
            koine__metrics_noticed(own, "lab", KOINE_NOTICE_PAUSED);
            rc = koine__metrics_text(own, NULL, 0, &text);
        }
        CU_ASSERT_TRUE(rc == KOINE_EMEMORY || n > 4 || (own && own->unrecorded == 1));
        koine_free(text);
        koine__metrics_free(own);
        if (!failalloc_end()) {
            ASSERT_INT(rc, KOINE_OK);
            break;
        }
    }
    CU_ASSERT_PTR_EQUAL(rig.hub->metrics, hubs);
    koine_client_free(client);
    rig_close(&rig);
}

enum {
    THREADS = 4,
    ROUNDS = 300
};

static void *record(void *arg)
{
    struct made_up *made = arg;
    for (int i = 0; i < ROUNDS; i++) {
        end_call(made);
        koine__metrics_noticed(rig.hub->metrics, made->instance.name, KOINE_NOTICE_PAUSED);
    }
    return NULL;
}

/* Each thread has a loop of its own; meanwhile one writes. */
static void from_many_threads(void)
{
    struct made_up made[THREADS];
    struct koine__loop *loops[THREADS]; /* the rig's clock is for one thread */
    koine_client *client;
    pthread_t threads[THREADS];
    if (!rig_open(&rig, NULL, 0))
        return;
    client = rig_client(&rig);
    for (int i = 0; i < THREADS; i++) {
        make_up(&made[i], client, i % 2 ? "odd" : "even", "m", "");
        CU_ASSERT_FATAL(koine__loop_new(&koine__system_clock, &loops[i]) == KOINE_OK);
        made[i].engine.loop = loops[i];
    }
    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, record, &made[i]);
    for (int i = 0; i < 20; i++)
        koine_free(written());
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    char *text = written();
    HAS("koine_call_overhead_seconds_count{gen_ai_operation_name=\"chat\",koine_instance=\"odd\","
        "gen_ai_request_model=\"m\"} 600");
    HAS("koine_notices_total{koine_instance=\"even\",koine_kind=\"paused\"} 600");
    koine_free(text);
    for (int i = 0; i < THREADS; i++)
        koine__loop_free(loops[i]);
    koine_client_free(client);
    rig_close(&rig);
}

SUITE_MAIN("metrics", {"of a call", of_a_call}, {"of a fault", of_a_fault}, {"of a breaker", of_a_breaker},
           {"is documented", is_documented}, {"escapes", escapes}, {"bounds the series", bounds_the_series},
           {"edges", edges}, {"of notices", of_notices}, {"failing allocations", failing_allocations},
           {"from many threads", from_many_threads})
