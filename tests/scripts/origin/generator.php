<?php
// Connections from a generator, which runs when its values are asked for.
require __DIR__ . '/vendor/autoload.php';

function connections(string $host, string $port): Generator
{
    while (true) {
        $client = new Acme\Mailer\Client($host, $port);
        $client->secure(); // HERE connections
        yield $client;
    }
}

foreach (connections($argv[1], $argv[2]) as $client) {
    $client->say('QUIT');
    break;
}
