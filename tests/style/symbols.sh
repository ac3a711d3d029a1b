#!/bin/sh
# What the library and the plugins export is what they promise: the committed list, the public headers and the shared
# objects say the same.
. "${KOINE_TEST_SOURCE:-$(dirname "$0")/../..}/tests/style/tap.sh"

list=$source/tests/style/symbols.txt

# Names behind KOINE_API: a declaration runs up to its semicolon, its name stands before the first bracket.
declared() {
    (cd "$source/include/koine" && cat koine.h json.h) | awk '
    {
        line = $0
        code = ""
        while (line != "") {
            at = index(line, comment ? "*/" : "/*")
            if (!comment)
                code = code (at ? substr(line, 1, at - 1) " " : line)
            line = at ? substr(line, at + 2) : ""
            comment = at ? !comment : comment
        }
        $0 = code
    }
    /^[ \t]*#/ { next }
    /KOINE_API/ { open = 1; text = "" }
    open { text = text " " $0 }
    open && /;/ {
        open = 0
        sub(/\(.*/, "", text)
        sub(/ *$/, "", text)
        sub(/.*[ *]/, "", text)
        print text
    }' | sort
}
declared >"$scratch/declared"

if sort -u "$list" | cmp -s - "$list"; then
    ok "symbols.txt is sorted, and names nothing twice"
else
    not_ok "symbols.txt is sorted, and names nothing twice"
fi

compare() { # NAME WANTED FOUND WHERE
    {
        comm -23 "$2" "$3" | sed "s|\$| is missing in $4|"
        comm -13 "$2" "$3" | sed "s|\$| is in $4, but not promised|"
    } >"$scratch/wrong"
    judge "$1" "$scratch/wrong"
}
compare "symbols.txt has every function of the headers: $(wc -l <"$list" | tr -d ' ')" "$list" "$scratch/declared" "the headers"

# Names of versions are absolute symbols; sanitizers and gcov add some of their own, which never start like ours.
exported() {
    ${NM:-nm} -D --defined-only "$1" | awk '$2 != "A" {
        sub(/@.*/, "", $3)
        if ($3 !~ /^(_init|_fini|_edata|_end|__bss_start|__odr_asan|__asan_|__ubsan_|__gcov_|__llvm_)/)
            print $3
    }' | sort -u
}

shared() { # NAME WANTED OBJECT
    if ! command -v "${NM:-nm}" >/dev/null 2>&1; then
        skip "$1" "there is no nm"
    elif [ ! -f "$3" ]; then
        not_ok "$1"
        echo "# $3 is not built"
    else
        exported "$3" >"$scratch/exported"
        compare "$1" "$2" "$scratch/exported" "$(basename "$3")"
    fi
}
shared "libkoine.so exports symbols.txt and nothing else" "$list" "$build/.libs/libkoine.so"
echo koine_provider_v1 >"$scratch/entry"
for file in "$source"/providers/*.c; do
    name=$(basename "$file" .c)
    shared "$name.so exports its entry and nothing else" "$scratch/entry" "${KOINE_TEST_PROVIDERS:-$build/providers/.libs}/$name.so"
done

echo koine_store_v0 >"$scratch/entry"
if [ -f "$build/plugins/sqlite/sqlite.la" ]; then
    shared "sqlite.so exports its entry and nothing else" "$scratch/entry" "$build/plugins/sqlite/.libs/sqlite.so"
else
    skip "sqlite.so exports its entry and nothing else" "built without SQLite"
fi

plan
