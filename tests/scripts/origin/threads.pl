#!/usr/bin/perl
# Each thread is an interpreter of its own.
use strict;
use warnings;

use threads;
use Acme::Mail;

sub work {
    Acme::Mail->connect(@ARGV)->secure->quit;    # HERE main::work
    return 1;
}

$_->join for map { threads->create(\&work) } 1 .. 4;
