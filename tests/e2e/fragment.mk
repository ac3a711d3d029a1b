EXTRA_DIST += tests/e2e/installed.sh tests/e2e/first.c
