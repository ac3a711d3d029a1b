# shellcheck shell=bash disable=SC2034
# steps: what ./check and ./quickstart share. Sourced by bash from the top of the tree.
#
# step NAME LOG COMMAND…   one line with the time it took; all output goes to LOG, its end is shown on failure
# need… / install_missing  packages that are not there, found by what they bring, so that nothing is asked of apt-get
#                          when all is there
# configure_in FOLDER …    an out-of-tree build, configured again only when it is asked differently

export LC_ALL=C.UTF-8
umask 022 # plugins that others may write are not loaded
jobs=$(nproc 2>/dev/null || echo 2)
bold='' dim='' red='' green='' plain=''
if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then
    bold=$'\e[1m' dim=$'\e[2m' red=$'\e[31m' green=$'\e[32m' plain=$'\e[0m'
fi

milliseconds() {
    local now=${EPOCHREALTIME//[!0-9]/}
    echo "${now%???}"
}

seconds_since() { # START in ms: "1.2 s"
    local ms=$(($(milliseconds) - $1))
    printf '%d.%d s' $((ms / 1000)) $((ms % 1000 / 100))
}

timed() { # NAME LOG COMMAND…: the line alone
    local name=$1 log=$2 start status=0 mark="${green}ok$plain"
    shift 2
    start=$(milliseconds)
    mkdir -p "$(dirname "$log")"
    [ -t 1 ] && printf '  %-46s …' "$name"
    "$@" >"$log" 2>&1 </dev/null || status=$?
    [ $status = 0 ] || mark="${red}failed$plain"
    [ -t 1 ] && printf '\r'
    printf '  %-46s %8s  %s\n' "$name" "$(seconds_since "$start")" "$mark"
    return $status
}

show_end() { # LOG
    echo "  $dim$1 ends:$plain"
    tail -n 25 "$1" | sed 's/^/  | /'
}

step() { # NAME LOG COMMAND…
    local status=0
    timed "$@" || status=$?
    [ $status = 0 ] || show_end "$2"
    return $status
}

# ---- Packages -------------------------------------------------------------------------------------------------------

missing=()          # packages that must be there
missing_optional=() # and those without which something is skipped
declare -A reasons  # package: what it is for

lacks() { # PACKAGE WHY
    missing+=("$1")
    reasons[$1]=$2
}

need_command() { # COMMAND PACKAGE WHY
    command -v "$1" >/dev/null 2>&1 || lacks "$2" "$3"
}

need_library() { # NAME-FOR-PKG-CONFIG PACKAGE WHY
    pkg-config --exists "$1" 2>/dev/null || lacks "$2" "$3"
}

need_header() { # HEADER PACKAGE WHY
    printf '#include <%s>\n' "$1" | ${CC:-cc} -E -x c - >/dev/null 2>&1 || lacks "$2" "$3"
}

want() { # PACKAGE WHY
    missing_optional+=("$1")
    reasons[$1]=$2
}

want_file() { # FILE PACKAGE WHY
    [ -e "$1" ] || want "$2" "$3"
}

want_command() { # COMMAND PACKAGE WHY
    want_file "$(command -v "$1")" "$2" "$3"
}

want_library() { # NAME-FOR-PKG-CONFIG PACKAGE WHY
    pkg-config --exists "$1" 2>/dev/null || want "$2" "$3"
}

need_for_build() {
    need_command autoconf autoconf "makes configure"
    need_command automake automake "makes Makefile.in"
    need_command libtoolize libtool "makes shared objects"
    need_command pkg-config pkg-config "finds libraries"
    need_command make make "builds"
    local compiler=${CC:-cc}
    need_command "${compiler%% *}" gcc "compiles"
    need_header stdio.h libc6-dev "headers of the C library"
    need_library libcurl libcurl4-openssl-dev "HTTP and TLS"
    need_library json-c libjson-c-dev "JSON"
    need_library yaml-0.1 libyaml-dev "the configuration file"
    need_library libsodium libsodium-dev "hashes"
    need_library sqlite3 libsqlite3-dev "the ledger and the budgets"
}

apt_get() {
    local sudo=()
    if [ "$(id -u)" != 0 ]; then
        command -v sudo >/dev/null || return 1
        sudo=(sudo)
    fi
    "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get "$@"
}

list_missing() {
    local package
    for package in "${missing[@]}"; do
        printf '  %-24s %s\n' "$package" "${reasons[$package]-}"
    done
    for package in "${missing_optional[@]}"; do
        printf '  %-24s %s (can be done without)\n' "$package" "${reasons[$package]-}"
    done
}

# Fails if a package that must be there is missing and cannot be installed.
install_missing() { # LOG
    local obstacle='' package
    [ ${#missing[@]} = 0 ] && [ ${#missing_optional[@]} = 0 ] && return 0
    echo "These packages are missing:"
    list_missing
    command -v apt-get >/dev/null || obstacle="There is no apt-get here (the names are Debian's)"
    [ "$(id -u)" = 0 ] || [ -n "$obstacle" ] || command -v sudo >/dev/null || obstacle="We are not root, and there is no sudo"
    if [ -n "$obstacle" ]; then
        [ ${#missing[@]} = 0 ] && return 0
        echo "$obstacle: please install them, and start again."
        return 1
    fi
    if [ "$(id -u)" != 0 ]; then
        echo "They are installed with sudo apt-get."
        sudo true || return 1 # so that its question is seen
    fi
    step "apt-get update" "$1" apt_get update -q || true
    if [ ${#missing[@]} != 0 ]; then
        step "apt-get install" "$1" apt_get install -y -q --no-install-recommends "${missing[@]}" || return 1
    fi
    for package in "${missing_optional[@]}"; do
        timed "apt-get install $package" "$1" apt_get install -y -q --no-install-recommends "$package" || true
    done
    hash -r
}

# ---- Builds ---------------------------------------------------------------------------------------------------------

# A tree that was configured in place cannot be built out of tree as well; such a one is copied, by its own `make distdir`.
find_source() { # sets source
    source=$PWD
    [ -f config.status ] || return 0
    mkdir -p build
    source=$PWD/build/source
    step "copy of the tree, which is configured in place" build/source.log \
        make --no-print-directory distdir distdir=build/source
}

prepare() { # makes configure, where it is missing
    [ -x "$source/configure" ] && [ -f "$source/build-aux/tap-driver.sh" ] && [ -f "$source/Makefile.in" ] && return 0
    (cd "$source" && mkdir -p m4 && autoreconf -i)
}

configure_in() { # FOLDER ARGUMENT…
    local folder=$1 asked
    shift
    asked="$source $* CC=${CC:-} CFLAGS=${CFLAGS:-}"
    prepare || return 1
    [ -f "$folder/Makefile" ] && [ "$(cat "$folder/.asked" 2>/dev/null)" = "$asked" ] && return 0
    mkdir -p "$folder" && rm -f "$folder/.asked"
    (cd "$folder" && "$source/configure" --quiet "$@") || return 1
    printf '%s\n' "$asked" >"$folder/.asked"
}

make_in() { # FOLDER ARGUMENT…
    make --no-print-directory -C "$1" -j"$jobs" "${@:2}"
}
