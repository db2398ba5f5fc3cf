<?php
// The handler of an exception tries again.
require __DIR__ . '/vendor/autoload.php';

function openSecurely(string $host, string $port): Acme\Mailer\Client
{
    try {
        throw new RuntimeException('the first time');
    } catch (RuntimeException $first) {
        $client = new Acme\Mailer\Client($host, $port);
        $client->secure(); // HERE openSecurely
        return $client;
    }
}

openSecurely($argv[1], $argv[2])->say('QUIT');
