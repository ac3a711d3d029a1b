#!/bin/sh
# The promise of docs/abi.md, kept by tools: what plugins and the core share has the layout it had when it was frozen, and
# libkoine has every function it had, with the same types.
#
# abi.sh writes TAP. `abi.sh baseline` (make abi-baseline) writes libkoine.abi anew, after a change that was meant.
. "${KOINE_TEST_SOURCE:-$(dirname "$0")/../..}/tests/style/tap.sh"

here=$source/tests/abi
library=$build/.libs/libkoine.so
machine=$(uname -m)

# The types that the public headers name, without the places in the tree where they were found.
describe() { # HEADERS OBJECT
    abidw --headers-dir "$1" --exported-interfaces-only --drop-private-types --no-corpus-path --no-comp-dir-path --no-show-locs \
        --no-elf-needed --no-parameter-names --no-write-default-sizes --type-id-style hash "$2" |
        sed -e "s/ path='[^']*\/core\// path='core\//" -e "s/ language='[^']*'//"
}

compile_surface() { # HEADERS OBJECT
    ${CC:-cc} -std=c11 -g -O0 -fPIC -shared -fvisibility=hidden -I"$1" -o "$2" "$here/surface.c"
}

if [ "${1-}" = baseline ]; then
    describe "$source/include/koine" "$library" >"$scratch/new" && cp "$scratch/new" "$here/libkoine.abi"
    exit
fi

if ! command -v abidiff >/dev/null 2>&1; then
    not_ok "abidiff is here (package abigail-tools): without it the promise is not looked after"
    plan
    exit
fi
if [ "$machine" != x86_64 ]; then
    skip "layout and signatures" "the baselines are of x86_64, this is $machine"
    plan
    exit
fi

# ---- Plugins: nothing moves --------------------------------------------------------------------------------------------

unchanged() { # HEADERS GROWTH: says what is not as it was frozen
    compile_surface "$1" "$scratch/surface.so" >"$scratch/said" 2>&1 || return
    abidiff --suppressions "$2" "$here/1.0/provider.abi" "$scratch/surface.so" >"$scratch/said" 2>&1
}

if unchanged "$source/include" "$here/growth.ini"; then
    ok "the plugin headers are laid out as 1.0 was, but for what was added at an end"
else
    not_ok "the plugin headers are laid out as 1.0 was, but for what was added at an end"
    notes <"$scratch/said"
fi

offsets_hold() { # HEADERS
    frozen=
    [ "$1" != "$here/1.0" ] || frozen=-DFROZEN
    # shellcheck disable=SC2086 # one flag or none
    ${CC:-cc} -std=c11 -fsyntax-only $frozen -I"$1" "$here/offsets.c" >"$scratch/said" 2>&1
}

# The same look must see each of these, and let pass what growth.ini names.
cat >"$scratch/growth.ini" <<END
[suppress_type]
  name = koine_cost_query
  has_data_member_inserted_at = end
END
mutate() { # NAME EXPECTED SED [GROWTH]: a header that differs from today's
    rm -rf "$scratch/changed"
    mkdir -p "$scratch/changed"
    cp -R "$source/include/koine" "$scratch/changed/koine"
    sed "$3" "$source/include/koine/provider.h" >"$scratch/changed/koine/provider.h"
    seen=same
    cmp -s "$source/include/koine/provider.h" "$scratch/changed/koine/provider.h" && seen=unmade
    [ $seen = unmade ] || unchanged "$scratch/changed" "${4-$here/growth.ini}" || seen=different
    if [ $seen = "$2" ]; then
        ok "$1"
    else
        not_ok "$1"
        echo "# it is $seen"
    fi
}
mutate "a field that is retyped would be seen" different 's/^    int64_t retry_ms;/    int32_t retry_ms;/'
mutate "a field that is put between others would be seen" different 's/^    int32_t http_status;/    int32_t http_version, http_status;/'
mutate "a field that is taken away would be seen" different '/^    int32_t batch;/d'
mutate "a function that gets another argument would be seen" different 's/^    void (\*close)(koine_out \*out);/    void (*close)(koine_out *out, int32_t how);/'
mutate "a field that is added at an end and not said would be seen" different 's/^    koine_str service_tier;.*/&\n    int64_t more;/'
mutate "a field that is added at an end and said is allowed" same 's/^    koine_str service_tier;.*/&\n    int64_t more;/' "$scratch/growth.ini"
if offsets_hold "$scratch/changed"; then
    ok "and offsets.c still holds for it"
else
    not_ok "and offsets.c still holds for it"
    notes <"$scratch/said"
fi
mutate "what abidiff lets pass in a struct that has grown" same 's/^    int64_t at;/    uint64_t at;/' "$scratch/growth.ini"
if offsets_hold "$scratch/changed"; then
    not_ok "offsets.c does not"
else
    ok "offsets.c does not"
fi

# ---- Every offset and type is asserted ---------------------------------------------------------------------------------

for headers in "$source/include" "$here/1.0"; do
    if offsets_hold "$headers"; then
        ok "offsets.c holds for ${headers#"$source/"}"
    else
        not_ok "offsets.c holds for ${headers#"$source/"}"
        notes <"$scratch/said"
    fi
done

# Fields of the frozen headers as `struct field`, from their own text.
fields() {
    cat "$@" | awk '
    {
        line = $0
        $0 = ""
        while (line != "") {
            at = index(line, comment ? "*/" : "/*")
            if (!comment)
                $0 = $0 (at ? substr(line, 1, at - 1) " " : line)
            line = at ? substr(line, at + 2) : ""
            comment = at ? !comment : comment
        }
    }
    /^(typedef )?struct [a-z_]+ [{]/ { name = $0; sub(/^(typedef )?struct /, "", name); sub(/ [{].*/, "", name); next }
    /^}/ { name = ""; next }
    name == "" { next }
    { text = text " " $0 }
    !/;/ { next }
    {
        sub(/;.*/, "", text)
        if (match(text, /\(\*[a-z_]+\)/)) {
            print name, substr(text, RSTART + 2, RLENGTH - 3)
        } else {
            count = split(text, part, ",")
            for (i = 1; i <= count; i++) {
                sub(/ *$/, "", part[i])
                sub(/.*[ *]/, "", part[i])
                print name, part[i]
            }
        }
        text = ""
    }'
}
(cd "$here/1.0/koine" && fields ./*.h) | sort -u >"$scratch/fields"
sed -n 's/^AT(\([a-z_]*\), \([a-z_]*\), [0-9]*,.*/\1 \2/p' "$here/offsets.c" | sort -u >"$scratch/asserted"
comm -3 "$scratch/fields" "$scratch/asserted" >"$scratch/wrong"
judge "offsets.c names every field of the frozen headers: $(wc -l <"$scratch/fields" | tr -d ' ')" "$scratch/wrong"

# ---- Applications: every function is still there -----------------------------------------------------------------------

if [ ! -f "$library" ]; then
    not_ok "libkoine.so has every function it had, with the same types"
    echo "# $library is not built"
elif ! ${READELF:-readelf} -S "$library" | grep -q '\.debug_info'; then
    skip "libkoine.so has every function it had, with the same types" "it was built without -g, so nothing tells its types"
elif abidiff --no-added-syms --headers-dir2 "$source/include/koine" "$here/libkoine.abi" "$library" >"$scratch/said" 2>&1; then
    ok "libkoine.so has every function it had, with the same types"
else
    not_ok "libkoine.so has every function it had, with the same types"
    notes <"$scratch/said"
    echo "# If this was meant: make abi-baseline, and say it in CHANGELOG.md."
fi

plan
