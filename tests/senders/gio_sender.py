# Sends one mail with GLib's TLS, as Evolution and Geary do: HOST PORT starttls|implicit|none CA|off
import re
import sys

from gi.repository import Gio, GLib

host, port, mode, authority = sys.argv[1:5]


class Connection:
    def __init__(self):
        self.stream = Gio.SocketClient().connect_to_host(f'{host}:{port}', int(port), None)

    def start_tls(self):
        self.stream = Gio.TlsClientConnection.new(
            self.stream, Gio.NetworkAddress.new(host, int(port)))
        if authority == 'off':
            self.stream.connect('accept-certificate', lambda *_: True)
        else:
            self.stream.set_database(Gio.TlsFileDatabase.new(authority))
        self.stream.handshake(None)

    def send(self, words):
        self.stream.get_output_stream().write_all(words.encode() + b'\r\n', None)

    def reply(self):
        reply = b''
        while not re.search(rb'^\d{3} .*\r\n', reply, re.MULTILINE):
            reply += self.stream.get_input_stream().read_bytes(4096, None).get_data()
        if reply[:1] not in b'23':
            sys.exit(reply.decode())

    def command(self, words):
        self.send(words)
        self.reply()


try:
    connection = Connection()
    if mode == 'implicit':
        connection.start_tls()
    connection.reply()
    connection.command('EHLO client')
    if mode == 'starttls':
        connection.command('STARTTLS')
        connection.start_tls()
        connection.command('EHLO client')
    connection.command('AUTH PLAIN AHVzZXIAc2VjcmV0d29yZA==')
    connection.command('MAIL FROM:<a@example.com>')
    connection.command('RCPT TO:<b@example.com>')
    connection.command('DATA')
    connection.command('Subject: rehearsal\r\n\r\nhello\r\n.')
    connection.command('QUIT')
except GLib.Error as error:
    sys.exit(error.message)
