<?php
// As session.py.
require 'libphp-phpmailer/src/Exception.php';
require 'libphp-phpmailer/src/SMTP.php';
require 'libphp-phpmailer/src/PHPMailer.php';

[, $port, $ca_file, $sessions, $between] = $argv;
$at_once = $argv[5] ?? 0;

function send_mail($port, $ca_file)
{
	$mail = new PHPMailer\PHPMailer\PHPMailer(true);
	$mail->isSMTP();
	$mail->Host = '127.0.0.1';
	$mail->Port = (int)$port;
	$mail->SMTPSecure = 'tls';
	$mail->SMTPOptions = ['ssl' => ['cafile' => $ca_file]];
	$mail->setFrom('a@example.com');
	$mail->addAddress('b@example.com');
	$mail->Subject = 'x';
	$mail->Body = 'x';
	$mail->send();
}

// All of them say their ClientHello before any is waited for.
function shake_hands($port, $ca_file, $count)
{
	$servers = [];
	$made = [];
	for ($i = 0; $i < $count; $i++) {
		$options = ['ssl' => ['cafile' => $ca_file, 'peer_name' => 'localhost']];
		$servers[$i] = stream_socket_client("tcp://127.0.0.1:$port", context: stream_context_create($options));
		stream_set_blocking($servers[$i], false);
		$made[$i] = stream_socket_enable_crypto($servers[$i], true, STREAM_CRYPTO_METHOD_TLS_CLIENT);
	}
	foreach ($servers as $i => $server) {
		while ($made[$i] === 0) {
			$read = [$server];
			$none = null;
			stream_select($read, $none, $none, null);
			$made[$i] = stream_socket_enable_crypto($server, true, STREAM_CRYPTO_METHOD_TLS_CLIENT);
		}
		stream_set_blocking($server, true);
		if ($made[$i] !== true || fgets($server) === false) {
			exit(1);
		}
		fclose($server);
	}
}

for ($number = $between; $number <= $sessions; $number += $between) {
	for ($left = $between; $left > 0; $left -= max($at_once, 1)) {
		$at_once ? shake_hands($port, $ca_file, min($at_once, $left)) : send_mail($port, $ca_file);
	}
	echo "$number\n";
	if (fgets(STDIN) === false) {
		break;
	}
}
