<?php
// PHP's own functions, at the top of the script.
require __DIR__ . '/vendor/autoload.php';

$client = new Acme\Mailer\Client($argv[1], $argv[2]);
$client->say('STARTTLS');
stream_socket_enable_crypto($client->socket(), true, STREAM_CRYPTO_METHOD_TLS_CLIENT); // HERE {main}
$client->say('QUIT');
