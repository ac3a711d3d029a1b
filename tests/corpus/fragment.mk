## Recorded traffic of many vendors, where it is at hand: what we read out of it is what their own SDKs read.
check_PROGRAMS += tests/corpus/corpus
TESTS += tests/corpus/corpus
tests_corpus_corpus_SOURCES = \
  tests/corpus/corpus.c tests/corpus/exchange.c tests/corpus/exchange.h tests/corpus/compare.c tests/corpus/compare.h \
  tests/vendor/together.c tests/vendor/openai.c tests/vendor/anthropic.c tests/vendor/gemini.c
tests_corpus_corpus_LDADD = tests/vendor/libvendor.la libkoinecore.la

EXTRA_DIST += tests/corpus/classes.txt tests/corpus/known.txt
