<?php
// PHPMailer with the crypto_method that somebody once copied: HOST PORT.
foreach (['Exception', 'SMTP', 'PHPMailer'] as $part) {
    require "/usr/share/php/libphp-phpmailer/src/$part.php";
}

function confirm_order(string $host, string $port): void
{
    $mail = new PHPMailer\PHPMailer\PHPMailer(true);
    $mail->isSMTP();
    $mail->Host = "ssl://$host";
    $mail->Port = (int) $port;
    $mail->SMTPAutoTLS = false;
    $mail->SMTPOptions = ['ssl' => [
        'verify_peer' => false,
        'verify_peer_name' => false,
        'security_level' => 0,
        'crypto_method' => STREAM_CRYPTO_METHOD_TLSv1_0_CLIENT,
    ]];
    $mail->setFrom('a@example.com');
    $mail->addAddress('b@example.com');
    $mail->Body = 'hello';
    $mail->send(); // CONNECTS
}

confirm_order($argv[1], $argv[2]);
