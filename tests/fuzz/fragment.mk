## Each target is a program over its corpus here, and a fuzzer by `make fuzz`.
fuzz_programs = \
  tests/fuzz/advice \
  tests/fuzz/catalogue \
  tests/fuzz/chat \
  tests/fuzz/config \
  tests/fuzz/dotenv \
  tests/fuzz/frame \
  tests/fuzz/json \
  tests/fuzz/setting
fuzz_common = tests/fuzz/driver.c tests/fuzz/fuzz.c tests/fuzz/fuzz.h
check_PROGRAMS += $(fuzz_programs)
TESTS += $(fuzz_programs)

tests_fuzz_advice_SOURCES = tests/fuzz/advice.c $(fuzz_common)
tests_fuzz_advice_LDADD = libkoinecore.la
tests_fuzz_catalogue_SOURCES = tests/fuzz/catalogue.c $(fuzz_common)
tests_fuzz_catalogue_LDADD = libkoinecore.la
tests_fuzz_chat_SOURCES = tests/fuzz/chat.c $(fuzz_common) tests/vendor/together.c tests/vendor/openai.c
tests_fuzz_chat_LDADD = tests/vendor/libvendor.la libkoinecore.la
tests_fuzz_config_SOURCES = tests/fuzz/config.c $(fuzz_common)
tests_fuzz_config_LDADD = libkoinecore.la
tests_fuzz_dotenv_SOURCES = tests/fuzz/dotenv.c $(fuzz_common)
tests_fuzz_dotenv_LDADD = libkoinecore.la
tests_fuzz_frame_SOURCES = tests/fuzz/frame.c tests/fuzz/slow_sse.h $(fuzz_common)
tests_fuzz_frame_LDADD = libkoinecore.la
tests_fuzz_json_SOURCES = tests/fuzz/json.c $(fuzz_common)
tests_fuzz_json_LDADD = libkoinecore.la
tests_fuzz_setting_SOURCES = tests/fuzz/setting.c $(fuzz_common)
tests_fuzz_setting_LDADD = libkoinecore.la

EXTRA_DIST += tests/fuzz/README.md tests/fuzz/fuzz.sh $(srcdir)/tests/fuzz/corpus/*.txt

## make fuzz FUZZ_SECONDS=300 FUZZ_TARGETS="frame json": needs clang with its fuzzer library.
FUZZ_SECONDS = 60
FUZZ_TARGETS = $(notdir $(fuzz_programs))
.PHONY: fuzz
fuzz: $(fuzz_programs)
	$(AM_V_at)KOINE_TEST_SOURCE='$(abs_top_srcdir)' FUZZ_SECONDS='$(FUZZ_SECONDS)' \
	  $(SHELL) $(srcdir)/tests/fuzz/fuzz.sh '$(abs_top_builddir)/tests/fuzz/clang' $(FUZZ_TARGETS)
