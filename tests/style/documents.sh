#!/bin/sh
# Documentation is true: the pages of settings and of the checker's rules are what their tables print, the table of faults has every class,
# relative links lead somewhere, the man page is clean.
. "${KOINE_TEST_SOURCE:-$(dirname "$0")/../..}/tests/style/tap.sh"

: >"$scratch/wrong"
if "$build/docs/settings" >"$scratch/page"; then
    diff "$source/docs/configuration.md" "$scratch/page" >"$scratch/wrong" ||
        echo "run: make configuration-page" >>"$scratch/wrong"
else
    echo "docs/settings cannot print the page" >"$scratch/wrong"
fi
judge "docs/configuration.md is what the settings table prints" "$scratch/wrong"

: >"$scratch/wrong"
if "$build/apps/koine-plugin-check" --rules >"$scratch/page"; then
    diff "$source/docs/plugin-check.md" "$scratch/page" >"$scratch/wrong" ||
        echo "run: make plugin-check-page" >>"$scratch/wrong"
else
    echo "koine-plugin-check cannot print the page" >"$scratch/wrong"
fi
judge "docs/plugin-check.md is what the table of rules prints" "$scratch/wrong"

sed -n 's/^ *KOINE_CLASS_\([A-Z_]*\) = [1-9].*/\1/p' "$source/include/koine/koine.h" | tr '[:upper:]' '[:lower:]' |
    while read -r class; do
        grep -q "^|[^|]*\b$class\b" "$source/docs/design.md" || echo "docs/design.md: no row for class $class"
    done >"$scratch/wrong"
judge "docs/design.md has every class of faults" "$scratch/wrong"

(cd "$source" && for page in ./*.md docs/*.md tests/*/README.md plugins/*.md; do
    folder=$(dirname "$page")
    grep -o '](\([^)#]*\)[^)]*)' "$page" | sed 's/^](//; s/[)#].*//' | grep -v '^http' | grep . |
        while read -r link; do
            [ -e "$folder/$link" ] || echo "$page: $link leads nowhere"
        done
done) >"$scratch/wrong"
judge "links between pages lead somewhere" "$scratch/wrong"

if command -v mandoc >/dev/null 2>&1; then
    mandoc -T lint -W warning "$source/docs/man/koine.1" >"$scratch/wrong" 2>&1
    judge "the man page is clean" "$scratch/wrong"
else
    skip "the man page is clean" "mandoc is missing"
fi

plan
