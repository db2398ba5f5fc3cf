# shellcheck shell=bash disable=SC2034,SC2154
# The daemons of tests/check-host. For each NAME: PACKAGES_NAME, and functions that run
#   NAME_configure   once: mail goes to 127.0.0.1 port 2525, with whatever version is there
#   NAME_target      says what is to be enabled
#   NAME_send        within the namespaces: starts the daemon if need be, and sends its mail
#   NAME_program     says whose connections they are
# CONNECTIONS_NAME is how many connections that makes, MESSAGES_NAME how many mails are in each, where
# it is not one; OPTIONS_NAME are for `enable`; NAME_check, if there is one, holds after each version.
# `in_root` runs a command in $root; what is started ends with the namespace.

# Old versions are for the floor to refuse, and not for the policy of the distribution.
allow_old_tls() {
	sed -i -e '/^openssl_conf/d' -e '1i openssl_conf = old_tls_allowed' "$root/etc/ssl/openssl.cnf"
	cat >>"$root/etc/ssl/openssl.cnf" <<-'EOS'
		[old_tls_allowed]
		ssl_conf = old_tls_ssl
		[old_tls_ssl]
		system_default = old_tls
		[old_tls]
		MinProtocol = TLSv1
		CipherString = DEFAULT@SECLEVEL=0
	EOS
}

message=$'From: a@example.com\nTo: b@example.org\nSubject: x\n\nx\n'

by_sendmail() {
	printf '%s' "$message" | in_root /usr/sbin/sendmail "$@" -f a@example.com b@example.org
}

# For set-user-ID and set-group-ID programs: the loader is as careful as it is with any user's.
by_sendmail_of_nobody() {
	printf '%s' "$message" | in_root setpriv --reuid=nobody --regid=nogroup --clear-groups \
		/usr/sbin/sendmail "$@" -f a@example.com b@example.org
}

# ---- Postfix, with its chroot, and its tlsproxy which makes the connections ----

PACKAGES_postfix="postfix"
postfix_configure() {
	in_root postconf -e 'relayhost = [127.0.0.1]:2525' 'smtp_tls_security_level = encrypt' \
		'smtp_tls_mandatory_protocols = >=TLSv1' 'inet_protocols = ipv4' \
		'smtp_tls_mandatory_ciphers = low' 'myhostname = a.example.com' 'mydestination =' \
		'smtp_tls_connection_reuse = no' \
		'tls_low_cipherlist = DEFAULT@SECLEVEL=0' 'tls_medium_cipherlist = DEFAULT@SECLEVEL=0'
	in_root sh -c 'mkdir -p /var/spool/postfix/etc
		cp /etc/hosts /etc/services /var/spool/postfix/etc/'
}
postfix_target() { echo postfix; }
postfix_program() { echo /usr/lib/postfix/sbin/smtp; }
postfix_send() {
	in_root postfix start
	by_sendmail
}

# Debian has the service in master.cf as a comment. Two mails are there before it starts, and go over
# one connection, which waits in scache(8) for the second.
PACKAGES_tlsproxy="postfix"
MESSAGES_tlsproxy=2
tlsproxy_configure() {
	postfix_configure
	in_root postconf -M 'tlsproxy/unix=tlsproxy unix - - y - 0 tlsproxy'
	in_root postconf -e 'smtp_tls_connection_reuse = yes' 'smtp_connection_cache_on_demand = no' \
		'smtp_connection_cache_destinations = 127.0.0.1' \
		'smtp_destination_concurrency_limit = 1' 'smtp_destination_recipient_limit = 1' \
		'smtp_connection_cache_time_limit = 600s' 'connection_cache_ttl_limit = 600s' \
		'smtp_connection_reuse_count_limit = 1'
}
tlsproxy_target() { echo postfix; }
tlsproxy_program() { echo /usr/lib/postfix/sbin/tlsproxy; }
tlsproxy_send() {
	by_sendmail
	by_sendmail
	in_root postfix start
}

# ---- OpenSMTPD, whose processes chroot and overwrite their arguments ----

PACKAGES_opensmtpd="opensmtpd"
opensmtpd_configure() {
	cat >"$root/etc/smtpd.conf" <<-'EOS'
		listen on socket
		action "out" relay host smtp+tls://127.0.0.1:2525 tls no-verify
		match from any for any action "out"
	EOS
}
opensmtpd_target() { echo program:/usr/sbin/smtpd; }
opensmtpd_program() { echo /usr/sbin/smtpd; }
opensmtpd_send() {
	in_root smtpd
	until in_root test -S /var/run/smtpd.sock; do :; done
	by_sendmail
}

# ---- sendmail, set-group-ID ----

PACKAGES_sendmail="sendmail-bin sensible-mda"
sendmail_configure() {
	cat >"$root/etc/mail/sendmail.mc" <<-'EOS'
		include(`/usr/share/sendmail/cf/m4/cf.m4')dnl
		OSTYPE(`debian')dnl
		DOMAIN(`debian-mta')dnl
		define(`SMART_HOST', `relay:[127.0.0.1]')dnl
		define(`RELAY_MAILER_ARGS', `TCP $h 2525')dnl
		define(`confQUEUE_LA', `10000')dnl
		define(`confREFUSE_LA', `10000')dnl
		define(`confCIPHER_LIST', `DEFAULT@SECLEVEL=0')dnl
		define(`confDELIVERY_MODE', `interactive')dnl
		define(`confDOMAIN_NAME', `a.example.com')dnl
		define(`confSERVICE_SWITCH_FILE', `/etc/mail/no-dns')dnl
		FEATURE(`nocanonify')dnl
		FEATURE(`accept_unresolvable_domains')dnl
		MAILER_DEFINITIONS
		MAILER(`local')dnl
		MAILER(`smtp')dnl
	EOS
	printf 'hosts files\naliases files\n' >"$root/etc/mail/no-dns"
	printf '127.0.0.2 example.com example.org\n' >>"$root/etc/hosts"
	in_root sh -c 'cd /etc/mail && m4 sendmail.mc >sendmail.cf'
}
sendmail_target() { echo program:/usr/libexec/sendmail/sendmail; }
sendmail_program() { in_root readlink -f /usr/sbin/sendmail; }
sendmail_send() { by_sendmail -Am -i; }

# ---- exim4, set-user-ID, by GnuTLS ----

PACKAGES_exim4="exim4-daemon-light"
exim4_configure() {
	cat >"$root/etc/exim4/exim4.conf" <<-'EOS'
		primary_hostname = a.example.com
		never_users =
		untrusted_set_sender = *
		tls_advertise_hosts =
		keep_environment =
		begin routers
		out:
		  driver = manualroute
		  route_list = * 127.0.0.1
		  self = send
		  transport = out
		begin transports
		out:
		  driver = smtp
		  port = 2525
		  hosts_require_tls = *
		  tls_verify_certificates =
		  tls_try_verify_hosts =
		  tls_require_ciphers = NORMAL:%COMPAT:+VERS-TLS1.0:+VERS-TLS1.1
	EOS
}
exim4_target() { echo exim4; }
exim4_program() { echo /usr/sbin/exim4; }
exim4_send() { by_sendmail_of_nobody -i -odi; }

# ---- PHP in its three habitats, and its mail() ----

php_configure() {
	mkdir -p "$root/srv/www"
	cat >"$root/srv/www/send.php" <<-'EOS'
		<?php
		require '/usr/share/php/libphp-phpmailer/autoload.php';
		$mail = new PHPMailer\PHPMailer\PHPMailer(true);
		$mail->isSMTP();
		$mail->Host = '127.0.0.1';
		$mail->Port = 2525;
		$mail->SMTPSecure = 'tls';
		$mail->SMTPOptions = ['ssl' => ['verify_peer' => false, 'verify_peer_name' => false,
			'ciphers' => 'DEFAULT@SECLEVEL=0']];
		$mail->setFrom('a@example.com');
		$mail->addAddress('b@example.org');
		$mail->Subject = $mail->Body = 'x';
		try { $mail->send(); echo "sent"; } catch (Exception $e) { echo $e->getMessage(); }
	EOS
	printf '<?php echo mail("b@example.org", "x", "x") ? "sent" : "failed";\n' >"$root/srv/www/mail.php"
	cat >"$root/etc/msmtprc" <<-'EOS'
		account default
		host 127.0.0.1
		port 2525
		from a@example.com
		tls on
		tls_starttls on
		tls_certcheck off
	EOS
	chmod 644 "$root/etc/msmtprc"
}

# As systemd starts a service: with the variables of its drop-ins.
with_environment_of() {
	local unit=$1
	shift
	# shellcheck disable=SC2016 # the inner shell's
	in_root sh -c 'unit=$1; shift
		exec env $(sed -n "s/^Environment=//p" /etc/systemd/system/$unit.d/*.conf 2>/dev/null) "$@"' \
		sh "$unit" "$@"
}

PACKAGES_php_fpm="php-fpm php-cli libphp-phpmailer libfcgi-bin"
php_fpm_configure() { php_configure; }
php_fpm_target() { echo php-fpm:www; }
php_fpm_program() { echo /usr/sbin/php-fpm8.2; }
php_fpm_send() {
	mkdir -p "$root/run/php"
	with_environment_of php8.2-fpm.service php-fpm8.2
	in_root env SCRIPT_FILENAME=/srv/www/send.php REQUEST_METHOD=GET \
		cgi-fcgi -bind -connect /run/php/php8.2-fpm.sock
}

PACKAGES_apache2="apache2 libapache2-mod-php libphp-phpmailer curl"
apache2_configure() {
	php_configure
	sed -i 's/^Listen 80$/Listen 127.0.0.1:8080/' "$root/etc/apache2/ports.conf"
	sed -i 's,DocumentRoot .*,DocumentRoot /srv/www,; s/\*:80/*:8080/' \
		"$root/etc/apache2/sites-available/000-default.conf"
	printf '<Directory /srv/www>\nRequire all granted\n</Directory>\n' \
		>"$root/etc/apache2/conf-enabled/srv.conf"
}
apache2_target() { echo apache2; }
apache2_program() { echo /usr/sbin/apache2; }
# Before and after a graceful restart: new children, of the same parent, which has unloaded and
# loaded PHP and OpenSSL again.
CONNECTIONS_apache2=2
apache2_send() {
	local parent child children
	in_root apachectl start
	until in_root curl -s -o /dev/null http://127.0.0.1:8080/; do sleep 0.1; done
	in_root curl -s http://127.0.0.1:8080/send.php
	parent=$(cat "$root/run/apache2/apache2.pid")
	children=$(cat "$root/proc/$parent/task/$parent/children")
	in_root apachectl graceful
	for child in $children; do
		while [ -e "$root/proc/$child" ]; do sleep 0.1; done
	done
	until in_root curl -s http://127.0.0.1:8080/send.php; do sleep 0.1; done
}

PACKAGES_mail="php-fpm msmtp-mta libfcgi-bin"
mail_configure() { php_configure; }
mail_target() { echo php-fpm; }
mail_program() { echo /usr/bin/msmtp; }
mail_send() {
	mkdir -p "$root/run/php"
	with_environment_of php8.2-fpm.service php-fpm8.2
	in_root env SCRIPT_FILENAME=/srv/www/mail.php REQUEST_METHOD=GET \
		cgi-fcgi -bind -connect /run/php/php8.2-fpm.sock
}

# ---- cron ----

PACKAGES_cron="cron php-cli libphp-phpmailer"
cron_configure() {
	php_configure
	printf '@reboot nobody php /srv/www/send.php\n' >"$root/etc/cron.d/send"
	chmod 644 "$root/etc/cron.d/send"
}
cron_target() { echo cron; }
cron_program() { in_root readlink -f /usr/bin/php; }
# Each start is the first one since the machine's.
cron_send() {
	rm -f "$root/run/crond.reboot"
	in_root cron
}

# ---- no daemon: one process that lives through upgrades, and many that start during them ----

UPGRADE_SESSIONS=300
upgrade_configure() {
	cat >"$root/root/session.pl" <<-'EOS'
		use strict;
		use warnings;
		use IO::Socket::INET;
		for (1 .. $ARGV[0]) {
			my $server = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => 2525) or die $@;
			for my $command ('', "EHLO a.example.com\r\n", "QUIT\r\n") {
				syswrite($server, $command) if $command;
				sysread($server, my $answer, 4096) or die "no answer";
			}
		}
	EOS
}
upgrade_send() {
	in_root perl /root/session.pl 200 &
	local long=$!
	# shellcheck disable=SC2016 # the inner shell's
	in_root sh -c 'for i in $(seq 100); do perl /root/session.pl 1 || exit 1; done' &
	local short=$!
	for _ in 1 2 3; do
		in_root dpkg -i /root/package.deb || echo "dpkg failed"
	done
	wait $long && wait $short && echo "all sessions were made"
}

# ---- dma, set-group-ID ----

PACKAGES_dma="dma"
dma_configure() {
	printf 'SMARTHOST 127.0.0.1\nPORT 2525\nSECURETRANSFER\nSTARTTLS\nMAILNAME a.example.com\n' \
		>"$root/etc/dma/dma.conf"
}
dma_target() { echo program:/usr/sbin/dma; }
dma_program() { in_root readlink -f /usr/sbin/dma; }
dma_send() { by_sendmail_of_nobody; }

# ---- a service of systemd, which is the root's first process; its records come from the journal ----

PACKAGES_unit="systemd curl"
OPTIONS_unit="--log=journald:"
unit_configure() {
	cat >"$root/etc/systemd/system/send.service" <<-'EOS'
		[Unit]
		DefaultDependencies=no
		Requires=systemd-journald.service
		After=systemd-journald.service
		SuccessAction=exit-force
		FailureAction=exit-force
		[Service]
		Type=oneshot
		ExecStart=curl -sS --ssl-reqd --insecure --tlsv1.0 --ciphers DEFAULT@SECLEVEL=0 \
			smtp://127.0.0.1:2525 --mail-from a@example.com --mail-rcpt b@example.org -T /etc/hostname
		ExecStopPost=journalctl --flush
		ExecStopPost=journalctl --sync
	EOS
	mkdir -p "$root/var/log/journal"
	# What systemd makes of a root that it sees for the first time is not ours.
	unshare -n tests/host/boot "$root" send.service >/dev/null 2>&1 || true
}
unit_target() { echo unit:send; }
unit_program() { echo /usr/bin/curl; }
unit_send() {
	rm -rf "$root"/var/log/journal/*
	tests/host/boot "$root" send.service || true
	unit_journal TLSWITNESS_FLOOR=1.2 >"$root/var/log/tlswitness/received.jsonl"
}
unit_journal() { in_root journalctl -q -D /var/log/journal -o cat "$@"; }
# By the version that it was, and by no other.
unit_check() {
	local each
	for each in 1.0 1.1 1.2 1.3; do
		[ "$(unit_journal TLS_VERSION=$each | wc -l)" = "$([ $each = "$version" ] && echo 1 || echo 0)" ] || return 1
	done
}

# ---- receivers of syslog, as tlswitness.conf(5) has them: what curl sent comes from their files ----

by_curl() {
	# shellcheck disable=SC2016 # not the shell's
	printf '%s' "$message" | in_root env TLSWITNESS_SERVICE='post "ü" \ %m $MSG' \
		curl -sS --ssl-reqd --insecure --tlsv1.0 --ciphers DEFAULT@SECLEVEL=0 smtp://127.0.0.1:2525 \
		--mail-from a@example.com --mail-rcpt b@example.org -T -
}

# The lines of tlswitness.conf(5) from the one that begins with this word.
of_manual() {
	sed -n -e "/^$1/,/^\\.Ed/{/^\\.Ed/q; s/\\\\e/\\\\/g; s,/var/log/mail.jsonl,/var/log/tlswitness/received.jsonl,; p}" \
		man/tlswitness.conf.5
}

# Each line that was received, from the first to the last key; nothing in between is taken for theirs.
received_whole() {
	local lines=0
	while read -r line; do
		# shellcheck disable=SC2016 # not the shell's
		case $line in
		'{"@timestamp":"'*'"service.name":"post \"ü\" \\ %m $MSG",'*'"tlswitness.setting_ids":"'*'"}') ;;
		*) return 1 ;;
		esac
		lines=$((lines + 1))
	done <"$root/var/log/tlswitness/received.jsonl"
	[ $lines = 2 ]
}

PACKAGES_rsyslog="rsyslog curl"
OPTIONS_rsyslog="--log=syslog:"
rsyslog_configure() {
	of_manual module >"$root/etc/rsyslog.conf"
}
rsyslog_check() { received_whole; }
rsyslog_target() { echo program:/usr/bin/curl; }
rsyslog_program() { echo /usr/bin/curl; }
rsyslog_send() {
	rm -f "$root/dev/log"
	in_root rsyslogd -n -i NONE &
	until in_root test -S /dev/log; do sleep 0.1; done
	by_curl
}

PACKAGES_syslog_ng="syslog-ng-core curl"
OPTIONS_syslog_ng="--log=syslog:"
syslog_ng_configure() {
	{
		echo '@version: 3.38'
		of_manual source
	} >"$root/etc/syslog-ng/syslog-ng.conf"
}
syslog_ng_check() { received_whole; }
syslog_ng_target() { echo program:/usr/bin/curl; }
syslog_ng_program() { echo /usr/bin/curl; }
syslog_ng_send() {
	rm -f "$root/dev/log"
	in_root syslog-ng -F --no-caps &
	until in_root test -S /dev/log; do sleep 0.1; done
	by_curl
}
