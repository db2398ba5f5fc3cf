// As session.py.
'use strict';

const fs = require('node:fs');
const readline = require('node:readline');
const tls = require('node:tls');
const nodemailer = require('../node/node_modules/nodemailer');

const [port, caFile, sessions, between, atOnce] = process.argv.slice(2);
const told = readline.createInterface({ input: process.stdin })[Symbol.asyncIterator]();

async function send() {
	const transport = nodemailer.createTransport({
		host: '127.0.0.1',
		port: Number(port),
		requireTLS: true,
		tls: { ca: fs.readFileSync(caFile) },
	});
	await transport.sendMail({ from: 'a@example.com', to: 'b@example.com', subject: 'x', text: 'x' });
	transport.close();
}

// Gives a session that others can resume.
function handshake(secureContext, session) {
	return new Promise((over, failed) => {
		let given = session;
		const server = tls.connect({ port: Number(port), host: '127.0.0.1', servername: 'localhost', secureContext, session });
		server.on('session', (ticket) => { given = ticket; });
		server.once('data', () => server.destroy());
		server.on('close', () => over(given));
		server.on('error', failed);
	});
}

async function round() {
	let left = Number(between);
	if (!atOnce) {
		for (; left > 0; left--) {
			await send();
		}
		return;
	}
	const secureContext = tls.createSecureContext({ ca: fs.readFileSync(caFile) });
	const first = await handshake(secureContext);
	left--;
	await Promise.all(Array.from({ length: Number(atOnce) }, async () => {
		while (left-- > 0) {
			await handshake(secureContext, first);
		}
	}));
}

(async () => {
	for (let number = Number(between); number <= Number(sessions); number += Number(between)) {
		await round();
		console.log(number);
		if ((await told.next()).done) {
			break;
		}
	}
	process.exit(0);
})();
