#!/bin/sh
# koine doctor: what it finds where something is wrong, and what it says to do about it. The stand-in and a TLS server with a
# certificate of its own are the servers.
# shellcheck disable=SC2016 # dollars that are meant
. "${KOINE_TEST_SOURCE:-$(dirname "$0")/../..}/tests/e2e/lib.sh"

unset http_proxy https_proxy all_proxy no_proxy HTTPS_PROXY ALL_PROXY NO_PROXY
mark=KEYMARK-77c1f0a9d35e
all=$scratch/all # everything that was printed
: >"$all"
standin --behave wrong=401 --behave busy=503 --behave many=429
plain=$port

# tls DAYS SECONDS FILE: starts one more server, whose port is then $port.
tls() {
    "$tools/tls" "$@" <"$scratch/leash" >"$scratch/said" 9>&- &
    standins="$standins $!"
    read -r port <"$scratch/said"
}

doctor() { # [OPTION|INSTANCE]...
    run doctor "$@"
    cat "$scratch/out" "$scratch/err.all" >>"$all"
    if [ "$1" = --json ] && [ "$status" != 2 ]; then shape_is doctor; fi
}
# The finding of one check: state WORDS, and what to do.
finds() { # INSTANCE CHECK STATE WORDS
    "$tools/pick" checks <"$scratch/out" | tr -d '\n' | sed 's/},{/}\n{/g' >"$scratch/rows"
    row=$(grep -F "\"instance\":$1,\"check\":\"$2\"," "$scratch/rows" | grep -F "\"state\":\"$3\"")
    case $row in
    *"$4"*) ;;
    *) complain "$1 $2 is no $3 with \"$4\": $(grep -F "\"instance\":$1,\"check\":\"$2\"," "$scratch/rows")" ;;
    esac
}
advises() { # WORDS: the row that was found last
    case $row in
    *'"advice":"'*"$1"*) ;;
    *) complain "the advice lacks \"$1\": $row" ;;
    esac
}

# Days that are past and far from every clock's.
cat <<'END' >"$scratch/mine.json"
{"provider": "openai", "models": [
  {"id": "gone", "retired": "2020-01-01"},
  {"id": "standin/slow", "retired": "2020-01-02"},
  {"id": "standin/tool", "retired": "2999-01-03"}
]}
END
cat <<END | configure "$scratch/koine.yaml"
plugin_path: [@PLUGINS@]
catalogue: [$scratch/mine.json]
providers:
  together: {base_url: 'http://127.0.0.1:$plain/together/v1', api_key: $mark}
  wrong: {plugin: openai, base_url: 'http://127.0.0.1:$plain/wrong/v1', api_key: "\${A_KEY}"}
  filed: {plugin: openai, base_url: 'http://127.0.0.1:$plain/wrong/v1', api_key_file: $scratch/key}
  nolist: {plugin: openai, base_url: 'http://localhost:$plain/elsewhere'}
  busy: {plugin: openai, base_url: 'http://127.0.0.1:$plain/busy/v1'}
  many: {plugin: openai, base_url: 'http://127.0.0.1:$plain/many/v1'}
  old: {plugin: openai, base_url: 'http://127.0.0.1:$plain/old/v1'}
  shut: {plugin: openai, base_url: 'http://127.0.0.1:1/v1'}
  nowhere: {plugin: openai, base_url: 'http://nowhere.invalid/v1'}
  notls: {plugin: openai, base_url: 'https://127.0.0.1:$plain/v1', api_key: $mark}
  openai: {}
routes:
  default: {targets: [together/standin/healthy, old/gone, old/standin/slow, old/standin/tool, shut/x]}
  other: {targets: [together/no-such-model]}
END
echo "$mark" >"$scratch/key"
chmod 600 "$scratch/key"
A_KEY=$mark
export A_KEY

# ---- Each of what may go wrong --------------------------------------------------------------------------------------

doctor --json
status_is 1
err_is_empty
finds null file ok "koine.yaml (-c)"
finds null settings ok "2 routes"
finds null together ok together.so
finds '"together"' key ok "present, from providers.together.api_key"
finds '"together"' DNS ok "127.0.0.1 is an address"
finds '"together"' connect ok "127.0.0.1:$plain ("
finds '"together"' models ok "200 over HTTP/1.1, "
finds '"together"' model ok "standin/healthy (route default) is served"
finds '"together"' model warning "no-such-model (route other) is not in the list of models"
advises "routes.other.targets"
finds '"together"' together ok "agree"
done_with "a good instance"

finds '"old"' model problem "gone (route default) is retired since 2020-01-01"
finds '"old"' model warning "standin/slow (route default) is retired, and still served, since 2020-01-02"
finds '"old"' model warning "standin/tool (route default) will be retired on 2999-01-03"
advises "koine models --live old"
done_with "models that are or will be retired"

finds '"wrong"' models problem "401: auth: "
advises "the key from providers.wrong.api_key is not accepted"
finds '"filed"' models problem "401: auth: "
advises "the key from providers.filed.api_key_file is not accepted"
done_with "a wrong key, and where it is from"

finds '"nolist"' models warning "404: the server has no list of models there"
advises "providers.nolist.base_url"
done_with "no list of models"

finds '"busy"' models problem "503: "
finds '"many"' models warning "429: rate_limit: "
advises "wait"
is=$(logged '#')
[ "$is" = 7 ] || complain "the stand-in was asked $is times, not 7"
done_with "each is asked once, whatever it says"

finds '"shut"' connect problem "connection to 127.0.0.1:1 refused"
advises "start the server, or correct providers.shut.base_url"
finds '"nowhere"' DNS problem nowhere.invalid
advises "providers.nowhere.base_url"
finds '"notls"' TLS problem "TLS: "
done_with "no server, no such name, no TLS"

finds '"openai"' key problem "neither OPENAI_API_KEY nor providers.openai.api_key is set"
advises 'providers.openai.api_key: ${OPENAI_API_KEY}'
finds '"openai"' network skipped "nothing is sent without a key"
done_with "no key"

# ---- For people -----------------------------------------------------------------------------------------------------

doctor together
status_is 0
out_has "together (http://127.0.0.1:$plain/together/v1)"
out_has "  ok       key        present, from providers.together.api_key"
out_has "           -> correct routes.other.targets"
out_has "0 problems, "
out_lacks "shut (http"
out_lacks "$(printf '\033')"
err_is_empty
done_with "one instance, as lines"

doctor wrong
status_is 1
out_has "1 problem, 0 warnings"
done_with "one problem"

if "$tools/tty" true 2>/dev/null; then
    TERM=xterm "$tools/tty" "$koine" -c "$scratch/koine.yaml" doctor wrong >"$scratch/out" 2>"$scratch/err" </dev/null 9>&-
    cat "$scratch/out" >>"$all"
    out_has "$(printf '\033[31mproblem\033[0m')"
    out_has "waiting for wrong"
    done_with "colours and whom we wait for, on a terminal"
else
    skip "colours and whom we wait for, on a terminal" "there is no terminal"
fi

forget_log
doctor --offline
status_is 1 # there is no key for openai
out_has "  skipped  network    --offline"
out_lacks "connect"
posts_are 0
done_with "offline nothing is sent"
export MAX_ESTIMATED_COST=0.50
doctor --offline
out_has "  ok       budget     a run may cost at most \$0.50 (MAX_ESTIMATED_COST)"
out_lacks "nothing is limited"
unset MAX_ESTIMATED_COST
done_with "the budget of a run is told"

# ---- TLS and the clock ----------------------------------------------------------------------------------------------

if [ -x "$tools/tls" ]; then
    tls 100 0 "$scratch/good.pem"
    good=$port
    tls 9 -30 "$scratch/soon.pem"
    soon=$port
    tls -1 0 "$scratch/old.pem"
    old=$port
    cat "$scratch/good.pem" "$scratch/soon.pem" "$scratch/old.pem" >"$scratch/ca.pem"
    cat <<END | configure "$scratch/koine.yaml"
plugin_path: [@PLUGINS@]
network: {ca_file: $scratch/ca.pem}
providers:
  good: {plugin: openai, base_url: 'https://127.0.0.1:$good/v1', api_key: $mark}
  soon: {plugin: openai, base_url: 'https://127.0.0.1:$soon/v1', api_key: $mark}
  old: {plugin: openai, base_url: 'https://127.0.0.1:$old/v1', api_key: $mark}
  named: {plugin: openai, base_url: 'https://localhost:$good/v1', api_key: $mark}
END
    doctor --json
    status_is 1
    finds '"good"' TLS ok "TLSv1.3, certificate verified, until "
    finds '"good"' TLS ok " (100 days); "
    finds '"good"' models ok "200 over HTTP/1.1, 1 model ("
    finds '"good"' good ok "agree"
    done_with "a certificate that is verified"
    finds '"soon"' TLS warning " (9 days); "
    advises "renew the certificate"
    finds '"soon"' soon warning "ahead of the server's"
    advises "timedatectl"
    done_with "a certificate that ends soon, and a clock that is wrong"
    finds '"old"' TLS problem "certificate has expired"
    advises "renew"
    finds '"named"' TLS problem "TLS: "
    advises "a name that the certificate has"
    done_with "a certificate that has ended, and one of another name"
    sed -i '/^network/d' "$scratch/koine.yaml"
    doctor --json good
    finds '"good"' TLS problem "self-signed certificate"
    advises "network.ca_file"
    done_with "a certificate that nobody vouches for"
else
    for name in "a certificate that is verified" "a certificate that ends soon, and a clock that is wrong" \
        "a certificate that has ended, and one of another name" "a certificate that nobody vouches for"; do
        skip "$name" "there is no OpenSSL for the server"
    done
fi

# ---- Proxies --------------------------------------------------------------------------------------------------------

cat <<END | configure "$scratch/koine.yaml"
plugin_path: [@PLUGINS@]
providers: {far: {plugin: openai, base_url: 'https://far.invalid/v1', api_key: $mark}}
END
https_proxy=http://somebody:PASSMARK@127.0.0.1:$plain doctor --json
status_is 1
finds '"far"' proxy problem "http://127.0.0.1:$plain, from https_proxy: "
advises "https_proxy"
out_lacks PASSMARK
https_proxy=http://127.0.0.1:1 doctor --json
finds '"far"' connect problem "the proxy: "
done_with "a proxy that does not let us through, and one that is not there"

# ---- Configuration, .env, plugins -----------------------------------------------------------------------------------

cat <<END >"$scratch/koine.yaml"
plugin_path: [$scratch/plugins, $scratch/missing]
providers: {openai: {base_url: 'http://127.0.0.1:$plain/openai/v1', api_key: "\${OPENAI_API_KEY}"}}
END
echo "OPENAI_API_KEY=$mark" >.env
chmod 640 .env
echo "this is no plugin" >"$scratch/plugins/broken.so"
doctor --json
status_is 0
finds null .env warning "./.env may hold keys, and others can read it (mode 640)"
advises "chmod 600 ./.env"
finds null plugins warning "plugin_path: there is no folder $scratch/missing"
finds null broken warning "broken.so is refused: "
advises "koine plugin check"
finds '"openai"' models ok "200 "
finds null others skipped "together: no key"
done_with "a .env for all to read, a folder that is missing, a refused plugin"
rm "$scratch/plugins/broken.so"

TOGETHER_API_KEY=$mark doctor --json --offline
finds '"together"' key ok "present, from TOGETHER_API_KEY"
echo "TOGETHER_API_KEY=$mark" >>.env
chmod 600 .env
doctor --json --offline
finds null .env ok "(mode 600)"
finds '"together"' key ok "present, from TOGETHER_API_KEY in ./.env"
done_with "keys in variables"
rm .env

echo "providrs: {}" >"$scratch/koine.yaml"
doctor
status_is 1
out_has "  problem  settings   $scratch/koine.yaml:1:1: providrs: unknown key; did you mean providers?"
out_has "           -> correct it there"
doctor --json
status_is 1
finds null settings problem "did you mean providers?"
finds null "all else" skipped ""
done_with "a configuration that does not hold"

echo "this is no plugin" >"$scratch/plugins/broken.so"
printf 'plugin_path: [%s]\nproviders: {broken: {}}\n' "$scratch/plugins" >"$scratch/koine.yaml"
doctor --json
status_is 1
finds null settings problem 'was refused: '
advises "koine plugin check FILE"
printf 'plugin_path: [%s]\nproviders: {lab: {}}\n' "$scratch/plugins" >"$scratch/koine.yaml"
doctor --json
finds null settings problem "no plugin named"
advises "plugin_path"
done_with "a configured plugin that is refused, or not there"
rm "$scratch/plugins/broken.so"

echo "plugin_path: [$scratch/plugins]" >"$scratch/koine.yaml"
doctor
status_is 0
out_has "there is nobody to ask"
done_with "nobody to ask"

# ---- Wrong usage ----------------------------------------------------------------------------------------------------

doctor opnai
status_is 2
out_is_empty
err_is_one_line
err_has 'koine doctor: there is no instance "opnai"; there are: '
doctor --ofline
status_is 2
err_has "did you mean --offline?"
done_with "no such instance, no such option"

! grep -qF -e "$mark" -e PASSMARK "$all" || complain "a key was printed"
done_with "no key is ever printed"
plan
