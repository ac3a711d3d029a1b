#!/bin/sh
# docs/examples/embed: Koine in other people's loops. Each program is built as its first lines say and asks the stand-in
# several things at once; what a library is missing for is skipped and said.
. "${KOINE_TEST_SOURCE:-$(dirname "$0")/../..}/tests/e2e/lib.sh"

flags=
case $(${NM:-nm} -D --undefined-only "$build/.libs/libkoine.so") in # a program must start with what its library was built with
*__asan_init*) flags='-fsanitize=address,undefined' ;;
*__tsan_init*) flags='-fsanitize=thread' ;;
esac
LD_LIBRARY_PATH=$build/.libs${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
export LD_LIBRARY_PATH

standin --scale 0.01 --tokens 8
export KOINE__plugin_path="[$scratch/plugins]"
export KOINE__providers__openai__base_url="http://127.0.0.1:$port/openai/v1"
export KOINE__providers__openai__api_key=a-key

answers='Why is grass green? The common speech of many peoples is learned
Why is snow white? The common speech of many peoples is learned
Why is the sky blue? The common speech of many peoples is learned'

# compile FILE OPTION...: into $scratch/program
compile() {
    file=$source/docs/examples/embed/$1
    shift
    # shellcheck disable=SC2086 # may be a command with options
    case $file in
    *.cpp) set -- ${CXX:-c++} -std=c++17 "$file" "$@" ;;
    *) set -- ${CC:-cc} -std=c11 -D_GNU_SOURCE "$file" "$@" ;;
    esac
    # shellcheck disable=SC2086 # a list of options
    "$@" -Wall -Wextra -Werror $flags -I"$source/include" -L"$build/.libs" -lkoine -o "$scratch/program"
}

ask() { # ARGUMENT...: runs the program; sets $status, and $scratch/out
    forget_log
    timeout 60 "$scratch/program" "$@" >"$scratch/out.all" 2>"$scratch/err.all" </dev/null 9>&-
    status=$?
    sort "$scratch/out.all" >"$scratch/out"
    without_shadows "$scratch/err.all" >"$scratch/err"
}

try() { # FILE OPTION...
    name=$1
    if ! compile "$@" >"$scratch/compiled" 2>&1; then
        not_ok "$name compiles"
        notes <"$scratch/compiled"
        return
    fi
    ok "$name compiles"
    ask
    status_is 0
    out_is "$answers"
    err_is_empty
    posts_are 3
    done_with "$name prints three answers of three calls at once"
    ask 'openai/gpt-4o-mini!401'
    status_is 1
    done_with "$name says by its status that it was refused"
}

# The rest of a line names what pkg-config knows.
embed() { # FILE [LIBRARY]
    if [ -z "${2:-}" ]; then
        try "$1" -pthread
    elif ! pkg-config --exists "$2" 2>/dev/null; then
        skip "$1" "pkg-config finds no $2"
    else
        # shellcheck disable=SC2046 # a list of options
        try "$1" $(pkg-config --cflags --libs "$2")
    fi
}

embed poll.c
embed threads.c
if command -v "${CXX:-c++}" >/dev/null 2>&1; then
    embed cxx.cpp
else
    skip cxx.cpp "there is no C++ compiler"
fi
embed libuv.c libuv
embed libevent.c libevent
embed glib.c glib-2.0

plan
