#!/bin/sh
# instructions.sh BENCH PLUGINS: instructions in user space of one call of each side, counted by valgrind: they do not
# depend on what else the machine does, and can be had where the machine's own counters cannot. Two runs of different
# length are subtracted, so that starting costs nothing.
set -eu
bench=$1 plugins=$2
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

count() { # SIDE MEASURE CALLS
    valgrind --tool=cachegrind --cache-sim=no --cachegrind-out-file=/dev/null --log-file="$folder/%p" \
        "$bench" --plugins "$plugins" --only "$1" "$2" "$3" &
    pid=$!
    wait $pid
    sed -n 's/^==[0-9]*== I *refs: *//p' "$folder/$pid" | tr -d ,
}

per_call() { # SIDE MEASURE FEW MANY
    few=$(count "$1" "$2" "$3")
    many=$(count "$1" "$2" "$4")
    echo $(((many - few) / ($4 - $3)))
}

printf '%-44s %10s %10s %7s\n' "instructions of one call in user space" koine bare ratio
for measure in whole events coalesced built text; do
    a=$(per_call koine $measure 20 120)
    b=$(per_call bare $measure 20 120)
    awk -v name=$measure -v a="$a" -v b="$b" 'BEGIN { printf "%-44s %10d %10d %7.3f\n", name, a, b, a / b }'
done
