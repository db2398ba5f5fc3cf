<?php
// Sends one mail with PHPMailer: HOST PORT starttls|implicit|none CA-FILE
require_once '/usr/share/php/libphp-phpmailer/autoload.php';

use PHPMailer\PHPMailer\PHPMailer;

[, $host, $port, $mode, $caFile] = $argv;

$mail = new PHPMailer(true);
$mail->isSMTP();
$mail->Host = $host;
$mail->Port = (int) $port;
$mail->SMTPSecure = ['starttls' => 'tls', 'implicit' => 'ssl', 'none' => ''][$mode];
$mail->SMTPAutoTLS = false;
$mail->SMTPOptions = ['ssl' => ['cafile' => $caFile]];
$mail->SMTPAuth = true;
$mail->Username = 'user';
$mail->Password = 'secretword';
$mail->setFrom('a@example.com');
$mail->addAddress('b@example.com');
$mail->Subject = 'rehearsal';
$mail->Body = 'hello';
$mail->send();
