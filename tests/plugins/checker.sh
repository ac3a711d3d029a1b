#!/bin/sh
# The checker as a program: what it is given, what it says and in which form, and the status it ends with.
# shellcheck disable=SC2016,SC2154 # backticks of Markdown
. "${KOINE_TEST_SOURCE:-$(dirname "$0")/../..}/tests/style/tap.sh"
. "$source/tests/plugins/check.sh"
pick=$build/tests/e2e/pick
wrong=$scratch/wrong

run() { # ARGUMENT…: what it says is in out and err
    "$checker" "$@" >"$scratch/out" 2>"$scratch/err" </dev/null
    status=$?
}
begin() {
    : >"$wrong"
}
status_is() {
    [ "$status" = "$1" ] || { echo "exit status $status, not $1"; cat "$scratch/out" "$scratch/err"; } >>"$wrong"
}
out_has() {
    grep -qF -e "$1" "$scratch/out" || { echo "standard output lacks: $1"; head -n 40 "$scratch/out"; } >>"$wrong"
}
out_lacks() {
    ! grep -qF -e "$1" "$scratch/out" || echo "standard output has: $1" >>"$wrong"
}
err_has() {
    grep -qF -e "$1" "$scratch/err" || { echo "standard error lacks: $1"; cat "$scratch/err"; } >>"$wrong"
}
member_is() { # PATH TEXT
    is=$("$pick" "$1" <"$scratch/out" 2>&1)
    [ "$is" = "$2" ] || echo "$1 is \"$is\", not \"$2\"" >>"$wrong"
}

edit() { # SCRIPT OBJECT: echo with one line changed
    sed "$1" "$echo_source" >"$scratch/edited.c"
    compile "$scratch/edited.c" "$2" || cat "$scratch/said" >>"$wrong"
}

begin
compile "$echo_source" "$scratch/echo.so" || cat "$scratch/said" >>"$wrong"
edit 's/^    start.name = read->model;/    (void)start;/' "$scratch/nameless.so"
judge "plugins are compiled" "$wrong"

# ---- What it says -------------------------------------------------------------------------------------------------------

begin
run "$scratch/echo.so" --cases "$echo_cases"
status_is 0
out_has "echo.so: echo 1.0.0; $(find "$echo_cases" -name '*.txt' | wc -l | tr -d ' ') cases, "
out_has "0 broken, 0 not tried: it passes"
[ "$(wc -l <"$scratch/out")" = 1 ] || cat "$scratch/out" >>"$wrong"
judge "a plugin that passes: one line" "$wrong"

begin
run "$scratch/echo.so"
status_is 0
out_has "Without --cases nobody knows what requests and events should be"
out_has "0 cases, "
judge "without cases it passes as well, and says what was not tried" "$wrong"

begin
run "$scratch/nameless.so" --cases "$echo_cases"
status_is 1
out_has "case.events  generate.frame"
out_has "  case:  answer"
out_has '  seen:  start id="" model=""'
out_has '  right: start id="" model="any"'
out_has "1 broken, 0 not tried: it does not pass"
judge "a finding: rule, function, case, what was seen, what would be right" "$wrong"

begin
run "$scratch/nameless.so" --cases "$echo_cases" --json
status_is 1
member_is passed false
member_is providers.0.id echo
member_is rules.file kept
member_is findings.0.rule case.events
member_is findings.0.function generate.frame
member_is findings.0.case answer
member_is findings.0.seen 'start id="" model=""'
member_is findings.0.right 'start id="" model="any"'
[ "$(wc -l <"$scratch/out")" = 1 ] || echo "not one line" >>"$wrong"
judge "--json: one object" "$wrong"

begin
run "$scratch/nameless.so" --cases "$echo_cases" --tap
status_is 1
tests=$(grep -c '^\(not \)\{0,1\}ok ' "$scratch/out")
out_has "1..$tests"
[ "$(grep -c '^not ok ' "$scratch/out")" = 1 ] || echo "more than one test fails" >>"$wrong"
grep -q '^not ok [0-9]* - case.events$' "$scratch/out" || echo "it is not case.events" >>"$wrong"
judge "--tap: one test for each rule" "$wrong"

begin
run "$scratch/nameless.so" --cases "$echo_cases" --skip case.events
status_is 0
run "$scratch/nameless.so" --cases "$echo_cases" --skip case.
status_is 0
run "$scratch/nameless.so" --cases "$echo_cases" --tap --skip case.
status_is 0
grep -q '^ok [0-9]* - case.cut # SKIP left out$' "$scratch/out" || cat "$scratch/out" >>"$wrong"
judge "--skip leaves out a rule, and a group" "$wrong"

# ---- Files that are none ------------------------------------------------------------------------------------------------

finding() { # NAME FILE WORDS: a finding of the rule file
    begin
    run "$2" --json
    status_is 1
    member_is findings.0.rule file
    member_is findings.0.seen "the file $3"
    member_is rules.load untried
    judge "$1" "$wrong"
}
: >"$scratch/empty.so"
finding "an empty file" "$scratch/empty.so" "is empty"
echo '#!/bin/sh' >"$scratch/script.so"
finding "a script" "$scratch/script.so" "is a script, not a shared object"
head -c 2000 "$scratch/echo.so" >"$scratch/half.so"
finding "half a plugin" "$scratch/half.so" "is truncated"
finding "a folder" "$scratch" "is no regular file, or too large"

# The table of sections, which the loader does not look at and the checker does.
begin
sections=$(od -A n -t u8 -j 40 -N 8 "$scratch/echo.so" | tr -d ' ')
for section in 3 4 5; do
    for field in 4 24 32; do
        cp "$scratch/echo.so" "$scratch/damaged.so"
        printf '\377\377\377\177\377\377\377\177' |
            dd of="$scratch/damaged.so" bs=1 seek=$((sections + section * 64 + field)) conv=notrunc 2>/dev/null
        run "$scratch/damaged.so"
        [ "$status" -le 1 ] || echo "section $section, byte $field: exit status $status" >>"$wrong"
    done
done
judge "damaged tables of sections" "$wrong"

begin
cp "$scratch/echo.so" "$scratch/open.so"
chmod 666 "$scratch/open.so"
run "$scratch/open.so" --json
status_is 1
member_is findings.0.rule load
member_is findings.0.function entry
member_is rules.file kept
judge "a file that others can change is not loaded" "$wrong"

# ---- A plugin that does harm where it stands ----------------------------------------------------------------------------

# Its words, its file and its end must not be the checker's.
begin
edit 's/^    out->path(out, "\/models");/    extern int puts(const char *); extern void *fopen(const char *, const char *); puts("HARM"); if (fopen("harm", "w")) puts("HARM"); out->path(out, "\/models");/' "$scratch/harm.so"
(cd "$scratch" && "$checker" ./harm.so --json >out 2>err </dev/null)
out_lacks HARM
[ ! -s "$scratch/err" ] || cat "$scratch/err" >>"$wrong"
[ ! -s "$scratch/harm" ] || echo "it wrote a file" >>"$wrong"
grep -qF '"symbols.io":"broken"' "$scratch/out" || echo "symbols.io is not broken" >>"$wrong"
judge "what a plugin prints goes nowhere" "$wrong"

begin
edit 's/^    out->path(out, "\/models");/    extern void _exit(int); _exit(0);/' "$scratch/gone.so"
run "$scratch/gone.so" --json
status_is 1
grep -qF '"rule":"crash","function":"list_models.request"' "$scratch/out" || cat "$scratch/out" >>"$wrong"
judge "a plugin that ends the process with status 0 is found out" "$wrong"

begin
edit 's/^    (void)host;/    (void)host; (*(volatile int *)8)++;/' "$scratch/falls.so"
run "$scratch/falls.so" --json
status_is 1
grep -qF '"rule":"crash","function":"entry"' "$scratch/out" || cat "$scratch/out" >>"$wrong"
sed 's/^static int is(/__attribute__((constructor)) static void fall(void) { (*(volatile int *)8)++; }\nstatic int is(/' \
    "$echo_source" >"$scratch/falls.c"
compile "$scratch/falls.c" "$scratch/falls.so" || cat "$scratch/said" >>"$wrong"
run "$scratch/falls.so" --json
status_is 1
grep -qF '"rule":"crash","function":"load"' "$scratch/out" || cat "$scratch/out" >>"$wrong"
judge "an entry that crashes, and a constructor" "$wrong"

begin
printf '#define KOINE_ENTRY hidden_entry\n#include "%s"\n' "$echo_source" >"$scratch/many.c"
cat >>"$scratch/many.c" <<'END'
#undef KOINE_ENTRY
static koine_provider second;
KOINE_EXPORT const koine_provider *ENTRY(const koine_host *host, uint32_t index);
KOINE_EXPORT const koine_provider *ENTRY(const koine_host *host, uint32_t index)
{
    second = provider;
    second.id = "second";
    second.fault = 0;
    return index == 1 ? &second : index == 0 ? hidden_entry(host, 0) : 0;
}
END
entry=$(sed -n 's/^#define KOINE_ENTRY_NAME "\(.*\)"/\1/p' "$source/include/koine/provider.h")
sed "s/ENTRY(const/$entry(const/; s/hidden_$entry/hidden_entry/" "$scratch/many.c" >"$scratch/both.c"
compile "$scratch/both.c" "$scratch/both.so" || cat "$scratch/said" >>"$wrong"
run "$scratch/both.so" --json --skip symbols.exported
status_is 0
member_is providers.0.id echo
member_is providers.1.id second
judge "a plugin of two providers" "$wrong"

# ---- Cases --------------------------------------------------------------------------------------------------------------

begin
mkdir "$scratch/cases"
run "$scratch/echo.so" --cases "$scratch/cases"
status_is 2
err_has "there are no cases"
printf '== answer\nno status\n' >"$scratch/cases/odd.txt"
run "$scratch/echo.so" --cases "$scratch/cases" --json
status_is 1
member_is findings.0.rule case.file
member_is findings.0.case odd
judge "a folder without cases is wrong usage, a file that is no case a finding" "$wrong"

# ---- Usage --------------------------------------------------------------------------------------------------------------

begin
for arguments in "" "--cases" "--nonsense" "a.so b.so" "--json --tap $scratch/echo.so" "$scratch/nothing.so" \
    "--skip nonsense $scratch/echo.so" "--cases $scratch/nowhere $scratch/echo.so"; do
    # shellcheck disable=SC2086 # words on purpose
    run $arguments
    status_is 2
    [ -s "$scratch/err" ] || echo "\"$arguments\": not a word" >>"$wrong"
    [ ! -s "$scratch/out" ] || echo "\"$arguments\": it writes to standard output" >>"$wrong"
done
judge "wrong usage" "$wrong"

begin
run --help
status_is 0
out_has "Usage: koine-plugin-check FILE.so"
out_has "interleave.within"
run --version
status_is 0
out_has "koine-plugin-check "
run --rules
status_is 0
out_has '| `case.events` | the answer becomes the events that the case expects |'
judge "--help, --version, --rules" "$wrong"

begin
koine=$build/apps/koine/koine
"$koine" plugin check "$scratch/nameless.so" --cases "$echo_cases" >"$scratch/out" 2>"$scratch/err"
status=$?
status_is 1
out_has "case.events  generate.frame"
"$koine" plugin check >"$scratch/out" 2>"$scratch/err"
status=$?
status_is 2
err_has "koine plugin check: "
judge "koine plugin check starts it" "$wrong"

plan
