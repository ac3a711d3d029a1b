/* advice: Retry-After and its kin, dates among them: a wait in the future or none, whatever a server writes.
 * Each line of the input is a header. */
#include "core/base/str.h"
#include "core/policy/retry.h"
#include "tests/fuzz/fuzz.h"

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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    koine_str input = {(const char *)data, size};
    int64_t seconds = 0;
    int64_t wait = koine__retry_after(find, &input, INT64_C(1735732800) * 1000000000);
    FUZZ_CHECK(wait == -1 || wait > 0);
    if (koine__read_http_date(input, &seconds) == 0 || koine__read_date(input, &seconds) == 0)
        FUZZ_CHECK(seconds > -INT64_C(70000000000) &&
                   seconds < INT64_C(260000000000)); /* the years 0 to 9999 */
    return 0;
}
