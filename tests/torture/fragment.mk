## Every allocation fails once; in a build with AddressSanitizer every seventh, and with `--all` every one.
if HAVE_CUNIT
check_PROGRAMS += tests/torture/torture
TESTS += tests/torture/torture
tests_torture_torture_LDADD = tests/standin/libstandin.la $(suite_ldadd)
endif
