<?php
// Evaluated code has no file: the place is where it was evaluated.
require __DIR__ . '/vendor/autoload.php';

$client = new Acme\Mailer\Client($argv[1], $argv[2]);
eval('$client->secure();'); // HERE {main}
$client->say('QUIT');
