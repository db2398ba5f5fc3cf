// Sends one mail with Node's net and tls: PORT CA|off
const fs = require('fs');
const net = require('net');
const tls = require('tls');

const [port, authority] = process.argv.slice(2);
const checks = authority === 'off' ? { rejectUnauthorized: false }
    : { ca: fs.readFileSync(authority) };
const words = ['EHLO client.example.com', 'MAIL FROM:<a@example.com>', 'RCPT TO:<b@example.com>',
    'DATA', 'Subject: rehearsal\r\n\r\nhello\r\n.', 'QUIT'];

function fail(error) {
    console.error(error.message);
    process.exit(1);
}

// Says one word after each answer that is complete.
function converse(socket, lines, after) {
    socket.on('data', (bytes) => {
        if (!/^\d{3} [^\n]*\n$/m.test(bytes.toString())) return;
        if (lines.length > 0) socket.write(lines.shift() + '\r\n');
        else after();
    });
}

const clear = net.connect(Number(port), 'localhost');
clear.on('error', fail);
converse(clear, ['EHLO client.example.com', 'STARTTLS'], () => {
    clear.removeAllListeners('data');
    const secure = tls.connect({ socket: clear, servername: 'localhost', ...checks });
    secure.on('error', fail);
    secure.on('secureConnect', () => {
        secure.write(words.shift() + '\r\n');
        converse(secure, words, () => secure.end());
    });
});
