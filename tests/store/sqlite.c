/* sqlite: the store of SQLite where something is wrong: with its file, its folder, its disk, its lock or the
 * clock. Each time there is one line that says what, and what is kept stays as it was. And older versions of
 * its schema become the present one.
 */
#include "tests/store/harness.h"
#include "tests/unit/suite.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

static const int64_t hour = 3600000;
static struct harness harness;
static char file[PATH_MAX + 16];

static void set_up(void)
{
    harness_prepare(&harness);
    snprintf(file, sizeof(file), "%s/koine.db", harness.where);
}

static void open_it(void)
{
    ASSERT_INT(harness_open(&harness, false, 0), KOINE_STORE_OK);
    if (!harness.store) {
        printf("Bail out! %s\n", harness.why);
        exit(EXIT_FAILURE);
    }
}

/* Opening is refused with this status, and one line that has these words. */
static void assert_refused(int32_t status, const char *words)
{
    ASSERT_INT(harness_open(&harness, false, 100), status);
    CU_ASSERT_PTR_NULL(harness.store);
    CU_ASSERT(strchr(harness.why, '\n') == NULL);
    if (!strstr(harness.why, words))
        ASSERT_STR(harness.why, words);
    ASSERT_INT(atomic_load(&harness.held), 0);
}

static void assert_failed(const koine_store_done *done, int32_t status, const char *words)
{
    char line[600];
    snprintf(line, sizeof(line), "%.*s", (int)done->message.len, done->message.ptr);
    ASSERT_INT(done->status, status);
    if (!strstr(line, words))
        ASSERT_STR(line, words);
    CU_ASSERT(strchr(line, '\n') == NULL);
}

/* Runs SQL on the file, past the store. */
static void sql(const char *text)
{
    sqlite3 *db;
    ASSERT_INT(sqlite3_open(file, &db), SQLITE_OK);
    ASSERT_INT(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

static void ask(const char *text, char *ret, size_t size)
{
    sqlite3 *db;
    sqlite3_stmt *stmt;
    ret[0] = '\0';
    ASSERT_INT(sqlite3_open(file, &db), SQLITE_OK);
    ASSERT_INT(sqlite3_prepare_v2(db, text, -1, &stmt, NULL), SQLITE_OK);
    if (sqlite3_step(stmt) == SQLITE_ROW)
        snprintf(ret, size, "%s", (const char *)sqlite3_column_text(stmt, 0));
    sqlite3_finalize(stmt);
    sqlite3_close(db);
}

static const koine_store_done *append(int count)
{
    static const koine_store_row *rows[4096];
    koine_store_row row = row_of("acme", "together/large", 3);
    koine_store_append body = {(uint32_t)sizeof(body), (uint32_t)count, rows};
    for (int i = 0; i < count; i++)
        rows[i] = &row;
    return harness_do(&harness, KOINE_STORE_APPEND, &body);
}

/* ---- The file and its folder ------------------------------------------------------------------------- */

static void nobody_else_may_read_it(void)
{
    struct stat state;
    mode_t before = umask(0);
    set_up();
    open_it();
    append(1);
    umask(before);
    ASSERT_INT(stat(harness.where, &state), 0);
    ASSERT_INT(state.st_mode & 07777, 0700);
    ASSERT_INT(stat(file, &state), 0);
    ASSERT_INT(state.st_mode & 07777, 0600);
    strcat(file, "-wal");
    ASSERT_INT(stat(file, &state), 0);
    ASSERT_INT(state.st_mode & 07777, 0600);
    harness_end(&harness);
}

static void a_file_that_others_may_touch_is_refused(void)
{
    set_up();
    open_it();
    harness_close(&harness);
    chmod(file, 0640);
    assert_refused(KOINE_STORE_DENIED, "koine.db: others may read or write it");
    chmod(file, 0400);
    assert_refused(KOINE_STORE_READ_ONLY, "koine.db: is read-only");
    chmod(file, 0600);
    chmod(harness.where, 0770);
    assert_refused(KOINE_STORE_DENIED, "others may write to this folder");
    chmod(harness.where, 0700);
    open_it();
    harness_end(&harness);
}

static void what_is_no_file_is_refused(void)
{
    char other[PATH_MAX + 32];
    set_up();
    mkdir(harness.where, 0700);
    snprintf(other, sizeof(other), "%s/other", harness.where);
    close(open(other, O_CREAT | O_WRONLY, 0600));
    ASSERT_INT(symlink(other, file), 0);
    assert_refused(KOINE_STORE_DENIED, "koine.db: is a symbolic link");
    unlink(file);
    mkfifo(file, 0600);
    assert_refused(KOINE_STORE_DAMAGED, "koine.db: is no file");
    unlink(file);
    mkdir(file, 0700);
    assert_refused(KOINE_STORE_DAMAGED, "koine.db: is no file");
    rmdir(file);
    snprintf(harness.where + strlen(harness.where), 16, "/other"); /* a file where the folder should be */
    assert_refused(KOINE_STORE_DENIED, "/other");
    harness.where[0] = '\0';
    assert_refused(KOINE_STORE_INVALID, "has no name");
    harness_end(&harness);
}

static void fill(const char *bytes, off_t from, size_t len)
{
    int fd = open(file, O_WRONLY | O_CREAT, 0600);
    size_t unit = strlen(bytes);
    for (size_t i = 0; i < len; i += unit)
        CU_ASSERT(pwrite(fd, bytes, unit, from + (off_t)i) == (ssize_t)unit);
    close(fd);
}

static void what_is_no_store_is_refused(void)
{
    set_up();
    mkdir(harness.where, 0700);
    fill("this is no database. ", 0, 8192);
    assert_refused(KOINE_STORE_DAMAGED, "koine.db: is no database");
    unlink(file);
    sql("CREATE TABLE theirs(a)");
    chmod(file, 0600);
    assert_refused(KOINE_STORE_DAMAGED, "koine.db: is a database of another program");
    char answer[64];
    ask("SELECT count(*) FROM sqlite_schema", answer, sizeof(answer));
    ASSERT_STR(answer, "1"); /* untouched */
    harness_end(&harness);
}

static void a_damaged_file_is_told(void)
{
    struct stat state;
    set_up();
    open_it();
    append(4000);
    harness_close(&harness);
    ASSERT_INT(stat(file, &state), 0);
    fill("damage! ", 4096, (size_t)state.st_size - 4096);
    int32_t status = harness_open(&harness, false, 0);
    if (status == KOINE_STORE_OK) {
        assert_failed(append(1), KOINE_STORE_DAMAGED, "koine.db: is damaged");
        assert_failed(report(&harness, 0), KOINE_STORE_DAMAGED, "koine.db: is damaged");
    } else {
        ASSERT_INT(status, KOINE_STORE_DAMAGED);
        if (!strstr(harness.why, "koine.db: is damaged"))
            ASSERT_STR(harness.why, "koine.db: is damaged");
    }
    harness_end(&harness);
}

static void a_sum_that_is_damaged_counts_nothing_twice(void)
{
    char answer[64];
    set_up();
    open_it();
    append(5);
    sql("DROP TABLE sums");
    assert_failed(append(2), KOINE_STORE_DAMAGED, "its tables are not those of koine: no such table: sums");
    ask("SELECT count(*) FROM attempts", answer, sizeof(answer));
    ASSERT_STR(answer, "5"); /* nothing half done */
    harness_end(&harness);
}

/* ---- The disk ---------------------------------------------------------------------------------------- */

static bool mount_small(const char *options, unsigned long flags)
{
    mkdir(harness.where, 0700);
    if (mount("tmpfs", harness.where, "tmpfs", flags, options) == 0)
        return true;
    suite_skip(errno == EPERM ? "only root may mount a small disk" : "a small disk cannot be mounted");
    harness_end(&harness);
    return false;
}

static void a_full_disk_is_told(void)
{
    char answer[64], wanted[64];
    long rows = 0;
    set_up();
    if (!mount_small("size=600k,mode=0700", 0))
        return;
    open_it();
    const koine_store_done *done;
    while ((done = append(100))->status == KOINE_STORE_OK && rows < 1000000)
        rows += 100;
    assert_failed(done, KOINE_STORE_NO_SPACE, "koine.db: the disk is full");
    assert_failed(append(100), KOINE_STORE_NO_SPACE, "koine.db: the disk is full");
    const koine_store_sum *sum = report(&harness, 0)->sums[0]; /* what was kept is there, and can be read */
    ASSERT_INT(sum->attempts, rows);
    ASSERT_INT(sum->cost, rows * 3);
    harness_close(&harness);
    ASSERT_INT(mount("tmpfs", harness.where, "tmpfs", MS_REMOUNT, "size=8m,mode=0700"), 0);
    open_it();
    ASSERT_INT(append(100)->status, KOINE_STORE_OK); /* there is room again */
    harness_close(&harness);
    ask("SELECT count(*) FROM attempts", answer, sizeof(answer));
    snprintf(wanted, sizeof(wanted), "%ld", rows + 100);
    ASSERT_STR(answer, wanted);
    ask("PRAGMA integrity_check", answer, sizeof(answer));
    ASSERT_STR(answer, "ok");
    umount(harness.where);
    harness_end(&harness);
}

static void no_room_for_a_new_store_is_told(void)
{
    set_up();
    if (!mount_small("size=8k,mode=0700", 0))
        return;
    assert_refused(KOINE_STORE_NO_SPACE, "koine.db: the disk is full");
    umount(harness.where);
    harness_end(&harness);
}

static void a_read_only_folder_is_told(void)
{
    set_up();
    if (geteuid() != 0) {
        mkdir(harness.where, 0500);
    } else if (!mount_small("size=64k,mode=0700", MS_RDONLY)) {
        return;
    }
    assert_refused(KOINE_STORE_READ_ONLY, "cannot be written");
    umount(harness.where);
    chmod(harness.where, 0700);
    harness_end(&harness);
}

/* ---- The lock ---------------------------------------------------------------------------------------- */

static void locked_by(bool threadless, const char *words)
{
    sqlite3 *other;
    set_up();
    ASSERT_INT(harness_open(&harness, threadless, threadless ? 0 : 60), KOINE_STORE_OK);
    koine_store_scope tenant = scope_of(KOINE_STORE_TENANT, "acme", 100);
    const koine_store_scope *scopes[] = {&tenant};
    ASSERT_INT(sqlite3_open(file, &other), SQLITE_OK);
    ASSERT_INT(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    assert_failed(reserve(&harness, 1, 20, hour, scopes, 1), KOINE_STORE_BUSY, words);
    ASSERT_INT(spent(&harness, &tenant)->views[0]->reserved, 0); /* reading needs no lock */
    ASSERT_INT(sqlite3_exec(other, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
    ASSERT_INT(reserve(&harness, 1, 20, hour, scopes, 1)->status, KOINE_STORE_OK);
    sqlite3_close(other);
    harness_end(&harness);
}

static void locked_for_too_long_is_told(void)
{
    locked_by(false, "is locked by another process for longer than 60 ms");
    locked_by(true, "is locked by another process for longer than 50 ms");
}

/* ---- The clock --------------------------------------------------------------------------------------- */

static void a_clock_that_jumps_changes_no_money(void)
{
    koine_store_recover body = {(uint32_t)sizeof(body), 0};
    set_up();
    open_it();
    koine_store_scope tenant = scope_of(KOINE_STORE_TENANT, "acme", 100);
    const koine_store_scope *scopes[] = {&tenant};
    koine_store_row row = row_of("acme", "together/large", 20);
    reserve(&harness, 1, 20, hour, scopes, 1);
    ASSERT_INT(settle(&harness, 1, 20, &row)->status, KOINE_STORE_OK);
    reserve(&harness, 2, 30, hour, scopes, 1);
    sql("UPDATE counters SET value = 99999 WHERE name = 'generation_day'"); /* it jumped back by centuries */
    row.at = -5;
    row.day = -1;
    ASSERT_INT(settle(&harness, 1, 20, &row)->repeated, 1); /* still known */
    ASSERT_INT(harness_do(&harness, KOINE_STORE_RECOVER, &body)->count, 0);
    ASSERT_INT(settle(&harness, 2, 30, &row)->status, KOINE_STORE_OK);
    ASSERT_INT(spent(&harness, &tenant)->views[0]->spent, 50);
    koine_store_query query = {.size = (uint32_t)sizeof(query), .since = -10, .until = 0};
    ASSERT_INT(harness_do(&harness, KOINE_STORE_REPORT, &query)->sums[0]->cost,
               20); /* by the day that the row says */
    harness_end(&harness);
}

static void leases_end_with_the_machine(void)
{
    koine_store_recover body = {(uint32_t)sizeof(body), 0};
    set_up();
    open_it();
    koine_store_scope tenant = scope_of(KOINE_STORE_TENANT, "acme", 100);
    const koine_store_scope *scopes[] = {&tenant};
    reserve(&harness, 1, 20, hour, scopes, 1);
    reserve(&harness, 2, 30, hour, scopes, 1);
    sql("UPDATE reservations SET boot = 'before' WHERE amount = 20"); /* as if it was started anew */
    ASSERT_INT(harness_do(&harness, KOINE_STORE_RECOVER, &body)->count, 1);
    ASSERT_INT(spent(&harness, &tenant)->views[0]->spent, 20);
    ASSERT_INT(spent(&harness, &tenant)->views[0]->reserved, 30);
    harness_end(&harness);
}

/* What has ended is forgotten after the day that follows, never before. */
static void what_has_ended_is_forgotten_in_time(void)
{
    koine_store_recover body = {(uint32_t)sizeof(body), 0};
    set_up();
    open_it();
    koine_store_scope tenant = scope_of(KOINE_STORE_TENANT, "acme", 100);
    const koine_store_scope *scopes[] = {&tenant};
    reserve(&harness, 1, 20, hour, scopes, 1);
    settle(&harness, 1, 20, NULL);
    for (int day = 0; day < 2; day++) {
        ASSERT_INT(settle(&harness, 1, 20, NULL)->repeated, 1);
        sql("UPDATE counters SET value = 1 WHERE name = 'generation_day'"); /* the next day begins */
        harness_do(&harness, KOINE_STORE_RECOVER, &body);
    }
    ASSERT_INT(settle(&harness, 1, 20, NULL)->status, KOINE_STORE_NOT_FOUND);
    char answer[64];
    ask("SELECT count(*) FROM settled", answer, sizeof(answer));
    ASSERT_STR(answer, "0");
    harness_end(&harness);
}

/* ---- Versions ---------------------------------------------------------------------------------------- */

static void a_newer_schema_is_refused(void)
{
    char answer[64];
    set_up();
    open_it();
    harness_close(&harness);
    sql("UPDATE schema_version SET version = 4");
    assert_refused(KOINE_STORE_NEWER,
                   "koine.db: was made by a later version: its schema is 4, this one knows 3");
    ask("SELECT version FROM schema_version", answer, sizeof(answer));
    ASSERT_STR(answer, "4");
    sql("DELETE FROM schema_version");
    assert_refused(KOINE_STORE_DAMAGED, "koine.db: is damaged: its schema has no version");
    harness_end(&harness);
}

static void load(const char *name)
{
    static char text[1 << 16];
    char path[PATH_MAX];
    const char *source = getenv("KOINE_TEST_SOURCE");
    snprintf(path, sizeof(path), "%s/tests/store/%s", source ? source : ".", name);
    FILE *in = fopen(path, "re");
    size_t len = in ? fread(text, 1, sizeof(text) - 1, in) : 0;
    CU_ASSERT(len > 0);
    text[len] = '\0';
    if (in)
        fclose(in);
    mkdir(harness.where, 0700);
    sql(text);
    chmod(file, 0600);
}

#define ALL_TABLES "SELECT group_concat(sql, ';') FROM (SELECT sql FROM sqlite_schema ORDER BY name)"

static void older_versions_become_this_one(void)
{
    static const char *const older[] = {"schema-1.sql", "schema-2.sql"};
    static char wanted[8192], found[8192];
    char answer[64];
    set_up();
    open_it();
    harness_close(&harness);
    ask(ALL_TABLES, wanted, sizeof(wanted));
    harness_end(&harness);
    for (int version = 1; version <= 2; version++) {
        set_up();
        load(older[version - 1]);
        open_it();
        ASSERT_INT(report(&harness, 0)->sums[0]->cost, 1500);
        ASSERT_INT(report(&harness, 0)->sums[0]->duration[35], 1);
        koine_store_scope tenant = scope_of(KOINE_STORE_TENANT, "acme", 100);
        ASSERT_INT(spent(&harness, &tenant)->views[0]->reserved, version == 2 ? 40 : 0);
        ASSERT_INT(settle(&harness, 1, 30, NULL)->status,
                   version == 2 ? KOINE_STORE_OK : KOINE_STORE_NOT_FOUND);
        ASSERT_INT(put(&harness, "acme", "x", 0)->status, KOINE_STORE_OK);
        harness_close(&harness);
        ask("SELECT version FROM schema_version", answer, sizeof(answer));
        ASSERT_STR(answer, "3");
        ask(ALL_TABLES, found, sizeof(found));
        ASSERT_STR(found, wanted);
        harness_end(&harness);
    }
}

/* A step that fails leaves the version before, whole. */
static void a_step_that_fails_changes_nothing(void)
{
    char answer[64];
    set_up();
    load("schema-1.sql");
    sql("CREATE TABLE settled(in_the_way)"); /* step 2 makes it after two others */
    assert_refused(KOINE_STORE_DAMAGED, "already exists");
    ask("SELECT version || ' ' || (SELECT count(*) FROM sqlite_schema WHERE name = 'budgets') FROM "
        "schema_version",
        answer, sizeof(answer));
    ASSERT_STR(answer, "1 0");
    sql("DROP TABLE settled");
    open_it();
    harness_end(&harness);
}

SUITE_MAIN("store_sqlite", {"nobody else may read it", nobody_else_may_read_it},
           {"a file that others may touch is refused", a_file_that_others_may_touch_is_refused},
           {"what is no file is refused", what_is_no_file_is_refused},
           {"what is no store is refused", what_is_no_store_is_refused},
           {"a damaged file is told", a_damaged_file_is_told},
           {"a damaged table leaves nothing half done", a_sum_that_is_damaged_counts_nothing_twice},
           {"a full disk is told", a_full_disk_is_told},
           {"no room for a new store is told", no_room_for_a_new_store_is_told},
           {"a read-only folder is told", a_read_only_folder_is_told},
           {"locked for too long is told", locked_for_too_long_is_told},
           {"a clock that jumps changes no money", a_clock_that_jumps_changes_no_money},
           {"leases end with the machine", leases_end_with_the_machine},
           {"what has ended is forgotten in time", what_has_ended_is_forgotten_in_time},
           {"a newer schema is refused", a_newer_schema_is_refused},
           {"older versions become this one", older_versions_become_this_one},
           {"a step that fails changes nothing", a_step_that_fails_changes_nothing})
