#!/bin/sh
# instructions.sh BENCH PLUGINS BREAKER: instructions in user space of one call of each side, and of what the breaker has of
# it, counted by valgrind: they do not depend on what else the machine does, and can be had where the machine's own counters
# cannot. Two runs of different length are subtracted, so that starting costs nothing.
set -eu
bench=$1 plugins=$2 breaker=$3
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

instructions() { # COMMAND...
    valgrind --tool=cachegrind --cache-sim=no --cachegrind-out-file=/dev/null --log-file="$folder/%p" "$@" &
    pid=$!
    wait $pid
    sed -n 's/^==[0-9]*== I *refs: *//p' "$folder/$pid" | tr -d ,
}

count() { # SIDE MEASURE CALLS
    instructions "$bench" --plugins "$plugins" --only "$1" "$2" "$3"
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
few=$(instructions "$breaker" 10000)
many=$(instructions "$breaker" 110000)
printf '%-44s %10d\n' "breaker: peek, enter, leave" $(((many - few) / 100000))
