#!/usr/bin/perl
# What failed before must still be there to be looked at.
use strict;
use warnings;

use Acme::Mail;

sub open_securely {
    my $client = Acme::Mail->connect(map { /(.*)/ } @ARGV);
    "first" =~ /(irs)/;
    local $_ = 'topic';
    if (!eval { die "the first time\n" }) {
        my $reason = $@;
        $client->secure;    # HERE main::open_securely
    }
    print "$1 $_ $@";
    return $client;
}

open_securely()->quit;
