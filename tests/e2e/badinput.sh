#!/bin/sh
# One wrong thing at a time, in everything that is read: exit status 2 and one line that says what, where, and what would
# be right. A plugin that is refused keeps no other from being used.
# shellcheck disable=SC2016,SC2013 # dollars that are meant; file names without blanks
. "${KOINE_TEST_SOURCE:-$(dirname "$0")/../..}/tests/e2e/lib.sh"

cd "$scratch/empty" || exit 99
echo "plugin_path: [$scratch/plugins]" >good.yaml

refused() { # NAME WHERE WORDS: what `bare` just did
    status_is 2
    out_is_empty
    err_is_one_line
    err_has "$2"
    err_has "$3"
    done_with "$1"
}

# ---- YAML -----------------------------------------------------------------------------------------------------------

yaml() { # NAME LINE:COLUMN WORDS, the configuration from standard input
    cat >bad.yaml
    bare -c bad.yaml config check
    refused "$1" "koine: bad.yaml:$2: " "$3"
}
yaml "an unknown key" 1:1 'provider: unknown key; did you mean providers?' <<'END'
provider: {}
END
yaml "an unknown key inside" 3:13 'providers.together.retry.max_retrys: unknown key; did you mean providers.together.retry.max_retries?' <<'END'
providers:
  together:
    retry: {max_retrys: 3}
END
yaml "a route through itself" 3:15 '"default" is a route; a target is a model of a provider' <<'END'
routes:
  default:
    targets: [default/x]
END
yaml "a deadline shorter than the connect timeout" 6:15 '2s is shorter than providers.together.timeouts.connect, 5s' <<END
plugin_path: [$scratch/plugins]
providers:
  together: {timeouts: {connect: 5s}}
routes:
  default:
    deadline: 2s
    targets: [together/a]
END
yaml "a first delay longer than the longest" 3:34 '5s is longer than max_delay, 2s' <<END
plugin_path: [$scratch/plugins]
providers:
  together: {retry: {base_delay: 5s, max_delay: 2s}}
END
yaml "a limit of nothing" 3:35 '"0" is out of range; allowed is 1 to 1000000, or off' <<'END'
providers:
  together:
    limits: {requests_per_minute: 0, concurrent: 64, queue: 256}
END
yaml "a window of zero" 3:36 '"0s" is out of range; allowed is 1ms to 1d' <<'END'
providers:
  together:
    breaker: {failures: 5, window: 0s, open_for: 30s}
END
for key in budget tenants max_estimated_cost; do
    yaml "$key is not there yet" 1:1 "$key: unknown key" <<END
$key: {day: 5}
END
done
yaml "a budget of a day is not there yet" 1:11 'budgets.day: unknown key' <<'END'
budgets: {day: 5}
END
for usd in -1 1e3 NaN 1_000; do
    yaml "$usd is no amount" 1:17 "\"$usd\" is no amount of US dollars; write one like 0.50" <<END
budgets: {call: $usd}
END
done
yaml "an amount with a comma" 2:9 '"1,50" is no amount of US dollars' <<'END'
budgets:
  call: 1,50
END
yaml "an amount too small to count" 1:16 'more decimals than are counted; write at most 12' <<'END'
budgets: {run: 0.0000000000001}
END
yaml "an amount too large" 1:16 'is out of range; allowed is 0.00 to 1000000.00' <<'END'
budgets: {run: 99999999999999999999}
END
yaml "an amount with a sign of the currency" 1:16 '"$5" is no amount of US dollars' <<'END'
budgets: {run: $5}
END
yaml "a duration without a unit" 2:37 '"30" has no unit; write 30s, 250ms or 2m' <<'END'
providers:
  together: {timeouts: {first_byte: 30}}
END
yaml "no duration" 2:32 '"soon" is no duration; write 5s, 250ms or 2m' <<'END'
providers:
  together: {timeouts: {total: soon}}
END
yaml "a duration out of range" 2:32 '"0s" is out of range; allowed is 1ms to 1d' <<'END'
providers:
  together: {timeouts: {total: 0s}}
END
yaml "a size without a unit" 2:26 '"16" has no unit; write 16MiB, 64kB or 4096B' <<'END'
providers:
  together: {body_limit: 16}
END
yaml "no whole number" 2:35 '"1.5" is no whole number; write one of 0 to 20' <<'END'
providers:
  together: {retry: {max_retries: 1.5}}
END
yaml "a number out of range" 2:35 '"99" is out of range; allowed is 0 to 20' <<'END'
providers:
  together: {retry: {max_retries: 99}}
END
yaml "a word that is none of those" 2:30 '"eqaul" is none of none, equal, full, decorrelated, proportional; did you mean equal?' <<'END'
providers:
  together: {retry: {jitter: eqaul}}
END
yaml "a map where a value belongs" 2:35 'expected one' <<'END'
providers:
  together: {retry: {max_retries: {a: 1}}}
END
yaml "a value where a map belongs" 1:12 'providers: expected a map, as in {key: value}' <<'END'
providers: 5
END
yaml "a value where a list belongs" 1:14 'plugin_path: expected a list, as in [a, b]' <<'END'
plugin_path: /usr/lib
END
yaml "no value" 2:24 'has no value; give one, or leave the key out' <<'END'
providers:
  together: {base_url: }
END
yaml "no URL" 2:24 'is no URL; write https://host/path or http://host:port/path' <<'END'
providers:
  together: {base_url: localhost}
END
yaml "another scheme" 2:24 'is no URL; write https://' <<'END'
providers:
  together: {base_url: "ftp://127.0.0.1/v1"}
END
yaml "a key twice" 3:3 'duplicate key "together"; it is on line 2, column 3 already' <<'END'
providers:
  together: {}
  together: {}
END
yaml "an anchor" 2:13 'anchors are not accepted; write the value out' <<'END'
providers:
  together: &here {}
END
yaml "an alias" 2:13 'aliases are not accepted; write the value out' <<'END'
providers:
  together: *here
END
yaml "a tag" 2:13 'tags are not accepted; leave it out' <<'END'
providers:
  together: !!map {}
END
yaml "a merge key" 2:3 'merge keys are not accepted' <<'END'
providers:
  <<: {together: {}}
END
yaml "a tab" 2:1 'indent with spaces, not with tabs' <<'END'
providers:
	together: {}
END
yaml "a bracket that is not closed" 3:1 'is not valid YAML' <<'END'
providers:
  together: {
END
yaml "a second document" 2:1 'a second document begins; one file holds one' <<'END'
--- {}
--- {}
END
yaml "just a text" 1:1 'the configuration: expected a map' <<'END'
together
END
yaml "a name that is none" 2:3 '"my lab" is no name; use 1 to 64 letters, digits, _ and -' <<'END'
providers:
  "my lab": {}
END
yaml "a variable that is not set" 2:23 'the variable NOWHERE_SET is not set; set it, or write ${NOWHERE_SET:-default}' <<'END'
providers:
  together: {api_key: "${NOWHERE_SET}"}
END
yaml "a variable without quotes in braces" 2:24 'put quotes around "${...}"' <<'END'
providers:
  together: {api_key: ${HOME}}
END
yaml "a variable that is not closed" 3:14 'is not closed by "}"; write $$ for a dollar sign' <<'END'
providers:
  together:
    api_key: ${HOME
END
yaml "two keys" 4:19 'api_key is given too; only one of them can hold' <<END
plugin_path: [$scratch/plugins]
providers:
  together: {api_key: a-key,
    api_key_file: a.key}
END
yaml "a target that is none" 1:30 '"together" is no target; write instance/model, as in openai/gpt-4o-mini' <<'END'
routes: {default: {targets: [together]}}
END
yaml "a target of no provider" 2:30 'no provider named "togehter"; did you mean together?' <<END
plugin_path: [$scratch/plugins]
routes: {default: {targets: [togehter/a]}}
END
yaml "a route without targets" 1:10 'routes.default: has no targets; write targets: [instance/model]' <<'END'
routes: {default: {}}
END
yaml "a route named like a provider" 2:10 'is also the name of a provider; give the route another one' <<END
plugin_path: [$scratch/plugins]
routes: {openai: {targets: [together/a]}}
END
yaml "a default route that is none" 3:16 'no route named "fsat"; did you mean fast?' <<END
plugin_path: [$scratch/plugins]
routes: {fast: {targets: [together/a]}}
default_route: fsat
END
yaml "a plugin that is none" 2:13 'no plugin named "opnai" in ' <<END
plugin_path: [$scratch/plugins]
providers: {lab: {plugin: opnai}}
END
yaml "an instance without a plugin" 2:13 'found: openai, together; `plugin:` names another one' <<END
plugin_path: [$scratch/plugins]
providers: {lab: {base_url: "http://127.0.0.1/v1"}}
END
yaml "an option that is none" 2:58 'the plugin openai has no such option; did you mean organization?' <<END
plugin_path: [$scratch/plugins]
providers: {openai: {options: {project: a, organisation: b}}}
END
yaml "an option of another type" 2:44 'must be true or false' <<END
plugin_path: [$scratch/plugins]
providers: {openai: {options: {compatible: maybe}}}
END
printf 'providers: {}\n\377\n' >bad.yaml
bare -c bad.yaml config check
refused "no UTF-8" "koine: bad.yaml:2:1: " "is not UTF-8 (byte 0xff)"
printf 'providers: \0{}\n' >bad.yaml
bare -c bad.yaml config check
refused "a NUL byte" "koine: bad.yaml:1:12: " "holds a NUL byte"
bare -c nowhere.yaml config check
refused "a file that is not there" "koine: nowhere.yaml: " "No such file or directory"
bare -c . config check
refused "a folder" "koine: .: " "is a folder, not a file"
echo "{}" >bad.yaml
chmod o+w bad.yaml
bare -c bad.yaml config check
refused "a file that everybody may write to" "koine: bad.yaml: " "chmod o-w it"
rm bad.yaml

# ---- .env and the environment ---------------------------------------------------------------------------------------

dotenv() { # NAME LINE:COLUMN WORDS, the file from standard input
    cat >.env
    bare -c good.yaml config check
    rm .env
    refused "$1" "koine: ./.env:$2: " "$3"
}
for usd in -1 1e3 '$5' 1,50 abc 99999999999999; do
    echo "MAX_ESTIMATED_COST='$usd'" >.env
    bare -c good.yaml config check
    rm .env
    refused "MAX_ESTIMATED_COST of $usd in .env" "koine: environment: MAX_ESTIMATED_COST: " "\"$usd\" is "
    MAX_ESTIMATED_COST=$usd bare -c good.yaml config check
    refused "MAX_ESTIMATED_COST of $usd" "koine: environment: MAX_ESTIMATED_COST: " "\"$usd\" is "
done
dotenv ".env: no assignment" 2:5 'expected NAME=value; a name has letters, digits and _' <<'END'
# keys
NAME
END
dotenv ".env: no name" 1:1 'expected NAME=value' <<'END'
1NAME=value
END
dotenv ".env: a quote that is not closed" 1:6 'the quote is not closed on this line' <<'END'
NAME="value
END
dotenv ".env: twice" 3:1 'NAME is set twice; first on line 1' <<'END'
NAME=value

NAME=other
END
dotenv ".env: a setting" 1:1 'put them into koine.yaml or the environment' <<'END'
KOINE__plugin_path=[/tmp]
END
echo NAME=value >.env
chmod o+w .env
bare -c good.yaml config check
refused ".env: everybody may write to it" "koine: ./.env: " "chmod o-w it"
rm .env

variable() { # NAME=VALUE WORDS
    export "${1?}"
    bare -c good.yaml config check
    refused "environment: $1" "${1%%=*}: " "$2"
    unset "${1%%=*}"
}
variable KOINE__providers__together__retry__max_retries=many '"many" is no whole number; write one of 0 to 20'
variable KOINE__providers__together__retry__max_retreis=1 'did you mean providers.together.retry.max_retries?'
variable KOINE__limit__concurrent=1 'limit: unknown key'
variable KOINE__providers__together__limits__concurrent=-1 'allowed is 1 to 1000000, or off'
variable KOINE__plugin_path=/usr/lib 'expected a list, as in [a, b]'
variable 'KOINE__plugin_path=[a' 'is not valid YAML'
variable KOINE__=1 'expected KOINE__a__b'
variable KOINE_ENV=../other 'holds a slash; write a name, such as development'
KOINE_CONFIG=nowhere.yaml
export KOINE_CONFIG
bare config check
refused "environment: KOINE_CONFIG of nothing" "koine: nowhere.yaml: " "No such file or directory"
unset KOINE_CONFIG

# ---- Keys -----------------------------------------------------------------------------------------------------------

key() { # NAME WORDS
    printf '%s\nproviders:\n  openai: {api_key_file: the.key}\n' "plugin_path: [$scratch/plugins]" >bad.yaml
    bare -c bad.yaml config check
    refused "$1" "koine: bad.yaml:3:26: providers.openai.api_key_file: " "$2"
    rm -f the.key
}
key "a key file that is not there" "No such file or directory"
echo a-key >the.key
chmod 644 the.key
key "a key file that others may read" "is open to others (mode 0644): chmod 600 it"
: >the.key
chmod 600 the.key
key "an empty key file" "there is no key in it"
echo "two words" >the.key
chmod 600 the.key
key "a key file that holds something else" "the key holds spaces, control characters or characters beyond ASCII"
mkfifo the.key
key "a key file that is none" "is no regular file"

by_command() { # COMMAND WORDS
    printf '%s\nproviders:\n  openai: {api_key_command: "%s"}\n' "plugin_path: [$scratch/plugins]" "$1" >bad.yaml
    bare -c bad.yaml config check
    refused "a key by the command $1" "koine: bad.yaml:3:29: providers.openai.api_key_command: " "$2"
}
by_command "exit 3" "the command failed with exit status 3"
by_command "true" "there is no key in it"
by_command "nowhere-to-be-found" "the command failed with exit status 127"

# ---- Catalogues -----------------------------------------------------------------------------------------------------

printf 'plugin_path: [%s]\ncatalogue: [mine.json]\n' "$scratch/plugins" >catalogue.yaml
catalogue() { # NAME LINE:COLUMN WORDS, the catalogue from standard input
    cat >mine.json
    bare -c catalogue.yaml config check
    refused "catalogue: $1" "koine: $scratch/empty/mine.json:$2: " "$3"
}
catalogue "empty" 1:1 'not JSON: the text ends too early' </dev/null
catalogue "broken" 2:12 'not JSON' <<'END'
{"provider": "openai",
 "models": ]}
END
catalogue "a list" 1:1 'a catalogue must be an object' <<'END'
[]
END
catalogue "no models" 1:1 'a catalogue needs "models", a list' <<'END'
{"provider": "openai"}
END
catalogue "a member that is none" 2:15 'unknown member "contxt"; did you mean "context"?' <<'END'
{"provider": "openai", "models": [
  {"id": "a", "contxt": 8192}]}
END
catalogue "no id" 1:35 'a model needs "id"' <<'END'
{"provider": "openai", "models": [{}]}
END
catalogue "a window that is no number" 1:58 'must be a whole number of tokens, 1 or more' <<'END'
{"provider": "openai", "models": [{"id": "a", "context": "8192"}]}
END
catalogue "a price without a day" 2:14 'a price row needs "valid_from"' <<'END'
{"provider": "openai", "models": [{"id": "a",
  "prices": [{"input": 1, "output": 1}]}]}
END
catalogue "a day that is none" 2:29 'must be a date like "2024-07-23"' <<'END'
{"provider": "openai", "models": [{"id": "a",
  "prices": [{"valid_from": "yesterday", "input": 1, "output": 1}]}]}
END
catalogue "a price below nothing" 2:52 'must not be negative' <<'END'
{"provider": "openai", "models": [{"id": "a",
  "prices": [{"valid_from": "2025-01-01", "input": -1, "output": 1}]}]}
END
catalogue "a price too fine" 2:52 'with at most 6 decimals, like 0.18' <<'END'
{"provider": "openai", "models": [{"id": "a",
  "prices": [{"valid_from": "2025-01-01", "input": 0.0000001, "output": 1}]}]}
END
catalogue "a model twice" 1:55 'the model "a" is told twice' <<'END'
{"provider": "openai", "models": [{"id": "a"}, {"id": "a"}]}
END
catalogue "an alias that is taken" 1:59 'is a name of openai/gpt-4o-mini already' <<'END'
{"provider": "openai", "models": [{"id": "a", "aliases": ["gpt-4o-mini"]}]}
END
rm mine.json
bare -c catalogue.yaml config check
refused "catalogue: not there" "koine: $scratch/empty/mine.json: " "No such file or directory"

# ---- Documents ------------------------------------------------------------------------------------------------------

document() { # NAME PLACE WORDS, the document from standard input; PLACE is LINE:COLUMN or empty
    cat >document.json
    bare -c good.yaml chat --request document.json
    refused "document: $1" "document.json:${2:+$2:} " "$3"
    bare -c good.yaml explain --request document.json
    refused "document, explained: $1" "document.json:${2:+$2:} " "$3"
}
document "empty" 1:1 'not JSON: the text ends too early' </dev/null
document "broken" 2:14 'not JSON: a value is missing here' <<'END'
{"model": "openai/a",
 "messages": ]}
END
document "single quotes" 1:2 'in double quotes' <<'END'
{'model': 1}
END
document "a list" "" 'is no JSON object; a document is {"messages": [...]}' <<'END'
[]
END
document "a member twice" 1:23 'a member of this name is already there' <<'END'
{"model": "openai/a", "model": "openai/b", "messages": []}
END
document "a number that is none" 1:26 'not JSON' <<'END'
{"messages": [], "seed": 01}
END
printf '{"messages": "\377"}' >document.json
bare -c good.yaml chat --request document.json
refused "document: no UTF-8" "document.json:1:15: " "bytes that are not UTF-8"
asked() { # NAME WORDS, the document from standard input: JSON, and yet nothing to start a call with
    cat >document.json
    bare -c good.yaml chat --request document.json
    refused "document: $1" "" "$2"
    bare -c good.yaml explain --request document.json
    refused "document, explained: $1" "" "$2"
}
asked "a model that is no text" "the document's model is no string" <<'END'
{"model": 5, "messages": [{"role": "user", "content": "Hi"}]}
END
asked "a model of nobody" 'model "gpt-4o": write it instance/model' <<'END'
{"model": "gpt-4o", "messages": [{"role": "user", "content": "Hi"}]}
END
asked "no model" 'nobody to ask' <<'END'
{"messages": [{"role": "user", "content": "Hi"}]}
END
document "no messages" 1:1 'there are no `messages`; write [{"role": "user"' <<'END'
{"model": "openai/a"}
END
document "messages that are none" 1:35 '`messages` is not a list' <<'END'
{"model": "openai/a", "messages": "Hi"}
END
document "several answers" 1:77 '`n` is above 1' <<'END'
{"model": "openai/a", "messages": [{"role": "user", "content": "Hi"}], "n": 2}
END
document "a message without a role" 1:36 'a message needs a `role`' <<'END'
{"model": "openai/a", "messages": [{"content": "Hi"}]}
END
bare -c good.yaml chat --request nowhere.json
refused "document: not there" "nowhere.json: " "No such file or directory"
printf 'a\0b' >prompt
input=prompt
bare -c good.yaml chat -m openai/a
refused "prompt: a NUL byte" "standard input: " "a prompt is text in UTF-8"
printf 'a\377b' >prompt
bare -c good.yaml chat -m openai/a
refused "prompt: no UTF-8" "standard input: " "is not UTF-8"
input=/dev/null

# ---- Plugins --------------------------------------------------------------------------------------------------------

# The folder `mixed` has the two providers and one thing that is wrong; together is still used, and the refusal is told.
fresh() {
    chmod -R u+w mixed 2>/dev/null
    rm -rf mixed
    mkdir mixed
    cp "$scratch"/plugins/* mixed
    echo "plugin_path: [mixed]" >mixed.yaml
}
plugin() { # NAME FILE WORDS
    bare -c mixed.yaml cost -m together/any --input 1 --output 1
    status_is 0
    out_is "price unknown"
    err_is_one_line
    err_has "note: $scratch/empty/mixed/$2 is refused: "
    err_has "$3"
    bare -c mixed.yaml providers --json
    shape_is providers
    out_has "$3"
    done_with "plugin: $1"
}
fresh
echo "echo I am a script" >mixed/script.so
plugin "a script" script.so "is not a shared object: it has no ELF header"
fresh
: >mixed/nothing.so
plugin "an empty file" nothing.so "is empty"
fresh
head -c 5000 mixed/openai.so >mixed/half.so
plugin "half a file" half.so "is truncated"
fresh
mkdir mixed/folder.so
plugin "a folder" folder.so "is not a regular file"
fresh
ln -s "$scratch/plugins/openai.so" mixed/link.so
plugin "a link to elsewhere" link.so "is a link to $scratch/plugins/openai.so, outside its folder"
fresh
chmod o+w mixed/openai.so
plugin "a file that everybody may write to" openai.so "is writable by everybody; take that away with chmod o-w"
for file in stranger unresolved old future empty endless null_frame; do
    fresh
    if cp "$build/tests/plugins/.libs/$file.so" "mixed/$file.so" 2>/dev/null; then
        case $file in
        stranger) words="is no plugin of koine: it has no koine_provider_v1" ;;
        future) words="was built for another koine" ;;
        old) words="a v1 table has" ;;
        empty) words="has no provider" ;;
        null_frame) words="provider null_frame: generate lacks request or frame" ;;
        *) words= ;;
        esac
        plugin "the one called $file" $file.so "$words"
    else
        skip "plugin: the one called $file" "it was not built"
    fi
done
# Isolated ones, of which nothing runs in the command's own process.
cp "$build/apps/koine-isolate" "$scratch/koine-isolate" && chmod 755 "$scratch/koine-isolate" || exit 99
isolated() { # NAME FILE TIMEOUT WORDS
    fresh
    if cp "$build/tests/plugins/.libs/$2.so" "mixed/$2.so" 2>/dev/null; then
        printf 'isolate_helper: %s\nproviders: {%s: {isolate: true, isolate_timeout: %s}}\n' "$scratch/koine-isolate" "$2" "$3" >>mixed.yaml
        plugin "$1" "$2.so" "$4"
    else
        skip "plugin: $1" "it was not built"
    fi
}
isolated "a constructor that crashes" crash_load 60s "cannot be loaded: its process "
isolated "an entry that crashes" crash_entry 60s "cannot be loaded: its process "
isolated "a constructor that ends the process" exit_load 60s "cannot be loaded: its process ended with status 4"
isolated "a constructor that never ends" loop_load 300ms "cannot be loaded: did not finish in time"
fresh
zeros=0000000000000000000000000000000000000000000000000000000000000000
digest=$(sha256sum mixed/openai.so | cut -d' ' -f1)
printf 'plugin_path: [mixed]\nproviders: {openai: {sha256: %s}}\n' "$zeros" >bad.yaml
bare -c bad.yaml config check
refused "plugin: not the pinned file" "koine: bad.yaml:2:13: providers.openai: " \
    "$scratch/empty/mixed/openai.so: is not the file that was pinned: its SHA-256 is $digest, expected was $zeros"
printf 'plugin_path: [mixed]\nproviders: {openai: {sha256: %s}}\n' "$digest" >good2.yaml
bare -c good2.yaml cost -m openai/any --input 1 --output 1
status_is 0
done_with "plugin: the pinned file"
fresh
chmod o+w mixed
bare -c mixed.yaml providers
err_has "note: $scratch/empty/mixed/together.so is refused: the folder $scratch/empty/mixed is writable by everybody; take that away with chmod o-w"
err_has "note: $scratch/empty/mixed/openai.so is refused"
out_lacks "present: OPENAI_API_KEY  $scratch/empty/mixed"
done_with "plugin: a folder that everybody may write to"
fresh
printf '{\n' >mixed/openai.json
bare -c mixed.yaml config check
refused "plugin: a wrong catalogue beside it" "koine: $scratch/empty/mixed/openai.json:2:1: " "not JSON"
fresh
echo no >mixed/lab.so
printf 'plugin_path: [mixed]\nproviders: {lab: {}}\n' >bad.yaml
bare -c bad.yaml config check
refused "plugin: an instance of a refused one" "koine: bad.yaml:2:13: providers.lab: " "is not a shared object"

plan
