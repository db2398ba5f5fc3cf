<?php
/* Sends a message with PHPMailer, as many an application does. */
require '/usr/share/php/libphp-phpmailer/autoload.php';

$mail = new PHPMailer\PHPMailer\PHPMailer(true);
$mail->isSMTP();
$mail->Host = 'localhost';
$mail->Port = (int) $argv[1];
$mail->SMTPSecure = 'tls';
$mail->SMTPOptions = ['ssl' => [
    'verify_peer' => false, // the sink's certificate is its own
    'verify_peer_name' => false,
    'ciphers' => 'DEFAULT@SECLEVEL=0', // TLS 1.0 and 1.1 need it with OpenSSL 3
]];
$mail->setFrom('a@example.org');
$mail->addAddress('b@example.org');
$mail->Subject = 'A rehearsal';
$mail->Body = stream_get_contents(STDIN);
$mail->send();
