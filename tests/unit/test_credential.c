/* Where a key may come from, what is refused, and that no message ever holds it. */
#include "tests/unit/failalloc.h"
#include "tests/unit/suite.h"

#include "core/base/clock.h"
#include "core/wire/credential.h"
#include <fcntl.h>
#include <koine/koine.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/koine-credential-XXXXXX";
static char path[128];

/* Writes a file of that content and mode; gives its path. */
static const char *file_of(const char *content, size_t len, mode_t mode)
{
    if (strstr(folder, "XXXXXX"))
        CU_ASSERT_FATAL(mkdtemp(folder) != NULL);
    snprintf(path, sizeof(path), "%s/key", folder);
    unlink(path);
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    CU_ASSERT_FATAL(fd >= 0);
    CU_ASSERT(write(fd, content, len) == (ssize_t)len);
    CU_ASSERT(fchmod(fd, mode) == 0);
    close(fd);
    return path;
}

static void clean_up(void)
{
    unlink(path);
    rmdir(folder);
    memcpy(folder + sizeof(folder) - sizeof("XXXXXX"), "XXXXXX", sizeof("XXXXXX"));
}

/* NULL expected: no key. */
static void assert_key(const struct koine__credential_spec *spec, const char *expected)
{
    struct koine__secret *secret = NULL;
    koine_error *error = NULL;
    ASSERT_INT(koine__credential_load(spec, &secret, &error), KOINE_OK);
    size_t len = 0;
    ASSERT_STR(secret ? koine__secret_text(secret, &len) : NULL, expected);
    ASSERT_STR(error ? koine_error_message(error) : NULL, NULL);
    koine_error_free(error);
    koine__secret_unref(secret);
}

static void assert_refused(const struct koine__credential_spec *spec, const char *expected)
{
    struct koine__secret *untouched = (struct koine__secret *)(void *)path, *secret = untouched;
    koine_error *error = NULL;
    ASSERT_INT(koine__credential_load(spec, &secret, &error), KOINE_ECONFIG);
    CU_ASSERT(secret == untouched);
    CU_ASSERT_FATAL(error != NULL);
    ASSERT_STR(koine_error_message(error), expected);
    CU_ASSERT(strstr(koine_error_message(error), "sk-") == NULL);
    koine_error_free(error);
    ASSERT_INT(koine__credential_load(spec, &secret, NULL), KOINE_ECONFIG);
}

#define SPEC(...)                                                                                            \
    (&(const struct koine__credential_spec){.where = "koine.yaml:3:5: providers.lab", __VA_ARGS__})

static void takes_what_is_given(void)
{
    assert_key(SPEC(.key = "sk-1"), "sk-1");
    assert_key(SPEC(.key = "sk-1", .variable = "sk-2"), "sk-1");
    assert_key(SPEC(.variable = "sk-2"), "sk-2");
    assert_key(SPEC(.variable = ""), NULL);
    assert_key(SPEC(.variable = NULL), NULL);
    assert_key(SPEC(.key = "", .variable = "sk-2"), NULL); /* said to be none */
    assert_refused(SPEC(.key = "sk 1"),
                   "koine.yaml:3:5: providers.lab.api_key: the key holds spaces, control "
                   "characters or characters beyond ASCII");
    assert_refused(SPEC(.key = "sk-1\n"),
                   "koine.yaml:3:5: providers.lab.api_key: the key holds spaces, control "
                   "characters or characters beyond ASCII");
    assert_refused(SPEC(.key = "sk-\xC3\xA4"), "koine.yaml:3:5: providers.lab.api_key: the key holds spaces, "
                                               "control characters or characters beyond ASCII");
    assert_refused(&(const struct koine__credential_spec){.variable = "sk-\x7F"},
                   "the key's variable: the key holds spaces, control characters or characters beyond ASCII");
}

static void reads_a_file(void)
{
    assert_key(SPEC(.file = file_of("sk-1", 4, 0600)), "sk-1");
    assert_key(SPEC(.file = file_of("sk-1\n", 5, 0400)), "sk-1");
    assert_key(SPEC(.file = file_of("sk-1\r\n", 6, 0600), .variable = "sk-2"), "sk-1");
    clean_up();
}

static void assert_file_refused(const char *expected)
{
    char text[512];
    snprintf(text, sizeof(text), "koine.yaml:3:5: providers.lab.api_key_file: ");
    if (*expected != '!')
        snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s", path);
    strncat(text, *expected == '!' ? expected + 1 : expected, sizeof(text) - strlen(text) - 1);
    assert_refused(SPEC(.file = path), text);
}

static void refuses_files(void)
{
    static char large[65536];
    file_of("sk-1", 4, 0644);
    assert_file_refused(" is open to others (mode 0644): chmod 600 it");
    file_of("sk-1", 4, 0620);
    assert_file_refused(" is open to others (mode 0620): chmod 600 it");
    file_of("", 0, 0600);
    assert_file_refused("!there is no key in it");
    file_of("\n", 1, 0600);
    assert_file_refused("!there is no key in it");
    file_of("sk-1\nsk-2\n", 10, 0600);
    assert_file_refused("!the key holds spaces, control characters or characters beyond ASCII");
    file_of("sk\0001", 4, 0600);
    assert_file_refused("!the key holds spaces, control characters or characters beyond ASCII");
    memset(large, 'x', sizeof(large));
    file_of(large, sizeof(large), 0600);
    assert_file_refused(" is larger than any key");
    unlink(path);
    assert_file_refused(": No such file or directory");
    CU_ASSERT(mkfifo(path, 0600) == 0);
    assert_file_refused(" is no regular file");
    unlink(path);
    CU_ASSERT(mkdir(path, 0700) == 0);
    assert_file_refused(" is no regular file");
    rmdir(path);
    clean_up();
    snprintf(path, sizeof(path), "/proc/self/mem"); /* opens, but cannot be read from its start */
    assert_file_refused(": Input/output error");
}

static void refuses_another_users_file(void)
{
    if (geteuid() != 0) {
        suite_skip("only root can give a file away");
        return;
    }
    file_of("sk-1", 4, 0600);
    CU_ASSERT(chown(path, 12345, 12345) == 0);
    assert_file_refused(" belongs to another user");
    clean_up();
}

static void runs_a_command(void)
{
    assert_key(SPEC(.command = "echo sk-1"), "sk-1");
    assert_key(SPEC(.command = "printf 'sk-1'"), "sk-1");
    assert_key(SPEC(.command = "printf 'sk-1\\r\\nsecond line\\n'; echo loud >&2", .variable = "sk-2"),
               "sk-1");
    assert_key(SPEC(.command = "cat; printf sk-1"), "sk-1");                /* no standard input */
    assert_key(SPEC(.command = "echo sk-1; exec >&-; kill -0 $$"), "sk-1"); /* closes its output first */
}

static void refuses_commands(void)
{
#define AT "koine.yaml:3:5: providers.lab.api_key_command: "
    assert_refused(SPEC(.command = "echo sk-1; exit 3"), AT "the command failed with exit status 3");
    assert_refused(SPEC(.command = "/nonexistent/helper"), AT "the command failed with exit status 127");
    assert_refused(SPEC(.command = "kill -9 $$"),
                   AT "the command was ended by a signal, or did not end in time");
    assert_refused(SPEC(.command = "true"), AT "there is no key in it");
    assert_refused(SPEC(.command = "echo; echo sk-1"), AT "there is no key in it");
    assert_refused(SPEC(.command = "echo 'sk 1'"),
                   AT "the key holds spaces, control characters or characters beyond ASCII");
    assert_refused(SPEC(.command = "yes sk-1"), AT "the command prints more than any key");
}

/* Neither one that goes on, nor one that closes its output and goes on, nor its children, are waited for. */
static void ends_slow_commands(void)
{
    int64_t start = koine__now(&koine__system_clock);
    assert_refused(SPEC(.command = "sleep 60", .command_time = 20 * KOINE__MS),
                   AT "the command took longer than it may");
    assert_refused(SPEC(.command = "sleep 60 & wait", .command_time = 20 * KOINE__MS),
                   AT "the command took longer than it may");
    /* Long enough for a shell to start on a machine that is busy: it must come to close its output. */
    assert_refused(SPEC(.command = "exec >&-; sleep 60", .command_time = KOINE__SEC),
                   AT "the command was ended by a signal, or did not end in time");
    CU_ASSERT(koine__now(&koine__system_clock) - start < 30 * KOINE__SEC);
}

/* An application that ignores SIGCHLD leaves no exit status behind. */
static void bears_an_ignored_sigchld(void)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN}, before;
    sigaction(SIGCHLD, &ignore, &before);
    assert_key(SPEC(.command = "echo sk-1"), "sk-1");
    sigaction(SIGCHLD, &before, NULL);
}

static int count_descriptors(void)
{
    int lowest = dup(0);
    close(lowest);
    return lowest;
}

static void leaves_no_descriptors(void)
{
    int before = count_descriptors();
    assert_key(SPEC(.command = "echo sk-1"), "sk-1");
    assert_key(SPEC(.file = file_of("sk-1", 4, 0600)), "sk-1");
    assert_refused(SPEC(.command = "exit 1"), AT "the command failed with exit status 1");
    ASSERT_INT(count_descriptors(), before);
    clean_up();
}

static void bears_missing_descriptors(void)
{
    struct rlimit before, low;
    CU_ASSERT_FATAL(getrlimit(RLIMIT_NOFILE, &before) == 0);
    low = before;
    low.rlim_cur = (rlim_t)count_descriptors() + 1; /* a pipe needs two */
    setrlimit(RLIMIT_NOFILE, &low);
    assert_refused(SPEC(.command = "echo sk-1"), AT "no pipe: Too many open files");
    setrlimit(RLIMIT_NOFILE, &before);
}

static void survives_failing_allocations(void)
{
    const struct koine__credential_spec specs[] = {
        {.key = "sk-1"}, {.file = file_of("sk-1", 4, 0600)}, {.command = "echo sk-1"}};
    for (size_t i = 0; i < 3; i++)
        for (long n = 1;; n++) {
            struct koine__secret *secret = NULL;
            koine_error *error = NULL;
            failalloc_begin(n);
            int rc = koine__credential_load(&specs[i], &secret, &error);
            koine_error_free(error);
            koine__secret_unref(secret);
            if (!failalloc_end())
                break;
            ASSERT_INT(rc, KOINE_EMEMORY);
            CU_ASSERT(error != NULL && secret == NULL);
        }
    clean_up();
}

SUITE_MAIN("credential", {"takes_what_is_given", takes_what_is_given}, {"reads_a_file", reads_a_file},
           {"refuses_files", refuses_files}, {"refuses_another_users_file", refuses_another_users_file},
           {"runs_a_command", runs_a_command}, {"refuses_commands", refuses_commands},
           {"ends_slow_commands", ends_slow_commands}, {"bears_an_ignored_sigchld", bears_an_ignored_sigchld},
           {"leaves_no_descriptors", leaves_no_descriptors},
           {"bears_missing_descriptors", bears_missing_descriptors},
           {"survives_failing_allocations", survives_failing_allocations})
