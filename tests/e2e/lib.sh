# shellcheck shell=sh disable=SC2034,SC2154
# lib: what the scripts of this folder share: TAP (tests/style/tap.sh), a folder to work in with a HOME of its own, the
# plugins staged there, stand-ins that end with the script, and running the command.
#
# A script sources this, calls `standin` once or more, then `run` and what looks at it. Everything below is in $scratch:
#   plugins/      the two providers and their catalogues, as one folder
#   home/         HOME
#   out, err      what the last `run` wrote; its exit status is $status
. "${KOINE_TEST_SOURCE:-$(dirname "$0")/../..}/tests/style/tap.sh"

umask 022
scratch=$(cd "$scratch" && pwd -P)
tools=$build/tests/e2e
koine=$build/apps/koine/koine
status=0
if [ -x "$build/apps/koine/.libs/koine" ]; then # what libtool's wrapper would start, twice as fast
    koine=$build/apps/koine/.libs/koine
    LD_LIBRARY_PATH=$build/.libs${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
    export LD_LIBRARY_PATH
fi

# Nothing of whoever runs the tests may decide here.
for name in $(env | sed -n 's/^\([A-Za-z_][A-Za-z_0-9]*\)=.*/\1/p'); do
    case $name in
    KOINE_TEST_* | KOINE_LIVE) ;;
    KOINE_* | *_API_KEY | MAX_ESTIMATED_COST | XDG_CONFIG_HOME | NO_COLOR) unset "$name" ;;
    esac
done
mkdir "$scratch/home" "$scratch/plugins" "$scratch/empty" || exit 99
HOME=$scratch/home
export HOME
cp "$build/providers/.libs/together.so" "$build/providers/.libs/openai.so" \
    "$source/providers/catalogue/together.json" "$source/providers/catalogue/openai.json" "$scratch/plugins" || exit 99
chmod 644 "$scratch"/plugins/* || exit 99
cd "$scratch/empty" || exit 99 # no .env

# A stand-in reads what this keeps open, and ends when it ends: with the script, however that goes.
mkfifo "$scratch/leash" "$scratch/said" || exit 99
exec 9<>"$scratch/leash"
standins=

stop_standins() {
    for pid in $standins; do
        kill "$pid" 2>/dev/null
        wait "$pid" 2>/dev/null
    done
    standins=
}
trap 'stop_standins; rm -rf "$scratch"' EXIT

# standin [OPTION...]: starts one on a free port, which is then $port.
standin() {
    "$build/apps/koine-standin" --scale 0.02 --until-eof --quiet "$@" <"$scratch/leash" >"$scratch/said" 9>&- &
    standins="$standins $!"
    read -r line <"$scratch/said"
    port=${line##*:}
    case $port in
    '' | *[!0-9]*)
        echo "Bail out! the stand-in said: $line"
        exit 99
        ;;
    esac
}

# configure FILE: standard input as a configuration, behind what every one needs: @PLUGINS@ and @PORT@ are replaced.
configure() {
    sed "s|@PLUGINS@|$scratch/plugins|g; s|@PORT@|$port|g" >"$1"
}

# The two providers at the stand-in; routes and whatever else comes from standard input.
usual_configuration() {
    {
        cat <<END
plugin_path: [@PLUGINS@]
providers:
  together:
    base_url: http://127.0.0.1:@PORT@/together/v1
    api_key: a-key
    retry: {base_delay: 1ms, max_retries: 1, retry_after_cap: 1s}
  openai:
    base_url: http://127.0.0.1:@PORT@/openai/v1
    api_key: a-key
    retry: {base_delay: 1ms, max_retries: 1, retry_after_cap: 1s}
END
        cat
    } | configure "$scratch/koine.yaml"
}

# An installed koine of this prefix has the same plugins once more, which are left out, and some commands tell that.
without_shadows() {
    sed '/ is refused: the id .* is taken by /d' "$1"
}

# run ARGUMENT...: the command with the usual configuration; `bare` has none. Standard input is empty, or $input.
run() {
    bare -c "$scratch/koine.yaml" "$@"
}
input=/dev/null
bare() {
    "$koine" "$@" <"$input" >"$scratch/out" 2>"$scratch/err.all" 9>&-
    status=$?
    without_shadows "$scratch/err.all" >"$scratch/err"
}

# What is wrong is collected in $wrong by the functions that follow; `done_with NAME` makes a test of it.
wrong=$scratch/wrong
: >"$wrong"
done_with() {
    [ -s "$wrong" ] && sed 's/^/stderr: /' "$scratch/err" >>"$wrong"
    judge "$1" "$wrong"
    : >"$wrong"
}
complain() {
    echo "$*" >>"$wrong"
}
status_is() {
    [ "$status" = "$1" ] || complain "exit status $status, not $1"
}
out_is() { # TEXT
    printf '%s\n' "$1" | cmp -s - "$scratch/out" || complain "standard output is not \"$1\" but \"$(head -c 300 "$scratch/out")\""
}
out_has() {
    grep -qF -e "$1" "$scratch/out" || complain "standard output lacks \"$1\": $(head -c 300 "$scratch/out")"
}
out_lacks() {
    ! grep -qF -e "$1" "$scratch/out" || complain "standard output has \"$1\""
}
out_is_empty() {
    [ ! -s "$scratch/out" ] || complain "standard output is not empty: $(head -c 300 "$scratch/out")"
}
err_has() {
    grep -qF -e "$1" "$scratch/err" || complain "standard error lacks \"$1\""
}
err_is_empty() {
    [ ! -s "$scratch/err" ] || complain "standard error is not empty"
}
err_is_one_line() {
    [ "$(wc -l <"$scratch/err")" -eq 1 ] || complain "standard error has $(wc -l <"$scratch/err") lines, not 1"
}
shape_is() { # NAME: of the JSON object that alone is standard output
    "$tools/shape" "$1" <"$scratch/out" >>"$wrong" || complain "standard output is not of the shape $1"
}
member_is() { # PATH TEXT
    is=$("$tools/pick" "$1" <"$scratch/out" 2>&1)
    [ "$is" = "$2" ] || complain "$1 is \"$is\", not \"$2\""
}
width_is_at_most() { # N FILE
    awk -v most="$1" 'length > most { print "a line of " length " columns: " $0 }' "$2" >>"$wrong"
}

# The stand-in's log: `forget_log` before, `logged PATH...` afterwards (see pick.c).
forget_log() {
    "$tools/fetch" "$port" /standin/log DELETE >/dev/null
}
logged() {
    "$tools/fetch" "$port" /standin/log | "$tools/pick" "$@"
}
posts_are() { # N
    is=$(logged '#')
    [ "$is" = "$1" ] || complain "the stand-in was asked $is times, not $1"
}
