#include "core/plugin/host.h"

#include "core/dialect/chat.h"
#include "tests/unit/suite.h"
#include <stdio.h>
#include <string.h>

static char last_line[4096];
static int last_level;

static void sink(void *user, int level, const char *line)
{
    (void)user;
    last_level = level;
    snprintf(last_line, sizeof(last_line), "%s", line);
}

static struct koine__host host_of(struct koine__host_env env)
{
    struct koine__host host;
    koine__host_init(&host, &env);
    last_line[0] = '\0';
    last_level = -1;
    return host;
}

static void logs(void)
{
    struct koine__log log;
    koine__log_init(&log);
    koine__log_set(&log, KOINE__LOG_INFO, sink, NULL);
    struct koine__host host = host_of((struct koine__host_env){.log = &log, .instance = "lab"});
    host.pub.log(&host.pub, KOINE__LOG_WARNING, KOINE__STR("the \"model\"\nis gone"));
    CU_ASSERT_PTR_NOT_NULL_FATAL(strstr(last_line, " level="));
    ASSERT_STR(strstr(last_line, " level="),
               " level=warning event=plugin instance=lab message=\"the \\\"model\\\"\\nis gone\"");
    ASSERT_INT(last_level, KOINE__LOG_WARNING);
    host.pub.log(&host.pub, -5, KOINE__STR("x"));
    ASSERT_INT(last_level, KOINE__LOG_ERROR);
    last_line[0] = '\0';
    host.pub.log(&host.pub, 77, KOINE__STR("x")); /* unknown levels are debug, which nobody wants here */
    ASSERT_STR(last_line, "");
    host.env.instance = NULL;
    host.pub.log(&host.pub, KOINE__LOG_INFO, (koine_str){NULL, 0});
    ASSERT_STR(strstr(last_line, " level="), " level=info event=plugin");
    char large[5000];
    memset(large, 'x', sizeof(large));
    host.pub.log(&host.pub, KOINE__LOG_INFO, (koine_str){large, sizeof(large)});
    CU_ASSERT_TRUE(strlen(last_line) < 1200);
    host.env.log = NULL;
    last_line[0] = '\0';
    host.pub.log(&host.pub, KOINE__LOG_ERROR, KOINE__STR("x"));
    ASSERT_STR(last_line, "");
    koine__log_release(&log);
}

static void extensions(void)
{
    struct koine__host host = host_of((struct koine__host_env){0});
    CU_ASSERT_PTR_EQUAL(host.pub.extension(&host.pub, "koine.dialect.chat/1"), &koine__dialect_chat);
    CU_ASSERT_PTR_NULL(host.pub.extension(&host.pub, "koine.dialect.chat/2"));
    CU_ASSERT_PTR_NULL(host.pub.extension(&host.pub, ""));
}

static void memory(void)
{
    struct koine__arena arena;
    koine__arena_init(&arena, 1000);
    struct koine__host host = host_of((struct koine__host_env){.arena = &arena});
    char *ptr = host.pub.alloc(&host.pub, 100);
    CU_ASSERT_PTR_NOT_NULL_FATAL(ptr);
    for (size_t i = 0; i < 100; i++)
        ASSERT_INT(ptr[i], 0);
    CU_ASSERT_PTR_NULL(host.pub.alloc(&host.pub, 1000));
    koine__arena_release(&arena);
    host.env.arena = NULL;
    CU_ASSERT_PTR_NULL(host.pub.alloc(&host.pub, 1));
}

static const char *given_option(const void *arg, const char *name)
{
    return strcmp(name, "region") == 0 ? arg : NULL;
}

static void options(void)
{
    static const koine_option region = {.size = sizeof(region), .name = "region", .otherwise = "us"};
    static const koine_option version = {.size = sizeof(version), .name = "version", .otherwise = "7"};
    static const koine_option project = {.size = sizeof(project), .name = "project"};
    static const koine_option *const declared[] = {&region, &version, &project, NULL};
    const koine_provider provider = {.size = sizeof(provider), .options = declared},
                         bare = {.size = sizeof(bare)};
    struct koine__host host = host_of((struct koine__host_env){.option = given_option, .options_arg = "eu"});
    const koine_provider *self = &provider;
    CU_ASSERT_TRUE(koine__str_is(host.pub.option(&host.pub, self, "region"), "eu"));
    CU_ASSERT_TRUE(koine__str_is(host.pub.option(&host.pub, self, "version"), "7"));
    CU_ASSERT_PTR_NULL(host.pub.option(&host.pub, self, "project").ptr);
    CU_ASSERT_PTR_NULL(host.pub.option(&host.pub, self, "other").ptr);
    host.env.option = NULL;
    CU_ASSERT_TRUE(koine__str_is(host.pub.option(&host.pub, self, "region"), "us"));
    self = &bare;
    CU_ASSERT_PTR_NULL(host.pub.option(&host.pub, self, "region").ptr);
    self = NULL;
    CU_ASSERT_PTR_NULL(host.pub.option(&host.pub, self, "region").ptr);
}

static int32_t price(const void *arg, const koine_cost_query *query, koine_provider_cost *ret)
{
    ret->state = KOINE_PRICE_KNOWN;
    ret->picodollars = query->at + *(const int *)arg;
    return 0;
}

static void prices(void)
{
    const int more = 2;
    struct koine__host host = host_of((struct koine__host_env){.price = price, .price_arg = &more});
    const koine_cost_query query = {.size = sizeof(query), .host = &host.pub, .at = 40};
    koine_provider_cost cost = {.size = sizeof(cost), .estimated = 1, .price_id = KOINE__STR("x")};
    ASSERT_INT(host.pub.price(&query, &cost), 0);
    ASSERT_INT(cost.picodollars, 42);
    host.env.price = NULL;
    ASSERT_INT(host.pub.price(&query, &cost), 0);
    ASSERT_INT(cost.state, KOINE_PRICE_UNKNOWN);
    ASSERT_INT(cost.picodollars, 0);
    ASSERT_INT(cost.estimated, 0);
    CU_ASSERT_PTR_NULL(cost.price_id.ptr);
    cost.estimated = 77;
    cost.size = offsetof(koine_provider_cost, estimated);
    ASSERT_INT(host.pub.price(&query, &cost), 0);
    ASSERT_INT(cost.estimated, 77);
}

static void documents(void)
{
    struct koine__arena arena;
    struct koine__host host = host_of((struct koine__host_env){0});
    const koine_host *pub = &host.pub;
    const koine_node *root;
    koine__arena_init(&arena, 0);
    ASSERT_INT(koine__json_read(KOINE__STR("{\"a\":[1,\"x\\n\",true],\"b\": 0.10}"), &arena, &root, NULL), 0);
    ASSERT_INT(pub->kind(root), KOINE_NODE_OBJECT);
    ASSERT_INT(pub->kind(NULL), KOINE_NODE_NONE);
    ASSERT_INT((long long)pub->count(root), 2);
    const koine_node *a = pub->get(root, "a");
    ASSERT_INT(pub->num(pub->at(a, 0), -1), 1);
    CU_ASSERT_TRUE(koine__str_is(pub->str(pub->at(a, 1)), "x\n"));
    ASSERT_INT(pub->truth(pub->at(a, 2)), 1);
    CU_ASSERT_TRUE(koine__str_is(pub->key(root, 1), "b"));
    CU_ASSERT_TRUE(koine__str_is(pub->dump(pub->get(root, "b")), "0.10"));
    koine__arena_release(&arena);
}

static void parses(void)
{
    struct koine__arena arena;
    struct koine__host host = host_of((struct koine__host_env){.arena = &arena});
    const koine_node *root = NULL;
    koine__arena_init(&arena, 0);
    ASSERT_INT(host.pub.parse(&host.pub, KOINE__STR(" {\"a\": 1.50} "), &root), KOINE_DONE);
    CU_ASSERT_TRUE(koine__str_is(host.pub.dump(root), "{\"a\": 1.50}"));
    root = NULL;
    ASSERT_INT(host.pub.parse(&host.pub, KOINE__STR("{\"a\":"), &root), KOINE_INVALID);
    ASSERT_INT(host.pub.parse(&host.pub, KOINE__STR(""), &root), KOINE_INVALID);
    CU_ASSERT_PTR_NULL(root);
    koine__arena_release(&arena);
    koine__arena_init(&arena, 1);
    ASSERT_INT(host.pub.parse(&host.pub, KOINE__STR("{\"a\":1}"), &root), KOINE_NO_MEMORY);
    koine__arena_release(&arena);
    ASSERT_INT(koine__process_host()->parse(koine__process_host(), KOINE__STR("1"), &root), KOINE_NO_MEMORY);
}

static void process_host(void)
{
    const koine_host *host = koine__process_host();
    CU_ASSERT_PTR_EQUAL(host, koine__process_host());
    ASSERT_INT(host->size, sizeof(koine_host));
    host->log(host, 0, KOINE__STR("nobody hears it"));
    CU_ASSERT_PTR_NULL(host->alloc(host, 1));
    CU_ASSERT_PTR_EQUAL(host->extension(host, "koine.dialect.chat/1"), &koine__dialect_chat);
}

SUITE_MAIN("host", {"logs", logs}, {"extensions", extensions}, {"memory", memory}, {"options", options},
           {"prices", prices}, {"documents", documents}, {"parses", parses}, {"process host", process_host})
