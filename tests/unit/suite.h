/* suite: what the CUnit programs share. A program is a table of tests and SUITE_MAIN; it speaks TAP, so that
 * `make check` counts tests and not programs.
 *
 *     static void adds(void) { CU_ASSERT_EQUAL(1 + 1, 2); }
 *     SUITE_MAIN("sum", {"adds", adds})
 */
#ifndef KOINE_TESTS_UNIT_SUITE_H
#define KOINE_TESTS_UNIT_SUITE_H

#include <CUnit/CUnit.h>
#include <stddef.h>

struct suite_test {
    const char *name;
    CU_TestFunc run;
};

/* Runs the tests (those whose name contains argv[1], if given) and returns the program's exit status. */
int suite_run(const char *suite, const struct suite_test *tests, size_t count, int argc, char **argv);

/* Marks the running test as skipped, with the reason; return from it afterwards. */
void suite_skip(const char *reason);

/* Like CU_ASSERT_STRING_EQUAL, but says both texts; NULL is a value like any other. */
#define ASSERT_STR(actual, expected) suite_assert_str((actual), (expected), #actual, __FILE__, __LINE__)
#define ASSERT_INT(actual, expected) suite_assert_int((actual), (expected), #actual, __FILE__, __LINE__)
/* Exactly these bytes. */
#define ASSERT_MEM(actual, actual_len, expected)                                                             \
    suite_assert_mem((actual), (actual_len), (expected), sizeof(expected) - 1, #actual, __FILE__, __LINE__)
void suite_assert_str(const char *actual, const char *expected, const char *what, const char *file,
                      unsigned line);
void suite_assert_int(long long actual, long long expected, const char *what, const char *file,
                      unsigned line);
void suite_assert_mem(const char *actual, size_t actual_len, const char *expected, size_t expected_len,
                      const char *what, const char *file, unsigned line);

#define SUITE_MAIN(suite, ...)                                                                               \
    int main(int argc, char **argv)                                                                          \
    {                                                                                                        \
        static const struct suite_test tests[] = {__VA_ARGS__};                                              \
        return suite_run(suite, tests, sizeof(tests) / sizeof(tests[0]), argc, argv);                        \
    }

#endif
