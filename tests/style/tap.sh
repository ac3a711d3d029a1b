# shellcheck shell=sh disable=SC2034
# tap: what the scripts of this folder share. Sets `source` and `build`, the two trees, and makes `scratch`, a folder that
# is gone at the end.
#
# ok NAME, not_ok NAME, skip NAME REASON, notes (diagnostics from standard input), judge NAME FILE (ok if FILE, the list
# of what is wrong, is empty), plan at the end.

source=${KOINE_TEST_SOURCE:-$(cd "$(dirname "$0")/../.." && pwd)}
build=${KOINE_TEST_BUILD:-$source}
LC_ALL=C
export LC_ALL
tap_count=0
tap_failed=0
scratch=$(mktemp -d) || exit 99
trap 'rm -rf "$scratch"' EXIT
trap 'exit 99' HUP INT TERM

ok() {
    tap_count=$((tap_count + 1))
    echo "ok $tap_count - $1"
}

not_ok() {
    tap_count=$((tap_count + 1))
    tap_failed=$((tap_failed + 1))
    echo "not ok $tap_count - $1"
}

skip() {
    tap_count=$((tap_count + 1))
    echo "ok $tap_count - $1 # SKIP $2"
}

notes() {
    sed 's/^/# /'
}

judge() {
    if [ -s "$2" ]; then
        not_ok "$1"
        notes <"$2"
    else
        ok "$1"
    fi
}

plan() {
    echo "1..$tap_count"
    [ "$tap_failed" = 0 ]
}

# The C files below the folders, as paths from the top of the source tree; never what a build left among them.
c_files() {
    (cd "$source" && find "$@" -name '*.[ch]' ! -path '*/.libs/*' ! -path '*/.deps/*' | sort)
}
