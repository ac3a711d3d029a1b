/* catalogue_read: one JSON file of models, read strictly: what is misspelt, told twice or of a wrong type is
 * an error that says where, and what would be right. */
#include "core/plugin/catalogue_store.h"

#include "core/base/fault.h"
#include "core/wire/json.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define PRICE_DECIMALS 6 /* 1 US dollar per million tokens is 10^6 picodollars a token */
#define LONGEST_TEXT   2048
#define LONGEST_KEY    64 /* shown of an unknown member */

struct reader { /* one file being read */
    struct koine__catalogue *catalogue;
    const char *file;
    koine_str text;
    const koine_node *root;
    const char *provider;
    bool override;
    koine_error **ret_error;
};

enum {
    TOP_PROVIDER,
    TOP_UPDATED,
    TOP_SOURCE,
    TOP_MODELS,
    TOP_COUNT
};
static const char *const top_names[TOP_COUNT] = {"provider", "updated", "source", "models"};

enum {
    MODEL_ID,
    MODEL_ALIASES,
    MODEL_CONTEXT,
    MODEL_MAX_INPUT,
    MODEL_MAX_OUTPUT,
    MODEL_CAPABILITIES,
    MODEL_RETIRED,
    MODEL_SOURCE,
    MODEL_DATE,
    MODEL_NOTE,
    MODEL_PRICES,
    MODEL_COUNT
};
static const char *const model_names[MODEL_COUNT] = {"id",         "aliases",      "context", "max_input",
                                                     "max_output", "capabilities", "retired", "source",
                                                     "date",       "note",         "prices"};

enum {
    ROW_VALID_FROM,
    ROW_INPUT,
    ROW_OUTPUT,
    ROW_CACHE_READ,
    ROW_CACHE_WRITE,
    ROW_REASONING,
    ROW_ABOVE,
    ROW_TIER,
    ROW_BATCH,
    ROW_ESTIMATED,
    ROW_SOURCE,
    ROW_DATE,
    ROW_COUNT
};
static const char *const row_names[ROW_COUNT] = {
    "valid_from",         "input",        "output", "cache_read", "cache_write", "reasoning",
    "above_input_tokens", "service_tier", "batch",  "estimated",  "source",      "date"};

/* ---- Reading values ------------------------------------------------------------------------------- */

__attribute__((format(printf, 3, 4))) static int wrong_at(struct reader *reader, size_t offset,
                                                          const char *format, ...)
{
    if (koine__node_failed(reader->root)) /* something read as absent for want of memory */
        return koine__error_memory(reader->ret_error);
    char what[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof(what), format, args);
    va_end(args);
    unsigned line, column;
    koine__json_position(reader->text, offset, &line, &column);
    return koine__error(reader->ret_error, KOINE_ECONFIG, "%s:%u:%u: %s", reader->file, line, column, what);
}
#define wrong(reader, node, ...) wrong_at((reader), koine__node_offset(node), __VA_ARGS__)

static int no_memory(struct reader *reader)
{
    return koine__error_memory(reader->ret_error);
}

/* The opening quote of the name of the member whose value starts at `value`. */
static size_t name_offset(koine_str text, size_t value)
{
    size_t at = value;
    while (at > 0 && text.ptr[at - 1] != '"')
        at--;
    for (at = at > 0 ? at - 1 : 0; at > 0; at--) {
        size_t slashes = 0;
        while (slashes + 1 < at && text.ptr[at - 2 - slashes] == '\\')
            slashes++;
        if (text.ptr[at - 1] == '"' && slashes % 2 == 0)
            return at - 1;
    }
    return value;
}

static int unknown_member(struct reader *reader, koine_str key, const koine_node *value,
                          const char *const *names, size_t count)
{
    char shown[LONGEST_KEY];
    koine__fault_words(shown, sizeof(shown), key.ptr, key.len);
    const char *nearest = koine__nearest(shown, names, count);
    size_t offset = name_offset(reader->text, koine__node_offset(value));
    if (nearest)
        return wrong_at(reader, offset, "unknown member \"%s\"; did you mean \"%s\"?", shown, nearest);
    return wrong_at(reader, offset, "unknown member \"%s\"", shown);
}

/* Sorts an object's members into `ret`, one place for each name; NULL where a member is absent. */
static int read_members(struct reader *reader, const koine_node *object, const char *what,
                        const char *const *names, size_t count, const koine_node **ret)
{
    if (koine__node_kind(object) != KOINE_NODE_OBJECT)
        return wrong(reader, object, "%s must be an object", what);
    memset(ret, 0, count * sizeof(*ret));
    for (size_t i = 0, members = koine__node_count(object); i < members; i++) {
        koine_str key = koine__node_key(object, i);
        const koine_node *value = koine__node_at(object, i);
        size_t at = 0;
        while (at < count && !koine__str_is(key, names[at]))
            at++;
        if (at == count)
            return unknown_member(reader, key, value, names, count);
        if (ret[at])
            return wrong_at(reader, name_offset(reader->text, koine__node_offset(value)),
                            "\"%s\" is told twice", names[at]);
        ret[at] = value;
    }
    return KOINE_OK;
}

static bool is_printable(koine_str text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.ptr[i] < 0x20 || text.ptr[i] == 0x7F)
            return false;
    return true;
}

/* Absent values leave *ret as it is, here and in the readers below. */
static int read_text(struct reader *reader, const koine_node *node, const char *name, const char **ret)
{
    if (!node)
        return KOINE_OK;
    koine_str text = koine__node_str(node);
    if (koine__node_kind(node) != KOINE_NODE_STRING || text.len == 0)
        return wrong(reader, node, "\"%s\" must be a string that is not empty", name);
    if (text.len >= LONGEST_TEXT || !is_printable(text))
        return wrong(reader, node, "\"%s\" is too long or holds control characters", name);
    const char *copy = koine__arena_strndup(&reader->catalogue->arena, text.ptr, text.len);
    if (!copy)
        return no_memory(reader);
    *ret = copy;
    return KOINE_OK;
}

/* What is only for people: of the right type, and forgotten. */
static int check_text(struct reader *reader, const koine_node *node, const char *name)
{
    if (node && koine__node_kind(node) != KOINE_NODE_STRING)
        return wrong(reader, node, "\"%s\" must be a string", name);
    return KOINE_OK;
}

static int read_date(struct reader *reader, const koine_node *node, const char *name, int64_t *ret)
{
    if (!node)
        return KOINE_OK;
    koine_str text = koine__node_str(node);
    if (text.len != sizeof("YYYY-MM-DD") - 1 || koine__read_date(text, ret) < 0)
        return wrong(reader, node, "\"%s\" must be a date like \"2024-07-23\"", name);
    return KOINE_OK;
}

static int check_date(struct reader *reader, const koine_node *node, const char *name)
{
    int64_t ignored;
    return read_date(reader, node, name, &ignored);
}

static int read_count(struct reader *reader, const koine_node *node, const char *name, int64_t *ret)
{
    if (!node)
        return KOINE_OK;
    int64_t count = koine__node_num(node, -1);
    if (count < 1)
        return wrong(reader, node, "\"%s\" must be a whole number of tokens, 1 or more", name);
    *ret = count;
    return KOINE_OK;
}

static int read_flag(struct reader *reader, const koine_node *node, const char *name, bool *ret)
{
    if (!node)
        return KOINE_OK;
    int32_t truth = koine__node_truth(node);
    if (truth < 0)
        return wrong(reader, node, "\"%s\" must be true or false", name);
    *ret = truth == 1;
    return KOINE_OK;
}

static int read_price(struct reader *reader, const koine_node *node, const char *name, int64_t *ret)
{
    if (!node)
        return KOINE_OK;
    int32_t kind = koine__node_kind(node);
    koine_str text = kind == KOINE_NODE_NUMBER ? koine__node_source(node) : koine__node_str(node);
    if (koine__str_starts(text, "-"))
        return wrong(reader, node, "\"%s\" must not be negative", name);
    if ((kind != KOINE_NODE_NUMBER && kind != KOINE_NODE_STRING) ||
        koine__read_decimal(text, PRICE_DECIMALS, ret) < 0)
        return wrong(reader, node,
                     "\"%s\" must be US dollars per million tokens with at most %d decimals, like 0.18", name,
                     PRICE_DECIMALS);
    return KOINE_OK;
}

/* A list of strings, NULL-ended; absent gives an empty one. */
static int read_texts(struct reader *reader, const koine_node *node, const char *name,
                      const char *const **ret)
{
    if (node && koine__node_kind(node) != KOINE_NODE_ARRAY)
        return wrong(reader, node, "\"%s\" must be a list of strings", name);
    size_t count = koine__node_count(node);
    const char **list = koine__arena_alloc(&reader->catalogue->arena, (count + 1) * sizeof(*list));
    if (!list)
        return no_memory(reader);
    for (size_t i = 0; i < count; i++) {
        const koine_node *item = koine__node_at(node, i);
        int rc = item ? read_text(reader, item, name, &list[i]) : no_memory(reader);
        if (rc < 0)
            return rc;
    }
    *ret = list;
    return KOINE_OK;
}

/* ---- Price rows ----------------------------------------------------------------------------------- */

static int name_row(struct reader *reader, const char *model, struct koine__price_row *row)
{
    char date[11], above[32] = "";
    koine__write_date(row->valid_from, date);
    if (row->above_input_tokens)
        snprintf(above, sizeof(above), ">%lld", (long long)row->above_input_tokens);
    struct koine__buf id;
    koine__buf_init(&id, LONGEST_TEXT * 4);
    koine__buf_addf(&id, "%s/%s@%s%s", reader->provider, model, date, above);
    if (*row->service_tier)
        koine__buf_addf(&id, "+%s", row->service_tier);
    if (row->batch)
        koine__buf_adds(&id, "+batch");
    row->id = id.error ? NULL : koine__arena_strndup(&reader->catalogue->arena, id.ptr, id.len);
    koine__buf_release(&id);
    return row->id ? KOINE_OK : no_memory(reader);
}

static int read_rates(struct reader *reader, const koine_node *const *members, struct koine__price_row *row)
{
    const struct {
        int member;
        int64_t *ret;
    } rates[] = {{ROW_INPUT, &row->input},
                 {ROW_OUTPUT, &row->output},
                 {ROW_CACHE_READ, &row->cache_read},
                 {ROW_CACHE_WRITE, &row->cache_write},
                 {ROW_REASONING, &row->reasoning}};
    int rc = KOINE_OK;
    for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]) && rc == KOINE_OK; i++) {
        *rates[i].ret = -1;
        rc = read_price(reader, members[rates[i].member], row_names[rates[i].member], rates[i].ret);
    }
    return rc;
}

static int read_row_keys(struct reader *reader, const koine_node *const *members,
                         struct koine__price_row *row)
{
    row->service_tier = "";
    int rc = read_date(reader, members[ROW_VALID_FROM], row_names[ROW_VALID_FROM], &row->valid_from);
    if (rc == KOINE_OK)
        rc = read_count(reader, members[ROW_ABOVE], row_names[ROW_ABOVE], &row->above_input_tokens);
    if (rc == KOINE_OK)
        rc = read_text(reader, members[ROW_TIER], row_names[ROW_TIER], &row->service_tier);
    if (rc == KOINE_OK)
        rc = read_flag(reader, members[ROW_BATCH], row_names[ROW_BATCH], &row->batch);
    if (rc == KOINE_OK && koine__tier_is_standard(koine__str(row->service_tier)))
        row->service_tier = "";
    return rc;
}

static int read_row(struct reader *reader, const koine_node *node, const char *model,
                    struct koine__price_row *row)
{
    const koine_node *members[ROW_COUNT];
    int rc = read_members(reader, node, "a price row", row_names, ROW_COUNT, members);
    if (rc < 0)
        return rc;
    for (int i = ROW_VALID_FROM; i <= ROW_OUTPUT; i++)
        if (!members[i])
            return wrong(reader, node, "a price row needs \"%s\"", row_names[i]);
    rc = read_row_keys(reader, members, row);
    if (rc == KOINE_OK)
        rc = read_rates(reader, members, row);
    if (rc == KOINE_OK)
        rc = read_flag(reader, members[ROW_ESTIMATED], row_names[ROW_ESTIMATED], &row->estimated);
    if (rc == KOINE_OK)
        rc = check_text(reader, members[ROW_SOURCE], row_names[ROW_SOURCE]);
    if (rc == KOINE_OK)
        rc = check_date(reader, members[ROW_DATE], row_names[ROW_DATE]);
    return rc < 0 ? rc : name_row(reader, model, row);
}

/* The rows of one model as its file tells them, sorted. */
static int read_rows(struct reader *reader, const koine_node *node, const char *model,
                     struct koine__price_row **ret, size_t *ret_count)
{
    if (node && koine__node_kind(node) != KOINE_NODE_ARRAY)
        return wrong(reader, node, "\"prices\" must be a list of price rows");
    size_t count = koine__node_count(node);
    struct koine__price_row *rows =
        koine__arena_alloc(&reader->catalogue->arena, (count + 1) * sizeof(*rows));
    if (!rows)
        return no_memory(reader);
    for (size_t i = 0; i < count; i++) {
        const koine_node *item = koine__node_at(node, i);
        struct koine__price_row row = {0};
        int rc = item ? read_row(reader, item, model, &row) : no_memory(reader);
        if (rc < 0)
            return rc;
        if (!koine__rows_insert(rows, i, &row))
            return wrong(reader, item, "the price row %s is told twice", row.id);
    }
    *ret = rows;
    *ret_count = count;
    return KOINE_OK;
}

/* ---- Models --------------------------------------------------------------------------------------- */

static int read_limits(struct reader *reader, const koine_node *const *members, struct koine__model *model)
{
    int rc = read_count(reader, members[MODEL_CONTEXT], model_names[MODEL_CONTEXT], &model->context);
    if (rc == KOINE_OK)
        rc = read_count(reader, members[MODEL_MAX_INPUT], model_names[MODEL_MAX_INPUT], &model->max_input);
    if (rc == KOINE_OK)
        rc = read_count(reader, members[MODEL_MAX_OUTPUT], model_names[MODEL_MAX_OUTPUT], &model->max_output);
    return rc;
}

static int read_facts(struct reader *reader, const koine_node *const *members, struct koine__model *model)
{
    int rc = read_limits(reader, members, model);
    if (rc == KOINE_OK && members[MODEL_CAPABILITIES])
        rc = read_texts(reader, members[MODEL_CAPABILITIES], model_names[MODEL_CAPABILITIES],
                        &model->capabilities);
    if (rc == KOINE_OK)
        rc = check_date(reader, members[MODEL_RETIRED], model_names[MODEL_RETIRED]);
    if (rc == KOINE_OK)
        rc = read_text(reader, members[MODEL_RETIRED], model_names[MODEL_RETIRED], &model->retired);
    if (rc == KOINE_OK)
        rc = check_text(reader, members[MODEL_SOURCE], model_names[MODEL_SOURCE]);
    if (rc == KOINE_OK)
        rc = check_date(reader, members[MODEL_DATE], model_names[MODEL_DATE]);
    if (rc == KOINE_OK)
        rc = check_text(reader, members[MODEL_NOTE], model_names[MODEL_NOTE]);
    return rc;
}

static int read_aliases(struct reader *reader, const koine_node *node, struct koine__known *known)
{
    struct koine__model *model = &known->pub;
    if (!node)
        return KOINE_OK;
    int rc = read_texts(reader, node, model_names[MODEL_ALIASES], &model->aliases);
    if (rc < 0)
        return rc;
    koine__names_drop_aliases(reader->catalogue, known);
    for (size_t i = 0; model->aliases[i]; i++) {
        size_t at;
        if (koine__names_find(reader->catalogue, model->provider, koine__str(model->aliases[i]), &at))
            return wrong(reader, koine__node_at(node, i), "the alias \"%s\" is a name of %s/%s already",
                         model->aliases[i], model->provider, reader->catalogue->names[at].model->pub.id);
        struct koine__name name = {model->provider, model->aliases[i], known, true};
        if (koine__names_insert(reader->catalogue, at, name) < 0)
            return no_memory(reader);
    }
    return KOINE_OK;
}

/* A new model, or the one to be overridden. */
static int claim_model(struct reader *reader, const koine_node *node, const char *id,
                       struct koine__known **ret)
{
    size_t at;
    if (!koine__names_find(reader->catalogue, reader->provider, koine__str(id), &at)) {
        int rc = koine__known_new(reader->catalogue, reader->provider, id, at, ret);
        return rc < 0 ? no_memory(reader) : KOINE_OK;
    }
    const struct koine__name *name = &reader->catalogue->names[at];
    if (strcmp(name->text, id) != 0)
        return wrong(reader, node, "\"%s\" and \"%s\" of %s differ in nothing but case", id, name->text,
                     reader->provider);
    if (name->alias)
        return wrong(reader, node, "\"%s\" is an alias of %s/%s already", id, reader->provider,
                     name->model->pub.id);
    if (!reader->override || name->model->told_by == reader->catalogue->files)
        return wrong(reader, node, "the model \"%s\" is told twice", id);
    *ret = name->model;
    return KOINE_OK;
}

static int read_model(struct reader *reader, const koine_node *node)
{
    const koine_node *members[MODEL_COUNT];
    const char *id = NULL;
    struct koine__known *known = NULL;
    struct koine__price_row *rows = NULL;
    size_t row_count = 0;
    int rc = read_members(reader, node, "a model", model_names, MODEL_COUNT, members);
    if (rc == KOINE_OK && !members[MODEL_ID])
        rc = wrong(reader, node, "a model needs \"id\"");
    if (rc == KOINE_OK)
        rc = read_text(reader, members[MODEL_ID], model_names[MODEL_ID], &id);
    if (rc == KOINE_OK)
        rc = claim_model(reader, members[MODEL_ID], id, &known);
    if (rc < 0)
        return rc;
    known->told_by = reader->catalogue->files;
    rc = read_facts(reader, members, &known->pub);
    if (rc == KOINE_OK)
        rc = read_aliases(reader, members[MODEL_ALIASES], known);
    if (rc == KOINE_OK)
        rc = read_rows(reader, members[MODEL_PRICES], known->pub.id, &rows, &row_count);
    if (rc < 0)
        return rc;
    rc = koine__rows_merge(reader->catalogue, &known->pub, rows, row_count);
    return rc < 0 ? no_memory(reader) : KOINE_OK;
}

static int read_provider(struct reader *reader, const koine_node *node)
{
    if (!node)
        return wrong(reader, reader->root, "a catalogue needs \"provider\"");
    int rc = read_text(reader, node, top_names[TOP_PROVIDER], &reader->provider);
    if (rc < 0)
        return rc;
    if (strspn(reader->provider, "abcdefghijklmnopqrstuvwxyz0123456789_-") != strlen(reader->provider))
        return wrong(reader, node, "\"provider\" must be the id of a plugin: a-z, 0-9, _ and - only");
    return KOINE_OK;
}

static int read_top(struct reader *reader)
{
    const koine_node *members[TOP_COUNT];
    int rc = read_members(reader, reader->root, "a catalogue", top_names, TOP_COUNT, members);
    if (rc == KOINE_OK)
        rc = read_provider(reader, members[TOP_PROVIDER]);
    if (rc == KOINE_OK)
        rc = check_date(reader, members[TOP_UPDATED], top_names[TOP_UPDATED]);
    if (rc == KOINE_OK)
        rc = check_text(reader, members[TOP_SOURCE], top_names[TOP_SOURCE]);
    if (rc < 0)
        return rc;
    const koine_node *models = members[TOP_MODELS];
    if (koine__node_kind(models) != KOINE_NODE_ARRAY)
        return wrong(reader, models ? models : reader->root, "a catalogue needs \"models\", a list");
    for (size_t i = 0, count = koine__node_count(models); i < count && rc == KOINE_OK; i++)
        rc = read_model(reader, koine__node_at(models, i));
    if (rc == KOINE_OK && koine__node_failed(reader->root))
        rc = no_memory(reader);
    return rc;
}

int koine__catalogue_read(struct koine__catalogue *catalogue, const char *file, koine_str text, bool override,
                          koine_error **ret_error)
{
    struct koine__arena nodes;
    struct koine__json_fault fault;
    struct reader reader = {
        .catalogue = catalogue, .file = file, .text = text, .override = override, .ret_error = ret_error};
    koine__arena_init(&nodes, 0);
    int rc = koine__json_read(text, &nodes, &reader.root, &fault);
    if (rc == KOINE_OK)
        rc = read_top(&reader);
    else if (rc == KOINE_EMEMORY)
        koine__error_memory(ret_error);
    else
        rc = koine__error(ret_error, KOINE_ECONFIG, "%s:%u:%u: not JSON: %s", file, fault.line, fault.column,
                          fault.reason);
    koine__arena_release(&nodes);
    return rc;
}
