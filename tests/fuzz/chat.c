/* chat: an answer in the chat completions dialect, whole and in pieces, gives the same events, at most one
 * end and nothing after it; and whatever document is asked for becomes a request of valid JSON, or none. In
 * front of the bytes stands what they are, and the sizes of the first and the other pieces. */
#include "core/plugin/host.h"
#include "core/wire/json.h"
#include "tests/fuzz/fuzz.h"
#include "tests/vendor/play.h"

#include <stdlib.h>
#include <string.h>

const koine_provider *vendor_together(const koine_host *host, uint32_t index);
const koine_provider *vendor_openai(const koine_host *host, uint32_t index);

static void trace_answer(const koine_provider *provider, const struct vendor_case *c,
                         const struct vendor_play *way, struct vendor_trace *ret)
{
    vendor_trace_init(ret);
    vendor_play_answer(provider, c, way, ret);
    FUZZ_CHECK(ret->ends <= 1 && ret->late == 0);
}

static void play_answer(const koine_provider *provider, struct vendor_case *c, koine_str input)
{
    struct vendor_trace whole, split;
    size_t first = fuzz_byte(&input, 0), step = fuzz_byte(&input, 0) & 63;
    bool clean = !(first & 128);
    koine__buf_init(&c->body, (size_t)1 << 20);
    koine__buf_add(&c->body, input.ptr, input.len);
    struct vendor_play once = {.len = c->body.len, .clean = clean};
    struct vendor_play pieces = {.piece = first, .pieces = step, .len = c->body.len, .clean = clean};
    trace_answer(provider, c, &once, &whole);
    trace_answer(provider, c, &pieces, &split);
    if (strcmp(koine__buf_str(&whole.merged), koine__buf_str(&split.merged)) != 0)
        fuzz_fail("whole:\n%sin pieces:\n%s", koine__buf_str(&whole.merged), koine__buf_str(&split.merged));
    vendor_trace_release(&whole);
    vendor_trace_release(&split);
    koine__buf_release(&c->body);
}

static void ask(const koine_provider *provider, struct vendor_case *c, koine_str input)
{
    struct koine__buf request, notices;
    char *document = fuzz_copy(input);
    c->document = document;
    char *options = strncmp(document, "options ", 8) == 0 ? document + 8 : NULL;
    char *end = options ? strchr(options, '\n') : NULL;
    if (end) { /* a first line may set options of the instance */
        *end = '\0';
        c->options = options;
        c->document = end + 1;
    }
    koine__buf_init(&request, (size_t)4 << 20);
    koine__buf_init(&notices, (size_t)4 << 20);
    vendor_ask(provider, c, NULL, &request, &notices);
    const char *body = strstr(koine__buf_str(&request), "\n\n");
    if (koine__str_starts(koine__str(koine__buf_str(&request)), "POST "))
        FUZZ_CHECK(body && koine__json_check(koine__str(body), KOINE__JSON_DEPTH, NULL) == 0);
    koine__buf_release(&request);
    koine__buf_release(&notices);
    free(document);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct vendor_header types[] = {
        {{"content-type", 12}, {"application/json", 16}},
        {{"content-type", 12}, {"text/event-stream", 17}},
    };
    static const int statuses[] = {200, 200, 400, 429};
    koine_str input = {(const char *)data, size};
    unsigned how = fuzz_byte(&input, 0);
    const koine_host *host = koine__process_host();
    const koine_provider *provider = how & 1 ? vendor_together(host, 0) : vendor_openai(host, 0);
    struct vendor_case c = {.model = "m",
                            .stream = how & 2,
                            .list_models = (how & 12) == 12 && !(how & 2),
                            .status = statuses[how >> 4 & 3],
                            .headers = {types[how >> 1 & 1]},
                            .header_count = 1};
    if ((how & 12) == 8)
        ask(provider, &c, input);
    else
        play_answer(provider, &c, input);
    return 0;
}
