#!/bin/sh
# Every provider of ours passes the checker with its vendor cases.
# shellcheck disable=SC2154
. "${KOINE_TEST_SOURCE:-$(dirname "$0")/../..}/tests/style/tap.sh"
. "$source/tests/plugins/check.sh"

# What measures coverage opens and writes files, in every object.
left_out=
grep -q '^KOINE_CFLAGS = .*--coverage' "$build/Makefile" && left_out='--skip symbols.'

count=0
for object in "$build"/providers/.libs/*.so "$build"/plugins/*/.libs/*.so; do
    name=$(basename "$object" .so)
    nm -D --defined-only "$object" | grep -q ' koine_store_v' && continue # a store; tests/store looks at those
    count=$((count + 1))
    : >"$scratch/wrong"
    # shellcheck disable=SC2086 # words on purpose
    check "$object" --cases "$source/tests/vendor/$name" $left_out
    [ "$status" = 0 ] || cat "$scratch/found" >"$scratch/wrong"
    # The name of the test is all that a summary shows: it names the rules.
    judge "$name: $(tail -n 1 "$scratch/found" | sed 's/.*; //') $(tr '\n' ' ' <"$scratch/pairs")" "$scratch/wrong"
done
if [ "$count" -ge 4 ]; then ok "plugins are found"; else not_ok "plugins are found"; fi
plan
