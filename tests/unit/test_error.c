/* error: the record's getters, the static one without memory, and the partial answer's end. */
#include "core/base/error.h"

#include "core/base/mem.h"
#include "tests/unit/failalloc.h"
#include "tests/unit/suite.h"
#include <string.h>

static void test_message(void)
{
    koine_error *error = NULL;
    ASSERT_INT(koine__error(&error, KOINE_ECONFIG, "%s:%d: no\nsuch key", "a.yaml", 3), KOINE_ECONFIG);
    ASSERT_INT(koine_error_number(error), KOINE_ECONFIG);
    ASSERT_STR(koine_error_message(error), "a.yaml:3: no such key");
    ASSERT_INT(koine_error_class(error), KOINE_CLASS_NONE);
    ASSERT_INT(koine_error_origin(error), 0);
    ASSERT_STR(koine_error_class_name(error), "");
    ASSERT_STR(koine_error_origin_name(error), "");
    ASSERT_STR(koine_error_stage(error), "");
    ASSERT_STR(koine_error_code(error), "");
    ASSERT_STR(koine_error_target(error), "");
    ASSERT_INT(koine_error_status(error), 0);
    ASSERT_INT(koine_error_retry_after_ms(error), -1);
    CU_ASSERT_PTR_NULL(koine_error_partial(error));
    koine_error_free(error);
}

static void test_fault(void)
{
    koine_error *error = NULL;
    struct koine__fault fault;
    koine__fault_set(&fault, KOINE_CLASS_RATE_LIMIT, "first_byte", "slow down");
    fault.status = 429;
    fault.retry_after_ns = 1500000001;
    strcpy(fault.code, "rate_limited");
    ASSERT_INT(koine__error_fault(&error, &fault, "together/m"), KOINE_EFAULT);
    ASSERT_INT(koine_error_number(error), KOINE_EFAULT);
    ASSERT_INT(koine_error_class(error), KOINE_CLASS_RATE_LIMIT);
    ASSERT_INT(koine_error_origin(error), KOINE_ORIGIN_PROVIDER);
    ASSERT_STR(koine_error_class_name(error), "rate_limit");
    ASSERT_STR(koine_error_origin_name(error), "provider");
    ASSERT_STR(koine_error_stage(error), "first_byte");
    ASSERT_STR(koine_error_message(error), "slow down");
    ASSERT_STR(koine_error_code(error), "rate_limited");
    ASSERT_STR(koine_error_target(error), "together/m");
    ASSERT_INT(koine_error_status(error), 429);
    ASSERT_INT(koine_error_retry_after_ms(error), 1501);
    koine_error_free(error);
}

static void test_fault_of_memory(void)
{
    koine_error *error = NULL;
    struct koine__fault fault;
    koine__fault_set(&fault, KOINE_CLASS_MEMORY, "", "no memory for the answer");
    ASSERT_INT(koine__error_fault(&error, &fault, NULL), KOINE_EMEMORY);
    ASSERT_STR(koine_error_target(error), "");
    koine_error_free(error);
    ASSERT_INT(koine__error_memory(&error), KOINE_EMEMORY);
    ASSERT_INT(koine_error_number(error), KOINE_EMEMORY);
    ASSERT_STR(koine_error_class_name(error), "memory");
    ASSERT_STR(koine_error_message(error), "out of memory");
    koine_error_free(error);
    koine_error_free(error); /* static: as often as one likes */
    ASSERT_STR(koine_error_message(error), "out of memory");
}

static void test_nobody_asks(void)
{
    struct koine__fault fault;
    koine__fault_set(&fault, KOINE_CLASS_AUTH, "", "no");
    failalloc_begin(1);
    ASSERT_INT(koine__error(NULL, KOINE_ENOTFOUND, "x"), KOINE_ENOTFOUND);
    ASSERT_INT(koine__error_fault(NULL, &fault, "a/b"), KOINE_EFAULT);
    ASSERT_INT(koine__error_memory(NULL), KOINE_EMEMORY);
    CU_ASSERT_FALSE(failalloc_end());
}

static void test_of_nothing(void)
{
    ASSERT_INT(koine_error_number(NULL), KOINE_OK);
    ASSERT_INT(koine_error_class(NULL), KOINE_CLASS_NONE);
    ASSERT_STR(koine_error_message(NULL), "");
    ASSERT_STR(koine_error_stage(NULL), "");
    ASSERT_STR(koine_error_code(NULL), "");
    ASSERT_STR(koine_error_target(NULL), "");
    ASSERT_INT(koine_error_status(NULL), 0);
    ASSERT_INT(koine_error_retry_after_ms(NULL), -1);
    CU_ASSERT_PTR_NULL(koine_error_partial(NULL));
    koine_error_free(NULL);
}

static int partials_freed;

static void count_free(koine_response *partial)
{
    (void)partial;
    partials_freed++;
}

static void test_partial(void)
{
    koine_error *error = NULL;
    char answer;
    koine__error(&error, KOINE_EFAULT, "cut");
    error->partial = (koine_response *)&answer;
    error->free_partial = count_free;
    CU_ASSERT_PTR_EQUAL(koine_error_partial(error), (koine_response *)&answer);
    partials_freed = 0;
    koine_error_free(error);
    ASSERT_INT(partials_freed, 1);
}

static void test_failing_memory(void)
{
    struct koine__fault fault;
    koine__fault_set(&fault, KOINE_CLASS_AUTH, "", "no");
    for (int way = 0; way < 2; way++)
        for (long n = 1;; n++) {
            koine_error *error = NULL;
            failalloc_begin(n);
            int rc =
                way ? koine__error_fault(&error, &fault, "a/b") : koine__error(&error, KOINE_ECONFIG, "bad");
            ASSERT_INT(koine_error_number(error), rc);
            koine_error_free(error);
            if (!failalloc_end()) {
                ASSERT_INT(rc, way ? KOINE_EFAULT : KOINE_ECONFIG);
                break;
            }
            ASSERT_INT(rc, KOINE_EMEMORY);
        }
}

static void test_long_message(void)
{
    static char text[20000];
    koine_error *error = NULL;
    memset(text, 'z', sizeof(text) - 1);
    ASSERT_INT(koine__error(&error, KOINE_ECONFIG, "%s", text), KOINE_ECONFIG);
    ASSERT_STR(koine_error_message(error), "an error whose message is too long to show");
    koine_error_free(error);
}

static void test_strerror(void)
{
    for (int code = 1; code >= -8; code--)
        CU_ASSERT_TRUE(strlen(koine_strerror(code)) > 5);
    ASSERT_STR(koine_strerror(0), "no error");
    ASSERT_STR(koine_strerror(KOINE_EMEMORY), "out of memory");
    ASSERT_STR(koine_strerror(-99), "unknown error");
}

static void test_version_and_free(void)
{
    CU_ASSERT_TRUE(strchr(koine_version(), '.') != NULL);
    koine_free(koine__strdup("text"));
    koine_free(NULL);
}

SUITE_MAIN("error", {"message", test_message}, {"fault", test_fault},
           {"fault of memory", test_fault_of_memory}, {"nobody asks", test_nobody_asks},
           {"of nothing", test_of_nothing}, {"partial", test_partial},
           {"failing memory", test_failing_memory}, {"long message", test_long_message},
           {"strerror", test_strerror}, {"version and free", test_version_and_free})
