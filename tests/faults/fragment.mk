## What a caller gets whatever a provider does: sixteen faults in six ways, at 1:50 here and in real time by `make faults`;
## and many calls with a few faults among them, a tenth here and all by `make soak`.
if HAVE_CUNIT
check_PROGRAMS += tests/faults/sixteen tests/faults/soak
## The soak looks at memory where there is no sanitizer, so a build for coverage runs it, too.
TESTS += tests/faults/soak
if !COVERAGE
TESTS += tests/faults/sixteen
endif
tests_faults_sixteen_SOURCES = \
  tests/faults/sixteen.c tests/faults/rows.c tests/faults/rows.h tests/faults/stories.c tests/faults/stories.h \
  tests/faults/judge.c tests/faults/judge.h tests/faults/play.c tests/faults/play.h \
  tests/faults/by_library.c tests/faults/by_command.c tests/faults/posts.c tests/faults/posts.h \
  tests/faults/stall.c tests/faults/stall.h $(e2e_backdrop)
tests_faults_sixteen_LDADD = $(e2e_ldadd)
tests_faults_soak_SOURCES = tests/faults/soak.c tests/faults/crew.c tests/faults/crew.h tests/faults/posts.c \
  tests/faults/posts.h tests/faults/stall.c tests/faults/stall.h $(e2e_backdrop)
tests_faults_soak_LDADD = $(e2e_ldadd)
endif

.PHONY: faults soak
faults: all tests/faults/sixteen$(EXEEXT)
	$(AM_V_at)$(AM_TESTS_ENVIRONMENT) tests/faults/sixteen --real
soak: all tests/faults/soak$(EXEEXT)
	$(AM_V_at)$(AM_TESTS_ENVIRONMENT) tests/faults/soak --all
