#!/usr/bin/perl
# A helper class, three calls deep; `use strict`, and hooks that would tell on us.
use strict;
use warnings FATAL => 'all';

use Acme::Mail;

local $SIG{__WARN__} = sub { print "warned: @_" };

package Mailer;

sub new { my ($class, @address) = @_; return bless { address => \@address }, $class }
sub report { my ($self) = @_; return $self->deliver }
sub deliver { my ($self) = @_; return $self->connect->quit }

sub connect {
    my ($self) = @_;
    my $client = Acme::Mail->connect(@{ $self->{address} });
    for my $try (1 .. 3) {
        eval { $client->secure; 1 } and last;    # HERE Mailer::connect
    }
    return $client;
}

package main;

Mailer->new(map { /(.*)/ } @ARGV)->report;
