# shellcheck shell=sh disable=SC2034,SC2154
# check: what scripts about the checker share: compiling a plugin as a stranger does, and reading what is found. Sourced
# after tests/style/tap.sh.
umask 022
echo_source=$source/plugins/echo/echo.c
echo_cases=$source/tests/vendor/echo
checker=$build/apps/koine-plugin-check

compile() { # SOURCE OBJECT: what the compiler said is in $scratch/said
    # shellcheck disable=SC2086 # the compiler may carry options
    ${CC:-cc} -std=gnu17 -O1 -fPIC -fvisibility=hidden -shared -w -I"$source/include" -o "$2" "$1" >"$scratch/said" 2>&1
}

# What the checker says is in $scratch/found, its findings as lines "rule function" in $scratch/pairs, and $status.
check() { # OBJECT ARGUMENT…
    "$checker" "$@" >"$scratch/found" 2>&1
    status=$?
    sed -n 's/^\([a-z][a-z_.-]*\)  \([A-Za-z_.]*\)$/\1 \2/p' "$scratch/found" | sort -u >"$scratch/pairs"
}
