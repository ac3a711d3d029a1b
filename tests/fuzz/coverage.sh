#!/bin/sh
# Each corpus holds at least 200 inputs, and they reach 95 % of the lines that their target is about. Speaks TAP; it wants
# a build with --enable-coverage, whose own counts stay as they are.
#
#   coverage.sh TARGET…    these; without: all. SHOW=1 prints the lines that nothing reaches.
#
# Only the inputs run, not the changed copies. An unreached line that names a failure to allocate (`memory` below) does not
# count: no input can bring that about. A reached one does.
. "${KOINE_TEST_SOURCE:-$(dirname "$0")/../..}/tests/style/tap.sh"
# shellcheck disable=SC2154 # set in tap.sh
least_inputs=200 least_percent=95
memory='KOINE_EMEMORY|KOINE_NO_MEMORY|error_memory[(]|no_memory[(]'

# What a target is about: files, `=` and the functions of a file that are alone meant, or `!` and those that are not: they
# open files, or are given no bytes of a stranger's.
about() { # TARGET
    case $1 in
    advice) echo core/policy/retry.c=advised,advised_date,koine__retry_after core/base/date.c!koine__write_moment ;;
    catalogue) echo core/plugin/catalogue.c!read_descriptor,read_file,koine__catalogue_add_file core/plugin/catalogue_read.c ;;
    chat)
        echo core/dialect/chat.c!calculate_cost,price core/dialect/chat_*.c
        echo core/dialect/dialect_answer.c!koine__dialect_count,koine__dialect_code core/dialect/dialect_fault.c
        echo core/dialect/dialect_index.c core/dialect/dialect_models.c!next_page core/dialect/dialect_text.c!koine__dialect_is_one_of
        echo core/dialect/dialect_traits.c!koine__dialect_cost core/dialect/dialect_write.c
        ;;
    config) echo core/hub/config.c!find_folder,koine__config_load core/hub/config_*.c ;;
    dotenv) echo core/hub/env.c!koine__env_add_file ;;
    frame) echo core/wire/frame.c ;;
    json) echo core/wire/json.c core/wire/json_scan.c core/wire/json_text.c core/wire/json_tree.c ;;
    gemini) echo core/dialect/gemini.c!calculate_cost core/dialect/gemini_*.c core/dialect/dialect_*.c ;;
    messages)
        echo core/dialect/messages.c!calculate_cost core/dialect/messages_*.c
        for part in answer data document fault keep models text traits turns write; do
            echo core/dialect/dialect_$part.c
        done
        ;;
    setting) echo core/base/settings.c core/base/settings_value.c ;;
    *) return 1 ;;
    esac
}

# Lines of `gcov -t` that count, as "reached|unreached FILE:LINE TEXT". Functions lie between braces in column 0.
counted() { # WHICH
    awk -v which="$1" -v memory="$memory" '
    BEGIN {
        mark = substr(which, match(which, /[=!]/), RSTART ? 1 : 0)
        path = RSTART ? substr(which, 1, RSTART - 1) : which
        count = split(RSTART ? substr(which, RSTART + 1) : "", names, ",")
        for (i = 1; i <= count; i++) listed[names[i]] = 1
    }
    /^ *-: *0:Source:/ { inside = $0 ~ path "$"; next }
    !inside { next }
    {
        ran = $0; sub(/:.*/, "", ran); gsub(/[ *]/, "", ran)
        rest = substr($0, index($0, ":") + 1)
        line = rest; sub(/:.*/, "", line); gsub(/ /, "", line)
        text = substr(rest, index(rest, ":") + 1)
        if (text ~ /^[A-Za-z_].*[(]/) {
            function_name = text
            sub(/^__attribute__[(][(].*[)][)] /, "", function_name)
            sub(/[(].*/, "", function_name); sub(/.*[ *]/, "", function_name)
        }
        left_out = mark == "=" ? !(function_name in listed) : mark == "!" && function_name in listed
        if (ran == "-" || left_out) next
        missed = ran ~ /^[#=]/
        if (!(missed && text ~ memory)) print (missed ? "unreached " : "reached ") path ":" line " " text
    }'
}

# The notes of the compiler beside what ran, away from the build.
gather() { # TARGET FILE: the lines that count
    object=$(dirname "$2")/.libs/libkoinecore_la-$(basename "$2" .c)
    mkdir -p "$scratch/$1$build/$(dirname "$object")"
    cp "$build/$object.gcno" "$scratch/$1$build/$object.gcno" &&
        (cd "$build" && "${GCOV:-gcov}" -t -o "$scratch/$1$build/$(dirname "$object")" "libkoinecore_la-$(basename "$2")") \
            2>>"$scratch/$1.gcov"
}

run_inputs() { # TARGET: how many
    mkdir -p "$scratch/$1" "$scratch/inputs/$1"
    GCOV_PREFIX=$scratch/other "$build/tests/fuzz/$1" --unpack "$scratch/inputs/$1" &&
        GCOV_PREFIX=$scratch/$1 "$build/tests/fuzz/$1" "$scratch/inputs/$1"/* >"$scratch/$1.log" 2>&1 &&
        find "$scratch/inputs/$1" -type f | wc -l
}

measure() { # TARGET
    name=$1 inputs=$(run_inputs "$1")
    : >"$scratch/lines"
    for which in $(cd "$source" && about "$1"); do
        gather "$1" "${which%%[=!]*}" | counted "$which" >>"$scratch/lines"
    done
    all=$(wc -l <"$scratch/lines") ran=$(grep -c '^reached' "$scratch/lines")
    percent=$(echo "$ran $all" | awk '{ printf "%.1f", $2 ? 100 * $1 / $2 : 0 }')
    says="$name: ${inputs:-no} inputs reach $ran of $((all)) lines, $percent %"
    enough=0
    if [ "${inputs:-0}" -ge $least_inputs ] && [ "$all" -gt 0 ] && [ $((ran * 100)) -ge $((all * least_percent)) ]; then
        enough=1
        ok "$says"
    else
        not_ok "$says"
    fi
    awk '{ sub(/:.*/, "", $2); all[$2]++; if ($1 == "reached") ran[$2]++ }
        END { for (file in all) printf "%6.1f %%  %4d of %4d lines  %s\n", 100 * ran[file] / all[file], ran[file], all[file], file }' \
        "$scratch/lines" | sort -k5 | notes
    if [ -z "$inputs" ] || [ "$all" = 0 ]; then
        tail -n 5 "$scratch/$name.log" "$scratch/$name.gcov" | notes
    elif [ $enough = 0 ] || [ -n "${SHOW:-}" ]; then
        grep '^unreached' "$scratch/lines" | notes
    fi
}

[ -n "$(find "$build/core/wire/.libs" -name '*.gcno' -print -quit 2>/dev/null)" ] || {
    echo "Bail out! $build was not configured with --enable-coverage"
    exit 1
}
[ $# -gt 0 ] || set -- advice catalogue chat config dotenv frame gemini json messages setting
for target; do
    measure "$target"
done
plan
