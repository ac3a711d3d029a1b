## What strangers' bytes may cost, over real sockets.
if HAVE_CUNIT
check_PROGRAMS += tests/hostile/run
TESTS += tests/hostile/run
hostile_scene = \
  tests/hostile/scene.c tests/hostile/scene.h tests/hostile/server.c tests/hostile/server.h \
  tests/hostile/reader.c tests/hostile/reader.h tests/hostile/crowd.c tests/hostile/crowd.h \
  tests/hostile/text.c tests/hostile/text.h tests/hostile/ledger.c tests/hostile/ledger.h
tests_hostile_run_SOURCES = \
  tests/hostile/run.c tests/hostile/acts.c tests/hostile/http1.c tests/hostile/http1.h $(hostile_scene)
tests_hostile_run_LDADD = $(suite_ldadd)
if HAVE_OPENSSL
check_PROGRAMS += tests/hostile/run2
TESTS += tests/hostile/run2
else
TESTS += tests/hostile/no_http2.sh
endif
tests_hostile_run2_SOURCES = \
  tests/hostile/run2.c tests/hostile/acts2.c tests/hostile/http2.c tests/hostile/http2.h \
  tests/hostile/certificate.c tests/hostile/certificate.h $(hostile_scene)
tests_hostile_run2_CPPFLAGS = $(AM_CPPFLAGS) $(OPENSSL_CFLAGS)
tests_hostile_run2_LDADD = $(suite_ldadd) $(OPENSSL_LIBS)
endif
EXTRA_DIST += tests/hostile/no_http2.sh
