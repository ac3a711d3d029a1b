## The promise to plugins (docs/abi.md): frozen headers, offsets, what abidiff says of them and of libkoine, and one plugin
## built with the headers of yesterday, today and tomorrow.
abi_tests = tests/abi/abi.sh tests/abi/peers.sh
if !COVERAGE
TESTS += $(abi_tests)
endif
EXTRA_DIST += $(abi_tests) tests/abi/surface.c tests/abi/offsets.c tests/abi/peer.c tests/abi/later.awk tests/abi/growth.ini \
  tests/abi/libkoine.abi tests/abi/1.0/provider.abi $(srcdir)/tests/abi/1.0/koine/*.h $(srcdir)/tests/abi/cases/*.txt

## After a change of libkoine's functions that was meant.
.PHONY: abi-baseline
abi-baseline: libkoine.la
	$(AM_V_at)KOINE_TEST_SOURCE='$(abs_top_srcdir)' KOINE_TEST_BUILD='$(abs_top_builddir)' $(SHELL) $(srcdir)/tests/abi/abi.sh baseline
