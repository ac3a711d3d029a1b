## Everything here speaks TAP; `make check` counts tests, not programs.
include tests/standin/fragment.mk
include tests/unit/fragment.mk
include tests/vendor/fragment.mk
include tests/corpus/fragment.mk
include tests/hostile/fragment.mk
include tests/fuzz/fragment.mk
include tests/torture/fragment.mk
include tests/bench/fragment.mk
include tests/plugins/fragment.mk
include tests/sim/fragment.mk
include tests/style/fragment.mk
include tests/e2e/fragment.mk
include tests/faults/fragment.mk
include tests/kit/fragment.mk
include tests/abi/fragment.mk

## Of check_PROGRAMS these two build only what they run.
##
## make check-threads: the programs that use threads, in a build with --enable-thread-sanitizer. ./check runs
## check-threads-quick, what of them takes seconds.
thread_tests_quick = \
  tests/unit/test_breaker_model \
  tests/unit/test_budget \
  tests/unit/test_cancel \
  tests/unit/test_client \
  tests/unit/test_crypto \
  tests/unit/test_fork \
  tests/unit/test_hub \
  tests/unit/test_inbox \
  tests/unit/test_latch \
  tests/unit/test_limiter_threads \
  tests/unit/test_loader \
  tests/unit/test_log \
  tests/unit/test_loop \
  tests/unit/test_metrics \
  tests/unit/test_policies \
  tests/unit/test_registry \
  tests/unit/test_retry_budget \
  tests/unit/test_runs \
  tests/unit/test_transport_curl \
  tests/sim/test_calls \
  tests/e2e/library \
  tests/e2e/misuse \
  tests/e2e/threads \
  tests/e2e/webhook
thread_tests = $(thread_tests_quick) \
  tests/unit/test_standin \
  tests/hostile/run \
  tests/e2e/embed.sh \
  tests/e2e/faults \
  tests/faults/soak \
  tests/torture/torture
thread_helpers = tests/e2e/verify tests/e2e/fetch tests/e2e/pick tests/e2e/shape tests/e2e/tty
.PHONY: check-threads check-threads-quick
check-threads check-threads-quick:
if THREAD_SANITIZER
	$(AM_V_at)case $@ in *-quick) tests='$(thread_tests_quick)' ;; *) tests='$(thread_tests)' ;; esac; \
	  TSAN_OPTIONS=second_deadlock_stack=1:$$TSAN_OPTIONS \
	  $(MAKE) $(AM_MAKEFLAGS) check TESTS="$$tests" \
	  check_PROGRAMS="`echo $$tests | sed 's/[^ ]*\.sh//g'` $(thread_helpers)"
else
	@echo '$@: this build was not configured with --enable-thread-sanitizer' >&2; exit 1
endif

## make check-valgrind: the same tests on valgrind's processor, in a build without sanitizers. check-valgrind-quick is what
## ./check runs.
VALGRIND = valgrind
valgrind_flags = --quiet --leak-check=full --show-leak-kinds=definite,possible --errors-for-leak-kinds=definite,possible \
  --error-exitcode=99 --num-callers=30 --suppressions=$(abs_srcdir)/tests/valgrind.supp
valgrind_tests_quick = \
  tests/unit/test_chat \
  tests/unit/test_json \
  tests/unit/test_messages \
  tests/unit/test_snapshot \
  tests/sim/test_stream \
  tests/e2e/misuse
## Not what runs helpers: valgrind knows no descriptors of processes.
valgrind_tests = $(filter-out tests/unit/test_isolated,$(unit_programs)) $(sim_programs) tests/vendor/run tests/e2e/library tests/e2e/misuse
.PHONY: check-valgrind check-valgrind-quick
check-valgrind check-valgrind-quick:
	$(AM_V_at)case $@ in *-quick) tests='$(valgrind_tests_quick)' ;; *) tests='$(valgrind_tests)' ;; esac; \
	  $(MAKE) $(AM_MAKEFLAGS) check TESTS="$$tests" check_PROGRAMS="$$tests" \
	  LOG_COMPILER='$(LIBTOOL) --mode=execute $(VALGRIND) $(valgrind_flags)'

EXTRA_DIST += tests/valgrind.supp
