# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# Completion of sqctl for bash: commands, options, names of regions, formats.

# The options of a command, in the words of `sqctl COMMAND --help`.
_sqctl_options() {
    case $1 in
    create) echo "--dtype --shape --placement" ;;
    store) echo "--encoding --rows --importance" ;;
    read) echo "--format --rounding --axis --rows --path --decode --digest --output -o" ;;
    error) echo "--format --rounding" ;;
    bench) echo "--format --path --seconds" ;;
    rm) echo "--model" ;;
    load) echo "--name --dtype --placement --importance" ;;
    export) echo "--format --decoded --rounding --output -o" ;;
    stats) echo "--format --reset" ;;
    trace) echo "--format --rounding --axis --rows --as --output -o" ;;
    model) echo "--mapping --parameters" ;;
    esac
}

# The values of an option of a command; regions and formats come from the store.
_sqctl_values() {
    case $1:$2 in
    create:--dtype) echo "bf16 fp16 fp32 int8 u8" ;;
    load:--dtype) echo "default bf16 fp16 fp32 source" ;;
    *:--placement) echo "aligned word tuned" ;;
    *:--rounding) echo "default truncate nearest even" ;;
    *:--axis) echo "row col" ;;
    *:--path) echo "fetch map cached" ;;
    *:--as) echo "list dramsim3 ramulator2" ;;
    *:--mapping) echo "interleaved stock" ;;
    *:--format) _sqctl_ask "$3" info | sed -n 's/^formats *//p' ;;
    *:--decoded) echo "fp32 fp16 bf16" ;;
    *:--model) _sqctl_ask "$3" regions | sed -n 's,^\([^ /]*\)/.*,\1,p' | sort -u ;;
    esac
}

# Runs a command on the store of the line being completed.
_sqctl_ask() {
    if [ -n "$1" ]; then
        sqctl --device "$1" "$2" 2> /dev/null
    else
        sqctl "$2" 2> /dev/null
    fi
}

_sqctl() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
    local commands="list info create store read error regions show rm seal pack tag load export verify stats up doctor bench trace model"
    local command='' device='' i
    for ((i = 1; i < COMP_CWORD; i++)); do
        # "embedded:PATH" is split at its colon.
        if [ "${COMP_WORDS[i]}" = --device ]; then
            device=${COMP_WORDS[i + 1]}
            [ "${COMP_WORDS[i + 2]:-}" = : ] && device+=:${COMP_WORDS[i + 3]:-}
        elif [[ " $commands " == *" ${COMP_WORDS[i]} "* && -z $command ]]; then
            command=${COMP_WORDS[i]}
        fi
    done

    COMPREPLY=()
    if [ "$before" = --device ]; then
        mapfile -t COMPREPLY < <(compgen -W "embedded: $(compgen -G '/dev/smartquant*')" -- "$word")
    elif [[ $before == -* && -n $(_sqctl_values "$command" "$before" "$device") ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$(_sqctl_values "$command" "$before" "$device")" -- "$word")
    elif [[ $word == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "--device --size --json --help --version $(_sqctl_options "$command")" -- "$word")
    elif [ -z "$command" ]; then
        mapfile -t COMPREPLY < <(compgen -W "$commands" -- "$word")
    elif [[ " load store model " == *" $command "* || " -o --output " == *" $before "* ]]; then
        mapfile -t COMPREPLY < <(compgen -f -- "$word")
    else
        mapfile -t COMPREPLY < <(compgen -W "$(_sqctl_ask "$device" regions | sed -n '2,$s/ .*//p')" -- "$word")
    fi
}

complete -o filenames -F _sqctl sqctl
