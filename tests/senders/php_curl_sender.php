<?php
// Sends one mail with PHP's curl extension: HOST PORT starttls|implicit|none CA-FILE
[, $host, $port, $mode, $caFile] = $argv;

$message = fopen('php://memory', 'w+');
fwrite($message, "Subject: rehearsal\r\n\r\nhello\r\n");
rewind($message);

$curl = curl_init(($mode === 'implicit' ? 'smtps' : 'smtp') . "://$host:$port");
curl_setopt_array($curl, [
    CURLOPT_MAIL_FROM => 'a@example.com',
    CURLOPT_MAIL_RCPT => ['b@example.com'],
    CURLOPT_USERNAME => 'user',
    CURLOPT_PASSWORD => 'secretword',
    CURLOPT_SSL_CIPHER_LIST => 'DEFAULT@SECLEVEL=0',
    CURLOPT_SSLVERSION => CURL_SSLVERSION_TLSv1_0,
    CURLOPT_UPLOAD => true,
    CURLOPT_INFILE => $message,
]);
if ($mode !== 'none') {
    curl_setopt_array($curl, [CURLOPT_USE_SSL => CURLUSESSL_ALL, CURLOPT_CAINFO => $caFile]);
}
if (curl_exec($curl) === false) {
    fwrite(STDERR, curl_error($curl) . "\n");
    exit(1);
}
