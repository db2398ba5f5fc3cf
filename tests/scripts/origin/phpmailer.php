<?php
// PHPMailer, copied into the application's own tree.
foreach (['Exception', 'SMTP', 'PHPMailer'] as $part) {
    require $argv[3] . "/$part.php";
}

class ShopMailer extends PHPMailer\PHPMailer\PHPMailer
{
}

function confirm_order(string $host, string $port): void
{
    $mail = new ShopMailer(true);
    $mail->isSMTP();
    $mail->Host = $host;
    $mail->Port = (int) $port;
    $mail->SMTPSecure = 'tls';
    $mail->SMTPOptions = ['ssl' => ['verify_peer' => false, 'verify_peer_name' => false]];
    $mail->setFrom('a@example.com');
    $mail->addAddress('b@example.com');
    $mail->Body = 'hello';
    $mail->send(); // HERE confirm_order
}

confirm_order($argv[1], $argv[2]);
