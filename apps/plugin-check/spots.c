/* spots: finds them with the core's own reader. */
#include "apps/plugin-check/spots.h"

#include "core/wire/json.h"

#include <stdlib.h>
#include <string.h>

#define MOST ((size_t)4096)

static void add(struct spots *self, const koine_node *node, size_t base)
{
    koine_str source = koine__node_source(node);
    if (!self->items)
        self->items = malloc(MOST * sizeof(*self->items));
    if (!self->items)
        abort();
    if (self->count < MOST)
        self->items[self->count++] =
            (struct spot){base + koine__node_offset(node), source.len, koine__node_kind(node)};
}

/* Depth is that of the text, which the reader limits. */
static void walk(struct spots *self, const koine_node *node, size_t base)
{
    add(self, node, base);
    for (size_t i = 0; i < koine__node_count(node); i++)
        walk(self, koine__node_at(node, i), base);
}

static void find(struct spots *self, koine_str json, size_t base)
{
    struct koine__arena arena;
    const koine_node *root = NULL;
    koine__arena_init(&arena, 0);
    if (koine__json_read(json, &arena, &root, NULL) == 0) {
        if (self->root_count < sizeof(self->roots) / sizeof(self->roots[0]))
            self->roots[self->root_count++] = self->count;
        walk(self, root, base);
    }
    koine__arena_release(&arena);
}

void spots_in_document(struct spots *self, koine_str json)
{
    *self = (struct spots){.count = 0};
    find(self, json, 0);
}

void spots_in_answer(struct spots *self, koine_str body, bool stream)
{
    koine_str rest = body;
    *self = (struct spots){.count = 0};
    find(self, body, 0);
    while (stream && rest.ptr) {
        koine_str line = koine__str_trim(koine__str_cut(&rest, '\n'));
        if (koine__str_starts(line, "data:"))
            find(self, (koine_str){line.ptr + 5, line.len - 5}, (size_t)(line.ptr + 5 - body.ptr));
    }
}

void spots_release(struct spots *self)
{
    free(self->items);
    self->items = NULL;
}

void spots_replace(struct koine__buf *ret, koine_str text, size_t at, size_t len, koine_str by)
{
    koine__buf_reset(ret);
    koine__buf_add(ret, text.ptr, at);
    koine__buf_add(ret, by.ptr, by.len);
    koine__buf_add(ret, text.ptr + at + len, text.len - at - len);
}
