## Each target is a program over its corpus here, and a fuzzer by `make fuzz`.
fuzz_programs = \
  tests/fuzz/advice \
  tests/fuzz/catalogue \
  tests/fuzz/chat \
  tests/fuzz/config \
  tests/fuzz/dotenv \
  tests/fuzz/frame \
  tests/fuzz/gemini \
  tests/fuzz/json \
  tests/fuzz/messages \
  tests/fuzz/setting
fuzz_common = tests/fuzz/driver.c tests/fuzz/fuzz.c tests/fuzz/fuzz.h
fuzz_dialect = $(fuzz_common) tests/fuzz/dialect.c tests/fuzz/dialect.h
check_PROGRAMS += $(fuzz_programs)
TESTS += $(fuzz_programs)

tests_fuzz_advice_SOURCES = tests/fuzz/advice.c $(fuzz_common)
tests_fuzz_advice_LDADD = libkoinecore.la
tests_fuzz_catalogue_SOURCES = tests/fuzz/catalogue.c $(fuzz_common)
tests_fuzz_catalogue_LDADD = libkoinecore.la
tests_fuzz_chat_SOURCES = tests/fuzz/chat.c $(fuzz_dialect) tests/vendor/together.c tests/vendor/openai.c \
  tests/vendor/azure.c tests/vendor/fireworks.c tests/vendor/llamacpp.c tests/vendor/mistral.c tests/vendor/ollama.c
tests_fuzz_chat_LDADD = tests/vendor/libvendor.la libkoinecore.la
tests_fuzz_config_SOURCES = tests/fuzz/config.c $(fuzz_common)
tests_fuzz_config_LDADD = libkoinecore.la
tests_fuzz_dotenv_SOURCES = tests/fuzz/dotenv.c $(fuzz_common)
tests_fuzz_dotenv_LDADD = libkoinecore.la
tests_fuzz_frame_SOURCES = tests/fuzz/frame.c tests/fuzz/slow_sse.h $(fuzz_common)
tests_fuzz_frame_LDADD = libkoinecore.la
tests_fuzz_json_SOURCES = tests/fuzz/json.c $(fuzz_common)
tests_fuzz_json_LDADD = libkoinecore.la
tests_fuzz_gemini_SOURCES = tests/fuzz/gemini.c $(fuzz_dialect) tests/vendor/gemini.c
tests_fuzz_gemini_LDADD = tests/vendor/libvendor.la libkoinecore.la
tests_fuzz_messages_SOURCES = tests/fuzz/messages.c $(fuzz_dialect) tests/vendor/anthropic.c
tests_fuzz_messages_LDADD = tests/vendor/libvendor.la libkoinecore.la
tests_fuzz_setting_SOURCES = tests/fuzz/setting.c $(fuzz_common)
tests_fuzz_setting_LDADD = libkoinecore.la

EXTRA_DIST += tests/fuzz/README.md tests/fuzz/coverage.sh tests/fuzz/fuzz.sh $(srcdir)/tests/fuzz/corpus/*.txt

## make fuzz FUZZ_SECONDS=300 FUZZ_TARGETS="frame json": needs clang with its fuzzer library.
FUZZ_SECONDS = 60
FUZZ_TARGETS = $(notdir $(fuzz_programs))
.PHONY: fuzz
fuzz: $(fuzz_programs)
	$(AM_V_at)KOINE_TEST_SOURCE='$(abs_top_srcdir)' FUZZ_SECONDS='$(FUZZ_SECONDS)' \
	  $(SHELL) $(srcdir)/tests/fuzz/fuzz.sh '$(abs_top_builddir)/tests/fuzz/clang' $(FUZZ_TARGETS)

## make fuzz-coverage: what the corpora reach; wants a build with --enable-coverage, where it is a part of make check.
if COVERAGE
TESTS += tests/fuzz/coverage.sh
endif
.PHONY: fuzz-coverage
fuzz-coverage: $(fuzz_programs)
	$(AM_V_at)$(AM_TESTS_ENVIRONMENT) $(SHELL) $(srcdir)/tests/fuzz/coverage.sh $(FUZZ_TARGETS)
