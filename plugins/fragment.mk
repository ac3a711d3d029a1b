## Shared objects that are no vendors, and the kit for those who write one: `koine plugin new` copies its templates.
providers_LTLIBRARIES += plugins/echo/echo.la
plugins_echo_echo_la_SOURCES = plugins/echo/echo.c
plugins_echo_echo_la_LDFLAGS = $(providers_ldflags)

## Stores are found in a folder of their own: they are plugins of another kind.
if HAVE_SQLITE
stores_LTLIBRARIES += plugins/sqlite/sqlite.la
plugins_sqlite_sqlite_la_SOURCES = \
  plugins/sqlite/act.c plugins/sqlite/act.h \
  plugins/sqlite/arena.c plugins/sqlite/arena.h \
  plugins/sqlite/budget.c \
  plugins/sqlite/db.c plugins/sqlite/db.h \
  plugins/sqlite/job.c plugins/sqlite/job.h \
  plugins/sqlite/ledger.c \
  plugins/sqlite/place.c plugins/sqlite/place.h \
  plugins/sqlite/record.c \
  plugins/sqlite/report.c \
  plugins/sqlite/reservation.c \
  plugins/sqlite/schema.c plugins/sqlite/schema.h \
  plugins/sqlite/statement.h \
  plugins/sqlite/store.c
plugins_sqlite_sqlite_la_CPPFLAGS = $(AM_CPPFLAGS) $(SQLITE_CFLAGS)
plugins_sqlite_sqlite_la_LDFLAGS = $(AM_LDFLAGS) -module -avoid-version -shared -export-symbols-regex '^koine_store_v0$$'
plugins_sqlite_sqlite_la_LIBADD = $(SQLITE_LIBS)
endif

kitcommondir = $(kitdir)/common
dist_kitcommon_DATA = plugins/kit/common/Makefile
kitchatdir = $(kitdir)/chat
dist_kitchat_DATA = plugins/kit/chat/acme.c plugins/kit/chat/acme.json
kitchatcasesdir = $(kitchatdir)/cases
dist_kitchatcases_DATA = plugins/kit/chat/cases/request.txt plugins/kit/chat/cases/answer.txt
kitowndir = $(kitdir)/own
dist_kitown_DATA = plugins/kit/own/acme.c plugins/kit/own/acme.json
kitowncasesdir = $(kitowndir)/cases
dist_kitowncases_DATA = plugins/kit/own/cases/request.txt plugins/kit/own/cases/answer.txt

## The same provider as own/acme.c in other languages; make installcheck holds their traces against each other.
EXTRA_DIST += plugins/kit/witness/acme.cpp plugins/kit/witness/acme.rs $(srcdir)/plugins/kit/witness/cases/*.txt

EXTRA_DIST += plugins/README.md
