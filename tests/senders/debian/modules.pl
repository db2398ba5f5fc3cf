#!/usr/bin/perl
# Sends one mail with a Perl module: HOST PORT starttls|implicit|none CA-FILE MODULE
use strict;
use warnings;

my ($host, $port, $mode, $ca, $module) = @ARGV;
my @tls  = (SSL_ca_file => $ca, SSL_version => 'SSLv23:!SSLv3:!SSLv2');
my $data = "Subject: rehearsal\r\n\r\nhello\r\n";

# What has no parameter for them takes these.
require IO::Socket::SSL;
IO::Socket::SSL::set_defaults(SSL_ca_file => $ca, SSL_version => 'SSLv23:!SSLv3:!SSLv2');

sub classic {
    my ($smtp) = @_;
    $smtp->mail('a@example.com');
    $smtp->to('b@example.com');
    $smtp->data;
    $smtp->datasend($data);
    $smtp->dataend or die "not taken\n";
    $smtp->quit;
}

my %senders = (
    'Net::SMTP::SSL' => sub { classic(Net::SMTP::SSL->new($host, Port => $port, @tls) or die $@) },
    'Net::SMTPS'     => sub {
        classic(Net::SMTPS->new($host, Port => $port, doSSL => 'starttls', @tls) or die $@);
    },
    'Net::SMTP::TLS' => sub {
        classic(Net::SMTP::TLS->new($host, Port => $port, User => 'user', Password => 'secretword'));
    },
    'Net::SMTP::TLS::ButMaintained' => sub {
        classic(Net::SMTP::TLS::ButMaintained->new(
            $host, Port => $port, User => 'user', Password => 'secretword'));
    },
    'Net::SMTP_auth' => sub {
        my $smtp = Net::SMTP_auth->new($host, Port => $port) or die $@;
        $smtp->auth('PLAIN', 'user', 'secretword') or die "auth\n";
        classic($smtp);
    },
    'Email::Sender::Transport::SMTP' => sub {
        my $sender = Email::Sender::Transport::SMTP->new(
            host        => $host,
            port        => $port,
            ssl         => $mode eq 'implicit' ? 'ssl' : 'starttls',
            ssl_options => {@tls});
        $sender->send(Email::Abstract->new($data), {from => 'a@example.com', to => ['b@example.com']});
    },
    'Email::Stuffer' => sub {
        require Email::Sender::Transport::SMTP;
        Email::Stuffer->from('a@example.com')->to('b@example.com')->subject('rehearsal')
            ->text_body('hello')->transport('SMTP', {host => $host, port => $port,
                ssl => 'starttls', ssl_options => {@tls}})->send_or_die;
    },
    'MIME::Lite' => sub {
        MIME::Lite->new(From => 'a@example.com', To => 'b@example.com', Subject => 'rehearsal',
            Data => 'hello')->send('smtp', $host, Port => $port) or die "not taken\n";
    },
    'Mail::Sendmail' => sub {
        no warnings 'once';
        Mail::Sendmail::sendmail(From => 'a@example.com', To => 'b@example.com',
            Subject => 'rehearsal', Message => 'hello', Smtp => "$host:$port")
            or die $Mail::Sendmail::error;
    },
    'Mail::Mailer' => sub {
        my $mailer = Mail::Mailer->new('smtp', Server => $host, Port => $port, StartTLS => 1);
        $mailer->open({From => 'a@example.com', To => 'b@example.com', Subject => 'rehearsal'});
        print $mailer "hello\n";
        $mailer->close or die "not taken\n";
    },
    'Mail::Transport::SMTP' => sub {
        require Mail::Message;
        Mail::Transport::SMTP->new(hostname => $host, port => $port)->send(
            Mail::Message->build(From => 'a@example.com', To => 'b@example.com',
                Subject => 'rehearsal', data => "hello\n")) or die "not taken\n";
    },
    'Net::SSLeay' => sub {
        require IO::Socket::INET;
        my $socket = IO::Socket::INET->new("$host:$port") or die $@;
        my $context = Net::SSLeay::CTX_v23_new();
        Net::SSLeay::CTX_set_min_proto_version($context, 0x301);
        Net::SSLeay::CTX_set_cipher_list($context, 'DEFAULT:@SECLEVEL=0');
        my $ssl = Net::SSLeay::new($context);
        Net::SSLeay::set_fd($ssl, fileno $socket);
        Net::SSLeay::connect($ssl) == 1 or die "handshake\n";
        Net::SSLeay::read($ssl);
        for my $line ('EHLO client', 'MAIL FROM:<a@example.com>', 'RCPT TO:<b@example.com>', 'DATA',
            "$data.") {
            Net::SSLeay::write($ssl, "$line\r\n");
            Net::SSLeay::read($ssl) =~ /^[23]/ or die "$line\n";
        }
    },
    'Mojo::IOLoop' => sub { events_of_mojo() },
    'AnyEvent::Handle' => sub { events_of_any() },
);

my @lines = ('EHLO client', 'MAIL FROM:<a@example.com>', 'RCPT TO:<b@example.com>', 'DATA',
    "$data.", 'QUIT');

sub events_of_mojo {
    my $failed = 'ended early';
    Mojo::IOLoop->client({address => $host, port => $port, tls => 1, tls_ca => $ca,
        tls_options => {@tls}} => sub {
        my (undef, $error, $stream) = @_;
        if ($error) { $failed = $error; return Mojo::IOLoop->stop }
        my @left = @lines;
        $stream->on(read => sub { @left ? $stream->write(shift(@left) . "\r\n") : ($failed = '') });
        $stream->on(close => sub { Mojo::IOLoop->stop });
        $stream->on(error => sub { $failed = $_[1] });
    });
    Mojo::IOLoop->start;
    die "$failed\n" if $failed;
}

sub events_of_any {
    my $done   = AnyEvent->condvar;
    my @left   = @lines;
    my $handle = AnyEvent::Handle->new(
        connect  => [$host, $port],
        tls      => 'connect',
        tls_ctx  => {ca_file => $ca, sslv3 => 0, tlsv1 => 1, cipher_list => 'DEFAULT:@SECLEVEL=0'},
        on_error => sub { $done->send($_[2]) },
        on_eof   => sub { $done->send('') },
        on_read  => sub {
            $_[0]{rbuf} = '';
            @left ? $_[0]->push_write(shift(@left) . "\r\n") : $done->send('');
        });
    my $failed = $done->recv;
    die "$failed\n" if $failed;
}

eval "require $module; 1" or die $@;
Net::SMTP::SSL->import if $module eq 'Net::SMTP::SSL';
$senders{$module}->();
