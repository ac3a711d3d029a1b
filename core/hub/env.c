/* env: one table of variables. No message here ever shows a value: it may be a key. */
#include "core/hub/env.h"

#include "core/base/buf.h"
#include "core/base/crypto.h"
#include "core/base/mem.h"
#include "core/hub/config.h"
#include "core/hub/file.h"

#include <string.h>

#define SETTINGS_PREFIX "KOINE__"
#define PROCESS         0u

struct variable {
    char *name, *value;
    const char *file; /* one of the names below; NULL: from the process */
    unsigned source;  /* PROCESS, or the number of the reading of a file */
    unsigned line;
};
struct koine__env {
    struct variable *items;
    size_t count, capacity;
    unsigned readings;
    char **files; /* that were read, each once */
    size_t file_count, file_capacity;
};

struct koine__env *koine__env_new(void)
{
    return koine__alloc(sizeof(struct koine__env));
}

static void wipe_text(char *text)
{
    if (text)
        koine__wipe(text, strlen(text));
    koine__dealloc(text);
}

void koine__env_free(struct koine__env *env)
{
    if (!env)
        return;
    koine__env_cut(env, 0);
    for (size_t i = 0; i < env->file_count; i++)
        koine__dealloc(env->files[i]);
    koine__dealloc(env->files);
    koine__dealloc(env->items);
    koine__dealloc(env);
}

size_t koine__env_count(const struct koine__env *env)
{
    return env ? env->count : 0;
}

void koine__env_cut(struct koine__env *env, size_t count)
{
    while (env && env->count > count) {
        struct variable *last = &env->items[--env->count];
        koine__dealloc(last->name);
        wipe_text(last->value);
        *last = (struct variable){0};
    }
}

static struct variable *find(const struct koine__env *env, koine_str name)
{
    for (size_t i = 0; env && i < env->count; i++)
        if (koine__str_is(name, env->items[i].name))
            return &env->items[i];
    return NULL;
}

const char *koine__env_get(const struct koine__env *env, const char *name)
{
    const struct variable *variable = name ? find(env, koine__str(name)) : NULL;
    return variable ? variable->value : NULL;
}

const char *koine__env_file(const struct koine__env *env, size_t index)
{
    return env && index < env->file_count ? env->files[index] : NULL;
}

const char *koine__env_origin(const struct koine__env *env, const char *name)
{
    const struct variable *variable = name ? find(env, koine__str(name)) : NULL;
    return variable ? variable->file : NULL;
}

static int append(struct koine__env *env, koine_str name, koine_str value, unsigned source, unsigned line)
{
    if (koine__array_reserve((void **)&env->items, &env->capacity, env->count + 1, sizeof(*env->items)))
        return KOINE_EMEMORY;
    struct variable *variable = &env->items[env->count];
    *variable = (struct variable){.source = source, .line = line};
    variable->name = koine__strndup(name.ptr, name.len);
    variable->value = koine__strndup(value.ptr, value.len);
    if (!variable->name || !variable->value) {
        koine__dealloc(variable->name);
        wipe_text(variable->value);
        return KOINE_EMEMORY;
    }
    env->count++;
    return KOINE_OK;
}

/* The process wins over files, whichever came first; of two in the process the first one, as in getenv. */
static int add_process_variable(struct koine__env *env, koine_str name, koine_str value)
{
    struct variable *known = find(env, name);
    if (!known)
        return append(env, name, value, PROCESS, 0);
    if (known->source == PROCESS)
        return KOINE_OK;
    char *copy = koine__strndup(value.ptr, value.len);
    if (!copy)
        return KOINE_EMEMORY;
    wipe_text(known->value);
    known->value = copy;
    known->source = PROCESS;
    known->file = NULL;
    return KOINE_OK;
}

int koine__env_add_process(struct koine__env *env, const char *const *variables)
{
    for (; variables && *variables; variables++) {
        koine_str value = koine__str(*variables);
        koine_str name = koine__str_cut(&value, '=');
        if (name.len == 0 || !value.ptr)
            continue;
        if (add_process_variable(env, name, value))
            return KOINE_EMEMORY;
    }
    return KOINE_OK;
}

/* ---- .env files ---- */

struct line { /* of a file, while it is read */
    const char *file;
    koine_str rest;
    const char *start;
    unsigned number;
    koine_error **ret_error;
};

static int refuse(const struct line *line, const char *at, const char *what)
{
    return koine__error(line->ret_error, KOINE_ECONFIG, "%s:%u:%u: %s", line->file, line->number,
                        (unsigned)(at - line->start) + 1, what);
}

static void skip(koine_str *rest, size_t n)
{
    rest->ptr += n;
    rest->len -= n;
}

static void skip_blanks(koine_str *rest)
{
    while (rest->len && (rest->ptr[0] == ' ' || rest->ptr[0] == '\t'))
        skip(rest, 1);
}

static bool is_name_char(char c, bool first)
{
    bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
    return letter || (!first && c >= '0' && c <= '9');
}

size_t koine__env_name_length(koine_str text)
{
    size_t len = 0;
    while (len < text.len && is_name_char(text.ptr[len], len == 0))
        len++;
    return len;
}

static int read_name(struct line *line, koine_str *ret)
{
    koine_str *rest = &line->rest;
    if (koine__str_starts(*rest, "export ") || koine__str_starts(*rest, "export\t")) {
        skip(rest, strlen("export "));
        skip_blanks(rest);
    }
    *ret = (koine_str){rest->ptr, koine__env_name_length(*rest)};
    skip(rest, ret->len);
    skip_blanks(rest);
    if (ret->len == 0 || rest->len == 0 || rest->ptr[0] != '=')
        return refuse(line, rest->ptr, "expected NAME=value; a name has letters, digits and _");
    skip(rest, 1);
    skip_blanks(rest);
    return KOINE_OK;
}

static int read_single_quoted(struct line *line, struct koine__buf *value)
{
    const char *quote = line->rest.ptr;
    skip(&line->rest, 1);
    const char *end = line->rest.len ? memchr(line->rest.ptr, '\'', line->rest.len) : NULL;
    if (!end)
        return refuse(line, quote, "the quote is not closed on this line");
    koine__buf_add(value, line->rest.ptr, (size_t)(end - line->rest.ptr));
    skip(&line->rest, (size_t)(end - line->rest.ptr) + 1);
    return KOINE_OK;
}

static int read_double_quoted(struct line *line, struct koine__buf *value)
{
    koine_str *rest = &line->rest;
    const char *quote = rest->ptr;
    for (skip(rest, 1); rest->len && rest->ptr[0] != '"'; skip(rest, 1)) {
        char c = rest->ptr[0];
        if (c == '\\') {
            char escaped = rest->len > 1 ? rest->ptr[1] : '\0';
            if (escaped != 'n' && escaped != '"' && escaped != '\\')
                return refuse(line, rest->ptr, "unknown escape; there are \\n, \\\" and \\\\");
            skip(rest, 1);
            c = escaped == 'n' ? '\n' : escaped;
        }
        koine__buf_addc(value, c);
    }
    if (rest->len == 0)
        return refuse(line, quote, "the quote is not closed on this line");
    skip(rest, 1);
    return KOINE_OK;
}

static void read_bare(struct line *line, struct koine__buf *value)
{
    koine_str text = line->rest;
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] == '#' && (i == 0 || text.ptr[i - 1] == ' ' || text.ptr[i - 1] == '\t'))
            text.len = i;
    text = koine__str_trim(text);
    koine__buf_add(value, text.ptr, text.len);
    line->rest.len = 0;
}

static int read_value(struct line *line, struct koine__buf *value)
{
    char first = line->rest.len ? line->rest.ptr[0] : '\0';
    int rc = KOINE_OK;
    if (first == '\'')
        rc = read_single_quoted(line, value);
    else if (first == '"')
        rc = read_double_quoted(line, value);
    else
        read_bare(line, value);
    if (rc)
        return rc;
    skip_blanks(&line->rest);
    if (line->rest.len && line->rest.ptr[0] != '#')
        return refuse(line, line->rest.ptr, "something follows the closing quote");
    return KOINE_OK;
}

/* What a file found in the current folder must not decide. */
static int check_name(const struct line *line, koine_str name)
{
    if (koine__str_starts(name, SETTINGS_PREFIX))
        return refuse(line, name.ptr,
                      "settings (" SETTINGS_PREFIX
                      "...) are not read from such a file: put them into koine.yaml or the environment");
    if (koine__str_is(name, "KOINE_CONFIG") || koine__str_is(name, "KOINE_ENV"))
        return refuse(line, name.ptr,
                      "KOINE_CONFIG and KOINE_ENV say which files are read: set them in the environment");
    return KOINE_OK;
}

static const char *find_file(const struct koine__env *env, const char *file)
{
    for (size_t i = 0; i < env->file_count; i++)
        if (strcmp(env->files[i], file) == 0)
            return env->files[i];
    return NULL;
}

static int add_file_variable(struct koine__env *env, const struct line *line, koine_str name, koine_str value)
{
    const struct variable *known = find(env, name);
    if (known && known->source == env->readings)
        return koine__error(line->ret_error, KOINE_ECONFIG, "%s:%u:%u: %s is set twice; first on line %u",
                            line->file, line->number, (unsigned)(name.ptr - line->start) + 1, known->name,
                            known->line);
    if (known)
        return KOINE_OK;
    if (append(env, name, value, env->readings, line->number))
        return koine__error_memory(line->ret_error);
    env->items[env->count - 1].file = find_file(env, line->file);
    return KOINE_OK;
}

static int add_line(struct koine__env *env, struct line *line)
{
    skip_blanks(&line->rest);
    if (line->rest.len == 0 || line->rest.ptr[0] == '#')
        return KOINE_OK;
    struct koine__buf value;
    koine_str name;
    koine__buf_init(&value, KOINE__FILE_LIMIT);
    int rc = read_name(line, &name);
    if (!rc)
        rc = check_name(line, name);
    if (!rc)
        rc = read_value(line, &value);
    if (!rc && value.error)
        rc = koine__error_memory(line->ret_error);
    if (!rc)
        rc = add_file_variable(env, line, name, (koine_str){koine__buf_str(&value), value.len});
    if (value.ptr)
        koine__wipe(value.ptr, value.cap);
    koine__buf_release(&value);
    return rc;
}

static koine_str cut_line(koine_str *rest)
{
    koine_str line = koine__str_cut(rest, '\n');
    if (line.len && line.ptr[line.len - 1] == '\r')
        line.len--;
    return line;
}

static int add_file(struct koine__env *env, const char *file)
{
    env->readings++;
    if (find_file(env, file))
        return KOINE_OK;
    if (koine__array_reserve((void **)&env->files, &env->file_capacity, env->file_count + 1,
                             sizeof(*env->files)))
        return KOINE_EMEMORY;
    char *copy = koine__strdup(file);
    if (!copy)
        return KOINE_EMEMORY;
    env->files[env->file_count++] = copy;
    return KOINE_OK;
}

int koine__env_add_text(struct koine__env *env, const char *file, const char *text, size_t len,
                        koine_error **ret_error)
{
    koine_str rest = {text, len};
    struct line line = {.file = file, .ret_error = ret_error};
    int rc = koine__file_check_text(file, rest, ret_error);
    if (koine__str_starts(rest, "\xEF\xBB\xBF"))
        skip(&rest, 3);
    if (!rc && add_file(env, file))
        rc = koine__error_memory(ret_error);
    while (!rc && rest.len) {
        line.rest = cut_line(&rest);
        line.start = line.rest.ptr;
        line.number++;
        rc = add_line(env, &line);
    }
    return rc;
}

int koine__env_add_file(struct koine__env *env, const char *file, koine_error **ret_error)
{
    struct koine__buf text;
    koine__buf_init(&text, 0);
    koine_error *error = NULL;
    int rc = koine__file_read(file, KOINE__FILE_OURS, &text, &error);
    if (rc == KOINE_ENOTFOUND) {
        koine_error_free(error);
        rc = KOINE_OK;
    } else if (rc) {
        if (ret_error)
            *ret_error = error;
        else
            koine_error_free(error);
    } else {
        rc = koine__env_add_text(env, file, koine__buf_str(&text), text.len, ret_error);
    }
    if (text.ptr)
        koine__wipe(text.ptr, text.cap);
    koine__buf_release(&text);
    return rc;
}

/* ---- KOINE__a__b=value ---- */

/* "providers__together__retry" → "providers.together.retry" */
static int write_path(koine_str name, struct koine__buf *ret)
{
    for (size_t i = 0; i < name.len; i++) {
        bool cut = name.ptr[i] == '_' && i + 1 < name.len && name.ptr[i + 1] == '_';
        koine__buf_addc(ret, cut ? '.' : name.ptr[i]);
        i += cut;
    }
    return ret->error;
}

static bool is_path(const char *path)
{
    size_t len = strlen(path);
    return len && path[0] != '.' && path[len - 1] != '.' && !strstr(path, "..");
}

static int stage_variable(const struct variable *variable, struct koine__store *store,
                          koine_error **ret_error)
{
    struct koine__buf path;
    koine__buf_init(&path, KOINE__FILE_LIMIT);
    int rc;
    if (write_path(koine__str(variable->name + strlen(SETTINGS_PREFIX)), &path))
        rc = koine__error_memory(ret_error);
    else if (!is_path(koine__buf_str(&path)))
        rc = koine__error(ret_error, KOINE_ECONFIG,
                          "environment: %s: expected " SETTINGS_PREFIX "a__b, as in " SETTINGS_PREFIX
                          "providers__together__base_url",
                          variable->name);
    else if (!koine__utf8_valid(variable->value, strlen(variable->value)))
        rc =
            koine__error(ret_error, KOINE_ECONFIG, "environment: %s: the value is not UTF-8", variable->name);
    else
        rc = koine__config_value(store, path.ptr, variable->value,
                                 (struct koine__origin){.source = variable->name}, ret_error);
    koine__buf_release(&path);
    return rc;
}

int koine__env_stage(const struct koine__env *env, struct koine__store *store, koine_error **ret_error)
{
    for (size_t i = 0; env && i < env->count; i++) {
        if (!koine__str_starts(koine__str(env->items[i].name), SETTINGS_PREFIX))
            continue;
        int rc = stage_variable(&env->items[i], store, ret_error);
        if (rc)
            return rc;
    }
    return KOINE_OK;
}
