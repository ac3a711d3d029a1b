#!/bin/sh
# Every C file is as clang-format 14 (Debian 12's) writes it; other versions write some things otherwise.
. "${KOINE_TEST_SOURCE:-$(dirname "$0")/../..}/tests/style/tap.sh"

wanted=14
tool=
for name in clang-format-$wanted clang-format; do
    if $name --version 2>/dev/null | grep -q "version $wanted\\."; then
        tool=$name
        break
    fi
done

for folder in include core providers plugins apps tests; do
    c_files $folder >"$scratch/files"
    [ -s "$scratch/files" ] || continue
    if [ -z "$tool" ]; then
        skip "$folder" "clang-format $wanted is not here"
        continue
    fi
    : >"$scratch/wrong"
    (cd "$source" && xargs "$tool" --dry-run -Werror --ferror-limit=1 <"$scratch/files") >"$scratch/said" 2>&1 ||
        awk -F: '/error:/ && !seen[$1]++ { print $1 ":" $2 ": not formatted: clang-format -i " $1 }' "$scratch/said" >"$scratch/wrong"
    judge "$folder: $(wc -l <"$scratch/files" | tr -d ' ') files are formatted" "$scratch/wrong"
done

plan
