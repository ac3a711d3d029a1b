#!/bin/sh
# docs/new-provider.md, typed word for word: blocks marked sh are commands, of one shell, and must succeed; those whose mark
# names a file are that file; and one marked text alone is what the commands before it print, with … for any lines.
. "${KOINE_TEST_SOURCE:-$(dirname "$0")/../..}/tests/kit/lib.sh"

page=$source/docs/new-provider.md
blocks=$scratch/blocks
mkdir "$blocks" || exit 99

# NN.sh, NN.file with NN.name, NN.text
awk -v folder="$blocks" '
    /^```/ && inside { close(to); inside = 0; next }
    /^```/ {
        inside = 1
        number = sprintf("%s/%02d", folder, ++count)
        mark = substr($1, 4)
        if (NF > 1) { print $2 > (number ".name"); close(number ".name"); to = number ".file" }
        else to = number "." mark
        printf "" > to
        next
    }
    inside { print > to }' "$page"

if [ "$(find "$blocks" -name '*.sh' | wc -l)" -ge 6 ] && [ "$(find "$blocks" -name '*.file' | wc -l)" -ge 4 ]; then
    ok "commands and files are found"
else
    not_ok "commands and files are found"
fi
find "$blocks" -type f ! -name '*.sh' ! -name '*.file' ! -name '*.name' ! -name '*.text' >"$scratch/wrong"
judge "no block is of a kind that nobody types" "$scratch/wrong"

# One shell for all of them, as the reader has. It stops where something fails, and takes what it started with it.
cat >"$scratch/session" <<'END'
trap 'jobs -p >"$blocks/jobs"; xargs -r kill <"$blocks/jobs" 2>/dev/null' EXIT
for block in "$blocks"/*.sh "$blocks"/*.file; do
    echo "$block"
done | sort >"$blocks/order"
while read -r block <&3; do
    case $block in
    *.file) cp "$block" "$(cat "${block%.file}.name")" || exit 1 ;;
    *)
        set -e
        . "$block" >"${block%.sh}.said" 2>&1
        set +e
        ;;
    esac
    : >"$block.done"
done 3<"$blocks/order"
END
blocks=$blocks sh "$scratch/session" </dev/null >"$scratch/said" 2>&1 # each block is judged below

for block in "$blocks"/*.sh; do
    name=$(sed -n 1p "$block")
    : >"$scratch/wrong"
    if [ ! -e "$block.done" ]; then
        cat "$block" "${block%.sh}.said" "$scratch/said" >"$scratch/wrong" 2>/dev/null
    fi
    judge "typed: $name" "$scratch/wrong"
done
for block in "$blocks"/*.text; do
    number=$(basename "$block" .text)
    before=$(printf '%s/%02d.said' "$blocks" $((${number#0} - 1)))
    [ -e "$before" ] || echo "it was not typed" >"$before"
    awk 'NR == FNR { if ($0 != "…") want[++n] = $0; next }
        at < n && $0 == want[at + 1] { at++ }
        END { while (at < n) print "not printed: " want[++at] }' "$block" "$before" >"$scratch/wrong"
    [ -s "$scratch/wrong" ] && sed 's/^/said: /' "$before" >>"$scratch/wrong"
    judge "printed: $(grep -v '^…$' "$block" | sed -n 1p)" "$scratch/wrong"
done

plan
