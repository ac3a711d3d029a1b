/* schema: the tables of a store, and how each version becomes the next. */
#ifndef KOINE_SQLITE_SCHEMA_H
#define KOINE_SQLITE_SCHEMA_H

#include "plugins/sqlite/db.h"

#define SCHEMA_VERSION     3
#define SCHEMA_APPLICATION 0x4b6f696e /* "Koin", in the file's header */

/* Sets the connection up, makes an empty file a store, and an older store one of this version: each step is
 * one transaction, so a process that ends in the midst of it leaves the version before. What is no store, or
 * a newer one, is refused. Only while nobody else opens it. The connection's status. */
int32_t schema_prepare(struct db *db);

#endif
