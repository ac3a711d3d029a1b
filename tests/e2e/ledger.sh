#!/bin/sh
# ledger: what the command and the store of SQLite say of calls, beside what the stand-in says it billed for the same request
# ids. A command that is killed leaves what it had written; bad input is one clear line.
. "${KOINE_TEST_SOURCE:-$(dirname "$0")/../..}/tests/e2e/lib.sh"

if [ ! -f "$build/plugins/sqlite/.libs/sqlite.so" ] || ! command -v sqlite3 >/dev/null 2>&1; then
    skip "the ledger" "built without SQLite, or there is no sqlite3 to look into it"
    plan
fi
mkdir "$scratch/plugins/stores" && cp "$build/plugins/sqlite/.libs/sqlite.so" "$scratch/plugins/stores" || exit 99
chmod 644 "$scratch"/plugins/stores/* || exit 99
llama=together/meta-llama/Meta-Llama-3.1-8B-Instruct-Turbo
mini=openai/gpt-4o-mini
unset XDG_STATE_HOME
standin --tokens 8
with_store() { # WORDS of `store:`
    echo "store: $1" | usual_configuration
}
ask() { # SQL
    sqlite3 -separator ' ' "$store/koine.db" "$1"
}

# ---- Without a store nothing is kept ----

usual_configuration </dev/null
run chat -m $mini Hi
status_is 0
[ ! -e "$scratch/home/.local" ] || complain "something was kept in HOME"
run cost report
status_is 2
err_has "there is no store, so nothing was kept"
done_with "without a store nothing is kept"

# ---- Rows, the trail, and what was billed ----

with_store "{}"
store=$scratch/home/.local/state/koine
forget_log
run chat -m $mini Hi
status_is 0
run chat --json -m "$llama!500-once" Hi
status_is 0
trail=$("$tools/pick" attempts.0.status attempts.1.status <"$scratch/out" | tr '\n' ' ')
run chat -m openai/none-of-those Hi
status_is 0
[ "$(ask 'SELECT count(*) FROM attempts')" = 4 ] || complain "$(ask 'SELECT count(*) FROM attempts') rows, not 4"
[ "$(ask 'SELECT status FROM attempts WHERE target LIKE "together%" ORDER BY attempt' | tr '\n' ' ')" = "$trail" ] ||
    complain "the rows are not the trail ($trail)"
ask "SELECT request_id, ifnull(input, 0) + ifnull(cache_read, 0), output FROM attempts WHERE status = 200 ORDER BY id" >"$scratch/rows"
for i in 0 1 2 3; do
    [ "$(logged "$i.status")" = 200 ] &&
        echo "$(logged "$i.request_id") $(logged "$i.billed.input") $(logged "$i.billed.output")"
done >"$scratch/billed"
[ -s "$scratch/billed" ] || complain "nothing was billed"
diff "$scratch/billed" "$scratch/rows" >>"$wrong" || complain "the rows are not what was billed"
done_with "rows are the trail, and what the stand-in billed"

run cost report --csv --by model
status_is 0
# 8 tokens answered at $0.60 and $0.18 a million; the prompt's are in the rows.
sum=$(ask "SELECT sum(cost) FROM attempts")
dollars=$(printf '0.%012d' "$sum" | sed 's/0*$//')
grep -q '"none-of-those",1,0,1,0,.*,8,0,$' "$scratch/out" || complain "what has no price is not told so: $(cat "$scratch/out")"
run cost report --json --by provider
member_is total.attempts 4
member_is total.failed 1
member_is total.unpriced 1
member_is total.usd "$dollars"
member_is rows.0.provider openai
member_is rows.0.model null
done_with "the report's sums are exact"

run cost report --by day,tenant,model
status_is 0
out_has "#"
out_has "total"
! grep -q "$(printf '\033')" "$scratch/out" || complain "colours, and no terminal"
run cost report --since 2999-01-01
status_is 0
out_is_empty
err_has "nothing is recorded of that"
done_with "a table with a bar in each row"

# ---- A kill ----

with_store "{path: $scratch/killed}"
store=$scratch/killed
run chat -m $mini Hi
kept=$(ask "SELECT count(*), sum(cost) FROM attempts")
"$koine" -c "$scratch/koine.yaml" chat --stream -m "$mini!stalled" Hi </dev/null >"$scratch/out" 2>&1 9>&- &
victim=$!
for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    [ -s "$scratch/out" ] && break
    sleep 0.2
done
[ -s "$scratch/out" ] || complain "no text came before the kill"
kill -9 $victim
wait $victim 2>/dev/null
[ "$(ask "SELECT count(*), sum(cost) FROM attempts")" = "$kept" ] || complain "what was acknowledged is gone"
run chat -m $mini Hi
status_is 0
[ "$(ask "SELECT count(*) FROM attempts")" = 2 ] || complain "nothing is written after the kill"
done_with "after a kill all that was acknowledged is there, and it goes on"

with_store "{path: $scratch/threadless, thread: off}"
store=$scratch/threadless
run chat -m $mini Hi
status_is 0
[ "$(ask "SELECT count(*) FROM attempts")" = 1 ] || complain "no row"
done_with "without a thread, too"

# ---- Bad input ----

with_store "{path: $scratch/empty, plugin: postgres}"
run chat -m $mini Hi
status_is 2
err_is_one_line
err_has "postgres.so"
done_with "an unknown plugin"
cp "$scratch/plugins/together.so" "$scratch/plugins/stores/together.so" && chmod 644 "$scratch/plugins/stores/together.so"
with_store "{path: $scratch/empty, plugin: together}"
run chat -m $mini Hi
status_is 2
err_is_one_line
err_has "is a plugin of providers, no store"
done_with "a plugin of another kind"
chmod 666 "$scratch/plugins/stores/sqlite.so"
with_store "{path: $scratch/empty}"
run chat -m $mini Hi
status_is 2
err_is_one_line
err_has "sqlite.so"
chmod 644 "$scratch/plugins/stores/sqlite.so"
done_with "a plugin that others may write"
: >"$scratch/file"
with_store "{path: $scratch/file}"
run chat -m $mini Hi
status_is 2
err_is_one_line
err_has "$scratch/file"
run cost report
status_is 2
err_has "$scratch/file"
done_with "a path that is no folder"
mkdir "$scratch/damaged" && chmod 700 "$scratch/damaged" && echo "this is no database, and long enough to be told from one" >"$scratch/damaged/koine.db"
chmod 600 "$scratch/damaged/koine.db"
with_store "{path: $scratch/damaged}"
run chat -m $mini Hi
status_is 2
err_is_one_line
err_has "koine.db"
done_with "a file that is no database"
with_store "{when_down: perhaps}"
run chat -m $mini Hi
status_is 2
err_has "store.when_down"
done_with "a setting that is wrong"
run cost report --by colour
status_is 2
err_has 'none of day, tenant, provider and model'
run cost report --json --csv
status_is 2
done_with "options that are wrong"

plan
