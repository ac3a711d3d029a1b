#include "core/plugin/registry.h"

#include "core/plugin/host.h"
#include "tests/unit/failalloc.h"
#include "tests/unit/scratch.h"
#include "tests/unit/suite.h"
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct scratch scratch;
static char first[PATH_MAX], second[PATH_MAX];

/* Two plugin folders; false: there are no test plugins. */
static bool begin(void)
{
    scratch_make(&scratch);
    snprintf(first, sizeof(first), "%s", scratch_path(&scratch, "first"));
    snprintf(second, sizeof(second), "%s", scratch_path(&scratch, "second"));
    CU_ASSERT_EQUAL(mkdir(first, 0755), 0);
    CU_ASSERT_EQUAL(mkdir(second, 0755), 0);
    scratch_write(&scratch, "first/bad.so", "", 0);
    scratch_write(&scratch, "first/good.json", "{}", 2);
    scratch_write(&scratch, "first/.hidden.so", "", 0);
    scratch_write(&scratch, "first/.so", "", 0);
    return scratch_plugin(&scratch, "first/good.so", "good") &&
           scratch_plugin(&scratch, "first/a.so", "two") &&
           scratch_plugin(&scratch, "second/0.so", "usurper");
}

static void end(void)
{
    koine__plugins_forget();
    scratch_remove(&scratch);
}

static void in_order(void)
{
    if (begin()) {
        const char *const folders[] = {first, "/nonexistent/koine", second, NULL};
        static const char *const ids[] = {"one", "two", "bad", "good", "good", "honest"};
        struct koine__registry registry;
        ASSERT_INT(koine__registry_build(folders, NULL, koine__process_host(), &registry, NULL), KOINE_OK);
        ASSERT_INT((long long)registry.count, 6);
        for (size_t i = 0; i < registry.count; i++)
            ASSERT_STR(registry.items[i].id, ids[i]);
        ASSERT_STR(registry.items[0].path, scratch_path(&scratch, "first/a.so"));
        ASSERT_STR(registry.items[0].provider->id, "one");
        ASSERT_STR(registry.items[0].reason, NULL);
        CU_ASSERT_PTR_NULL(registry.items[2].provider);
        ASSERT_STR(registry.items[2].reason, "is empty");
        CU_ASSERT_PTR_NULL(registry.items[4].provider);
        char taken[PATH_MAX + 64];
        snprintf(taken, sizeof(taken), "the id good is taken by %s", scratch_path(&scratch, "first/good.so"));
        ASSERT_STR(registry.items[4].reason, taken);
        ASSERT_STR(registry.folders[1], "/nonexistent/koine");
        ASSERT_STR(registry.folders[3], NULL);
        koine__registry_release(&registry);
        koine__registry_release(&registry);
    }
    end();
}

static void find(void)
{
    if (begin()) {
        const char *const folders[] = {second, first, NULL};
        struct koine__registry registry;
        ASSERT_INT(koine__registry_build(folders, NULL, koine__process_host(), &registry, NULL), KOINE_OK);
        const struct koine__found *found = koine__registry_find(&registry, "good", false);
        CU_ASSERT_PTR_NOT_NULL_FATAL(found);
        CU_ASSERT_PTR_NOT_NULL(found->provider);
        ASSERT_STR(found->path, scratch_path(&scratch, "second/0.so"));
        found = koine__registry_find(&registry, "bad", false);
        CU_ASSERT_PTR_NOT_NULL_FATAL(found);
        ASSERT_STR(found->reason, "is empty");
        CU_ASSERT_PTR_NULL(koine__registry_find(&registry, "nobody", false));
        koine__registry_release(&registry);
    }
    end();
}

/* The same folder by two names holds each plugin once. */
static void same_folder_twice(void)
{
    if (begin()) {
        CU_ASSERT_EQUAL(symlink("second", scratch_path(&scratch, "link")), 0);
        char other[PATH_MAX];
        snprintf(other, sizeof(other), "%s", scratch_path(&scratch, "link"));
        const char *const folders[] = {second, other, second, NULL};
        struct koine__registry registry;
        ASSERT_INT(koine__registry_build(folders, NULL, koine__process_host(), &registry, NULL), KOINE_OK);
        ASSERT_INT((long long)registry.count, 2);
        koine__registry_release(&registry);
    }
    end();
}

static void folders_that_are_none(void)
{
    scratch_make(&scratch);
    scratch_write(&scratch, "file", "", 0);
    char file[PATH_MAX];
    snprintf(file, sizeof(file), "%s", scratch_path(&scratch, "file"));
    const char *const folders[] = {file, NULL};
    struct koine__registry registry;
    ASSERT_INT(koine__registry_build(folders, NULL, koine__process_host(), &registry, NULL), KOINE_OK);
    ASSERT_INT((long long)registry.count, 1);
    ASSERT_STR(registry.items[0].reason, "Not a directory");
    ASSERT_STR(registry.items[0].path, file);
    koine__registry_release(&registry);
    ASSERT_INT(koine__registry_build(NULL, NULL, koine__process_host(), &registry, NULL), KOINE_OK);
    ASSERT_INT((long long)registry.count, 0);
    CU_ASSERT_PTR_NULL(koine__registry_find(&registry, "x", false));
    koine__registry_release(&registry);
    scratch_remove(&scratch);
}

static void failing_allocations(void)
{
    if (begin()) {
        const char *const folders[] = {first, second, NULL};
        for (long n = 1;; n++) {
            struct koine__registry registry = {0};
            koine_error *error = NULL;
            failalloc_begin(n);
            int rc = koine__registry_build(folders, NULL, koine__process_host(), &registry, &error);
            koine__registry_release(&registry);
            koine_error_free(error);
            koine__plugins_forget();
            if (!failalloc_end()) {
                ASSERT_INT(rc, KOINE_OK);
                break;
            }
            ASSERT_INT(rc, KOINE_EMEMORY);
        }
    }
    end();
}

SUITE_MAIN("registry", {"in order", in_order}, {"find", find}, {"same folder twice", same_folder_twice},
           {"folders that are none", folders_that_are_none}, {"failing allocations", failing_allocations})
