#!/usr/bin/perl
# SSL_version as in an old manual: HOST PORT.
use strict;
use warnings;

use Net::SMTP;

sub alarm_operator {
    my ($host, $port) = @_;
    my $client = Net::SMTP->new($host, Port => $port) or die;
    $client->starttls(    # CONNECTS
        SSL_verify_mode => 0,
        SSL_version     => 'TLSv1',
        SSL_cipher_list => 'DEFAULT:@SECLEVEL=0'
    ) or die;
    $client->mail('a@example.com');
    $client->quit;
}

alarm_operator(@ARGV);
