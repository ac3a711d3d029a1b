## Pages, examples, and the configuration reference, which is printed from the settings table.
noinst_PROGRAMS += docs/settings
docs_settings_SOURCES = docs/settings.c
docs_settings_LDADD = libkoine.la

## After a change of the table: make configuration-page
.PHONY: configuration-page
configuration-page: docs/settings
	$(AM_V_GEN)./docs/settings > $(srcdir)/docs/configuration.md.new && \
	  mv $(srcdir)/docs/configuration.md.new $(srcdir)/docs/configuration.md

## After a change of the checker's table of rules: make plugin-check-page
.PHONY: plugin-check-page
plugin-check-page: apps/koine-plugin-check
	$(AM_V_GEN)./apps/koine-plugin-check --rules > $(srcdir)/docs/plugin-check.md.new && \
	  mv $(srcdir)/docs/plugin-check.md.new $(srcdir)/docs/plugin-check.md

EXTRA_DIST += docs/plugin-check.md docs/benchmarks.md docs/examples/embed/poll.c docs/examples/embed/libuv.c \
  docs/examples/embed/libevent.c docs/examples/embed/glib.c docs/examples/embed/threads.c \
  docs/examples/embed/cxx.cpp
EXTRA_DIST += docs/store.md docs/abi.md docs/new-provider.md docs/design.md docs/configuration.md docs/log.md docs/observing.md docs/troubleshooting.md docs/examples/koine.yaml docs/examples/staged.yaml \
  docs/examples/.env.development docs/examples/.env.production docs/examples/first.c \
  docs/examples/webhook.c
