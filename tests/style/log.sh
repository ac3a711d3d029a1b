#!/bin/sh
# docs/log.md lists every event of the log with its level and its fields, in their order, and none that is not there; no
# plugin of ours writes what it is given to translate.
# shellcheck disable=SC2016 # awk has dollars of its own
. "${KOINE_TEST_SOURCE:-$(dirname "$0")/../..}/tests/style/tap.sh"

# Of each statement: "event LEVEL" and its fields, in a line. An event is the literal that is an argument of its own, a field
# one that is the first argument of something.
c_files core apps | grep -v '^core/base/log\.h$' >"$scratch/files"
(cd "$source" && xargs cat <"$scratch/files") | awk '
/KOINE__LOG\(/ { open = 1; statement = "" }
open { statement = statement " " $0 }
open && /;[ \t]*$/ {
    open = 0
    level = "any level"
    if (match(statement, /KOINE__LOG_[A-Z]+/))
        level = tolower(substr(statement, RSTART + 11, RLENGTH - 11))
    if (!match(statement, /, *"[a-z_]+"/)) {
        print "? no event in:" statement
        next
    }
    event = substr(statement, RSTART, RLENGTH)
    gsub(/[^a-z_]/, "", event)
    rest = substr(statement, RSTART + RLENGTH)
    line = event ", " level ":"
    while (match(rest, /[a-z_]\( *"[a-z_]+"/)) {
        field = substr(rest, RSTART + 1, RLENGTH - 1)
        gsub(/[^a-z_]/, "", field)
        line = line " " field
        rest = substr(rest, RSTART + RLENGTH)
    }
    print line
}' >"$scratch/statements"

# The page in the same form.
awk '
/^## / { line = line == "" ? "" : line "\n"; printf "%s", line; line = "" }
/^### / { if (line != "") print line; gsub(/[#` ]/, ""); sub(/,/, ", "); sub(/anylevel/, "any level"); line = $0 ":"; next }
line != "" && /^\| `/ { split($0, part, "`"); line = line " " part[2] }
END { if (line != "") print line }' "$source/docs/log.md" >"$scratch/page"

[ "$(wc -l <"$scratch/statements")" -ge 10 ] || echo "only these statements were found:" >"$scratch/wrong"
[ -s "$scratch/wrong" ] && cat "$scratch/statements" >>"$scratch/wrong"
judge "statements are found" "$scratch/wrong"

# One event may have several statements, each with some of its fields.
awk '
function is_part(some, all,    i, j, n, m, a, b) {
    n = split(some, a, " "); m = split(all, b, " ")
    for (i = j = 1; i <= n && j <= m; j++) if (a[i] == b[j]) i++
    return i > n
}
{ at = index($0, ":"); name = substr($0, 1, at - 1); fields = substr($0, at + 1) }
FILENAME == ARGV[1] { page[name] = fields; next }
!(name in page) { print "docs/log.md has no `" name "`:" fields; next }
!is_part(fields, page[name]) { print "docs/log.md, " name ": the source has" fields }
{ n = split(fields, list, " "); for (i = 1; i <= n; i++) told[name, list[i]] = 1; seen[name] = 1 }
END {
    for (name in page) {
        if (!(name in seen)) print "docs/log.md, " name ": no statement says that"
        n = split(page[name], list, " ")
        for (i = 1; i <= n; i++)
            if (!((name, list[i]) in told)) print "docs/log.md, " name ": no statement has " list[i]
    }
}' "$scratch/page" "$scratch/statements" >"$scratch/wrong"
judge "docs/log.md lists the events and fields there are" "$scratch/wrong"

(cd "$source" && grep -rnE 'host *-> *log\b' providers core/dialect plugins --include='*.[ch]') >"$scratch/wrong"
judge "no plugin of ours logs" "$scratch/wrong"

plan
