<?php
// A fiber has a stack of its own.
require __DIR__ . '/vendor/autoload.php';

function inFiber(Acme\Mailer\Client $client): void
{
    Fiber::suspend();
    $client->secure(); // HERE inFiber
}

$client = new Acme\Mailer\Client($argv[1], $argv[2]);
$fiber = new Fiber('inFiber');
$fiber->start($client);
$fiber->resume();
$client->say('QUIT');
