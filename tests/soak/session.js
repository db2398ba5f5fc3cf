// As session.py.
'use strict';

const fs = require('node:fs');
const readline = require('node:readline');
const nodemailer = require('../node/node_modules/nodemailer');

const [port, caFile, sessions, between] = process.argv.slice(2);
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

(async () => {
	for (let number = 1; number <= Number(sessions); number++) {
		await send();
		if (number % Number(between) === 0) {
			console.log(number);
			if ((await told.next()).done) {
				break;
			}
		}
	}
	process.exit(0);
})();
