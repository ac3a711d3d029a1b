# shellcheck shell=sh disable=SC2154
# broken: the checker names the rule and the function of every plugin of broken.txt, and passes echo as it is. What sources
# this says which third of them. A name as an argument: only that one, and what the checker says of it.
. "${KOINE_TEST_SOURCE:-$(dirname "$0")/../..}/tests/style/tap.sh"
. "$source/tests/plugins/check.sh"

try() { # NAME RULE FUNCTION SCRIPT
    : >"$scratch/wrong"
    sed "$4" "$echo_source" >"$scratch/$1.c"
    if [ "$(diff "$echo_source" "$scratch/$1.c" | grep -c '^>')" != 1 ]; then
        echo "sed does not change exactly one line of $echo_source" >"$scratch/wrong"
    elif ! compile "$scratch/$1.c" "$scratch/$1.so"; then
        cp "$scratch/said" "$scratch/wrong"
    else
        check "$scratch/$1.so" --cases "$echo_cases"
        [ "$status" = 1 ] || echo "exit status $status, not 1" >>"$scratch/wrong"
        grep -qxF "$2 $3" "$scratch/pairs" || cat "$scratch/found" >>"$scratch/wrong"
        [ -z "$only" ] || notes <"$scratch/found"
    fi
    judge "$1: $2, $3" "$scratch/wrong"
    rm -f "$scratch/$1.c" "$scratch/$1.so"
}

passes() { # NAME OBJECT ARGUMENT…
    name=$1
    shift
    : >"$scratch/wrong"
    check "$@"
    [ "$status" = 0 ] || cat "$scratch/found" >"$scratch/wrong"
    judge "$name" "$scratch/wrong"
}

only=${1:-}
compile "$echo_source" "$scratch/echo.so" || notes <"$scratch/said"
passes "echo as it is" "$scratch/echo.so" --cases "$echo_cases"

broken=0
while read -r name && read -r rule function && IFS= read -r script; do
    read -r _
    broken=$((broken + 1))
    if [ -z "$only" ] && [ $((broken % 3)) = "$part" ] || [ "$only" = "$name" ]; then
        try "$name" "$rule" "$function" "$script"
    fi
done <<END
$(sed '1,/^$/d' "$source/tests/plugins/broken.txt")
END
if [ "$broken" -ge 24 ]; then ok "there are at least 24: $broken"; else not_ok "there are at least 24: $broken"; fi
plan
