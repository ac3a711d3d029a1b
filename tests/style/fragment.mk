## What a compiler does not see. These look at the sources, so a build for coverage has no use for them.
style_tests = \
  tests/style/includes.sh \
  tests/style/functions.sh \
  tests/style/format.sh \
  tests/style/headers.sh \
  tests/style/symbols.sh \
  tests/style/secrets.sh \
  tests/style/check_prices.sh \
  tests/style/documents.sh \
  tests/style/log.sh
if !COVERAGE
TESTS += $(style_tests)
endif
EXTRA_DIST += $(style_tests) tests/style/tap.sh tests/style/symbols.txt .ci/steps.sh
