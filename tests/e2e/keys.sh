#!/bin/sh
# A key, however it is given and whatever goes wrong beside it, is never written anywhere: a marked one is looked for in
# all that was printed and in every file, while the stand-in says that it arrived.
# shellcheck disable=SC2016,SC2013 # dollars that are meant; file names without blanks
. "${KOINE_TEST_SOURCE:-$(dirname "$0")/../..}/tests/e2e/lib.sh"

mark=KEYMARK-9f3b7c21d0e84a56
standin
all=$scratch/all # everything the command wrote for the way at hand
document=$scratch/document.json
echo '{"model": "openai/echo", "messages": [{"role": "user", "content": "Hi"}]' >"$document" # not closed

# The configuration of one way: how `openai` gets its key comes from standard input, two levels deep.
way() { # NAME
    name=$1
    folder=$scratch/ways/$name
    mkdir -p "$folder"
    {
        echo "plugin_path: [$scratch/plugins]"
        echo "providers:"
        echo "  openai:"
        echo "    base_url: http://127.0.0.1:$port/openai/v1"
        echo "    retry: {base_delay: 1ms, max_retries: 1}"
        echo "    timeouts: {connect: 1s, total: 2s}"
        sed 's/^/    /'
        echo "  nobody: {plugin: openai, base_url: 'http://127.0.0.1:1/v1', api_key: $mark, retry: {max_retries: 0}}"
        echo "  tls: {plugin: openai, base_url: 'https://127.0.0.1:$port/v1', api_key: $mark, retry: {max_retries: 0}}"
        echo "routes: {default: {targets: [nobody/a, tls/a, openai/echo]}}"
    } >"$folder/koine.yaml"
    cd "$folder" || exit 99
    : >"$all"
    forget_log
}

try() { # EXIT ARGUMENT...
    wanted=$1
    shift
    bare -c koine.yaml "$@"
    cat "$scratch/out" "$scratch/err.all" >>"$all"
    [ "$status" = "$wanted" ] || complain "koine $*: exit status $status, not $wanted: $(head -n 1 "$scratch/err")"
}

# What may be done with a good configuration, and what goes wrong with requests.
try_some() {
    try 0 chat -vv --json -m openai/echo --stream Hi
    try 1 chat -vv --json -m openai/401 Hi
    try 2 chat -vv --request "$document"
    try 0 -vv config check
    try 0 -vv config show
    try 0 -vv providers --json
    [ "$(logged '#')" -gt 0 ] || complain "the stand-in was not asked"
    ! "$tools/fetch" "$port" /standin/log | grep -v '"provider":null' | grep -q '"key":"absent"' || complain "the key was not sent"
}
try_all() {
    try_some
    try 0 chat -m openai/echo Hi
    try 0 chat -vv Hi
    try 1 chat -vv -m openai/401 Hi
    try 1 chat -vv -m openai/503 Hi
    try 1 chat -vv --json -m openai/malformed --stream Hi
    try 1 chat -vv -m openai/reset Hi
    try 1 chat -vv -m nobody/a Hi
    try 1 chat --json -m tls/a Hi
    try 2 chat --json --modle openai/a Hi
    try 2 chat -vv -m nowhere/a Hi
    try 0 -vv providers
    try 0 -vv models --live openai
    try 1 -vv doctor
    try 0 doctor --json openai
    try 0 -vv explain -m openai/echo Hi
    try 0 explain --json -m openai/echo Hi
    try 0 -vv cost -m openai/gpt-4o-mini --input 1 --output 1
}

judge_way() { # NAME FILE: the one file that may hold it
    ! grep -qF "$mark" "$all" || complain "it was written: $(grep -nF "$mark" "$all" | head -n 3 | sed "s/$mark/(the key)/g")"
    for file in $(grep -rlF "$mark" "$scratch/ways/$name" "$scratch/home" "$scratch/empty"); do
        case $file in
        "$folder/koine.yaml" | "$folder/$2") ;;
        *) complain "$file holds it" ;;
        esac
    done
    done_with "$1"
    cd "$scratch/empty" || exit 99
}

way file <<END
api_key: $mark
END
try_all
judge_way "in the file" koine.yaml

way variable <<'END'
api_key: ${OPENAI_API_KEY}
END
OPENAI_API_KEY=$mark
export OPENAI_API_KEY
try_all
judge_way "in a variable" koine.yaml
unset OPENAI_API_KEY

way dotenv <<'END'
api_key: ${OPENAI_API_KEY}
END
echo "OPENAI_API_KEY=$mark" >.env
chmod 600 .env
try_some
judge_way "in .env" .env

way development <<'END'
api_key: ${OPENAI_API_KEY}
END
echo "OPENAI_API_KEY=another" >.env
echo "OPENAI_API_KEY='$mark'" >.env.development
KOINE_ENV=development
export KOINE_ENV
try_some
judge_way "in .env.development" .env.development
unset KOINE_ENV

way keyfile <<'END'
api_key_file: the.key
END
echo $mark >the.key
chmod 600 the.key
try_some
judge_way "in a file of its own" the.key

way command <<'END'
api_key_command: cat the.key
END
echo $mark >the.key
try_some
judge_way "from a command" the.key

way setting </dev/null
KOINE__providers__openai__api_key=$mark
export KOINE__providers__openai__api_key
try_some
judge_way "in the environment as a setting" koine.yaml
unset KOINE__providers__openai__api_key

# ---- The vendor's own variable --------------------------------------------------------------------------------------

# It belongs to the vendor: a server of one's own never sees it.
way vendor </dev/null
OPENAI_API_KEY=$mark
export OPENAI_API_KEY
try 0 chat -m openai/echo Hi
[ "$(logged 0.key)" = absent ] || complain "it was sent"
try 0 providers --json
unset OPENAI_API_KEY
judge_way "the vendor's variable is not for another server" koine.yaml

# ---- Wrong configurations around it ---------------------------------------------------------------------------------

around() { # NAME: a configuration that is wrong, from standard input
    folder=$scratch/ways/around
    name=around
    mkdir -p "$folder"
    cd "$folder" || exit 99
    cat >koine.yaml
    : >"$all"
    try 2 -vv config check
    try 2 -vv chat --json -m openai/a Hi
    judge_way "beside it: $1" koine.yaml
}
p="plugin_path: [$scratch/plugins]"
around "a colon in it" <<END
$p
providers: {openai: {api_key: $mark: x}}
END
around "no space before it" <<END
$p
providers:
  openai:
    api_key:$mark
END
around "no space before it, and more below" <<END
$p
providers:
  openai:
    api_key:$mark
    base_url: http://127.0.0.1/v1
END
around "no colon" <<END
$p
providers:
  openai:
    api_key $mark
END
around "a tab" <<END
$p
providers:
  openai:
	api_key: $mark
END
around "a list" <<END
$p
providers: {openai: {api_key: [$mark]}}
END
around "a map" <<END
$p
providers: {openai: {api_key: {key: $mark}}}
END
around "in place of the map" <<END
$p
providers: {openai: $mark}
END
around "a tag" <<END
$p
providers: {openai: {api_key: !secret $mark}}
END
around "an anchor" <<END
$p
providers: {openai: {api_key: &key $mark}}
END
around "a quote that is not closed" <<END
$p
providers: {openai: {api_key: "$mark}}
END
around "spaces in it" <<END
$p
providers: {openai: {api_key: "$mark $mark"}}
END
around "the wrong name" <<END
$p
providers: {openai: {api_kye: $mark}}
END
around "given twice" <<END
$p
providers: {openai: {api_key: $mark, api_key: $mark}}
END
around "given in two ways" <<END
$p
providers: {openai: {api_key: $mark, api_key_file: some.key}}
END
around "as the base URL" <<END
$p
providers: {openai: {base_url: $mark}}
END
around "in the base URL" <<END
$p
providers: {openai: {base_url: "https://$mark@127.0.0.1/v1"}}
END
around "in the proxy" <<END
$p
network: {proxy: "http://user:$mark@127.0.0.1:3128"}
END
around "as the command" <<END
$p
providers: {openai: {api_key_command: $mark}}
END
around "a mistake behind it" <<END
$p
providers: {openai: {api_key: $mark, timeouts: {total: 5}}}
END
around "a control character in it" <<END
$p
providers: {openai: {api_key: "$mark\\x07"}}
END
around "as a setting that is none" <<END
$p
limits: $mark
END

by_variable() { # NAME VARIABLE=VALUE: the same from the environment
    name=around
    folder=$scratch/ways/around
    cd "$folder" || exit 99
    printf '%s\nproviders: {openai: {api_key: "${%s:-none}"}}\n' "$p" OPENAI_API_KEY >koine.yaml
    : >"$all"
    export "${2?}"
    try 2 -vv config check
    try 2 -vv chat --json -m openai/a Hi
    unset "${2%%=*}"
    judge_way "from the environment: $1" koine.yaml
}
by_variable "spaces in it" "OPENAI_API_KEY=$mark $mark"
by_variable "the wrong name" "KOINE__providers__openai__api_kye=$mark"
by_variable "as a duration" "KOINE__providers__openai__timeouts=$mark"
by_variable "as a list" "KOINE__plugin_path=$mark"

from_dotenv() { # NAME: a .env that is wrong, from standard input
    name=around
    folder=$scratch/ways/around
    cd "$folder" || exit 99
    printf '%s\n' "$p" >koine.yaml
    cat >.env
    : >"$all"
    try 2 -vv config check
    try 2 -vv chat --json -m openai/a Hi
    judge_way "from .env: $1" .env
    rm "$folder/.env"
}
from_dotenv "no name" <<END
$mark
END
from_dotenv "a quote that is not closed" <<END
OPENAI_API_KEY="$mark
END
from_dotenv "given twice" <<END
OPENAI_API_KEY=$mark
OPENAI_API_KEY=$mark
END
from_dotenv "a setting" <<END
KOINE__providers__openai__api_key=$mark
END
from_dotenv "something behind the quotes" <<END
OPENAI_API_KEY="$mark" $mark
END

plan
