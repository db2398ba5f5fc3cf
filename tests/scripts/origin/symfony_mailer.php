<?php
// Symfony Mailer, as Debian packages it.
require '/usr/share/php/Symfony/Component/Mailer/autoload.php';

use Symfony\Component\Mailer\Mailer;
use Symfony\Component\Mailer\Transport;
use Symfony\Component\Mime\Email;

class Newsletter
{
    public function send(string $host, string $port): void
    {
        $mailer = new Mailer(Transport::fromDsn("smtp://$host:$port?verify_peer=0"));
        $mailer->send((new Email())->from('a@example.com')->to('b@example.com') // HERE Newsletter->send
            ->subject('hello')->text('hello'));
    }
}

(new Newsletter())->send($argv[1], $argv[2]);
