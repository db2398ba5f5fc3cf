#!/bin/sh
# Sends one mail with Postfix, unpacked and not installed, from a configuration
# and a queue of its own: UNPACKED DIRECTORY PORT LEVEL [REUSE]
# LEVEL is smtp_tls_security_level, REUSE smtp_tls_connection_reuse: with `yes`
# tlsproxy(8) makes the handshake, of a connection that smtp(8) opened. Ends with
# 0 if the mail was sent.
set -eu
unpacked=$1 directory=$2 port=$3 level=$4 reuse=${5:-no}

LD_LIBRARY_PATH=$unpacked/usr/lib/postfix
MAIL_CONFIG=$directory/etc
export LD_LIBRARY_PATH MAIL_CONFIG
queue=$directory/queue
mkdir -p "$MAIL_CONFIG" "$directory/data"
for name in active bounce corrupt defer deferred flush hold incoming maildrop pid private public \
	saved trace; do
	mkdir -p "$queue/$name"
done

# Users that every Debian has; they own this queue, and nothing else of theirs is touched.
owner=news group=games
cat >"$MAIL_CONFIG/main.cf" <<EOF
compatibility_level = 3.6
queue_directory = $queue
data_directory = $directory/data
command_directory = $unpacked/usr/sbin
daemon_directory = $unpacked/usr/lib/postfix/sbin
meta_directory = $MAIL_CONFIG
shlib_directory = no
mail_owner = $owner
setgid_group = $group
default_privs = nobody
myhostname = client.example.com
mydestination =
inet_interfaces = loopback-only
inet_protocols = ipv4
alias_maps =
alias_database =
relayhost = [127.0.0.1]:$port
smtp_tls_security_level = $level
smtp_tls_connection_reuse = $reuse
tls_medium_cipherlist = DEFAULT@SECLEVEL=0
smtp_tls_protocols = >=TLSv1
maillog_file = $directory/mail.log
maillog_file_prefixes = $directory
export_environment = MAIL_CONFIG LD_LIBRARY_PATH
import_environment = MAIL_CONFIG LD_LIBRARY_PATH LD_PRELOAD OPENSSL_CONF TLSWITNESS_LOG
	TLSWITNESS_MODE TLSWITNESS_PLAINTEXT TLSWITNESS_FLOOR TLSWITNESS_PORTS
EOF
cat >"$MAIL_CONFIG/master.cf" <<EOF
pickup    unix  n  -  n  60   1  pickup
cleanup   unix  n  -  n  -    0  cleanup
qmgr      unix  n  -  n  300  1  qmgr
tlsmgr    unix  -  -  n  1000 1  tlsmgr
rewrite   unix  -  -  n  -    -  trivial-rewrite
bounce    unix  -  -  n  -    0  bounce
defer     unix  -  -  n  -    0  bounce
trace     unix  -  -  n  -    0  bounce
smtp      unix  -  -  n  -    -  smtp
tlsproxy  unix  -  -  n  -    0  tlsproxy
scache    unix  -  -  n  -    1  scache
error     unix  -  -  n  -    -  error
retry     unix  -  -  n  -    -  error
showq     unix  n  -  n  -    -  showq
postlog   unix-dgram n - n  -    1  postlogd
EOF
: >"$MAIL_CONFIG/dynamicmaps.cf"
chown -R "$owner" "$queue" "$directory/data"
chown root "$queue" "$queue/pid"
chgrp "$group" "$queue/maildrop" "$queue/public"
chmod 1730 "$queue/maildrop"
chmod 710 "$queue/public"

setsid "$unpacked/usr/lib/postfix/sbin/master" -d -e 120 &
master=$!
trap 'kill $master 2>/dev/null || true; wait $master || true' EXIT
until [ -S "$queue/public/pickup" ] || ! kill -0 $master; do sleep 0.05; done
printf 'From: a@example.com\nTo: b@example.com\nSubject: rehearsal\n\nhello\n' |
	"$unpacked/usr/sbin/sendmail" -f a@example.com b@example.com
until grep -q ' status=' "$directory/mail.log" 2>/dev/null || ! kill -0 $master; do sleep 0.05; done
grep ' status=' "$directory/mail.log" || cat "$directory/mail.log"
grep -q ' status=sent' "$directory/mail.log"
