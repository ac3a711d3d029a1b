/* Notices on their way to a webhook, on a virtual clock. */
#include "core/hub/client.h"

#include "tests/unit/rig.h"
#include "tests/unit/suite.h"
#include <koine/json.h>
#include <stdio.h>
#include <string.h>

#define HOOK   "//hook.test/"
#define SECRET "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="

static struct rig rig;
static char lines[1 << 14];

static void sink(void *user, int level, const char *line)
{
    size_t len = strlen(lines);
    (void)user;
    if (strstr(line, "event=webhook"))
        snprintf(lines + len, sizeof(lines) - len, "%d %s\n", level, line);
}

static koine_client *begin(const struct koine__replay_answer *script, size_t count)
{
    lines[0] = '\0';
    if (!rig_open(&rig, script, count))
        return NULL;
    koine_hub_set_log(rig.hub, 1, sink, NULL);
    APPLY(&rig, "webhook.url", "https://hook.test/koine", "webhook.secret", SECRET);
    return rig_client(&rig);
}

static void happen(const char *instance)
{
    rig.hub->notices.witness.saw(&rig.hub->notices.witness, &(struct koine__happening){
                                                                .kind = KOINE__HAPPENED_BREAKER_OPENED,
                                                                .instance = instance,
                                                                .model = "",
                                                                .class_number = KOINE_CLASS_SERVER,
                                                                .now = rig.now,
                                                                .until = rig.now + 30 * KOINE__SEC,
                                                                .why = "5 failures in 60s",
                                                            });
}

static size_t sent(void)
{
    return koine__replay_count(rig.transport);
}

static int64_t sent_ms(size_t i)
{
    return koine__replay_seen(rig.transport, i)->at / KOINE__MS;
}

/* The value of a header of a request; good until the next call but three. */
static const char *header(size_t i, const char *name)
{
    static char values[4][128];
    static unsigned turn;
    char *value = values[turn++ % 4], start[64];
    snprintf(start, sizeof(start), "%s: ", name);
    const char *at = strstr(koine__replay_seen(rig.transport, i)->headers, start);
    value[0] = '\0';
    if (at)
        snprintf(value, sizeof(values[0]), "%.*s", (int)strcspn(at + strlen(start), "\n"),
                 at + strlen(start));
    return value;
}

static void is_signed(size_t i)
{
    const struct koine__replay_seen *seen = koine__replay_seen(rig.transport, i);
    struct koine__secret *key = koine__secret_new(SECRET, strlen(SECRET));
    char digest[KOINE__HMAC_BASE64], expected[64];
    koine_str pieces[] = {koine__str(header(i, "webhook-id")),
                          KOINE__STR("."),
                          koine__str(header(i, "webhook-timestamp")),
                          KOINE__STR("."),
                          {seen->body, seen->body_len}};
    koine__hmac_base64(key, pieces, 5, digest);
    snprintf(expected, sizeof(expected), "v1,%s", digest);
    ASSERT_STR(header(i, "webhook-signature"), expected);
    koine__secret_unref(key);
}

static void sends(void)
{
    const struct koine__replay_answer script[] = {{.match = HOOK, .status = 204, .repeat = true}};
    koine_client *client = begin(script, 1);
    if (!client)
        return;
    happen("together");
    happen("openai");
    ASSERT_INT(koine_deliver_notices(client, 60000), 1);
    ASSERT_INT((long long)sent(), 2);
    const struct koine__replay_seen *seen = koine__replay_seen(rig.transport, 0);
    char expected[512];
    snprintf(expected, sizeof(expected),
             "{\"version\":1,\"id\":\"%s\",\"type\":\"breaker_opened\",\"at_ms\":1735732800000,\"until_ms\":"
             "1735732830000,\"instance\":\"together\",\"class\":\"server\",\"message\":\"5 failures in 60s\","
             "\"count\":1}",
             header(0, "webhook-id"));
    ASSERT_STR(seen->body, expected);
    ASSERT_STR(seen->method, "POST");
    ASSERT_STR(seen->url, "https://hook.test/koine");
    ASSERT_STR(header(0, "Content-Type"), "application/json");
    ASSERT_STR(header(0, "webhook-timestamp"), "1735732800");
    CU_ASSERT_PTR_NULL(strstr(seen->headers, "uthorization"));
    CU_ASSERT_PTR_NULL(strstr(seen->headers, "KEY-"));
    is_signed(0);
    is_signed(1);
    CU_ASSERT_STRING_NOT_EQUAL(header(0, "webhook-id"), header(1, "webhook-id"));
    ASSERT_INT((long long)rig.hub->metrics->delivered, 2);
    ASSERT_STR(lines, "");
    koine_client_free(client);
    rig_close(&rig);
}

static void tries_again(void)
{
    const struct koine__replay_answer script[] = {
        {.match = HOOK, .status = 500},
        {.match = HOOK, .status = 429, HEADERS(HEADER("Retry-After", "7"))},
        {.match = HOOK, .fault_class = KOINE_CLASS_RESET},
        {.match = HOOK, .status = 200},
    };
    koine_client *client = begin(script, 4);
    if (!client)
        return;
    happen("together");
    ASSERT_INT(koine_deliver_notices(client, -1), 1);
    ASSERT_INT((long long)sent(), 4);
    CU_ASSERT_TRUE(sent_ms(1) >= 500 && sent_ms(1) <= 1000);
    CU_ASSERT_TRUE(sent_ms(2) - sent_ms(1) >= 7000 && sent_ms(2) - sent_ms(1) <= 7700);
    CU_ASSERT_TRUE(sent_ms(3) - sent_ms(2) >= 2000 && sent_ms(3) - sent_ms(2) <= 4000);
    for (size_t i = 0; i < 4; i++) {
        ASSERT_STR(header(i, "webhook-id"), header(0, "webhook-id"));
        ASSERT_STR(koine__replay_seen(rig.transport, i)->body, koine__replay_seen(rig.transport, 0)->body);
        is_signed(i);
    }
    ASSERT_INT((long long)rig.hub->metrics->delivered, 1);
    koine_client_free(client);
    rig_close(&rig);
}

static void gives_up(void)
{
    const struct {
        struct koine__replay_answer answer;
        size_t requests;
        int64_t least_ms, most_ms;
        const char *logged;
    } cases[] = {
        {{.match = HOOK, .repeat = true, .status = 503}, 4, 3500, 7000, "class=server status=503 retries=3"},
        {{.match = HOOK, .repeat = true, .hang = true}, 4, 43500, 47000, "class=timeout status=0 retries=3"},
        {{.match = HOOK, .repeat = true, .status = 302, HEADERS(HEADER("Location", "https://hook.test/b"))},
         1,
         0,
         0,
         "class=invalid status=302 retries=0"},
        {{.match = HOOK, .repeat = true, .status = 404}, 1, 0, 0, "class=invalid status=404 retries=0"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        koine_client *client = begin(&cases[i].answer, 1);
        if (!client)
            return;
        happen("together");
        ASSERT_INT(koine_deliver_notices(client, -1), 1);
        ASSERT_INT((long long)sent(), (long long)cases[i].requests);
        CU_ASSERT_TRUE(rig.now / KOINE__MS >= cases[i].least_ms && rig.now / KOINE__MS <= cases[i].most_ms);
        CU_ASSERT_PTR_NOT_NULL(strstr(lines, cases[i].logged));
        ASSERT_INT((long long)rig.hub->metrics->undelivered, 1);
        koine_client_free(client);
        rig_close(&rig);
    }
}

/* One hangs: the call beside it takes what it takes, and the wait is bounded. */
static void delays_nothing(void)
{
    const struct koine__replay_answer script[] = {
        {.match = HOOK, .repeat = true, .hang = true},
        {.repeat = true, ANSWER(OPENAI_HOST, 200, WHOLE("gpt-4o-mini"))}};
    koine_client *client = begin(script, 2);
    if (!client)
        return;
    koine_request *request = rig_request("openai/gpt-4o-mini", "Hi");
    koine_response *response = NULL;
    happen("together");
    ASSERT_INT(koine_process(client), KOINE_OK);
    ASSERT_INT((long long)sent(), 1);
    ASSERT_INT(koine_generate(client, request, &response, NULL), KOINE_OK);
    ASSERT_INT(rig.now, 0);
    ASSERT_INT(koine_deliver_notices(client, 3000), 0);
    ASSERT_INT(rig.now / KOINE__MS, 3000);
    ASSERT_INT(koine_deliver_notices(client, 0), 0);
    koine_response_free(response);
    koine_request_free(request);
    koine_client_free(client);
    rig_close(&rig);
}

/* A client goes in the middle, another one goes on; a hub that goes says what it held. */
static void hands_back(void)
{
    const struct koine__replay_answer script[] = {{.match = HOOK, .hang = true},
                                                  {.match = HOOK, .status = 200}};
    char id[64];
    koine_client *client = begin(script, 2);
    if (!client)
        return;
    happen("together");
    ASSERT_INT(koine_process(client), KOINE_OK);
    snprintf(id, sizeof(id), "%s", header(0, "webhook-id"));
    koine_client_free(client);
    client = rig_client(&rig);
    const struct koine__replay_answer *good = &script[1];
    rig.answers = good;
    koine_client_free(client);
    rig.answer_count = 1;
    client = rig_client(&rig);
    ASSERT_INT(koine_deliver_notices(client, -1), 1);
    ASSERT_STR(header(0, "webhook-id"), id);
    happen("together");
    koine_client_free(client);
    rig_close(&rig);
    CU_ASSERT_PTR_NOT_NULL(strstr(lines, "event=webhook_unsent notices=1"));
}

/* A client that is not processed any more keeps nobody waiting. */
static void sleeps(void)
{
    const struct koine__replay_answer script[] = {{.match = HOOK, .hang = true},
                                                  {.match = HOOK, .status = 200}};
    koine_client *sleeper = begin(script, 1);
    if (!sleeper)
        return;
    happen("together");
    ASSERT_INT(koine_process(sleeper), KOINE_OK);
    rig.answers = &script[1];
    koine_client *client = rig_client(&rig);
    ASSERT_INT(koine_deliver_notices(client, 9000), 0);
    ASSERT_INT((long long)sent(), 0);
    ASSERT_INT(koine_deliver_notices(client, 3000), 1);
    ASSERT_INT((long long)sent(), 1);
    ASSERT_INT(rig.now / KOINE__MS, 11000);
    ASSERT_INT(koine_process(sleeper), KOINE_OK); /* comes too late, and changes nothing */
    ASSERT_INT((long long)rig.hub->metrics->delivered, 1);
    ASSERT_INT((long long)rig.hub->metrics->undelivered, 0);
    koine_client_free(sleeper);
    koine_client_free(client);
    rig_close(&rig);
}

static void is_configured(void)
{
    koine_error *error = NULL;
    const struct koine__replay_answer script[] = {{.match = HOOK, .repeat = true, .status = 200}};
    if (!rig_open(&rig, script, 1))
        return;
    koine_hub_set(rig.hub, "webhook.url", "https://hook.test/koine");
    ASSERT_INT(koine_hub_apply(rig.hub, &error), KOINE_ECONFIG);
    ASSERT_STR(rig_message(error),
               "koine_hub_set: webhook.url: nothing is sent unsigned; set webhook.secret, too");
    APPLY(&rig, "webhook.secret", "s", "webhook.kinds", "[paused, lost]", "webhook.max_retries", "0");
    ASSERT_INT(rig.hub->notices.outgoing_kinds, 1 << KOINE_NOTICE_PAUSED | 1 << KOINE_NOTICE_LOST);
    koine_client *client = rig_client(&rig);
    happen("together");
    ASSERT_INT(koine_deliver_notices(client, -1), 1);
    ASSERT_INT((long long)sent(), 0);
    ASSERT_INT(koine_deliver_notices(NULL, 0), KOINE_EARGUMENT);
    koine_client_free(client);
    rig_close(&rig);
}

SUITE_MAIN("webhook", {"sends", sends}, {"tries again", tries_again}, {"gives up", gives_up},
           {"delays nothing", delays_nothing}, {"hands back", hands_back}, {"sleeps", sleeps},
           {"is configured", is_configured})
