## What strangers' bytes may cost, over real sockets.
if HAVE_CUNIT
check_PROGRAMS += tests/hostile/run
TESTS += tests/hostile/run
hostile_scene = \
  tests/hostile/scene.c tests/hostile/scene.h tests/hostile/server.c tests/hostile/server.h \
  tests/hostile/text.c tests/hostile/text.h tests/hostile/ledger.c tests/hostile/ledger.h
tests_hostile_run_SOURCES = \
  tests/hostile/run.c tests/hostile/acts.c tests/hostile/http1.c tests/hostile/http1.h $(hostile_scene)
tests_hostile_run_LDADD = $(suite_ldadd)
endif
