## Programs on the public headers.
bin_PROGRAMS += apps/koine/koine
apps_koine_koine_SOURCES = \
  apps/koine/main.c apps/koine/commands.h \
  apps/koine/approval.c apps/koine/approval.h \
  apps/koine/args.c apps/koine/args.h \
  apps/koine/ask.c apps/koine/ask.h \
  apps/koine/chat.c \
  apps/koine/checks.c apps/koine/checks.h \
  apps/koine/clean.c apps/koine/clean.h \
  apps/koine/config.c \
  apps/koine/cost.c apps/koine/cost.h \
  apps/koine/cost_report.c \
  apps/koine/doctor.c apps/koine/doctor.h \
  apps/koine/doctor_config.c \
  apps/koine/doctor_instance.c \
  apps/koine/explain.c \
  apps/koine/explanation.c apps/koine/explanation.h \
  apps/koine/help.c apps/koine/help.h \
  apps/koine/input.c apps/koine/input.h \
  apps/koine/interrupt.c apps/koine/interrupt.h \
  apps/koine/kit.c apps/koine/kit.h \
  apps/koine/logline.c apps/koine/logline.h \
  apps/koine/models.c \
  apps/koine/out.c apps/koine/out.h \
  apps/koine/plugin.c \
  apps/koine/probes.c apps/koine/probes.h \
  apps/koine/program.c apps/koine/program.h \
  apps/koine/providers.c \
  apps/koine/report.c apps/koine/report.h \
  apps/koine/result.c apps/koine/result.h \
  apps/koine/screen.c apps/koine/screen.h \
  apps/koine/setup.c apps/koine/setup.h \
  apps/koine/standin.c \
  apps/koine/table.c apps/koine/table.h \
  apps/koine/term.c apps/koine/term.h \
  apps/koine/words.c apps/koine/words.h
apps_koine_koine_LDADD = libkoine.la

man_MANS += docs/man/koine.1
EXTRA_DIST += docs/man/koine.1

## Installed under the command's own name, by which bash-completion finds it.
bashcompletiondir = $(datadir)/bash-completion/completions
bashcompletion_DATA = apps/koine/completion/koine
CLEANFILES += apps/koine/completion/koine
EXTRA_DIST += apps/koine/koine.bash

apps/koine/completion/koine: apps/koine/koine.bash
	$(AM_V_GEN)$(MKDIR_P) apps/koine/completion && cp $(srcdir)/apps/koine/koine.bash $@

## The helper of isolated plugins. Its process is started for each of them, so it loads no library that it does not need.
pkglibexec_PROGRAMS += apps/koine-isolate
apps_koine_isolate_SOURCES = apps/koine-isolate.c
apps_koine_isolate_LDFLAGS = -Wl,--as-needed $(AM_LDFLAGS)
apps_koine_isolate_LDADD = libkoinecore.la
