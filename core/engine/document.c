/* document: see document.h. */
#include "core/engine/document.h"

#include <stdatomic.h>
#include <string.h>

#define TARGET_BLOCK ((size_t)160) /* holds a target that is in no route, with its name */

struct koine__source {
    atomic_int references;
    const void *user; /* whose documents have it */
    struct koine__arena arena;
    koine_str text;
    struct koine__version version;
    bool is_right; /* koine__document_check found nothing */
};

static int parse(struct koine__source *source, koine_str text, koine_error **ret_error)
{
    struct koine__json_fault fault = {0};
    char *copy = koine__arena_strndup(&source->arena, text.ptr ? text.ptr : "", text.len);
    if (!copy)
        return koine__error_memory(ret_error);
    source->text = (koine_str){copy, text.len};
    int rc = koine__json_read(source->text, &source->arena, &source->version.root, &fault);
    if (rc == KOINE_EMEMORY)
        return koine__error_memory(ret_error);
    if (rc != KOINE_OK)
        return koine__error(ret_error, KOINE_EARGUMENT, "document:%u:%u: %s", fault.line, fault.column,
                            fault.reason);
    if (koine__node_kind(source->version.root) != KOINE_NODE_OBJECT)
        return koine__error(ret_error, KOINE_EARGUMENT,
                            "document:1:1: is not a JSON object; write {\"messages\": [...]}");
    return KOINE_OK;
}

int koine__source_read(koine_str text, struct koine__source **ret, koine_error **ret_error)
{
    struct koine__source *source = koine__alloc(sizeof(*source));
    if (!source)
        return koine__error_memory(ret_error);
    atomic_init(&source->references, 1);
    koine__arena_init(&source->arena, 0);
    int rc = parse(source, text, ret_error);
    if (rc == KOINE_OK)
        *ret = source;
    else
        koine__source_unref(source);
    return rc;
}

void koine__source_unref(struct koine__source *source)
{
    if (!source || atomic_fetch_sub_explicit(&source->references, 1, memory_order_acq_rel) != 1)
        return;
    koine__arena_release(&source->arena);
    koine__dealloc(source);
}

bool koine__source_lend(struct koine__source *source, const void *user)
{
    bool is_free = atomic_load_explicit(&source->references, memory_order_acquire) == 1;
    if ((!is_free && source->user != user) || koine__node_failed(source->version.root))
        return false;
    source->user = user;
    return true;
}

int koine__document_new(struct koine__source *source, struct koine__document **ret)
{
    struct koine__document *document = koine__alloc(sizeof(*document));
    if (!document)
        return KOINE_EMEMORY;
    atomic_fetch_add_explicit(&source->references, 1, memory_order_relaxed);
    koine__arena_init(&document->arena, 0);
    document->arena.first_block = TARGET_BLOCK;
    document->source = source;
    document->root = source->version.root;
    *ret = document;
    return KOINE_OK;
}

int koine__document_read(koine_str text, struct koine__document **ret, koine_error **ret_error)
{
    struct koine__source *source;
    int rc = koine__source_read(text, &source, ret_error);
    if (rc != KOINE_OK)
        return rc;
    rc = koine__document_new(source, ret);
    koine__source_unref(source);
    return rc == KOINE_OK ? KOINE_OK : koine__error_memory(ret_error);
}

void koine__document_free(struct koine__document *document)
{
    if (!document)
        return;
    koine__source_unref(document->source);
    koine__arena_release(&document->arena);
    koine__dealloc(document);
}

/* ---- its shape ---- */

static int refuse(const struct koine__document *document, const koine_node *node, koine_error **ret_error,
                  const char *why)
{
    if (koine__node_failed(document->root)) /* what was not found may be there */
        return koine__error_memory(ret_error);
    unsigned line = 1, column = 1;
    if (node)
        koine__json_position(document->source->text, koine__node_offset(node), &line, &column);
    return koine__error(ret_error, KOINE_EARGUMENT, "document:%u:%u: %s", line, column, why);
}

static int check_messages(const struct koine__document *document, koine_error **ret_error)
{
    const koine_node *messages = koine__node_get(document->root, "messages");
    if (koine__node_kind(messages) != KOINE_NODE_ARRAY)
        return refuse(document, messages, ret_error,
                      messages ? "`messages` is not a list; write [{\"role\": \"user\", \"content\": \"…\"}]"
                               : "there are no `messages`; write [{\"role\": \"user\", \"content\": \"…\"}]");
    for (size_t i = 0; i < koine__node_count(messages); i++) {
        const koine_node *message = koine__node_at(messages, i);
        const koine_node *role = koine__node_get(message, "role");
        if (koine__node_kind(message) != KOINE_NODE_OBJECT)
            return refuse(document, message, ret_error, "a message is an object with `role` and `content`");
        if (koine__node_kind(role) != KOINE_NODE_STRING)
            return refuse(document, role ? role : message, ret_error,
                          "a message needs a `role`: system, developer, user, assistant or tool");
    }
    return KOINE_OK;
}

static int check(const struct koine__document *document, koine_error **ret_error)
{
    const koine_node *n = koine__node_get(document->root, "n"),
                     *ours = koine__node_get(document->root, "koine");
    if (koine__node_num(n, 1) > 1)
        return refuse(document, n, ret_error,
                      "`n` is above 1; a call gives one answer, so make one call for each");
    if (ours && koine__node_kind(ours) != KOINE_NODE_OBJECT)
        return refuse(document, ours, ret_error, "`koine` is not an object");
    int rc = check_messages(document, ret_error);
    return rc == KOINE_OK && koine__node_failed(document->root) ? koine__error_memory(ret_error) : rc;
}

int koine__document_check(const struct koine__document *document, koine_error **ret_error)
{
    if (document->source->is_right)
        return KOINE_OK;
    int rc = check(document, ret_error);
    document->source->is_right = rc == KOINE_OK;
    return rc;
}

/* ---- as a target wants it ---- */

static bool is_changed(const struct koine__target *target, koine_str name)
{
    for (size_t i = 0; i < target->member_count; i++) {
        if (koine__str_is(name, target->members[i].name))
            return true;
    }
    return false;
}

/* All that the target does not change stays in the source's own bytes. */
static void write_changed(struct koine__writer *writer, const koine_node *root,
                          const struct koine__target *target)
{
    koine__write_open(writer, (koine_str){NULL, 0}, '{');
    for (size_t i = 0; i < koine__node_count(root); i++) {
        koine_str name = koine__node_key(root, i);
        if (!is_changed(target, name))
            koine__write_raw(writer, name, koine__node_source(koine__node_at(root, i)));
    }
    for (size_t i = 0; i < target->member_count; i++) {
        if (target->members[i].json)
            koine__write_raw(writer, koine__str(target->members[i].name),
                             koine__str(target->members[i].json));
    }
    koine__write_close(writer);
}

static struct koine__version *make_changed(struct koine__document *document,
                                           const struct koine__target *target)
{
    struct koine__buf buf;
    struct koine__writer writer;
    koine__buf_init(&buf, SIZE_MAX / 2);
    koine__writer_init(&writer, &buf);
    write_changed(&writer, document->root, target);
    struct koine__version *version = koine__arena_alloc(&document->arena, sizeof(*version));
    char *text = koine__writer_done(&writer) && !koine__node_failed(document->root)
                     ? koine__arena_strndup(&document->arena, buf.ptr, buf.len)
                     : NULL;
    bool is_made =
        version && text &&
        koine__json_read((koine_str){text, buf.len}, &document->arena, &version->root, NULL) == KOINE_OK;
    koine__buf_release(&buf);
    return is_made ? version : NULL;
}

static int make_room(struct koine__document *document, size_t count)
{
    if (count <= document->changed_count)
        return KOINE_OK;
    struct koine__version **changed =
        koine__arena_alloc(&document->arena, count * sizeof(struct koine__version *));
    if (!changed)
        return KOINE_EMEMORY;
    if (document->changed_count > 0)
        memcpy(changed, document->changed, document->changed_count * sizeof(struct koine__version *));
    document->changed = changed;
    document->changed_count = count;
    return KOINE_OK;
}

int koine__document_for(struct koine__document *document, const struct koine__target *target, size_t index,
                        struct koine__version **ret)
{
    *ret = document ? &document->source->version : NULL;
    if (!document || target->member_count == 0)
        return KOINE_OK;
    if (make_room(document, index + 1) != KOINE_OK)
        return KOINE_EMEMORY;
    if (!document->changed[index])
        document->changed[index] = make_changed(document, target);
    *ret = document->changed[index];
    return *ret ? KOINE_OK : KOINE_EMEMORY;
}
