#!/usr/bin/perl
# Evaluated code has no file: the place is where it was evaluated.
use strict;
use warnings;

use Acme::Mail;

my $client = Acme::Mail->connect(@ARGV);
sub run_rule { my ($rule) = @_; eval $rule or die; return }    # HERE main::run_rule
run_rule('$client->secure');
eval { die "first\n" };
print $@;
eval 'die';
print $@;
$client->quit;
