// Sends one mail with Node's tls: HOST PORT implicit CA-FILE
'use strict';

const fs = require('node:fs');
const tls = require('node:tls');

const [host, port, , ca] = process.argv.slice(2);
const lines = ['EHLO client', 'MAIL FROM:<a@example.com>', 'RCPT TO:<b@example.com>', 'DATA',
	'Subject: rehearsal\r\n\r\nhello\r\n.', 'QUIT'];
const socket = tls.connect({ host: '127.0.0.1', servername: host, port: Number(port),
	ca: fs.readFileSync(ca), minVersion: 'TLSv1', ciphers: 'DEFAULT@SECLEVEL=0' });

process.exitCode = 1;
socket.on('data', () => {
	if (lines.length)
		socket.write(lines.shift() + '\r\n');
	else
		process.exitCode = 0;
});
socket.on('error', (error) => console.error(error.message));
