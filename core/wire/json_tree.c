/* json_tree: the reader of koine/json.h, for applications: trees of json-c, which this file alone knows.
 *
 * The text is checked by our scanner, and the tree is built from our nodes with json-c's constructors.
 * json-c's own parser is not used: it saturates large integers, cuts names at NUL, visits the locale, and
 * takes much that is not JSON. Every number is kept as the text it was written in. json-c allocates by
 * itself, so a test cannot make those allocations fail; where it says that one did, that is KOINE_EMEMORY.
 */
#include "core/base/error.h"
#include "core/wire/json.h"
#include "core/wire/json_text.h"

#include <json-c/json.h>
#include <koine/json.h>

#define LARGEST_TEXT ((size_t)1 << 30)

/* json-c has no object for null, but a null is not absent. */
static const char null_json;

static koine_json *wrap(struct json_object *object)
{
    return object ? (koine_json *)object : (koine_json *)&null_json;
}

/* NULL for a null and for what is absent. json-c's getters take no const, but change nothing. */
static struct json_object *unwrap(const koine_json *json)
{
    return json == (const koine_json *)&null_json ? NULL : (struct json_object *)json;
}

/* ---- Members by their index: json-c only has a list, so each object carries a table as its user data.
 * ----------- */

struct member {
    const char *name; /* json-c's own copy */
    struct json_object *value;
};

static void free_members(struct json_object *object, void *members)
{
    (void)object;
    koine__dealloc(members);
}

static int index_members(struct json_object *object)
{
    size_t count = 0;
    struct member *members = koine__alloc_array((size_t)json_object_object_length(object), sizeof(*members));
    if (!members)
        return KOINE_EMEMORY;
    struct json_object_iterator at = json_object_iter_begin(object), end = json_object_iter_end(object);
    for (; !json_object_iter_equal(&at, &end); json_object_iter_next(&at))
        members[count++] = (struct member){json_object_iter_peek_name(&at), json_object_iter_peek_value(&at)};
    json_object_set_userdata(object, members, free_members);
    return KOINE_OK;
}

static const struct member *member_at(const koine_json *object, size_t index)
{
    struct json_object *own = unwrap(object);
    if (!json_object_is_type(own, json_type_object) || index >= (size_t)json_object_object_length(own))
        return NULL;
    return (const struct member *)json_object_get_userdata(own) + index;
}

/* ---- Building
 * ------------------------------------------------------------------------------------------------ */

struct build {
    struct koine__arena arena; /* of the nodes, and of texts on their way */
    const koine_node *wrong;   /* what a tree cannot hold */
};

/* 0 and *ret (NULL for a null), or negative. */
static int build_value(struct build *build, const koine_node *node, struct json_object **ret);

static int add_member(struct build *build, struct json_object *parent, const koine_node *node, size_t index,
                      struct json_object *value)
{
    koine_str key = koine__node_key(node, index);
    char *name = key.ptr ? koine__arena_strndup(&build->arena, key.ptr, key.len) : NULL;
    if (!name)
        return KOINE_EMEMORY;
    if (strlen(name) != key.len) {
        build->wrong = koine__node_at(node, index);
        return KOINE_EARGUMENT;
    }
    return json_object_object_add(parent, name, value) ? KOINE_EMEMORY : KOINE_OK;
}

static int add_element(struct json_object *parent, struct json_object *value)
{
    return json_object_array_add(parent, value) ? KOINE_EMEMORY : KOINE_OK;
}

static int build_children(struct build *build, const koine_node *node, struct json_object *parent)
{
    bool array = json_object_is_type(parent, json_type_array);
    for (size_t i = 0; i < koine__node_count(node); i++) {
        struct json_object *child = NULL;
        int rc = build_value(build, koine__node_at(node, i), &child);
        if (rc)
            return rc;
        rc = array ? add_element(parent, child) : add_member(build, parent, node, i, child);
        if (rc) {
            json_object_put(child);
            return rc;
        }
    }
    return array ? KOINE_OK : index_members(parent);
}

static struct json_object *build_number(struct build *build, koine_str source)
{
    char *text = koine__arena_strndup(&build->arena, source.ptr, source.len);
    return text ? json_object_new_double_s(0, text) : NULL;
}

static struct json_object *build_string(koine_str text)
{
    return text.ptr && text.len <= INT32_MAX ? json_object_new_string_len(text.ptr, (int)text.len) : NULL;
}

/* The value without what is in it; NULL: no memory. */
static struct json_object *build_node(struct build *build, const koine_node *node)
{
    switch (koine__node_kind(node)) {
    case KOINE_NODE_OBJECT:
        return json_object_new_object();
    case KOINE_NODE_ARRAY:
        return json_object_new_array();
    case KOINE_NODE_STRING:
        return build_string(koine__node_str(node));
    case KOINE_NODE_BOOL:
        return json_object_new_boolean(koine__node_truth(node));
    default:
        return build_number(build, koine__node_source(node));
    }
}

static int build_value(struct build *build, const koine_node *node, struct json_object **ret)
{
    int32_t kind = koine__node_kind(node);
    if (kind == KOINE_NODE_NULL) {
        *ret = NULL;
        return KOINE_OK;
    }
    struct json_object *object = build_node(build, node);
    if (!object)
        return KOINE_EMEMORY;
    if (kind == KOINE_NODE_ARRAY || kind == KOINE_NODE_OBJECT) {
        int rc = build_children(build, node, object);
        if (rc) {
            json_object_put(object);
            return rc;
        }
    }
    *ret = object;
    return KOINE_OK;
}

static int refuse(koine_error **ret_error, unsigned line, unsigned column, const char *reason)
{
    return koine__error(ret_error, KOINE_EARGUMENT, "not JSON at line %u, column %u: %s", line, column,
                        reason);
}

static int parse(struct build *build, koine_str text, struct json_object **ret, koine_error **ret_error)
{
    const koine_node *root = NULL;
    struct koine__json_fault fault;
    int rc = koine__json_read(text, &build->arena, &root, &fault);
    if (rc == KOINE_EARGUMENT)
        return refuse(ret_error, fault.line, fault.column, fault.reason);
    struct json_object *object = NULL;
    if (!rc)
        rc = build_value(build, root, &object);
    if (build->wrong) {
        koine__json_position(text, koine__node_offset(build->wrong), &fault.line, &fault.column);
        return refuse(ret_error, fault.line, fault.column, "the name of this member holds \\u0000");
    }
    /* Where navigating ran out of memory, something may be missing in the tree. */
    if (!rc && koine__node_failed(root)) {
        json_object_put(object);
        rc = KOINE_EMEMORY;
    }
    if (rc)
        return koine__error_memory(ret_error);
    *ret = object;
    return KOINE_OK;
}

int koine_json_parse(const char *text, size_t length, koine_json **ret, koine_error **ret_error)
{
    if (!text || !ret)
        return koine__error(ret_error, KOINE_EARGUMENT, "koine_json_parse: %s is NULL",
                            text ? "ret" : "text");
    struct json_object *object = NULL;
    struct build build = {.wrong = NULL};
    koine__arena_init(&build.arena, 0);
    int rc = parse(&build, (koine_str){text, length}, &object, ret_error);
    koine__arena_release(&build.arena);
    if (!rc)
        *ret = wrap(object);
    return rc;
}

void koine_json_free(koine_json *root)
{
    json_object_put(unwrap(root));
}

/* ---- Reading
 * --------------------------------------------------------------------------------------------------- */

int koine_json_kind(const koine_json *json)
{
    if (!json)
        return KOINE_JSON_NONE;
    switch (json_object_get_type(unwrap(json))) {
    case json_type_null:
        return KOINE_JSON_NULL;
    case json_type_boolean:
        return KOINE_JSON_BOOL;
    case json_type_string:
        return KOINE_JSON_STRING;
    case json_type_array:
        return KOINE_JSON_ARRAY;
    case json_type_object:
        return KOINE_JSON_OBJECT;
    default:
        return KOINE_JSON_NUMBER;
    }
}

const koine_json *koine_json_get(const koine_json *object, const char *name)
{
    struct json_object *value;
    if (!name || koine_json_kind(object) != KOINE_JSON_OBJECT)
        return NULL;
    return json_object_object_get_ex(unwrap(object), name, &value) ? wrap(value) : NULL;
}

size_t koine_json_count(const koine_json *json)
{
    switch (koine_json_kind(json)) {
    case KOINE_JSON_ARRAY:
        return json_object_array_length(unwrap(json));
    case KOINE_JSON_OBJECT:
        return (size_t)json_object_object_length(unwrap(json));
    default:
        return 0;
    }
}

const koine_json *koine_json_at(const koine_json *json, size_t index)
{
    const struct member *member = member_at(json, index);
    if (member)
        return wrap(member->value);
    if (koine_json_kind(json) != KOINE_JSON_ARRAY || index >= koine_json_count(json))
        return NULL;
    return wrap(json_object_array_get_idx(unwrap(json), index));
}

const char *koine_json_name_at(const koine_json *object, size_t index)
{
    const struct member *member = member_at(object, index);
    return member ? member->name : NULL;
}

const char *koine_json_string(const koine_json *json, size_t *ret_length)
{
    if (koine_json_kind(json) != KOINE_JSON_STRING)
        return NULL;
    if (ret_length)
        *ret_length = (size_t)json_object_get_string_len(unwrap(json));
    return json_object_get_string(unwrap(json));
}

/* As it was written; NULL if it is no number. */
static const char *number_text(const koine_json *json)
{
    return koine_json_kind(json) == KOINE_JSON_NUMBER ? json_object_get_userdata(unwrap(json)) : NULL;
}

int64_t koine_json_integer(const koine_json *json, int64_t otherwise)
{
    int64_t value;
    const char *text = number_text(json);
    return text && koine__json_whole(koine__str(text), &value) ? value : otherwise;
}

double koine_json_real(const koine_json *json, double otherwise)
{
    double value;
    const char *text = number_text(json);
    return text && koine__json_real(text, &value) ? value : otherwise;
}

int koine_json_true(const koine_json *json)
{
    return koine_json_kind(json) == KOINE_JSON_BOOL && json_object_get_boolean(unwrap(json));
}

static void write_value(struct koine__writer *writer, koine_str key, const koine_json *json)
{
    int kind = koine_json_kind(json);
    switch (kind) {
    case KOINE_JSON_ARRAY:
    case KOINE_JSON_OBJECT:
        koine__write_open(writer, key, kind == KOINE_JSON_OBJECT ? '{' : '[');
        for (size_t i = 0; i < koine_json_count(json); i++)
            write_value(writer, koine__str(koine_json_name_at(json, i)), koine_json_at(json, i));
        koine__write_close(writer);
        return;
    case KOINE_JSON_STRING: {
        size_t length = 0;
        const char *text = koine_json_string(json, &length);
        koine__write_str(writer, key, (koine_str){text, length});
        return;
    }
    case KOINE_JSON_NUMBER:
        koine__write_raw(writer, key, koine__str(number_text(json)));
        return;
    case KOINE_JSON_BOOL:
        koine__write_raw(writer, key, koine__str(koine_json_true(json) ? "true" : "false"));
        return;
    default:
        koine__write_raw(writer, key, KOINE__STR("null"));
    }
}

char *koine_json_text(const koine_json *json)
{
    struct koine__buf buf;
    struct koine__writer writer;
    if (!json)
        return NULL;
    koine__buf_init(&buf, LARGEST_TEXT);
    koine__writer_init(&writer, &buf);
    write_value(&writer, (koine_str){NULL, 0}, json);
    if (koine__writer_done(&writer))
        return koine__buf_take(&buf);
    koine__buf_release(&buf);
    return NULL;
}
