#!/bin/sh
# echo: a provider without a server, through the command: everything behind the transport is as with any other.
. "${KOINE_TEST_SOURCE:-$(dirname "$0")/../..}/tests/e2e/lib.sh"

mkdir "$scratch/echo" && cp "$build/plugins/echo/.libs/echo.so" "$scratch/echo" && chmod 644 "$scratch"/echo/* || exit 99
cat >"$scratch/koine.yaml" <<END
plugin_path: [$scratch/echo]
providers:
  echo: {timeouts: {total: 200s}}
  other: {plugin: echo}
routes:
  default: {targets: [echo/one, other/two]}
END
document='{"messages":[{"role":"user","content":"Hi"}]}'

run chat --no-stream -m echo/any Hi
status_is 0
out_is "$document"
done_with "the answer is the document"
run chat --stream -m echo/any Hi
status_is 0
out_is "$document"
done_with "also where a stream is asked for"
run chat --json Hi
status_is 0
member_is text "$document"
member_is target echo/one
member_is model one
member_is usage.input 0
member_is cost.usd 0.00
member_is cost.priced true
member_is attempts.0.status 200
done_with "by the default route, with usage, cost and trail"
printf '{"messages":[],"koine":{"kept":1},"temperature":0.10}' >"$scratch/document.json"
run chat --request "$scratch/document.json"
out_is '{"messages":[],"temperature":0.10}'
done_with "members travel as they are, and ours does not"
run chat -m other/x Hi
out_is "$document"
done_with "an instance of another name"
run chat --metrics "$scratch/metrics" -m echo/any Hi
status_is 0
grep -q '^koine_attempts_total{.*koine_instance="echo",gen_ai_request_model="any".*} 1$' "$scratch/metrics" ||
    complain "the metrics have no attempt"
run chat --metrics "$scratch/no/folder" -m echo/any Hi
status_is 1
out_is "$document"
err_has "$scratch/no/folder: the metrics cannot be written: No such file or directory"
done_with "metrics are written at the end"
run models --live --json echo
status_is 0
member_is models.0.id echo
done_with "the list of models"
run providers
out_has "not needed"
done_with "it needs no key"

# Longer than a pipe or a socket takes at once.
awk 'BEGIN { printf "{\"messages\":[{\"role\":\"user\",\"content\":\""; for (i = 0; i < 300000; i++) printf "long "; print "\"}]}" }' \
    >"$scratch/document.json"
run chat --request "$scratch/document.json"
status_is 0
cmp -s "$scratch/document.json" "$scratch/out" || complain "the answer is not what was asked"
done_with "a document of 1.5 MB"

cat >"$scratch/koine.yaml" <<END
plugin_path: [$scratch/echo]
providers: {echo: {base_url: "local:"}}
END
run chat -m echo/x Hi
status_is 2
err_has "providers.echo.base_url: is no URL"
done_with "no configuration can turn a server into none"

plan
