// Sends one mail with nodemailer: HOST PORT starttls|implicit|none CA-FILE
'use strict';

const dns = require('node:dns');
const fs = require('node:fs');
const nodemailer = require('nodemailer');

// The sink listens on 127.0.0.1; /etc/hosts may have ::1 for localhost as well.
dns.setDefaultResultOrder('ipv4first');

const [host, port, mode, caFile] = process.argv.slice(2);

const transport = nodemailer.createTransport({
	host,
	port: Number(port),
	secure: mode === 'implicit',
	requireTLS: mode === 'starttls',
	ignoreTLS: mode === 'none',
	auth: { user: 'user', pass: 'secretword' },
	tls: {
		ca: mode !== 'none' ? fs.readFileSync(caFile) : undefined,
		minVersion: 'TLSv1',
		maxVersion: process.env.TLS_MAX_VERSION, // an old configuration's
		ciphers: 'DEFAULT@SECLEVEL=0',
	},
});

transport
	.sendMail({ from: 'a@example.com', to: 'b@example.com', subject: 'rehearsal', text: 'hello' })
	.catch((error) => {
		console.error(error.message);
		process.exitCode = 1;
	});
