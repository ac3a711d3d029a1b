/* scratch: plain libc, so that counted allocations are the library's own. */
#include "tests/unit/scratch.h"

#include "tests/unit/suite.h"
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static void must(bool done, const char *what)
{
    if (done)
        return;
    printf("Bail out! %s: %s\n", what, strerror(errno));
    fflush(stdout);
    _exit(EXIT_FAILURE);
}

void scratch_make(struct scratch *scratch)
{
    char path[PATH_MAX], real[PATH_MAX];
    const char *parent = getenv("TMPDIR");
    snprintf(path, sizeof(path), "%s/koine-test-XXXXXX", parent && *parent == '/' ? parent : "/tmp");
    must(mkdtemp(path) && realpath(path, real), path);
    must(snprintf(scratch->path, sizeof(scratch->path), "%s", real) < (int)sizeof(scratch->path), real);
}

static int remove_one(const char *path, const struct stat *state, int type, struct FTW *ftw)
{
    (void)state;
    (void)type;
    (void)ftw;
    return remove(path);
}

void scratch_remove(const struct scratch *scratch)
{
    nftw(scratch->path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

const char *scratch_path(const struct scratch *scratch, const char *name)
{
    static char path[PATH_MAX];
    snprintf(path, sizeof(path), "%s/%s", scratch->path, name);
    return path;
}

void scratch_write(const struct scratch *scratch, const char *name, const void *ptr, size_t len)
{
    const char *path = scratch_path(scratch, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    must(fd >= 0 && write(fd, ptr, len) == (ssize_t)len && fchmod(fd, 0644) == 0, path);
    close(fd);
}

static char *read_file(const char *path, size_t *ret_len)
{
    struct stat state;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return NULL;
    CU_ASSERT_EQUAL_FATAL(fstat(fd, &state), 0);
    char *bytes = malloc((size_t)state.st_size);
    CU_ASSERT_PTR_NOT_NULL_FATAL(bytes);
    CU_ASSERT_TRUE_FATAL(read(fd, bytes, (size_t)state.st_size) == state.st_size);
    close(fd);
    *ret_len = (size_t)state.st_size;
    return bytes;
}

bool scratch_copy(const struct scratch *scratch, const char *name, const char *from)
{
    size_t len = 0;
    char *bytes = read_file(from, &len);
    if (!bytes)
        return false;
    scratch_write(scratch, name, bytes, len);
    free(bytes);
    return true;
}

char *scratch_plugin_bytes(const char *plugin, size_t *ret_len)
{
    char path[PATH_MAX];
    const char *folder = getenv("KOINE_TEST_PLUGINS");
    snprintf(path, sizeof(path), "%s/%s.so", folder ? folder : "", plugin);
    char *bytes = folder ? read_file(path, ret_len) : NULL;
    if (!bytes)
        suite_skip("KOINE_TEST_PLUGINS names no folder of test plugins");
    return bytes;
}

bool scratch_plugin(const struct scratch *scratch, const char *name, const char *plugin)
{
    size_t len = 0;
    char *bytes = scratch_plugin_bytes(plugin, &len);
    if (!bytes)
        return false;
    scratch_write(scratch, name, bytes, len);
    free(bytes);
    return true;
}

static struct scratch of_helper;
static pid_t owner;

static void remove_helper(void)
{
    if (getpid() == owner)
        scratch_remove(&of_helper);
}

bool scratch_can_isolate(void)
{
    int fd = (int)syscall(SYS_pidfd_open, getpid(), 0);
    if (fd < 0)
        suite_skip("there are no descriptors of processes here");
    else
        close(fd);
    return fd >= 0;
}

const char *scratch_helper(void)
{
    static char path[PATH_MAX];
    char from[PATH_MAX];
    const char *build = getenv("KOINE_TEST_BUILD");
    if (path[0])
        return path;
    snprintf(from, sizeof(from), "%s/apps/koine-isolate", build ? build : ".");
    scratch_make(&of_helper);
    owner = getpid();
    atexit(remove_helper);
    CU_ASSERT_TRUE_FATAL(scratch_copy(&of_helper, "koine-isolate", from));
    snprintf(path, sizeof(path), "%s", scratch_path(&of_helper, "koine-isolate"));
    CU_ASSERT_EQUAL_FATAL(chmod(path, 0755), 0);
    return path;
}
