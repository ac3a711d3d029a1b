# shellcheck shell=bash disable=SC2034
# steps: what ./check and ./quickstart share. Sourced by bash from the top of the tree.
#
# step NAME LOG COMMAND…   one line with the time it took; all output goes to LOG, its end is shown on failure
# need… / install_missing  packages that are not there, found by what they bring, so that nothing is asked of apt-get
#                          when all is there
# configure_in FOLDER …    an out-of-tree build, configured again only when it is asked differently

export LC_ALL=C.UTF-8
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

need_command() { # COMMAND PACKAGE
    command -v "$1" >/dev/null 2>&1 || missing+=("$2")
}

need_library() { # NAME-FOR-PKG-CONFIG PACKAGE
    pkg-config --exists "$1" 2>/dev/null || missing+=("$2")
}

need_header() { # HEADER PACKAGE
    printf '#include <%s>\n' "$1" | ${CC:-cc} -E -x c - >/dev/null 2>&1 || missing+=("$2")
}

want_file() { # FILE PACKAGE
    [ -e "$1" ] || missing_optional+=("$2")
}

want_command() { # COMMAND PACKAGE
    command -v "$1" >/dev/null 2>&1 || missing_optional+=("$2")
}

need_for_build() {
    need_command autoconf autoconf
    need_command automake automake
    need_command libtoolize libtool
    need_command pkg-config pkg-config
    need_command make make
    local compiler=${CC:-cc}
    need_command "${compiler%% *}" gcc
    need_header stdio.h libc6-dev
    need_library libcurl libcurl4-openssl-dev
    need_library json-c libjson-c-dev
    need_library yaml-0.1 libyaml-dev
    need_library libsodium libsodium-dev
}

apt_get() {
    local sudo=()
    if [ "$(id -u)" != 0 ]; then
        command -v sudo >/dev/null || return 1
        sudo=(sudo)
    fi
    "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get "$@"
}

# Fails if a package that must be there is missing and cannot be installed.
install_missing() { # WHY LOG
    local how='apt-get install' package
    [ ${#missing[@]} = 0 ] && [ ${#missing_optional[@]} = 0 ] && return 0
    if ! command -v apt-get >/dev/null; then
        if [ ${#missing[@]} != 0 ]; then
            echo "Missing $1, by Debian's names: ${missing[*]}"
            echo "There is no apt-get here: please install them and start again."
            return 1
        fi
        echo "Not found, and done without: ${missing_optional[*]}"
        return 0
    fi
    [ "$(id -u)" = 0 ] || how="sudo $how"
    echo "  Missing $1; $how: ${missing[*]} ${missing_optional[*]}"
    if [ "$(id -u)" != 0 ] && ! command -v sudo >/dev/null; then
        [ ${#missing[@]} = 0 ] && return 0
        echo "There is no sudo here: please install them as root: apt-get install ${missing[*]}"
        return 1
    fi
    [ "$(id -u)" = 0 ] || sudo true || return 1 # asks for the password before output goes to the log
    step "apt-get update" "$2" apt_get update -q || true
    if [ ${#missing[@]} != 0 ]; then
        step "apt-get install" "$2" apt_get install -y -q --no-install-recommends "${missing[@]}" || return 1
    fi
    for package in "${missing_optional[@]}"; do
        apt_get install -y -q --no-install-recommends "$package" >>"$2" 2>&1 ||
            echo "  Done without $package: it cannot be installed here."
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
