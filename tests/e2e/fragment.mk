## The command and the library as their users meet them, against the stand-in in a process of its own. installed.sh is for
## ./check, which has a prefix to install to.
e2e_scripts = \
  tests/e2e/command.sh \
  tests/e2e/doctor.sh \
  tests/e2e/explain.sh \
  tests/e2e/keys.sh \
  tests/e2e/badinput.sh \
  tests/e2e/echo.sh \
  tests/e2e/embed.sh \
  tests/e2e/ledger.sh \
  tests/e2e/live.sh
## What runs the command, or waits for timers, reaches nothing of the core that the unit tests do not: a build for coverage is
## spared it.
if !COVERAGE
TESTS += $(e2e_scripts)
endif
EXTRA_DIST += $(e2e_scripts) tests/e2e/lib.sh tests/e2e/installed.sh tests/e2e/first.c

## What the scripts need and a system may lack.
check_PROGRAMS += tests/e2e/fetch tests/e2e/pick tests/e2e/shape tests/e2e/tty
tests_e2e_fetch_SOURCES = tests/e2e/fetch.c tests/e2e/loopback.c tests/e2e/loopback.h
tests_e2e_fetch_LDADD =
tests_e2e_pick_SOURCES = tests/e2e/pick.c
tests_e2e_pick_LDADD = libkoinecore.la
tests_e2e_shape_SOURCES = tests/e2e/shape.c
tests_e2e_shape_LDADD = libkoinecore.la
tests_e2e_tty_SOURCES = tests/e2e/tty.c
tests_e2e_tty_LDADD =

if HAVE_OPENSSL
check_PROGRAMS += tests/e2e/tls
endif
tests_e2e_tls_SOURCES = tests/e2e/tls.c tests/hostile/certificate.c tests/hostile/certificate.h
tests_e2e_tls_CPPFLAGS = $(AM_CPPFLAGS) $(OPENSSL_CFLAGS)
tests_e2e_tls_LDADD = $(OPENSSL_LIBS)

if HAVE_CUNIT
e2e_programs = tests/e2e/faults tests/e2e/isolate tests/e2e/library tests/e2e/misuse tests/e2e/thousand tests/e2e/threads \
  tests/e2e/webhook
check_PROGRAMS += $(e2e_programs)
TESTS += tests/e2e/isolate tests/e2e/library tests/e2e/misuse tests/e2e/thousand tests/e2e/webhook
if !COVERAGE
TESTS += tests/e2e/faults tests/e2e/threads
endif
e2e_backdrop = tests/e2e/backdrop.c tests/e2e/backdrop.h tests/e2e/loopback.c tests/e2e/loopback.h
e2e_stage = tests/e2e/stage.c tests/e2e/stage.h $(e2e_backdrop)
e2e_ldadd = tests/unit/libsuite.a libkoine.la $(CUNIT_LIBS)
tests_e2e_faults_SOURCES = tests/e2e/faults.c $(e2e_stage)
tests_e2e_faults_LDADD = $(e2e_ldadd)
tests_e2e_isolate_SOURCES = tests/e2e/isolate.c $(e2e_stage)
tests_e2e_isolate_LDADD = $(e2e_ldadd)
tests_e2e_library_SOURCES = tests/e2e/library.c $(e2e_stage)
tests_e2e_library_LDADD = $(e2e_ldadd)
tests_e2e_misuse_SOURCES = tests/e2e/misuse.c $(e2e_stage)
tests_e2e_misuse_LDADD = $(e2e_ldadd)
tests_e2e_thousand_SOURCES = tests/e2e/thousand.c $(e2e_stage)
tests_e2e_thousand_LDADD = $(e2e_ldadd)
tests_e2e_threads_SOURCES = tests/e2e/threads.c $(e2e_stage)
tests_e2e_threads_LDADD = $(e2e_ldadd)
tests_e2e_webhook_SOURCES = tests/e2e/webhook.c
tests_e2e_webhook_LDADD = tests/unit/libsuite.a libkoinecore.la $(CUNIT_LIBS)
## The page's own example, which says what a receiver does.
check_PROGRAMS += tests/e2e/verify
tests_e2e_verify_SOURCES = docs/examples/webhook.c
tests_e2e_verify_CFLAGS = $(AM_CFLAGS) $(SODIUM_CFLAGS)
tests_e2e_verify_LDADD = $(SODIUM_LIBS)
endif
