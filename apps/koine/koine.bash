# bash completion for koine(1)                                -*- shell-script -*-

# What koine says of the configuration that the line names.
_koine_ask()
{
    local i file=()
    for ((i = 1; i < COMP_CWORD; i++)); do
        case ${COMP_WORDS[i]} in
            -c | --config) file=(-c "${COMP_WORDS[i + 1]}") ;;
        esac
    done
    "${COMP_WORDS[0]}" "${file[@]}" "$@" 2>/dev/null </dev/null
}

_koine_instances()
{
    _koine_ask providers | awk 'NR > 1 && /^[^ ]/ && $3 != "refused" && $3 != "waits" { print $1 }'
}

# INSTANCE/MODEL for what the catalogue knows of the instance.
_koine_models()
{
    _koine_ask models "$1" | awk -v instance="$1" 'NR > 1 { print instance "/" $1 }'
}

# An instance and its slash, then the models of that instance.
_koine_target()
{
    if [[ $1 == */* ]]; then
        _koine_reply -W "$(_koine_models "${1%%/*}")" -- "$1"
    else
        compopt -o nospace 2>/dev/null
        _koine_reply -S / -W "$(_koine_instances)" -- "$1"
    fi
}

# Names at the first depth below `routes:`.
_koine_routes()
{
    _koine_ask config show | awk '
        /^[^ #]/ { inside = /^routes:/; depth = 0 }
        inside && match($0, /^ +/) {
            if (!depth) depth = RLENGTH
            if (RLENGTH == depth && $1 !~ /^#/) { sub(/:.*/, "", $1); print $1 }
        }'
}

_koine_command()
{
    local i
    for ((i = 1; i < COMP_CWORD; i++)); do
        case ${COMP_WORDS[i]} in
            -c | --config) ((i++)) ;;
            -*) ;;
            *)
                echo "${COMP_WORDS[i]}"
                return
                ;;
        esac
    done
}

_koine_options()
{
    local global="-c --config -v --verbose -h --help --version"
    case $1 in
        chat)
            echo "-m --model -r --route -s --system --request --max-tokens --budget -y --yes --temperature" \
                "--stream --no-stream --metrics --json $global"
            ;;
        models) echo "--live --json $global" ;;
        providers) echo "--json $global" ;;
        doctor) echo "--offline --json $global" ;;
        explain) echo "-m --model -r --route -s --system --request --max-tokens --budget --json $global" ;;
        cost)
            echo "-m --model --input --output --cache-read --cache-write --reasoning --at --by --since --tenant --csv" \
                "--json $global"
            ;;
        plugin) echo "--like --cases --json --tap --skip --rules $global" ;;
        standin) echo "--port --scale --scale-advice --behave --tokens --port-file --until-eof --quiet --help --version" ;;
        *) echo "$global" ;;
    esac
}

_koine_reply()
{
    local line
    COMPREPLY=()
    while IFS= read -r line; do
        COMPREPLY+=("$line")
    done < <(compgen "$@")
}

_koine_files()
{
    compopt -o filenames 2>/dev/null
    _koine_reply -f -- "$1"
}

# The value of an option; fails where the word before is none that takes one.
_koine_value()
{
    case $1 in
        -c | --config | --request | --metrics | --port-file) _koine_files "$2" ;;
        -m | --model) _koine_target "$2" ;;
        -r | --route) _koine_reply -W "$(_koine_routes)" -- "$2" ;;
        --like) _koine_reply -W "chat own" -- "$2" ;;
        --cases)
            compopt -o filenames 2>/dev/null
            _koine_reply -d -- "$2"
            ;;
        --by) _koine_reply -W "day tenant provider model" -- "$2" ;;
        --at | --since) _koine_reply -W "$(date +%F)" -- "$2" ;;
        -s | --system | --max-tokens | --budget | --temperature | --input | --output | --cache-read | --cache-write | \
            --reasoning | --tenant | --port | --scale | --behave | --tokens | --skip)
            COMPREPLY=()
            ;;
        *) return 1 ;;
    esac
}

_koine_words()
{
    case $1 in
        '') _koine_reply -W "chat models providers cost config doctor explain plugin standin" -- "$2" ;;
        models | doctor) _koine_reply -W "$(_koine_instances)" -- "$2" ;;
        config) _koine_reply -W "check show" -- "$2" ;;
        cost) _koine_reply -W "report" -- "$2" ;;
        plugin)
            case ${COMP_WORDS[COMP_CWORD - 1]} in
                plugin) _koine_reply -W "new check" -- "$2" ;;
                check) _koine_files "$2" ;;
                *) COMPREPLY=() ;;
            esac
            ;;
        *) COMPREPLY=() ;;
    esac
}

_koine()
{
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} command
    # --option=value comes as three words.
    if [[ $word == "=" ]]; then
        word=
    elif [[ $before == "=" ]]; then
        before=${COMP_WORDS[COMP_CWORD - 2]}
    fi
    command=$(_koine_command)
    _koine_value "$before" "$word" && return
    if [[ $word == -* ]]; then
        _koine_reply -W "$(_koine_options "$command")" -- "$word"
    else
        _koine_words "$command" "$word"
    fi
}

complete -F _koine koine
