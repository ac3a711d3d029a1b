#!/bin/sh
# Functions of at most 80 lines, no util.c, none of the calls that this library does without.
# shellcheck disable=SC2016 # awk has dollars of its own
. "${KOINE_TEST_SOURCE:-$(dirname "$0")/../..}/tests/style/tap.sh"

limit=80
c_files core providers plugins apps >"$scratch/files"

# A function lies between braces in column 0 (clang-format sees to that); it begins at the last line before with
# something else than a space, a comment or a preprocessor's line in column 0.
(cd "$source" && xargs awk '
FNR == 1 { start = 0; inside = 0 }
inside && /^}/ { print FNR - start + 1, FILENAME ":" start, name; inside = 0; next }
inside { next }
/^\{/ { inside = 1; if (!start) start = FNR; next }
/^[A-Za-z_]/ {
    start = FNR
    name = $0
    sub(/\(.*/, "", name)
    sub(/.*[ *]/, "", name)
    if ($0 ~ /^__attribute__/) { name = $0; sub(/^__attribute__\(\(.*\)\) /, "", name); sub(/\(.*/, "", name); sub(/.*[ *]/, "", name) }
}' <"$scratch/files") | sort -rn >"$scratch/functions"

if [ -s "$scratch/functions" ]; then
    ok "functions are found: $(wc -l <"$scratch/functions" | tr -d ' ')"
else
    not_ok "functions are found"
fi
awk -v limit=$limit '$1 > limit { print $2 ": " $3 " has " $1 " lines; " limit " is the limit" }' \
    "$scratch/functions" >"$scratch/wrong"
judge "no function is longer than $limit lines" "$scratch/wrong"
echo "# The longest five:"
head -n 5 "$scratch/functions" | awk '{ print $1 " lines: " $3 " (" $2 ")" }' | notes

grep -E '(^|/)utils?\.[ch]$' "$scratch/files" | sed 's/$/: a file is called by what it does/' >"$scratch/wrong"
judge "no file is called util" "$scratch/wrong"

# The code without comments, strings and characters, as FILE:LINE:TEXT.
(cd "$source" && xargs awk '
FNR == 1 { comment = 0 }
{
    text = ""
    line = $0
    while (line != "") {
        if (comment) {
            at = index(line, "*/")
            if (!at) { line = ""; break }
            line = substr(line, at + 2)
            comment = 0
        } else if (match(line, /\/\*|\/\/|"|'\''/)) {
            text = text substr(line, 1, RSTART - 1)
            mark = substr(line, RSTART, RLENGTH)
            line = substr(line, RSTART + RLENGTH)
            if (mark == "/*") { comment = 1; text = text " " }
            else if (mark == "//") line = ""
            else {
                while (line != "" && substr(line, 1, 1) != mark)
                    line = substr(line, substr(line, 1, 1) == "\\" ? 3 : 2)
                line = substr(line, 2)
                text = text mark mark
            }
        } else { text = text line; line = "" }
    }
    gsub(/\(format\([a-z]+,/, "((", text)
    if (text ~ /[^ \t]/)
        print FILENAME ":" FNR ":" text
}' <"$scratch/files") >"$scratch/code"

# A name that is called, or handed on as a function: not a member (a.free, a->free), nor part of a longer name.
used() { # FILES NAMES: what in the files that match uses one of the names
    grep -E "^($1)" "$scratch/code" | grep -E "^[^:]*:[0-9]*:(|.*[^A-Za-z0-9_.>])($2) *\("
    grep -E "^($1)" "$scratch/code" | grep -E "^[^:]*:[0-9]*:.*[(,=] *&?($2) *[,;)]"
}

banned() { # NAME FILES NAMES WHY
    used "$2" "$3" | sed "s/\$/   <- $4/" >"$scratch/wrong"
    judge "$1" "$scratch/wrong"
}
banned "no strcpy, strcat, sprintf, vsprintf, strtok, atoi, atol, atof, gets" '' \
    'strcpy|strcat|v?sprintf|strtok|ato[ifl]|atoll|gets' 'not checked, or not safe'
banned "the locale is left alone" '' 'setlocale|uselocale' 'the library and its programs work in any locale'
banned "the core prints nothing and never exits" 'core/' \
    'v?printf|puts|putchar|perror|exit|abort|syslog' 'say it in an error or in the log'
grep -E '^core/' "$scratch/code" | grep -Ev '^core/base/mem\.[ch]:' >"$scratch/core"
mv "$scratch/core" "$scratch/code"
banned "the core allocates through core/base/mem.h alone" 'core/' \
    'malloc|calloc|realloc|reallocarray|aligned_alloc|posix_memalign|free|strdup|strndup|v?asprintf' \
    'koine__alloc and its like'

c_files include core providers plugins apps tests >"$scratch/files"
later='TO''DO|FIX''ME'
(cd "$source" && xargs grep -nwE "$later" <"$scratch/files") >"$scratch/wrong"
judge "nothing is put off in a comment" "$scratch/wrong"

plan
