## The plugin checker, which `koine plugin check` starts.
pkglibexec_PROGRAMS += apps/koine-plugin-check
apps_koine_plugin_check_SOURCES = \
  apps/plugin-check/cases.c apps/plugin-check/cases.h \
  apps/plugin-check/child.c apps/plugin-check/child.h \
  apps/plugin-check/events.c apps/plugin-check/events.h \
  apps/plugin-check/findings.c apps/plugin-check/findings.h \
  apps/plugin-check/inspection.c apps/plugin-check/inspection.h \
  apps/plugin-check/main.c \
  apps/plugin-check/object.c apps/plugin-check/object.h \
  apps/plugin-check/report.c apps/plugin-check/report.h \
  apps/plugin-check/rules.c apps/plugin-check/rules.h \
  apps/plugin-check/spots.c apps/plugin-check/spots.h \
  apps/plugin-check/stage_alloc.c \
  apps/plugin-check/stage_budget.c \
  apps/plugin-check/stage_cases.c \
  apps/plugin-check/stage_cost.c \
  apps/plugin-check/stage_hostile.c \
  apps/plugin-check/stage_interleave.c \
  apps/plugin-check/stage_load.c \
  apps/plugin-check/stage_threads.c \
  apps/plugin-check/stage_unknown.c \
  apps/plugin-check/stages.h \
  apps/plugin-check/symbols.c apps/plugin-check/symbols.h \
  apps/plugin-check/watching.c apps/plugin-check/watching.h
apps_koine_plugin_check_LDADD = tests/vendor/libvendor.la libkoinecore.la
