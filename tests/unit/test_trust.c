#include "core/plugin/trust.h"

#include "tests/unit/failalloc.h"
#include "tests/unit/scratch.h"
#include "tests/unit/suite.h"
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SOMEBODY 12345 /* neither root nor, most likely, whoever runs this */

static struct scratch scratch;

static void make(void)
{
    scratch_make(&scratch);
    CU_ASSERT_EQUAL(mkdir(scratch_path(&scratch, "above"), 0755), 0);
    CU_ASSERT_EQUAL(mkdir(scratch_path(&scratch, "above/in"), 0755), 0);
    scratch_write(&scratch, "above/in/a.so", "x", 1);
}

static void set_mode(const char *name, mode_t mode)
{
    CU_ASSERT_EQUAL(chmod(scratch_path(&scratch, name), mode), 0);
}

/* NULL: trusted; else the message without the path of the scratch folder. */
static const char *verdict(const char *name)
{
    static char text[1024];
    struct stat state;
    koine_error *error = NULL;
    int rc = koine__trust_file(scratch_path(&scratch, name), "a.so", &state, &error);
    const char *message = koine_error_message(error), *inner = strstr(message, scratch.path);
    if (inner)
        snprintf(text, sizeof(text), "%.*s~%s", (int)(inner - message), message,
                 inner + strlen(scratch.path));
    else
        snprintf(text, sizeof(text), "%s", message);
    koine_error_free(error);
    CU_ASSERT_TRUE(rc == (*text ? KOINE_ECONFIG : KOINE_OK));
    return *text ? text : NULL;
}

static void modes(void)
{
    make();
    ASSERT_STR(verdict("above/in/a.so"), NULL);
    set_mode("above/in/a.so", 0444);
    ASSERT_STR(verdict("above/in/a.so"), NULL);
    set_mode("above/in/a.so", 0646);
    ASSERT_STR(verdict("above/in/a.so"), "a.so: is writable by everybody; take that away with chmod o-w");
    set_mode("above/in/a.so", 0644);
    set_mode("above/in", 0757);
    ASSERT_STR(verdict("above/in/a.so"),
               "a.so: the folder ~/above/in is writable by everybody; take that away with chmod o-w");
    set_mode("above/in", 01777); /* anybody could add files to it */
    ASSERT_STR(verdict("above/in/a.so"),
               "a.so: the folder ~/above/in is writable by everybody; take that away with chmod o-w");
    set_mode("above/in", 0755);
    set_mode("above", 0757);
    ASSERT_STR(verdict("above/in/a.so"),
               "a.so: the folder ~/above is writable by everybody; take that away with chmod o-w");
    scratch_remove(&scratch);
}

static void roots_sticky_folder(void)
{
    make();
    set_mode("above", 01777);
    if (geteuid() == 0)
        ASSERT_STR(verdict("above/in/a.so"), NULL);
    else
        ASSERT_STR(verdict("above/in/a.so"),
                   "a.so: the folder ~/above is writable by everybody; take that away with chmod o-w");
    scratch_remove(&scratch);
}

static void kinds(void)
{
    make();
    ASSERT_STR(verdict("above/in/b.so"), "a.so: No such file or directory");
    ASSERT_STR(verdict("above/in"), "a.so: is not a regular file");
    CU_ASSERT_EQUAL(symlink("a.so", scratch_path(&scratch, "above/in/b.so")), 0);
    ASSERT_STR(verdict("above/in/b.so"), "a.so: is not a regular file");
    CU_ASSERT_EQUAL(symlink("above", scratch_path(&scratch, "link")), 0);
    ASSERT_STR(verdict("link/in/a.so"), "a.so: the folder ~/link is no folder any more");
    struct stat state;
    ASSERT_INT(koine__trust_file("a.so", "a.so", &state, NULL), KOINE_ECONFIG);
    scratch_remove(&scratch);
}

static void other_owners(void)
{
    if (geteuid() != 0) {
        suite_skip("only root can give files away");
        return;
    }
    make();
    CU_ASSERT_EQUAL(chown(scratch_path(&scratch, "above"), SOMEBODY, (gid_t)-1), 0);
    ASSERT_STR(
        verdict("above/in/a.so"),
        "a.so: the folder ~/above belongs to user 12345; it must belong to root or to user 0, who runs this");
    set_mode("above", 01777); /* sticky, but not root's */
    CU_ASSERT_PTR_NOT_NULL(verdict("above/in/a.so"));
    set_mode("above", 0755);
    CU_ASSERT_EQUAL(chown(scratch_path(&scratch, "above"), 0, (gid_t)-1), 0);
    CU_ASSERT_EQUAL(chown(scratch_path(&scratch, "above/in/a.so"), SOMEBODY, (gid_t)-1), 0);
    ASSERT_STR(verdict("above/in/a.so"),
               "a.so: belongs to user 12345; it must belong to root or to user 0, who runs this");
    scratch_remove(&scratch);
}

/* Group write is fine where the group is nobody else's. */
static void groups(void)
{
    const struct group *root = getgrgid(0);
    if (geteuid() != 0 || !root || strcmp(root->gr_name, "root") != 0 || root->gr_mem[0]) {
        suite_skip("needs root, whose group has no other members");
        return;
    }
    make();
    set_mode("above/in/a.so", 0664);
    set_mode("above/in", 0775);
    set_mode("above", 0775);
    ASSERT_STR(verdict("above/in/a.so"), NULL);
    CU_ASSERT_EQUAL(chown(scratch_path(&scratch, "above"), 0, SOMEBODY), 0);
    ASSERT_STR(verdict("above/in/a.so"),
               "a.so: the folder ~/above is writable by the members of group 12345; "
               "take that away with chmod g-w");
    scratch_remove(&scratch);
}

static void failing_allocations(void)
{
    make();
    set_mode("above/in/a.so", 0664);
    const char *path = scratch_path(&scratch, "above/in/a.so");
    for (long n = 1;; n++) {
        struct stat state;
        koine_error *error = NULL;
        failalloc_begin(n);
        int rc = koine__trust_file(path, "a.so", &state, &error);
        koine_error_free(error);
        if (!failalloc_end())
            break;
        CU_ASSERT_TRUE(rc == KOINE_EMEMORY || rc == KOINE_ECONFIG);
    }
    scratch_remove(&scratch);
}

SUITE_MAIN("trust", {"modes", modes}, {"root's sticky folder", roots_sticky_folder}, {"kinds", kinds},
           {"other owners", other_owners}, {"groups", groups}, {"failing allocations", failing_allocations})
