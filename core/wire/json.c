/* json: nodes over a checked text. Whatever is looked at a second time is found where the first look left it,
 * so reading changes nodes: a text and its nodes belong to one thread at a time. */
#include "core/wire/json.h"
#include "core/wire/json_text.h"

#include <koine/koine.h>

#define FEW_ITEMS 8

struct document {
    koine_str text;
    struct koine__arena *arena;
    struct koine__json_ends ends;
    bool failed;
};

struct koine_node {
    struct document *document;
    koine_str source;
    koine_str name; /* of a member: between the quotes, decoded when is_plain; ptr NULL in an array */
    uint32_t lead;  /* bytes from the quote before the name to the value */
    bool name_is_plain;
    bool is_read; /* the union holds */
    union {
        koine_str string; /* decoded */
        struct {
            struct koine_node *items;
            size_t count;
        } index;
    } as;
};

static void *arena_alloc(struct document *document, size_t size)
{
    void *ptr = koine__arena_alloc(document->arena, size);
    if (!ptr)
        document->failed = true;
    return ptr;
}

int koine__json_read(koine_str text, struct koine__arena *arena, const koine_node **ret,
                     struct koine__json_fault *ret_fault)
{
    struct koine__json_ends ends = {.arena = arena};
    int rc = koine__json_scan(text, KOINE__JSON_DEPTH, &ends, ret_fault);
    if (rc)
        return rc;
    struct document *document = koine__arena_alloc(arena, sizeof(*document));
    struct koine_node *root = koine__arena_alloc(arena, sizeof(*root));
    if (!document || !root)
        return KOINE_EMEMORY;
    document->text = text;
    document->arena = arena;
    document->ends = ends;
    root->document = document;
    root->source = koine__str_trim(text); /* what was checked has nothing but space around its value */
    *ret = root;
    return KOINE_OK;
}

int32_t koine__node_kind(const koine_node *node)
{
    switch (node ? node->source.ptr[0] : '\0') {
    case '\0':
        return KOINE_NODE_NONE;
    case '{':
        return KOINE_NODE_OBJECT;
    case '[':
        return KOINE_NODE_ARRAY;
    case '"':
        return KOINE_NODE_STRING;
    case 't':
    case 'f':
        return KOINE_NODE_BOOL;
    case 'n':
        return KOINE_NODE_NULL;
    default:
        return KOINE_NODE_NUMBER;
    }
}

/* ---- The index of a container
 * -------------------------------------------------------------------------------- */

struct items { /* while the index grows: mostly where it stands, for nothing else is allocated meanwhile */
    struct koine_node *items;
    size_t count, capacity;
};

/* One at a time where that costs nothing, so that a small index wastes no room; a large one may have to move
 * to another block, and then what it outgrows stays in the arena, at most as much again. */
static size_t next_capacity(size_t capacity)
{
    return capacity < FEW_ITEMS ? capacity + 1 : capacity * 2;
}

static struct koine_node *add_item(struct document *document, struct items *list)
{
    if (list->count == list->capacity) {
        size_t capacity = next_capacity(list->capacity);
        struct koine_node *items = koine__arena_grow(
            document->arena, list->items, list->capacity * sizeof(*items), capacity * sizeof(*items));
        if (!items) {
            document->failed = true;
            return NULL;
        }
        list->items = items;
        list->capacity = capacity;
    }
    struct koine_node *item = &list->items[list->count++];
    item->document = document;
    return item;
}

/* The span of the value that starts at ptr, inside a container. */
static koine_str value_at(const struct koine_node *container, const char *ptr)
{
    const struct document *document = container->document;
    size_t at = (size_t)(ptr - document->text.ptr);
    return (koine_str){ptr, koine__json_end(document->text, at, &document->ends) - at};
}

/* Reads `"name":` at ptr; where its value starts. */
static const char *read_name(const struct koine_node *object, const char *ptr, struct koine_node *item)
{
    const char *end = object->source.ptr + object->source.len;
    koine_str quoted = value_at(object, ptr);
    item->name = (koine_str){ptr + 1, quoted.len - 2};
    item->name_is_plain = !memchr(item->name.ptr, '\\', item->name.len);
    const char *value = koine__json_space(ptr + quoted.len, end);
    value = koine__json_space(value + 1, end);
    item->lead = (uint32_t)(value - ptr);
    return value;
}

static bool read_items(struct koine_node *node, struct items *list)
{
    const char *end = node->source.ptr + node->source.len - 1; /* the closing bracket */
    const char *ptr = koine__json_space(node->source.ptr + 1, end);
    while (ptr < end) {
        struct koine_node *item = add_item(node->document, list);
        if (!item)
            return false;
        if (node->source.ptr[0] == '{')
            ptr = read_name(node, ptr, item);
        item->source = value_at(node, ptr);
        ptr = koine__json_space(ptr + item->source.len, end);
        if (ptr < end)
            ptr = koine__json_space(ptr + 1, end); /* the comma */
    }
    return true;
}

/* The node with its index, or NULL: no container, or no memory. */
static struct koine_node *indexed(const koine_node *node)
{
    int32_t kind = koine__node_kind(node);
    if (kind != KOINE_NODE_OBJECT && kind != KOINE_NODE_ARRAY)
        return NULL;
    struct koine_node *own = (struct koine_node *)node; /* lives in our arena */
    if (own->is_read)
        return own;
    struct items list = {0};
    if (!read_items(own, &list))
        return NULL;
    own->as.index.items = list.items;
    own->as.index.count = list.count;
    own->is_read = true;
    return own;
}

static bool decode(struct document *document, koine_str raw, koine_str *ret)
{
    char *ptr = arena_alloc(document, raw.len + 1);
    if (!ptr)
        return false;
    *ret = (koine_str){ptr, koine__json_decode(raw, ptr)};
    return true;
}

/* The decoded name; {NULL, 0} without memory. */
static koine_str name_of(struct koine_node *member)
{
    if (!member->name_is_plain)
        member->name_is_plain = decode(member->document, member->name, &member->name);
    return member->name_is_plain ? member->name : (koine_str){NULL, 0};
}

const koine_node *koine__node_get(const koine_node *object, const char *key)
{
    if (!key || koine__node_kind(object) != KOINE_NODE_OBJECT)
        return NULL;
    struct koine_node *node = indexed(object);
    if (!node)
        return NULL;
    size_t len = strlen(key);
    for (size_t i = node->as.index.count; i-- > 0;) {
        koine_str name = name_of(&node->as.index.items[i]);
        if (name.ptr && name.len == len && memcmp(name.ptr, key, len) == 0)
            return &node->as.index.items[i];
    }
    return NULL;
}

size_t koine__node_count(const koine_node *node)
{
    struct koine_node *own = indexed(node);
    return own ? own->as.index.count : 0;
}

const koine_node *koine__node_at(const koine_node *node, size_t index)
{
    struct koine_node *own = indexed(node);
    return own && index < own->as.index.count ? &own->as.index.items[index] : NULL;
}

koine_str koine__node_key(const koine_node *object, size_t index)
{
    return koine__node_name(koine__node_at(object, index));
}

koine_str koine__node_name(const koine_node *member)
{
    return member && member->name.ptr ? name_of((struct koine_node *)member) : (koine_str){NULL, 0};
}

koine_str koine__node_pair(const koine_node *member)
{
    if (!member || !member->name.ptr)
        return (koine_str){NULL, 0};
    return (koine_str){member->source.ptr - member->lead, member->source.len + member->lead};
}

/* ---- Scalars
 * ------------------------------------------------------------------------------------------------- */

koine_str koine__node_str(const koine_node *node)
{
    if (koine__node_kind(node) != KOINE_NODE_STRING)
        return (koine_str){NULL, 0};
    struct koine_node *own = (struct koine_node *)node;
    koine_str raw = {node->source.ptr + 1, node->source.len - 2};
    if (own->is_read)
        return own->as.string;
    if (!memchr(raw.ptr, '\\', raw.len))
        own->as.string = raw;
    else if (!decode(own->document, raw, &own->as.string))
        return (koine_str){NULL, 0};
    own->is_read = true;
    return own->as.string;
}

int64_t koine__node_num(const koine_node *node, int64_t otherwise)
{
    int64_t value;
    if (koine__node_kind(node) != KOINE_NODE_NUMBER || !koine__json_whole(node->source, &value))
        return otherwise;
    return value;
}

int32_t koine__node_truth(const koine_node *node)
{
    if (koine__node_kind(node) != KOINE_NODE_BOOL)
        return -1;
    return node->source.ptr[0] == 't';
}

koine_str koine__node_source(const koine_node *node)
{
    return node ? node->source : (koine_str){NULL, 0};
}

size_t koine__node_offset(const koine_node *node)
{
    return node ? (size_t)(node->source.ptr - node->document->text.ptr) : 0;
}

bool koine__node_failed(const koine_node *root)
{
    return root && root->document->failed;
}
