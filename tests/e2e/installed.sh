#!/bin/sh
# The installed tree: `make install DESTDIR=…`, moved into place as a package manager would, used through pkg-config.
#
# ./check runs this on a build whose prefix lies inside the build itself; any other prefix is not touched, and what needs
# the tree in place is skipped.
. "${KOINE_TEST_SOURCE:-$(dirname "$0")/../..}/tests/style/tap.sh"

value() { # of a variable of the build's Makefile
    printf 'include Makefile\nkoine_print:\n\t@echo "%s"\n' "\$($1)" | make -s --no-print-directory -C "$build" -f - koine_print
}

try() { # NAME COMMAND…
    name=$1
    shift
    if "$@" >"$scratch/said" 2>&1; then
        ok "$name"
    else
        not_ok "$name"
        tail -n 20 "$scratch/said" | notes
    fi
}

prefix=$(value prefix)
try "make install DESTDIR" make -s --no-print-directory -C "$build" install DESTDIR="$scratch/staged"
staged=$scratch/staged$prefix

headers=$(cd "$source" && echo include/koine/*.h)
for file in bin/koine lib/libkoine.so $headers lib/pkgconfig/koine.pc lib/koine/providers/together.so \
    lib/koine/providers/openai.so lib/koine/providers/anthropic.so lib/koine/providers/azure.so \
    lib/koine/providers/echo.so lib/koine/providers/gemini.so lib/koine/providers/gemini.json \
    lib/koine/providers/together.json lib/koine/providers/openai.json \
    lib/koine/providers/anthropic.json lib/koine/providers/azure.json libexec/koine/koine-standin libexec/koine/koine-isolate \
    libexec/koine/koine-plugin-check \
    share/man/man1/koine.1 share/koine/kit/common/Makefile share/koine/kit/chat/acme.c share/koine/kit/own/acme.c \
    share/koine/kit/own/cases/answer.txt; do
    [ -e "$staged/$file" ] || echo "$file"
done >"$scratch/wrong"
judge "everything is installed" "$scratch/wrong"
find "$staged" -name '*.a' -o -name 'libkoinecore*' -o -name 'libstandin*' -o -name 'libvendor*' >"$scratch/wrong"
judge "but nothing that is only for us" "$scratch/wrong"
grep -rl "$scratch" "$staged" >"$scratch/wrong"
judge "nothing installed names DESTDIR" "$scratch/wrong"

case $prefix in
"$build"/*) ;;
*)
    skip "the first program" "the prefix $prefix is not inside the build"
    plan
    exit
    ;;
esac
rm -rf "$prefix"
mkdir -p "$(dirname "$prefix")"
mv "$staged" "$prefix"

PKG_CONFIG_PATH=$prefix/lib/pkgconfig
export PKG_CONFIG_PATH
try "pkg-config knows koine" pkg-config --exists --print-errors "koine >= 0.1.0"
flags=
if ${NM:-nm} -D --undefined-only "$prefix/lib/libkoine.so" | grep -q __asan_init; then
    flags='-fsanitize=address,undefined' # a program must start with what its library was built with
fi
# shellcheck disable=SC2046,SC2086 # lists of options
try "the first program compiles with pkg-config's flags alone" ${CC:-cc} -Wall -Wextra -Werror $flags \
    -o "$scratch/first" "$source/tests/e2e/first.c" $(pkg-config --cflags --libs koine)

for file in "$source"/docs/examples/*.c; do
    packages=koine
    grep -q '#include <sodium.h>' "$file" && packages='koine libsodium'
    # shellcheck disable=SC2046,SC2086
    try "so does $(basename "$file") of the examples" ${CC:-cc} -Wall -Wextra -Werror $flags -o "$scratch/example" "$file" \
        $(pkg-config --cflags --libs $packages)
done

# libtool's installed programs know where their library is; ours is told.
LD_LIBRARY_PATH=$prefix/lib
export LD_LIBRARY_PATH
try "the first program runs" "$scratch/first"
grep -Eq '^together [0-9]+\.[0-9]+\.[0-9]+$' "$scratch/said" || sed 's/^/said: /' "$scratch/said" >"$scratch/wrong"
judge "and says id and version of together" "$scratch/wrong"
unset LD_LIBRARY_PATH
try "koine runs from where it is installed" "$prefix/bin/koine" --version
try "koine finds its providers there" "$prefix/bin/koine" providers --json
grep -q "$prefix/lib/koine/providers/together.so" "$scratch/said" || sed 's/^/said: /' "$scratch/said" >"$scratch/wrong"
judge "and no others" "$scratch/wrong"
try "koine standin is found there" "$prefix/bin/koine" standin --help
try "koine plugin check is found there" "$prefix/bin/koine" plugin check --help
try "make uninstall" make -s --no-print-directory -C "$build" uninstall
find "$prefix" ! -type d >"$scratch/wrong" 2>/dev/null
judge "leaves no file" "$scratch/wrong"

plan
