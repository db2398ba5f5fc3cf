<?php
// Mail in each request, with one of the ways to say which versions are allowed.
$ways = [
    ['crypto_method' => STREAM_CRYPTO_METHOD_TLSv1_2_CLIENT],
    ['min_proto_version' => STREAM_CRYPTO_PROTO_TLSv1_0],
    ['security_level' => 0],
    ['ciphers' => 'DEFAULT:@SECLEVEL=0'],
    [],
];
for ($i = 0; $i < 4; $i++) {
    $options = $ways[array_rand($ways)] + ['verify_peer' => false, 'verify_peer_name' => false];
    $context = stream_context_create(['ssl' => $options]);
    $socket = stream_socket_client("tls://$_GET[host]:$_GET[port]", $code, $text, 10, STREAM_CLIENT_CONNECT, $context);
    fgets($socket);
    fwrite($socket, "QUIT\r\n");
    fgets($socket);
    fclose($socket);
}
echo "sent\n";
