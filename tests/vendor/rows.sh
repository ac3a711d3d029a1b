#!/bin/sh
# Every row of the corpus that rows.txt lists has a vendor case named by it, and no case names a row that is not listed.
. "${KOINE_TEST_SOURCE:-$(dirname "$0")/../..}/tests/style/tap.sh"

rows=$source/tests/vendor/rows.txt
grep -v '^#' "$rows" | grep . >"$scratch/lines"
cut -d' ' -f1 "$scratch/lines" >"$scratch/listed"

grep -v '^[A-Z][0-9][0-9] .' "$scratch/lines" >"$scratch/wrong"
judge "each line is a row and a few words" "$scratch/wrong"

# The list itself has no hole: of each letter every number up to the last row.
number() { # LETTER LAST
    i=1
    while [ "$i" -le "$2" ]; do
        printf '%s%02d\n' "$1" "$i"
        i=$((i + 1))
    done
}
{
    number F 14
    number E 21 | grep -v E06
    number C 20
    number T 11
    number X 6
    number R 8
} >"$scratch/all"
diff "$scratch/all" "$scratch/listed" >"$scratch/wrong"
judge "the list holds every row once, in order: $(wc -l <"$scratch/all" | tr -d ' ')" "$scratch/wrong"

# Names of cases that begin with a row: "F05 openai/F05-line-ends.txt"
(cd "$source/tests/vendor" && ls ./*/*.txt) |
    sed -n 's|^\./\([^/]*/\([A-Z][0-9][0-9]\)[^/]*\)$|\2 \1|p' >"$scratch/cases"
cut -d' ' -f1 "$scratch/cases" | sort -u >"$scratch/shown"

while read -r row words; do
    grep -qx "$row" "$scratch/shown" || echo "$row: no case shows it: $words"
done <"$scratch/lines" >"$scratch/wrong"
judge "every row has a case" "$scratch/wrong"

while read -r row file; do
    grep -qx "$row" "$scratch/listed" || echo "$file: $row is not in tests/vendor/rows.txt"
done <"$scratch/cases" >"$scratch/wrong"
judge "every case named by a row names one that is listed" "$scratch/wrong"

sed -n 's|^[^ ]* \(.*\)$|\1|p' "$scratch/cases" | grep -v '/[A-Z][0-9][0-9]-[a-z0-9-]*\.txt$' >"$scratch/wrong"
judge "cases named by a row are named ROW-what-it-shows.txt" "$scratch/wrong"

(cd "$source/tests/vendor" && ls -d ./*/) | sed 's|[./]||g' | while read -r vendor; do
    grep -q "X(vendor_$vendor)" "$source/tests/vendor/run.c" || echo "tests/vendor/$vendor: run.c does not know that vendor"
done >"$scratch/wrong"
judge "every folder of cases is run" "$scratch/wrong"

plan
