#!/bin/sh
# Each public header stands alone, may be included twice, and is C11 as well as C++11.
. "${KOINE_TEST_SOURCE:-$(dirname "$0")/../..}/tests/style/tap.sh"

warnings='-Wall -Wextra -Wpedantic -Wshadow -Wundef -Werror'
(cd "$source/include" && find koine -name '*.h' | sort) >"$scratch/headers"
[ -s "$scratch/headers" ] || not_ok "public headers are found"

# The compiler comes from configure and may carry options, so it is left to be split.
compile() { # NAME FILE COMMAND…
    name=$1 file=$2
    shift 2
    # shellcheck disable=SC2086
    "$@" $warnings -I"$source/include" -fsyntax-only "$file" >"$scratch/wrong" 2>&1 && : >"$scratch/wrong"
    judge "$name" "$scratch/wrong"
}

while read -r header; do
    printf '#include <%s>\n#include <%s>\n' "$header" "$header" >"$scratch/alone.c"
    cp "$scratch/alone.c" "$scratch/alone.cc"
    # shellcheck disable=SC2086
    compile "<$header> as C11" "$scratch/alone.c" ${CC:-cc} -std=c11 -pedantic -Wc++-compat -Wstrict-prototypes
    # shellcheck disable=SC2086
    compile "<$header> as C17" "$scratch/alone.c" ${CC:-cc} -std=c17 -pedantic
    if command -v "${CXX:-g++}" >/dev/null 2>&1; then
        compile "<$header> as C++11" "$scratch/alone.cc" "${CXX:-g++}" -std=c++11 -pedantic
    else
        skip "<$header> as C++11" "there is no ${CXX:-g++}"
    fi
done <"$scratch/headers"

plan
