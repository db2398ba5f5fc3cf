<?php
// Sends one mail with PHPMailer: HOST PORT starttls|implicit CA-FILE CRYPTO-METHOD
// PHPMailer itself chooses the method of STARTTLS: there CRYPTO-METHOD is ignored.
require_once '/usr/share/php/libphp-phpmailer/autoload.php';

use PHPMailer\PHPMailer\PHPMailer;

[, $host, $port, $mode, $caFile, $method] = $argv;

$mail = new PHPMailer(true);
$mail->isSMTP();
$mail->Host = $host;
$mail->Port = (int) $port;
$mail->SMTPSecure = $mode === 'implicit' ? 'ssl' : 'tls';
$mail->SMTPAutoTLS = false;
$mail->SMTPOptions = ['ssl' => [
    'cafile' => $caFile,
    'ciphers' => 'DEFAULT:@SECLEVEL=0',
    'crypto_method' => constant("STREAM_CRYPTO_METHOD_$method"),
]];
$mail->SMTPAuth = true;
$mail->Username = 'user';
$mail->Password = 'secretword';
$mail->setFrom('a@example.com');
$mail->addAddress('b@example.com');
$mail->Subject = 'rehearsal';
$mail->Body = 'hello';
try {
    $mail->send();
} catch (Exception $exception) {
    fwrite(STDERR, $exception->getMessage() . "\n" . (error_get_last()['message'] ?? '') . "\n");
    exit(1);
}
