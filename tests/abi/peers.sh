#!/bin/sh
# The same plugin built with the frozen headers, with today's, and with headers of the future: all three run against this
# core, and it reads the same from them.
# shellcheck disable=SC2154
. "${KOINE_TEST_SOURCE:-$(dirname "$0")/../..}/tests/style/tap.sh"

umask 022
mkdir "$scratch/later" "$scratch/later/koine"
for header in "$source"/include/koine/*.h; do
    awk -f "$source/tests/abi/later.awk" "$header" >"$scratch/later/koine/$(basename "$header")"
done
grep -c of_later "$scratch/later/koine/provider.h" >"$scratch/count"
if [ "$(cat "$scratch/count")" -ge 12 ]; then
    ok "headers of the future: $(cat "$scratch/count") structs of provider.h are longer"
else
    not_ok "headers of the future: every struct of provider.h is longer"
fi

play() { # NAME HEADERS FLAGS…: builds the peer, and what the core reads from it is NAME.trace
    name=$1 headers=$2
    shift 2
    mkdir "$scratch/$name"
    # shellcheck disable=SC2086 # CC may be two words
    if ! ${CC:-cc} -std=c11 -Wall -Wextra -Werror -fPIC -shared -fvisibility=hidden "$@" -I"$headers" -I"$source" \
        -o "$scratch/$name/acme.so" "$source/tests/abi/peer.c" >"$scratch/said" 2>&1; then
        not_ok "$name: it builds"
        notes <"$scratch/said"
        return
    fi
    ok "$name: it builds"
    if "$build/tests/kit/trace" "$scratch/$name/acme.so" "$source/tests/abi/cases" "$source/plugins/kit/own/cases" \
        "$source/plugins/kit/witness/cases" >"$scratch/$name.trace" 2>"$scratch/said"; then
        ok "$name: it runs, and its $(grep -c '^== ' "$scratch/$name.trace") cases hold"
    else
        not_ok "$name: it runs, and its cases hold"
        cat "$scratch/said" "$scratch/$name.trace" | grep -A 12 -e '^not ok' -e 'rror' | notes
    fi
}

play yesterday "$source/tests/abi/1.0"
play today "$source/include"
play tomorrow "$scratch/later" -DKOINE_LATER -Wno-missing-field-initializers # the headers' own macros are today's
for name in yesterday tomorrow; do
    diff "$scratch/today.trace" "$scratch/$name.trace" >"$scratch/wrong" 2>&1
    judge "$name: the trace is today's" "$scratch/wrong"
done
plan
