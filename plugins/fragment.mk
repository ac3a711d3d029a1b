## Shared objects that are no vendors, and the kit for those who write one: `koine plugin new` copies its templates.
providers_LTLIBRARIES += plugins/echo/echo.la
plugins_echo_echo_la_SOURCES = plugins/echo/echo.c
plugins_echo_echo_la_LDFLAGS = $(providers_ldflags)

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
