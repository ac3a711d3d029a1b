## One CUnit program for each file of the core: tests/unit/test_X is made of tests/unit/test_X.c and linked with LDADD, so a
## new one is a line of this list.
LDADD =
if HAVE_CUNIT
check_LIBRARIES = tests/unit/libsuite.a
tests_unit_libsuite_a_SOURCES = tests/unit/suite.c tests/unit/suite.h tests/unit/failalloc.c tests/unit/failalloc.h \
  tests/unit/scratch.c tests/unit/scratch.h tests/unit/rig.c tests/unit/rig.h \
  tests/unit/dialect.c tests/unit/dialect.h tests/unit/clients.c tests/unit/clients.h
tests_unit_libsuite_a_CPPFLAGS = $(AM_CPPFLAGS) $(CUNIT_CFLAGS)
suite_ldadd = tests/unit/libsuite.a libkoinecore.la $(CUNIT_LIBS)
LDADD += $(suite_ldadd)

unit_programs = \
  tests/unit/test_answer \
  tests/unit/test_assemble \
  tests/unit/test_books \
  tests/unit/test_breaker \
  tests/unit/test_breaker_model \
  tests/unit/test_breaker_stage \
  tests/unit/test_bridge \
  tests/unit/test_bridge_isolated \
  tests/unit/test_budget \
  tests/unit/test_buf \
  tests/unit/test_cancel \
  tests/unit/test_catalogue \
  tests/unit/test_chat \
  tests/unit/test_client \
  tests/unit/test_clock \
  tests/unit/test_config \
  tests/unit/test_credential \
  tests/unit/test_crypto \
  tests/unit/test_desk \
  tests/unit/test_document \
  tests/unit/test_elf \
  tests/unit/test_env \
  tests/unit/test_error \
  tests/unit/test_estimate \
  tests/unit/test_event \
  tests/unit/test_explain \
  tests/unit/test_fault \
  tests/unit/test_fork \
  tests/unit/test_frame \
  tests/unit/test_gate \
  tests/unit/test_gemini \
  tests/unit/test_handle \
  tests/unit/test_head \
  tests/unit/test_host \
  tests/unit/test_hub \
  tests/unit/test_inbox \
  tests/unit/test_index \
  tests/unit/test_isolate \
  tests/unit/test_isolated \
  tests/unit/test_json \
  tests/unit/test_json_scan \
  tests/unit/test_json_tree \
  tests/unit/test_json_write \
  tests/unit/test_latch \
  tests/unit/test_ledger \
  tests/unit/test_limiter \
  tests/unit/test_limiter_random \
  tests/unit/test_limiter_threads \
  tests/unit/test_line \
  tests/unit/test_loader \
  tests/unit/test_log \
  tests/unit/test_loop \
  tests/unit/test_mem \
  tests/unit/test_messages \
  tests/unit/test_metrics \
  tests/unit/test_models \
  tests/unit/test_notice \
  tests/unit/test_out \
  tests/unit/test_pack \
  tests/unit/test_pace \
  tests/unit/test_policies \
  tests/unit/test_pool \
  tests/unit/test_price \
  tests/unit/test_registry \
  tests/unit/test_request \
  tests/unit/test_resolve \
  tests/unit/test_retry \
  tests/unit/test_retry_budget \
  tests/unit/test_route \
  tests/unit/test_runs \
  tests/unit/test_settings \
  tests/unit/test_snapshot \
  tests/unit/test_standin \
  tests/unit/test_str \
  tests/unit/test_transport_curl \
  tests/unit/test_transport_local \
  tests/unit/test_transport_replay \
  tests/unit/test_trust \
  tests/unit/test_webhook \
  tests/unit/test_work \
  tests/unit/test_worst
check_PROGRAMS += $(unit_programs)
TESTS += $(unit_programs)

tests_unit_test_standin_LDADD = tests/standin/libstandin.la $(suite_ldadd)
endif
