/* config_show: the store as YAML that can be read again, secrets aside. */
#include "core/hub/config.h"

#include "core/hub/config_tree.h"

#include <stdio.h>
#include <string.h>

#define LONGEST_TEXT ((size_t)16 << 20)

struct show {
    const struct koine__store *store;
    struct koine__buf buf;
};

/* ---- Scalars ---- */

static bool is_word(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || strchr("._/+-", c);
}

/* Needs no quotes anywhere, and is not a null. */
static bool is_plain(const char *text)
{
    static const char *const nulls[] = {"null", "Null", "NULL"};
    for (size_t i = 0; i < 3; i++)
        if (strcmp(text, nulls[i]) == 0)
            return false;
    for (size_t i = 0; text[i]; i++) {
        bool colon = text[i] == ':' && i > 0 && text[i + 1] && text[i + 1] != ' ';
        if (!colon && !is_word(text[i]))
            return false;
    }
    return text[0] && !strchr("-+", text[0]) && strncmp(text, "...", 3) != 0;
}

/* ${ would be expanded when it is read again, and $$ be one. */
static void add_dollar(struct koine__buf *buf, char next)
{
    koine__buf_adds(buf, next == '{' || next == '$' ? "$$" : "$");
}

/* The first character's code; above the basic plane, where all is ordinary, just 0x10000. */
static unsigned code_of(const char *text, size_t *ret_len)
{
    const unsigned char *p = (const unsigned char *)text;
    *ret_len = koine__utf8_length(text, strnlen(text, 4));
    if (*ret_len == 2)
        return (p[0] & 0x1Fu) << 6 | (p[1] & 0x3Fu);
    if (*ret_len == 3)
        return (p[0] & 0x0Fu) << 12 | (p[1] & 0x3Fu) << 6 | (p[2] & 0x3Fu);
    return *ret_len == 1 ? p[0] : 0x10000;
}

/* What YAML's reader refuses or takes for a line's end, though JSON and we do not, is added as \uXXXX, which
 * both read. Gives the character's length; 0: it is an ordinary one, and nothing was added. */
static size_t add_awkward(struct koine__buf *buf, const char *text)
{
    size_t len;
    unsigned code = code_of(text, &len);
    bool control = code >= 0x7F && code < 0xA0;
    bool separator = code == 0x2028 || code == 0x2029;
    if (!control && !separator && code != 0xFEFF && code != 0xFFFE && code != 0xFFFF)
        return 0;
    koine__buf_addf(buf, "\\u%04x", code);
    return len;
}

static void add_quoted(struct koine__buf *buf, const char *text)
{
    koine__buf_addc(buf, '"');
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        size_t awkward = add_awkward(buf, text);
        if (awkward)
            text += awkward - 1;
        else if (c == '$')
            add_dollar(buf, text[1]);
        else if (c == '"' || c == '\\')
            koine__buf_addf(buf, "\\%c", c);
        else if (c < 0x20)
            koine__buf_addf(buf, "\\x%02x", c);
        else
            koine__buf_addc(buf, (char)c);
    }
    koine__buf_addc(buf, '"');
}

static void add_text(struct koine__buf *buf, const char *text)
{
    if (is_plain(text))
        koine__buf_adds(buf, text);
    else
        add_quoted(buf, text);
}

/* Whether the string that begins here is a member's name: nothing is expanded in those. */
static bool is_member_name(const char *json)
{
    const char *at = json + 1;
    while (*at && *at != '"')
        at += *at == '\\' && at[1] ? 2 : 1;
    return *at && at[1] == ':';
}

/* JSON is YAML but for the dollar signs in its values, and for the space that libyaml wants behind a colon.
 */
static void add_json(struct koine__buf *buf, const char *json)
{
    bool inside = false, name = false;
    for (; *json; json++) {
        if (inside && *json == '\\' && json[1])
            koine__buf_addc(buf, *json++);
        else if (*json == '"') {
            inside = !inside;
            name = inside && is_member_name(json);
        }
        size_t awkward = add_awkward(buf, json);
        if (awkward)
            json += awkward - 1;
        else if (*json == '$' && !name)
            add_dollar(buf, json[1]);
        else
            koine__buf_addc(buf, *json);
        if (!inside && (*json == ':' || *json == ','))
            koine__buf_addc(buf, ' ');
    }
}

static void add_value(struct show *show, const struct koine__setting *row, const char *value)
{
    if (!row) /* what it is, and so whether it is a secret, nobody knows */
        koine__buf_adds(&show->buf, "(unknown key)");
    else if (row->type == KOINE__SET_SECRET || row->type == KOINE__SET_COMMAND)
        koine__buf_adds(&show->buf, "(set)");
    else if (row->type == KOINE__SET_URL &&
             strchr(value, '@')) /* refused as it is, and perhaps for a password */
        koine__buf_adds(&show->buf, "(not a URL)");
    else if (row->type == KOINE__SET_JSON)
        add_json(&show->buf, value);
    else
        add_text(&show->buf, value);
    koine__buf_addc(&show->buf, '\n');
}

/* ---- Maps and lists ---- */

static void indent(struct show *show, unsigned depth)
{
    for (unsigned i = 0; i < depth; i++)
        koine__buf_adds(&show->buf, "  ");
}

static void show_members(struct show *show, const char *path, unsigned depth, bool inline_first);

static bool exists(const struct koine__store *store, const char *path)
{
    return koine__store_get(store, path) || koine__store_child(store, path, 0);
}

static void show_element(struct show *show, const char *path, unsigned depth)
{
    const struct koine__setting *row = koine__setting_find(path);
    const char *value = koine__store_get(show->store, path);
    indent(show, depth);
    koine__buf_adds(&show->buf, "- ");
    if (row && value)
        add_value(show, row, value);
    else if (koine__store_child(show->store, path, 0))
        show_members(show, path, depth + 1, true);
    else
        koine__buf_adds(&show->buf, "{}\n");
}

/* In the order of the indices, which need not be that of staging. */
static void show_elements(struct show *show, const char *path, unsigned depth)
{
    char name[24], element[KOINE__CONFIG_PATH];
    size_t left = 0;
    while (koine__store_child(show->store, path, left))
        left++;
    for (unsigned i = 0; left && i < 1000000; i++) {
        snprintf(name, sizeof(name), "%u", i);
        if (!koine__config_join(path, name, element) || !exists(show->store, element))
            continue;
        show_element(show, element, depth);
        left--;
    }
}

/* What follows a key. */
static void show_node(struct show *show, const char *path, unsigned depth)
{
    const struct koine__setting *row = koine__setting_find(path);
    const char *value = koine__store_get(show->store, path);
    bool list = koine__config_is_list(path), has_children = koine__store_child(show->store, path, 0);
    if (has_children) {
        koine__buf_addc(&show->buf, '\n');
        if (list)
            show_elements(show, path, depth);
        else
            show_members(show, path, depth, false);
        return;
    }
    koine__buf_addc(&show->buf, ' ');
    if (row || !koine__setting_is_map(path))
        add_value(show, row, value ? value : "");
    else
        koine__buf_adds(&show->buf, list ? "[]\n" : "{}\n");
}

static void show_members(struct show *show, const char *path, unsigned depth, bool inline_first)
{
    char child[KOINE__CONFIG_PATH];
    const char *name;
    for (size_t i = 0; (name = koine__store_child(show->store, path, i)); i++) {
        if (!koine__config_join(path, name, child))
            continue;
        if (!inline_first || i > 0)
            indent(show, depth);
        add_text(&show->buf, name);
        koine__buf_addc(&show->buf, ':');
        show_node(show, child, depth + 1);
    }
}

int koine__config_show(const struct koine__store *store, char **ret)
{
    struct show show = {.store = store};
    koine__buf_init(&show.buf, LONGEST_TEXT);
    show_members(&show, "", 0, false);
    char *text = koine__buf_take(&show.buf);
    if (!text)
        return KOINE_EMEMORY;
    *ret = text;
    return KOINE_OK;
}
