/* json: the scanner accepts exactly what a slow reader of RFC 8259 accepts, but for names twice at the top
 * level or with a NUL; and whatever it accepts can be walked, skipped, copied, and built into a tree. */
#include "core/wire/json.h"
#include "core/wire/json_text.h"
#include "tests/fuzz/fuzz.h"

#include <koine/json.h>
#include <stdlib.h>
#include <string.h>

/* ---- The slow reader: the grammar of RFC 8259, rule by rule ---- */

struct slow {
    const char *ptr, *end;
};

static bool slow_value(struct slow *slow, unsigned depth);

static bool slow_is(struct slow *slow, const char *text)
{
    size_t len = strlen(text);
    if ((size_t)(slow->end - slow->ptr) < len || memcmp(slow->ptr, text, len) != 0)
        return false;
    slow->ptr += len;
    return true;
}

static void slow_space(struct slow *slow)
{
    while (slow_is(slow, " ") || slow_is(slow, "\t") || slow_is(slow, "\n") || slow_is(slow, "\r"))
        continue;
}

static bool slow_any(struct slow *slow, const char *set)
{
    if (slow->ptr == slow->end || *slow->ptr == '\0' || !strchr(set, *slow->ptr))
        return false;
    slow->ptr++;
    return true;
}

static bool slow_digits(struct slow *slow)
{
    if (!slow_any(slow, "0123456789"))
        return false;
    while (slow_any(slow, "0123456789"))
        continue;
    return true;
}

static bool slow_number(struct slow *slow)
{
    (void)slow_is(slow, "-");
    if (!slow_is(slow, "0") && (!(slow->ptr < slow->end && *slow->ptr != '0') || !slow_digits(slow)))
        return false;
    if (slow_is(slow, ".") && !slow_digits(slow))
        return false;
    if (!slow_any(slow, "eE"))
        return true;
    (void)slow_any(slow, "+-");
    return slow_digits(slow);
}

static bool slow_character(struct slow *slow)
{
    unsigned char c = (unsigned char)*slow->ptr;
    if (c == '\\') {
        slow->ptr++;
        if (!slow_is(slow, "u"))
            return slow_any(slow, "\"\\/bfnrt");
        for (int i = 0; i < 4; i++)
            if (!slow_any(slow, "0123456789abcdefABCDEF"))
                return false;
        return true;
    }
    size_t length = koine__utf8_length(slow->ptr, (size_t)(slow->end - slow->ptr));
    slow->ptr += length;
    return c >= 0x20 && length > 0;
}

static bool slow_string(struct slow *slow)
{
    if (!slow_is(slow, "\""))
        return false;
    while (!slow_is(slow, "\""))
        if (slow->ptr == slow->end || !slow_character(slow))
            return false;
    return true;
}

static bool slow_member(struct slow *slow, unsigned depth)
{
    slow_space(slow);
    if (!slow_string(slow))
        return false;
    slow_space(slow);
    return slow_is(slow, ":") && slow_value(slow, depth);
}

static bool slow_container(struct slow *slow, unsigned depth, bool object)
{
    const char *close = object ? "}" : "]";
    if (depth >= KOINE__JSON_DEPTH)
        return false;
    slow_space(slow);
    if (slow_is(slow, close))
        return true;
    do {
        if (!(object ? slow_member(slow, depth + 1) : slow_value(slow, depth + 1)))
            return false;
        slow_space(slow);
    } while (slow_is(slow, ","));
    return slow_is(slow, close);
}

static bool slow_value(struct slow *slow, unsigned depth)
{
    slow_space(slow);
    if (slow_is(slow, "{"))
        return slow_container(slow, depth, true);
    if (slow_is(slow, "["))
        return slow_container(slow, depth, false);
    if (slow_is(slow, "true") || slow_is(slow, "false") || slow_is(slow, "null"))
        return true;
    if (slow->ptr < slow->end && *slow->ptr == '"')
        return slow_string(slow);
    return slow_number(slow);
}

static bool slow_accepts(koine_str text)
{
    struct slow slow = {text.ptr, text.ptr + text.len};
    if (!slow_value(&slow, 0))
        return false;
    slow_space(&slow);
    return slow.ptr == slow.end;
}

/* ---- What was accepted ---- */

/* What is not there has no kind and no value, and harms nobody. */
static void check_absent(const koine_node *node, size_t count)
{
    const koine_node *none = koine__node_at(node, count);
    FUZZ_CHECK(!none && koine__node_kind(none) == KOINE_NODE_NONE && koine__node_count(none) == 0);
    FUZZ_CHECK(!koine__node_get(node, "no such name") && !koine__node_get(node, NULL));
    FUZZ_CHECK(!koine__node_key(node, count).ptr && !koine__node_source(none).ptr);
}

static void walk(const koine_node *node)
{
    int kind = koine__node_kind(node);
    koine_str source = koine__node_source(node), text = koine__node_str(node);
    size_t count = koine__node_count(node);
    FUZZ_CHECK(source.len > 0);
    FUZZ_CHECK(koine__json_skip(source, 0) == source.len);
    FUZZ_CHECK(kind != KOINE_NODE_STRING || koine__utf8_valid(text.ptr, text.len));
    koine_str again = koine__node_str(node);
    FUZZ_CHECK(again.len == text.len && again.ptr == text.ptr);
    koine__node_num(node, -1);
    koine__node_truth(node);
    check_absent(node, count);
    for (size_t i = 0; i < count; i++) {
        const koine_node *child = koine__node_at(node, i);
        FUZZ_CHECK(child);
        if (kind == KOINE_NODE_OBJECT) {
            koine_str key = koine__node_key(node, i);
            char *name = fuzz_copy(key);
            FUZZ_CHECK(koine__utf8_valid(key.ptr, key.len));
            FUZZ_CHECK(strlen(name) != key.len || koine__node_get(node, name) != NULL);
            free(name);
        }
        walk(child);
    }
}

/* A number that is printed is JSON, and reads back the same. */
static void check_real(double value)
{
    char text[32];
    double again = 0;
    if (!koine__json_print_real(value, text))
        return;
    FUZZ_CHECK(koine__json_check(koine__str(text), KOINE__JSON_DEPTH, NULL) == KOINE_OK);
    FUZZ_CHECK(koine__json_real(text, &again) && memcmp(&again, &value, sizeof(value)) == 0);
}

/* Through the getters that applications have. */
static void look(const koine_json *json)
{
    size_t length = 0;
    FUZZ_CHECK(koine_json_kind(json) != KOINE_JSON_NONE);
    koine_json_integer(json, -1);
    check_real(koine_json_real(json, -1));
    koine_json_true(json);
    koine_json_string(json, &length);
    for (size_t i = 0; i < koine_json_count(json); i++) {
        const char *name = koine_json_name_at(json, i);
        FUZZ_CHECK(!name || koine_json_get(json, name));
        look(koine_json_at(json, i));
    }
}

/* The tree may only refuse names that hold a NUL below the top level. */
static void build_tree(koine_str text)
{
    koine_json *tree = NULL;
    koine_error *error = NULL;
    if (koine_json_parse(text.ptr, text.len, &tree, &error) != KOINE_OK) {
        const char *message = koine_error_message(error);
        if (!strstr(message, "\\u0000"))
            fuzz_fail("the tree refuses what the scanner accepts: %s", message);
        koine_error_free(error);
        return;
    }
    look(tree);
    char *printed = koine_json_text(tree);
    FUZZ_CHECK(printed && koine__json_check(koine__str(printed), KOINE__JSON_DEPTH, NULL) == KOINE_OK);
    koine_free(printed);
    koine_json_free(tree);
}

static void use(koine_str text)
{
    struct koine__arena arena;
    const koine_node *root = NULL;
    koine__arena_init(&arena, 0);
    FUZZ_CHECK(koine__json_read(text, &arena, &root, NULL) == KOINE_OK);
    walk(root);
    FUZZ_CHECK(!koine__node_failed(root));
    koine__arena_release(&arena);
    build_tree(text);
}

static void refused(koine_str text, const struct koine__json_fault *fault)
{
    FUZZ_CHECK(fault->reason && fault->offset <= text.len && fault->line > 0 && fault->column > 0);
    bool ours = strstr(fault->reason, "already there") || strstr(fault->reason, "\\u0000");
    if (!ours && slow_accepts(text))
        fuzz_fail("the scanner refuses JSON: %s at %zu", fault->reason, fault->offset);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    koine_str text = {(const char *)data, size};
    struct koine__json_fault fault = {0};
    int rc = koine__json_check(text, KOINE__JSON_DEPTH, &fault);
    if (rc == KOINE_OK) {
        FUZZ_CHECK(slow_accepts(text));
        use(text);
    } else {
        refused(text, &fault);
    }
    return 0;
}
