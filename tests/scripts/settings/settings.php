<?php
// Each way of PHP; it sets both bounds at the handshake, its own lowest is TLS 1.0.
function send(array $options, ?int $method = null): void
{
    global $argv;
    $context = stream_context_create(['ssl' => $options + ['verify_peer' => false, 'verify_peer_name' => false]]);
    $socket = stream_socket_client("tcp://$argv[1]:$argv[2]", $code, $text, 10, STREAM_CLIENT_CONNECT, $context);
    say($socket, '');
    say($socket, "EHLO client\r\n");
    say($socket, "STARTTLS\r\n");
    stream_context_set_option($socket, ['ssl' => $options]);
    secure($socket, $method);
    fclose($socket);
}

function say($socket, string $line): void
{
    fwrite($socket, $line);
    while (($answer = fgets($socket)) !== false && ($answer[3] ?? ' ') === '-') {
    }
}

function secure($socket, ?int $method): void
{
    @stream_socket_enable_crypto($socket, true, $method); // HERE secure: SSL_CTX_set_min_proto_version(TLS 1.0) + SSL_CTX_set_min_proto_version(TLS 1.1) + SSL_CTX_set_max_proto_version(TLS 1.0) + SSL_CTX_set_max_proto_version(TLS 1.2) + SSL_CTX_set_security_level(0)
}

if ($argv[2]) {
    for ($i = 0; $i < (int) $argv[3]; $i++) {
        send([], STREAM_CRYPTO_METHOD_TLSv1_2_CLIENT | STREAM_CRYPTO_METHOD_TLSv1_3_CLIENT);
        send(['crypto_method' => STREAM_CRYPTO_METHOD_TLSv1_0_CLIENT]);
        send(['min_proto_version' => STREAM_CRYPTO_PROTO_TLSv1_1, 'max_proto_version' => STREAM_CRYPTO_PROTO_TLSv1_2], STREAM_CRYPTO_METHOD_TLS_CLIENT);
        send(['security_level' => 0], STREAM_CRYPTO_METHOD_TLSv1_3_CLIENT);
    }
}
