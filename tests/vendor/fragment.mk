## Each vendor's cases as text files: document, expected request, canned answer, expected events.
## What plays them; `koine plugin check` plays those of strangers with it.
noinst_LTLIBRARIES += tests/vendor/libvendor.la
tests_vendor_libvendor_la_SOURCES = \
  tests/vendor/case.c tests/vendor/case.h tests/vendor/engine.c tests/vendor/engine.h \
  tests/vendor/play.c tests/vendor/play.h tests/vendor/trace.c tests/vendor/trace.h tests/vendor/ways.c tests/vendor/ways.h

if HAVE_CUNIT
check_PROGRAMS += tests/vendor/run tests/vendor/isolated
TESTS += tests/vendor/run
if !COVERAGE
TESTS += tests/vendor/isolated
endif
endif
tests_vendor_run_SOURCES = \
  tests/vendor/run.c tests/vendor/together.c tests/vendor/openai.c tests/vendor/anthropic.c \
  tests/vendor/azure.c tests/vendor/echo.c tests/vendor/mistral.c tests/vendor/fireworks.c \
  tests/vendor/ollama.c tests/vendor/llamacpp.c tests/vendor/gemini.c
tests_vendor_run_LDADD = tests/vendor/libvendor.la libkoinecore.la
## The same cases for the same plugins, each in a process of its own.
tests_vendor_isolated_SOURCES = $(tests_vendor_run_SOURCES) tests/vendor/elsewhere.c tests/vendor/elsewhere.h
tests_vendor_isolated_CPPFLAGS = $(AM_CPPFLAGS) -DVENDOR_ISOLATED=1
tests_vendor_isolated_LDADD = tests/vendor/libvendor.la libkoinecore.la

if !COVERAGE
TESTS += tests/vendor/rows.sh
endif
EXTRA_DIST += tests/vendor/README.md tests/vendor/rows.sh tests/vendor/rows.txt
## One file for each case; the pattern keeps the list from being forgotten.
EXTRA_DIST += $(srcdir)/tests/vendor/together/*.txt $(srcdir)/tests/vendor/openai/*.txt \
  $(srcdir)/tests/vendor/anthropic/*.txt $(srcdir)/tests/vendor/azure/*.txt \
  $(srcdir)/tests/vendor/echo/*.txt $(srcdir)/tests/vendor/mistral/*.txt \
  $(srcdir)/tests/vendor/fireworks/*.txt $(srcdir)/tests/vendor/ollama/*.txt \
  $(srcdir)/tests/vendor/llamacpp/*.txt $(srcdir)/tests/vendor/gemini/*.txt
