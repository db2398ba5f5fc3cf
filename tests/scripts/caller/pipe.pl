use strict;
use warnings;

sub notify {
    open(my $mail, '|-', @_) or die "$!\n"; # HERE main::notify
    print $mail "Subject: Hello\n\nSome words\n";
    close($mail) or exit 1;
}

notify(@ARGV);
