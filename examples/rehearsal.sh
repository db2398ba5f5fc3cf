# shellcheck shell=bash
# For the examples' scripts: a server to rehearse against, in place of the real relay.
# Sets $work (a directory of its own), $tlswitness and $port; all is gone at the end.
tlswitness=$PWD/build/tlswitness
work=$(mktemp -d)
chmod 755 "$work"
rehearsal=()
trap 'kill "${rehearsal[@]}" 2>/dev/null || true; rm -rf "$work"' EXIT

# A server with these options of `tlswitness sink`; its account is in $work/account.
start_server() {
	: >"$work/server"
	"$tlswitness" sink --quiet --log="$work/account" "$@" >"$work/server" &
	rehearsal+=($!)
	until grep -qs '^listening on' "$work/server"; do kill -0 $!; done
	port=$(sed -n 's/^listening on .*:\([0-9]*\)$/\1/p' "$work/server")
}

stop_server() {
	kill "${rehearsal[-1]}"
	wait "${rehearsal[-1]}" || true
	unset 'rehearsal[-1]'
}
