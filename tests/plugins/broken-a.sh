#!/bin/sh
# The first third of broken.txt: one program for all would take long.
part=0
. "${KOINE_TEST_SOURCE:-$(dirname "$0")/../..}/tests/plugins/broken.sh"
