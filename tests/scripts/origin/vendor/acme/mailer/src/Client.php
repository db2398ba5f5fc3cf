<?php
// A package as composer installs it: never the answer when a script calls it.
namespace Acme\Mailer;

class Client
{
    private $socket;

    public function __construct(string $host, string $port)
    {
        $this->socket = stream_socket_client("tcp://$host:$port");
        stream_context_set_option($this->socket, 'ssl', 'verify_peer', false);
        stream_context_set_option($this->socket, 'ssl', 'verify_peer_name', false);
        $this->answer();
        $this->say('EHLO client');
    }

    public function say(string $line): void
    {
        fwrite($this->socket, "$line\r\n");
        $this->answer();
    }

    public function secure(): void
    {
        $this->say('STARTTLS');
        $this->handshake();
    }

    // Between the script and the socket once more, where a callback is the script's.
    public function handshake(): void
    {
        if (!stream_socket_enable_crypto($this->socket, true, STREAM_CRYPTO_METHOD_TLS_CLIENT)) {
            exit(1);
        }
    }

    public function socket()
    {
        return $this->socket;
    }

    private function answer(): void
    {
        while (($line = fgets($this->socket)) !== false && ($line[3] ?? ' ') === '-') {
        }
    }
}
