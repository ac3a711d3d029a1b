/* stage_unknown: what a later core, a later vendor or a caller of another vendor may send. */
#include "apps/plugin-check/stages.h"

#include "apps/plugin-check/spots.h"

#include <string.h>

#define LARGEST    ((size_t)4 << 20)
#define NEW_VALUE  "{\"a\":[1.10,12345678901234567890,\"\\u00e9\"]}"
#define NEW_NAME   "koine_check_member"
#define HOME_VALUE "koine_check_stays_at_home"

/* The object at that place with one more member in front. */
static void add_member(struct koine__buf *ret, koine_str text, size_t at, const char *member)
{
    struct koine__buf piece;
    koine__buf_init(&piece, LARGEST);
    koine__buf_adds(&piece, member);
    size_t next = at + 1;
    while (next < text.len && strchr(" \t\r\n", text.ptr[next]))
        next++;
    if (next < text.len && text.ptr[next] != '}')
        koine__buf_addc(&piece, ',');
    spots_replace(ret, text, at + 1, 0, (koine_str){koine__buf_str(&piece), piece.len});
    koine__buf_release(&piece);
}

static void ask_with(struct inspection *in, const struct vendor_case *c, const char *member,
                     struct koine__buf *ret)
{
    struct koine__buf document;
    struct vendor_case changed = *c;
    koine_str text = koine__str(c->document);
    koine__buf_init(&document, LARGEST);
    add_member(&document, text, strcspn(c->document, "{"), member);
    changed.document = koine__buf_str(&document);
    stage_alone(in, &changed, ret);
    koine__buf_release(&document);
}

static void check_document(struct inspection *in, const struct cases_item *item)
{
    const char *function = vendor_request_function(&item->c);
    struct koine__buf request;
    inspection_at(in, "%s: with a member %s", item->name, NEW_NAME);
    ask_with(in, &item->c, "\"" NEW_NAME "\":" NEW_VALUE, &request);
    const char *text = koine__buf_str(&request);
    if (watching_is_request(text) && !strstr(text, NEW_VALUE) && !strstr(text, " " NEW_NAME ": "))
        inspection_found(in, RULE_UNKNOWN_MEMBER, function,
                         "it did not travel, or not in its own bytes, and no notice says so", NULL);
    koine__buf_release(&request);
    inspection_at(in, "%s: with a member koine", item->name);
    ask_with(in, &item->c, "\"koine\":{\"a\":\"" HOME_VALUE "\"}", &request);
    if (strstr(koine__buf_str(&request), HOME_VALUE))
        inspection_found(in, RULE_UNKNOWN_KOINE, function, "it travelled", NULL);
    koine__buf_release(&request);
}

static bool has_koine(const struct vendor_case *c)
{
    return strstr(c->document, "\"koine\"") != NULL; /* a member twice would be no document */
}

/* ---- Answers ---- */

/* Every outermost object of the answer gets the member; from the last to the first, so that places stay. */
static void add_to_all(struct koine__buf *ret, const struct vendor_case *c)
{
    struct spots spots;
    struct koine__buf next;
    koine_str body = {koine__buf_str(&c->body), c->body.len};
    koine__buf_init(&next, LARGEST);
    koine__buf_add(ret, body.ptr, body.len);
    spots_in_answer(&spots, body, c->stream);
    for (size_t i = spots.root_count; i-- > 0;) {
        const struct spot *root = &spots.items[spots.roots[i]];
        if (root->kind != KOINE_NODE_OBJECT || memcmp(body.ptr + root->at, "{}", 2) == 0)
            continue;
        add_member(&next, (koine_str){koine__buf_str(ret), ret->len}, root->at,
                   "\"" NEW_NAME "\":" NEW_VALUE);
        koine__buf_reset(ret);
        koine__buf_add(ret, koine__buf_str(&next), next.len);
    }
    spots_release(&spots);
    koine__buf_release(&next);
}

static void check_answer(struct inspection *in, const struct cases_item *item)
{
    struct vendor_case changed = item->c;
    struct koine__buf before, after;
    koine__buf_init(&changed.body, LARGEST);
    add_to_all(&changed.body, &item->c);
    stage_alone(in, &item->c, &before);
    inspection_at(in, "%s: with a member %s in every object", item->name, NEW_NAME);
    stage_alone(in, &changed, &after);
    bool passed_on = strstr(koine__buf_str(&after), NEW_NAME); /* a provider may tell all that it got */
    if (!passed_on && strcmp(koine__buf_str(&before), koine__buf_str(&after)) != 0)
        inspection_differs(in, RULE_UNKNOWN_ANSWER, vendor_read_function(&item->c), koine__buf_str(&before),
                           koine__buf_str(&after));
    koine__buf_release(&before);
    koine__buf_release(&after);
    koine__buf_release(&changed.body);
}

/* ---- Structs ---- */

static void check_sizes(struct inspection *in, const struct cases_item *item)
{
    struct watching watching;
    struct koine__buf before, after;
    inspection_at(in, "%s", item->name);
    stage_alone(in, &item->c, &before);
    inspection_at(in, "%s: with the structs of a later core", item->name);
    koine__buf_init(&after, LARGEST);
    watching_init(&watching, in, &item->c);
    watching.watch.future = true;
    stage_play(&watching, &after);
    if (strcmp(koine__buf_str(&before), koine__buf_str(&after)) != 0)
        inspection_differs(in, RULE_UNKNOWN_SIZE, stage_function(&item->c), koine__buf_str(&before),
                           koine__buf_str(&after));
    koine__buf_release(&before);
    koine__buf_release(&after);
}

/* ---- Numbers ---- */

struct counter {
    koine_sink sink; /* first */
    size_t events;
};

static void count_event(koine_sink *sink, const koine_provider_event *event)
{
    (void)event;
    ((struct counter *)sink)->events++;
}

static koine_str no_header(const koine_frame *frame, const char *name)
{
    (void)frame;
    (void)name;
    return (koine_str){NULL, 0};
}

/* A frame of a kind that this core does not have, as the first of an answer. */
static void check_kind(struct inspection *in, bool list_models)
{
    static _Alignas(max_align_t) unsigned char state[(size_t)64 << 10];
    const koine_exchange *exchange = list_models ? in->provider->list_models : in->provider->generate;
    const struct vendor_case c = {.model = "test-model", .list_models = list_models, .status = 200};
    struct counter counter = {.sink = {.size = sizeof(koine_sink), .emit = count_event}};
    struct watching watching;
    struct koine__arena arena;
    struct koine__host host;
    koine_frame frame = {
        .size = sizeof(frame), .kind = 99, .http_status = 200, .text = KOINE__STR("{}"), .header = no_header};
    koine_read read = {.size = sizeof(read),
                       .self = in->provider,
                       .host = &host.pub,
                       .frame = &frame,
                       .state = state,
                       .model = KOINE__STR("test-model")};
    memset(state, 0, sizeof(state));
    koine__arena_init(&arena, 0);
    koine__host_init(&host, &(struct koine__host_env){.arena = &arena});
    watching_init(&watching, in, &c);
    inspection_at(in, "a frame of kind 99");
    watching.watch.enter(&watching, vendor_read_function(&c));
    int32_t result = exchange->frame(&read, &counter.sink);
    watching.watch.leave(&watching, vendor_read_function(&c), result);
    koine__arena_release(&arena);
    if (counter.events > 0 || result != KOINE_DONE)
        inspection_foundf(in, RULE_UNKNOWN_NUMBER, vendor_read_function(&c),
                          "it returned %d and told %zu events", (int)result, counter.events);
}

/* A way to be answered that this core does not have. */
static void check_framing(struct inspection *in, const struct cases_item *item)
{
    struct watching watching;
    struct koine__buf request;
    inspection_at(in, "%s: framing 99", item->name);
    koine__buf_init(&request, LARGEST);
    watching_init(&watching, in, &item->c);
    watching.watch.framing = 99;
    watching_ask(&watching, &request);
    if (watching.result == KOINE_DONE && !watching_is_request(koine__buf_str(&request)))
        inspection_found(in, RULE_UNKNOWN_NUMBER, vendor_request_function(&item->c),
                         "it wrote what is no request", NULL);
    koine__buf_release(&request);
}

void stage_unknown(struct inspection *in)
{
    check_kind(in, false);
    check_kind(in, true);
    for (size_t i = 0; i < in->cases.count; i++) {
        const struct cases_item *item = &in->cases.items[i];
        check_sizes(in, item);
        if (!item->c.answered)
            check_framing(in, item);
        if (!item->c.answered && !item->c.list_models && item->c.document && !has_koine(&item->c))
            check_document(in, item);
        if (item->c.answered && i < in->cases.theirs)
            check_answer(in, item);
    }
}
