/* object: the symbols and libraries that a shared object names, read from the file: nothing of it is loaded.
 */
#ifndef KOINE_APPS_PLUGIN_CHECK_OBJECT_H
#define KOINE_APPS_PLUGIN_CHECK_OBJECT_H

#include <stdbool.h>
#include <stddef.h>

struct object {
    char *bytes; /* owned */
    size_t size;
    size_t symbols, symbol_count; /* the dynamic symbols: offset and number */
    size_t names, names_size;     /* their strings */
    size_t dynamic, dynamic_count;
};
struct object_symbol {
    const char *name;
    bool defined; /* else it is wanted from others */
    bool visible; /* to others, if defined */
};

/* NULL, or why it cannot be read (static). */
const char *object_read(struct object *self, const char *path);
void object_release(struct object *self);
/* False: there is no such one. */
bool object_symbol(const struct object *self, size_t index, struct object_symbol *ret);
/* The index-th library that it needs; NULL past the last. */
const char *object_library(const struct object *self, size_t index);

#endif
