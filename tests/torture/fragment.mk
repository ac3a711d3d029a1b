## Every allocation fails once; `tests/torture/torture --all` takes every one, `make check` every seventh.
if HAVE_CUNIT
check_PROGRAMS += tests/torture/torture
TESTS += tests/torture/torture
tests_torture_torture_LDADD = tests/standin/libstandin.la $(suite_ldadd)
endif
