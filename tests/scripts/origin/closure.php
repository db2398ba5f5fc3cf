<?php
// A closure that PHP itself calls, in a static function that PHP itself calls.
require __DIR__ . '/vendor/autoload.php';

class Batch
{
    public static function send(array $address): void
    {
        array_map(function (int $number) use ($address) {
            $client = new Acme\Mailer\Client(...$address);
            $client->secure(); // HERE Batch::{closure}
            $client->say('QUIT');
        }, [1]);
    }
}

call_user_func(['Batch', 'send'], array_slice($argv, 1));
