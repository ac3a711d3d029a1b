## Each vendor's cases as text files: document, expected request, canned answer, expected events.
if HAVE_CUNIT
check_PROGRAMS += tests/vendor/run
TESTS += tests/vendor/run
endif
tests_vendor_run_SOURCES = \
  tests/vendor/run.c tests/vendor/case.c tests/vendor/case.h tests/vendor/play.c tests/vendor/play.h \
  tests/vendor/trace.c tests/vendor/trace.h tests/vendor/together.c tests/vendor/openai.c \
  tests/vendor/anthropic.c tests/vendor/gemini.c
tests_vendor_run_LDADD = libkoinecore.la

EXTRA_DIST += tests/vendor/README.md
## One file for each case; the pattern keeps the list from being forgotten.
EXTRA_DIST += $(srcdir)/tests/vendor/together/*.txt $(srcdir)/tests/vendor/openai/*.txt \
  $(srcdir)/tests/vendor/anthropic/*.txt $(srcdir)/tests/vendor/gemini/*.txt
