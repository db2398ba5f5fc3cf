#!/usr/bin/perl
# Each way of IO::Socket::SSL, from the script's own lines, and then one mail.
use strict;
use warnings;

use IO::Socket::SSL;
use Net::SMTP;

my ($host, $port, $times) = @ARGV;

for (1 .. $times) {
    my $old = IO::Socket::SSL::SSL_Context->new(SSL_version => 'TLSv1');    # HERE -: SSL_CTX_new(TLSv1_method)
    my $cut = IO::Socket::SSL::SSL_Context->new(SSL_version => 'SSLv23:!TLSv1:!TLSv1_1:!TLSv1_3');    # HERE -: SSL_CTX_set_options(NO_TLSv1_3)
    my $weak = IO::Socket::SSL::SSL_Context->new(SSL_cipher_list => 'DEFAULT:@SECLEVEL=0');    # HERE -: SSL_CTX_set_cipher_list(@SECLEVEL=0)
    my $fine = IO::Socket::SSL::SSL_Context->new(SSL_version => 'SSLv23:!TLSv1:!TLSv1_1');
}
if ($port) {
    my $client = Net::SMTP->new($host, Port => $port) or die;
    $client->starttls(SSL_verify_mode => 0, SSL_version => 'SSLv23:!TLSv1:!TLSv1_1') or die;
    $client->quit;
}
