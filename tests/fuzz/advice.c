/* advice: Retry-After and its kin, dates among them: a wait in the future or none, whatever a server writes.
 * Each line of the input is a header. */
#include "core/base/str.h"
#include "core/policy/retry.h"
#include "tests/fuzz/fuzz.h"

#define DAY        86400
#define YEAR_10000 INT64_C(253402300800)

static koine_str find(const void *arg, const char *name)
{
    koine_str rest = *(const koine_str *)arg;
    while (rest.ptr) {
        koine_str value = koine__str_cut(&rest, '\n'), key = koine__str_cut(&value, ':');
        if (koine__str_is_nocase(key, name))
            return value.ptr ? value : (koine_str){"", 0};
    }
    return (koine_str){NULL, 0};
}

/* The day that a moment lies in is written, and read back as its beginning. */
static void check_day(int64_t seconds)
{
    char text[11];
    int64_t again = 0;
    int64_t day = seconds / DAY - (seconds % DAY < 0);
    if (seconds >= YEAR_10000) /* the last leap second leads there, and cannot be written */
        return;
    koine__write_date(seconds, text);
    FUZZ_CHECK(koine__read_date(koine__str(text), &again) == 0 && again == day * DAY);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    koine_str input = {(const char *)data, size};
    int64_t seconds = 0;
    int64_t wait = koine__retry_after(find, &input, INT64_C(1735732800) * 1000000000);
    FUZZ_CHECK(wait == -1 || wait > 0);
    if (koine__read_http_date(input, &seconds) == 0 || koine__read_date(input, &seconds) == 0) {
        FUZZ_CHECK(seconds > -INT64_C(70000000000) &&
                   seconds < INT64_C(260000000000)); /* the years 0 to 9999 */
        check_day(seconds);
    }
    return 0;
}
