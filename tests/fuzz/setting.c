/* setting: a value is within its row's range or refused with a reason; a duration that is written reads back
 * the same; and any path is looked up without harm. An input is path=value; a path that is none stands for
 * the first row. */
#include "core/base/settings.h"
#include "core/base/str.h"
#include "tests/fuzz/fuzz.h"

#include <koine/koine.h>
#include <stdlib.h>
#include <string.h>

static void check_number(const struct koine__setting *row, int64_t number)
{
    char text[64];
    int64_t again = 0;
    bool off = row->may_be_off && number == -1;
    if (!off && (row->min != 0 || row->max != 0))
        FUZZ_CHECK(number >= row->min && number <= row->max);
    if (row->type != KOINE__SET_DURATION)
        return;
    koine__write_duration(number, text, sizeof(text));
    FUZZ_CHECK(koine__read_duration(koine__str(text), &again) == 0 && again == number);
}

static void look_up(const char *path)
{
    char text[256];
    const struct koine__setting *row = koine__setting_find(path);
    FUZZ_CHECK(!row || row->path);
    koine__setting_is_map(path);
    koine__setting_wildcard(path);
    const char *nearest = koine__setting_suggest(path, text, sizeof(text));
    FUZZ_CHECK(!nearest || *nearest);
}

static const struct koine__setting *row_of(koine_str path)
{
    size_t count = 0;
    const struct koine__setting *rows = koine__settings(&count);
    for (size_t i = 0; i < count; i++)
        if (koine__str_is(path, rows[i].path))
            return &rows[i];
    return rows;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    koine_str input = {(const char *)data, size};
    const struct koine__setting *row = row_of(koine__str_cut(&input, '='));
    char *text = fuzz_copy(input);
    int64_t number = 0;
    if (koine__setting_read(row, text, &number) == KOINE_OK) {
        check_number(row, number);
    } else {
        struct koine__buf why;
        koine__buf_init(&why, (size_t)1 << 20);
        koine__setting_explain(row, text, &why);
        koine__setting_range(row, &why);
        FUZZ_CHECK(why.len > 0 && why.error == 0);
        koine__buf_release(&why);
    }
    look_up(text);
    free(text);
    return 0;
}
