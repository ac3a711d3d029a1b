/* db: see db.h. */
#include "plugins/sqlite/db.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

struct db_row {
    struct db *db;
    sqlite3_stmt *stmt;
    int bound;
};

struct db {
    const koine_store_host *host;
    sqlite3 *handle;
    int32_t busy_ms;
    int64_t waiting_since; /* ns */
    uint32_t random;
    int32_t status;
    char why[DB_WHY];
    const char *path;
    struct db_row rows[STATEMENT_COUNT];
    char path_bytes[];
};

static const char *const texts[STATEMENT_COUNT] = {
#define STATEMENT_TEXT(name, text) text,
    STATEMENTS(STATEMENT_TEXT)
#undef STATEMENT_TEXT
};

/* ---- Failures ---------------------------------------------------------------------------------------- */

static const struct {
    int code;
    int32_t status;
    const char *words;
} meanings[] = {
    {SQLITE_FULL, KOINE_STORE_NO_SPACE, "the disk is full"},
    {SQLITE_READONLY, KOINE_STORE_READ_ONLY, "cannot be written: it, its folder or its disk is read-only"},
    {SQLITE_CORRUPT, KOINE_STORE_DAMAGED, "is damaged"},
    {SQLITE_NOTADB, KOINE_STORE_DAMAGED, "is no database"},
    {SQLITE_BUSY, KOINE_STORE_BUSY, "is locked by another process for longer than"},
    {SQLITE_LOCKED, KOINE_STORE_BUSY, "is locked by another process for longer than"},
    {SQLITE_PROTOCOL, KOINE_STORE_BUSY, "is locked by another process for longer than"},
    {SQLITE_NOMEM, KOINE_STORE_NO_MEMORY, "no memory"},
    {SQLITE_PERM, KOINE_STORE_DENIED, "permission denied"},
    {SQLITE_AUTH, KOINE_STORE_DENIED, "permission denied"},
    {SQLITE_CANTOPEN, KOINE_STORE_DENIED, "cannot be opened, or a file beside it cannot be made"},
    {SQLITE_TOOBIG, KOINE_STORE_INVALID, "a value is too large"},
    {SQLITE_CONSTRAINT, KOINE_STORE_DAMAGED, "holds what contradicts itself"},
    {SQLITE_MISMATCH, KOINE_STORE_DAMAGED, "holds what contradicts itself"},
    {SQLITE_ERROR, KOINE_STORE_DAMAGED, "its tables are not those of koine"},
};

int32_t db_fail(struct db *db, int32_t status, const char *reason)
{
    if (db->status < 0)
        return db->status;
    db->status = status;
    snprintf(db->why, sizeof(db->why), "%s: %s", db->path, reason);
    return status;
}

/* A disk that is full shows in many codes; errno tells it apart. */
static int meaning_of(struct db *db, int code)
{
    int error = sqlite3_system_errno(db->handle);
    if ((code & 0xFF) != SQLITE_IOERR && (code & 0xFF) != SQLITE_CANTOPEN)
        return code & 0xFF;
    if (code == SQLITE_IOERR_NOMEM)
        return SQLITE_NOMEM;
    if (error == ENOSPC || error == EDQUOT)
        return SQLITE_FULL;
    return error == EROFS ? SQLITE_READONLY : code & 0xFF;
}

static int32_t failed(struct db *db, int code)
{
    char reason[DB_WHY - 64];
    int meaning = meaning_of(db, code);
    for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++) {
        if (meanings[i].code != meaning)
            continue;
        if (meanings[i].status == KOINE_STORE_BUSY)
            snprintf(reason, sizeof(reason), "%s %d ms", meanings[i].words, (int)db->busy_ms);
        else if (meaning == SQLITE_ERROR)
            snprintf(reason, sizeof(reason), "%s: %s", meanings[i].words, sqlite3_errmsg(db->handle));
        else
            snprintf(reason, sizeof(reason), "%s", meanings[i].words);
        return db_fail(db, meanings[i].status, reason);
    }
    snprintf(reason, sizeof(reason), "cannot be read or written: %s", sqlite3_errstr(code));
    return db_fail(db, KOINE_STORE_DOWN, reason);
}

int32_t db_status(const struct db *db)
{
    return db->status;
}

const char *db_why(const struct db *db)
{
    return db->why;
}

void db_clear(struct db *db)
{
    db->status = KOINE_STORE_OK;
    db->why[0] = '\0';
}

/* ---- The connection ---------------------------------------------------------------------------------- */

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

/* SQLite's own handler sleeps for up to 100 ms, so whoever sleeps would starve beside one who writes without
 * a pause. Short and uneven naps give all of them the same chance. */
static int wait_for_lock(void *arg, int tries)
{
    struct db *db = arg;
    int64_t now = now_ns();
    if (tries == 0)
        db->waiting_since = now;
    if (now - db->waiting_since >= db->busy_ms * INT64_C(1000000))
        return 0;
    db->random = db->random * 1664525U + 1013904223U;
    struct timespec nap = {0, 50000 + (long)(db->random >> 8) % 250000};
    nanosleep(&nap, NULL);
    return 1;
}

struct db *db_open(const koine_store_host *host, const char *path, int32_t busy_ms)
{
    size_t len = strlen(path) + 1;
    struct db *db = host->alloc(host, sizeof(*db) + len);
    if (!db)
        return NULL;
    db->host = host;
    db->busy_ms = busy_ms;
    db->random = (uint32_t)now_ns();
    memcpy(db->path_bytes, path, len);
    db->path = db->path_bytes;
    int code = sqlite3_open_v2(
        path, &db->handle,
        SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_PRIVATECACHE, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_busy_handler(db->handle, wait_for_lock, db);
    if (code != SQLITE_OK)
        failed(db, db->handle ? sqlite3_extended_errcode(db->handle) : code);
    else
        sqlite3_extended_result_codes(db->handle, 1);
    return db;
}

void db_close(struct db *db)
{
    if (!db)
        return;
    for (size_t i = 0; i < STATEMENT_COUNT; i++)
        sqlite3_finalize(db->rows[i].stmt);
    sqlite3_close(db->handle);
    db->host->free(db->host, db);
}

int32_t db_run(struct db *db, const char *sql)
{
    if (db->status < 0)
        return db->status;
    int code = sqlite3_exec(db->handle, sql, NULL, NULL, NULL);
    return code == SQLITE_OK ? KOINE_STORE_OK : failed(db, code);
}

int64_t db_ask(struct db *db, const char *sql, int64_t otherwise)
{
    sqlite3_stmt *stmt = NULL;
    int64_t answer = otherwise;
    if (db->status < 0)
        return otherwise;
    int code = sqlite3_prepare_v2(db->handle, sql, -1, &stmt, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_step(stmt);
    if (code == SQLITE_ROW)
        answer = sqlite3_column_int64(stmt, 0);
    else if (code != SQLITE_DONE)
        failed(db, code);
    sqlite3_finalize(stmt);
    return answer;
}

void db_roll_back(struct db *db)
{
    for (size_t i = 0; i < STATEMENT_COUNT; i++)
        sqlite3_reset(db->rows[i].stmt);
    if (!sqlite3_get_autocommit(db->handle))
        sqlite3_exec(db->handle, "ROLLBACK", NULL, NULL, NULL);
}

/* ---- Statements -------------------------------------------------------------------------------------- */

struct db_row *db_take(struct db *db, enum statement which)
{
    struct db_row *row = &db->rows[which];
    if (db->status < 0)
        return NULL;
    row->db = db;
    row->bound = 0;
    if (row->stmt) {
        sqlite3_reset(row->stmt);
        return row;
    }
    int code = sqlite3_prepare_v3(db->handle, texts[which], -1, SQLITE_PREPARE_PERSISTENT, &row->stmt, NULL);
    if (code == SQLITE_OK)
        return row;
    failed(db, code);
    return NULL;
}

static void bound(struct db_row *row, int code)
{
    if (code != SQLITE_OK)
        failed(row->db, code);
}

void db_int(struct db_row *row, int64_t value)
{
    if (row)
        bound(row, sqlite3_bind_int64(row->stmt, ++row->bound, value));
}

void db_text(struct db_row *row, koine_str text)
{
    if (row)
        bound(row, sqlite3_bind_text64(row->stmt, ++row->bound, text.len ? text.ptr : "", text.len,
                                       SQLITE_STATIC, SQLITE_UTF8));
}

void db_bytes(struct db_row *row, const void *bytes, size_t len)
{
    if (row)
        bound(row, sqlite3_bind_blob64(row->stmt, ++row->bound, len ? bytes : "", len, SQLITE_STATIC));
}

void db_null(struct db_row *row)
{
    if (row)
        bound(row, sqlite3_bind_null(row->stmt, ++row->bound));
}

bool db_next(struct db_row *row)
{
    if (!row || row->db->status < 0)
        return false;
    int code = sqlite3_step(row->stmt);
    if (code == SQLITE_ROW)
        return true;
    sqlite3_reset(row->stmt);
    if (code != SQLITE_DONE)
        failed(row->db, code);
    return false;
}

int32_t db_do(struct db_row *row)
{
    if (!row)
        return KOINE_STORE_DOWN; /* the connection says why */
    while (db_next(row))
        ;
    return row->db->status;
}

void db_end(struct db_row *row)
{
    if (row)
        sqlite3_reset(row->stmt);
}

int64_t db_get_int(struct db_row *row, int column)
{
    return sqlite3_column_int64(row->stmt, column);
}

bool db_is_null(struct db_row *row, int column)
{
    return sqlite3_column_type(row->stmt, column) == SQLITE_NULL;
}

koine_str db_get_text(struct db_row *row, int column)
{
    const void *bytes = sqlite3_column_blob(row->stmt, column);
    return (koine_str){bytes, bytes ? (size_t)sqlite3_column_bytes(row->stmt, column) : 0};
}

int64_t db_last_id(struct db *db)
{
    return sqlite3_last_insert_rowid(db->handle);
}

int64_t db_changes(struct db *db)
{
    return sqlite3_changes64(db->handle);
}
