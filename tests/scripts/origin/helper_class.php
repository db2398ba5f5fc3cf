<?php
// A helper class, three calls deep; the package below it is composer's.
require __DIR__ . '/vendor/autoload.php';

class Mailer
{
    private string $host;
    private string $port;

    public function __construct(string $host, string $port)
    {
        $this->host = $host;
        $this->port = $port;
    }

    public function report(): void
    {
        $this->deliver();
    }

    private function deliver(): void
    {
        $client = $this->connect();
        $client->say('QUIT');
    }

    private function connect(): Acme\Mailer\Client
    {
        $client = new Acme\Mailer\Client($this->host, $this->port);
        $client->secure(); // HERE Mailer->connect
        return $client;
    }
}

// From the command line, or from a web server.
$address = isset($_GET['host']) ? [$_GET['host'], $_GET['port']] : array_slice($argv, 1);
(new Mailer(...$address))->report();
