## The kit as strangers meet it: only the installed tree, through pkg-config. `make installcheck` runs this where koine is
## installed; ./check does so in a folder of its own.
check_PROGRAMS += tests/kit/trace
tests_kit_trace_SOURCES = tests/kit/trace.c
tests_kit_trace_LDADD = tests/vendor/libvendor.la libkoinecore.la
