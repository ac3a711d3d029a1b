/* catalogue: models and dated prices: what is kept, and how it is found again. */
#include "core/plugin/catalogue_store.h"

#include "core/base/buf.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define FILE_LIMIT ((size_t)16 << 20)

/* ---- Names ---------------------------------------------------------------------------------------- */

static unsigned char lower(char c)
{
    unsigned char byte = (unsigned char)c;
    return byte >= 'A' && byte <= 'Z' ? (unsigned char)(byte + 'a' - 'A') : byte;
}

static int compare_name(const struct koine__name *name, const char *provider, koine_str text)
{
    int order = strcmp(name->provider, provider);
    for (size_t i = 0; order == 0; i++) {
        if (i == text.len)
            return name->text[i] ? 1 : 0;
        if (!name->text[i])
            return -1;
        order = lower(name->text[i]) - lower(text.ptr[i]);
    }
    return order;
}

bool koine__names_find(const struct koine__catalogue *catalogue, const char *provider, koine_str text,
                       size_t *ret)
{
    size_t low = 0, high = catalogue->name_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = compare_name(&catalogue->names[middle], provider, text);
        if (order == 0) {
            *ret = middle;
            return true;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *ret = low;
    return false;
}

int koine__names_insert(struct koine__catalogue *catalogue, size_t at, struct koine__name name)
{
    int rc = koine__array_reserve((void **)&catalogue->names, &catalogue->name_capacity,
                                  catalogue->name_count + 1, sizeof(*catalogue->names));
    if (rc < 0)
        return rc;
    struct koine__name *place = catalogue->names + at;
    memmove(place + 1, place, (catalogue->name_count - at) * sizeof(*place));
    *place = name;
    catalogue->name_count++;
    return KOINE_OK;
}

void koine__names_drop_aliases(struct koine__catalogue *catalogue, const struct koine__known *model)
{
    size_t kept = 0;
    for (size_t i = 0; i < catalogue->name_count; i++) {
        const struct koine__name *name = &catalogue->names[i];
        if (!name->alias || name->model != model)
            catalogue->names[kept++] = *name;
    }
    catalogue->name_count = kept;
}

int koine__known_new(struct koine__catalogue *catalogue, const char *provider, const char *id, size_t name_at,
                     struct koine__known **ret)
{
    static const char *const none[] = {NULL};
    struct koine__known *known = koine__arena_alloc(&catalogue->arena, sizeof(*known));
    if (!known || koine__array_reserve((void **)&catalogue->models, &catalogue->capacity,
                                       catalogue->count + 1, sizeof(*catalogue->models)) < 0)
        return KOINE_EMEMORY;
    known->pub = (struct koine__model){.provider = provider,
                                       .id = id,
                                       .aliases = none,
                                       .context = -1,
                                       .max_input = -1,
                                       .max_output = -1,
                                       .capabilities = none,
                                       .retired = ""};
    if (koine__names_insert(catalogue, name_at, (struct koine__name){provider, id, known, false}) < 0)
        return KOINE_EMEMORY;
    catalogue->models[catalogue->count++] = known;
    *ret = known;
    return KOINE_OK;
}

/* ---- Price rows ----------------------------------------------------------------------------------- */

bool koine__tier_is_standard(koine_str tier)
{
    return tier.len == 0 || koine__str_is(tier, "default") || koine__str_is(tier, "auto") ||
           koine__str_is(tier, "standard");
}

static int compare_rows(const struct koine__price_row *a, const struct koine__price_row *b)
{
    int order = strcmp(a->service_tier, b->service_tier);
    if (order)
        return order;
    if (a->batch != b->batch)
        return a->batch ? 1 : -1;
    if (a->valid_from != b->valid_from)
        return a->valid_from < b->valid_from ? -1 : 1;
    if (a->above_input_tokens != b->above_input_tokens)
        return a->above_input_tokens < b->above_input_tokens ? -1 : 1;
    return 0;
}

bool koine__rows_insert(struct koine__price_row *rows, size_t count, const struct koine__price_row *row)
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = compare_rows(&rows[middle], row);
        if (order == 0)
            return false;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    memmove(rows + low + 1, rows + low, (count - low) * sizeof(*rows));
    rows[low] = *row;
    return true;
}

int koine__rows_merge(struct koine__catalogue *catalogue, struct koine__model *model,
                      const struct koine__price_row *fresh, size_t count)
{
    const struct koine__price_row *old = model->rows;
    size_t used = 0;
    struct koine__price_row *rows =
        koine__arena_alloc(&catalogue->arena, (model->row_count + count + 1) * sizeof(*rows));
    if (!rows)
        return KOINE_EMEMORY;
    for (size_t i = 0, k = 0; i < model->row_count || k < count; used++) {
        int order = i == model->row_count ? 1 : k == count ? -1 : compare_rows(&old[i], &fresh[k]);
        rows[used] = order < 0 ? old[i] : fresh[k];
        i += order <= 0;
        k += order >= 0;
    }
    model->rows = rows;
    model->row_count = used;
    return KOINE_OK;
}

/* ---- The catalogue -------------------------------------------------------------------------------- */

struct koine__catalogue *koine__catalogue_new(void)
{
    struct koine__catalogue *catalogue = koine__alloc(sizeof(*catalogue));
    if (catalogue)
        koine__arena_init(&catalogue->arena, 0);
    return catalogue;
}

void koine__catalogue_free(struct koine__catalogue *catalogue)
{
    if (!catalogue)
        return;
    koine__arena_release(&catalogue->arena);
    koine__dealloc(catalogue->models);
    koine__dealloc(catalogue->names);
    koine__dealloc(catalogue);
}

int koine__catalogue_add(struct koine__catalogue *catalogue, const char *file, koine_str text, bool override,
                         koine_error **ret_error)
{
    catalogue->files++;
    return koine__catalogue_read(catalogue, file, text, override, ret_error);
}

static int read_descriptor(int fd, struct koine__buf *buf)
{
    char piece[16384];
    for (;;) {
        ssize_t n = read(fd, piece, sizeof(piece));
        if (n == 0 || buf->error)
            return 0;
        if (n < 0 && errno != EINTR)
            return errno;
        if (n > 0)
            koine__buf_add(buf, piece, (size_t)n);
    }
}

static int read_file(const char *file, struct koine__buf *buf, koine_error **ret_error)
{
    int fd = open(file, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return koine__error(ret_error, KOINE_ECONFIG, "%s: cannot be read: %s", file, strerrordesc_np(errno));
    int failed = read_descriptor(fd, buf);
    close(fd);
    if (failed)
        return koine__error(ret_error, KOINE_ECONFIG, "%s: cannot be read: %s", file,
                            strerrordesc_np(failed));
    if (buf->error == KOINE_EMEMORY)
        return koine__error_memory(ret_error);
    if (buf->error)
        return koine__error(ret_error, KOINE_ECONFIG, "%s: is larger than %zu MiB", file, FILE_LIMIT >> 20);
    return KOINE_OK;
}

int koine__catalogue_add_file(struct koine__catalogue *catalogue, const char *file, bool override,
                              koine_error **ret_error)
{
    struct koine__buf buf;
    koine__buf_init(&buf, FILE_LIMIT);
    int rc = read_file(file, &buf, ret_error);
    if (rc == KOINE_OK)
        rc = koine__catalogue_add(catalogue, file, (koine_str){koine__buf_str(&buf), buf.len}, override,
                                  ret_error);
    koine__buf_release(&buf);
    return rc;
}

const struct koine__model *koine__catalogue_find(const struct koine__catalogue *catalogue,
                                                 const char *provider, koine_str model)
{
    size_t at;
    if (!koine__names_find(catalogue, provider, model, &at))
        return NULL;
    const struct koine__name *name = &catalogue->names[at];
    if (!name->alias && !koine__str_is(model, name->text)) /* an id has a case */
        return NULL;
    return &name->model->pub;
}

const struct koine__price_row *koine__catalogue_row(const struct koine__model *model, int64_t at,
                                                    int64_t prompt_tokens, koine_str service_tier, bool batch)
{
    const struct koine__price_row *chosen = NULL;
    int64_t date = INT64_MIN;
    koine_str tier = koine__tier_is_standard(service_tier) ? KOINE__STR("") : service_tier;
    /* Rows of one tier stand in order of date and size: the last that fits holds. */
    for (size_t i = 0; i < model->row_count; i++) {
        const struct koine__price_row *row = &model->rows[i];
        if (row->valid_from > at || row->batch != batch || !koine__str_is(tier, row->service_tier))
            continue;
        if (row->valid_from != date)
            chosen = NULL;
        date = row->valid_from;
        if (row->above_input_tokens == 0 || row->above_input_tokens < prompt_tokens)
            chosen = row;
    }
    return chosen;
}

size_t koine__catalogue_count(const struct koine__catalogue *catalogue)
{
    return catalogue->count;
}

const struct koine__model *koine__catalogue_at(const struct koine__catalogue *catalogue, size_t index)
{
    return index < catalogue->count ? &catalogue->models[index]->pub : NULL;
}
