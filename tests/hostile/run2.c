/* run2: what strangers' bytes may cost over HTTP/2, with TLS and ALPN. Each act of the server is asked for
 * once as a whole and once as a stream; scene.h says what is looked at. */
#include "tests/hostile/crowd.h"
#include "tests/hostile/http2.h"
#include "tests/hostile/ledger.h"
#include "tests/hostile/reader.h"
#include "tests/hostile/scene.h"
#include "tests/hostile/server.h"
#include "tests/unit/suite.h"

#include <stdlib.h>

const struct theatre theatre = {.scheme = "https", .ca_file = HTTP2_CA_FILE, .start = http2_start};

#define LOST(act) BOTH(act, "reset")

static void honest(void)
{
    open_scene(256 * KB, NULL);
    PLAY(BOTH("good", "ok hi"), BOTH("trailers", "ok hi"), BOTH("no-error-after-answer", "ok hi"),
         BOTH("goaway-in-body", "ok hi"), BOTH("goaway-after", "ok hi"));
    close_scene();
}

static void streams_reset(void)
{
    open_scene(256 * KB, NULL);
    PLAY(LOST("refused"), LOST("internal"), LOST("calm"), LOST("cancel"), LOST("no-error"),
         LOST("refused-after-head"), LOST("internal-after-head"), LOST("calm-after-head"),
         LOST("cancel-after-head"), MALFORMED("no-error-after-head"), LOST("refused-in-body"),
         LOST("internal-in-body"), LOST("calm-in-body"), LOST("cancel-in-body"),
         MALFORMED("no-error-in-body"), BOTH("no-error-for-an-end", "ok hi"),
         {"internal-for-an-end", "reset", "ok hi"});
    close_scene();
}

static void connections_lost(void)
{
    open_scene(256 * KB, NULL);
    PLAY(LOST("goaway"), LOST("goaway-open"), LOST("goaway-calm"), LOST("goaway-and-cut"), LOST("cut"),
         LOST("cut-after-head"), LOST("cut-in-body"));
    close_scene();
}

/* Where curl does not tell that it was the server's bytes that made it hang up, it is a lost connection. */
static void heads_without_end(void)
{
    open_scene(256 * KB, NULL);
    PLAY(MALFORMED("endless-continuation"), MALFORMED("endless-empty-continuation"),
         MALFORMED("endless-interim"), LOST("large-field"), MALFORMED("large-table"));
    close_scene();
}

static void bodies_without_end(void)
{
    open_scene(256 * KB, NULL);
    PLAY(MALFORMED("endless-data"), MALFORMED("endless-space"), MALFORMED("endless-events"),
         {"endless-trailers", "protocol", "ok hi"}, MALFORMED("bomb"));
    close_scene();
}

static void the_default_ceiling(void)
{
    open_scene(16 * MB, NULL);
    PLAY(MALFORMED("endless-data"), MALFORMED("endless-events"), MALFORMED("endless-large-events"),
         MALFORMED("bomb"));
    ask_held("endless-events", "protocol");
    ask_held("endless-large-events", "protocol");
    ask_held("good", "ok hi");
    close_scene();
}

/* Of a flood of PING it depends on the moment who gives up first: nghttp2, which has too many answers to
 * send, in sending or in reading; or nobody does, for neither side reads any more, and the timer ends it. */
static void slow_ones(void)
{
    static const char *const settings[] = {"providers.lab.timeouts.total",
                                           "400ms",
                                           "providers.lab.timeouts.first_byte",
                                           "200ms",
                                           "providers.lab.timeouts.progress",
                                           "300ms",
                                           "providers.lab.timeouts.idle",
                                           "200ms",
                                           NULL};
    open_scene(256 * KB, settings);
    PLAY(BOTH("ping-flood", "reset|protocol|timeout"), BOTH("ping", "timeout"), BOTH("silence", "timeout"),
         BOTH("silence-in-body", "timeout"), BOTH("drip", "timeout"), BOTH("unknown-frames", "timeout"),
         BOTH("endless-empty-data", "timeout"));
    close_scene();
}

static void no_http2(void)
{
    open_scene(256 * KB, NULL);
    PLAY(LOST("no-http2"), MALFORMED("length-more"), MALFORMED("settings-flood"), MALFORMED("length-less"),
         MALFORMED("length-words"), MALFORMED("connection-field"), MALFORMED("upper-case-field"),
         {"status-trailer", "protocol", "ok hi"}, MALFORMED("no-status"), MALFORMED("two-statuses"),
         MALFORMED("status-words"), MALFORMED("status-late"), LOST("data-first"), LOST("push"),
         LOST("continuation-alone"), LOST("window-of-nothing"), LOST("head-that-is-none"),
         MALFORMED("frame-too-large"), BOTH("after-the-end", "ok hi"), MALFORMED("beyond-the-window"));
    close_scene();
}

static void a_reader_that_pauses(void)
{
    reader_pauses(LONG_HTTP2, false);
    reader_pauses_for_ever("endless-large-events", 16 * MB);
}

/* The child says nothing on the parent's connection, not even goodbye. */
static void a_fork(void)
{
    reader_forks();
}

/* A proxy of the environment has no business between this machine and itself. */
static void a_proxy(void)
{
    static const char *const names[] = {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"};
    for (size_t i = 0; i < 4; i++)
        setenv(names[i], "http://127.0.0.1:1", 1);
    open_scene(256 * KB, NULL);
    PLAY(BOTH("good", "ok hi"));
    close_scene();
    for (size_t i = 0; i < 4; i++)
        unsetenv(names[i]);
}

/* Several on one connection that is lost: each ends once, and none is sent again. */
static void a_crowd(void)
{
    open_scene(256 * KB, NULL);
    crowd_asks("crowd-cut", CROWD, "reset");
    ask("good", true, "ok hi");
    crowd_asks("crowd-goaway", CROWD, "reset");
    ask("good", true, "ok hi");
    long before = server_connections();
    crowd_asks("good", CROWD, "ok hi");
    ASSERT_INT(server_connections(), before);
    close_scene();
}

/* A client that knows nothing of the server yet. */
static void begin_anew(void)
{
    koine_client_free(scene.client);
    CU_ASSERT_EQUAL_FATAL(koine_client_new(scene.hub, &scene.client, NULL), KOINE_OK);
}

/* Whoever starts beside a handshake that never ends has one of his own. Only where the host is known for
 * several streams on a connection do they wait for it, and not a second time. */
static void a_handshake_that_hangs(void)
{
    static const char *const settings[] = {"providers.lab.timeouts.connect", "2s", "pool.idle", "0", NULL};
    open_scene(256 * KB, settings);
    begin_anew();
    http2_hang(1);
    crowd_loses("trailers", 3, "ok hi", 1, "connect");
    ask("good", true, "ok hi");
    http2_hang(1);
    crowd_loses("trailers", 3, "ok hi", 3, "connect");
    http2_hang(1);
    crowd_loses("trailers", 3, "ok hi", 1, "connect");
    close_scene();
}

/* What is known is used: several that start at once on a new connection share it. */
static void a_host_that_is_known(void)
{
    open_scene(256 * KB, NULL);
    ask("cut", true, "reset");
    long before = server_connections();
    crowd_asks("trailers", CROWD, "ok hi");
    ASSERT_INT(server_connections() - before, 1);
    close_scene();
}

static void nothing_is_left(void)
{
    ASSERT_INT((long long)ledger_blocks(), (long long)scene_kept());
}

SUITE_MAIN("hostile, HTTP/2", {"honest answers", honest}, {"streams reset", streams_reset},
           {"connections lost", connections_lost}, {"heads without end", heads_without_end},
           {"bodies without end", bodies_without_end}, {"the default ceiling", the_default_ceiling},
           {"slow ones", slow_ones}, {"what is no HTTP/2", no_http2},
           {"a reader that pauses", a_reader_that_pauses}, {"a crowd on one connection", a_crowd},
           {"a handshake that hangs", a_handshake_that_hangs}, {"a host that is known", a_host_that_is_known},
           {"a fork", a_fork}, {"a proxy", a_proxy}, {"nothing is left", nothing_is_left})
