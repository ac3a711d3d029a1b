#!/bin/sh
# The real providers, for one cent at most: only with KOINE_LIVE=1 and a key. What it will cost is shown first.
together_key=${TOGETHER_API_KEY:-} openai_key=${OPENAI_API_KEY:-}
. "${KOINE_TEST_SOURCE:-$(dirname "$0")/../..}/tests/e2e/lib.sh"

echo "plugin_path: [$scratch/plugins]" >"$scratch/koine.yaml"

without() { # PROVIDER REASON
    for name in "what it will cost" "a whole answer" "a streamed answer" "the list of models"; do
        skip "$1: $name" "$2"
    done
}

# Two calls of at most 100 tokens in and 500 out. awk judges, for shells do not know decimals.
affordable() { # MODEL
    run cost -m "$1" --input 200 --output 1000 --json
    status_is 0
    member_is priced true
    usd=$("$tools/pick" usd <"$scratch/out")
    echo "# two calls of $1 cost \$$usd at most"
    awk -v usd="$usd" 'BEGIN { exit !(usd > 0 && usd <= 0.01) }' || complain "\$$usd is more than a cent"
}

answers() { # MODEL OPTION
    run chat --json -m "$1" "$2" --max-tokens 500 "Answer with the one word yes."
    status_is 0
    shape_is answer
    "$tools/pick" text <"$scratch/out" | grep -qi yes || complain "the answer is $("$tools/pick" text <"$scratch/out")"
    member_is attempts.0.status 200
    member_is cost.priced true
    echo "# $1 $2: \$$("$tools/pick" cost.usd <"$scratch/out"), tokens $("$tools/pick" usage.input_total usage.output_total <"$scratch/out" | tr '\n' ' ')"
}

live() { # PROVIDER MODEL
    affordable "$1/$2"
    if [ -s "$wrong" ]; then
        done_with "$1: what it will cost"
        return
    fi
    done_with "$1: what it will cost"
    answers "$1/$2" --no-stream
    done_with "$1: a whole answer"
    answers "$1/$2" --stream
    done_with "$1: a streamed answer"
    run models --live --json "$1"
    status_is 0
    shape_is models
    out_has "\"$2\""
    done_with "$1: the list of models"
}

if [ "${KOINE_LIVE:-}" != 1 ]; then
    without together "KOINE_LIVE is not 1"
    without openai "KOINE_LIVE is not 1"
    plan
    exit
fi
if [ -n "$together_key" ]; then
    TOGETHER_API_KEY=$together_key
    export TOGETHER_API_KEY
    live together openai/gpt-oss-120b
else
    without together "there is no TOGETHER_API_KEY"
fi
if [ -n "$openai_key" ]; then
    OPENAI_API_KEY=$openai_key
    export OPENAI_API_KEY
    live openai gpt-4o-mini
else
    without openai "there is no OPENAI_API_KEY"
fi

plan
