# HOST PORT COUNT: connections from under twenty calls; prints the CPU time of each, in us.
use strict;
use warnings;
no warnings 'recursion';

use IO::Socket::SSL;
use Time::HiRes qw(clock_gettime CLOCK_PROCESS_CPUTIME_ID);

my ($host, $port, $count) = @ARGV;
my $context = IO::Socket::SSL::SSL_Context->new(SSL_verify_mode => 0);

sub deliver {
    my ($depth) = @_;
    return deliver($depth - 1) . '' if $depth > 0;
    my $client = IO::Socket::SSL->new(
        PeerHost => $host, PeerPort => $port, SSL_reuse_ctx => $context) or die $SSL_ERROR;
    <$client>;
    print $client "QUIT\r\n";
    <$client>;
    close $client;
    return 1;
}

sub measure {
    my ($times) = @_;
    my $start = clock_gettime(CLOCK_PROCESS_CPUTIME_ID);
    deliver(20) for 1 .. $times;
    return (clock_gettime(CLOCK_PROCESS_CPUTIME_ID) - $start) * 1e6 / $times;
}

measure(20);
print measure($count), "\n";
