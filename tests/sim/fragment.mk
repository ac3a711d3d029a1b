## The real engine on a virtual clock: no network, no sleeping.
if HAVE_CUNIT
check_LIBRARIES += tests/sim/libsim.a
tests_sim_libsim_a_SOURCES = tests/sim/world.c tests/sim/world.h tests/vendor/together.c tests/vendor/openai.c
tests_sim_libsim_a_CPPFLAGS = $(AM_CPPFLAGS) $(CUNIT_CFLAGS)
sim_ldadd = tests/sim/libsim.a $(suite_ldadd)

sim_programs = \
  tests/sim/test_approval \
  tests/sim/test_budgets \
  tests/sim/test_calls \
  tests/sim/test_costs \
  tests/sim/test_keys \
  tests/sim/test_log_sim \
  tests/sim/test_memory \
  tests/sim/test_policies \
  tests/sim/test_random \
  tests/sim/test_retry_sim \
  tests/sim/test_seams \
  tests/sim/test_steps \
  tests/sim/test_stream \
  tests/sim/test_timeouts
check_PROGRAMS += $(sim_programs)
TESTS += $(sim_programs)

tests_sim_test_approval_LDADD = $(sim_ldadd)
tests_sim_test_budgets_LDADD = $(sim_ldadd)
tests_sim_test_calls_LDADD = $(sim_ldadd)
tests_sim_test_costs_LDADD = $(sim_ldadd)
tests_sim_test_keys_LDADD = $(sim_ldadd)
tests_sim_test_log_sim_LDADD = $(sim_ldadd)
tests_sim_test_memory_LDADD = $(sim_ldadd)
tests_sim_test_policies_LDADD = $(sim_ldadd)
tests_sim_test_random_LDADD = $(sim_ldadd)
tests_sim_test_retry_sim_LDADD = $(sim_ldadd)
tests_sim_test_seams_LDADD = $(sim_ldadd)
tests_sim_test_steps_LDADD = $(sim_ldadd)
tests_sim_test_stream_LDADD = $(sim_ldadd)
tests_sim_test_timeouts_LDADD = $(sim_ldadd)
endif
