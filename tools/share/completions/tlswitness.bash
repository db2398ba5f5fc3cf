# bash completion for tlswitness: what its own --help says.

_tlswitness_options() {
	tlswitness "$1" --help 2>/dev/null |
		sed -n 's/^  \(-.*\)$/\1/p' | sed 's/   .*//' |
		grep -oE '(^|[ ,])--?[a-z0-9][a-z0-9-]*=?' | tr -d ' ,'
}

_tlswitness() {
	local word=${COMP_WORDS[COMP_CWORD]} command=${COMP_WORDS[1]} commands
	commands=$(tlswitness --help | sed -n 's/^  \([a-z]*\)  *.*/\1/p')
	COMPREPLY=()
	if [ "$COMP_CWORD" -eq 1 ]; then
		mapfile -t COMPREPLY < <(compgen -W "$commands help --help --version" -- "$word")
	elif [ "$command" = help ]; then
		mapfile -t COMPREPLY < <(compgen -W "$commands" -- "$word")
	elif [[ $word == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$(_tlswitness_options "$command")" -- "$word")
		[[ ${COMPREPLY[*]-} != *= ]] || compopt -o nospace
	else
		case $command in
		enable | disable)
			mapfile -t COMPREPLY < <(compgen -W "system unit: postfix exim4 php-fpm
				apache2 cron user: program:" -- "$word")
			;;
		run | check) mapfile -t COMPREPLY < <(compgen -c -f -- "$word") ;;
		*) mapfile -t COMPREPLY < <(compgen -f -- "$word") ;;
		esac
	fi
} && complete -o filenames -F _tlswitness tlswitness
