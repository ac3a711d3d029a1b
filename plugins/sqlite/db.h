/* db: one connection to an SQLite file, and the only file that knows sqlite3.h. One thread at a time.
 *
 * Failures stick to the connection until db_clear: what was asked after the first one does nothing and says
 * the same, so that a caller may ask once at the end. Each is one of KOINE_STORE_* below 0 and one line.
 */
#ifndef KOINE_SQLITE_DB_H
#define KOINE_SQLITE_DB_H

#include "plugins/sqlite/statement.h"

#include <koine/store.h>
#include <stdbool.h>

#define DB_WHY 512

struct db;
struct db_row; /* a prepared statement, with what was bound and what it found */

/* An existing file, which was found to be ours; waits for busy_ms where it is locked. NULL: no memory. Even
 * one that failed (db_status) must be closed. */
struct db *db_open(const koine_store_host *host, const char *path, int32_t busy_ms);
void db_close(struct db *db); /* NULL is fine */

int32_t db_status(const struct db *db); /* KOINE_STORE_OK, or why it failed */
const char *db_why(const struct db *db);
void db_clear(struct db *db);
int32_t db_fail(struct db *db, int32_t status, const char *reason); /* keeps the first */

int32_t db_run(struct db *db, const char *sql); /* once; any number of statements */
/* The first column of the first row; `otherwise` if there is none, or it failed. */
int64_t db_ask(struct db *db, const char *sql, int64_t otherwise);
void db_roll_back(struct db *db); /* also after a failure; nothing where no transaction is open */

struct db_row *db_take(struct db *db, enum statement which); /* reset, without bindings; NULL: it failed */
/* Bind the next parameter. Bytes are borrowed until the row is taken again. */
void db_int(struct db_row *row, int64_t value);
void db_text(struct db_row *row, koine_str text);
void db_bytes(struct db_row *row, const void *bytes, size_t len);
void db_null(struct db_row *row);
bool db_next(struct db_row *row);  /* true: a row is there; false: no more, or it failed */
int32_t db_do(struct db_row *row); /* to its end; the connection's status */
void db_end(struct db_row *row);   /* leaves rows unread; NULL is fine */
/* What the row holds, columns from 0; borrowed until the next step. */
int64_t db_get_int(struct db_row *row, int column);
bool db_is_null(struct db_row *row, int column);
koine_str db_get_text(struct db_row *row, int column);
int64_t db_last_id(struct db *db);
int64_t db_changes(struct db *db);

#endif
