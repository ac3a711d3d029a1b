#!/bin/sh
# check_prices: computes the costs that tests/unit/test_price.c expects a second time, with bc, from the catalogue's
# files as text. Speaks TAP. Reads the layout in which a price row is one line.
set -u
LC_ALL=C
export LC_ALL
folder=${srcdir:-.}/providers/catalogue

# provider model date input output picodollars
cases='together meta-llama/Meta-Llama-3.1-8B-Instruct-Turbo 2024-07-23 1234 567 324180000
together meta-llama/Meta-Llama-3.1-70B-Instruct-Turbo 2024-07-23 1234 567 1584880000
together meta-llama/Meta-Llama-3.1-405B-Instruct-Turbo 2024-12-31 1234 567 9005000000
together meta-llama/Meta-Llama-3.1-405B-Instruct-Turbo 2025-01-01 1234 567 6303500000
together mistralai/Mistral-7B-Instruct-v0.3 2024-07-23 1234 567 360200000
together mistralai/Mixtral-8x7B-Instruct-v0.1 2024-07-23 1234 567 1080600000
together Qwen/Qwen2.5-7B-Instruct-Turbo 2024-07-23 1234 567 540300000
together Qwen/Qwen2.5-72B-Instruct-Turbo 2024-07-23 1234 567 2161200000
together Qwen/Qwen2.5-32B-Instruct 2024-07-23 1234 567 1440800000
together Qwen/Qwen3.8-Flash 2026-10-07 1234 567 270954000
openai gpt-4o-mini 2025-01-01 1234 567 525300000
azure gpt-4o-mini-2024-07-18 2025-01-01 1234 567 525300000
openai gpt-5.6-luna 2026-07-29 272000 1000 278000000000
openai gpt-5.6-luna 2026-07-29 272001 1000 553002000000
openai gpt-5.6-luna 2026-07-30 272000 1000 55600000000
openai gpt-5.6-luna 2026-07-30 272001 1000 110600400000
openai gpt-5.6-sol 2026-07-30 1 0 5000000'

count=$(printf '%s\n' "$cases" | wc -l)
if ! command -v bc >/dev/null 2>&1; then
    echo "1..0 # SKIP bc is not installed"
    exit 0
fi
echo "TAP version 13"
echo "1..$((count))"

# The rates of a model ("input output") that hold on a date for a prompt of that size.
rates() {
    awk -v model="$2" -v date="$3" -v input="$4" '
        function member(name,    text) {
            if (!match($0, "\"" name "\": *\"?[^,\"}]*"))
                return ""
            text = substr($0, RSTART, RLENGTH)
            sub("^\"" name "\": *\"?", "", text)
            return text
        }
        /^ *"id":/ { current = member("id") }
        current == model && /"valid_from":/ && !/"service_tier":|"batch": *true/ {
            from = member("valid_from")
            above = member("above_input_tokens") + 0
            if (from > date || from < best || (above > 0 && input <= above) || (from == best && above < size))
                next
            best = from
            size = above
            found = member("input") " " member("output")
        }
        END { print found }' "$folder/$1.json"
}

status=0
number=0
while read -r provider model date input output expected; do
    number=$((number + 1))
    # shellcheck disable=SC2046
    set -- $(rates "$provider" "$model" "$date" "$input")
    name="price: $provider/$model on $date, $input in, $output out"
    actual=unpriced
    if [ $# -eq 2 ]; then
        actual=$(echo "scale=12; s = ($1 * $input + $2 * $output) * 1000000; scale=0; if (s % 1 == 0) s / 1 else s" | bc)
    fi
    if [ "$actual" = "$expected" ]; then
        echo "ok $number - $name"
    else
        echo "not ok $number - $name"
        echo "# bc says $actual, the test expects $expected"
        status=1
    fi
done <<END
$cases
END
exit $status
