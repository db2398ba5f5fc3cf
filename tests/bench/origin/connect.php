<?php
// HOST PORT COUNT: connections from under twenty calls; prints the CPU time of each, in us.
function deliver(int $depth): void
{
    global $argv;
    if ($depth > 0) {
        deliver($depth - 1);
        return;
    }
    $context = stream_context_create(['ssl' => ['verify_peer' => false, 'verify_peer_name' => false]]);
    $socket = stream_socket_client("tls://$argv[1]:$argv[2]", $code, $text, 10, STREAM_CLIENT_CONNECT, $context);
    fgets($socket);
    fwrite($socket, "QUIT\r\n");
    fgets($socket);
    fclose($socket);
}

function cpu(): float
{
    $usage = getrusage();
    return ($usage['ru_utime.tv_sec'] + $usage['ru_stime.tv_sec']) * 1e6 + $usage['ru_utime.tv_usec'] + $usage['ru_stime.tv_usec'];
}

function measure(int $count): float
{
    $start = cpu();
    for ($i = 0; $i < $count; $i++) {
        deliver(20);
    }
    return (cpu() - $start) / $count;
}

measure(20);
echo measure((int) $argv[3]), "\n";
