## The kit as strangers meet it: only the installed tree, through pkg-config. `make installcheck` runs this where koine is
## installed (not below a DESTDIR, where nothing can run); ./check does so in a folder of its own.
check_PROGRAMS += tests/kit/trace
tests_kit_trace_SOURCES = tests/kit/trace.c
tests_kit_trace_LDADD = tests/vendor/libvendor.la libkoinecore.la

kit_scripts = tests/kit/strangers.sh tests/kit/tutorial.sh
EXTRA_DIST += $(kit_scripts) tests/kit/lib.sh

installcheck-local: tests/kit/trace$(EXEEXT)
	@if test -n '$(DESTDIR)'; then echo 'installcheck: nothing is tested below a DESTDIR'; exit 0; fi; \
	$(AM_TESTS_ENVIRONMENT) \
	KOINE_TEST_BINDIR='$(bindir)'; export KOINE_TEST_BINDIR; \
	KOINE_TEST_LIBEXECDIR='$(pkglibexecdir)'; export KOINE_TEST_LIBEXECDIR; \
	KOINE_TEST_PKGCONFIG='$(pkgconfigdir)'; export KOINE_TEST_PKGCONFIG; \
	KOINE_TEST_KITDIR='$(kitdir)'; export KOINE_TEST_KITDIR; \
	status=0; \
	for script in $(kit_scripts); do \
	  $(SHELL) $(srcdir)/$$script || status=1; \
	done; \
	exit $$status
