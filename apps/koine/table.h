/* table: columns of text, as wide as what they hold. */
#ifndef KOINE_APPS_TABLE_H
#define KOINE_APPS_TABLE_H

#include <stddef.h>

struct table_column {
    const char *title;
    int right; /* 1: numbers, set to the right */
    int spare; /* where room is short, the column with the highest number goes first; 1: is missed; 0: stays
                */
};
struct table;

/* The columns are borrowed. A lack of memory ends the program. */
struct table *table_new(const struct table_column *columns, size_t count);
void table_free(struct table *table);
void table_cell(struct table *table,
                const char *text); /* from left to right, row by row; "" and NULL are empty */
/* A line of its own below the last row, set in, as long as it is. */
void table_note(struct table *table, const char *text);
/* The lines, to fit in so many columns (0: any); `indent` goes before each. The caller frees it. The titles
 * of columns left out go to `ret_left_out`, which may be NULL. */
char *table_text(const struct table *table, size_t width, const char *indent, char *ret_left_out,
                 size_t size);

#endif
