/* table: columns of text, as wide as what they hold. */
#include "apps/koine/table.h"

#include "apps/koine/clean.h"
#include "apps/koine/out.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    MOST_COLUMNS = 12,
    GAP = 2
};

struct row_note {
    size_t cell_count; /* when it was said */
    char *text;
};

struct table {
    const struct table_column *columns;
    size_t column_count;
    char **cells;
    size_t cell_count, capacity;
    struct row_note *notes;
    size_t note_count;
};

struct shape { /* how the table will be printed */
    size_t width[MOST_COLUMNS];
    bool shown[MOST_COLUMNS];
    bool titled;
    size_t gap; /* blanks between columns */
};

struct table *table_new(const struct table_column *columns, size_t count)
{
    struct table *table = calloc(1, sizeof(*table));
    if (table == NULL || count > MOST_COLUMNS)
        out_no_memory();
    table->columns = columns;
    table->column_count = count;
    return table;
}

void table_free(struct table *table)
{
    if (table == NULL)
        return;
    for (size_t i = 0; i < table->cell_count; i++)
        free(table->cells[i]);
    for (size_t i = 0; i < table->note_count; i++)
        free(table->notes[i].text);
    free(table->notes);
    free(table->cells);
    free(table);
}

static char *cleaned(const char *text)
{
    struct clean fresh = {0};
    size_t length = 0;
    char *clean = clean_text(&fresh, text != NULL ? text : "", text != NULL ? strlen(text) : 0, &length);
    if (clean == NULL)
        out_no_memory();
    return clean;
}

void table_note(struct table *table, const char *text)
{
    struct row_note *notes = realloc(table->notes, (table->note_count + 1) * sizeof(*notes));
    if (notes == NULL)
        out_no_memory();
    table->notes = notes;
    notes[table->note_count++] = (struct row_note){table->cell_count, cleaned(text)};
}

void table_cell(struct table *table, const char *text)
{
    if (table->cell_count == table->capacity) {
        table->capacity = table->capacity * 2 + 32;
        char **cells = realloc(table->cells, table->capacity * sizeof(*cells));
        if (cells == NULL)
            out_no_memory();
        table->cells = cells;
    }
    table->cells[table->cell_count++] = cleaned(text);
}

static size_t shape_width(const struct table *table, const struct shape *shape)
{
    size_t width = 0;
    for (size_t i = 0; i < table->column_count; i++)
        width += shape->shown[i] ? shape->width[i] + (width > 0 ? shape->gap : 0) : 0;
    return width;
}

static void shape_measure(const struct table *table, struct shape *shape)
{
    *shape = (struct shape){.gap = 2};
    bool filled[MOST_COLUMNS] = {false};
    for (size_t i = 0; i < table->cell_count; i++) {
        size_t column = i % table->column_count, wide = utf8_count(table->cells[i]);
        filled[column] |= wide > 0;
        if (wide > shape->width[column])
            shape->width[column] = wide;
    }
    for (size_t i = 0; i < table->column_count; i++) {
        const char *title = table->columns[i].title;
        shape->shown[i] = filled[i] || (i == 0 && title != NULL);
        shape->titled |= title != NULL;
        if (title != NULL && utf8_count(title) > shape->width[i])
            shape->width[i] = utf8_count(title);
    }
}

/* Gives up the column that is missed least, if there is one that may go; `keep`: those spare up to that stay.
 */
static bool shape_drop(const struct table *table, struct shape *shape, int keep, char *ret_left_out,
                       size_t size)
{
    size_t which = table->column_count;
    for (size_t i = 0; i < table->column_count; i++) {
        int most = which < table->column_count ? table->columns[which].spare : keep;
        if (shape->shown[i] && table->columns[i].spare > most)
            which = i;
    }
    if (which == table->column_count)
        return false;
    shape->shown[which] = false;
    size_t used = strlen(ret_left_out);
    snprintf(ret_left_out + used, size - used, "%s%s", used > 0 ? ", " : "", table->columns[which].title);
    return true;
}

/* First what is nice to have goes, then the air between the columns, then what is missed. */
static void shape_fit(const struct table *table, struct shape *shape, size_t width, char *ret_left_out,
                      size_t size)
{
    while (shape_width(table, shape) > width) {
        if (shape_drop(table, shape, 1, ret_left_out, size))
            continue;
        if (shape->gap == 1 && !shape_drop(table, shape, 0, ret_left_out, size))
            return;
        shape->gap = 1;
    }
}

static void print_row(const struct table *table, const struct shape *shape, FILE *to, char *const *cells)
{
    size_t owed = 0; /* blanks, written only before something */
    for (size_t i = 0; i < table->column_count; i++) {
        if (!shape->shown[i])
            continue;
        const char *text = cells != NULL ? cells[i] : table->columns[i].title;
        size_t blank = shape->width[i] - utf8_count(text);
        if (table->columns[i].right)
            owed += blank;
        if (*text != '\0') {
            fprintf(to, "%*s%s", (int)owed, "", text);
            owed = 0;
        }
        owed += shape->gap + (table->columns[i].right ? 0 : blank);
    }
    fputc('\n', to);
}

static void print_notes(const struct table *table, FILE *to, const char *indent, size_t cell_count)
{
    for (size_t i = 0; i < table->note_count; i++) {
        if (table->notes[i].cell_count == cell_count)
            fprintf(to, "%s  %s\n", indent, table->notes[i].text);
    }
}

static void print_rows(const struct table *table, const struct shape *shape, FILE *to, const char *indent)
{
    if (shape->titled) {
        fputs(indent, to);
        print_row(table, shape, to, NULL);
    }
    for (size_t i = 0; i + table->column_count <= table->cell_count; i += table->column_count) {
        fputs(indent, to);
        print_row(table, shape, to, table->cells + i);
        print_notes(table, to, indent, i + table->column_count);
    }
}

char *table_text(const struct table *table, size_t width, const char *indent, char *ret_left_out, size_t size)
{
    struct shape shape;
    char ignored[1] = "", *text = NULL;
    if (ret_left_out == NULL) {
        ret_left_out = ignored;
        size = sizeof(ignored);
    }
    ret_left_out[0] = '\0';
    shape_measure(table, &shape);
    if (width > 0)
        shape_fit(table, &shape, width - (strlen(indent) < width ? strlen(indent) : 0), ret_left_out, size);
    size_t length = 0;
    FILE *to = open_memstream(&text, &length);
    if (to == NULL)
        out_no_memory();
    print_rows(table, &shape, to, indent);
    bool bad = ferror(to) != 0;
    if (fclose(to) != 0 || bad)
        out_no_memory();
    return text;
}
