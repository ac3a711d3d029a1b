## Plugins that are wrong in one thing each, for the loader's refusals. Never installed: -rpath makes libtool build shared
## objects, which are then found in .libs.
TEST_PLUGIN_LDFLAGS = -module -avoid-version -shared -rpath /nowhere
TEST_PLUGIN_DIR = $(abs_top_builddir)/tests/plugins/.libs

check_LTLIBRARIES += \
  tests/plugins/good.la tests/plugins/two.la tests/plugins/twins.la tests/plugins/usurper.la \
  tests/plugins/endless.la tests/plugins/empty.la tests/plugins/stranger.la tests/plugins/store.la tests/plugins/future.la \
  tests/plugins/old.la tests/plugins/shouting.la tests/plugins/unresolved.la \
  tests/plugins/picky.la tests/plugins/crash_load.la \
  tests/plugins/crash_entry.la tests/plugins/loop_load.la tests/plugins/exit_load.la tests/plugins/fickle.la \
  tests/plugins/null_frame.la tests/plugins/wild.la \
  tests/plugins/homeless.la

tests_plugins_good_la_SOURCES = tests/plugins/good.c tests/plugins/table.h
tests_plugins_good_la_LDFLAGS = $(TEST_PLUGIN_LDFLAGS)
tests_plugins_two_la_SOURCES = tests/plugins/two.c
tests_plugins_two_la_LDFLAGS = $(TEST_PLUGIN_LDFLAGS)
tests_plugins_twins_la_SOURCES = tests/plugins/twins.c
tests_plugins_twins_la_LDFLAGS = $(TEST_PLUGIN_LDFLAGS)
tests_plugins_usurper_la_SOURCES = tests/plugins/usurper.c
tests_plugins_usurper_la_LDFLAGS = $(TEST_PLUGIN_LDFLAGS)
tests_plugins_endless_la_SOURCES = tests/plugins/endless.c
tests_plugins_endless_la_LDFLAGS = $(TEST_PLUGIN_LDFLAGS)
tests_plugins_empty_la_SOURCES = tests/plugins/empty.c
tests_plugins_empty_la_LDFLAGS = $(TEST_PLUGIN_LDFLAGS)
tests_plugins_stranger_la_SOURCES = tests/plugins/stranger.c
tests_plugins_stranger_la_LDFLAGS = $(TEST_PLUGIN_LDFLAGS)
tests_plugins_store_la_SOURCES = tests/plugins/store.c
tests_plugins_store_la_LDFLAGS = $(TEST_PLUGIN_LDFLAGS)
tests_plugins_future_la_SOURCES = tests/plugins/future.c
tests_plugins_future_la_LDFLAGS = $(TEST_PLUGIN_LDFLAGS)
tests_plugins_old_la_SOURCES = tests/plugins/old.c
tests_plugins_old_la_LDFLAGS = $(TEST_PLUGIN_LDFLAGS)
tests_plugins_shouting_la_SOURCES = tests/plugins/shouting.c
tests_plugins_shouting_la_LDFLAGS = $(TEST_PLUGIN_LDFLAGS)
tests_plugins_unresolved_la_SOURCES = tests/plugins/unresolved.c
tests_plugins_unresolved_la_LDFLAGS = $(TEST_PLUGIN_LDFLAGS)
tests_plugins_picky_la_SOURCES = tests/plugins/picky.c
tests_plugins_picky_la_LDFLAGS = $(TEST_PLUGIN_LDFLAGS)
tests_plugins_crash_load_la_SOURCES = tests/plugins/crash_load.c
tests_plugins_crash_load_la_LDFLAGS = $(TEST_PLUGIN_LDFLAGS)
tests_plugins_crash_entry_la_SOURCES = tests/plugins/crash_entry.c
tests_plugins_crash_entry_la_LDFLAGS = $(TEST_PLUGIN_LDFLAGS)
tests_plugins_loop_load_la_SOURCES = tests/plugins/loop_load.c
tests_plugins_loop_load_la_LDFLAGS = $(TEST_PLUGIN_LDFLAGS)
tests_plugins_exit_load_la_SOURCES = tests/plugins/exit_load.c
tests_plugins_exit_load_la_LDFLAGS = $(TEST_PLUGIN_LDFLAGS)
tests_plugins_fickle_la_SOURCES = tests/plugins/fickle.c
tests_plugins_fickle_la_LDFLAGS = $(TEST_PLUGIN_LDFLAGS)
tests_plugins_null_frame_la_SOURCES = tests/plugins/null_frame.c
tests_plugins_null_frame_la_LDFLAGS = $(TEST_PLUGIN_LDFLAGS)
tests_plugins_wild_la_SOURCES = tests/plugins/wild.c
tests_plugins_wild_la_LDFLAGS = $(TEST_PLUGIN_LDFLAGS)
tests_plugins_homeless_la_SOURCES = tests/plugins/homeless.c
tests_plugins_homeless_la_LDFLAGS = $(TEST_PLUGIN_LDFLAGS)

## The plugin checker: what breaks a rule is found, ours pass, and so many random mutants are found. They reach nothing of the
## core that the cases alone do not, so a build for coverage is spared them.
checker_tests = tests/plugins/broken-a.sh tests/plugins/broken-b.sh tests/plugins/broken-c.sh tests/plugins/checker.sh \
  tests/plugins/mutants.sh tests/plugins/ours.sh
if !COVERAGE
TESTS += $(checker_tests)
endif
EXTRA_DIST += $(checker_tests) tests/plugins/broken.sh tests/plugins/broken.txt tests/plugins/check.sh tests/plugins/mutants.awk

check_PROGRAMS += tests/plugins/behave
tests_plugins_behave_SOURCES = tests/plugins/behave.c apps/plugin-check/cases.c apps/plugin-check/findings.c \
  apps/plugin-check/spots.c
tests_plugins_behave_LDADD = tests/vendor/libvendor.la libkoinecore.la

## make mutants MUTANTS=200 SEED=1: prints how many of those that behave differently the checker finds.
MUTANTS = 200
SEED = 1
MUTANTS_OF = $(abs_top_srcdir)/plugins/echo/echo.c
MUTANTS_CASES = $(abs_top_srcdir)/tests/vendor/echo
.PHONY: mutants
mutants: apps/koine-plugin-check tests/plugins/behave
	$(AM_V_at)KOINE_TEST_SOURCE='$(abs_top_srcdir)' KOINE_TEST_BUILD='$(abs_top_builddir)' CC='$(CC)' \
	  $(SHELL) $(srcdir)/tests/plugins/mutants.sh $(MUTANTS) $(SEED) $(MUTANTS_OF) $(MUTANTS_CASES)
