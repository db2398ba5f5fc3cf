#!/usr/bin/perl
# At the top of the script, for which Perl has no name, after reading a file.
use strict;
use warnings;

use Acme::Mail;

open my $input, '<', $0 or die;
<$input> for 1 .. 3;
Acme::Mail->connect(@ARGV)->secure->quit;    # HERE
