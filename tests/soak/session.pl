# As session.py.
use strict;
use warnings;
use IO::Socket::SSL;
use Net::SMTP;

my ($port, $ca_file, $sessions, $between, $at_once) = @ARGV;
$| = 1;

sub send_mail {
	my $server = Net::SMTP->new('127.0.0.1', Port => $port) or die "no connection: $@";
	$server->starttls(SSL_ca_file => $ca_file) or die 'no TLS: ' . $server->message;
	$server->mail('a@example.com') && $server->to('b@example.com') or die $server->message;
	$server->data("Subject: x\n\nx\n") or die $server->message;
	$server->quit;
}

my $context;
# All of them say their ClientHello before any is waited for.
sub shake_hands {
	my ($count) = @_;
	$context //= IO::Socket::SSL::SSL_Context->new(SSL_ca_file => $ca_file)
		or die $SSL_ERROR;
	my @servers;
	for (1 .. $count) {
		my $clear = IO::Socket::INET->new("127.0.0.1:$port") or die "no connection: $@";
		my $server = IO::Socket::SSL->start_SSL($clear, SSL_reuse_ctx => $context, SSL_hostname => 'localhost',
			SSL_verifycn_name => 'localhost', SSL_verifycn_scheme => 'smtp', SSL_startHandshake => 0)
			or die $SSL_ERROR;
		$server->blocking(0);
		$server->connect_SSL;
		push @servers, $server;
	}
	for my $server (@servers) {
		$server->blocking(1);
		$server->connect_SSL && $server->sysread(my $greeting, 4) or die $SSL_ERROR;
		$server->close;
	}
}

for (my $number = $between; $number <= $sessions; $number += $between) {
	for (my $left = $between; $left > 0; $left -= $at_once || 1) {
		$at_once ? shake_hands($left < $at_once ? $left : $at_once) : send_mail();
	}
	print "$number\n";
	defined(scalar <STDIN>) or last;
}
