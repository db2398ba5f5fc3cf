<?php
/* A page of the shop that sends mail, written for a relay of long ago. */
require '/usr/share/php/libphp-phpmailer/autoload.php';

$mail = new PHPMailer\PHPMailer\PHPMailer(true);
$mail->isSMTP();
$mail->Host = 'localhost';
$mail->Port = (int) getenv('SHOP_PORT');
$mail->SMTPSecure = 'tls';
$mail->SMTPOptions = ['ssl' => [
    'verify_peer' => false,
    'verify_peer_name' => false,
    'ciphers' => 'DEFAULT@SECLEVEL=0',
    'crypto_method' => STREAM_CRYPTO_METHOD_TLSv1_1_CLIENT,
]];
$mail->setFrom('shop@example.org');
$mail->addAddress('b@example.org');
$mail->Subject = $mail->Body = 'An order';
$mail->send();
echo 'sent';
