<?php
// Sends one mail with a PHP library: HOST PORT starttls|implicit|none CA-FILE LIBRARY
[, $host, $port, $mode, $ca, $library] = $argv;
$options = ['ssl' => ['cafile' => $ca, 'ciphers' => 'DEFAULT:@SECLEVEL=0']];
error_reporting(E_ALL & ~E_DEPRECATED);

switch ($library) {
    case 'symfony':
        require '/usr/share/php/Symfony/Component/Mailer/autoload.php';
        $scheme = $mode === 'implicit' ? 'smtps' : 'smtp';
        $transport = Symfony\Component\Mailer\Transport::fromDsn("$scheme://$host:$port");
        $transport->getStream()->setStreamOptions($options);
        (new Symfony\Component\Mailer\Mailer($transport))->send((new Symfony\Component\Mime\Email())
            ->from('a@example.com')->to('b@example.com')->subject('rehearsal')->text('hello'));
        break;
    case 'swift':
        require '/usr/share/php/Egulias/EmailValidator/autoload.php';
        require '/usr/share/php/Swift/swift_required.php';
        $transport = (new Swift_SmtpTransport($host, (int) $port, $mode === 'implicit' ? 'ssl' : 'tls'))
            ->setStreamOptions($options);
        (new Swift_Mailer($transport))->send((new Swift_Message('rehearsal'))
            ->setFrom('a@example.com')->setTo('b@example.com')->setBody('hello')) === 1 or exit(1);
        break;
    case 'net_smtp':
        require 'Net/SMTP.php';
        $smtp = new Net_SMTP($host, (int) $port, 'client', false, 0, $options);
        foreach ([$smtp->connect(), $smtp->auth('user', 'secretword', 'PLAIN'),
            $smtp->mailFrom('a@example.com'), $smtp->rcptTo('b@example.com'),
            $smtp->data("Subject: rehearsal\r\n\r\nhello\r\n")] as $result) {
            if (PEAR::isError($result)) {
                fwrite(STDERR, $result->getMessage() . "\n");
                exit(1);
            }
        }
        $smtp->disconnect();
        break;
    case 'pear':
        require 'Mail.php';
        $mail = Mail::factory('smtp', ['host' => $host, 'port' => (int) $port, 'auth' => 'PLAIN',
            'username' => 'user', 'password' => 'secretword', 'socket_options' => $options]);
        $result = $mail->send('b@example.com', ['From' => 'a@example.com', 'Subject' => 'rehearsal'],
            'hello');
        if (PEAR::isError($result)) {
            fwrite(STDERR, $result->getMessage() . "\n");
            exit(1);
        }
        break;
    case 'streams':
        $stream = stream_socket_client("tcp://$host:$port", $number, $words, 10,
            STREAM_CLIENT_CONNECT, stream_context_create($options));
        $say = function (string $line) use ($stream): void {
            fwrite($stream, "$line\r\n");
            do {
                $reply = fgets($stream);
            } while ($reply !== false && $reply[3] === '-');
            if ($reply === false || !in_array($reply[0], ['2', '3'])) {
                exit(1);
            }
        };
        fgets($stream);
        $say('EHLO client');
        $say('STARTTLS');
        stream_socket_enable_crypto($stream, true, STREAM_CRYPTO_METHOD_ANY_CLIENT) or exit(1);
        foreach (['EHLO client', 'MAIL FROM:<a@example.com>', 'RCPT TO:<b@example.com>', 'DATA',
            "Subject: rehearsal\r\n\r\nhello\r\n.", 'QUIT'] as $line) {
            $say($line);
        }
        break;
}
