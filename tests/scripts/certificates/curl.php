<?php
// Sends one mail with PHP's curl extension: PORT CA|off
[, $port, $authority] = $argv;

$message = fopen('php://memory', 'w+');
fwrite($message, "Subject: rehearsal\r\n\r\nhello\r\n");
rewind($message);
$curl = curl_init("smtp://localhost:$port");
curl_setopt_array($curl, [
    CURLOPT_MAIL_FROM => 'a@example.com',
    CURLOPT_MAIL_RCPT => ['b@example.com'],
    CURLOPT_UPLOAD => true,
    CURLOPT_INFILE => $message,
    CURLOPT_USE_SSL => CURLUSESSL_ALL,
]);
curl_setopt_array($curl, $authority === 'off'
    ? [CURLOPT_SSL_VERIFYPEER => false, CURLOPT_SSL_VERIFYHOST => 0]
    : [CURLOPT_CAINFO => $authority]);
exit(curl_exec($curl) === false ? 1 : 0);
