# As session.py.
use strict;
use warnings;
use Net::SMTP;

my ($port, $ca_file, $sessions, $between) = @ARGV;
$| = 1;
for my $number (1 .. $sessions) {
	my $server = Net::SMTP->new('127.0.0.1', Port => $port) or die "no connection: $@";
	$server->starttls(SSL_ca_file => $ca_file) or die 'no TLS: ' . $server->message;
	$server->mail('a@example.com') && $server->to('b@example.com') or die $server->message;
	$server->data("Subject: x\n\nx\n") or die $server->message;
	$server->quit;
	if ($number % $between == 0) {
		print "$number\n";
		defined(scalar <STDIN>) or last;
	}
}
