# The stand-in provider: the engine, for tests that hold it in their own process, and the program that
# `koine standin` starts.
noinst_LTLIBRARIES += tests/standin/libstandin.la
tests_standin_libstandin_la_SOURCES = \
	tests/standin/answer.c \
	tests/standin/answer.h \
	tests/standin/behave.c \
	tests/standin/behave.h \
	tests/standin/bytes.c \
	tests/standin/bytes.h \
	tests/standin/connection.c \
	tests/standin/connection.h \
	tests/standin/http.c \
	tests/standin/http.h \
	tests/standin/journal.c \
	tests/standin/journal.h \
	tests/standin/route.c \
	tests/standin/route.h \
	tests/standin/scan.c \
	tests/standin/scan.h \
	tests/standin/script.c \
	tests/standin/script.h \
	tests/standin/server.c \
	tests/standin/standin.h \
	tests/standin/thread.c \
	tests/standin/timers.c \
	tests/standin/timers.h

pkglibexec_PROGRAMS += apps/koine-standin
apps_koine_standin_SOURCES = apps/koine-standin.c
apps_koine_standin_LDADD = tests/standin/libstandin.la

EXTRA_DIST += tests/standin/README.md
