/* suite: one CUnit suite, run test by test, spoken as TAP 13. */
#include "tests/unit/suite.h"

#include <CUnit/TestRun.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char skip_reason[256];
static bool skipped;

void suite_skip(const char *reason)
{
    snprintf(skip_reason, sizeof(skip_reason), "%s", reason ? reason : "");
    skipped = true;
}

static void print_failures(void)
{
    for (CU_pFailureRecord at = CU_get_failure_list(); at; at = at->pNext)
        printf("# %s:%u: %s\n", at->strFileName ? at->strFileName : "?", at->uiLineNumber,
               at->strCondition ? at->strCondition : "?");
}

static bool run_one(CU_pSuite suite, CU_pTest test, size_t number)
{
    skipped = false;
    CU_ErrorCode error = CU_run_test(suite, test);
    bool failed = error != CUE_SUCCESS || CU_get_number_of_failures() > 0;
    printf("%s %zu - %s: %s", failed ? "not ok" : "ok", number, suite->pName, test->pName);
    printf(skipped && !failed ? " # SKIP %s\n" : "\n", skip_reason);
    if (error != CUE_SUCCESS)
        printf("# CUnit: %s\n", CU_get_error_msg());
    print_failures();
    fflush(stdout);
    return !failed;
}

static int run_all(CU_pSuite suite)
{
    size_t number = 0, failures = 0;
    printf("TAP version 13\n1..%u\n", suite->uiNumberOfTests);
    fflush(stdout);
    for (CU_pTest test = suite->pTest; test; test = test->pNext)
        failures += !run_one(suite, test, ++number);
    return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}

static bool add_tests(CU_pSuite suite, const struct suite_test *tests, size_t count, const char *filter)
{
    for (size_t i = 0; i < count; i++) {
        if (filter && !strstr(tests[i].name, filter))
            continue;
        if (!CU_add_test(suite, tests[i].name, tests[i].run))
            return false;
    }
    return true;
}

int suite_run(const char *suite, const struct suite_test *tests, size_t count, int argc, char **argv)
{
    int status = EXIT_FAILURE;
    CU_pSuite added = NULL;
    if (CU_initialize_registry() == CUE_SUCCESS)
        added = CU_add_suite(suite, NULL, NULL);
    if (added && add_tests(added, tests, count, argc > 1 ? argv[1] : NULL))
        status = run_all(added);
    else
        printf("Bail out! CUnit: %s\n", CU_get_error_msg());
    CU_cleanup_registry();
    return status;
}

static void report(bool ok, const char *text, const char *file, unsigned line)
{
    CU_assertImplementation(ok, line, text, file, "", CU_FALSE);
}

void suite_assert_str(const char *actual, const char *expected, const char *what, const char *file,
                      unsigned line)
{
    char text[2048];
    bool ok = actual && expected ? strcmp(actual, expected) == 0 : actual == expected;
    snprintf(text, sizeof(text), "%s is %s%.900s%s, not %s%.900s%s", what, actual ? "\"" : "",
             actual ? actual : "NULL", actual ? "\"" : "", expected ? "\"" : "", expected ? expected : "NULL",
             expected ? "\"" : "");
    for (char *at = text; *at; at++)
        if (*at == '\n')
            *at = '|'; /* a diagnostic is one line */
    report(ok, text, file, line);
}

void suite_assert_int(long long actual, long long expected, const char *what, const char *file, unsigned line)
{
    char text[512];
    snprintf(text, sizeof(text), "%.400s is %lld, not %lld", what, actual, expected);
    report(actual == expected, text, file, line);
}

static void quote(char *ret, size_t size, const char *ptr, size_t len)
{
    size_t used = 0;
    for (size_t i = 0; i < len && used + 5 < size; i++) {
        unsigned char c = (unsigned char)ptr[i];
        bool plain = c >= 0x20 && c < 0x7F && c != '\\' && c != '"';
        used += (size_t)snprintf(ret + used, size - used, plain ? "%c" : "\\x%02x", c);
    }
    ret[used] = '\0';
}

void suite_assert_mem(const char *actual, size_t actual_len, const char *expected, size_t expected_len,
                      const char *what, const char *file, unsigned line)
{
    char is[1024] = "", wanted[1024] = "", text[2600];
    bool ok = actual_len == expected_len && (actual_len == 0 || memcmp(actual, expected, actual_len) == 0);
    quote(is, sizeof(is), actual, actual_len);
    quote(wanted, sizeof(wanted), expected, expected_len);
    snprintf(text, sizeof(text), "%.400s is \"%s\" (%zu), not \"%s\" (%zu)", what, is, actual_len, wanted,
             expected_len);
    report(ok, text, file, line);
}
