/* schema: see schema.h. A step that was released is never changed; docs/store.md describes the tables. */
#include "plugins/sqlite/schema.h"

#include <stdio.h>

#define ROW_TABLE                                                                                            \
    "at INTEGER NOT NULL, day INTEGER NOT NULL, attempt INTEGER NOT NULL, fault INTEGER NOT NULL, "          \
    "status INTEGER NOT NULL, billing INTEGER NOT NULL, tenant TEXT NOT NULL, run TEXT NOT NULL, "           \
    "call TEXT NOT NULL, target TEXT NOT NULL, model TEXT NOT NULL, input INTEGER, cache_read INTEGER, "     \
    "cache_write INTEGER, output INTEGER, reasoning INTEGER, audio_input INTEGER, audio_output INTEGER, "    \
    "image_input INTEGER, estimated INTEGER NOT NULL, price INTEGER NOT NULL, cost INTEGER, "                \
    "price_id TEXT NOT NULL, request_id TEXT NOT NULL, first_token_us INTEGER, duration_us INTEGER"

/* The ledger, and what reports read. 1265592686 is SCHEMA_APPLICATION. */
#define STEP_1                                                                                               \
    "PRAGMA application_id = 1265592686;"                                                                    \
    "CREATE TABLE schema_version(version INTEGER NOT NULL);"                                                 \
    "INSERT INTO schema_version VALUES(0);"                                                                  \
    "CREATE TABLE attempts(id INTEGER PRIMARY KEY, " ROW_TABLE ");"                                          \
    "CREATE TABLE sums(id INTEGER PRIMARY KEY, day INTEGER NOT NULL, tenant TEXT NOT NULL, "                 \
    "provider TEXT NOT NULL, model TEXT NOT NULL, attempts INTEGER NOT NULL DEFAULT 0, "                     \
    "failed INTEGER NOT NULL DEFAULT 0, input INTEGER NOT NULL DEFAULT 0, "                                  \
    "cache_read INTEGER NOT NULL DEFAULT 0, cache_write INTEGER NOT NULL DEFAULT 0, "                        \
    "output INTEGER NOT NULL DEFAULT 0, reasoning INTEGER NOT NULL DEFAULT 0, "                              \
    "audio_input INTEGER NOT NULL DEFAULT 0, audio_output INTEGER NOT NULL DEFAULT 0, "                      \
    "image_input INTEGER NOT NULL DEFAULT 0, cost INTEGER NOT NULL DEFAULT 0, "                              \
    "unpriced INTEGER NOT NULL DEFAULT 0, estimated INTEGER NOT NULL DEFAULT 0, "                            \
    "first_token BLOB NOT NULL DEFAULT x'', duration BLOB NOT NULL DEFAULT x'', "                            \
    "UNIQUE(day, tenant, provider, model));"

/* Budgets. */
#define STEP_2                                                                                               \
    "CREATE TABLE budgets(id INTEGER PRIMARY KEY, kind INTEGER NOT NULL, key TEXT NOT NULL, "                \
    "period TEXT NOT NULL, most INTEGER NOT NULL, spent INTEGER NOT NULL DEFAULT 0, "                        \
    "reserved INTEGER NOT NULL DEFAULT 0, overshot INTEGER NOT NULL DEFAULT 0, "                             \
    "UNIQUE(kind, key, period));"                                                                            \
    "CREATE TABLE reservations(id BLOB PRIMARY KEY, owner BLOB NOT NULL, amount INTEGER NOT NULL, "          \
    "boot TEXT NOT NULL, lease INTEGER NOT NULL, budgets BLOB NOT NULL, " ROW_TABLE ") WITHOUT ROWID;"       \
    "CREATE TABLE settled(generation INTEGER NOT NULL, id BLOB NOT NULL, outcome INTEGER NOT NULL, "         \
    "amount INTEGER NOT NULL, row INTEGER NOT NULL, budgets BLOB NOT NULL, "                                 \
    "PRIMARY KEY(generation, id)) WITHOUT ROWID;"                                                            \
    "CREATE TABLE counters(name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;"

/* Tenants and sealed keys. */
#define STEP_3                                                                                               \
    "CREATE TABLE records(space TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL, "                     \
    "version INTEGER NOT NULL, PRIMARY KEY(space, key)) WITHOUT ROWID;"

static const char *const steps[SCHEMA_VERSION] = {STEP_1, STEP_2, STEP_3};

static int32_t step_to(struct db *db, int64_t version)
{
    char number[80];
    snprintf(number, sizeof(number), "UPDATE schema_version SET version = %lld", (long long)version);
    db_run(db, "BEGIN IMMEDIATE");
    db_run(db, steps[version - 1]);
    db_run(db, number);
    db_run(db, "COMMIT");
    if (db_status(db) < 0)
        db_roll_back(db);
    return db_status(db);
}

/* *ret: 0 where the file is empty. */
static int32_t find_version(struct db *db, int64_t *ret)
{
    char reason[120];
    int64_t application = db_ask(db, "PRAGMA application_id", 0);
    int64_t tables = db_ask(db, "SELECT count(*) FROM sqlite_schema", 0);
    *ret = 0;
    if (db_status(db) < 0 || (application == 0 && tables == 0))
        return db_status(db);
    if (application != SCHEMA_APPLICATION)
        return db_fail(db, KOINE_STORE_DAMAGED, "is a database of another program");
    *ret = db_ask(db, "SELECT version FROM schema_version", 0);
    if (db_status(db) == KOINE_STORE_OK && *ret < 1)
        return db_fail(db, KOINE_STORE_DAMAGED, "is damaged: its schema has no version");
    if (*ret <= SCHEMA_VERSION)
        return db_status(db);
    snprintf(reason, sizeof(reason), "was made by a later version: its schema is %lld, this one knows %d",
             (long long)*ret, SCHEMA_VERSION);
    return db_fail(db, KOINE_STORE_NEWER, reason);
}

/* Full: what was committed is on the disk, not only with the system, so it is there after a power cut, too.
 */
#define SETTINGS                                                                                             \
    "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA synchronous = FULL; "                  \
    "PRAGMA temp_store = MEMORY; PRAGMA cache_size = -16384; PRAGMA wal_autocheckpoint = 4000; "             \
    "PRAGMA journal_size_limit = 33554432"

int32_t schema_prepare(struct db *db)
{
    int64_t version;
    db_run(db, SETTINGS);
    if (find_version(db, &version) < 0)
        return db_status(db);
    db_run(db, "PRAGMA journal_mode = WAL");
    if (!db_ask(db, "SELECT journal_mode = 'wal' FROM pragma_journal_mode", 1))
        db_fail(db, KOINE_STORE_DOWN, "its file system cannot hold a write-ahead log");
    while (db_status(db) == KOINE_STORE_OK && version < SCHEMA_VERSION)
        step_to(db, ++version);
    return db_status(db);
}
