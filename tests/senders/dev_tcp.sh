#!/usr/bin/env bash
# Sends one mail in the clear by the shell alone: PORT
exec 3<>/dev/tcp/127.0.0.1/"$1" || exit 1
hear() {
	while read -r -u 3 line; do
		case $line in ???-*) ;; *) return 0 ;; esac
	done
	exit 1
}
hear
for words in "EHLO client" "MAIL FROM:<a@example.com>" "RCPT TO:<b@example.com>" DATA \
	$'Subject: rehearsal\r\n\r\nhello\r\n.' QUIT; do
	printf '%s\r\n' "$words" >&3
	hear
done
