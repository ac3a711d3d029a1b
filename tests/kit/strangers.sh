#!/bin/sh
# What strangers build, built as they do: echo, both kinds of new plugins, and one provider in three languages whose
# traces are the same.
. "${KOINE_TEST_SOURCE:-$(dirname "$0")/../..}/tests/kit/lib.sh"

kit=$KOINE_TEST_KITDIR
flags=$(pkg-config --cflags koine)

one_symbol() { # NAME FILE: it exports the entry and nothing else
    ${NM:-nm} -D --defined-only "$2" | awk '{ print $3 }' >"$scratch/symbols"
    [ "$(cat "$scratch/symbols")" = "$entry" ] || sed 's/^/exports /' "$scratch/symbols" >"$scratch/wrong"
    judge "$1 exports one symbol" "$scratch/wrong"
    : >"$scratch/wrong"
}

# The name that every plugin exports, as the header has it.
echo '#include <koine/provider.h>
KOINE_ENTRY_NAME' >"$scratch/entry.c"
# shellcheck disable=SC2086 # lists of options
entry=$(${CC:-cc} $flags -E -P "$scratch/entry.c" | tail -n 1 | tr -d '" ')

# ---- echo -----------------------------------------------------------------------------------------------------------

mkdir "$scratch/echo" && cp "$source/plugins/echo/echo.c" "$scratch/echo" || exit 99
# shellcheck disable=SC2086
try "echo is built with pkg-config's flags alone" ${CC:-cc} -std=c11 -Wall -Wextra -Wpedantic -Werror $flags -fPIC -shared \
    -fvisibility=hidden -Wl,-z,defs -o "$scratch/echo/echo.so" "$scratch/echo/echo.c"
one_symbol "echo" "$scratch/echo/echo.so"
try "its cases pass" "$build/tests/kit/trace" "$scratch/echo/echo.so" "$source/tests/vendor/echo"
try "it answers, offline" env KOINE__plugin_path="[$scratch/echo]" koine chat -m echo/x Hi
has "with the document" '{"messages":[{"role":"user","content":"Hi"}]}'
try "the installed one does too" koine chat -m echo/x Hi
has "with the same" '{"messages":[{"role":"user","content":"Hi"}]}'

# ---- koine plugin new -----------------------------------------------------------------------------------------------

files() { # NAME: what a new folder holds
    printf '%s\n' "$1/Makefile" "$1/$1.c" "$1/$1.json" "$1/cases/answer.txt" "$1/cases/request.txt"
}

new() { # KIND NAME CAPITALS ARGUMENT…
    kind=$1 id=$2 capitals=$3
    shift 3
    try "new $id: $kind" koine plugin new "$id" "$@" || return
    grep -v '^It builds' "$scratch/said" >"$scratch/listed"
    files "$id" | diff - "$scratch/listed" >"$scratch/wrong"
    find "$id" -type f | sort >"$scratch/found"
    files "$id" | sort | diff - "$scratch/found" >>"$scratch/wrong"
    [ "$id" = acme ] || grep -rni acme "$id" >>"$scratch/wrong"
    grep -q "\"${capitals}_API_KEY\"" "$id/$id.c" || echo "no ${capitals}_API_KEY in $id.c" >>"$scratch/wrong"
    judge "new $id: the files, with the name put in" "$scratch/wrong"
    : >"$scratch/wrong"
    try "new $id: it builds" make -s -C "$id" CFLAGS="-O2 -Werror"
    one_symbol "new $id" "$id/$id.so"
    try "new $id: its cases pass" "$build/tests/kit/trace" "$id/$id.so" "$id/cases"
    try "new $id: make check" make -s -C "$id" check
    try "new $id: make install" make -s -C "$id" install plugindir="/lib" DESTDIR="$scratch/$id"
    try "new $id: it is found there" env KOINE__plugin_path="[$scratch/$id/lib]" koine providers
    has "new $id: with its key's variable" "missing: ${capitals}_API_KEY"
    try "new $id: and so is its catalogue" env KOINE__plugin_path="[$scratch/$id/lib]" \
        koine cost -m "$id/$id-small" --input 1000000 --output 1000000
    has "new $id: whose prices hold" "\$2.00  $id/$id-small@2026-01-01"
    if PATH=$KOINE_TEST_BINDIR:$PATH env KOINE__plugin_path="[$scratch/$id/lib]" koine plugin new "$id" \
        >"$scratch/said" 2>&1; then
        echo "it was written twice" >"$scratch/wrong"
    fi
    judge "new $id: not a second time" "$scratch/wrong"
    : >"$scratch/wrong"
}
new "chat by default" acme ACME
new "chat" my-lab_9 MY_LAB_9 --like chat
new "own" own-words OWN_WORDS --like own

# What a template says of its vendor must bear the mark.
for file in "$kit"/chat/acme.c "$kit"/own/acme.c; do
    grep -nE '"(https:|/|[A-Za-z]*[A-Z]+[A-Za-z]*-|Bearer|ACME|workspace|logit_bias|spending)' "$file" | grep -v CHANGE |
        sed "s|^|$file:|" >>"$scratch/wrong"
    [ "$(grep -c CHANGE "$file")" -ge 10 ] || echo "$file: hardly a line is marked" >>"$scratch/wrong"
done
judge "every line of the templates that must change is marked" "$scratch/wrong"
: >"$scratch/wrong"

refused() { # NAME WORDS ARGUMENT…: status 2 and one clear line
    why=$1 words=$2 status=0
    shift 2
    koine plugin "$@" >"$scratch/out" 2>"$scratch/err" || status=$?
    [ $status = 2 ] || echo "exit status $status, not 2" >>"$scratch/wrong"
    [ -s "$scratch/out" ] && echo "standard output is not empty" >>"$scratch/wrong"
    [ "$(wc -l <"$scratch/err")" = 1 ] || echo "not one line" >>"$scratch/wrong"
    grep -qF -e "$words" "$scratch/err" || sed 's/^/said: /' "$scratch/err" >>"$scratch/wrong"
    judge "new: $why" "$scratch/wrong"
    : >"$scratch/wrong"
}
mkdir there
: >file
ln -s nowhere link
refused "a folder that exists" "there is something named there here already" new there
refused "a file of that name" "there is something named file here already" new file
refused "a link that leads nowhere" "there is something named link here already" new link
refused "a name that is taken" "the name echo is taken by " new echo
for name in Acme 9lives a.b a/b ../x "" "a b" "$(printf 'a%.0s' $(seq 65))"; do
    refused "no name: \"$name\"" "is no name for a provider" new "$name"
done
refused "no name at all" "new needs a name" new
refused "another kind" '--like: "resp" is neither chat nor own' new fresh --like resp
refused "one name too many" '"b" is one argument too many' new a b
refused "another verb" '"nwe" is neither new nor check; did you mean new?' nwe acme
refused "nothing to do" "say what to do: new or check"
[ ! -e fresh ] || echo "a folder was left behind" >"$scratch/wrong"
judge "new: what is refused writes nothing" "$scratch/wrong"
: >"$scratch/wrong"

# ---- Witnesses ------------------------------------------------------------------------------------------------------

witness=$source/plugins/kit/witness
skipped=
mkdir "$scratch/c11" "$scratch/c++20" "$scratch/rust" || exit 99
printf 'entry!("%s");\n' "$entry" >"$scratch/entry.rs"

witness() { # LANGUAGE COMMAND…: its acme.so leaves the trace that the one in C leaves
    language=$1
    shift
    try "witness in $language: it builds" "$@" -o "$scratch/$language/acme.so" || return
    one_symbol "witness in $language" "$scratch/$language/acme.so"
    if ! "$build/tests/kit/trace" "$scratch/$language/acme.so" "$kit/own/cases" "$witness/cases" \
        >"$scratch/$language/trace" 2>&1; then
        cp "$scratch/$language/trace" "$scratch/wrong"
    fi
    judge "witness in $language: its cases pass" "$scratch/wrong"
    diff "$scratch/c11/trace" "$scratch/$language/trace" >"$scratch/wrong"
    judge "witness in $language: its trace is that of C" "$scratch/wrong"
    : >"$scratch/wrong"
}

without() { # LANGUAGE COMPILER
    skip "witness in $1" "no $2"
    skipped="$skipped $1"
}

# shellcheck disable=SC2086
witness c11 ${CC:-cc} -std=c11 -Wall -Wextra -Wpedantic -Werror $flags -fPIC -shared -fvisibility=hidden -Wl,-z,defs \
    "$kit/own/acme.c"
cxx=${CXX:-c++}
if echo 'int main() { return 0; }' | $cxx -std=c++20 -x c++ -fsyntax-only - 2>/dev/null; then
    # shellcheck disable=SC2086
    witness c++20 $cxx -std=c++20 -O2 -Wall -Wextra -Wno-missing-field-initializers -Werror -fno-exceptions -fno-rtti \
        $flags -fPIC -shared -fvisibility=hidden -Wl,-z,defs "$witness/acme.cpp"
else
    without c++20 "compiler that takes C++20"
fi
if (cd "$scratch" && rustc --version) >/dev/null 2>&1; then
    KOINE_ENTRY_FILE=$scratch/entry.rs
    export KOINE_ENTRY_FILE
    witness rust rustc --edition 2021 --crate-type cdylib -D warnings -O -C panic=abort "$witness/acme.rs"
else
    without rust rustc
fi
[ "$(grep -c '^== ' "$scratch/c11/trace")" -ge 10 ] || echo "hardly a case was played" >"$scratch/wrong"
judge "witnesses: there is something to compare" "$scratch/wrong"

plan
status=$?
echo "# witnesses skipped:${skipped:- none}"
exit $status
