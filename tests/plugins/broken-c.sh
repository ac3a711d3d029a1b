#!/bin/sh
# The last third of broken.txt: one program for all would take long.
part=2
. "${KOINE_TEST_SOURCE:-$(dirname "$0")/../..}/tests/plugins/broken.sh"
