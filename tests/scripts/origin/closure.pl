#!/usr/bin/perl
# An anonymous sub that the standard library calls.
use strict;
use warnings;

use Acme::Mail;
use List::Util 'first';

my $client = Acme::Mail->connect(@ARGV);
my $secure = sub { $client->secure };    # HERE main::__ANON__
first { $secure->() } 1;
$client->quit;
