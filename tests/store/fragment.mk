## Stores: conformance and model know koine/store.h alone and run with any plugin ($KOINE_TEST_STORE, _WHERE); sqlite is
## about that store.
if HAVE_CUNIT
if HAVE_SQLITE
check_LIBRARIES += tests/store/libstoretest.a
tests_store_libstoretest_a_SOURCES = tests/store/harness.c tests/store/harness.h
tests_store_libstoretest_a_CPPFLAGS = $(AM_CPPFLAGS) $(CUNIT_CFLAGS)
store_ldadd = tests/store/libstoretest.a $(suite_ldadd)

store_programs = \
  tests/store/conformance \
  tests/store/conformance_threadless \
  tests/store/model \
  tests/store/processes \
  tests/store/sqlite
check_PROGRAMS += $(store_programs)
TESTS += $(store_programs)

tests_store_conformance_LDADD = $(store_ldadd)
tests_store_conformance_threadless_SOURCES = tests/store/conformance.c
tests_store_conformance_threadless_LDADD = $(store_ldadd)
tests_store_model_LDADD = $(store_ldadd)
tests_store_processes_LDADD = $(store_ldadd)
tests_store_sqlite_CPPFLAGS = $(AM_CPPFLAGS) $(SQLITE_CFLAGS)
tests_store_sqlite_LDADD = $(store_ldadd) $(SQLITE_LIBS)
endif
endif
EXTRA_DIST += tests/store/schema-1.sql tests/store/schema-2.sql
