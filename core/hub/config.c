/* config: the one file that knows libyaml. It reads a text into a tree and refuses what the configuration's
 * YAML does not have: anchors, aliases, tags, merge keys, duplicate keys, keys that are no scalar, a second
 * document.
 */
#include "core/hub/config.h"

#include "core/base/crypto.h"
#include "core/hub/config_tree.h"
#include "core/hub/file.h"

#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#define DEEPEST      32
#define MOST_MEMBERS 4096 /* of one map or list: looking for duplicates is quadratic */
#define LONGEST_WHY  1024

struct reader {
    const struct koine__yaml_job *job;
    koine_str text;
    yaml_parser_t yaml;
    yaml_event_t event; /* the current one */
    unsigned depth;
};

struct koine__origin koine__yaml_origin(const struct koine__yaml_job *job, unsigned line, unsigned column)
{
    struct koine__origin origin = job->origin;
    if (job->is_file) {
        origin.line = line;
        origin.column = column;
    }
    return origin;
}

int koine__yaml_refuse(const struct koine__yaml_job *job, unsigned line, unsigned column, const char *format,
                       ...)
{
    char where[PATH_MAX + 64];
    struct koine__buf why;
    va_list args;
    koine__buf_init(&why, LONGEST_WHY);
    va_start(args, format);
    koine__buf_addv(&why, format, args);
    va_end(args);
    koine__origin_text(koine__yaml_origin(job, line, column), where, sizeof(where));
    int rc = why.error == KOINE_EMEMORY ? koine__error_memory(job->ret_error)
                                        : koine__error(job->ret_error, KOINE_ECONFIG, "%s%s", where,
                                                       why.ptr ? why.ptr : "the value is wrong");
    koine__buf_release(&why);
    return rc;
}

static int refuse_event(const struct reader *reader, const char *why)
{
    yaml_mark_t at = reader->event.start_mark;
    return koine__yaml_refuse(reader->job, (unsigned)at.line + 1, (unsigned)at.column + 1, "%s", why);
}

/* ---- What libyaml refuses ---- */

static koine_str line_of(koine_str text, size_t number)
{
    koine_str line = koine__str_cut(&text, '\n');
    for (size_t i = 0; i < number && text.ptr; i++)
        line = koine__str_cut(&text, '\n');
    return line;
}

static bool is_indented_by_tab(koine_str line)
{
    size_t at = 0;
    while (at < line.len && line.ptr[at] == ' ')
        at++;
    return at < line.len && line.ptr[at] == '\t';
}

/* The mistakes that are easily made, in words that help more than the parser's. */
static const char *hint(koine_str line, const char *problem)
{
    if (strstr(problem, "cannot start any token"))
        return is_indented_by_tab(line) ? "; indent with spaces, not with tabs"
                                        : "; put quotes around the value";
    if (strstr(problem, "expected ',' or") && koine__str_has_nocase(line, "${"))
        return "; inside braces and brackets put quotes around \"${...}\"";
    if (strstr(problem, "mapping values are not allowed"))
        return "; put quotes around a value that holds \": \"";
    return "";
}

/* The reader knows only a byte's offset. */
static int refuse_bytes(const struct reader *reader)
{
    unsigned line = 1, column = 1;
    for (size_t i = 0; i < reader->yaml.problem_offset && i < reader->text.len; i++) {
        column = reader->text.ptr[i] == '\n' ? 1 : column + 1;
        line += reader->text.ptr[i] == '\n';
    }
    return koine__yaml_refuse(reader->job, line, column, "is not valid YAML: %s", reader->yaml.problem);
}

static int refuse_syntax(const struct reader *reader)
{
    const yaml_parser_t *yaml = &reader->yaml;
    if (yaml->error == YAML_MEMORY_ERROR)
        return koine__error_memory(reader->job->ret_error);
    if (yaml->error == YAML_READER_ERROR)
        return refuse_bytes(reader);
    const char *problem = yaml->problem ? yaml->problem : "it cannot be read";
    const char *context = yaml->context ? yaml->context : "";
    return koine__yaml_refuse(reader->job, (unsigned)yaml->problem_mark.line + 1,
                              (unsigned)yaml->problem_mark.column + 1, "is not valid YAML: %s%s%s%s", context,
                              context[0] ? ", " : "", problem,
                              hint(line_of(reader->text, yaml->problem_mark.line), problem));
}

/* ---- Events into nodes ---- */

static int next_event(struct reader *reader)
{
    yaml_event_delete(&reader->event); /* of one that was never filled, too */
    return yaml_parser_parse(&reader->yaml, &reader->event) ? KOINE_OK : refuse_syntax(reader);
}

/* What the configuration's YAML does not have, or NULL. */
static const char *mistake_of(const yaml_event_t *event)
{
    const yaml_char_t *anchor = NULL, *tag = NULL;
    if (event->type == YAML_ALIAS_EVENT)
        return "aliases are not accepted; write the value out";
    if (event->type == YAML_SCALAR_EVENT) {
        anchor = event->data.scalar.anchor;
        tag = event->data.scalar.tag;
    } else if (event->type == YAML_MAPPING_START_EVENT) {
        anchor = event->data.mapping_start.anchor;
        tag = event->data.mapping_start.tag;
    } else if (event->type == YAML_SEQUENCE_START_EVENT) {
        anchor = event->data.sequence_start.anchor;
        tag = event->data.sequence_start.tag;
    }
    if (anchor)
        return "anchors are not accepted; write the value out";
    return tag ? "tags are not accepted; leave it out" : NULL;
}

static int read_scalar(struct reader *reader, struct koine__yaml *node)
{
    const char *text = (const char *)reader->event.data.scalar.value;
    size_t len = reader->event.data.scalar.length;
    if (memchr(text, '\0', len))
        return refuse_event(reader, "the text holds a NUL character");
    node->plain = reader->event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    node->text = (koine_str){koine__arena_strndup(reader->job->arena, text, len), len};
    return node->text.ptr ? KOINE_OK : koine__error_memory(reader->job->ret_error);
}

static void add_child(struct koine__yaml *parent, struct koine__yaml *child)
{
    if (parent->last)
        parent->last->next = child;
    else
        parent->first = child;
    parent->last = child;
    parent->count++;
}

static const struct koine__yaml *find_key(const struct koine__yaml *map, const char *key)
{
    for (const struct koine__yaml *at = map->first; at; at = at->next)
        if (strcmp(at->key, key) == 0)
            return at;
    return NULL;
}

/* Reads the key that is the current event into `member`. */
static int read_key(struct reader *reader, const struct koine__yaml *map, struct koine__yaml *member)
{
    const char *why = mistake_of(&reader->event);
    if (!why && reader->event.type != YAML_SCALAR_EVENT)
        why = "a key must be a plain name, not a map or list";
    if (why)
        return refuse_event(reader, why);
    struct koine__yaml key = {0};
    int rc = read_scalar(reader, &key);
    if (rc)
        return rc;
    if (key.text.len == 0)
        return refuse_event(reader, "a key is missing before \":\"");
    if (key.plain && koine__str_is(key.text, "<<"))
        return refuse_event(reader, "merge keys are not accepted; write the members out");
    member->key = key.text.ptr;
    member->key_line = (unsigned)reader->event.start_mark.line + 1;
    member->key_column = (unsigned)reader->event.start_mark.column + 1;
    const struct koine__yaml *first = find_key(map, member->key);
    if (!first)
        return KOINE_OK;
    return koine__yaml_refuse(reader->job, member->key_line, member->key_column,
                              "duplicate key \"%.80s\"; it is on line %u, column %u already", member->key,
                              first->key_line, first->key_column);
}

static int read_node(struct reader *reader, struct koine__yaml *node);

/* All children up to the end event, which becomes the current one. */
static int read_children(struct reader *reader, struct koine__yaml *parent, yaml_event_type_t end)
{
    for (;;) {
        int rc = next_event(reader);
        if (rc || reader->event.type == end)
            return rc;
        if (parent->count == MOST_MEMBERS)
            return refuse_event(reader, "more entries than the 4096 that one map or list may have");
        struct koine__yaml *child = koine__arena_alloc(reader->job->arena, sizeof(*child));
        if (!child)
            return koine__error_memory(reader->job->ret_error);
        if (parent->kind == KOINE__YAML_MAP) {
            rc = read_key(reader, parent, child);
            if (!rc)
                rc = next_event(reader);
        }
        if (!rc)
            rc = read_node(reader, child);
        if (rc)
            return rc;
        add_child(parent, child);
    }
}

/* Reads the node that begins with the current event; ends on its last one. */
static int read_node(struct reader *reader, struct koine__yaml *node)
{
    const char *why = mistake_of(&reader->event);
    if (!why && reader->depth == DEEPEST)
        why = "nested more than 32 deep";
    if (why)
        return refuse_event(reader, why);
    node->line = (unsigned)reader->event.start_mark.line + 1;
    node->column = (unsigned)reader->event.start_mark.column + 1;
    if (reader->event.type == YAML_SCALAR_EVENT)
        return read_scalar(reader, node);
    bool is_map = reader->event.type == YAML_MAPPING_START_EVENT;
    node->kind = is_map ? KOINE__YAML_MAP : KOINE__YAML_LIST;
    reader->depth++;
    int rc = read_children(reader, node, is_map ? YAML_MAPPING_END_EVENT : YAML_SEQUENCE_END_EVENT);
    reader->depth--;
    return rc;
}

static int read_document(struct reader *reader, struct koine__yaml **ret)
{
    struct koine__yaml *root = koine__arena_alloc(reader->job->arena, sizeof(*root));
    if (!root)
        return koine__error_memory(reader->job->ret_error);
    if (reader->event.data.document_start.tag_directives.start !=
        reader->event.data.document_start.tag_directives.end)
        return refuse_event(reader, "tags are not accepted; leave the %TAG directive out");
    int rc = next_event(reader);
    if (!rc)
        rc = read_node(reader, root);
    if (!rc)
        rc = next_event(reader); /* the document's end */
    if (!rc)
        rc = next_event(reader);
    if (rc)
        return rc;
    if (reader->event.type != YAML_STREAM_END_EVENT)
        return refuse_event(reader, "a second document begins; one file holds one");
    *ret = root;
    return KOINE_OK;
}

int koine__yaml_read(const struct koine__yaml_job *job, koine_str text, struct koine__yaml **ret)
{
    struct reader reader = {.job = job, .text = text};
    if (!yaml_parser_initialize(&reader.yaml))
        return koine__error_memory(job->ret_error);
    yaml_parser_set_encoding(&reader.yaml, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&reader.yaml, (const unsigned char *)(text.len ? text.ptr : ""), text.len);
    *ret = NULL;
    int rc = next_event(&reader); /* the stream's start */
    if (!rc)
        rc = next_event(&reader);
    if (!rc && reader.event.type != YAML_STREAM_END_EVENT)
        rc = read_document(&reader, ret);
    yaml_event_delete(&reader.event);
    yaml_parser_delete(&reader.yaml);
    return rc;
}

/* ---- Files, texts and single values ---- */

/* What is wrong is found on the way: only a copy that was staged whole takes the store's place. */
static int stage_copy(const struct koine__yaml_job *job, struct koine__store *store, const char *folder,
                      const char *path, const struct koine__yaml *node)
{
    struct koine__store *copy = koine__store_copy(store);
    if (!copy)
        return koine__error_memory(job->ret_error);
    if (path[0])
        koine__store_unset_below(copy, path);
    int rc = koine__yaml_stage(job, copy, folder, path, node);
    if (!rc)
        koine__store_swap(store, copy);
    koine__store_free(copy);
    return rc;
}

int koine__config_parse(struct koine__store *store, const char *name, const char *folder, const char *text,
                        size_t len, const struct koine__env *env, koine_error **ret_error)
{
    struct koine__arena arena;
    struct koine__yaml *root = NULL;
    struct koine__yaml_job job = {
        .origin = {.source = name}, .is_file = true, .arena = &arena, .ret_error = ret_error};
    if (len > KOINE__FILE_LIMIT)
        return koine__error(ret_error, KOINE_ECONFIG, "%s: is larger than %zu bytes", name,
                            KOINE__FILE_LIMIT);
    koine__arena_init(&arena, 0);
    int rc = koine__file_check_text(name, (koine_str){text, len}, ret_error);
    if (!rc)
        rc = koine__yaml_read(&job, (koine_str){text, len}, &root);
    if (!rc && root)
        rc = koine__yaml_expand(&job, env, root);
    if (!rc && root)
        rc = stage_copy(&job, store, folder, "", root);
    koine__arena_release(&arena);
    return rc;
}

/* The file's own folder, absolute. It was just opened, so this fails only if it goes away meanwhile. */
static int find_folder(const char *file, char ret[PATH_MAX])
{
    char folder[PATH_MAX];
    const char *slash = strrchr(file, '/');
    size_t len = slash ? (size_t)(slash - file) + (slash == file) : 1;
    if (len >= sizeof(folder))
        return KOINE_ECONFIG;
    memcpy(folder, slash ? file : ".", len);
    folder[len] = '\0';
    return realpath(folder, ret) ? KOINE_OK : KOINE_ECONFIG;
}

int koine__config_load(struct koine__store *store, const char *file, const struct koine__env *env,
                       koine_error **ret_error)
{
    char folder[PATH_MAX];
    struct koine__buf text;
    koine__buf_init(&text, 0);
    int rc = koine__file_read(file, KOINE__FILE_OF_ANYBODY, &text, ret_error);
    if (!rc && find_folder(file, folder))
        rc = koine__error(ret_error, KOINE_ECONFIG, "%s: the folder it is in cannot be found", file);
    if (!rc)
        rc = koine__config_parse(store, file, folder, koine__buf_str(&text), text.len, env, ret_error);
    if (text.ptr)
        koine__wipe(text.ptr, text.cap); /* it may hold a key */
    koine__buf_release(&text);
    return rc;
}

static int stage_structure(struct koine__store *store, const char *path, koine_str value,
                           struct koine__origin origin, koine_error **ret_error)
{
    static const struct koine__yaml null = {.plain = true};
    struct koine__arena arena;
    struct koine__yaml *root = NULL;
    struct koine__yaml_job job = {.origin = origin, .arena = &arena, .ret_error = ret_error};
    char where[KOINE__CONFIG_PATH + 128];
    snprintf(where, sizeof(where), "%.120s: %s", origin.source, path);
    koine__arena_init(&arena, 0);
    job.origin.source = where; /* no key of the text says yet which setting is meant */
    int rc = koine__yaml_read(&job, value, &root);
    job.origin.source = origin.source;
    if (!rc)
        rc = stage_copy(&job, store, NULL, path, root ? root : &null);
    koine__arena_release(&arena);
    return rc;
}

int koine__config_value(struct koine__store *store, const char *path, const char *value,
                        struct koine__origin origin, koine_error **ret_error)
{
    const struct koine__setting *row = koine__setting_find(path);
    koine_str text = koine__str(value);
    if (text.len > KOINE__FILE_LIMIT || !koine__utf8_valid(text.ptr, text.len))
        return koine__error(ret_error, KOINE_ECONFIG, "%s: the value is not UTF-8, or too long", path);
    if (row ? row->type == KOINE__SET_JSON : koine__setting_is_map(path))
        return stage_structure(store, path, text, origin, ret_error);
    /* A path that no row has is staged too: koine__store_check says what is wrong with it. */
    koine__store_unset_below(store, path);
    return koine__store_set(store, path, value, origin) ? koine__error_memory(ret_error) : KOINE_OK;
}
