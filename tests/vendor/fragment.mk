## Each vendor's cases as text files: document, expected request, canned answer, expected events.
if HAVE_CUNIT
check_PROGRAMS += tests/vendor/run tests/vendor/isolated
TESTS += tests/vendor/run tests/vendor/isolated
endif
tests_vendor_run_SOURCES = \
  tests/vendor/run.c tests/vendor/case.c tests/vendor/case.h tests/vendor/elsewhere.h tests/vendor/play.c tests/vendor/play.h \
  tests/vendor/trace.c tests/vendor/trace.h tests/vendor/together.c tests/vendor/openai.c \
  tests/vendor/anthropic.c
tests_vendor_run_LDADD = libkoinecore.la
## The same cases for the same plugins, each in a process of its own.
tests_vendor_isolated_SOURCES = $(tests_vendor_run_SOURCES) tests/vendor/elsewhere.c
tests_vendor_isolated_CPPFLAGS = $(AM_CPPFLAGS) -DVENDOR_ISOLATED=1
tests_vendor_isolated_LDADD = libkoinecore.la

EXTRA_DIST += tests/vendor/README.md
## One file for each case; the pattern keeps the list from being forgotten.
EXTRA_DIST += $(srcdir)/tests/vendor/together/*.txt $(srcdir)/tests/vendor/openai/*.txt \
  $(srcdir)/tests/vendor/anthropic/*.txt
