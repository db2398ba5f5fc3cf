#!/usr/bin/perl
# Sends one mail with Net::SMTP: HOST PORT starttls|implicit|none CA-FILE
use strict;
use warnings;

use Net::SMTP;

my ($host, $port, $mode, $ca_file) = @ARGV;

# By itself a newer IO::Socket::SSL accepts nothing below TLS 1.2.
my @tls = (SSL_ca_file => $ca_file, SSL_version => 'SSLv23:!SSLv3:!SSLv2');
my $client = Net::SMTP->new($host, Port => $port, $mode eq 'implicit' ? (SSL => 1, @tls) : ())
    or die "no connection: $@\n";
if ($mode eq 'starttls') {
    $client->starttls(@tls) or die "no TLS: $@\n";
}
$client->auth('user', 'secretword') or die 'auth: ', $client->message;
$client->mail('a@example.com')      or die 'mail: ', $client->message;
$client->to('b@example.com')        or die 'rcpt: ', $client->message;
$client->data("Subject: rehearsal\r\n\r\nhello\r\n") or die 'data: ', $client->message;
$client->quit;
