#!/bin/sh
# The command, every subcommand and every option: what is written where, what the provider was sent, the shapes of --json,
# and exit statuses.
# shellcheck disable=SC2016,SC2013 # dollars that are meant; file names without blanks
. "${KOINE_TEST_SOURCE:-$(dirname "$0")/../..}/tests/e2e/lib.sh"

standin
usual_configuration <<'END'
routes:
  default: {targets: [together/a!503, openai/echo]}
  held: {targets: [together/a!cut, openai/echo], commit: complete}
  lost: {targets: [together/a!503, openai/b!401]}
  keyless: {targets: [together/a!401, openai/echo]}
  twice: {targets: [{target: together/a!503, max_retries: 0}, {target: openai/mirror, set: {seed: 7}, unset: [top_k]}]}
END

# ---- Help, version, wrong options -----------------------------------------------------------------------------------

bare --help
status_is 0
err_is_empty
out_has "usage: koine"
for name in chat models providers cost config doctor explain plugin standin; do
    out_has "  $name "
done
width_is_at_most 80 "$scratch/out"
done_with "koine --help"
bare -h
status_is 0
out_has "usage: koine"
done_with "koine -h"
for name in chat models providers cost config doctor explain plugin standin; do
    bare $name --help
    status_is 0
    err_is_empty
    grep -qi "^usage: koine.*$name" "$scratch/out" || complain "no usage of koine $name"
    width_is_at_most 80 "$scratch/out"
    done_with "koine $name --help"
done
bare --help cost
status_is 0
out_has "--cache-read"
done_with "koine --help cost"
bare
status_is 2
out_is_empty
grep -q "^usage: koine" "$scratch/err" || complain "no usage"
done_with "koine alone"
for arguments in --version "chat --version" "cost --version"; do
    # shellcheck disable=SC2086 # words
    bare $arguments
    status_is 0
    err_is_empty
    grep -Eqx 'koine [0-9]+\.[0-9]+\.[0-9]+' "$scratch/out" || complain "no version"
    done_with "koine $arguments"
done

mistake() { # NAME TEXT ARGUMENT...: exit status 2, one line that has the text
    name=$1 text=$2
    shift 2
    run "$@"
    status_is 2
    out_is_empty
    err_has "$text"
    err_is_one_line
    done_with "$name"
}
mistake "an unknown command" 'there is no command "caht"; did you mean chat?' caht
mistake "an unknown command like none" 'there is no command "xyzzy"; koine --help lists them' xyzzy
mistake "an unknown option" 'koine chat: there is no option --modle; did you mean --model?' chat --modle openai/a Hi
mistake "an unknown global option" 'did you mean --verbose?' --verbsoe chat Hi
mistake "an unknown letter" 'there is no option -x' chat -x Hi
mistake "an ambiguous option" '--s may be --' chat --s
mistake "a missing value" '--max-tokens needs a value: N' chat Hi --max-tokens
mistake "a value too many" '--stream takes no value' chat --stream=yes Hi
mistake "an argument too many" '"openai" is one argument too many' models together openai
mistake "no prompt" 'there is no prompt' chat
mistake "-m and -r" '--route and --model exclude each other' chat -r default -m openai/a Hi
mistake "--stream and --no-stream" 'exclude each other' chat --stream --no-stream Hi
mistake "--request and --system" 'exclude each other' chat --request - --system Be Hi
mistake "--request and a prompt" 'there is no PROMPT beside it' chat --request - Hi
mistake "-m without a slash" '"gpt-4o-mini" is not INSTANCE/MODEL' chat -m gpt-4o-mini Hi
mistake "-m of no instance" 'did you mean openai?' chat -m openia/gpt-4o-mini Hi
mistake "-r of no route" 'no route named "nowhere"' chat -r nowhere Hi
mistake "--max-tokens of nothing" '--max-tokens: 0 is too small' chat --max-tokens 0 Hi
mistake "--max-tokens of words" '"many" is not a whole number' chat --max-tokens many Hi
for usd in -1 1e3 1,50 NaN '$1' 0.0000000000001 99999999 ''; do
    mistake "--budget of \"$usd\"" "--budget: \"$usd\" is not an amount of US dollars such as 0.50" chat --budget "$usd" Hi
done
mistake "--temperature of words" '"hot" is not a number' chat --temperature hot Hi
mistake "models of no instance" 'there is no instance "nobody"; there are: together, openai' models nobody
mistake "cost without a model" '--model INSTANCE/MODEL is missing' cost --input 1 --output 1
mistake "cost without tokens" '--output N is missing' cost -m openai/gpt-4o --input 1
mistake "cost of less than nothing" '--input: -1 is too small' cost -m openai/gpt-4o --input -1 --output 1
mistake "cost on no day" 'is not a day since 1970' cost -m openai/gpt-4o --input 1 --output 1 --at 2025-02-30
mistake "cost beyond counting" 'more than can be counted' cost -m openai/gpt-4o --input 9223372036854775807 --output 1
mistake "config without an action" 'say what to do: check or show' config
mistake "config of another action" 'did you mean check?' config chekc

# ---- Prompts and documents ------------------------------------------------------------------------------------------

run chat -m openai/echo Say this
status_is 0
out_is "Say this"
grep -Eqx 'openai/echo \| [0-9]+ in, 8 out \| price unknown \| [0-9.]+ m?s' "$scratch/err" || complain "another summary"
done_with "a prompt of words"
printf 'from the pipe\n\n' >"$scratch/prompt"
input=$scratch/prompt
run chat -m openai/echo
status_is 0
out_is "from the pipe"
done_with "a prompt from standard input"
run chat -m openai/mirror Look at this:
member_is messages.0.content "Look at this:

from the pipe"
member_is messages.# 1
done_with "words above what is piped"
run chat -m openai/echo -- --help
out_is "--help

from the pipe"
done_with "a prompt that looks like an option"
input=/dev/null

cat >"$scratch/document.json" <<'END'
{"model": "openai/mirror", "messages": [{"role": "system", "content": "Hm."}, {"role": "user", "content": "Hi \u00e4"}],
 "top_p": 0.10, "seed": 9007199254740993, "max_completion_tokens": 5, "koine": {"ours": 1}, "x-y": [1e2]}
END
run chat --request "$scratch/document.json"
status_is 0
member_is messages.1.content "Hi ä"
member_is model mirror
member_is top_p 0.10
member_is seed 9007199254740993
member_is koine -
member_is x-y "[1e2]"
member_is max_completion_tokens 5
done_with "--request FILE, unknown members and all digits"
input=$scratch/document.json
run chat --request - -m openai/x!mirror --max-tokens 9
status_is 0
member_is model x!mirror
member_is max_tokens -
member_is max_completion_tokens 9
done_with "--request - with -m, which wins, and --max-tokens"
input=/dev/null
run chat -m together/mirror --system "Be brief." --max-tokens 12 --temperature 0.70 Hello there
member_is messages.0.role system
member_is messages.0.content "Be brief."
member_is messages.1.content "Hello there"
member_is max_tokens 12
member_is temperature 0.70
member_is stream -
done_with "--system, --max-tokens and --temperature, as they were sent"
run chat -r twice Hello
status_is 0
member_is seed 7
done_with "-r ROUTE, with what its target sets"
grep -q "together/a!503 *503 overloaded" "$scratch/err" || complain "no trail"
grep -q "| 2 attempts$" "$scratch/err" || complain "no count"
done_with "and its attempts on standard error"

# ---- Streaming and what is held back --------------------------------------------------------------------------------

for option in "" --no-stream --stream; do
    forget_log
    run chat -m openai/healthy $option Hi
    status_is 0
    [ "$(wc -c <"$scratch/out")" -eq 308 ] || complain "another text"
    case $option in
    --stream) streamed=true ;;
    *) streamed=false ;;
    esac
    [ "$(logged 0.stream)" = $streamed ] || complain "streamed is $(logged 0.stream)"
    done_with "chat $option: how the provider is asked"
done
run chat -m openai/cut --stream Hi
status_is 1
out_has "The common speech"
err_has "protocol"
done_with "--stream shows what came before the end"
run chat -m openai/cut Hi
status_is 1
out_is_empty
done_with "without it nothing of a broken answer is written"
forget_log
run chat -r held --stream Hi
out_is "Hi"
posts_are 3
done_with "a route that commits complete moves on in the middle"

# ---- --json ---------------------------------------------------------------------------------------------------------

answer() { # NAME ARGUMENT...
    name=$1
    shift
    run chat --json "$@" Hi
    status_is 0
    shape_is answer
    err_is_empty
    done_with "--json: $name"
}
answer "an answer" -m openai/echo
answer "a streamed answer" -m openai/echo --stream
answer "tool calls" -m openai/tool
member_is tool_calls.1.name get_weather
member_is tool_calls.1.arguments '{"city": "Oslo", "unit": "celsius"}'
member_is tool_calls.1.complete true
member_is message.tool_calls.# 2
member_is text ""
member_is finish tool
member_is finish_raw tool_calls
done_with "their members"
answer "streamed tool calls" -m together/tool --stream
answer "reasoning" -m openai/reasoning
[ "$("$tools/pick" reasoning <"$scratch/out")" != null ] || complain "no reasoning"
done_with "its text"
answer "a refusal" -m openai/refusal
member_is text ""
[ "$("$tools/pick" refusal <"$scratch/out")" != null ] || complain "no refusal"
done_with "its text"
answer "a limit reached" -m openai/length
member_is finish length
done_with "its finish"
answer "an answer filtered" -m openai/filtered
member_is finish filter
done_with "its finish"
answer "usage that nobody told" -m openai/no-usage
member_is usage.estimated '["input","output"]'
member_is usage.output 77
done_with "is estimated and marked"
answer "a cache" -m openai/cached
answer "no tokens" -m openai/healthy --max-tokens 1
answer "a route" -r default
member_is attempts.# 3
member_is attempts.0.target together/a!503
member_is attempts.0.status 503
member_is attempts.0.class overloaded
member_is attempts.0.cost 0.00
member_is attempts.2.class null
member_is target openai/echo
member_is text Hi
done_with "its attempts"
answer "a price" -m together/meta-llama/Meta-Llama-3.1-8B-Instruct-Turbo!echo
member_is model meta-llama/Meta-Llama-3.1-8B-Instruct-Turbo
member_is cost.priced true
member_is cost.price_id together/meta-llama/Meta-Llama-3.1-8B-Instruct-Turbo@2024-07-23
tokens=$(($("$tools/pick" usage.input <"$scratch/out") + 2))
member_is cost.usd "0.$(printf %08d $((tokens * 18)))"
done_with "its literal"
cat >"$scratch/foreign.json" <<'END'
{"model": "openai/echo", "messages": [{"role": "user", "content": "Hi"}], "top_k": 5, "repetition_penalty": 1.1}
END
run chat --json --request "$scratch/foreign.json"
status_is 0
shape_is answer
member_is parameters.# 2
member_is parameters.0.name top_k
member_is parameters.0.action dropped
done_with "--json: members that did not travel"
run chat --request "$scratch/foreign.json"
err_has "note: top_k was dropped: "
done_with "and as notes"

fault() { # STATUS CLASS ORIGIN NAME ARGUMENT...
    wanted=$1 class=$2 origin=$3 name=$4
    shift 4
    run chat --json "$@"
    status_is "$wanted"
    shape_is fault
    member_is error.class "$class"
    member_is error.origin "$origin"
    done_with "--json: $name"
}
fault 1 overloaded provider "503" -m openai/503 Hi
member_is error.status 503
member_is error.target openai/503
member_is partial null
member_is cost.usd 0.00
member_is attempts.# 2
done_with "its members"
fault 1 rate_limit provider "429" -m openai/429 Hi
member_is error.retry_after_ms 2000
member_is error.code rate_limit_exceeded
done_with "its advice"
fault 1 protocol provider "a stream that breaks off" -m openai/cut --stream Hi
[ "$("$tools/pick" partial.text <"$scratch/out")" != - ] || complain "no partial answer"
done_with "its partial answer"
fault 1 auth provider "401" -m openai/401 Hi
fault 1 billing provider "a quota" -m openai/quota Hi
fault 1 model_gone provider "404" -m openai/404 Hi
fault 1 context_length caller "a context too long" -m openai/context-length Hi
fault 1 reset network "a reset" -m openai/reset Hi
member_is error.status null
member_is error.stage first_byte
done_with "its stage"
run chat -r keyless Hi
status_is 0
err_has "note: together: auth: Incorrect API key provided."
done_with "a key that is refused is told, though another provider answers"
fault 1 overloaded provider "a route where nobody answers" -r lost Hi
member_is attempts.# 3
done_with "its attempts"
fault 2 null null "a wrong option" --modle openai/a Hi
fault 2 null null "no prompt" -m openai/a
fault 2 null null "an instance that is none" -m nobody/a Hi
fault 2 null null "a document that is none" --request "$scratch/koine.yaml"
bare chat --json -c "$scratch/none.yaml" Hi
status_is 2
shape_is fault
done_with "--json: a configuration that is not there"

# ---- Policy and exit statuses ---------------------------------------------------------------------------------------

usual_configuration <<'END'
parameters: strict
END
forget_log
run chat --json --request "$scratch/foreign.json"
status_is 3
shape_is fault
member_is error.class unsupported
member_is error.origin policy
posts_are 0
done_with "parameters: strict refuses, and nothing was sent"
run chat --request "$scratch/foreign.json"
status_is 3
out_is_empty
err_has "top_k"
err_is_one_line
done_with "in one line"
usual_configuration </dev/null
forget_log
run chat --json -m openai/gpt-4o-mini --max-tokens 100 --budget 0.00001 Hi
status_is 3
shape_is fault
member_is error.class budget
member_is error.origin policy
member_is error.code call
posts_are 0
done_with "a budget refuses, and nothing was sent"
run chat -m openai/gpt-4o-mini --max-tokens 100 --budget 0.001 Hi
status_is 0
done_with "and lets through what fits"
run chat -m openai/echo --budget 1 Hi
status_is 3
err_has "its price is not known"
err_is_one_line
done_with "an unknown price is refused"
MAX_ESTIMATED_COST=0.00001
export MAX_ESTIMATED_COST
run chat -m openai/gpt-4o-mini --max-tokens 100 Hi
status_is 3
err_has "the run's budget of \$0.00001 would be overspent"
done_with "so does MAX_ESTIMATED_COST"
run config show
status_is 0
out_has "run: 0.00001"
done_with "which config show shows"
unset MAX_ESTIMATED_COST
usual_configuration <<'END'
approval: {call: 0.0001}
END
forget_log
# setsid: whoever runs the tests may have a terminal, and must not be asked.
asked() {
    setsid "$koine" -c "$scratch/koine.yaml" "$@" >"$scratch/out" 2>"$scratch/err" </dev/null 9>&-
    status=$?
}
asked chat -m openai/gpt-4o-mini --max-tokens 100 Hi
status_is 3
out_is_empty
err_has "koine: This call may cost up to \$0.0003, and there is no terminal to ask on; --yes says yes"
err_has "koine: openai/gpt-4o-mini: declined: the answer was no: the call could cost up to \$0.0002154"
done_with "an approval without a terminal is no"
asked chat --json -m openai/gpt-4o-mini --max-tokens 100 Hi
status_is 3
shape_is fault
member_is error.class declined
member_is error.origin policy
member_is error.code approval
member_is estimate_usd 0.0002154
posts_are 0
done_with "and nothing was sent, also with --json"
asked chat -m openai/echo Hi
status_is 3
err_has "Nobody knows what openai/echo could cost: its price is not known, and there is no terminal"
done_with "what has no price needs one too"
asked chat --yes -m openai/gpt-4o-mini --max-tokens 100 Hi
status_is 0
asked chat -y --json --stream -m openai/echo Hi
status_is 0
shape_is answer
done_with "--yes answers"
asked chat -m openai/gpt-4o-mini --max-tokens 1 Hi
status_is 0
done_with "what costs less is not asked"
mkdir "$scratch/staged"
cp "$source/docs/examples/staged.yaml" "$source/docs/examples/.env.development" "$source/docs/examples/.env.production" \
    "$scratch/staged"
staged() { # ENVIRONMENT STAGE2 HOW-OFTEN LIMIT
    KOINE_ENV=$1 TOGETHER_API_KEY=a-key KOINE__plugin_path="[$scratch/plugins]" "$koine" -c "$scratch/staged/staged.yaml" \
        config show >"$scratch/out" 2>"$scratch/err" </dev/null 9>&-
    status=$?
    status_is 0
    out_has "target: together/Qwen/Qwen2.5-32B-Instruct"
    [ "$(grep -c "target: together/$2\$" "$scratch/out")" = "$3" ] || complain "stage2 asks another model"
    out_has "run: $4"
    done_with "docs/examples: staged.yaml with .env.$1"
}
staged development Qwen/Qwen2.5-32B-Instruct 2 0.50
staged production Qwen/Qwen2.5-72B-Instruct-Turbo 1 20.00
usual_configuration </dev/null
run chat Hi
status_is 2
err_has "nobody to ask"
done_with "no route to take"
"$koine" -c "$scratch/koine.yaml" chat -m openai/echo Hi 2>"$scratch/err" </dev/null 9>&- | :
run chat -m openai/echo Hi >/dev/full
"$koine" -c "$scratch/koine.yaml" chat -m openai/echo Hi >/dev/full 2>"$scratch/err" </dev/null 9>&-
status=$?
status_is 1
err_has "standard output: No space left on device"
done_with "a full disk"
(
    "$koine" -c "$scratch/koine.yaml" chat -m openai/echo Hi 2>/dev/null </dev/null 9>&-
    echo $? >"$scratch/status"
) | :
status=$(cat "$scratch/status")
status_is 0
done_with "a reader who went away"

interrupted() { # NAME SIGNAL ARGUMENT...: after the stand-in has the request
    name=$1 signal=$2
    shift 2
    forget_log
    "$koine" -c "$scratch/koine.yaml" chat "$@" Hi >"$scratch/out" 2>"$scratch/err.all" </dev/null 9>&- &
    pid=$!
    while [ "$(logged '#')" = 0 ]; do :; done
    kill -s "$signal" $pid
    wait $pid
    status=$?
    without_shadows "$scratch/err.all" >"$scratch/err"
    status_is 130
    done_with "$name"
}
interrupted "SIGINT while a provider is silent" INT -m openai/silence
interrupted "SIGINT in the middle of a stream" INT -m openai/slow --stream
interrupted "SIGTERM" TERM -m openai/silence
interrupted "SIGINT with --json" INT -m openai/silence --json
shape_is fault
member_is error.class cancelled
member_is error.origin caller
done_with "its object"

# ---- On a terminal --------------------------------------------------------------------------------------------------

tty() {
    TERM=xterm LC_ALL=C.UTF-8 "$tools/tty" "$@" >"$scratch/out" 2>"$scratch/err" </dev/null 9>&-
    status=$?
}
dim=$(printf '\033[2m')
tty true
if [ $status = 0 ]; then
    forget_log
    tty "$koine" -c "$scratch/koine.yaml" chat -m openai/reasoning Hi
    status_is 0
    out_has "${dim}The"
    out_has "openai/reasoning · "
    [ "$(logged 0.stream)" = true ] || complain "it was not asked for a stream"
    done_with "a terminal: streamed, reasoning dimmed, a summary"
    NO_COLOR=1 tty "$koine" -c "$scratch/koine.yaml" chat -m openai/reasoning Hi
    out_lacks "$dim"
    out_has "[reasoning]"
    done_with "a terminal: NO_COLOR, and a word for what was thought"
    tty -i "The" "$koine" -c "$scratch/koine.yaml" chat -m openai/slow Hi
    status_is 130
    out_has "The"
    out_has "cancelled"
    out_lacks "today."
    done_with "a terminal: Ctrl-C keeps what has come"
    tty "$koine" -c "$scratch/koine.yaml" chat -m openai/500-once Hi
    status_is 0
    out_has "trying again in "
    done_with "a terminal: retries are told"
    usual_configuration <<'END'
approval: {run: 0.0001}
END
    question="This run may cost up to \$0.0003. Go on? [y/N] "
    forget_log
    tty -t "$question" "" "$koine" -c "$scratch/koine.yaml" chat -m openai/gpt-4o-mini --max-tokens 100 Hi
    status_is 3
    out_has "declined: the answer was no"
    tty -t "$question" "yes, but" "$koine" -c "$scratch/koine.yaml" chat -m openai/gpt-4o-mini --max-tokens 100 Hi
    status_is 3
    tty -t "$question" n "$koine" -c "$scratch/koine.yaml" chat -m openai/gpt-4o-mini --max-tokens 100 Hi
    status_is 3
    posts_are 0
    done_with "a terminal: no unless yes"
    tty -t "$question" y "$koine" -c "$scratch/koine.yaml" chat -m openai/gpt-4o-mini --max-tokens 100 Hi
    status_is 0
    out_has "openai/gpt-4o-mini · "
    tty -t "$question" YES "$koine" -c "$scratch/koine.yaml" chat -m openai/gpt-4o-mini --max-tokens 100 Hi
    status_is 0
    posts_are 2
    done_with "a terminal: yes"
    # shellcheck disable=SC2016 # the inner shell's own
    tty -t "$question" y sh -c 'echo Hi | "$0" "$@" 2>/dev/null | cat' "$koine" -c "$scratch/koine.yaml" chat --json \
        -m openai/gpt-4o-mini --max-tokens 100
    out_has "$question"
    out_has '"target":"openai/gpt-4o-mini"'
    done_with "a terminal: the prompt and the answer in pipes"
    tty -i "$question" "$koine" -c "$scratch/koine.yaml" chat -m openai/gpt-4o-mini --max-tokens 100 Hi
    status_is 130
    out_has "cancelled"
    posts_are 3
    done_with "a terminal: Ctrl-C is no answer"
    usual_configuration </dev/null
else
    skip "a terminal" "none is to be had"
fi

# ---- models ---------------------------------------------------------------------------------------------------------

run models
status_is 0
err_is_empty
out_has "meta-llama/Meta-Llama-3.1-8B-Instruct-Turbo"
out_has "gpt-4o-mini"
done_with "models"
run models openai
out_lacks meta-llama
out_has gpt-4o-mini
done_with "models INSTANCE"
run models together
grep -q '^meta-llama/Meta-Llama-3.1-8B-Instruct-Turbo  *131072 ' "$scratch/out" || complain "another window than 131072"
done_with "models: numbers are exact"
run models --json
shape_is models
member_is models.0.id meta-llama/Meta-Llama-3.1-8B-Instruct-Turbo
member_is models.0.context 131072
member_is models.0.input_price 0.18
member_is models.0.capabilities '["chat","instruct"]'
member_is errors.# 0
done_with "models --json"
forget_log
run models --live
status_is 0
out_has standin/healthy
out_has meta-llama/Llama-3.3-70B-Instruct-Turbo
posts_are 2
done_with "models --live"
run models --live --json openai
shape_is models
member_is models.0.id gpt-4o-mini
member_is models.0.input_price 0.15
done_with "models --live --json INSTANCE, completed from the catalogue"
behaving=$port
standin --behave together=503
usual_configuration </dev/null
run models --live
status_is 1
out_has standin/healthy
err_has "overloaded"
done_with "models --live: one that fails keeps nobody from being listed"
run models --live --json
status_is 1
shape_is models
member_is errors.0.class overloaded
member_is errors.# 1
done_with "and as JSON"
run models --live --json together
status_is 1
shape_is fault
member_is error.target together
done_with "and alone"
port=$behaving
sed '/api_key: a-key/d' "$scratch/koine.yaml" >"$scratch/keyless.yaml"
bare -c "$scratch/keyless.yaml" models --live
status_is 0
err_has "together: not asked, there is no key (TOGETHER_API_KEY)"
done_with "models --live: who has no key is not asked"
usual_configuration </dev/null

# ---- providers ------------------------------------------------------------------------------------------------------

run providers
status_is 0
out_has "$scratch/plugins/together.so"
out_has "present: TOGETHER_API_KEY"
done_with "providers"
run providers --json
status_is 0
shape_is providers
member_is providers.0.name together
member_is providers.0.abi v1
member_is providers.0.key true
member_is providers.0.base_url "http://127.0.0.1:$port/together/v1"
member_is folders.0 "$scratch/plugins"
out_lacks a-key
done_with "providers --json"
printf 'plugin_path: ["%s"]\nisolate_helper: %s\nproviders:\n  together: {isolate: true}\n' "$scratch/plugins" "$scratch/koine-isolate" \
    >"$scratch/isolated.yaml"
cp "$build/apps/koine-isolate" "$scratch/koine-isolate"
TOGETHER_API_KEY=sk-own
export TOGETHER_API_KEY
bare -c "$scratch/isolated.yaml" providers --json
unset TOGETHER_API_KEY
member_is providers.0.name together
member_is providers.0.key true
done_with "an isolated plugin has the key of its own name"
bare -c "$scratch/keyless.yaml" providers --json
member_is providers.1.key false
member_is providers.1.key_variable OPENAI_API_KEY
done_with "providers without a key"
OPENAI_API_KEY=b-key bare -c "$scratch/keyless.yaml" providers --json
member_is providers.1.key false
done_with "a vendor's key does not go to a server of one's own"
mkdir "$scratch/mixed"
cp "$scratch"/plugins/* "$scratch/mixed"
echo 'echo no' >"$scratch/mixed/script.so"
sed "s|$scratch/plugins|$scratch/mixed|" "$scratch/koine.yaml" >"$scratch/mixed.yaml"
bare -c "$scratch/mixed.yaml" providers
status_is 0
out_has "  refused: is not a shared object"
err_has "note: $scratch/mixed/script.so is refused: is not a shared object"
err_is_one_line
done_with "providers: a refused plugin and the reason"
for arguments in "config check" "cost -m openai/gpt-4o --input 1 --output 1"; do
    # shellcheck disable=SC2086 # words
    bare -c "$scratch/mixed.yaml" $arguments
    status_is 0
    err_has "note: $scratch/mixed/script.so is refused: is not a shared object"
    err_is_one_line
    done_with "koine $arguments tells it, too, and goes on"
done
bare -c "$scratch/mixed.yaml" providers --json
shape_is providers
"$tools/pick" providers <"$scratch/out" | grep -q '"name":"script","id":null,"version":null' || complain "no row of it"
done_with "and as JSON"
mkdir "$scratch/homeless" && cp "$build/providers/.libs/azure.so" "$scratch/homeless" && chmod 644 "$scratch"/homeless/*
printf 'plugin_path: [%s]\n' "$scratch/homeless" >"$scratch/homeless.yaml"
bare -c "$scratch/homeless.yaml" providers
status_is 0
err_is_empty
grep -q '^azure *- *waits ' "$scratch/out" || complain "no row of it"
out_has "  needs providers.azure.base_url"
done_with "providers: a plugin whose address only its user can know waits"
bare -c "$scratch/homeless.yaml" chat -m azure/mine Hi
status_is 1
err_has "azure/mine: plugin: needs providers.azure.base_url"
done_with "and cannot be asked"
printf 'plugin_path: [%s]\nproviders:\n  azure:\n' "$scratch/homeless" >"$scratch/homeless.yaml"
bare -c "$scratch/homeless.yaml" config check
status_is 2
err_has "homeless.yaml:3:3: providers.azure: base_url is required"
err_is_one_line
done_with "configured without an address it is wrong"
{
    cat "$scratch/homeless.yaml"
    echo '    base_url: http://127.0.0.1:1'
} >"$scratch/homed.yaml"
AZURE_OPENAI_API_KEY=a-key bare -c "$scratch/homed.yaml" chat -m azure/mine Hi
status_is 1
err_has "there is no key: set providers.azure.api_key, for example to \${AZURE_OPENAI_API_KEY}"
done_with "a key in a variable goes to no address that only a configuration names"
printf 'plugin_path: [%s, %s]\n' "$scratch/plugins" "$scratch/nowhere" >"$scratch/nowhere.yaml"
printf 'plugin_path: [%s]\n' "$scratch/empty" >"$scratch/nothing.yaml"
bare -c "$scratch/nothing.yaml" providers
if grep -q together "$scratch/out"; then
    skip "providers: none found" "this prefix has a koine installed"
else
    status_is 0
    out_is_empty
    err_has "No plugin was found"
    err_has "$scratch/empty"
    done_with "providers: none found, and where was looked"
fi

# ---- cost -----------------------------------------------------------------------------------------------------------

cost() { # USD DATE MODEL INPUT OUTPUT [OPTION...]
    usd=$1 day=$2 model=$3 in=$4 out=$5
    shift 5
    run cost -m "$model" --input "$in" --output "$out" --at "$day" --json "$@"
    status_is 0
    shape_is cost
    member_is usd "$usd"
    member_is at "$day"
    done_with "cost of $model on $day: $usd"
}
m=1000000
cost 0.75 2025-06-01 openai/gpt-4o-mini $m $m
cost 0.00000075 2025-06-01 openai/gpt-4o-mini 1 1
cost 0.675 2025-06-01 openai/gpt-4o-mini 0 $m --cache-read $m
cost 10.00 2024-12-31 together/meta-llama/Meta-Llama-3.1-405B-Instruct-Turbo $m $m
cost 7.00 2025-01-01 together/meta-llama/Meta-Llama-3.1-405B-Instruct-Turbo $m $m
cost 5.00 2024-07-23 together/meta-llama/Meta-Llama-3.1-405B-Instruct-Turbo $m 0
cost 3.50 2025-01-01 together/meta-llama/Meta-Llama-3.1-405B-Instruct-Turbo 0 $m
cost 1.76 2024-08-01 together/meta-llama/Meta-Llama-3.1-70B-Instruct-Turbo $m $m
cost 0.40 2024-08-01 together/mistralai/Mistral-7B-Instruct-v0.3 $m $m
cost 1.20 2024-08-01 together/mistralai/Mixtral-8x7B-Instruct-v0.1 $m $m
cost 0.60 2024-08-01 together/Qwen/Qwen2.5-7B-Instruct-Turbo $m $m
cost 2.40 2024-08-01 together/Qwen/Qwen2.5-72B-Instruct-Turbo $m $m
cost 1.60 2024-10-01 together/qwen/Qwen2.5-32B-Instruct-Turbo $m $m
member_is estimated true
done_with "whose price is an estimate"
cost null 2024-07-22 together/meta-llama/Meta-Llama-3.1-8B-Instruct-Turbo $m $m
cost null 2025-06-01 openai/my-own-fine-tuned $m $m
member_is priced false
member_is price_id null
done_with "which is unknown, not nothing"
run cost -m openai/gpt-4o-mini --input $m --output $m
status_is 0
err_is_empty
grep -Eqx '\$0\.75  openai/gpt-4o-mini@[0-9-]+' "$scratch/out" || complain "another line"
done_with "cost"
run cost -m openai/unheard-of --input 1 --output 1
status_is 0
out_is "price unknown"
done_with "cost of an unknown model"
usual_configuration <<'END'
catalogue: [mine.json]
END
cat >"$scratch/mine.json" <<'END'
{"provider": "openai", "models": [{"id": "my-own", "context": 1000, "prices":
 [{"valid_from": "2025-01-01", "input": 1.25, "output": 0.000001}]},
 {"id": "gpt-4o-mini", "prices": [{"valid_from": "1970-01-01", "input": 1, "output": 1}]}]}
END
cost 1.250001 2025-06-01 openai/my-own $m $m
cost 2.00 2025-06-01 openai/gpt-4o-mini $m $m
KOINE__providers__openai__price=free
export KOINE__providers__openai__price
run cost -m openai/my-own --input 1 --output 1
out_is free
done_with "a server of one's own is free"
unset KOINE__providers__openai__price
bare -c "$scratch/nowhere.yaml" config check
status_is 0
err_has "note: plugin_path: there is no folder $scratch/nowhere"
done_with "config check: a folder that is not there"
usual_configuration </dev/null

# ---- config ---------------------------------------------------------------------------------------------------------

usual_configuration <<'END'
routes:
  default: {targets: [together/a, openai/b]}
END
run config check
status_is 0
out_is "$scratch/koine.yaml: ok (2 providers, 1 route)"
err_is_empty
done_with "config check"
run config show
status_is 0
err_is_empty
out_has "api_key: (set)"
out_has "max_retries: 1"
out_lacks a-key
done_with "config show"
cp "$scratch/out" "$scratch/shown.yaml"
sed 's/api_key: (set)/api_key: another-key/' "$scratch/shown.yaml" >"$scratch/again.yaml"
bare -c "$scratch/again.yaml" config show
cmp -s "$scratch/out" "$scratch/shown.yaml" || complain "it is shown differently"
done_with "with keys it is one"
KOINE__providers__together__retry__max_retries=3 run config show
out_has "max_retries: 3"
done_with "the environment wins over the file"
KOINE_CONFIG=$scratch/koine.yaml bare config check
out_is "$scratch/koine.yaml: ok (2 providers, 1 route)"
done_with "KOINE_CONFIG"
mkdir -p "$scratch/home/.config/koine"
cp "$scratch/koine.yaml" "$scratch/home/.config/koine"
bare config check
out_is "$scratch/home/.config/koine/koine.yaml: ok (2 providers, 1 route)"
done_with "the user's own configuration"
cp "$scratch/koine.yaml" "$scratch/empty/koine.yaml"
rm -r "$scratch/home/.config"
bare config check
out_lacks "$scratch/empty"
done_with "never that of the current folder"
rm "$scratch/empty/koine.yaml"
run -v chat -m openai/echo Hi
status_is 0
err_has "event=attempt"
done_with "-v tells what happens"
run chat -vv -m openai/echo "a secret prompt"
err_has "event=request call=c1 target=openai/echo"
err_has "event=head call=c1 target=openai/echo status=200"
! grep -q "a secret prompt" "$scratch/err" || complain "the prompt is told"
grep -q '^koine: debug: event=request call=' "$scratch/err" || complain "not as a person wants it"
done_with "-vv does not tell the prompt"
KOINE__log__content=true KOINE__providers__openai__api_key=key-of-openai run -v chat -m openai/echo "a prompt, key-of-openai"
err_has 'what=prompt role=user text="a prompt, ***"'
! grep -q "key-of-openai" "$scratch/err" || complain "the key is told"
done_with "log.content tells the prompt, and no key"
KOINE__log__format=json run -vv chat -m openai/echo "a secret prompt"
sed '/^{.*}$/!d' "$scratch/err" >"$scratch/lines"
[ "$(wc -l <"$scratch/lines")" -ge 4 ] || complain "no lines of JSON"
while read -r line; do
    printf '%s' "$line" | "$tools/pick" event at >"$scratch/event" 2>&1
    grep -Eqx 'request|head|attempt|call' "$scratch/event" || complain "no JSON: $line"
done <"$scratch/lines"
! grep -q "a secret prompt" "$scratch/err" || complain "the prompt is told"
done_with "log.format json"
mkdir "$scratch/a \"b\"=c"
cp "$scratch"/plugins/* "$scratch/a \"b\"=c"
echo 'echo no' >"$scratch/a \"b\"=c/script.so"
for format in logfmt json; do
    KOINE__log__format=$format KOINE__plugin_path__0="$scratch/a \"b\"=c" run chat -m openai/echo Hi
    err_has "note: $scratch/a \"b\"=c/script.so is refused: is not a shared object"
    ! grep -q plugin_refused "$scratch/err" || complain "told twice"
    done_with "a refused plugin in a strange place, $format"
done

# ---- Completion -----------------------------------------------------------------------------------------------------

completed() { # WORD...: what the last word may become, into out
    bash -c '. "$0" && COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) && _koine && printf "%s\n" "${COMPREPLY[@]}"' \
        "$source/apps/koine/koine.bash" "$koine" -c "$scratch/koine.yaml" "$@" >"$scratch/out" 2>"$scratch/err"
}
if command -v bash >/dev/null 2>&1; then
    completed chat -m op
    err_is_empty
    out_is openai/
    done_with "completion: an instance and its slash"
    completed chat -m openai/gpt-4o-mini-2
    err_is_empty
    out_is openai/gpt-4o-mini-2024-07-18
    done_with "completion: the models of an instance"
    completed cost --model = together/mistralai/Mixtral-8x7B-
    out_is together/mistralai/Mixtral-8x7B-Instruct-v0.1
    done_with "completion: also after --model="
    completed plugin ne
    out_is new
    completed plugin new acme --like o
    out_is own
    completed pl
    out_is plugin
    done_with "completion: plugin"
    completed doctor openai tog
    out_is together
    completed doctor --off
    out_is --offline
    done_with "completion: doctor"
    completed explain --max
    out_is --max-tokens
    completed expl
    out_is explain
    done_with "completion: explain"
else
    skip "completion" "there is no bash"
fi

# ---- plugin: what it writes is tested where it is installed, by tests/kit -------------------------------------------

mistake "plugin alone" "say what to do: new or check" plugin
mistake "plugin: another verb" 'did you mean new?' plugin nwe acme
mistake "plugin new: no name" "new needs a name" plugin new
mistake "plugin new: a name that is none" "is no name for a provider" plugin new Acme
mistake "plugin new: a name that is taken" "the name together is taken by $scratch/plugins/together.so" plugin new together
mistake "plugin new: another kind" "is neither chat nor own" plugin new fresh --like x
mkdir acme
mistake "plugin new: a folder that exists" "there is something named acme here already" plugin new acme
rmdir acme

# ---- standin --------------------------------------------------------------------------------------------------------

"$koine" standin --scale 0.5 --until-eof --quiet --behave openai=429 <"$scratch/leash" >"$scratch/said" 2>"$scratch/err" 9>&- &
pid=$!
standins="$standins $pid"
read -r line <"$scratch/said"
port=${line##*:}
[ "$line" = "koine-standin: http://127.0.0.1:$port" ] || complain "it says \"$line\""
"$tools/fetch" "$port" /standin/behaviours >"$scratch/out"
out_has '"slow-first-token"'
usual_configuration </dev/null
run chat -m openai/a Hi
status_is 1
err_has rate_limit
[ "$(logged 0.behaviour)" = 429 ] || complain "it does not obey --behave"
kill -s INT $pid
wait $pid
status=$?
status_is 0
done_with "koine standin"
bare standin --help
out_has "Usage: koine standin "
out_lacks "Usage: koine-standin"
done_with "koine standin --help speaks of koine standin"
bare standin --port 99999
status_is 2
err_has "a number from 0 to 65535 is wanted"
done_with "koine standin: a wrong port"

plan
