## make bench: what a call costs beside a bare program on libcurl and json-c. Built only then; docs/benchmarks.md has the
## figures of an optimised build (CFLAGS='-O2 -g'). make bench-instructions: instructions, counted by valgrind.
EXTRA_PROGRAMS = tests/bench/bench tests/bench/breaker tests/bench/calls tests/bench/decode tests/bench/gate \
  tests/bench/limiter tests/bench/observe tests/bench/plugins tests/bench/store
bench_cppflags = $(AM_CPPFLAGS) $(CURL_CFLAGS) $(JSONC_CFLAGS)
tests_bench_bench_SOURCES = \
  tests/bench/bare.c tests/bench/bench.c tests/bench/bench.h tests/bench/ours.c tests/bench/server.c \
  tests/bench/stopwatch.c tests/bench/stopwatch.h
tests_bench_bench_CPPFLAGS = $(bench_cppflags)
tests_bench_bench_LDADD = libkoine.la $(CURL_LIBS) $(JSONC_LIBS)
tests_bench_breaker_SOURCES = tests/bench/breaker.c tests/bench/stopwatch.c tests/bench/stopwatch.h
tests_bench_breaker_LDADD = libkoinecore.la
tests_bench_calls_SOURCES = tests/bench/calls.c tests/bench/stopwatch.c tests/bench/stopwatch.h
tests_bench_calls_LDADD = libkoinecore.la
tests_bench_decode_SOURCES = tests/bench/decode.c tests/bench/stopwatch.c tests/bench/stopwatch.h
tests_bench_decode_CPPFLAGS = $(bench_cppflags)
tests_bench_decode_LDADD = libkoinecore.la $(JSONC_LIBS)
tests_bench_gate_SOURCES = tests/bench/gate.c tests/bench/stopwatch.c tests/bench/stopwatch.h
tests_bench_gate_LDADD = libkoinecore.la
tests_bench_observe_SOURCES = tests/bench/observe.c tests/bench/stopwatch.c tests/bench/stopwatch.h
tests_bench_observe_LDADD = libkoinecore.la
tests_bench_limiter_SOURCES = tests/bench/limiter.c tests/bench/stopwatch.c tests/bench/stopwatch.h
tests_bench_limiter_LDADD = libkoinecore.la
tests_bench_plugins_SOURCES = tests/bench/plugins.c tests/bench/stopwatch.c tests/bench/stopwatch.h
tests_bench_plugins_LDADD = libkoinecore.la
tests_bench_store_SOURCES = tests/bench/store.c tests/bench/stopwatch.c tests/bench/stopwatch.h
tests_bench_store_LDADD =

## Past libtool's wrappers, which are shell scripts and would be timed too; the plugins and their catalogues as one folder, as
## they are installed.
bench_needs = tests/bench/bench$(EXEEXT) tests/bench/breaker$(EXEEXT) tests/bench/calls$(EXEEXT) tests/bench/decode$(EXEEXT) tests/bench/gate$(EXEEXT) tests/bench/limiter$(EXEEXT) tests/bench/observe$(EXEEXT) tests/bench/plugins$(EXEEXT) apps/koine-isolate$(EXEEXT) apps/koine/koine$(EXEEXT) $(providers_LTLIBRARIES)
bench_set_up = \
  LD_LIBRARY_PATH='$(abs_builddir)/.libs'$${LD_LIBRARY_PATH:+:$$LD_LIBRARY_PATH}; export LD_LIBRARY_PATH; \
  real() { if test -x "$$1/.libs/$$2"; then echo "$$1/.libs/$$2"; else echo "$$1/$$2"; fi; }; \
  bench=`real tests/bench bench`; koine=`real apps/koine koine`; plugins='$(abs_builddir)/tests/bench/plugins.d'; \
  umask 022; $(MKDIR_P) "$$plugins" && cp providers/.libs/*.so $(srcdir)/providers/catalogue/*.json "$$plugins" && \
  chmod 644 "$$plugins"/*

bench_plugins = umask 022; CC='$(CC)' CFLAGS='$(CFLAGS)' $(SHELL) $(srcdir)/tests/bench/twelve.sh $(srcdir) tests/bench/twelve && \
  tests/bench/plugins --twelve '$(abs_builddir)/tests/bench/twelve' --providers '$(abs_builddir)/tests/bench/plugins.d' \
    --helper '$(abs_builddir)/apps/koine-isolate'

if HAVE_SQLITE
bench_store = tests/bench/store plugins/sqlite/.libs/sqlite.so
bench_needs += tests/bench/store$(EXEEXT) plugins/sqlite/sqlite.la
else
bench_store = echo 'no store: built without SQLite'
endif

.PHONY: bench bench-instructions bench-plugins
bench: $(bench_needs)
	$(AM_V_at)$(bench_set_up) && $$bench --plugins "$$plugins" --koine $$koine --decode tests/bench/decode
	$(AM_V_at)tests/bench/observe
	$(AM_V_at)tests/bench/breaker
	$(AM_V_at)tests/bench/gate
	$(AM_V_at)tests/bench/limiter
	$(AM_V_at)$(bench_store)
	$(AM_V_at)$(bench_set_up) && tests/bench/calls "$$plugins"
	$(AM_V_at)$(bench_set_up) && $(bench_plugins)
bench-plugins: $(bench_needs)
	$(AM_V_at)$(bench_set_up) && $(bench_plugins)
bench-instructions: $(bench_needs)
	$(AM_V_at)$(bench_set_up) && $(SHELL) $(srcdir)/tests/bench/instructions.sh $$bench "$$plugins" tests/bench/breaker

EXTRA_DIST += tests/bench/instructions.sh tests/bench/twelve.sh
CLEANFILES += $(EXTRA_PROGRAMS) tests/bench/plugins.d/* tests/bench/twelve/*
