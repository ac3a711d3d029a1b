/* dialect: see dialect.h. */
#include "tests/unit/dialect.h"

#include "tests/unit/failalloc.h"
#include "tests/unit/suite.h"

#define LIMIT ((size_t)1 << 16)

/* ---- A request ---- */

static const char *option(const void *arg, const char *name)
{
    return strcmp(name, "limit") == 0 ? arg : NULL;
}

int32_t dialect_ask(struct dialect_asking *a, const koine_dialect *dialect, const koine_provider *self,
                    const char *model, const char *limit, const char *document)
{
    koine__arena_init(&a->arena, 0);
    koine__host_init(&a->host,
                     &(struct koine__host_env){.arena = &a->arena, .option = option, .options_arg = limit});
    koine__out_init(&a->out, &a->arena, self->base_url, LIMIT);
    koine_ask asked = {
        .size = sizeof(asked), .self = self, .host = &a->host.pub, .model = koine__str(model ? model : "m")};
    if (koine__json_read(koine__str(document), &a->arena, &asked.doc, NULL) != 0)
        return KOINE_NO_MEMORY;
    int32_t result = dialect->generate->request(&asked, &a->out.pub);
    if (koine__node_failed(asked.doc))
        return KOINE_NO_MEMORY;
    return result == KOINE_DONE && koine__out_request(&a->out, &a->request) != 0 ? KOINE_NO_MEMORY : result;
}

void dialect_ask_end(struct dialect_asking *a)
{
    koine__out_release(&a->out);
    koine__arena_release(&a->arena);
}

static void *no_memory(const koine_host *host, size_t size)
{
    (void)host, (void)size;
    return NULL;
}

static int32_t no_parse(const koine_host *host, koine_str text, const koine_node **ret)
{
    (void)host, (void)text, (void)ret;
    return KOINE_NO_MEMORY;
}

int32_t dialect_ask_without_memory(const koine_dialect *dialect, const koine_provider *self,
                                   const char *document)
{
    struct dialect_asking a;
    koine_ask asked = {.size = sizeof(asked), .self = self, .host = &a.host.pub, .model = koine__str("m")};
    koine__arena_init(&a.arena, 0);
    koine__host_init(&a.host, &(struct koine__host_env){.arena = &a.arena});
    a.host.pub.alloc = no_memory;
    a.host.pub.parse = no_parse;
    koine__out_init(&a.out, &a.arena, "http://h", LIMIT);
    koine__json_read(koine__str(document), &a.arena, &asked.doc, NULL);
    int32_t result = dialect->generate->request(&asked, &a.out.pub);
    dialect_ask_end(&a);
    return result;
}

void dialect_ask_whole_or_not(const koine_dialect *dialect, const koine_provider *self, const char *document,
                              const char *body, size_t notices)
{
    bool hit = true;
    long n = 0;
    while (hit) {
        struct dialect_asking a;
        failalloc_begin(++n);
        int32_t result = dialect_ask(&a, dialect, self, NULL, NULL, document);
        bool same =
            result == KOINE_DONE && a.out.notice_count == notices && koine__str_is(a.request.body, body);
        dialect_ask_end(&a);
        hit = failalloc_end();
        CU_ASSERT(hit ? result == KOINE_NO_MEMORY : same);
    }
    CU_ASSERT(n > 10);
}

/* ---- An answer ---- */

void dialect_read_begin(struct dialect_reading *r, const koine_dialect *dialect, const koine_provider *self)
{
    memset(r, 0, sizeof(*r));
    r->dialect = dialect;
    r->self = self;
    koine__random_seed(&r->random, 1);
    CU_ASSERT_FATAL(dialect->generate->state_size <= sizeof(r->state));
    if (koine__assembly_init(&r->assembly, "a/m", &r->random, LIMIT) != KOINE_OK)
        r->result = KOINE_NO_MEMORY;
}

static koine_str no_header(const koine_frame *frame, const char *name)
{
    (void)frame, (void)name;
    return (koine_str){NULL, 0};
}

void dialect_read_frame(struct dialect_reading *r, int32_t kind, const char *text)
{
    struct koine__arena arena;
    struct koine__host host;
    koine_frame frame = {.size = sizeof(frame),
                         .kind = kind,
                         .http_status = 200,
                         .text = koine__str(text),
                         .header = no_header};
    koine_read read = {.size = sizeof(read), .self = r->self, .host = &host.pub, .frame = &frame};
    if (r->result != KOINE_DONE)
        return;
    koine__arena_init(&arena, 0);
    koine__host_init(&host, &(struct koine__host_env){.arena = &arena});
    read.state = r->state;
    if (koine__json_read(frame.text, &arena, &frame.json, NULL) == KOINE_EMEMORY)
        r->result = KOINE_NO_MEMORY;
    else
        r->result = r->dialect->generate->frame(&read, &r->assembly.sink);
    if (koine__node_failed(frame.json) || r->assembly.fault->class_number == KOINE_CLASS_MEMORY)
        r->result = KOINE_NO_MEMORY;
    koine__arena_release(&arena);
}

void dialect_read_end(struct dialect_reading *r)
{
    koine__assembly_finish(&r->assembly);
    if (r->assembly.fault->class_number == KOINE_CLASS_MEMORY ||
        (r->result == KOINE_DONE && koine__answer_message(r->assembly.answer) != KOINE_OK))
        r->result = KOINE_NO_MEMORY;
}

void dialect_read_release(struct dialect_reading *r)
{
    koine__assembly_release(&r->assembly);
}

void dialect_read_whole_or_not(const koine_dialect *dialect, const koine_provider *self,
                               const char *const *stream, size_t count, const char *words)
{
    bool hit = true;
    long n = 0;
    while (hit) {
        struct dialect_reading r;
        failalloc_begin(++n);
        dialect_read_begin(&r, dialect, self);
        for (size_t i = 0; i < count && r.assembly.answer; i++)
            dialect_read_frame(&r, KOINE_FRAME_SSE, stream[i]);
        if (r.assembly.answer)
            dialect_read_end(&r);
        int32_t result = r.result;
        bool same = result == KOINE_DONE && strstr(koine_response_message(r.assembly.answer), words);
        dialect_read_release(&r);
        hit = failalloc_end();
        CU_ASSERT(hit ? result == KOINE_NO_MEMORY || same : same);
    }
    CU_ASSERT(n > 20);
}

void dialect_read_as_bytes(struct dialect_reading *r, const char *const *stream, size_t count)
{
    char copy[sizeof(r->state)];
    for (size_t i = 0; i < count; i++) {
        dialect_read_frame(r, KOINE_FRAME_SSE, stream[i]);
        memcpy(copy, r->state, sizeof(copy));
        memset(r->state, 0x5A, sizeof(r->state));
        memcpy(r->state, copy, sizeof(copy));
    }
    dialect_read_frame(r, KOINE_FRAME_END, "");
    ASSERT_INT(r->result, KOINE_DONE);
    CU_ASSERT(r->assembly.stopped);
}
