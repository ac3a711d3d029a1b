#include "core/hub/env.h"

#include "tests/unit/failalloc.h"
#include "tests/unit/scratch.h"
#include "tests/unit/suite.h"
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct scratch scratch;

/* Reads the text as the file "f"; NULL: it is fine, else the message (good until the next call). */
static const char *read_text(struct koine__env *env, const char *text, size_t len)
{
    static char message[512];
    koine_error *error = NULL;
    int rc = koine__env_add_text(env, "f", text, len, &error);
    if (rc == KOINE_OK)
        return NULL;
    ASSERT_INT(rc, KOINE_ECONFIG);
    ASSERT_INT(koine_error_number(error), rc);
    snprintf(message, sizeof(message), "%s", koine_error_message(error));
    koine_error_free(error);
    return message;
}

static void expect(const char *text, const char *name, const char *value)
{
    struct koine__env *env = koine__env_new();
    ASSERT_STR(read_text(env, text, strlen(text)), NULL);
    ASSERT_STR(koine__env_get(env, name), value);
    koine__env_free(env);
}

static void expect_refusal(const char *text, const char *message)
{
    struct koine__env *env = koine__env_new();
    ASSERT_STR(read_text(env, text, strlen(text)), message);
    koine__env_free(env);
}

static void process(void)
{
    static const char *const variables[] = {"A=1", "EMPTY=", "B=x=y", "A=2", "=nameless", "noequals", NULL};
    struct koine__env *env = koine__env_new();
    ASSERT_INT(koine__env_add_process(env, variables), KOINE_OK);
    ASSERT_INT(koine__env_add_process(env, NULL), KOINE_OK);
    ASSERT_STR(koine__env_get(env, "A"), "1");
    ASSERT_STR(koine__env_get(env, "EMPTY"), "");
    ASSERT_STR(koine__env_get(env, "B"), "x=y");
    ASSERT_STR(koine__env_get(env, "noequals"), NULL);
    ASSERT_STR(koine__env_get(env, ""), NULL);
    ASSERT_STR(koine__env_get(env, NULL), NULL);
    ASSERT_STR(koine__env_get(NULL, "A"), NULL);
    koine__env_free(env);
    koine__env_free(NULL);
}

static void precedence(void)
{
    static const char *const variables[] = {"A=process", NULL};
    static const char *const late[] = {"B=late", NULL};
    struct koine__env *env = koine__env_new();
    ASSERT_INT(koine__env_add_process(env, variables), KOINE_OK);
    ASSERT_STR(read_text(env, "A=file\nB=file\n", 14), NULL);
    ASSERT_STR(read_text(env, "B=second\nC=second", 17), NULL);
    ASSERT_STR(koine__env_get(env, "A"), "process");
    ASSERT_STR(koine__env_get(env, "B"), "file");
    ASSERT_STR(koine__env_get(env, "C"), "second");
    ASSERT_STR(koine__env_origin(env, "A"), NULL);
    ASSERT_STR(koine__env_origin(env, "B"), "f");
    ASSERT_STR(koine__env_origin(env, "D"), NULL);
    ASSERT_STR(koine__env_file(env, 0), "f");
    ASSERT_STR(koine__env_file(env, 1), NULL); /* once, though it was read twice */
    ASSERT_STR(koine__env_file(NULL, 0), NULL);
    ASSERT_INT(koine__env_add_process(env, late), KOINE_OK); /* the process wins, even if it comes late */
    ASSERT_STR(koine__env_get(env, "B"), "late");
    ASSERT_STR(koine__env_origin(env, "B"), NULL);
    koine__env_free(env);
}

static void lines(void)
{
    expect("A=b", "A", "b");
    expect("A=b\n", "A", "b");
    expect("A=b\r\nB=c\r\n", "A", "b");
    expect("\n\n  # a comment\n\tA=b", "A", "b");
    expect("export A=b", "A", "b");
    expect("export\t A=b", "A", "b");
    expect("export=b", "export", "b");
    expect("A = b", "A", "b");
    expect("_a9=b", "_a9", "b");
    expect("\xEF\xBB\xBF"
           "A=b",
           "A", "b");
    expect("A=", "A", "");
    expect("A=\nB=c", "A", "");
    expect("A=\xC3\xA9", "A", "\xC3\xA9");
    expect("", "A", NULL);
    expect("# A=b", "A", NULL);
}

static void values(void)
{
    expect("A=b c  ", "A", "b c");
    expect("A=b # comment", "A", "b");
    expect("A=b\t# comment", "A", "b");
    expect("A=b#c", "A", "b#c");
    expect("A=#c", "A", "");
    expect("A=b\\nc", "A", "b\\nc");
    expect("A=$B ${C}", "A", "$B ${C}");
    expect("A='b # \"c\\n'", "A", "b # \"c\\n");
    expect("A='' # comment", "A", "");
    expect("A=\"b # 'c\"", "A", "b # 'c");
    expect("A=\"b\\nc\\\"d\\\\\" # comment", "A", "b\nc\"d\\");
    expect("A=b'c", "A", "b'c");
    expect("A=x=y", "A", "x=y");
}

static void refusals(void)
{
    expect_refusal("A", "f:1:2: expected NAME=value; a name has letters, digits and _");
    expect_refusal("\n  =b", "f:2:3: expected NAME=value; a name has letters, digits and _");
    expect_refusal("9A=b", "f:1:1: expected NAME=value; a name has letters, digits and _");
    expect_refusal("A-B=c", "f:1:2: expected NAME=value; a name has letters, digits and _");
    expect_refusal("export ", "f:1:8: expected NAME=value; a name has letters, digits and _");
    expect_refusal("A B=c", "f:1:3: expected NAME=value; a name has letters, digits and _");
    expect_refusal("A='b", "f:1:3: the quote is not closed on this line");
    expect_refusal("A=\"b", "f:1:3: the quote is not closed on this line");
    expect_refusal("A=\"b\\\"", "f:1:3: the quote is not closed on this line");
    expect_refusal("A='", "f:1:3: the quote is not closed on this line");
    expect_refusal("A=\"\\t\"", "f:1:4: unknown escape; there are \\n, \\\" and \\\\");
    expect_refusal("A=\"\\", "f:1:4: unknown escape; there are \\n, \\\" and \\\\");
    expect_refusal("A='b'c", "f:1:6: something follows the closing quote");
    expect_refusal("A=\"b\" c", "f:1:7: something follows the closing quote");
    expect_refusal("A=1\nB=2\n A=3", "f:3:2: A is set twice; first on line 1");
    expect_refusal("A=\xFF", "f:1:3: is not UTF-8 (byte 0xff)");
    expect_refusal("A=1\nKOINE__providers__x__base_url=http://h",
                   "f:2:1: settings (KOINE__...) are not read from such a file: put them into koine.yaml or "
                   "the environment");
    expect_refusal("KOINE_ENV=production",
                   "f:1:1: KOINE_CONFIG and KOINE_ENV say which files are read: set them in the environment");
    expect_refusal("export KOINE_CONFIG=x",
                   "f:1:8: KOINE_CONFIG and KOINE_ENV say which files are read: set them in the environment");
    expect("KOINE_TEAM_KEY=b", "KOINE_TEAM_KEY", "b");
    struct koine__env *env = koine__env_new();
    ASSERT_STR(read_text(env, "A=b\0c", 5), "f:1:4: holds a NUL byte");
    koine__env_free(env);
}

/* Whatever is wrong with a line, what stands on it is never shown. */
static void no_values_in_messages(void)
{
    static const char *const texts[] = {"MARKED",          "MARKED==",        "A='MARKED",     "A=\"MARKED",
                                        "A='MARKED' B",    "A=\"MARKED\\q\"", "A=1\nA=MARKED", "A=MARKED\xFF",
                                        "KOINE__x=MARKED", "A B=MARKED"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct koine__env *env = koine__env_new();
        const char *message = read_text(env, texts[i], strlen(texts[i]));
        CU_ASSERT_TRUE(!message || !strstr(message, "MARKED"));
        koine__env_free(env);
    }
}

/* Every beginning of a file is read or refused, and nothing else happens. */
static void truncated(void)
{
    static const char text[] = "\xEF\xBB\xBF# c\nexport A='b' # d\r\nB=\"x\\ny\\\"\"\nC=d e \xC3\xA9 # f\n";
    for (size_t len = 0; len < sizeof(text); len++) {
        struct koine__env *env = koine__env_new();
        read_text(env, text, len);
        koine__env_free(env);
    }
}

/* The message of reading that file; NULL: it is fine. */
static const char *read_file(const char *name, const char *ret_variable, const char **ret_value)
{
    static char message[PATH_MAX + 256], value[256];
    struct koine__env *env = koine__env_new();
    koine_error *error = NULL;
    int rc = koine__env_add_file(env, scratch_path(&scratch, name), &error);
    const char *found = koine__env_get(env, ret_variable);
    snprintf(value, sizeof(value), "%s", found ? found : "");
    if (ret_value)
        *ret_value = found ? value : NULL;
    koine__env_free(env);
    if (rc == KOINE_OK)
        return NULL;
    ASSERT_INT(rc, KOINE_ECONFIG);
    size_t folder = strlen(scratch.path) + 1;
    snprintf(message, sizeof(message), "%s", koine_error_message(error) + folder);
    koine_error_free(error);
    return message;
}

static void files(void)
{
    const char *value;
    static char large[(1 << 20) + 2];
    scratch_make(&scratch);
    scratch_write(&scratch, "env", "A=b\n", 4);
    ASSERT_STR(read_file("env", "A", &value), NULL);
    ASSERT_STR(value, "b");
    ASSERT_STR(read_file("missing", "A", &value), NULL);
    ASSERT_STR(read_file("env/below", "A", &value), NULL); /* no folder, so no file either */
    chmod(scratch_path(&scratch, "env"), 0646);
    ASSERT_STR(read_file("env", "A", &value), "env: everybody may write to it; chmod o-w it");
    ASSERT_STR(value, NULL);
    chmod(scratch_path(&scratch, "env"), 0664);
    ASSERT_STR(read_file("env", "A", NULL), NULL);
    mkdir(scratch_path(&scratch, "folder"), 0700);
    ASSERT_STR(read_file("folder", "A", NULL), "folder: is a folder, not a file");
    ASSERT_INT(mkfifo(scratch_path(&scratch, "pipe"), 0600), 0);
    ASSERT_STR(read_file("pipe", "A", NULL), "pipe: is a pipe, not a file");
    memset(large, '\n', sizeof(large));
    scratch_write(&scratch, "large", large, (1 << 20) + 1);
    ASSERT_STR(read_file("large", "A", NULL), "large: is larger than 1048576 bytes");
    scratch_write(&scratch, "large", large, 1 << 20);
    ASSERT_STR(read_file("large", "A", NULL), NULL);
    scratch_write(&scratch, "bad", "A", 1);
    ASSERT_STR(read_file("bad", "A", NULL), "bad:1:2: expected NAME=value; a name has letters, digits and _");
    CU_ASSERT_EQUAL(koine__env_add_file(NULL, scratch_path(&scratch, "folder"), NULL), KOINE_ECONFIG);
    scratch_remove(&scratch);
}

static void foreign_files(void)
{
    struct koine__env *env = koine__env_new();
    koine_error *error = NULL;
    ASSERT_INT(koine__env_add_file(env, "/dev/null", &error), KOINE_ECONFIG);
    ASSERT_STR(koine_error_message(error), "/dev/null: is a device or socket, not a file");
    koine_error_free(error);
    koine__env_free(env);
    if (geteuid() != 0) {
        suite_skip("only root can give a file away, or be kept from nothing");
        return;
    }
    scratch_make(&scratch);
    scratch_write(&scratch, "env", "A=b\n", 4);
    ASSERT_INT(chown(scratch_path(&scratch, "env"), 65534, 65534), 0);
    ASSERT_STR(read_file("env", "A", NULL), "env: belongs to user 65534; it must belong to you or to root");
    scratch_remove(&scratch);
}

static void unreadable(void)
{
    if (geteuid() == 0) {
        suite_skip("root may read everything");
        return;
    }
    scratch_make(&scratch);
    scratch_write(&scratch, "env", "A=b\n", 4);
    chmod(scratch_path(&scratch, "env"), 0);
    ASSERT_STR(read_file("env", "A", NULL), "env: cannot be opened: Permission denied");
    scratch_remove(&scratch);
}

static const char *stage(const char *const *variables, struct koine__store *store)
{
    static char message[512];
    struct koine__env *env = koine__env_new();
    koine_error *error = NULL;
    ASSERT_INT(koine__env_add_process(env, variables), KOINE_OK);
    int rc = koine__env_stage(env, store, &error);
    snprintf(message, sizeof(message), "%s", koine_error_message(error));
    koine_error_free(error);
    koine__env_free(env);
    return rc ? message : NULL;
}

static void staging(void)
{
    static const char *const variables[] = {
        "PATH=/bin",
        "KOINE_ENV=x",
        "KOINE__providers__together__retry__max_retries=3",
        "KOINE__providers__my_lab__plugin=openai",
        "KOINE__routes__default__targets=[together/a, {target: openai/b}]",
        NULL};
    struct koine__store *store = koine__store_new();
    ASSERT_STR(stage(variables, store), NULL);
    ASSERT_STR(koine__store_get(store, "providers.together.retry.max_retries"), "3");
    ASSERT_STR(koine__store_get(store, "providers.my_lab.plugin"), "openai");
    ASSERT_STR(koine__store_get(store, "routes.default.targets.0.target"), "together/a");
    ASSERT_STR(koine__store_get(store, "routes.default.targets.1.target"), "openai/b");
    ASSERT_STR(koine__store_origin(store, "providers.my_lab.plugin").source,
               "KOINE__providers__my_lab__plugin");
    ASSERT_INT(koine__store_check(store, NULL), KOINE_OK);
    ASSERT_INT(koine__env_stage(NULL, store, NULL), KOINE_OK);
    koine__store_free(store);
}

static void expect_stage_refusal(const char *variable, const char *message)
{
    const char *const variables[] = {variable, NULL};
    struct koine__store *store = koine__store_new();
    ASSERT_STR(stage(variables, store), message);
    koine__store_free(store);
}

static void staging_refusals(void)
{
    expect_stage_refusal(
        "KOINE__=1",
        "environment: KOINE__: expected KOINE__a__b, as in KOINE__providers__together__base_url");
    expect_stage_refusal(
        "KOINE__a____b=1",
        "environment: KOINE__a____b: expected KOINE__a__b, as in KOINE__providers__together__base_url");
    expect_stage_refusal(
        "KOINE__a__=1",
        "environment: KOINE__a__: expected KOINE__a__b, as in KOINE__providers__together__base_url");
    expect_stage_refusal("KOINE__default_route=\xFF",
                         "environment: KOINE__default_route: the value is not UTF-8");
    expect_stage_refusal("KOINE__routes__x__targets={a: b}",
                         "KOINE__routes__x__targets: routes.x.targets: expected a list, as in [a, b]");
}

/* An unknown path is told by the store's own check, with the variable's name. */
static void unknown_setting(void)
{
    static const char *const variables[] = {"KOINE__providers__x__retry__max_retry=1", NULL};
    struct koine__store *store = koine__store_new();
    koine_error *error = NULL;
    ASSERT_STR(stage(variables, store), NULL);
    ASSERT_INT(koine__store_check(store, &error), KOINE_ECONFIG);
    ASSERT_STR(
        koine_error_message(error),
        "KOINE__providers__x__retry__max_retry: providers.x.retry.max_retry: unknown key; did you mean "
        "providers.x.retry.max_retries?");
    koine_error_free(error);
    koine__store_free(store);
}

static int use_all(void)
{
    static const char *const variables[] = {"A=1", "KOINE__providers__x__price=free",
                                            "KOINE__plugin_path=[a, b]", NULL};
    struct koine__env *env = koine__env_new();
    struct koine__store *store = koine__store_new();
    koine_error *error = NULL;
    int rc = env && store ? koine__env_add_file(env, scratch_path(&scratch, "env"), &error) : KOINE_EMEMORY;
    if (!rc)
        rc = koine__env_add_process(env, variables);
    if (!rc)
        rc = koine__env_stage(env, store, &error);
    koine_error_free(error);
    koine__env_free(env);
    koine__store_free(store);
    return rc;
}

static void failing_allocations(void)
{
    scratch_make(&scratch);
    scratch_write(&scratch, "env", "A=b\nB='c'\nD=\"x\\ny\"\n", 19);
    for (long n = 1;; n++) {
        failalloc_begin(n);
        int rc = use_all();
        if (!failalloc_end()) {
            ASSERT_INT(rc, KOINE_OK);
            break;
        }
        ASSERT_INT(rc, KOINE_EMEMORY);
    }
    scratch_remove(&scratch);
}

SUITE_MAIN("env", {"process", process}, {"precedence", precedence}, {"lines", lines}, {"values", values},
           {"refusals", refusals}, {"no values in messages", no_values_in_messages}, {"truncated", truncated},
           {"files", files}, {"foreign files", foreign_files}, {"unreadable", unreadable},
           {"staging", staging}, {"staging refusals", staging_refusals}, {"unknown setting", unknown_setting},
           {"failing allocations", failing_allocations})
