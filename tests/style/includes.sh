#!/bin/sh
# Who may include whom: ranks of the core, what programs and plugins may see, one file for each foreign library, and no
# circle of headers.
# shellcheck disable=SC2016 # awk has dollars of its own
. "${KOINE_TEST_SOURCE:-$(dirname "$0")/../..}/tests/style/tap.sh"

# Every include of the tree: file, line, and the name with its brackets.
c_files include core providers plugins apps tests >"$scratch/files"
(cd "$source" && xargs awk '/^[ \t]*#[ \t]*include[ \t]*[<"]/ {
    name = $0
    sub(/^[ \t]*#[ \t]*include[ \t]*/, "", name)
    sub(name ~ /^</ ? />.*/ : /".*/, name ~ /^</ ? ">" : "&", name)
    if (name ~ /^"/) { name = substr(name, 2); sub(/".*/, "", name); name = "\"" name "\"" }
    print FILENAME, FNR, name
}' <"$scratch/files") >"$scratch/includes"

if [ -s "$scratch/includes" ]; then
    ok "includes are found"
else
    not_ok "includes are found"
fi

awk '
BEGIN {
    n = split("base wire dialect plugin policy money tenant engine hub", folder, " ")
    for (i = 1; i <= n; i++)
        rank[folder[i]] = i
}
$1 ~ /^core\// && $3 ~ /^"/ {
    target = substr($3, 2, length($3) - 2)
    split($1, own, "/")
    count = split(target, part, "/")
    if (!(own[2] in rank))
        print $1 ": core/" own[2] " has no rank; give it one in tests/style/includes.sh"
    else if (part[1] != "core" || count < 3 || !(part[2] in rank))
        print $1 ":" $2 ": " $3 ": a file of the core includes \"core/FOLDER/FILE.h\" and <koine/…>"
    else if (rank[part[2]] > rank[own[2]])
        print $1 ":" $2 ": " $3 ": core/" part[2] " is above core/" own[2]
}' "$scratch/includes" >"$scratch/wrong"
judge "core: only the own folder and lower ranks" "$scratch/wrong"

awk '
$1 ~ /^include\// {
    allowed["include/koine/koine.h"] = "<stddef.h> <stdint.h>"
    allowed["include/koine/json.h"] = "<koine/koine.h>"
    allowed["include/koine/provider.h"] = "<stddef.h> <stdint.h>"
    allowed["include/koine/dialect.h"] = "<koine/provider.h>"
    allowed["include/koine/chat.h"] = allowed["include/koine/messages.h"] = "<koine/dialect.h>"
    allowed["include/koine/gemini.h"] = "<koine/dialect.h>"
    allowed["include/koine/store.h"] = "<koine/provider.h>"
    if (!($1 in allowed))
        print $1 ": a public header unknown here; say in tests/style/includes.sh what it may include"
    else if (index(" " allowed[$1] " ", " " $3 " ") == 0)
        print $1 ":" $2 ": " $3 ": only " allowed[$1]
}' "$scratch/includes" >"$scratch/wrong"
judge "public headers: nothing but what their users have anyway" "$scratch/wrong"

# A provider opens, prints and waits for nothing, so it needs only those headers of libc that only compute.
awk '
BEGIN {
    n = split("assert errno inttypes limits stdalign stdarg stdbool stddef stdint stdlib string strings", name, " ")
    for (i = 1; i <= n; i++)
        pure["<" name[i] ".h>"] = 1
    n = split("provider dialect chat messages gemini", name, " ")
    for (i = 1; i <= n; i++)
        pure["<koine/" name[i] ".h>"] = 1
}
$1 ~ /^providers\// && !($3 in pure) {
    print $1 ":" $2 ": " $3 ": a provider includes <koine/provider.h>, a dialect and libc that only computes"
}' "$scratch/includes" >"$scratch/wrong"
judge "providers: only <koine/provider.h>, dialects and libc" "$scratch/wrong"

awk '
$1 ~ /^plugins\// && $3 ~ /^"/ && $3 !~ /^"plugins\// { print $1 ":" $2 ": " $3 ": a plugin includes public headers" }
$1 ~ /^apps\// && $3 ~ /^"/ {
    home = $1
    sub(/[^\/]*$/, "", home)
    standin = $1 ~ /^apps\/koine-standin/ && $3 ~ /^"tests\/standin\//
    check = ($1 ~ /^apps\/koine-isolate/ && $3 ~ /^"core\//) || \
        ($1 ~ /^apps\/plugin-check\// && $3 ~ /^"(core|tests\/vendor)\//)
    own = home != "apps/" && index($3, "\"" home) == 1
    if (!standin && !check && !own)
        print $1 ":" $2 ": " $3 ": a program includes its own folder and public headers"
}
$1 ~ /^tests\/standin\// && ($3 ~ /^<koine\// || ($3 ~ /^"/ && $3 !~ /^"tests\/standin\//)) {
    print $1 ":" $2 ": " $3 ": the stand-in shares no code with what it tests"
}' "$scratch/includes" >"$scratch/wrong"
judge "programs and plugins: only public headers" "$scratch/wrong"

# Of public headers, each kind of code sees its own: programs not the ones for plugins, plugins not the ones for programs.
awk '
$1 ~ /^apps\/koine\// && $3 ~ /^<koine\// && $3 !~ /^<koine\/(koine|json)\.h>$/ {
    print $1 ":" $2 ": " $3 ": a program includes <koine/koine.h> and <koine/json.h>"
}' "$scratch/includes" >"$scratch/wrong"
judge "programs: not the headers of plugins" "$scratch/wrong"

single() { # FILE PATTERN: exactly this file may include what matches, and it does
    awk -v pattern="$2" -v file="$1" '
    $1 !~ /^tests\// && $3 ~ pattern {
        if ($1 == file)
            found = 1
        else
            print $1 ":" $2 ": " $3 ": only " file " may include it"
    }
    END {
        if (!found)
            print file " does not include it"
    }' "$scratch/includes" >"$scratch/wrong"
    judge "$3: included by $1 alone" "$scratch/wrong"
}
single core/wire/transport_curl.c '^[<"]curl/' curl
single core/wire/json_tree.c '^[<"]json-c/|^[<"]json[.]h' json-c
single core/hub/config.c '^[<"]yaml[.]h' libyaml
single core/plugin/object.c '^[<"]dlfcn[.]h' dlfcn
single plugins/sqlite/db.c '^[<"]sqlite3' SQLite
single core/base/crypto.c '^[<"]sodium' libsodium

awk '$1 ~ /\.h$/ {
    target = substr($3, 2, length($3) - 2)
    if ($3 ~ /^<koine\//)
        target = "include/" target
    else if ($3 ~ /^</)
        next
    print $1, target
}' "$scratch/includes" >"$scratch/pairs"
tsort "$scratch/pairs" 2>&1 >/dev/null | sed 's/^tsort: //' >"$scratch/wrong"
judge "headers include each other in no circle" "$scratch/wrong"

plan
