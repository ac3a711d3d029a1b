# shellcheck shell=sh disable=SC2034,SC2154
# lib: what the scripts of this folder share: TAP, and a stranger's surroundings: an empty folder, a HOME, and of Koine
# nothing but what is installed, found through PATH and pkg-config.
. "${KOINE_TEST_SOURCE:-$(dirname "$0")/../..}/tests/style/tap.sh"

umask 022
scratch=$(cd "$scratch" && pwd -P)
for name in $(env | sed -n 's/^\([A-Za-z_][A-Za-z_0-9]*\)=.*/\1/p'); do
    case $name in
    KOINE_TEST_*) ;;
    KOINE_* | *_API_KEY | MAX_ESTIMATED_COST | XDG_CONFIG_HOME | NO_COLOR | MAKE* | MFLAGS | DESTDIR | CFLAGS | CPPFLAGS | \
        LDFLAGS | GNUMAKEFLAGS) unset "$name" ;;
    esac
done
RUSTUP_HOME=${RUSTUP_HOME:-$HOME/.rustup} # a compiler that is a link to one in there
export RUSTUP_HOME
mkdir "$scratch/home" "$scratch/work" "$scratch/bin" || exit 99
HOME=$scratch/home
PATH=$KOINE_TEST_BINDIR:$PATH
PKG_CONFIG_PATH=$KOINE_TEST_PKGCONFIG${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH}
export HOME PATH PKG_CONFIG_PATH
cd "$scratch/work" || exit 99

if ! [ -x "$KOINE_TEST_BINDIR/koine" ] || ! pkg-config --exists koine; then
    echo "Bail out! koine is not installed in $KOINE_TEST_BINDIR: make install"
    exit 99
fi

# try NAME COMMAND…: what it says is in $scratch/said
try() {
    what=$1
    shift
    if "$@" >"$scratch/said" 2>&1; then
        ok "$what"
        return 0
    fi
    not_ok "$what"
    tail -n 20 "$scratch/said" | notes
    return 1
}

# has NAME TEXT: a line of what was said last
has() {
    grep -qF -e "$2" "$scratch/said" || sed 's/^/said: /' "$scratch/said" >"$scratch/wrong"
    judge "$1" "$scratch/wrong"
    : >"$scratch/wrong"
}
: >"$scratch/wrong"

# The checker may be missing from a tree: then the cases alone are played, by ours.
if ! [ -x "$KOINE_TEST_LIBEXECDIR/koine-plugin-check" ]; then
    cat >"$scratch/bin/koine" <<END
#!/bin/sh
if [ "\$1 \$2 \$4" = "plugin check --cases" ]; then
    exec "$build/tests/kit/trace" "\$3" "\$5"
fi
exec "$KOINE_TEST_BINDIR/koine" "\$@"
END
    chmod 755 "$scratch/bin/koine"
    PATH=$scratch/bin:$PATH
fi
