# Sends one mail with Net::SMTP, over IO::Socket::SSL: PORT CA|off
use strict;
use warnings;
use Net::SMTP;

my ($port, $authority) = @ARGV;
my $client = Net::SMTP->new('localhost', Port => $port) or die "connect: $@\n";
my @checks = $authority eq 'off' ? (SSL_verify_mode => 0) : (SSL_ca_file => $authority);
$client->starttls(@checks) or die 'STARTTLS: ' . $client->message . "\n";
$client->mail('a@example.com') && $client->to('b@example.com')
    && $client->data("Subject: rehearsal\n\nhello\n") or die $client->message;
$client->quit;
