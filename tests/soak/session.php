<?php
// As session.py.
require 'libphp-phpmailer/src/Exception.php';
require 'libphp-phpmailer/src/SMTP.php';
require 'libphp-phpmailer/src/PHPMailer.php';

[, $port, $ca_file, $sessions, $between] = $argv;
for ($number = 1; $number <= $sessions; $number++) {
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
	if ($number % $between == 0) {
		echo "$number\n";
		if (fgets(STDIN) === false) {
			break;
		}
	}
}
