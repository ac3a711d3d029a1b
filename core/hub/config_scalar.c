/* config_scalar: what the text of a scalar means: ${NAME} expanded, and its type by YAML 1.2's core schema. A
 * message names a variable and never shows what is in it.
 */
#include "core/hub/config_tree.h"

#include "core/hub/file.h"
#include "core/wire/json.h"

#include <inttypes.h>
#include <string.h>

struct expansion { /* of one scalar */
    const struct koine__yaml_job *job;
    const struct koine__env *env;
    struct koine__yaml *node;
    struct koine__buf text;
};

/* ---- ${NAME} ---- */

/* Adds what stands for NAME or NAME:-default, the inside of ${}. */
static int add_variable(struct expansion *at, koine_str inside)
{
    const struct koine__yaml_job *job = at->job;
    unsigned line = at->node->line, column = at->node->column;
    koine_str name = {inside.ptr, koine__env_name_length(inside)};
    koine_str otherwise = {inside.ptr + name.len, inside.len - name.len};
    bool has_default = koine__str_starts(otherwise, ":-");
    if (name.len == 0 || (otherwise.len && !has_default))
        return koine__yaml_refuse(job, line, column,
                                  "expected ${NAME} or ${NAME:-default}; write $$ for a dollar sign");
    const char *copy = koine__arena_strndup(job->arena, name.ptr, name.len);
    if (!copy)
        return koine__error_memory(job->ret_error);
    if (!at->node->variable)
        at->node->variable = copy;
    const char *value = koine__env_get(at->env, copy);
    if (!value && !has_default)
        return koine__yaml_refuse(job, line, column,
                                  "the variable %s is not set; set it, or write ${%s:-default}", copy, copy);
    if (has_default && !(value && value[0]))
        koine__buf_add(&at->text, otherwise.ptr + 2, otherwise.len - 2);
    else if (koine__utf8_valid(value, strlen(value)))
        koine__buf_adds(&at->text, value);
    else
        return koine__yaml_refuse(job, line, column, "the variable %s is not UTF-8", copy);
    return KOINE_OK;
}

/* Adds what stands for the dollar sign that `rest` begins with, and moves past it. */
static int add_dollar(struct expansion *at, koine_str *rest)
{
    size_t len = 1;
    int rc = KOINE_OK;
    if (koine__str_starts(*rest, "${")) {
        const char *end = memchr(rest->ptr, '}', rest->len);
        if (!end)
            return koine__yaml_refuse(at->job, at->node->line, at->node->column,
                                      "\"${\" is not closed by \"}\"; write $$ for a dollar sign");
        len = (size_t)(end - rest->ptr) + 1;
        rc = add_variable(at, (koine_str){rest->ptr + 2, len - 3});
    } else {
        len += koine__str_starts(*rest, "$$");
        koine__buf_addc(&at->text, '$');
    }
    *rest = (koine_str){rest->ptr + len, rest->len - len};
    return rc;
}

static int expand_text(struct expansion *at)
{
    koine_str rest = at->node->text;
    int rc = KOINE_OK;
    while (!rc && rest.len) {
        const char *dollar = memchr(rest.ptr, '$', rest.len);
        size_t len = dollar ? (size_t)(dollar - rest.ptr) : rest.len;
        koine__buf_add(&at->text, rest.ptr, len);
        rest = (koine_str){rest.ptr + len, rest.len - len};
        if (rest.len)
            rc = add_dollar(at, &rest);
    }
    return rc;
}

static int expand_scalar(const struct koine__yaml_job *job, const struct koine__env *env,
                         struct koine__yaml *node)
{
    if (!memchr(node->text.len ? node->text.ptr : "", '$', node->text.len))
        return KOINE_OK;
    struct expansion at = {.job = job, .env = env, .node = node};
    koine__buf_init(&at.text, KOINE__FILE_LIMIT);
    int rc = expand_text(&at);
    if (!rc && at.text.error == KOINE_EARGUMENT)
        rc = koine__yaml_refuse(job, node->line, node->column, "the value is too long");
    const char *text =
        rc || at.text.error ? NULL : koine__arena_strndup(job->arena, koine__buf_str(&at.text), at.text.len);
    if (text)
        node->text = (koine_str){text, at.text.len};
    else if (!rc)
        rc = koine__error_memory(job->ret_error);
    koine__buf_release(&at.text);
    return rc;
}

int koine__yaml_expand(const struct koine__yaml_job *job, const struct koine__env *env,
                       struct koine__yaml *node)
{
    int rc = node->kind == KOINE__YAML_SCALAR ? expand_scalar(job, env, node) : KOINE_OK;
    for (struct koine__yaml *child = node->first; child && !rc; child = child->next)
        rc = koine__yaml_expand(job, env, child);
    return rc;
}

/* ---- The core schema ---- */

static bool is_one_of(koine_str text, const char *const words[], size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (koine__str_is(text, words[i]))
            return true;
    return false;
}

bool koine__yaml_is_null(const struct koine__yaml *node)
{
    static const char *const words[] = {"", "~", "null", "Null", "NULL"};
    return node->kind == KOINE__YAML_SCALAR && node->plain && is_one_of(node->text, words, 5);
}

struct number { /* of a decimal text, cut into its parts */
    bool negative;
    koine_str digits, fraction, exponent; /* the exponent with its sign */
    bool is_real;
};

static koine_str cut_digits(koine_str *rest)
{
    koine_str digits = {rest->ptr, 0};
    while (digits.len < rest->len && rest->ptr[digits.len] >= '0' && rest->ptr[digits.len] <= '9')
        digits.len++;
    *rest = (koine_str){rest->ptr + digits.len, rest->len - digits.len};
    return digits;
}

static bool cut_char(koine_str *rest, const char *any)
{
    if (!rest->len || !strchr(any, rest->ptr[0]))
        return false;
    *rest = (koine_str){rest->ptr + 1, rest->len - 1};
    return true;
}

/* [-+]? ( \. digits | digits ( \. digits? )? ) ( [eE] [-+]? digits )? */
static bool read_number(koine_str text, struct number *ret)
{
    *ret = (struct number){.negative = koine__str_starts(text, "-")};
    cut_char(&text, "+-");
    ret->digits = cut_digits(&text);
    ret->is_real = cut_char(&text, ".");
    if (ret->is_real)
        ret->fraction = cut_digits(&text);
    if (ret->digits.len + ret->fraction.len == 0)
        return false;
    if (!cut_char(&text, "eE"))
        return text.len == 0;
    ret->exponent = text;
    cut_char(&text, "+-");
    return cut_digits(&text).len && text.len == 0;
}

/* The same number as JSON writes it: no plus, no zeros before it, a digit on both sides of the point. */
static void write_number(const struct number *number, struct koine__buf *ret)
{
    koine_str digits = number->digits;
    while (digits.len > 1 && digits.ptr[0] == '0')
        digits = (koine_str){digits.ptr + 1, digits.len - 1};
    if (number->negative)
        koine__buf_addc(ret, '-');
    koine__buf_add(ret, digits.len ? digits.ptr : "0", digits.len ? digits.len : 1);
    if (number->is_real) {
        koine__buf_addc(ret, '.');
        koine__buf_add(ret, number->fraction.len ? number->fraction.ptr : "0",
                       number->fraction.len ? number->fraction.len : 1);
    }
    if (number->exponent.len) {
        koine__buf_addc(ret, 'e');
        koine__buf_add(ret, number->exponent.ptr, number->exponent.len);
    }
}

static unsigned digit_of(char c)
{
    if (c >= '0' && c <= '9')
        return (unsigned)(c - '0');
    if (c >= 'a' && c <= 'f')
        return (unsigned)(c - 'a') + 10;
    return c >= 'A' && c <= 'F' ? (unsigned)(c - 'A') + 10 : 99;
}

/* 0o17 and 0xff; false: neither, or beyond 64 bits. */
static bool read_based(koine_str text, uint64_t *ret)
{
    unsigned base = koine__str_starts(text, "0x") ? 16 : 8;
    uint64_t value = 0;
    if (text.len < 3 || (base == 8 && !koine__str_starts(text, "0o")))
        return false;
    for (size_t i = 2; i < text.len; i++) {
        unsigned digit = digit_of(text.ptr[i]);
        if (digit >= base || __builtin_mul_overflow(value, (uint64_t)base, &value) ||
            __builtin_add_overflow(value, (uint64_t)digit, &value))
            return false;
    }
    *ret = value;
    return true;
}

static bool is_not_finite(koine_str text)
{
    static const char *const words[] = {".inf", ".Inf", ".INF", ".nan", ".NaN", ".NAN"};
    koine_str unsigned_text = text;
    cut_char(&unsigned_text, "+-");
    return is_one_of(unsigned_text, words, 6);
}

/* ---- JSON ---- */

static void write_plain(struct koine__writer *writer, koine_str key, koine_str text)
{
    bool truth;
    uint64_t based;
    struct number number;
    struct koine__buf json;
    koine__buf_init(&json, KOINE__FILE_LIMIT + 8);
    if (koine__read_bool(text, &truth) == 0)
        koine__buf_adds(&json, truth ? "true" : "false");
    else if (read_based(text, &based))
        koine__buf_addf(&json, "%" PRIu64, based);
    else if (read_number(text, &number))
        write_number(&number, &json);
    if (json.error)
        writer->buf->error = json.error;
    else if (json.len)
        koine__write_raw(writer, key, (koine_str){json.ptr, json.len});
    else
        koine__write_str(writer, key, text);
    koine__buf_release(&json);
}

static int write_scalar(const struct koine__yaml_job *job, struct koine__writer *writer, koine_str key,
                        const struct koine__yaml *node)
{
    if (node->plain && is_not_finite(node->text))
        return koine__yaml_refuse(job, node->line, node->column,
                                  "JSON has no infinity and no NaN; write a number");
    if (koine__yaml_is_null(node))
        koine__write_raw(writer, key, KOINE__STR("null"));
    else if (node->plain)
        write_plain(writer, key, node->text);
    else
        koine__write_str(writer, key, node->text);
    return KOINE_OK;
}

static int write_json(const struct koine__yaml_job *job, struct koine__writer *writer, koine_str key,
                      const struct koine__yaml *node)
{
    if (node->kind == KOINE__YAML_SCALAR)
        return write_scalar(job, writer, key, node);
    koine__write_open(writer, key, node->kind == KOINE__YAML_MAP ? '{' : '[');
    int rc = KOINE_OK;
    for (const struct koine__yaml *child = node->first; child && !rc; child = child->next)
        rc = write_json(job, writer, koine__str(child->key), child);
    koine__write_close(writer);
    return rc;
}

int koine__yaml_to_json(const struct koine__yaml_job *job, const struct koine__yaml *node,
                        struct koine__buf *ret)
{
    struct koine__writer writer;
    koine__writer_init(&writer, ret);
    int rc = write_json(job, &writer, (koine_str){NULL, 0}, node);
    if (!rc && !koine__writer_done(&writer))
        rc = koine__error_memory(job->ret_error);
    return rc;
}
