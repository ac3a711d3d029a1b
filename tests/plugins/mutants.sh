#!/bin/sh
# Of random mutants of echo, each different in one line, the checker finds at least 80 % of those that behave differently.
#
# mutants.sh [COUNT [SEED [SOURCE CASES]]]: so many mutants that compile; 200 by `make mutants`, a few in `make check`. The
# same seed gives the same mutants. What behaves differently and is not found is told. SOURCE is another plugin than echo.
# shellcheck disable=SC2154
. "${KOINE_TEST_SOURCE:-$(dirname "$0")/../..}/tests/style/tap.sh"
. "$source/tests/plugins/check.sh"

count=${1:-12}
seed=${2:-1}
original=${3:-$echo_source}
cases=${4:-$echo_cases}
wanted=80 # percent
behave=$build/tests/plugins/behave
tab=$(printf '\t')

# All that can be seen of the plugin; a crash or a loop shows as well.
observe() { # OBJECT FILE
    timeout 20 "$behave" "$1" "$cases" >"$2" 2>/dev/null
    echo "status $?" >>"$2"
}

# A name for what is exported and wanted: seen from outside before anything runs.
outside() { # OBJECT
    ${NM:-nm} -D "$1" | awk '{ print $(NF - 1), $NF }' | sort
}

observe_all() { # OBJECT FILE
    observe "$1" "$2"
    outside "$1" >>"$2"
}

mutate() { # LINE FILE: standard input is the new line
    awk -v at="$1" 'NR == FNR { line = $0; next } FNR == at { print line; next } { print }' - "$original" >"$2"
}

same() { # OBJECT: that it behaves like the original
    observe_all "$1" "$scratch/seen"
    cmp -s "$scratch/original.seen" "$scratch/seen"
}

compile "$original" "$scratch/original.so" || notes <"$scratch/said"
observe_all "$scratch/original.so" "$scratch/original.seen"
if same "$scratch/original.so"; then ok "the original behaves twice the same"; else not_ok "the original behaves twice the same"; fi
check "$scratch/original.so" --cases "$cases"
if [ "$status" = 0 ]; then ok "the original passes"; else not_ok "the original passes"; fi

tried=0 different=0 detected=0 looked=0
awk -v seed="$seed" -f "$source/tests/plugins/mutants.awk" "$original" >"$scratch/mutants"
while IFS=$tab read -r line what text <&3; do
    [ "$tried" -lt "$count" ] || break
    looked=$((looked + 1))
    printf '%s\n' "$text" | mutate "$line" "$scratch/m$looked.c"
    if compile "$scratch/m$looked.c" "$scratch/m$looked.so"; then
        tried=$((tried + 1))
        if ! same "$scratch/m$looked.so"; then
            different=$((different + 1))
            check "$scratch/m$looked.so" --cases "$cases"
            if [ "$status" = 1 ]; then
                detected=$((detected + 1))
            else
                echo "# not found: line $line, $what: $text"
            fi
        fi
    fi
    rm -f "$scratch/m$looked.c" "$scratch/m$looked.so"
done 3<"$scratch/mutants"

rate=0
[ "$different" -eq 0 ] || rate=$((detected * 100 / different))
echo "# seed $seed: $tried mutants, $different behave differently, $detected of them are found: $rate %"
if [ "$tried" = "$count" ]; then ok "$count mutants compile"; else not_ok "$count mutants compile: $tried"; fi
if [ "$rate" -ge "$wanted" ]; then ok "at least $wanted % are found"; else not_ok "at least $wanted % are found: $rate"; fi
plan
