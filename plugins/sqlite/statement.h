/* statement: every SQL text that runs more than once, prepared when it is first needed.
 *
 * X(NAME, text). Parameters are numbered in the order in which the code binds them.
 */
#ifndef KOINE_SQLITE_STATEMENT_H
#define KOINE_SQLITE_STATEMENT_H

/* The columns of an attempt, in the order of row_bind and row_read. */
#define ROW_COLUMNS                                                                                          \
    "at, day, attempt, fault, status, billing, tenant, run, call, target, model, input, cache_read, "        \
    "cache_write, output, reasoning, audio_input, audio_output, image_input, estimated, price, cost, "       \
    "price_id, request_id, first_token_us, duration_us"
#define ROW_COUNT 26
#define ROW_MARKS "?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?"

#define SUM_COUNTS                                                                                           \
    "attempts, failed, input, cache_read, cache_write, output, reasoning, audio_input, audio_output, "       \
    "image_input, cost, unpriced, estimated, first_token, duration"
#define SUM_COUNT 13 /* and two histograms */

#define STATEMENTS(X)                                                                                        \
    X(BEGIN_WRITE, "BEGIN IMMEDIATE")                                                                        \
    X(BEGIN_READ, "BEGIN")                                                                                   \
    X(COMMIT, "COMMIT")                                                                                      \
    X(DATA_VERSION, "PRAGMA data_version")                                                                   \
    X(ROW_INSERT, "INSERT INTO attempts(" ROW_COLUMNS ") VALUES(" ROW_MARKS ")")                             \
    X(ROW_SELECT, "SELECT " ROW_COLUMNS " FROM attempts WHERE id = ?")                                       \
    X(ROW_DELETE, "DELETE FROM attempts WHERE id = ?")                                                       \
    X(SUM_SELECT,                                                                                            \
      "SELECT id, " SUM_COUNTS " FROM sums WHERE day = ? AND tenant = ? AND provider = ? AND model = ?")     \
    X(SUM_INSERT, "INSERT INTO sums(day, tenant, provider, model) VALUES(?,?,?,?)")                          \
    X(SUM_UPDATE,                                                                                            \
      "UPDATE sums SET attempts = ?, failed = ?, input = ?, cache_read = ?, cache_write = ?, output = ?, "   \
      "reasoning = ?, audio_input = ?, audio_output = ?, image_input = ?, cost = ?, unpriced = ?, "          \
      "estimated = ?, first_token = ?, duration = ? WHERE id = ?")                                           \
    X(REPORT, "SELECT id, day, tenant, provider, model, " SUM_COUNTS                                         \
              " FROM sums WHERE day >= ?1 AND day < ?2 AND (?3 IS NULL OR tenant = ?3)"                      \
              " AND (?4 IS NULL OR provider = ?4) AND (?5 IS NULL OR model = ?5)")                           \
    X(BUDGET_BY_NAME, "SELECT id, kind, key, period, most, spent, reserved, overshot FROM budgets "          \
                      "WHERE kind = ? AND key = ? AND period = ?")                                           \
    X(BUDGET_BY_ID, "SELECT id, kind, key, period, most, spent, reserved, overshot FROM budgets "            \
                    "WHERE id = ?")                                                                          \
    X(BUDGET_INSERT, "INSERT INTO budgets(kind, key, period, most) VALUES(?,?,?,?)")                         \
    X(BUDGET_UPDATE, "UPDATE budgets SET most = ?, spent = ?, reserved = ?, overshot = ? WHERE id = ?")      \
    X(RESERVATION_INSERT, "INSERT INTO reservations(id, owner, amount, boot, lease, budgets, " ROW_COLUMNS   \
                          ") VALUES(?,?,?,?,?,?," ROW_MARKS ")")                                             \
    X(RESERVATION_SELECT, "SELECT amount, budgets, " ROW_COLUMNS " FROM reservations WHERE id = ?")          \
    X(RESERVATION_KNOWN, "SELECT 1 FROM reservations WHERE id = ?1 UNION ALL "                               \
                         "SELECT 1 FROM settled WHERE generation = ?2 AND id = ?1 UNION ALL "                \
                         "SELECT 1 FROM settled WHERE generation = ?2 - 1 AND id = ?1")                      \
    X(RESERVATION_DELETE, "DELETE FROM reservations WHERE id = ?")                                           \
    X(RESERVATION_RENEW, "UPDATE reservations SET boot = ?, lease = ? WHERE id = ? AND owner = ?")           \
    X(RESERVATION_RENEW_ALL, "UPDATE reservations SET boot = ?, lease = ? WHERE owner = ?")                  \
    X(RESERVATION_RUN_OUT, "SELECT id FROM reservations WHERE boot <> ? OR lease <= ? LIMIT ?")              \
    X(SETTLED_INSERT,                                                                                        \
      "INSERT INTO settled(generation, id, outcome, amount, row, budgets) VALUES(?,?,?,?,?,?)")              \
    X(SETTLED_SELECT, "SELECT generation, outcome, amount, row, budgets FROM settled "                       \
                      "WHERE generation = ?1 AND id = ?2 UNION ALL "                                         \
                      "SELECT generation, outcome, amount, row, budgets FROM settled "                       \
                      "WHERE generation = ?1 - 1 AND id = ?2")                                               \
    X(SETTLED_UPDATE, "UPDATE settled SET outcome = ?, row = 0 WHERE generation = ? AND id = ?")             \
    X(SETTLED_PURGE, "DELETE FROM settled WHERE (generation, id) IN "                                        \
                     "(SELECT generation, id FROM settled WHERE generation < ? LIMIT 512)")                  \
    X(COUNTER_GET, "SELECT value FROM counters WHERE name = ?")                                              \
    X(COUNTER_SET, "INSERT INTO counters(name, value) VALUES(?,?) "                                          \
                   "ON CONFLICT DO UPDATE SET value = excluded.value")                                       \
    X(RECORD_GET, "SELECT key, value, version FROM records WHERE space = ? AND key = ?")                     \
    X(RECORD_PUT, "INSERT INTO records(space, key, value, version) VALUES(?,?,?,?) "                         \
                  "ON CONFLICT DO UPDATE SET value = excluded.value, version = excluded.version")            \
    X(RECORD_DELETE, "DELETE FROM records WHERE space = ? AND key = ?")                                      \
    X(RECORD_LIST, "SELECT key, value, version FROM records WHERE space = ? AND key > ? ORDER BY key LIMIT " \
                   "?")

enum statement {
#define STATEMENT_NAME(name, text) name,
    STATEMENTS(STATEMENT_NAME)
#undef STATEMENT_NAME
    STATEMENT_COUNT
};

#endif
