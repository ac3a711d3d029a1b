## The real engine on a virtual clock: no network, no sleeping.
.PHONY: simulate
if HAVE_CUNIT
check_LIBRARIES += tests/sim/libsim.a
tests_sim_libsim_a_SOURCES = tests/sim/world.c tests/sim/world.h tests/vendor/together.c tests/vendor/openai.c \
  tests/sim/oracle.h tests/sim/oracle_breaker.c tests/sim/oracle_call.c tests/sim/oracle_flow.c tests/sim/oracle_money.c \
  tests/sim/servers.c tests/sim/servers.h \
  tests/sim/town.c tests/sim/town.h tests/sim/town_calls.c tests/sim/town_internal.h tests/sim/town_net.c \
  tests/sim/town_spy.c
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
  tests/sim/test_mutants \
  tests/sim/test_numbers \
  tests/sim/test_oracle \
  tests/sim/test_policies \
  tests/sim/test_promises \
  tests/sim/test_random \
  tests/sim/test_retry_sim \
  tests/sim/test_seams \
  tests/sim/test_steps \
  tests/sim/test_stream \
  tests/sim/test_timeouts \
  tests/sim/test_town
check_PROGRAMS += $(sim_programs)
TESTS += $(sim_programs)

tests_sim_test_approval_LDADD = $(sim_ldadd)
tests_sim_test_budgets_LDADD = $(sim_ldadd)
tests_sim_test_calls_LDADD = $(sim_ldadd)
tests_sim_test_costs_LDADD = $(sim_ldadd)
tests_sim_test_keys_LDADD = $(sim_ldadd)
tests_sim_test_log_sim_LDADD = $(sim_ldadd)
tests_sim_test_memory_LDADD = $(sim_ldadd)
tests_sim_test_mutants_LDADD = $(sim_ldadd)
tests_sim_test_numbers_LDADD = $(sim_ldadd)
tests_sim_test_oracle_LDADD = $(sim_ldadd)
tests_sim_test_policies_LDADD = $(sim_ldadd)
tests_sim_test_promises_LDADD = $(sim_ldadd)
tests_sim_test_random_LDADD = $(sim_ldadd)
tests_sim_test_retry_sim_LDADD = $(sim_ldadd)
tests_sim_test_seams_LDADD = $(sim_ldadd)
tests_sim_test_steps_LDADD = $(sim_ldadd)
tests_sim_test_stream_LDADD = $(sim_ldadd)
tests_sim_test_timeouts_LDADD = $(sim_ldadd)
tests_sim_test_town_LDADD = $(sim_ldadd)

## make simulate: many towns, from other seeds than those of ./check. KOINE_SIM_RUNS says how many, KOINE_SIM_FROM from which
## seed on, KOINE_SIM_SEED runs one seed alone.
simulate: tests/sim/test_town$(EXEEXT) $(providers_LTLIBRARIES)
	$(AM_V_at)$(AM_TESTS_ENVIRONMENT) KOINE_SIM_RUNS=$${KOINE_SIM_RUNS:-2000} KOINE_SIM_FROM=$${KOINE_SIM_FROM:-1001} \
	  tests/sim/test_town$(EXEEXT) 'random towns'
endif
