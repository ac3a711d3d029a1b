#include "core/hub/fork.h"

#include "core/hub/client.h"
#include "core/plugin/loader.h"
#include "tests/unit/failalloc.h"
#include "tests/unit/rig.h"
#include "tests/unit/suite.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define LONGEST_TEST 60 /* seconds, after which a child that hangs is ended */

/* What a child finds: 0, or the line of what it did not expect. */
#define EXPECT(what)                                                                                         \
    do {                                                                                                     \
        if (!(what))                                                                                         \
            return __LINE__;                                                                                 \
    } while (0)

#ifdef KOINE_COVERAGE /* _exit does not write what was counted */
extern void __gcov_dump(void);
static void write_coverage(void)
{
    __gcov_dump();
}
#else
static void write_coverage(void)
{
}
#endif

/* Runs it in a child; fails the test unless it gives 0. */
static void in_child(int (*work)(void *arg), void *arg)
{
    int ends[2], status = 0, found = -1;
    CU_ASSERT_EQUAL_FATAL(pipe(ends), 0);
    fflush(stdout);
    pid_t pid = fork();
    CU_ASSERT_TRUE_FATAL(pid >= 0);
    if (pid == 0) {
        alarm(LONGEST_TEST);
        found = work(arg);
        write_coverage();
        _exit(write(ends[1], &found, sizeof(found)) != sizeof(found));
    }
    close(ends[1]);
    CU_ASSERT_EQUAL(read(ends[0], &found, sizeof(found)), sizeof(found));
    close(ends[0]);
    CU_ASSERT_EQUAL(waitpid(pid, &status, 0), pid);
    ASSERT_INT(status, 0);
    ASSERT_INT(found, 0); /* else the line */
}

/* ---- generations ---- */

static int one_more(void *arg)
{
    unsigned before = *(unsigned *)arg;
    EXPECT(koine__fork_generation() == before + 1);
    pid_t pid = fork();
    if (pid == 0)
        _exit(koine__fork_generation() != before + 2);
    int status = -1;
    EXPECT(waitpid(pid, &status, 0) == pid && status == 0);
    EXPECT(koine__fork_generation() == before + 1);
    return 0;
}

static void generations(void)
{
    unsigned generation = koine__fork_generation();
    CU_ASSERT_EQUAL(koine__fork_generation(), generation);
    in_child(one_more, &generation);
    CU_ASSERT_EQUAL(koine__fork_generation(), generation);
}

/* ---- what belongs to the parent ---- */

struct family { /* all that an application may hold at a fork */
    struct rig rig;
    koine_client *client;
    koine_request *request;
    koine_call *call, *silent;
    koine_canceller *canceller;
    koine_providers *providers;
    koine_models *models;
    const koine_event *event;
};

static int hub_is_refused(koine_hub *hub)
{
    koine_usage usage = KOINE_USAGE_INIT;
    koine_cost cost = KOINE_COST_INIT;
    koine_error *error = NULL;
    koine_client *client = NULL;
    koine_models *models = NULL;
    koine_providers *providers = NULL;
    char *text = NULL;
    EXPECT(koine_hub_set(hub, "parameters", "warn") == KOINE_EFORK);
    EXPECT(koine_hub_load(hub, NULL, &error) == KOINE_EFORK);
    EXPECT(koine_error_number(error) == KOINE_EFORK);
    EXPECT(strcmp(koine_error_message(error), "koine_hub_load: this hub belongs to the parent process") == 0);
    koine_error_free(error);
    EXPECT(koine_hub_load_environment(hub, NULL) == KOINE_EFORK);
    EXPECT(koine_hub_apply(hub, NULL) == KOINE_EFORK);
    EXPECT(koine_hub_show(hub, &text) == KOINE_EFORK);
    EXPECT(koine_hub_set_log(hub, 3, NULL, NULL) == KOINE_EFORK);
    EXPECT(koine_hub_list_providers(hub, &providers, NULL) == KOINE_EFORK);
    EXPECT(koine_hub_models(hub, NULL, &models, NULL) == KOINE_EFORK);
    EXPECT(koine_calculate_cost(hub, "together/" LLAMA, &usage, -1, &cost) == KOINE_EFORK);
    EXPECT(koine_client_new(hub, &client, NULL) == KOINE_EFORK);
    EXPECT(!koine_hub_provider(hub, "together"));
    EXPECT(!koine_hub_route(hub, 0));
    EXPECT(!koine_hub_plugin_folder(hub, 0));
    EXPECT(!*koine_hub_file(hub));
    EXPECT(!text && !client && !models && !providers);
    return 0;
}

static int client_is_refused(const struct family *family)
{
    koine_response *response = NULL;
    koine_models *models = NULL;
    koine_call *call = NULL;
    const koine_event *event = NULL;
    koine_error *error = NULL;
    EXPECT(koine_generate(family->client, family->request, &response, &error) == KOINE_EFORK);
    EXPECT(koine_error_number(error) == KOINE_EFORK);
    koine_error_free(error);
    EXPECT(koine_start(family->client, family->request, &call, NULL) == KOINE_EFORK);
    EXPECT(koine_list_models(family->client, "together", &models, NULL) == KOINE_EFORK);
    EXPECT(koine_next(family->client, &call, &event) == KOINE_EFORK);
    EXPECT(koine_fd(family->client) == KOINE_EFORK);
    EXPECT(koine_process(family->client) == KOINE_EFORK);
    EXPECT(koine_wait(family->client, 0) == KOINE_EFORK);
    koine_call_cancel(family->call); /* neither is done */
    koine_call_free(family->call);
    EXPECT(!response && !models && !call && !event);
    return 0;
}

static int everything_is_refused(void *arg)
{
    struct family *family = arg;
    int line = hub_is_refused(family->rig.hub);
    return line ? line : client_is_refused(family);
}

/* What was answered, and what is only read, can still be read. */
static int getters_go_on(void *arg)
{
    const struct family *family = arg;
    EXPECT(koine_event_kind(family->event) == KOINE_EVENT_START);
    EXPECT(koine_call_user(family->call) == NULL);
    EXPECT(!koine_call_response(family->call));
    EXPECT(koine_providers_count(family->providers) >= 2);
    EXPECT(strcmp(koine_provider_name(koine_providers_handle(family->providers, 0)), "together") == 0);
    EXPECT(koine_models_count(family->models) > 0);
    EXPECT(!koine_canceller_is_cancelled(family->canceller));
    return 0;
}

/* All of the family's memory goes, in whatever order. */
static int free_everything(void *arg)
{
    struct family *family = arg;
    koine_hub_free(family->rig.hub);
    koine_canceller_free(family->canceller);
    koine_client_free(family->client);
    koine_request_free(family->request);
    koine_models_free(family->models);
    koine_providers_free(family->providers);
    koine__plugins_forget();
    EXPECT(failalloc_held() == 0);
    return 0;
}

#define SLOW_STREAM                                                                                          \
    {                                                                                                        \
        .match = "\"ask\"", .status = 200,                                                                   \
        BODY(PIECE(10, ROLE("m")), PIECE(10, TEXT("m", "Hel") TEXT("m", "lo")),                              \
             PIECE(100, FINISH("m", "stop") DONE))                                                           \
    }

static const char *const *more_settings; /* of the family's hub; NULL: none */

/* One call whose answer has begun, with an event lent and others unread, and one that is silent. */
static bool begin(struct family *family, const struct koine__replay_answer *script, size_t count)
{
    koine_call *call = NULL;
    failalloc_begin(0);
    *family = (struct family){.call = NULL};
    if (!rig_open(&family->rig, script, count)) {
        failalloc_end();
        return false;
    }
    if (more_settings)
        rig_apply(&family->rig, more_settings);
    family->client = rig_client(&family->rig);
    family->request = rig_request("together/m", "ask");
    ASSERT_INT(koine_canceller_new(&family->canceller), KOINE_OK);
    ASSERT_INT(koine_hub_list_providers(family->rig.hub, &family->providers, NULL), KOINE_OK);
    ASSERT_INT(koine_hub_models(family->rig.hub, "together", &family->models, NULL), KOINE_OK);
    ASSERT_INT(koine_start(family->client, family->request, &family->call, NULL), KOINE_OK);
    ASSERT_INT(koine_request_set_canceller(family->request, family->canceller), KOINE_OK);
    ASSERT_INT(koine_start(family->client, family->request, &family->silent, NULL), KOINE_OK);
    while (family->rig.now < 20 * 1000000)
        ASSERT_INT(koine_wait(family->client, 5), KOINE_OK);
    ASSERT_INT(koine_next(family->client, &call, &family->event), 1);
    return true;
}

static void end(struct family *family)
{
    free_everything(family);
    failalloc_end();
}

static bool is_readable(const koine_client *client)
{
    struct pollfd waited = {.fd = koine_fd(client), .events = POLLIN};
    return poll(&waited, 1, 0) == 1;
}

static void refused_in_a_child(void)
{
    const struct koine__replay_answer script[] = {SLOW_STREAM, {.repeat = true, .match = NULL, .hang = true}};
    struct family family;
    if (!begin(&family, script, 2))
        return;
    in_child(everything_is_refused, &family);
    in_child(getters_go_on, &family);
    ASSERT_INT(rig_run(family.client, family.call), KOINE_EVENT_STOP); /* the parent's still works */
    ASSERT_STR(koine_response_text(koine_call_response(family.call), NULL), "Hello");
    end(&family);
}

/* What the child frees is its own copy: the parent's events, descriptors and watches are as they were. */
static void freed_in_a_child(void)
{
    const struct koine__replay_answer script[] = {SLOW_STREAM, {.repeat = true, .match = NULL, .hang = true}};
    struct family family;
    if (!begin(&family, script, 2))
        return;
    CU_ASSERT_TRUE(is_readable(family.client));
    in_child(free_everything, &family);
    CU_ASSERT_TRUE(is_readable(family.client));
    ASSERT_INT(koine_event_kind(family.event), KOINE_EVENT_START);
    koine_cancel(family.canceller); /* is watched as before */
    ASSERT_INT(koine_process(family.client), KOINE_OK);
    ASSERT_INT(koine_error_class(koine_call_error(family.silent)), KOINE_CLASS_CANCELLED);
    ASSERT_INT(rig_run(family.client, family.call), KOINE_EVENT_STOP);
    ASSERT_STR(koine_response_text(koine_call_response(family.call), NULL), "Hello");
    end(&family);
}

/* Another thread of the parent was about to settle when it forked: the child does not wait for it. */
static void budget_locked_at_the_fork(void)
{
    const struct koine__replay_answer script[] = {SLOW_STREAM, {.repeat = true, .match = NULL, .hang = true}};
    struct family family;
    more_settings = (const char *const[]){"budgets.run", "5", "budgets.unpriced", "allow", NULL};
    bool begun = begin(&family, script, 2);
    more_settings = NULL;
    if (!begun)
        return;
    struct koine__budget *run = koine__runs_budget(family.rig.hub->runs, family.rig.hub->run, 1);
    pthread_mutex_lock(&run->mutex);
    in_child(free_everything, &family);
    pthread_mutex_unlock(&run->mutex);
    end(&family);
}

/* A child may have a hub of its own, made of the same plugins. */
static int lives_its_own_life(void *arg)
{
    const struct koine__replay_answer script[] = {{ANSWER(TOGETHER_HOST, 200, WHOLE("m"))}};
    struct rig rig;
    koine_response *response = NULL;
    (void)arg;
    EXPECT(RIG(&rig, script));
    koine_client *client = rig_client(&rig);
    koine_request *request = rig_request("together/m", "Hi");
    EXPECT(koine_generate(client, request, &response, NULL) == KOINE_OK);
    EXPECT(strcmp(koine_response_text(response, NULL), "Hello") == 0);
    koine_response_free(response);
    koine_request_free(request);
    koine_client_free(client);
    rig_close(&rig);
    return 0;
}

static void child_with_a_hub_of_its_own(void)
{
    if (rig_plugins())
        in_child(lives_its_own_life, NULL);
}

/* Another thread of the parent was inside the hub when it forked. */
static int free_a_locked_one(void *arg)
{
    koine_hub_free(arg);
    return 0;
}

static void locked_at_the_fork(void)
{
    koine_hub *hub = NULL;
    ASSERT_INT(koine_hub_new(&hub, NULL), KOINE_OK);
    pthread_mutex_lock(&hub->mutex);
    in_child(free_a_locked_one, hub);
    pthread_mutex_unlock(&hub->mutex);
    koine_hub_free(hub);
}

/* ---- with real connections ---- */

struct server {
    int listener, connection;
    int port;
};

static void listen_on_loopback(struct server *server)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);
    server->connection = -1;
    server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CU_ASSERT_EQUAL_FATAL(bind(server->listener, (struct sockaddr *)&address, len), 0);
    CU_ASSERT_EQUAL_FATAL(listen(server->listener, 4), 0);
    CU_ASSERT_EQUAL_FATAL(getsockname(server->listener, (struct sockaddr *)&address, &len), 0);
    server->port = ntohs(address.sin_port);
}

static bool waits_for_reading(int fd)
{
    struct pollfd waited = {.fd = fd, .events = POLLIN};
    return poll(&waited, 1, 0) == 1;
}

/* Moves the client until the descriptor can be read. */
static void move_until(koine_client *client, int fd)
{
    for (int i = 0; i < 1000 && !waits_for_reading(fd); i++)
        ASSERT_INT(koine_wait(client, 20), KOINE_OK);
    CU_ASSERT_TRUE_FATAL(waits_for_reading(fd));
}

static void take_request(struct server *server, koine_client *client)
{
    char text[8192] = "";
    size_t used = 0;
    while (!strstr(text, "\r\n\r\n") || text[used - 1] != '}') {
        move_until(client, server->connection);
        ssize_t got = read(server->connection, text + used, sizeof(text) - 1 - used);
        CU_ASSERT_TRUE_FATAL(got > 0);
        used += (size_t)got;
        text[used] = '\0';
    }
    CU_ASSERT_EQUAL(strncmp(text, "POST /v1/chat/completions HTTP/1.1\r\n", 36), 0);
}

static void answer(const struct server *server)
{
    static const char body[] = WHOLE("m");
    char text[1024];
    int len = snprintf(text, sizeof(text),
                       "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
                       sizeof(body) - 1, body);
    CU_ASSERT_EQUAL(write(server->connection, text, (size_t)len), len);
}

static koine_hub *hub_for(const struct server *server)
{
    char text[PATH_MAX + 64];
    koine_hub *hub = NULL;
    ASSERT_INT(koine_hub_new(&hub, NULL), KOINE_OK);
    snprintf(text, sizeof(text), "[\"%s\"]", rig_plugins());
    ASSERT_INT(koine_hub_set(hub, "plugin_path", text), KOINE_OK);
    snprintf(text, sizeof(text), "{plugin: openai, price: free, base_url: \"http://127.0.0.1:%d/v1\"}",
             server->port);
    ASSERT_INT(koine_hub_set(hub, "providers.lab", text), KOINE_OK);
    return hub;
}

static koine_call *start(koine_client *client)
{
    koine_call *call = NULL;
    koine_request *request = rig_request("lab/m", "Hi");
    ASSERT_INT(koine_request_set_stream(request, 0), KOINE_OK);
    ASSERT_INT(koine_start(client, request, &call, NULL), KOINE_OK);
    koine_request_free(request);
    CU_ASSERT_PTR_NOT_NULL_FATAL(call);
    return call;
}

struct pair {
    koine_hub *hub;
    koine_client *client;
};

static int free_both(void *arg)
{
    struct pair *pair = arg;
    koine_client_free(pair->client);
    koine_hub_free(pair->hub);
    return 0;
}

/* A request is under way when the process forks, and the child frees all it has: the answer still comes, and
 * the connection serves again. */
static void connections_stay_the_parents(void)
{
    struct server server;
    struct pair pair = {NULL, NULL};
    if (!rig_plugins())
        return;
    listen_on_loopback(&server);
    pair.hub = hub_for(&server);
    ASSERT_INT(koine_client_new(pair.hub, &pair.client, NULL), KOINE_OK);
    koine_call *call = start(pair.client);
    move_until(pair.client, server.listener);
    server.connection = accept(server.listener, NULL, NULL);
    take_request(&server, pair.client);
    in_child(free_both, &pair);
    CU_ASSERT_FALSE(waits_for_reading(server.connection)); /* nor was it closed */
    answer(&server);
    ASSERT_INT(rig_run(pair.client, call), KOINE_EVENT_STOP);
    ASSERT_STR(koine_response_text(koine_call_response(call), NULL), "Hello");
    koine_call_free(call);
    call = start(pair.client);
    take_request(&server, pair.client);
    CU_ASSERT_FALSE(waits_for_reading(server.listener));
    answer(&server);
    ASSERT_INT(rig_run(pair.client, call), KOINE_EVENT_STOP);
    koine_call_free(call);
    free_both(&pair);
    close(server.connection);
    close(server.listener);
}

SUITE_MAIN("fork", {"generations", generations}, {"refused in a child", refused_in_a_child},
           {"freed in a child", freed_in_a_child},
           {"child with a hub of its own", child_with_a_hub_of_its_own},
           {"budget locked at the fork", budget_locked_at_the_fork},
           {"locked at the fork", locked_at_the_fork},
           {"connections stay the parent's", connections_stay_the_parents})
