## One CUnit program for each file of the core.
if HAVE_CUNIT
check_LIBRARIES = tests/unit/libsuite.a
tests_unit_libsuite_a_SOURCES = tests/unit/suite.c tests/unit/suite.h tests/unit/failalloc.c tests/unit/failalloc.h \
  tests/unit/scratch.c tests/unit/scratch.h
tests_unit_libsuite_a_CPPFLAGS = $(AM_CPPFLAGS) $(CUNIT_CFLAGS)
suite_ldadd = tests/unit/libsuite.a libkoinecore.la $(CUNIT_LIBS)

unit_programs = \
  tests/unit/test_mem \
  tests/unit/test_buf \
  tests/unit/test_str \
  tests/unit/test_clock \
  tests/unit/test_fault \
  tests/unit/test_error \
  tests/unit/test_log \
  tests/unit/test_crypto \
  tests/unit/test_settings \
  tests/unit/test_json_scan \
  tests/unit/test_json \
  tests/unit/test_json_write \
  tests/unit/test_json_tree \
  tests/unit/test_frame \
  tests/unit/test_head \
  tests/unit/test_loop \
  tests/unit/test_transport_replay \
  tests/unit/test_credential \
  tests/unit/test_catalogue \
  tests/unit/test_loader \
  tests/unit/test_elf \
  tests/unit/test_trust \
  tests/unit/test_registry \
  tests/unit/test_host \
  tests/unit/test_out \
  tests/unit/test_bridge \
  tests/unit/test_price \
  tests/unit/test_chat \
  tests/unit/test_standin
check_PROGRAMS += $(unit_programs)
TESTS += $(unit_programs)

tests_unit_test_mem_SOURCES = tests/unit/test_mem.c
tests_unit_test_mem_LDADD = $(suite_ldadd)
tests_unit_test_buf_SOURCES = tests/unit/test_buf.c
tests_unit_test_buf_LDADD = $(suite_ldadd)
tests_unit_test_str_SOURCES = tests/unit/test_str.c
tests_unit_test_str_LDADD = $(suite_ldadd)
tests_unit_test_clock_SOURCES = tests/unit/test_clock.c
tests_unit_test_clock_LDADD = $(suite_ldadd)
tests_unit_test_fault_SOURCES = tests/unit/test_fault.c
tests_unit_test_fault_LDADD = $(suite_ldadd)
tests_unit_test_error_SOURCES = tests/unit/test_error.c
tests_unit_test_error_LDADD = $(suite_ldadd)
tests_unit_test_log_SOURCES = tests/unit/test_log.c
tests_unit_test_log_LDADD = $(suite_ldadd)
tests_unit_test_crypto_SOURCES = tests/unit/test_crypto.c
tests_unit_test_crypto_LDADD = $(suite_ldadd)
tests_unit_test_settings_SOURCES = tests/unit/test_settings.c
tests_unit_test_settings_LDADD = $(suite_ldadd)
tests_unit_test_json_scan_SOURCES = tests/unit/test_json_scan.c
tests_unit_test_json_scan_LDADD = $(suite_ldadd)
tests_unit_test_json_SOURCES = tests/unit/test_json.c
tests_unit_test_json_LDADD = $(suite_ldadd)
tests_unit_test_json_write_SOURCES = tests/unit/test_json_write.c
tests_unit_test_json_write_LDADD = $(suite_ldadd)
tests_unit_test_json_tree_SOURCES = tests/unit/test_json_tree.c
tests_unit_test_json_tree_LDADD = $(suite_ldadd)
tests_unit_test_frame_SOURCES = tests/unit/test_frame.c
tests_unit_test_frame_LDADD = $(suite_ldadd)
tests_unit_test_head_SOURCES = tests/unit/test_head.c
tests_unit_test_head_LDADD = $(suite_ldadd)
tests_unit_test_loop_SOURCES = tests/unit/test_loop.c
tests_unit_test_loop_LDADD = $(suite_ldadd)
tests_unit_test_transport_replay_SOURCES = tests/unit/test_transport_replay.c
tests_unit_test_transport_replay_LDADD = $(suite_ldadd)
tests_unit_test_credential_SOURCES = tests/unit/test_credential.c
tests_unit_test_credential_LDADD = $(suite_ldadd)
tests_unit_test_catalogue_SOURCES = tests/unit/test_catalogue.c
tests_unit_test_catalogue_LDADD = $(suite_ldadd)
tests_unit_test_loader_SOURCES = tests/unit/test_loader.c
tests_unit_test_loader_LDADD = $(suite_ldadd)
tests_unit_test_elf_SOURCES = tests/unit/test_elf.c
tests_unit_test_elf_LDADD = $(suite_ldadd)
tests_unit_test_trust_SOURCES = tests/unit/test_trust.c
tests_unit_test_trust_LDADD = $(suite_ldadd)
tests_unit_test_registry_SOURCES = tests/unit/test_registry.c
tests_unit_test_registry_LDADD = $(suite_ldadd)
tests_unit_test_host_SOURCES = tests/unit/test_host.c
tests_unit_test_host_LDADD = $(suite_ldadd)
tests_unit_test_out_SOURCES = tests/unit/test_out.c
tests_unit_test_out_LDADD = $(suite_ldadd)
tests_unit_test_bridge_SOURCES = tests/unit/test_bridge.c
tests_unit_test_bridge_LDADD = $(suite_ldadd)
tests_unit_test_price_SOURCES = tests/unit/test_price.c
tests_unit_test_price_LDADD = $(suite_ldadd)
tests_unit_test_chat_SOURCES = tests/unit/test_chat.c
tests_unit_test_chat_LDADD = $(suite_ldadd)
tests_unit_test_standin_SOURCES = tests/unit/test_standin.c
tests_unit_test_standin_LDADD = tests/standin/libstandin.la $(suite_ldadd)
endif
