package Acme::Mail;

# A module as cpanm installs it: never the answer when a script calls it.
use strict;
use warnings;

use Net::SMTP;

sub connect {
    my ($class, $host, $port) = @_;
    my $client = Net::SMTP->new($host, Port => $port) or die "no connection: $@\n";
    return bless { client => $client }, $class;
}

sub secure {
    my ($self) = @_;
    $self->{client}->starttls(SSL_verify_mode => 0) or die "no TLS: $@\n";
    return $self;
}

sub quit { return $_[0]{client}->quit }

1;
