<?php
// Sends one mail with PHPMailer, over PHP's streams: PORT CA|off
require_once '/usr/share/php/libphp-phpmailer/autoload.php';

[, $port, $authority] = $argv;

$mail = new PHPMailer\PHPMailer\PHPMailer(true);
$mail->isSMTP();
$mail->Host = 'localhost';
$mail->Port = (int) $port;
$mail->SMTPSecure = 'tls';
$mail->SMTPOptions = ['ssl' => $authority === 'off'
    ? ['verify_peer' => false, 'verify_peer_name' => false]
    : ['cafile' => $authority]];
$mail->setFrom('a@example.com');
$mail->addAddress('b@example.com');
$mail->Subject = 'rehearsal';
$mail->Body = 'hello';
$mail->send();
