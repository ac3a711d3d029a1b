/* run: what strangers' bytes may cost over HTTP/1.1. Each act of the server is asked for once as a whole and
 * once as a stream; scene.h says what is looked at. */
#include "tests/hostile/crowd.h"
#include "tests/hostile/http1.h"
#include "tests/hostile/ledger.h"
#include "tests/hostile/reader.h"
#include "tests/hostile/scene.h"
#include "tests/hostile/server.h"
#include "tests/unit/suite.h"

static int start(struct scratch *scratch)
{
    (void)scratch;
    return server_start(http1_serve);
}

const struct theatre theatre = {.scheme = "http", .start = start};

static void without_end(void)
{
    open_scene(256 * KB, NULL);
    PLAY(MALFORMED("endless"), MALFORMED("endless-escapes"), MALFORMED("endless-space"),
         MALFORMED("endless-lines"), MALFORMED("endless-comments"), MALFORMED("endless-empty-data"),
         MALFORMED("endless-names"), MALFORMED("endless-stray"), MALFORMED("endless-members"),
         MALFORMED("endless-events"), {"endless-trailer", "protocol", "ok hi"}, MALFORMED("endless-chunks"),
         {"endless-after-done", "protocol", "ok hi"}, MALFORMED("hundred-megabytes"));
    close_scene();
}

static void heads_without_end(void)
{
    open_scene(256 * KB, NULL);
    PLAY(MALFORMED("endless-header"), MALFORMED("endless-header-line"), MALFORMED("endless-folded-header"),
         MALFORMED("endless-interim"));
    close_scene();
}

static void the_default_ceiling(void)
{
    open_scene(16 * MB, NULL);
    PLAY(MALFORMED("hundred-megabytes"), MALFORMED("endless"), MALFORMED("endless-events"),
         MALFORMED("endless-tools"), MALFORMED("endless-large-events"), MALFORMED("endless-stray"),
         MALFORMED("large-names"), MALFORMED("large-arguments"), MALFORMED("endless-kinds"),
         MALFORMED("bomb"));
    ask_held("endless-events", "protocol");
    ask_held("endless-kinds", "protocol");
    ask_held("large-names", "protocol");
    ask_held("large-arguments", "protocol");
    ask_held("endless-large-events", "protocol");
    ask_held("good", "ok hi");
    close_scene();
}

static void no_json(void)
{
    open_scene(512 * KB, NULL);
    PLAY(MALFORMED("deep"), MALFORMED("deep-member"), MALFORMED("utf8-alone"), MALFORMED("utf8-overlong"),
         MALFORMED("utf8-surrogate"), MALFORMED("utf8-beyond"), MALFORMED("utf8-five"), MALFORMED("utf8-cut"),
         MALFORMED("utf8-name"), MALFORMED("nul-in-text"), MALFORMED("nul-between"), MALFORMED("nul-in-name"),
         MALFORMED("nul-escape-in-name"), MALFORMED("control"), MALFORMED("nan"), MALFORMED("infinity"),
         MALFORMED("hexadecimal"), MALFORMED("plus"), MALFORMED("leading-zero"), MALFORMED("single-quotes"),
         MALFORMED("comment"), MALFORMED("trailing-comma"), MALFORMED("duplicate"),
         MALFORMED("duplicate-escaped"), MALFORMED("two-values"), MALFORMED("wrong-types"),
         MALFORMED("wrong-text"));
    close_scene();
}

static void odd_json(void)
{
    open_scene(256 * KB, NULL);
    PLAY(BOTH("nul-escape", "ok a^b"), BOTH("half-pair", "ok a\xef\xbf\xbd"),
         BOTH("duplicate-below", "ok hi"), BOTH("digits-unread", "ok hi"), BOTH("digits-created", "ok hi"),
         BOTH("digits-index", "ok hi"), BOTH("digits-usage", "ok hi"), BOTH("digits-exponent", "ok hi"),
         BOTH("digits-small", "ok hi"), BOTH("digits-negative", "ok hi"), {"byte-order-mark", "ok hi", NULL});
    close_scene();
}

static void encodings(void)
{
    open_scene(256 * KB, NULL);
    PLAY(MALFORMED("bomb"), MALFORMED("bomb-deflate"), MALFORMED("gzip-that-is-none"),
         MALFORMED("encoding-unknown"), MALFORMED("encodings-many"));
    close_scene();
}

static void lengths(void)
{
    open_scene(256 * KB, NULL);
    PLAY({"too-long", "protocol", "ok hi"}, MALFORMED("too-short"), BOTH("two-answers", "ok hi"),
         MALFORMED("two-lengths"), MALFORMED("length-negative"), BOTH("length-huge", "ok hi"),
         MALFORMED("length-words"), MALFORMED("length-none"));
    close_scene();
}

static void chunks(void)
{
    open_scene(256 * KB, NULL);
    PLAY(MALFORMED("chunk-size-words"), MALFORMED("chunk-size-huge"), MALFORMED("chunk-size-large"),
         MALFORMED("chunk-size-negative"), MALFORMED("chunk-without-end"), MALFORMED("chunk-cut"),
         MALFORMED("chunk-no-last"), MALFORMED("chunk-size-cut"));
    close_scene();
}

/* Short, for each of these waits until one of them rings, and long enough for the honest answers between. */
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
    PLAY(BOTH("drip", "timeout"), BOTH("drip-comments", "timeout"), BOTH("drip-head", "timeout"),
         BOTH("silence", "timeout"), BOTH("silence-in-head", "timeout"), BOTH("silence-in-chunk", "timeout"),
         BOTH("endless-extension", "timeout"), BOTH("too-long-and-open", "timeout"));
    close_scene();
}

static void odd_heads(void)
{
    open_scene(256 * KB, NULL);
    PLAY(MALFORMED("no-http"), MALFORMED("no-head"), MALFORMED("version"), MALFORMED("status-words"),
         MALFORMED("status-large"), BOTH("status-999", "server"), BOTH("upgrade", "reset"),
         MALFORMED("no-content"), MALFORMED("not-modified"), MALFORMED("nul-in-head"),
         MALFORMED("line-without-colon"), BOTH("retry-after-digits", "overloaded"));
    close_scene();
}

/* On a connection that served before. */
static void lost_at_once(void)
{
    open_scene(256 * KB, NULL);
    PLAY(BOTH("reset", "reset"), BOTH("close", "reset"));
    close_scene();
}

static void a_reader_that_pauses(void)
{
    reader_pauses(LONG_HTTP1, true);
}

/* What curl inflates while it is paused it keeps itself, so it is not. */
static void a_reader_that_pauses_before_gzip(void)
{
    reader_pauses_for_ever("endless-events-in-gzip", 256 * KB);
}

/* The server needs longer for all of them than a connection may take to be made: whoever waits for his turn
 * does so before his timers run. */
static void a_pool_of_64(void)
{
    static const char *const settings[] = {"pool.connections", "64", "providers.lab.timeouts.connect", "3s",
                                           NULL};
    open_scene(256 * KB, settings);
    long before = server_connections();
    crowd_asks("slow", 200, "ok hi");
    long made = server_connections() - before;
    ASSERT_INT(made > 64 ? made : 64, 64);
    close_scene();
}

/* An answer whose last chunk is awaited has its connection still, but its place no more. */
static void a_pool_and_late_ends(void)
{
    static const char *const many[] = {"pool.connections", "64", NULL};
    static const char *const few[] = {"pool.connections", "2", NULL};
    open_scene(256 * KB, many);
    server_forget_most();
    crowd_asks("late-end", 200, "ok hi");
    ASSERT_INT(server_most() > 64 ? server_most() : 64, 64);
    close_scene();
    open_scene(256 * KB, few);
    server_forget_most();
    for (int i = 0; i < 8; i++) /* nobody waits */
        ask("late-end", true, "ok hi");
    ASSERT_INT(server_most() > 2 ? server_most() : 2, 2);
    close_scene();
}

static bool opens_no_more_than(long count)
{
    for (int i = 0; i < 1000 && server_open() > count; i++)
        koine_wait(scene.client, 10);
    return server_open() <= count;
}

/* What was needed at once is not kept for ever. */
static void what_stays_open(void)
{
    static const char *const settings[] = {"pool.connections", "300", "pool.idle", "16", NULL};
    open_scene(256 * KB, settings);
    crowd_asks("slow", 300, "ok hi");
    CU_ASSERT(opens_no_more_than(16));
    long before = server_connections();
    for (int i = 0; i < 5; i++)
        ask("good", true, "ok hi");
    CU_ASSERT(server_connections() <= before + 1);
    crowd_asks("good", 300, "ok hi"); /* which end in few strokes */
    CU_ASSERT(opens_no_more_than(16));
    close_scene();
}

static void nothing_is_left(void)
{
    ASSERT_INT((long long)ledger_blocks(), (long long)scene_kept());
}

SUITE_MAIN("hostile", {"without end", without_end}, {"heads without end", heads_without_end},
           {"the default ceiling", the_default_ceiling}, {"what is no JSON", no_json},
           {"JSON that is odd", odd_json}, {"encodings", encodings}, {"lengths", lengths}, {"chunks", chunks},
           {"slow ones", slow_ones}, {"odd heads", odd_heads}, {"lost at once", lost_at_once},
           {"a reader that pauses", a_reader_that_pauses},
           {"a reader that pauses before gzip", a_reader_that_pauses_before_gzip},
           {"a pool of 64", a_pool_of_64}, {"a pool and late ends", a_pool_and_late_ends},
           {"what stays open", what_stays_open}, {"nothing is left", nothing_is_left})
