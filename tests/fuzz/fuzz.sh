#!/bin/sh
# Builds the fuzz targets with clang's libFuzzer, AddressSanitizer and UBSan, and runs each for $FUZZ_SECONDS from its
# committed corpus. What they found stays in FOLDER/found, new inputs in FOLDER/new.
#
#   fuzz.sh FOLDER TARGET…
set -eu
folder=$1
shift
source=${KOINE_TEST_SOURCE:?}
clang=${FUZZ_CC:-clang}
flags="-std=gnu17 -D_GNU_SOURCE -g -gdwarf-4 -O1 -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all"
flags="$flags -I$source -I$source/include -include $folder/names.h"
packages="libcurl json-c yaml-0.1 libsodium"

mkdir -p "$folder/core"
cat >"$folder/names.h" <<END
#define KOINE_VERSION "fuzz"
#define KOINE_PLUGIN_DIR "/nonexistent"
#define KOINE_SYSCONF_DIR "/nonexistent"
#define KOINE_LIBEXECDIR "/nonexistent"
END
if ! echo 'int LLVMFuzzerTestOneInput(void); int LLVMFuzzerTestOneInput(void) { return 0; }' |
    "$clang" -fsanitize=fuzzer -x c -o "$folder/probe" - 2>"$folder/probe.log"; then
    echo "fuzz: $clang has no fuzzer library (Debian: libclang-rt-14-dev); see $folder/probe.log" >&2
    exit 1
fi

compile() { # SOURCE OBJECT
    # shellcheck disable=SC2046,SC2086 # words on purpose
    "$clang" $flags -fsanitize=fuzzer-no-link $(pkg-config --cflags $packages) -c -o "$2" "$1"
}

objects=
for file in "$source"/core/*/*.c "$source"/tests/fuzz/fuzz.c; do
    object=$folder/core/$(echo "${file#"$source"/}" | tr / _).o
    # Headers are not followed: an object older than any of them is made again.
    if [ ! -e "$object" ] || [ -n "$(find "$source/core" "$source/include" "$source/tests/fuzz" -newer "$object" \
        \( -name '*.h' -o -path "$file" \) -print -quit)" ]; then
        compile "$file" "$object"
    fi
    objects="$objects $object"
done

status=0
for target; do
    case $target in
    chat)
        more="fuzz/dialect vendor/case vendor/play vendor/trace vendor/together vendor/openai"
        more="$more vendor/azure vendor/fireworks vendor/llamacpp vendor/mistral vendor/ollama"
        ;;
    gemini) more="fuzz/dialect vendor/case vendor/play vendor/trace vendor/gemini" ;;
    messages) more="fuzz/dialect vendor/case vendor/play vendor/trace vendor/anthropic" ;;
    *) more= ;;
    esac
    own=
    for name in "fuzz/$target" $more; do
        object=$folder/core/tests_$(echo "$name" | tr / _).o
        compile "$source/tests/$name.c" "$object"
        own="$own $object"
    done
    # shellcheck disable=SC2046,SC2086 # words on purpose
    "$clang" $flags -fsanitize=fuzzer -o "$folder/$target" $own $objects \
        $(pkg-config --libs $packages) -lpthread -ldl
    mkdir -p "$folder/seeds/$target" "$folder/new/$target" "$folder/found/$target"
    "$folder/../$target" --unpack "$folder/seeds/$target"
    echo "fuzz: $target, ${FUZZ_SECONDS:-60} s"
    "$folder/$target" -max_total_time="${FUZZ_SECONDS:-60}" -max_len=4096 -timeout=10 -print_final_stats=1 \
        -artifact_prefix="$folder/found/$target/" "$folder/new/$target" "$folder/seeds/$target" \
        >"$folder/$target.log" 2>&1 || status=1
    grep -E '^(Done|SUMMARY|stat::number_of_executed_units)' "$folder/$target.log" || true
done
exit $status
