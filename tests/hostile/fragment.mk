## What strangers' bytes may cost, over real sockets.
if HAVE_CUNIT
check_PROGRAMS += tests/hostile/run
TESTS += tests/hostile/run
tests_hostile_run_SOURCES = \
  tests/hostile/run.c tests/hostile/acts.c tests/hostile/server.c tests/hostile/server.h \
  tests/hostile/ledger.c tests/hostile/ledger.h
tests_hostile_run_LDADD = $(suite_ldadd)
endif
