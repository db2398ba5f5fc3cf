#!/usr/bin/perl
# At the top of the script, with no module in between, after reading what is no lines: the message
# from which Perl's place is known speaks of chunks.
use strict;
use warnings;

use IO::Socket::INET;
use Net::SSLeay;

my $socket = IO::Socket::INET->new(PeerAddr => $ARGV[0], PeerPort => $ARGV[1]) or die;
<$socket>;
print $socket "EHLO x\r\n";
while (<$socket> =~ /^250-/) { }
print $socket "STARTTLS\r\n";
<$socket>;
my $ssl = Net::SSLeay::new(Net::SSLeay::CTX_new());
open my $input, '<', $0 or die;
local $/ = \16;
<$input> for 1 .. 3;
Net::SSLeay::set_fd($ssl, fileno $socket);    # HERE
Net::SSLeay::connect($ssl) > 0 or die;
Net::SSLeay::write($ssl, "QUIT\r\n");
Net::SSLeay::read($ssl);
