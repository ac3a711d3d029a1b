#!/bin/sh
# Nothing in the tree looks like a real key or names a folder of somebody's machine.
. "${KOINE_TEST_SOURCE:-$(dirname "$0")/../..}/tests/style/tap.sh"

# What a build in place leaves among the sources is not the tree: objects, logs, and libtool's wrapper scripts, which are
# full of absolute paths.
(cd "$source" && find include core providers plugins apps tests docs .ci ./*.* ./[A-Z]* quickstart check -type f \
    ! -path '*/.libs/*' ! -path '*/.deps/*' ! -name '*.o' ! -name '*.l[oa]' ! -name '*.log' ! -name '*.trs' \
    ! -name '*.gc??' ! -path './koine-*' ! -path './Makefile' ! -path './Makefile.in' ! -path './config.*' \
    ! -path './aclocal.m4' ! -path './koine.pc' ! -path './ABOUT-NLS' 2>/dev/null | sort -u) >"$scratch/every"
echo ./configure.ac >>"$scratch/every"
while read -r file; do
    case $file in
    *.*) echo "$file" ;;
    *) head -n 3 "$source/$file" | grep -q 'libtool\|^.ELF' || echo "$file" ;;
    esac
done <"$scratch/every" >"$scratch/files"

if [ "$(wc -l <"$scratch/files")" -gt 50 ]; then
    ok "files are found: $(wc -l <"$scratch/files" | tr -d ' ')"
else
    not_ok "files are found"
fi

# The text of a hit is not shown: logs travel further than files.
search() { # NAME PATTERN
    (cd "$source" && xargs grep -InE -e "$2" <"$scratch/files") | cut -d: -f1,2 >"$scratch/wrong"
    judge "$1" "$scratch/wrong"
}
edge='(^|[^A-Za-z0-9_-])'
search "no key of OpenAI's shape" "${edge}sk-[A-Za-z0-9]{20,}|${edge}sk-(proj|ant|or|svcacct|admin)-[A-Za-z0-9_-]{20,}"
search "no key of Together's shape" "${edge}tgp_v1_[A-Za-z0-9_-]{20,}|(KEY|key|[Bb]earer)[^A-Za-z0-9]{1,4}[0-9a-f]{64}"
search "no key of other vendors" "${edge}(gsk_|hf_|xai-|pplx-|r8_|AIza|fw_)[A-Za-z0-9_-]{30,}"
search "no key of a cloud or a forge" "${edge}((AKIA|ASIA)[0-9A-Z]{16}|gh[pousr]_[A-Za-z0-9]{30,}|github_pat_[A-Za-z0-9_]{30,}|glpat-[A-Za-z0-9_-]{20,}|xox[abprs]-[0-9A-Za-z-]{20,})"
search "no private key" "-----BEGIN [A-Z ]*PRIVATE K[E]Y-----"
search "no path of somebody's machine" "(^|[^A-Za-z0-9_.~}])/(home|root|work|Users)/|/tmp/bas[h]"

plan
