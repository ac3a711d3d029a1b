## Shared objects that are no vendors.
providers_LTLIBRARIES += plugins/echo/echo.la
plugins_echo_echo_la_SOURCES = plugins/echo/echo.c
plugins_echo_echo_la_LDFLAGS = $(providers_ldflags)

EXTRA_DIST += plugins/README.md
