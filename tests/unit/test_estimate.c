/* What a document may take and cost; every figure worked out by hand. */
#include "core/money/estimate.h"

#include "core/base/mem.h"
#include "tests/unit/failalloc.h"
#include "tests/unit/suite.h"
#include <string.h>

#define HI     "{\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}" /* 45 bytes */
#define BEFORE 256
#define TOOLS  1024
#define IMAGE  48169
#define DAY    INT64_C(86400)

static const struct koine__price_row rows[] = {
    {.input = 10, .output = 30, .cache_read = 1, .cache_write = -1, .reasoning = -1, .service_tier = ""},
    {.above_input_tokens = 1000,
     .input = 20,
     .output = 25,
     .cache_read = 2,
     .cache_write = 24,
     .reasoning = 40,
     .service_tier = ""},
    {.valid_from = 10 * DAY,
     .input = 7,
     .output = 9,
     .cache_read = -1,
     .cache_write = -1,
     .reasoning = -1,
     .service_tier = ""},
    {.input = 1,
     .output = 1,
     .cache_read = -1,
     .cache_write = -1,
     .reasoning = -1,
     .service_tier = "",
     .batch = true},
    {.input = 4, .output = 5, .cache_read = -1, .cache_write = -1, .reasoning = -1, .service_tier = "flex"},
    {.input = 100,
     .output = 200,
     .cache_read = -1,
     .cache_write = -1,
     .reasoning = -1,
     .service_tier = "priority"},
};
static const struct koine__model known = {.provider = "p",
                                          .id = "m",
                                          .context = 100000,
                                          .max_input = -1,
                                          .max_output = 500,
                                          .rows = rows,
                                          .row_count = sizeof(rows) / sizeof(rows[0])};

static struct koine__arena arena;

static const koine_node *read_document(const char *text)
{
    const koine_node *root = NULL;
    koine__arena_reset(&arena);
    ASSERT_INT(koine__json_read(koine__str(text), &arena, &root, NULL), KOINE_OK);
    return root;
}

static struct koine__estimate of(const char *text, const struct koine__model *model, bool typical)
{
    struct koine__estimate estimate;
    struct koine__estimate_ask ask = {.doc = read_document(text), .known = model, .typical = typical};
    koine__estimate(&ask, &estimate);
    return estimate;
}

static int64_t prompt(const char *text)
{
    struct koine__model endless = known;
    endless.context = -1;
    return of(text, &endless, false).prompt;
}

static void bytes(void)
{
    ASSERT_INT(prompt(HI), 45 + BEFORE);
    ASSERT_INT(prompt(" { \"messages\" :\n[ {\"role\":\t\"user\",\"content\":\"Hi\"} ]\r}"), 45 + BEFORE);
    ASSERT_INT(prompt("{\"messages\":[{\"role\":\"user\",\"content\":\" H i \"}]}"), 48 + BEFORE);
    ASSERT_INT(prompt("{\"messages\":[{\"role\":\"user\",\"content\":\"\\n\\\"\\\\\\/\"}]}"), 47 + BEFORE);
    ASSERT_INT(prompt("{\"messages\":[{\"role\":\"user\",\"content\":\"\\u0041\\u00e9\\u20AC\"}]}"),
               49 + BEFORE);
    ASSERT_INT(prompt("{\"messages\":[{\"role\":\"user\",\"content\":\"A\xC3\xA9\xE2\x82\xAC\"}]}"),
               49 + BEFORE);
    ASSERT_INT(prompt("{\"messages\":[{\"role\":\"user\",\"content\":\"\\uD83D\\uDE00\"}]}"), 49 + BEFORE);
    ASSERT_INT(prompt("{\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}],\"koine\":{\"kept\":[1,2,3]}}"),
               45 + 9 + BEFORE); /* only its name and a comma */
    ASSERT_INT(prompt("{\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}],\"tools\":[]}"),
               45 + 11 + BEFORE + TOOLS);
}

#define PARTS(list)                                                                                          \
    "{\"messages\":[{\"role\":\"user\",\"content\":[" list "]}]}" /* 43 bytes and the list                   \
                                                                   */

static void parts(void)
{
    ASSERT_INT(prompt(PARTS("{\"type\":\"text\",\"text\":\"Hi\"}")), 43 + 27 + BEFORE);
    ASSERT_INT(
        prompt(PARTS("{\"type\":\"image_url\",\"image_url\":{\"url\":\"data:image/png;base64,AAAAAAAA\"}}")),
        43 + BEFORE + IMAGE);
    ASSERT_INT(prompt(PARTS("{\"type\":\"image_url\",\"image_url\":{\"url\":\"https://x/y\"}},"
                            "{\"type\":\"image_url\",\"image_url\":{\"url\":\"https://x/z\"}}")),
               43 + 1 + BEFORE + 2 * IMAGE);
    ASSERT_INT(prompt(PARTS("\"Hi\"")), 43 + 4 + BEFORE);
}

static void the_window_is_a_bound(void)
{
    struct koine__model small = known;
    small.context = 200;
    ASSERT_INT(of(HI, &small, false).prompt, 200);
    small.max_input = 150;
    ASSERT_INT(of(HI, &small, false).prompt, 150);
    ASSERT_INT(of(HI, &small, true).prompt, 12);
    /* Of a file it is the only one. */
    static const char file[] = PARTS("{\"type\":\"file\",\"file\":{\"file_id\":\"f\"}}");
    ASSERT_INT(of(file, &known, false).prompt, 100000);
    ASSERT_INT(prompt(file), -1);
    struct koine__model endless = known;
    endless.context = -1;
    struct koine__estimate estimate = of(file, &endless, false);
    ASSERT_INT(estimate.cost, -1);
    CU_ASSERT_FALSE(estimate.unpriced);
    ASSERT_STR(estimate.unknown,
               "the tokens of a file do not follow from its bytes, and the model's window is not known");
}

static void typical(void)
{
    ASSERT_INT(of(HI, &known, true).prompt, 12); /* 45 ÷ 4 */
    ASSERT_INT(
        of(PARTS("{\"type\":\"image_url\",\"image_url\":{\"url\":\"https://x/y\"}}"), &known, true).prompt,
        11 + 1601);
    /* 37 bytes of a file: 2 tokens */
    ASSERT_INT(of(PARTS("{\"type\":\"file\",\"file\":{\"file_id\":\"f\"}}"), &known, true).prompt, 11 + 2);
}

static void the_longest_answer(void)
{
    ASSERT_INT(of(HI, &known, false).answer, 500);
    ASSERT_INT(of("{\"messages\":[],\"max_tokens\":7}", &known, false).answer, 7);
    ASSERT_INT(of("{\"messages\":[],\"max_completion_tokens\":8}", &known, false).answer, 8);
    ASSERT_INT(of("{\"messages\":[],\"max_tokens\":7,\"max_completion_tokens\":8}", &known, false).answer, 8);
    ASSERT_INT(of("{\"messages\":[],\"max_tokens\":9999}", &known, false).answer, 9999);
    ASSERT_INT(of("{\"messages\":[],\"max_tokens\":null}", &known, false).answer, 500);
    ASSERT_INT(of("{\"messages\":[],\"max_tokens\":0}", &known, false).answer, 500);
    ASSERT_INT(of("{\"messages\":[],\"max_tokens\":-5}", &known, false).answer, 500);
    ASSERT_INT(of("{\"messages\":[],\"max_tokens\":\"9\"}", &known, false).answer, 500);
    ASSERT_INT(of("{\"messages\":[],\"max_tokens\":7,\"prediction\":{\"a\":\"b\"}}", &known, false).answer,
               16);
    struct koine__model less = known;
    less.max_output = -1;
    ASSERT_INT(of(HI, &less, false).answer, 100000);
    less.context = -1;
    struct koine__estimate estimate = of(HI, &less, false);
    ASSERT_INT(estimate.answer, -1);
    ASSERT_INT(estimate.cost, -1);
    CU_ASSERT_FALSE(estimate.unpriced);
    ASSERT_STR(estimate.unknown, "its longest answer is not known; set max_tokens");
}

static void at_the_dearest_rate(void)
{
    struct koine__estimate estimate = of(HI, &known, false); /* 301 tokens: below the larger size */
    ASSERT_INT(estimate.rate, 30);
    ASSERT_INT(estimate.prompt_cost, 301 * 10);
    ASSERT_INT(estimate.cost, 301 * 10 + 500 * 30);
    CU_ASSERT_PTR_NULL(estimate.unknown);
    /* Beyond 1000 tokens: cache writes and reasoning of the larger size. 43 + 256 + 48169 = 48468. */
    estimate = of(PARTS("{\"type\":\"image_url\",\"image_url\":{\"url\":\"https://x/y\"}}"), &known, false);
    ASSERT_INT(estimate.prompt_cost, 48468 * 24);
    ASSERT_INT(estimate.rate, 40);
    ASSERT_INT(estimate.cost, 48468 * 24 + 500 * 40);
}

static void by_tier_and_day(void)
{
    static const char format[] = "{\"messages\":[],\"max_tokens\":1,\"service_tier\":\"flex\"}";
    struct koine__estimate estimate = of(format, &known, false);
    ASSERT_INT(estimate.rate, 30); /* it may be served as standard, which is dearer */
    estimate = of("{\"messages\":[],\"max_tokens\":1,\"service_tier\":\"priority\"}", &known, false);
    ASSERT_INT(estimate.rate, 200);
    ASSERT_INT(estimate.prompt_cost, (56 + BEFORE) * 100);
    estimate = of("{\"messages\":[],\"max_tokens\":1,\"service_tier\":\"auto\"}", &known, false);
    ASSERT_INT(estimate.rate, 30);
    estimate = of("{\"messages\":[],\"max_tokens\":1,\"service_tier\":\"scale\"}", &known, false);
    ASSERT_INT(estimate.cost, -1);
    CU_ASSERT(estimate.unpriced);
    struct koine__estimate_ask ask = {
        .doc = read_document("{\"messages\":[],\"max_tokens\":1}"), .known = &known, .at = 10 * DAY};
    koine__estimate(&ask, &estimate);
    ASSERT_INT(estimate.rate, 9);
    ask.at = -DAY; /* before there was a price */
    koine__estimate(&ask, &estimate);
    ASSERT_INT(estimate.cost, -1);
}

static void unpriced_and_free(void)
{
    struct koine__estimate estimate = of(HI, NULL, false);
    ASSERT_INT(estimate.cost, -1);
    CU_ASSERT(estimate.unpriced);
    ASSERT_STR(
        estimate.unknown,
        "its price is not known; add it to a catalogue, or set price: free or budgets.unpriced: allow");
    static const char audio[] = PARTS("{\"type\":\"input_audio\",\"input_audio\":{\"data\":\"AAAA\"}}");
    estimate = of(audio, &known, false);
    ASSERT_INT(estimate.cost, -1);
    CU_ASSERT(estimate.unpriced);
    ASSERT_STR(estimate.unknown, "the price of audio is not known");
    estimate = of("{\"messages\":[],\"audio\":{\"voice\":\"x\"}}", &known, false);
    ASSERT_STR(estimate.unknown, "the price of audio is not known");
    struct koine__estimate_ask ask = {.doc = read_document(HI), .free = true};
    koine__estimate(&ask, &estimate);
    ASSERT_INT(estimate.cost, 0);
    CU_ASSERT_PTR_NULL(estimate.unknown);
    ask = (struct koine__estimate_ask){.known = &known}; /* list_models */
    koine__estimate(&ask, &estimate);
    ASSERT_INT(estimate.cost, 0);
}

static void nothing_overflows(void)
{
    struct koine__estimate estimate =
        of("{\"messages\":[],\"max_tokens\":9223372036854775807,\"prediction\":\"x\"}", &known, false);
    ASSERT_INT(estimate.answer, INT64_MAX);
    ASSERT_INT(estimate.cost, INT64_MAX);
    ASSERT_INT(koine__estimate_tokens(read_document("{\"max_tokens\":9223372036854775807}"), NULL, &known),
               INT64_MAX);
    of("{\"messages\":[],\"max_tokens\":99999999999999999999}", &known, false); /* no int64: the model's */
}

static void tokens_for_a_limit(void)
{
    ASSERT_INT(koine__estimate_tokens(read_document(HI), NULL, &known), 12 + 500);
    ASSERT_INT(koine__estimate_tokens(read_document(HI), NULL, NULL), 12 + 4096);
    ASSERT_INT(koine__estimate_tokens(read_document("{\"messages\":[],\"max_tokens\":10}"), NULL, NULL),
               8 + 10);
    ASSERT_INT(koine__estimate_tokens(NULL, NULL, &known), 0);
}

/* Whatever is in the place of messages: no figure is below zero, and nothing is read beyond its end. */
static void strange_documents(void)
{
    static const char *const texts[] = {"{}",
                                        "{\"messages\":7}",
                                        "{\"messages\":[7,null,[],{}]}",
                                        "{\"messages\":[{\"content\":[7,null,[],{},{\"type\":7},\"\"]}]}",
                                        "{\"messages\":[{\"content\":{}}],\"service_tier\":7}",
                                        "{\"messages\":[{\"content\":\"\\u0000\\uD800\"}],\"tools\":null}"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        for (int how = 0; how < 2; how++) {
            struct koine__estimate estimate = of(texts[i], &known, how == 1);
            CU_ASSERT(estimate.prompt >= 0 && estimate.cost > 0);
        }
    }
}

static void without_memory(void)
{
    static const char text[] = PARTS("{\"type\":\"image_url\",\"image_url\":{\"url\":\"https://x/y\"}}");
    for (long n = 1;; n++) {
        struct koine__arena own;
        const koine_node *root = NULL;
        failalloc_begin(n);
        koine__arena_init(&own, 0);
        if (koine__json_read(koine__str(text), &own, &root, NULL) == KOINE_OK) {
            struct koine__estimate_ask ask = {.doc = root, .known = &known};
            struct koine__estimate estimate;
            koine__estimate(&ask, &estimate);
            if (!koine__node_failed(root))
                ASSERT_INT(estimate.prompt, 43 + BEFORE + IMAGE);
        }
        koine__arena_release(&own);
        if (!failalloc_end())
            break;
        CU_ASSERT_FATAL(n < 1000);
    }
}

static void memory_goes_back(void)
{
    koine__arena_release(&arena);
}

SUITE_MAIN("estimate", {"bytes", bytes}, {"parts", parts}, {"the window is a bound", the_window_is_a_bound},
           {"typical", typical}, {"the longest answer", the_longest_answer},
           {"at the dearest rate", at_the_dearest_rate}, {"by tier and day", by_tier_and_day},
           {"unpriced and free", unpriced_and_free}, {"nothing overflows", nothing_overflows},
           {"tokens for a limit", tokens_for_a_limit}, {"strange documents", strange_documents},
           {"without memory", without_memory}, {"memory goes back", memory_goes_back})
