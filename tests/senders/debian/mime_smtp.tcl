# Sends one mail with tcllib's smtp and Tcl's tls: HOST PORT starttls|none CA-FILE
package require smtp
package require mime
lassign $argv host port mode ca
set message [mime::initialize -canonical text/plain -string hello]
if {$mode eq "starttls"} {
	package require tls
	tls::init -cafile $ca -ssl2 0 -ssl3 0 -tls1 1 -tls1.1 1 -tls1.2 1 -tls1.3 1
}
smtp::sendmessage $message -servers $host -ports $port -usetls [expr {$mode eq "starttls"}] \
	-originator a@example.com -recipients b@example.com -header {Subject rehearsal}
