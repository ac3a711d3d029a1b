#!/bin/sh
# koine explain: where a call would go, without making it: what is printed, the shape of --json, exit statuses, and that
# nobody is asked.
# shellcheck disable=SC2016 # accents that are meant
. "${KOINE_TEST_SOURCE:-$(dirname "$0")/../..}/tests/e2e/lib.sh"

standin
usual_configuration <<'END'
  lab: {plugin: openai, base_url: http://127.0.0.1:@PORT@/openai/v1, api_key: a-key, parameters: strict, price: free}
  keyless: {plugin: together}
routes:
  default: {targets: [together/meta-llama/Meta-Llama-3.1-8B-Instruct-Turbo, openai/gpt-4o-mini], deadline: 90s}
  careful: {targets: [lab/one, openai/gpt-4o-mini], hedge_after: 2s, commit: complete, deadline: 90s}
  nobody: {targets: [keyless/meta-llama/Meta-Llama-3.1-8B-Instruct-Turbo]}
END
forget_log

run explain
status_is 0
err_is_empty
out_has 'assumed: the prompt is "Hi"'
out_has "State is that of this process, which is fresh"
out_has "A call that starts now would ask together/meta-llama/Meta-Llama-3.1-8B-Instruct-Turbo."
out_has "1  together/meta-llama/Meta-Llama-3.1-8B-Instruct-Turbo  asked"
out_has "2  openai/gpt-4o-mini  reserve"
out_has "   breaker  go     closed"
out_has "   retries  1 of at most 1: after 1 ms (jitter equal); the retry budget has 100 of 100"
out_lacks "$(printf '\033')"
out_lacks a-key
done_with "explain: the default route"

run explain --json --max-tokens 100 "Why is the sky blue?"
status_is 0
err_is_empty
shape_is explanation
member_is route default
member_is now.target together/meta-llama/Meta-Llama-3.1-8B-Instruct-Turbo
member_is deadline_ms 90000
member_is targets.1.parameters.0.name max_tokens
member_is targets.1.parameters.0.action mapped
done_with "explain --json"

printf '{"messages":[{"role":"user","content":"Hi"}],"model":"careful","top_k":5,"max_tokens":10}' >"$scratch/document.json"
run explain --json --request "$scratch/document.json"
status_is 0
shape_is explanation
member_is route careful
member_is commit complete
member_is now.target openai/gpt-4o-mini
member_is targets.0.stands refused
member_is targets.0.cost.attempts_most 0
member_is targets.0.hedge.after_ms 2000
member_is targets.0.timeouts.share_ms 45000
member_is targets.1.parameters.0.name top_k
member_is targets.1.parameters.0.action dropped
done_with "explain --request: the document's route, and a target that could not take it"
input=$scratch/document.json
run explain --request - --json -m lab/one --budget 0.50
input=/dev/null
status_is 1
shape_is explanation
member_is route null
member_is now.class unsupported
member_is targets.0.cost.attempt_most_usd 0.00
member_is cost.budgets.0.scope call
member_is cost.budgets.0.left_usd 0.50
done_with "explain -m and a document from standard input: nobody would be asked"

run explain -r nobody
status_is 1
err_is_empty
out_has "A call that starts now would ask nobody and end as auth at keyless/"
out_has "   key      refuse there is no key: set TOGETHER_API_KEY, or providers.keyless.api_key"
done_with "explain: no key"

MAX_ESTIMATED_COST=0.0001 run explain -m openai/gpt-4o-mini
status_is 1
out_has "would ask nobody and end as budget at openai/gpt-4o-mini"
out_has "the run's budget has \$0.0001 left and refuses what could lead beyond"
done_with "explain: MAX_ESTIMATED_COST"

# ---- mistakes -----------------------------------------------------------------------------------------------------------

mistake() { # NAME WORDS ARGUMENT...
    name=$1 words=$2
    shift 2
    run explain "$@"
    status_is 2
    out_is_empty
    err_is_one_line
    err_has "$words"
    done_with "explain: $name"
}
printf '{"messages":[' >"$scratch/half.json"
printf '[]' >"$scratch/list.json"
mistake "-r and -m" "--route" -r default -m openai/a
mistake "no target" "INSTANCE/MODEL" -m openai
mistake "an empty route" "--route: is empty" -r ""
mistake "half a document" "half.json:1:" --request "$scratch/half.json"
mistake "a document that is no object" "is no JSON object" --request "$scratch/list.json"
mistake "no such file" "nowhere.json" --request "$scratch/nowhere.json"
mistake "a document and a prompt" "--request is the whole document" --request "$scratch/document.json" Hi
mistake "no amount" "is not an amount of US dollars" --budget much
mistake "an unknown option" "did you mean --json" --jsn
printf '\377' >"$scratch/latin"
mistake "no UTF-8" "is not UTF-8" "$(cat "$scratch/latin")"

run explain -r defualt
status_is 2
out_is_empty
err_has 'no route named "defualt"; did you mean default?'
done_with "explain: an unknown route"
run explain --json -r defualt
status_is 2
shape_is fault
done_with "explain --json: an unknown route"
printf '{"messages":[{"role":"user","content":"Hi"}],"n":2}' >"$scratch/two.json"
run explain --request "$scratch/two.json"
err_has '`n` is above 1'
out_is_empty
[ "$status" != 0 ] || complain "exit status 0"
done_with "explain: a document that nobody may be asked with"

# ---- a provider in a process of its own --------------------------------------------------------------------------------

cp "$build/apps/koine-isolate" "$scratch/koine-isolate" && chmod 755 "$scratch/koine-isolate" || exit 99
sed "s|^  together:|&\n    isolate: true|; \$aisolate_helper: $scratch/koine-isolate" "$scratch/koine.yaml" >"$scratch/isolated.yaml"
run explain --json --max-tokens 100
sed 's/"run":"[^"]*"//' "$scratch/out" >"$scratch/direct"
bare -c "$scratch/isolated.yaml" explain --json --max-tokens 100
if grep -q '"class":"plugin"' "$scratch/out"; then
    : >"$wrong"
    skip "explain: an isolated provider says the same" "there is no isolation here"
else
    status_is 0
    sed 's/"run":"[^"]*"//' "$scratch/out" | cmp -s - "$scratch/direct" || complain "it does not say the same"
    done_with "explain: an isolated provider says the same"
fi

posts_are 0
done_with "explain: nobody was asked"
if "$tools/tty" true 2>/dev/null; then
    TERM=xterm "$tools/tty" "$koine" -c "$scratch/koine.yaml" explain >"$scratch/out" 2>"$scratch/err" </dev/null 9>&-
    status=$?
    status_is 0
    out_has "$(printf '\033[32mgo')"
    sed "s/$(printf '\033')\[[0-9;]*m//g" "$scratch/out" | tr -d '\r' >"$scratch/plain"
    width_is_at_most 80 "$scratch/plain"
    done_with "explain on a terminal: colours, and no line longer than that"
else
    skip "explain on a terminal: colours, and no line longer than that" "there is no terminal"
fi
plan
